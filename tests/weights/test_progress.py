from __future__ import annotations

import io

from rich.console import Console

from tests.weights.conftest import Said
from voice_server.weights.progress import (
    BarProgress,
    LineProgress,
    Meter,
    NoProgress,
    progress_for,
)


def test_lines_come_every_few_seconds() -> None:
    now = [0.0]
    out = io.StringIO()
    progress = LineProgress(out, clock=lambda: now[0])
    progress.begin(100_000_000)
    for second in range(12):
        now[0] = float(second)
        progress.update(second * 5_000_000)
    progress.end()
    assert out.getvalue().splitlines() == [
        "weights: 100 MB to fetch",
        "weights: 25 MB of 100 MB (25 %), 5 MB/s",
        "weights: 50 MB of 100 MB (50 %), 5 MB/s",
        "weights: 55 MB of 100 MB (55 %), 5 MB/s",
    ]


def test_nothing_to_fetch_is_all_of_it() -> None:
    out = io.StringIO()
    progress = LineProgress(out, clock=lambda: 0.0)
    progress.begin(0)
    progress.end()
    assert "(100 %)" in out.getvalue()


def test_the_bar_shows_bytes_and_keeps_lines() -> None:
    out = io.StringIO()
    bar = BarProgress(Console(file=out, force_terminal=True, width=100))
    bar.begin(279_000_000)
    bar.update(140_000_000)
    bar.say("hub: unreachable [3 s]")
    bar.end()
    assert "140.0/279.0 MB" in out.getvalue()
    assert "hub: unreachable [3 s]" in out.getvalue()


def test_the_terminal_decides() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert isinstance(progress_for(io.StringIO()), LineProgress)
    assert isinstance(progress_for(Terminal()), BarProgress)


def test_the_meter_adds_up_and_never_passes_the_total(said: Said) -> None:
    meter = Meter(10, said)
    meter.set("a", 4)
    meter.set("b", 5)
    meter.set("a", 8)
    meter.set("b", 0)
    assert said.done == [4, 9, 10, 8]


def test_silence() -> None:
    silent = NoProgress()
    silent.begin(1)
    silent.update(1)
    silent.say("x")
    silent.end()
