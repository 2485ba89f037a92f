"""Nothing is said that no fact holds, and what is not known is said plainly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialogue.conftest import TUESDAY
from voice_server.config import cache_root
from voice_server.dialogue.claims import claims_of
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.facts import Answer, Context
from voice_server.dialogue.grounds import build_grounds
from voice_server.dialogue.knowledge import Knowledge
from voice_server.shop import pack

DATA = Path(__file__).parent / "data"
OWN_COUNTS = {"recommend", "compare"}
"""Answers that count what they list ("I have 3 ideas"): a number of ours, not of the shop's."""


@pytest.fixture(scope="module")
def starter(embedder: UniversalSentenceEncoder) -> Knowledge:
    """Another shop, so that nothing of the demo shop hides in the templates."""
    shop = pack.load(pack.resolve("starter"))
    return Knowledge(shop, embedder, now=lambda: TUESDAY, cache=cache_root() / "test-vectors")


def questions() -> Iterator[tuple[str, str]]:
    for name in ("paraphrases.tsv", "heldout.tsv"):
        for line in (DATA / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                language, _, text = line.split("\t")
                yield language, text


def unbacked(answer: Answer, language: str, shop: str) -> list[str]:
    grounds = build_grounds(answer.facts, names=(shop,))
    return [
        f"{claim.kind}: {claim.value}"
        for claim in claims_of(answer.text, language)
        if not grounds.backs(claim)
    ]


@pytest.mark.parametrize("which", ["demo", "starter"])
@pytest.mark.parametrize("spoken_of", [False, True])
def test_every_number_that_is_said_is_in_a_fact(
    knowledge: Knowledge, starter: Knowledge, which: str, spoken_of: bool
) -> None:
    """What templates speak is what the sentence gate would let a model say."""
    known = knowledge if which == "demo" else starter
    product = next(iter(known.shop.catalogue)).id
    context = Context(last_product=product) if spoken_of else Context()
    faults = []
    for language, text in questions():
        answer = known.answer(text, language, context) or known.fallback(text, language, context)
        if answer.intent not in OWN_COUNTS:
            missing = unbacked(answer, language, known.shop.name)
            faults += [f"{language} {text}: {answer.text} {missing}"] if missing else []
    assert faults == []


def test_the_way_to_a_human_is_a_fact_when_look_ups_are_locked(knowledge: Knowledge) -> None:
    context = Context(failed_lookups=3)
    answer = knowledge.answer("where is my order BE-10482 1000", "en", context)
    assert answer is not None
    assert knowledge.shop.policies.phone in answer.text
    assert unbacked(answer, "en", "Marolle") == []


NOT_OURS = {
    "fr": ("Nous n'avons pas cela", "Je ne trouve pas cet article"),
    "nl": ("Dat hebben wij niet", "Dat artikel vind ik niet"),
    "de": ("Das haben wir nicht", "Diesen Artikel finde ich"),
    "en": ("We don't have that", "I can't find that item"),
}


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "How much is the Samsung Galaxy?"),
        ("en", "Is the iPhone in stock?"),
        ("en", "Do you have the Zanzibar in blue?"),
        ("en", "How much is the umbrella?"),
        ("en", "How much is the Kyoto teapot?"),
        ("fr", "Combien coûte le Samsung Galaxy ?"),
        ("fr", "Combien coûte le parapluie ?"),
        ("fr", "Avez-vous des pneus ?"),
        ("fr", "Quel est le prix de la théière Kyoto ?"),
        ("nl", "Hoeveel kost de Samsung Galaxy?"),
        ("nl", "Hoeveel kost de paraplu?"),
        ("nl", "Hoeveel kost de theepot Kyoto?"),
        ("de", "Was kostet das Samsung Galaxy?"),
        ("de", "Was kostet der Regenschirm?"),
        ("de", "Verkaufen Sie Autoreifen?"),
        ("de", "Was kostet die Teekanne Kyoto?"),
    ],
)
@pytest.mark.parametrize("context", [Context(), Context(last_product="oslo", last_intent="price")])
def test_what_the_shop_does_not_have_is_not_sold(
    knowledge: Knowledge, language: str, question: str, context: Context
) -> None:
    answer = knowledge.answer(question, language, context)
    answer = answer or knowledge.fallback(question, language, context)
    assert answer.text.startswith(NOT_OURS[language]), answer.text
    assert "49" not in answer.text, "not the lamp's price, of which was spoken before"


@pytest.mark.parametrize(
    ("language", "question", "words"),
    [
        ("en", "Does the Oslo lamp contain lead?", "I don't have that detail about the Oslo"),
        ("en", "What is the Bluetooth version of the Sonata?", "I don't have that detail"),
        ("fr", "La lampe Oslo contient-elle du plomb ?", "Je n'ai pas cette précision"),
        ("nl", "Bevat de lamp Oslo lood?", "Dat weet ik niet over de tafellamp Oslo"),
    ],
)  # fmt: skip
def test_a_detail_nobody_wrote_down_is_not_guessed(
    knowledge: Knowledge, language: str, question: str, words: str
) -> None:
    assert knowledge.answer(question, language, Context()) is None
    answer = knowledge.fallback(question, language, Context())
    assert answer.text.startswith(words), answer.text
    assert knowledge.shop.policies.phone in answer.text


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Who founded the company?"),
        ("en", "Can I rent furniture from you?"),
        ("en", "Can you install the lamp at my home?"),
        ("en", "Do you offer student discounts?"),
        ("fr", "Qui a fondé l'entreprise ?"),
        ("fr", "Est-ce que l'entrepôt est chauffé ?"),
        ("nl", "Is er studentenkorting?"),
        ("de", "Gibt es Studentenrabatt?"),
    ],
)
def test_an_unanswerable_question_gets_a_human_and_no_other_answer(
    knowledge: Knowledge, language: str, question: str
) -> None:
    assert knowledge.answer(question, language, Context()) is None
    answer = knowledge.fallback(question, language, Context())
    assert knowledge.shop.policies.phone in answer.text
    assert {fact.source_id for fact in answer.facts} <= {"policy:contact", "shop:hours"}


@pytest.mark.parametrize(
    ("language", "home"),
    [("fr", "aux Pays-Bas"), ("nl", "in Nederland"), ("de", "in den Niederlanden"),
     ("en", "in the Netherlands")],
)  # fmt: skip
def test_no_country_but_the_shops_own_is_said_to_be_home(
    embedder: UniversalSentenceEncoder, tmp_path: Path, language: str, home: str
) -> None:
    folder = tmp_path / "nl"
    shutil.copytree(pack.resolve("starter"), folder)
    for path in [folder / "shop.toml", *folder.glob("policies/*.md")]:
        text = path.read_text(encoding="utf-8").replace("delivery.BE", "delivery.NL")
        text = text.replace('languages = ["fr", "nl", "de", "en"]', f'languages = ["{language}"]')
        path.write_text(text.replace('country = "BE"', 'country = "NL"'), encoding="utf-8")
    shop = pack.load(folder)
    known = Knowledge(shop, embedder, now=lambda: TUESDAY, cache=cache_root() / "test-vectors")
    asked = {
        "fr": "Combien coûte la livraison de la théière Kyoto ?",
        "nl": "Wat kost de levering van de theepot Kyoto?",
        "de": "Was kostet der Versand der Teekanne Kyoto?",
        "en": "How much is delivery for the Kyoto teapot?",
    }[language]
    answer = known.answer(asked, language, Context())
    assert answer is not None
    assert home in answer.text
    assert "Belg" not in answer.text
