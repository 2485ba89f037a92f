"""Sample formats: pcm16 bytes to float32 and back, and what every array from outside must pass.

Inside the server audio is float32 mono in [-1, 1]; on wires it is little-endian signed 16-bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
"""float32 mono [n], nominally in [-1, 1]."""

FULL_SCALE = 32768.0
"""int16 steps per unit: 2**15, so that decoding and encoding again changes no bit."""

SILENCE_DBFS = -120.0
"""What :func:`level_dbfs` says of digital silence (16-bit audio cannot go below -96)."""


def decode_pcm16(data: bytes | bytearray | memoryview) -> Audio:
    """Return the float32 samples [n] of ``data``, little-endian signed 16-bit mono.

    Raises ValueError if a sample is cut in two.
    """
    if len(data) % 2:
        raise ValueError(f"pcm16 audio has two bytes a sample; got an odd number, {len(data)}")
    samples = np.frombuffer(data, dtype="<i2").astype(np.float32)
    samples *= np.float32(1 / FULL_SCALE)
    return samples


def encode_pcm16(audio: Audio) -> bytes:
    """Return ``audio`` as little-endian signed 16-bit bytes, clipped; NaN becomes silence."""
    return to_int16(audio).astype("<i2", copy=False).tobytes()


def to_int16(audio: Audio) -> NDArray[np.int16]:
    """Return ``audio`` float32 [n] as int16 [n], rounded and clipped; NaN becomes 0."""
    # One clip serves overload and infinities alike.
    scaled = np.clip(np.asarray(audio, dtype=np.float32), -1, 1)
    if np.isnan(scaled).any():
        scaled[np.isnan(scaled)] = 0
    scaled *= np.float32(FULL_SCALE)
    np.rint(scaled, out=scaled)
    np.minimum(scaled, FULL_SCALE - 1, out=scaled)
    return scaled.astype(np.int16)


def clean(audio: Audio) -> Audio:
    """Return ``audio`` as float32 mono [n] in [-1, 1] without NaN: itself where it already is.

    Raises ValueError if it is not one-dimensional.
    """
    samples = np.asarray(audio, dtype=np.float32)
    if samples.ndim != 1:
        raise ValueError(f"audio must be one channel, float32 [n]; got shape {samples.shape}")
    if samples.size == 0:
        return samples
    # min and max spread NaN, so two passes without copies decide.
    low, high = samples.min(), samples.max()
    if low >= -1 and high <= 1:
        return samples
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1, 1)


def level_dbfs(audio: Audio) -> float:
    """Return the root-mean-square level of ``audio`` in dB relative to full scale (<= 0)."""
    if audio.size == 0:
        return SILENCE_DBFS
    power = float(np.dot(audio, audio)) / audio.size
    return max(SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else SILENCE_DBFS
