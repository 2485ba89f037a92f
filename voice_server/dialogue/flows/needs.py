"""What one advance of a flow gives: sentences, the next state, and what the world must do first."""

from __future__ import annotations

from dataclasses import dataclass

from voice_server.dialogue.facts import Answer
from voice_server.dialogue.flows.ports import HandOffOutcome, Told
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.write_gate import Execute, Lost, NotDone, Settled
from voice_server.shop.platform import PlatformOrder


@dataclass(frozen=True, slots=True)
class Prove:
    """Compare an order number and a postcode. Counts failures: for committed turns only."""

    number: str
    postcode: str


@dataclass(frozen=True, slots=True)
class WantCode:
    """Send a one-time code. For committed turns only."""


@dataclass(frozen=True, slots=True)
class TryCode:
    """Compare a code. For committed turns only."""

    code: str


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """Read an order. Free of effects. ``fresh``: what was read seconds ago will not do."""

    number: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class SendWrite:
    """Send a confirmed write. For committed turns only."""

    execute: Execute


@dataclass(frozen=True, slots=True)
class AskHuman:
    """Hand over. For committed turns only."""

    reason: str
    slots: tuple[tuple[str, str], ...] = ()


Need = Prove | WantCode | TryCode | ReadOrder | SendWrite | AskHuman


@dataclass(frozen=True, slots=True)
class ToldOf:
    """The identity desk's answer."""

    told: Told


@dataclass(frozen=True, slots=True)
class OrderRead:
    """The order as it is now; ``down`` when the platform cannot say."""

    order: PlatformOrder | None
    down: bool = False


@dataclass(frozen=True, slots=True)
class WriteEnded:
    """What came of a write."""

    event: Settled | NotDone | Lost


@dataclass(frozen=True, slots=True)
class Handed:
    """The desk's answer."""

    outcome: HandOffOutcome


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The write may not leave: identity no longer suffices. The gate knows already."""


Result = ToldOf | OrderRead | WriteEnded | Handed | NotAllowed


@dataclass(frozen=True, slots=True)
class Advance:
    """One advance of a turn."""

    state: FlowState
    sentences: tuple[str, ...] = ()
    need: Need | None = None
    """Done before :meth:`FlowRun.resume`; None: the turn is complete."""
    handled: bool = True
    """False: the turn is not the flows' business, the knowledge or the model answers."""
    unsure: bool = False
    """No rule understood this: a model's command may replace it."""
    answer: Answer | None = None
    """An answer from the facts that is said before the sentences."""
    source: str = ""
    """Where what the sentences tell comes from: "order:BE-10482", "policy:delivery_BE"."""
