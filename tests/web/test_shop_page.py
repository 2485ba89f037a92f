from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from voice_server.shop.catalogue import Catalogue
from voice_server.shop.pack import load
from voice_server.shop.shop import Shop
from voice_server.web.pages import shop_json
from voice_server.web.shop_page import shop_page

DEMO = Path(__file__).parents[2] / "shops" / "demo"


@pytest.fixture(scope="module")
def shop() -> Shop:
    return load(DEMO)


def test_every_product_has_a_name_and_a_price_in_every_language(shop: Shop) -> None:
    page = shop_page(shop)
    assert len(page.products) == len(shop.catalogue)
    for product in page.products:
        assert set(product.names) == {"fr", "nl", "de", "en"}
        assert all(product.names.values())
        assert product.price > 0
        assert product.currency == "EUR"


def test_every_language_has_a_tagline_and_examples(shop: Shop) -> None:
    page = shop_page(shop)
    for language in shop.languages:
        assert page.taglines[language]
        assert len(page.examples[language]) == 4


def test_the_first_example_asks_for_a_price(shop: Shop) -> None:
    examples = shop_page(shop).examples
    assert examples["fr"][0] == "Combien coûte la lampe de table Oslo ?"
    assert examples["nl"][0] == "Hoeveel kost de tafellamp Oslo?"
    assert examples["de"][0] == "Was kostet die Tischlampe Oslo?"
    assert examples["en"][0] == "How much is the Oslo table lamp?"


def test_a_name_that_would_need_elision_gives_no_question(shop: Shop) -> None:
    oslo = shop.catalogue.products["oslo"]
    text = replace(oslo.texts["fr"], name="étagère Oslo")
    renamed = replace(oslo, texts={**oslo.texts, "fr": text})
    small = replace(shop, catalogue=Catalogue((renamed,), ()))
    examples = shop_page(small).examples
    assert not any("étagère" in question for question in examples["fr"])
    assert "Oslo" in examples["nl"][0]


def test_the_pack_becomes_the_page_json(shop: Shop) -> None:
    body = shop_json(shop_page(shop))
    assert body["name"] == shop.name
    assert body["default_language"] == "fr"
    oslo = next(product for product in body["products"] if product["id"] == "oslo")
    assert oslo["price"] == "49.90"
    assert oslo["was_price"] == "59.90"
