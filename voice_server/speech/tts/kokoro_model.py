"""Kokoro's graphs at work, one clause at a time and one window after the other (synchronous)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.engine import Audio, EngineError
from voice_server.speech.onnx_session import open_session
from voice_server.speech.tts.kokoro_net import (
    DECODER_CONTEXT,
    EPSILON,
    GENERATOR_CONTEXT,
    HALF,
    PITCH_CONTEXT,
    Norm,
)
from voice_server.speech.tts.kokoro_sound import FRAME, WIDTH, HarmonicSource, samples
from voice_server.speech.tts.kokoro_weights import TEXT_OUTPUTS, Array, Weights
from voice_server.speech.tts.windows import Window

STYLE_HALF = 128
"""A style row is [256]: the first half colours the sound, the second the prosody."""

PARTS = ("pitch", "sound")
"""The networks that have norms."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a network's norms would measure over a clause: mean and deviation per channel [N]."""

    mean: Array
    deviation: Array


@dataclass(frozen=True, slots=True)
class StyleMatrix:
    """From half a style row to the norms of one network: gamma and beta, Snake's alpha in them."""

    gamma: Array
    gamma_bias: Array
    beta: Array
    beta_bias: Array
    alpha: Array

    @classmethod
    def build(cls, weights: Weights, norms: tuple[Norm, ...]) -> StyleMatrix:
        """Collect the matrices of a network's norms in their order."""
        matrices = [weights.styles[norm.path] for norm in norms]
        alphas = [np.ones(n.channels) if n.alpha is None else n.alpha for n in norms]
        at = [norm.channels for norm in norms]
        return cls(
            np.concatenate([m[:, :c] for (m, _), c in zip(matrices, at, strict=True)], axis=1),
            np.concatenate([b[:c] for (_, b), c in zip(matrices, at, strict=True)]),
            np.concatenate([m[:, c:] for (m, _), c in zip(matrices, at, strict=True)], axis=1),
            np.concatenate([b[c:] for (_, b), c in zip(matrices, at, strict=True)]),
            np.concatenate(alphas).astype(np.float32),
        )

    def factors(self, half: Array, statistics: Statistics | None) -> dict[str, Array]:
        """Return ``scale`` and ``shift`` [1, N, 1, 1] for a half style row [128].

        With ``statistics`` they do the whole norm, without them what follows an exact one.
        """
        scale = (1.0 + half @ self.gamma + self.gamma_bias) * self.alpha
        shift = (half @ self.beta + self.beta_bias) * self.alpha
        if statistics is not None:
            scale = scale / statistics.deviation
            shift = shift - scale * statistics.mean
        shape = (1, -1, 1, 1)
        return {
            "scale": scale.astype(np.float32).reshape(shape),
            "shift": shift.astype(np.float32).reshape(shape),
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """A clause as read by the text half: frames per token [n], and two views by frame [512, T]."""

    durations: NDArray[np.int64]
    hidden: Array
    aligned: Array

    @property
    def frames(self) -> int:
        """Frames of the whole clause."""
        return int(self.hidden.shape[-1])


@dataclass(slots=True)
class Clause:
    """A clause on its way to sound: what is fixed for it, and the pitch curve as far as known."""

    reading: Reading
    pitch_factors: dict[str, Array]
    sound_factors: dict[str, Array]
    pitch: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    energy: Array = field(default_factory=lambda: np.zeros(0, np.float32))


class KokoroModel:
    """The sessions and tables. Not thread-safe: one worker at a time."""

    def __init__(self, sessions: Mapping[str, Any], tables: Tables) -> None:
        """Use open sessions ``text``, ``pitch`` and ``sound``."""
        self._text, self._pitch, self._sound = (
            sessions["text"],
            sessions["pitch"],
            sessions["sound"],
        )
        self._tables = tables
        self._source = HarmonicSource(tables.mix, float(tables.offset[0]))

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> KokoroModel:
        """Open the derived files of ``folder``. Raises EngineUnavailable."""
        sessions = {
            name: open_session(folder / f"{name}.onnx", threads=threads, what=f"Kokoro's {name}")
            for name in ("text", *PARTS)
        }
        return cls(sessions, Tables.load(folder / "tables.npz"))

    def read(self, tokens: list[int], style: Array, speed: float) -> Reading:
        """Read ``tokens`` (without the padding) in ``style`` [256]. Raises EngineError."""
        outputs = _run(
            self._text,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": style.reshape(1, -1).astype(np.float32),
                "speed": np.array([speed], np.float32),
            },
            list(TEXT_OUTPUTS.values()),
        )
        durations, hidden, aligned = outputs
        return Reading(durations.reshape(-1).astype(np.int64), hidden[0], aligned[0])

    def begin(
        self, reading: Reading, style: Array, statistics: Mapping[str, Statistics] | None
    ) -> Clause:
        """Return the clause ready for its windows; statistics None asks for exact networks."""
        halves = {"sound": style[:STYLE_HALF], "pitch": style[STYLE_HALF:]}
        factors = {
            part: self._tables.styles[part].factors(
                half, statistics[part] if statistics is not None else None
            )
            for part, half in halves.items()
        }
        return Clause(reading, factors["pitch"], factors["sound"])

    def sound(self, clause: Clause, window: Window) -> Audio:
        """Return the window's samples, 600 a frame: those the whole clause would have there.

        Pitch is predicted up to what the window needs, and kept.  Raises EngineError.
        """
        spectrum, first = self._spectrum(clause, window, ["spectrum"])
        audio = samples(spectrum[0][0, :, 0], self._tables.inverse)
        return audio[first : first + FRAME * window.frames]

    def measure(self, clause: Clause) -> dict[str, tuple[Array, Array]]:
        """Return mean and mean square [N] of what each network's norms saw over the clause.

        For exact networks and a clause begun without statistics.  Raises EngineError.
        """
        whole = Window(0, clause.reading.frames)
        pitch = self._predict(clause, whole.stop, ["mean", "square"])
        sound, _ = self._spectrum(clause, whole, ["mean", "square"])
        return {
            "pitch": (pitch[0].reshape(-1), pitch[1].reshape(-1)),
            "sound": (sound[0].reshape(-1), sound[1].reshape(-1)),
        }

    def _spectrum(
        self, clause: Clause, window: Window, outputs: list[str]
    ) -> tuple[list[Array], int]:
        """Run the sound network; also return where the window's samples begin in its audio."""
        total = clause.reading.frames
        inner = _around(window, GENERATOR_CONTEXT, total)
        outer = _around(inner, DECODER_CONTEXT - GENERATOR_CONTEXT, total)
        self._predict(clause, min(total, outer.stop + 1))
        steps = slice(HALF * outer.start, HALF * outer.stop)
        image = (1, -1, 1, (outer.stop - outer.start) * HALF)
        found = _run(
            self._sound,
            {
                "aligned": clause.reading.aligned[None, :, None, outer.start : outer.stop],
                "pitch": clause.pitch[steps].reshape(image),
                "energy": clause.energy[steps].reshape(image),
                "source": self._source.columns(clause.pitch, inner.start, inner.stop, total)[
                    None, :, None, :
                ],
                "begin": np.array([HALF * (inner.start - outer.start)], np.int64),
                "end": np.array([HALF * (inner.stop - outer.start)], np.int64),
                **clause.sound_factors,
            },
            outputs,
        )
        return found, WIDTH // 2 + FRAME * (window.start - inner.start)

    def _predict(self, clause: Clause, stop: int, outputs: Sequence[str] = ()) -> list[Array]:
        """Extend the clause's pitch and energy to frame ``stop``; return further ``outputs``."""
        known = len(clause.pitch) // HALF
        if known >= stop:
            return []
        total = clause.reading.frames
        outer = _around(Window(known, stop), PITCH_CONTEXT, total)
        pitch, energy, *rest = _run(
            self._pitch,
            {
                "hidden": clause.reading.hidden[None, :, None, outer.start : outer.stop],
                **clause.pitch_factors,
            },
            ["pitch", "energy", *outputs],
        )
        new = slice(HALF * (known - outer.start), HALF * (stop - outer.start))
        clause.pitch = np.concatenate([clause.pitch, pitch.reshape(-1)[new]])
        clause.energy = np.concatenate([clause.energy, energy.reshape(-1)[new]])
        return rest


