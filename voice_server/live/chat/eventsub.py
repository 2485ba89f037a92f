"""Twitch EventSub over websocket, sans-I/O: what messages mean and when a connection is dead.

The shell subscribes over HTTPS when a session is welcomed, and on ``session_reconnect`` opens the
new address *before* it closes the old one.  Twitch delivers at least once: ids are kept, the inbox
drops repeats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from voice_server.live.chat.cleaning import clean, clean_name
from voice_server.live.chat.envelope import ChatEvent, Kind, Role

URL = "wss://eventsub.wss.twitch.tv/ws?keepalive_timeout_seconds=30"
WELCOME_S = 10.0
"""No welcome in this time: reconnect."""
GRACE_S = 5.0
"""Added to the announced keep-alive interval: networks are late, not only dead."""

SUBSCRIPTIONS: tuple[tuple[str, str], ...] = (
    ("channel.chat.message", "1"),
    ("channel.chat.message_delete", "1"),
    ("channel.chat.clear_user_messages", "1"),
    ("channel.chat.clear", "1"),
    ("channel.follow", "2"),
    ("channel.subscribe", "1"),
    ("channel.raid", "1"),
)
"""Type and version of what a show listens to."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """POST the SUBSCRIPTIONS for this session, within ``within_s``."""

    session_id: str
    within_s: float


@dataclass(frozen=True, slots=True)
class MoveTo:
    """Open ``url``, then close this connection when the new one is welcomed."""

    url: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Close and begin anew. ``refused``: trying again is in vain."""

    reason: str
    refused: bool = False


Output = ChatEvent | Subscribe | MoveTo | Lost

_BADGES = {
    "broadcaster": Role.OWNER,
    "moderator": Role.MODERATOR,
    "subscriber": Role.SUBSCRIBER,
    "founder": Role.SUBSCRIBER,
    "vip": Role.VIP,
}


def subscription(kind: str, version: str, *, broadcaster: str, user: str, session: str) -> bytes:
    """Return the body that subscribes to one type of event."""
    condition = {"broadcaster_user_id": broadcaster}
    if kind == "channel.raid":
        condition = {"to_broadcaster_user_id": broadcaster}
    elif kind.startswith("channel.chat."):
        condition["user_id"] = user
    elif kind == "channel.follow":
        condition["moderator_user_id"] = user
    return orjson.dumps(
        {
            "type": kind,
            "version": version,
            "condition": condition,
            "transport": {"method": "websocket", "session_id": session},
        }
    )


class EventSub:
    """One connection. ``moved``: it continues a session, nothing need be subscribed."""

    def __init__(self, now: float, *, moved: bool = False) -> None:
        """The connection was opened at ``now``."""
        self._moved = moved
        self._interval = WELCOME_S
        self._deadline = now + WELCOME_S
        self.welcomed = False

    def next_deadline(self) -> float:
        """Return when :meth:`tick` must be called."""
        return self._deadline

    def tick(self, now: float) -> list[Output]:
        """Give up a connection that has been silent for too long."""
        return [Lost("no keep-alive")] if now >= self._deadline else []

    def receive(self, data: str | bytes, now: float) -> list[Output]:
        """Take one message."""
        try:
            message = orjson.loads(data)
            metadata, payload = message["metadata"], message["payload"]
            kind, ident = str(metadata["message_type"]), str(metadata["message_id"])
            self._deadline = now + self._interval + (GRACE_S if self.welcomed else 0.0)
            return self._message(kind, ident, metadata, payload, now)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
            return []  # malformed: the keep-alive decides whether the connection is any good

    def _message(
        self, kind: str, ident: str, metadata: Mapping[str, Any], payload: Any, now: float
    ) -> list[Output]:
        match kind:
            case "session_welcome":
                session = payload["session"]
                self._interval = float(session.get("keepalive_timeout_seconds") or WELCOME_S)
                self._deadline = now + self._interval + GRACE_S
                self.welcomed = True
                return [] if self._moved else [Subscribe(str(session["id"]), self._interval)]
            case "session_reconnect":
                url = str(payload["session"]["reconnect_url"])
                if not url.startswith(("wss://", "ws://127.0.0.1")):
                    return [Lost("reconnect without a usable address")]
                return [MoveTo(url)]
            case "revocation":
                return [Lost(f"revoked: {clean(payload['subscription']['status'], 60)}", True)]
            case "notification":
                found = _event(str(metadata["subscription_type"]), ident, payload["event"], now)
                return [found] if found is not None else []
        return []


def _event(kind: str, ident: str, event: Mapping[str, Any], now: float) -> ChatEvent | None:
    channel = str(event.get("broadcaster_user_login", ""))
    match kind:
        case "channel.chat.message":
            source = event.get("source_broadcaster_user_id")
            if source and source != event.get("broadcaster_user_id"):
                return None  # shared chat: another channel's message
            bits = float((event.get("cheer") or {}).get("bits", 0))
            return ChatEvent(
                platform="twitch",
                id=str(event["message_id"]),
                kind=Kind.PAID if bits else Kind.MESSAGE,
                at=now,
                author_id=str(event["chatter_user_id"]),
                author=clean_name(str(event["chatter_user_name"])),
                text=clean(_text(event["message"])),
                roles=frozenset(
                    _BADGES[badge["set_id"]]
                    for badge in event.get("badges", ())
                    if badge["set_id"] in _BADGES
                ),
                amount=bits,
                currency="bits" if bits else "",
                channel=channel,
            )
        case "channel.chat.message_delete":
            return _removal(Kind.DELETE, str(event["message_id"]), ident, channel, now)
        case "channel.chat.clear_user_messages":
            return _removal(Kind.BAN, str(event["target_user_id"]), ident, channel, now)
        case "channel.chat.clear":
            return _removal(Kind.CLEAR, "", ident, channel, now)
        case "channel.follow" | "channel.subscribe":
            return ChatEvent(
                platform="twitch",
                id=ident,
                kind=Kind.FOLLOW if kind == "channel.follow" else Kind.SUBSCRIBE,
                at=now,
                author_id=str(event["user_id"]),
                author=clean_name(str(event["user_name"])),
                channel=channel,
            )
        case "channel.raid":
            return ChatEvent(
                platform="twitch",
                id=ident,
                kind=Kind.RAID,
                at=now,
                author_id=str(event["from_broadcaster_user_id"]),
                author=clean_name(str(event["from_broadcaster_user_name"])),
                amount=float(event.get("viewers", 0)),
            )
    return None


def _text(message: Mapping[str, Any]) -> str:
    """Return the words without the emotes."""
    fragments = message.get("fragments")
    if not fragments:
        return str(message["text"])
    return "".join(str(f["text"]) for f in fragments if f["type"] in {"text", "mention"})


def _removal(kind: Kind, target: str, ident: str, channel: str, now: float) -> ChatEvent:
    return ChatEvent(platform="twitch", id=ident, kind=kind, at=now, target=target, channel=channel)
