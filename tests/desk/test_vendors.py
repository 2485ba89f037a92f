"""What is particular about each vendor: shapes on the wire, webhooks, private notes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.desk.cases import packet
from tests.desk.desks import Pair, make, pair
from tests.fakes.desks.chatlayer import FakeChatlayer
from tests.fakes.desks.dixa import FakeDixa
from tests.fakes.desks.sunshine import FakeSunshine, hook, passed, said
from tests.fakes.desks.zendesk import FakeZendesk
from voice_server.desk.chatlayer import ChatlayerDesk
from voice_server.desk.packet import DeskError, DeskEvent, Line, Priority
from voice_server.desk.sunshine import MESSAGE_CHARS, SunshineDesk, _pieces
from voice_server.desk.vendor import VendorClient, _retry_after
from voice_server.desk.zendesk import RECORDED, ZendeskDesk, ZendeskOptions

# ----------------------------------------------------------------- Zendesk


def zendesk(both: Pair) -> FakeZendesk:
    assert isinstance(both.cloud, FakeZendesk)
    return both.cloud


async def test_a_zendesk_ticket() -> None:
    async with pair("zendesk") as both:
        ticket = await both.desk.deliver(packet())
        cloud = zendesk(both)
        seen = cloud.asked("POST")[0]
        assert seen.headers["Idempotency-Key"] == "ho_1"
        body = seen.body["ticket"]
        assert body["subject"] == "Remise par l'assistant vocal – retour d'article BE-10023"
        assert body["priority"] == "high"
        assert body["type"] == "problem"
        assert body["external_id"] == "ho_1"
        assert body["group_id"] == 7
        assert body["custom_fields"] == [{"id": 360001, "value": "BE-10023"}]
        assert body["requester"] == {
            "name": "Ann Peeters", "email": "ann1@example.com", "locale_id": 1005,
        }  # fmt: skip
        assert body["tags"] == [
            "ai_handoff", "lang_nl", "reason_asked", "intent_return_item", "verified_order",
        ]  # fmt: skip
        assert body["comment"]["public"] is False
        assert ticket.url == "https://marolle.zendesk.com/agent/tickets/100"


async def test_what_people_said_cannot_become_html_of_a_ticket() -> None:
    async with pair("zendesk") as both:
        await both.desk.deliver(packet())
        html = zendesk(both).comments[100][0]["html_body"]
        assert "<script" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "retour &lt;b&gt;urgent&lt;/b&gt;" in html


async def test_zendesk_finds_its_ticket_when_the_key_is_forgotten() -> None:
    async with pair("zendesk") as both:
        first = await both.desk.deliver(packet())
        zendesk(both).keys_expire = True
        assert await both.desk.deliver(packet(), again=True) == first
        assert len(zendesk(both).store) == 1


async def test_a_recording_is_attached_once_and_by_its_address() -> None:
    async with pair("zendesk") as both:
        recorded = packet(recording="https://marolle.example/r/1.mp3")
        await both.desk.deliver(recorded)
        await both.desk.deliver(recorded, again=True)
        voice = zendesk(both).voice_comments
        assert len(voice) == 1
        assert voice[0]["recording_url"] == "https://marolle.example/r/1.mp3"
        assert voice[0]["from"] == "+32470112233"
        assert voice[0]["to"] == "+3225550123"
        assert RECORDED in zendesk(both).store[100]["tags"]


async def test_zendesk_with_an_oauth_token_and_no_requester() -> None:
    async with pair("zendesk") as both:
        desk = ZendeskDesk(ZendeskOptions(token="zd-token", base_url=both.cloud.url))
        ticket = await desk.deliver(packet(email="", priority=Priority.LOW))
        body = both.cloud.asked("POST")[0].body["ticket"]
        assert "requester" not in body
        assert "group_id" not in body
        assert body["type"] == "question"
        assert ticket.url == ""
        await desk.close()


# -------------------------------------------------------------------- Dixa


async def test_a_dixa_call_back() -> None:
    async with pair("dixa") as both:
        ticket = await both.desk.deliver(packet())
        cloud = both.cloud
        assert isinstance(cloud, FakeDixa)
        assert cloud.seen[0].headers["Authorization"] == "dixa-token"
        assert cloud.asked("POST", "/endusers")[0].body == {
            "displayName": "Ann Peeters",
            "email": "ann1@example.com",
            "phoneNumber": "+32470112233",
            "externalId": "marolle:sess_1",
        }
        assert cloud.asked("POST", "/conversations")[0].body == {
            "_type": "Callback",
            "contactEndpointId": "+3225550123",
            "direction": "Inbound",
            "queueId": "q-1",
            "requesterId": "7a52c0de-0",
        }
        assert cloud.tagged == {("500", "9b1d-1"), ("500", "9b1d-2")}
        assert ticket.reference == "500"


async def test_dixa_knows_its_end_users() -> None:
    async with pair("dixa") as both:
        await both.desk.deliver(packet(1))
        await both.desk.deliver(packet(2, email="ann1@example.com"))
        assert isinstance(both.cloud, FakeDixa)
        assert len(both.cloud.users) == 1
        assert both.cloud.tickets() == ["ho_1", "ho_2"]


async def test_without_a_phone_dixa_gets_a_contact_form() -> None:
    async with pair("dixa") as both:
        await both.desk.deliver(packet(phone="", channel="button"))
        body = both.cloud.asked("POST", "/conversations")[0].body
        assert body["_type"] == "ContactForm"
        assert body["language"] == "nl"
        assert body["emailIntegrationId"] == "hello@marolle.example"
        assert "[ho_1]" in body["message"]["content"]["value"]


async def test_an_older_conversation_of_the_customer_is_not_taken_for_ours() -> None:
    async with pair("dixa") as both:
        cloud = both.cloud
        assert isinstance(cloud, FakeDixa)
        cloud.now = "2026-11-20T10:00:00Z"
        await both.desk.deliver(packet(1))
        cloud.written["500"].clear()  # somebody else's call-back, from last week
        cloud.now = "2026-11-25T10:00:05Z"
        await both.desk.deliver(packet(2, email="ann1@example.com"), again=True)
        assert cloud.tickets() == ["bare", "ho_2"]


# ---------------------------------------------------------------- Sunshine


def sunshine(both: Pair) -> tuple[SunshineDesk, FakeSunshine]:
    assert isinstance(both.desk, SunshineDesk)
    assert isinstance(both.cloud, FakeSunshine)
    return both.desk, both.cloud


async def test_sunshine_passes_control_with_the_packet() -> None:
    async with pair("sunshine") as both:
        _, cloud = sunshine(both)
        ticket = await both.desk.deliver(packet())
        assert cloud.control[ticket.reference] == "zd:agentWorkspace"
        metadata = cloud.passes[0]["metadata"]
        assert metadata["first_message_id"] == cloud.messages[ticket.reference][0]["id"]
        assert metadata["dataCapture.systemField.tags"].startswith("ai_handoff,lang_nl")
        first = cloud.messages[ticket.reference][0]
        assert first["author"] == {"type": "business", "subtypes": ["AI"]}


async def test_what_the_customer_says_next_is_shown_once_as_the_customers() -> None:
    async with pair("sunshine") as both:
        desk, cloud = sunshine(both)
        ticket = await desk.deliver(packet())
        line = Line("user", "Hallo?", "nl", "Allô ?")
        await desk.relay(ticket.reference, line, "line_1")
        await desk.relay(ticket.reference, line, "line_1")
        await desk.relay(ticket.reference, Line("assistant", "Ja", "nl"), "line_2")
        added = cloud.messages[ticket.reference][1:]
        assert [one["content"]["text"] for one in added] == ["Hallo?\nAllô ?", "Ja"]
        assert added[0]["author"] == {"type": "user", "userExternalId": "ho_1"}
        assert added[1]["author"]["type"] == "business"


def read(desk: SunshineDesk, data: Any) -> list[DeskEvent]:
    return desk.events(json.dumps(data).encode())


async def test_sunshine_webhooks() -> None:
    desk = make("sunshine", "http://127.0.0.1:9")
    assert isinstance(desk, SunshineDesk)
    assert read(desk, said("c1", "Bonjour", displayName="Léa")) == [
        DeskEvent("me1", "said", "c1", "Bonjour", "Léa")
    ]
    assert read(desk, said("c1", "we said it", subtypes=["AI"])) == []
    assert read(desk, passed("c1", "voice-server")) == [DeskEvent("e2", "returned", "c1")]
    assert read(desk, passed("c1", "zd:agentWorkspace")) == []
    failure = hook("switchboard:passControl:failure", "e3", conversation={"id": "c1"})
    assert read(desk, failure) == [DeskEvent("e3", "returned", "c1")]
    assert read(desk, hook("conversation:read", "e4", conversation={"id": "c1"})) == []
    customers = said("c1", "hi")
    customers["events"][0]["payload"]["message"]["author"] = {"type": "user"}
    assert read(desk, customers) == []
    assert desk.authentic("hook-secret")
    assert not desk.authentic("")
    assert not desk.authentic("hook-secreu")
    await desk.close()


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"events": [1]}', b"\xff", b'{"events": 3}'])
async def test_what_is_no_webhook_is_refused(body: bytes) -> None:
    desk = make("sunshine", "http://127.0.0.1:9")
    assert isinstance(desk, SunshineDesk)
    with pytest.raises(ValueError, match="not a Sunshine"):
        desk.events(body)
    other = make("chatlayer", "http://127.0.0.1:9")
    assert isinstance(other, ChatlayerDesk)
    with pytest.raises(ValueError, match="not a Chatlayer"):
        other.events(body)


def test_long_packets_are_cut_into_messages() -> None:
    text = "\n".join(["short", "x" * 9000, *["line"] * 2000])
    pieces = list(_pieces(text))
    assert all(0 < len(piece) <= MESSAGE_CHARS for piece in pieces)
    assert "".join(pieces).replace("\n", "") == text.replace("\n", "")
    assert list(_pieces("")) == []


# --------------------------------------------------------------- Chatlayer


async def test_a_chatlayer_offload_and_what_follows() -> None:
    async with pair("chatlayer") as both:
        desk, cloud = both.desk, both.cloud
        assert isinstance(desk, ChatlayerDesk)
        assert isinstance(cloud, FakeChatlayer)
        ticket = await desk.deliver(packet())
        offload = cloud.offloads["ho_1"]
        assert offload["priority"] == "high"
        assert offload["customer"]["identityLevel"] == 1
        await desk.relay(ticket.reference, Line("user", "Hallo?", "nl", "Allô ?"), "line_1")
        await desk.relay(ticket.reference, Line("user", "Hallo?", "nl", "Allô ?"), "line_1")
        assert cloud.messages["line_1"]["translation"] == "Allô ?"
        assert cloud.notes(ticket.reference)[1:] == ["Hallo?"]


async def test_chatlayer_webhooks() -> None:
    desk = make("chatlayer", "http://127.0.0.1:9")
    assert isinstance(desk, ChatlayerDesk)

    def events(**data: Any) -> list[DeskEvent]:
        return desk.events(json.dumps({"id": "w1", "conversationId": "conv-0", **data}).encode())

    assert events(event="message", text="Bonjour", agent="Léa") == [
        DeskEvent("w1", "said", "conv-0", "Bonjour", "Léa")
    ]
    assert events(event="resume") == [DeskEvent("w1", "returned", "conv-0")]
    assert events(event="end") == [DeskEvent("w1", "ended", "conv-0")]
    assert events(event="message", text="") == []
    assert events(event="typing") == []
    body = b'{"event": "end"}'
    assert desk.authentic(body, desk.signature(body))
    assert not desk.authentic(body + b" ", desk.signature(body))
    unsigned = ChatlayerDesk(replace(desk._options, secret=""))
    assert not unsigned.authentic(body, unsigned.signature(body))


# ------------------------------------------------------------------- HTTP


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "-3"}, 0),
        ({"Retry-After": "99999"}, 900),
        ({"Retry-After": "soon"}, 0),
        ({}, 0),
        (
            {
                "Retry-After": "Wed, 25 Nov 2026 10:01:00 GMT",
                "Date": "Wed, 25 Nov 2026 10:00:00 GMT",
            },
            60,
        ),
        ({"Retry-After": "Wed, 25 Nov 2026 10:01:00 GMT"}, 0),
    ],
)
def test_the_pause_a_vendor_asks_for(headers: dict[str, str], seconds: float) -> None:
    assert _retry_after(headers) == seconds


async def test_a_redirect_is_not_followed() -> None:
    async with pair("zendesk") as both:
        both.cloud.refuse = 302
        client = VendorClient(both.cloud.url)
        with pytest.raises(DeskError, match="HTTP 302"):
            await client.request("GET", "/anywhere")
        assert len(both.cloud.seen) == 1
        await client.close()
