"""The triage's :class:`~voice_server.live.triage.Understanding`, made of the shop's dialogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from voice_server.dialogue.embedder import Embedder
from voice_server.dialogue.facts import Answer, Context
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.words import fold, plain, tokens
from voice_server.live.questions import Understood
from voice_server.shop.shop import Shop

SHOP_WIDE = ("delivery", "returns", "payment", "warranty", "hours", "contact", "pickup", "identity")
"""Intents (by their beginning) that are about the shop, whatever product was spoken of."""

ABOUT_PRODUCT = frozenset(
    {"price", "availability", "options", "product_info", "product_detail", "material"}
    | {"dimensions", "care"}
)
GREETINGS = frozenset(
    {
        "bonjour",
        "bonsoir",
        "salut",
        "coucou",
        "hello",
        "hi",
        "hey",
        "hoi",
        "hallo",
        "dag",
        "goedenavond",
        "goedendag",
        "goeiedag",
        "goedemorgen",
        "moin",
        "servus",
        "guten",
        "gruss",
        "gruezi",
        "yo",
        "hiya",
    }
)
GREETING_WORDS = 6
"""A longer message says more than hello."""

Identify = Callable[[str, Sequence[str]], tuple[str, float]]

REMEMBERED = 1_000
"""Texts whose vectors and meanings are kept: a few minutes of chat, 3 MB."""
SURE_OF_LANGUAGE = 0.75
"""Below it, what the sender's client declares counts more than a guess on three words."""


class ShopUnderstanding:
    """Language, vectors, product names and meaning, from what the voice assistant knows too."""

    def __init__(
        self, shop: Shop, knowledge: Knowledge, embedder: Embedder, identify: Identify
    ) -> None:
        """All parts are shared with the voice assistant and thread-safe."""
        self._embedder = embedder
        self._identify = identify
        self.renew(shop, knowledge)

    def renew(self, shop: Shop, knowledge: Knowledge) -> None:
        """Understand by an edited pack from now on."""
        self._shop = shop
        self._knowledge = knowledge
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._understood = lru_cache(maxsize=REMEMBERED)(self._understand)
        self._models = {
            word: product.id for product in shop.catalogue for word in [fold(product.model)]
        }
        self._specific = {
            fold(word): key
            for colours in shop.colours.values()
            for key, words in colours.items()
            for word in words
        }
        sizes = {fold(size) for product in shop.catalogue for size in product.sizes}
        self._specific.update({size: size for size in sizes})

    def language(self, text: str, hint: str) -> str:
        """See :class:`~voice_server.live.triage.Understanding`."""
        best, probability = self._identify(text, self._shop.languages)
        if hint in self._shop.languages and probability < SURE_OF_LANGUAGE:
            return hint
        return best

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See :class:`~voice_server.live.triage.Understanding`."""
        asked = [plain(text) or text for text in texts]
        new = [text for text in dict.fromkeys(asked) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embedder.encode(new), strict=True))
        found = np.stack([self._vectors[text] for text in asked])
        while len(self._vectors) > REMEMBERED:
            del self._vectors[next(iter(self._vectors))]
        return found

    def named(self, text: str) -> str:
        """Return the product whose model name occurs in a text."""
        return next((self._models[w] for w in tokens(text) if w in self._models), "")

    def specifics(self, text: str) -> frozenset[str]:
        """See :class:`~voice_server.live.triage.Understanding`."""
        words = tokens(text)
        found = {self._specific[word] for word in words if word in self._specific}
        return frozenset(found | {word for word in words if word[:1].isdigit()})

    def greets(self, text: str) -> bool:
        """See :class:`~voice_server.live.triage.Understanding`."""
        words = tokens(text)
        return "?" not in text and 0 < len(words) <= GREETING_WORDS and words[0] in GREETINGS

    async def refresh(self, text: str, language: str, on_screen: str) -> None:
        """Have prices and stock looked up that the answer would speak of.

        Free where the pack is the truth; else bounded as :meth:`Knowledge.refresh` is.
        """
        await self._knowledge.refresh(text, language, Context(last_product=on_screen or None))

    def answer(self, text: str, language: str, on_screen: str) -> Answer | None:
        """Return the facts' answer, None if they are not sure."""
        context = Context(last_product=on_screen or None)
        answer = self._knowledge.answer(text, language, context)
        shown = self._shop.catalogue.get(on_screen)
        if answer is None or shown is None or answer.context.last_product is not None:
            return answer
        if answer.intent not in ABOUT_PRODUCT:
            return answer
        # "What does the lamp cost?" names a kind of which the shop has several; in a show it is
        # the one on screen.
        nearer = self._knowledge.answer(f"{text} {shown.model}", language, context)
        right = nearer is not None and nearer.context.last_product == on_screen
        return nearer if right else answer

    def understand(self, text: str, language: str, on_screen: str) -> Understood:
        """See :class:`~voice_server.live.triage.Understanding`.

        A crowd says the same again and again: what was understood lately is not thought of anew.
        """
        return self._understood(text.strip().lower(), language, on_screen)

    def _understand(self, text: str, language: str, on_screen: str) -> Understood:
        answer = self.answer(text, language, on_screen)
        if answer is None:
            return Understood("", product_id=self.named(text))
        general = answer.intent.startswith(SHOP_WIDE)
        product = "" if general else answer.context.last_product or ""
        answerable = bool(answer.facts) or answer.intent in {"identity", "hours", "contact"}
        return Understood(answer.intent, answer.confidence, product, answerable)
