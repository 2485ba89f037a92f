"""Softphones of the carriers' clouds: Twilio, Telnyx, Plivo, Vonage."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from voice_server.telephony.call import Close, Encoding, Message
from voice_server.telephony.softphone import Softphone


def _dump(**fields: Any) -> str:
    return orjson.dumps(fields).decode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class TwilioPhone(Softphone):
    """Twilio Media Streams."""

    vendor = "twilio"
    _sequence = 0
    _chunk = 0
    _played_ms = 0

    def _event(self, kind: str, **fields: Any) -> str:
        self._sequence += 1
        return _dump(event=kind, sequenceNumber=str(self._sequence), streamSid=self._sid, **fields)

    @property
    def _sid(self) -> str:
        return f"MZ{self.call_id}"

    def dial(self) -> list[Message]:
        """Connected, then start."""
        start = {
            "accountSid": "AC00000000000000000000000000000000",
            "streamSid": self._sid,
            "callSid": self.call_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"from": self.caller, "to": self.called},
        }
        connected = _dump(event="connected", protocol="Call", version="1.0.0")
        return [connected, self._event("start", start=start)]

    def speak(self, data: bytes) -> list[Message]:
        """One media message."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(self._played_ms),
            "payload": _text(data),
        }
        self._played_ms += len(data) // 8
        return [self._event("media", media=media)]

    def press(self, digit: str) -> list[Message]:
        """One dtmf message."""
        return [self._event("dtmf", dtmf={"track": "inbound_track", "digit": digit})]

    def hang_up(self) -> list[Message]:
        """Stop, then the socket closes."""
        account = "AC00000000000000000000000000000000"
        return [self._event("stop", stop={"accountSid": account, "callSid": self.call_id}), Close()]

    def marked(self, name: str) -> list[Message]:
        """One mark message."""
        return [self._event("mark", mark={"name": name})]

    def receive(self, message: str | bytes) -> list[Message]:
        """Media, mark or clear."""
        event = orjson.loads(message)
        if event["streamSid"] != self._sid:
            self.refusal = "a message for another stream"
        if event["event"] == "media":
            self.queue(base64.b64decode(event["media"]["payload"], validate=True))
        elif event["event"] == "mark":
            self.mark(event["mark"]["name"])
        elif event["event"] == "clear":
            return self.clear()
        return []


