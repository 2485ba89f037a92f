"""A live Matroska stream of one H.264 and one PCM track, as ffmpeg reads it from a pipe. Sans-I/O.

Only the elements ffmpeg needs (RFC 9559): the stream has no length, every cluster has one, and a
cluster is what is written at once.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

VIDEO, SOUND = 1, 2
"""Track numbers."""
_SEGMENT_OF_UNKNOWN_LENGTH = b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
_KEY_FRAME = 0x80
_MOST_BEHIND_MS = 32_767
"""A block's time is a signed 16 bit number of ms after its cluster's."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a stream's picture is."""

    width: int
    height: int
    avcc: bytes
    """The decoder's configuration (ISO 14496-15), which holds the parameter sets."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One H.264 picture (NAL units with lengths before them), or PCM16 mono little-endian."""

    track: int
    at_ms: int
    data: bytes
    key: bool = False


def header(picture: Picture, *, fps: int, rate: int) -> bytes:
    """Return what a stream begins with; ``rate`` is the sound's, in Hz."""
    tracks = _master(
        b"\x16\x54\xae\x6b",
        _master(
            b"\xae",
            _uint(b"\xd7", VIDEO),
            _uint(b"\x73\xc5", VIDEO),
            _uint(b"\x83", 1),
            _text(b"\x86", "V_MPEG4/ISO/AVC"),
            _element(b"\x63\xa2", picture.avcc),
            _uint(b"\x23\xe3\x83", 1_000_000_000 // fps),
            _master(b"\xe0", _uint(b"\xb0", picture.width), _uint(b"\xba", picture.height)),
        ),
        _master(
            b"\xae",
            _uint(b"\xd7", SOUND),
            _uint(b"\x73\xc5", SOUND),
            _uint(b"\x83", 2),
            _text(b"\x86", "A_PCM/INT/LIT"),
            _master(
                b"\xe1",
                _element(b"\xb5", struct.pack(">d", rate)),
                _uint(b"\x9f", 1),
                _uint(b"\x62\x64", 16),
            ),
        ),
    )
    kind = _master(
        b"\x1a\x45\xdf\xa3",
        _text(b"\x42\x82", "matroska"),
        _uint(b"\x42\x87", 4),
        _uint(b"\x42\x85", 2),
    )
    info = _master(
        b"\x15\x49\xa9\x66",
        _uint(b"\x2a\xd7\xb1", 1_000_000),  # times are in ms
        _text(b"\x4d\x80", "Voice Server"),
        _text(b"\x57\x41", "Voice Server"),
    )
    return kind + _SEGMENT_OF_UNKNOWN_LENGTH + info + tracks


def cluster(packets: Sequence[Packet]) -> bytes:
    """Return packets as one cluster; they lie within half a minute of the first.

    Raises:
        ValueError: they do not, or a time is below zero.
    """
    base = min(packet.at_ms for packet in packets)
    if base < 0 or max(packet.at_ms for packet in packets) - base > _MOST_BEHIND_MS:
        raise ValueError("packets of one cluster lie within half a minute of each other")
    blocks = [
        _element(
            b"\xa3",
            struct.pack(
                ">BhB",
                0x80 | packet.track,
                packet.at_ms - base,
                _KEY_FRAME if packet.key or packet.track == SOUND else 0,
            )
            + packet.data,
        )
        for packet in packets
    ]
    return _master(b"\x1f\x43\xb6\x75", _uint(b"\xe7", base), *blocks)


def _length(size: int) -> bytes:
    """A length in as few bytes as hold it; all ones is kept for "unknown"."""
    width = 1
    while size >= (1 << (7 * width)) - 1:
        width += 1
    return ((1 << (7 * width)) | size).to_bytes(width, "big")


def _element(ident: bytes, payload: bytes) -> bytes:
    return ident + _length(len(payload)) + payload


def _master(ident: bytes, *children: bytes) -> bytes:
    return _element(ident, b"".join(children))


def _uint(ident: bytes, value: int) -> bytes:
    return _element(ident, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(ident: bytes, text: str) -> bytes:
    return _element(ident, text.encode())
