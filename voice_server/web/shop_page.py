"""What the demo page shows of a :class:`~voice_server.shop.shop.Shop`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_server.shop.catalogue import Product
from voice_server.shop.shop import Shop
from voice_server.web.pages import ShopProduct

PICTURES = "pictures"
"""Folder of a shop pack."""

FAQ_EXAMPLES = 3
"""Questions taken from the approved answers, after the one on a price: two lines of a phone."""

PRICE_QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "m": "Combien coûte le {} ?",
        "f": "Combien coûte la {} ?",
        "mp": "Combien coûtent les {} ?",
        "fp": "Combien coûtent les {} ?",
    },
    "nl": {
        "c": "Hoeveel kost de {}?",
        "n": "Hoeveel kost het {}?",
        "cp": "Hoeveel kosten de {}?",
        "np": "Hoeveel kosten de {}?",
    },
    "de": {
        "m": "Was kostet der {}?",
        "f": "Was kostet die {}?",
        "n": "Was kostet das {}?",
        "mp": "Was kosten die {}?",
        "fp": "Was kosten die {}?",
        "np": "Was kosten die {}?",
    },
    "en": {"": "How much is the {}?", "p": "How much are the {}?"},
}
"""Language and gender to the question; a gender that is not here gives no question."""

ELISION = "aeéèêiouyhâîôûœ"
"""French "le" and "la" lose their vowel before these; such a name gives no question."""


@dataclass(frozen=True, slots=True)
class ShopPage:
    """The :class:`~voice_server.web.pages.ShopInfo` of a shop pack."""

    name: str
    languages: Sequence[str]
    taglines: Mapping[str, str]
    examples: Mapping[str, Sequence[str]]
    products: Sequence[ShopProduct]
    pictures: Path | None


def shop_page(shop: Shop) -> ShopPage:
    """Describe a shop for the page; examples come from its products and its approved answers."""
    folder = shop.folder / PICTURES
    return ShopPage(
        name=shop.name,
        languages=shop.languages,
        taglines={language: shop.text(language).description for language in shop.languages},
        examples={language: _examples(shop, language) for language in shop.languages},
        products=[_product(product, shop) for product in shop.catalogue],
        pictures=folder if folder.is_dir() else None,
    )


def _product(product: Product, shop: Shop) -> ShopProduct:
    return ShopProduct(
        id=product.id,
        names={language: product.text(language).name for language in shop.languages},
        price=product.price,
        currency=shop.market.currency,
        picture=Path(product.image).name if product.image else "",
        was_price=product.was_price,
        several_prices=not product.one_price,
        available=product.available,
    )


def _examples(shop: Shop, language: str) -> list[str]:
    price = next(
        (
            question
            for product in shop.catalogue
            if product.available and (question := _price_question(product, language))
        ),
        None,
    )
    faq = [entry.questions[0] for entry in shop.faq.get(language, ()) if entry.questions]
    return [*([price] if price else []), *faq[:FAQ_EXAMPLES]]


def _price_question(product: Product, language: str) -> str:
    text = product.text(language)
    pattern = PRICE_QUESTIONS.get(language, {}).get(text.gender, "")
    if language == "fr" and not text.plural and text.name[:1].lower() in ELISION:
        return ""
    return pattern.format(text.name) if pattern else ""
