"""A shop: everything a shop pack says, validated and immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from voice_server.shop.catalogue import Catalogue
from voice_server.shop.markets import Market
from voice_server.shop.orders import OrderBook
from voice_server.shop.phone import PhoneLine
from voice_server.shop.policies import FaqEntry, Policies, PolicySection
from voice_server.shop.taste import Tastes


@dataclass(frozen=True, slots=True)
class ShopText:
    """What the shop says of itself in one language."""

    greeting: str
    """The first words of every session; they disclose that an AI speaks, and for whom."""
    description: str
    """One sentence: what the shop sells."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant. Loaded by :func:`voice_server.shop.pack.load`."""

    id: str
    name: str
    url: str
    folder: Path
    languages: tuple[str, ...]
    """ISO 639-1, the default first."""
    market: Market
    tone: str
    """One sentence for the language model: how the assistant speaks."""
    voices: Mapping[str, str]
    """Language to the name of a voice; a missing language takes the engine's default."""
    texts: Mapping[str, ShopText]
    catalogue: Catalogue
    orders: OrderBook
    policies: Policies
    sections: Mapping[str, tuple[PolicySection, ...]]
    """Language to policy sections."""
    faq: Mapping[str, tuple[FaqEntry, ...]]
    """Language to approved answers."""
    colours: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Language to colour key to words; the first is spoken ("bleu"), all are recognised."""
    fingerprint: str
    """Hash of the pack's files: caches made from the pack are keyed by it."""
    phone: tuple[PhoneLine, ...] = ()
    """Its phone lines."""
    tastes: Tastes = Tastes()
    """What counts for its markets."""
    familiar: frozenset[str] = frozenset()
    """Languages in which customers are addressed by "je", "tu" or "du"."""

    @property
    def default_language(self) -> str:
        """The language spoken when nothing is known of the customer."""
        return self.languages[0]

    def text(self, language: str) -> ShopText:
        """Return the shop's own words in ``language``, else in its default language."""
        return self.texts.get(language) or self.texts[self.default_language]

    def colour(self, key: str, language: str) -> str:
        """Return the spoken word of a colour."""
        words = self.colours.get(language, {}).get(key)
        return words[0] if words else key
