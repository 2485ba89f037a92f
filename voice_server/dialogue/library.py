"""The texts of a shop in one language, as facts that can be searched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from importlib import resources

import numpy as np

from voice_server.dialogue.answers.sheets import Sheets
from voice_server.dialogue.embedder import Vectors, VectorStore
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.retrieval import FactIndex, alike, terms
from voice_server.dialogue.words import plain
from voice_server.shop.catalogue import Product
from voice_server.shop.pack_reader import Problems, read_table
from voice_server.shop.shop import Shop

NEAR_TEXT = 0.5
"""Cosine from which an approved text is worth reading out to somebody we did not understand."""
ALONE = 0.15
"""So much nearer it must be where it shares no word of more than SHORT_WORD letters with what was
asked: of the demo pack's unanswerable questions, all that passed NEAR_TEXT were below this."""
SHORT_WORD = 3
DULL = 0.08
"""Share of all products' sentences from which a word of theirs tells nothing ("for", "with")."""
POINTING = 5
"""Letters from which a word that one text alone has points to it."""
WORD_ALONE, WORD_SHARED, WORDS_MOST = 0.25, 0.1, 0.4
"""What shared words add to a likeness: they tell "watt" from "litre", vectors do not."""


_AMOUNT = re.compile(r"€|\beuros?\b", re.IGNORECASE)


