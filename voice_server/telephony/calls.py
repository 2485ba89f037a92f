"""All calls of this process: admission, who is who, what comes after, and what has been."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from voice_server.records import CallDetail
from voice_server.telephony.monitor import Watcher
from voice_server.telephony.once import OnceStore
from voice_server.telephony.ports import CallBooks, Meter

if TYPE_CHECKING:
    from voice_server.telephony.call import Started, Transfer
    from voice_server.telephony.flow import CallFlow
    from voice_server.telephony.outgoing import Outgoing
    from voice_server.telephony.session import CallSession

log = logging.getLogger(__name__)

TICKET_S = 60.0
"""From the vendor's webhook to its stream: Twilio gives a stream ten seconds."""

LATE_TICKET_S = 180.0
"""A telephone rings for a minute at most, and its vendor takes time before and after."""

OUTCOME_S = 300.0
"""From the end of our stream to the vendor's question what comes next."""

RECORDS = 1000
"""Call detail records kept in memory, for a server without a store; the log has them all."""

POLL_S = 0.1
END_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a webhook has told of a call, for the stream that follows."""

    vendor: str
    call_id: str = ""
    caller: str = ""
    called: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    came_back: bool = False
    """A transfer has failed: the caller has been greeted before."""
    outgoing: Outgoing | None = None
    """A call that we have placed; ``caller`` is who was called then."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What shall happen after our stream."""

    target: str
    """"" hangs up."""
    called: str = ""
    language: str = "en"
    shop: str = ""
    staff_language: str = ""
    """What the human behind the line speaks; "" for the caller's."""
    details: Mapping[str, str] = field(default_factory=dict)
    warm: bool = True


def outcome_of(flow: CallFlow, started: Started, transfer: Transfer) -> Outcome:
    """Return what the vendor will ask for after a transfer."""
    line = flow.line
    return Outcome(
        transfer.target,
        started.called,
        flow.language,
        line.shop if line is not None else "",
        line.staff_language if line is not None else "",
        dict(transfer.details),
        transfer.warm,
    )


class Full(Exception):
    """No call can be taken now; the message says why."""


class Calls:
    """Keeps count of the calls."""

    def __init__(
        self, limit: int, meter: Meter, books: Callable[[], CallBooks | None] = lambda: None
    ) -> None:
        """``books``: where records go beside our memory, once it is open."""
        self._books = books
        self.watchers: set[Watcher] = set()
        """Pages that show the list of calls."""
        self._limit = limit
        self._meter = meter
        self._sessions: dict[CallSession, asyncio.Task[object] | None] = {}
        self._by_id: dict[str, CallSession] = {}
        self.tickets: OnceStore[Ticket] = OnceStore(TICKET_S)
        self.late_tickets: OnceStore[Ticket] = OnceStore(LATE_TICKET_S)
        """Of calls that we place: their streams come when somebody has picked up."""
        self.outcomes: OnceStore[Outcome] = OnceStore(OUTCOME_S)
        self.records: deque[CallDetail] = deque(maxlen=RECORDS)
        self.draining = False

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def live(self) -> tuple[CallSession, ...]:
        """The calls of now."""
        return tuple(self._sessions)

    def find(self, session_id: str) -> CallSession | None:
        """Return a live call by the id of its session, None if there is none."""
        return next((session for session in self._sessions if session.id == session_id), None)

    def check_room(self) -> None:
        """Raise Full if another call must be refused."""
        if self.draining:
            raise Full("the server is shutting down")
        if len(self._sessions) >= self._limit:
            raise Full("all lines are taken")

    def add(self, session: CallSession) -> None:
        """Count a call, owned by the current task. Raises Full."""
        self.check_room()
        self._sessions[session] = asyncio.current_task()
        self.changed(session.id)
        self._meter.count("calls_total", vendor=session.vendor)
        self._meter.gauge("calls", len(self._sessions))

    def claim(self, call_id: str, session: CallSession) -> bool:
        """Return whether the call belongs to this session: one call, one stream."""
        if not call_id:
            return True
        return self._by_id.setdefault(call_id, session) is session

    def remove(self, session: CallSession) -> None:
        """Forget a call."""
        del self._sessions[session]
        self._by_id = {key: one for key, one in self._by_id.items() if one is not session}
        self._meter.gauge("calls", len(self._sessions))
        for watcher in self.watchers:
            watcher.gone(session.id)

    def changed(self, session_id: str) -> None:
        """Tell the pages that a call is not what it was."""
        for watcher in self.watchers:
            watcher.changed(session_id)

    def note(self, record: CallDetail) -> None:
        """Keep a record, and write it to the log."""
        self.records.append(record)
        books = self._books()
        if books is not None:
            books.note_call(record)
        lasted_s = (record.ended_at - (record.answered_at or record.began_at)).total_seconds()
        self._meter.observe("call_seconds", lasted_s)
        log.info(
            "call %s over: %s, line %s, from %s, %.1f s, %s, %d turns, %d interruptions, "
            "%d keys, %d faults, %.0f ms lost%s",
            record.id, record.reason, record.line, record.caller, lasted_s,
            ",".join(record.languages), record.turns, record.interruptions, record.keys,
            record.faults, record.lost_ms, ", transferred" if record.transfers else "",
        )  # fmt: skip

    def transfer_ended(self, vendor_call: str, result: str) -> None:
        """The vendor tells what became of the last transfer of its call: the record says so."""
        for at in range(len(self.records) - 1, -1, -1):
            record = self.records[at]
            if vendor_call and record.vendor_ids.get("call") == vendor_call and record.transfers:
                *before, last = record.transfers
                self.records[at] = replace(record, transfers=(*before, {**last, "result": result}))
                books = self._books()
                if books is not None:
                    books.note_call(self.records[at])
                return

    async def drain(self, deadline_s: float) -> None:
        """Refuse new calls, let the others go on until the deadline, then hang up."""
        self.draining = True
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline_s
        while self._sessions and loop.time() < end:  # noqa: ASYNC110 - nobody would set it
            await asyncio.sleep(POLL_S)
        for session in self.live:
            session.end("the server is shutting down")
        tasks = {task for task in self._sessions.values() if task is not None}
        if not tasks:
            return
        _, pending = await asyncio.wait(tasks, timeout=END_DEADLINE_S)
        for task in pending:
            log.error("a call did not end in time and is cancelled")
            task.cancel()
