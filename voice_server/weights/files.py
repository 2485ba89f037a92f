"""Files on disk: hashing, joining, atomic moves, the lock. What takes long belongs in a thread."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK = 1 << 20
"""Bytes moved at a time: large enough that Python's overhead vanishes beside hashing."""


class DiskFull(Exception):
    """There is no room for the weights; the message says how much is needed and where."""


def sha256_of(path: Path) -> str:
    """Return the file's sha256 in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of(path: Path) -> int:
    """Return the file's bytes; 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def drop(path: Path) -> None:
    """Delete the file if it is there."""
    path.unlink(missing_ok=True)


def join_parts(parts: Iterable[Path], target: Path) -> None:
    """Append the parts to ``target`` in order, deleting each when its bytes are in.

    So the disk never holds more than the file and one part. An interrupted join leaves no
    ``target`` that could be taken for whole: the caller joins into a temporary name.
    """
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, out, CHUNK)
            part.unlink()


def install(source: Path, target: Path) -> None:
    """Move a finished file to its place, atomically and surely (it is synced first)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(target)


def require_space(folder: Path, needed: int) -> None:
    """Check that ``needed`` bytes fit beside what is there.

    Raises:
        DiskFull: they do not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise disk_full(folder, needed)


def disk_full(folder: Path, needed: int) -> DiskFull:
    """Return the error that tells an operator how much room is missing where."""
    free = shutil.disk_usage(folder).free
    return DiskFull(
        f"the disk that holds {folder} is too full: about {megabytes(needed)} more are needed, "
        f"{megabytes(free)} are free. Make room, or choose another folder with --models."
    )


def is_disk_full(error: OSError) -> bool:
    """Tell whether an error means that the disk or the quota is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def megabytes(count: int) -> str:
    """Return bytes as people read them, in units of a million: ``279 MB``."""
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def folder_size(folder: Path) -> int:
    """Bytes of all files below ``folder``; files that vanish meanwhile count nothing."""
    total = 0
    for path in _walk(folder):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _walk(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)


class LockBusy(Exception):
    """Another process is fetching into the same folder."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one fetching process at a time. The system frees it at our death.

    Raises:
        LockBusy: somebody else holds it; try again later.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockBusy(str(folder)) from None
        yield
