"""Telnyx media streaming with ``bidirectionalMode="rtp"``: JSON over a websocket.

Messages: https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket
The order of media is not guaranteed there: late pieces are put back in order by their chunk.
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
    printable,
    table,
    word,
    words,
)
from voice_server.telephony.call import (
    ALAW_8K,
    ULAW_8K,
    CallEvent,
    Codec,
    Fault,
    Features,
    MarkReached,
    Media,
    Message,
    Started,
    Stopped,
)

_CODECS = {"PCMU": ULAW_8K, "PCMA": ALAW_8K}
"""L16 is left out: which way round its bytes are is nowhere written."""

REORDER = 3
"""Pieces held back while an earlier one is missing: 60 ms, then it counts as lost."""


class TelnyxBridge(JsonBridge):
    """One media stream."""

    vendor = "telnyx"
    features = Features(marks=True, clears=True)

    def __init__(self) -> None:
        super().__init__()
        self._gaps = GapMeter()
        self._next: int | None = None
        self._waiting: dict[int, tuple[float | None, bytes]] = {}

    def _started(self, event: dict[str, Any]) -> list[CallEvent]:
        start = table(event, "start")
        return self._start(
            Started(
                call_id=word(start.get("call_control_id")) or word(start.get("call_session_id")),
                stream_id=word(event.get("stream_id")),
                codec=_codec(table(start, "media_format")),
                caller=word(start.get("from")),
                called=word(start.get("to")),
                parameters=words(start.get("custom_parameters")),
            )
        )

    def _media(self, event: dict[str, Any]) -> list[CallEvent]:
        media = table(event, "media")
        if media.get("track", "inbound") not in ("inbound", "inbound_track"):
            return []
        data = payload(media.get("payload"))
        timestamp = milliseconds(media.get("timestamp"))
        try:
            chunk = int(media.get("chunk", ""))
        except (TypeError, ValueError):
            return self._sound(timestamp, data)
        return self._reorder(chunk, timestamp, data)

    def _reorder(self, chunk: int, timestamp: float | None, data: bytes) -> list[CallEvent]:
        if self._next is None:
            self._next = chunk
        if chunk < self._next:
            raise Wrong("a piece of sound that came too late")
        self._waiting[chunk] = (timestamp, data)
        events: list[CallEvent] = []
        if len(self._waiting) > REORDER:
            self._next = min(self._waiting)
        while self._next in self._waiting:
            events += self._sound(*self._waiting.pop(self._next))
            self._next += 1
        return events

    def _sound(self, timestamp: float | None, data: bytes) -> list[CallEvent]:
        return [*self._gaps.measure(timestamp, len(data) / 8), Media(data)]

    def _key(self, event: dict[str, Any]) -> list[CallEvent]:
        return [key(table(event, "dtmf").get("digit"))]

    def _marked(self, event: dict[str, Any]) -> list[CallEvent]:
        return [MarkReached(word(table(event, "mark").get("name")))]

    def _error(self, event: dict[str, Any]) -> list[CallEvent]:
        said = event.get("payload")
        text = said.get("title", "") if isinstance(said, dict) else ""
        return [Fault(f"Telnyx reports an error: {printable(str(text))[:80]}")]

    def _stopped(self, event: dict[str, Any]) -> list[CallEvent]:
        events: list[CallEvent] = []
        for chunk in sorted(self._waiting):
            events += self._sound(*self._waiting[chunk])
        self._waiting.clear()
        stopped = self._stop("the caller hung up, or the call was redirected")
        return [*events, *stopped] if isinstance(stopped[0], Stopped) else stopped

    def _audio(self, data: bytes) -> list[Message]:
        return [dump({"event": "media", "media": {"payload": base64_text(data)}})]

    def _mark(self, name: str) -> list[Message]:
        return [dump({"event": "mark", "mark": {"name": name}})]

    def _clear(self) -> list[Message]:
        return [dump({"event": "clear"})]

    _HANDLERS: ClassVar = {
        "connected": JsonBridge._ignore,
        "start": _started,
        "media": _media,
        "dtmf": _key,
        "mark": _marked,
        "error": _error,
        "stop": _stopped,
    }


def _codec(form: dict[str, Any]) -> Codec:
    """Return the format. Raises Wrong for one we cannot take."""
    codec = _CODECS.get(word(form.get("encoding")).upper())
    if codec is None or form.get("sample_rate") != codec.rate:
        raise Wrong("a media format that is neither PCMU nor PCMA at 8000 Hz", fatal=True)
    return codec
