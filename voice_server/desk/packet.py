"""What a human desk gets when a conversation is handed over, and the desk that takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import TypeAdapter, ValidationError


class Priority(StrEnum):
    """How soon a human should look."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """Order for sorting: 0 is the least urgent."""
        return tuple(Priority).index(self)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript; ``translation`` is the company language's, or empty."""

    role: str
    """user, assistant or human."""
    text: str
    language: str
    translation: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HandOffPacket:
    """Everything a human needs to go on. ``id`` is the same however often it is sent."""

    id: str
    session_id: str
    shop_id: str
    channel: str
    """button, phone or chat."""
    language: str
    """The customer's."""
    internal_language: str
    """The company's."""
    reason: str
    """One of :data:`voice_server.desk.rules.REASONS`."""
    intent: str
    priority: Priority
    summary: str
    """In the customer's language, two or three sentences."""
    internal_summary: str
    """The same in the company's."""
    identity_level: int
    slots: tuple[tuple[str, str], ...] = ()
    done: tuple[str, ...] = ()
    """Writes that were done, in words of the company's language."""
    refused: tuple[str, ...] = ()
    transcript: tuple[Line, ...] = ()
    citations: tuple[str, ...] = ()
    customer_name: str = ""
    email: str = ""
    phone: str = ""
    callback_at: datetime | None = None
    """When somebody will call back, where that was promised."""
    extra: tuple[tuple[str, str], ...] = field(default=())
    created_at: datetime | None = None
    """When the hand-off was decided, with its time zone."""
    rules: tuple[str, ...] = ()
    """Why the priority is what it is: ``rule: evidence``."""
    recording: str = ""
    """URL of the call's recording, where the caller consented to one."""

    def to_json(self) -> bytes:
        """Return the packet as JSON, for keeping and for pages."""
        return _PACKET.dump_json(self)

    @staticmethod
    def from_json(data: bytes) -> HandOffPacket:
        """Return the packet that :meth:`to_json` wrote. Raises ValueError."""
        try:
            return _PACKET.validate_json(data)
        except ValidationError as error:
            raise ValueError(f"not a hand-off packet: {error.error_count()} problem(s)") from error


_PACKET: TypeAdapter[HandOffPacket] = TypeAdapter(HandOffPacket)


@dataclass(frozen=True, slots=True)
class Ticket:
    """The desk took it. ``reference`` can be told to the customer."""

    reference: str
    url: str = ""


class DeskError(Exception):
    """The desk did not take the packet; it is kept and tried again.

    ``retry_after_s``: what the desk asked to wait, 0 when it said nothing.  The message is for
    an operator and names nobody.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeskRefused(DeskError):
    """The desk will not take it however often it is tried: wrong key, wrong field, no rights."""


class Desk(Protocol):
    """Where humans work. One file per vendor, all pass one conformance suite."""

    name: str

    async def deliver(self, packet: HandOffPacket, *, again: bool = False) -> Ticket:
        """Put the packet on the desk; the same packet twice makes one ticket.

        ``again``: an earlier try may have succeeded without our knowing, so the desk looks for
        its ticket first.  Every request has its own deadline.  Raises DeskError, DeskRefused.
        """

    async def note(self, reference: str, text: str) -> None:
        """Add a note for staff to a ticket; the customer never sees it. Raises DeskError."""

    async def close(self) -> None:
        """Close the connections."""


class RelayDesk(Desk, Protocol):
    """A desk whose humans can talk with the customer while the call goes on."""

    async def relay(self, reference: str, line: Line, line_id: str) -> None:
        """Show the humans what was just said; the same ``line_id`` is shown once.

        Raises DeskError.
        """


@dataclass(frozen=True, slots=True)
class DeskEvent:
    """Something a human did at a desk, told by its webhook.

    ``kind``: ``said`` (``text``), ``returned`` (the assistant has control again) or ``ended``.
    ``id`` is the vendor's: a webhook that comes twice counts once.
    """

    id: str
    kind: str
    reference: str
    text: str = ""
    agent: str = ""
