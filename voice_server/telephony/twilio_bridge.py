"""Twilio Media Streams, bidirectional (``<Connect><Stream>``): JSON over a websocket, µ-law 8 kHz.

Messages: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

from typing import Any, ClassVar

from voice_server.telephony.bridge_base import (
    GapMeter,
    JsonBridge,
    Wrong,
    base64_text,
    dump,
    key,
    milliseconds,
    payload,
    samples,
    table,
    word,
    words,
)
from voice_server.telephony.call import (
    ULAW_8K,
    CallEvent,
    Features,
    MarkReached,
    Media,
    Message,
    Started,
)


class TwilioBridge(JsonBridge):
    """One Media Stream."""

    vendor = "twilio"
    features = Features(marks=True, clears=True)

    def __init__(self) -> None:
        super().__init__()
        self._gaps = GapMeter()

    def _numbering(self, event: dict[str, Any]) -> list[CallEvent]:
        return self._follow(event.get("sequenceNumber"))

    def _started(self, event: dict[str, Any]) -> list[CallEvent]:
        start = table(event, "start")
        form = table(start, "mediaFormat")
        if form.get("encoding") != "audio/x-mulaw" or form.get("sampleRate") != 8000:
            raise Wrong("a media format that is not audio/x-mulaw at 8000 Hz", fatal=True)
        parameters = words(start.get("customParameters"))
        return self._start(
            Started(
                call_id=word(start.get("callSid")),
                stream_id=word(event.get("streamSid")) or word(start.get("streamSid")),
                codec=ULAW_8K,
                caller=parameters.get("from", ""),
                called=parameters.get("to", ""),
                parameters=parameters,
            )
        )

    def _media(self, event: dict[str, Any]) -> list[CallEvent]:
        self._check_stream(event)
        media = table(event, "media")
        if media.get("track", "inbound") != "inbound":
            return []  # our own voice, of a stream that was set up with both tracks
        data = samples(payload(media.get("payload")), self.codec)
        gap = self._gaps.measure(milliseconds(media.get("timestamp")), len(data) / 8)
        return [*gap, Media(data)]

    def _key(self, event: dict[str, Any]) -> list[CallEvent]:
        self._check_stream(event)
        return [key(table(event, "dtmf").get("digit"))]

    def _marked(self, event: dict[str, Any]) -> list[CallEvent]:
        self._check_stream(event)
        return [MarkReached(word(table(event, "mark").get("name")))]

    def _stopped(self, event: dict[str, Any]) -> list[CallEvent]:
        self._check_stream(event)
        return self._stop("the caller hung up, or the call was redirected")

    def _check_stream(self, event: dict[str, Any]) -> None:
        stream = word(event.get("streamSid"))
        if self.stream_id and stream and stream != self.stream_id:
            raise Wrong("a message of another stream on this line")

    def _audio(self, data: bytes) -> list[Message]:
        media = {"payload": base64_text(data)}
        return [dump({"event": "media", "streamSid": self.stream_id, "media": media})]

    def _mark(self, name: str) -> list[Message]:
        return [dump({"event": "mark", "streamSid": self.stream_id, "mark": {"name": name}})]

    def _clear(self) -> list[Message]:
        return [dump({"event": "clear", "streamSid": self.stream_id})]

    _HANDLERS: ClassVar = {
        "connected": JsonBridge._ignore,
        "start": _started,
        "media": _media,
        "dtmf": _key,
        "mark": _marked,
        "stop": _stopped,
    }
