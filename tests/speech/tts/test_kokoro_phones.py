from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.assets import assets_dir
from voice_server.speech.engine import EngineUnavailable, Quality
from voice_server.speech.tts.kokoro_phones import VOCABULARY, portions, spell, timeline
from voice_server.speech.tts.kokoro_voices import (
    ROWS,
    STYLE,
    read_specs,
    read_style,
    style_row,
)
from voice_server.weights.manifest import load_entry


@pytest.mark.parametrize(
    ("ipa", "language", "symbols"),
    [
        ("həlˈo^ʊ, wˈɜːld!", "en", "həlˈO, wˈɜɹld!"),
        ("bˈʌʔn̩ wˈɔːɾɚ", "en-US", "bˈʌtᵊn wˈɔTəɹ"),
        ("t^ʃˈe^ɪnd^ʒ", "en", "ʧˈAnʤ"),
        ("ɡˈə^ʊ ðˈe^ə nˈɜːs", "en-GB", "ɡˈQ ðˈɛː nˈɜːs"),
        ("bɔ̃ʒˈuʁ, mˈadam.", "fr-FR", "bɔ̃ʒˈuʁ, mˈadam."),
        ("t^sˈa^ɪt", "de", "ʦˈIt"),
        ("a☃b", "it", "ab"),
    ],
)
def test_spelling(ipa: str, language: str, symbols: str) -> None:
    spelling = spell(ipa, language)
    assert spelling.symbols == symbols
    assert [VOCABULARY[symbol] for symbol in symbols] == list(spelling.tokens)


def test_a_phone_map_comes_first_and_prefers_long_keys() -> None:
    phones = {"ɔ^ø": "Y", "ɔ": "o", "": "never"}
    assert spell("hˈɔ^øtə dˈɔx", "de", phones).symbols == "hˈYtə dˈox"


def test_the_vocabulary_is_the_models() -> None:
    assert len(VOCABULARY) == len(set(VOCABULARY.values())) == 114
    assert max(VOCABULARY.values()) == 177


@given(st.text(alphabet="ab ,.ˈ", max_size=120), st.integers(5, 40))
def test_portions_keep_every_sound_in_order(symbols: str, longest: int) -> None:
    pieces = portions(spell(symbols, "-"), longest)
    assert all(0 < len(piece.tokens) <= longest for piece in pieces)
    sounds = "".join(piece.symbols for piece in pieces)
    assert [s for s in sounds if s in "ab"] == [s for s in symbols if s in "ab"]


def test_portions_end_at_marks_then_at_spaces() -> None:
    cut = [piece.symbols for piece in portions(spell("aa, bb cc dd ee ff", "-"), 10)]
    assert cut == ["aa,", "bb cc dd", "ee ff"]
    assert [piece.symbols for piece in portions(spell("a" * 12, "-"), 10)] == ["a" * 10, "aa"]


@given(st.lists(st.tuples(st.sampled_from(sorted(VOCABULARY)), st.integers(1, 20)), max_size=40))
def test_phones_lie_in_their_frames(said: list[tuple[str, int]]) -> None:
    symbols = "".join(symbol for symbol, _ in said)
    frames = [14, *(length for _, length in said), 8]
    phones = timeline(symbols, frames, 25.0)
    assert all(phone.start_ms <= phone.end_ms for phone in phones)
    starts = [phone.start_ms for phone in phones]
    assert starts == sorted(starts)
    if phones:
        assert phones[0].start_ms >= 14 * 25
        assert phones[-1].end_ms <= 25 * (sum(frames) - 8)


def test_marks_count_with_their_sounds_and_pauses_with_none() -> None:
    phones = timeline("ˈaː, bɔ\u0303", [2, 1, 4, 2, 5, 1, 3, 3, 1, 9], 25.0)
    assert [(p.symbol, p.start_ms, p.end_ms) for p in phones] == [
        ("ˈaː", 50, 225),
        ("b", 375, 450),
        ("ɔ\u0303", 450, 550),
    ]


def test_own_letters_are_told_as_ipa() -> None:
    assert [p.symbol for p in timeline("ʧˈA", [0, 2, 1, 4, 0], 25.0)] == ["t", "ʃ", "ˈe", "ɪ"]


def described(**changes: Any) -> dict[str, Any]:
    return {"voices": [{"id": "x", "language": "nl", "mix": {"a": 0.75, "b": 0.25}} | changes]}


def test_a_voice_mixes_styles(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    for name, value in (("a", 1.0), ("b", 5.0)):
        np.full(ROWS * STYLE, value, "<f4").tofile(tmp_path / "voices" / f"{name}.bin")
    (spec,) = read_specs(described(quality="experimental", speed=0.9) | {"phones": {"nl": {}}})
    assert spec.recipe == "a*0.75+b*0.25"
    assert spec.speed == 0.9
    assert spec.voice.quality is Quality.EXPERIMENTAL
    style = read_style(tmp_path, spec)
    assert style.shape == (ROWS, STYLE)
    assert np.all(style == 2.0)


def test_missing_and_broken_styles_are_named(tmp_path: Path) -> None:
    (spec,) = read_specs(described(mix={"a": 1}))
    with pytest.raises(EngineUnavailable, match=r"a\.bin"):
        read_style(tmp_path, spec)
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "a.bin").write_bytes(b"1234")
    with pytest.raises(EngineUnavailable, match="1 numbers"):
        read_style(tmp_path, spec)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mix": {"a": 0.7}}, "add up to 1"),
        ({"mix": {"a": 1.5, "b": -0.5}}, "add up to 1"),
        ({"mix": {}}, "add up to 1"),
        ({"mix": "a"}, "described wrongly"),
        ({"quality": "divine"}, "described wrongly"),
    ],
)
def test_wrong_descriptions_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(EngineUnavailable, match=words):
        read_specs(described(**changes))


def test_no_voice_at_all_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match=r"engine\.voices"):
        read_specs({})


def test_the_row_is_that_of_the_length() -> None:
    style = np.arange(ROWS, dtype=np.float32)[:, None] * np.ones(STYLE, np.float32)
    assert [style_row(style, tokens)[0] for tokens in (0, 1, 2, 510, 600)] == [0, 0, 1, 509, 509]


def test_the_shipped_voices_cover_the_shops_languages() -> None:
    specs = read_specs(load_entry(assets_dir("models") / "kokoro-82m.toml").engine)
    languages = {spec.voice.language.split("-")[0] for spec in specs}
    assert languages >= {"en", "fr", "nl", "de", "es", "it", "pt"}
    for spec in specs:
        assert all(set(new) <= set(VOCABULARY) for new in spec.phones.values())