class TelnyxPhone(Softphone):
    """Telnyx media streaming, mode rtp."""

    vendor = "telnyx"
    _chunk = 0
    _spoken_ms = 0

    def dial(self) -> list[Message]:
        """Connected, then start."""
        start = {
            "user_id": "u1",
            "call_control_id": self.call_id,
            "call_session_id": f"s-{self.call_id}",
            "from": self.caller,
            "to": self.called,
            "custom_parameters": {},
            "media_format": {
                "encoding": self.codec.encoding.value,
                "sample_rate": self.codec.rate,
                "channels": 1,
            },
        }
        return [
            _dump(event="connected", version="1.0.0"),
            _dump(event="start", sequence_number="1", stream_id=self.call_id, start=start),
        ]

    def speak(self, data: bytes) -> list[Message]:
        """One media message."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(self._spoken_ms),
            "payload": _text(data),
        }
        self._spoken_ms += len(data) // 8
        number = str(self._chunk + 1)
        return [_dump(event="media", sequence_number=number, stream_id=self.call_id, media=media)]

    def press(self, digit: str) -> list[Message]:
        """One dtmf message."""
        return [_dump(event="dtmf", stream_id=self.call_id, dtmf={"digit": digit})]

    def hang_up(self) -> list[Message]:
        """Stop, then the socket closes."""
        return [_dump(event="stop", stream_id=self.call_id, stop={}), Close()]

    def marked(self, name: str) -> list[Message]:
        """One mark message."""
        return [_dump(event="mark", stream_id=self.call_id, mark={"name": name})]

    def receive(self, message: str | bytes) -> list[Message]:
        """Media, mark or clear."""
        event = orjson.loads(message)
        if event["event"] == "media":
            self.queue(base64.b64decode(event["media"]["payload"], validate=True))
        elif event["event"] == "mark":
            self.mark(event["mark"]["name"])
        elif event["event"] == "clear":
            return self.clear()
        return []


class PlivoPhone(Softphone):
    """Plivo audio streaming."""

    vendor = "plivo"
    _sequence = 0
    _spoken_ms = 0.0

    @property
    def _kind(self) -> str:
        return "audio/x-mulaw" if self.codec.encoding is Encoding.ULAW else "audio/x-l16"

    def _event(self, kind: str, **fields: Any) -> str:
        self._sequence += 1
        return _dump(event=kind, sequenceNumber=self._sequence, **fields)

    def dial(self) -> list[Message]:
        """Start."""
        start = {
            "callId": self.call_id,
            "streamId": f"stream-{self.call_id}",
            "accountId": "10000001",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": self._kind, "sampleRate": self.codec.rate},
        }
        headers = f"{{X-PH-from: {self.caller}, X-PH-to: {self.called}}}"
        return [self._event("start", start=start, extra_headers=headers)]

    def speak(self, data: bytes) -> list[Message]:
        """One media message."""
        media = {"track": "inbound", "timestamp": str(self._spoken_ms), "payload": _text(data)}
        self._spoken_ms += len(data) / self.codec.sample_bytes * 1000 / self.codec.rate
        return [self._event("media", streamId=f"stream-{self.call_id}", media=media)]

    def press(self, digit: str) -> list[Message]:
        """One dtmf message."""
        dtmf = {"track": "inbound", "digit": digit, "timestamp": str(self._spoken_ms)}
        return [self._event("dtmf", streamId=f"stream-{self.call_id}", dtmf=dtmf)]

    def hang_up(self) -> list[Message]:
        """Stop, then the socket closes."""
        return [self._event("stop", streamId=f"stream-{self.call_id}"), Close()]

    def marked(self, name: str) -> list[Message]:
        """The checkpoint is reached."""
        return [self._event("playedStream", streamId=f"stream-{self.call_id}", name=name)]

    def receive(self, message: str | bytes) -> list[Message]:
        """Audio, checkpoint or clear."""
        event = orjson.loads(message)
        if event["event"] == "playAudio":
            media = event["media"]
            if (media["contentType"], media["sampleRate"]) != (self._kind, self.codec.rate):
                self.refusal = f"sound as {media['contentType']} at {media['sampleRate']} Hz"
            self.queue(base64.b64decode(media["payload"], validate=True))
        elif event["event"] == "checkpoint":
            self.mark(event["name"])
        elif event["event"] == "clearAudio":
            self.clear()
            return [self._event("clearedAudio", streamId=f"stream-{self.call_id}")]
        return []


class VonagePhone(Softphone):
    """Vonage websocket endpoint."""

    vendor = "vonage"

    def dial(self) -> list[Message]:
        """The connected event, with the headers of the NCCO."""
        fields = {
            "event": "websocket:connected",
            "content-type": f"audio/l16;rate={self.codec.rate}",
            "call_id": self.call_id,
            "from": self.caller,
            "to": self.called,
        }
        return [orjson.dumps(fields).decode()]

    def speak(self, data: bytes) -> list[Message]:
        """A binary frame."""
        return [data]

    def press(self, digit: str) -> list[Message]:
        """One dtmf event."""
        return [_dump(event="websocket:dtmf", digit=digit, duration=260)]

    def hang_up(self) -> list[Message]:
        """The socket closes."""
        return [Close()]

    def marked(self, name: str) -> list[Message]:
        """The notification."""
        return [_dump(event="websocket:notify", payload={"mark": name})]

    def receive(self, message: str | bytes) -> list[Message]:
        """Sound, notify or clear."""
        if isinstance(message, bytes):
            self.queue(message)
            return []
        event = orjson.loads(message)
        if event["action"] == "notify":
            self.mark(event["payload"]["mark"])
        elif event["action"] == "clear":
            self.clear()
            return [_dump(event="websocket:cleared")]
        return []
