from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voice_server.live.phrases import LANGUAGES, fixed, listed, minutes, phrases, sayable
from voice_server.live.run_sheet import RunSheetError, fields_of, load, parse

SHOW = {"id": "demo", "language": "fr"}


def test_a_run_sheet(tmp_path: Path) -> None:
    path = tmp_path / "evening.toml"
    path.write_text(
        '[show]\nid = "evening"\ntitle.fr = "La soirée"\nlanguage = "fr"\nlanguages = ["nl"]\n'
        '[[segment]]\nproduct = "oslo"\npoints.fr = ["Elle coûte {price}."]\n'
        'flash = { price = "39.90", starts_s = 5 }\n[[segment]]\ntitle.fr = "Pause"\n'
    )
    sheet = load(path)
    assert sheet.languages == ("fr", "nl")
    assert [segment.id for segment in sheet.segments] == ["1-oslo", "2"]
    assert sheet.segments[0].flash is not None
    assert str(sheet.segments[0].flash.price) == "39.90"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "show"),
        ({"show": SHOW, "segment": []}, "segment"),
        ({"show": {**SHOW, "id": "../x"}, "segment": [{}]}, "show.id"),
        ({"show": {**SHOW, "language": "french"}, "segment": [{}]}, "show.language"),
        ({"show": SHOW, "segment": [{"typo": 1}]}, "typo"),
        ({"show": SHOW, "segment": [{"id": "a"}, {"id": "a"}]}, "same id"),
        ({"show": SHOW, "segment": [{"points": {"fr": ["{secret}"]}}]}, "{secret}"),
        ({"show": SHOW, "segment": [{"points": {"fr": ["{price!r}"]}}]}, "no plain field"),
        ({"show": SHOW, "segment": [{"points": {"fr": ["{name.__class__}"]}}]}, "no plain field"),
        ({"show": SHOW, "segment": [{"points": {"fr": ["{price"]}}]}, "segment.0.points.fr.0"),
        ({"show": SHOW, "segment": [{"points": {"fr": ["x"] * 61}}]}, "too many"),
        ({"show": {**SHOW, "policy": "none"}, "segment": [{}]}, "show.policy"),
        ({"show": {**SHOW, "backdrop": "moon"}, "segment": [{}]}, "show.backdrop"),
        ({"show": {**SHOW, "chat": ["irc:x"]}, "segment": [{}]}, "show.chat"),
        ({"show": SHOW, "segment": [{"flash": {"price": "-1"}}]}, "price"),
    ],
)
def test_what_is_wrong_is_said_where(table: dict[str, Any], words: str) -> None:
    with pytest.raises(RunSheetError, match=words.replace("{", r"\{").replace("}", r"\}")):
        parse(table)


def test_a_policy_limits_the_reminder() -> None:
    china = parse({"show": {**SHOW, "policy": "china"}, "segment": [{}]})
    assert china.remind_s == 120.0
    often = parse({"show": {**SHOW, "policy": "china", "remind_s": 60}, "segment": [{}]})
    assert often.remind_s == 60.0


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff")
    for name in ("x.toml", "missing.toml"):
        with pytest.raises(RunSheetError, match="cannot be read"):
            load(tmp_path / name)


def test_fields() -> None:
    assert fields_of("{The} coûte {price}, {{non}}") == {"The", "price"}


def test_every_language_has_every_phrase() -> None:
    keys = {language: set(phrases(language).entries) for language in LANGUAGES}
    assert keys["fr"] == keys["nl"] == keys["de"] == keys["en"]
    assert phrases("pl") is not None
    for language in LANGUAGES:
        for key, variants in phrases(language).entries.items():
            french = phrases("fr").entries[key]
            assert len(variants) == len(french), (language, key)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Ana", "Ana"),
        (" Jean-Luc ", "Jean-Luc"),
        ("Émilie V", "Émilie V"),
        ("Ana Maria", "Ana Maria"),
        ("O'Brien", "O'Brien"),
        ("xX_Ana_Xx", ""),
        ("Ana99", ""),
        ("A", ""),
        ("Fuck You", ""),
        ("System Prompt", ""),
        ("a b c d e", ""),
        ("x" * 40, ""),
        ("", ""),
    ],
)
def test_names(name: str, said: str) -> None:
    assert sayable(name) == said


def test_fixed_sentences() -> None:
    for language in LANGUAGES:
        texts = fixed(language)
        assert len(texts) >= 12
        assert not any("{" in text or "[" in text for text in texts)
    assert "Je reprends où j'en étais." in fixed("fr")


def test_lists_and_minutes() -> None:
    assert listed(["Ana", "Bo", "Cy"], "de") == "Ana, Bo und Cy"
    assert listed(["Ana"], "fr") == "Ana"
    assert listed([], "fr") == ""
    assert minutes(10, "nl") == "één minuut"
    assert minutes(130, "en") == "2 minutes"
