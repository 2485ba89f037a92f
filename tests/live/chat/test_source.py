from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes.twitch import fake_twitch
from tests.virtual_time import run
from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.chat.source import (
    Deliver,
    SourceLost,
    SourceRefused,
    SourceState,
    keep_reading,
)
from voice_server.live.chat.twitch_source import TwitchSource


class Scripted:
    """Each connection ends as scripted: (seconds it holds, how it ends)."""

    name = "scripted"

    def __init__(self, *script: tuple[float, Exception | None]) -> None:
        self.script = list(script)

    async def read(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        held, end = self.script.pop(0)
        if held:
            opened()
            await asyncio.sleep(held)
        if end is not None:
            raise end


def waits(*script: tuple[float, Exception | None]) -> tuple[list[float], list[SourceState]]:
    slept: list[float] = []
    states: list[SourceState] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def work() -> None:
        await keep_reading(
            Scripted(*script, (0, SourceRefused("no such channel"))),
            lambda event: None,
            on_state=lambda s: states.append(
                SourceState(s.name, s.connected, s.failures, s.reason, s.refused)
            ),
            sleep=sleep,
            fraction=lambda: 0.0,
        )

    run(work())
    return slept, states


def test_the_wait_doubles_up_to_a_minute_and_starts_anew_after_a_good_connection() -> None:
    lost = SourceLost("x")
    slept, states = waits(*[(0, lost)] * 8, (40, lost), (0, lost))
    assert slept == [1, 2, 4, 8, 16, 32, 60, 60, 1, 2]
    assert states[-1].refused
    assert states[-1].reason == "no such channel"


def test_a_source_that_reconnects_every_second_is_slowed_down() -> None:
    slept, _ = waits(*[(1.0, None)] * 5)
    assert slept == [1, 2, 4, 8, 16]


def test_a_platform_may_say_how_long() -> None:
    slept, states = waits((0, SourceLost("quota", wait_s=600)))
    assert slept == [600]
    assert states[0].reason == "quota"


GREETING = "@id=m1;user-id=4;display-name=Ana :ana!a@b PRIVMSG #marolle :Bonjour"


async def read_two(websocket: bool) -> tuple[list[ChatEvent], int, list[str]]:
    async with fake_twitch(GREETING, websocket=websocket) as fake:
        events: list[ChatEvent] = []
        states: list[bool] = []
        enough = asyncio.Event()

        def deliver(event: ChatEvent) -> None:
            events.append(event)
            if len(events) == 3:
                enough.set()

        async def no_wait(seconds: float) -> None:
            await asyncio.sleep(0)

        reading = asyncio.ensure_future(
            keep_reading(
                TwitchSource("marolle", url=fake.url),
                deliver,
                on_state=lambda state: states.append(state.connected),
                sleep=no_wait,
            )
        )
        while not events:  # noqa: ASYNC110 - the fake writes its greeting after the JOIN
            await asyncio.sleep(0.005)
        await fake.say("PING :tmi.twitch.tv")
        await fake.say("@target-msg-id=m1 :tmi.twitch.tv CLEARMSG #marolle :x")
        while "PONG :tmi.twitch.tv" not in fake.received or len(events) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await fake.say(":tmi.twitch.tv RECONNECT")
        await asyncio.wait_for(enough.wait(), 5)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert True in states
        assert False in states
        return events, fake.connections, fake.received


async def test_twitch_over_a_websocket() -> None:
    events, connections, received = await read_two(websocket=True)
    assert [event.id for event in events][::2] == ["m1", "m1"]
    assert connections == 2
    assert received.count("JOIN #marolle") == 2


async def test_twitch_over_tcp() -> None:
    events, connections, received = await read_two(websocket=False)
    assert events[1].target == "m1"
    assert connections == 2
    assert "PONG :tmi.twitch.tv" in received


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ws://127.0.0.1:9", SourceLost),
        ("irc://127.0.0.1:9", SourceLost),
        ("ws://", SourceRefused),
    ],
)
async def test_nobody_there_is_lost_and_a_bad_address_refused(
    url: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await TwitchSource("a", url=url).read(lambda event: None, lambda: None)
