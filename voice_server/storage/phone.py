"""Promised call-backs, opt-outs and recordings, on the same database as everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from voice_server.call_records import CallBack, CallBackState, OptOut, RecordingEntry
from voice_server.records import StorageError
from voice_server.storage.cleaning import clean
from voice_server.storage.faults import FAULTS
from voice_server.storage.tables import call_backs, opt_outs, recordings
from voice_server.storage.transactions import Transactions, Work

T = TypeVar("T")

DEADLINE_S = 5.0
"""A statement that takes longer fails: a caller waits for some of them."""


class CallStore:
    """Implements the Protocols of :mod:`voice_server.call_records`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    # ------------------------------------------------------------ call-backs

    async def promise(self, call_back: CallBack) -> bool:
        """See :class:`voice_server.call_records.CallBacks`."""
        return await self._insert(call_backs, {**_values(call_back), "taken_at": None}, "id") > 0

    async def take_due(self, now: datetime, lease_s: float, limit: int) -> Sequence[CallBack]:
        """See :class:`voice_server.call_records.CallBacks`."""
        column = call_backs.c
        waits = sa.and_(column.state == "waiting", column.due <= now)
        stale = now - timedelta(seconds=lease_s)
        died = sa.and_(column.state == "calling", column.taken_at <= stale)

        async def take(connection: AsyncConnection) -> list[CallBack]:
            taken: list[CallBack] = []
            found = sa.select(call_backs).where(sa.or_(waits, died)).order_by(column.due)
            for row in (await connection.execute(found.limit(limit))).all():
                lost = row.state == "calling"
                # Compare and set: of several processes that saw it due, one gets it.
                change = (
                    sa.update(call_backs)
                    .where(
                        column.id == row.id,
                        column.state == row.state,
                        column.attempts == row.attempts,
                        died if lost else waits,
                    )
                    .values(
                        state="calling",
                        taken_at=now,
                        attempts=row.attempts + (not lost),
                        outcome="lost" if lost else "",
                    )
                )
                if (await connection.execute(change)).rowcount == 1:
                    outcome = "lost" if lost else ""
                    taken.append(_call_back(row, "calling", row.attempts + (not lost), outcome))
            return taken

        return await self._write(take)

    async def settle(
        self, id: str, state: CallBackState, outcome: str, due: datetime | None = None
    ) -> None:
        """See :class:`voice_server.call_records.CallBacks`."""
        values: dict[str, Any] = {"state": state, "outcome": outcome[:500], "taken_at": None}
        if due is not None:
            values["due"] = due
        where = (call_backs.c.id == id, call_backs.c.state == "calling")
        await self._change(sa.update(call_backs).where(*where).values(values))

    async def call_backs(self, shop_id: str = "", limit: int = 200) -> Sequence[CallBack]:
        """See :class:`voice_server.call_records.CallBacks`."""
        query = sa.select(call_backs).order_by(call_backs.c.due.desc()).limit(limit)
        if shop_id:
            query = query.where(call_backs.c.shop_id == shop_id)
        return [
            _call_back(row, row.state, row.attempts, row.outcome) for row in await self._rows(query)
        ]

    async def cancel(self, *, id: str = "", number: str = "", shop_id: str = "") -> int:
        """See :class:`voice_server.call_records.CallBacks`."""
        if not id and not number:
            return 0
        column = call_backs.c
        where = [column.state == "waiting"]
        where += [column.id == id] if id else []
        where += [column.number == number] if number else []
        where += [column.shop_id == shop_id] if shop_id else []
        return await self._change(sa.update(call_backs).where(*where).values(state="cancelled"))

    # -------------------------------------------------------------- opt-outs

    async def opt_out(self, entry: OptOut) -> None:
        """See :class:`voice_server.call_records.OptOuts`."""
        values = {
            "number": entry.number, "shop_id": entry.shop_id, "source": entry.source[:128],
            "at": entry.at,
        }  # fmt: skip
        await self._insert(opt_outs, values, "number", "shop_id")

    async def opted_out(self, number: str, shop_id: str) -> bool:
        """See :class:`voice_server.call_records.OptOuts`."""
        column = opt_outs.c
        query = sa.select(column.number).where(column.number == number, column.shop_id == shop_id)
        return bool(await self._rows(query))

    async def opt_outs(self, shop_id: str = "", limit: int = 1000) -> Sequence[OptOut]:
        """See :class:`voice_server.call_records.OptOuts`."""
        query = sa.select(opt_outs).order_by(opt_outs.c.at.desc()).limit(limit)
        if shop_id:
            query = query.where(opt_outs.c.shop_id == shop_id)
        return [
            OptOut(row.number, row.shop_id, row.source, row.at) for row in await self._rows(query)
        ]

    async def opt_in(self, number: str, shop_id: str) -> bool:
        """See :class:`voice_server.call_records.OptOuts`."""
        where = (opt_outs.c.number == number, opt_outs.c.shop_id == shop_id)
        return await self._delete(sa.delete(opt_outs).where(*where))

    # ------------------------------------------------------------ recordings

    async def add_recording(self, entry: RecordingEntry) -> None:
        """See :class:`voice_server.call_records.RecordingStore`."""
        values = {
            "call_id": entry.call_id, "shop_id": entry.shop_id, "path": entry.path,
            "consent": entry.consent, "at": entry.at, "expires_at": entry.expires_at,
        }  # fmt: skip
        await self._insert(recordings, values, "call_id")

    async def recording(self, call_id: str) -> RecordingEntry | None:
        """See :class:`voice_server.call_records.RecordingStore`."""
        rows = await self._rows(sa.select(recordings).where(recordings.c.call_id == call_id))
        return _recording(rows[0]) if rows else None

    async def expired_recordings(self, now: datetime, limit: int) -> Sequence[RecordingEntry]:
        """See :class:`voice_server.call_records.RecordingStore`."""
        over = recordings.c.expires_at <= now
        query = sa.select(recordings).where(over).order_by(recordings.c.expires_at).limit(limit)
        return [_recording(row) for row in await self._rows(query)]

    async def forget_recording(self, call_id: str) -> bool:
        """See :class:`voice_server.call_records.RecordingStore`."""
        return await self._delete(sa.delete(recordings).where(recordings.c.call_id == call_id))

    async def erase_session(self, session_id: str) -> int:
        """Erase the promises made in a conversation; return how many. Opt-outs stay: they protect.

        Raises:
            StorageError: nothing could be erased.
        """
        return await self._change(
            sa.delete(call_backs).where(call_backs.c.session_id == session_id)
        )

    # -------------------------------------------------------------- internals

    async def _write(self, work: Work[T]) -> T:
        """One transaction within the deadline. Raises StorageError."""
        with _in_words():
            return await self._transactions.write(work, DEADLINE_S)

    async def _change(self, statement: sa.Update | sa.Delete | sa.Insert) -> int:
        """Return how many rows a statement has changed."""

        async def change(connection: AsyncConnection) -> int:
            return (await connection.execute(statement)).rowcount

        return await self._write(change)

    async def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        async def rows(connection: AsyncConnection) -> Sequence[sa.Row[Any]]:
            found: Sequence[sa.Row[Any]] = (await connection.execute(query)).all()
            return found

        with _in_words():
            return await self._transactions.read(rows, DEADLINE_S)

    async def _insert(self, table: sa.Table, values: dict[str, Any], *keys: str) -> int:
        """Insert unless the keys are there; return how many rows were."""
        new = postgresql.insert if self._transactions.dialect == "postgresql" else sqlite.insert
        statement = new(table).values(values).on_conflict_do_nothing(index_elements=list(keys))
        return await self._change(statement)

    async def _delete(self, statement: sa.Delete) -> bool:
        return await self._change(statement) > 0


@contextmanager
def _in_words() -> Iterator[None]:
    """Say of any fault that it is the records of calls that cannot be used."""
    try:
        yield
    except FAULTS as error:
        raise StorageError(f"the records of calls cannot be used: {error}") from error


def _values(one: CallBack) -> dict[str, Any]:
    return {
        "id": one.id, "shop_id": one.shop_id, "line": one.line, "number": one.number,
        "language": one.language, "topic": clean(one.topic)[:500], "due": one.due,
        "session_id": one.session_id, "state": one.state, "attempts": one.attempts,
        "outcome": one.outcome,
    }  # fmt: skip


def _call_back(row: sa.Row[Any], state: CallBackState, attempts: int, outcome: str) -> CallBack:
    return CallBack(
        row.id, row.shop_id, row.line, row.number, row.language, row.topic, row.due,
        row.session_id, state, attempts, outcome,
    )  # fmt: skip


def _recording(row: sa.Row[Any]) -> RecordingEntry:
    return RecordingEntry(
        row.call_id, row.shop_id, row.path, row.consent, row.at, row.expires_at
    )  # fmt: skip
