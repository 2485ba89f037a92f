"""The caller's voice of one line: bytes in; 16 kHz at a good level and without echo out."""

from __future__ import annotations

import numpy as np

from voice_server.audio.pcm import Audio
from voice_server.audio.resample import Resampler
from voice_server.speech.engine import LISTENING_RATE
from voice_server.telephony.call import Codec, Gap
from voice_server.telephony.dtmf import DtmfDetector
from voice_server.telephony.echo_gate import EchoGate
from voice_server.telephony.level import LevelControl

LONGEST_GAP_MS = 1000.0
"""A hole is filled with so much silence at most: beyond, the caller has paused for the turn core
anyway, and nothing is won by making it wait."""


class Hearing:
    """Decodes, resamples and levels. Models get 16 kHz whatever the line has."""

    def __init__(self, codec: Codec, *, tones: bool) -> None:
        """``tones``: look for keys in the sound."""
        self._tones = tones
        self._level = LevelControl(LISTENING_RATE)
        self.echo = EchoGate()
        self.use(codec)

    def use(self, codec: Codec) -> None:
        """Take another codec from now on."""
        self._codec = codec
        self._resampler = Resampler(codec.rate, LISTENING_RATE)
        self._detector = DtmfDetector(codec.rate) if self._tones else None

    def hear(self, data: bytes, now: float, *, level: bool = True) -> tuple[Audio, str]:
        """Return the sound, float32 [n] at 16 kHz, and the keys that became certain in it.

        ``level``: at a good level for the models, else as it came.  Raises ValueError if a sample
        is cut in two.
        """
        audio = self._codec.decode(data)
        keys = self._detector.process(audio) if self._detector is not None else ""
        caller = self.echo.hear(self._resampler.process(audio), now)
        return self._level.process(caller) if level else caller, keys

    def gap(self, gap: Gap) -> Audio:
        """Return silence for sound that is gone, so that time goes on; none if it was made up."""
        length = 0.0 if gap.concealed else min(gap.lost_ms, LONGEST_GAP_MS)
        return np.zeros(round(length * LISTENING_RATE / 1000), np.float32)
