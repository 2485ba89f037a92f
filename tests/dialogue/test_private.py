"""What callers say of themselves is not written down: neither in turns nor in kept states."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.dialogue.conftest import Clock
from tests.dialogue.test_scenarios import SCENARIOS, TextTalk
from tests.scenarios.format import Scenario
from tests.scenarios.world import World
from voice_server.dialogue.flows.private import at_rest
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.guards.masking import Masker
from voice_server.dialogue.journal import AnsweredTurn
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.manager import ShopDialogue, ShopSession
from voice_server.dialogue.memory.keeper import StateKeeper
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.dialogue.recollection import Records
from voice_server.dialogue.write_gate import GateState
from voice_server.shop.shop import Shop
from voice_server.speech.clauses import ClauseSplitter
from voice_server.speech.language import TextLanguage


@dataclass
class Written:
    """Everything that would be written to a disk."""

    masker: Masker = field(default_factory=Masker)
    turns: list[str] = field(default_factory=list)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def answered(self, turn: AnsweredTurn) -> None:
        language = turn.user_language
        self.turns.append(self.masker.user(turn.user, language, turn.given))
        self.turns.append(self.masker.assistant(turn.assistant, language, turn.given))

    def save(self, key: str, shop_id: str, state: Mapping[str, Any], ttl_s: float) -> None:
        self.states[key] = json.loads(json.dumps(state))

    async def load(self, key: str) -> Mapping[str, Any] | None:
        return self.states.get(key)

    async def recent(self, shop_id: str, limit: int = 1) -> list[tuple[str, Mapping[str, Any]]]:
        return list(self.states.items())

    def everything(self) -> str:
        return json.dumps([self.turns, self.states], ensure_ascii=False)


def dialogue_of(
    shop: Shop, knowledge: Knowledge, language: TextLanguage, world: World, written: Written
) -> ShopDialogue:
    keeper = StateKeeper(written, "marolle", 60.0)
    return ShopDialogue(
        ShopIdentity(shop.name),
        shop.languages,
        knowledge,
        language.identify,
        ClauseSplitter,
        flows=world.flows,
        records=Records("marolle", keeper, written, masker=written.masker),
    )


@pytest.fixture(scope="session")
def language() -> TextLanguage:
    return TextLanguage()


def noon(clock: Clock, text: str = "2026-11-24T14:00") -> None:
    clock.now = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Brussels"))


ADDRESS = Scenario("address", "", (), language="nl")


async def talked(session: ShopSession, *said: str) -> list[str]:
    talk = TextTalk(session, speculate=False)
    return [(await talk.say(words)).text for words in said]


async def test_a_new_address_is_read_back_done_and_nowhere_on_disk(
    shop: Shop, knowledge: Knowledge, clock: Clock, language: TextLanguage
) -> None:
    noon(clock)
    world, written = World(shop, knowledge, clock, ADDRESS), Written()
    dialogue = dialogue_of(shop, knowledge, language, world, written)
    session = dialogue.open("sess_1", language="nl")
    talk = TextTalk(session, speculate=False)
    await talk.say("ik wil het adres wijzigen van bestelling 10497, postcode 9000")
    code = world.mailbox.code
    await talk.say(f"dat is {code}")
    await talk.say("Kouter 3")
    await talk.say("8500")
    read_back = await talk.say("Kortrijk")
    assert "Kouter 3, 8500 Kortrijk" in read_back.text
    waiting = FlowState.from_json(written.states["sess_1"]["flow"])
    assert (waiting.gate.state, waiting.expects, waiting.order) == (GateState.VOIDED, "number", "")
    for private in (code, "9000", "Kouter", "8500", "Kortrijk"):
        assert private not in written.everything(), private
    await talk.say("ja, ik bevestig het")
    assert world.store.writes == ("change_address BE-10497",), "what is masked is done all the same"
    for private in (code, "9000", "Kouter", "8500", "Kortrijk"):
        assert private not in written.everything(), private
    assert "10497" in written.everything(), "an order number names nobody"
    await dialogue.close()


async def test_whoever_comes_back_proves_again_who_they_are_and_goes_on(
    shop: Shop, knowledge: Knowledge, clock: Clock, language: TextLanguage
) -> None:
    noon(clock)
    world, written = World(shop, knowledge, clock, ADDRESS), Written()
    before = dialogue_of(shop, knowledge, language, world, written)
    said = "ik wil een artikel schrappen uit bestelling 10510, postcode 5000"
    await talked(before.open("sess_1", language="nl"), said, "de waterkoker")
    assert not world.store.writes
    await before.close()
    after = dialogue_of(shop, knowledge, language, world, written)
    keeper = StateKeeper(written, "marolle", 60.0)
    await keeper.preload()
    after._records = Records("marolle", keeper, written, masker=written.masker)  # as after a start
    replies = await talked(after.open("sess_1"), "ja", "10510", "5000", "ja")
    assert world.store.writes == ("cancel_item BE-10510",)
    assert "bestelnummer" in replies[0], "the yes to a read-back of before the restart is none"
    assert "waterkoker" in replies[2].lower(), "what was chosen before is remembered"
    await after.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
async def test_no_code_is_written_in_any_scenario(
    scenario: Scenario, shop: Shop, knowledge: Knowledge, clock: Clock, language: TextLanguage
) -> None:
    noon(clock, scenario.now)
    world, written = World(shop, knowledge, clock, scenario), Written()
    dialogue = dialogue_of(shop, knowledge, language, world, written)
    session = dialogue.open("sess_1", language=scenario.language)
    talk = TextTalk(session, speculate=False)
    for turn in scenario.turns:
        clock.now += timedelta(minutes=turn.later)
        world.store.fault = world.store.fault if turn.platform is None else turn.platform
        await talk.say(turn.user.replace("{code}", world.mailbox.code), turn.heard)
        kept = FlowState.from_json(written.states["sess_1"]["flow"])
        flows = world.flows.flows
        assert at_rest(flows, kept, written.masker) == kept, "what is kept stays as it is"
    for secret in secrets(world):
        assert secret not in written.everything()
    await dialogue.close()


def secrets(world: World) -> Iterator[str]:
    yield from (message.code for message in world.mailbox.messages)
