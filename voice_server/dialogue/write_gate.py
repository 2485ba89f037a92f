"""The write gate: nothing changes without the caller's spoken yes to exactly that.  Sans-I/O.

============  =======  =========  ========  ==========  =======  =======  =======  =========
state         Propose  Heard      Withdraw  Begin       Settled  NotDone  Lost     ReadAgain
============  =======  =========  ========  ==========  =======  =======  =======  =========
idle          read     -          stay      -           -        -        -        -
read_back     read     yes: conf  void      -           -        -        -        -
confirmed     read     -          void      executing   -        -        -        -
executing     -        -          stay      -           settled  settled  unknown  -
unknown       -        -          stay      -           -        -        -        settled
settled       read     -          stay      -           -        -        -        -
voided        read     -          stay      -           -        -        -        -
============  =======  =========  ========  ==========  =======  =======  =======  =========

A :class:`WriteGate` is an immutable value; :meth:`WriteGate.receive` returns the next one and what
is to be done, so a speculative reply may look ahead without changing anything.  A write leaves
only by ``Begin``, which the shell may send for a committed reply only.

What it holds:

* consent is a yes (:mod:`voice_server.dialogue.consent`) in the language of the read-back, to a
  read-back that was the last thing said and was heard to its end;
* a read-back that was interrupted, followed by anything else, or is older than
  :data:`LATEST_YES_S` is said again; after :data:`MOST_ASKED` unclear answers nothing is done;
* identity is checked when the write is proposed and again when it begins;
* the idempotency key is made of session, write and read-back, so a write that is executed twice
  is the same write to the platform; the same write is not proposed again once it was done;
* a lost answer is settled by reading the order, never by trying blindly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from voice_server.dialogue.consent import Consent, read_consent
from voice_server.shop.platform import Capability, Write

LATEST_YES_S = 180.0
"""A yes this long after the read-back answers something else, or somebody else says it."""
MOST_ASKED = 2
"""Unclear answers that are asked about before the write is given up."""


class GateState(StrEnum):
    """How far a write is."""

    IDLE = "idle"
    READ_BACK = "read_back"
    CONFIRMED = "confirmed"
    EXECUTING = "executing"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    VOIDED = "voided"


class IllegalEvent(RuntimeError):
    """An event that the state does not take: a bug of the shell."""


# -- what happens -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Propose:
    """The flow has all it needs. ``allowed``: the caller's identity suffices for this write."""

    write: Write
    read_back: str
    language: str
    allowed: bool
    before: str = ""
    """What of the order will show whether the write was done, as it is now."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller said something. ``last_said``: our last message, as far as it was heard."""

    text: str
    language: str
    last_said: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A correction, another topic, another language, a hand-off: the proposal no longer holds."""


@dataclass(frozen=True, slots=True)
class Begin:
    """The reply is committed: the write may leave, if identity still suffices."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """The platform did it."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class NotDone:
    """Nothing was changed: the platform refused (``reason``), or could not be reached ("")."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """The write was sent and no answer came."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """The order was read after a lost answer. None: it still cannot be told."""

    happened: bool | None


Event = Propose | Heard | Withdraw | Begin | Settled | NotDone | Lost | ReadAgain


# -- what is to be done -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SayReadBack:
    """Say the read-back, as the last words of the reply. ``why``: what to say before it."""

    text: str
    why: Literal["", "unheard", "unclear", "late", "language"] = ""


@dataclass(frozen=True, slots=True)
class Execute:
    """Send the write, once, under this key."""

    write: Write
    key: str
    before: str


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Read the order before anything is said."""

    order: str


