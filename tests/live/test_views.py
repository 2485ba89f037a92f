from __future__ import annotations

from decimal import Decimal

from voice_server.live import views
from voice_server.live.facts import ShopFacts
from voice_server.live.run_sheet import Flash
from voice_server.live.show_events import ShowCard
from voice_server.shop.shop import Shop


def test_a_card_with_its_flash_price(shop: Shop) -> None:
    flash = Flash(Decimal("39.90"), 0, 60, "LIVE10")
    found = views.card(ShowCard("oslo", flash, 130.0), ShopFacts(shop), ("fr", "en"), 100.0)
    assert found["flash"] == {
        "price": {"fr": "39,90 €", "en": "€39.90"},
        "code": "LIVE10",
        "seconds": 30.0,
    }
    assert views.card(ShowCard(""), ShopFacts(shop), ("fr",), 0.0)["cards"] == {}
