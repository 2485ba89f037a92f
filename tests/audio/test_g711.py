import warnings
from collections.abc import Callable

import numpy as np
import pytest

from voice_server.audio import g711
from voice_server.audio.pcm import FULL_SCALE, Audio

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    audioop = pytest.importorskip("audioop", reason="gone from Python 3.13: the oracle")

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int16)

Decode = Callable[[bytes], Audio]
Encode = Callable[[Audio], bytes]


def as_audio(samples: np.ndarray) -> Audio:
    return (samples / FULL_SCALE).astype(np.float32)


@pytest.mark.parametrize(
    ("decode", "oracle"), [(g711.decode_ulaw, "ulaw2lin"), (g711.decode_alaw, "alaw2lin")]
)
def test_every_code_decodes_as_the_standard_library_does(decode: Decode, oracle: str) -> None:
    expected = np.frombuffer(getattr(audioop, oracle)(EVERY_CODE, 2), np.int16)
    assert np.array_equal(decode(EVERY_CODE) * FULL_SCALE, expected)


@pytest.mark.parametrize(
    ("encode", "oracle"), [(g711.encode_ulaw, "lin2ulaw"), (g711.encode_alaw, "lin2alaw")]
)
def test_every_positive_sample_encodes_as_the_standard_library_does(
    encode: Encode, oracle: str
) -> None:
    positive = EVERY_SAMPLE[EVERY_SAMPLE >= 0]
    assert encode(as_audio(positive)) == getattr(audioop, oracle)(positive.tobytes(), 2)


@pytest.mark.parametrize("encode", [g711.encode_ulaw, g711.encode_alaw])
def test_negative_samples_mirror_the_positive_ones_but_for_the_sign_bit(encode: Encode) -> None:
    negative = EVERY_SAMPLE[EVERY_SAMPLE < 0]
    mirrored = np.frombuffer(encode(as_audio(~negative)), np.uint8) ^ 0x80
    assert encode(as_audio(negative)) == mirrored.tobytes()


@pytest.mark.parametrize(
    ("decode", "encode"),
    [(g711.decode_ulaw, g711.encode_ulaw), (g711.decode_alaw, g711.encode_alaw)],
)
def test_encoding_what_was_decoded_gives_the_same_codes(decode: Decode, encode: Encode) -> None:
    again = encode(decode(EVERY_CODE))
    # µ-law has a second zero, 0x7F, whose sign no number can carry.
    expected = EVERY_CODE.replace(b"\x7f", b"\xff") if decode is g711.decode_ulaw else EVERY_CODE
    assert again == expected


@pytest.mark.parametrize("encode", [g711.encode_ulaw, g711.encode_alaw])
def test_overload_and_nan_encode_as_full_scale_and_silence(encode: Encode) -> None:
    audio = np.array([9.0, -9.0, np.nan], np.float32)
    assert encode(audio) == encode(np.array([1.0, -1.0, 0.0], np.float32))


def test_silence_is_what_the_lines_idle_with() -> None:
    silence = np.zeros(3, np.float32)
    assert g711.encode_ulaw(silence) == b"\xff\xff\xff"
    assert g711.encode_alaw(silence) == b"\xd5\xd5\xd5"
