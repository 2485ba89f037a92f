"""What a customer wants: a linear classifier over sentence vectors that may abstain.

Training is a ridge regression on some dozens of examples per intent and language, solved in one
step; the shop's approved questions are intents of their own ("faq:gift_wrap").  Leaving each
example out of its own training costs nothing in closed form, so the score that counts as "sure"
is calibrated honestly on the training examples themselves.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_server.dialogue.embedder import Embedder, Vectors, VectorStore
from voice_server.dialogue.words import plain, tokens

NOTHING = "none"
FAQ = "faq:"
ABSTAIN = ("off_topic",)

_HASH_DIMENSIONS = 1024
"""Word and letter n-grams, hashed: they tell apart what the vectors blur (delivery or order)."""
_HASH_WEIGHT = 0.45
_RIDGE = 0.35
_FAQ_WEIGHT = 1.0

Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Guess:
    """What an utterance seems to want."""

    intent: str
    """An intent's name, "faq:<id>", or "none" when nothing is likely."""
    confidence: float
    """0 to 1: the share of left-out training examples with such a margin that were right."""
    runner_up: str = NOTHING
    margin: float = 0.0


def load_examples(language: str, folder: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Read the bundled examples of a language: intent → utterances, with ``{p}`` for products.

    Raises:
        ValueError: an utterance stands before the first ``[intent]``; names the file and line.
    """
    name = f"{language}.txt"
    if folder is None:
        text = (resources.files("voice_server.dialogue") / "data" / "intents" / name).read_text(
            encoding="utf-8"
        )
    else:
        text = (folder / name).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            current = found.setdefault(line[1:-1], [])
        elif current is None:
            raise ValueError(f"{name}:{number}: an example stands before the first [intent]")
        else:
            current.append(line)
    return {intent: tuple(examples) for intent, examples in found.items()}


def hashed(text: str) -> Features:
    """Return float32 [1024], length one: words, word pairs and letter n-grams of a text."""
    vector = np.zeros(_HASH_DIMENSIONS, np.float32)
    words = tokens(text)
    features = [f"w:{word}" for word in words]
    features += [f"p:{a} {b}" for a, b in zip(words, words[1:], strict=False)]
    for word in words:
        padded = f"<{word}>"
        features += [
            padded[i : i + n] for n in (3, 4, 5) for i in range(max(0, len(padded) - n + 1))
        ]
    for feature in features:
        code = zlib.crc32(feature.encode())
        weight = 2.0 if feature[1:2] == ":" else 0.7
        vector[code % _HASH_DIMENSIONS] += weight if code & 0x10000 else -weight
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector


class IntentClassifier:
    """Guesses intents. Immutable after construction, so threads may share it.

    Args:
        examples: intent to example utterances, all languages together.
        embedder: for the utterances to come.
        store: for the vectors of the examples.
    """

    def __init__(
        self,
        examples: Mapping[str, Sequence[str]],
        embedder: Embedder,
        store: VectorStore,
    ) -> None:
        self._embedder = embedder
        self.intents = tuple(sorted(examples))
        texts = [plain(text) for intent in self.intents for text in examples[intent]]
        labels = np.array(
            [index for index, intent in enumerate(self.intents) for _ in examples[intent]]
        )
        features = _features(store.vectors(texts), texts)
        self._weights, scores = _train(features, labels, len(self.intents), self.intents)
        self._margins, self._rights = _calibrate(scores, labels)

    def guess(self, text: str, vector: Vectors | None = None) -> Guess:
        """Guess what ``text`` wants; ``vector`` [512] saves embedding it again."""
        return self.guesses([text], None if vector is None else vector[None])[0]

    def guesses(self, texts: Sequence[str], vectors: Vectors | None = None) -> list[Guess]:
        """Guess many texts at once."""
        written = [plain(text) for text in texts]
        if vectors is None:
            vectors = self._embedder.encode(written)
        scores = _features(vectors, written) @ self._weights
        found = []
        for row in scores:
            order = np.argsort(row)[::-1]
            margin = float(row[order[0]] - row[order[1]])
            found.append(
                Guess(
                    self.intents[order[0]],
                    self._confidence(_sureness(row[order[0]], margin)),
                    self.intents[order[1]],
                    margin,
                )
            )
        return found

    def _confidence(self, sureness: float) -> float:
        return float(np.interp(sureness, self._margins, self._rights))


def _sureness(top: float, margin: float) -> float:
    """One number from how high the best intent scores and how far ahead it is."""
    return float(0.5 * top + margin)


def _features(vectors: Vectors, texts: Sequence[str]) -> Features:
    surface = np.stack([hashed(text) for text in texts]) if texts else np.zeros((0, 1024))
    ones = np.full((len(texts), 1), 0.3, np.float32)
    return np.hstack([vectors, _HASH_WEIGHT * surface, ones]).astype(np.float32)


def _train(
    features: Features, labels: NDArray[np.int64], classes: int, names: Sequence[str]
) -> tuple[Features, Features]:
    """Return the weights [d, classes] and each example's scores when it is left out."""
    count = np.bincount(labels, minlength=classes).astype(np.float64)
    weight = np.sqrt(count.mean() / count)[labels]
    weight *= np.array([_FAQ_WEIGHT if names[label].startswith(FAQ) else 1.0 for label in labels])
    x = features.astype(np.float64) * np.sqrt(weight)[:, None]
    y = np.zeros((len(labels), classes))
    y[np.arange(len(labels)), labels] = 1.0
    y *= np.sqrt(weight)[:, None]
    gram = x @ x.T
    inverse = np.linalg.inv(gram + _RIDGE * np.eye(len(labels)))
    dual = inverse @ y
    left_out = y - dual / np.diag(inverse)[:, None]
    left_out /= np.sqrt(weight)[:, None]
    return (x.T @ dual).astype(np.float32), left_out.astype(np.float32)


def _calibrate(
    scores: Features, labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return knots (sureness, share of right guesses), rising, from left-out scores."""
    order = np.sort(scores, axis=1)
    sureness = np.array(
        [_sureness(top, top - second) for top, second in zip(order[:, -1], order[:, -2], strict=True)]
    )
    right = scores.argmax(axis=1) == labels
    bins = np.array_split(np.argsort(sureness), 12)
    knots = np.array([sureness[part].mean() for part in bins])
    shares = np.maximum.accumulate([right[part].mean() for part in bins])
    return knots, shares
