"""Questions of the audience: alike ones together, with what is known of them. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

NAMES = 3
"""Askers named when an answer begins; more would be a roll call."""


class Status(StrEnum):
    """Where a cluster stands."""

    WAITING = "waiting"
    """May be answered by itself."""
    HOST = "host"
    """Only the host can answer: the facts do not say, or it is private, or a complaint."""
    TAKEN = "taken"
    """Its answer is being prepared or spoken."""
    ANSWERED = "answered"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({Status.WAITING, Status.HOST})


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message means, as far as the shop's facts go."""

    intent: str
    """Intent of the dialogue ("price"), "" if nobody knows."""
    confidence: float = 0.0
    product_id: str = ""
    """What it is about; "" for nothing in particular."""
    answerable: bool = False
    """The facts hold an answer."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One viewer's message in a cluster."""

    platform: str
    message_id: str
    author_id: str
    author: str
    text: str
    at: float
    paid: float = 0.0
    trusted: bool = False
    """Owner, moderator, subscriber or VIP."""
    language: str = ""

    @property
    def viewer(self) -> tuple[str, str]:
        """Who asks."""
        return self.platform, self.author_id


@dataclass(slots=True)
class Cluster:
    """Like questions, asked within the window."""

    id: str
    text: str
    """The first asker's words: what is answered."""
    language: str
    understood: Understood
    asks: list[Ask] = field(default_factory=list)
    specifics: frozenset[str] = frozenset()
    """Colours, sizes and numbers it asks about."""
    status: Status = Status.WAITING
    reason: str = ""
    """Why it waits for the host, or was dropped."""
    pinned: bool = False
    approved: bool = False
    """The host wants it answered whatever the score."""

    @property
    def key(self) -> tuple[str, str]:
        """What the cooldown of answered facts goes by."""
        return self.understood.intent, self.understood.product_id

    @property
    def askers(self) -> int:
        """How many different viewers ask."""
        return len({ask.viewer for ask in self.asks})

    @property
    def languages(self) -> tuple[str, ...]:
        """The askers' languages, the first asker's first."""
        spoken = (ask.language for ask in self.asks)
        return tuple(dict.fromkeys(language for language in (self.language, *spoken) if language))

    @property
    def first_at(self) -> float:
        """When it was first asked."""
        return self.asks[0].at if self.asks else 0.0

    @property
    def last_at(self) -> float:
        """When it was last asked."""
        return self.asks[-1].at if self.asks else 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The first askers' names, at most NAMES."""
        return tuple(dict.fromkeys(ask.author for ask in self.asks if ask.author))[:NAMES]
