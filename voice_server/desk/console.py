"""The built-in desk: a queue on disk that the page ``/console/desk`` shows and works on.

Every change is told to whoever watches (:meth:`ConsoleDesk.watch`), as the id of the case that
changed: watchers read the case themselves, so a burst of changes costs them one look.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from voice_server.desk.console_store import CaseState, ConsoleStore, DeskCase
from voice_server.desk.outbox import InThread
from voice_server.desk.packet import DeskError, HandOffPacket, Line, Ticket
from voice_server.ids import IdFactory, new_id

KEEP_S = 30 * 86_400.0
"""Closed cases, and what was said in them, are kept a month for complaints; then they go."""

LIST = 200
"""Cases shown at once: more than a team works on in a day."""


class Changes:
    """Ids of changed cases for one watcher; at most one entry for each case is waiting."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self._ready = asyncio.Event()

    def tell(self, case_id: str) -> None:
        """Note a change."""
        self._ids[case_id] = None
        self._ready.set()

    def __aiter__(self) -> AsyncIterator[str]:
        return self._all()

    async def _all(self) -> AsyncIterator[str]:
        while True:
            await self._ready.wait()
            while self._ids:
                first = next(iter(self._ids))
                del self._ids[first]
                yield first
            self._ready.clear()


class ConsoleDesk:
    """Implements :class:`voice_server.desk.packet.RelayDesk` on this machine."""

    name = "console"

    def __init__(
        self,
        store: ConsoleStore,
        *,
        clock: Callable[[], float] = time.time,
        in_thread: InThread = asyncio.to_thread,
        new_id: IdFactory = new_id,
    ) -> None:
        """``clock``: seconds since the epoch."""
        self._store = store
        self._clock = clock
        self._in_thread = in_thread
        self._new_id = new_id
        self._watchers: set[Changes] = set()

    # ----------------------------------------------------------------- desk

    async def deliver(self, packet: HandOffPacket, *, again: bool = False) -> Ticket:
        """See :class:`Desk`; the file knows every packet, so ``again`` changes nothing."""
        try:
            case, fresh = await self._in_thread(self._store.put, packet, self._clock())
        except (sqlite3.Error, OSError) as error:
            raise DeskError(f"the console's file failed: {type(error).__name__}") from error
        if fresh:
            self._tell(packet.id)
        return Ticket(case.reference, f"/console/desk?case={packet.id}")

    async def note(self, reference: str, text: str) -> None:
        """Add a note to the case; it is shown among its lines."""
        case: DeskCase | None = await self._in_thread(self._store.by_reference, reference)
        if case is None:
            raise DeskError("there is no case of that reference")
        language = case.packet.internal_language
        await self.add_line(case.packet.id, self._new_id("note"), Line("note", text, language))

    async def relay(self, reference: str, line: Line, line_id: str) -> None:
        """Show what was just said."""
        case: DeskCase | None = await self._in_thread(self._store.by_reference, reference)
        if case is None:
            raise DeskError("there is no case of that reference")
        await self.add_line(case.packet.id, line_id, line)

    async def close(self) -> None:
        """Close the file."""
        await self._in_thread(self._store.close)

    # ------------------------------------------------------------- the page

    async def cases(self) -> list[DeskCase]:
        """Return what is not closed, most urgent first, then oldest."""
        found: list[DeskCase] = await self._in_thread(self._store.open_cases, LIST)
        return found

    async def case(self, case_id: str) -> DeskCase | None:
        """Return a case."""
        found: DeskCase | None = await self._in_thread(self._store.get, case_id)
        return found

    async def lines(self, case_id: str) -> list[tuple[str, Line]]:
        """Return what was said since the hand-off."""
        found: list[tuple[str, Line]] = await self._in_thread(self._store.lines, case_id)
        return found

    async def add_line(self, case_id: str, line_id: str, line: Line) -> None:
        """Add a line, or its translation. Raises DeskError for an unknown case."""
        known = await self._in_thread(self._store.add_line, case_id, line_id, line, self._clock())
        if not known:
            raise DeskError("there is no such case")
        self._tell(case_id)

    async def update(self, packet: HandOffPacket) -> None:
        """Replace a case's packet: its transcript has translations now."""
        if await self._in_thread(self._store.update, packet):
            self._tell(packet.id)

    async def tidy(self, keep_s: float = KEEP_S) -> None:
        """Delete closed cases that are older than ``keep_s``."""
        await self._in_thread(self._store.purge, self._clock() - keep_s)

    async def claim(self, case_id: str, agent: str) -> bool:
        """Give a waiting case to an agent; False if somebody was quicker."""
        return await self._move(case_id, CaseState.CLAIMED, agent, by="")

    async def put_back(self, case_id: str, agent: str) -> bool:
        """Let a claimed case wait again; False if the agent does not have it."""
        return await self._move(case_id, CaseState.WAITING, "", by=agent)

    async def finish(self, case_id: str, agent: str) -> bool:
        """Close a case; False if another agent has it. A closed one stays closed."""
        return await self._move(case_id, CaseState.CLOSED, agent, by=agent) or (
            await self._move(case_id, CaseState.CLOSED, agent, by="")
        )

    @contextmanager
    def watch(self) -> Iterator[Changes]:
        """Hear of changes for the block."""
        changes = Changes()
        self._watchers.add(changes)
        try:
            yield changes
        finally:
            self._watchers.discard(changes)

    def touched(self, case_id: str) -> None:
        """Tell watchers of a change that is not in the file: the customer hung up."""
        self._tell(case_id)

    async def _move(self, case_id: str, state: CaseState, agent: str, *, by: str) -> bool:
        def move() -> bool:
            return self._store.move(case_id, state, agent, by=by)

        moved: bool = await self._in_thread(move)
        if moved:
            self._tell(case_id)
        return moved

    def _tell(self, case_id: str) -> None:
        for changes in self._watchers:
            changes.tell(case_id)
