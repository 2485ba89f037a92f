"""Everything one turn through the flows may look at; all of it is free of effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from voice_server.dialogue.facts import Answer
from voice_server.dialogue.flows.declared import Flow
from voice_server.dialogue.flows.ports import Proofs
from voice_server.dialogue.flows.wording import FlowWording
from voice_server.dialogue.mentions import Mentions
from voice_server.shop.platform import Capability, PlatformOrder, Write


@dataclass(frozen=True, slots=True)
class FlowScene:
    """A caller's words, and what is known."""

    flows: Mapping[str, Flow]
    wording: FlowWording
    language: str
    languages: tuple[str, ...]
    text: str
    last_said: str
    """Our last message, as far as it was heard; "" if somebody else spoke since."""
    mentions: Mentions
    proofs: Callable[[str, str], Proofs]
    """Utterance and what was asked for → what it proves with."""
    intent: Callable[[], tuple[str, float]]
    answer: Callable[[], Answer | None]
    """The facts' sure answer to the utterance."""
    allows: Callable[[str, str], bool]
    """May this be said or done, for this order (the identity desk)?"""
    proved: str
    """The order proved last."""
    capabilities: frozenset[Capability]
    refusal: Callable[[Write, PlatformOrder], str]
    now: datetime
    clock: float
    """Seconds, for the write gate."""
    desk: bool = True
    """There are humans to hand over to; else callers are told how to reach the shop."""
    product: str = ""
    """The product that was spoken of last."""
    turn: int = 0
    """Chooses among wordings."""
