from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.live.live_shop import LiveShop
from voice_server.live.facts import ShopFacts
from voice_server.live.run_sheet import FIELDS, fields_of
from voice_server.shop.catalogue import Catalogue
from voice_server.shop.offers import TTL_S
from voice_server.shop.shop import Shop


@pytest.fixture
def facts(shop: Shop) -> ShopFacts:
    return ShopFacts(shop)


def test_fields_and_points_hold_for_every_product(shop: Shop, facts: ShopFacts) -> None:
    for product in shop.catalogue:
        for language in shop.languages:
            fields = facts.fields(product.id, language)
            assert set(fields) <= FIELDS
            points = facts.points(product.id, language)
            assert len(points) >= 4
            for point in points:
                used = fields_of(point)
                assert used <= FIELDS
                if used <= fields.keys():
                    assert "{" not in point.format_map(fields)


def test_a_card(facts: ShopFacts) -> None:
    card = facts.card("oslo", "fr")
    assert card is not None
    assert (card.name, card.price, card.was_price) == ("lampe de table Oslo", "49,90 €", "59,90 €")
    assert card.picture == "/shop/pictures/oslo.svg"
    assert card.stock == "in"
    assert card.url.startswith("https://")
    assert facts.card("nothing", "fr") is None


async def test_the_platform_is_the_truth_once_it_was_read(shop: Shop) -> None:
    time = [0.0]
    live = LiveShop(shop, lambda: time[0])
    facts = live.facts
    assert not facts.confirmed("oslo")
    state = facts.state("oslo")
    assert state is not None
    assert (state.read, state.price) == (False, Decimal("49.90"))
    live.platform.price("oslo", "39.90")
    await live.read("oslo")
    assert facts.confirmed("oslo")
    assert facts.fields("oslo", "de")["price"].startswith("39,90")
    assert "was" not in facts.fields("oslo", "fr")  # the platform knows of no former price
    assert facts.amounts("oslo", "fr") == {"39,90 €"}
    live.platform.stock("oslo", 2)
    await live.read("oslo")
    assert "2" in facts.stock_line("oslo", "nl")
    card = facts.card("oslo", "fr")
    assert card is not None
    assert (card.stock, card.count, card.price) == ("few", 2, "39,90 €")


async def test_stock_that_is_not_counted_is_never_counted_out(shop: Shop) -> None:
    live = LiveShop(shop, lambda: 0.0)
    live.platform.stock("oslo", 1, counted=False)
    await live.read("oslo")
    assert live.facts.stock_line("oslo", "fr") == ShopFacts(shop).stock_line("oslo", "fr")
    card = live.facts.card("oslo", "en")
    assert card is not None
    assert card.stock == "in"
    live.platform.stock("oslo", 0, counted=False)
    await live.read("oslo")
    card = live.facts.card("oslo", "en")
    assert card is not None
    assert card.stock == "out"


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
async def test_what_cannot_be_checked_is_hedged(shop: Shop, language: str) -> None:
    time = [0.0]
    live = LiveShop(shop, lambda: time[0])
    await live.read("oslo")
    sure = live.facts.fields("oslo", language)
    time[0] = TTL_S + 1
    fields = live.facts.fields("oslo", language)
    assert fields["price"] != sure["price"]
    assert fields["price"].startswith(sure["price"])  # the last price known, as the list's
    assert fields["stock"] != sure["stock"]
    assert not any(character.isdigit() for character in fields["stock"])
    assert "was" not in fields
    card = live.facts.card("oslo", language)
    assert card is not None
    assert (card.stock, card.was_price) == ("unsure", "")


async def test_what_the_platform_sold_and_sells_no_more_is_gone(shop: Shop) -> None:
    live = LiveShop(shop, lambda: 0.0)
    live.platform.remove("nemo")
    await live.read("oslo", "nemo")
    assert live.facts.known("nemo")  # it was never there: the pack is hedged, and the host told
    assert not live.facts.confirmed("nemo")
    live.platform.remove("oslo")
    await live.read("oslo")
    assert not live.facts.known("oslo")
    assert live.facts.card("oslo", "fr") is None
    assert live.facts.fields("oslo", "fr") == {}
    assert live.facts.amounts("oslo", "fr") == frozenset()
    with pytest.raises(KeyError):
        live.facts.price("oslo")


async def test_an_edited_pack_is_spoken_of(shop: Shop) -> None:
    facts = ShopFacts(shop)
    before = facts.revision
    oslo = shop.catalogue.products["oslo"]
    dear = replace(oslo, variants=tuple(replace(v, price=Decimal(70)) for v in oslo.variants))
    facts.renew(replace(shop, catalogue=Catalogue((dear,), ())), None)
    assert facts.revision != before
    assert facts.fields("oslo", "fr")["price"].startswith("70")
    assert facts.confirmed("oslo")
    assert not facts.live
    await facts.refresh(["oslo"], younger_s=0)  # nobody to ask


def test_a_product_without_material_says_none(shop: Shop) -> None:
    oslo = shop.catalogue.products["oslo"]
    bare = replace(oslo, texts={"fr": replace(oslo.text("fr"), material="", care="")})
    other = replace(shop, catalogue=Catalogue((bare,), ()))
    assert (
        len(ShopFacts(other).points("oslo", "fr")) == len(ShopFacts(shop).points("oslo", "fr")) - 2
    )


def test_a_product_that_is_gone(shop: Shop) -> None:
    facts = ShopFacts(replace(shop, catalogue=Catalogue((), ())))
    assert not facts.known("oslo")
    assert facts.state("oslo") is None
    assert facts.noun("oslo", "fr") is None
    assert facts.fields("oslo", "fr") == {}
    assert facts.points("oslo", "fr") == ()
    assert facts.stock_line("oslo", "fr") == ""
    assert facts.shop_name == "Marolle"
