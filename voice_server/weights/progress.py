"""What a person sees while weights come: one bar, or plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Hashable
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichBar

from voice_server.weights.files import megabytes

LINE_EVERY_S = 5.0
"""Seconds between plain lines: often enough to see that it lives, seldom enough for a log."""


class Progress(Protocol):
    """Receives the state of a fetch. Bytes count all files of the run together."""

    def begin(self, total: int) -> None:
        """``total`` bytes are to come."""

    def update(self, done: int) -> None:
        """``done`` bytes are there; may fall when a file has to start again."""

    def say(self, text: str) -> None:
        """A line for the operator."""

    def end(self) -> None:
        """Nothing more will come, whether all went well or not."""


class NoProgress:
    """Tells nobody."""

    def begin(self, total: int) -> None:
        """Ignore it."""

    def update(self, done: int) -> None:
        """Ignore it."""

    def say(self, text: str) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""


class BarProgress:
    """One bar with bytes, speed and time left, on a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._bar = RichBar(
            TextColumn("weights"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
        )
        self._task = self._bar.add_task("weights", total=None)

    def begin(self, total: int) -> None:
        """Show the bar."""
        self._bar.update(self._task, total=total)
        self._bar.start()

    def update(self, done: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(text, markup=False, highlight=False)

    def end(self) -> None:
        """Leave the bar where it is."""
        self._bar.stop()


class LineProgress:
    """A line every few seconds: for logs, pipes and CI.

    Args:
        stream: where lines go.
        clock: seconds, for the speed and the pace of lines.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._total = 0
        self._done = 0
        self._start = self._told = clock()

    def begin(self, total: int) -> None:
        """Say how much is to come."""
        self._total = total
        self._start = self._told = self._clock()
        self.say(f"weights: {megabytes(total)} to fetch")

    def update(self, done: int) -> None:
        """Write a line when the last is :data:`LINE_EVERY_S` old."""
        self._done = done
        now = self._clock()
        if now - self._told >= LINE_EVERY_S:
            self._told = now
            self._line(now)

    def say(self, text: str) -> None:
        """Write a line."""
        print(text, file=self._stream, flush=True)

    def end(self) -> None:
        """Write the last line."""
        self._line(self._clock())

    def _line(self, now: float) -> None:
        speed = self._done / max(now - self._start, 1e-9)
        share = 100 * self._done / self._total if self._total else 100
        self.say(
            f"weights: {megabytes(self._done)} of {megabytes(self._total)} ({share:.0f} %), "
            f"{megabytes(int(speed))}/s"
        )


def progress_for(stream: TextIO) -> Progress:
    """Return the bar for a terminal, lines for anything else."""
    return BarProgress() if stream.isatty() else LineProgress(stream)


class Meter:
    """Adds up what several transfers report, capped at the total."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = total
        self._progress = progress
        self._done: dict[Hashable, int] = {}

    def set(self, key: Hashable, done: int) -> None:
        """Record how many bytes of one transfer are there."""
        self._done[key] = done
        self._progress.update(min(sum(self._done.values()), self._total))
