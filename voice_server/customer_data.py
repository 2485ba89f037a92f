"""One customer's data: found, handed out and erased, in the database and at the desk.

Conversations are found by the digests that their log holds (:mod:`voice_server.trust.subjects`).
What a vendor's desk keeps is that vendor's: its tickets are named, to be erased there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from voice_server.desk.console_store import ConsoleStore
from voice_server.desk.outbox_store import OutboxStore
from voice_server.records import Event, StorageError
from voice_server.storage import Storage
from voice_server.trust.subjects import LINKED, SURE, Subjects, words_digest

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation, and how it is known to be the customer's."""

    session_id: str
    shop_id: str
    means: tuple[str, ...]

    @property
    def sure(self) -> bool:
        """It is theirs by more than words: somebody else may have said their address."""
        return not SURE.isdisjoint(self.means)


@dataclass(slots=True)
class Gone:
    """What was erased, and what has to be erased elsewhere."""

    rows: int = 0
    cases: int = 0
    files: int = 0
    tickets: list[str] = field(default_factory=list)
    """Of the vendors' desks: "shop: reference address"."""


class CustomerData:
    """The data of customers of all shops of a server."""

    def __init__(self, storage: Storage, subjects: Subjects, data: Path) -> None:
        """``data`` is the server's data folder."""
        self._storage = storage
        self._subjects = subjects
        self._data = data

    async def find(self, identifier: str, shop_id: str | None = None) -> list[Found]:
        """Return the conversations of an e-mail address, a number, an order or a customer id.

        Raises:
            StorageError: the database cannot be read.
        """
        digest = self._subjects.digest(identifier)
        means: dict[tuple[str, str], dict[str, None]] = {}
        async for event in self._events(kinds=(LINKED,), shop_id=shop_id):
            if event.payload.get("subject") == digest:
                known = means.setdefault((event.session_id, event.shop_id), {})
                known[str(event.payload.get("means"))] = None
        return [Found(session, shop, tuple(ways)) for (session, shop), ways in means.items()]

    async def session(self, session_id: str, shop_id: str | None = None) -> list[Found]:
        """Return one conversation by its id, if anything is kept of it. Raises StorageError."""
        async for event in self._events(session_id=session_id, shop_id=shop_id):
            return [Found(session_id, event.shop_id, ())]
        return []

    async def export(self, found: Sequence[Found]) -> dict[str, Any]:
        """Return everything of some conversations as JSON values.

        Raises:
            StorageError: the database or a desk's file cannot be read.
        """
        return {"conversations": [await self._conversation(one) for one in found]}

    async def erase(self, found: Sequence[Found]) -> Gone:
        """Erase some conversations everywhere on this machine and in the database.

        Raises:
            StorageError: something could not be erased; what was, is gone.
        """
        gone = Gone()
        for one in found:
            await asyncio.to_thread(self._erase_cases, one, gone)
            recording = await self._storage.phone.recording(one.session_id)
            if recording is not None:
                gone.files += await asyncio.to_thread(self._remove, recording.path)
                await self._storage.phone.forget_recording(one.session_id)
            gone.rows += await self._storage.phone.erase_session(one.session_id)
            erased = await self._storage.erase_session(one.session_id)
            gone.rows += sum(asdict(erased).values())
        return gone

    async def _conversation(self, one: Found) -> dict[str, Any]:
        turns = await self._storage.turns(one.session_id)
        events = [event async for event in self._events(session_id=one.session_id)]
        state = await self._storage.load(one.session_id)
        cases = await asyncio.to_thread(self._cases, one)
        recording = await self._storage.phone.recording(one.session_id)
        records = [event.payload for event in events if event.kind == "turn.answered"]
        words = {turn.id: turn.text for turn in turns}
        return {
            "session": one.session_id,
            "shop": one.shop_id,
            "known_by": list(one.means),
            "turns": [_json(asdict(turn)) for turn in turns],
            "decisions_verified": all(_verified(record, words) for record in records),
            "events": [_json(asdict(event)) for event in events],
            "memory": state,
            "desk_cases": cases,
            "recording": recording.path if recording is not None else None,
        }

    async def _events(self, **where: Any) -> AsyncIterator[Event]:
        after = 0
        while True:
            page = await self._storage.events(after=after, limit=PAGE, **where)
            for place, event in page:
                after = place
                yield event
            if len(page) < PAGE:
                return

    # ------------------------------------------------------------------- desk

    def _cases(self, one: Found) -> list[dict[str, Any]]:
        """Return what the built-in desk keeps of a conversation. Blocks."""
        path = self._data / "desk" / one.shop_id / "console.db"
        if not path.exists():
            return []
        try:
            with closing(ConsoleStore(path)) as store:
                return [
                    {
                        "reference": case.reference,
                        "state": case.state.value,
                        "packet": _json(asdict(case.packet)),
                        "lines": [_json(asdict(line)) for _, line in store.lines(case.packet.id)],
                    }
                    for case in store.of_session(one.session_id)
                ]
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"the desk's file {path} cannot be read: {error}") from error

    def _erase_cases(self, one: Found, gone: Gone) -> None:
        folder = self._data / "desk" / one.shop_id
        console, outbox = folder / "console.db", folder / "outbox.db"
        try:
            if console.exists():
                with closing(ConsoleStore(console)) as cases:
                    gone.cases += cases.erase_session(one.session_id)
            if outbox.exists():
                with closing(OutboxStore(outbox)) as packets:
                    for ticket in packets.erase_session(one.session_id):
                        if not ticket.url.startswith("/console/"):
                            where = f"{one.shop_id}: {ticket.reference} {ticket.url}"
                            gone.tickets.append(where.strip())
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"the desk's files in {folder} cannot be used: {error}") from error

    def _remove(self, path: str) -> int:
        """Remove a file below the data folder; return how many are gone."""
        file = (self._data / path).resolve()
        if not file.is_relative_to(self._data.resolve()):
            raise StorageError(f"the recording {path} is not in the data folder")
        try:
            file.unlink()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StorageError(f"the recording {path} cannot be erased: {error}") from error
        return 1


def _verified(record: Any, words: dict[str, str]) -> bool:
    """Do the words of a turn, as they are kept, belong to the record of its decision?"""
    reply = str(record["reply_id"])
    kept = (words.get(f"{reply}:user", ""), words.get(reply, ""))
    return bool(record.get("words") == words_digest(kept))


def _json(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_json(item) for item in value]
    return value
