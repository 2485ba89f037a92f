"""The shell of flows: commits, interruptions, slow and broken platforms, desks and models."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.dialogue.fake_knowledge import FakeKnowledge
from tests.dialogue.flow_house import bundled, demo, identify
from tests.scenarios.world import FaultyStore, Mailbox, PaperDesk
from voice_server.dialogue.dialogue import (
    Clause,
    ClauseKind,
    HistoryEntry,
    Message,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
)
from voice_server.dialogue.flows import turn as shell
from voice_server.dialogue.flows.ports import HandOffOutcome, HandOffs, HandOffWish
from voice_server.dialogue.flows.shop_flows import ShopFlows
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.identity.service import IdentityService
from voice_server.dialogue.locales import load_locale
from voice_server.dialogue.manager import ShopDialogue, ShopSession
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.dialogue.shop_session import SLOWLY
from voice_server.dialogue.write_gate import GateState
from voice_server.shop.platform import PlatformError, PlatformOrder, Receipt, Write
from voice_server.speech.clauses import ClauseSplitter

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=ZoneInfo("Europe/Brussels"))


class SlowStore(FaultyStore):
    """A store whose writes and reads can be held, or break."""

    def __init__(self) -> None:
        super().__init__(demo()[0], lambda: NOW)
        self.held: asyncio.Event | None = None
        self.read_error: Exception | None = None
        self.write_error: Exception | None = None

    async def find_order(self, number: str) -> PlatformOrder | None:
        if self.read_error is not None:
            raise self.read_error
        return await super().find_order(number)

    async def write(self, write: Write, *, key: str) -> Receipt:
        if self.held is not None:
            await self.held.wait()
        if self.write_error is not None:
            raise self.write_error
        return await super().write(write, key=key)


@dataclass(slots=True)
class House:
    """One session and what is around it."""

    store: SlowStore = field(default_factory=SlowStore)
    desk: PaperDesk = field(default_factory=PaperDesk)
    hand_offs: HandOffs | None = None
    history: list[HistoryEntry] = field(default_factory=list)
    replies: int = 0
    session: ShopSession = field(init=False)
    dialogue: ShopDialogue = field(init=False)

    def __post_init__(self) -> None:
        self.dialogue = self.build()
        self.session = self.dialogue.open("sess", language="en")

    def build(self, **more: Any) -> ShopDialogue:
        shop, facts = demo()
        service = IdentityService(self.store, Mailbox(), shop=shop.name, digits=5)
        settings = {"flows": bundled(), "hand_offs": self.hand_offs or self.desk, "write_s": 0.2}
        flows = ShopFlows(
            shop,
            facts,
            self.store,
            lambda session_id: service.open(caller=session_id),
            now=lambda: NOW,
            **{**settings, **more},
        )
        return ShopDialogue(
            ShopIdentity(shop.name),
            shop.languages,
            FakeKnowledge(),
            identify,
            ClauseSplitter,
            flows=flows,
        )

    def ask(self, text: str) -> tuple[ReplyRequest, AsyncGenerator[ReplyPart, None]]:
        self.history.append(Message("user", text))
        self.replies += 1
        request = ReplyRequest(f"r{self.replies}", tuple(self.history))
        return request, self.session.reply(request)

    async def say(self, text: str) -> list[Clause]:
        request, reply = self.ask(text)
        self.session.commit(request.reply_id)
        parts = [part async for part in reply]
        assert isinstance(parts[-1], ReplyEnd)
        clauses = [part for part in parts if isinstance(part, Clause)]
        self.heard(clauses)
        return clauses

    @property
    def state(self) -> GateState:
        return self.session.flow.gate.state

    def heard(self, clauses: Sequence[Clause]) -> None:
        text = " ".join(clause.text for clause in clauses)
        if text:
            self.history.append(Message("assistant", text, self.session.language))

    async def to_the_read_back(self) -> None:
        await self.say("cancel order 10497, postcode 9000")
        assert self.session.flow.gate.state is GateState.READ_BACK


def text_of(clauses: Sequence[Clause]) -> str:
    return " ".join(clause.text for clause in clauses)


@pytest.fixture
def house() -> House:
    return House()


# -- commits -----------------------------------------------------------------------------------


async def test_nothing_is_written_before_the_commit(house: House) -> None:
    await house.to_the_read_back()
    request, reply = house.ask("yes")
    first = await anext(reply)
    assert isinstance(first, Clause), "words may come first"
    waiting = asyncio.ensure_future(anext(reply))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert not house.store.done
    house.session.commit(request.reply_id)
    done = await waiting
    assert isinstance(done, Clause)
    assert "is cancelled" in done.text
    assert house.store.writes == ("cancel_order BE-10497",)
    await reply.aclose()


async def test_a_reply_that_is_never_committed_ends_without_effect(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "COMMIT_S", 0.01)
    await house.to_the_read_back()
    before = house.session.flow
    _, reply = house.ask("yes")
    parts = [part async for part in reply]
    assert not any(isinstance(part, ReplyEnd) for part in parts)
    assert house.session.flow == before
    assert house.store.writes == ()


async def test_proofs_are_not_offered_before_the_commit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "COMMIT_S", 0.01)
    for _ in range(5):
        _, reply = house.ask("cancel order 10497, postcode 1111")
        assert [part async for part in reply] == []
        house.history.clear()
    await house.to_the_read_back()


# -- interruptions -----------------------------------------------------------------------------


async def test_an_interrupted_write_is_told_in_the_next_turn(house: House) -> None:
    await house.to_the_read_back()
    house.store.held = asyncio.Event()
    request, reply = house.ask("yes")
    house.session.commit(request.reply_id)
    clause = await anext(reply)
    waiting = asyncio.ensure_future(anext(reply))
    for _ in range(20):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await reply.aclose()
    assert isinstance(clause, Clause)
    house.heard([clause])
    assert house.session.flow.gate.open
    house.store.held.set()
    told = text_of(await house.say("and the weather"))
    assert "is cancelled" in told
    assert house.store.writes == ("cancel_order BE-10497",)
    assert house.state is GateState.SETTLED


async def test_after_a_restart_the_order_is_read(house: House) -> None:
    await house.to_the_read_back()
    house.store.held = asyncio.Event()
    request, reply = house.ask("yes")
    house.session.commit(request.reply_id)
    await anext(reply)
    waiting = asyncio.ensure_future(anext(reply))
    for _ in range(20):
        await asyncio.sleep(0)
    kept = house.session.flow.to_json()
    waiting.cancel()
    await asyncio.wait({waiting})
    await reply.aclose()
    house.store.held.set()
    await house.dialogue.close()
    assert house.store.writes == ("cancel_order BE-10497",)
    house.session = house.build().open("sess", language="en")
    house.session.resume_flow(FlowState.from_json(kept))
    told = text_of(await house.say("hello again"))
    assert "is cancelled" in told
    assert house.session.flow.done == ("cancel_order BE-10497",)


async def test_the_outcome_stays_unknown_until_the_order_can_be_read(house: House) -> None:
    await house.to_the_read_back()
    house.store.fault = "lost_done"
    request, reply = house.ask("yes")
    house.session.commit(request.reply_id)
    clauses = [await anext(reply)]
    house.store.read_error = None
    house.store.held = asyncio.Event()
    more = asyncio.ensure_future(_rest(reply))
    await asyncio.sleep(0.05)
    house.store.read_error = OSError("gone")
    house.store.held.set()
    clauses += await more
    told = text_of([clause for clause in clauses if isinstance(clause, Clause)])
    assert "I do not know whether it was done" in told
    assert house.desk.handed == ("unknown_outcome",)
    assert house.session.flow.gate.state is GateState.UNKNOWN
    await house.say("hm")
    assert house.session.flow.gate.state is GateState.UNKNOWN
    house.store.read_error = None
    assert "is cancelled" in text_of(await house.say("what now"))


async def _rest(reply: AsyncGenerator[ReplyPart, None]) -> list[ReplyPart]:
    return [part async for part in reply]


# -- slow and broken things --------------------------------------------------------------------


async def test_a_slow_write_is_covered_by_fillers(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "FILLER_S", 0.01)
    await house.to_the_read_back()
    house.store.held = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, house.store.held.set)
    clauses = await house.say("yes")
    fillers = [clause for clause in clauses if clause.kind is ClauseKind.FILLER]
    assert fillers
    assert fillers[0].text in load_locale("en").phrases["still_working"]
    assert "is cancelled" in text_of(clauses)


async def test_a_write_that_takes_too_long_is_looked_after(house: House) -> None:
    await house.to_the_read_back()
    house.store.held = asyncio.Event()
    told = text_of(await house.say("yes"))
    assert "nothing was changed" in told
    assert house.store.writes == ()


@pytest.mark.parametrize("error", [PlatformError("odd"), RuntimeError("a bug")])
async def test_a_broken_connector_is_looked_after(house: House, error: Exception) -> None:
    await house.to_the_read_back()
    house.store.write_error = error
    told = text_of(await house.say("yes"))
    assert "nothing was changed" in told
    assert house.session.flow.gate.state is GateState.SETTLED


@pytest.mark.parametrize("error", [PlatformError("odd"), RuntimeError("a bug"), TimeoutError()])
async def test_a_broken_read_is_said_honestly(house: House, error: Exception) -> None:
    await house.say("cancel order 10497, postcode 9000")
    await house.say("no")
    house.store.read_error = error
    house.session._flow_session.orders.clear()  # type: ignore[union-attr]
    assert "cannot see orders right now" in text_of(await house.say("cancel order 10497"))
    assert not house.session.flow.active


async def test_the_order_changed_before_the_yes(house: House) -> None:
    await house.to_the_read_back()
    order = await house.store.find_order("BE-10497")
    assert order is not None
    other = Write(house.session.flow.gate.proposed().action, "BE-10497", (("reason", "staff"),))
    await house.store.write(other, key="staff")
    told = text_of(await house.say("yes"))
    assert "closed already" in told
    assert house.store.writes == ("cancel_order BE-10497",)


async def test_identity_is_asked_again_before_the_write(house: House) -> None:
    await house.to_the_read_back()
    kept = house.session.flow
    house.session = house.dialogue.open("another", language="en")
    house.session.resume_flow(kept)
    assert "may not do that" in text_of(await house.say("yes"))
    assert house.store.writes == ()


class Broken:
    """A desk that breaks its promise never to raise, or never answers."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    async def hand_off(self, wish: HandOffWish) -> HandOffOutcome:
        if self.silent:
            await asyncio.Event().wait()
        raise RuntimeError("no desk")


