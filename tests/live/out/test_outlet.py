"""One way out, with a real ffmpeg and a real nginx-rtmp: killed, silent, full, and back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.nginx_rtmp import NginxRtmp, available
from tests.live.out.pictures import film, part
from voice_server.live.out import outlet as module
from voice_server.live.out.outlet import Outlet, OutletState
from voice_server.live.out.target import Record, Target, parse_push

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]
needs_nginx = pytest.mark.skipif(not available(), reason="nginx-rtmp is not installed")
SPEED = 5.0
"""Seconds of film in one of the test."""
KEY = "se-cret-key"


class Sending:
    """An outlet that gets an endless film."""

    def __init__(self, target: Target) -> None:
        self.states: list[OutletState] = []
        self.outlet = Outlet(target, on_state=self.states.append)
        self.task = asyncio.ensure_future(self.outlet.run())
        self._film = asyncio.ensure_future(self._send())

    async def _send(self) -> None:
        self.outlet.configure(film()[0])
        for second in range(10_000):
            self.outlet.put(part(second))
            await asyncio.sleep(1 / SPEED)

    async def until(self, holds: Callable[[OutletState], bool], seconds: float = 60.0) -> None:
        ends = time.monotonic() + seconds
        while not holds(self.outlet.state):
            assert time.monotonic() < ends, self.outlet.state
            await asyncio.sleep(0.05)

    async def end(self) -> None:
        self._film.cancel()
        self.outlet.close()
        async with asyncio.timeout(20):
            await self.task


@asynccontextmanager
async def sending(target: Target) -> AsyncIterator[Sending]:
    film_run = Sending(target)
    try:
        yield film_run
    finally:
        await film_run.end()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def frames(path: Path, *, cut: bool = False) -> int:
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v",
         "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(path)],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert cut or out.stderr == ""
    return int(out.stdout.strip().strip(","))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.2)
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.5)


@needs_nginx
async def test_a_killed_server_is_found_again(
    tmp_path: Path, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    nginx = NginxRtmp(tmp_path / "nginx")
    await nginx.start()
    try:
        async with sending(parse_push(f"{nginx.address}/{KEY}")) as sent:
            await sent.until(lambda state: state.status == "live" and state.frames > 50)
            shown = run("ps", "axww")
            assert nginx.address in shown.stdout
            assert KEY not in shown.stdout
            await nginx.kill()
            await sent.until(lambda state: state.restarts >= 2)
            assert "Connection refused" in sent.outlet.state.error
            before = sent.outlet.state.frames
            await nginx.start()
            await sent.until(lambda s: s.status == "live" and s.frames > before + 50)
            assert sent.outlet.state.dropped > 0
    finally:
        await asyncio.sleep(0.2)
        await nginx.kill()
    first, second = nginx.taken()
    assert KEY in first.name  # the key did arrive
    assert frames(first) > 50
    assert frames(second) > 50
    assert all(KEY not in repr(state) for state in sent.states)
    assert KEY not in caplog.text


async def test_a_server_that_takes_nothing_is_left(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_S", 0.5)
    monkeypatch.setattr(module, "CLOSE_S", 0.3)

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with sending(parse_push(f"rtmp://127.0.0.1:{port}/live/{KEY}")) as sent:
        # ffmpeg takes what its pipe holds, then nothing.
        await sent.until(lambda state: state.restarts >= 1)
        assert "nothing was taken" in sent.outlet.state.error
        assert len(sent.outlet._waiting) < 25 * 2 * 10
    server.close()


async def test_a_recording_is_whole_at_its_end(tmp_path: Path) -> None:
    record = Record(tmp_path / "show.mp4", least_free=0)
    async with sending(record) as sent:
        await sent.until(lambda state: state.frames > 100)
        part_now = tmp_path / "show.part.mp4"
        copy = tmp_path / "copy.mp4"
        for _ in range(50):
            copy.write_bytes(part_now.read_bytes())  # as a crash would leave it
            with contextlib.suppress(subprocess.CalledProcessError):
                if frames(copy, cut=True) > 25:
                    break
            await asyncio.sleep(0.1)
        assert frames(copy, cut=True) > 25
    assert names(tmp_path) == ["copy.mp4", "show.mp4"]
    assert frames(record.whole) == sent.outlet.state.frames
    head = record.whole.read_bytes()[:2048]
    assert b"moov" in head  # at the front, and in one piece
    assert b"moof" not in record.whole.read_bytes()
    assert sent.outlet.state.status == "closed"


async def test_a_recording_whose_ffmpeg_dies_goes_on_in_another_file(
    tmp_path: Path, quick: None
) -> None:
    async with sending(Record(tmp_path / "show.mp4", least_free=0)) as sent:
        await sent.until(lambda state: state.frames > 150)
        found = run("pgrep", "-f", str(tmp_path / "show.part.mp4"))
        os.kill(int(found.stdout.split()[0]), 9)
        await sent.until(lambda state: state.restarts == 1 and state.status == "live")
    assert names(tmp_path) == ["show-2.mp4", "show.mp4"]
    assert frames(tmp_path / "show.mp4") > 20
    assert frames(tmp_path / "show-2.mp4") > 0


async def test_a_disk_that_fills_ends_the_recording_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_S", 0.1)
    record = Record(tmp_path / "show.mp4", least_free=0)
    async with sending(record) as sent:
        await sent.until(lambda state: state.frames > 50)
        record.least_free = 1 << 62
        await sent.until(lambda state: state.status == "failed")
        assert "nearly full" in sent.outlet.state.error
        assert sent.task.done()
    assert frames(tmp_path / "show.mp4") > 25


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
async def test_a_disk_that_is_full_ends_the_recording_and_keeps_it(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if run("mount", "-t", "tmpfs", "-o", "size=400k", "none", str(disk)).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        async with sending(Record(disk / "show.mp4", least_free=0)) as sent:
            await sent.until(lambda state: state.status == "failed")
            assert "No space left" in sent.outlet.state.error
        assert names(disk) == ["show.mp4"]
    finally:
        run("umount", str(disk))


async def test_without_ffmpeg_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FFMPEG", "no-such-ffmpeg")
    async with sending(Record(tmp_path / "show.mp4", least_free=0)) as sent:
        await sent.until(lambda state: state.status == "failed")
        assert "apt-get install ffmpeg" in sent.outlet.state.error


async def test_an_outlet_that_lags_begins_anew_with_a_key_frame() -> None:
    asked = []
    outlet = Outlet(parse_push("rtmp://a/b/c"), want_key=lambda: asked.append(True))
    outlet.configure(film()[0])
    outlet._running = True
    begins = set()
    for second in range(20):
        outlet.put(part(second))
        if waiting := list(outlet._waiting):
            assert waiting[-1].at_ms - waiting[0].at_ms <= module.WAITING_S * 1000
            assert waiting[0].key
            begins.add(waiting[0].at_ms)
    assert len(begins) > 2
    assert asked
