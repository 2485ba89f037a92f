from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech.tts.windows import (
    FIRST_BUDGET_MS,
    FRAME_MS,
    LONGEST,
    LONGEST_FIRST,
    SHORTEST_FIRST,
    SHORTEST_LAST,
    Cost,
    Window,
    schedule,
    starves,
)

any_cost = st.builds(Cost, st.floats(0, 2_000), st.floats(0, 200))
fast_enough = st.builds(Cost, st.floats(1, 60), st.floats(0.5, 10.0))
"""A real-time factor of 0.4 and less, windows of 0.4 s included."""


@given(start=st.integers(0, 50), frames=st.integers(0, 3_000), cost=any_cost)
def test_windows_cover_the_clause_once_and_in_order(start: int, frames: int, cost: Cost) -> None:
    windows = schedule(start, start + frames, cost)
    edges = [start, *(window.stop for window in windows)]
    assert edges[:-1] == [window.start for window in windows]
    assert edges[-1] == start + frames
    assert all(window.frames > 0 for window in windows)


@given(frames=st.integers(1, 3_000), cost=any_cost)
def test_no_window_is_short_but_a_short_clause(frames: int, cost: Cost) -> None:
    windows = schedule(0, frames, cost)
    for window in windows:
        assert window.frames >= min(frames, SHORTEST_LAST)
        assert window.frames < LONGEST + 2 * SHORTEST_LAST


@given(frames=st.integers(1, 3_000), cost=fast_enough)
def test_a_machine_that_keeps_up_never_makes_the_listener_wait(frames: int, cost: Cost) -> None:
    assert starves(schedule(0, frames, cost), cost) == pytest.approx(0)


@given(frames=st.integers(100, 3_000), cost=any_cost)
def test_the_first_window_stays_within_its_budget_where_it_can(frames: int, cost: Cost) -> None:
    first = schedule(0, frames, cost)[0].frames
    assert SHORTEST_FIRST <= first <= LONGEST_FIRST
    if first > SHORTEST_FIRST:
        assert cost.of(first) <= FIRST_BUDGET_MS + 1e-6


def test_a_fast_machine_takes_long_windows_soon() -> None:
    lengths = [window.frames for window in schedule(0, 400, Cost(10, 2))]
    assert lengths[0] == LONGEST_FIRST
    assert len(lengths) <= 4


def test_a_slow_machine_does_not_grow_what_it_cannot_finish() -> None:
    slow = Cost(100, 40)
    lengths = [window.frames for window in schedule(0, 160, slow)]
    assert set(lengths) == {SHORTEST_FIRST}
    assert starves(schedule(0, 160, slow), slow) > 0


def test_a_little_rest_joins_the_window_before() -> None:
    assert schedule(0, SHORTEST_FIRST + 3, Cost(200, 20)) == (Window(0, SHORTEST_FIRST + 3),)


def test_a_rest_that_would_come_late_is_left_as_long_as_allowed() -> None:
    # 16 frames buffer 400 ms; the 27 frames left would take 410, 16 of them take 300.
    cost = Cost(140, 10)
    windows = schedule(0, SHORTEST_FIRST + 27, cost)
    assert [window.frames for window in windows] == [16, 15, 12]
    assert starves(windows, cost) == 0


def test_cost_learns_slowly_and_both_ways() -> None:
    cost = Cost(20, 5)
    assert cost.learn(20, cost.of(20)) == cost
    assert cost.learn(20, 10_000).of(20) == pytest.approx(1.25 * cost.of(20))
    assert cost.learn(20, 0).of(20) == pytest.approx(0.875 * cost.of(20))
    for _ in range(60):
        cost = cost.learn(20, 60)
    assert cost.of(20) == pytest.approx(60, rel=0.01)


def test_waiting_counts_from_the_first_window() -> None:
    windows = (Window(0, 20), Window(20, 40))
    assert starves(windows, Cost(0, FRAME_MS)) == 0
    assert starves(windows, Cost(0, 2 * FRAME_MS)) == 20 * FRAME_MS
