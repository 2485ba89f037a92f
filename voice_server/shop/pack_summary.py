"""What a pack holds, in numbers: for its owner, at the end of a check."""

from __future__ import annotations

from dataclasses import dataclass

from voice_server.shop.pack_policies import SECTIONS
from voice_server.shop.shop import Shop


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is there in one language."""

    language: str
    greeting: bool
    products: int
    """Products with a text of their own."""
    sections: int
    """Sections of the policies that answers look for."""
    answers: int
    """Approved answers."""
    percent: int
    """How much of what the pack has in any language it has in this one."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A pack in numbers."""

    id: str
    name: str
    products: int
    variants: int
    in_stock: int
    """Products with a variant in stock."""
    categories: int
    orders: int
    sections: int
    """Sections that answers look for, all languages alike."""
    answers: int
    """Approved answers, translations counted once."""
    languages: tuple[Coverage, ...]
    """The default language first."""


def summarise(shop: Shop) -> Summary:
    """Count what a shop has."""
    answers = {entry.id for entries in shop.faq.values() for entry in entries}
    return Summary(
        id=shop.id,
        name=shop.name,
        products=len(shop.catalogue),
        variants=sum(len(product.variants) for product in shop.catalogue),
        in_stock=sum(product.available for product in shop.catalogue),
        categories=len(shop.catalogue.categories),
        orders=len(shop.orders),
        sections=len(SECTIONS),
        answers=len(answers),
        languages=tuple(_coverage(shop, language, len(answers)) for language in shop.languages),
    )


def _coverage(shop: Shop, language: str, answers: int) -> Coverage:
    greeting = bool(shop.texts[language].greeting)
    products = sum(language in product.texts for product in shop.catalogue)
    sections = len({section.id for section in shop.sections.get(language, ())} & set(SECTIONS))
    translated = len(shop.faq.get(language, ()))
    wanted = 1 + len(shop.catalogue) + len(SECTIONS) + answers
    there = greeting + products + sections + translated
    return Coverage(
        language, greeting, products, sections, translated, percent=there * 100 // wanted
    )
