from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.conversation.endpointing import (
    LONGEST_WAIT_MS,
    SHORTEST_WAIT_MS,
    PauseLearner,
    wait_ms,
)
from voice_server.conversation.orders import TurnOptions

Eagerness = Literal["low", "medium", "high", "auto"]


def wait(
    score: float | None = None,
    text: str | None = None,
    pauses: PauseLearner | None = None,
    eagerness: Eagerness = "auto",
) -> float:
    options = TurnOptions(eagerness=eagerness)
    return wait_ms(options, score=score, text=text, pauses=pauses or PauseLearner())


def test_server_detection_waits_as_the_client_says() -> None:
    options = TurnOptions(detection="server", silence_ms=420)
    assert wait_ms(options, score=1.0, text="?", pauses=PauseLearner()) == 420


def test_a_finished_sentence_is_answered_at_once_and_a_cut_one_late() -> None:
    assert wait(1.0) == SHORTEST_WAIT_MS
    assert wait(1.7) == SHORTEST_WAIT_MS
    assert wait(0.0) > 1500
    assert wait(None) == 700


@pytest.mark.parametrize("text", ["I want the", "je voudrais une", "ik wil het", "und", "well..."])
def test_an_open_end_waits_longer(text: str) -> None:
    assert wait(0.6, text) > wait(0.6, "I want that lamp.") > wait(0.6, "Which lamp?")


def test_it_learns_how_this_user_pauses() -> None:
    pauses = PauseLearner()
    pauses.observe(1000)
    assert pauses.mean_ms == 1000
    pauses.observe(2000)
    assert pauses.mean_ms == pytest.approx(1300)
    assert wait(0.5, pauses=pauses) == pytest.approx(1.25 * 1300)
    assert wait(0.95, pauses=pauses) < 300
    pauses.observe(99_000)
    assert pauses.mean_ms < LONGEST_WAIT_MS


def test_eagerness_scales() -> None:
    assert wait(0.5, eagerness="high") < wait(0.5) < wait(0.5, eagerness="low")


@given(
    st.one_of(st.none(), st.floats(0, 1)),
    st.one_of(st.none(), st.text(max_size=20)),
    st.floats(0, 10_000),
    st.sampled_from(["low", "medium", "high", "auto"]),
)
def test_the_wait_is_always_bounded(
    score: float | None, text: str | None, pause: float, eagerness: Eagerness
) -> None:
    pauses = PauseLearner()
    pauses.observe(pause)
    assert SHORTEST_WAIT_MS <= wait(score, text, pauses, eagerness) <= LONGEST_WAIT_MS


@given(st.floats(0, 1), st.floats(0, 1))
def test_sounding_more_finished_never_waits_longer(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert wait(high) <= wait(low)
