"""Which cases a human should see first, by declared rules; every decision names its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from voice_server.desk.emotion import mood
from voice_server.desk.packet import Priority

REASONS = (
    "asked", "complex", "emotional", "high_value", "failed", "refused", "off_hours",
    "unknown_outcome", "callback", "complaint",
)  # fmt: skip
"""Why a conversation is handed over, as the packet says it."""

RULES = ("danger", "emotional", "high_value", "failed", "refused", "complex", "intent")
"""The rules, strongest reason first."""

PRIORITIES: Mapping[str, Priority] = {
    "danger": Priority.URGENT,
    "emotional": Priority.HIGH,
    "high_value": Priority.HIGH,
    "failed": Priority.HIGH,
    "refused": Priority.NORMAL,
    "complex": Priority.NORMAL,
    "intent": Priority.HIGH,
}
"""What a rule raises a case to, unless the pack says otherwise."""


@dataclass(frozen=True, slots=True)
class DeskRules:
    """The ``[desk.rules]`` of a shop pack. A limit of 0 switches its rule off."""

    high_value: Decimal = Decimal(250)
    """Order value, in the market's currency, from which a human decides."""
    failures: int = 2
    """Questions in a row that the assistant could not answer."""
    emotional: int = 2
    """Score of :func:`voice_server.desk.emotion.mood`: one strong expression or two mild ones."""
    complex_intents: int = 4
    """Different concerns in one conversation: above it nobody keeps the thread by template."""
    complex_turns: int = 25
    """Customer turns; half of the longest scripted call that still ends well."""
    refusals: int = 1
    """Writes that were refused: the customer may contest them (right to a human)."""
    intents: tuple[str, ...] = ("complaint",)
    """Concerns that always go up."""
    priorities: Mapping[str, Priority] = field(default_factory=lambda: dict(PRIORITIES))


@dataclass(frozen=True, slots=True)
class Signals:
    """What the rules look at. Nothing here comes from the sound of a voice."""

    turns: tuple[tuple[str, str], ...] = ()
    """(words, language) of the customer, oldest first."""
    intents: tuple[str, ...] = ()
    failures: int = 0
    order_value: Decimal | None = None
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Assessment:
    """The outcome. ``fired``: ``rule: evidence``, strongest first."""

    priority: Priority
    reason: str
    """One of REASONS; empty: no rule fired."""
    fired: tuple[str, ...] = ()

    @property
    def needs_human(self) -> bool:
        """Whether a rule asks for a human by itself."""
        return bool(self.reason)


def assess(signals: Signals, rules: DeskRules) -> Assessment:
    """Apply the rules. Two rules that each say "high" make a case urgent."""
    evidence = _evidence(signals, rules)
    fired = [rule for rule in RULES if rule in evidence]
    raised = [rules.priorities.get(rule, Priority.NORMAL) for rule in fired]
    priority = max(raised, key=lambda one: one.rank, default=Priority.NORMAL)
    if raised.count(Priority.HIGH) >= 2:
        priority = Priority.URGENT
    return Assessment(
        priority,
        _reason(fired),
        tuple(f"{rule}: {evidence[rule]}" for rule in fired),
    )


def _reason(fired: list[str]) -> str:
    if not fired:
        return ""
    return {"danger": "emotional", "intent": "complex"}.get(fired[0], fired[0])


def _evidence(signals: Signals, rules: DeskRules) -> dict[str, str]:
    found: dict[str, str] = {}
    words = mood(signals.turns)
    if words.danger:
        found["danger"] = ", ".join(words.evidence)
    if rules.emotional and words.score >= rules.emotional:
        found["emotional"] = ", ".join(words.evidence)
    value = signals.order_value
    if value is not None and rules.high_value and value >= rules.high_value:
        found["high_value"] = f"{value} ≥ {rules.high_value}"
    if rules.failures and signals.failures >= rules.failures:
        found["failed"] = f"{signals.failures} ≥ {rules.failures}"
    if rules.refusals and signals.refused >= rules.refusals:
        found["refused"] = f"{signals.refused} ≥ {rules.refusals}"
    concerns = len(set(signals.intents))
    if rules.complex_intents and concerns >= rules.complex_intents:
        found["complex"] = f"{concerns} ≥ {rules.complex_intents}"
    elif rules.complex_turns and len(signals.turns) >= rules.complex_turns:
        found["complex"] = f"{len(signals.turns)} ≥ {rules.complex_turns}"
    always = [intent for intent in dict.fromkeys(signals.intents) if intent in rules.intents]
    if always:
        found["intent"] = ", ".join(always)
    return found
