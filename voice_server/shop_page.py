"""What the demo page shows of a shop, taken from its pack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from voice_server.shop.shop import Shop
from voice_server.web.pages import ShopProduct

_EXAMPLES = {
    "fr": ("Combien coûte {name} ?", "Puis-je retourner un article ?", "Quand suis-je livré ?"),
    "nl": ("Hoeveel kost {name}?", "Kan ik iets terugsturen?", "Hoe snel wordt er geleverd?"),
    "de": ("Was kostet {name}?", "Kann ich etwas zurückgeben?", "Wie schnell liefern Sie?"),
    "en": ("How much is {name}?", "Can I return an item?", "How fast do you deliver?"),
}
"""Questions a visitor may ask with one tap; {name} is the first product."""


@dataclass(frozen=True, slots=True)
class ShopPage:
    """Implements the page's ShopInfo for a loaded shop."""

    shop: Shop

    @property
    def name(self) -> str:
        """The shop's name."""
        return self.shop.name

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes, the default first."""
        return self.shop.languages

    @property
    def taglines(self) -> dict[str, str]:
        """Language to what the shop sells."""
        return {language: text.description for language, text in self.shop.texts.items()}

    @property
    def examples(self) -> dict[str, tuple[str, ...]]:
        """Language to questions."""
        first = next(iter(self.shop.catalogue), None)
        return {
            language: tuple(
                text.format(name=first.text(language).name if first else self.shop.name)
                for text in texts
            )
            for language, texts in _EXAMPLES.items()
            if language in self.shop.languages
        }

    @property
    def products(self) -> tuple[ShopProduct, ...]:
        """All products, in the catalogue's order."""
        return tuple(
            ShopProduct(
                id=product.id,
                names={language: product.text(language).name for language in self.shop.languages},
                price=product.price,
                currency=self.shop.market.currency,
                picture=PurePosixPath(product.image).name if product.image else "",
                was_price=product.was_price,
                several_prices=not product.one_price,
                available=product.available,
            )
            for product in self.shop.catalogue
        )

    @property
    def pictures(self) -> Path | None:
        """The pack's folder of pictures."""
        folder = self.shop.folder / "pictures"
        return folder if folder.is_dir() else None
