"""The language tracker: quick on request, steady otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.dialogue.language import Identify, LanguageTracker, explicit_request
from voice_server.speech.language import TextLanguage

LANGUAGES = ("fr", "nl", "de", "en")


def said(language: str, probability: float = 0.95) -> Identify:
    """An identifier that always hears ``language``."""

    def identify(text: str, languages: Sequence[str]) -> tuple[str, float]:
        return language, probability

    return identify


def tracker(language: str = "fr", *, decided: bool = True) -> LanguageTracker:
    return LanguageTracker(LANGUAGES, language, decided=decided)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("in het Nederlands graag", "nl"),
        ("Kan het in het Nederlands?", "nl"),
        ("Nederlands alstublieft", "nl"),
        ("Spreekt u Frans?", "fr"),
        ("Liever in het Engels graag", "en"),
        ("can we speak English?", "en"),
        ("English please", "en"),
        ("Sorry, could we continue in German?", "de"),
        ("I would prefer to speak Dutch", "nl"),
        ("auf Deutsch bitte", "de"),
        ("Deutsch bitte.", "de"),
        ("Können wir Englisch sprechen?", "en"),
        ("Sprechen Sie Französisch?", "fr"),
        ("en français s'il vous plaît", "fr"),
        ("en français s’il vous plaît", "fr"),
        ("Parlez-vous néerlandais ?", "nl"),
        ("On peut continuer en anglais ?", "en"),
        ("Je ne parle pas néerlandais, en français s'il vous plaît", "fr"),
        ("Ich spreche kein Niederländisch, auf Deutsch bitte", "de"),
        ("English", "en"),
    ],
)
def test_explicit_requests_switch_at_once(text: str, wanted: str) -> None:
    assert explicit_request(text, LANGUAGES) == wanted
    start = tracker("de" if wanted != "de" else "fr")
    after = start.hear(text, identify=said(start.language), detected=start.language, probability=1)
    assert (after.language, after.decided) == (wanted, True)


@pytest.mark.parametrize(
    "text",
    [
        "do you have the manual in French?",
        "Avez-vous le livre en anglais pour mon fils de dix ans ?",
        "Je ne parle pas allemand",
        "I don't speak Dutch",
        "Ich spreche kein Französisch",
        "Ik spreek geen Duits",
        "the German chair with the armrests looks nice",
        "is er een handleiding in het Frans bij de lamp",
        "",
        "42",
    ],
)
def test_talk_about_a_language_is_no_request(text: str) -> None:
    assert explicit_request(text, LANGUAGES) is None


def test_only_served_languages_can_be_asked_for() -> None:
    assert explicit_request("auf Deutsch bitte", ("fr", "nl")) is None


def test_the_first_turn_decides() -> None:
    start = tracker("fr", decided=False)
    after = start.hear(
        "Wat kost de lamp Nova?",
        identify=said("nl"),
        detected="nl",
        probability=0.8,
    )
    assert (after.language, after.decided) == ("nl", True)


def test_a_first_single_word_leads_but_does_not_settle() -> None:
    start = tracker("fr", decided=False)
    after = start.hear("Hallo", identify=said("de"), detected="de", probability=0.9)
    assert (after.language, after.decided) == ("de", False)
    later = after.hear("Wat kost deze lamp?", identify=said("nl"), detected="nl", probability=0.9)
    assert (later.language, later.decided) == ("nl", True)


def test_a_vague_first_turn_keeps_the_default() -> None:
    start = tracker("fr", decided=False)
    assert start.hear("hm Oslo", identify=said("en", 0.3)) == start


def test_one_borrowed_word_does_not_switch() -> None:
    start = tracker("fr")
    for text in ("ok thanks", "cool", "Oslo chair"):
        start_after = start.hear(text, identify=said("en"), detected="en", probability=0.99)
        assert start_after == start


def test_two_agreeing_turns_switch_one_does_not() -> None:
    first = tracker("fr").hear(
        "wat kost deze lamp",
        identify=said("nl"),
        detected="nl",
        probability=0.8,
    )
    assert (first.language, first.candidate) == ("fr", "nl")
    second = first.hear(
        "en hoe zit het",
        identify=said("nl"),
        detected="nl",
        probability=0.8,
    )
    assert (second.language, second.candidate) == ("nl", "")


def test_a_turn_in_the_old_language_starts_the_count_again() -> None:
    first = tracker("fr").hear(
        "wat kost deze lamp", identify=said("nl"), detected="nl", probability=0.8
    )
    back = first.hear(
        "combien coûte cette lampe", identify=said("fr"), detected="fr", probability=0.9
    )
    assert back == tracker("fr")
    other = first.hear(
        "was kostet diese Lampe", identify=said("de"), detected="de", probability=0.8
    )
    assert (other.candidate, other.streak) == ("de", 1)


def test_a_long_clear_sentence_switches_at_once() -> None:
    after = tracker("fr").hear(
        "Guten Tag, ich möchte gern wissen, wann meine Bestellung kommt",
        identify=said("de", 0.98),
        detected="de",
        probability=0.95,
    )
    assert after.language == "de"


def test_witnesses_that_disagree_are_no_evidence() -> None:
    start = tracker("fr")
    after = start.hear(
        "combien coûte cette belle lampe aujourd'hui",
        identify=said("fr", 0.9),
        detected="nl",
        probability=0.8,
    )
    assert after == start


def test_unknown_detections_are_ignored() -> None:
    start = tracker("fr")
    assert (
        start.hear("hola que tal estamos", identify=said("es"), detected="es", probability=1)
        == start
    )


@pytest.mark.parametrize(
    ("turns", "languages"),
    [
        (
            [
                "Bonjour, combien coûte la lampe Nova ?",
                "Et la chaise Oslo, c'est quel prix ?",
                "merci, thanks",
                "in het Nederlands graag",
                "Wanneer wordt mijn bestelling geleverd?",
            ],
            ["fr", "fr", "fr", "nl", "nl"],
        ),
        (
            [
                "Was kostet die Lieferung nach Belgien?",
                "Haben Sie den Stuhl auch in Blau?",
                "Sorry, can we speak English?",
                "How long do I have to return it?",
            ],
            ["de", "de", "en", "en"],
        ),
    ],
)
def test_scripted_calls_with_the_real_text_identification(
    turns: list[str], languages: list[str]
) -> None:
    identify = TextLanguage().identify
    now = tracker("fr", decided=False)
    heard = []
    for text in turns:
        now = now.hear(text, identify=identify)
        heard.append(now.language)
    assert heard == languages


@given(
    turns=st.lists(
        st.tuples(
            st.text("abcdefghij ", max_size=12),
            st.sampled_from(LANGUAGES),
            st.floats(0, 1),
        ),
        max_size=20,
    )
)
def test_short_turns_never_switch_a_decided_call(turns: list[tuple[str, str, float]]) -> None:
    now = tracker("nl")
    for text, language, probability in turns:
        words = " ".join(text.split()[:2])
        now = now.hear(
            words, identify=said(language, 1.0), detected=language, probability=probability
        )
        assert now.language == "nl"


@given(
    text=st.text(max_size=60),
    heard=st.sampled_from((*LANGUAGES, "es", None)),
    voice=st.floats(0, 1),
    written=st.sampled_from((*LANGUAGES, "es")),
    sure=st.floats(0, 1),
    decided=st.booleans(),
)
def test_the_language_is_always_one_of_the_shop(
    text: str, heard: str | None, voice: float, written: str, sure: float, decided: bool
) -> None:
    now = tracker("en", decided=decided)
    for _ in range(3):
        now = now.hear(text, identify=said(written, sure), detected=heard, probability=voice)
        assert now.language in LANGUAGES


@pytest.mark.parametrize(
    ("text", "confidence", "expected"),
    [
        ("Combien coûte la livraison ?", 0.97, "fr"),  # a clear sentence says more than the page
        ("Who will cost", 0.6, "nl"),  # garbled words do not
        ("Bonjour", 0.99, "nl"),  # nor does one word
        ("Hoeveel kost de levering?", 0.9, "nl"),
    ],
)
def test_a_page_s_language_holds_until_a_clear_sentence(
    text: str, confidence: float, expected: str
) -> None:
    def identify(said: str, languages: Sequence[str]) -> tuple[str, float]:
        return {"C": "fr", "W": "en", "B": "fr", "H": "nl"}[said[0]], confidence

    tracker = LanguageTracker(("fr", "nl", "de", "en"), "nl", wished=True)
    heard = tracker.hear(text, identify=identify)
    assert heard.language == expected
    assert heard.decided
