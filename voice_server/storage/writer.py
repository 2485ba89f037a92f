"""Writing behind: rows wait in a bounded queue and go to the database in batches."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    StatementError,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from voice_server.records import StorageError
from voice_server.storage import tables
from voice_server.storage.faults import FAULTS
from voice_server.storage.transactions import Transactions

logger = logging.getLogger(__name__)

Kind = Literal["events", "turns", "sessions", "translations", "calls"]

ORDER: tuple[Kind, ...] = ("events", "turns", "sessions", "translations", "calls")
"""Within a batch: a translation comes after its turn."""

_NEWEST: Mapping[Kind, str] = {"sessions": "key", "calls": "id"}
"""What is replaced, and by which column it is known."""


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How long rows may wait, and how many."""

    every_s: float = 0.5
    """Rows wait so long for company: one transaction for all that a busy second brings."""
    batch: int = 500
    most: int = 20_000
    """Rows kept while the database is away: ten minutes of a hundred busy sessions, about 40 MB.
    Beyond it the oldest are dropped and counted: callers are worth more than records of them."""
    write_s: float = 10.0
    """A batch that is not written after so long counts as failed and is tried again."""
    retry_s: float = 1.0
    retry_max_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Row:
    """One row to write. ``key`` names the session (or session key) it belongs to, for erasing."""

    kind: Kind
    key: str
    shop_id: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Counts:
    """For metrics."""

    written: int = 0
    dropped: int = 0
    """Rows lost: the queue was full, the database refused them, or the time to drain was over."""
    failures: int = 0
    """Batches that failed and were tried again."""


class Writer:
    """The queue and the task that empties it. Everything is called in the event loop."""

    def __init__(
        self, transactions: Transactions, options: WriterOptions = WriterOptions()
    ) -> None:
        """Nothing is written before :meth:`run` or :meth:`flush`."""
        self._transactions = transactions
        self._options = options
        # Bounded by ``most``: put() drops the oldest.
        self._rows: deque[Row] = deque()
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._failing = False
        self._full = False
        self.counts = Counts()

    @property
    def waiting(self) -> int:
        """Rows not yet written."""
        return len(self._rows)

    @property
    def failing(self) -> bool:
        """Whether the last batch could not be written."""
        return self._failing

    def put(self, row: Row) -> None:
        """Queue a row. Never waits, never raises."""
        self._rows.append(row)
        if len(self._rows) > self._options.most:
            self._rows.popleft()
            self.counts.dropped += 1
            if not self._full:
                self._full = True
                logger.error("the database is away for long: the oldest records are being dropped")
        self._wake.set()

    async def run(self) -> None:
        """Write for ever, a batch at a time; failures are logged once until it works again.

        When cancelled, the batch under way stays in the queue: rows carry ids, so that writing
        one twice changes nothing.
        """
        wait = self._options.retry_s
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._options.every_s)
            try:
                await self.flush()
                wait = self._options.retry_s
            except StorageError:
                await asyncio.sleep(wait)
                wait = min(wait * 2, self._options.retry_max_s)

    async def flush(self) -> None:
        """Write everything queued so far. Raises StorageError; what is unwritten stays queued."""
        async with self._lock:
            while self._rows:
                await self._write_some()
            self._wake.clear()

    async def drain(self, deadline_s: float) -> int:
        """Write what is left, for at most ``deadline_s``; return how many rows were lost.

        A database that is busy or away is asked again until then.
        """
        try:
            async with asyncio.timeout(deadline_s):
                while self._rows:
                    try:
                        await self.flush()
                    except StorageError:
                        await asyncio.sleep(min(self._options.retry_s, deadline_s / 10))
        except TimeoutError:
            logger.error("%d records could not be written before the end", len(self._rows))
        lost = len(self._rows)
        self.counts.dropped += lost
        self._rows.clear()
        return lost

    async def remove(self, matches: Callable[[Row], bool]) -> int:
        """Take rows out of the queue before they are written (they were erased)."""
        async with self._lock:
            kept = [row for row in self._rows if not matches(row)]
            removed = len(self._rows) - len(kept)
            self._rows = deque(kept)
            return removed

    async def _write_some(self) -> None:
        batch = [self._rows.popleft() for _ in range(min(len(self._rows), self._options.batch))]
        done = False
        try:
            refused = await self._write(batch)
            done = True
        except FAULTS as error:
            self.counts.failures += 1
            if not self._failing:
                self._failing = True
                logger.error("records cannot be written, they are kept: %s", _short(error))
            raise StorageError(_short(error)) from error
        finally:
            if not done:
                self._rows.extendleft(reversed(batch))
        if self._failing:
            logger.info("records are written again")
        self._failing = self._full = False
        self.counts.written += len(batch) - refused
        self.counts.dropped += refused

    async def _write(self, batch: Sequence[Row]) -> int:
        """Write a batch in one transaction; return how many rows the database refuses."""
        try:
            await self._transact(batch)
            return 0
        except StatementError as error:
            if not _refused(error):
                raise
            # One bad row must not keep the others: they go one by one.
        refused = 0
        for row in batch:
            try:
                await self._transact((row,))
            except StatementError as error:
                if not _refused(error):
                    raise
                refused += 1
                logger.error("the database refuses a record (%s): %s", row.kind, _short(error))
        return refused

    async def _transact(self, rows: Sequence[Row]) -> None:
        await self._transactions.write(
            lambda connection: _execute(connection, rows), self._options.write_s
        )


async def _execute(connection: AsyncConnection, rows: Iterable[Row]) -> None:
    by_kind: dict[Kind, list[dict[str, Any]]] = {kind: [] for kind in ORDER}
    for row in rows:
        by_kind[row.kind].append(dict(row.values))
    dialect = connection.dialect.name
    for kind in ORDER:
        values = by_kind[kind]
        if name := _NEWEST.get(kind):  # only the newest state of each counts
            values = list({value[name]: value for value in values}.values())
        if values:
            await connection.execute(_statement(kind, dialect), values)


def _statement(kind: Kind, dialect: str) -> sa.Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    if kind == "translations":
        return (
            sa.update(tables.turns)
            .where(tables.turns.c.id == sa.bindparam("turn"))
            .values(translation=sa.bindparam("words"), translation_state=sa.bindparam("state"))
        )
    if kind == "sessions":
        statement = insert(tables.sessions)
        fields = {
            name: statement.excluded[name]
            for name in ("shop_id", "state", "saved_at", "expires_at")
        }
        return statement.on_conflict_do_update(index_elements=["key"], set_=fields)
    if kind == "calls":
        statement = insert(tables.calls)
        fields = {
            column.name: statement.excluded[column.name]
            for column in tables.calls.c
            if column.name not in ("place", "id")
        }
        return statement.on_conflict_do_update(index_elements=["id"], set_=fields)
    table = tables.events if kind == "events" else tables.turns
    return insert(table).on_conflict_do_nothing(index_elements=["id"])


def _refused(error: StatementError) -> bool:
    """Is it the row's own fault, so that trying again is of no use?"""
    if not isinstance(error, DBAPIError):
        return True  # no JSON, or a time without a zone: it never left the program
    if isinstance(error, DataError | IntegrityError):
        return True
    # asyncpg: classes 22 (data) and 23 (integrity) of SQLSTATE, or refused before sending.
    state = str(getattr(error.orig, "sqlstate", None) or "")
    cause = getattr(error.orig, "__cause__", None)
    return state[:2] in {"22", "23"} or isinstance(cause, ValueError)


def _short(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "the database does not answer in time"
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]
