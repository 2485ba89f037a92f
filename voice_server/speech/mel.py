"""Whisper's log-mel spectrogram in numpy: the ears of speech to text and of end-of-turn."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.engine import LISTENING_RATE, Audio

MELS = 80
"""Bands: of every Whisper model up to large-v2, and of Smart Turn."""

HOP = 160
"""Samples from one spectrum to the next: 10 ms."""

_WINDOW = 400
"""Samples under one spectrum: 25 ms."""

_RANGE = 8.0
"""Decades below the loudest value that are kept."""


def log_mel(audio: Audio) -> NDArray[np.float32]:
    """Return the features float32 [80, n // 160] of ``audio`` float32 [n] at 16 kHz.

    Equal to OpenAI's: Hann window, reflected ends, last frame dropped, Slaney bands, log10
    clamped to 8 decades, then (x + 4) / 4.
    Raises ValueError below 201 samples, which cannot be reflected.
    """
    if audio.size <= _WINDOW // 2:
        raise ValueError(f"log-mel features need more than {_WINDOW // 2} samples")
    padded = np.pad(audio, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:-1]
    spectrum = np.fft.rfft(frames * _hann())
    power = spectrum.real**2 + spectrum.imag**2
    mel = _filters() @ power.T
    logarithms = np.log10(np.maximum(mel, np.float32(1e-10)))
    np.maximum(logarithms, logarithms.max() - np.float32(_RANGE), out=logarithms)
    logarithms += np.float32(4)
    logarithms *= np.float32(0.25)
    features: NDArray[np.float32] = logarithms
    return features


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float32]:
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    window.setflags(write=False)
    return window


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float32]:
    """Slaney's triangular bands [80, 201], each of unit area, as librosa defines them."""
    edges = _mel_to_hertz(np.linspace(0, _hertz_to_mel(LISTENING_RATE / 2), MELS + 2))
    bins = np.fft.rfftfreq(_WINDOW, 1 / LISTENING_RATE)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    bands = np.maximum(0, np.minimum(rising, falling)) * (2 / (high - low))
    filters = bands.astype(np.float32)
    filters.setflags(write=False)
    return filters


# Slaney's scale: linear to 1 kHz (15 mel), logarithmic above, 27 steps per factor of 6.4.
_KNEE_HERTZ, _KNEE_MEL, _OCTAVE = 1000.0, 15.0, np.log(6.4) / 27


def _hertz_to_mel(hertz: float) -> float:
    return float(_KNEE_MEL + np.log(hertz / _KNEE_HERTZ) / _OCTAVE)  # only asked above the knee


def _mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * (_KNEE_HERTZ / _KNEE_MEL)
    hertz: NDArray[np.float64] = np.where(
        mel < _KNEE_MEL, linear, _KNEE_HERTZ * np.exp(_OCTAVE * (mel - _KNEE_MEL))
    )
    return hertz
