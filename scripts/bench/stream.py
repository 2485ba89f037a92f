"""Push a show to a real nginx-rtmp and record it; kill the server half-way and see it come back.

    .venv/bin/python -m scripts.bench.stream [--minutes 10] [--portrait] [--out build/bench]

The show's voice beeps while its mouth is open, so that lips and voice can be compared in what
arrived (``lips_and_voice.py``).  Needs Debian's chromium, ffmpeg, nginx and libnginx-mod-rtmp.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from scripts.bench.lips_and_voice import measure, packet_times
from scripts.bench.tables import print_table, write_json
from tests.fakes.nginx_rtmp import NginxRtmp
from tests.live.out.beeping import beeping
from voice_server.live.out.output import Look
from voice_server.live.out.target import Record, parse_push

AWAY_S = 5.0
"""The server is away so long."""
SETTLE_S = 10.0
"""Processes begin; their work is not counted."""
PART_S = 30.0
"""Lips and voice are compared in the first and last so many seconds."""
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> dict[str, float]:
    """Return what this process and each kind of its children have used."""
    parents: dict[int, list[int]] = {}
    used: dict[int, tuple[str, float]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        rest = text[text.rindex(")") + 2 :].split()
        pid = int(entry.name)
        name = text[text.index("(") + 1 : text.rindex(")")]
        used[pid] = (name, (int(rest[11]) + int(rest[12])) / TICKS)
        parents.setdefault(int(rest[1]), []).append(pid)
    found = {"server": used[os.getpid()][1], "browser": 0.0, "ffmpeg": 0.0, "nginx": 0.0}
    waiting = list(parents.get(os.getpid(), []))
    while waiting:
        pid = waiting.pop()
        waiting += parents.get(pid, [])
        name, seconds = used[pid]
        kind = name if name in ("ffmpeg", "nginx") else "browser"
        found[kind] += seconds
    return found


async def run(minutes: float, layout: str, folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """Push and record; returns what the processes used and what the server and we have."""
    nginx = NginxRtmp(folder / "nginx")
    await nginx.start()
    record = Record(folder / "show.mp4")
    row: dict[str, Any] = {}
    async with beeping(folder) as show:
        show.output.start(parse_push(f"{nginx.address}/a-key"), Look(layout, "fr", "fr"))
        show.output.start(record, Look(layout, "fr", "fr"))
        await asyncio.sleep(SETTLE_S)
        before, began = cpu_seconds(), time.monotonic()
        await asyncio.sleep(minutes * 30)
        # Children that end take what they used with them: the first half is what is measured.
        after, took = cpu_seconds(), time.monotonic() - began
        row = {f"cores {k}": round((after[k] - before[k]) / took, 2) for k in before}
        row["cores"] = round(sum(v for k, v in row.items() if k != "cores nginx"), 2)
        await nginx.kill()
        await asyncio.sleep(AWAY_S)
        alarms = [alarm.words for alarm in show.session.alarms.standing]
        await nginx.start()
        back = time.monotonic()
        for _ in range(600):
            if not show.session.alarms.standing:
                break
            await asyncio.sleep(0.1)
        row["back after s"] = round(time.monotonic() - back, 1)
        row["alarm"] = "; ".join(alarms)
        await asyncio.sleep(minutes * 30)
        report = show.output.report()
        pictures = report["pictures"]
        row |= pictures if isinstance(pictures, dict) else {}
        row["late"] = report["late"]
        row["alarms left"] = len(show.session.alarms.standing)
    await asyncio.sleep(1.0)
    await nginx.kill()
    return row, [record.whole, *nginx.taken()]


def judge(path: Path) -> dict[str, Any]:
    """Return pictures a second, holes, and how far lips and voice are apart at both ends."""
    times = packet_times(path)
    steps = np.diff(times) * 1000
    row: dict[str, Any] = {
        "file": path.name.split("-")[0] if path.suffix == ".flv" else path.name,
        "seconds": round(float(times[-1] - times[0]), 1),
        "fps": round((len(times) - 1) / float(times[-1] - times[0]), 3),
        "longest step ms": round(float(steps.max())),
    }
    length = min(PART_S, float(times[-1]) / 2)
    for name, begin in (("start", float(times[0])), ("end", float(times[-1]) - length)):
        apart = measure(path, begin, length)
        row[f"{name} ms"] = round(apart.middle_ms, 1)
        row[f"{name} beeps"] = apart.beeps
    return row


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--portrait", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    args = parser.parse_args()
    layout = "portrait" if args.portrait else "landscape"
    with tempfile.TemporaryDirectory() as folder:
        used, paths = asyncio.run(run(args.minutes, layout, Path(folder)))
        print_table([used])
        rows = [judge(path) for path in paths]
        print_table(rows)
    write_json(args.out / "stream.json", "stream", [used, *rows])


if __name__ == "__main__":
    main()
