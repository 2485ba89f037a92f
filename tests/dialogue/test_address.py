"""Customers are addressed in one way: politely, or not, in every bundled sentence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources

import pytest
import yaml

from voice_server.desk.texts import texts as desk_texts
from voice_server.dialogue.address import LANGUAGES, familiar
from voice_server.dialogue.answers.phrasing import Phrasebook
from voice_server.dialogue.dialogue import Phrase
from voice_server.dialogue.flows.wording import FlowWording, load_texts
from voice_server.dialogue.identity.events import Outcome
from voice_server.dialogue.identity.wording import mail_texts, wording
from voice_server.dialogue.phrases import Phrases
from voice_server.dialogue.prompt import PromptMaker, ShopIdentity
from voice_server.shop.pack import load, resolve
from voice_server.shop.pack_reader import Problems, Section
from voice_server.shop.taste import read_familiar
from voice_server.telephony import phrases as phone

POLITE = {
    "nl": r"\b(?:u|uw|uzelf|alstublieft)\b",
    "fr": r"\b(?:vous|votre|vos|vôtres?|(?!chez|assez|nez)[a-zéèêç]{2,}ez|dites|faites)\b",
    "de": r"\b(?:Ihnen|Ihr(?:e[mnrs]?)?)\b|\bSie\b(?! (?:kommt|zeigt|hätte|hat|kostet|ist)\b)",
}
FAMILIAR = {
    "nl": r"\b(?:je|jij|jou|jouw|jullie|alsjeblieft)\b",
    "fr": r"\b(?:tu|toi|ton|ta|tes|te)\b",
    "de": r"\b(?:du|dich|dir|deine?[mnrs]?|dein)\b",
}


def bundled(language: str) -> Iterator[str]:
    """Every sentence of the dialogue that a customer may hear."""
    base = resources.files("voice_server.dialogue")
    for name in (f"data/answers/{language}.txt", f"data/flows/texts/{language}.txt"):
        for line in (base / name).read_text("utf-8").splitlines():
            if line and line[0] not in "[#":
                yield line
    yield from yaml.safe_load((base / f"data/identity/{language}.yaml").read_text("utf-8")).values()
    locale = yaml.safe_load((base / f"locales/{language}.yaml").read_text("utf-8"))
    for wordings in locale["phrases"].values():
        yield from wordings
    yield from locale["openers"]
    yield from (locale[key] for key in ("disclosure", "i_am_ai", "cannot_act", "answer_in"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_bundled_sentences_are_polite(language: str) -> None:
    said = [*bundled(language), *desk_texts(language)["customer"].values()]
    said += [words[language] for words in phone.PHRASES.values() if language in words]
    assert len(said) > 200
    wrong = [text for text in said if re.search(FAMILIAR[language], text, re.IGNORECASE)]
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_polite_remains_of_any_sentence(language: str) -> None:
    flags = re.IGNORECASE if language != "de" else re.NOFLAG
    changed = 0
    for text in bundled(language):
        told = familiar(text, language)
        changed += told != text
        assert not re.search(POLITE[language], told, flags), told
        assert re.findall(r"\{\w+\}", told) == re.findall(r"\{\w+\}", text), "values stay"
        assert familiar(told, language) == told, "once is enough"
    assert changed > 100


@pytest.mark.parametrize(
    ("language", "polite", "told"),
    [
        ("nl", "Wat zoekt u? Dank u.", "Wat zoek je? Dank je."),
        ("nl", "Een medewerker belt u morgen, of belt u ons?", "Een medewerker belt je morgen, "
         "of bel je ons?"),
        ("nl", "Uw uur is nu, in uw buurt.", "Je uur is nu, in je buurt."),
        ("fr", "Votre commande et votre colis, dans vos mains.",
         "Ta commande et ton colis, dans tes mains."),
        ("fr", "Puis-je vous aider, ou voulez-vous un conseiller ?",
         "Puis-je t'aider, ou veux-tu un conseiller ?"),
        ("de", "Haben Sie Ihre Nummer? Sie kommt mit Ihrem Paket, sagen Sie sie mir.",
         "Hast du deine Nummer? Sie kommt mit deinem Paket, sag sie mir."),
        ("de", "weil Sie von „{word}“ sprachen", "weil du von „{word}“ sprachst"),
        ("en", "You and your parcel.", "You and your parcel."),
        ("it", "La Sua domanda", "La Sua domanda"),
    ],
)  # fmt: skip
def test_sentences_as_they_are_told(language: str, polite: str, told: str) -> None:
    assert familiar(polite, language) == told


def test_a_shop_that_says_je_says_it_everywhere() -> None:
    shop = replace(load(resolve("demo")), familiar=frozenset({"nl"}))
    flows = FlowWording(shop, "nl")
    assert "je bestelnummer" in flows.text("ask_order")
    assert "votre" in FlowWording(shop, "fr").text("ask_order"), "in this language only"
    assert "uw" in " ".join(load_texts("nl").entries["ask_order"][0])
    book = Phrasebook.load("nl", informal=True)
    assert "Heb je" in " ".join(str(texts) for texts in book.entries.values())
    phrases = Phrases("Zwin", {"nl": "Dag, u spreekt met Zwin."}, shop.familiar)
    assert "je" in phrases.phrase(Phrase.IDLE, "nl").text.split()
    greeting = phrases.phrase(Phrase.GREETING, "nl").text
    assert greeting == "Je spreekt met een AI-assistent. Dag, u spreekt met Zwin.", "its own stays"
    said = wording(Outcome.PROVED, "nl", shop="Zwin", digits=5, code_digits=6, informal=True)
    assert said == "Dank je, ik heb je bestelling gevonden."
    prompts = PromptMaker(ShopIdentity("Zwin", familiar=shop.familiar))
    assert "met je." in str(prompts.answer((), (), "nl"))
    assert "vouvoyant" in str(prompts.answer((), (), "fr"))
    assert mail_texts("nl", shop="Z", code="1", minutes=9, informal=True)[0].startswith("Je code")


@pytest.mark.parametrize(
    ("country", "table", "expected"),
    [
        ("BE", "", set()),
        ("NL", "", {"nl"}),
        ("NL", '[address]\nnl = "polite"', set()),
        ("BE", '[address]\nde = "familiar"\nfr = "familiar"', {"fr", "de"}),
    ],
)
def test_a_pack_says_how(country: str, table: str, expected: set[str]) -> None:
    problems = Problems()
    root = Section("shop.toml", table, tomllib.loads(table), problems)
    assert read_familiar(root, country, ("nl", "fr", "de", "en")) == expected
    assert not problems.found


def test_a_pack_that_says_it_wrongly_is_told() -> None:
    table = '[address]\nnl = "rude"\nen = "polite"'
    problems = Problems()
    root = Section("shop.toml", table, tomllib.loads(table), problems)
    assert read_familiar(root, "BE", ("nl", "en")) == frozenset()
    told = [(problem.line, problem.remedy) for problem in problems.found]
    assert told == [(3, "remove it"), (2, "polite or familiar")]
