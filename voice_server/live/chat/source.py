"""A chat source, and what keeps it connected."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from voice_server.live.chat.envelope import ChatEvent

log = logging.getLogger(__name__)

Deliver = Callable[[ChatEvent], None]
"""Takes one event, at once and without fail: the inbox behind it is bounded."""

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
"""Reconnecting waits 1, 2, 4 ... 60 s, each shortened by up to half at random: a platform that
restarts must not be met by all its readers in the same second."""
STEADY_S = 30.0
"""A connection that held for so long was good: the next wait starts anew."""


class SourceLost(Exception):
    """The connection ended; the message says why, for the operator.

    ``wait_s`` is how long the platform asks us to stay away, None if it does not say.
    """

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.wait_s = wait_s


class SourceRefused(Exception):
    """The platform will not have us (wrong token, no such channel): trying again is in vain."""


class ChatSource(Protocol):
    """Reads one channel of one platform."""

    name: str
    """For the host's console: "twitch:marolle"."""

    async def read(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        """Connect, call ``opened``, deliver events until the connection ends.

        Raises SourceLost or SourceRefused; cancelling closes the connection.
        """


@dataclass(slots=True)
class SourceState:
    """How a source is doing, for the console."""

    name: str
    connected: bool = False
    failures: int = 0
    """Since it last held for STEADY_S."""
    reason: str = ""
    refused: bool = False


async def keep_reading(
    source: ChatSource,
    deliver: Deliver,
    *,
    on_state: Callable[[SourceState], None] = lambda state: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now: Callable[[], float] | None = None,
    fraction: Callable[[], float] = random.random,
) -> None:
    """Read a source for ever, reconnecting with back-off; returns only when it refuses us."""
    clock = now or asyncio.get_running_loop().time
    state = SourceState(source.name)

    def opened() -> None:
        state.connected, state.reason = True, ""
        on_state(state)

    while True:
        began = clock()
        wait: float | None = None
        try:
            await source.read(deliver, opened)
            reason = "the connection was closed"
        except SourceLost as lost:
            reason, wait = str(lost), lost.wait_s
        except SourceRefused as refused:
            state.connected, state.refused, state.reason = False, True, str(refused)
            on_state(state)
            log.warning("chat source %s refuses us: %s", source.name, refused)
            return
        held = state.connected and clock() - began >= STEADY_S
        state.failures = 1 if held else state.failures + 1
        state.connected, state.reason = False, reason
        on_state(state)
        if wait is None:
            longest = min(FIRST_WAIT_S * 2 ** min(state.failures - 1, 10), LONGEST_WAIT_S)
            wait = longest * (1 - fraction() / 2)
        log.info("chat source %s: %s; again in %.1f s", source.name, reason, wait)
        await sleep(wait)
