"""Waiting, giving up and trying again: pure, so every branch is a table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.shop.connectors.resilience import Backoff, Breaker, retry_after_s

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@given(st.integers(0, 40), st.floats(0, 1))
def test_waits_grow_and_stay_bounded(attempt: int, jitter: float) -> None:
    backoff = Backoff(base_s=0.2, cap_s=2.0)
    wait = backoff.delay_s(attempt, jitter=jitter)
    assert 0.1 <= wait <= 2.0
    assert wait <= backoff.delay_s(attempt + 1, jitter=jitter)


def test_what_the_platform_asks_for_is_obeyed() -> None:
    assert Backoff().delay_s(0, jitter=1.0, asked_s=7.5) == 7.5


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("Wed, 25 Nov 2026 12:00:30 GMT", 30.0),
        ("Wed, 25 Nov 2026 12:00:30 -0000", 30.0),
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": value}, now=NOW) == seconds
    assert retry_after_s({}, now=NOW) is None


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    breaker = Breaker(threshold=3, rest_s=10)
    for now in range(2):
        assert breaker.allow(now)
        breaker.failed(now)
    breaker.succeeded()
    for now in range(3):
        assert breaker.allow(now)
        breaker.failed(now)
    assert breaker.open
    assert not breaker.allow(11.9)
    assert breaker.allow(12.0)  # the probe
    assert not breaker.allow(12.0)  # ... and no other
    breaker.failed(12.0)
    assert not breaker.allow(21.9)
    assert breaker.allow(22.0)
    breaker.abandoned()  # its caller hung up: another may probe
    assert breaker.allow(22.0)
    breaker.succeeded()
    assert not breaker.open
    assert breaker.allow(22.0)


@given(st.lists(st.sampled_from(["ok", "bad", "gone"]), max_size=60))
def test_a_breaker_never_stays_shut_for_ever(outcomes: list[str]) -> None:
    breaker = Breaker(threshold=2, rest_s=1)
    now = 0.0
    for outcome in outcomes:
        now += 1.0
        assert breaker.allow(now)  # a second later it always lets somebody try
        match outcome:
            case "ok":
                breaker.succeeded()
            case "bad":
                breaker.failed(now)
            case _:
                breaker.abandoned()
