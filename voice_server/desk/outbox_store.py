"""The outbox on disk: a packet is here before anybody is told that it will be handed over.

SQLite from the standard library, one file in the data folder.  Several processes may share the
file: a try is claimed by a compare-and-set, so the same packet is never on the way twice at once.
Calls block for some milliseconds; the outbox makes them in a thread.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from voice_server.desk.packet import HandOffPacket, Ticket

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
  id TEXT PRIMARY KEY,
  packet BLOB,
  state TEXT NOT NULL DEFAULT 'waiting',
  attempts INTEGER NOT NULL DEFAULT 0,
  due REAL NOT NULL,
  created REAL NOT NULL,
  reference TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  session TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS promises (id TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, due);
CREATE INDEX IF NOT EXISTS outbox_reference ON outbox (reference);
"""

BUSY_S = 5.0
"""How long one process waits for another's write."""


class State(StrEnum):
    """Where a packet is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Entry:
    """A packet on its way. Times are seconds since the epoch."""

    id: str
    state: State
    attempts: int
    """Tries begun, the ones that a crash cut short among them."""
    due: float
    created: float
    ticket: Ticket | None
    error: str


class OutboxStore:
    """The table. Thread-safe."""

    def __init__(self, path: Path | str) -> None:
        """Open or make the file; ``":memory:"`` for tests. Raises OSError, sqlite3.Error."""
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        with self._lock:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.executescript(_SCHEMA)
            columns = {row[1] for row in self._db.execute("PRAGMA table_info(outbox)")}
            if "session" not in columns:  # a file of before packets could be erased by session
                self._db.execute("ALTER TABLE outbox ADD COLUMN session TEXT NOT NULL DEFAULT ''")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def put(self, packet: HandOffPacket, now: float) -> bool:
        """Keep a packet, due at once; False if its id is known already."""
        return self._change(
            "INSERT OR IGNORE INTO outbox (id, packet, due, created, session)"
            " VALUES (?, ?, ?, ?, ?)",
            packet.id,
            packet.to_json(),
            now,
            now,
            packet.session_id,
        )

    def begin(self, packet_id: str, now: float, lease_s: float) -> tuple[HandOffPacket, int] | None:
        """Claim a due packet for one try, and return it with the number of this try.

        None if it is not due, or another process was quicker.  If we die, the packet is due
        again after ``lease_s``.
        """
        with self._lock:
            row = self._db.execute(
                "UPDATE outbox SET attempts = attempts + 1, due = ?"
                " WHERE id = ? AND state = 'waiting' AND due <= ? RETURNING packet, attempts",
                (now + lease_s, packet_id, now),
            ).fetchall()
        return (HandOffPacket.from_json(row[0][0]), row[0][1]) if row else None

    def delivered(self, packet_id: str, ticket: Ticket) -> None:
        """The desk took it: its content is forgotten, its reference kept."""
        self._change(
            "UPDATE outbox SET state = 'delivered', packet = NULL, reference = ?, url = ?,"
            " error = '' WHERE id = ?",
            ticket.reference,
            ticket.url,
            packet_id,
        )

    def failed(self, packet_id: str, error: str, due: float) -> None:
        """Try again at ``due``."""
        self._change(
            "UPDATE outbox SET error = ?, due = ? WHERE id = ? AND state = 'waiting'",
            error,
            due,
            packet_id,
        )

    def died(self, packet_id: str, error: str) -> None:
        """Give up, and keep the packet for :meth:`revive`."""
        self._change(
            "UPDATE outbox SET state = 'dead', error = ? WHERE id = ? AND state = 'waiting'",
            error,
            packet_id,
        )

    def revive(self, packet_id: str, now: float) -> bool:
        """Try a dead packet again, from now; False if it is not dead."""
        return self._change(
            "UPDATE outbox SET state = 'waiting', due = ? WHERE id = ? AND state = 'dead'",
            now,
            packet_id,
        )

    def promise(self, packet_id: str, at: float) -> None:
        """Remember when somebody will call back; the first promise of a packet holds."""
        self._change("INSERT OR IGNORE INTO promises (id, at) VALUES (?, ?)", packet_id, at)

    def promises(self, after: float) -> dict[str, float]:
        """Return the promised call-backs after a time, by packet."""
        rows = self._rows("SELECT id, at FROM promises WHERE at > ?", after)
        return {row[0]: row[1] for row in rows}

    def break_promise(self, packet_id: str) -> None:
        """Forget a promise that was never told."""
        self._change("DELETE FROM promises WHERE id = ?", packet_id)

    def due(self, now: float, limit: int) -> list[str]:
        """Return ids of packets to try now, oldest first."""
        rows = self._rows(
            "SELECT id FROM outbox WHERE state = 'waiting' AND due <= ?"
            " ORDER BY created, id LIMIT ?",
            now,
            limit,
        )
        return [row[0] for row in rows]

    def next_due(self) -> float | None:
        """Return when a packet is due next."""
        found: float | None = self._rows("SELECT min(due) FROM outbox WHERE state = 'waiting'")[0][
            0
        ]
        return found

    def get(self, packet_id: str) -> Entry | None:
        """Return what is known of a packet."""
        rows = self._rows(
            "SELECT id, state, attempts, due, created, reference, url, error FROM outbox"
            " WHERE id = ?",
            packet_id,
        )
        if not rows:
            return None
        ident, state, attempts, due, created, reference, url, error = rows[0]
        ticket = Ticket(reference, url) if state == State.DELIVERED else None
        return Entry(ident, State(state), attempts, due, created, ticket, error)

    def by_reference(self, reference: str) -> str | None:
        """Return the id of the packet that a ticket of the desk came from."""
        rows = self._rows(
            "SELECT id FROM outbox WHERE reference = ? AND state = 'delivered'"
            " ORDER BY created DESC LIMIT 1",
            reference,
        )
        return rows[0][0] if rows else None

    def count(self, state: State) -> int:
        """Return how many packets are in a state, for metrics."""
        found: int = self._rows("SELECT count(*) FROM outbox WHERE state = ?", state.value)[0][0]
        return found

    def erase_session(self, session_id: str) -> list[Ticket]:
        """Forget the packets of a session, sent or not; return the tickets the desk has made."""
        with self._lock:
            rows = self._db.execute(
                "DELETE FROM outbox WHERE session = ? RETURNING reference, url", (session_id,)
            ).fetchall()
        return [Ticket(reference, url) for reference, url in rows if reference]

    def purge(self, before: float) -> int:
        """Forget what was delivered, or died, before a time; return how many."""
        self._change("DELETE FROM promises WHERE at < ?", before)
        with self._lock:
            return self._db.execute(
                "DELETE FROM outbox WHERE state != 'waiting' AND created < ?", (before,)
            ).rowcount

    def _change(self, sql: str, *values: object) -> bool:
        with self._lock:
            return self._db.execute(sql, values).rowcount > 0

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()
