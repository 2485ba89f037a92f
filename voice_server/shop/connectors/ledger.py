"""What was sent and what came of it: the memory that makes a write happen once."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

KEPT = 10_000
"""Keys remembered: days of a busy shop; a caller retries within minutes."""


class Journal(Protocol):
    """Records that survive a restart, oldest first."""

    def read(self) -> list[dict[str, Any]]:
        """Return all records. Raises OSError."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Keep one more; it is safe when this returns. Raises OSError."""

    def rewrite(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Put these in the place of all: at once or not at all. Raises OSError."""


class JsonLines:
    """A journal in a file, one JSON object a line, readable by its owner only.

    A line that a crash tore off at the end is left out, and so is never built upon.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def read(self) -> list[dict[str, Any]]:
        """Return all records. Raises OSError."""
        with self._lock:
            return self._read()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a line and wait until the disk has it. Raises OSError."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(handle, "r+b") as file:
                end = file.seek(0, os.SEEK_END)
                if end and not self._ends_whole(file, end):
                    end = self._whole(file)
                file.seek(end)
                file.truncate()
                file.write(line)
                file.flush()
                os.fsync(file.fileno())

    def rewrite(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write another file and put it in the place of this one. Raises OSError."""
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(self._path.suffix + ".new")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                for record in records:
                    file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)

    def _read(self) -> list[dict[str, Any]]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        found = []
        for line in data.split(b"\n")[:-1]:
            try:
                record = json.loads(line)
            except ValueError:
                continue  # damaged by the disk: the lines around it still count
            if isinstance(record, dict):
                found.append(record)
        return found

    @staticmethod
    def _ends_whole(file: Any, end: int) -> bool:
        file.seek(end - 1)
        return bool(file.read(1) == b"\n")

    @staticmethod
    def _whole(file: Any) -> int:
        """Return where the last whole line ends."""
        file.seek(0)
        return int(file.read().rfind(b"\n") + 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a key. It holds no personal data: the write only as its digest."""

    digest: str
    done: bool = False
    reference: str = ""
    before: str = ""
    """What the connector noted of the order before it sent: to see later whether it changed."""


class Ledger:
    """Keys of writes, in memory and, with a journal, on disk.

    Methods block for a disk's write: call them in a worker thread when there is a journal.
    """

    def __init__(self, journal: Journal | None = None, *, kept: int = KEPT) -> None:
        self._journal = journal
        self._kept = kept
        self._entries: dict[str, Entry] = {}
        records = journal.read() if journal else []
        for record in records:
            self._replay(record)
        if journal and len(records) > 2 * kept:
            journal.rewrite(self._record(key, entry) for key, entry in self._entries.items())

    def get(self, key: str) -> Entry | None:
        """Return what is known of a key."""
        return self._entries.get(key)

    def put(self, key: str, entry: Entry) -> None:
        """Remember a key's state. Raises OSError: then nothing is remembered."""
        if self._journal:
            self._journal.append(self._record(key, entry))
        self._keep(key, entry)

    def forget(self, key: str) -> None:
        """Drop a key whose write surely did not happen. Raises OSError."""
        if self._journal and key in self._entries:
            self._journal.append({"key": key})
        self._entries.pop(key, None)

    def _keep(self, key: str, entry: Entry) -> None:
        self._entries.pop(key, None)
        self._entries[key] = entry
        while len(self._entries) > self._kept:
            self._entries.pop(next(iter(self._entries)))

    def _replay(self, record: Mapping[str, Any]) -> None:
        key, digest = record.get("key"), record.get("digest")
        if not isinstance(key, str):
            return
        if not isinstance(digest, str):
            self._entries.pop(key, None)
            return
        self._keep(
            key,
            Entry(
                digest,
                record.get("done") is True,
                str(record.get("reference", "")),
                str(record.get("before", "")),
            ),
        )

    @staticmethod
    def _record(key: str, entry: Entry) -> dict[str, Any]:
        return {
            "key": key,
            "digest": entry.digest,
            "done": entry.done,
            "reference": entry.reference,
            "before": entry.before,
        }


class Locks:
    """One lock a name, kept only while somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of a name; cancelled while waiting, it was never held."""
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[name]
            if users == 1:
                del self._locks[name]
            else:
                self._locks[name] = (lock, users - 1)
