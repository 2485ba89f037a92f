"""Is what we hear our own voice? A correlation of the microphone with what was just played."""

from __future__ import annotations

import numpy as np

from voice_server.speech.engine import LISTENING_RATE, Audio

RATE = LISTENING_RATE // 2
"""Speech is recognisable at 8 kHz, and the transform costs half."""

WINDOW_MS = 256
"""Microphone audio compared: long enough that two voices do not correlate by chance."""

HISTORY_MS = 1600
"""Played audio searched: our lead, the network and the loudspeaker's delay."""

ECHO_CORRELATION = 0.45
"""Normalised correlation from which the frame is echo. Measured on synthetic speech: our own voice
at -20 dB gives 0.8-1.0, another voice over it at equal level below 0.35
(tests/conversation/test_echo.py)."""


def _whiten(audio: Audio) -> Audio:
    """First difference: flattens the spectrum of speech, so that pitch alone does not match."""
    return np.diff(audio, prepend=audio[:1])


def _halve(audio: Audio) -> Audio:
    even = audio[: audio.size - audio.size % 2]
    return 0.5 * (even[0::2] + even[1::2])


class EchoGuard:
    """Remembers what was played and compares the microphone with it. Sans-I/O."""

    __slots__ = ("_played",)

    def __init__(self) -> None:
        """Nothing was played yet."""
        self._played: Audio = np.zeros(0, np.float32)

    def played(self, audio: Audio) -> None:
        """Note float32 mono [n] at LISTENING_RATE that has just been sent to the loudspeaker."""
        keep = RATE * HISTORY_MS // 1000
        self._played = np.concatenate([self._played, _halve(audio)])[-keep:]

    def forget(self) -> None:
        """Nothing sounds any more."""
        self._played = np.zeros(0, np.float32)

    def correlation(self, heard: Audio) -> float:
        """Return the best normalised correlation of float32 [n] at LISTENING_RATE, in [0, 1]."""
        window = _whiten(_halve(heard[-(LISTENING_RATE * WINDOW_MS // 1000) :]))
        played = _whiten(self._played) if self._played.size else self._played
        if window.size < RATE // 20 or played.size < window.size:
            return 0.0
        energy = float(np.dot(window, window))
        if energy <= 1e-9:
            return 0.0
        size = 1 << int(np.ceil(np.log2(played.size + window.size)))
        spectrum = np.fft.rfft(played, size) * np.conj(np.fft.rfft(window, size))
        products = np.fft.irfft(spectrum, size)[: played.size - window.size + 1]
        sums = np.concatenate([[0.0], np.cumsum(played.astype(np.float64) ** 2)])
        energies = sums[window.size :] - sums[: -window.size]
        scale = np.sqrt(np.maximum(energies, 1e-6 * energy + 1e-12) * energy)
        return float(np.clip(np.max(np.abs(products) / scale), 0.0, 1.0))

    def is_echo(self, heard: Audio) -> bool:
        """Return whether the newest audio heard is (mostly) our own voice."""
        return self._played.size > 0 and self.correlation(heard) >= ECHO_CORRELATION
