"""The reports of shows that are over, as files. No viewer is named in them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from voice_server.live.run_sheet import SLUG

log = logging.getLogger(__name__)

KEPT = 60
"""Reports of one show; the oldest go. Two months of a daily show."""


class ReportStore:
    """Keeps reports by show. Every method reads or writes files: call in a thread."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made with the first report."""
        self._folder = folder

    def save(self, show_id: str, report: Mapping[str, Any]) -> str:
        """Keep a report (see ``ShowReport.document``); return its name. Raises OSError."""
        name = f"{int(report['ended_at'] * 1000):014d}"
        folder = self._folder / show_id
        folder.mkdir(parents=True, exist_ok=True)
        saving = folder / f".{name}"
        saving.write_bytes(orjson.dumps(report))
        os.replace(saving, folder / f"{name}.json")
        for old in self._names(show_id)[:-KEPT]:
            (folder / f"{old}.json").unlink(missing_ok=True)
        return name

    def all(self, show_id: str) -> list[dict[str, Any]]:
        """Return name, time, length and counts of every report of a show, newest first."""
        found = []
        for name in reversed(self._names(show_id)):
            report = self.get(show_id, name)
            if report is not None:
                keys = ("began_at", "ended_at", "seconds", "questions", "answered")
                found.append({"name": name, **{key: report.get(key) for key in keys}})
        return found

    def get(self, show_id: str, name: str) -> dict[str, Any] | None:
        """Return a report, None when there is none of that name or its file is damaged."""
        if name not in self._names(show_id):
            return None
        try:
            report = orjson.loads((self._folder / show_id / f"{name}.json").read_bytes())
        except (OSError, ValueError) as error:
            log.error("the report %s of %s cannot be read: %s", name, show_id, error)
            return None
        return report if isinstance(report, dict) else None

    def _names(self, show_id: str) -> list[str]:
        folder = self._folder / show_id
        if not SLUG.fullmatch(show_id) or not folder.is_dir():
            return []
        return sorted(path.stem for path in folder.glob("[0-9]*.json"))
