"""The dialogue as the conversation uses it: who answers, and what holds after a commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.dialogue.fake_knowledge import FakeKnowledge
from tests.fakes.llm import FakeLlm, Script
from voice_server.dialogue.dialogue import (
    Clause,
    ClauseKind,
    Dialogue,
    HistoryEntry,
    Message,
    Phrase,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.llm.model import (
    ChatPart,
    ChatRequest,
    Finished,
    LanguageModel,
    LlmError,
    LlmRefused,
    LlmUnavailable,
    TextDelta,
)
from voice_server.dialogue.locales import load_locale
from voice_server.dialogue.manager import ShopDialogue, ShopSession
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.dialogue.reply import Patience
from voice_server.dialogue.resources import DialogueOptions
from voice_server.speech.clauses import ClauseSplitter

SOON = Patience(opener_s=0.05, first_clause_s=0.3, next_clause_s=0.2, choice_s=0.3)
CLOCK = Tool("clock", "Tells the time", {"type": "object", "properties": {}})
WEATHER = Tool(
    "weather",
    "Tells the weather",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
WEATHER_CALL = ToolCall("c", "weather", "{}")
Step = str | float | Exception | Finished


@dataclass
class ScriptedModel:
    """A model that says what a test tells it: text, seconds of silence, errors."""

    scripts: list[list[Step]]
    embedded: bool = False
    ready: bool = True
    asked: list[ChatRequest] = field(default_factory=list)
    foreseen: list[tuple[dict[str, Any], ...]] = field(default_factory=list)
    late: int = 0
    closed: int = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPart, None]:
        self.asked.append(request)
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, Exception):
                    raise step
                elif isinstance(step, Finished):
                    yield step
                    return
                else:
                    for at in range(0, len(step), 7):
                        yield TextDelta(step[at : at + 7])
            yield Finished("stop", Usage(10, 5))
        finally:
            self.closed += 1

    async def foresee(self, messages: tuple[dict[str, Any], ...]) -> None:
        self.foreseen.append(messages)

    def missed(self) -> None:
        self.late += 1


def model(*steps: Step, embedded: bool = False) -> ScriptedModel:
    return ScriptedModel([list(steps)], embedded)


def identify(text: str, languages: Sequence[str]) -> tuple[str, float]:
    return ("fr", 0.99) if "bonjour" in text.lower() else ("en", 0.9)


def dialogue(
    llm: LanguageModel | None = None,
    knowledge: FakeKnowledge | None = None,
    patience: Patience = SOON,
    **options: object,
) -> ShopDialogue:
    return ShopDialogue(
        ShopIdentity("Maison Belge"),
        ("en", "fr", "nl", "de"),
        knowledge or FakeKnowledge(),
        identify,
        ClauseSplitter,
        model=llm,
        options=DialogueOptions(patience=patience, **options),  # type: ignore[arg-type]
        new_id=lambda prefix: f"{prefix}_new",
    )


def ask(*entries: HistoryEntry | str, **more: object) -> ReplyRequest:
    history = tuple(
        Message("user", entry) if isinstance(entry, str) else entry for entry in entries
    )
    return replace(ReplyRequest("resp_1", history), **more)  # type: ignore[arg-type]


async def hear(session: ShopSession, request: ReplyRequest) -> list[ReplyPart]:
    parts = [part async for part in session.reply(request)]
    assert isinstance(parts[-1], ReplyEnd)
    assert not any(isinstance(part, ReplyEnd) for part in parts[:-1])
    return parts


def said(parts: Sequence[ReplyPart]) -> str:
    return " ".join(part.text for part in parts if isinstance(part, Clause))


def content(parts: Sequence[ReplyPart]) -> str:
    return " ".join(
        part.text for part in parts if isinstance(part, Clause) and part.kind is ClauseKind.CONTENT
    )


def source(parts: Sequence[ReplyPart]) -> str:
    assert isinstance(parts[-1], ReplyEnd)
    return parts[-1].source


def test_it_is_a_dialogue() -> None:
    seam: Dialogue = dialogue()
    session = seam.open("sess_1", language="nl")
    assert session.language == "nl"
    assert session.hint == "Oslo, Nova"
    assert seam.open("sess_2", language="xx").language == "en"
    assert session.phrase(Phrase.IDLE).language == "nl"
    assert session.phrase(Phrase.IDLE, 1) != session.phrase(Phrase.IDLE, 0)


async def test_first_words_are_a_greeting_by_an_ai() -> None:
    parts = await hear(dialogue().open("s", language="de"), ask())
    assert "KI" in said(parts)
    assert "Maison Belge" in said(parts)
    assert source(parts) == "greeting"


async def test_sure_answers_come_from_the_facts_without_a_model() -> None:
    parts = await hear(dialogue().open("s"), ask("What does Oslo cost?"))
    assert said(parts) == "The Oslo chair costs 89 euros."
    assert isinstance(parts[0], Clause)
    assert parts[0].citations[0].source_id == "product:oslo"
    assert source(parts) == "facts"
    assert source(await hear(dialogue().open("s"), ask("Do you wrap?"))) == "faq"


async def test_without_a_model_the_fallback_answers() -> None:
    parts = await hear(dialogue().open("s"), ask("Hm?"))
    assert said(parts) == "You can return it within 30 days."
    assert source(parts) == "fallback"
    down = ScriptedModel([], ready=False)
    assert source(await hear(dialogue(down).open("s"), ask("Hm?"))) == "fallback"


async def test_a_broken_index_leaves_an_apology() -> None:
    for llm in (None, model(LlmUnavailable("gone"))):
        parts = await hear(dialogue(llm, FakeKnowledge(broken=True)).open("s"), ask("cost?"))
        assert said(parts) == load_locale("en").phrases["apology_answer"][0]


async def test_the_embedded_model_is_asked_only_when_facts_are_not_sure() -> None:
    llm = model(0.01, "Sorry, I am not sure about that.", embedded=True)
    session = dialogue(llm).open("s")
    assert source(await hear(session, ask("What does Oslo cost?"))) == "facts"
    parts = await hear(session, ask("Is it comfy?"))
    assert isinstance(parts[0], Clause)
    assert parts[0].kind is ClauseKind.OPENER
    assert content(parts) == "Sorry, I am not sure about that."
    assert parts[-1] == ReplyEnd(Usage(10, 5), "", "llm")
    assert len(llm.asked) == 1


@pytest.mark.parametrize(
    ("leads", "confidence", "answered_by"),
    [
        ("auto", 0.95, "facts"),
        ("auto", 0.8, "llm"),
        ("always", 0.95, "llm"),
        ("never", 0.5, "facts"),
    ],
)
async def test_how_a_strong_endpoint_leads(leads: str, confidence: float, answered_by: str) -> None:
    llm = model("The Oslo is 89 euros, and lovely.")
    shop = dialogue(llm, FakeKnowledge(confidence), llm_leads=leads)
    assert source(await hear(shop.open("s"), ask("What does Oslo cost?"))) == answered_by


async def test_model_clauses_are_gated_cited_and_few() -> None:
    llm = model("It costs **89 euros**. You have 30 days. It is free. And four. And more.")
    parts = await hear(dialogue(llm, llm_leads="always").open("s"), ask("What does Oslo cost?"))
    assert content(parts) == "It costs 89 euros. You have 30 days. It is free."
    cited = [c.source_id for p in parts if isinstance(p, Clause) for c in p.citations]
    assert "product:oslo" in cited
    assert "policy:returns" in cited
    assert llm.closed == 1


async def test_a_wrong_first_sentence_is_replaced_by_the_template() -> None:
    llm = model("The Oslo chair costs 79 euros. Yes.")
    parts = await hear(dialogue(llm, llm_leads="always").open("s"), ask("What does Oslo cost?"))
    assert content(parts) == "The Oslo chair costs 89 euros."
    assert source(parts) == "fallback"


async def test_a_wrong_later_sentence_is_left_out() -> None:
    llm = model("It costs 89 euros. It is made in 1950, in Norway, of oak. It is nice.")
    parts = await hear(dialogue(llm, llm_leads="always").open("s"), ask("What does Oslo cost?"))
    assert content(parts) == "It costs 89 euros. It is nice."
    assert source(parts) == "llm"


@pytest.mark.parametrize(
    ("wrong", "instead"),
    [
        ("I am not a robot, I am Anna.", "I'm an AI assistant, not a person."),
        ("I have cancelled your order. Bye.", load_locale("en").cannot_act),
    ],
)
async def test_denials_and_promises_become_honest(wrong: str, instead: str) -> None:
    parts = await hear(dialogue(model(wrong)).open("s"), ask("Hm?"))
    assert content(parts) == instead


@pytest.mark.parametrize(
    "fault",
    [
        [LlmUnavailable("down")],
        [LlmRefused("filtered")],
        [5.0, "Too late."],
        ["", Finished("stop")],
        ["**", Finished("stop")],
        ["", Finished("content_filter")],
    ],
)
async def test_a_model_that_says_nothing_is_replaced(fault: list[Step]) -> None:
    llm = ScriptedModel([fault])
    parts = await hear(dialogue(llm).open("s"), ask("Hm?"))
    assert content(parts) == "You can return it within 30 days."
    assert source(parts) == "fallback"
    assert isinstance(parts[-1], ReplyEnd)
    assert parts[-1].incomplete == ""
    assert llm.closed == 1


async def test_a_model_that_dies_in_mid_sentence_is_finished_by_the_facts() -> None:
    llm = model("Well, you can return it, ", LlmError("gone"))
    parts = await hear(dialogue(llm).open("s"), ask("Hm?"))
    assert content(parts).endswith("within 30 days.")
    assert content(parts).count("return it") == 1, "nothing is said twice"
    assert source(parts) == "fallback"


async def test_a_model_that_dies_after_a_sentence_has_answered_if_the_facts_know_no_more() -> None:
    knowledge = FakeKnowledge(fallback_is_sure=False)
    llm = model("Yes, you surely can. And ", 5.0)
    parts = await hear(dialogue(llm, knowledge).open("s"), ask("Hm?"))
    assert content(parts) == "Yes, you surely can."
    assert source(parts) == "llm"
    assert llm.late == 1
    assert isinstance(parts[-1], ReplyEnd)
    assert parts[-1].usage.output_tokens > 0, "estimated where the stream was cut"


async def test_a_filter_in_mid_answer_is_reported() -> None:
    knowledge = FakeKnowledge(fallback_is_sure=False)
    llm = model("Yes, you surely can. ", Finished("content_filter"))
    parts = await hear(dialogue(llm, knowledge).open("s"), ask("Hm?"))
    assert isinstance(parts[-1], ReplyEnd)
    assert parts[-1].incomplete == "content_filter"


async def test_a_model_that_echoes_the_question_is_not_heard() -> None:
    llm = model("Can you do it for me? Yes, we can do that.")
    parts = await hear(dialogue(llm).open("s"), ask("can you do it for me?"))
    assert content(parts) == "Yes, we can do that."


async def test_an_opener_covers_a_slow_endpoint_and_not_a_quick_one() -> None:
    parts = await hear(dialogue(model(0.15, "Yes, we can.")).open("s"), ask("Hm?"))
    assert [p.kind for p in parts if isinstance(p, Clause)] == [
        ClauseKind.OPENER,
        ClauseKind.CONTENT,
    ]
    parts = await hear(dialogue(model("Yes, we can.")).open("s"), ask("Hm?"))
    assert [p.kind for p in parts if isinstance(p, Clause)] == [ClauseKind.CONTENT]


async def test_openers_vary() -> None:
    openers = set()
    for turns in range(3):
        past = [Message("assistant", "Yes.")] * turns
        llm = model(0.01, "Yes, we can.", embedded=True)
        parts = await hear(dialogue(llm).open("s"), ask(*past, "Hm?"))
        openers.add(said(parts[:1]))
    assert len(openers) == 3


async def test_our_own_limit_ends_at_a_whole_clause_and_the_clients_is_reported() -> None:
    cut: list[Step] = ["Yes, you surely can. And then you", Finished("length")]
    parts = await hear(dialogue(ScriptedModel([cut])).open("s"), ask("Hm?"))
    assert content(parts) == "Yes, you surely can."
    assert parts[-1].incomplete == ""  # type: ignore[union-attr]
    llm = ScriptedModel([cut])
    parts = await hear(dialogue(llm).open("s"), ask("Hm?", max_output_tokens=9))
    assert content(parts) == "Yes, you surely can. And then you"
    assert parts[-1].incomplete == "max_output_tokens"  # type: ignore[union-attr]
    assert llm.asked[0].max_tokens == 9


async def test_closing_a_reply_cancels_the_model() -> None:
    llm = model("Yes, we can. ", 30.0)
    reply = dialogue(llm).open("s").reply(ask("Hm?"))
    assert isinstance(await anext(reply), Clause)
    await reply.aclose()
    assert llm.closed == 1


# ------------------------------------------------------------ commit and language


async def test_nothing_changes_before_the_commit() -> None:
    session = dialogue().open("s")
    request = ask("Bonjour, what does it cost?", speculative=True)
    parts = await hear(session, request)
    assert parts[0].language == "fr"  # type: ignore[union-attr]
    assert (session.language, session.context.last_product) == ("en", None)
    session.commit("resp_1")
    assert (session.language, session.context.last_product) == ("fr", "oslo")


async def test_a_commit_may_come_early() -> None:
    knowledge = FakeKnowledge()
    session = dialogue(knowledge=knowledge).open("s")
    session.commit("resp_1")
    await hear(session, ask("Bonjour, what does it cost?"))
    assert (session.language, session.context.last_product) == ("fr", "oslo")
    await hear(session, ask("and the cost?", reply_id="resp_2"))
    assert knowledge.asked[-1][2].last_product == "oslo"


async def test_forgotten_speculation_has_no_effect() -> None:
    session = dialogue().open("s")
    for number in range(40):
        await hear(session, ask("Bonjour, what does it cost?", reply_id=f"resp_{number}"))
    session.commit("resp_0")
    assert session.language == "en"
    session.commit("resp_39")
    assert session.language == "fr"


async def test_out_of_band_replies_leave_no_trace() -> None:
    session = dialogue().open("s")
    await hear(session, ask("Bonjour, what does it cost?", out_of_band=True))
    session.commit("resp_1")
    assert (session.language, session.context.last_product) == ("en", None)


async def test_a_models_answer_keeps_the_thread() -> None:
    session = dialogue(model("The Oslo costs 89 euros.")).open("s")
    session.commit("resp_1")
    await hear(session, ask("Hm?"))
    assert (session.context.last_product, session.context.turn) == ("oslo", 1)


async def test_a_client_may_prefer_a_language() -> None:
    session = dialogue().open("s")
    session.prefer("nl")
    assert session.language == "nl"
    session.prefer("xx")
    session.prefer(None)
    assert session.language == "nl"


async def test_disclosure_before_the_first_answer_on_request() -> None:
    shop = dialogue(disclose_first=True)
    first = await hear(shop.open("s"), ask("What does it cost?"))
    assert said(first).startswith(load_locale("en").disclosure)
    greeted = Message("assistant", "Hi, I'm an AI.")
    later = await hear(shop.open("s"), ask(greeted, "What does it cost?"))
    assert load_locale("en").disclosure not in said(later)


# ------------------------------------------------------------ tools and instructions


async def test_native_tools_of_an_endpoint() -> None:
    async with FakeLlm([Script(calls=(("weather", '{"city": "Gent"}'),))]) as llm:
        endpoint = ChatEndpoint(llm.url, model="m")
        shop = dialogue(endpoint, patience=Patience())
        parts = await hear(shop.open("s"), ask("Weather in Gent?", tools=(WEATHER,)))
        (call,) = (part for part in parts if isinstance(part, ToolCall))
        assert (call.name, call.arguments) == ("weather", '{"city": "Gent"}')
        assert llm.requests[0]["tool_choice"] == "auto"
        await endpoint.close()


async def test_a_tools_result_is_told_and_may_be_repeated() -> None:
    result: list[HistoryEntry] = [WEATHER_CALL, ToolResult("c", '{"temp": 21.6}')]
    llm = model("It is 22 degrees in Gent.")
    request = ask("Weather in Gent?", *result, tools=(WEATHER,), tool_choice="required")
    parts = await hear(dialogue(llm).open("s"), request)
    assert content(parts) == "It is 22 degrees in Gent."
    assert llm.asked[0].tool_choice == "auto", "a demanded call has been made"


async def test_a_tools_result_without_a_model() -> None:
    result: list[HistoryEntry] = [WEATHER_CALL, ToolResult("c", '{"temp": 21.6}')]
    parts = await hear(dialogue().open("s"), ask("Weather?", *result))
    assert said(parts) == "Here is what I found: temp: 21.6."
    assert source(parts) == "tool"
    mute: list[HistoryEntry] = [WEATHER_CALL, ToolResult("c", "{}")]
    assert source(await hear(dialogue().open("s"), ask("Weather?", *mute))) == "fallback"


async def test_the_embedded_model_chooses_by_schema() -> None:
    llm = model('{"function": "weather", "arguments": {"city": "Gent"}}', embedded=True)
    parts = await hear(dialogue(llm).open("s"), ask("Weather in Gent?", tools=(WEATHER,)))
    assert [type(p) for p in parts] == [Clause, ToolCall, ReplyEnd]
    assert parts[1] == ToolCall("call_new", "weather", '{"city": "Gent"}')
    assert llm.asked[0].schema is not None


async def test_the_embedded_model_may_decline_and_answer() -> None:
    llm = ScriptedModel([['{"function": "none"}'], ["Yes, we can."]], embedded=True)
    parts = await hear(dialogue(llm).open("s"), ask("Hm?", tools=(WEATHER,)))
    assert [p.kind for p in parts if isinstance(p, Clause)] == [
        ClauseKind.OPENER,
        ClauseKind.CONTENT,
    ]


@pytest.mark.parametrize(
    "choice", [["nonsense"], [LlmError("gone")], [5.0], [""], ['{"function"', 5.0]]
)
async def test_no_usable_choice_means_an_answer(choice: list[Step]) -> None:
    llm = ScriptedModel([choice, ["Yes, we can."]], embedded=True)
    parts = await hear(dialogue(llm).open("s"), ask("Hm?", tools=(WEATHER,)))
    assert content(parts) == "Yes, we can."


async def test_a_demanded_call_that_needs_no_thought_is_made_without_a_model() -> None:
    parts = await hear(dialogue().open("s"), ask("Time?", tools=(CLOCK,), tool_choice="clock"))
    assert parts[0] == ToolCall("call_new", "clock", "{}")
    parts = await hear(dialogue().open("s"), ask("cost?", tools=(WEATHER,), tool_choice="required"))
    assert source(parts) == "facts"


async def test_a_demanded_call_goes_before_sure_facts() -> None:
    llm = model('{"function": "clock"}', embedded=True)
    request = ask("What does it cost?", tools=(CLOCK,), tool_choice="required")
    parts = await hear(dialogue(llm).open("s"), request)
    assert [type(p) for p in parts] == [ToolCall, ReplyEnd]
    unwanted = ask("What does it cost?", tools=(CLOCK,), tool_choice="none")
    assert source(await hear(dialogue(model(embedded=True)).open("s"), unwanted)) == "facts"


async def test_a_clients_instructions_make_it_a_general_assistant() -> None:
    llm = model("Ahoy, Captain Klarna here. It takes 2 steps. It costs 89 euros.")
    request = ask("What does it cost?", instructions="You are a pirate.")
    parts = await hear(dialogue(llm).open("s"), request)
    assert content(parts) == "Ahoy, Captain Klarna here. It takes 2 steps. It costs 89 euros."
    assert llm.asked[0].messages[0]["content"] == "You are a pirate."


async def test_a_general_assistant_may_speak_another_language() -> None:
    llm = model("Bonjour à vous tous et bienvenue.")
    parts = await hear(dialogue(llm).open("s"), ask("Hi", instructions="Speak French."))
    clauses = [part for part in parts if isinstance(part, Clause)]
    assert clauses[-1].language == "fr"


async def test_a_general_assistant_that_fails_apologises_without_shop_talk() -> None:
    llm = model(LlmUnavailable("down"))
    parts = await hear(dialogue(llm).open("s"), ask("Hi", instructions="You are a pirate."))
    assert content(parts) == ""
    assert said(parts) == load_locale("en").phrases["apology_answer"][0]
    invented = model("That is 45 euros.")
    parts = await hear(dialogue(invented).open("s"), ask("Hi", instructions="You are a pirate."))
    assert "45" not in said(parts)


async def test_a_general_assistants_first_words_disclose_the_ai() -> None:
    llm = model("Ahoy there, sailor.")
    parts = await hear(dialogue(llm).open("s"), ask(instructions="You are a pirate."))
    assert said(parts) == f"{load_locale('en').disclosure} Ahoy there, sailor."


async def test_the_users_trusted_words_of_a_shop_are_only_their_order() -> None:
    llm = model("Your order 48213 costs 20 euros.")
    parts = await hear(dialogue(llm).open("s"), ask("Is order 48213 20 euros?"))
    assert "20 euros" not in said(parts)


@pytest.fixture
def fake_stall() -> Callable[[], FakeLlm]:
    return lambda: FakeLlm([Script("Yes, we surely can do that for you.", stall_after=3)])


async def test_a_stalled_endpoint_on_a_real_socket(fake_stall: Callable[[], FakeLlm]) -> None:
    async with fake_stall() as llm:
        endpoint = ChatEndpoint(llm.url, model="m")
        parts = await hear(dialogue(endpoint).open("s"), ask("Hm?"))
        assert content(parts).endswith("within 30 days.")
        await endpoint.close()


async def test_an_embedded_model_reads_the_facts_while_the_user_speaks() -> None:
    small = model("Fine.", embedded=True)
    session = dialogue(small).open("s")
    await session.foresee(ask("do you know"))
    await session.foresee(ask("What does the chair Oslo cost?"))
    assert not small.foreseen, "too few words, and what templates answer"
    await session.foresee(ask("Which chair of yours suits a"))
    (read,) = small.foreseen
    await hear(session, ask("Which chair of yours suits a small kitchen in the south?"))
    asked = small.asked[-1].messages
    assert asked[:-1] == read[:-1]
    before, _, words = asked[-1]["content"].partition("<customer>")
    assert read[-1]["content"].startswith(before)
    assert "Which chair" in words


async def test_nothing_is_read_ahead_where_reading_is_fast_or_another_assistant_speaks() -> None:
    words = "Which chair of yours suits a"
    strong = model("Fine.")
    await dialogue(strong).open("s").foresee(ask(words))
    small = model("Fine.", embedded=True)
    await dialogue(small).open("s").foresee(ask(words, instructions="You are a pirate."))
    await dialogue().open("s").foresee(ask(words))
    assert not strong.foreseen
    assert not small.foreseen
