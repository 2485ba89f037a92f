"""Server events: how items, responses and errors look on the wire, and the writer that sends them.

Absent keys are left out, not sent as null, wherever a stock reader has ``optional`` but not
``nullable`` there (content parts, function calls, errors of a failed transcription); a user's
``transcript`` on the other hand must be present, even as null.
"""

from __future__ import annotations

from typing import Any

import orjson

from voice_server.conversation.transcript import Item
from voice_server.dialogue.dialogue import Usage
from voice_server.realtime.effects import Send, WireError
from voice_server.realtime.replay import Replay


class EventWriter:
    """Gives server events their ids and makes them messages; remembers them for a resume."""

    def __init__(self, session_id: str, replay: Replay | None) -> None:
        self._prefix = f"event_{session_id.removeprefix('sess_')}_"
        self._count = 0
        self._replay = replay

    def next_id(self) -> str:
        """Return the next event id: unique, and ordered within the session."""
        self._count += 1
        return f"{self._prefix}{self._count}"

    def number(self, event_id: str | None) -> int:
        """Return where in the session an event was sent; 0, before all, for an unknown id."""
        count = (event_id or "").removeprefix(self._prefix)
        return int(count) if count.isascii() and count.isdigit() and len(count) < 16 else 0

    def event(self, kind: str, /, **fields: Any) -> Send:
        """Return the message of one server event."""
        event_id = self.next_id()
        data = orjson.dumps({"type": kind, "event_id": event_id, **fields})
        if self._replay is not None:
            self._replay.remember(self._count, data)
        return Send(data)

    def passing(self, kind: str, /, **fields: Any) -> Send:
        """Return the message of an event that a resume must not repeat."""
        return Send(orjson.dumps({"type": kind, "event_id": self.next_id(), **fields}))

    def error(self, error: WireError, client_event_id: str | None) -> Send:
        """Return an ``error`` event that names the client event it answers."""
        return self.event("error", error=error_json(error, client_event_id))


def error_json(error: WireError, client_event_id: str | None = None) -> dict[str, Any]:
    """Return an error object; every SDK reads ``type``, ``code`` and ``event_id``."""
    return {
        "type": error.kind,
        "code": error.code,
        "message": error.message,
        "param": error.param,
        "event_id": client_event_id,
    }


def content_json(item: Item) -> dict[str, Any]:
    """Return the one content part of a message."""
    if item.content == "input_audio":
        return {"type": "input_audio", "transcript": item.text}
    if item.content == "output_audio":
        return {"type": "output_audio", "transcript": item.text or ""}
    return {"type": item.content, "text": item.text or ""}


def item_json(item: Item, *, empty: bool = False) -> dict[str, Any]:
    """Return an item; ``empty`` leaves out its content (a reply that is only beginning)."""
    head: dict[str, Any] = {"id": item.id, "object": "realtime.item", "type": item.kind}
    if item.kind == "function_call":
        return {
            **head,
            "status": item.status,
            "call_id": item.call_id,
            "name": item.name,
            "arguments": "" if empty else item.text or "{}",
        }
    if item.kind == "function_call_output":
        return {
            **head,
            "status": item.status,
            "call_id": item.call_id,
            "output": item.text or "",
        }
    content = [] if empty else [content_json(item)]
    return {**head, "status": item.status, "role": item.role, "content": content}


def usage_json(usage: Usage) -> dict[str, Any]:
    """Return a reply's tokens. The models read and write text, so no token is an audio token."""
    return {
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "input_token_details": {
            "text_tokens": usage.input_tokens,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": usage.cached_tokens,
            "cached_tokens_details": {
                "text_tokens": usage.cached_tokens,
                "audio_tokens": 0,
                "image_tokens": 0,
            },
        },
        "output_token_details": {"text_tokens": usage.output_tokens, "audio_tokens": 0},
    }
