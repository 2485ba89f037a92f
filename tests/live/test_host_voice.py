"""The host's microphone: who has it, what reaches the pages, and what happens when it is lost."""

from __future__ import annotations

import orjson

from voice_server.live import show_events as ev
from voice_server.live.alarms import Alarms
from voice_server.live.broadcast import LIVE_WAITING, Broadcast
from voice_server.live.host_voice import GIVE_BACK_S, MOST_BYTES, SILENT_S, HostVoice

FRAME = bytes(960)


class Desk:
    """A microphone, its pages and its director."""

    def __init__(self) -> None:
        self.pages = Broadcast()
        self.done: list[ev.Input] = []
        self.alarms = Alarms()
        self.voice = HostVoice(self.pages, self.done.append, self.alarms)
        self.stage = self.pages.join("stage")
        self.host = self.pages.join("host")

    async def heard(self) -> list[dict[str, object]]:
        """Return the headers of the speech that waits for the stage."""
        found = []
        while self.stage.waiting:
            frame = await self.stage.next()
            if isinstance(frame, bytes):
                size = int.from_bytes(frame[:4], "little")
                found.append(orjson.loads(frame[4 : 4 + size]))
        return found


async def test_the_host_speaks_and_gives_back() -> None:
    desk = Desk()
    assert desk.voice.start("console", 0.0)
    for _ in range(3):
        desk.voice.audio("console", FRAME, 0.02)
    headers = await desk.heard()
    assert [header["at_ms"] for header in headers] == [0, 20, 40]
    assert all(header["host"] and header["id"] == "host-1" for header in headers)
    desk.voice.stop("console")
    assert desk.done == [ev.TakeOver(), ev.Resume()]
    assert not desk.voice.open
    desk.voice.audio("console", FRAME, 1.0)
    assert await desk.heard() == []
    desk.voice.start("console", 2.0)
    desk.voice.audio("console", FRAME, 2.0)
    assert [header["id"] for header in await desk.heard()] == ["host-2"]


async def test_one_microphone_at_a_time_and_only_sound() -> None:
    desk = Desk()
    assert desk.voice.start("first", 0.0)
    assert desk.voice.start("first", 0.1)
    assert not desk.voice.start("second", 0.1)
    assert not desk.voice.reclaim("second", 0.1)
    for pcm in (b"", b"abc", bytes(MOST_BYTES + 2)):
        desk.voice.audio("first", pcm, 0.2)
    desk.voice.audio("second", FRAME, 0.2)
    desk.voice.stop("second")
    desk.voice.lost("second", unix_now=1.0)
    assert desk.voice.open
    assert await desk.heard() == []
    assert desk.done == [ev.TakeOver()]


async def test_a_silent_microphone_is_said_and_then_the_avatar_goes_on() -> None:
    desk = Desk()
    desk.voice.tick(5.0, unix_now=1.0)
    desk.voice.start("console", 0.0)
    desk.voice.tick(1.0, unix_now=1.0)
    assert not desk.alarms.standing
    desk.voice.tick(SILENT_S, unix_now=2.0)
    assert [alarm.kind for alarm in desk.alarms.standing] == ["microphone"]
    desk.voice.audio("console", FRAME, SILENT_S + 0.1)
    assert not desk.alarms.standing
    desk.voice.tick(SILENT_S + 0.1 + GIVE_BACK_S, unix_now=9.0)
    assert desk.done == [ev.TakeOver(), ev.Resume()]
    assert not desk.alarms.standing


async def test_a_console_that_comes_back_goes_on_speaking() -> None:
    desk = Desk()
    desk.voice.start("console", 0.0)
    desk.voice.lost("console", unix_now=1.0)
    assert [alarm.kind for alarm in desk.alarms.standing] == ["microphone"]
    assert desk.voice.reclaim("console again", 3.0)
    desk.voice.audio("console again", FRAME, 3.0)
    assert len(await desk.heard()) == 1
    assert desk.done == [ev.TakeOver()]


async def test_a_page_that_is_behind_misses_some_of_it() -> None:
    desk = Desk()
    desk.voice.start("console", 0.0)
    for _ in range(4 * LIVE_WAITING):
        desk.voice.audio("console", FRAME, 0.1)
    assert len(await desk.heard()) <= LIVE_WAITING
    assert desk.host.waiting == 1  # that the microphone is open; no sound
