"""The tables of a pack that make the catalogue: categories, products, variants, texts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from voice_server.shop.catalogue import Catalogue, Category, Product, ProductText, Variant
from voice_server.shop.pack_reader import Problems, Row, parse_decimal, read_table

PRODUCTS = ("id", "model", "category", "price")
TEXTS = ("id", "name", "summary")
VARIANTS = ("product", "stock")
CATEGORIES = ("id",)
GENDERS = frozenset({"", "m", "f", "n", "c", "p", "mp", "fp", "np", "cp"})
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
# A text that ends without a full stop runs into the next one when it is spoken.
_SENTENCE_END = (".", "!", "?")
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀ-ÖØ-Þ0-9])")

Vocabulary = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Language to key to words."""


def read_catalogue(
    folder: Path,
    languages: tuple[str, ...],
    colours: Vocabulary,
    shop_url: str,
    problems: Problems,
) -> Catalogue:
    """Read and check the catalogue; what is wrong is noted and left out."""
    categories = _categories(folder, languages, problems)
    variants = _Variants(folder, colours[languages[0]], problems)
    texts = {language: _texts(folder, language, languages[0], problems) for language in languages}
    for language in languages[1:]:
        if not texts[language]:
            problems.warn(
                f"products.{language}.csv",
                0,
                f"no product has a text in {language}: all will be named in {languages[0]}",
                f"copy products.{languages[0]}.csv and translate it",
            )
    products: dict[str, Product] = {}
    declared: set[str] = set()  # also those that cannot be used: their other lines are no strangers
    for row in read_table(folder, "products.csv", PRODUCTS, problems):
        product_id = row.text("id", required=True)
        declared.add(product_id)
        if not _ID.fullmatch(product_id):
            row.error(f"the id {product_id!r} is not usable", "use a-z, 0-9, '-' and '_' only")
            continue
        if product_id in products:
            row.error(f"the id '{product_id}' is used twice", "give each product its own id")
            continue
        product = _product(row, product_id, folder, languages, texts, variants, shop_url)
        if product is None:
            continue
        if not product.category:
            row.warn(
                f"'{product_id}' has no category: it is not found by its kind",
                "fill in the column 'category'",
            )
        elif product.category not in categories:
            row.error(
                f"the category '{product.category}' is unknown",
                "add it to categories.csv or correct it",
            )
        products[product_id] = product
    variants.complain_about_strangers(declared)
    for rows in texts.values():
        for product_id, (row, _) in rows.items():
            if product_id not in declared:
                row.warn(f"no product has the id '{product_id}'", "correct the id or remove it")
    return Catalogue(tuple(products.values()), tuple(categories.values()))


def sentences(text: str) -> tuple[str, ...]:
    """Split a text into sentences."""
    return tuple(part for part in _SENTENCE_BREAK.split(text.strip()) if part)


def _product(
    row: Row,
    product_id: str,
    folder: Path,
    languages: tuple[str, ...],
    texts: Mapping[str, Mapping[str, tuple[Row, ProductText]]],
    variants: _Variants,
    shop_url: str,
) -> Product | None:
    price = row.decimal("price", required=True)
    own_texts = {
        language: texts[language][product_id][1]
        for language in languages
        if product_id in texts[language]
    }
    if languages[0] not in own_texts:
        row.error(
            f"products.{languages[0]}.csv has no line for '{product_id}'",
            "describe the product at least in the shop's first language",
        )
        return None
    for language in languages[1:]:
        if language not in own_texts and texts[language]:
            row.warn(
                f"'{product_id}' has no text in {language}: it will be named in {languages[0]}",
                f"add a line to products.{language}.csv",
            )
    if price is None:
        return None
    image = row.text("image") or f"pictures/{product_id}.svg"
    if not (folder / image).is_file():
        row.warn(f"the picture {image} is missing", "add it, or name another in column 'image'")
        image = ""
    was_price = row.decimal("was_price")
    if was_price is not None and was_price <= price:
        row.error("'was_price' is not above 'price'", "leave it empty if there is no reduction")
        was_price = None
    return Product(
        id=product_id,
        model=row.text("model", required=True),
        category=row.text("category"),
        was_price=was_price,
        delivery_days=row.integer("delivery_days", 2) or 0,
        dimensions=_dimensions(row),
        weight_kg=row.decimal("weight_kg"),
        warranty_years=row.integer("warranty_years"),
        tags=frozenset(row.items("tags")),
        image=image,
        url=row.text("url") or f"{shop_url}/p/{product_id}",
        texts=own_texts,
        variants=variants.of(row, product_id, price),
        default_language=languages[0],
    )


