"""The shop around a scenario: the built-in store with faults on demand, a desk, a mailbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.scenarios.format import After, Scenario
from voice_server.dialogue.flows.ports import HandOffOutcome, HandOffWish
from voice_server.dialogue.flows.shop_flows import FlowFacts, ShopFlows
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.identity.events import Channel
from voice_server.dialogue.identity.hearing import proof_reader
from voice_server.dialogue.identity.senders import CodeMessage
from voice_server.dialogue.identity.service import IdentityService
from voice_server.dialogue.spelling.checks import OrderFormat
from voice_server.shop.connectors.builtin import BuiltinPlatform
from voice_server.shop.platform import (
    Capability,
    Offer,
    OutcomeUnknown,
    PlatformDown,
    PlatformOrder,
    Receipt,
    Refused,
    Write,
)
from voice_server.shop.shop import Shop

FAULTS = ("", "down", "write_down", "lost", "lost_done", "refuses")
"""down: nothing can be read. write_down: writes fail and change nothing. lost: a write gets no
answer and was not done; lost_done: it was. refuses: the platform refuses what its dry run allows.
"""


class FaultyStore:
    """The built-in store; :attr:`fault` is what goes wrong, :attr:`done` what was changed."""

    name = "faulty"

    def __init__(
        self, shop: Shop, now: Callable[[], datetime], without: Sequence[str] = ()
    ) -> None:
        self._store = BuiltinPlatform(shop, today=lambda: now().date())
        self.capabilities = self._store.capabilities - {Capability(name) for name in without}
        self.fault = ""
        self.done: list[Write] = []
        self.keys: list[str] = []
        self.asked: list[str] = []
        """Order numbers that were read."""

    async def find_order(self, number: str) -> PlatformOrder | None:
        if self.fault == "down":
            raise PlatformDown("on purpose")
        self.asked.append(number)
        return await self._store.find_order(number)

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        return await self._store.find_orders(email=email, phone=phone)

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        return await self._store.offers(skus)

    def refusal(self, write: Write, order: PlatformOrder) -> str:
        return self._store.refusal(write, order)

    async def write(self, write: Write, *, key: str) -> Receipt:
        if self.fault == "write_down":
            raise PlatformDown("on purpose")
        if self.fault == "refuses":
            raise Refused("on_purpose")
        if self.fault == "lost":
            raise OutcomeUnknown("on purpose")
        known = key in self.keys
        receipt = await self._store.write(write, key=key)
        if not known:
            self.done.append(write)
            self.keys.append(key)
        if self.fault == "lost_done":
            raise OutcomeUnknown("on purpose")
        return receipt

    async def close(self) -> None:
        await self._store.close()

    @property
    def writes(self) -> tuple[str, ...]:
        return tuple(f"{write.action} {write.order}" for write in self.done)


@dataclass(slots=True)
class Mailbox:
    """Gets the one-time codes."""

    channels: frozenset[Channel] = frozenset({"email"})
    messages: list[CodeMessage] = field(default_factory=list)

    async def send(self, message: CodeMessage) -> None:
        self.messages.append(message)

    @property
    def code(self) -> str:
        return self.messages[-1].code if self.messages else "no code"


@dataclass(slots=True)
class PaperDesk:
    """A desk that takes hand-offs, or not."""

    mood: str = "accepts"
    wishes: list[HandOffWish] = field(default_factory=list)

    async def hand_off(self, wish: HandOffWish) -> HandOffOutcome:
        self.wishes.append(wish)
        if self.mood == "refuses":
            return HandOffOutcome(accepted=False)
        at = datetime.fromisoformat("2026-11-25T09:00+01:00") if self.mood == "callback" else None
        return HandOffOutcome(True, f"T-{len(self.wishes)}", at)

    @property
    def handed(self) -> tuple[str, ...]:
        return tuple(wish.reason for wish in self.wishes)


class World:
    """A shop with everything a scenario needs."""

    def __init__(
        self, shop: Shop, facts: FlowFacts, clock: Callable[[], datetime], scenario: Scenario
    ) -> None:
        self.clock = clock
        self.store = FaultyStore(shop, clock, scenario.without)
        self.store.fault = scenario.platform
        self.mailbox = Mailbox()
        self.desk = PaperDesk(scenario.desk)
        service = IdentityService(
            self.store, self.mailbox, shop=shop.name, digits=shop.orders.digits
        )
        self.flows = ShopFlows(
            shop,
            facts,
            self.store,
            lambda session_id: service.open(caller=session_id),
            hand_offs=None if scenario.desk == "none" else self.desk,
            proofs=proof_reader(
                OrderFormat(shop.orders.prefix, shop.orders.digits), tuple(shop.policies.delivery)
            ),
            now=clock,
        )

    def after(self, state: FlowState | None = None) -> After:
        """``state``: of the session's flow, None where nobody can look into it."""
        done, handed = self.store.writes, self.desk.handed
        if state is None:
            return After(done, handed)
        return After(done, handed, state.flow, state.expects, dict(state.slots))
