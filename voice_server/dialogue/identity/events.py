"""What the identity desk hears and what it orders: data, compared in tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Channel = Literal["email", "sms"]


@dataclass(frozen=True, slots=True)
class OrderProof:
    """What a platform knows of an order, for comparing. Never shown, never logged."""

    number: str
    postcode: str = field(repr=False)
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


# -- what happens -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProofsOffered:
    """The caller gave an order number, a postcode, or both; what is missing is "".

    One value each: doubtful hearing is settled by reading back, never by trying candidates.
    """

    number: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OrderLookedUp:
    """The answer to :class:`LookUpOrder`; ``down`` when the platform could not say."""

    ticket: int
    found: OrderProof | None
    down: bool = False


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """Send a one-time code, to the proved order's contact or to ``contact`` as spelled."""

    channel: Channel = "email"
    contact: str = field(default="", repr=False)
    language: str = "en"


@dataclass(frozen=True, slots=True)
class ContactLookedUp:
    """The answer to :class:`LookUpContact`: is this contact a customer's?"""

    ticket: int
    known: bool
    down: bool = False


@dataclass(frozen=True, slots=True)
class CodeOffered:
    """The caller said a code; anything but its digits is ignored."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeNotSent:
    """A :class:`SendCode` failed for good; its code no longer counts."""

    ticket: int


@dataclass(frozen=True, slots=True)
class CallerChanged:
    """Another person may be speaking (hand-over, "my wife will take over"): begin at level 0."""


Event = (
    ProofsOffered
    | OrderLookedUp
    | CodeWanted
    | ContactLookedUp
    | CodeOffered
    | CodeNotSent
    | CallerChanged
)


# -- what is to be done -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LookUpOrder:
    """Ask the platform; answer with :class:`OrderLookedUp` and the same ticket."""

    ticket: int
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LookUpContact:
    """Ask the platform whether anybody has this contact; answer with :class:`ContactLookedUp`."""

    ticket: int
    channel: Channel
    contact: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendCode:
    """Send a code, in the background: waiting for it would tell that there is somebody."""

    ticket: int
    channel: Channel
    contact: str = field(repr=False)
    code: str = field(repr=False)
    language: str


class Outcome(StrEnum):
    """What the caller hears; each has one wording per language and no detail."""

    NEED_BOTH = "need_both"
    NEED_NUMBER = "need_number"
    NEED_POSTCODE = "need_postcode"
    PROVED = "proved"
    NOT_PROVED = "not_proved"
    """Unknown number or wrong postcode: the same words, whichever."""
    LOCKED = "locked"
    CODE_SENT = "code_sent"
    """Said whether or not the contact is a customer's."""
    CODE_PROVED = "code_proved"
    CODE_WRONG = "code_wrong"
    """Wrong, too late, or never sent."""
    CODE_NOT_ASKED = "code_not_asked"
    RESEND_LATER = "resend_later"
    NO_CONTACT = "no_contact"
    """The proved order has no such contact: said only to who has proved it."""
    UNAVAILABLE = "unavailable"
    """The platform is down: nobody's fault, and not counted."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the caller."""

    outcome: Outcome


Command = LookUpOrder | LookUpContact | SendCode | Tell
