"""Calls and webhooks over real sockets: who gets in, who does not, and what is left behind."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import time
import uuid
from typing import Any, cast
from xml.etree import ElementTree as XmlTree

import aiohttp
import orjson
import pytest
from aiohttp import web

from tests.fakes.conversation import Script
from tests.telephony.booth import other
from tests.telephony.calls import VENDORS
from tests.telephony.house import Handset, House, house, until
from tests.telephony.test_signatures import SECRET, genesys, telnyx
from voice_server.conversation.orders import Say
from voice_server.realtime.ports import RealtimeBackend
from voice_server.telephony import links
from voice_server.telephony.audiosocket_bridge import frame
from voice_server.telephony.call import Close
from voice_server.telephony.calls import Outcome
from voice_server.telephony.links import StreamLink
from voice_server.telephony.ports import Secrets, TelephonyBackend
from voice_server.telephony.signatures import make_jwt, plivo_signature, twilio_signature
from voice_server.web.application import WebBackend, create_application
from voice_server.web.telephony import add_telephony

PUBLIC = "https://shop.example"
CALL = {"CallSid": "CA1", "From": "+32470123456", "To": "+3225550123"}
LOUD = b"\x20" * 160


# --------------------------------------------------------------------- streams


@pytest.mark.parametrize("vendor", [v for v in VENDORS if v != "sip"])
async def test_a_call_over_a_real_line(vendor: str) -> None:
    async with house() as home:
        handset = await Handset.dial(home, vendor)
        await handset.hear_ms(200)
        [conversation] = home.conversations
        assert conversation.of(Say)[0].text == "Hello this is an AI"
        await handset.give(handset.phone.speak(handset.phone.codec.silence * 320))
        await until(lambda: conversation.heard_ms > 0)
        assert handset.phone.refusal == ""
        await handset.give(handset.phone.hang_up())
        await home.quiet()
        assert home.calls.records[0].vendor == vendor
        await handset.end()


async def test_leaving_closes_the_line() -> None:
    async with house() as home:
        for vendor in ("twilio", "audiosocket"):
            handset = await Handset.dial(home, vendor)
            await handset.hear_ms(40)
            home.calls.live[0].end("enough")
            await asyncio.wait_for(handset.closed.wait(), 3)
            await home.quiet()
            await handset.end()


async def test_an_unknown_vendor_is_told_the_known_ones() -> None:
    async with house() as home, home.client.get(f"{home.url}/telephony/nobody") as response:
        assert response.status == 404
        assert "twilio" in await response.text()


@pytest.mark.parametrize("full", ["limit", "loading", "draining"])
async def test_a_full_server_refuses_before_talking_calls_suffer(full: str) -> None:
    options: dict[str, Any] = {"max_calls": 0} if full == "limit" else {}
    if full == "loading":
        options["not_yet"] = lambda: "the server is still loading"
    async with house(**options) as home:
        home.calls.draining = full == "draining"
        handset = await Handset.dial(home, "twilio")
        await asyncio.wait_for(handset.closed.wait(), 3)
        assert handset.close_code == 1013
        assert not home.conversations
        async with home.client.post(f"{home.url}/telephony/twilio/answer", data=CALL) as answer:
            assert "<Reject" in await answer.text()
        await handset.end()
        socket = await Handset.dial(home, "audiosocket")
        await asyncio.wait_for(socket.closed.wait(), 3)
        await socket.end()


async def test_a_web_page_of_another_site_cannot_call_the_demo() -> None:
    async with house() as home:
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await Handset.dial(home, "vonage", headers=headers)
            assert refused.value.status == 403


@pytest.mark.parametrize("vendor", [v for v in VENDORS if v not in ("audiosocket", "sip")])
async def test_outside_the_demo_nothing_unsigned_gets_in(vendor: str) -> None:
    secrets = Secrets("t", "p", "k", "v", "gk", SECRET, "a")
    for given in (Secrets(), secrets):
        async with house(demo=False, secrets=given) as home:
            for path in ("", f"/telephony/{vendor}/tk_forged"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await Handset.dial(home, vendor, path)
                assert refused.value.status == 403
            assert not home.conversations


async def test_genesys_with_a_good_signature_gets_in_once() -> None:
    secrets = Secrets(genesys_key="key", genesys_secret=SECRET)
    async with house(demo=False, secrets=secrets) as home:
        signed = genesys(created=time.time(), expires=time.time() + 30)
        handset = await Handset.dial(home, "genesys", headers=signed)
        await handset.hear_ms(200)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await Handset.dial(home, "genesys", headers=signed)
        await handset.end()


async def test_asterisk_brings_its_password() -> None:
    async with house(demo=False, secrets=Secrets(asterisk="pw")) as home:
        for text in ("pbx:no", "pw", "pbx:\xff"):
            wrong = base64.b64encode(text.encode("latin-1")).decode()
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await Handset.dial(home, "asterisk", headers={"Authorization": f"Basic {wrong}"})
        right = base64.b64encode(b"pbx:pw").decode()
        path = "/telephony/asterisk?caller=%2B32470999988&called=%2B3225550123"
        handset = await Handset.dial(home, "asterisk", path, {"Authorization": f"basic {right}"})
        await handset.hear_ms(40)
        started = home.calls.live[0].flow.started
        assert started is not None
        assert started.caller == "+32470999988"
        await handset.end()


async def test_vonage_may_prove_its_stream_by_a_token() -> None:
    async with house(demo=False, secrets=Secrets(vonage="s")) as home:
        token = make_jwt("s", {"iat": int(time.time()), "jti": "1"})
        bearer = {"Authorization": f"Bearer {token}"}
        handset = await Handset.dial(home, "vonage", headers=bearer)
        await handset.hear_ms(20)
        await handset.end()


# -------------------------------------------------------------------- webhooks


def signed_twilio(path: str, form: dict[str, str]) -> dict[str, str]:
    return {"X-Twilio-Signature": twilio_signature("tok", PUBLIC + path, list(form.items()))}


async def post(home: House, path: str, form: dict[str, str], headers: dict[str, str]) -> str:
    async with home.client.post(home.url + path, data=form, headers=headers) as response:
        assert response.status == 200, await response.text()
        return await response.text()


async def test_twilio_from_webhook_to_human_and_back() -> None:
    """Answer → stream with ticket → key 0 → dial → whisper → nobody picks up → stream again."""
    secrets = Secrets(twilio="tok")
    async with house(demo=False, secrets=secrets, public_url=PUBLIC) as home:
        path = "/telephony/twilio/answer"
        answer = XmlTree.fromstring(await post(home, path, CALL, signed_twilio(path, CALL)))  # noqa: S314
        stream = answer.find("Connect/Stream")
        assert stream is not None
        url = stream.get("url", "")
        assert url.startswith("wss://shop.example/telephony/twilio/tk_")
        ticket = url.removeprefix("wss://shop.example")
        handset = await Handset.dial(home, "twilio", ticket)
        await handset.hear_ms(40)
        assert home.calls.live[0].flow.started.call_id == "CA1"  # type: ignore[union-attr]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await Handset.dial(home, "twilio", ticket)
        await handset.give(handset.phone.press("0"))
        await asyncio.wait_for(handset.closed.wait(), 5)
        await handset.end()

        path = "/telephony/twilio/after"
        after = XmlTree.fromstring(await post(home, path, CALL, signed_twilio(path, CALL)))  # noqa: S314
        number = after.find("Dial/Number")
        assert number is not None
        assert number.text == "+3225550199"
        path = number.get("url", "").removeprefix(PUBLIC)
        said = await post(home, path, CALL, signed_twilio(path, CALL))
        assert "The customer speaks English" in said

        path = "/telephony/twilio/dialled"
        form = {**CALL, "DialCallStatus": "no-answer"}
        back = XmlTree.fromstring(await post(home, path, form, signed_twilio(path, form)))  # noqa: S314
        stream = back.find("Connect/Stream")
        assert stream is not None
        ticket = stream.get("url", "").removeprefix("wss://shop.example")
        handset = await Handset.dial(home, "twilio", ticket)
        await handset.hear_ms(40)
        [say] = home.conversations[-1].of(Say)
        assert say.text.startswith("I am sorry, nobody")
        await handset.end()
        form = {**CALL, "DialCallStatus": "completed"}
        done = await post(home, "/telephony/twilio/dialled", form, signed_twilio(path, form))
        assert "<Hangup" in done


async def test_webhooks_without_a_good_signature_are_refused() -> None:
    secrets = Secrets(twilio="tok", plivo="p", telnyx="k", vonage="v", asterisk="a")
    async with house(demo=False, secrets=secrets, public_url=PUBLIC) as home:
        for vendor in ("twilio", "plivo", "telnyx", "vonage", "asterisk"):
            async with home.client.post(f"{home.url}/telephony/{vendor}/answer", data=CALL) as bad:
                assert bad.status == 403
        path = "/telephony/twilio/answer"
        good = signed_twilio(path, CALL)
        await post(home, path, CALL, good)
        async with home.client.post(home.url + path, data=CALL, headers=good) as replayed:
            assert replayed.status == 403
        assert "calls_refused_total" in home.metrics


async def test_the_other_vendors_webhooks() -> None:
    body = orjson.dumps({"from": "32470123456", "to": "3225550123", "uuid": "u1"})
    stamp = str(int(time.time()))
    form = "From=%2B32470&To=%2B322&CallSid=v2"
    public, signature = telnyx(form.encode(), stamp)
    secrets = Secrets(plivo="p", telnyx=public, vonage="v", asterisk="pw")
    async with house(demo=False, secrets=secrets, public_url=PUBLIC) as home:
        url = f"{home.url}/telephony"
        fields = {"CallUUID": "c", "From": "32", "To": "33"}
        proof = plivo_signature("p", f"{PUBLIC}/telephony/plivo/answer", fields.items(), "n")
        headers = {"X-Plivo-Signature-V3": proof, "X-Plivo-Signature-V3-Nonce": "n"}
        assert "<Stream bidirectional" in await post(
            home, "/telephony/plivo/answer", fields, headers
        )
        claims = {"iat": int(stamp), "jti": "j", "payload_hash": hashlib.sha256(body).hexdigest()}
        headers = {
            "Authorization": f"Bearer {make_jwt('v', claims)}",
            "Content-Type": "application/json",
        }
        async with home.client.post(f"{url}/vonage/answer", data=body, headers=headers) as ncco:
            connect, _ = await ncco.json()
            assert connect["endpoint"][0]["headers"]["call_id"] == "u1"
        headers = {
            "telnyx-timestamp": stamp,
            "telnyx-signature-ed25519": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with home.client.post(f"{url}/telnyx/answer", data=form, headers=headers) as texml:
            assert 'bidirectionalMode="rtp"' in await texml.text()
        basic = {"Authorization": aiohttp.encode_basic_auth("pbx", "pw")}
        home.calls.outcomes.put("u7", Outcome("SIP/desk"), home.now)
        async with home.client.get(f"{url}/asterisk/after?call=u7", headers=basic) as after:
            assert await after.text() == "SIP/desk"
        async with home.client.get(f"{url}/asterisk/after?call=u7", headers=basic) as after:
            assert await after.text() == ""


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_webhooks_take_odd_bodies_calmly(body: bytes) -> None:
    async with house() as home:
        headers = {"Content-Type": "application/json"}
        url = f"{home.url}/telephony/vonage/answer"
        async with home.client.post(url, data=body, headers=headers) as answer:
            assert answer.status == 200
        async with home.client.get(f"{home.url}/telephony/genesys/answer") as none:
            assert none.status == 404
        async with home.client.post(f"{home.url}/telephony/twilio/after", data=CALL) as after:
            assert "<Hangup" in await after.text()


async def test_a_number_without_a_line_is_hung_up() -> None:
    async with house(lines=lambda: (other(number="+33"),)) as home:
        assert "<Hangup" in await post(home, "/telephony/twilio/answer", CALL, {})


async def test_a_caller_cannot_come_back_to_a_full_server() -> None:
    async with house(max_calls=0) as home:
        assert "<Hangup" in await post(home, "/telephony/twilio/dialled", CALL, {})


async def test_without_a_public_address_the_request_tells_it() -> None:
    async with house() as home:
        headers = {"X-Forwarded-Proto": "https"}
        async with home.client.post(
            f"{home.url}/telephony/twilio/answer", data=CALL, headers=headers
        ) as answer:
            found = re.search(r'url="(wss://[^"]*)"', await answer.text())
        assert found
        assert found[1].startswith("wss://127.0.0.1:")


# ----------------------------------------------------------------- AudioSocket


async def test_an_announced_audiosocket_call_knows_its_numbers() -> None:
    async with house(demo=False, secrets=Secrets(asterisk="pw")) as home:
        announce = f"{home.url}/telephony/asterisk/calls"
        numbers = {"caller": "+32470123456", "called": "+3225550123"}
        async with home.client.post(announce, data=numbers) as refused:
            assert refused.status == 403
        basic = {"Authorization": aiohttp.encode_basic_auth("pbx", "pw")}
        async with home.client.post(announce, data=numbers, headers=basic) as told:
            call_id = await told.text()
        reader, writer = await asyncio.open_connection("127.0.0.1", home.audiosocket_port)
        writer.write(frame(1, uuid.UUID(call_id).bytes))
        assert (await asyncio.wait_for(reader.readexactly(3), 3))[0] == 0x10
        started = home.calls.live[0].flow.started
        assert started is not None
        assert (started.call_id, started.caller) == (call_id, "+32470123456")
        writer.close()
        await home.quiet()


@pytest.mark.parametrize("first", [frame(1, bytes(16)), frame(0x10, bytes(16)), b""])
async def test_an_audiosocket_connection_nobody_announced_is_closed(first: bytes) -> None:
    async with house(demo=False) as home:
        reader, writer = await asyncio.open_connection("127.0.0.1", home.audiosocket_port)
        writer.write(first)
        if not first:
            writer.write_eof()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 3) == b""
        assert not home.conversations
        writer.close()


# --------------------------------------------------------------------- console


async def test_operators_see_calls_and_end_or_transfer_them() -> None:
    async with house() as home:
        first = await Handset.dial(home, "twilio")
        await first.hear_ms(40)
        api = f"{home.url}/api/calls"
        async with home.client.get(api) as shown:
            [call] = (await shown.json())["live"]
        assert (call["vendor"], call["caller"], call["state"]) == ("twilio", "…56", "talking")
        assert call["seconds"] >= 0
        async with home.client.post(f"{api}/{call['id']}/transfer") as done:
            assert done.status == 200
        await asyncio.wait_for(first.closed.wait(), 5)
        async with home.client.post(f"{api}/{call['id']}/hang-up") as gone:
            assert gone.status == 404
        await home.quiet()
        async with home.client.get(api) as shown:
            [record] = (await shown.json())["records"]
        assert record["transfers"] == [{"target": "…99", "warm": True, "result": ""}]
        assert "123456" not in str(record)
        await first.end()


async def test_operators_hang_up_and_cannot_transfer_to_nobody() -> None:
    async with house(lines=lambda: (other(human=""),)) as home:
        handset = await Handset.dial(home, "vonage")
        await handset.hear_ms(40)
        call = f"{home.url}/api/calls/{home.calls.live[0].id}"
        async with home.client.post(f"{call}/transfer") as refused:
            assert refused.status == 409
        async with home.client.post(f"{call}/hang-up") as done:
            assert done.status == 200
        await asyncio.wait_for(handset.closed.wait(), 5)
        await handset.end()


async def test_calls_are_shown_to_nobody_without_a_key() -> None:
    def unused(**_: object) -> Any:
        raise AssertionError("nobody calls")

    backend = TelephonyBackend(unused, lambda: (), demo=False)
    web_backend = WebBackend(
        realtime=RealtimeBackend(open_conversation=unused),
        api_keys=("k",),
        demo=False,
        extend=[lambda application: add_telephony(application, backend)],
    )
    runner = web.AppRunner(create_application(web_backend))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession() as client:
            async with client.get(f"{url}/api/calls") as refused:
                assert refused.status == 401
            bearer = {"Authorization": "Bearer k"}
            async with client.get(f"{url}/api/calls", headers=bearer) as shown:
                assert await shown.json() == {"live": [], "records": []}
            async with client.get(f"{url}/telephony/twilio", headers=bearer) as stream:
                assert stream.status == 403  # a key is no signature
    finally:
        await runner.cleanup()


# ----------------------------------------------------------------------- links


class _Stuck:
    """A peer that reads nothing: what the link uses of a StreamWriter."""

    def __init__(self) -> None:
        self.aborted = False
        self.transport = self

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: bytes) -> None:
        pass

    async def drain(self) -> None:
        await asyncio.sleep(60)

    def close(self) -> None:
        pass


def stuck_link(writer: _Stuck) -> StreamLink:
    return StreamLink(asyncio.StreamReader(), cast(asyncio.StreamWriter, writer))


async def test_a_vendor_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "SEND_DEADLINE_S", 0.02)
    writer = _Stuck()
    link = stuck_link(writer)
    link.send(b"x")
    await asyncio.wait_for(link.run(), 2)
    assert writer.aborted
    assert "read nothing" in link.dropped
    link.send(b"more")

    writer = _Stuck()
    link = stuck_link(writer)
    for _ in range(20):
        link.send(bytes(links.OUTBOX_BYTES // 10))
    assert writer.aborted
    assert link.dropped == "the vendor does not read"
    await asyncio.wait_for(link.run(), 1)


async def test_a_stream_that_breaks_ends() -> None:
    reader = asyncio.StreamReader()
    reader.set_exception(ConnectionResetError())
    link = StreamLink(reader, cast(asyncio.StreamWriter, _Stuck()))
    assert [piece async for piece in link.messages()] == []

    class Broken(_Stuck):
        async def drain(self) -> None:
            raise ConnectionResetError

    link = stuck_link(Broken())
    link.send(b"x")
    await asyncio.wait_for(link.run(), 1)
    assert link.dead
    link = stuck_link(Broken())
    link.send("text is not for streams")
    link.send(Close())
    await asyncio.wait_for(link.run(), 1)


async def test_shutting_down_hangs_up_and_leaves_nothing() -> None:
    async with house(script=Script(clause_ms=5000)) as home:
        handset = await Handset.dial(home, "twilio")
        await handset.hear_ms(40)
        conversation = home.conversations[0]
    assert handset.closed.is_set() or handset.phone.ended
    assert conversation._closed.is_set()
    await handset.end()
