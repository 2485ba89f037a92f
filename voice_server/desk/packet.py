"""What a human desk gets when a conversation is handed over, and the desk that takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Priority(StrEnum):
    """How soon a human should look."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


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
    """asked, complex, emotional, high_value, failed, refused, off_hours."""
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


@dataclass(frozen=True, slots=True)
class Ticket:
    """The desk took it. ``reference`` can be told to the customer."""

    reference: str
    url: str = ""


class DeskError(Exception):
    """The desk did not take the packet; it is kept and tried again."""


class Desk(Protocol):
    """Where humans work. One file per vendor, all pass one conformance suite."""

    name: str

    async def deliver(self, packet: HandOffPacket) -> Ticket:
        """Put the packet on the desk; the same packet twice makes one ticket. Raises DeskError."""

    async def close(self) -> None:
        """Close the connections."""
