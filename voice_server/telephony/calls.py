"""All calls of this process: admission, who is who, what comes after, and what has been."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from voice_server.telephony.once import OnceStore
from voice_server.telephony.ports import Meter

if TYPE_CHECKING:
    from voice_server.telephony.session import CallSession

log = logging.getLogger(__name__)

TICKET_S = 60.0
"""From the vendor's webhook to its stream: Twilio gives a stream ten seconds."""

OUTCOME_S = 300.0
"""From the end of our stream to the vendor's question what comes next."""

RECORDS = 1000
"""Call detail records kept in memory, for the console; the log has them all."""

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What shall happen after our stream."""

    target: str
    """"" hangs up."""
    called: str = ""
    language: str = "en"
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, for accounting and the console. Numbers are masked."""

    call_id: str
    vendor: str
    line: str
    caller: str
    called: str
    began: datetime
    duration_s: float
    reason: str
    language: str
    turns: int
    interruptions: int
    keys: int
    faults: int
    lost_ms: float
    transferred: bool
    slowest_answer_ms: float


class Full(Exception):
    """No call can be taken now; the message says why."""


class Calls:
    """Keeps count of the calls."""

    def __init__(self, limit: int, meter: Meter) -> None:
        self._limit = limit
        self._meter = meter
        self._sessions: dict[CallSession, asyncio.Task[object] | None] = {}
        self._by_id: dict[str, CallSession] = {}
        self.tickets: OnceStore[Ticket] = OnceStore(TICKET_S)
        self.outcomes: OnceStore[Outcome] = OnceStore(OUTCOME_S)
        self.records: deque[CallRecord] = deque(maxlen=RECORDS)
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

    def note(self, record: CallRecord) -> None:
        """Keep a record, and write it to the log."""
        self.records.append(record)
        self._meter.observe("call_seconds", record.duration_s)
        log.info(
            "call %s over: %s, line %s, from %s, %.1f s, %s, %d turns, %d interruptions, "
            "%d keys, %d faults, %.0f ms lost%s",
            record.call_id, record.reason, record.line, record.caller, record.duration_s,
            record.language, record.turns, record.interruptions, record.keys, record.faults,
            record.lost_ms, ", transferred" if record.transferred else "",
        )  # fmt: skip

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
