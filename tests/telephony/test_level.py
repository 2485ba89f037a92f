"""Level control: what it does to near and far callers, and to noise."""

from __future__ import annotations

import numpy as np
import pytest

from voice_server.audio.pcm import Audio, level_dbfs
from voice_server.telephony.level import LEAST_DB, MOST_DB, TARGET_DBFS, LevelControl


def speech(dbfs: float, seconds: float = 6.0, rate: int = 16000) -> Audio:
    """Noise that comes in syllables, four a second."""
    rng = np.random.default_rng(1)
    time = np.arange(round(rate * seconds)) / rate
    shape = np.clip(np.sin(2 * np.pi * 4 * time), 0, 1)
    audio = (rng.standard_normal(time.size) * shape).astype(np.float32)
    scale = 10 ** ((dbfs - level_dbfs(audio)) / 20)
    scaled: Audio = np.clip(audio * np.float32(scale), -1, 1)
    return scaled


def run(audio: Audio) -> tuple[Audio, LevelControl]:
    control = LevelControl(16000)
    out = [control.process(audio[i : i + 320]) for i in range(0, audio.size, 320)]
    return np.concatenate(out), control


@pytest.mark.parametrize("dbfs", [-36, -30, -22, -15])
def test_callers_end_at_one_level(dbfs: float) -> None:
    out, _ = run(speech(dbfs))
    assert abs(level_dbfs(out[-32000:]) - TARGET_DBFS) < 5


def test_noise_of_the_line_is_left_alone() -> None:
    audio = (np.random.default_rng(2).standard_normal(48000) * 0.001).astype(np.float32)
    out, control = run(audio)
    assert control.gain_db == 0
    assert np.array_equal(out, audio)


def test_the_gain_has_limits_and_nothing_leaves_full_scale() -> None:
    _, control = run(speech(-48))
    assert control.gain_db <= MOST_DB
    out, control = run(np.concatenate((speech(-40), speech(-3))))
    assert np.abs(out).max() <= 1.0
    assert control.gain_db >= LEAST_DB
    assert control.gain_db < 0


def test_no_sound_stays_none() -> None:
    assert LevelControl(16000).process(np.zeros(0, np.float32)).size == 0
