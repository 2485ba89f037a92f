"""The beep after which an answering machine records: one steady tone, found by its spectrum.

Sans-I/O.  A beep is a single sine; speech has many partials that move, keys (DTMF) have two tones,
and the network's own tones (busy, congestion) are 425 Hz all over Europe (ITU-T E.180).
"""

from __future__ import annotations

import numpy as np

from voice_server.audio.pcm import Audio, level_dbfs

WINDOW_MS = 40
"""Of each spectrum: bins of 25 Hz, fine enough to tell neighbouring tones."""

LOWEST_HZ, HIGHEST_HZ = 380.0, 2600.0
"""Mailboxes beep between 400 and 2000 Hz; 440, 850, 1000 and 1400 are the usual ones."""

NETWORK_HZ = (405.0, 436.0)
"""Call progress tones, 425 Hz with the tolerance of E.180 and of our bins."""

PURITY = 0.85
"""Share of the power in the peak: a sine over µ-law has 0.99, a vowel's strongest partial half."""

STEADY_HZ = 25.0
"""A beep keeps its frequency; a sung vowel of a syllable moves by more."""

FAINT_DBFS = -38.0
SHORTEST_MS, LONGEST_MS = 140, 4000
"""Shorter is a click, longer a fax or a broken line. Recorders beep for 200 to 1000 ms."""


class BeepDetector:
    """Listens to one line."""

    def __init__(self, rate: int) -> None:
        """``rate``: samples per second."""
        self._rate = rate
        size = rate * WINDOW_MS // 1000
        self._window = np.hanning(size).astype(np.float32)
        self._sound: Audio = np.zeros(size, np.float32)
        self._hz = 0.0
        self._tone_ms = 0

    @property
    def toning(self) -> bool:
        """A tone sounds now, long enough to be none of speech."""
        return self._tone_ms >= SHORTEST_MS // 2

    def hear(self, frame: Audio) -> bool:
        """Take the next 20 ms; True when a beep has just ended."""
        self._sound = np.concatenate((self._sound, frame))[-self._window.size :]
        hz = self._tone(frame)
        length_ms = round(frame.size * 1000 / self._rate)
        if hz and (not self._tone_ms or abs(hz - self._hz) <= STEADY_HZ):
            self._hz = hz
            self._tone_ms += length_ms
            return False
        lasted, self._tone_ms = self._tone_ms, length_ms if hz else 0
        self._hz = hz
        return not hz and SHORTEST_MS <= lasted <= LONGEST_MS

    def _tone(self, frame: Audio) -> float:
        """Return the frequency of a lone tone, 0 if there is none."""
        if level_dbfs(frame) < FAINT_DBFS:
            return 0.0
        power = np.abs(np.fft.rfft(self._sound * self._window)) ** 2
        power[:4] = 0.0  # hum below 100 Hz
        peak = int(power.argmax())
        near = float(power[max(0, peak - 2) : peak + 3].sum())
        total = float(power.sum())
        if total <= 0.0 or near < PURITY * total:
            return 0.0
        hz = float(self._centre(power, peak)) * self._rate / self._window.size
        if not LOWEST_HZ <= hz <= HIGHEST_HZ or NETWORK_HZ[0] <= hz <= NETWORK_HZ[1]:
            return 0.0
        return hz

    @staticmethod
    def _centre(power: np.ndarray, peak: int) -> float:
        """Return the peak's place between bins: the centre of its power."""
        bins = np.arange(max(0, peak - 2), min(power.size, peak + 3))
        return float((bins * power[bins]).sum() / power[bins].sum())
