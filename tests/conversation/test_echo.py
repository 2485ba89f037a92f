"""Our own voice, attenuated, delayed and through a room, is echo; another voice is not."""

from __future__ import annotations

import numpy as np
import pytest

from voice_server.conversation.echo import ECHO_CORRELATION, EchoGuard
from voice_server.speech.engine import LISTENING_RATE, Audio

MS = LISTENING_RATE // 1000


def speech_like(seed: int, ms: int = 1500) -> Audio:
    """Return a voice: a buzz of changing pitch through changing formants, with breath."""
    rng = np.random.default_rng(seed)
    n = ms * MS
    t = np.arange(n) / LISTENING_RATE
    pitch = rng.uniform(100, 220) * (1 + 0.15 * np.sin(2 * np.pi * rng.uniform(0.7, 2) * t))
    phase = 2 * np.pi * np.cumsum(pitch) / LISTENING_RATE
    voice = np.zeros(n)
    for harmonic in range(1, 25):
        formant = 1 + 0.9 * np.sin(2 * np.pi * rng.uniform(1, 4) * t + rng.uniform(0, 6))
        voice += formant * np.sin(harmonic * phase + rng.uniform(0, 6)) / harmonic
    voice *= 0.5 + 0.5 * np.sin(2 * np.pi * 3.5 * t)
    return (0.1 * voice + 0.01 * rng.normal(size=n)).astype(np.float32)


def room(audio: Audio, seed: int) -> Audio:
    """Return audio as a small room gives it back: reflections that die away in 60 ms."""
    rng = np.random.default_rng(seed)
    response = np.zeros(60 * MS)
    response[0] = 1.0
    taps = rng.integers(1, response.size, 40)
    response[taps] += rng.normal(0, 0.35, 40) * np.exp(-taps / (15 * MS))
    return np.convolve(audio, response)[: audio.size].astype(np.float32)


def db(decibel: float) -> np.float32:
    return np.float32(10 ** (decibel / 20))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("delay_ms", [0, 40, 180, 400])
def test_our_own_voice_at_minus_20_db_is_echo(seed: int, delay_ms: int) -> None:
    played = speech_like(seed)
    guard = EchoGuard()
    for start in range(0, played.size, 40 * MS):
        guard.played(played[start : start + 40 * MS])
    heard = db(-20) * room(played, seed)
    end = heard.size - delay_ms * MS
    noise = np.random.default_rng(seed).normal(0, 0.001, 256 * MS).astype(np.float32)
    assert guard.is_echo(heard[end - 256 * MS : end] + noise)


@pytest.mark.parametrize("seed", range(12))
def test_another_voice_is_not_echo_even_over_our_own(seed: int) -> None:
    played, user = speech_like(seed), speech_like(seed + 100)
    guard = EchoGuard()
    guard.played(played)
    assert guard.correlation(user[-256 * MS :]) < ECHO_CORRELATION
    both = user + db(-20) * room(played, seed)
    assert not guard.is_echo(both[-256 * MS :])


def test_silence_and_nothing_played_are_no_echo() -> None:
    guard = EchoGuard()
    assert not guard.is_echo(speech_like(1))
    assert guard.correlation(speech_like(1)) == 0.0
    guard.played(speech_like(1))
    assert guard.correlation(np.zeros(256 * MS, np.float32)) == 0.0
    assert guard.correlation(np.zeros(10, np.float32)) == 0.0
    guard.forget()
    assert not guard.is_echo(speech_like(1))
