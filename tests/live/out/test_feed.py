"""What the drawing page may send, and what closes its socket."""

from __future__ import annotations

import contextlib
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.live.out.feed import MOST_BYTES, FeedError, Kind, parse


def message(
    kind: int, at_ms: float = 0.0, payload: bytes = b"", *, key: int = 0, first: int = 240
) -> bytes:
    return struct.pack("<BBHHd", kind, key, first, 720, at_ms) + payload


def test_a_picture_and_a_sound() -> None:
    picture = parse(message(2, 1234.5, b"abc", key=1, first=1280))
    assert (picture.kind, picture.at_ms, picture.key) == (Kind.VIDEO, 1234.5, True)
    assert (picture.numbers, picture.payload) == ((1280, 720), b"abc")
    sound = parse(message(3, 5.0, struct.pack("<3h", 1, -2, 3)))
    assert sound.rate == 24_000
    assert sound.pcm.tolist() == [1, -2, 3]
    assert parse(message(4, 7.0)).kind is Kind.HUSH


@pytest.mark.parametrize(
    "data",
    [
        b"",
        message(2)[:-1],
        message(0, payload=b"x"),
        message(9, payload=b"x"),
        message(1),
        message(2),
        message(2, math.nan, b"x"),
        message(2, math.inf, b"x"),
        message(2, -1.0, b"x"),
        message(2, 1e300, b"x"),
        message(3, payload=b"x"),
        message(3, payload=b"xx", first=1),
        message(2, payload=bytes(MOST_BYTES)),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(FeedError):
        parse(data)


@given(st.binary(max_size=64))
def test_no_bytes_do_more_than_that(data: bytes) -> None:
    with contextlib.suppress(FeedError):
        parse(data)
