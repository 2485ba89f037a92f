"""How a clause is cut into windows so that the first sounds soon and the rest is never late.

Pure arithmetic on frames and milliseconds; nothing here knows a model.
"""

from __future__ import annotations

from dataclasses import dataclass

FRAME_MS = 25.0
"""Length of one frame of the synthesiser: 600 samples at 24 kHz."""

FIRST_BUDGET_MS = 200.0
"""What the first window may cost: with the text half before it the first audio stays below
0.4 s on two cores, and a faster machine starts with a longer window."""

SHORTEST_FIRST, LONGEST_FIRST = 16, 48
"""Frames of the first window: 0.4 s, so that there is something to play; 1.2 s is enough."""

LONGEST = 160
"""Frames of any window (4 s): a barge-in takes effect, and the worker is free, between windows."""

SHORTEST_LAST = 12
"""Frames: a shorter rest is joined to the window before, for each window costs a context too."""

SAFETY = 0.8
"""Share of the buffered time a window may take: the other engines use the same cores."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a window of n frames takes: ``call_ms + frame_ms * n`` (measured, see ``learn``)."""

    call_ms: float
    frame_ms: float

    def of(self, frames: int) -> float:
        """Return the milliseconds a window of ``frames`` takes."""
        return self.call_ms + self.frame_ms * frames

    def learn(self, frames: int, took_ms: float, *, weight: float = 0.25) -> Cost:
        """Return the cost moved towards a measurement; both terms by the same factor.

        One measurement moves it by at most a factor of two either way: a single stolen time
        slice must not halve every window after it.
        """
        factor = min(2.0, max(0.5, took_ms / max(self.of(frames), 1e-6)))
        factor = 1.0 + weight * (factor - 1.0)
        return Cost(self.call_ms * factor, self.frame_ms * factor)


@dataclass(frozen=True, slots=True)
class Window:
    """Frames ``start`` up to, not including, ``stop``."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many frames it yields."""
        return self.stop - self.start


def schedule(start: int, stop: int, cost: Cost) -> tuple[Window, ...]:
    """Cut frames ``start``..``stop`` into windows, in order and without gap.

    The first is as long as FIRST_BUDGET_MS buys.  Each later one is as long as can be computed
    before what was yielded before it has been played, with SAFETY in hand, if the machine is
    fast enough for that; else it is as long as the window before: growing would not help a
    machine that cannot keep up, and shrinking would make it worse.
    """
    windows: list[Window] = []
    at = start
    buffered_ms = 0.0
    while at < stop:
        if not windows:
            length = _affordable(FIRST_BUDGET_MS, cost, SHORTEST_FIRST, LONGEST_FIRST)
        else:
            before = windows[-1].frames
            length = _affordable(SAFETY * buffered_ms, cost, before, LONGEST)
            length = min(length, 2 * before)
        end = at + length
        if stop - end < SHORTEST_LAST:
            end = _last_end(at, stop, length, buffered_ms, cost)
        window = Window(at, end)
        if windows:
            buffered_ms = max(0.0, buffered_ms - cost.of(window.frames))
        buffered_ms += FRAME_MS * window.frames
        windows.append(window)
        at = window.stop
    return tuple(windows)


def starves(windows: tuple[Window, ...], cost: Cost) -> float:
    """Return how many ms playing would wait in all, were each window to take ``cost``.

    Playing starts when the first window is ready.
    """
    waited = 0.0
    buffered = 0.0
    for number, window in enumerate(windows):
        if number:
            took = cost.of(window.frames)
            waited += max(0.0, took - buffered)
            buffered = max(0.0, buffered - took)
        buffered += FRAME_MS * window.frames
    return waited


def _affordable(budget_ms: float, cost: Cost, least: int, most: int) -> int:
    frames = int((budget_ms - cost.call_ms) / max(cost.frame_ms, 1e-6))
    return max(min(least, most), min(frames, most))


def _last_end(at: int, stop: int, length: int, buffered_ms: float, cost: Cost) -> int:
    """Return where the window at ``at`` ends when little would be left after it.

    It takes the rest along, unless that would make it late: then it leaves SHORTEST_LAST.
    """
    late = buffered_ms > 0 and cost.of(stop - at) > buffered_ms >= cost.of(length)
    if late and stop - at >= 2 * SHORTEST_LAST:
        return stop - SHORTEST_LAST
    return stop
