"""Vonage Voice API websockets: binary little-endian 16-bit samples, JSON for the rest.

Messages: https://developer.vonage.com/en/voice/voice-api/concepts/websockets
The first text message names the format and carries the headers of our own NCCO.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from voice_server.telephony.bridge_base import (
    JsonBridge,
    Wrong,
    dump,
    key,
    samples,
    word,
    words,
)
from voice_server.telephony.call import (
    PCM_8K,
    PCM_16K,
    PCM_24K,
    CallEvent,
    Features,
    MarkReached,
    Media,
    Message,
    Started,
)

_FORMAT = re.compile(r"audio/l16;\s*rate=(\d{4,5})", re.IGNORECASE)
_CODECS = {"8000": PCM_8K, "16000": PCM_16K, "24000": PCM_24K}


class VonageBridge(JsonBridge):
    """One websocket leg of a call."""

    vendor = "vonage"
    features = Features(marks=True, clears=True)

    def _started(self, event: dict[str, Any]) -> list[CallEvent]:
        found = _FORMAT.fullmatch(word(event.get("content-type")))
        codec = _CODECS.get(found[1]) if found is not None else None
        if codec is None:
            raise Wrong("a content-type that is not audio/l16 at 8, 16 or 24 kHz", fatal=True)
        own = words({k: v for k, v in event.items() if k not in ("event", "content-type")})
        call_id = own.get("call_id") or own.get("uuid", "")
        return self._start(
            Started(
                call_id=call_id,
                stream_id=call_id,
                codec=codec,
                caller=own.get("from", ""),
                called=own.get("to", ""),
                parameters=own,
            )
        )

    def _binary(self, message: bytes) -> list[CallEvent]:
        return [Media(samples(message, self.codec))]

    def _key(self, event: dict[str, Any]) -> list[CallEvent]:
        return [key(event.get("digit"), event.get("duration"))]

    def _notified(self, event: dict[str, Any]) -> list[CallEvent]:
        said = event.get("payload")
        return [MarkReached(word(said.get("mark")))] if isinstance(said, dict) else []

    def _audio(self, data: bytes) -> list[Message]:
        return [data]

    def _mark(self, name: str) -> list[Message]:
        return [dump({"action": "notify", "payload": {"mark": name}})]

    def _clear(self) -> list[Message]:
        return [dump({"action": "clear"})]

    _HANDLERS: ClassVar = {
        "websocket:connected": _started,
        "websocket:dtmf": _key,
        "websocket:notify": _notified,
        "websocket:cleared": JsonBridge._ignore,
        "websocket:media:update": JsonBridge._ignore,
    }