@pytest.mark.parametrize("silent", [True, False])
async def test_a_broken_desk_leaves_a_way_on(
    silent: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shell, "HAND_OFF_S", 0.02)
    house = House(hand_offs=Broken(silent=silent))
    assert "+32 2 555 01 23" in text_of(await house.say("I want to talk to a human"))
    assert "hand-off failed" in caplog.text or "did not answer" in caplog.text


async def test_a_hand_off_is_delivered_once(house: House) -> None:
    await house.say("give me a human please")
    await house.say("a human!")
    assert house.desk.handed == ("asked",)
    assert house.desk.wishes[0].history[-1] == Message("user", "give me a human please")


async def test_the_packet_says_what_was_reached(house: House) -> None:
    await house.to_the_read_back()
    await house.say("yes")
    await house.say("cancel order 10482, postcode 1000")
    await house.say("yes please")
    wish = house.desk.wishes[0]
    assert wish.reason == "refused"
    assert wish.identity_level == 1
    assert wish.order == "BE-10482"
    assert wish.done == ("cancel_order BE-10497",)
    assert wish.refused == ("cancel_order BE-10482: shipped",)


# -- the rest ----------------------------------------------------------------------------------


async def test_who_asks_is_spoken_to_slowly_from_then_on(house: House) -> None:
    await house.say("cancel my order")
    clauses = await house.say("not so fast please")
    assert {clause.speed for clause in clauses} == {SLOWLY}
    assert {clause.speed for clause in await house.say("what does it cost")} == {SLOWLY}


