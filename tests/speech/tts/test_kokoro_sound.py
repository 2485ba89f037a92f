from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice_server.speech.engine import SPEAKING_RATE
from voice_server.speech.tts.kokoro_sound import (
    COLUMNS,
    FRAME,
    HOP,
    WIDTH,
    HarmonicSource,
    samples,
)
from voice_server.speech.tts.kokoro_statistics import (
    CLASSES,
    Measured,
    Statistics,
    Tally,
    fit,
    kinds,
    load_statistics,
    save_statistics,
)
from voice_server.speech.tts.kokoro_weights import Array

MIX = np.array([1.0, 0.5, 0.2, 0, 0, 0, 0, 0, 0], np.float32)


def pitch(frames: int, hz: float = 200.0) -> Array:
    return np.full(2 * frames, hz, np.float32)


def test_a_stretch_is_the_same_as_cut_out_of_the_whole() -> None:
    source = HarmonicSource(MIX, 0.0)
    curve = np.linspace(100, 300, 60).astype(np.float32)
    whole = source.columns(curve, 0, 30, 30)
    assert whole.shape == (22, 30 * COLUMNS + 1)
    for start, stop in ((0, 7), (7, 20), (20, 30)):
        part = source.columns(curve, start, stop, 30)
        cut = whole[:, start * COLUMNS : stop * COLUMNS + 1]
        assert np.abs(part[:11] - cut[:11]).max() < 1e-5
        loud = cut[:11] > 1e-3
        turned = np.angle(np.exp(1j * (part[11:] - cut[11:])))
        assert np.abs(turned[loud]).max() < 1e-2


def test_a_stretch_needs_only_one_frame_of_pitch_beyond_it() -> None:
    source = HarmonicSource(MIX, 0.0)
    curve = np.linspace(100, 300, 60).astype(np.float32)
    whole, short = (source.columns(c, 3, 9, 30) for c in (curve, curve[:20]))
    assert np.allclose(whole, short)


def test_the_source_has_the_pitch_it_is_given() -> None:
    source = HarmonicSource(np.eye(1, 9, dtype=np.float32)[0], 0.0)
    wave = source._wave(pitch(40, 240), 0, 40 * FRAME)
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    assert np.argmax(spectrum) * SPEAKING_RATE / len(wave) == pytest.approx(240, abs=1)
    assert np.abs(wave).max() == pytest.approx(np.tanh(0.1), rel=0.01)


def test_what_is_not_voiced_is_the_offset_alone() -> None:
    wave = HarmonicSource(MIX, -0.03)._wave(pitch(4, 5.0), 0, 4 * FRAME)
    assert np.allclose(wave, np.tanh(-0.03))


def test_a_negative_real_bin_has_the_phase_the_model_learnt() -> None:
    columns = HarmonicSource(MIX, -0.03).columns(pitch(4, 5.0), 0, 4, 4)
    assert np.all(columns[11] == np.float32(-np.pi))


def inverse_basis() -> Array:
    """An inverse transform in the export's form: [22, 1, 20], windowed, for a hop of 5."""
    bins = np.arange(WIDTH // 2 + 1)[:, None]
    turn = 2 * np.pi * bins * np.arange(WIDTH)[None, :] / WIDTH
    weight = np.where((bins == 0) | (bins == WIDTH // 2), 1.0, 2.0) / WIDTH
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WIDTH) / WIDTH)
    basis = np.concatenate([np.cos(turn) * weight, -np.sin(turn) * weight]) * window
    # Overlapping squared Hann windows add up to 1.5; samples() multiplies by WIDTH / HOP.
    return (basis / 1.5 / (WIDTH / HOP)).astype(np.float32)[:, None, :]


def test_samples_invert_a_spectrum() -> None:
    wave = np.sin(np.arange(2_000) * 0.3)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WIDTH) / WIDTH)
    views = np.lib.stride_tricks.sliding_window_view(wave, WIDTH)[::HOP] * window
    bins = np.fft.rfft(views, axis=1).T
    # The generator's phases come as arcsines; these lie in [-pi / 2, pi / 2] after a sign.
    phase = np.angle(bins)
    inner = np.abs(phase) <= 1
    spectrum = np.concatenate([np.log(np.abs(bins) + 1e-12), np.arcsin(np.clip(phase, -1, 1))])
    audio = samples(spectrum.astype(np.float32), inverse_basis())
    assert len(audio) == HOP * bins.shape[1] + WIDTH - HOP
    clipped = np.abs(bins) * np.exp(1j * np.clip(phase, -1, 1))
    pieces = np.fft.irfft(clipped, axis=0) * window[:, None] / 1.5
    expected = np.zeros(len(audio))
    for number, piece in enumerate(pieces.T):
        expected[number * HOP : number * HOP + WIDTH] += piece
    assert inner.any()
    assert np.abs(audio - expected).max() < 1e-4


