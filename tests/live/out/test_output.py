"""The whole way: our own Chromium draws the show, ffmpeg takes it to nginx and into a file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from scripts.bench.lips_and_voice import measure, packet_times
from tests.fakes.nginx_rtmp import NginxRtmp, available
from tests.live.out.beeping import Beeping, beeping
from voice_server.live.out import camera, outlet
from voice_server.live.out.feed import FeedError
from voice_server.live.out.output import Look, ShowOutput
from voice_server.live.out.target import OutError, Record, parse_push

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio,
    pytest.mark.skipif(
        not available() or shutil.which("ffmpeg") is None, reason="no ffmpeg or no nginx-rtmp"
    ),
]
FR = Look("landscape", "fr", "fr")


async def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it does not happen")


def live(output: ShowOutput, frames: int = 0) -> bool:
    states = output.report()["outlets"]
    assert isinstance(states, list)
    return bool(states) and all(s["status"] == "live" and s["frames"] > frames for s in states)


def late_ms(output: ShowOutput) -> float:
    """How late pictures are on the whole because a busy machine repeated the one before."""
    report = output.report()
    states, pictures = report["outlets"], report["pictures"]
    assert isinstance(states, list)
    assert isinstance(pictures, dict)
    frames = max(state["frames"] for state in states)
    return float(20 * pictures["repeated"] / max(1, frames - pictures["repeated"]))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.mp4"))


def browsers(show: Beeping) -> list[int]:
    """Processes of browsers that draw this show, the first one the browser itself."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if f"{show.base}/stage/demo/feed".encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return sorted(found)


async def test_a_show_is_pushed_and_recorded_in_time(tmp_path: Path) -> None:
    nginx = NginxRtmp(tmp_path / "nginx")
    await nginx.start()
    record = Record(tmp_path / "show.mp4", least_free=0)
    async with beeping(tmp_path) as show:
        push = parse_push(f"{nginx.address}/a-key")
        show.output.start(push, FR)
        show.output.start(record, FR)
        with pytest.raises(OutError, match="already"):
            show.output.start(push, FR)
        await until(lambda: live(show.output, 200))
        assert browsers(show)
        await nginx.kill()
        await until(lambda: any(a.kind == "stream" for a in show.session.alarms.standing))
        await nginx.start()
        await until(lambda: live(show.output) and not show.session.alarms.standing)
        await asyncio.sleep(3)
        allowed = 40 + late_ms(show.output)
        assert await show.output.stop(push.what) == 1
        assert [s["kind"] for s in show.output.report()["outlets"]] == ["record"]  # type: ignore[attr-defined]
        await show.output.close()
        assert show.output.report()["outlets"] == []
    await asyncio.sleep(0.3)
    await nginx.kill()
    assert browsers(show) == []
    before, after = nginx.taken()
    for path in (record.whole, before, after):
        times = packet_times(path)
        assert len(times) > 40
        assert np.ptp(np.diff(times)) < 0.002, "a picture every 40 ms"
        assert abs((len(times) - 1) / (times[-1] - times[0]) - 25) < 0.25
    for path in (record.whole, before):
        assert abs(measure(path, 0.0, packet_times(path)[-1]).middle_ms) <= allowed


async def test_a_browser_that_dies_is_begun_anew(tmp_path: Path) -> None:
    record = Record(tmp_path / "show.mp4", least_free=0)
    async with beeping(tmp_path) as show:
        show.output.start(record, Look("portrait", "nl", ""))
        await until(lambda: live(show.output, 20))
        os.kill(min(browsers(show)), signal.SIGKILL)
        await until(lambda: any(a.what == "the picture" for a in show.session.alarms.standing))
        await until(lambda: not show.session.alarms.standing)
        await asyncio.sleep(2)
    times = packet_times(record.whole)
    steps = np.diff(times)
    assert np.sum(steps > 0.2) == 1, "one hole"
    assert len(times[times > times[np.argmax(steps)]]) > 20
    assert size(record.whole) == "720,1280"


def size(path: Path) -> str:
    command = ["ffprobe", "-v", "error", "-select_streams", "v"]
    command += ["-show_entries", "stream=width,height", "-of", "csv=p=0", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


async def post(show: Beeping, body: object) -> tuple[int, dict[str, object]]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{show.base}/api/live/demo/out", json=body) as response,
    ):
        return response.status, await response.json()


async def test_the_host_starts_and_stops_it(tmp_path: Path) -> None:
    async with beeping(tmp_path) as show:
        wishes: list[object] = [
            [], {}, {"record": "/etc/passwd"}, {"push": "http://a/b/c"}, {"push": 1},
            {"record": True, "push": "rtmp://a/b/c"}, {"record": True, "layout": "round"},
            {"record": True, "captions": "../"},
        ]  # fmt: skip
        for wrong in wishes:
            status, answer = await post(show, wrong)
            assert status == 400
            assert answer["error"]
        status, answer = await post(show, {"record": True, "captions": ""})
        assert status == 202
        assert str(answer["what"]).startswith("demo-")
        await until(lambda: live(show.output, 30))
        async with aiohttp.ClientSession() as http:
            url = f"{show.base}/api/live/demo/out"
            async with http.get(url) as response:
                (state,) = (await response.json())["outlets"]
                assert state["fps"] > 0
            async with http.delete(url, params={"what": "another"}) as response:
                assert (await response.json())["ended"] == 0
            async with http.delete(url) as response:
                assert (await response.json())["ended"] == 1
            async with http.get(f"{show.base}/api/live/none/out") as response:
                assert response.status == 404
    assert names(tmp_path) == [answer["what"]]


async def test_only_our_own_page_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with beeping(tmp_path) as show, aiohttp.ClientSession() as http:
        for token in ("", "x" * 32):
            async with http.get(f"{show.base}/live/demo/feed", params={"token": token}) as answer:
                assert answer.status == 403
        show.output._token = "once"
        page = show.output.join("once", lambda word: None, lambda: None)
        with pytest.raises(FeedError):
            show.output.join("once", lambda word: None, lambda: None)
        with pytest.raises(FeedError):
            show.output.receive(page, b"\2")
        monkeypatch.setattr(camera, "BROWSERS", ("no-such-browser",))
        with pytest.raises(OutError, match="apt-get install chromium"):
            show.output.start(Record(tmp_path / "a.mp4"), FR)
        monkeypatch.setattr(outlet, "FFMPEG", "no-such-ffmpeg")
        with pytest.raises(OutError, match="apt-get install ffmpeg"):
            show.output.start(Record(tmp_path / "a.mp4"), FR)
