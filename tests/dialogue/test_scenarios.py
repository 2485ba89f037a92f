"""Scenarios by text: whole dialogues in milliseconds, with a scripted language model.

Every turn is first asked for speculatively and dropped, in its own reply: nothing may change.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.dialogue.conftest import Clock
from tests.fakes.llm import FakeLlm
from tests.scenarios.format import Expected, Reply, Scenario, check, load
from tests.scenarios.world import World
from voice_server.dialogue.dialogue import Clause, HistoryEntry, Message, ReplyEnd, ReplyRequest
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.manager import ShopDialogue, ShopSession
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.shop.shop import Shop
from voice_server.speech.clauses import ClauseSplitter
from voice_server.speech.language import TextLanguage

SCENARIOS = load()
SPINS = 30
"""Turns of the loop a dropped speculative reply gets: enough to reach its first wait."""


class TextTalk:
    """Drives one session by text: the ears and the mouth of a caller who can read."""

    def __init__(self, session: ShopSession, *, speculate: bool) -> None:
        self.session = session
        self.history: list[HistoryEntry] = []
        self.first_clause_ms: list[float] = []
        self._speculate = speculate
        self._replies = 0

    async def say(self, text: str, heard: float = 1.0) -> Reply:
        """Say something; keep of the reply what is heard."""
        self.history.append(Message("user", text))
        if self._speculate:
            await self._drop_one()
        request = self._request()
        began = time.perf_counter()
        clauses: list[Clause] = []
        source = ""
        reply = self.session.reply(request)
        self.session.commit(request.reply_id)
        async for part in reply:
            if isinstance(part, Clause):
                if not clauses:
                    self.first_clause_ms.append(1000 * (time.perf_counter() - began))
                clauses.append(part)
            elif isinstance(part, ReplyEnd):
                source = part.source
        spoken = " ".join(clause.text for clause in clauses)
        kept = spoken[: int(len(spoken) * heard)].rstrip()
        if kept:
            self.history.append(Message("assistant", kept, self.session.language))
        cites = tuple(c.source_id for clause in clauses for c in clause.citations)
        return Reply(spoken, clauses[0].language if clauses else "", source, cites)

    def _request(self) -> ReplyRequest:
        self._replies += 1
        return ReplyRequest(f"resp_{self._replies}", tuple(self.history))

    async def _drop_one(self) -> None:
        before = (self.session.flow, self.session.context, self.session.language)
        request = replace(self._request(), speculative=True)

        async def listen() -> None:
            async for _ in self.session.reply(request):
                pass

        task = asyncio.create_task(listen())
        for _ in range(SPINS):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert (self.session.flow, self.session.context, self.session.language) == before


@pytest.fixture(scope="session")
def language() -> TextLanguage:
    return TextLanguage()


@asynccontextmanager
async def opened(
    shop: Shop, knowledge: Knowledge, language: TextLanguage, world: World, scenario: Scenario
) -> AsyncIterator[ShopSession]:
    async with AsyncExitStack() as stack:
        model = None
        if scenario.llm:
            llm = await stack.enter_async_context(FakeLlm(scenario.llm))
            model = ChatEndpoint(llm.url)
        dialogue = ShopDialogue(
            ShopIdentity(shop.name),
            shop.languages,
            knowledge,
            language.identify,
            ClauseSplitter,
            model=model,
            flows=world.flows,
        )
        yield dialogue.open("sess_1", language=scenario.language)
        await dialogue.close()
        if model is not None:
            await model.close()


def _keep(session: ShopSession) -> None:
    """A reconnect between any two turns changes nothing."""
    state = session.flow
    assert FlowState.from_json(state.to_json()) == state


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
async def test_scenario(
    scenario: Scenario, shop: Shop, knowledge: Knowledge, clock: Clock, language: TextLanguage
) -> None:
    clock.now = datetime.fromisoformat(scenario.now).replace(tzinfo=ZoneInfo("Europe/Brussels"))
    world = World(shop, knowledge, clock, scenario)
    wrong: list[str] = []
    async with opened(shop, knowledge, language, world, scenario) as session:
        talk = TextTalk(session, speculate=not scenario.llm)
        for place, turn in enumerate(scenario.turns, 1):
            clock.now += timedelta(minutes=turn.later)
            if turn.platform is not None:
                world.store.fault = turn.platform
            said = turn.user.replace("{code}", world.mailbox.code)
            reply = await talk.say(said, turn.heard)
            _keep(session)
            wrong += check(f"{scenario.name}, turn {place}", turn, reply, world.after(session.flow))
    assert not wrong, "\n".join(wrong)


def test_there_are_enough_scenarios() -> None:
    assert len(SCENARIOS) >= 60
    spoken = Counter(scenario.file.removesuffix(".yaml") for scenario in SCENARIOS)
    assert all(spoken[code] >= 12 for code in ("fr", "nl", "de", "en")), spoken


async def test_flows_answer_fast(
    shop: Shop, knowledge: Knowledge, clock: Clock, language: TextLanguage
) -> None:
    """The first clause of a flow is there within 40 ms of our own time (median of a dialogue)."""
    turns = ("I want to cancel my order", "10497, 9000", "what do you mean", "no")
    scenario = Scenario("fast", "", tuple(Expected(turn) for turn in turns), language="en")
    world = World(shop, knowledge, clock, scenario)
    async with opened(shop, knowledge, language, world, scenario) as session:
        talk = TextTalk(session, speculate=False)
        for turn in scenario.turns:
            await talk.say(turn.user)
    assert sorted(talk.first_clause_ms)[len(turns) // 2] <= 40.0, talk.first_clause_ms
