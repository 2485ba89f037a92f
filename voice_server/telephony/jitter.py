"""A jitter buffer for packets of sound: puts in order, waits while it pays, hides what is lost.

Sans-I/O: the shell gives packets when they come and takes a frame every 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voice_server.audio.pcm import Audio

FRAME_MS = 20

TARGET_MIN_MS, TARGET_MAX_MS = 20.0, 240.0
"""Waiting costs answer time, so it starts at one frame; beyond 240 ms a call is a walkie-talkie,
and what comes later counts as lost."""

MARGIN = 2.5
"""The wait is this many mean deviations (RFC 3550's jitter): covers 99 % of an exponential tail
together with the frame that is always held."""

SHRINK_PER_FRAME_MS = 0.1
"""How fast the wait goes down when the network has calmed: half a second for 2.5 ms, inaudible."""

FADE_FRAMES = 3
"""Concealment repeats the last pitch period, quieter each frame; after 60 ms there is nothing left
that could be guessed (ITU-T G.711 Appendix I fades over 50 ms)."""

PITCH_MIN_HZ, PITCH_MAX_HZ = 66, 200
"""Of Appendix I: the lags searched for the period to repeat."""

BUFFER_LIMIT = 100
"""Packets kept at most (2 s): a flood, or a clock that was set."""

SEQUENCE = 1 << 16


@dataclass(slots=True)
class JitterReport:
    """What became of the packets."""

    received: int = 0
    late: int = 0
    """Came after their turn, and were thrown away."""
    concealed: int = 0
    """Frames that were made up."""
    lost: int = 0
    """Packets that did not come before their turn, though later ones did."""
    repeated: int = 0
    jitter_ms: float = 0.0


class JitterBuffer:
    """Packets in, one frame every 20 ms out: float32 [rate / 50]."""

    def __init__(self, rate: int = 8000) -> None:
        """``rate`` in Hz; every packet carries 20 ms."""
        self._samples = rate * FRAME_MS // 1000
        self._rate = rate
        # Bounded by BUFFER_LIMIT: beyond it the oldest go, they would only add delay.
        self._packets: dict[int, Audio] = {}
        self._next: int | None = None
        self._filling = True
        self._target_ms = TARGET_MIN_MS
        self._transit_ms: float | None = None
        self._lost_run = 0
        self._last: Audio = np.zeros(rate * 30 // 1000, np.float32)
        self._fade_in = False
        self._skipped: set[int] = set()
        """Numbers whose turn has passed: lost, if the sender has not merely paused."""
        self._stretch = False
        """A packet came too late: wait longer from now on."""
        self.report = JitterReport()

    @property
    def waiting_ms(self) -> float:
        """Sound held now."""
        return float(len(self._packets) * FRAME_MS)

    @property
    def target_ms(self) -> float:
        """How long packets are held before they are played, at present."""
        return self._target_ms

    def put(self, sequence: int, audio: Audio, now: float, sent_ms: float | None = None) -> None:
        """Take a packet: its 16-bit number, float32 [n] of 20 ms, and when it came (seconds).

        ``sent_ms``: the sender's clock, which goes on in pauses as numbers do not.  Without it a
        packet says nothing of the network.
        """
        self.report.received += 1
        number = self._unwrapped(sequence)
        if sent_ms is not None:
            self._measure(sent_ms, now)
        if self._next is not None and number < self._next and not self._filling:
            self.report.late += 1
            self._target_ms = min(TARGET_MAX_MS, self._target_ms + FRAME_MS)
            self._stretch = True
            return
        if number in self._packets:
            self.report.repeated += 1
            return
        if self._next is None or (self._filling and number < self._next):
            self._next = number
        self._packets[number] = audio
        while len(self._packets) > BUFFER_LIMIT:
            del self._packets[min(self._packets)]
            self._next = min(self._packets)

    def take(self) -> Audio:
        """Return the next 20 ms for the listener. Call it every 20 ms."""
        if self._filling:
            if self.waiting_ms < self._target_ms or not self._packets:
                return self._conceal()
            self._filling = False
            self._next = min(self._packets)
        assert self._next is not None, "set when filled"  # noqa: S101
        self._target_ms = max(TARGET_MIN_MS, self._target_ms - SHRINK_PER_FRAME_MS)
        if self._stretch:
            self._stretch = False
            if self.waiting_ms < self._target_ms:
                return self._conceal()
        packet = self._packets.pop(self._next, None)
        if packet is None:
            return self._missing()
        self.report.lost += sum(number < self._next for number in self._skipped)
        self._skipped.clear()
        self._next += 1
        if self.waiting_ms > self._target_ms + 2 * FRAME_MS and self._quiet(packet):
            # Too far behind: a silent frame is dropped, nobody hears it go.
            packet = self._packets.pop(self._next, packet)
            self._next += 1
        return self._sound(packet)

    def _missing(self) -> Audio:
        """The frame whose turn it is has not come."""
        assert self._next is not None, "called while playing"  # noqa: S101
        if not self._packets and self._lost_run >= FADE_FRAMES:
            self._filling = True  # the caller pauses, or the network does: gather again
        else:
            self._skipped.add(self._next)
            self._next += 1
        return self._conceal()

    def _sound(self, packet: Audio) -> Audio:
        frame = np.zeros(self._samples, np.float32)
        frame[: min(packet.size, self._samples)] = packet[: self._samples]
        if self._fade_in:  # meet what was made up without a click
            ramp = np.linspace(0, 1, self._rate // 200, dtype=np.float32)
            frame[: ramp.size] *= ramp
            tail = self._continuation(ramp.size) * self._gain()
            frame[: ramp.size] += tail * (1 - ramp)
            self._fade_in = False
        self._lost_run = 0
        keep = self._last.size
        self._last = np.concatenate((self._last, frame))[-keep:]
        return frame

    def _conceal(self) -> Audio:
        if self.report.received == 0:
            return np.zeros(self._samples, np.float32)
        self.report.concealed += 1
        if self._lost_run >= FADE_FRAMES:
            self._fade_in = False
            return np.zeros(self._samples, np.float32)
        before = self._gain()
        self._lost_run += 1
        ramp = np.linspace(before, self._gain(), self._samples, dtype=np.float32)
        frame = self._continuation(self._samples)
        self._last = np.concatenate((self._last, frame))[-self._last.size :]
        self._fade_in = True
        faded: Audio = frame * ramp
        return faded

    def _gain(self) -> float:
        return max(0.0, 1.0 - self._lost_run / FADE_FRAMES)

    def _continuation(self, length: int) -> Audio:
        """Return the last pitch period, repeated."""
        period = self._period()
        cycle = self._last[-period:]
        return np.tile(cycle, length // period + 1)[:length]

    def _period(self) -> int:
        """Return the lag in samples at which the recent sound is most like itself."""
        shortest, longest = self._rate // PITCH_MAX_HZ, self._rate // PITCH_MIN_HZ
        span = self._last[-longest:]
        best, best_lag = 0.0, longest
        for lag in range(shortest, min(longest, self._last.size - span.size) + 1):
            earlier = self._last[-longest - lag : -lag]
            norm = float(np.dot(earlier, earlier)) ** 0.5
            likeness = float(np.dot(span, earlier)) / norm if norm > 1e-6 else 0.0
            if likeness > best:
                best, best_lag = likeness, lag
        return best_lag

    def _quiet(self, packet: Audio) -> bool:
        return bool(packet.size == 0 or float(np.abs(packet).max()) < 0.01)

    def _unwrapped(self, sequence: int) -> int:
        """Return the number with the rounds of its 16 bits counted."""
        sequence %= SEQUENCE
        if self._next is None:
            return sequence + SEQUENCE
        around = self._next - self._next % SEQUENCE + sequence
        return min(
            (around - SEQUENCE, around, around + SEQUENCE),
            key=lambda number: abs(number - (self._next or 0)),
        )

    def _measure(self, sent_ms: float, now: float) -> None:
        """Follow the jitter as RFC 3550 does, and how long to wait by it."""
        transit = now * 1000 - sent_ms
        before, self._transit_ms = self._transit_ms, transit
        if before is None:
            return
        change = abs(transit - before)
        if change > 2000:
            return  # a pause, or another clock
        self.report.jitter_ms += (change - self.report.jitter_ms) / 16
        wanted = min(TARGET_MAX_MS, FRAME_MS + MARGIN * self.report.jitter_ms)
        self._target_ms = max(self._target_ms, wanted)
