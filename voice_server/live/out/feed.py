"""What the drawing page sends: pictures, sound and their times, as binary messages. Sans-I/O.

A message is kind (u8), key (u8), two numbers (u16), time in ms on the page's clock (f64), payload,
all little-endian::

    1  config  width, height   payload: the decoder's configuration
    2  video   width, height   payload: a picture; key is 1 for a key frame
    3  sound   rate / 100, 0   payload: PCM16 mono
    4  hush                    silence from this time on
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<BBHHd")
MOST_BYTES = 4_000_000
"""Of one message: a key frame of 720p has some 100 kB, a piece of speech 500 kB."""
LONGEST_MS = 1000.0 * 3600 * 24 * 30
RATES = (8_000, 16_000, 22_000, 24_000, 32_000, 44_100, 48_000)


class FeedError(Exception):
    """A message is not what our page sends; its socket is closed."""


class Kind(IntEnum):
    """What a message holds."""

    CONFIG = 1
    VIDEO = 2
    SOUND = 3
    HUSH = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the page."""

    kind: Kind
    at_ms: float
    key: bool
    numbers: tuple[int, int]
    payload: bytes

    @property
    def rate(self) -> int:
        """Hz of the sound."""
        return self.numbers[0] * 100

    @property
    def pcm(self) -> NDArray[np.int16]:
        """The sound."""
        return np.frombuffer(self.payload, "<i2").astype(np.int16)


def parse(data: bytes) -> Message:
    """Return a message. Raises FeedError."""
    if not _HEADER.size <= len(data) <= MOST_BYTES:
        raise FeedError("a message of a wrong length")
    kind, key, first, second, at_ms = _HEADER.unpack_from(data)
    if not math.isfinite(at_ms) or not 0 <= at_ms <= LONGEST_MS:
        raise FeedError("a message of a wrong time")
    try:
        message = Message(Kind(kind), at_ms, bool(key), (first, second), data[_HEADER.size :])
    except ValueError:
        raise FeedError("a message of an unknown kind") from None
    if message.kind is Kind.SOUND and (message.rate not in RATES or len(message.payload) % 2):
        raise FeedError("sound of an unknown form")
    if message.kind in (Kind.CONFIG, Kind.VIDEO) and not message.payload:
        raise FeedError("an empty picture")
    return message
