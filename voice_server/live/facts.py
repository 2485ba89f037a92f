"""What is true of a product now: read when a sentence is spoken, never remembered in a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from voice_server.dialogue.answers.phrasing import Noun, noun
from voice_server.live.phrases import phrases
from voice_server.live.show_events import Change
from voice_server.shop.catalogue import Product, Variant
from voice_server.shop.platform import Offer
from voice_server.shop.shop import Shop

FEW = 5
"""Pieces from which a shop may say that few are left."""


@dataclass(frozen=True, slots=True)
class LiveCard:
    """A product as the stage shows it, in one language."""

    product_id: str
    name: str
    price: str
    was_price: str
    stock: str
    """"in", "few" or "out"."""
    count: int
    """Pieces left; shown when they are few."""
    picture: str
    url: str


class Facts(Protocol):
    """Prices, stock and names at this moment."""

    def known(self, product_id: str) -> bool:
        """Whether the catalogue has it."""

    def noun(self, product_id: str, language: str) -> Noun | None:
        """Return the product's noun, None if it is gone."""

    def fields(self, product_id: str, language: str) -> Mapping[str, str]:
        """Return what a point may say, without what does not hold (no "was": no former price)."""

    def money(self, amount: Decimal, language: str) -> str:
        """Word an amount of the shop's currency."""

    def points(self, product_id: str, language: str) -> Sequence[str]:
        """Return talking points from the product's own texts."""

    @property
    def shop_name(self) -> str:
        """Whose show it is."""


class ShopFacts:
    """The catalogue, with the offers of the shop's platform on top of it."""

    def __init__(self, shop: Shop, pictures: str = "/shop") -> None:
        """``pictures``: URL path of the pack's folder."""
        self._shop = shop
        self._pictures = pictures
        self._offers: dict[str, Offer] = {}
        self._gone: set[str] = set()

    @property
    def shop_name(self) -> str:
        """Whose show it is."""
        return self._shop.name

    def update(self, offers: Sequence[Offer]) -> list[tuple[str, Change]]:
        """Take prices and stock from the platform; return what changed, by product."""
        before = {offer.sku: self._product_of(offer.sku) for offer in offers}
        products = {p.id: p for p in before.values() if p is not None}
        old = {key: (self._price(p), self._stock(p)) for key, p in products.items()}
        self._offers.update({offer.sku: offer for offer in offers})
        changes: list[tuple[str, Change]] = []
        for key, product in products.items():
            price, stock = self._price(product), self._stock(product)
            if price != old[key][0]:
                changes.append((key, Change.PRICE))
            if stock == 0 < old[key][1]:
                changes.append((key, Change.SOLD_OUT))
            elif old[key][1] == 0 < stock:
                changes.append((key, Change.BACK))
            elif 0 < stock <= FEW < old[key][1]:
                changes.append((key, Change.LOW))
        return changes

    def withdraw(self, product_id: str) -> None:
        """The product left the catalogue."""
        self._gone.add(product_id)

    def price(self, product_id: str) -> Decimal:
        """Return the lowest price now. Raises KeyError for a product that is gone."""
        product = self._product(product_id)
        if product is None:
            raise KeyError(product_id)
        return self._price(product)

    def changed(self, product_id: str) -> bool:
        """Whether price or stock differ from the pack's, which the dialogue answers from."""
        product = self._product(product_id)
        return product is None or any(v.sku in self._offers for v in product.variants)

    def known(self, product_id: str) -> bool:
        """Whether the catalogue has it."""
        return self._product(product_id) is not None

    def noun(self, product_id: str, language: str) -> Noun | None:
        """Return the product's noun, None if it is gone."""
        product = self._product(product_id)
        return None if product is None else noun(product.text(language), language)

    def money(self, amount: Decimal, language: str) -> str:
        """Word an amount of the shop's currency."""
        return self._shop.market.money(amount, language)

    def fields(self, product_id: str, language: str) -> Mapping[str, str]:
        """See :class:`Facts`."""
        product = self._product(product_id)
        if product is None:
            return {}
        thing = noun(product.text(language), language)
        fields = {key: thing.fields()[key] for key in ("name", "the", "The", "it", "It")}
        fields["price"] = self.money(self._price(product), language)
        was = self._was(product)
        if was is not None:
            fields["was"] = self.money(was, language)
        fields["stock"] = self.stock_line(product_id, language)
        if product.colours:
            words = [self._shop.colour(colour, language) for colour in product.colours]
            fields["colours"] = self._shop.market.join(words, language)
        return fields

    def stock_line(self, product_id: str, language: str) -> str:
        """Return one sentence on the stock."""
        product = self._product(product_id)
        if product is None:
            return ""
        count = self._stock(product)
        key = "stock_none" if count == 0 else "stock_few" if count <= FEW else "stock_many"
        thing = noun(product.text(language), language, known=True)
        return phrases(language).text(key, 0, thing, count=str(count))

    def points(self, product_id: str, language: str) -> Sequence[str]:
        """Return points from the product's texts: what it is, its price, its details, the stock."""
        product = self._product(product_id)
        if product is None:
            return ()
        text = product.text(language)
        book = phrases(language)
        known = noun(text, language, known=True)
        price = "point_was" if self._was(product) is not None else "point_price"
        braces = {name: f"{{{name}}}" for name in ("price", "was", "colours")}
        points = [text.summary, book.text(price, 0, known, **braces), *text.details]
        if text.material:
            points.append(book.text("point_material", 0, known, material=text.material))
        if len(product.colours) > 1:
            points.append(book.text("point_colours", 0, known, **braces))
        points += [text.care, "{stock}", book.text("point_order", len(product.id))]
        return [point for point in points if point]

    def card(self, product_id: str, language: str) -> LiveCard | None:
        """Return what the stage shows, None if the product is gone."""
        product = self._product(product_id)
        if product is None:
            return None
        count, was = self._stock(product), self._was(product)
        return LiveCard(
            product_id=product_id,
            name=product.text(language).name,
            price=self.money(self._price(product), language),
            was_price="" if was is None else self.money(was, language),
            stock="out" if count == 0 else "few" if count <= FEW else "in",
            count=count,
            picture=f"{self._pictures}/{product.image}" if product.image else "",
            url=product.url or self._shop.url,
        )

    def _product(self, product_id: str) -> Product | None:
        return None if product_id in self._gone else self._shop.catalogue.get(product_id)

    def _product_of(self, sku: str) -> Product | None:
        return next(
            (p for p in self._shop.catalogue if any(v.sku == sku for v in p.variants)), None
        )

    def _now(self, variant: Variant) -> Variant:
        offer = self._offers.get(variant.sku)
        return variant if offer is None else replace(variant, price=offer.price, stock=offer.stock)

    def _price(self, product: Product) -> Decimal:
        return min(self._now(variant).price for variant in product.variants)

    def _stock(self, product: Product) -> int:
        return sum(max(self._now(variant).stock, 0) for variant in product.variants)

    def _was(self, product: Product) -> Decimal | None:
        was = product.was_price
        return was if was is not None and was > self._price(product) else None
