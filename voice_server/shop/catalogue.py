"""The catalogue: products, their variants and their texts in the shop's languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing one can buy: a product in a colour and a size (either may be "")."""

    sku: str
    product_id: str
    colour: str
    """Key of the colour vocabulary ("blue"), or ""."""
    size: str
    price: Decimal
    stock: int
    restock_days: int | None = None
    """Working days until it is in stock again, None when nobody knows."""

    @property
    def available(self) -> bool:
        """There is at least one in stock."""
        return self.stock > 0


@dataclass(frozen=True, slots=True)
class ProductText:
    """A product in one language. All texts may be spoken: plain, no markup."""

    name: str
    """Without article, with the model name: "lampe de table Oslo"."""
    gender: str
    """m, f, n, c (Dutch "de"), with "p" behind it for a plural ("fp"); "" is unknown."""
    summary: str
    """One sentence that says what it is and whom it suits."""
    details: tuple[str, ...]
    """Further facts, one sentence each."""
    material: str
    """What it is made of, to follow "en" / "van" / "aus" / "of"; may be ""."""
    care: str
    """One sentence; may be ""."""
    aliases: tuple[str, ...] = ()

    @property
    def plural(self) -> bool:
        """The name is a plural ("bath towels")."""
        return self.gender.endswith("p")


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A product with its variants; prices may differ between sizes. Equal only to itself."""

    id: str
    model: str
    """The proper name that all languages share ("Oslo")."""
    category: str
    was_price: Decimal | None
    delivery_days: int
    """Working days to a home address on the home market."""
    dimensions: tuple[Decimal, ...]
    """Width, depth, height in cm; or width, height; may be empty."""
    weight_kg: Decimal | None
    warranty_years: int | None
    """None: the shop's own period."""
    tags: frozenset[str]
    """Uses and occasions ("gift", "kids", "outdoor"), for advice."""
    image: str
    """Path inside the pack."""
    url: str
    texts: Mapping[str, ProductText]
    variants: tuple[Variant, ...]
    default_language: str

    def text(self, language: str) -> ProductText:
        """Return the text in ``language``, else in the shop's default language."""
        return self.texts.get(language) or self.texts[self.default_language]

    @property
    def price(self) -> Decimal:
        """The lowest price of its variants."""
        return min(variant.price for variant in self.variants)

    @property
    def one_price(self) -> bool:
        """All variants cost the same."""
        return len({variant.price for variant in self.variants}) == 1

    @property
    def colours(self) -> tuple[str, ...]:
        """Its colours, in the order of the file."""
        return tuple(dict.fromkeys(v.colour for v in self.variants if v.colour))

    @property
    def sizes(self) -> tuple[str, ...]:
        """Its sizes, in the order of the file."""
        return tuple(dict.fromkeys(v.size for v in self.variants if v.size))

    @property
    def available(self) -> bool:
        """At least one variant is in stock."""
        return any(variant.available for variant in self.variants)

    def select(self, *, colour: str = "", size: str = "") -> tuple[Variant, ...]:
        """Return the variants of a colour and a size; "" matches all."""
        return tuple(
            v
            for v in self.variants
            if (not colour or v.colour == colour) and (not size or v.size == size)
        )


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of product, with the words customers use for it."""

    id: str
    names: Mapping[str, tuple[str, ...]]
    """Language to words; the first is the name (a plural), all of them are recognised."""
    parent: str = ""
    """Id of the wider category, or ""."""


class Catalogue:
    """All products of a shop, by id and by category."""

    def __init__(self, products: tuple[Product, ...], categories: tuple[Category, ...]) -> None:
        self.products = {product.id: product for product in products}
        self.categories = {category.id: category for category in categories}

    def __iter__(self) -> Iterator[Product]:
        return iter(self.products.values())

    def __len__(self) -> int:
        return len(self.products)

    def get(self, product_id: str | None) -> Product | None:
        """Return a product, None if there is none of that id."""
        return self.products.get(product_id or "")

    def in_category(self, category_id: str) -> tuple[Product, ...]:
        """Return the products of a category and of its sub-categories, in file order."""
        wanted = {category_id} | {c.id for c in self.categories.values() if c.parent == category_id}
        return tuple(p for p in self.products.values() if p.category in wanted)
