"""A trunk's packets in, whole and in time out: the jitter buffer on the way to the bridge.

Sans-I/O: the shell gives datagrams when they come and takes a frame every 20 ms.  Keys pass at
once; what was lost is made up; pauses of a caller whose gateway sends nothing in them are silence,
or the noise it asked for (RFC 3389), so that the end of a sentence is heard as one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import orjson

from voice_server.audio.pcm import Audio
from voice_server.telephony.call import Codec, Message
from voice_server.telephony.jitter import FRAME_MS, JitterBuffer
from voice_server.telephony.rtp import JUMP, SEQUENCE, NoRtp, Packet
from voice_server.telephony.sdp import STATIC

RATE = 8000
FRAME = RATE * FRAME_MS // 1000

COMFORT_NOISE = 13
"""Payload type of RFC 3389 at 8 kHz."""

NOISE_DBFS = -70.0
"""Of a pause without a level: fainter than any line, so that it is no speech to anybody."""

DRY_S, PAUSE_S = 2.0, 60.0
"""Silence goes on so long without a packet; in an announced pause longer.  Then nothing is passed
on, and the call is taken for lost as on any other line."""


class Playout:
    """The caller's sound of one call."""

    def __init__(self, kinds: Mapping[int, Codec], events: int | None, seed: int = 1) -> None:
        """``kinds``: codec by payload type; ``events``: that of keys; ``seed``: of the noise."""
        self.agree(kinds, events)
        self._buffer = JitterBuffer(RATE)
        self._source: int | None = None
        self._newest = 0
        self._kind = 0
        self._out = 0
        self._whole = False
        """Packets of another length than 20 ms: they pass as they come, and are put in order."""
        self._pause: float | None = None
        """Level in dBFS of the noise in an announced pause."""
        self._heard_at = 0.0
        self._noise = np.random.default_rng(seed)

    @property
    def waiting_ms(self) -> float:
        """Sound held now."""
        return self._buffer.waiting_ms

    def agree(self, kinds: Mapping[int, Codec], events: int | None) -> None:
        """Take what the two sides have agreed on."""
        self._kinds, self._events = {**STATIC, **kinds}, events

    def put(self, data: bytes, now: float) -> list[Message]:
        """Take a datagram (seconds); return what must not wait."""
        try:
            packet = Packet.parse(data)
        except NoRtp:
            return [data]  # the bridge says what is wrong with it
        codec = self._kinds.get(packet.kind)
        known = codec is not None or packet.kind in (self._events, COMFORT_NOISE)
        if not known:
            return [data]
        step = (packet.sequence - self._newest + SEQUENCE // 2) % SEQUENCE - SEQUENCE // 2
        if packet.source != self._source or abs(step) > JUMP:
            self._buffer = JitterBuffer(RATE)
            self._source, self._pause = packet.source, None
            self._whole = codec is not None and len(packet.payload) != FRAME
            step = 1
        if step > 0:
            self._newest = packet.sequence
        self._heard_at = now
        if self._whole:
            return [data] if packet.kind != COMFORT_NOISE else []
        sent_ms = packet.timestamp * 1000 / RATE
        if codec is not None:
            self._kind, self._pause = packet.kind, None
            self._buffer.put(packet.sequence, codec.decode(packet.payload), now, sent_ms)
            return []
        # Their numbers leave no hole, their times say nothing of the network.
        silence = np.zeros(FRAME, np.float32)
        self._buffer.put(packet.sequence, silence, now)
        if packet.kind == COMFORT_NOISE:
            self._pause = -float(packet.payload[0] & 0x7F) if packet.payload else NOISE_DBFS
            return []
        return [self._packet(packet.kind, packet.payload, packet.timestamp, packet.marker)]

    def take(self, now: float) -> list[Message]:
        """Return the next 20 ms for the bridge; call it every 20 ms. [] when there is no call."""
        longest = DRY_S if self._pause is None else PAUSE_S
        if self._source is None or self._whole or now - self._heard_at > longest:
            return []
        if self._pause is not None and not self._buffer.waiting_ms:
            return [self._sound(self._comfort(self._pause))]
        lost = self._buffer.report.lost
        sound = self._sound(self._buffer.take())
        lost = self._buffer.report.lost - lost
        told = {"event": "lost", "ms": lost * FRAME_MS}
        return [orjson.dumps(told).decode(), sound] if lost else [sound]

    def _comfort(self, level_dbfs: float) -> Audio:
        noise: Audio = self._noise.standard_normal(FRAME).astype(np.float32)
        return noise * np.float32(10 ** (min(level_dbfs, -40.0) / 20))

    def _sound(self, audio: Audio) -> bytes:
        codec = self._kinds.get(self._kind, STATIC[0])
        return self._packet(self._kind, codec.encode(audio), self._out * FRAME, marker=False)

    def _packet(self, kind: int, payload: bytes, timestamp: int, marker: bool) -> bytes:
        """Number a packet in the order in which the bridge gets it."""
        self._out += 1
        return Packet(kind, self._out, timestamp, 1, payload, marker).pack()
