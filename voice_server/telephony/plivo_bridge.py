"""Plivo audio streaming, bidirectional: JSON over a websocket, µ-law or linear samples.

Messages: https://www.plivo.com/docs/voice/xml/the-stream-element
"""

from __future__ import annotations

import re
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
)
from voice_server.telephony.call import (
    PCM_8K,
    PCM_16K,
    ULAW_8K,
    CallEvent,
    Codec,
    Encoding,
    Features,
    MarkReached,
    Media,
    Message,
    Started,
)

_CODECS = {
    ("audio/x-mulaw", 8000): ULAW_8K,
    ("audio/x-l16", 8000): PCM_8K,
    ("audio/x-l16", 16000): PCM_16K,
}


class PlivoBridge(JsonBridge):
    """One audio stream."""

    vendor = "plivo"
    features = Features(marks=True, clears=True, sends_dtmf=True)

    def __init__(self) -> None:
        super().__init__()
        self._gaps = GapMeter()

    def _numbering(self, event: dict[str, Any]) -> list[CallEvent]:
        return self._follow(event.get("sequenceNumber"))

    def _started(self, event: dict[str, Any]) -> list[CallEvent]:
        start = table(event, "start")
        parameters = _headers(word(event.get("extra_headers")))
        return self._start(
            Started(
                call_id=word(start.get("callId")),
                stream_id=word(start.get("streamId")),
                codec=_codec(table(start, "mediaFormat")),
                caller=parameters.get("from", ""),
                called=parameters.get("to", ""),
                parameters=parameters,
            )
        )

    def _media(self, event: dict[str, Any]) -> list[CallEvent]:
        self._check_stream(event)
        media = table(event, "media")
        if media.get("track", "inbound") != "inbound":
            return []
        data = samples(payload(media.get("payload")), self.codec)
        codec = self.codec or ULAW_8K
        length = len(data) / codec.sample_bytes * 1000 / codec.rate
        return [*self._gaps.measure(milliseconds(media.get("timestamp")), length), Media(data)]

    def _key(self, event: dict[str, Any]) -> list[CallEvent]:
        self._check_stream(event)
        return [key(table(event, "dtmf").get("digit"))]

    def _played(self, event: dict[str, Any]) -> list[CallEvent]:
        self._check_stream(event)
        return [MarkReached(word(event.get("name")))]

    def _stopped(self, event: dict[str, Any]) -> list[CallEvent]:
        return self._stop("the caller hung up, or the call was redirected")

    def _check_stream(self, event: dict[str, Any]) -> None:
        stream = word(event.get("streamId"))
        if self.stream_id and stream and stream != self.stream_id:
            raise Wrong("a message of another stream on this line")

    def _audio(self, data: bytes) -> list[Message]:
        codec = self.codec or ULAW_8K
        kind = "audio/x-mulaw" if codec.encoding is Encoding.ULAW else "audio/x-l16"
        media = {"contentType": kind, "sampleRate": codec.rate, "payload": base64_text(data)}
        return [dump({"event": "playAudio", "media": media, "streamId": self.stream_id})]

    def _mark(self, name: str) -> list[Message]:
        return [dump({"event": "checkpoint", "streamId": self.stream_id, "name": name})]

    def _clear(self) -> list[Message]:
        return [dump({"event": "clearAudio", "streamId": self.stream_id})]

    def _dtmf(self, digits: str) -> list[Message]:
        return [dump({"event": "sendDTMF", "dtmf": digits})]

    _HANDLERS: ClassVar = {
        "start": _started,
        "media": _media,
        "dtmf": _key,
        "playedStream": _played,
        "clearedAudio": JsonBridge._ignore,
        "stop": _stopped,
    }


def _codec(form: dict[str, Any]) -> Codec:
    rate = form.get("sampleRate")
    codec = _CODECS.get((word(form.get("encoding")).lower(), rate if isinstance(rate, int) else 0))
    if codec is None:
        raise Wrong("a media format that is neither audio/x-mulaw nor audio/x-l16", fatal=True)
    return codec


def _headers(text: str) -> dict[str, str]:
    """Return the extraHeaders of the Stream element from Plivo's ``{X-PH-a: 1, b: 2}``."""
    found = re.findall(r"(?:X-PH-)?([A-Za-z0-9]+)\s*[:=]\s*([^,;{}]*)", text)
    return {name: value.strip(' "') for name, value in found}
