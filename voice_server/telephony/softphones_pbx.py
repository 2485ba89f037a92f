"""Softphones of private exchanges: Genesys AudioHook, Asterisk's AudioSocket and chan_websocket."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from voice_server.telephony.audiosocket_bridge import DTMF, HANG_UP, KINDS, RATES, UUID, frame
from voice_server.telephony.call import (
    ALAW_8K,
    PCM_8K,
    PCM_16K,
    PCM_24K,
    ULAW_8K,
    Close,
    Codec,
    Message,
)
from voice_server.telephony.dtmf import event_packets
from voice_server.telephony.rtp import Packet
from voice_server.telephony.softphone import Softphone


def _dump(**fields: Any) -> str:
    return orjson.dumps(fields).decode()


class GenesysPhone(Softphone):
    """Genesys AudioHook (Audio Connector)."""

    vendor = "genesys"
    _seq = 0
    _server_seq = 0
    _spoken = 0
    opened = False

    @property
    def session(self) -> str:
        """The session's id, which is not the conversation's."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.call_id))

    def _say(self, kind: str, **parameters: Any) -> str:
        self._seq += 1
        return _dump(
            version="2",
            type=kind,
            seq=self._seq,
            serverseq=self._server_seq,
            id=self.session,
            position=f"PT{self._spoken / 8000:.3f}S",
            parameters=parameters,
        )

    def dial(self) -> list[Message]:
        """Open, offering both channels and the customer's alone."""
        offers = [
            {"type": "audio", "format": "PCMU", "channels": channels, "rate": 8000}
            for channels in (["external", "internal"], ["external"], ["internal"])
        ]
        person = {"id": self.call_id, "ani": self.caller, "aniName": "", "dnis": self.called}
        return [
            self._say(
                "open",
                organizationId=str(uuid.uuid5(uuid.NAMESPACE_URL, "organization")),
                conversationId=self.call_id,
                participant=person,
                media=offers,
            )
        ]

    def speak(self, data: bytes) -> list[Message]:
        """A binary frame, once the session is open."""
        if not self.opened:
            return []
        self._spoken += len(data)
        return [data]

    def press(self, digit: str) -> list[Message]:
        """One dtmf message."""
        return [self._say("dtmf", digit=digit)]

    def hang_up(self) -> list[Message]:
        """Close; the server answers and the socket ends."""
        return [self._say("close", reason="end")]

    def receive(self, message: str | bytes) -> list[Message]:
        """Sound, or a control message with its numbers checked."""
        if isinstance(message, bytes):
            self.queue(message)
            return []
        event = orjson.loads(message)
        if event["seq"] != self._server_seq + 1 or event["clientseq"] > self._seq:
            self.refusal = f"seq {event['seq']}, clientseq {event['clientseq']}"
        self._server_seq = event["seq"]
        if event["type"] == "opened":
            self.opened = True
        elif event["type"] == "event":
            kinds = [entity["type"] for entity in event["parameters"]["entities"]]
            if "barge_in" in kinds:
                self.clear()
        elif event["type"] == "disconnect":
            self.outcome = dict(event["parameters"].get("outputVariables", {}))
            return [self._say("close", reason="disconnect")]
        elif event["type"] == "closed":
            self.ended = True
        return []


class AudioSocketPhone(Softphone):
    """Asterisk's AudioSocket() application."""

    vendor = "audiosocket"

    def __init__(self, codec: Codec, *, caller: str, called: str, call_id: str) -> None:
        super().__init__(codec, caller=caller, called=called, call_id=call_id)
        self._bytes = bytearray()

    def dial(self) -> list[Message]:
        """The UUID."""
        return [frame(UUID, uuid.UUID(self.call_id).bytes)]

    def speak(self, data: bytes) -> list[Message]:
        """One frame of sound."""
        return [frame(KINDS[self.codec.rate], data)]

    def press(self, digit: str) -> list[Message]:
        """One DTMF frame."""
        return [frame(DTMF, digit.encode())]

    def hang_up(self) -> list[Message]:
        """The hang-up frame, then the socket closes."""
        return [frame(HANG_UP), Close()]

    def receive(self, message: str | bytes) -> list[Message]:
        """Any piece of the stream."""
        if isinstance(message, str):
            self.refusal = "text on a binary stream"
            return []
        self._bytes += message
        while len(self._bytes) >= 3:
            length = int.from_bytes(self._bytes[1:3], "big")
            if len(self._bytes) < 3 + length:
                break
            kind, data = self._bytes[0], bytes(self._bytes[3 : 3 + length])
            del self._bytes[: 3 + length]
            if RATES.get(kind) == self.codec.rate:
                self.queue(data)
            elif kind == HANG_UP:
                self.ended = True
            else:
                self.refusal = f"a frame of type 0x{kind:02x}"
        return []


