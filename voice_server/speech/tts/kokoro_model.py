"""Kokoro's graphs at work, one clause at a time and one window after the other (synchronous)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.engine import Audio, EngineError
from voice_server.speech.onnx_session import open_session
from voice_server.speech.tts.kokoro_net import GENERATOR_CONTEXT, HALF, Norm
from voice_server.speech.tts.kokoro_sound import FRAME, WIDTH, HarmonicSource, samples
from voice_server.speech.tts.kokoro_statistics import Expected, Measured, Statistics
from voice_server.speech.tts.kokoro_weights import TEXT_OUTPUTS, Array, Weights
from voice_server.speech.tts.windows import Window

STYLE_HALF = 128
"""A style row is [256]: the first half colours the sound, the second the prosody."""

PROSODY = "pitch"
"""The network coloured by the second half; the others by the first."""

PARTS = ("pitch", "decoder", "generator")
"""The networks that have norms, each in its file beside ``text.onnx``."""


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

    def factors(self, half: Array, expected: Expected | None = None) -> dict[str, Array]:
        """Return ``scale`` and ``shift`` [1, N, 1, 1] for a half style row [128].

        With ``expected`` they do the whole norm, without it what follows an exact one.
        """
        scale = (1.0 + half @ self.gamma + self.gamma_bias) * self.alpha
        shift = (half @ self.beta + self.beta_bias) * self.alpha
        if expected is not None:
            scale = scale / expected.deviation
            shift = shift - scale * expected.mean
        shape = (1, -1, 1, 1)
        return {
            "scale": scale.astype(np.float32).reshape(shape),
            "shift": shift.astype(np.float32).reshape(shape),
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """A clause as read: frames per token [n], text by frame [512, T], pitch in Hz and log energy.

    The last two have HALF steps per frame [2 T].
    """

    durations: NDArray[np.int64]
    aligned: Array
    pitch: Array
    energy: Array

    @property
    def frames(self) -> int:
        """Frames of the whole clause."""
        return int(self.aligned.shape[-1])


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause ready to sound: decoded features [512, 2 T], factors of the generator's norms."""

    reading: Reading
    features: Array
    factors: Mapping[str, Array]


class KokoroModel:
    """The sessions and tables; keeps nothing of a clause."""

    def __init__(self, sessions: Mapping[str, Any], tables: Tables) -> None:
        """Use open sessions ``text`` and PARTS."""
        self._sessions = sessions
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
        inputs: dict[str, NDArray[Any]] = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style.astype(np.float32)[None, :],
            "speed": np.array([speed], np.float32),
        }
        durations, hidden, aligned = self._run("text", inputs, list(TEXT_OUTPUTS.values()))
        inputs = {"hidden": hidden[:, :, None, :], **self._factors(PROSODY, style)}
        pitch, energy = self._run(PROSODY, inputs, ["pitch", "energy"])
        return Reading(
            durations.reshape(-1).astype(np.int64), aligned[0], pitch.ravel(), energy.ravel()
        )

    def begin(self, reading: Reading, style: Array, statistics: Statistics | None) -> Clause:
        """Decode the whole clause for its windows; statistics None asks for an exact generator.

        Raises EngineError.
        """
        inputs = {
            "aligned": reading.aligned[None, :, None, :],
            "pitch": reading.pitch[None, None, None, :],
            "energy": reading.energy[None, None, None, :],
            **self._factors("decoder", style),
        }
        features = self._run("decoder", inputs, ["features"])[0][0, :, 0]
        expected = statistics.expect(reading.energy) if statistics is not None else None
        return Clause(reading, features, self._factors("generator", style, expected))

    def sound(self, clause: Clause, window: Window) -> Audio:
        """Return the window's samples, 600 a frame: those the whole clause would have there.

        Raises EngineError.
        """
        (spectrum,), first = self._generate(clause, window, ["spectrum"])
        audio = samples(spectrum[0, :, 0], self._tables.inverse)
        return audio[first : first + FRAME * window.frames]

    def measure(self, clause: Clause) -> Measured:
        """Return what the norms saw over the clause.

        For an exact generator and a clause begun without statistics.  Raises EngineError.
        """
        whole = Window(0, clause.reading.frames)
        (mean, square), _ = self._generate(clause, whole, ["mean", "square"])
        return Measured(clause.reading.energy, mean, square)

    def _generate(
        self, clause: Clause, window: Window, outputs: list[str]
    ) -> tuple[list[Array], int]:
        """Run the generator; also return where the window's samples begin in its audio."""
        reading = clause.reading
        start = max(0, window.start - GENERATOR_CONTEXT)
        stop = min(reading.frames, window.stop + GENERATOR_CONTEXT)
        source = self._source.columns(reading.pitch, start, stop, reading.frames)
        inputs = {
            "features": clause.features[None, :, None, HALF * start : HALF * stop],
            "source": source[None, :, None, :],
            **clause.factors,
        }
        return self._run("generator", inputs, outputs), WIDTH // 2 + FRAME * (window.start - start)

    def _factors(
        self, part: str, style: Array, expected: Expected | None = None
    ) -> dict[str, Array]:
        half = style[STYLE_HALF:] if part == PROSODY else style[:STYLE_HALF]
        return self._tables.styles[part].factors(half.astype(np.float32), expected)

    def _run(
        self, name: str, inputs: Mapping[str, NDArray[Any]], outputs: list[str]
    ) -> list[Array]:
        try:
            found: list[Array] = self._sessions[name].run(outputs, dict(inputs))
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise EngineError(f"Kokoro's {name} failed: {error}") from error
        return found


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
