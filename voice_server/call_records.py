"""What is kept of phone calls: promised call-backs, who must not be called, and recordings.

Everything below the app knows these by the Protocols; :mod:`voice_server.storage` implements them.
Unlike the records of dialogues they are on disk when the call returns: a promise to a caller must
not be lost with the process.  Numbers are E.164.  All may raise ``StorageError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

CallBackState = Literal["waiting", "calling", "done", "failed", "cancelled"]
"""calling: a slot was taken, its call is under way or its process has died.  failed: the tries are
used up, or the number may not be called."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """A promise to ring somebody."""

    id: str
    shop_id: str
    line: str
    """Name of the line that calls."""
    number: str
    language: str
    topic: str
    """In the customer's words, "" if nothing was said."""
    due: datetime
    """Aware: the slot that was promised, or that of the next try."""
    session_id: str = ""
    """The conversation it was promised in."""
    state: CallBackState = "waiting"
    attempts: int = 0
    """Slots taken so far: each is one call at most."""
    outcome: str = ""
    """What came of the last try, for operators."""


class CallBacks(Protocol):
    """The promises, over restarts and shared by several processes."""

    async def promise(self, call_back: CallBack) -> bool:
        """Keep a promise; False, and nothing changed, if its id is known."""

    async def take_due(self, now: datetime, lease_s: float, limit: int) -> Sequence[CallBack]:
        """Take the slots that are due, each for one caller only: their state is "calling" now.

        A slot whose process died is handed out again ``lease_s`` after it was taken, with outcome
        "lost": whoever gets it must count it as tried and not call in the same slot again.
        """

    async def settle(
        self, id: str, state: CallBackState, outcome: str, due: datetime | None = None
    ) -> None:
        """Note what came of a try; ``due`` is the next slot where the state is "waiting"."""

    async def call_backs(self, shop_id: str = "", limit: int = 200) -> Sequence[CallBack]:
        """Return promises, newest slot first, of all shops or one."""

    async def cancel(self, *, id: str = "", number: str = "", shop_id: str = "") -> int:
        """Take back promises that wait, by id or number; return how many."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """A number that must not be called any more."""

    number: str
    shop_id: str
    source: str
    """Who says so: "call <id>" or an operator."""
    at: datetime


class OptOuts(Protocol):
    """Who said "do not call me any more". Not erased with a person's data: it protects them."""

    async def opt_out(self, entry: OptOut) -> None:
        """Keep it; the first word of a number holds."""

    async def opted_out(self, number: str, shop_id: str) -> bool:
        """Tell whether a shop must not call the number."""

    async def opt_outs(self, shop_id: str = "", limit: int = 1000) -> Sequence[OptOut]:
        """Return entries, newest first."""

    async def opt_in(self, number: str, shop_id: str) -> bool:
        """Forget an entry, at the customer's own request; False if there is none."""


@dataclass(frozen=True, slots=True)
class RecordingEntry:
    """A recording on disk."""

    call_id: str
    shop_id: str
    path: str
    """Below the data folder."""
    consent: str
    """How it was allowed: asked or announced."""
    at: datetime
    expires_at: datetime


class RecordingStore(Protocol):
    """Which recordings there are, and until when."""

    async def add_recording(self, entry: RecordingEntry) -> None:
        """Note a recording. Called before its file is made, so that none is ever forgotten."""

    async def recording(self, call_id: str) -> RecordingEntry | None:
        """Return a call's recording, None if there is none."""

    async def expired_recordings(self, now: datetime, limit: int) -> Sequence[RecordingEntry]:
        """Return recordings whose time is over."""

    async def forget_recording(self, call_id: str) -> bool:
        """Forget a recording, after its file is gone; False if there is none."""
