"""What a session remembers and reports: after the commit, once, and across a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.dialogue.fake_knowledge import FakeKnowledge
from tests.dialogue.test_manager import (
    SOON,
    WEATHER,
    ScriptedModel,
    Step,
    ask,
    hear,
    identify,
    model,
    said,
    source,
)
from voice_server.dialogue.dialogue import Message, ReplyRequest, ToolCall, ToolResult
from voice_server.dialogue.journal import AnsweredTurn
from voice_server.dialogue.llm.model import LanguageModel, LlmRefused
from voice_server.dialogue.manager import ShopDialogue, ShopSession
from voice_server.dialogue.memory.digest import EVERY, Digester
from voice_server.dialogue.memory.keeper import StateKeeper
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.dialogue.prompts import PromptRegistry, Rollout
from voice_server.dialogue.recollection import Records
from voice_server.dialogue.resources import DialogueOptions
from voice_server.speech.clauses import ClauseSplitter
from voice_server.storage import open_storage
from voice_server.trust.decisions import GateOutcome


@dataclass
class Diary:
    """A journal that can be read."""

    turns: list[AnsweredTurn] = field(default_factory=list)

    def answered(self, turn: AnsweredTurn) -> None:
        self.turns.append(turn)


def shop(
    llm: LanguageModel | None = None,
    *,
    records: Records | None = None,
    prompts: PromptRegistry | None = None,
    knowledge: FakeKnowledge | None = None,
    **options: object,
) -> ShopDialogue:
    return ShopDialogue(
        ShopIdentity("Maison Belge"),
        ("en", "fr", "nl", "de"),
        knowledge or FakeKnowledge(),
        identify,
        ClauseSplitter,
        model=llm,
        options=DialogueOptions(patience=SOON, **options),  # type: ignore[arg-type]
        records=records,
        prompts=prompts,
    )


async def turn(session: ShopSession, request: ReplyRequest) -> str:
    """A turn as the conversation makes it: committed, then spoken to its end."""
    session.commit(request.reply_id)
    return said(await hear(session, request))


def numbered() -> Callable[..., ReplyRequest]:
    count = iter(range(1, 999))
    return lambda *entries: replace(ask(*entries), reply_id=f"resp_{next(count)}")


async def test_an_answer_is_remembered_and_reported_once() -> None:
    diary = Diary()
    session = shop(records=Records("marolle", journal=diary)).open("s1")
    await turn(session, ask("What does Oslo cost?"))
    session.commit("resp_1")
    assert session.memory.turn == 1
    assert session.memory.references == ("oslo",)
    assert session.memory.exchanges[0].assistant == "The Oslo chair costs 89 euros."
    (told,) = diary.turns
    assert (told.user, told.assistant) == ("What does Oslo cost?", "The Oslo chair costs 89 euros.")
    decision = told.decision
    assert (decision.session_id, decision.shop_id, decision.reply_id) == ("s1", "marolle", "resp_1")
    assert (decision.source, decision.intent, decision.confidence) == ("facts", "price", 0.95)
    assert (decision.facts, decision.rules) == (("product:oslo",), ("facts:sure",))
    assert (decision.model, decision.prompt, decision.personalised) == ("", "", False)
    assert decision.inputs == ("question",)


@pytest.mark.parametrize("commit_first", [True, False])
async def test_speculation_leaves_no_trace_until_its_commit(*, commit_first: bool) -> None:
    diary = Diary()
    session = shop(records=Records(journal=diary)).open("s1")
    request = ask("What does Oslo cost?", speculative=True)
    if commit_first:
        session.commit("resp_1")
    await hear(session, request)
    assert bool(diary.turns) == commit_first
    assert session.memory.turn == int(commit_first)
    session.commit("resp_1")
    session.commit("resp_1")
    assert len(diary.turns) == session.memory.turn == 1


async def test_a_broken_off_answer_is_remembered_as_far_as_it_was_made() -> None:
    diary = Diary()
    session = shop(model("Yes, we can. ", 30.0), records=Records(journal=diary)).open("s1")
    reply = session.reply(ask("Hm?"))
    session.commit("resp_1")
    await anext(reply)
    await reply.aclose()
    assert session.memory.exchanges[0].assistant == "Yes, we can."
    assert diary.turns[0].decision.source == "llm"
    assert "cut" in diary.turns[0].decision.rules
    assert diary.turns[0].decision.model == "model"


async def test_only_what_was_heard_is_remembered() -> None:
    session = shop().open("s1")
    new = numbered()
    await turn(session, new("What does Oslo cost?"))
    heard = [Message("user", "What does Oslo cost?"), Message("assistant", "The Oslo")]
    await turn(session, new(*heard, "Do you wrap?"))
    assert [e.assistant for e in session.memory.exchanges] == ["The Oslo", "Gift wrapping is free."]
    nothing = [*heard, Message("user", "Do you wrap?")]
    await turn(session, new(*nothing, "What does it cost?"))
    assert session.memory.exchanges[1].assistant == "", "a barge-in before the first word"


async def test_out_of_band_replies_are_neither_remembered_nor_reported() -> None:
    diary = Diary()
    session = shop(records=Records(journal=diary)).open("s1")
    await turn(session, ask("What does Oslo cost?", out_of_band=True))
    assert (session.memory.turn, diary.turns) == (0, [])


async def test_the_greeting_is_reported_and_is_no_turn() -> None:
    diary = Diary()
    session = shop(records=Records(journal=diary)).open("s1")
    await turn(session, ask())
    assert (session.memory.turn, diary.turns[0].user) == (0, "")
    assert diary.turns[0].decision.source == "greeting"


async def test_a_tools_result_goes_on_with_its_turn() -> None:
    diary = Diary()
    session = shop(records=Records(journal=diary)).open("s1")
    new = numbered()
    await turn(session, new("Weather?"))
    result = [Message("user", "Weather?"), ToolCall("c", "weather", "{}"), ToolResult("c", "Sunny")]
    await turn(session, replace(new(*result), tools=(WEATHER,)))
    assert session.memory.turn == 1
    assert session.memory.exchanges[0].assistant == "Sunny"
    assert [t.user for t in diary.turns] == ["Weather?", ""]
    assert diary.turns[1].decision.inputs == ("question",)


# ------------------------------------------------------------ the decision


@pytest.mark.parametrize(
    ("steps", "gates", "failure", "facts"),
    [
        (["It costs 89 euros."], (), "", ("product:oslo",)),
        (["It costs 79 euros."], (GateOutcome("claim", "replaced"),), "ungrounded",
         ("product:oslo",)),
        (["I have cancelled your order."], (GateOutcome("promise", "replaced"),), "", ()),
        ([LlmRefused("refused (content filter)")], (), "refused", ("product:oslo",)),
        ([5.0, "Late."], (), "late", ("product:oslo",)),
        (["**"], (GateOutcome("empty", "dropped"),), "empty", ("product:oslo",)),
    ],
)  # fmt: skip
async def test_the_record_of_a_models_answer(
    steps: list[Step], gates: tuple[GateOutcome, ...], failure: str, facts: tuple[str, ...]
) -> None:
    diary = Diary()
    llm = ScriptedModel([steps])
    session = shop(llm, records=Records(journal=diary), llm_leads="always").open("s1")
    await turn(session, ask("What does Oslo cost?"))
    decision = diary.turns[0].decision
    assert (decision.gates, decision.failure, decision.facts) == (gates, failure, facts)
    assert (decision.model, decision.prompt) == ("model", "shop-2")
    assert "leads:always" in decision.rules
    assert decision.intent == "price"
    assert "79" not in str(decision.to_json()), "no word of what was said"


async def test_why_the_language_is_what_it_is() -> None:
    diary = Diary()
    session = shop(records=Records(journal=diary)).open("s1")
    new = numbered()
    await turn(session, new("Do you wrap?"))
    await turn(session, new("Bonjour, what does it cost? Vous pouvez bonjour le dire encore ?"))
    await turn(session, new("In het Nederlands graag, what does it cost?"))
    reasons = [(t.decision.language, t.decision.language_reason) for t in diary.turns]
    assert reasons == [("en", "kept"), ("fr", "heard"), ("nl", "asked")]


async def test_why_is_answered_from_the_record() -> None:
    diary = Diary()
    session = shop(records=Records(journal=diary)).open("s1")
    new = numbered()
    assert "Gift" not in await turn(session, new("Why do you say that?")), "nothing was said yet"
    await turn(session, new("What does Oslo cost?"))
    told = await turn(session, new("Why do you say that?"))
    assert told.startswith("My answer comes from the shop's own information: the product sheet of ")
    assert "Oslo" in told
    again = await turn(session, new("How do you know that?"))
    assert again == told, "still about the answer, not about its explanation"
    assert diary.turns[-1].decision.source == "why"
    assert diary.turns[-1].decision.intent == "why"


async def test_why_after_a_replaced_sentence_says_so() -> None:
    llm = ScriptedModel([["It costs 79 euros."]])
    session = shop(llm, llm_leads="always").open("s1")
    new = numbered()
    await turn(session, new("What does Oslo cost?"))
    told = await turn(session, new("Why this answer?"))
    assert "One sentence was held back because it contained a number" in told
    assert "a colleague can look at the answer" in told
    own = replace(new("Why this answer?"), instructions="You are a pirate.")
    llm.scripts.append(["Arr, because I say so."])
    assert "Arr" in await turn(session, own), "somebody else's assistant explains itself"


# ------------------------------------------------------------ prompt versions


async def test_each_session_is_asked_with_its_version_and_moves_at_once(tmp_path: Path) -> None:
    text = Path(__file__).parents[2] / "voice_server/dialogue/prompts/versions/shop-2.toml"
    mine = text.read_text(encoding="utf-8").replace("shop-2", "mine").replace("aloud", "gladly")
    (tmp_path / "mine.toml").write_text(mine, encoding="utf-8")
    registry = PromptRegistry(tmp_path)
    registry.roll_out(Rollout("shop-2", "mine", 0.5))
    llm = ScriptedModel([["Yes."] for _ in range(21)])
    diary = Diary()
    dialogue = shop(llm, records=Records(journal=diary), prompts=registry)
    sessions = [dialogue.open(f"s{n}") for n in range(20)]
    for session in sessions:
        await turn(session, ask("Hm?"))
    versions = [t.decision.prompt for t in diary.turns]
    assert versions == [registry.assign(f"s{n}").id for n in range(20)]
    assert set(versions) == {"shop-2", "mine"}
    gladly = ["gladly" in str(request.messages[0]) for request in llm.asked]
    assert gladly == [version == "mine" for version in versions]
    registry.roll_back()
    await turn(sessions[versions.index("mine")], replace(ask("Hm?"), reply_id="resp_2"))
    assert diary.turns[-1].decision.prompt == "shop-2", "in the middle of a call"


# ------------------------------------------------------------ across a restart


async def test_a_session_goes_on_after_a_restart(tmp_path: Path) -> None:
    store = await open_storage("", tmp_path)
    new = numbered()
    session = shop(records=Records("marolle", StateKeeper(store, "marolle", 60))).open("s1")
    await turn(session, new("Bonjour, what does it cost?"))
    session.remember(lambda memory: memory.promised("callback", "on Friday"))
    await store.close()

    store = await open_storage("", tmp_path)
    keeper = StateKeeper(store, "marolle", 60)
    await keeper.preload()
    llm = ScriptedModel([["Certainly."]])
    dialogue = shop(llm, records=Records("marolle", keeper))
    session = dialogue.open("s1", language="en")
    assert session.language == "fr"
    assert session.context.last_product == "oslo"
    assert session.memory.promises[0].text == "on Friday"
    await turn(session, new("Hm?"))
    told = [m["content"] for m in llm.asked[0].messages]
    assert told[1:3] == ["Bonjour, what does it cost?", "The Oslo chair costs 89 euros."]
    assert session.memory.turn == 2
    other = dialogue.open("s2", language="en")
    assert (other.language, other.memory.turn) == ("en", 0)
    await store.close()


async def test_a_long_talk_gets_a_digest_between_turns() -> None:
    digester = Digester(ScriptedModel([["The customer likes the Oslo."]]))
    session = shop(records=Records(digester=digester)).open("s1")
    new = numbered()
    for _ in range(EVERY):
        await turn(session, new("What does Oslo cost?"))
    running = asyncio.ensure_future(digester.run())
    await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait([running])
    assert session.memory.digest == "The customer likes the Oslo."
    assert session.memory.digest_turn == EVERY


async def test_what_proves_who_calls_does_not_survive() -> None:
    keeper = StateKeeper(None, "marolle", 60)
    session = shop(records=Records("marolle", keeper)).open("s1")
    proved = replace(session.context, order="BE-10482", pending_postcode="1000", colour="blue")
    session._context = proved
    session.remember(lambda memory: memory)
    assert "BE-10482" not in str(keeper.recall("s1"))
    again = shop(records=Records("marolle", keeper)).open("s1")
    assert again.context == replace(proved, order=None, pending_postcode="")


@pytest.mark.parametrize(
    "state",
    [{}, {"memory": {"version": 99}}, {"memory": None, "language": "xx"}],
)
async def test_a_state_that_cannot_be_read_is_a_new_session(state: dict[str, object]) -> None:
    keeper = StateKeeper(None, "marolle", 60)
    keeper.keep("s1", state)
    session = shop(records=Records("marolle", keeper)).open("s1")
    assert (session.language, session.memory.turn) == ("en", 0)


async def test_a_state_of_another_version_keeps_what_it_can() -> None:
    keeper = StateKeeper(None, "marolle", 60)
    first = shop(records=Records("marolle", keeper)).open("s1", language="nl")
    first.remember(lambda memory: memory.with_slots([("size", "M")]))
    state = dict(keeper.recall("s1") or {})
    keeper.keep("s1", {**state, "flow": {"version": 1}, "context": {"unknown": 1, "size": "M"}})
    session = shop(records=Records("marolle", keeper)).open("s1")
    assert (session.language, session.context.size) == ("nl", "M")
    assert session.memory.slots == (("size", "M"),)
    assert not session.flow.active
    keeper.keep("s1", {**state, "language": "xx"})
    assert shop(records=Records("marolle", keeper)).open("s1").language == "en"
    assert source(await hear(session, ask("What does it cost?"))) == "facts"