@dataclass(frozen=True, slots=True)
class Report:
    """Tell what came of it. ``reason`` is the platform's, for "refused"."""

    outcome: Literal["done", "refused", "down", "unknown", "given_up", "declined"]
    write: Write
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The write may not be proposed."""

    reason: Literal["identity", "done_before", "busy"]


Command = SayReadBack | Execute | LookAgain | Report | Forbidden
Answer = tuple["WriteGate", tuple[Command, ...]]


@dataclass(frozen=True, slots=True)
class WriteGate:
    """The gate of one session. ``session`` makes its keys differ from other sessions'."""

    session: str = ""
    state: GateState = GateState.IDLE
    write: Write | None = None
    read_back: str = ""
    language: str = ""
    before: str = ""
    said_at: float = 0.0
    """When the read-back was last given, seconds of the shell's clock."""
    asked: int = 0
    done: tuple[str, ...] = ()
    """Fingerprints of the writes this session has done."""

    @property
    def key(self) -> str:
        """The idempotency key: the same session, write and read-back give the same key."""
        parts = (self.session, _fingerprint(self.write), self.language, self.read_back)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]

    @property
    def waits(self) -> bool:
        """A read-back waits for its yes."""
        return self.state is GateState.READ_BACK

    @property
    def open(self) -> bool:
        """A write was sent and has not been settled."""
        return self.state in {GateState.EXECUTING, GateState.UNKNOWN}

    def receive(self, event: Event, now: float) -> Answer:
        """Return the next gate and what is to be done.

        Args:
            event: what happened.
            now: seconds of a clock that never goes back while a caller is there.

        Raises:
            IllegalEvent: the state does not take this event; it names both.
        """
        handler = _TABLE.get((self.state, type(event)))
        if handler is None:
            raise IllegalEvent(f"the write gate takes no {type(event).__name__} when {self.state}")
        return handler(self, event, now)

    def to_json(self) -> dict[str, Any]:
        """Return the gate as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> WriteGate:
        """Read what :meth:`to_json` gave. Raises KeyError, TypeError or ValueError."""
        write = raw["write"]
        if write is not None:
            values = tuple((str(name), str(value)) for name, value in write["values"])
            write = Write(Capability(write["action"]), str(write["order"]), values)
        return cls(
            **{
                **raw,
                "state": GateState(raw["state"]),
                "write": write,
                "done": tuple(raw["done"]),
            }
        )

    def proposed(self) -> Write:
        """Return the write; the state guarantees it."""
        assert self.write is not None, f"no write when {self.state}"  # noqa: S101
        return self.write


# -- the transitions --------------------------------------------------------------------------


def _propose(gate: WriteGate, event: Propose, now: float) -> Answer:
    if not event.allowed:
        return _voided(gate), (Forbidden("identity"),)
    if _fingerprint(event.write) in gate.done:
        return _voided(gate), (Forbidden("done_before"),)
    same = gate.waits and gate.write == event.write and gate.language == event.language
    proposed = replace(
        gate,
        state=GateState.READ_BACK,
        write=event.write,
        read_back=event.read_back,
        language=event.language,
        before=event.before,
        said_at=now,
        asked=gate.asked if same else 0,
    )
    return proposed, (SayReadBack(event.read_back),)


def _busy(gate: WriteGate, event: Propose, now: float) -> Answer:
    return gate, (Forbidden("busy"),)


def _heard(gate: WriteGate, event: Heard, now: float) -> Answer:
    consent = read_consent(event.text, event.language)
    if consent is Consent.NO:
        return _voided(gate), (Report("declined", gate.proposed()),)
    if event.language != gate.language:
        return _again(gate, now, "language")
    if not _whole(event.last_said, gate.read_back):
        return _again(gate, now, "unheard")
    if consent is Consent.YES and now - gate.said_at > LATEST_YES_S:
        return _again(gate, now, "late")
    if consent is Consent.YES:
        confirmed = replace(gate, state=GateState.CONFIRMED)
        return confirmed, (Execute(gate.proposed(), gate.key, gate.before),)
    return _again(gate, now, "unclear")


def _again(
    gate: WriteGate, now: float, why: Literal["unheard", "unclear", "late", "language"]
) -> Answer:
    if gate.asked >= MOST_ASKED:
        return _voided(gate), (Report("given_up", gate.proposed()),)
    asked = replace(gate, asked=gate.asked + 1, said_at=now)
    return asked, (SayReadBack(gate.read_back, why),)


def _withdraw(gate: WriteGate, event: Withdraw, now: float) -> Answer:
    return _voided(gate), ()


def _stay(gate: WriteGate, event: Withdraw, now: float) -> Answer:
    return gate, ()


def _begin(gate: WriteGate, event: Begin, now: float) -> Answer:
    if not event.allowed:
        return _voided(gate), (Forbidden("identity"),)
    return replace(gate, state=GateState.EXECUTING), ()


def _settled(gate: WriteGate, event: Settled, now: float) -> Answer:
    return _closed(gate, done=True), (Report("done", gate.proposed(), event.reference),)


def _not_done(gate: WriteGate, event: NotDone, now: float) -> Answer:
    outcome: Literal["refused", "down"] = "refused" if event.reason else "down"
    report = Report(outcome, gate.proposed(), reason=event.reason)
    return _closed(gate, done=False), (report,)


def _lost(gate: WriteGate, event: Lost, now: float) -> Answer:
    return replace(gate, state=GateState.UNKNOWN), (LookAgain(gate.proposed().order),)


def _read_again(gate: WriteGate, event: ReadAgain, now: float) -> Answer:
    write = gate.proposed()
    if event.happened is None:
        return gate, (Report("unknown", write),)
    outcome: Literal["done", "down"] = "done" if event.happened else "down"
    return _closed(gate, done=event.happened), (Report(outcome, write),)


def _voided(gate: WriteGate) -> WriteGate:
    return replace(gate, state=GateState.VOIDED)


def _closed(gate: WriteGate, *, done: bool) -> WriteGate:
    finished = (*gate.done, _fingerprint(gate.write)) if done else gate.done
    return replace(gate, state=GateState.SETTLED, done=finished)


def _whole(heard: str, read_back: str) -> bool:
    """Was the read-back the last thing heard, to its last word?"""
    return " ".join(heard.split()).endswith(" ".join(read_back.split()))


def _fingerprint(write: Write | None) -> str:
    if write is None:
        return ""
    values = [write.action, write.order, sorted(write.values)]
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()


_Handler = Callable[[WriteGate, Any, float], Answer]
_TABLE: Mapping[tuple[GateState, type], _Handler] = {
    **{
        (state, Propose): _propose
        for state in GateState
        if state not in {GateState.EXECUTING, GateState.UNKNOWN}
    },
    (GateState.EXECUTING, Propose): _busy,
    (GateState.UNKNOWN, Propose): _busy,
    (GateState.READ_BACK, Heard): _heard,
    **{(state, Withdraw): _stay for state in GateState},
    (GateState.READ_BACK, Withdraw): _withdraw,
    (GateState.CONFIRMED, Withdraw): _withdraw,
    (GateState.CONFIRMED, Begin): _begin,
    (GateState.EXECUTING, Settled): _settled,
    (GateState.EXECUTING, NotDone): _not_done,
    (GateState.EXECUTING, Lost): _lost,
    (GateState.UNKNOWN, ReadAgain): _read_again,
}
