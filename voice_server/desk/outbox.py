"""Delivers packets to the desk: every packet once, whatever the network and the machine do.

A packet is written to disk first, then tried; a failed try is repeated with growing, jittered
pauses; after the last one the packet is *dead*: an alarm is logged, and an operator can revive
it.  "Once" has two halves: the outbox never forgets a packet and never has two tries of it on the
way, and every desk recognises a packet that it took in an earlier try (``again=True``).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from voice_server.desk.outbox_store import Entry, OutboxStore
from voice_server.desk.packet import Desk, DeskError, DeskRefused, HandOffPacket, Ticket

log = logging.getLogger(__name__)

T = TypeVar("T")

InThread = Callable[..., Awaitable[Any]]
"""Runs a blocking function: ``asyncio.to_thread``, or at once in tests."""


@dataclass(frozen=True, slots=True)
class OutboxOptions:
    """How patient the outbox is. Times in seconds."""

    attempt_s: float = 15.0
    """One try, all its requests together; then it counts as failed with unknown outcome."""
    lease_s: float = 60.0
    """After a crash a packet is tried again so long after its last try began; > attempt_s."""
    first_pause_s: float = 1.0
    longest_pause_s: float = 300.0
    """Pauses double from first to longest, each shortened at random by up to half."""
    attempts: int = 60
    """About four hours: longer than any vendor's usual outage, shorter than a working day."""
    at_once: int = 4
    """Tries at the same time: below every vendor's rate limit."""
    keep_s: float = 30 * 86_400.0
    """References of delivered packets are kept so long (their content goes at once)."""


