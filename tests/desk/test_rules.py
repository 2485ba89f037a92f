"""The declared rules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.desk.packet import Priority
from voice_server.desk.rules import REASONS, DeskRules, Signals, assess

RULES = DeskRules()
CALM = (("wanneer komt mijn pakje?", "nl"),)
ANGRY = (("Ik ben woedend", "nl"),)
BURNT = (("Die Lampe hat Feuer gefangen", "de"),)


@pytest.mark.parametrize(
    ("signals", "priority", "reason"),
    [
        (Signals(CALM), Priority.NORMAL, ""),
        (Signals(ANGRY), Priority.HIGH, "emotional"),
        (Signals(BURNT), Priority.URGENT, "emotional"),
        (Signals(CALM, order_value=Decimal("249.99")), Priority.NORMAL, ""),
        (Signals(CALM, order_value=Decimal(250)), Priority.HIGH, "high_value"),
        (Signals(CALM, failures=1), Priority.NORMAL, ""),
        (Signals(CALM, failures=2), Priority.HIGH, "failed"),
        (Signals(CALM, refused=1), Priority.NORMAL, "refused"),
        (Signals(CALM, ("a", "b", "c", "d")), Priority.NORMAL, "complex"),
        (Signals(CALM, ("a", "a", "a", "a")), Priority.NORMAL, ""),
        (Signals(CALM * 25), Priority.NORMAL, "complex"),
        (Signals(CALM, ("complaint",)), Priority.HIGH, "complex"),
        (Signals(ANGRY, order_value=Decimal(900)), Priority.URGENT, "emotional"),
        (Signals(ANGRY, failures=3), Priority.URGENT, "emotional"),
    ],
)
def test_the_rules(signals: Signals, priority: Priority, reason: str) -> None:
    found = assess(signals, RULES)
    assert (found.priority, found.reason) == (priority, reason)
    assert found.needs_human == bool(reason)
    assert bool(found.fired) == bool(reason)


def test_a_decision_names_its_evidence() -> None:
    found = assess(Signals(ANGRY, order_value=Decimal(900)), RULES)
    assert found.fired == ("emotional: woedend", "high_value: 900 ≥ 250")


def test_a_limit_of_zero_switches_a_rule_off() -> None:
    off = DeskRules(Decimal(0), 0, 0, 0, 0, 0, ())
    signals = Signals(ANGRY * 30, tuple("abcdefg"), 9, Decimal(10_000), 9)
    assert assess(signals, off).fired == ()


def test_the_pack_decides_what_a_rule_raises_to() -> None:
    rules = replace(RULES, priorities={"refused": Priority.URGENT})
    assert assess(Signals(CALM, refused=1), rules).priority is Priority.URGENT
    assert assess(Signals(ANGRY), rules).priority is Priority.NORMAL


@given(
    st.builds(
        Signals,
        turns=st.lists(st.sampled_from([CALM[0], ANGRY[0], BURNT[0], ("", "xx")]), max_size=30).map(
            tuple
        ),
        intents=st.lists(st.sampled_from(["complaint", "a", "b", "c", "d"]), max_size=8).map(tuple),
        failures=st.integers(0, 5),
        order_value=st.none() | st.decimals(0, 10_000, allow_nan=False),
        refused=st.integers(0, 3),
    )
)
def test_more_trouble_never_lowers_the_priority(signals: Signals) -> None:
    found = assess(signals, RULES)
    worse = replace(
        signals,
        turns=(*signals.turns, BURNT[0]),
        failures=signals.failures + 2,
        refused=signals.refused + 1,
        order_value=Decimal(20_000),
    )
    assert assess(worse, RULES).priority.rank >= found.priority.rank
    assert found.reason in ("", *REASONS)
    assert found.needs_human == bool(found.fired)
