"""Our own voice coming back over the line is silence, not a caller who interrupts.

Carriers cancel echo, but hands-free telephones and bad gateways leave some.  What comes back is
what was sent, later and fainter: a correlation finds it, whatever the delay of the network.  When
the caller speaks over it the correlation falls, and everything passes.  Sans-I/O.
"""

from __future__ import annotations

import numpy as np

from voice_server.audio.pcm import Audio, level_dbfs
from voice_server.audio.resample import Resampler
from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE

RATE = 4_000
"""Enough to know a voice by, and a quarter of the work."""

WINDOW = RATE * 128 // 1000
"""Samples compared: 128 ms; shorter ones match by chance, longer ones let a caller wait."""

HISTORY = RATE * 1500 // 1000
"""Samples searched: 400 ms of lead, and a second of network and vendor."""

TAIL_S = 1.0
"""Echo may come so long after the last sample was sent and played."""

ECHO, STILL_ECHO = 0.6, 0.45
"""Likeness from which a frame is echo, and from which it still is. Measured with half a minute of
our own voice over µ-law, at -10 and -20 dB and 60 to 500 ms late: 99 to 100 % of the frames are
found; of a caller with the *same* synthetic voice, who says something else, 0.2 % are lost."""

LOUDEST = 0.5
"""Echo is at least 6 dB fainter than what was sent: a line that gives back more would howl."""

FAINT_DBFS = -52.0
"""Fainter sound is no speech to the models: not worth the work."""


class EchoGate:
    """One line: knows what was sent, and silences what comes back."""

    def __init__(self) -> None:
        self._down = Resampler(SPEAKING_RATE, RATE)
        self._played: Audio = np.zeros(0, np.float32)
        self._heard: Audio = np.zeros(WINDOW, np.float32)
        self._until = 0.0
        self._echoing = False
        self._judged = False
        """The last frame was judged; this one is taken for the same."""
        self.silenced = 0
        """Frames taken for echo so far."""

    def played(self, audio: Audio, now: float) -> None:
        """Note speech, float32 [n] at SPEAKING_RATE, that is sent now (seconds)."""
        pieces = [self._down.process(audio)]
        if now > self._until:  # silence was heard before it
            pieces.insert(0, np.zeros(WINDOW, np.float32))
        self._played = np.concatenate([self._played, *pieces])[-HISTORY:]
        self._until = max(self._until - TAIL_S, now) + audio.size / SPEAKING_RATE + TAIL_S

    def hear(self, audio: Audio, now: float) -> Audio:
        """Return ``audio``, float32 [n] at LISTENING_RATE, or silence if it is our own voice."""
        if now > self._until or not audio.size:
            self._echoing = self._judged = False
            return audio
        step = LISTENING_RATE // RATE
        whole = audio[: audio.size - audio.size % step]
        slow: Audio = whole.reshape(-1, step).mean(axis=1)
        self._heard = np.concatenate([self._heard, slow])[-WINDOW:]
        if level_dbfs(audio) < FAINT_DBFS:
            self._judged = False
            return audio
        self._judged = not self._judged
        if self._judged:  # every second frame: a match costs 0.2 ms
            likeness, gain = self.match()
            least = STILL_ECHO if self._echoing else ECHO
            self._echoing = likeness >= least and gain <= LOUDEST
        if not self._echoing:
            return audio
        self.silenced += 1
        return np.zeros(audio.size, np.float32)

    def match(self) -> tuple[float, float]:
        """Return how like (0 to 1) what was heard is to the best place in what was played.

        And how loud it is there, as a factor.
        """
        window, played = _whiten(self._heard), _whiten(self._played)
        energy = float(np.dot(window, window))
        if energy <= 1e-10 or played.size < window.size:
            return 0.0, 0.0
        size = 1 << (played.size + window.size - 1).bit_length()
        spectrum = np.fft.rfft(played, size) * np.conj(np.fft.rfft(window, size))
        products = np.fft.irfft(spectrum, size)[: played.size - window.size + 1]
        sums = np.concatenate([[0.0], np.cumsum(played.astype(np.float64) ** 2)])
        energies = np.maximum(sums[window.size :] - sums[: -window.size], 1e-8)
        likeness = np.abs(products) / np.sqrt(energies * energy)
        best = int(likeness.argmax())
        return float(likeness[best]), float(np.sqrt(energy / energies[best]))


def _whiten(audio: Audio) -> Audio:
    """First difference: flattens the spectrum of speech, so that pitch alone does not match."""
    return np.diff(audio, prepend=audio[:1]).astype(np.float32)
