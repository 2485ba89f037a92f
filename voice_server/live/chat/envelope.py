"""What every chat platform is turned into: one event, whatever its wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_TEXT = 500
"""Characters kept of a message: Twitch's own limit; whoever writes more is not asking."""
MAX_NAME = 40
"""Characters kept of a display name."""


class Kind(StrEnum):
    """What happened in the chat."""

    MESSAGE = "message"
    PAID = "paid"
    """A message somebody paid for (bits, super chat)."""
    GIFT = "gift"
    FOLLOW = "follow"
    SUBSCRIBE = "subscribe"
    RAID = "raid"
    JOIN = "join"
    DELETE = "delete"
    """One message is taken back: ``target`` is its id."""
    BAN = "ban"
    """All messages of an author are taken back: ``target`` is the author's id."""
    CLEAR = "clear"
    """The whole chat is taken back."""


REMOVALS = frozenset({Kind.DELETE, Kind.BAN, Kind.CLEAR})
"""Kinds that take something back: never dropped, whatever the load."""


class Role(StrEnum):
    """What the platform says of an author."""

    OWNER = "owner"
    MODERATOR = "moderator"
    SUBSCRIBER = "subscriber"
    VIP = "vip"


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """One thing that happened in a chat. ``id`` is unique within ``platform``.

    ``text`` and ``author`` are untrusted: cleaned of what cannot be shown, nothing more.
    """

    platform: str
    id: str
    kind: Kind
    at: float
    """When it reached us, in the seconds of the show's clock (monotonic)."""
    author_id: str = ""
    author: str = ""
    text: str = ""
    language: str = ""
    """ISO 639-1 as the sender's client declares it; "" when nobody said."""
    roles: frozenset[Role] = frozenset()
    amount: float = 0.0
    """What was paid, in ``currency`` (ISO 4217, or "bits", "coins"); for gifts, how many."""
    currency: str = ""
    target: str = ""
    """Of a removal: the message id (DELETE) or the author id (BAN)."""
    channel: str = ""
    history: bool = False
    """Replayed from before we came: shown, never answered."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is deduplicated by."""
        return self.platform, self.id
