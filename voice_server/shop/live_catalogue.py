"""The catalogue as the shop's platform has it now: the pack's products with live offers on top.

The one seam between what a pack says of prices and stock and what is spoken of them: who looks at
products through :meth:`LiveCatalogue.view` speaks, writes, shows and is checked by live numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from voice_server.shop.catalogue import Catalogue, Product, Variant
from voice_server.shop.offers import Offers
from voice_server.shop.platform import Offer
from voice_server.shop.shop import Shop

UNCOUNTED = 1000
"""Pieces assumed where a platform only says that there are some: more than are ever counted out
loud, so that nobody hears "only one left"."""
PRODUCTS = 12
"""Read for one answer at most: it speaks of no more than a few."""


def pieces(offer: Offer) -> int:
    """Return how many there are, :data:`UNCOUNTED` if the platform only says that there are."""
    if offer.counted or offer.stock <= 0:
        return max(offer.stock, 0)
    return UNCOUNTED


def overlay(product: Product, offers: Mapping[str, Offer]) -> Product:
    """Return a product with the offers of its variants; itself if there are none.

    A former price is said only as the platform knows it: the pack's may be of last year.
    """
    found = [offers[variant.sku] for variant in product.variants if variant.sku in offers]
    if not found:
        return product

    def now(variant: Variant) -> Variant:
        offer = offers.get(variant.sku)
        if offer is None:
            return variant
        return replace(variant, price=offer.price, stock=pieces(offer))

    live = replace(product, variants=tuple(now(variant) for variant in product.variants))
    was = max((o.was_price for o in found if o.was_price is not None), default=None)
    return replace(live, was_price=was if was is not None and was > live.price else None)


class LiveCatalogue:
    """A pack's catalogue behind the live offers of its shop.

    Args:
        shop: the pack.
        offers: what its platform said, shared with all sessions of the shop.
    """

    def __init__(self, shop: Shop, offers: Offers) -> None:
        self._shop = shop
        self.offers = offers
        self._by_sku = {v.sku: product.id for product in shop.catalogue for v in product.variants}
        self._view = (0, shop)

    def view(self) -> Shop:
        """Return the shop as it is known now: one value for the whole of an answer."""
        revision = self.offers.revision
        if self._view[0] != revision:
            read = self.offers.read()
            products = dict(self._shop.catalogue.products)
            for key in {self._by_sku[sku] for sku in read if sku in self._by_sku}:
                products[key] = overlay(products[key], read)
            categories = tuple(self._shop.catalogue.categories.values())
            catalogue = Catalogue(tuple(products.values()), categories)
            self._view = (revision, replace(self._shop, catalogue=catalogue))
        return self._view[1]

    def confirmed(self, product: Product) -> bool:
        """Whether the platform has said lately what each variant costs and how many there are."""
        found = [self.offers.peek(variant.sku) for variant in product.variants]
        return all(offer is not None and offer.fresh for offer in found)

    def read(self, product: Product) -> bool:
        """Whether the platform has said at some time what each variant costs."""
        found = [self.offers.peek(variant.sku) for variant in product.variants]
        return all(offer is not None and offer.known for offer in found)

    def vanished(self, product: Product) -> bool:
        """Whether the platform had it once and sells no variant of it any more."""
        return all(self.offers.vanished(variant.sku) for variant in product.variants)

    async def refresh(self, product_ids: Iterable[str], *, younger_s: float | None = None) -> bool:
        """Have products read; see :meth:`Offers.refresh` for its deadline. Never raises."""
        products = [self._shop.catalogue.get(key) for key in dict.fromkeys(product_ids)]
        skus = [v.sku for product in products[:PRODUCTS] if product for v in product.variants]
        return await self.offers.refresh(skus, younger_s=younger_s)