def test_samples_stay_finite_whatever_the_edge_of_a_window_holds() -> None:
    spectrum = np.full((22, 8), 1e4, np.float32)
    assert np.isfinite(samples(spectrum, inverse_basis())).all()


SILENT, UNVOICED, VOICED = np.eye(CLASSES, dtype=np.float32)
LEVELS = {0: (0.0, 50.0), 1: (3.0, 52.0), 2: (1.0, 47.0)}
"""What two channels have on average in frames of each class; their deviation is 2 within it."""


def frames_of(*parts: tuple[Array, int]) -> Array:
    return np.concatenate([np.repeat(kind[None], count, axis=0) for kind, count in parts])


def seen(of: Array, start: int = 0, stop: int | None = None) -> Measured:
    """What norms see of frames start..stop of a clause whose frames are ``of`` these classes."""
    inner = of[start:stop]
    level = inner @ np.array([LEVELS[k] for k in range(CLASSES)])
    sums = level.T @ inner / len(of)
    squares = (level**2 + 4).T @ inner / len(of)
    return Measured(inner, sums.astype(np.float32), squares.astype(np.float32))


TRAINING = [
    frames_of((SILENT, 30), (VOICED, 10)),
    frames_of((SILENT, 30), (UNVOICED, 10), (VOICED, 60)),
    frames_of((SILENT, 25), (UNVOICED, 20), (VOICED, 20)),
]


def normalised(tally: Tally, begin: int, window: Measured, start: int, stop: int) -> Any:
    """Do in numbers what the graph does: return (mean, deviation) [N]."""
    mean, twice, variance, least = tally.rest(begin, start, stop)
    sums, squares = window.sums.sum(axis=1), window.squares.sum(axis=1)
    found = np.maximum(squares - sums * (sums + twice) + variance, least)
    return sums + mean, np.sqrt(found)


def test_frames_are_silent_unvoiced_or_voiced() -> None:
    energy = np.array([-9, -9, -3, -3, 4, 4, 7, 7], np.float32)
    pitch = np.array([5, 5, 5, 5, 6, 6, 200, 200], np.float32)
    assert kinds(pitch, energy).tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]]


def test_statistics_of_classes_are_found() -> None:
    known = fit([seen(clause) for clause in TRAINING])
    for number, levels in LEVELS.items():
        assert known.mean[:, number] == pytest.approx(levels, rel=0.02, abs=0.05)
        spread = 4 + (np.array(levels) - known.center) ** 2
        assert known.square[:, number] == pytest.approx(spread, rel=0.05)


def test_windows_and_foresight_add_up_to_the_clause() -> None:
    clause = frames_of((SILENT, 20), (UNVOICED, 6), (VOICED, 30), (SILENT, 14))
    whole = seen(clause)
    mean = whole.sums.sum(axis=1)
    deviation = np.sqrt(whole.squares.sum(axis=1) - mean**2)
    tally = Tally(fit([seen(one) for one in TRAINING]), clause)
    for start, stop in ((18, 30), (30, 50), (50, 60)):
        window = seen(clause, start, stop)
        got = normalised(tally, 18, window, start, stop)
        assert got[0] == pytest.approx(mean, abs=0.05)
        assert got[1] == pytest.approx(deviation, rel=0.03)
        tally.add(stop - start, window.sums.sum(axis=1), window.squares.sum(axis=1))


def test_the_whole_clause_needs_no_foresight() -> None:
    clause = frames_of((SILENT, 20), (VOICED, 30))
    whole = seen(clause)
    mean = whole.sums.sum(axis=1)
    got = normalised(Tally(Statistics.nothing(2), clause), 0, whole, 0, 50)
    assert got[0] == pytest.approx(mean)
    assert got[1] == pytest.approx(np.sqrt(whole.squares.sum(axis=1) - mean**2), rel=1e-3)


def test_a_window_unlike_anything_keeps_a_deviation() -> None:
    clause = frames_of((SILENT, 20), (VOICED, 30))
    tally = Tally(fit([seen(one) for one in TRAINING]), clause)
    odd = Measured(clause[:1], np.full((2, 3), 40, np.float32), np.zeros((2, 3), np.float32))
    _, deviation = normalised(tally, 20, odd, 20, 30)
    assert (deviation > 0.1).all()


def test_statistics_survive_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "statistics.npz"
    assert load_statistics(path) == {}
    kept = fit([seen(clause) for clause in TRAINING])
    save_statistics(path, {"a*1": kept, "b*1": Statistics.nothing(2)})
    again = load_statistics(path)
    assert set(again) == {"a*1", "b*1"}
    for part in ("center", "mean", "square"):
        one, two = getattr(again["a*1"], part), getattr(kept, part)
        assert one == pytest.approx(two, rel=2e-3, abs=1e-2)
    assert not again["b*1"].square.any()
