"""The tables as they are after the newest migration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware time. SQLite has none: there it is kept in UTC and comes back in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC. Raises ValueError for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware time."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts by itself only in an INTEGER PRIMARY KEY."""

metadata = sa.MetaData()

events = sa.Table(
    "events",
    metadata,
    sa.Column("place", Sequence, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("session_id", sa.String(128), nullable=False),
    sa.Column("shop_id", sa.String(128), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("events_by_session", "session_id"),
    sa.Index("events_by_shop", "shop_id", "at"),
    sa.Index("events_by_time", "at"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("shop_id", sa.String(128), nullable=False),
    sa.Column("state", Json, nullable=False),
    sa.Column("saved_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("sessions_by_shop", "shop_id", "expires_at"),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("place", Sequence, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(128), nullable=False, unique=True),
    sa.Column("session_id", sa.String(128), nullable=False),
    sa.Column("shop_id", sa.String(128), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("intent", sa.String(128), nullable=False),
    sa.Column("source_ids", Json, nullable=False),
    sa.Column("decision", Json, nullable=False),
    sa.Column("translation", sa.Text, nullable=False),
    sa.Column("translation_language", sa.String(16), nullable=False),
    sa.Column("translation_state", sa.String(16), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("turns_by_session", "session_id"),
    sa.Index("turns_by_shop", "shop_id", "at"),
    sa.Index("turns_by_time", "at"),
)

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("place", Sequence, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(128), nullable=False, unique=True),
    sa.Column("shop_id", sa.String(128), nullable=False),
    sa.Column("vendor", sa.String(32), nullable=False),
    sa.Column("line", sa.String(128), nullable=False),
    sa.Column("languages", sa.String(128), nullable=False),
    sa.Column("handed_off", sa.Boolean, nullable=False),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Index("calls_by_shop", "shop_id", "began_at"),
    sa.Index("calls_by_time", "began_at"),
)
"""``languages`` is ",fr,nl,": a filter looks for ",nl," in it."""

call_backs = sa.Table(
    "call_backs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("shop_id", sa.String(128), nullable=False),
    sa.Column("line", sa.String(128), nullable=False),
    sa.Column("number", sa.String(20), nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("due", Moment, nullable=False),
    sa.Column("session_id", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("taken_at", Moment),
    sa.Index("call_backs_by_due", "state", "due"),
)

opt_outs = sa.Table(
    "opt_outs",
    metadata,
    sa.Column("number", sa.String(20), primary_key=True),
    sa.Column("shop_id", sa.String(128), primary_key=True),
    sa.Column("source", sa.String(128), nullable=False),
    sa.Column("at", Moment, nullable=False),
)

recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("call_id", sa.String(64), primary_key=True),
    sa.Column("shop_id", sa.String(128), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("consent", sa.String(16), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("recordings_by_end", "expires_at"),
)
