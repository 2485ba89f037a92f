"""Asterisk ``chan_websocket``: binary frames are sound, text frames are commands and events.

https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket/
Both spellings of control messages are understood (plain text and, from 20.18, 22.8 and 23.2 on,
JSON); we answer in the one Asterisk speaks.  Asterisk buffers and paces.
"""

from __future__ import annotations

from typing import Any

from voice_server.telephony.bridge_base import (
    BridgeBase,
    Wrong,
    dump,
    key,
    parse,
    samples,
    word,
    words,
)
from voice_server.telephony.call import (
    ALAW_8K,
    PCM_8K,
    PCM_16K,
    PCM_24K,
    ULAW_8K,
    CallEvent,
    Close,
    Fault,
    Features,
    HangUp,
    MarkReached,
    Media,
    Message,
    Started,
)

CODECS = {
    "ulaw": ULAW_8K,
    "alaw": ALAW_8K,
    "slin": PCM_8K,
    "slin16": PCM_16K,
    "slin24": PCM_24K,
}

_IGNORED = frozenset({"STATUS", "QUEUE_DRAINED", "MEDIA_BUFFERING_COMPLETED"})


class ChanWebsocketBridge(BridgeBase):
    """One websocket channel."""

    vendor = "asterisk"
    features = Features(marks=True, clears=True)

    def __init__(self) -> None:
        super().__init__()
        self._json = False
        self._full = False

    def _text(self, message: str) -> list[CallEvent]:
        if message.lstrip().startswith("{"):
            self._json = True
            event = parse(message)
            kind = word(event.get("event"))
        else:
            kind, event = _plain(message)
        if kind == "MEDIA_START":
            return self._started(event)
        if kind == "DTMF_END":
            return [key(event.get("digit"), event.get("duration_ms"))]
        if kind == "MEDIA_MARK_PROCESSED":
            return [MarkReached(word(event.get("correlation_id")))]
        if kind == "MEDIA_XOFF":
            self._full = True
            return [Fault("Asterisk's queue is full: sound is dropped until it has room")]
        if kind == "MEDIA_XON":
            self._full = False
            return []
        if kind in _IGNORED:
            return []
        if kind == "ERROR":
            return [Fault(f"Asterisk reports: {word(event.get('error_text'))[:120]}")]
        raise Wrong(f"an unknown event {kind[:40]!r}")

    def _started(self, event: dict[str, Any]) -> list[CallEvent]:
        codec = CODECS.get(word(event.get("format")))
        if codec is None:
            names = ", ".join(CODECS)
            raise Wrong(f"a format that is none of {names}: write c(ulaw)", fatal=True)
        own = words(event.get("channel_variables"))
        return self._start(
            Started(
                call_id=word(event.get("channel_id")) or word(event.get("connection_id")),
                stream_id=word(event.get("connection_id")),
                codec=codec,
                caller=own.get("CALLER", ""),
                called=own.get("CALLED", ""),
                parameters=own,
            )
        )

    def _binary(self, message: bytes) -> list[CallEvent]:
        return [Media(samples(message, self.codec))]

    def _audio(self, data: bytes) -> list[Message]:
        return [] if self._full else [data]

    def _mark(self, name: str) -> list[Message]:
        return [self._command("MARK_MEDIA", name)]

    def _clear(self) -> list[Message]:
        self._full = False
        return [self._command("FLUSH_MEDIA")]

    def _hang_up(self, command: HangUp) -> list[Message]:
        """The dialplan goes on after Dial(), and may ask us where to."""
        return [self._command("HANGUP"), Close(reason=command.reason)]

    def _command(self, name: str, correlation_id: str = "") -> str:
        if not self._json:
            return f"{name} {correlation_id}".strip()
        command = {"command": name}
        if correlation_id:
            command["correlation_id"] = correlation_id
        return dump(command)


def _plain(message: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the ``key:value`` parameters of a one-line event."""
    kind, *rest = message.split() or [""]
    event: dict[str, Any] = {}
    for item in rest:
        name, colon, value = item.partition(":")
        if colon:
            event[name] = value
        else:
            event["correlation_id"] = item
    return kind, event
