"""What is kept, and the small doors to where it is kept.

Everything below the app knows storage only by these Protocols; :mod:`voice_server.storage`
implements them all.  Writing never waits for a disk: rows go through a bounded queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from voice_server.ids import new_id

Role = Literal["user", "assistant", "human"]

TranslationState = Literal["none", "pending", "done", "same", "untranslated", "failed"]
"""none: nobody asked for one. same: it is in the company's language already. untranslated: there
was no model to do it. failed: the model lost a number, a name or its way; the original counts."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Never changed; erased only as a whole."""

    session_id: str
    shop_id: str
    kind: str
    """Dotted, past: "call.started", "turn.answered", "write.done"."""
    payload: Mapping[str, Any]
    """JSON."""
    at: datetime
    """Aware."""
    id: str = field(default_factory=lambda: new_id("evt"))


@dataclass(frozen=True, slots=True)
class Said:
    """One side of a turn: what the user said, or what was answered."""

    id: str
    """Its own: a reply's id, or that with a suffix."""
    session_id: str
    shop_id: str
    role: Role
    text: str
    language: str
    """ISO 639-1."""
    at: datetime
    """Aware."""
    intent: str = ""
    source_ids: tuple[str, ...] = ()
    decision: Mapping[str, Any] = field(default_factory=dict)
    """JSON of :class:`voice_server.trust.decisions.Decision`; empty for the user's side."""
    translation: str = ""
    """For staff, in ``translation_language``; empty unless the state is "done"."""
    translation_language: str = ""
    translation_state: TranslationState = "none"


@dataclass(frozen=True, slots=True)
class CallDetail:
    """One phone call, as it is accounted for. Numbers are masked."""

    id: str
    """That of its session: its turns and events carry it too."""
    shop_id: str
    vendor: str
    line: str
    began_at: datetime
    """When it rang: the webhook or the INVITE, else the stream. Aware, as all times here."""
    ended_at: datetime
    answered_at: datetime | None = None
    reason: str = ""
    """Why it ended."""
    caller: str = ""
    called: str = ""
    direction: str = "inbound"
    market: str = ""
    languages: tuple[str, ...] = ()
    """In the order they were first spoken."""
    vendor_ids: Mapping[str, str] = field(default_factory=dict)
    """"call" and "stream", for the vendor's support."""
    turns: int = 0
    interruptions: int = 0
    keys: int = 0
    faults: int = 0
    lost_ms: float = 0.0
    handed_off: str = ""
    """Why a human was wanted, "" if none was."""
    transfers: tuple[Mapping[str, Any], ...] = ()
    """Each try: "target" (masked), "warm", "result"."""
    consent: str = ""
    """To a recording, as the line asked for it; "" where it asks nothing."""
    p50_ms: float | None = None
    """Voice to voice: end of the caller's speech to our first sound. None without an answer."""
    p95_ms: float | None = None
    listeners: tuple[Mapping[str, Any], ...] = ()
    """Each of the staff who listened or spoke: "agent", "did", "at", "seconds"."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls; what is left empty does not matter."""

    shop_id: str | None = None
    since: datetime | None = None
    """Begun then or later."""
    until: datetime | None = None
    """Begun before."""
    vendor: str = ""
    line: str = ""
    language: str = ""
    """Spoken in the call at any time."""
    handed_off: bool | None = None
    before: int | None = None
    """Older than this place: the next page."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows are gone."""

    events: int = 0
    turns: int = 0
    sessions: int = 0
    calls: int = 0


DataClass = Literal["events", "turns", "sessions", "calls"]


class StorageError(Exception):
    """The database cannot be used; the message is for the operator."""


class EventLog(Protocol):
    """The append-only log: figures, insight and audits are made from it."""

    def append(self, event: Event) -> None:
        """Note an event; it is on disk within a second or two. Never waits, never raises."""

    async def events(
        self,
        *,
        session_id: str | None = None,
        shop_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[str] = (),
        after: int = 0,
        limit: int = 1000,
    ) -> Sequence[tuple[int, Event]]:
        """Return events with their places in the log, oldest first, from the place ``after`` on.

        ``since`` is included, ``until`` is not.  Raises StorageError.
        """


class SessionStore(Protocol):
    """The state of dialogues, by session id or resume key; a state lives for a while only."""

    def save(self, key: str, shop_id: str, state: Mapping[str, Any], ttl_s: float) -> None:
        """Replace the state under a key. Never waits, never raises."""

    async def load(self, key: str) -> Mapping[str, Any] | None:
        """Return the state, None if there is none or its time is over. Raises StorageError."""

    async def recent(
        self, shop_id: str, limit: int = 1000
    ) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Return keys and states of a shop that still live, newest first. Raises StorageError."""


class TurnStore(Protocol):
    """Every turn as it was said, with its translation for staff and why it was answered so."""

    def add(self, said: Said) -> None:
        """Keep one side of a turn. Never waits, never raises."""

    def translated(self, id: str, state: TranslationState, text: str = "") -> None:
        """Add the translation when it is made. Never waits, never raises."""

    async def turns(self, session_id: str) -> Sequence[Said]:
        """Return what was said in a session, in order. Raises StorageError."""


class CallLog(Protocol):
    """Call detail records."""

    def note_call(self, detail: CallDetail) -> None:
        """Keep a record; a later one with the same id replaces it. Never waits, never raises."""

    async def calls(self, wanted: CallFilter) -> Sequence[tuple[int, CallDetail]]:
        """Return records with their places, newest first. Raises StorageError."""


class Retention(Protocol):
    """Forgetting: on request, and when the time of a class of data is over."""

    async def erase_session(self, session_id: str) -> Erased:
        """Erase everything of a session, what is still in the queue too. Raises StorageError."""

    async def erase_shop(self, shop_id: str) -> Erased:
        """Erase everything of a shop. Raises StorageError."""

    async def erase_before(
        self, when: datetime, what: DataClass, *, shop_id: str | None = None
    ) -> int:
        """Erase a class of data older than ``when``; return how many rows. Raises StorageError."""
