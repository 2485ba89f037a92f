"""A whole show in virtual time: chat in, triage, director, voice, pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pytest

from tests.live.crowd import TableUnderstanding, says
from tests.live.stage_play import sheet
from tests.virtual_time import run
from voice_server.live import show_events as ev
from voice_server.live.audience import LINGER_S
from voice_server.live.broadcast import Page
from voice_server.live.chat.envelope import Kind
from voice_server.live.facts import ShopFacts
from voice_server.live.questions import Understood
from voice_server.live.session import ShowSession
from voice_server.live.show import State
from voice_server.live.show_events import AnswerFailed, AnswerReady, PrepareAnswer
from voice_server.shop.shop import Shop
from voice_server.speech.engine import EngineError, Phone, SpeechChunk, Voice


class WordVoice:
    """Speaks 80 ms a letter in two chunks; fails for texts with "FAIL"."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []
        self.patience_s = 0.2
        """What work that nobody waits for takes."""

    def voices(self) -> tuple[Voice, ...]:
        return ()

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        self.said.append((text, urgent))
        if "FAIL" in text:
            raise EngineError("no")
        await asyncio.sleep(0.2 if urgent else self.patience_s)
        letters = [c for c in text.lower() if c in "abdefgiklmnopstuv"] or ["a"]
        half = len(letters) // 2
        at = 0.0
        for part in (letters[:half], letters[half:]):
            if part:
                phones = tuple(Phone(c, at + 80 * i, at + 80 * i + 80) for i, c in enumerate(part))
                at += 80 * len(part)
                yield SpeechChunk(np.zeros(1920 * len(part), np.float32), phones)


class FakeAnswerer:
    async def answer(
        self, order: PrepareAnswer, asked_in: str, languages: Sequence[str]
    ) -> AnswerReady | AnswerFailed:
        await asyncio.sleep(0.3)
        return AnswerReady(
            order.cluster_id, ("Cela fait 49 €.",), order.language, "oslo", frozenset({"price"}),
            (("nl", ("Dat is 49 €.",)),),
        )  # fmt: skip


class Inline(TableUnderstanding):
    """Threads and virtual time do not mix: the session's thread call is made inline."""

    def understand(self, text: str, language: str, on_screen: str) -> Understood:
        return super().understand(text, language, on_screen)


@pytest.fixture(autouse=True)
def inline_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def here(function: Any, *args: Any, **more: Any) -> Any:
        return function(*args, **more)

    monkeypatch.setattr(asyncio, "to_thread", here)


