"""From our stream to a human and back, for every vendor, over real sockets."""

from __future__ import annotations

import asyncio
import io
import re
import wave
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from tests.telephony.booth import LINE
from tests.telephony.house import Handset, House, house, until
from voice_server.audio.pcm import Audio
from voice_server.conversation.orders import Say
from voice_server.speech.engine import EngineError
from voice_server.telephony.call import Message
from voice_server.telephony.phrases import PHRASES, PhonePhrase

BACK = PHRASES[PhonePhrase.BACK]["en"]
STAFF = replace(LINE, staff_language="nl", shop="marolle", queue="+3225550100")
ASTERISK = "/telephony/asterisk?call=a1&caller=12345678"
CLOUDS = ("twilio", "telnyx", "plivo", "vonage")
CALL_ID = {"twilio": "CallSid", "telnyx": "CallSid", "plivo": "CallUUID", "vonage": "uuid"}
BUSY = {
    "twilio": {"DialCallStatus": "busy"},
    "telnyx": {"DialCallStatus": "busy"},
    "plivo": {"DialStatus": "busy"},
    "vonage": {"status": "busy"},
}
ANSWERED = {
    "twilio": {"DialCallStatus": "completed"},
    "telnyx": {"DialCallStatus": "completed"},
    "plivo": {"DialStatus": "completed"},
    "vonage": {"status": "answered"},
}


async def tell(home: House, vendor: str, path: str, **fields: str) -> str:
    """A webhook of the vendor, as it sends them."""
    body: dict[str, Any] = {"json": fields} if vendor == "vonage" else {"data": fields}
    url = path if path.startswith("http") else f"{home.url}/telephony/{vendor}/{path}"
    async with home.client.post(url, **body) as response:
        assert response.status == 200, await response.text()
        return await response.text()


async def come(home: House, vendor: str) -> tuple[Handset, str]:
    """A call by webhook and stream; return its phone and its id at the vendor."""
    ident = f"{vendor}-1"
    names = ("from", "to") if vendor == "vonage" else ("From", "To")
    numbers = dict(zip(names, ("+32470123456", "+3225550123"), strict=True))
    answer = await tell(home, vendor, "answer", **{CALL_ID[vendor]: ident}, **numbers)
    return await stream(home, vendor, answer), ident


async def stream(home: House, vendor: str, answer: str) -> Handset:
    found = re.search(rf"ws://[^\"<]*(/telephony/{vendor}/tk_\w+)", answer)
    assert found, answer
    handset = await Handset.dial(home, vendor, found[1])
    await until(lambda: bool(home.conversations))
    return handset


async def press_zero(handset: Handset) -> None:
    await handset.hear_ms(40)
    await handset.give(handset.phone.press("0"))
    await asyncio.wait_for(handset.closed.wait(), 5)
    await handset.end()


@pytest.mark.parametrize("vendor", CLOUDS)
async def test_the_human_hears_who_comes_in_their_own_language(vendor: str) -> None:
    async with house(lines=lambda: (STAFF,)) as home:
        handset, ident = await come(home, vendor)
        await press_zero(handset)
        after = await tell(home, vendor, "after", **{CALL_ID[vendor]: ident})
        assert "3225550199" in after
        found = re.search(r"https?://[^\"&<]*whisper\?call=wh_\w+", after)
        assert found, after
        said = await tell(home, vendor, found[0])
        assert "Doorverbonden door de spraakassistent. Taal van de klant: Engels." in said
        assert "De klant heeft op nul gedrukt." in said
        assert "nl-NL" in said
        again = await tell(home, vendor, found[0])
        assert "Engels" not in again, "told once"


@pytest.mark.parametrize("vendor", CLOUDS)
async def test_when_nobody_picks_up_the_caller_is_back_with_words(vendor: str) -> None:
    async with house(lines=lambda: (STAFF,)) as home:
        handset, ident = await come(home, vendor)
        await press_zero(handset)
        await home.quiet()
        await tell(home, vendor, "after", **{CALL_ID[vendor]: ident})
        back = await tell(home, vendor, "dialled", **{CALL_ID[vendor]: ident}, **BUSY[vendor])
        handset = await stream(home, vendor, back)
        await until(lambda: bool(home.conversations[-1].of(Say)))
        assert [say.text for say in home.conversations[-1].of(Say)] == [BACK]
        [record] = home.calls.records
        assert record.transfers == ({"target": "…99", "warm": True, "result": "busy"},)
        await handset.end()


@pytest.mark.parametrize("vendor", CLOUDS)
async def test_a_human_who_talked_ends_the_call(vendor: str) -> None:
    async with house(lines=lambda: (STAFF,)) as home:
        handset, ident = await come(home, vendor)
        await press_zero(handset)
        await home.quiet()
        await tell(home, vendor, "after", **{CALL_ID[vendor]: ident})
        known = {CALL_ID[vendor]: ident}
        if vendor == "vonage":  # steps of the second leg change nothing
            assert await tell(home, vendor, "dialled", **known, status="ringing") == ""
        done = await tell(home, vendor, "dialled", **known, **ANSWERED[vendor])
        assert "tk_" not in done
        [record] = home.calls.records
        assert record.transfers[0]["result"] in ("completed", "answered")