@dataclass(frozen=True, slots=True)
class Tables:
    """The small arrays beside the graphs."""

    styles: Mapping[str, StyleMatrix]
    mix: Array
    offset: Array
    inverse: Array

    @classmethod
    def build(cls, weights: Weights, norms: Mapping[str, tuple[Norm, ...]]) -> Tables:
        """Collect them from the weights, for networks with these norms."""
        styles = {part: StyleMatrix.build(weights, norms[part]) for part in PARTS}
        return cls(styles, *(weights.constants[name] for name in ("mix", "offset", "inverse")))

    def save(self, path: Path) -> None:
        """Write them as one .npz."""
        arrays = {
            f"{part}.{name}": getattr(matrix, name)
            for part, matrix in self.styles.items()
            for name in StyleMatrix.__slots__
        }
        np.savez(
            path, allow_pickle=False, mix=self.mix, offset=self.offset, inverse=self.inverse,
            **arrays,
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Tables:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            styles = {
                part: StyleMatrix(*(stored[f"{part}.{name}"] for name in StyleMatrix.__slots__))
                for part in PARTS
            }
            return cls(styles, stored["mix"], stored["offset"], stored["inverse"])


def pooled(measured: list[tuple[Array, Array]]) -> Statistics:
    """Return the statistics to expect from those of several clauses: (mean, mean square) [N]."""
    means = np.stack([mean for mean, _ in measured])
    variances = np.stack([square - mean**2 for mean, square in measured])
    deviation = np.sqrt(np.maximum(variances.mean(axis=0), 0.0) + EPSILON)
    return Statistics(means.mean(axis=0), deviation.astype(np.float32))


def _around(window: Window, context: int, total: int) -> Window:
    return Window(max(0, window.start - context), min(total, window.stop + context))


def _run(session: Any, inputs: Mapping[str, NDArray[Any]], outputs: list[str]) -> list[Array]:
    try:
        result: list[Array] = session.run(outputs, dict(inputs))
    except Exception as error:  # onnxruntime's exceptions have no common base of their own
        raise EngineError(f"Kokoro failed: {error}") from error
    return result
