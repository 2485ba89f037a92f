"""A shop whose platform changes its prices and stock, and can be down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from voice_server.live.facts import ShopFacts
from voice_server.shop.connectors.builtin import BuiltinPlatform
from voice_server.shop.live_catalogue import LiveCatalogue
from voice_server.shop.offers import Offers
from voice_server.shop.platform import Offer, PlatformDown
from voice_server.shop.shop import Shop


class MovingPlatform(BuiltinPlatform):
    """The built-in store, with offers that a test changes."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self._catalogue = shop.catalogue
        self.asked: list[tuple[str, ...]] = []
        self.down = False
        self.hangs = False
        self.sold = {
            variant.sku: Offer(variant.sku, variant.price, "EUR", variant.stock, product.was_price)
            for product in shop.catalogue
            for variant in product.variants
        }

    def skus(self, product_id: str) -> list[str]:
        product = self._catalogue.products[product_id]
        return [variant.sku for variant in product.variants]

    def price(self, product_id: str, price: str) -> None:
        for sku in self.skus(product_id):
            self.sold[sku] = replace(self.sold[sku], price=Decimal(price), was_price=None)

    def stock(self, product_id: str, pieces: int, *, counted: bool = True) -> None:
        for at, sku in enumerate(self.skus(product_id)):
            left = pieces if at == 0 else 0
            self.sold[sku] = replace(self.sold[sku], stock=left, counted=counted)

    def remove(self, product_id: str) -> None:
        for sku in self.skus(product_id):
            del self.sold[sku]

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        self.asked.append(tuple(skus))
        if self.hangs:
            await asyncio.sleep(3600)
        if self.down:
            raise PlatformDown("no answer")
        return [self.sold[sku] for sku in skus if sku in self.sold]


class LiveShop:
    """Facts on top of a platform that moves."""

    def __init__(self, shop: Shop, clock: Callable[[], float]) -> None:
        self.platform = MovingPlatform(shop)
        self.offers = Offers(self.platform, shop, clock=clock)
        self.facts = ShopFacts(shop, live=LiveCatalogue(shop, self.offers))

    async def read(self, *products: str) -> None:
        """Have products read now."""
        await self.facts.refresh(products, younger_s=-1.0)
