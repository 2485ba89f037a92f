"""Templates: the same in every language, filled in, agreeing, and cut where one breathes."""

from __future__ import annotations

import re

import pytest

from voice_server.dialogue.answers import HANDLERS
from voice_server.dialogue.answers.phrasing import (
    FIRST_WORDS,
    SHORTEST,
    Noun,
    Phrasebook,
    breathe,
    capital,
    noun,
    parse,
)
from voice_server.dialogue.cues import RULES, TOPICS, Cues
from voice_server.shop.orders import OrderStatus
from voice_server.shop.shop import Shop

LANGUAGES = ("fr", "nl", "de", "en")
BOOKS = {language: Phrasebook.load(language) for language in LANGUAGES}
FIELD = re.compile(r"\{(\w+)\}")
ABOUT_PRODUCT = {"subj", "Subj", "the", "The", "it", "It", "den", "Den", "e", "s", "name", "Name"}


def fields(book: Phrasebook, key: str) -> set[str]:
    return {
        name
        for variant in book.entries[key]
        for part in variant
        for name in FIELD.findall(part)
        if name not in ABOUT_PRODUCT
    }


def test_every_language_has_the_same_sentences() -> None:
    keys = [set(book.entries) for book in BOOKS.values()]
    assert keys[0] == keys[1] == keys[2] == keys[3]
    assert {f"order_{status}" for status in OrderStatus} <= keys[0]


@pytest.mark.parametrize("key", sorted(BOOKS["en"].entries))
def test_no_language_asks_for_a_value_that_the_others_do_not_have(key: str) -> None:
    wanted = {language: fields(book, key) for language, book in BOOKS.items()}
    # German says working days in the dative; French capitalises a day at the beginning.
    loose = {"days_dat", "days", "day", "Day"}
    # Not every wording uses every value.
    everything = set().union(*wanted.values()) - loose
    for language, names in wanted.items():
        assert names - loose <= everything, language
        for variant in BOOKS[language].entries[key]:
            text = " ".join(variant)
            assert text.count("[") == text.count("]"), text
            assert "  " not in text


def test_sentences_end_as_sentences() -> None:
    fragments = {"price_pair", "recommend_item", "order_item", "card_stock", "card_few", "card_out"}
    fragments |= {"figure_size", "figure_warranty"}
    fragments |= {"why_wish", "why_kind", "why_limit", "why_likes", "why_bought"}
    for book in BOOKS.values():
        for key, variants in book.entries.items():
            for variant in variants:
                if key not in fragments:
                    assert variant[-1][-1] in ".!?}", (book.language, key, variant)


@pytest.mark.parametrize(
    ("language", "gender", "the", "it"),
    [
        ("fr", "m", "le vase", "il"),
        ("fr", "f", "la vase", "elle"),
        ("fr", "mp", "les vase", "ils"),
        ("fr", "", "vase", "cet article"),
        ("nl", "c", "de vase", "die"),
        ("nl", "n", "het vase", "dat"),
        ("de", "m", "der vase", "er"),
        ("de", "n", "das vase", "es"),
        ("de", "fp", "die vase", "sie"),
        ("en", "", "the vase", "it"),
        ("en", "p", "the vase", "they"),
    ],
)
def test_nouns_take_their_articles_and_pronouns(
    language: str, gender: str, the: str, it: str
) -> None:
    thing = Noun("vase", gender, language)
    assert (thing.the, thing.it) == (the, it)
    assert Noun("vase", gender, language, known=True).subject == it


def test_french_elides_before_a_vowel() -> None:
    assert Noun("étagère Tokyo", "f", "fr").the == "l'étagère Tokyo"
    assert Noun("enceinte Tango", "f", "fr").the == "l'enceinte Tango"
    assert Noun("hamac Havana", "m", "fr").the == "le hamac Havana", "its h is aspirated"


def test_german_accusative() -> None:
    assert Noun("Stuhl", "m", "de").den == "den Stuhl"
    assert Noun("Vase", "f", "de").den == "die Vase"
    assert Noun("Stuhl", "m", "de", known=True).den == "ihn"
    assert Noun("stoel", "c", "nl").den == "de stoel"


def test_verbs_agree_with_the_product() -> None:
    book = BOOKS["en"]
    one, many = Noun("lamp", "", "en"), Noun("headphones", "p", "en")
    assert book.text("price", 0, one, price="€5") == "The lamp costs €5."
    assert book.text("price", 0, many, price="€5") == "The headphones cost €5."
    assert BOOKS["fr"].text("stock_variant_yes", 0, Noun("vase", "mp", "fr"), variant="bleu") == (
        "Oui, les vase sont disponibles en bleu."
    )


def test_the_turn_chooses_the_wording() -> None:
    said = {BOOKS["fr"].text("thanks", turn) for turn in range(4)}
    assert len(said) == len(BOOKS["fr"].entries["thanks"]) == 2


def test_a_missing_value_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        BOOKS["en"].text("price", 0, Noun("lamp", "", "en"))


def test_broken_templates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x\.txt:1"):
        parse("Hello.\n[greeting]\n", "x.txt")
    with pytest.raises(ValueError, match=r"\[greeting\] has no sentence"):
        parse("# hi\n[greeting]\n", "x.txt")
    assert parse("[a]\nOne. / Two.\n", "x.txt") == {"a": (("One.", "Two."),)}


def test_every_product_can_be_spoken_of(shop: Shop) -> None:
    for product in shop.catalogue:
        for language in LANGUAGES:
            said = BOOKS[language].text(
                "price", 0, noun(product.text(language), language), price="x"
            )
            assert product.model in said
            assert said[0].isupper()


# -- breathing ----------------------------------------------------------------------------------


def test_a_clause_too_short_is_joined_to_the_next() -> None:
    assert breathe(["Merci.", "Et votre code postal ?"]) == ["Merci. Et votre code postal ?"]


def test_a_long_first_sentence_is_cut_at_its_comma() -> None:
    text = "C'est un lot de quatre grandes tasses en grès, chacune un peu différente."
    assert breathe([text, "Fin."]) == [
        "C'est un lot de quatre grandes tasses en grès,",
        "chacune un peu différente.",
        "Fin.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Vous pouvez payer par Bancontact, Visa, Mastercard, PayPal ou Klarna.",
        "La lampe de table Oslo est en promotion : 49,90 € au lieu de 59,90 €.",
        "Ja, dat kan zeker en vast ook op een andere manier gebeuren.",
        "Un deux trois quatre cinq six sept huit neuf dix onze, douze treize quatorze.",
    ],
)
def test_lists_numbers_and_far_commas_are_not_cut(text: str) -> None:
    assert breathe([text]) == [text]


def test_joined_by_spaces_clauses_are_the_sentences() -> None:
    texts = ["Oui.", "", "Cette phrase est longue, et elle se coupe ici sans rien perdre.", "Bon."]
    clauses = breathe(texts)
    assert " ".join(clauses) == " ".join(text for text in texts if text)
    assert len(clauses[0]) >= SHORTEST
    assert FIRST_WORDS > 0
    assert breathe([]) == []


def test_capital() -> None:
    assert capital("été") == "Été"
    assert capital("") == ""


# -- cues ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_fills_every_word_group(language: str) -> None:
    groups = set(Cues.load(language).groups)
    used = {name for rule in RULES for name in (*rule.these, *rule.without) if name[0] != "@"}
    assert used | set(TOPICS) <= groups
    assert {rule.intent for rule in RULES} | set(TOPICS.values()) <= set(HANDLERS)


def test_words_before_a_group_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cues/xx\.txt:2"):
        Cues("xx", "# words\nhello\n[greeting]\n")
