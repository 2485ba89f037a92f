from __future__ import annotations

import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from voice_server.live.chat.cleaning import clean, clean_name, without_ranges


@given(st.text(max_size=3000))
def test_cleaned_text_is_one_bounded_printable_line(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= 500
    assert "\n" not in cleaned
    assert cleaned == cleaned.strip()
    categories = {unicodedata.category(c) for c in cleaned if c != "\u200d"}
    assert not categories & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def test_right_to_left_overrides_and_zalgo_go() -> None:
    assert clean("\u202eprice\u202c \u2066x\u2069") == "price x"
    assert len(clean("e" + "\u0301" * 100)) <= 5
    assert clean("Größe é ệ") == "Größe é ệ"


def test_ten_kilobytes_of_nothing_cost_nothing() -> None:
    began = time.perf_counter()
    assert clean("\u200b" * 10_000_000) == ""
    assert time.perf_counter() - began < 0.5


def test_emoji_families_stay_whole() -> None:
    assert clean("👩\u200d👧 ok") == "👩\u200d👧 ok"


def test_names_are_short() -> None:
    assert len(clean_name("x" * 500)) == 40


def test_ranges_count_code_points() -> None:
    assert without_ranges("🎉 Kappa hi Kappa", [(2, 6), (11, 15)]) == "🎉  hi "
    assert without_ranges("abc", [(-5, 900_000_000)]) == ""
