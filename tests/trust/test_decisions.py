"""The record of an answer, and what a caller hears of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.trust.decisions import LANGUAGES, Decision, GateOutcome, asks_why, why

DONE = Decision(
    "resp_1",
    "sess_1",
    "marolle",
    source="facts",
    intent="price",
    confidence=0.93,
    language="fr",
    language_reason="asked",
    inputs=("question", "memory"),
    facts=("product:oslo", "policy:returns"),
    rules=("facts:sure",),
)
TITLES = {"product:oslo": "Oslo", "policy:returns": "Retours"}
SOURCES = ("greeting", "facts", "faq", "flow", "guard", "llm", "fallback", "tool", "why")


def test_a_record_survives_json() -> None:
    full = replace(
        DONE, model="gpt", prompt="shop-1", gates=(GateOutcome("claim", "replaced"),),
        failure="ungrounded", personalised=True, consent="c1", approvals=("a1",),
    )  # fmt: skip
    for decision in (DONE, full):
        assert Decision.from_json(json.loads(json.dumps(decision.to_json()))) == decision


def test_records_of_other_versions_are_read() -> None:
    old = {"reply_id": "r", "session_id": "s", "source": "faq", "unheard_of": 1}
    assert Decision.from_json(old) == Decision("r", "s", source="faq")
    with pytest.raises(KeyError):
        Decision.from_json({"source": "faq"})


def test_what_is_empty_is_not_kept() -> None:
    assert Decision("r", "s").to_json() == {"reply_id": "r", "session_id": "s", "source": ""}


@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("fr", "Ma réponse vient des informations de la boutique : la fiche du produit Oslo et nos "
         "conditions, rubrique « Retours ». Aucun modèle de langage ne l'a rédigée."),
        ("nl", "Mijn antwoord komt uit de gegevens van de winkel: het productblad van Oslo en onze "
         "voorwaarden, onderdeel „Retours”. Er kwam geen taalmodel aan te pas."),
        ("de", "Meine Antwort stammt aus den Angaben des Shops: das Produktblatt zu Oslo und "
         "unsere Bedingungen, Abschnitt „Retours“. Ein Sprachmodell war nicht beteiligt."),
        ("en", "My answer comes from the shop's own information: the product sheet of Oslo and our "
         "terms, section “Retours”. No language model was involved."),
    ],
)  # fmt: skip
def test_the_reason_is_said_in_the_callers_language(language: str, first: str) -> None:
    said = why(DONE, language, TITLES)
    assert said[0] == first
    assert len(said) == 3, "the language, and that no history was used"


def test_the_language_is_explained_only_where_it_was_asked_for() -> None:
    assert len(why(replace(DONE, language_reason="kept"), "en")) == 2


def test_another_language_hears_english() -> None:
    assert why(DONE, "pl") == why(DONE, "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("source", [*SOURCES, "something new"])
@pytest.mark.parametrize("facts", [(), ("product:oslo",), ("order:BE-1", "faq:x", "odd", "shop:y")])
def test_every_record_has_words(language: str, source: str, facts: tuple[str, ...]) -> None:
    for gates in ((), (GateOutcome("claim", "replaced"),), (GateOutcome("empty", "dropped"),)):
        decision = replace(DONE, source=source, facts=facts, gates=gates, intent="recommend")
        said = why(decision, language, TITLES)
        assert 3 <= len(said) <= 6
        assert all(text[-1] in ".”" and "{" not in text for text in said)
        assert "BE-1" not in " ".join(said), "no order number"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_follow_the_record(language: str) -> None:
    plain = " ".join(why(DONE, language))
    assert " ".join(why(replace(DONE, personalised=True), language)) != plain
    held = why(replace(DONE, gates=(GateOutcome("promise", "replaced"),)), language)
    other = why(replace(DONE, gates=(GateOutcome("denial", "replaced"),)), language)
    unknown = why(replace(DONE, gates=(GateOutcome("??", "replaced"),)), language)
    assert len({tuple(held), tuple(other), tuple(unknown)}) == 3
    assert len(held) == len(why(DONE, language)) + 2, "what was held back, and the way to a human"
    refused = why(replace(DONE, source="llm", failure="refused"), language)
    assert refused[-1] == held[-1]
    assert why(replace(DONE, source="fallback"), language)[-1] == held[-1]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Pourquoi cette réponse ?"),
        ("fr", "Mais pourquoi vous dites ça ?"),
        ("fr", "Pourquoi m'avez-vous recommandé ce fauteuil ?"),
        ("fr", "Comment le savez-vous ?"),
        ("fr", "D'où tenez-vous cela ?"),
        ("fr", "Sur quoi vous basez-vous ?"),
        ("fr", "Quelle est votre source ?"),
        ("fr", "Pourquoi refusez-vous ?"),
        ("nl", "Waarom zegt u dat?"),
        ("nl", "Waarom dit antwoord?"),
        ("nl", "Hoe weet u dat?"),
        ("nl", "Waar haalt u dat vandaan?"),
        ("nl", "Wat is uw bron?"),
        ("nl", "Waarom raadt u mij die aan?"),
        ("de", "Warum sagen Sie das?"),
        ("de", "Warum diese Antwort?"),
        ("de", "Woher wissen Sie das?"),
        ("de", "Wie kommen Sie darauf?"),
        ("de", "Worauf stützen Sie sich?"),
        ("de", "Warum empfehlen Sie mir den?"),
        ("en", "Why do you say that?"),
        ("en", "Why this answer?"),
        ("en", "How do you know that?"),
        ("en", "What's your source?"),
        ("en", "Why did you refuse?"),
        ("en", "And where did you get that?"),
    ],
)
def test_the_question_is_understood(language: str, text: str) -> None:
    assert asks_why(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Pourquoi ma commande n'est-elle pas arrivée ?"),
        ("fr", "Vous avez ça en bleu ?"),
        ("fr", "Comment savoir quelle taille choisir ?"),
        ("nl", "Waarom is mijn bestelling er nog niet?"),
        ("nl", "Hoe weet ik welke maat ik nodig heb?"),
        ("de", "Warum ist mein Paket nicht da?"),
        ("de", "Woher kommt das Holz?"),
        ("en", "Why is my order late?"),
        ("en", "How do I know which size I need?"),
        ("en", "Where do you deliver?"),
        ("en", "Why do you say that it was delivered when nobody rang and I was at home all day?"),
    ],
)
def test_other_questions_are_not(language: str, text: str) -> None:
    assert not asks_why(text, language)


@given(st.text(max_size=80), st.sampled_from([*LANGUAGES, "xx"]))
def test_any_text_can_be_asked_about(text: str, language: str) -> None:
    assert asks_why(text, language) in {True, False}


def test_no_field_of_a_record_can_hold_a_sentence() -> None:
    """Fields are identifiers by contract; this pins which there are, so that none slips in."""
    names = set(replace(DONE, model="m", prompt="p", failure="late", gates=(GateOutcome("a", "b"),),
                        personalised=True, consent="c", approvals=("a",)).to_json())  # fmt: skip
    assert names == {
        "reply_id", "session_id", "shop_id", "source", "intent", "confidence", "language",
        "language_reason", "inputs", "facts", "rules", "model", "prompt", "gates", "failure",
        "personalised", "consent", "approvals",
    }  # fmt: skip