class Watching:
    """A page that reads everything."""

    def __init__(self, session: ShowSession, role: str = "stage") -> None:
        self.session = session
        self.page: Page = session.join(role)
        self.messages: list[dict[str, Any]] = []
        self.audio: list[tuple[float, dict[str, Any], int]] = []
        self.task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        clock = asyncio.get_running_loop().time
        while (frame := await self.page.next()) is not None:
            if isinstance(frame, str):
                self.messages.append({**orjson.loads(frame), "t": clock()})
            else:
                size = int.from_bytes(frame[:4], "little")
                header = orjson.loads(frame[4 : 4 + size])
                self.audio.append((clock(), header, (len(frame) - 4 - size) // 2))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    def leave(self) -> None:
        self.session.pages.leave(self.page)


def make(shop: Shop, *, autostart: bool = False, **show: Any) -> tuple[ShowSession, WordVoice]:
    voice = WordVoice()
    session = ShowSession(
        sheet("oslo", "nemo", **show),
        ShopFacts(shop),
        Inline(),
        FakeAnswerer(),  # type: ignore[arg-type]
        voice,
        autostart=autostart,
    )
    return session, voice


def test_a_show_from_beginning_to_end(shop: Shop) -> None:
    async def story() -> None:
        session, voice = make(shop)
        running = asyncio.ensure_future(session.run())
        stage, host = Watching(session), Watching(session, "host")
        session.do(ev.Begin())
        await asyncio.sleep(20)
        session.chat(says("what is the price of oslo ?", "Ana", platform="watch"))
        session.chat(says("you shit", "Bo"))
        await asyncio.sleep(15)
        session.do(ev.Stop())
        await asyncio.wait_for(running, 60)
        await stage.task

        lines = stage.of("line")
        assert lines[0]["text"].startswith("Bonjour")
        assert lines[0]["captions"]["de"].startswith("Guten Tag")
        answer = next(line for line in lines if line["text"] == "Cela fait 49 €.")
        assert (
            answer["captions"]
            == {"en": "Cela fait 49 €.", "nl": "Dat is 49 €."}
            | {answer["language"]: "Cela fait 49 €."}
            or answer["captions"]["nl"] == "Dat is 49 €."
        )
        ends = {m["id"]: m["t"] for m in stage.of("line_end")}
        for line in lines:
            sound = [(h, n) for _, h, n in stage.audio if h["id"] == line["id"]]
            seconds = sum(n for _, n in sound) / 24_000
            assert ends[line["id"]] - line["t"] == pytest.approx(seconds + 0.4, abs=0.1)
            assert [h["at_ms"] for h, _ in sound] == sorted(h["at_ms"] for h, _ in sound)
            shapes = [v for h, _ in sound for v in h["visemes"]]
            assert all(a[1] < b[1] for a, b in pairwise(shapes))
        # One line is over before the next begins.
        assert all(ends[a["id"]] <= b["t"] for a, b in pairwise(lines))
        assert stage.of("card")[0]["cards"]["fr"]["price"] == "49,90 €"
        assert stage.of("finished")
        assert [m["text"] for m in stage.of("chat")] == ["what is the price of oslo ?"]
        assert not stage.of("queue")
        assert [m["reason"] for m in host.of("chat_hidden")] == ["abuse"]
        assert host.of("queue")
        assert host.of("state")[-1]["counts"]["answered"] == 1
        assert any(not urgent for _, urgent in voice.said)  # prepared ahead
        vtt = session.captions.webvtt("nl")
        assert "Dat is 49 €." in vtt
        assert session.finished()

    run(story())


def test_a_deleted_question_is_silenced_within_two_tenths_of_a_second(shop: Shop) -> None:
    async def story() -> None:
        session, _ = make(shop)
        running = asyncio.ensure_future(session.run())
        stage = Watching(session)
        session.do(ev.Begin())
        await asyncio.sleep(25)
        session.chat(says("what is the price of oslo ?", "Ana", ident="m1"))
        while not any(m["kind"] == "answer" for m in stage.of("line")):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        clock = asyncio.get_running_loop().time
        deleted = clock()
        session.chat(says("", kind=Kind.DELETE, target="m1"))
        await asyncio.sleep(1)
        cancel = stage.of("cancel")
        assert len(cancel) == 1
        assert cancel[0]["t"] - deleted <= 0.2
        assert stage.of("chat_removed")[0]["target"] == "m1"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stage.task

    run(story())


def test_a_show_begins_with_its_first_viewer_and_rests_without(shop: Shop) -> None:
    async def story() -> None:
        session, voice = make(shop, autostart=True, loop=True)
        running = asyncio.ensure_future(session.run())
        await asyncio.sleep(5)
        assert session.state is State.IDLE
        host = Watching(session, "host")
        await asyncio.sleep(5)
        assert not voice.said
        stage = Watching(session)
        await asyncio.sleep(10)
        assert stage.of("line")
        stage.leave()
        assert session._audience is not None
        session._audience._alone_since = -LINGER_S - 1e9  # the wall clock is not the virtual one
        await asyncio.sleep(2)
        assert session._audience._muted
        again = Watching(session, "viewer")
        await asyncio.sleep(8)
        assert again.of("show")
        assert again.of("line")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.gather(host.task, again.task)

    run(story())


def test_an_engine_that_fails_and_a_host_that_acts(shop: Shop) -> None:
    async def story() -> None:
        session, _ = make(shop)
        running = asyncio.ensure_future(session.run())
        stage = Watching(session)
        session.do(ev.Begin())
        await asyncio.sleep(1)
        session.do(ev.Say("FAIL", "fr"))
        session.do(ev.Say("…", "fr"))
        session.do(ev.Mute())
        await asyncio.sleep(2)
        assert stage.of("cancel")
        session.do(ev.Resume())
        await asyncio.sleep(60)
        texts = [m["text"] for m in stage.of("line")]
        assert "FAIL" not in texts
        assert "…" in texts
        session.pin("nothing", True)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stage.task

    run(story())


def test_a_line_whose_preparation_is_late_is_begun_anew(shop: Shop) -> None:
    async def story() -> None:
        session, voice = make(shop)
        voice.patience_s = 60.0
        running = asyncio.ensure_future(session.run())
        stage = Watching(session)
        session.do(ev.Begin())
        await asyncio.sleep(30)
        lines = stage.of("line")
        ends = [m["t"] for m in stage.of("line_end")]
        gaps = [line["t"] - end for end, line in zip(ends, lines[1:], strict=False)]
        assert gaps
        assert max(gaps) < 0.6
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stage.task

    run(story())


def test_where_no_ai_voice_is_allowed_the_host_reads(shop: Shop) -> None:
    async def story() -> None:
        session, voice = make(shop, policy="tiktok_shop_us")
        running = asyncio.ensure_future(session.run())
        stage, host = Watching(session), Watching(session, "host")
        session.on_air.next()  # nothing is shown yet
        session.do(ev.Begin())
        await asyncio.sleep(1)
        first = stage.of("line")[0]
        session.on_air.next()
        await asyncio.sleep(0.1)
        assert stage.of("line_end")[0]["id"] == first["id"]
        await asyncio.sleep(30)
        lines = stage.of("line")
        assert len(lines) > 3
        assert lines[2]["t"] - lines[1]["t"] > 4  # reading pace
        assert host.of("upcoming")
        assert not stage.of("upcoming")
        session.do(ev.Mute())
        await asyncio.sleep(1)
        assert stage.of("cancel")
        assert not stage.audio
        assert not voice.said
        assert host.of("show")[0]["prompter"]
        assert host.of("show")[0]["avatar_share"] == 0.5
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.gather(stage.task, host.task)

    run(story())


def test_five_hundred_messages_a_second_do_not_stop_the_show(shop: Shop) -> None:
    async def story() -> None:
        session, _ = make(shop)
        running = asyncio.ensure_future(session.run())
        stage = Watching(session)
        session.do(ev.Begin())
        for second in range(6):
            for at in range(500):
                session.chat(says(f"is the price of part {at} ok {second}?", f"V{second}-{at}"))
            await asyncio.sleep(1)
        lines = len(stage.of("line"))
        assert lines >= 1
        assert len(session.inbox) <= 400
        assert session.inbox.dropped > 0
        await asyncio.sleep(10)
        assert len(stage.of("line")) > lines
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stage.task

    run(story())
