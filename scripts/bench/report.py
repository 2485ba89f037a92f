"""Draws the benchmarks' JSON files as one picture (SVG or PNG, by the name's ending).

.venv/bin/python scripts/bench/report.py out/*.json -o out/report.svg
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SEGMENTS = ("end_of_turn", "transcript", "clause", "audio", "send")
COLOURS = ("#5b7083", "#2f6f9f", "#3f9f7f", "#d98032", "#b34a5a")
PEERS = {"pipecat": 2660, "livekit": 2810, "speech-to-speech": 3680}
"""Voice to voice p50 in ms with a fixed-speed model, measured on the same kind of machine."""


def draw_latency(axis: Any, rows: list[dict[str, Any]]) -> None:
    """Stack the median turn's segments for each language model, peers' totals beside them."""
    names: list[str] = []
    for summary in rows[0]["summary"]:
        left = 0.0
        names.append(f"ours, {summary['llm']}")
        turns = [t for t in rows[0]["turns"] if t["llm"] == summary["llm"] and t["v2v_ms"]]
        turns.sort(key=lambda turn: turn["v2v_ms"])
        if not turns:
            continue
        middle = turns[len(turns) // 2]
        for segment, colour in zip(SEGMENTS, COLOURS, strict=True):
            width = middle.get(f"{segment}_ms") or 0.0
            label = segment.replace("_", " ") if len(names) == 1 else None
            axis.barh(len(names) - 1, width, left=left, color=colour, label=label)
            left += width
        axis.text(left + 20, len(names) - 1, f"{summary['v2v p50']:.0f} ms", va="center")
    for peer, value in PEERS.items():
        names.append(peer)
        axis.barh(len(names) - 1, value, color="#c9c9c9")
        axis.text(value + 20, len(names) - 1, f"{value} ms", va="center")
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.2 * max(PEERS.values()))
    axis.set_xlabel("end of speech to first sound, median turn, ms")
    axis.set_title("Voice to voice")
    axis.legend(loc="lower right", fontsize=8)


def draw_sessions(axis: Any, rows: list[dict[str, Any]]) -> None:
    """Plot frame lag against sessions on one core."""
    for load in dict.fromkeys(row["load"] for row in rows):
        points = [row for row in rows if row["load"] == load]
        axis.plot(
            [row["sessions"] for row in points],
            [row["lag_p99_ms"] for row in points],
            marker="o",
            label=f"{load}, p99",
        )
    axis.axhline(50, color="#b34a5a", linestyle="--", linewidth=1)
    axis.set_xlabel("streaming sessions on one core")
    axis.set_ylabel("frame lag, ms")
    axis.set_title("Sessions")
    axis.legend(fontsize=8)


def draw_table(axis: Any, rows: list[dict[str, Any]], title: str) -> None:
    """Write the rows as they are."""
    axis.axis("off")
    columns = [key for key, value in rows[0].items() if isinstance(value, str | int | float)][:8]
    cells = [[_short(row.get(column)) for column in columns] for row in rows[:14]]
    table = axis.table(cellText=cells, colLabels=columns, loc="upper center")
    table.auto_set_font_size(False)
    table.set_fontsize(7)
    axis.set_title(title)


def _short(value: Any) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)[:28]


DRAW: dict[str, Callable[[Any, list[dict[str, Any]]], None]] = {
    "latency": draw_latency,
    "sessions": draw_sessions,
}


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path, default=Path("out/report.svg"))
    args = parser.parse_args()
    results = [json.loads(path.read_text()) for path in args.files]
    figure, axes = plt.subplots(
        len(results), 1, figsize=(9, 3.4 * len(results)), squeeze=False, layout="constrained"
    )
    for axis, result in zip(axes[:, 0], results, strict=True):
        name = result["benchmark"]
        if name in DRAW:
            DRAW[name](axis, result["rows"])
        else:
            draw_table(axis, result["rows"], name)
    machine = results[0].get("machine", {})
    figure.suptitle(
        f"{machine.get('cores', '?')} cores, {machine.get('processor', '')}", fontsize=9
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=120)
    print(args.out)


if __name__ == "__main__":
    main()
