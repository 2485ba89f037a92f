"""Keys as tones (ITU-T Q.23/Q.24): heard in the caller's sound, made for the other side.

And keys as RTP events (RFC 4733), which is how trunks send them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voice_server.audio.pcm import Audio

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")

TONE_MS, PAUSE_MS = 100, 100
"""Twice what Q.24 asks every receiver to understand (40 ms each): gateways shorten."""

LEVEL = 0.25
"""Amplitude of each of the two tones: together -9 dBm0 or so, as a telephone sends them."""

BLOCK_MS = 20.0
"""A window of analysis: two whole ones fit into the shortest tone (40 ms) at any phase minus one,
and at 20 ms neighbouring low tones (73 Hz apart) are well separated."""

HOP_MS = 10.0

MIN_ENERGY = 10 ** (-40 / 10)
"""Power (of full scale 1) below which no tone is looked for: -40 dBFS; Q.24 receivers go to
-25 dBm0, which is some -28 dBFS."""

TWIST_DB = 8.0
"""How much one tone may be louder than the other (Q.24: 4 to 8 dB)."""

PURITY = 0.8
"""Share of the power that must be in the two tones. Keys 1.5 % off their frequency, as Q.24 allows,
have 0.81; voices with sharp formants reach as much only for moments."""

AGREEING = 3
"""Blocks in a row that must hear the same key: 40 ms, the shortest tone of Q.24."""

SECOND_DB = 8.0
"""The second best tone of a group is at least this much weaker; speech has no such order."""


def tones(digits: str, rate: int, *, tone_ms: int = TONE_MS, pause_ms: int = PAUSE_MS) -> Audio:
    """Return the keys as sound, float32 [n] at ``rate``; what is on no keypad is left out."""
    pieces: list[Audio] = []
    ramp = np.minimum(1.0, np.arange(rate * tone_ms // 1000) / (rate * 0.003))  # no clicks
    envelope = ramp * ramp[::-1]
    time = np.arange(rate * tone_ms // 1000) / rate
    for digit in digits:
        pair = _pair(digit)
        if pair is None:
            continue
        wave = sum(np.sin(2 * np.pi * hz * time) for hz in pair) * LEVEL * envelope
        pieces += [
            np.asarray(wave, np.float32),
            np.zeros(rate * pause_ms // 1000, np.float32),
        ]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _pair(digit: str) -> tuple[int, int] | None:
    for row, keys in enumerate(KEYS):
        column = keys.find(digit)
        if digit and column >= 0:
            return LOW_HZ[row], HIGH_HZ[column]
    return None


class DtmfDetector:
    """Finds keys in a stream. The power at eight frequencies is one small matrix product."""

    def __init__(self, rate: int) -> None:
        """``rate`` in Hz, at least 8000."""
        if rate < 8000:
            raise ValueError(f"tones up to 1633 Hz with margin need 8000 Hz, not {rate}")
        self._block = round(rate * BLOCK_MS / 1000)
        self._hop = round(rate * HOP_MS / 1000)
        time = np.arange(self._block) / rate
        window = np.hamming(self._block)
        angles = 2 * np.pi * np.outer(time, (*LOW_HZ, *HIGH_HZ))
        self._basis = np.concatenate(
            (np.cos(angles) * window[:, None], np.sin(angles) * window[:, None]), axis=1
        ).astype(np.float32)
        # A tone of amplitude a has power a²/2 and the projection a·sum(window)/2.
        self._scale = float(2 / window.sum() ** 2)
        self._window_power = float((window**2).sum() / window.sum() ** 2 * self._block)
        self._window = window.astype(np.float32)
        self._rest: Audio = np.zeros(0, np.float32)
        self._seen = ""
        self._run = 0
        self._quiet = 0
        self._reported = ""

    def process(self, audio: Audio) -> str:
        """Return the keys that became certain in ``audio``, float32 [n], in order."""
        pending = np.concatenate((self._rest, audio)) if self._rest.size else audio
        count = (pending.size - self._block) // self._hop + 1
        if count <= 0:
            self._rest = pending
            return ""
        found = []
        for index in range(count):
            start = index * self._hop
            found.append(self._step(self._judge(pending[start : start + self._block])))
        self._rest = pending[count * self._hop :].copy()
        return "".join(found)

    def _judge(self, block: Audio) -> str:
        """Return the key that sounds in this block, "" if none does."""
        energy = float(np.dot(block, block)) / block.size
        if energy < MIN_ENERGY:
            return ""
        projected = block @ self._basis
        power = (projected[:8] ** 2 + projected[8:] ** 2) * self._scale
        low, high = power[:4], power[4:]
        row, column = int(low.argmax()), int(high.argmax())
        first, second = float(low[row]), float(high[column])
        if not 10 ** (-TWIST_DB / 10) < first / max(second, 1e-12) < 10 ** (TWIST_DB / 10):
            return ""
        weighted = block * self._window
        total = float(np.dot(weighted, weighted)) / float(np.dot(self._window, self._window))
        if first + second < PURITY * total:
            return ""
        margin = 10 ** (SECOND_DB / 10)
        others = np.delete(low, row).max() / first, np.delete(high, column).max() / second
        return KEYS[row][column] if max(others) * margin < 1 else ""

    def _step(self, key: str) -> str:
        """Return a key once: when blocks agree; again only after two blocks without it."""
        if key == self._seen:
            self._run += 1
        else:
            self._seen, self._run = key, 1
        if not key:
            if self._run >= 2:
                self._reported = ""
            return ""
        if self._run >= AGREEING and key != self._reported:
            self._reported = key
            return key
        return ""


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """The payload of an RTP telephone-event packet (RFC 4733, section 2.3)."""

    event: int
    end: bool
    volume: int
    """Power below 0 dBm0 in dB, 0 to 63."""
    duration: int
    """Length so far in timestamp units (1/8000 s on G.711 trunks)."""

    @property
    def digit(self) -> str:
        """The key, "" for another event (flash, tones)."""
        return EVENT_DIGITS[self.event] if self.event < len(EVENT_DIGITS) else ""

    def pack(self) -> bytes:
        """Return the four bytes."""
        flags = (0x80 if self.end else 0) | (self.volume & 0x3F)
        return bytes((self.event, flags)) + min(self.duration, 0xFFFF).to_bytes(2, "big")

    @classmethod
    def parse(cls, data: bytes) -> TelephoneEvent:
        """Return the event. Raises ValueError for a short payload; more bytes are redundancy."""
        if len(data) < 4:
            raise ValueError(f"a telephone-event has four bytes, not {len(data)}")
        return cls(data[0], bool(data[1] & 0x80), data[1] & 0x3F, int.from_bytes(data[2:4], "big"))


EVENT_DIGITS = "0123456789*#ABCD"
"""Event codes 0 to 15 (RFC 4733, table 3)."""


class EventReceiver:
    """Turns telephone-event packets into keys, each once, whatever is lost or repeated.

    All packets of one key carry the timestamp of its start; the end is sent three times.
    """

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def receive(self, timestamp: int, data: bytes) -> str:
        """Return the key when its first packet comes, "" otherwise. Raises ValueError."""
        event = TelephoneEvent.parse(data)
        if self._last == (timestamp, event.event):
            return ""
        self._last = (timestamp, event.event)
        return event.digit


def event_packets(digit: str, *, duration_ms: int = TONE_MS) -> list[TelephoneEvent]:
    """Return the payloads for a key, one every 20 ms, the end three times (RFC 4733, 2.5.1.4)."""
    code = EVENT_DIGITS.index(digit)
    steps = max(1, duration_ms // 20)
    going = [TelephoneEvent(code, False, 10, 160 * step) for step in range(1, steps)]
    return [*going, *[TelephoneEvent(code, True, 10, 160 * steps)] * 3]
