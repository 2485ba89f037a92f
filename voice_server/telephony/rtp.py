"""RTP packets (RFC 3550) and the order of a stream of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from voice_server.telephony.call import CallEvent, Gap, Media

VERSION = 2
HEADER = 12
FRAME_MS = 20
SEQUENCE = 1 << 16

REORDER = 3
"""Packets held back while an earlier one is missing: 60 ms. A listener that is no ear needs no
playout delay, so nothing waits while the order is right."""

JUMP = 500
"""A larger step of the sequence (10 s) is another stream, not loss."""


class NoRtp(ValueError):
    """The datagram is no RTP packet; the text says why."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet."""

    kind: int
    """Payload type."""
    sequence: int
    timestamp: int
    source: int
    """SSRC."""
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        """Return the datagram."""
        flags = bytes((VERSION << 6, (0x80 if self.marker else 0) | self.kind))
        numbers = (
            (self.sequence % SEQUENCE).to_bytes(2, "big")
            + (self.timestamp % (1 << 32)).to_bytes(4, "big")
            + self.source.to_bytes(4, "big")
        )
        return flags + numbers + self.payload

    @classmethod
    def parse(cls, data: bytes) -> Packet:
        """Return the packet of a datagram. Raises NoRtp."""
        if len(data) < HEADER or data[0] >> 6 != VERSION:
            raise NoRtp("a datagram that is no RTP")
        if 64 <= data[1] & 0x7F <= 95:
            raise NoRtp("RTCP on the port of RTP")
        start = HEADER + 4 * (data[0] & 0x0F)
        if data[0] & 0x10:  # a header extension
            if len(data) < start + 4:
                raise NoRtp("an RTP header that is cut off")
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        end = len(data)
        if data[0] & 0x20 and data:  # padding
            end -= data[-1]
        if start > end:
            raise NoRtp("an RTP header that is cut off")
        return cls(
            data[1] & 0x7F,
            int.from_bytes(data[2:4], "big"),
            int.from_bytes(data[4:8], "big"),
            int.from_bytes(data[8:12], "big"),
            data[start:end],
            bool(data[1] & 0x80),
        )


class Sorter:
    """Puts the sound of a stream in order, and tells what is missing."""

    def __init__(self) -> None:
        self._source: int | None = None
        self._next = 0
        self._waiting: dict[int, bytes] = {}

    def put(self, packet: Packet) -> list[CallEvent]:
        """Take a packet of sound; return what is in order now."""
        step = (packet.sequence - self._next + SEQUENCE // 2) % SEQUENCE - SEQUENCE // 2
        if self._source != packet.source or abs(step) > JUMP:
            self._source, self._next, self._waiting = packet.source, packet.sequence, {}
            step = 0
        if step < 0:
            return []  # too late, or twice
        self._waiting[step] = packet.payload
        events: list[CallEvent] = []
        if len(self._waiting) > REORDER:
            lost = min(self._waiting)  # not 0: that would have been taken before
            events.append(Gap(float(lost * FRAME_MS)))
            self._shift(lost)
        while 0 in self._waiting:
            events.append(Media(self._waiting.pop(0)))
            self._shift(1)
        return events

    def skip(self, packet: Packet) -> list[CallEvent]:
        """A packet of the same stream that is no sound (a key): it leaves no hole."""
        return [
            event
            for event in self.put(Packet(packet.kind, packet.sequence, 0, packet.source, b""))
            if not (isinstance(event, Media) and not event.data)
        ]

    def _shift(self, count: int) -> None:
        self._next = (self._next + count) % SEQUENCE
        self._waiting = {step - count: data for step, data in self._waiting.items()}
