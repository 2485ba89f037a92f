"""Any other source: our own JSON by signed webhook or websocket, and the shop's watch page.

A batch is ``{"events": [...]}`` with at most BATCH events::

    {"id": "m1", "kind": "message", "author_id": "u1", "author": "Ana", "text": "How much?",
     "language": "en", "roles": ["subscriber"], "amount": 0, "currency": "", "target": ""}

A webhook carries ``X-Voice-Server-Timestamp`` (Unix seconds) and ``X-Voice-Server-Signature``:
``sha256=`` and the hex HMAC-SHA256, under the show's secret, of the timestamp, a full stop and the
body.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from voice_server.live.chat.cleaning import clean, clean_name
from voice_server.live.chat.envelope import ChatEvent, Kind, Role

BATCH = 100
MAX_BODY = 262_144
"""Bytes of a webhook's body: a hundred events with long texts."""
SKEW_S = 300.0
"""An older signature is a replay."""

Ident = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class WireError(Exception):
    """A body or a signature is wrong; the message says what, for whoever wrote the sender."""


class WireEvent(BaseModel):
    """One event as a sender writes it."""

    model_config = ConfigDict(extra="ignore", str_max_length=20_000)

    id: Ident
    kind: Kind = Kind.MESSAGE
    author_id: str = Field("", max_length=128)
    author: str = ""
    text: str = ""
    language: str = Field("", max_length=8)
    roles: tuple[Role, ...] = Field((), max_length=8)
    amount: float = Field(0.0, ge=0, le=1e9, allow_inf_nan=False)
    currency: str = Field("", max_length=8)
    target: str = Field("", max_length=128)
    history: bool = False


class WireBatch(BaseModel):
    """A webhook's body, or one websocket message."""

    events: tuple[WireEvent, ...] = Field(max_length=BATCH)


def parse_batch(body: bytes | str, *, platform: str, channel: str, now: float) -> list[ChatEvent]:
    """Return the events of a batch. Raises WireError."""
    if len(body) > MAX_BODY:
        raise WireError("the batch is too large")
    try:
        batch = WireBatch.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise WireError(f"{place or 'body'}: {first['msg']}") from None
    except ValueError:
        raise WireError("body: not valid UTF-8") from None
    return [_event(event, platform, channel, now) for event in batch.events]


def _event(event: WireEvent, platform: str, channel: str, now: float) -> ChatEvent:
    return ChatEvent(
        platform=platform,
        id=event.id,
        kind=event.kind,
        at=now,
        author_id=event.author_id,
        author=clean_name(event.author),
        text=clean(event.text),
        language=event.language.lower()[:2],
        roles=frozenset(event.roles),
        amount=event.amount,
        currency=clean(event.currency, 8),
        target=event.target,
        channel=channel,
        history=event.history,
    )


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature header of a body."""
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def check_signature(
    secret: str, timestamp: str, signature: str, body: bytes, *, unix_now: float
) -> None:
    """Raise WireError unless the body was signed with ``secret`` within the last SKEW_S."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 15):
        raise WireError("the timestamp header is missing")
    if abs(unix_now - int(timestamp)) > SKEW_S:
        raise WireError("the timestamp is too old or too new")
    expected = sign(secret, timestamp, body)
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        raise WireError("the signature is wrong")


def viewer_event(
    text: str, *, ident: str, viewer: str, author: str, language: str, channel: str, now: float
) -> ChatEvent:
    """Return what a viewer of the shop's own page has written."""
    return ChatEvent(
        platform="watch",
        id=ident,
        kind=Kind.MESSAGE,
        at=now,
        author_id=viewer,
        author=clean_name(author),
        text=clean(text),
        language=language,
        channel=channel,
    )
