"""The desk's API: who may see what, what agents do, live changes, vendors' webhooks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.desk.cases import case
from tests.desk.desks import make
from tests.fakes.desks.sunshine import FakeSunshine, passed, said
from tests.web.desk_site import DeskSite, desk_site
from voice_server.desk import live
from voice_server.desk.chatlayer import ChatlayerDesk
from voice_server.web.desk import HOOK_BYTES

LEA = {"agent": "Léa"}


async def waiting(site: DeskSite, **changes: Any) -> str:
    """Hand a conversation over; return the case's id."""
    result = await site.marolle.service.hand_off(case(**changes))
    assert result.ticket is not None
    return result.packet_id


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("key", "status", "seen"),
    [("sk-all", 200, 1), ("sk-marolle", 200, 1), ("sk-other", 200, 0), ("", 401, 0), ("x", 401, 0)],
)
async def test_a_key_opens_its_shops_cases(key: str, status: int, seen: int) -> None:
    async with desk_site() as site:
        case_id = await waiting(site)
        got, body = await site.ask("GET", "/api/desk/cases", key=key)
        assert got == status
        assert len(body.get("cases", ())) == seen
        got, _ = await site.ask("GET", f"/api/desk/cases/{case_id}", key=key)
        assert got == (200 if seen else 404 if status == 200 else 401)
        got, _ = await site.ask("POST", f"/api/desk/cases/{case_id}/claim", LEA, key=key)
        assert got == (200 if seen else 404 if status == 200 else 401)


async def test_customers_secrets_open_nothing() -> None:
    async with desk_site() as site:
        secret, _ = site.secrets.issue({}, 600)
        for path in ("cases", "texts/fr", "live"):
            status, body = await site.ask("GET", f"/api/desk/{path}", key=secret)
            assert status == 403
            assert body["error"]["code"] == "insufficient_permissions"


async def test_a_case_in_full() -> None:
    async with desk_site() as site:
        site.marolle.call()
        case_id = await waiting(site, refused=("remboursement",))
        _, body = await site.ask("GET", f"/api/desk/cases/{case_id}")
        assert body["reference"] == "1001"
        assert body["live"] is True
        assert body["control"] == "bot"
        assert body["slots"] == [["commande", "BE-10023"]]
        assert body["refused"] == ["remboursement"]
        assert body["transcript"][1]["text"] == "Ik wil bestelling BE-10023 terugsturen."
        assert body["transcript"][1]["translation"] == "Renvoyer BE-10023."
        assert body["email"] == "ann@example.com"
        status, _ = await site.ask("GET", "/api/desk/cases/nobody")
        assert status == 404


async def test_the_most_urgent_of_all_shops_comes_first() -> None:
    async with desk_site() as site:
        await waiting(site)
        result = await site.other.service.hand_off(case(session_id="s2", reason="complaint"))
        _, body = await site.ask("GET", "/api/desk/cases")
        assert [one["shop"] for one in body["cases"]] == ["other", "marolle"]
        assert body["cases"][0]["id"] == result.packet_id


async def test_an_agent_takes_over_speaks_and_gives_back() -> None:
    async with desk_site() as site:
        call = site.marolle.call()
        case_id = await waiting(site)
        path = f"/api/desk/cases/{case_id}"
        status, body = await site.ask("POST", f"{path}/reply", {**LEA, "id": "m1", "text": "x"})
        assert (status, body["error"]["code"]) == (409, "not_yours")
        status, body = await site.ask("POST", f"{path}/claim", LEA)
        assert (status, body["state"], body["agent"]) == (200, "claimed", "Léa")
        assert body["control"] == "human"
        status, body = await site.ask("POST", f"{path}/claim", {"agent": "Tom"})
        assert (status, body["error"]["code"]) == (409, "taken")
        words = {**LEA, "id": "m1", "text": "Bonjour"}
        for _ in range(2):
            status, body = await site.ask("POST", f"{path}/reply", words)
            assert status == 200
        await until(lambda: len(call.said) == 2)
        assert call.said[1] == ("nl", "Goedendag")
        tom = {"agent": "Tom", "id": "m2", "text": "Moi aussi"}
        status, _ = await site.ask("POST", f"{path}/reply", tom)
        assert status == 409
        for action in ("hand-back", "put-back"):
            status, body = await site.ask("POST", f"{path}/{action}", {"agent": "Tom"})
            assert (status, body["error"]["code"]) == (409, "not_yours")
        assert call.call is not None
        ours = call.call
        await until(lambda: ours.lines["m1"].status == "heard")
        status, body = await site.ask("POST", f"{path}/hand-back", LEA)
        assert (status, body["state"]) == (200, "closed")
        assert body["lines"][0]["heard"] == "Goedendag"
        await until(lambda: not call.muted)
        assert len(call.said) == 3, "the message that came twice was said once"


async def test_a_customer_who_is_gone_hears_nothing() -> None:
    async with desk_site() as site:
        case_id = await waiting(site)
        path = f"/api/desk/cases/{case_id}"
        await site.ask("POST", f"{path}/claim", LEA)
        status, body = await site.ask("POST", f"{path}/reply", {**LEA, "id": "m1", "text": "x"})
        assert (status, body["error"]["code"]) == (409, "not_live")
        assert (await site.ask("POST", f"{path}/put-back", LEA))[1]["state"] == "waiting"
        assert (await site.ask("POST", f"{path}/hand-back", LEA))[1]["state"] == "closed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"agent": ""},
        {"agent": "   "},
        {"agent": "x" * 61},
        {"agent": "a\nb"},
        {"agent": "Léa", "more": 1},
        [1],
        "x",
    ],
)
async def test_a_wrong_body_is_named(body: Any) -> None:
    async with desk_site() as site:
        case_id = await waiting(site)
        status, answer = await site.ask("POST", f"/api/desk/cases/{case_id}/claim", body)
        assert status == 400
        assert answer["error"]["code"] == "invalid_body"


