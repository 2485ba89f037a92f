"""Voice to voice: plays questions in real time and says where every millisecond went.

For each language model (none: answers from facts; fake: fixed speed; embedded) a server is started,
and each question is asked over the websocket as a shopper's button would.  "v2v" runs from the last
voiced sample of the question to the first audible sample of the answer at the client; the segments
are the server's and add up to the time until the first audio was sent.

    .venv/bin/python scripts/bench/latency.py --llm none fake embedded --json out/latency.json
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.client import RATE, Caller, Samples, Turn
from scripts.bench.fake_llm import running_fake_llm
from scripts.bench.questions import LONG_TAIL, prepare
from scripts.bench.server import Server, running
from scripts.bench.tables import percentile, print_table, write_json

SEGMENTS = ("end_of_turn_ms", "transcript_ms", "clause_ms", "audio_ms", "send_ms")
ANSWER_S = 30.0


def load(path: Path) -> Samples:
    """Return a sound file as int16 mono at the session's rate."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(audio.mean(axis=1), rate, RATE)
    return np.asarray(np.clip(mono, -1, 1) * 32767, np.int16)


async def ask(caller: Caller, question: Samples) -> Turn:
    """Ask and wait until the answer has been given."""
    turn = caller.say(question)
    async with asyncio.timeout(ANSWER_S + question.size / RATE):
        await turn.done.wait()
    await asyncio.sleep(max(0.0, turn.heard.plays_until - time.monotonic()) + 0.5)
    return turn


async def barge_in(caller: Caller, question: Samples, remark: Samples) -> float | None:
    """Interrupt an answer; return ms from the remark's first voiced to the last audible sample."""
    turn = caller.say(question)
    async with asyncio.timeout(ANSWER_S):
        await turn.started.wait()
    await asyncio.sleep(0.7)
    old = turn
    loud = np.flatnonzero(np.abs(remark.astype(np.int32)) > 0.02 * 32767)
    caller._pending = remark
    began = time.monotonic() + float(loud[0]) / RATE
    await asyncio.sleep(remark.size / RATE + 1.0)
    if old.status != "cancelled" or old.heard.last_audible is None:
        return None
    caller.turn = Turn()
    async with asyncio.timeout(ANSWER_S):
        await caller.turn.done.wait()
    return (old.heard.last_audible - began) * 1000


async def measure(
    server: Server, files: dict[str, list[Path]], rounds: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a row for each turn, and one for each barge-in."""
    rows: list[dict[str, Any]] = []
    for language, paths in files.items():
        for round_ in range(rounds):
            async with Caller.connected(server.url) as caller:
                await asyncio.sleep(0.5)
                for path in paths:
                    turn = await ask(caller, load(path))
                    if round_ or rounds == 1:
                        rows.append(_row(language, path, turn))
    return rows, []


def _row(language: str, path: Path, turn: Turn) -> dict[str, Any]:
    first = turn.timings[0] if turn.timings else {}
    content = next((t for t in turn.timings if t["first_kind"] == "content"), {})
    return {
        "language": language,
        "question": path.stem,
        "transcript": turn.transcript,
        "answer": turn.answer,
        "sources": turn.sources,
        "v2v_ms": turn.voice_to_voice_ms,
        "content_ms": sum(content[s] for s in SEGMENTS) if content else None,
        "kind": first.get("first_kind", ""),
        "speculative": first.get("speculative"),
        "final_ms": None
        if turn.transcript_at is None
        else (turn.transcript_at - turn.spoken) * 1000,
        **{segment: first.get(segment) for segment in SEGMENTS},
    }


def summary(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the percentiles of one configuration."""
    result: dict[str, Any] = {"llm": name, "turns": len(rows)}
    for column in ("v2v_ms", "content_ms", "final_ms", *SEGMENTS):
        values = [row[column] for row in rows if row[column] is not None]
        result[f"{column.removesuffix('_ms')} p50"] = percentile(values, 50)
        result[f"{column.removesuffix('_ms')} p95"] = percentile(values, 95)
    return result


async def barge_ins(server: Server, paths: list[Path], remark: Path, count: int) -> list[float]:
    """Interrupt ``count`` answers."""
    values = []
    for number in range(count):
        async with Caller.connected(server.url) as caller:
            await asyncio.sleep(0.3)
            value = await barge_in(caller, load(paths[number % len(paths)]), load(remark))
            if value is not None:
                values.append(value)
    return values


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--llm", nargs="+", default=["none"], choices=["none", "fake", "embedded"])
    parser.add_argument("--language", nargs="+", default=["fr", "nl", "de", "en"])
    parser.add_argument("--rounds", type=int, default=2, help="the first one only warms up")
    parser.add_argument("--barge-ins", type=int, default=0, help="answers to interrupt")
    parser.add_argument("--data", type=Path, help="data folder (keeps the phrase cache warm)")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--verbose", action="store_true", help="print every turn")
    args = parser.parse_args()
    files = asyncio.run(prepare(tuple(args.language)))
    table, turns = [], []
    for name in args.llm:
        wanted = {
            language: [p for p in paths if (p.stem in LONG_TAIL) == (name != "none")]
            for language, paths in files.items()
        }
        with running_fake_llm(name == "fake") as address:
            option = address if name == "fake" else name
            with running("--llm", option, data=args.data) as server:
                if name == "embedded":
                    _wait_for_model(server)
                rows, _ = asyncio.run(measure(server, wanted, args.rounds))
                result = summary(name, rows) | {
                    "start_s": round(server.ready_s, 1),
                    "rss_mb": server.memory_mb(),
                }
                if args.barge_ins:
                    first = [paths[0] for paths in wanted.values()]
                    remark = files[args.language[0]][1]
                    stops = asyncio.run(barge_ins(server, first, remark, args.barge_ins))
                    result |= {
                        "barge-ins": len(stops),
                        "barge-in p50": percentile(stops, 50),
                        "barge-in p95": percentile(stops, 95),
                    }
        table.append(result)
        turns += [{"llm": name} | row for row in rows]
        if args.verbose:
            for row in rows:
                print(f"{row['language']} {row['v2v_ms'] or 0:6.0f} ms {row['kind']:<8}"
                      f" {row['transcript']!r} -> {row['answer']!r}")  # fmt: skip
    print_table([{"what": key, **{r["llm"]: r.get(key, "") for r in table}} for key in table[0]])
    if args.json:
        write_json(args.json, "latency", [{"summary": table, "turns": turns}])


def _wait_for_model(server: Server) -> None:
    import json
    import urllib.request

    for _ in range(600):
        url = f"http://127.0.0.1:{server.port}/readyz"
        with urllib.request.urlopen(url, timeout=5) as answer:
            if json.load(answer).get("language_model") == "ready":
                return
        time.sleep(0.5)
    raise SystemExit("the language model did not become ready")


if __name__ == "__main__":
    main()
