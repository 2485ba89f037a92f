from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from voice_server.live.facts import ShopFacts
from voice_server.live.run_sheet import FIELDS, fields_of
from voice_server.live.show_events import Change
from voice_server.shop.catalogue import Catalogue
from voice_server.shop.platform import Offer
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


def test_offers_of_the_platform_win(shop: Shop, facts: ShopFacts) -> None:
    oslo = shop.catalogue.products["oslo"]
    offers = [Offer(v.sku, Decimal("39.90"), "EUR", v.stock) for v in oslo.variants]
    assert not facts.changed("oslo")
    assert facts.update(offers) == [("oslo", Change.PRICE)]
    assert facts.changed("oslo")
    assert facts.fields("oslo", "de")["price"].startswith("39,90")
    few = [replace(offer, stock=0) for offer in offers]
    few[0] = replace(few[0], stock=2)
    assert facts.update(few) == [("oslo", Change.LOW)]
    assert "2" in facts.stock_line("oslo", "nl")
    none = [replace(offer, stock=0) for offer in offers]
    assert facts.update(none) == [("oslo", Change.SOLD_OUT)]
    assert facts.update(offers) == [("oslo", Change.BACK)]
    assert facts.update([replace(offers[0], sku="unknown")]) == []
    dear = [replace(offer, price=Decimal(70)) for offer in offers]
    facts.update(dear)
    assert "was" not in facts.fields("oslo", "fr")


def test_a_product_without_material_says_none(shop: Shop) -> None:
    oslo = shop.catalogue.products["oslo"]
    bare = replace(oslo, texts={"fr": replace(oslo.text("fr"), material="", care="")})
    other = replace(shop, catalogue=Catalogue((bare,), ()))
    assert (
        len(ShopFacts(other).points("oslo", "fr")) == len(ShopFacts(shop).points("oslo", "fr")) - 2
    )


def test_a_product_that_is_gone(facts: ShopFacts) -> None:
    facts.withdraw("oslo")
    assert not facts.known("oslo")
    assert facts.changed("oslo")
    assert facts.noun("oslo", "fr") is None
    assert facts.fields("oslo", "fr") == {}
    assert facts.points("oslo", "fr") == ()
    assert facts.stock_line("oslo", "fr") == ""
    assert facts.shop_name == "Marolle"
