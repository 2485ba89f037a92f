"""Asterisk AudioSocket: frames of type, length and payload on a TCP stream.

https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/
Sound is little-endian 16-bit, its rate is in the type.  Asterisk plays what comes as it comes, so
sound must be sent one frame every 20 ms, and what was sent cannot be taken back.  Silence is sent
too: ``app_audiosocket`` of Asterisk 22 hangs up when nothing has come for two seconds.
"""

from __future__ import annotations

import uuid

from voice_server.telephony.bridge_base import BridgeBase, Life, Wrong, key, samples
from voice_server.telephony.call import (
    PCM_8K,
    CallEvent,
    Close,
    Codec,
    Encoding,
    Fault,
    Features,
    HangUp,
    Media,
    Message,
    Started,
)

HANG_UP, UUID, DTMF, ERROR = 0x00, 0x01, 0x03, 0xFF

RATES = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
KINDS = {rate: kind for kind, rate in RATES.items()}

_ERRORS = {1: "hangup", 2: "frame could not be forwarded", 4: "out of memory"}


def frame(kind: int, data: bytes = b"") -> bytes:
    """Return one frame."""
    return bytes((kind,)) + len(data).to_bytes(2, "big") + data


class AudioSocketBridge(BridgeBase):
    """One connection; give :meth:`receive` any pieces of its bytes."""

    vendor = "audiosocket"
    features = Features(buffers=False, lead_ms=60.0, fills=True)

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    def _binary(self, message: bytes) -> list[CallEvent]:
        self._buffer += message
        events: list[CallEvent] = []
        while len(self._buffer) >= 3 and self.life is not Life.OVER:
            length = int.from_bytes(self._buffer[1:3], "big")
            if len(self._buffer) < 3 + length:
                break
            kind, data = self._buffer[0], bytes(self._buffer[3 : 3 + length])
            del self._buffer[: 3 + length]
            try:
                events += self._in_order(self._frame(kind, data))
            except Wrong as wrong:
                events += self._fault(str(wrong), fatal=wrong.fatal)
        return events

    def _frame(self, kind: int, data: bytes) -> list[CallEvent]:
        if kind in RATES:
            return self._sound(Codec(Encoding.PCM16, RATES[kind]), data)
        if kind == UUID:
            if len(data) != 16:
                raise Wrong(f"a UUID of {len(data)} bytes", fatal=self.life is Life.WAITING)
            call_id = str(uuid.UUID(bytes=data))
            return self._start(Started(call_id, call_id, PCM_8K))
        if kind == DTMF:
            return [key(data.decode("ascii", "replace"))]
        if kind == HANG_UP:
            return self._stop("the caller hung up")
        if kind == ERROR:
            code = data[0] if data else 0
            return [Fault(f"Asterisk reports error {code}: {_ERRORS.get(code, 'unknown')}")]
        raise Wrong(f"an unknown frame type 0x{kind:02x}")

    def _sound(self, codec: Codec, data: bytes) -> list[CallEvent]:
        samples(data, codec)
        if self.life is Life.LIVE and codec != self.codec:
            return [*self._start(Started(self.call_id, self.stream_id, codec)), Media(data)]
        return [Media(data)]

    def _audio(self, data: bytes) -> list[Message]:
        codec = self.codec or PCM_8K
        return [frame(KINDS[codec.rate], data)]

    def _hang_up(self, command: HangUp) -> list[Message]:
        """The dialplan goes on after AudioSocket(), and may ask us where to."""
        return [frame(HANG_UP), Close(reason=command.reason)]
