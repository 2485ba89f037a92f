from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech.engine import SPEAKING_RATE, Phone
from voice_server.speech.tts.timeline import (
    letters,
    proportional,
    split_phone,
    to_speaking_rate,
    voiced_span,
)


@pytest.mark.parametrize(
    ("ipa", "parts"),
    [
        ("d͡ʒˈɔɪnː", ["d", "ʒ", "ˈɔ", "ɪ", "nː"]),
        ("bɔ̃ʒˈuʁ, le", ["b", "ɔ̃", "ʒ", "ˈu", "ʁ", "l", "e"]),
        ("tʲʰ ", ["tʲʰ"]),
        ("ː! ˈ", []),
    ],
)
def test_letters(ipa: str, parts: list[str]) -> None:
    assert letters(ipa) == parts


def test_a_diphthong_dwells_on_its_first_letter() -> None:
    assert split_phone("aɪ", 100, 200) == (Phone("a", 100, 160), Phone("ɪ", 160, 200))
    assert split_phone("m", 1, 2) == (Phone("m", 1, 2),)
    assert split_phone("", 1, 2) == ()


def test_guessed_times_leave_pauses_and_favour_long_vowels() -> None:
    phones = proportional("aː, ta", 0, 600)
    assert [phone.symbol for phone in phones] == ["aː", "t", "a"]
    assert phones[0].end_ms < phones[1].start_ms
    spans = {phone.symbol: phone.end_ms - phone.start_ms for phone in phones}
    assert spans["aː"] > spans["a"] > spans["t"]
    assert proportional("", 0, 100) == ()


@given(st.text(alphabet="abtʃˈː ,.!", max_size=30), st.floats(10, 5000))
def test_guessed_phones_follow_each_other_and_fit(ipa: str, length: float) -> None:
    phones = proportional(ipa, 5, 5 + length)
    assert [phone.symbol for phone in phones] == [
        letter for part in re.split("[,.!]", ipa) for letter in letters(part)
    ]
    for before, after in itertools.pairwise(phones):
        assert before.end_ms <= after.start_ms
    if phones:
        assert phones[0].start_ms >= 5
        assert phones[-1].end_ms <= 5 + length + 0.01


def test_resampling_keeps_pitch_and_length() -> None:
    rate = 22_050
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32) * 0.5
    out = to_speaking_rate(tone, rate)
    assert out.dtype == np.float32
    assert abs(len(out) - SPEAKING_RATE) <= 2
    peak = np.argmax(np.abs(np.fft.rfft(out[:SPEAKING_RATE])))
    assert abs(int(peak) - 440) <= 1


def test_own_rate_and_silence_pass_through() -> None:
    empty = np.zeros(0, np.float32)
    assert len(to_speaking_rate(empty, 16_000)) == 0
    same = np.ones(8, np.float32)
    assert to_speaking_rate(same, SPEAKING_RATE) is same


def test_the_voiced_span_leaves_silence_out() -> None:
    audio = np.zeros(1000, np.float32)
    audio[200:500] = 0.5
    assert voiced_span(audio, 1000) == (200.0, 500.0)
    assert voiced_span(np.zeros(1000, np.float32), 1000) == (0.0, 1000.0)
