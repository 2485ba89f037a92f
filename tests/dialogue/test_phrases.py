"""The fixed sentences, in every language."""

from __future__ import annotations

import pytest

from voice_server.dialogue.dialogue import ClauseKind, Phrase
from voice_server.dialogue.gates import Pass, Replace, SentenceGate, strip_markup
from voice_server.dialogue.grounds import build_grounds
from voice_server.dialogue.locales import AVAILABLE, UnknownLocale, load_locale
from voice_server.dialogue.phrases import Phrases

AI_WORDS = {"en": "AI", "fr": "IA", "nl": "AI", "de": "KI"}


@pytest.mark.parametrize("language", AVAILABLE)
@pytest.mark.parametrize("kind", list(Phrase))
def test_every_kind_has_variants_that_differ(kind: Phrase, language: str) -> None:
    phrases = Phrases("Maison Belge")
    texts = {phrases.phrase(kind, language, variant).text for variant in range(6)}
    assert 2 <= len(texts) <= 3
    assert phrases.phrase(kind, language, 0) == phrases.phrase(
        kind, language, len(load_locale(language).phrases[kind.value])
    )


@pytest.mark.parametrize("language", AVAILABLE)
def test_greeting_names_the_shop_and_the_ai(language: str) -> None:
    phrases = Phrases("Maison Belge")
    for variant in range(3):
        text = phrases.phrase(Phrase.GREETING, language, variant).text
        assert "Maison Belge" in text
        assert AI_WORDS[language] in text


@pytest.mark.parametrize("language", AVAILABLE)
def test_kinds_tell_content_from_waiting(language: str) -> None:
    phrases = Phrases("X")
    assert phrases.phrase(Phrase.FILLER, language).kind is ClauseKind.FILLER
    assert phrases.phrase(Phrase.APOLOGY_ANSWER, language).kind is ClauseKind.APOLOGY
    assert phrases.phrase(Phrase.GREETING, language).kind is ClauseKind.CONTENT
    assert phrases.opener(language).kind is ClauseKind.OPENER
    assert len({phrases.opener(language, at).text for at in range(3)}) == 3


@pytest.mark.parametrize("language", AVAILABLE)
def test_all_fixed_holds_everything_that_can_be_said_once(language: str) -> None:
    phrases = Phrases("Maison Belge")
    fixed = [clause.text for clause in phrases.all_fixed(language)]
    assert len(fixed) == len(set(fixed))
    for kind in Phrase:
        for variant in range(3):
            assert phrases.phrase(kind, language, variant).text in fixed
    for variant in range(3):
        assert phrases.opener(language, variant).text in fixed
    for clause in (phrases.disclosure, phrases.i_am_ai, phrases.cannot_act):
        assert clause(language).text in fixed
    assert fixed[0] == phrases.phrase(Phrase.GREETING, language).text


@pytest.mark.parametrize("language", AVAILABLE)
def test_fixed_sentences_are_short_plain_and_pass_our_own_gate(language: str) -> None:
    gate = SentenceGate(build_grounds([], names=["Maison Belge"]), language)
    for clause in Phrases("Maison Belge").all_fixed(language):
        assert strip_markup(clause.text) == clause.text
        assert len(clause.text.split()) <= 26
        assert clause.text[-1] in ".?!"
        assert clause.language == language
        assert isinstance(gate.check(clause.text), Pass), clause.text


def test_unknown_language_is_named() -> None:
    with pytest.raises(UnknownLocale, match=r"'xx'.*en, fr, nl, de"):
        Phrases("X").phrase(Phrase.FILLER, "xx")


def test_locales_agree_on_their_shape() -> None:
    english = load_locale("en")
    for code in AVAILABLE:
        locale = load_locale(code)
        assert set(locale.phrases) == {kind.value for kind in Phrase}
        assert set(locale.units) == set(english.units)
        assert set(locale.relative) == set(english.relative)
        assert set(locale.language_names) == set(AVAILABLE)
        assert (len(locale.months), len(locale.weekdays)) == (12, 7)
        assert locale.answer_in


def test_a_denial_in_a_phrase_would_be_caught() -> None:
    gate = SentenceGate(build_grounds([]), "en")
    assert isinstance(gate.check("I am not a robot."), Replace)
