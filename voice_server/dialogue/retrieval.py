"""Finding the facts nearest to a question: by meaning and by words, fused by rank."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from voice_server.dialogue.embedder import Vectors
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.words import stem, tokens

K1, B = 1.2, 0.75
"""BM25's usual saturation and length constants (Robertson and Zaragoza, 2009)."""
RANK_CONSTANT = 10
"""Of reciprocal rank fusion; the usual 60 is for lists of thousands, ours have about a hundred."""


class WordIndex:
    """BM25 over the documents of one language."""

    def __init__(self, documents: Sequence[str]) -> None:
        counts = [Counter(terms(document)) for document in documents]
        lengths = np.array([sum(count.values()) for count in counts], np.float64)
        mean = float(lengths.mean()) if len(documents) else 1.0
        self._size = len(documents)
        holders: dict[str, list[tuple[int, int]]] = {}
        for index, count in enumerate(counts):
            for term, times in count.items():
                holders.setdefault(term, []).append((index, times))
        self._postings: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
        for term, found in holders.items():
            rarity = math.log(1 + (self._size - len(found) + 0.5) / (len(found) + 0.5))
            indices = np.array([index for index, _ in found], np.int64)
            often = np.array([times for _, times in found], np.float64)
            length = K1 * (1 - B + B * lengths[indices] / mean)
            self._postings[term] = (indices, rarity * often * (K1 + 1) / (often + length))

    def scores(self, query: str) -> NDArray[np.float64]:
        """Return float64 [documents], 0 where no word is shared."""
        scores = np.zeros(self._size)
        for term in set(terms(query)):
            if term in self._postings:
                indices, weights = self._postings[term]
                scores[indices] += weights
        return scores


def terms(text: str) -> list[str]:
    """Return the stems a text is indexed by; words of one or two letters are left out."""
    return [stem(word) for word in tokens(text) if len(word) > 2 or word.isdigit()]


def alike(term: str, asked: set[str]) -> bool:
    """Tell whether a stem was asked for; German and Dutch compounds count by their beginning."""
    if term in asked:
        return True
    return len(term) >= 5 and any(
        len(word) >= 5 and (word.startswith(term[:5]) or term.endswith(word)) for word in asked
    )


class FactIndex:
    """The facts of one language, searchable.

    Args:
        facts: what may be found.
        keys: for each fact, the text it is found by (a question, a name and a description).
        vectors: float32 [len(facts), d], of the same texts.
    """

    def __init__(self, facts: Sequence[Fact], keys: Sequence[str], vectors: Vectors) -> None:
        self.facts = tuple(facts)
        self._vectors = vectors
        self._words = WordIndex(keys)
        # A question is nearer to every question than to any description: each kind of fact is
        # measured against its own mean.
        kinds = np.array([fact.kind for fact in facts])
        self._kinds = [np.flatnonzero(kinds == kind) for kind in dict.fromkeys(kinds.tolist())]
        self._position = {fact.source_id: index for index, fact in enumerate(facts)}

    def place(self, source_id: str) -> int:
        """Return a fact's index.

        Raises:
            KeyError: there is none of this source.
        """
        return self._position[source_id]

    def get(self, source_id: str) -> Fact | None:
        """Return a fact by its source."""
        index = self._position.get(source_id)
        return None if index is None else self.facts[index]

    def search(
        self,
        text: str,
        vector: Vectors,
        *,
        limit: int,
        boosts: Mapping[str, float] | None = None,
    ) -> list[tuple[Fact, float]]:
        """Return the nearest facts, best first, with their cosine.

        Args:
            text: the question.
            vector: its embedding [d].
            limit: how many.
            boosts: source id to what its fused score (at most 0.2) is raised by.
        """
        if not self.facts:
            return []
        cosines = self._vectors @ vector
        centred = cosines.copy()
        for members in self._kinds:
            centred[members] -= cosines[members].mean()
        words = self._words.scores(text)
        fused: NDArray[np.float64] = 1 / (RANK_CONSTANT + _ranks(centred).astype(np.float64))
        fused += np.where(words > 0, 1 / (RANK_CONSTANT + _ranks(words)), 0.0)
        for source_id, boost in (boosts or {}).items():
            index = self._position.get(source_id)
            if index is not None:
                fused[index] += boost
        best = np.argsort(-fused, kind="stable")[:limit]
        return [(self.facts[index], float(cosines[index])) for index in best]


def _ranks(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return each document's place, 0 for the best."""
    places = np.empty(len(scores), np.int64)
    places[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return places