class Outbox:
    """The way to one desk. :meth:`run` in a task; :meth:`send` from anywhere in the loop."""

    def __init__(
        self,
        store: OutboxStore,
        desk: Desk,
        *,
        options: OutboxOptions = OutboxOptions(),
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        in_thread: InThread = asyncio.to_thread,
        alarm: Callable[[str, str], None] = lambda packet_id, error: None,
    ) -> None:
        """``clock``: seconds since the epoch; ``chance``: [0, 1); ``alarm`` hears of the dead."""
        self._store = store
        self._desk = desk
        self._options = options
        self._clock = clock
        self._chance = chance
        self._in_thread = in_thread
        self._alarm = alarm
        self.on_delivered: Callable[[HandOffPacket, Ticket], None] = lambda packet, ticket: None
        """Hears of every packet that the desk took, in the loop."""
        self._wake = asyncio.Event()
        self._waiting: dict[str, list[asyncio.Future[Ticket]]] = {}
        self._on_the_way = 0

    async def send(self, packet: HandOffPacket, *, wait_s: float) -> Ticket | None:
        """Keep the packet and wait at most ``wait_s`` for the desk's word.

        None: the desk has not confirmed yet and the outbox goes on trying.  Sending a packet
        again is harmless.  Cancelling stops the waiting only.  Raises OSError or sqlite3.Error
        if the packet cannot even be kept: nothing will happen then, and the customer must know.
        """
        answer: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(packet.id, []).append(answer)
        try:
            fresh = await self._in_thread(self._store.put, packet, self._clock())
            if not fresh:
                known: Entry | None = await self._in_thread(self._store.get, packet.id)
                if known is not None and known.ticket is not None:
                    return known.ticket
            self._wake.set()
            async with asyncio.timeout(wait_s):
                return await answer
        except TimeoutError:
            return None
        finally:
            waiting = self._waiting[packet.id]
            waiting.remove(answer)
            if not waiting:
                del self._waiting[packet.id]

    async def run(self) -> None:
        """Try what is due until cancelled; a cancelled try is repeated after its lease."""
        async with asyncio.TaskGroup() as tries:
            while True:
                self._wake.clear()
                for packet, attempt in await self._claim():
                    self._on_the_way += 1
                    tries.create_task(self._guarded(packet, attempt))
                await self._pause()

    async def _claim(self) -> list[tuple[HandOffPacket, int]]:
        """Take due packets off the file, as many as may be tried now."""
        room = self._options.at_once - self._on_the_way
        if room <= 0:
            return []
        now, lease_s = self._clock(), self._options.lease_s
        due: list[str] = await self._in_thread(self._store.due, now, room)
        begun = [await self._in_thread(self._store.begin, one, now, lease_s) for one in due]
        return [one for one in begun if one is not None]

    async def tidy(self) -> None:
        """Forget the references of long ago."""
        await self._in_thread(self._store.purge, self._clock() - self._options.keep_s)

    async def promises(self, after: float) -> dict[str, float]:
        """Return promised call-backs after a time, packet to seconds since the epoch."""
        found: dict[str, float] = await self._in_thread(self._store.promises, after)
        return found

    async def promise(self, packet_id: str, at: float) -> None:
        """Remember a promised call-back."""
        await self._in_thread(self._store.promise, packet_id, at)

    async def break_promise(self, packet_id: str) -> None:
        """Forget a promise that was never told."""
        await self._in_thread(self._store.break_promise, packet_id)

    def close(self) -> None:
        """Close the file, when :meth:`run` is over."""
        self._store.close()

    async def revive(self, packet_id: str) -> bool:
        """Try a dead packet again; False if there is none of that id."""
        revived: bool = await self._in_thread(self._store.revive, packet_id, self._clock())
        self._wake.set()
        return revived

    async def _pause(self) -> None:
        """Wait for the next due time or a wake-up, whichever comes first."""
        due: float | None = await self._in_thread(self._store.next_due)
        full = self._on_the_way >= self._options.at_once  # the end of a try wakes us
        wait = None if due is None or full else max(0.0, due - self._clock())
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _guarded(self, packet: HandOffPacket, attempt: int) -> None:
        try:
            await self._try(packet, attempt)
        except Exception:  # the file failed: the lease brings the packet back
            log.exception("the outbox could not note what became of hand-off %s", packet.id)
        finally:
            self._on_the_way -= 1
            self._wake.set()

    async def _try(self, packet: HandOffPacket, attempt: int) -> None:
        try:
            async with asyncio.timeout(self._options.attempt_s):
                ticket = await self._desk.deliver(packet, again=attempt > 1)
        except DeskRefused as error:
            await self._dead(packet.id, str(error))
        except (DeskError, TimeoutError) as error:
            await self._failed(packet.id, attempt, error)
        except Exception as error:  # a bug in a desk must not lose a case
            log.exception("the desk %s failed", self._desk.name)
            await self._failed(packet.id, attempt, error)
        else:
            await self._in_thread(self._store.delivered, packet.id, ticket)
            self.on_delivered(packet, ticket)
            for answer in self._waiting.get(packet.id, ()):
                if not answer.done():
                    answer.set_result(ticket)

    async def _failed(self, packet_id: str, attempt: int, error: Exception) -> None:
        words = str(error) or type(error).__name__
        if attempt >= self._options.attempts:
            await self._dead(packet_id, words)
            return
        pause = self.pause_s(attempt)
        if isinstance(error, DeskError):
            pause = max(pause, error.retry_after_s)
        log.warning(
            "hand-off %s did not reach %s (try %d, again in %.0f s): %s",
            packet_id, self._desk.name, attempt, pause, words,
        )  # fmt: skip
        await self._in_thread(self._store.failed, packet_id, words, self._clock() + pause)

    async def _dead(self, packet_id: str, words: str) -> None:
        await self._in_thread(self._store.died, packet_id, words)
        log.critical(
            "ALARM: hand-off %s was not delivered to %s and waits for an operator: %s",
            packet_id, self._desk.name, words,
        )  # fmt: skip
        self._alarm(packet_id, words)

    def pause_s(self, attempt: int) -> float:
        """Return the pause after a failed try, counted from 1, in seconds."""
        options = self._options
        doubled: float = options.first_pause_s * 2 ** min(attempt - 1, 30)
        return min(options.longest_pause_s, doubled) * (1 - self._chance() / 2)
