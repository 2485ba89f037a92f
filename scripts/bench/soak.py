"""Hours of talk in minutes: sessions that ask without end, and what the server's memory does.

Every session asks a question in real time, hears the answer out, thinks for a few seconds, asks
the next, and hangs up after some turns to call again.  Memory is read every ``--every`` seconds.

    .venv/bin/python scripts/bench/soak.py --sessions 8 --minutes 20 --json out/soak.json
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.client import Caller
from scripts.bench.latency import ask, load
from scripts.bench.questions import LONG_TAIL, prepare
from scripts.bench.server import Server, running
from scripts.bench.tables import percentile, print_table, write_json

TURNS_A_CALL = 6
THINKING_S = (1.0, 6.0)


async def caller(
    server: Server, files: dict[str, list[Path]], rng: random.Random, until: float
) -> list[dict[str, Any]]:
    """Call again and again until the time is up; return what became of each turn."""
    turns: list[dict[str, Any]] = []
    while time.monotonic() < until:
        language = rng.choice(sorted(files))
        async with Caller.connected(server.url) as line:
            for _ in range(TURNS_A_CALL):
                if time.monotonic() > until:
                    break
                await asyncio.sleep(rng.uniform(*THINKING_S))
                path = rng.choice(files[language])
                try:
                    turn = await ask(line, load(path))
                except TimeoutError:
                    print(f"no answer to {language}/{path.stem} ({time.ctime()}); since it began:")
                    print("\n".join(line.log), flush=True)
                    turns.append({"language": language, "v2v_ms": None, "failed": True})
                    break
                turns.append(
                    {
                        "language": language,
                        "v2v_ms": turn.voice_to_voice_ms,
                        "failed": turn.status != "completed",
                        "status": turn.status,
                    }
                )
    return turns


async def soak(
    server: Server, files: dict[str, list[Path]], options: argparse.Namespace
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run the sessions; return the turns and the memory readings."""
    began = time.monotonic()
    until = began + 60 * options.minutes
    readings: list[dict[str, Any]] = []

    async def watch() -> None:
        while True:
            minute = round((time.monotonic() - began) / 60, 1)
            readings.append({"minute": minute, "rss_mb": server.memory_mb()})
            print(f"{minute:5.1f} min  {readings[-1]['rss_mb']} MB", flush=True)
            await asyncio.sleep(options.every)

    watching = asyncio.create_task(watch())
    try:
        calls = [
            caller(server, files, random.Random(number), until)  # noqa: S311 - a load, no secret
            for number in range(options.sessions)
        ]
        turns = [turn for found in await asyncio.gather(*calls) for turn in found]
    finally:
        watching.cancel()
    await asyncio.sleep(15.0)  # the server gives memory back when all have gone
    readings.append({"minute": "after", "rss_mb": server.memory_mb()})
    return turns, readings


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between readings")
    parser.add_argument("--language", nargs="+", default=["fr", "nl", "de", "en"])
    parser.add_argument("--llm", default="none")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = {
        language: [path for path in paths if path.stem not in LONG_TAIL]
        for language, paths in asyncio.run(prepare(tuple(options.language))).items()
    }
    with running("--llm", options.llm) as server:
        turns, readings = asyncio.run(soak(server, files, options))
    heard = [turn["v2v_ms"] for turn in turns if turn["v2v_ms"] is not None]
    statuses = Counter(turn.get("status", "no answer") for turn in turns)
    summary = {
        "sessions": options.sessions,
        "minutes": options.minutes,
        "turns": len(turns),
        "failed": sum(turn["failed"] for turn in turns),
        "statuses": " ".join(f"{name}:{count}" for name, count in statuses.items()),
        "v2v_p50": percentile(heard, 50),
        "v2v_p95": percentile(heard, 95),
        "rss_first_mb": readings[0]["rss_mb"],
        "rss_last_mb": readings[-2]["rss_mb"],
        "rss_after_mb": readings[-1]["rss_mb"],
    }
    print_table([{"what": key, "value": value} for key, value in summary.items()])
    if options.json:
        write_json(options.json, "soak", [{"summary": summary, "memory": readings}])


if __name__ == "__main__":
    main()
