"""A shop's run-sheets as they were edited: every save is a version, and none is lost.

``<folder>/<id>/000007.json`` is version 7 of a run-sheet: its table (as in TOML), when it was
saved, and None in the table's place when it was removed.  A version is written beside its place
and linked into it, so that a crash leaves the old one and two savers cannot both be the seventh.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from voice_server.live.run_sheet import SLUG

log = logging.getLogger(__name__)

KEPT = 100
"""Versions of one run-sheet; the oldest go. An evening of editing makes some dozens."""

Table = Mapping[str, Any]


class Conflict(Exception):
    """Somebody saved meanwhile: nothing was written. ``version`` is theirs."""

    def __init__(self, version: int) -> None:
        """Keep the newest version's number."""
        super().__init__(f"version {version} was saved meanwhile")
        self.version = version


@dataclass(frozen=True, slots=True)
class Version:
    """One save of a run-sheet."""

    number: int
    saved_at: float
    """Unix time in seconds."""
    table: Table | None
    """None: the run-sheet was removed."""


class SheetStore:
    """The edited run-sheets of one shop. Every method reads or writes files: call in a thread."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made with the first save."""
        self._folder = folder

    def ids(self) -> list[str]:
        """Return the ids that were ever saved, also of those that were removed."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if SLUG.fullmatch(path.name))

    def newest(self, ident: str) -> Version | None:
        """Return the last version that can be read, None when it was never saved."""
        for number in reversed(self._numbers(ident)):
            version = self.version(ident, number)
            if version is not None:
                return version
        return None

    def version(self, ident: str, number: int) -> Version | None:
        """Return a version, None when there is none (any more) or its file is damaged."""
        path = self._path(ident, number)
        try:
            found = orjson.loads(path.read_bytes())
            return Version(number, float(found["saved_at"]), found["table"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("run-sheet %s, version %d cannot be read: %s", ident, number, error)
            return None

    def history(self, ident: str) -> list[Version]:
        """Return what can be read, newest first."""
        versions = (self.version(ident, number) for number in reversed(self._numbers(ident)))
        return [version for version in versions if version is not None]

    def save(self, ident: str, table: Table | None, base: int, *, now: float) -> Version:
        """Write the version after ``base`` (0: none was saved yet) at Unix time ``now``.

        Raises Conflict when ``base`` is not the newest, OSError when it cannot be written; what
        was there stays.
        """
        if not SLUG.fullmatch(ident):
            raise ValueError(f"{ident!r} is no id of a run-sheet")
        newest = max(self._numbers(ident), default=0)
        if newest != base:
            raise Conflict(newest)
        version = Version(base + 1, now, table)
        path = self._path(ident, version.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        body = orjson.dumps({"saved_at": now, "table": table}, option=orjson.OPT_INDENT_2)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".saving-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.link(name, path)
        except FileExistsError:
            raise Conflict(version.number) from None
        finally:
            Path(name).unlink(missing_ok=True)
        for number in self._numbers(ident)[:-KEPT]:
            self._path(ident, number).unlink(missing_ok=True)
        return version

    def _numbers(self, ident: str) -> list[int]:
        folder = self._folder / ident
        if not SLUG.fullmatch(ident) or not folder.is_dir():
            return []
        return sorted(int(path.stem) for path in folder.glob("[0-9]*.json") if path.stem.isdigit())

    def _path(self, ident: str, number: int) -> Path:
        return self._folder / ident / f"{number:06d}.json"
