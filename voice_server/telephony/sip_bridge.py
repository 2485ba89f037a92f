"""A SIP call as a bridge: RTP packets both ways, and the little JSON of our own SIP shell.

The shell (``sip_link.py``) tells of the dialog: ``start``, ``hold``, ``key``, ``lost``, ``stop``;
what we want of it goes back as text: ``BYE``, or ``REFER <target>`` with its
details in a second line, which ``transferred`` answers.
"""

from __future__ import annotations

from typing import Any, ClassVar

from voice_server.telephony.bridge_base import (
    JsonBridge,
    Wrong,
    dump,
    key,
    milliseconds,
    word,
)
from voice_server.telephony.call import (
    CallCommand,
    CallEvent,
    Close,
    Codec,
    Dtmf,
    Features,
    Gap,
    HangUp,
    Hold,
    Message,
    Started,
    Transfer,
    Transferred,
)
from voice_server.telephony.dtmf import EventReceiver
from voice_server.telephony.rtp import NoRtp, Packet, Sorter
from voice_server.telephony.sdp import STATIC


class SipBridge(JsonBridge):
    """One call of a trunk."""

    vendor = "sip"
    features = Features(buffers=False, lead_ms=60.0, fills=True, reports_transfer=True)

    def __init__(self, *, sequence: int = 0, timestamp: int = 0, source: int = 1) -> None:
        """The first numbers of our stream; the shell takes them at random (RFC 3550, 5.1)."""
        super().__init__()
        self._sequence_out, self._timestamp, self._source = sequence, timestamp, source
        self._kind = 0
        self._kinds: dict[int, Codec] = {}
        self._events: int | None = None
        self._first = True
        self._sorter = Sorter()
        self._keys = EventReceiver()

    def _started(self, event: dict[str, Any]) -> list[CallEvent]:
        kind, events = event.get("kind"), event.get("events")
        codec = STATIC.get(event.get("codec", -1))
        if not isinstance(kind, int) or codec is None:
            raise Wrong("a start without a codec", fatal=True)
        self._kind, self._kinds = kind, {**STATIC, kind: codec}
        self._events = events if isinstance(events, int) else None
        return self._start(
            Started(
                call_id=word(event.get("call_id")),
                stream_id=word(event.get("call_id")),
                codec=codec,
                caller=word(event.get("caller")),
                called=word(event.get("called")),
            )
        )

    def _binary(self, message: bytes) -> list[CallEvent]:
        try:
            packet = Packet.parse(message)
        except NoRtp as wrong:
            raise Wrong(str(wrong)) from None
        if packet.kind == self._events:
            return [*self._sorter.skip(packet), *self._pressed(packet)]
        codec = self._kinds.get(packet.kind)
        if codec is None:
            if self.codec is None:
                raise Wrong("media before the start")
            raise Wrong(f"RTP of an unknown payload type {packet.kind}")
        changed: list[CallEvent] = []
        if self.codec is not None and codec != self.codec:
            self._kind = packet.kind
            changed = self._start(Started(self.call_id, self.stream_id, codec))
        return [*changed, *self._sorter.put(packet)]

    def _pressed(self, packet: Packet) -> list[CallEvent]:
        try:
            digit = self._keys.receive(packet.timestamp, packet.payload)
        except ValueError as wrong:
            raise Wrong(str(wrong)) from None
        return [Dtmf(digit)] if digit else []

    def _key(self, event: dict[str, Any]) -> list[CallEvent]:
        return [key(event.get("digit"))]

    def _lost(self, event: dict[str, Any]) -> list[CallEvent]:
        """Sound that did not come, and was made up on its way here."""
        return [Gap(milliseconds(event.get("ms")) or 0.0, concealed=True)]

    def _hold(self, event: dict[str, Any]) -> list[CallEvent]:
        return [Hold(on=event.get("on") is True)]

    def _stopped(self, event: dict[str, Any]) -> list[CallEvent]:
        return self._stop(word(event.get("reason")) or "the caller hung up")

    def _audio(self, data: bytes) -> list[Message]:
        packet = Packet(
            self._kind, self._sequence_out, self._timestamp, self._source, data, self._first
        )
        self._first = False
        self._sequence_out += 1
        self._timestamp += len(data)
        return [packet.pack()]

    def _hang_up(self, command: HangUp) -> list[Message]:
        return ["BYE", Close(reason=command.reason)]

    def _transfer(self, command: Transfer) -> list[Message]:
        """The call stays ours until the exchange has told the end of it."""
        news = {"warm": command.warm, "details": dict(command.details)}
        return [f"REFER {command.target}\n{dump(news)}"]

    def send(self, command: CallCommand) -> list[Message]:
        """Return what must go over the line; a transfer does not end it yet."""
        was = self.life
        messages = super().send(command)
        if isinstance(command, Transfer):
            self.life = was
        return messages

    def _transferred(self, event: dict[str, Any]) -> list[CallEvent]:
        return [Transferred(event.get("reached") is True, word(event.get("result")))]

    _HANDLERS: ClassVar = {
        "start": _started,
        "hold": _hold,
        "lost": _lost,
        "key": _key,
        "transferred": _transferred,
        "stop": _stopped,
    }
