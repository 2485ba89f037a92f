"""What flows ask of others: who the caller is, and the humans who take over.

The dialogue may import neither the desk nor a connector; the composition root hands in what
fulfils these.  :class:`voice_server.dialogue.identity.service.SessionIdentity` is an
:class:`IdentityDesk`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from voice_server.dialogue.dialogue import HistoryEntry
from voice_server.dialogue.identity.events import Outcome
from voice_server.dialogue.mentions import Mentions


class Told(Protocol):
    """What came of a step of identification."""

    @property
    def outcome(self) -> Outcome:
        """What happened."""

    @property
    def text(self) -> str:
        """The sentence to say, in the caller's language."""

    @property
    def order(self) -> str:
        """The order proved last, "" if none."""


class IdentityDesk(Protocol):
    """One session's identity. Asked for committed turns only; reading :meth:`allows` is free."""

    @property
    def order(self) -> str:
        """The order proved last, "" if none."""

    def allows(self, name: str, order: str = "") -> bool:
        """May this field be said, or this write ("write.cancel_order") be done, for this order?"""

    async def prove(self, number: str, postcode: str, language: str) -> Told:
        """Offer an order number, a postcode, or both; what is missing is asked for."""

    async def want_code(self, language: str) -> Told:
        """Send a one-time code to the contact of the proved order."""

    async def try_code(self, code: str, language: str) -> Told:
        """Offer a code."""


@dataclass(frozen=True, slots=True)
class HandOffWish:
    """Why a human is needed, and all that a hand-off packet says of the flow."""

    session_id: str
    reason: str
    """asked, complex, emotional, failed, refused, unknown_outcome, callback, complaint."""
    intent: str
    """The flow, or the last intent."""
    language: str
    identity_level: int = 0
    order: str = ""
    slots: tuple[tuple[str, str], ...] = ()
    done: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    history: tuple[HistoryEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class HandOffOutcome:
    """What the desk said. ``callback_at`` is set where a call back is promised."""

    accepted: bool
    reference: str = ""
    callback_at: datetime | None = None


class HandOffs(Protocol):
    """Delivers hand-offs; the same session and reason twice make one ticket."""

    async def hand_off(self, wish: HandOffWish) -> HandOffOutcome:
        """Give the conversation to a human. Never raises: not accepted is an outcome."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What an utterance says to identify an order; "" where it says nothing of it."""

    number: str = ""
    postcode: str = ""
    code: str = ""


ProofReader = Callable[[str, str, str], Proofs]
"""Utterance, language, what was asked for ("number", "postcode", "code" or "") → proofs."""

MentionsOf = Callable[[str, str], Mentions]
"""Utterance and language → what it names (``Knowledge.mentions_of``)."""