class ChanWebsocketPhone(Softphone):
    """Asterisk's chan_websocket, JSON control messages."""

    vendor = "asterisk"
    _NAMES: Mapping[Codec, str] = {
        ULAW_8K: "ulaw",
        ALAW_8K: "alaw",
        PCM_8K: "slin",
        PCM_16K: "slin16",
        PCM_24K: "slin24",
    }

    def _event(self, kind: str, **fields: Any) -> str:
        return _dump(event=kind, channel_id=self.call_id, **fields)

    def dial(self) -> list[Message]:
        """MEDIA_START."""
        return [
            self._event(
                "MEDIA_START",
                connection_id=f"c-{self.call_id}",
                channel=f"WebSocket/{self.call_id}",
                format=self._NAMES[self.codec],
                optimal_frame_size=self.codec.frame_bytes(20),
                ptime=20,
                channel_variables={"CALLER": self.caller, "CALLED": self.called},
            )
        ]

    def speak(self, data: bytes) -> list[Message]:
        """A binary frame."""
        return [data]

    def press(self, digit: str) -> list[Message]:
        """DTMF_END."""
        return [self._event("DTMF_END", digit=digit, duration_ms=120)]

    def hang_up(self) -> list[Message]:
        """The socket closes."""
        return [Close()]

    def marked(self, name: str) -> list[Message]:
        """The mark has come to the front of the queue."""
        return [self._event("MEDIA_MARK_PROCESSED", correlation_id=name)]

    def receive(self, message: str | bytes) -> list[Message]:
        """Sound or a command."""
        if isinstance(message, bytes):
            self.queue(message)
            return []
        event = orjson.loads(message)
        if event["command"] == "MARK_MEDIA":
            self.mark(event["correlation_id"])
        elif event["command"] == "FLUSH_MEDIA":
            self.clear()
        elif event["command"] == "HANGUP":
            self.ended = True
        return []


class SipPhone(Softphone):
    """A SIP call behind our own signalling: RTP packets, keys as RFC 4733 events."""

    vendor = "sip"
    _sequence = 65_500
    _timestamp = 1000

    def dial(self) -> list[Message]:
        """What the SIP shell says when a call is picked up."""
        return [
            _dump(
                event="start",
                call_id=self.call_id,
                caller=self.caller,
                called=self.called,
                kind=0,
                codec=0,
                events=101,
            )
        ]

    def speak(self, data: bytes) -> list[Message]:
        """One packet."""
        self._sequence += 1
        self._timestamp += len(data)
        return [Packet(0, self._sequence, self._timestamp, 7, data).pack()]

    def press(self, digit: str) -> list[Message]:
        """The packets of one event."""
        packets: list[Message] = []
        self._timestamp += 1600
        for event in event_packets(digit):
            self._sequence += 1
            packets.append(Packet(101, self._sequence, self._timestamp, 7, event.pack()).pack())
        return packets

    def hang_up(self) -> list[Message]:
        """What the SIP shell says at a BYE."""
        return [_dump(event="stop", reason="the caller hung up"), Close()]

    def receive(self, message: str | bytes) -> list[Message]:
        """A packet, or what the bridge wants of the dialog."""
        if isinstance(message, bytes):
            self.queue(Packet.parse(message).payload)
        else:
            self.ended = True
        return []
