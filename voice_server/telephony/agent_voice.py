"""A person's voice from the console on its way to the caller. Sans-I/O.

The microphone's clock is not the line's, and networks bring frames in heaps: what would make the
caller hear the person later and later is dropped.
"""

from __future__ import annotations

from voice_server.audio.pcm import Audio
from voice_server.audio.resample import Resampler
from voice_server.speech.engine import SPEAKING_RATE
from voice_server.telephony.call import CallCommand, Codec, Features, SendAudio

AHEAD_MOST_S = 0.25
"""Sound that may wait at the vendor or in our pacer: more delay makes two people talk at once."""


class AgentVoice:
    """Frames of one person for one line."""

    def __init__(self, features: Features, codec: Codec) -> None:
        """Make one when a person takes over."""
        self._features = features
        self._rest = bytearray()
        self._ends_at = float("-inf")
        self.dropped_ms = 0.0
        """Sound that came too fast, in all."""
        self.use(codec)

    def use(self, codec: Codec) -> None:
        """The line has another codec from now on."""
        self._codec = codec
        self._resampler = Resampler(SPEAKING_RATE, codec.rate)
        self._rest.clear()

    def speak(self, audio: Audio, now: float) -> list[CallCommand]:
        """Return what is sent for a piece of speech, float32 [n] at 24 kHz."""
        length_s = audio.size / SPEAKING_RATE
        waiting_s = max(0.0, self._ends_at - now)
        if waiting_s + length_s > AHEAD_MOST_S + self._features.frame_ms / 1000:
            self.dropped_ms += length_s * 1000
            return []
        self._ends_at = max(self._ends_at, now) + length_s
        self._rest += self._codec.encode(self._resampler.process(audio))
        size = self._codec.frame_bytes(self._features.frame_ms)
        frames: list[CallCommand] = []
        while len(self._rest) >= size:
            frames.append(SendAudio(bytes(self._rest[:size])))
            del self._rest[:size]
        return frames
