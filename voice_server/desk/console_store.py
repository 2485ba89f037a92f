"""The console's cases on disk: what waits, who took it, and what was said since.

SQLite from the standard library; calls block for some milliseconds and are made in a thread.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from voice_server.desk.packet import HandOffPacket, Line

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cases (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT UNIQUE NOT NULL,
  packet BLOB NOT NULL,
  rank INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  agent TEXT NOT NULL DEFAULT '',
  created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS lines (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  role TEXT NOT NULL,
  text TEXT NOT NULL,
  language TEXT NOT NULL,
  translation TEXT NOT NULL,
  at REAL NOT NULL,
  UNIQUE (case_id, id)
);
"""

FIRST_NUMBER = 1000
"""References have four digits at least: easy to say, and not "case 1"."""


class CaseState(StrEnum):
    """Where a case is."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    CLOSED = "closed"


_MAY: dict[CaseState, frozenset[CaseState]] = {
    CaseState.WAITING: frozenset({CaseState.CLAIMED, CaseState.CLOSED}),
    CaseState.CLAIMED: frozenset({CaseState.WAITING, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset(),
}
"""State to the states that may follow it."""


@dataclass(frozen=True, slots=True)
class DeskCase:
    """A hand-off as the console shows it."""

    packet: HandOffPacket
    reference: str
    state: CaseState
    agent: str
    """Who has claimed it; empty while it waits."""
    created: datetime


class ConsoleStore:
    """The tables. Thread-safe."""

    def __init__(self, path: Path | str) -> None:
        """Open or make the file; ``":memory:"`` for tests. Raises OSError, sqlite3.Error."""
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with self._lock:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA foreign_keys=ON")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def put(self, packet: HandOffPacket, now: float) -> tuple[DeskCase, bool]:
        """Add a case; return it and whether it is new. The same packet is one case."""
        with self._lock:
            fresh = self._db.execute(
                "INSERT OR IGNORE INTO cases (id, packet, rank, created) VALUES (?, ?, ?, ?)",
                (packet.id, packet.to_json(), packet.priority.rank, now),
            ).rowcount
        found = self.get(packet.id)
        assert found is not None, "it was just put there"  # noqa: S101
        return found, fresh > 0

    def update(self, packet: HandOffPacket) -> bool:
        """Replace a packet; False for no such case."""
        with self._lock:
            return (
                self._db.execute(
                    "UPDATE cases SET packet = ? WHERE id = ?", (packet.to_json(), packet.id)
                ).rowcount
                > 0
            )

    def get(self, case_id: str) -> DeskCase | None:
        """Return a case."""
        rows = self._rows(f"{_SELECT} WHERE id = ?", case_id)
        return _case(rows[0]) if rows else None

    def by_reference(self, reference: str) -> DeskCase | None:
        """Return the case of a reference."""
        if not reference.isdecimal():
            return None
        rows = self._rows(f"{_SELECT} WHERE number = ?", int(reference) - FIRST_NUMBER)
        return _case(rows[0]) if rows else None

    def of_session(self, session_id: str) -> list[DeskCase]:
        """Return the cases of a conversation, closed ones too."""
        return [_case(row) for row in self._rows(f"{_SELECT} WHERE {_OF_SESSION}", session_id)]

    def erase_session(self, session_id: str) -> int:
        """Delete the cases of a conversation and what was said in them; return how many."""
        with self._lock:
            gone = self._db.execute(_ERASE, (session_id,))
        return gone.rowcount

    def open_cases(self, limit: int) -> list[DeskCase]:
        """Return what is not closed: most urgent first, then oldest."""
        rows = self._rows(
            f"{_SELECT} WHERE state != 'closed' ORDER BY rank DESC, created, number LIMIT ?", limit
        )
        return [_case(row) for row in rows]

    def move(self, case_id: str, state: CaseState, agent: str = "", *, by: str = "") -> bool:
        """Change a case's state; False if its state, or its agent, does not allow it.

        ``by``: only if this agent has it ("" for a case that waits).
        """
        before = [one.value for one, after in _MAY.items() if state in after]
        marks = ", ".join("?" * len(before))
        with self._lock:
            return (
                self._db.execute(
                    "UPDATE cases SET state = ?, agent = ?"  # noqa: S608 - marks are "?, ?"
                    f" WHERE id = ? AND agent = ? AND state IN ({marks})",
                    (state.value, agent, case_id, by, *before),
                ).rowcount
                > 0
            )

    def add_line(self, case_id: str, line_id: str, line: Line, now: float) -> bool:
        """Add, or with a translation that came later replace, a line; False for no such case."""
        with self._lock:
            try:
                self._db.execute(
                    "INSERT INTO lines (case_id, id, role, text, language, translation, at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (case_id, id) DO UPDATE SET"
                    " text = excluded.text, translation = excluded.translation",
                    (
                        case_id,
                        line_id,
                        line.role,
                        line.text,
                        line.language,
                        line.translation,
                        line.at.timestamp() if line.at else now,
                    ),
                )
            except sqlite3.IntegrityError:
                return False
        return True

    def lines(self, case_id: str) -> list[tuple[str, Line]]:
        """Return what was said since the hand-off, (id, line), oldest first."""
        rows = self._rows(
            "SELECT id, role, text, language, translation, at FROM lines WHERE case_id = ?"
            " ORDER BY number",
            case_id,
        )
        return [
            (ident, Line(role, text, language, translation, datetime.fromtimestamp(at, UTC)))
            for ident, role, text, language, translation, at in rows
        ]

    def purge(self, before: float) -> int:
        """Delete closed cases, and all that was said in them, from before a time."""
        with self._lock:
            return self._db.execute(
                "DELETE FROM cases WHERE state = 'closed' AND created < ?", (before,)
            ).rowcount

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()


_SELECT = "SELECT number, packet, state, agent, created FROM cases"

_OF_SESSION = "json_extract(CAST(packet AS TEXT), '$.session_id') = ?"
_ERASE = f"DELETE FROM cases WHERE {_OF_SESSION}"  # noqa: S608 - a constant


def _case(row: tuple[Any, ...]) -> DeskCase:
    number, packet, state, agent, created = row
    return DeskCase(
        HandOffPacket.from_json(packet),
        str(FIRST_NUMBER + number),
        CaseState(state),
        agent,
        datetime.fromtimestamp(created, UTC),
    )
