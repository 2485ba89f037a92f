"""Transactions that are never left open, whatever happens to who asked for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

logger = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

BUSY_MS = 4_000
"""SQLite waits so long for another process that writes: less than what callers wait for us."""
END_S = BUSY_MS / 1_000 + 1
"""What still runs at the end has so long: a statement of SQLite waits for BUSY_MS at most."""


class Transactions:
    """Runs work on a connection, committed at its end, rolled back if it raises.

    With SQLite a statement runs in a thread that nobody can stop, and a connection whose task is
    cancelled between two of them keeps the lock of the whole file until Python happens to collect
    it: every write after that fails.  So the work has a task of its own there, which goes on to its
    end when its caller is cancelled or out of time, and writers of this process come one after the
    other.  PostgreSQL's driver gives a connection up cleanly, and its work ends with its caller.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        """Of an open engine; one for all that write with it."""
        self._engine = engine
        self._lite = engine.dialect.name == "sqlite"
        self._writing = asyncio.Lock()
        self._running: set[asyncio.Task[object]] = set()

    @property
    def dialect(self) -> str:
        """Return the name of the database's dialect."""
        return self._engine.dialect.name

    async def write(self, work: Work[T], deadline_s: float) -> T:
        """Run work that changes something. Raises TimeoutError, FAULTS, and what it raises.

        Work that had begun goes on after a TimeoutError: what is tried again must not mind that.
        """
        if not self._lite:
            async with asyncio.timeout(deadline_s):
                return await self._transaction(work)
        async with asyncio.timeout(deadline_s):
            await self._writing.acquire()
            task = asyncio.ensure_future(self._transaction(work))
            self._running.add(task)
            task.add_done_callback(self._ended)
            return await asyncio.shield(task)

    async def read(self, work: Work[T], deadline_s: float) -> T:
        """Run work that only reads: it locks nothing. Raises TimeoutError and FAULTS."""
        async with asyncio.timeout(deadline_s), self._engine.connect() as connection:
            return await work(connection)

    async def close(self) -> None:
        """Wait, for END_S at most, for what is under way."""
        if self._running:
            await asyncio.wait(self._running, timeout=END_S)

    async def _transaction(self, work: Work[T]) -> T:
        async with self._engine.begin() as connection:
            return await work(connection)

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._writing.release()
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whoever still waits gets it too; it is told here for those who do not.
            logger.debug("a transaction was rolled back: %s", error)
