"""What a dropped client may have missed: the last events, and the last reply's audio.

Only sessions that asked for ``resume`` have one.  Audio of a reply that is still being spoken is
not replayed from here: the conversation plays on from where the client stopped hearing.  Audio of
a reply that was *finished* while nobody noticed that the client was gone is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voice_server.speech.engine import SPEAKING_RATE, Audio

EVENTS_LIMIT = 512
BYTES_LIMIT = 524_288
"""Events kept for a replay: several turns. The oldest are forgotten first."""

AUDIO_LIMIT_S = 30.0
"""Speech kept of the last reply: a drop is noticed within 20 s of heartbeat plus 10 s of sending;
float32 at 24 kHz, 2.9 MB at most, and only while the session may be resumed."""


@dataclass(frozen=True, slots=True)
class SpokenPiece:
    """Audio that was sent: float32 mono at SPEAKING_RATE, from ``offset_ms`` of its reply."""

    offset_ms: float
    audio: Audio

    @property
    def end_ms(self) -> float:
        """Where the piece ends in its reply."""
        return self.offset_ms + len(self.audio) * 1000 / SPEAKING_RATE

    def after(self, position_ms: float) -> SpokenPiece | None:
        """Return the part that lies behind ``position_ms``, None if there is none."""
        if position_ms <= self.offset_ms:
            return self
        skip = round((position_ms - self.offset_ms) * SPEAKING_RATE / 1000)
        if skip >= len(self.audio):
            return None
        return SpokenPiece(position_ms, self.audio[skip:])


class Replay:
    """A bounded memory of what was sent."""

    def __init__(self) -> None:
        self._events: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._reply_id = ""
        self._spoken: deque[SpokenPiece] = deque()
        self._spoken_s = 0.0

    @property
    def reply_id(self) -> str:
        """The reply whose audio is kept ("" before the first)."""
        return self._reply_id

    def remember(self, number: int, data: bytes) -> None:
        """Keep an event that carries no audio; ``number`` counts all events of the session."""
        self._events.append((number, data))
        self._bytes += len(data)
        while len(self._events) > EVENTS_LIMIT or self._bytes > BYTES_LIMIT:
            _, forgotten = self._events.popleft()
            self._bytes -= len(forgotten)

    def speak(self, reply_id: str, offset_ms: float, audio: Audio) -> None:
        """Keep audio of the latest reply; an older reply's is forgotten."""
        if reply_id != self._reply_id:
            self.silence()
            self._reply_id = reply_id
        while self._spoken and self._spoken[-1].end_ms > offset_ms + 1:
            self._drop(self._spoken.pop())  # the conversation went back: it will say this again
        self._spoken.append(SpokenPiece(offset_ms, audio))
        self._spoken_s += len(audio) / SPEAKING_RATE
        while self._spoken_s > AUDIO_LIMIT_S and len(self._spoken) > 1:
            self._drop(self._spoken.popleft())

    def silence(self) -> None:
        """Forget the audio: it was heard, or nobody should hear it any more."""
        self._spoken.clear()
        self._spoken_s = 0.0
        self._reply_id = ""

    def _drop(self, piece: SpokenPiece) -> None:
        self._spoken_s -= len(piece.audio) / SPEAKING_RATE

    def events_after(self, number: int) -> list[bytes]:
        """Return the kept events with a higher number (audio had numbers too, but is not kept)."""
        return [data for known, data in self._events if known > number]

    def unheard(self, position_ms: float) -> list[SpokenPiece]:
        """Return the kept audio behind ``position_ms``."""
        pieces = (piece.after(position_ms) for piece in self._spoken)
        return [piece for piece in pieces if piece is not None]
