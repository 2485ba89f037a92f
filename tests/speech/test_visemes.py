from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech.engine import Phone
from voice_server.speech.visemes import (
    LONGEST_CONSONANT_MS,
    LONGEST_VOWEL_MS,
    SHAPE,
    SHORTEST_CLOSURE_MS,
    VISEMES,
    Viseme,
    visemes,
)


def said(*parts: tuple[str, float]) -> list[Phone]:
    """Phones one after the other; a symbol "_" is a pause."""
    phones, at = [], 0.0
    for symbol, length in parts:
        if symbol != "_":
            phones.append(Phone(symbol, at, at + length))
        at += length
    return phones


def shapes(*parts: tuple[str, float]) -> list[str]:
    return [viseme.viseme for viseme in visemes(said(*parts))]


def test_the_fifteen_oculus_names() -> None:
    assert len(VISEMES) == len(set(VISEMES)) == 15
    assert set(SHAPE.values()) | {"sil"} == set(VISEMES)


@pytest.mark.parametrize(
    ("symbol", "shape"),
    [
        ("p", "PP"), ("m", "PP"), ("f", "FF"), ("θ", "TH"), ("d", "DD"), ("ɡ", "kk"), ("ʃ", "CH"),
        ("z", "SS"), ("l", "nn"), ("ɲ", "nn"), ("ʁ", "RR"), ("ɑ̃", "aa"), ("ˈɛ", "E"), ("j", "I"),
        ("iː", "I"), ("ɔ", "O"), ("œ", "O"), ("w", "U"), ("y", "U"), ("ø", "U"), ("ʘ", "DD"),
    ],
)  # fmt: skip
def test_shapes_follow_the_lips(symbol: str, shape: str) -> None:
    assert shapes((symbol, 100)) == [shape]


def test_h_takes_the_shape_of_the_vowel_behind_it() -> None:
    assert shapes(("h", 60), ("ˈu", 120)) == ["U"]
    assert shapes(("h", 60), ("t", 60)) == ["E", "DD"]
    assert shapes(("a", 90), ("h", 60)) == ["aa", "E"]


def test_a_diphthong_has_two_targets_sixty_to_forty() -> None:
    assert visemes(said(("aɪ", 200))) == (
        Viseme("aa", 0, 120, 0.87),
        Viseme("I", 120, 200, 0.87),
    )
    assert shapes(("W", 200)) == ["aa", "U"]


def test_stress_opens_the_mouth_wider() -> None:
    loud, quiet = visemes(said(("ˈa", 100)))[0], visemes(said(("a", 100)))[0]
    assert loud.weight == 1
    assert quiet.weight == pytest.approx(1 / 1.15, abs=0.01)
    assert visemes(said(("p", 100)))[0].weight == 1


def test_a_pause_closes_the_mouth_but_a_short_gap_does_not() -> None:
    assert shapes(("a", 100), ("_", 200), ("t", 80)) == ["aa", "sil", "DD"]
    found = visemes(said(("a", 100), ("_", 25), ("t", 80)))
    assert [(v.viseme, v.end_ms) for v in found] == [("aa", 125), ("DD", 205)]


def test_silence_inside_the_edge_phones_is_silence() -> None:
    first, *_, last = visemes(said(("n", 500), ("a", 100), ("ˈo", 1_500)))
    assert first == Viseme("sil", 0, 500 - LONGEST_CONSONANT_MS)
    assert last == Viseme("sil", 600 + LONGEST_VOWEL_MS, 2_100)
    # inside a clause a long vowel is a long vowel
    assert shapes(("t", 80), ("a", 600), ("t", 80)) == ["DD", "aa", "DD"]


def test_lips_stay_shut_long_enough_to_be_seen() -> None:
    found = {v.viseme: v for v in visemes(said(("a", 100), ("p", 20), ("i", 100)))}
    assert found["PP"].end_ms - found["PP"].start_ms == SHORTEST_CLOSURE_MS
    assert found["aa"].end_ms == found["PP"].start_ms
    alone = visemes(said(("p", 20), ("a", 100)))[0]
    assert alone.end_ms == SHORTEST_CLOSURE_MS
    assert visemes(said(("a", 30), ("p", 20), ("i", 10)))[1].viseme == "PP"
    assert visemes(said(("p", 20)))[0].end_ms == 20


def test_nothing_said_nothing_shown() -> None:
    assert visemes([]) == ()
    assert visemes([Phone(".", 0, 100), Phone("ˈ", 100, 120)]) == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*SHAPE, "aɪ", "ˈeɪ", "h", "_", "tʃ", "ɑ̃", "ʔ"]),
            st.floats(1, 2_000),
        ),
        max_size=30,
    )
)
def test_shapes_follow_each_other_without_gap_or_overlap(parts: list[tuple[str, float]]) -> None:
    phones = said(*parts)
    found = visemes(phones)
    assert bool(found) == bool(phones)
    for one, two in pairwise(found):
        assert one.end_ms == two.start_ms
        assert one.viseme != two.viseme
    if found:
        assert found[0].start_ms == pytest.approx(phones[0].start_ms, abs=0.01)
        assert found[-1].end_ms == pytest.approx(phones[-1].end_ms, abs=0.01)
    assert all(v.end_ms >= v.start_ms and v.viseme in VISEMES and v.weight <= 1 for v in found)
