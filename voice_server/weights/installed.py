"""What is on disk already, and whether it is what it should be.

Hashing a gigabyte takes seconds, so a verified file is remembered in a stamp beside it (size and
modification time, with the sha256 it had). A changed file or description voids its stamp.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voice_server.weights.files import sha256_of
from voice_server.weights.manifest import Entry, WeightFile

STAMP = ".verified.json"


def missing_files(folder: Path, entry: Entry, *, rehash: bool = False) -> list[WeightFile]:
    """Return the files of an entry that are absent or not what the description says.

    Files without a valid stamp are hashed, and the stamp renewed.

    Args:
        folder: the entry's folder.
        entry: its description.
        rehash: trust no stamp.
    """
    old = {} if rehash else _read_stamp(folder)
    new: dict[str, Any] = {}
    missing = []
    for file in entry.files:
        seen = _look(folder / file.path, file)
        if seen is not None and (old.get(file.path) == seen or _matches(folder, file)):
            new[file.path] = seen
        else:
            missing.append(file)
    if new != old:
        _write_stamp(folder, new)
    return missing


def _look(path: Path, file: WeightFile) -> dict[str, Any] | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if found.st_size != file.size:
        return None
    return {"size": file.size, "mtime_ns": found.st_mtime_ns, "sha256": file.sha256}


def _matches(folder: Path, file: WeightFile) -> bool:
    return sha256_of(folder / file.path) == file.sha256


def _read_stamp(folder: Path) -> dict[str, Any]:
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # no stamp, or a damaged one: the files are hashed again
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(folder: Path, stamp: dict[str, Any]) -> None:
    draft = folder / f"{STAMP}.tmp"
    try:
        draft.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        draft.replace(folder / STAMP)
    except OSError:
        # A shared folder may be read-only, an absent one has nothing to remember: the stamp only
        # saves time.
        return
