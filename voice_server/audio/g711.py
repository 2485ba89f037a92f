"""G.711, the telephone's two codecs: 8 kHz, one byte a sample, by table in both directions.

The tables follow ITU-T G.711 (1988), tables 1 and 2, with the rounding of the reference coder
in ITU-T G.191: negative samples are complemented, not negated, so both signs round alike.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from voice_server.audio.pcm import FULL_SCALE, Audio, to_int16

G711_RATE = 8_000
"""Samples per second, and bytes per second, of both laws."""

_ULAW_BIAS = 33
"""Added to the 14-bit magnitude so that each segment starts at a power of two."""

_ULAW_CLIP = 0x1FFF - _ULAW_BIAS
"""Largest 14-bit magnitude that still fits the last segment."""

_ALAW_TOGGLE = 0x55
"""Every other bit of A-law is inverted on the line, to keep the line's clock alive in silence."""


def decode_ulaw(data: bytes | bytearray | memoryview) -> Audio:
    """Return the float32 samples [n] at 8 kHz of µ-law ``data``."""
    return _ulaw_decoder()[np.frombuffer(data, dtype=np.uint8)]


def encode_ulaw(audio: Audio) -> bytes:
    """Return ``audio`` (float32 [n] at 8 kHz) as µ-law, clipped; NaN becomes silence."""
    return _ulaw_encoder()[to_int16(audio).view(np.uint16)].tobytes()


def decode_alaw(data: bytes | bytearray | memoryview) -> Audio:
    """Return the float32 samples [n] at 8 kHz of A-law ``data``."""
    return _alaw_decoder()[np.frombuffer(data, dtype=np.uint8)]


def encode_alaw(audio: Audio) -> bytes:
    """Return ``audio`` (float32 [n] at 8 kHz) as A-law, clipped; NaN becomes silence."""
    return _alaw_encoder()[to_int16(audio).view(np.uint16)].tobytes()


def _every_int16() -> NDArray[np.int32]:
    """All 16-bit samples in the order of their unsigned bit patterns: the encoders' index."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32)


def _frozen(values: NDArray[np.float64]) -> Audio:
    table: Audio = (values / FULL_SCALE).astype(np.float32)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=1)
def _ulaw_decoder() -> Audio:
    code = ~np.arange(256) & 0xFF
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (((2 * step + _ULAW_BIAS) << segment) - _ULAW_BIAS) * 4  # 14 to 16 bits
    return _frozen(np.where(code & 0x80, -magnitude, magnitude).astype(np.float64))


@lru_cache(maxsize=1)
def _ulaw_encoder() -> NDArray[np.uint8]:
    sample = _every_int16()
    magnitude = np.minimum(np.where(sample < 0, ~sample, sample) >> 2, _ULAW_CLIP) + _ULAW_BIAS
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    step = (magnitude >> (segment + 1)) & 15
    sign = np.where(sample < 0, 0x80, 0)
    codes: NDArray[np.uint8] = (~(sign | segment << 4 | step) & 0xFF).astype(np.uint8)
    return codes


@lru_cache(maxsize=1)
def _alaw_decoder() -> Audio:
    code = np.arange(256) ^ _ALAW_TOGGLE
    segment, step = (code >> 4) & 7, code & 15
    # The first two segments share a step size; each later one doubles it.
    magnitude = (
        np.where(segment == 0, 2 * step + 1, (2 * step + 33) << np.maximum(segment - 1, 0)) * 8
    )  # 13 to 16 bits, middle of the interval
    return _frozen(np.where(code & 0x80, magnitude, -magnitude).astype(np.float64))


@lru_cache(maxsize=1)
def _alaw_encoder() -> NDArray[np.uint8]:
    sample = _every_int16()
    magnitude = np.where(sample < 0, ~sample, sample) >> 4
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 3, 0)
    step = (magnitude >> np.maximum(segment - 1, 0)) & 15
    sign = np.where(sample < 0, 0, 0x80)
    codes: NDArray[np.uint8] = ((sign | segment << 4 | step) ^ _ALAW_TOGGLE).astype(np.uint8)
    return codes