@pytest.mark.parametrize("change", [{"text": ""}, {"text": "x" * 2001}, {"id": "a b"}, {"id": ""}])
async def test_a_wrong_message_is_refused(change: dict[str, str]) -> None:
    async with desk_site() as site:
        case_id = await waiting(site)
        body = {**LEA, "id": "m1", "text": "Bonjour", **change}
        status, _ = await site.ask("POST", f"/api/desk/cases/{case_id}/reply", body)
        assert status == 400


async def test_the_pages_words() -> None:
    async with desk_site() as site:
        _, body = await site.ask("GET", "/api/desk/texts/nl")
        assert body["intents"]["return_item"] == "retour van een artikel"
        assert body["priority"]["urgent"] == "dringend"
        assert (await site.ask("GET", "/api/desk/texts/es"))[0] == 404


async def test_the_page_may_load_nothing_from_elsewhere() -> None:
    async with desk_site() as site, site.client.get(f"{site.url}/console/desk") as response:
        assert response.status == 200
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        text = await response.text()
        assert "style=" not in text
        assert "onclick" not in text


# --------------------------------------------------------------------- live


async def read(socket: aiohttp.ClientWebSocketResponse) -> Any:
    async with asyncio.timeout(5):
        return await socket.receive_json()


async def test_every_change_is_told_at_once() -> None:
    async with desk_site() as site:
        protocols = ("desk", "openai-insecure-api-key.sk-marolle")
        async with site.client.ws_connect(f"{site.url}/api/desk/live", protocols=protocols) as ws:
            assert ws.protocol == "desk"
            assert await read(ws) == {"type": "ready"}
            call = site.marolle.call()
            case_id = await waiting(site)
            assert (await read(ws))["case"]["id"] == case_id
            await site.ask("POST", f"/api/desk/cases/{case_id}/claim", LEA)
            seen = await read(ws)
            assert seen["case"]["agent"] == "Léa"
            assert call.call is not None
            call.call.happened(live.CustomerSaid("i1", "Hallo", "nl"))
            async with asyncio.timeout(5):
                while (
                    not (lines := (await read(ws))["case"]["lines"]) or not lines[0]["translation"]
                ):
                    pass
            assert lines[0]["translation"] == "Allô"
            site.marolle.service.detach("sess_1")
            async with asyncio.timeout(5):
                while (await read(ws))["case"]["live"]:
                    pass
        await until(lambda: not site.desks.sockets)


async def test_another_shops_changes_are_not_told() -> None:
    async with desk_site() as site:
        url = f"{site.url}/api/desk/live"
        headers = {"Authorization": "Bearer sk-other"}
        async with site.client.ws_connect(url, headers=headers) as ws:
            await read(ws)
            await waiting(site)
            await site.other.service.hand_off(case(session_id="s2"))
            assert (await read(ws))["case"]["shop"] == "other"


# -------------------------------------------------------------------- hooks


async def post(site: DeskSite, path: str, body: bytes, **headers: str) -> int:
    async with site.client.post(f"{site.url}{path}", data=body, headers=headers) as response:
        return response.status


async def test_what_vendors_people_say_is_heard() -> None:
    async with FakeSunshine() as cloud, desk_site(make("sunshine", cloud.url, 2.0)) as site:
        call = site.marolle.call()
        result = await site.marolle.service.hand_off(case())
        assert result.ticket is not None
        assert call.muted
        reference, hook = result.ticket.reference, "/hooks/desk/marolle/sunshine"
        key = {"X-API-Key": "hook-secret"}
        words = json.dumps(said(reference, "Bonjour", displayName="Léa")).encode()
        assert await post(site, hook, words) == 401
        assert await post(site, hook, words, **{"X-API-Key": "wrong"}) == 401
        assert len(call.said) == 1
        assert await post(site, hook, words, **key) == 200
        assert await post(site, hook, words, **key) == 200
        await until(lambda: len(call.said) == 3)
        assert call.said[-1] == ("nl", "Goedendag")
        back = json.dumps(passed(reference, "voice-server")).encode()
        assert await post(site, hook, back, **key) == 200
        await until(lambda: not call.muted)
        assert await post(site, hook, b"{}", **key) == 400
        assert await post(site, hook, b"x" * (HOOK_BYTES + 1), **key) == 413
        assert await post(site, "/hooks/desk/marolle/dixa", words, **key) == 404
        assert await post(site, "/hooks/desk/nobody/sunshine", words, **key) == 404
        assert await post(site, "/hooks/desk/other/console", words, **key) == 404
        unknown = json.dumps(said("c9", "Bonjour")).encode()
        assert await post(site, hook, unknown, **key) == 200
        status, body = await site.ask("GET", "/api/desk/cases")
        assert (status, body["cases"]) == (200, [])


async def test_a_chatlayer_webhook_needs_its_signature() -> None:
    desk = make("chatlayer", "http://127.0.0.1:9")
    assert isinstance(desk, ChatlayerDesk)
    async with desk_site(desk) as site:
        body = b'{"event": "end", "id": "w1", "conversationId": "conv-0"}'
        hook = "/hooks/desk/marolle/chatlayer"
        assert await post(site, hook, body) == 401
        signed = {"X-Signature": desk.signature(body)}
        assert await post(site, hook, body, **signed) == 200
