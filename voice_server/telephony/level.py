"""Level control for the caller's voice: far callers louder, nobody distorted, noise not raised."""

from __future__ import annotations

import numpy as np

from voice_server.audio.pcm import Audio, level_dbfs

TARGET_DBFS = -22.0
"""Speech as the recogniser was trained on: broadcast and podcast levels are -20 to -25 dBFS."""

SPEECH_DBFS = -50.0
"""Frames below are not speech: line noise after G.711 lies around -60."""

MOST_DB = 18.0
"""Amplification at most: a caller 18 dB under the usual level is still understood on G.711."""

LEAST_DB = -10.0

UP_DB_PER_S, DOWN_DB_PER_S = 12.0, 60.0
"""Up slowly, so that words keep their shape; down fast, because clipping is heard at once."""


class LevelControl:
    """Follows one caller; give it everything in order."""

    def __init__(self, rate: int) -> None:
        """``rate`` in Hz of what :meth:`process` gets."""
        self._rate = rate
        self._gain_db = 0.0
        self._level_dbfs = TARGET_DBFS

    @property
    def gain_db(self) -> float:
        """The amplification now."""
        return self._gain_db

    def process(self, audio: Audio) -> Audio:
        """Return ``audio``, float32 [n], at a level the models like, never beyond full scale."""
        if audio.size == 0:
            return audio
        seconds = audio.size / self._rate
        level = level_dbfs(audio)
        before = self._gain_db
        if level > SPEECH_DBFS:
            # Speech is followed by its louder parts: vowels, not the gaps between words.
            share = min(1.0, seconds / (0.05 if level > self._level_dbfs else 0.5))
            self._level_dbfs += (level - self._level_dbfs) * share
            wanted = min(MOST_DB, max(LEAST_DB, TARGET_DBFS - self._level_dbfs))
            step = wanted - before
            self._gain_db += max(-DOWN_DB_PER_S * seconds, min(UP_DB_PER_S * seconds, step))
        if abs(self._gain_db) < 0.1 and abs(before) < 0.1:
            return audio
        gains = 10 ** (np.linspace(before, self._gain_db, audio.size, dtype=np.float32) / 20)
        limited: Audio = np.clip(audio * gains, -1, 1)
        return limited
