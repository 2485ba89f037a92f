"""What surrounds Kokoro's generator, in numpy: the harmonic source before it, the samples after.

Both work on a stretch of a clause at a time; what must run on from one stretch to the next (the
phase, the overlap) they keep.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.engine import SPEAKING_RATE, Audio
from voice_server.speech.tts.kokoro_weights import Array

FRAME = 600
"""Samples of a frame of 25 ms."""

STEP = FRAME // 2
"""Samples of a step of the pitch curve."""

HOP, WIDTH = 5, 20
"""The short-time spectrum's hop and window, in samples."""

COLUMNS = FRAME // HOP
"""Columns of the spectrum per frame."""

VOICED_HZ = 10.0
"""Below this pitch a step is unvoiced."""

_AMPLITUDE = 0.1
_BINS = WIDTH // 2 + 1
_GAIN = WIDTH / HOP
_LOUDEST = 20.0
"""Cap of a log magnitude: nothing audible reaches it, and exp() stays finite in the context of a
window, where the convolutions see an edge that is not there."""


class HarmonicSource:
    """Nine sines on the pitch curve of a clause, mixed and turned into the spectrum [22, n].

    The original computes them from the whole curve at once; ``columns`` gives the same for any
    stretch, so that the phase runs on over the windows.
    """

    def __init__(self, mix: Array, offset: float) -> None:
        """``mix`` [9] weighs the harmonics, ``offset`` is added (l_linear of the export)."""
        self._mix = mix.astype(np.float32)
        self._offset = np.float32(offset)
        self._harmonics = np.arange(1, len(mix) + 1, dtype=np.float64)
        turn = 2 * np.pi * np.arange(WIDTH)[:, None] * np.arange(_BINS)[None, :] / WIDTH
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WIDTH) / WIDTH)
        basis = np.concatenate([np.cos(turn), -np.sin(turn)], axis=1) * window[:, None]
        self._basis = basis.astype(np.float32)

    def columns(self, pitch: Array, start: int, stop: int, frames: int) -> Array:
        """Return the columns of frames ``start``..``stop`` [22, 120 n + 1], both ends included.

        ``pitch`` [m] is the curve in Hz, two steps a frame, from the beginning of the clause,
        which has ``frames``, to at least one frame past ``stop`` unless that is its end.
        """
        edge = WIDTH // 2
        total = frames * FRAME
        begin, end = start * FRAME - edge, stop * FRAME + edge
        wave = self._wave(pitch, max(0, begin), min(total, end))
        before, after = max(0, -begin), max(0, end - total)
        if before or after:
            wave = np.pad(wave, (before, after), mode="reflect")
        views = np.lib.stride_tricks.sliding_window_view(wave, WIDTH)[::HOP]
        spectrum = views @ self._basis
        real, imaginary = spectrum[:, :_BINS].T, spectrum[:, _BINS:].T
        phase = np.arctan2(imaginary, real)
        # The export's arctangent gives -pi on the negative axis itself, where arctan2 gives pi.
        phase[(imaginary == 0) & (real < 0)] = -np.pi
        return np.concatenate([np.hypot(real, imaginary), phase]).astype(np.float32, copy=False)

    def _wave(self, pitch: Array, begin: int, end: int) -> Audio:
        """Return samples ``begin``..``end`` of the source [n]."""
        per_sample = np.outer(pitch.astype(np.float64), self._harmonics) / SPEAKING_RATE
        turns = np.cumsum((per_sample % 1.0), axis=0)
        # The phase is known in the middle of each step and runs straight between two of them.
        at = (np.arange(begin, end) + 0.5) / STEP - 0.5
        left = np.clip(np.floor(at).astype(np.intp), 0, len(pitch) - 1)
        right = np.minimum(left + 1, len(pitch) - 1)
        share = np.clip(at - left, 0.0, 1.0)[:, None]
        phase = (turns[left] * (1 - share) + turns[right] * share) * STEP
        sines = np.sin(((phase % 1.0) * (2 * np.pi)).astype(np.float32))
        sines *= (pitch[np.arange(begin, end) // STEP] > VOICED_HZ)[:, None] * _AMPLITUDE
        mixed: NDArray[np.float32] = np.tanh(sines.astype(np.float32) @ self._mix + self._offset)
        return mixed


def samples(spectrum: Array, basis: Array) -> Audio:
    """Return the audio of a spectrum [22, n]: float32 [5 n + 15], the edges fading.

    ``basis`` [22, 1, 20] is the export's inverse transform.  Samples 10 to 5 n + 5 are whole
    where the columns are whole; column c is centred on sample 5 c + 10.
    """
    magnitude = np.exp(np.minimum(spectrum[:_BINS], _LOUDEST))
    phase = np.sin(spectrum[_BINS:])
    bins = np.concatenate([magnitude * np.cos(phase), magnitude * np.sin(phase)])
    pieces = (basis[:, 0, :].T * np.float32(_GAIN)) @ bins
    count = bins.shape[1]
    rows = np.zeros((count + WIDTH // HOP - 1, HOP), np.float32)
    for part, piece in enumerate(pieces.reshape(WIDTH // HOP, HOP, count)):
        rows[part : part + count] += piece.T
    return rows.reshape(-1)
