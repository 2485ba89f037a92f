"""The console's seat: who may, what is bounded, and what a person leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest

from tests.telephony.booth import LINE
from tests.telephony.house import Handset, House, house, until
from voice_server.conversation import notices as n
from voice_server.conversation.orders import Configure, Say
from voice_server.dialogue.dialogue import Clause
from voice_server.records import CallDetail, CallFilter, Event
from voice_server.speech.engine import Transcript
from voice_server.telephony.line import Line
from voice_server.telephony.monitor import LINES_MOST, Monitor, Side
from voice_server.telephony.phrases import PHRASES, PhonePhrase
from voice_server.telephony.seat import LINES_WAITING, SOUNDS_WAITING, Seat

SHOP = replace(LINE, shop="marolle", staff_language="fr")
FRAME = b"\x10\x10" * 480


class Books:
    """A store in memory."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.details: list[CallDetail] = []

    def append(self, event: Event) -> None:
        self.kept.append(event)

    async def events(self, **_: Any) -> list[tuple[int, Event]]:
        return list(enumerate(self.kept))

    def note_call(self, detail: CallDetail) -> None:
        self.details.append(detail)

    async def calls(self, wanted: CallFilter) -> list[tuple[int, CallDetail]]:
        return list(enumerate(self.details))


class Page:
    """A page on a real socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.got: list[dict[str, Any]] = []
        self.sound: list[bytes] = []
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.got.append(orjson.loads(message.data))
            else:
                self.sound.append(message.data)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.got if message["type"] == kind]

    async def say(self, kind: str, **more: Any) -> None:
        await self.socket.send_str(orjson.dumps({"type": kind, **more}).decode())

    async def refusal(self) -> str:
        before = len(self.of("refused"))
        await until(lambda: len(self.of("refused")) > before)
        return str(self.of("refused")[-1]["code"])


@asynccontextmanager
async def page(home: House, agent: str = "Lea", **headers: str) -> AsyncIterator[Page]:
    url = f"{home.url}/api/calls/live?agent={agent}"
    given = {f"X-{name}": value for name, value in headers.items()}
    async with home.client.ws_connect(url, headers=given) as socket:
        opened = Page(socket)
        await until(lambda: bool(opened.of("ready")))
        yield opened


@asynccontextmanager
async def watched(
    line: Line = SHOP, books: Books | None = None
) -> AsyncIterator[tuple[House, Page, Handset]]:
    """A call in which the greeting is over, watched by one page."""
    books = books or Books()
    async with house(lines=lambda: (line,), books=lambda: books) as home:
        handset = await Handset.dial(home, "twilio")
        await until(lambda: len(home.conversations) == 1)
        session = home.calls.live[0]
        await until(lambda: len(home.conversations[0].of(Say)) == 2)
        await until(lambda: not session.flow._saying)
        async with page(home) as opened:
            await opened.say("watch", call=session.id)
            await until(lambda: bool(opened.of("talk")))
            yield home, opened, handset
        await handset.end()


# ---------------------------------------------------------------------- who may


@pytest.mark.parametrize("path", ["", "/records", "/records.csv", "/live"])
async def test_customers_pages_see_no_calls(path: str) -> None:
    async with house() as home:
        url = f"{home.url}/api/calls{path}"
        async with home.client.get(url, headers={"X-Kind": "ephemeral"}) as refused:
            assert refused.status == 403


async def test_a_shops_key_sees_and_touches_its_own_calls_only() -> None:
    async with watched() as (home, _, _):
        ident = home.calls.live[0].id
        other = {"X-Shop": "fleurs"}
        async with home.client.get(f"{home.url}/api/calls", headers=other) as shown:
            assert (await shown.json())["live"] == []
        for action in ("hang-up", "transfer"):
            url = f"{home.url}/api/calls/{ident}/{action}"
            async with home.client.post(url, headers=other) as refused:
                assert refused.status == 404
        async with page(home, Shop="fleurs") as stranger:
            assert stranger.of("ready")[0]["calls"] == []
            await stranger.say("watch", call=ident)
            assert await stranger.refusal() == "no_call"
            await stranger.say("take")
            assert await stranger.refusal() == "no_call"
        async with page(home, Shop="marolle") as own:
            assert [call["id"] for call in own.of("ready")[0]["calls"]] == [ident]
        url = f"{home.url}/api/calls/records?shop=marolle"
        async with home.client.get(url, headers=other) as refused:
            assert refused.status == 403


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "handed_off=maybe", "since=yesterday", "until=31-12"]
)
async def test_odd_filters_are_refused_in_words(query: str) -> None:
    async with (
        house(books=Books) as home,
        home.client.get(f"{home.url}/api/calls/records?{query}") as refused,
    ):
        assert refused.status == 400


async def test_without_a_store_records_say_so() -> None:
    async with house() as home, home.client.get(f"{home.url}/api/calls/records") as refused:
        assert refused.status == 503


# -------------------------------------------------------------------- listening


async def test_a_line_may_forbid_listening() -> None:
    books = Books()
    async with watched(replace(SHOP, listening="off"), books) as (home, one, _):
        await one.say("listen")
        assert await one.refusal() == "listening_off"
        assert home.calls.live[0].people.listeners == []
        assert [event.kind for event in books.kept] == ["call.listening_refused"]


async def test_nobody_hears_a_call_before_its_caller_was_told() -> None:
    books = Books()
    async with watched(books=books) as (home, one, handset):
        session = home.calls.live[0]
        await one.say("listen")
        told = PHRASES[PhonePhrase.LISTENED]["en"]
        await until(lambda: told in [say.text for say in home.conversations[0].of(Say)])
        await handset.give(handset.phone.speak(b"\xff" * 160))
        assert one.sound == []
        await until(lambda: bool(one.of("open")))
        await handset.give(handset.phone.speak(b"\x20" * 160))
        await until(lambda: bool(one.sound))
        assert one.sound[0][0] == Side.CALLER
        await one.say("listen", on=False)
        await until(lambda: not session.people.listeners)
        [began, ended] = [event for event in books.kept if event.kind == "call.listened"]
        assert (began.payload["agent"], began.shop_id) == ("Lea", "marolle")
        assert ended.payload["seconds"] >= 0
        async with page(home, "Tom") as two:  # told once is enough
            await two.say("watch", call=session.id)
            await two.say("listen")
            await until(lambda: bool(two.of("open")))
        assert [s.text for s in home.conversations[0].of(Say)].count(told) == 1


async def test_a_silent_line_says_nothing() -> None:
    async with watched(replace(SHOP, listening="silent")) as (home, one, _):
        before = len(home.conversations[0].of(Say))
        await one.say("listen")
        await until(lambda: bool(one.of("open")))
        assert len(home.conversations[0].of(Say)) == before


# -------------------------------------------------------------------- take over


async def test_one_person_speaks_and_the_assistant_is_silent() -> None:
    async with watched() as (home, one, handset):
        session = home.calls.live[0]
        await one.socket.send_bytes(FRAME)  # nobody's microphone is heard uninvited
        await one.say("take")
        await until(lambda: session.flow.stage.value == "human")
        configured = home.conversations[0].of(Configure)[-1]
        assert not configured.reply_enabled
        async with page(home, "Tom") as two:
            await two.say("watch", call=session.id)
            await two.say("take")
            assert await two.refusal() == "taken"
            await two.say("give")
            assert await two.refusal() == "not_yours"
        await until(lambda: not session.flow._saying)
        handset.phone.play(2000)
        await one.socket.send_bytes(FRAME)
        await until(lambda: handset.phone.waiting_ms >= 20)
        await one.say("give")
        await until(lambda: session.flow.stage.value == "talking")
        returned = PHRASES[PhonePhrase.RETURNED]["en"]
        await until(lambda: home.conversations[0].of(Say)[-1].text == returned)
        assert not home.conversations[0].of(Say)[-1].interruptible, "it discloses the AI"
        assert home.conversations[0].of(Configure)[-1].reply_enabled


async def test_a_page_that_goes_away_gives_the_call_back() -> None:
    async with watched() as (home, one, _):
        session = home.calls.live[0]
        await one.say("take")
        await until(lambda: session.flow.stage.value == "human")
        await one.socket.close()
        await until(lambda: session.flow.stage.value == "talking")
        assert [entry["did"] for entry in session.people.log] == ["took over"]


@pytest.mark.parametrize(
    "message", ["{", "[]", '{"type": 7}', '{"type": "reboot"}', '{"type":"note","text":{"a":1}}']
)
async def test_odd_messages_change_nothing(message: str) -> None:
    async with watched() as (home, one, _):
        await one.socket.send_str(message)
        await one.socket.send_bytes(b"\x01")
        await one.socket.send_bytes(b"")
        await one.say("note", text="still here")
        await until(lambda: any("still here" in m["line"]["text"] for m in one.of("line")))
        assert home.calls.live[0].flow.stage.value == "talking"


async def test_only_who_speaks_with_the_caller_reads_personal_data() -> None:
    async with watched() as (home, one, _):
        session = home.calls.live[0]
        words = Transcript("ann@example.com", "en", 0.9, -0.2, 0.0, 900)
        session.people.monitor.notice(n.TranscriptFinal("i9", words), "en")
        await until(lambda: bool(one.of("line")))
        assert "ann@" not in str(one.got)
        await one.say("take")
        await until(lambda: "ann@example.com" in str(one.of("talk")[-1]))


# ------------------------------------------------------------------ slow readers


async def test_a_page_that_does_not_read_costs_a_bounded_memory() -> None:
    async with watched() as (home, _, _):
        session = home.calls.live[0]
        seat = Seat(home.calls, "", "Slow")
        seat.open()
        await seat.next()
        seat.receive({"type": "watch", "call": session.id})
        for count in range(LINES_WAITING * 3):
            session.people.monitor.note(f"x{count}", str(count))
            seat.sound(session.id, Side.CALLER, FRAME)
            seat.changed(session.id)
        assert len(seat._messages) <= LINES_WAITING + 2
        sent = await seat.next()
        texts = [orjson.loads(one) for one in sent if isinstance(one, str)]
        assert [one["type"] for one in texts].count("call") == 1, "changes are gathered"
        whole = [one for one in texts if one["type"] == "talk"][-1]
        assert whole["lines"][-1]["text"] == str(LINES_WAITING * 3 - 1)
        sounds = [one for one in sent if isinstance(one, bytes)]
        assert len(sounds) == SOUNDS_WAITING
        assert seat.lost_sounds == LINES_WAITING * 3 - SOUNDS_WAITING
        seat.close()
        seat.close()
        assert seat not in home.calls.watchers


def test_a_long_call_keeps_its_last_lines_and_unsays_what_was_not_heard() -> None:
    monitor = Monitor("c", lambda ident: None)
    for count in range(LINES_MOST + 5):
        monitor.note(f"n{count}", "x")
    assert len(monitor.lines) == LINES_MOST
    monitor.notice(n.ClauseText("r1", 0, Clause("Hello there.", "en")), "en")
    assert not monitor.lines["r1"].final
    monitor.notice(n.ReplyDone("r1", "cancelled", "turn_detected", ""), "en")
    assert "r1" not in monitor.lines
    monitor.notice(n.TranscriptDelta("i1", "what does"), "en")
    monitor.notice(n.TranscriptDelta("i1", " it cost"), "en")
    assert monitor.lines["i1"].text == "what does it cost"
    monitor.notice(n.TranscriptFinal("i1", Transcript("", "en", 0.9, 0, 0, 0)), "en")
    assert "i1" not in monitor.lines
