"""Keeps promises to call back: takes each slot once, calls, and settles what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from voice_server.call_records import CallBack, CallBacks
from voice_server.records import StorageError
from voice_server.telephony.dial_rules import Code, NotDialled
from voice_server.telephony.outgoing import REACHED, Outgoing, Wish

log = logging.getLogger(__name__)

POLL_S = 15.0
"""Slots are half hours: a call-back comes at most so long after its own."""

AT_ONCE = 4
"""Call-backs under way at the same time, so that callers find a free line."""

SLOTS = 4
"""Calls for one promise: people miss one or two, after four they do not want it."""

AGAIN = timedelta(minutes=30)
"""After a busy line or no answer: the next slot of the desk."""

LATE = timedelta(minutes=30)
"""A slot is over after so long. A promise of then is kept all the same, if late and in opening
hours: nobody rings at night because a server was down at noon."""

LEASE_S = 900.0
"""A slot that was taken and not settled by then belongs to a process that has died."""

TALK_S = 600.0
"""A call that still goes on after so long was a talk: settled, well before the lease ends."""

FOR_GOOD: frozenset[Code] = frozenset(
    {"no_number", "premium", "not_allowed", "opted_out", "no_line", "no_outbound", "too_often"}
)
"""Refusals that waiting does not change."""

Place = Callable[[Wish], Awaitable[Outgoing]]


class CallBackKeeper:
    """One for a server. :meth:`run` in a task; several servers may share a database."""

    def __init__(
        self,
        store: CallBacks,
        place: Place,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``place``: :meth:`voice_server.telephony.dialler.Dialler.place`."""
        self._store = store
        self._place = place
        self._wall = wall
        self._under_way = 0

    async def run(self) -> None:
        """Keep promises until cancelled; a slot that is cut short counts as tried."""
        async with asyncio.TaskGroup() as tries:
            while True:
                await self.step(tries)
                await asyncio.sleep(POLL_S)

    async def step(self, tries: asyncio.TaskGroup) -> int:
        """Take what is due and begin its calls in ``tries``; return how many."""
        try:
            room = AT_ONCE - self._under_way
            due = await self._store.take_due(self._wall(), LEASE_S, room) if room > 0 else []
        except StorageError as error:
            log.error("call-backs wait: %s", error)
            return 0
        for call_back in due:
            self._under_way += 1
            tries.create_task(self._guarded(call_back))
        return len(due)

    async def _guarded(self, call_back: CallBack) -> None:
        try:
            await self._try(call_back)
        except StorageError as error:  # the lease brings it back
            log.error("what came of call-back %s could not be noted: %s", call_back.id, error)
        except Exception:  # one call must not end the others
            log.exception("call-back %s failed", call_back.id)
        finally:
            self._under_way -= 1

    async def _try(self, call_back: CallBack) -> None:
        if call_back.outcome == "lost":
            await self._later(call_back, "the server stopped during the call", None)
            return
        if self._wall() - call_back.due > LATE and call_back.attempts == 1:
            log.warning("call-back %s comes late: nobody was there to place it", call_back.id)
        wish = Wish(
            call_back.number, call_back.line, call_back.shop_id, call_back.topic,
            call_back.language, "call_back", by="call-back", session=call_back.session_id,
        )  # fmt: skip
        try:
            outgoing = await self._place(wish)
        except NotDialled as refused:
            if refused.code in FOR_GOOD:
                await self._give_up(call_back, str(refused))
            else:
                await self._later(call_back, str(refused), refused.again_at)
            return
        try:
            async with asyncio.timeout(TALK_S):
                await outgoing.over.wait()
        except TimeoutError:
            await self._store.settle(call_back.id, "done", "talked")
            return
        except asyncio.CancelledError:  # the server stops, and lets calls that go on end
            if outgoing.with_somebody:
                await self._store.settle(call_back.id, "done", "talked")
            raise
        if outgoing.outcome in REACHED or outgoing.outcome == "message":
            await self._store.settle(call_back.id, "done", outgoing.outcome)
            log.info("call-back %s is done: %s", call_back.id, outgoing.outcome)
        else:
            await self._later(call_back, outgoing.outcome or "failed", None)

    async def _later(self, call_back: CallBack, why: str, at: datetime | None) -> None:
        """Try again in another slot, never in this one."""
        if call_back.attempts >= SLOTS:
            await self._give_up(call_back, why)
            return
        now = self._wall()
        due = max(at, now + timedelta(seconds=POLL_S)) if at is not None else now + AGAIN
        await self._store.settle(call_back.id, "waiting", why, due)
        log.info("call-back %s: %s; again at %s", call_back.id, why, due.isoformat("T", "minutes"))

    async def _give_up(self, call_back: CallBack, why: str) -> None:
        await self._store.settle(call_back.id, "failed", why)
        log.error(
            "ALARM: call-back %s was not kept (%s): the customer waits, see the desk's case",
            call_back.id, why,
        )  # fmt: skip
