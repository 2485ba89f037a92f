"""The flows of one shop, put together: declared procedures, words, platform, identity, humans."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from voice_server.dialogue.dialogue import Clause
from voice_server.dialogue.facts import Answer, Context
from voice_server.dialogue.flows.declared import Flow, load_flows
from voice_server.dialogue.flows.ports import (
    HandOffOutcome,
    HandOffs,
    IdentityDesk,
    ProofReader,
    Proofs,
)
from voice_server.dialogue.flows.slots import read_proofs
from voice_server.dialogue.flows.wording import FlowWording
from voice_server.dialogue.flows.writes import WRITE_S, Writes
from voice_server.dialogue.mentions import Mentions
from voice_server.shop.platform import PlatformOrder, ShopPlatform
from voice_server.shop.shop import Shop


class FlowFacts(Protocol):
    """What flows ask of the shop's facts (:class:`voice_server.dialogue.knowledge.Knowledge`)."""

    def answer(self, text: str, language: str, context: Context) -> Answer | None:
        """Return an answer from templates, or None when not sure."""

    def intent_of(self, text: str, language: str, context: Context) -> tuple[str, float]:
        """Return what a text is taken to want and how surely."""

    def mentions_of(self, text: str, language: str) -> Mentions:
        """Return what a text names."""


@dataclass(slots=True, eq=False)
class FlowSession:
    """What flows keep of one session besides its :class:`FlowState`: never speculative."""

    session_id: str
    identity: IdentityDesk
    writes: Writes
    orders: dict[str, tuple[PlatformOrder | None, float]] = field(default_factory=dict)
    """The order read last, with the loop's time."""
    handing: dict[str, asyncio.Task[HandOffOutcome]] = field(default_factory=dict)
    """Hand-offs under way or done, by reason: an interruption does not take them back."""


class ShopFlows:
    """Everything flows need that belongs to the shop. Immutable after construction."""

    def __init__(
        self,
        shop: Shop,
        facts: FlowFacts,
        platform: ShopPlatform,
        identity: Callable[[str], IdentityDesk],
        *,
        hand_offs: HandOffs | None = None,
        proofs: ProofReader | None = None,
        flows: Mapping[str, Flow] | None = None,
        pack: Path | None = None,
        now: Callable[[], datetime] | None = None,
        write_s: float = WRITE_S,
    ) -> None:
        """Put them together.

        Args:
            shop: whose flows.
            facts: the shop's knowledge, for intents, names and questions in between.
            platform: the shop's orders.
            identity: opens the identity of a session, by its id.
            hand_offs: delivers to humans; None: callers get the shop's telephone number.
            proofs: reads order numbers, postcodes and codes; by default by digit runs.
            flows: by id; None loads the bundled ones and those of ``pack``.
            pack: folder of the shop pack, for its ``flows/``; None takes the shop's own.
            now: the present in the shop's time zone; None reads the clock.
            write_s: seconds until the outcome of a write counts as unknown.

        Raises:
            FlowError: a flow file is wrong.
            ValueError: a text file is wrong.
        """
        zone = ZoneInfo(shop.market.timezone)
        folder = pack if pack is not None else shop.folder
        self.shop = shop
        self.facts = facts
        self.platform = platform
        self.hand_offs = hand_offs
        self.flows = dict(flows) if flows is not None else load_flows(folder)
        self.now = now or (lambda: datetime.now(zone))
        self.under_way: set[asyncio.Task[Any]] = set()
        """Writes and hand-offs that must not be forgotten, whoever hangs up."""
        self._identity = identity
        self._proofs = proofs
        self._write_s = write_s
        self._wording = {
            language: FlowWording(shop, language, folder) for language in shop.languages
        }

    def open(self, session_id: str) -> FlowSession:
        """Open the flows of a session."""
        writes = Writes(lambda: self.platform, self.keep, write_s=self._write_s)
        return FlowSession(session_id, self._identity(session_id), writes)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold a task until it is done."""
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    def succeed(self, earlier: ShopFlows) -> None:
        """Take over what the flows of the pack's earlier version have under way."""
        self.under_way = earlier.under_way

    async def close(self) -> None:
        """Wait for writes and hand-offs under way; each has its own deadline."""
        if self.under_way:
            await asyncio.wait(self.under_way)

    def wording(self, language: str) -> FlowWording:
        """Return the words of a language, else of the shop's default one."""
        return self._wording.get(language) or self._wording[self.shop.default_language]

    def fixed(self, language: str) -> tuple[Clause, ...]:
        """Return the clauses of a language that are always said alike, for the phrase cache."""
        return tuple(Clause(text, language) for text in self.wording(language).fixed())

    def proofs(self, text: str, language: str, expects: str) -> Proofs:
        """Read order number, postcode or code from an utterance."""
        if self._proofs is not None:
            return self._proofs(text, language, expects)
        return read_proofs(text, expects, self.facts.mentions_of(text, language), self.shop)