@pytest.mark.parametrize("vendor", CLOUDS)
async def test_back_to_the_queue_is_blind(vendor: str) -> None:
    async with house(lines=lambda: (STAFF,)) as home:
        handset, ident = await come(home, vendor)
        await handset.hear_ms(40)
        url = f"{home.url}/api/calls/{home.calls.live[0].id}/transfer?agent=Tom"
        async with home.client.post(url, json={"blind": True}) as done:
            assert done.status == 200
        await asyncio.wait_for(handset.closed.wait(), 5)
        after = await tell(home, vendor, "after", **{CALL_ID[vendor]: ident})
        assert "3225550100" in after
        assert "whisper" not in after
        await home.quiet()
        [record] = home.calls.records
        assert record.transfers[0]["warm"] is False
        assert [one["did"] for one in record.listeners] == ["returned to queue"]
        await handset.end()


def speaking(**_: str) -> Awaitable[Audio]:
    async def speak() -> Audio:
        return np.full(24_000, 0.25, np.float32)

    return speak()


async def test_the_dialplan_reads_and_plays_what_is_known() -> None:
    async with house(lines=lambda: (STAFF,), speak=speaking) as home:
        url = f"{home.url}/telephony/asterisk"
        handset = await Handset.dial(home, "asterisk", ASTERISK)
        await press_zero(handset)
        await home.quiet()
        async with home.client.get(f"{url}/whisper?call=a1&field=summary") as early:
            assert early.status == 404, "asked before the target"
        async with home.client.get(f"{url}/after?call=a1") as after:
            assert await after.text() == "+3225550199"
        for field, wanted in (("language", "en"), ("reason", "key"), ("nothing", "")):
            async with home.client.get(f"{url}/whisper?call=a1&field={field}") as told:
                assert await told.text() == wanted
        async with home.client.get(f"{url}/whisper?call=a1") as told:
            assert (await told.text()).startswith("Doorverbonden door")
        async with home.client.get(f"{url}/whisper?call=a1&field=sound") as sound:
            with wave.open(io.BytesIO(await sound.read())) as file:
                assert (file.getframerate(), file.getnchannels()) == (8000, 1)
                assert abs(file.getnframes() - 8000) < 100


@pytest.mark.parametrize("failing", [None, EngineError("no voice"), TimeoutError()])
async def test_a_summary_that_cannot_be_spoken_stops_no_transfer(
    failing: Exception | None,
) -> None:
    def broken(**_: str) -> Awaitable[Audio]:
        assert failing is not None
        raise failing

    async with house(lines=lambda: (STAFF,), speak=broken if failing else None) as home:
        handset = await Handset.dial(home, "asterisk", ASTERISK)
        await press_zero(handset)
        url = f"{home.url}/telephony/asterisk"
        async with home.client.get(f"{url}/after?call=a1") as after:
            assert await after.text() == "+3225550199"
        async with home.client.get(f"{url}/whisper?call=a1&field=sound") as sound:
            assert sound.status == 503


async def test_asterisk_brings_a_caller_back_by_both_ways() -> None:
    async with house(lines=lambda: (STAFF,)) as home:
        handset = await Handset.dial(home, "asterisk", "/telephony/asterisk?call=a2&came_back=1")
        await until(lambda: bool(home.conversations and home.conversations[-1].of(Say)))
        assert home.conversations[-1].of(Say)[0].text == BACK
        await handset.end()
        async with home.client.post(
            f"{home.url}/telephony/asterisk/calls", data={"caller": "1", "came_back": "1"}
        ) as told:
            ident = await told.text()
        ticket = home.calls.tickets.look(ident, home.now)
        assert ticket is not None
        assert ticket.came_back


async def test_genesys_gets_variables_and_brings_the_caller_back() -> None:
    async with house(lines=lambda: (STAFF,)) as home:
        handset = await Handset.dial(home, "genesys")
        await handset.hear_ms(200)
        await handset.give(handset.phone.press("0"))
        await asyncio.wait_for(handset.closed.wait(), 5)
        phone: Any = handset.phone
        variables: dict[str, str] = phone.outcome
        assert variables["action"] == "transfer"
        assert variables["target"] == "+3225550199"
        assert variables["summary"].startswith("Doorverbonden door")
        await handset.end()

        def returning(message: Message) -> Message:
            event = orjson.loads(message) if isinstance(message, str) else {}
            if event.get("type") != "open":
                return message
            event["parameters"]["inputVariables"] = {"came_back": "true"}
            return orjson.dumps(event).decode()

        again = await Handset.dial(home, "genesys", edit=returning)
        await until(lambda: bool(home.conversations[-1].of(Say)) and len(home.conversations) == 2)
        assert home.conversations[-1].of(Say)[0].text == BACK
        await again.end()
