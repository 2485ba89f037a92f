"""A call that we place: what its flow must know, and what it wants of its shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice_server.telephony.line import Line

REASON_CHARS = 160
"""Of the reason that is said aloud: two short sentences."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One call to be made."""

    id: str
    line: Line
    number: str
    """E.164."""
    language: str
    purpose: Literal["notice", "call_back"]
    """call_back: the customer asked for it."""
    reason: str = ""
    """Said after who calls: what it is about, in the customer's language and plain words."""


@dataclass(frozen=True, slots=True)
class Record:
    """Record the call from now on: it is allowed."""

    consent: Literal["granted", "announced"]


@dataclass(frozen=True, slots=True)
class Unrecord:
    """Stop recording and destroy what there is: it is not allowed any more."""


@dataclass(frozen=True, slots=True)
class NeverCall:
    """The other side does not want to be called again."""
