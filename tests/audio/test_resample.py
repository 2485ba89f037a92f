import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.audio.pcm import Audio
from voice_server.audio.resample import Resampler, resample

RATES = [(24_000, 16_000), (8_000, 16_000), (48_000, 16_000), (24_000, 8_000), (44_100, 16_000)]


def tone(frequency: float, rate: int, seconds: float = 1.0) -> Audio:
    return np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate).astype(np.float32)


def gain_db(audio: Audio) -> float:
    middle = audio[audio.size // 4 : -audio.size // 4]
    return float(20 * np.log10(np.sqrt(np.mean(middle**2)) * np.sqrt(2) + 1e-12))


@pytest.mark.parametrize(("source", "target"), RATES)
def test_speech_band_passes_unchanged(source: int, target: int) -> None:
    for share in (0.05, 0.4, 0.8):
        heard = Resampler(source, target).process(tone(share * min(source, target) / 2, source))
        assert gain_db(heard) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("source", "target"), [(24_000, 16_000), (48_000, 8_000), (44_100, 16_000)]
)
def test_what_would_alias_is_stopped(source: int, target: int) -> None:
    for share in (1.02, 1.3):
        heard = Resampler(source, target).process(tone(share * target / 2, source))
        assert gain_db(heard) < -60


def test_images_above_the_telephone_band_are_stopped() -> None:
    heard = Resampler(8_000, 16_000).process(tone(1_000, 8_000))
    spectrum = np.abs(np.fft.rfft(heard[4000:12000] * np.hanning(8000)))
    hertz = np.fft.rfftfreq(8000, 1 / 16_000)
    assert spectrum[hertz > 4_000].max() < spectrum.max() * 10 ** (-60 / 20)


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_sound_comes_out_after_the_stated_delay(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    assert resampler.delay_ms < 2.5
    seconds = np.arange(source // 2) / source
    bump = np.exp(-(((seconds - 0.25) / 0.01) ** 2)).astype(np.float32)
    heard = resampler.process(bump)
    centre_ms = float(np.sum(np.arange(heard.size) * heard) / np.sum(heard)) * 1000 / target
    assert centre_ms == pytest.approx(250 + resampler.delay_ms, abs=0.02)


@pytest.mark.parametrize(
    ("source", "target"), [(24_000, 16_000), (8_000, 16_000), (48_000, 16_000), (24_000, 8_000)]
)
def test_twenty_ms_in_are_twenty_ms_out_every_time(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    sizes = {resampler.process(np.zeros(source // 50, np.float32)).size for _ in range(20)}
    assert sizes == {target // 50}


@settings(max_examples=60, deadline=None)
@given(
    rates=st.sampled_from([*RATES, (16_000, 24_000)]),
    cuts=st.lists(st.integers(0, 700), max_size=12),
)
def test_chunk_sizes_do_not_matter(rates: tuple[int, int], cuts: list[int]) -> None:
    audio = np.random.default_rng(7).standard_normal(sum(cuts)).astype(np.float32)
    pieces, resampler, begin = [], Resampler(*rates), 0
    for size in cuts:
        pieces.append(resampler.process(audio[begin : begin + size]))
        begin += size
    whole = Resampler(*rates).process(audio)
    joined = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    assert joined.size == whole.size
    np.testing.assert_allclose(joined, whole, atol=2e-5)


def test_flush_gives_the_held_rest_and_starts_afresh() -> None:
    resampler = Resampler(8_000, 16_000)
    first = resampler.process(tone(440, 8_000, 0.1))
    tail = resampler.flush()
    assert abs(float(tail[0])) > 0.001  # the end of the tone
    assert tail.size * 1000 / 16_000 >= resampler.delay_ms
    assert np.array_equal(resampler.process(tone(440, 8_000, 0.1)), first)


def test_equal_rates_pass_through() -> None:
    resampler, audio = Resampler(16_000, 16_000), tone(440, 16_000, 0.1)
    assert resampler.process(audio) is audio
    assert resampler.flush().size == 0
    assert resampler.delay_ms == 0
    assert resample(audio, 16_000, 16_000) is audio


def test_one_shot_keeps_length_and_place() -> None:
    converted = resample(tone(440, 24_000), 24_000, 16_000)
    assert converted.dtype == np.float32
    np.testing.assert_allclose(converted[200:-200], tone(440, 16_000)[200:-200], atol=1e-3)


@pytest.mark.parametrize("rates", [(0, 16_000), (16_000, -1)])
def test_impossible_rates_are_refused_in_words(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="rates must be positive"):
        Resampler(*rates)