async def test_slower_outside_a_flow_says_the_last_words_again(house: House) -> None:
    house.history.append(Message("assistant", "The lamp costs 49 euros."))
    told = text_of(await house.say("more slowly please"))
    assert "The lamp costs 49 euros." in told
    assert house.session.flow.slow


async def test_a_flow_that_the_pack_no_longer_has_is_forgotten(house: House) -> None:
    await house.say("cancel my order")
    house.session.resume_flow(FlowState(flow="gone", expects="slot"))
    await house.say("what does it cost")
    assert house.session.flow.flow == ""


async def test_a_clients_own_assistant_has_no_flows(house: House) -> None:
    house.history.append(Message("user", "cancel my order"))
    request = ReplyRequest("r", tuple(house.history), instructions="You are a pirate.")
    house.session.commit("r")
    assert [part async for part in house.session.reply(request)]
    assert not house.session.flow.active


async def test_an_order_is_not_read_at_every_question(house: House) -> None:
    await house.say("I want to return something from order 10426, postcode 6000")
    read = len(house.store.asked)
    await house.say("the towels")
    await house.say("one")
    assert len(house.store.asked) == read


async def test_a_phrase_cache_can_be_warmed(house: House) -> None:
    flows = house.dialogue._resources.flows
    assert flows is not None
    fixed = {clause.text for clause in flows.fixed("en")}
    assert {clause.text for clause in await house.say("cancel my order")} <= fixed


async def test_no_personal_data_in_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await house.to_the_read_back()
    await house.say("yes")
    for secret in ("10497", "9000", "Peeters", "Veldstraat"):
        assert secret not in caplog.text
