"""What is true of a product now: read when a sentence is spoken, never remembered in a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from voice_server.dialogue.answers.phrasing import Noun, noun
from voice_server.live.phrases import phrases
from voice_server.shop.catalogue import Product
from voice_server.shop.live_catalogue import LiveCatalogue
from voice_server.shop.markets import Market
from voice_server.shop.shop import Shop

FEW = 5
"""Pieces from which a shop may say that few are left."""


@dataclass(frozen=True, slots=True)
class ProductState:
    """What may change about a product while a show runs."""

    price: Decimal
    """The lowest."""
    prices: tuple[Decimal, ...]
    was: Decimal | None
    stock: int
    """Pieces of all variants; a thousand where a platform only says that there are some."""
    read: bool = True
    """It comes from where the truth is; else from the pack, until the platform was read."""


@dataclass(frozen=True, slots=True)
class LiveCard:
    """A product as the stage shows it, in one language."""

    product_id: str
    name: str
    price: str
    was_price: str
    stock: str
    """"in", "few", "out", or "unsure" when it cannot be checked."""
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
    """The catalogue, with the offers of the shop's platform on top of it.

    Where prices are the platform's and could not be read lately, they are worded as what the list
    says, and no stock is promised.
    """

    def __init__(
        self, shop: Shop, pictures: str = "/shop", live: LiveCatalogue | None = None
    ) -> None:
        """``pictures``: URL path of the pack's folder; without ``live`` the pack is the truth."""
        self._shop = shop
        self._pictures = pictures
        self._live = live
        self._packs = 0

    @property
    def shop_name(self) -> str:
        """Whose show it is."""
        return self._shop.name

    @property
    def market(self) -> Market:
        """Where the shop sells: its country and time zone."""
        return self._shop.market

    @property
    def live(self) -> bool:
        """Whether prices and stock are asked of a platform."""
        return self._live is not None

    @property
    def revision(self) -> tuple[int, int]:
        """Changes whenever something may have changed."""
        return self._packs, 0 if self._live is None else self._live.offers.revision

    def renew(self, shop: Shop, live: LiveCatalogue | None) -> None:
        """Speak of an edited pack from now on."""
        self._shop, self._live = shop, live
        self._packs += 1

    async def refresh(self, product_ids: Iterable[str], *, younger_s: float) -> None:
        """Have the platform read products again that were read longer ago.

        Never raises, never takes longer than :data:`~voice_server.shop.offers.DEADLINE_S`.
        """
        if self._live is not None:
            await self._live.refresh(product_ids, younger_s=younger_s)

    def state(self, product_id: str) -> ProductState | None:
        """Return what holds of a product now, None if it is gone."""
        product = self._product(product_id)
        if product is None:
            return None
        return ProductState(
            product.price,
            tuple(variant.price for variant in product.variants),
            self._was(product),
            self._stock(product),
            self._live is None or self._live.read(product),
        )

    def price(self, product_id: str) -> Decimal:
        """Return the lowest price now. Raises KeyError for a product that is gone."""
        product = self._product(product_id)
        if product is None:
            raise KeyError(product_id)
        return product.price

    def confirmed(self, product_id: str) -> bool:
        """Whether price and stock are known to hold now."""
        product = self._product(product_id)
        return product is not None and (self._live is None or self._live.confirmed(product))

    def amounts(self, product_id: str, language: str) -> frozenset[str]:
        """Return every price of a product as it would be worded."""
        product = self._product(product_id)
        if product is None:
            return frozenset()
        known = [variant.price for variant in product.variants]
        known += [product.was_price] if product.was_price is not None else []
        return frozenset(self.money(amount, language) for amount in known)

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
        sure = self.confirmed(product_id)
        price = self.money(product.price, language)
        fields["price"] = (
            price if sure else phrases(language).text("price_unsure", 0, None, price=price)
        )
        was = self._was(product)
        if was is not None and sure:
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
        if not self.confirmed(product_id):
            key = "stock_unsure"
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
        sure = self.confirmed(product_id)
        stock = "out" if count == 0 else "few" if count <= FEW else "in"
        return LiveCard(
            product_id=product_id,
            name=product.text(language).name,
            price=self.money(product.price, language),
            was_price="" if was is None or not sure else self.money(was, language),
            stock=stock if sure else "unsure",
            count=count,
            picture=f"{self._pictures}/{product.image}" if product.image else "",
            url=product.url or self._shop.url,
        )

    def _product(self, product_id: str) -> Product | None:
        if self._live is None:
            return self._shop.catalogue.get(product_id)
        product = self._live.view().catalogue.get(product_id)
        return None if product is None or self._live.vanished(product) else product

    @staticmethod
    def _stock(product: Product) -> int:
        return sum(max(variant.stock, 0) for variant in product.variants)

    @staticmethod
    def _was(product: Product) -> Decimal | None:
        was = product.was_price
        return was if was is not None and was > product.price else None