def _dimensions(row: Row) -> tuple[Decimal, ...]:
    parts = [part for part in re.split(r"\s*[x×]\s*", row.text("dimensions").lower()) if part]
    numbers = [parse_decimal(part) for part in parts]
    if any(number is None or number <= 0 for number in numbers):
        row.error(
            f"'dimensions' is {row.text('dimensions')!r}",
            "write width x depth x height in centimetres, such as 24x24x45",
        )
        return ()
    return tuple(number for number in numbers if number is not None)


@dataclass(frozen=True, slots=True)
class _Stock:
    row: Row
    colour: str
    size: str
    price: Decimal | None
    stock: int
    restock_days: int | None


class _Variants:
    def __init__(
        self, folder: Path, colours: Mapping[str, tuple[str, ...]], problems: Problems
    ) -> None:
        self._rows: dict[str, list[_Stock]] = defaultdict(list)
        for row in read_table(folder, "variants.csv", VARIANTS, problems):
            colour = row.text("colour").lower()
            if colour and colour not in colours:
                row.error(
                    f"the colour '{colour}' is unknown",
                    f"use one of {', '.join(colours)}, or add it to colours.csv",
                )
            stock = row.integer("stock")
            if stock is None or stock < 0:
                row.error("'stock' must be 0 or more", "write how many you have, such as 12")
                stock = 0
            self._rows[row.text("product", required=True)].append(
                _Stock(
                    row,
                    colour,
                    row.text("size"),
                    row.decimal("price"),
                    stock,
                    row.integer("restock_days"),
                )
            )

    def of(self, product: Row, product_id: str, price: Decimal) -> tuple[Variant, ...]:
        """Return a product's variants; without any line it is one thing, out of stock."""
        found: dict[str, Variant] = {}
        for item in self._rows.get(product_id, []):
            sku = "-".join(part for part in (product_id, item.colour, item.size) if part)
            if sku in found:
                item.row.error(f"'{sku}' is there twice", "keep one line for each variant")
            found[sku] = Variant(
                sku,
                product_id,
                item.colour,
                item.size,
                price if item.price is None else item.price,
                item.stock,
                item.restock_days,
            )
        if not found:
            product.warn(
                f"'{product_id}' has no line in variants.csv, so it counts as out of stock",
                "add a line with its stock",
            )
            found[product_id] = Variant(product_id, product_id, "", "", price, 0)
        return tuple(found.values())

    def complain_about_strangers(self, products: Set[str]) -> None:
        for product_id, rows in self._rows.items():
            if product_id not in products:
                rows[0].row.error(
                    f"no product has the id '{product_id}'", "correct the id or remove the line"
                )


def _texts(
    folder: Path, language: str, default: str, problems: Problems
) -> dict[str, tuple[Row, ProductText]]:
    found: dict[str, tuple[Row, ProductText]] = {}
    name = f"products.{language}.csv"
    for row in read_table(folder, name, TEXTS, problems, required=language == default):
        product_id = row.text("id", required=True)
        if product_id in found:
            row.error(f"the id '{product_id}' is used twice", "keep one line for each product")
        gender = row.text("gender")
        if gender not in GENDERS:
            row.error(
                f"'gender' is {gender!r}",
                "write m, f, n, c (Dutch 'de'), or p behind it for a plural, such as fp",
            )
            gender = ""
        for column in ("summary", "details", "care"):
            text = row.text(column)
            if text and not text.endswith(_SENTENCE_END):
                row.warn(f"'{column}' does not end with a full stop", "end the sentence")
        found[product_id] = (
            row,
            ProductText(
                name=row.text("name", required=True),
                gender=gender,
                summary=row.text("summary", required=True),
                details=sentences(row.text("details")),
                material=row.text("material"),
                care=row.text("care"),
                aliases=row.items("aliases"),
            ),
        )
    return found


def _categories(
    folder: Path, languages: tuple[str, ...], problems: Problems
) -> dict[str, Category]:
    found: dict[str, Category] = {}
    rows = list(read_table(folder, "categories.csv", (*CATEGORIES, languages[0]), problems))
    for row in rows:
        names = {language: row.items(language) for language in languages if row.items(language)}
        if languages[0] not in names:
            row.error(f"the column '{languages[0]}' is empty", "write the category's name")
        category_id = row.text("id", required=True)
        if category_id in found:
            row.error(f"the id '{category_id}' is used twice", "give each category its own id")
        found[category_id] = Category(category_id, names, row.text("parent"))
    for row in rows:
        parent = row.text("parent")
        if parent and parent not in found:
            row.error(f"the parent '{parent}' is unknown", "add it as a category or correct it")
    return found
