"""One ffmpeg that takes the show's packets somewhere, and comes back when it failed.

Deadlines: ffmpeg that takes no bytes for WRITE_S is killed and begun anew; one that does not end
CLOSE_S after its input did is killed.  While it is away packets are left out, counted, and it
begins again with a key frame, after 1, 2, 4 ... 30 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import re
import shutil
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from voice_server.live.out.matroska import VIDEO, Packet, Picture, cluster, header
from voice_server.live.out.programme import RATE
from voice_server.live.out.target import OutError, Record, Target, piped

log = logging.getLogger(__name__)

FPS = 25
WRITE_S = 10.0
CLOSE_S = 15.0
CHECK_S = 5.0
WAITING_S = 4.0
"""Packets that wait for ffmpeg: a platform's hiccup is made up for, a longer one is a gap. Beyond
it all that waits is left out up to the next key frame: a stream that lags never catches up."""
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
STEADY_S = 30.0
FINALISE_S = 600.0
FFMPEG = "ffmpeg"
_OF_PART = re.compile(r"^\[\w+ @ 0x[0-9a-f]+\] ")
"""What ffmpeg puts before a line of one of its parts."""


@dataclass(frozen=True, slots=True)
class OutletState:
    """How an outlet is doing, for the console."""

    kind: str
    what: str
    status: str = "starting"
    """"starting", "live", "waiting" (failed, tries again), "failed" (does not), "closed"."""
    since: float = 0.0
    """Unix seconds of this status."""
    fps: float = 0.0
    kbit_s: float = 0.0
    frames: int = 0
    """Pictures that arrived there."""
    dropped: int = 0
    """Pictures that were left out."""
    restarts: int = 0
    error: str = ""
    """The last one."""


class Outlet:
    """Takes packets to one target until it is closed."""

    def __init__(
        self,
        target: Target,
        *,
        on_state: Callable[[OutletState], None] = lambda state: None,
        want_key: Callable[[], None] = lambda: None,
    ) -> None:
        """``want_key`` asks the encoder for a key frame."""
        self.target = target
        self.state = OutletState(target.kind, target.what, since=time.time())
        self._on_state = on_state
        self._want_key = want_key
        self._picture: Picture | None = None
        self._waiting: deque[Packet] = deque()
        self._ready = asyncio.Event()
        self._running = False
        self._taking = False
        self._closing = False
        self._ended = asyncio.Event()

    def configure(self, picture: Picture) -> None:
        """Pictures have this form from now on; another form needs another ffmpeg."""
        if self._picture not in (None, picture):
            self._taking = False
        self._picture = picture
        self._ready.set()

    def put(self, packets: Sequence[Packet]) -> None:
        """Queue packets, or leave them out."""
        for packet in packets:
            if not self._taking and not self._closing and self._wanted(packet):
                self._taking = True
            if self._taking:
                self._waiting.append(packet)
            else:
                self._drop(packet)
        if self._waiting and self._waiting[-1].at_ms - self._waiting[0].at_ms > WAITING_S * 1000:
            for packet in self._waiting:
                self._drop(packet)
            self._waiting.clear()
            self._taking = False
            self._want_key()
        self._ready.set()

    def _wanted(self, packet: Packet) -> bool:
        return self._running and packet.track == VIDEO and packet.key

    def _drop(self, packet: Packet) -> None:
        if packet.track == VIDEO and (self.state.frames or self.state.error):
            self.state = replace(self.state, dropped=self.state.dropped + 1)

    async def run(self) -> None:
        """Run until :meth:`close`, or until it is hopeless; then a recording is finished."""
        wait = FIRST_WAIT_S
        try:
            while not self._closing:
                began = time.monotonic()
                words = await self._once()
                if self._closing:
                    break
                if words and self.target.hopeless(words):
                    self._set("failed", words)
                    return
                wait = FIRST_WAIT_S if time.monotonic() - began > STEADY_S else wait
                self._set("waiting", words or "ffmpeg ended by itself")
                log.warning("%s: %s; again in %.0f s", self.target.what, self.state.error, wait)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait * random.uniform(0.5, 1.0)):  # noqa: S311
                        await self._ended.wait()
                wait = min(2 * wait, LONGEST_WAIT_S)
                self.state = replace(self.state, restarts=self.state.restarts + 1)
            self._set("closed")
        except OutError as error:
            self._set("failed", str(error))

    def close(self) -> None:
        """What waits still goes out, then it ends."""
        self._closing = True
        self._ended.set()
        self._ready.set()

    # ------------------------------------------------------------------ one ffmpeg

    async def _once(self) -> str:
        """Run one ffmpeg to its end; returns its last words. Raises OutError."""
        arguments, preset = self.target.open()
        while self._picture is None and not self._closing:
            self._ready.clear()
            await self._ready.wait()
        if self._picture is None:
            return ""
        picture = self._picture
        said: deque[str] = deque(maxlen=6)
        fault: OutError | None = None
        async with _ffmpeg(arguments, preset) as process:
            self._waiting.clear()
            self._taking, self._running = False, True
            self._want_key()
            listening = asyncio.gather(
                self._hear_progress(process), self._hear_errors(process, said)
            )
            try:
                await self._write(process, picture)
            except OutError as error:
                fault = error
            except (ConnectionError, BrokenPipeError):
                pass  # it ended; its last words say why
            except TimeoutError:
                said.append(f"nothing was taken for {WRITE_S:.0f} s")
                process.kill()
            finally:
                self._running = self._taking = False
                await _end(process)
                await listening
        if isinstance(self.target, Record):
            await finalise(self.target)
        if fault is not None:
            raise fault
        return self._words(process.returncode or 0, said)

    def _words(self, code: int, said: Sequence[str]) -> str:
        if not code and not said:
            return ""
        for line in said:
            if "I/O error" not in line and "Conversion failed" not in line:
                return line
        return said[0] if said else f"ffmpeg ended with code {code}"

    async def _write(self, process: asyncio.subprocess.Process, picture: Picture) -> None:
        stdin = piped(process.stdin)
        stdin.write(header(picture, fps=FPS, rate=RATE))
        check_at = time.monotonic() + CHECK_S
        while process.returncode is None and self._picture == picture:
            if time.monotonic() >= check_at:
                check_at = time.monotonic() + CHECK_S
                self.target.check()
            if self._waiting:
                packets = list(self._waiting)
                self._waiting.clear()
                stdin.write(cluster(packets))
                async with asyncio.timeout(WRITE_S):
                    await stdin.drain()
            elif self._closing:
                return
            else:
                self._ready.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_S):
                        await self._ready.wait()

    async def _hear_progress(self, process: asyncio.subprocess.Process) -> None:
        """Lines of ``-progress``: key=value, a second apart."""
        frames, size, at, base = 0, 0, time.monotonic(), self.state.frames
        found: dict[str, str] = {}
        async for line in _lines(piped(process.stdout)):
            key, _, value = line.partition("=")
            found[key] = value.strip()
            if key != "progress":
                continue
            now = time.monotonic()
            new, bytes_ = _number(found.get("frame")), _number(found.get("total_size"))
            if new and now > at:
                self.state = replace(
                    self.state,
                    frames=base + new,
                    fps=round((new - frames) / (now - at), 2),
                    kbit_s=round(max(0, bytes_ - size) * 8 / 1000 / (now - at), 1),
                )
                self._set("live")
            frames, size, at = new, bytes_, now

    async def _hear_errors(self, process: asyncio.subprocess.Process, said: deque[str]) -> None:
        async for line in _lines(piped(process.stderr)):
            words = _OF_PART.sub("", self.target.clean(line))[:200]
            log.debug("ffmpeg: %s", words)
            if words.strip():
                said.append(words)

    def _set(self, status: str, error: str = "") -> None:
        same = status == self.state.status
        self.state = replace(
            self.state,
            status=status,
            since=self.state.since if same else time.time(),
            error=error or self.state.error,
        )
        if status != "live":
            self.state = replace(self.state, fps=0.0, kbit_s=0.0)
        self._on_state(self.state)


async def finalise(record: Record) -> None:
    """Turn the fragments into a plain MP4 that every editor opens.

    Without space or time for it, and when this is cancelled, they stay fragments under that name.
    """
    part, whole = record.part, record.whole
    if not part.exists() or not part.stat().st_size:
        part.unlink(missing_ok=True)
        return
    ready = part.with_name(part.name.replace(".part.mp4", ".ready.mp4"))
    done = False
    try:
        if shutil.disk_usage(part.parent).free > part.stat().st_size + record.least_free:
            done = await _remux(part, ready)
    finally:
        os.replace(ready if done else part, whole)
        (part if done else ready).unlink(missing_ok=True)
    if not done:
        log.warning("the recording %s stays in fragments, which players take too", whole.name)


async def _remux(part: Path, ready: Path) -> bool:
    """Copy pictures and sound into a plain MP4; returns whether that went well."""
    process = await asyncio.create_subprocess_exec(
        find_ffmpeg(), "-v", "error", "-nostdin", "-y", "-i", str(part), "-map", "0",
        "-c", "copy", "-movflags", "+faststart", "-f", "mp4", str(ready),
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(FINALISE_S):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def find_ffmpeg() -> str:
    """Return where ffmpeg is. Raises OutError."""
    found = shutil.which(FFMPEG)
    if found is None:
        raise OutError("ffmpeg is not installed (Debian: apt-get install ffmpeg)")
    return found


@asynccontextmanager
async def _ffmpeg(
    arguments: Sequence[str], preset: bytes
) -> AsyncIterator[asyncio.subprocess.Process]:
    """An ffmpeg that reads Matroska; a preset goes in by a pipe of its own."""
    command = [
        find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-nostats",
        "-progress", "pipe:1", "-stats_period", "1",
        "-analyzeduration", "0", "-f", "matroska", "-i", "pipe:0",
        "-map", "0:v", "-map", "0:a", "-c:v", "copy",
    ]  # fmt: skip
    handed: list[int] = []
    if preset:
        reading, writing = os.pipe()
        os.write(writing, preset)  # far below what a pipe holds
        os.close(writing)
        handed = [reading]
        command += ["-fpre", f"/dev/fd/{reading}"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=handed,
            start_new_session=True,  # Ctrl-C is for us: we end it in order
        )  # fmt: skip
    except OSError as error:
        raise OutError(f"ffmpeg cannot be started: {error.strerror}") from None
    finally:
        for number in handed:
            os.close(number)
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Its input ends; it finishes what it writes."""
    piped(process.stdin).close()
    try:
        async with asyncio.timeout(CLOSE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the reader's limit: nothing of ours is
            continue
        if not line:
            return
        yield line.decode("utf-8", "replace").rstrip()


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def default_file(folder: Path, show: str, now: time.struct_time) -> Path:
    """Return where a recording of a show goes when nobody said so."""
    return folder / f"{show}-{time.strftime('%Y-%m-%d-%H%M%S', now)}.mp4"