class Library:
    """Facts of one language with their vectors. Immutable.

    Args:
        shop: whose texts.
        sheets: words the products.
        store: keeps the vectors.
    """

    def __init__(self, shop: Shop, sheets: Sheets, store: VectorStore) -> None:
        self.language = sheets.language
        facts: list[Fact] = []
        keys: list[str] = []
        # Vectors blur long texts, and every word costs time at the first start.
        gists: list[str] = []
        for product in shop.catalogue:
            text = product.text(self.language)
            facts.append(sheets.product(product))
            keys.append(" ".join([text.name, *text.aliases[:2], text.summary, *text.details]))
            gists.append(f"{text.name}. {text.summary}")
        for section in shop.sections.get(self.language, ()):
            facts.append(
                Fact(
                    f"policy:{section.id}", "policy", section.title, section.text, self.language,
                    url=shop.url,
                )
            )  # fmt: skip
            keys.append(f"{section.title}. {section.text}")
            gists.append(keys[-1])
        for entry in shop.faq.get(self.language, ()):
            facts.append(
                Fact(
                    f"faq:{entry.id}", "faq", entry.questions[0], entry.answer, self.language,
                    url=shop.url,
                )
            )  # fmt: skip
            keys.append(" ".join([*entry.questions, entry.answer]))
            gists.append(" ".join(entry.questions[:2]))
        self._pointers = _pointers(shop, keys, self.language)
        self.prose = [*keys, *(w for c in shop.catalogue.categories.values()
                               for w in c.names.get(self.language, ()))]  # fmt: skip
        vectors = store.vectors([plain(gist) for gist in gists])
        self._words = [set(terms(key)) for key in keys]
        self.index = FactIndex(facts, keys, vectors)
        self._vectors = vectors
        self._products = np.array([fact.kind == "product" for fact in facts])
        self._catalogue = shop.catalogue
        self._read_details(shop, store)

    def _read_details(self, shop: Shop, store: VectorStore) -> None:
        texts: list[str] = []
        self._details: dict[str, tuple[range, tuple[str, ...]]] = {}
        for product in shop.catalogue:
            text = product.text(self.language)
            said = tuple(part for part in (text.summary, *text.details) if part)
            self._details[product.id] = (range(len(texts), len(texts) + len(said)), said)
            texts += [plain(part) for part in said]
        self._detail_vectors = store.vectors(texts)
        held = Counter(term for text in texts for term in set(terms(text)))
        self._dull = {term for term, times in held.items() if times > DULL * len(texts)}

    def details(self, product: Product, text: str, vector: Vectors) -> Sequence[tuple[str, float]]:
        """Return a product's sentences with their likeness to a question, nearest first."""
        span, said = self._details[product.id]
        cosines = self._detail_vectors[span.start : span.stop] @ vector
        words = product.text(self.language)
        named = set(terms(" ".join([words.name, *words.aliases])))
        asked = {term for term in terms(text) if term not in named and term not in self._dull}
        shared = [{t for t in terms(part) if alike(t, asked)} for part in said]
        common = Counter(term for found in shared for term in found)
        scored = []
        for sentence, cosine, found in zip(said, cosines, shared, strict=True):
            # A word that only this sentence has says more than one that several have.
            gain = sum(WORD_ALONE if common[term] == 1 else WORD_SHARED for term in found)
            scored.append((sentence, float(cosine) + min(WORDS_MOST, gain)))
        return sorted(scored, key=lambda pair: -pair[1])

    def nearest_products(self, vector: Vectors, limit: int) -> list[Product]:
        """Return the products nearest in meaning."""
        cosines = np.where(self._products, self._vectors @ vector, -2.0)
        best = np.argsort(-cosines, kind="stable")[:limit]
        found = (self.index.facts[index] for index in best if self._products[index])
        return [self._catalogue.products[fact.product_id or ""] for fact in found]

    def nearest_id(self, vector: Vectors) -> tuple[str, float]:
        """Return the source of the policy or approved answer nearest in meaning, and its cosine."""
        cosines = np.where(self._products, -2.0, self._vectors @ vector)
        best = int(np.argmax(cosines))
        return self.index.facts[best].source_id, float(cosines[best])

    def priced(self, text: str) -> str:
        """Return the approved answer with an amount that a question has the own word of.

        An answer's own word stands in its question and in its answer, and in no other text.
        Without one, or with those of several, "".
        """
        asked = set(terms(text))
        found = {source for term, source in self._pointers.items() if alike(term, asked)}
        return found.pop() if len(found) == 1 else ""

    def elsewhere(self, text: str, source: str) -> bool:
        """Tell whether a question has a word that one approved text has, and not this one."""
        own = self._words[self.index.place(source)]
        asked = {t for t in terms(text) if len(t) >= POINTING and t not in own}
        return any(sum(t in words for words in self._words) == 1 for t in asked)

    def nearest_text(self, text: str, vector: Vectors) -> Fact | None:
        """Return the policy or approved answer nearest in meaning, None if none is near.

        Unless it is very near, it must share a word with the question: likeness alone takes
        "can I rent a table" for "can I reserve a table".
        """
        cosines = np.where(self._products, -2.0, self._vectors @ vector)
        best = int(np.argmax(cosines))
        asked = {term for term in terms(text) if len(term) > SHORT_WORD}
        shared = asked & self._words[best]
        return self.index.facts[best] if cosines[best] >= NEAR_TEXT + (not shared) * ALONE else None


def _pointers(shop: Shop, keys: Sequence[str], language: str) -> dict[str, str]:
    """Return the words that point to one approved answer with an amount, with its source."""
    held = Counter(term for key in keys for term in set(terms(key)))
    found: dict[str, str] = {}
    for entry in shop.faq.get(language, ()):
        if not _AMOUNT.search(entry.answer):
            continue
        own = set(terms(" ".join(entry.questions))) & set(terms(entry.answer))
        found |= {t: f"faq:{entry.id}" for t in own if held[t] == 1 and len(t) >= POINTING}
    return found


def load_uses(languages: Sequence[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the bundled words for occasions, people and places: language → key → words."""
    problems = Problems()
    data = resources.files("voice_server.shop") / "data"
    with resources.as_file(data) as folder:
        rows = list(read_table(folder, "uses.csv", ("key", *languages), problems))
    return {
        language: {row.text("key"): row.items(language) for row in rows} for language in languages
    }
