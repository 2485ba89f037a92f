"""The output clock: what may be sent now, and how much of a reply has been heard.

Sans-I/O.  Positions are ms of the reply's audio since its first sample.  Audio is sent at most
``lead_ms`` ahead of its playing, because what has been sent to a client that buffers cannot be
taken back at a barge-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

GRAIN_MS = 0.02
"""Less than this is nothing: half a sample at 24 kHz, and far above rounding errors."""


@dataclass(slots=True)
class Playback:
    """Pacing and position of one reply.

    ``paced`` False sends everything at once (push-to-talk clients, which cannot be interrupted by
    voice); positions still follow real time.
    ``flushes``: the client stops and forgets unplayed audio when told to pause, so a resume sends
    again from the heard position; other clients play out their lead, so a resume goes on after it.
    """

    lead_ms: float = 100.0
    paced: bool = True
    flushes: bool = False
    ready_ms: float = 0.0
    """Audio made so far."""
    sent_ms: float = 0.0
    complete: bool = False
    """No more audio will be made."""
    paused: bool = False
    _base_ms: float = 0.0
    _base_at: float | None = None
    """While playing: position was ``_base_ms`` at time ``_base_at``."""

    def add(self, audio_ms: float) -> None:
        """More audio is ready to be sent."""
        self.ready_ms += audio_ms

    def position_ms(self, now: float) -> float:
        """Return how much has been heard: the clock or the client's word, never more than sent."""
        if self._base_at is None:
            return self._base_ms
        return min(self._base_ms + (now - self._base_at) * 1000.0, self.sent_ms)

    def due_ms(self, now: float) -> float:
        """Return how many ms of ready audio may be sent now."""
        waiting = self.ready_ms - self.sent_ms
        if self.paused or waiting <= GRAIN_MS:
            return 0.0
        if not self.paced:
            return waiting
        return max(0.0, min(waiting, self.position_ms(now) + self.lead_ms - self.sent_ms))

    def sent(self, audio_ms: float, now: float) -> None:
        """Note that audio has been handed to the transport; starts or restarts the clock."""
        position = self.position_ms(now)
        if self._base_at is None or position >= self.sent_ms:
            # First audio, or the client ran dry: it starts playing now.
            self._base_ms, self._base_at = position, now
        self.sent_ms += audio_ms

    def heard(self, position_ms: float, now: float) -> None:
        """The client says what it has played: believe it, within what was sent."""
        self._base_ms = min(max(position_ms, 0.0), self.sent_ms)
        if self._base_at is not None:
            self._base_at = now

    def pause(self, now: float) -> None:
        """Send nothing more for now."""
        if not self.paused:
            self.paused = True
            if self.flushes:
                self._base_ms, self._base_at = self.position_ms(now), None

    def resume(self, now: float, position_ms: float | None = None) -> float:
        """Send on; return the position in ms of the next sample that will be sent."""
        self.paused = False
        if position_ms is not None:
            wished = min(max(position_ms, 0.0), self.sent_ms)
            self._base_ms, self._base_at = float(floor(wished)), None
            self.sent_ms = self._base_ms
        elif self.flushes:
            self._base_ms, self._base_at = float(floor(self.position_ms(now))), None
            self.sent_ms = self._base_ms
        return self.sent_ms

    def freeze(self, now: float) -> None:
        """The client is gone: the position stays what it is and nothing is sent."""
        self._base_ms, self._base_at = self.position_ms(now), None
        self.paused = True

    def next_due(self, now: float) -> float | None:
        """Return when :meth:`due_ms` or :meth:`finished` may next change, None if not by time."""
        if self._base_at is None:
            return None
        if self.ready_ms - self.sent_ms > GRAIN_MS:
            if self.paused:
                return None
            ahead = self.sent_ms - self.position_ms(now) - self.lead_ms / 2
            return now + max(ahead, 0.0) / 1000.0
        return now + (self.sent_ms - self.position_ms(now)) / 1000.0 if self.complete else None

    def finished(self, now: float) -> bool:
        """Return whether everything was made, sent and heard."""
        return (
            self.complete
            and self.ready_ms - self.sent_ms <= GRAIN_MS
            and self.position_ms(now) >= self.sent_ms - 0.5
        )
