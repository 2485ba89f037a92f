"""Facts about products and orders, worded from the shop's data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from voice_server.dialogue.answers.phrasing import Phrasebook, noun
from voice_server.dialogue.answers.unconfirmed import CARD, FACT
from voice_server.dialogue.dialogue import Card
from voice_server.dialogue.facts import Fact
from voice_server.shop import wording
from voice_server.shop.catalogue import Product, Variant
from voice_server.shop.live_catalogue import LiveCatalogue
from voice_server.shop.orders import Order
from voice_server.shop.shop import Shop

FEW = 3
"""From this stock downwards it is said how many are left."""
_IN = {"fr": "en", "nl": "in", "de": "in", "en": "in"}
_SIZE = {"fr": "taille {}", "nl": "maat {}", "de": "Größe {}", "en": "size {}"}


class Sheets:
    """Words the shop's data in one language.

    Args:
        shop: whose data.
        book: the templates of the language.
        pictures: URL path under which the pack's pictures are served, without a slash at the end.
    """

    def __init__(self, shop: Shop, book: Phrasebook, pictures: str) -> None:
        self.shop = shop
        self.book = book
        self.language = book.language
        self._pictures = pictures
        self._live: LiveCatalogue | None = None

    def follow(self, live: LiveCatalogue | None) -> None:
        """Claim of price and stock what live offers confirm; None: the pack is the truth."""
        self._live = live

    def confirmed(self, product: Product) -> bool:
        """Whether a product's price and stock are known to hold now."""
        return self._live is None or self._live.confirmed(product)

    # -- words ------------------------------------------------------------------------------

    def money(self, amount: Decimal) -> str:
        """Word an amount of the shop's currency."""
        return self.shop.market.money(amount, self.language)

    def day(self, day: date) -> str:
        """Word a date with its weekday."""
        return self.shop.market.day(day, self.language)

    def join(self, items: Sequence[str], *, either: bool = False) -> str:
        """Join words as the language lists them."""
        return self.shop.market.join(items, self.language, "or" if either else "and")

    def size(self, size: str) -> str:
        """Word a size: "taille M", "140 x 200"."""
        return size if any(c.isdigit() for c in size) else _SIZE[self.language].format(size)

    def variant(self, colour: str, size: str) -> str:
        """Word a variant: "bleu en taille M"."""
        words = [self.shop.colour(colour, self.language)] if colour else []
        return f" {_IN[self.language]} ".join([*words, self.size(size)] if size else words)

    def options(self, variants: Sequence[Variant]) -> str:
        """Word variants as a list: by colour if they have colours, else by size."""
        colours = list(dict.fromkeys(v.colour for v in variants if v.colour))
        sizes = list(dict.fromkeys(v.size for v in variants if v.size))
        if len(colours) == 1 and sizes:
            head = self.shop.colour(colours[0], self.language)
            return f"{head} {_IN[self.language]} {self.join([self.size(size) for size in sizes])}"
        if colours:
            return self.join([self.shop.colour(colour, self.language) for colour in colours])
        return self.join([self.size(size) for size in sizes])

    def prices(self, product: Product) -> str:
        """Word the prices of a product whose sizes differ in price."""
        by_size = {variant.size: variant.price for variant in product.variants}
        return self.join(
            [
                self.book.text("price_pair", price=self.money(price), size=self.size(size))
                for size, price in by_size.items()
            ]
        )

    def delivery_days(self, product: Product) -> str:
        """Word how long a product takes to the home country."""
        return wording.units(product.delivery_days, "working_day", self.language)

    def days_dative(self, days: str) -> str:
        """Return German working days in the dative ("in 2 Werktagen"); others unchanged."""
        if self.language == "de":
            return days.replace("Werktage", "Werktagen").replace("1 Werktag", "1 Werktag")
        return days

    def warranty(self, product: Product) -> str:
        """Word a product's warranty."""
        years = product.warranty_years or self.shop.policies.warranty_years
        return wording.units(years, "year", self.language)

    # -- facts ------------------------------------------------------------------------------

    def product(self, product: Product) -> Fact:
        """Return everything that may be said of a product."""
        text = product.text(self.language)
        name = noun(text, self.language)
        if not product.one_price:
            head = self.book.text("fact_price_sizes", 0, name, pairs=self.prices(product))
        elif product.was_price is not None:
            head = self.book.text(
                "fact_price_was",
                0,
                name,
                price=self.money(product.price),
                was=self.money(product.was_price),
            )
        else:
            head = self.book.text("fact_price", 0, name, price=self.money(product.price))
        days = self.delivery_days(product)
        parts = [
            head,
            *(self._stock(product) if self.confirmed(product) else [FACT[self.language]]),
            self.book.text(
                "fact_delivery",
                days=days,
                days_dat=self.days_dative(days),
                years=self.warranty(product),
            ),
            text.summary,
            *text.details,
        ]
        if text.material:
            parts.append(self.book.text("fact_material", material=text.material))
        if product.dimensions:
            parts.append(self.book.text("fact_size", size=self.dimensions(product)))
        if product.weight_kg is not None:
            parts.append(self.book.text("fact_weight", weight=self.weight(product)))
        if text.care:
            parts.append(text.care)
        return Fact(
            f"product:{product.id}",
            "product",
            text.name,
            " ".join(parts),
            self.language,
            product.id,
            product.url,
        )

    def weight(self, product: Product) -> str:
        """Word a product's weight: "1,6 kg"; it must have one."""
        return f"{self.shop.market.number(product.weight_kg or 0, self.language)} kg"

    def dimensions(self, product: Product) -> str:
        """Word dimensions as on a label: "24 x 24 x 45"."""
        return " x ".join(
            self.shop.market.number(value, self.language) for value in product.dimensions
        )

    def order(self, order: Order, status: str) -> Fact:
        """Return what a proved customer may hear of an order; ``status`` is its sentence."""
        items = self.join(
            [self._item(item.sku, item.product_id, item.quantity) for item in order.items]
        )
        text = self.book.text(
            "order_fact",
            number=order.number,
            ordered=self.day(order.ordered),
            items=items,
            total=self.money(order.total),
            status=status,
        )
        return Fact(f"order:{order.number}", "order", order.number, text, self.language)

    def card(self, product: Product, variant: Variant | None = None) -> Card:
        """Return the card that is shown beside an answer about a product."""
        price = variant.price if variant else product.price
        stock = sum(v.stock for v in ([variant] if variant else product.variants))
        key = "card_out" if not stock else "card_few" if stock <= FEW else "card_stock"
        words = self.book.text(key, count=str(stock))
        return Card(
            product.id,
            product.text(self.language).name,
            self.money(price),
            self.money(product.was_price) if product.was_price else "",
            words if self.confirmed(product) else CARD[self.language],
            f"{self._pictures}/{product.image}" if product.image else "",
            product.url,
        )

    def _item(self, sku: str, product_id: str, quantity: int) -> str:
        product = self.shop.catalogue.products[product_id]
        variant = next(v for v in product.variants if v.sku == sku)
        words = self.variant(variant.colour, variant.size)
        name = product.text(self.language).name
        return self.book.text(
            "order_item", count=str(quantity), name=f"{name} ({words})" if words else name
        )

    def _stock(self, product: Product) -> list[str]:
        there = [v for v in product.variants if v.available]
        gone = [v for v in product.variants if not v.available]
        if not there:
            return [self.book.text("fact_out_all")]
        if not gone or not (there[0].colour or there[0].size):
            return [self.book.text("fact_stock_all"), *self._choices(product)]
        return [
            self.book.text("fact_stock", options=self._list(there)),
            self.book.text("fact_out", options=self._list(gone)),
        ]

    def _choices(self, product: Product) -> list[str]:
        words = self._list(list(product.variants))
        return [self.book.text("fact_stock", options=words)] if words else []

    def _list(self, variants: Sequence[Variant]) -> str:
        """Word every variant, "bleu 140 x 200, bleu 200 x 200": exact, for reading on screen."""
        if not any(v.size for v in variants) or not any(v.colour for v in variants):
            return self.options(variants)
        by_colour: dict[str, list[str]] = {}
        for v in variants:
            by_colour.setdefault(self.shop.colour(v.colour, self.language), []).append(v.size)
        return "; ".join(f"{colour} ({', '.join(sizes)})" for colour, sizes in by_colour.items())
