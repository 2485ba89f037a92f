"""Kokoro's graphs at work, one clause at a time and one window after the other (synchronous)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.engine import Audio, EngineError
from voice_server.speech.onnx_session import open_session
from voice_server.speech.tts.kokoro_net import GENERATOR_CONTEXT, HALF, RATES, Norm
from voice_server.speech.tts.kokoro_sound import FRAME, WIDTH, HarmonicSource, samples
from voice_server.speech.tts.kokoro_statistics import (
    CLASSES,
    Measured,
    Statistics,
    Tally,
    kinds,
)
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

    def factors(self, half: Array) -> tuple[Array, Array]:
        """Return gain and bias of every channel [N] for half a style row [128]."""
        gain = (1.0 + half @ self.gamma + self.gamma_bias) * self.alpha
        bias = (half @ self.beta + self.beta_bias) * self.alpha
        return gain.astype(np.float32), bias.astype(np.float32)


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


FADE = 240
"""Samples (10 ms) over which a window takes over from the one before."""


@dataclass(slots=True)
class Clause:
    """A clause on its way to sound, window after window.

    Fixed: ``features`` [512, 2 T], and gain and bias of the generator's norms [2, N].  Changing:
    the tally of its statistics, where its windows began and are, the last one's fading samples.
    """

    reading: Reading
    features: Array
    factors: Array
    tally: Tally
    begin: int = -1
    at: int = -1
    fading: Audio = field(default_factory=lambda: np.zeros(0, np.float32))


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
            name: open_session(
                folder / f"{name}.onnx", threads=threads, what=f"Kokoro's {name}", arena=False
            )
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
        inputs = {"hidden": hidden[:, :, None, :], **self._norms(PROSODY, style)}
        pitch, energy = self._run(PROSODY, inputs, ["pitch", "energy"])
        return Reading(
            durations.reshape(-1).astype(np.int64), aligned[0], pitch.ravel(), energy.ravel()
        )

    def begin(self, reading: Reading, style: Array, statistics: Statistics | None) -> Clause:
        """Decode the whole clause; without statistics it must become one window.

        Raises EngineError.
        """
        inputs = {
            "aligned": reading.aligned[None, :, None, :],
            "pitch": reading.pitch[None, None, None, :],
            "energy": reading.energy[None, None, None, :],
            **self._norms("decoder", style),
        }
        features = self._run("decoder", inputs, ["features"])[0][0, :, 0]
        factors = np.stack(self._factors("generator", style))
        known = statistics or Statistics.nothing(factors.shape[1])
        return Clause(
            reading, features, factors, Tally(known, kinds(reading.pitch, reading.energy))
        )

    def sound(self, clause: Clause, window: Window) -> Audio:
        """Return the window's samples, 600 a frame; it must begin where the last one ended.

        Raises EngineError.
        """
        begin = window.start if clause.begin < 0 else clause.begin
        assert clause.at in {-1, window.start}  # noqa: S101  the caller's obligation
        ones = np.ones((clause.reading.frames, 1), np.float32)
        (spectrum, sums, squares), first = self._generate(clause, begin, window, ones)
        clause.begin, clause.at = begin, window.stop
        clause.tally.add(window.frames, sums.reshape(-1), squares.reshape(-1))
        audio = samples(spectrum[0, :, 0], self._tables.inverse)[first:]
        length = FRAME * window.frames
        found = audio[:length].copy()
        over = len(clause.fading)
        rising = np.arange(1, over + 1, dtype=np.float32) / (over + 1)
        found[:over] = found[:over] * rising + clause.fading * (1 - rising)
        more = window.stop < clause.reading.frames
        clause.fading = audio[length : length + FADE].copy() if more else audio[:0]
        return found

    def measure(self, clause: Clause) -> Measured:
        """Return what the norms see over the clause, which was begun without statistics.

        Raises EngineError.
        """
        reading = clause.reading
        whole = Window(0, reading.frames)
        classes = kinds(reading.pitch, reading.energy)
        (_, sums, squares), _ = self._generate(clause, 0, whole, classes)
        shape = (-1, CLASSES)
        return Measured(classes, sums.reshape(shape), squares.reshape(shape))

    def _generate(
        self, clause: Clause, begin: int, window: Window, classes: Array
    ) -> tuple[list[Array], int]:
        """Return spectrum, sums and squares, and where the window's samples begin in its audio.

        ``classes`` [T, K] weighs the clause's frames for the statistics.
        """
        reading = clause.reading
        start = max(0, window.start - GENERATOR_CONTEXT)
        stop = min(reading.frames, window.stop + GENERATOR_CONTEXT)
        source = self._source.columns(reading.pitch, start, stop, reading.frames)
        rest = clause.tally.rest(begin, window.start, window.stop)
        inputs = {
            "features": clause.features[None, :, None, HALF * start : HALF * stop],
            "source": source[None, :, None, :],
            "norms": np.concatenate([clause.factors, rest])[:, :, None, None],
        }
        counted = np.zeros((stop - start, classes.shape[1]), np.float32)
        inner = slice(window.start - start, window.stop - start)
        counted[inner] = classes[window.start : window.stop]
        for rate in RATES:
            columns = np.repeat(counted, rate, axis=0)
            total = rate * reading.frames
            if rate == RATES[-1]:  # its one column more belongs to the last frame of a clause
                total += 1
                extra = columns[-1:] if stop == window.stop else np.zeros_like(columns[:1])
                columns = np.concatenate([columns, extra])
            inputs[f"columns{rate}"] = columns / np.float32(total)
        found = self._run("generator", inputs, ["spectrum", "sums", "squares"])
        return found, WIDTH // 2 + FRAME * (window.start - start)

    def _norms(self, part: str, style: Array) -> dict[str, Array]:
        scale, shift = self._factors(part, style)
        return {"scale": scale[None, :, None, None], "shift": shift[None, :, None, None]}

    def _factors(self, part: str, style: Array) -> tuple[Array, Array]:
        half = style[STYLE_HALF:] if part == PROSODY else style[:STYLE_HALF]
        return self._tables.styles[part].factors(half.astype(np.float32))

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
