"""Reads the inbox: batches to the triage in a thread, as soon as there is something.

A message waits GATHER_S for others that come with it (vectors of a batch cost half each), then for
the batch before it.  What cannot be read in time is dropped by the inbox, and the host sees it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from voice_server.live import alarms
from voice_server.live.alarms import Alarms
from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.chat.inbox import Inbox
from voice_server.live.outcomes import Outcome
from voice_server.live.triage import Triage

GATHER_S = 0.02
BATCH = 40
"""Some fifty milliseconds of work: the director waits for no longer."""
EXPIRE_EVERY_S = 1.0
CALM_S = 10.0
"""So long nothing must be dropped before the alarm of too much chat goes."""
CHAT = "chat"
"""What that alarm is about."""

Tell = Callable[[Sequence[ChatEvent], Sequence[Outcome]], None]


class ChatReader:
    """Everything that is written to one show passes here."""

    def __init__(self, triage: Triage, lock: asyncio.Lock, alarms: Alarms, *, tell: Tell) -> None:
        """``lock`` is held while the triage works; ``tell`` takes a batch and what became of it."""
        self.inbox = Inbox()
        self._triage = triage
        self._lock = lock
        self._alarms = alarms
        self._tell = tell
        self._came = asyncio.Event()
        self._dropped, self._dropped_at = 0, 0.0

    def offer(self, event: ChatEvent) -> None:
        """Take an event of any source."""
        if self.inbox.offer(event):
            self._came.set()

    async def run(self, on_screen: Callable[[], str]) -> None:
        """Read for ever; ``on_screen`` is the product that questions without a name are about."""
        clock = asyncio.get_running_loop().time
        expire_at = clock() + EXPIRE_EVERY_S
        while True:
            if not len(self.inbox):
                await self._wait(expire_at)
            self._came.clear()
            events = self.inbox.take(BATCH)
            outcomes: list[Outcome] = []
            async with self._lock:
                if events:
                    outcomes = await asyncio.to_thread(
                        self._triage.receive, events, clock(), on_screen=on_screen()
                    )
                if clock() >= expire_at:
                    expire_at = clock() + EXPIRE_EVERY_S
                    outcomes += self._triage.tick(clock())
            if events or outcomes:
                self._tell(events, outcomes)
            self._watch_load(clock())
            await asyncio.sleep(0)  # the director, in a chat that never pauses

    async def _wait(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._came.wait()
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_S)

    def _watch_load(self, now: float) -> None:
        if self.inbox.dropped > self._dropped:
            self._dropped, self._dropped_at = self.inbox.dropped, now
            words = "more is written than can be read: the oldest messages go unread"
            self._alarms.sound(alarms.LOAD, CHAT, words, now=time.time())
        elif now - self._dropped_at > CALM_S:
            self._alarms.clear(alarms.LOAD, CHAT)
