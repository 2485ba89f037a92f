import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from voice_server.audio import pcm

any_float32 = hnp.arrays(
    np.float32, st.integers(0, 64), elements=st.floats(width=32, allow_nan=True)
)


@given(st.binary(max_size=64).filter(lambda data: len(data) % 2 == 0))
def test_decoding_then_encoding_changes_no_bit(data: bytes) -> None:
    assert pcm.encode_pcm16(pcm.decode_pcm16(data)) == data


def test_decodes_little_endian_to_unit_range() -> None:
    samples = pcm.decode_pcm16(b"\x00\x80\x00\x00\x00\x40\xff\x7f")
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, 0.0, 0.5, 32767 / 32768]


def test_an_odd_number_of_bytes_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="two bytes a sample; got an odd number, 3"):
        pcm.decode_pcm16(b"abc")


def test_overload_infinities_and_nan_are_clipped_or_silenced() -> None:
    audio = np.array([2.0, -2.0, np.inf, -np.inf, np.nan, 0.5], np.float32)
    assert pcm.to_int16(audio).tolist() == [32767, -32768, 32767, -32768, 0, 16384]


@given(any_float32)
def test_encoding_accepts_any_float(audio: pcm.Audio) -> None:
    assert len(pcm.encode_pcm16(audio)) == 2 * audio.size


@given(any_float32)
def test_cleaned_audio_is_finite_and_in_range(audio: pcm.Audio) -> None:
    cleaned = pcm.clean(audio)
    assert cleaned.shape == audio.shape
    assert np.isfinite(cleaned).all()
    assert (np.abs(cleaned) <= 1).all()
    inside = np.isfinite(audio) & (np.abs(audio) <= 1)
    assert np.array_equal(cleaned[inside], audio[inside])


def test_clean_audio_is_returned_as_it_is() -> None:
    audio = np.array([0.1, -1.0, 1.0], np.float32)
    assert pcm.clean(audio) is audio


def test_two_channels_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"one channel.*\(2, 4\)"):
        pcm.clean(np.zeros((2, 4), np.float32))


@pytest.mark.parametrize(
    ("audio", "dbfs"),
    [
        (np.zeros(0, np.float32), -120.0),
        (np.zeros(16, np.float32), -120.0),
        (np.ones(16, np.float32), 0.0),
        (np.full(16, 0.1, np.float32), -20.0),
    ],
)
def test_level(audio: pcm.Audio, dbfs: float) -> None:
    assert pcm.level_dbfs(audio) == pytest.approx(dbfs, abs=1e-4)
