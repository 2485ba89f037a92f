"""What the norms of Kokoro's generator would measure over a clause, before all of it was heard.

The original normalises each channel by its mean and deviation over the whole clause.  A window
adds to what it sees itself what the windows before saw, and what can be foretold of the frames
that were not generated yet, or never will be (silence around a clause is half of a short one).
Foretold is the average of the voice over frames of the same kind: silent, unvoiced or voiced, which
pitch and loudness curve tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.tts.kokoro_net import EPSILON
from voice_server.speech.tts.kokoro_weights import Array

CLASSES = 3
"""Silent, unvoiced, voiced."""

_QUIET, _LOUD = -5.0, -1.0
"""Log energies: below the first a step is silence (pure silence is -9.5), above the second it is
speech (a vowel has 5 to 8); -3 is some -70 dB."""

_UNVOICED_HZ, _VOICED_HZ = 40.0, 100.0
"""Below the first a step is unvoiced, above the second voiced; the curve falls to some 5 Hz."""

_RIDGE = 1e-4
_LEAST = 0.05
"""Of the foretold variance: what is left of it at least, whatever a window does to it."""

Wide = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Statistics:
    """A voice's channels: ``center`` [N], and by class the ``mean`` and the mean ``square`` [N, 3].

    Squares are of the distance to the center, which keeps them exact where a channel's mean is
    far greater than its deviation.
    """

    center: Array
    mean: Array
    square: Array

    @classmethod
    def nothing(cls, channels: int) -> Statistics:
        """Return statistics that foretell nothing: for a window that is the whole clause."""
        empty = np.zeros((channels, CLASSES), np.float32)
        return cls(np.zeros(channels, np.float32), empty, empty)


class Tally:
    """What is known of a clause's channels while its windows come in their order."""

    def __init__(self, statistics: Statistics, kinds: Array) -> None:
        """``kinds`` [T, 3] tells how far each of the clause's frames belongs to each class."""
        self._of = statistics
        self._kinds = kinds.astype(np.float64)
        self._center = statistics.center.astype(np.float64)
        self._share = 0.0
        self._sums: Wide = np.zeros(len(statistics.center))
        self._squares: Wide = np.zeros(len(statistics.center))

    def rest(self, begin: int, start: int, stop: int) -> NDArray[np.float32]:
        """Return rows ``mean`` to ``least`` of NORM_ROWS [4, N] for the frames start..stop.

        Frames ``begin``..``start`` are those of the windows before.
        """
        total = len(self._kinds)
        unseen = np.ones(total, bool)
        unseen[begin:stop] = False
        to_come = self._kinds[unseen].sum(axis=0) / total
        mean = self._sums + self._of.mean @ to_come
        past = self._squares - 2 * self._center * self._sums + self._center**2 * self._share
        square = past + self._of.square @ to_come + self._center**2 * ((stop - start) / total)
        variance = square - (mean - self._center) ** 2 + EPSILON
        typical = self._of.square @ (self._kinds.sum(axis=0) / total)
        least = _LEAST * typical + EPSILON
        return np.stack([mean, 2 * mean, variance, least]).astype(np.float32)

    def add(self, frames: int, sums: Array, squares: Array) -> None:
        """Take what a window of ``frames`` saw [N]."""
        self._share += frames / len(self._kinds)
        self._sums += sums
        self._squares += squares


@dataclass(frozen=True, slots=True)
class Measured:
    """What the norms saw over a whole clause: ``kinds`` [T, 3], ``sums`` and ``squares`` [N, 3]."""

    kinds: Array
    sums: Array
    squares: Array


def kinds(pitch: Array, energy: Array) -> Array:
    """Return how far each frame is silent, unvoiced or voiced [T, 3] from its curves [2 T]."""
    silent = np.clip((_LOUD - energy) / (_LOUD - _QUIET), 0, 1)
    voiced = np.clip((pitch - _UNVOICED_HZ) / (_VOICED_HZ - _UNVOICED_HZ), 0, 1)
    steps = np.stack([silent, (1 - silent) * (1 - voiced), (1 - silent) * voiced], axis=1)
    frames: Array = steps.reshape(-1, 2, CLASSES).mean(axis=1).astype(np.float32)
    return frames


def fit(measured: Sequence[Measured]) -> Statistics:
    """Return what fits all frames of some clauses best, each of its class as far as it belongs."""
    lengths = [len(clause.kinds) for clause in measured]
    weights = np.concatenate([clause.kinds for clause in measured]).astype(np.float64)
    overlap = weights.T @ weights
    solve = np.linalg.inv(overlap + _RIDGE * np.trace(overlap) * np.eye(CLASSES))
    sums = sum(c.sums.astype(np.float64) * n for c, n in zip(measured, lengths, strict=True))
    squares = sum(c.squares.astype(np.float64) * n for c, n in zip(measured, lengths, strict=True))
    center = np.sum(sums, axis=1) / sum(lengths)
    squares = squares - 2 * center[:, None] * sums + center[:, None] ** 2 * weights.sum(axis=0)
    mean, square = sums @ solve, squares @ solve
    typical = np.sum(squares, axis=1, keepdims=True) / sum(lengths)
    square = np.maximum(square, _LEAST * typical)
    return Statistics(*(part.astype(np.float32) for part in (center, mean, square)))


def save_statistics(path: Path, known: Mapping[str, Statistics]) -> None:
    """Write statistics by voice recipe, in half precision: its error is far below their spread.

    Squares as roots, which keeps them in its range.
    """
    arrays = {
        recipe: np.concatenate(
            [found.center[:, None], found.mean, np.sqrt(found.square)], axis=1
        ).astype(np.float16)
        for recipe, found in known.items()
    }
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_statistics(path: Path) -> dict[str, Statistics]:
    """Read statistics by voice recipe; a file that is not there knows none."""
    if not path.is_file():
        return {}
    known = {}
    with np.load(path, allow_pickle=False) as stored:
        for recipe in stored.files:
            table = stored[recipe].astype(np.float32)
            mean, roots = table[:, 1 : 1 + CLASSES], table[:, 1 + CLASSES :]
            known[recipe] = Statistics(table[:, 0], mean, roots**2)
    return known
