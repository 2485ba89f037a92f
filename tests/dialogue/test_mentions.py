"""Names as recognisers write them, and the rest of what an utterance names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.words import fold, plain, sound, stem, tokens


@pytest.mark.parametrize(
    ("language", "text", "product"),
    [
        ("fr", "la lampe Oslow", "oslo"),
        ("fr", "le fauteuil Brunot", "bruno"),
        ("fr", "la table véronna", "verona"),
        ("fr", "le casque sonatta", "sonata"),
        ("fr", "la gourde fraisco", "fresco"),
        ("fr", "la Torrino", "torino"),
        ("nl", "de rugzak Siërra", "sierra"),
        ("nl", "de pan Rieko", "rico"),
        ("nl", "tafel veronna", "verona"),
        ("de", "der Tisch Werona", "verona"),
        ("de", "das Zelt Newada", "nevada"),
        ("de", "der Topf Karlo", "carlo"),
        ("de", "die Pfanne Riko", "rico"),
        ("en", "the Malmo desk", "malmo"),
        ("en", "the carlow casserole", "carlo"),
        ("en", "the Sollaris lantern", "solaris"),
        ("en", "vest a kettle", "vesta"),
    ],
)
def test_misheard_names_are_found(
    knowledge: Knowledge, language: str, text: str, product: str
) -> None:
    assert knowledge.mentions_of(text, language).products == (product,)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "je voudrais une belle veste pour la montagne"),
        ("fr", "est-ce que la lampe est bonne"),
        ("nl", "hebt u een mooie lamp voor mijn moeder"),
        ("nl", "waar kan ik mijn bestelling volgen"),
        ("de", "ich möchte eine schöne Decke für den Winter"),
        ("en", "what is the best blanket for the winter"),
        ("en", "my order was supposed to arrive on Tuesday"),
    ],
)
def test_ordinary_words_are_no_names(knowledge: Knowledge, language: str, text: str) -> None:
    assert knowledge.mentions_of(text, language).products == ()


def test_every_model_name_is_found_in_every_language(knowledge: Knowledge) -> None:
    for product in knowledge.shop.catalogue:
        for language in knowledge.shop.languages:
            for name in (product.model, product.text(language).name):
                found = knowledge.mentions_of(f"{name} ?", language)
                assert found.products == (product.id,), (language, name)


def test_two_products_keep_their_order(knowledge: Knowledge) -> None:
    assert knowledge.mentions_of("Vesta ou Torino", "fr").products == ("vesta", "torino")


@pytest.mark.parametrize(
    ("language", "text", "kinds"),
    [
        ("fr", "vous avez des sacs à dos", ("backpacks",)),
        ("fr", "une housse de couette", ("bedding",)),
        ("nl", "ik zoek een tuinstoel", ("garden_chairs",)),
        ("nl", "dekens of kussens", ("throws", "cushions")),
        ("de", "haben Sie Wasserkocher", ("kettles",)),
        ("en", "a pair of headphones", ("headphones",)),
        ("en", "nothing of yours", ()),
    ],
)
def test_kinds(knowledge: Knowledge, language: str, text: str, kinds: tuple[str, ...]) -> None:
    assert knowledge.mentions_of(text, language).kinds == kinds


@pytest.mark.parametrize(
    ("language", "text", "colours", "sizes"),
    [
        ("fr", "en bleu en taille M", ("blue",), ("M",)),
        ("fr", "vous l'avez en L", (), ("L",)),
        ("fr", "la grande en 200 sur 200", (), ("200 x 200",)),
        ("fr", "l'ampoule est comprise", (), ()),
        ("nl", "de gele in maat xl", ("yellow",), ("XL",)),
        ("nl", "in medium", (), ("M",)),
        ("de", "in Grün Größe S", ("green",), ("S",)),
        ("de", "ich weiß nicht", (), ()),
        ("de", "in Weiß", ("white",), ()),
        ("en", "the 28 cm one in grey", ("grey",), ("28 cm",)),
        ("en", "XXL", (), ("XXL",)),
    ],
)
def test_colours_and_sizes(
    knowledge: Knowledge,
    language: str,
    text: str,
    colours: tuple[str, ...],
    sizes: tuple[str, ...],
) -> None:
    found = knowledge.mentions_of(text, language)
    assert (found.colours, found.sizes) == (colours, sizes)


@pytest.mark.parametrize(
    ("language", "text", "limit"),
    [
        ("fr", "à moins de cinquante euros", "50"),
        ("fr", "un cadeau à 30 €", "30"),
        ("nl", "onder de 60 euro", "60"),
        ("nl", "maximum vijfentwintig", "25"),
        ("de", "höchstens 40 Euro", "40"),
        ("en", "up to 25", "25"),
        ("en", "for my two children", None),
        ("fr", "la commande 10482", None),
    ],
)
def test_limits(knowledge: Knowledge, language: str, text: str, limit: str | None) -> None:
    expected = None if limit is None else Decimal(limit)
    assert knowledge.mentions_of(text, language).limit == expected


@pytest.mark.parametrize(
    ("language", "text", "digits"),
    [
        ("fr", "B E un zéro quatre huit deux", ("10482",)),
        ("fr", "BE-10482", ("10482",)),
        ("fr", "be 10 482 code postal mille", ("10482", "1000")),
        ("fr", "104 82, 1000 Bruxelles", ("10482", "1000")),
        ("nl", "één nul vier acht twee", ("10482",)),
        ("nl", "10476 postcode 1011 AB", ("10476", "1011AB")),
        ("de", "eins null vier acht zwo", ("10482",)),
        ("de", "10470 50667", ("10470", "50667")),
        ("en", "one oh four eight two", ("10482",)),
        ("en", "nothing", ()),
    ],
)
def test_digits(knowledge: Knowledge, language: str, text: str, digits: tuple[str, ...]) -> None:
    assert knowledge.mentions_of(text, language).digits == digits


@pytest.mark.parametrize(
    ("language", "text", "country"),
    [
        ("fr", "vous livrez aux Pays-Bas", "NL"),
        ("nl", "naar Duitsland", "DE"),
        ("de", "in die Schweiz", "CH"),
        ("en", "to the United Kingdom", "GB"),
        ("en", "to the moon", ""),
    ],
)
def test_countries(knowledge: Knowledge, language: str, text: str, country: str) -> None:
    assert knowledge.mentions_of(text, language).country == country


def test_ordinals(knowledge: Knowledge) -> None:
    assert knowledge.mentions_of("la deuxième", "fr").ordinal == 1
    assert knowledge.mentions_of("das letzte bitte", "de").ordinal == -1
    assert knowledge.mentions_of("the lamp", "en").ordinal is None


@pytest.mark.parametrize(
    ("language", "text", "unknown"),
    [
        ("fr", "la lampe Zanzibar", True),
        ("en", "the Zanzibar lamp", True),
        ("de", "die Zanzibar Lampe", True),
        ("nl", "de lamp Oslo", False),
        ("fr", "une lampe moderne", False),
    ],
)
def test_names_we_do_not_have(
    knowledge: Knowledge, language: str, text: str, unknown: bool
) -> None:
    assert knowledge.mentions_of(text, language).unknown_name is unknown


def test_the_rest_is_put_in_general_terms(knowledge: Knowledge) -> None:
    assert knowledge.mentions_of("combien coûte la lampe de table Oslow", "fr").rest == (
        "combien coûte cet article"
    )
    assert knowledge.mentions_of("hebt u stoelen in het blauw", "nl").rest == (
        "hebt u artikel in het rood"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it has no state
@given(text=st.text(max_size=60), language=st.sampled_from(["fr", "nl", "de", "en"]))
def test_nothing_said_can_break_it(knowledge: Knowledge, text: str, language: str) -> None:
    found = knowledge.mentions_of(text, language)
    assert all(key in knowledge.shop.catalogue.products for key in found.products)


def test_words() -> None:
    assert fold("Malmö Weiß œuf") == "malmo weiss oeuf"
    assert tokens("qu'est-ce que l'Oslo ?") == ["est", "ce", "que", "oslo"]
    assert plain("Où est-ce, Oslo ?") == "où est ce oslo"
    assert stem("bougies") == stem("bougie")
    assert sound("Oslow") == sound("Oslo")
    assert sound("") == ""
