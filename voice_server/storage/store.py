"""The stores: everything :mod:`voice_server.records` asks for, on one database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from voice_server.records import (
    CallDetail,
    CallFilter,
    DataClass,
    Erased,
    Event,
    Said,
    StorageError,
    TranslationState,
)
from voice_server.storage import call_rows, tables
from voice_server.storage.cleaning import clean
from voice_server.storage.faults import FAULTS
from voice_server.storage.phone import CallStore
from voice_server.storage.transactions import Transactions
from voice_server.storage.writer import Counts, Row, Writer, WriterOptions


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """How patient reading is, and how writing is done."""

    read_s: float = 10.0
    """A read that takes longer fails: whoever asked has a screen that can say so."""
    drain_s: float = 5.0
    """The end of the server waits so long for the last rows."""
    writer: WriterOptions = WriterOptions()


class Storage:
    """Event log, session store, turn store and retention. Made by ``open_storage``.

    :meth:`run` must be kept running; :meth:`close` ends it all.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        options: StorageOptions = StorageOptions(),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """The tables are there already."""
        self._engine = engine
        self._options = options
        self._now = now
        self._transactions = Transactions(engine)
        self._writer = Writer(self._transactions, options.writer)
        self.phone = CallStore(self._transactions)
        """Promised call-backs, opt-outs and recordings."""

    @property
    def counts(self) -> Counts:
        """Rows written, dropped, and batches that failed."""
        return self._writer.counts

    @property
    def waiting(self) -> int:
        """Rows in the queue."""
        return self._writer.waiting

    async def run(self) -> None:
        """Write what is queued, for ever."""
        await self._writer.run()

    async def flush(self) -> None:
        """Write what is queued, now. Raises StorageError."""
        await self._writer.flush()

    async def close(self) -> int:
        """Write what is left, boundedly, and close; return how many rows were lost."""
        lost = await self._writer.drain(self._options.drain_s)
        await self._transactions.close()
        await self._engine.dispose()
        return lost

    # -- the event log ----------------------------------------------------------------------

    def append(self, event: Event) -> None:
        """See :class:`voice_server.records.EventLog`."""
        values = {
            "id": event.id,
            "session_id": event.session_id,
            "shop_id": event.shop_id,
            "kind": event.kind,
            "payload": clean(dict(event.payload)),
            "at": event.at,
        }
        self._writer.put(Row("events", event.session_id, event.shop_id, values))

    async def events(
        self,
        *,
        session_id: str | None = None,
        shop_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[str] = (),
        after: int = 0,
        limit: int = 1000,
    ) -> list[tuple[int, Event]]:
        """See :class:`voice_server.records.EventLog`. Page on with the last place as ``after``."""
        column = tables.events.c
        query = sa.select(tables.events).where(column.place > after)
        if session_id is not None:
            query = query.where(column.session_id == session_id)
        if shop_id is not None:
            query = query.where(column.shop_id == shop_id)
        if since is not None:
            query = query.where(column.at >= since)
        if until is not None:
            query = query.where(column.at < until)
        if kinds:
            query = query.where(column.kind.in_(kinds))
        rows = await self._read(query.order_by(column.place).limit(limit))
        return [
            (
                row.place,
                Event(row.session_id, row.shop_id, row.kind, row.payload, row.at, row.id),
            )
            for row in rows
        ]

    # -- dialogue sessions ------------------------------------------------------------------

    def save(self, key: str, shop_id: str, state: Mapping[str, Any], ttl_s: float) -> None:
        """See :class:`voice_server.records.SessionStore`."""
        now = self._now()
        values = {
            "key": key,
            "shop_id": shop_id,
            "state": clean(dict(state)),
            "saved_at": now,
            "expires_at": now + timedelta(seconds=ttl_s),
        }
        self._writer.put(Row("sessions", key, shop_id, values))

    async def load(self, key: str) -> Mapping[str, Any] | None:
        """See :class:`voice_server.records.SessionStore`."""
        column = tables.sessions.c
        rows = await self._read(
            sa.select(column.state).where(column.key == key, column.expires_at > self._now())
        )
        return rows[0].state if rows else None

    async def recent(self, shop_id: str, limit: int = 1000) -> list[tuple[str, Mapping[str, Any]]]:
        """See :class:`voice_server.records.SessionStore`."""
        column = tables.sessions.c
        rows = await self._read(
            sa.select(column.key, column.state)
            .where(column.shop_id == shop_id, column.expires_at > self._now())
            .order_by(column.saved_at.desc())
            .limit(limit)
        )
        return [(row.key, row.state) for row in rows]

    # -- turns ------------------------------------------------------------------------------

    def add(self, said: Said) -> None:
        """See :class:`voice_server.records.TurnStore`."""
        values = {
            "id": said.id,
            "session_id": said.session_id,
            "shop_id": said.shop_id,
            "role": said.role,
            "text": clean(said.text),
            "language": said.language,
            "intent": said.intent,
            "source_ids": list(said.source_ids),
            "decision": clean(dict(said.decision)),
            "translation": clean(said.translation),
            "translation_language": said.translation_language,
            "translation_state": said.translation_state,
            "at": said.at,
        }
        self._writer.put(Row("turns", said.session_id, said.shop_id, values))

    def translated(self, id: str, state: TranslationState, text: str = "") -> None:
        """See :class:`voice_server.records.TurnStore`."""
        self._writer.put(
            Row("translations", "", "", {"turn": id, "state": state, "words": clean(text)})
        )

    async def turns(self, session_id: str) -> list[Said]:
        """See :class:`voice_server.records.TurnStore`."""
        column = tables.turns.c
        rows = await self._read(
            sa.select(tables.turns)
            .where(column.session_id == session_id)
            .order_by(column.at, column.place)
        )
        return [
            Said(
                id=row.id,
                session_id=row.session_id,
                shop_id=row.shop_id,
                role=row.role,
                text=row.text,
                language=row.language,
                at=row.at,
                intent=row.intent,
                source_ids=tuple(row.source_ids),
                decision=row.decision,
                translation=row.translation,
                translation_language=row.translation_language,
                translation_state=row.translation_state,
            )
            for row in rows
        ]

    # -- calls ------------------------------------------------------------------------------

    def note_call(self, detail: CallDetail) -> None:
        """See :class:`voice_server.records.CallLog`."""
        values = clean(call_rows.values(detail))
        self._writer.put(Row("calls", detail.id, detail.shop_id, values))

    async def calls(self, wanted: CallFilter) -> list[tuple[int, CallDetail]]:
        """See :class:`voice_server.records.CallLog`."""
        rows = await self._read(call_rows.query(wanted))
        return [(row.place, call_rows.detail(row)) for row in rows]

    # -- retention --------------------------------------------------------------------------

    async def erase_session(self, session_id: str) -> Erased:
        """See :class:`voice_server.records.Retention`."""
        return await self._erase(
            lambda row: row.key == session_id,
            tables.events.c.session_id == session_id,
            tables.turns.c.session_id == session_id,
            tables.sessions.c.key == session_id,
            tables.calls.c.id == session_id,
        )

    async def erase_shop(self, shop_id: str) -> Erased:
        """See :class:`voice_server.records.Retention`."""
        return await self._erase(
            lambda row: row.shop_id == shop_id,
            tables.events.c.shop_id == shop_id,
            tables.turns.c.shop_id == shop_id,
            tables.sessions.c.shop_id == shop_id,
            tables.calls.c.shop_id == shop_id,
        )

    async def erase_before(
        self, when: datetime, what: DataClass, *, shop_id: str | None = None
    ) -> int:
        """See :class:`voice_server.records.Retention`. Sessions and calls age from their end."""
        await self.flush()
        table = {
            "events": tables.events,
            "turns": tables.turns,
            "sessions": tables.sessions,
            "calls": tables.calls,
        }[what]
        ages = {"sessions": "expires_at", "calls": "ended_at"}
        old = table.c[ages.get(what, "at")] < when
        if shop_id is not None:
            old = sa.and_(old, table.c.shop_id == shop_id)
        (gone,) = await self._delete((table, old))
        return gone

    async def _erase(
        self,
        queued: Callable[[Row], bool],
        events: sa.ColumnElement[bool],
        turns: sa.ColumnElement[bool],
        sessions: sa.ColumnElement[bool],
        calls: sa.ColumnElement[bool],
    ) -> Erased:
        await self._writer.remove(queued)
        await self.flush()
        return Erased(
            *await self._delete(
                (tables.events, events),
                (tables.turns, turns),
                (tables.sessions, sessions),
                (tables.calls, calls),
            )
        )

    async def _delete(self, *parts: tuple[sa.Table, sa.ColumnElement[bool]]) -> list[int]:
        async def delete(connection: AsyncConnection) -> list[int]:
            return [
                (await connection.execute(sa.delete(table).where(where))).rowcount
                for table, where in parts
            ]

        async def truncate(connection: AsyncConnection) -> None:
            # What was erased also leaves the write-ahead log.
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

        try:
            gone = await self._transactions.write(delete, self._options.read_s)
            if self._transactions.dialect == "sqlite" and any(gone):
                await self._transactions.write(truncate, self._options.read_s)
        except FAULTS as error:
            raise StorageError(f"nothing could be erased: {error}") from error
        return gone

    async def _read(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """Read, what is queued included."""
        await self.flush()

        async def rows(connection: AsyncConnection) -> Sequence[sa.Row[Any]]:
            found: Sequence[sa.Row[Any]] = (await connection.execute(query)).all()
            return found

        try:
            return await self._transactions.read(rows, self._options.read_s)
        except FAULTS as error:
            raise StorageError(f"the records cannot be read: {error}") from error
