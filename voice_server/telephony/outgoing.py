"""Calls that we place, from the wish to the outcome: who may be called, and what has become of it.

Nothing here waits: the shells (``dialler.py``, ``sip_caller.py``) tell what happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from voice_server.call_records import CallBacks, OptOut, OptOuts
from voice_server.telephony.answering_machine import Verdict
from voice_server.telephony.line import masked
from voice_server.telephony.outbound import Outbound
from voice_server.telephony.recordings import Recordings
from voice_server.telephony.vendor_events import CallNews

if TYPE_CHECKING:
    from voice_server.telephony.session import CallSession

State = Literal["dialling", "ringing", "answered", "over"]

Outcome = Literal["", "talked", "message", "machine", "opted_out", "busy", "no_answer", "failed"]
"""What became of a call. talked: a person was there. machine: no message could be left."""

REACHED: frozenset[Outcome] = frozenset({"talked", "opted_out"})
"""Nothing more needs to be tried."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants a call to be placed."""

    number: str
    """As it was given; checked by the dialler."""
    line: str = ""
    """Name or number of the line; "": the first that calls out."""
    shop: str = ""
    reason: str = ""
    language: str = ""
    """"": the line's first."""
    purpose: Literal["notice", "call_back"] = "notice"
    by: str = "operator"
    """Who asks, for the audit."""
    session: str = ""
    """The conversation that a call-back was promised in."""


class CallLists(CallBacks, OptOuts, Protocol):
    """What operators see and change of promises and opt-outs."""


class CallBook(Protocol):
    """What the dialler must know of the shop and its customers; made by the app."""

    @property
    def recordings(self) -> Recordings:
        """Where recordings go."""

    @property
    def lists(self) -> CallLists:
        """Promises and opt-outs."""

    async def opted_out(self, number: str, shop: str) -> bool:
        """Tell whether the number must not be called. Raises StorageError."""

    async def opt_out(self, entry: OptOut) -> None:
        """Keep that a number must not be called. Raises StorageError."""

    def open_from(self, shop: str, now: datetime) -> datetime | None:
        """Return ``now`` while the shop is open, else its next opening; None for no hours."""

    def audit(self, kind: str, shop: str, session: str, **payload: Any) -> None:
        """Note something in the log of events. Numbers are masked. Never waits."""


@dataclass(eq=False)
class Outgoing:
    """One call on its way. Lives in the loop."""

    outbound: Outbound
    by: str
    asked_at: float
    vendor: str
    state: State = "dialling"
    outcome: Outcome = ""
    words: str = ""
    """Why, for operators."""
    vendor_call: str = ""
    session: CallSession | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ended: Callable[[Outgoing], None] = lambda outgoing: None
    """Told once, when it is over."""

    def news(self, news: CallNews) -> None:
        """Take what the vendor tells."""
        if self.state == "over":
            return
        if news.call_id:
            self.vendor_call = news.call_id
        if self.session is not None:
            self.session.told(news)
        if news.progress == "ringing" and self.state == "dialling":
            self.state = "ringing"
        elif news.progress == "answered":
            self.state = "answered"
        elif news.progress == "busy":
            self.finish("busy", "the line is busy, or the call was declined")
        elif news.progress == "no_answer":
            self.finish("no_answer", "nobody picked up")
        elif news.progress in ("failed", "over") and self.session is None:
            self.finish("failed", "the vendor could not put the call through")

    def began(self, session: CallSession) -> None:
        """Its sound flows."""
        self.state, self.session = "answered", session

    def hung_up(self, session: CallSession) -> None:
        """Its session is over."""
        tally = session.flow.tally
        if session.flow.started is None:
            self.finish("failed", "no sound came")
        elif tally.reason == "asked not to be called again":
            self.finish("opted_out", tally.reason)
        elif tally.answered_by == "message":
            self.finish("message", tally.reason)
        elif tally.answered_by == Verdict.MACHINE.value:
            self.finish("machine", tally.reason)
        else:
            self.finish("talked", tally.reason)

    def finish(self, outcome: Outcome, words: str) -> None:
        """Note the outcome; the first one counts."""
        if self.state == "over":
            return
        self.state, self.outcome, self.words = "over", outcome, words
        self.over.set()
        self.ended(self)

    @property
    def with_somebody(self) -> bool:
        """A person has been greeted."""
        if self.session is None:
            return False
        return self.session.flow.tally.answered_by in (Verdict.HUMAN.value, Verdict.UNSURE.value)

    def to_json(self) -> dict[str, Any]:
        """Return what operators see; numbers are masked."""
        return {
            "id": self.outbound.id,
            "number": masked(self.outbound.number),
            "line": self.outbound.line.name,
            "shop": self.outbound.line.shop,
            "vendor": self.vendor,
            "purpose": self.outbound.purpose,
            "state": self.state,
            "outcome": self.outcome,
            "words": self.words,
            "call": self.session.id if self.session is not None else "",
        }
