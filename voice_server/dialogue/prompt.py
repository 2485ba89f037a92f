"""What a language model is told: a prefix that never changes, then the talk, then facts, few.

At most 1,200 tokens, however long the talk: what its beginning was about stands in a note before
the part that is shown.

The order is made for the prompt cache of llama.cpp: everything up to the last question is the
same as in the turn before, so only the newest exchange, the facts and the question are read
(60 new tokens cost 0.6 s on the 0.5B, 1.2 s on the 1.5B; a cold prefix 4 to 9 s).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice_server.dialogue.address import familiar
from voice_server.dialogue.dialogue import (
    HistoryEntry,
    Message,
    Tool,
    ToolCall,
    ToolResult,
)
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.guards.injection import Source, screen
from voice_server.dialogue.locales import load_locale
from voice_server.dialogue.memory.memory import NOTHING, Memory
from voice_server.dialogue.prompts.version import DEFAULT, PromptVersion, default_version

PROMPT_VERSION = DEFAULT
"""The version of the wording where nobody chose another (:mod:`voice_server.dialogue.prompts`)."""

CHARACTERS_PER_TOKEN = 3.2
"""Qwen's and OpenAI's tokenizers on fr, nl, de text: 3.0 to 3.6; low, so we never overflow."""

TOKENS_PER_MESSAGE = 5
"""Role marks of the chat templates."""

HISTORY_STEP = 4
"""Old entries are dropped so many at a time: each drop costs the whole prompt cache."""

_CONTROL = re.compile(r"<\|[^|<>]{0,40}\|>|<\|?/?(?:im_start|im_end|endoftext|s|inst)\|?>", re.I)


@dataclass(frozen=True, slots=True)
class PromptBudget:
    """How much a model may be told, in estimated tokens.

    For a shop's own assistant all of it with the prefix (280) stays below 1,200.  Under a client's
    own instructions the ``own_`` limits hold: there the client pays, and knows its model.
    """

    history: int = 480
    memory: int = 80
    """What the turns before the shown ones were about: it changes only when history is cut."""
    now: int = 0
    """Slots, promises and references of this moment: read anew in every turn."""
    fact: int = 60
    facts: int = 90
    question: int = 200
    results: int = 90
    """The result of a client's function."""
    own_history: int = 900
    own_question: int = 200
    instructions: int = 1200


EMBEDDED_BUDGET = PromptBudget()
"""The embedded 1.5B reads 54 new tokens a second: two facts, the question and the chat marks are
two and a half seconds. The 3072 tokens of context would hold more; the caller would not. Slots and
references are left out: where they matter, the facts have been found by them."""

ENDPOINT_BUDGET = PromptBudget(
    history=340, memory=110, now=40, fact=150, facts=220, question=160, results=2000,
    own_history=6000, own_question=2000, instructions=8000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShopIdentity:
    """Who speaks. ``about``: what the shop sells, a few words in English; may be empty."""

    name: str
    about: str = ""
    greetings: Mapping[str, str] = field(default_factory=dict)
    """Language to the shop's own first words; others are greeted with the bundled ones."""
    familiar: frozenset[str] = frozenset()
    """Languages in which customers are addressed by "je", "tu" or "du"."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text is, rather too many than too few."""
    return int(len(text) / CHARACTERS_PER_TOKEN) + 1


def quote(text: str, limit: int, source: Source = Source.CALLER) -> str:
    """Return untrusted text that cannot leave its place in a prompt.

    Orders to a machine are cut (see :mod:`voice_server.dialogue.guards.injection`), control
    tokens of chat templates go (llama.cpp would obey them), angle brackets become harmless
    look-alikes, and at most ``limit`` estimated tokens stay.
    """
    text = _CONTROL.sub(" ", screen(text, source).text).replace("<", "‹").replace(">", "›")
    most = int(limit * CHARACTERS_PER_TOKEN)
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"


def prefix(shop: ShopIdentity, version: PromptVersion | None = None) -> tuple[dict[str, Any], ...]:
    """Return the messages every prompt of the shop begins with, to be kept warm."""
    wording = (version or default_version()).system
    about = f", {shop.about}" if shop.about else ""
    return ({"role": "system", "content": wording.format(shop=shop.name, about=about)},)


@dataclass(frozen=True, slots=True)
class PromptMaker:
    """Makes the messages of one shop's prompts for one model."""

    shop: ShopIdentity
    budget: PromptBudget = EMBEDDED_BUDGET
    native_tools: bool = False
    """The model understands tool messages; otherwise calls and results are told as text."""
    version: PromptVersion = field(default_factory=default_version)

    def answer(
        self,
        history: Sequence[HistoryEntry],
        facts: Sequence[Fact],
        language: str,
        instructions: str | None = None,
        memory: Memory = NOTHING,
        caller: str = "",
    ) -> tuple[dict[str, Any], ...]:
        """Return the prompt for the next thing to say.

        ``caller``: how to speak to this caller, and what they agreed to be known of them.
        """
        # Somebody else's assistant speaks as its instructions say.
        last = load_locale(language).answer_in if instructions is None else ""
        if language in self.shop.familiar:
            last = familiar(last, language)
        if caller and last:
            last = f"{quote(caller, self.budget.fact)}\n{last}"
        return self._messages(history, self._fact_block(facts), last, instructions, memory)

    def choice(
        self,
        history: Sequence[HistoryEntry],
        tools: Sequence[Tool],
        instructions: str | None = None,
        memory: Memory = NOTHING,
    ) -> tuple[dict[str, Any], ...]:
        """Return the prompt that asks which function to call, for models without tool calls."""
        functions = "\n".join(
            f"- {tool.name}: {quote(tool.description, 60)} "
            f"{json.dumps(tool.parameters.get('properties', {}), ensure_ascii=False)}"
            for tool in tools
        )
        asked = self.version.choose.format(functions=functions)
        return self._messages(history, "", asked, instructions, memory)

    def _messages(
        self,
        history: Sequence[HistoryEntry],
        block: str,
        last: str,
        instructions: str | None,
        memory: Memory,
    ) -> tuple[dict[str, Any], ...]:
        budget = self.budget
        if instructions is None:
            messages = [*prefix(self.shop, self.version)]
            room, longest = budget.history, budget.question
            now = _note(memory.now(int(budget.now * CHARACTERS_PER_TOKEN)))
        else:
            told = _CONTROL.sub(" ", instructions)
            most = int(budget.instructions * CHARACTERS_PER_TOKEN)
            messages = [{"role": "system", "content": told[:most]}]
            room, longest, now = budget.own_history, budget.own_question, ""
        place = last_user(history)
        results_of = {e.call_id: e for e in history if isinstance(e, ToolResult)}
        past = bounded([*_restored(memory), *history[:place]], room)
        earlier = "" if instructions is not None else self._earlier(memory, past)
        for entry in past:
            for message in self._entry(entry, results_of, longest):
                if earlier and message["role"] == "user":
                    message["content"] = f"{earlier}\n{message['content']}"
                    earlier = ""
                messages.append(message)
        question = history[place] if place < len(history) else None
        asked = question.text if isinstance(question, Message) else ""
        results = [] if self.native_tools else _told(history[place + 1 :], budget.fact)
        parts = [
            earlier,
            now,
            block,
            *results,
            f"<customer>{quote(asked, longest)}</customer>" if asked else "",
            last,
        ]
        messages.append({"role": "user", "content": "\n".join(part for part in parts if part)})
        if self.native_tools:
            for entry in history[place + 1 :]:
                messages += self._entry(entry, results_of, longest)
        return tuple(messages)

    def _earlier(self, memory: Memory, past: Sequence[HistoryEntry]) -> str:
        """Tell what the turns were about that the past does not show."""
        shown = sum(_is_user(entry) for entry in past)
        room = int(self.budget.memory * CHARACTERS_PER_TOKEN)
        return _note(memory.summary(memory.turn - shown, room))

    def _fact_block(self, facts: Sequence[Fact]) -> str:
        lines: list[str] = []
        left = self.budget.facts
        for fact in facts:
            line = f"{fact.title}: {quote(fact.text, self.budget.fact)}"
            left -= estimate_tokens(line)
            if left < 0 and lines:
                break
            lines.append(line)
        return "<facts>\n" + "\n".join(lines) + "\n</facts>" if lines else ""

    def _entry(
        self, entry: HistoryEntry, results_of: Mapping[str, ToolResult], longest: int
    ) -> list[dict[str, Any]]:
        if isinstance(entry, Message):
            role = "assistant" if entry.role == "assistant" else "user"
            text = quote(entry.text, longest)
            if entry.role == "system":
                text = f"<note>{text}</note>"
            return [{"role": role, "content": text}]
        # Endpoints refuse a call without its result right behind it, and the other way round.
        if not self.native_tools or isinstance(entry, ToolResult):
            return []
        result = results_of.get(entry.call_id)
        if result is None:
            return []
        function = {"name": entry.name, "arguments": entry.arguments}
        call = {"id": entry.call_id, "type": "function", "function": function}
        output = quote(result.output, self.budget.results)
        return [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": entry.call_id, "content": output},
        ]


def last_user(history: Sequence[HistoryEntry]) -> int:
    """Return the place of the newest user message, or the length if there is none."""
    for place in range(len(history) - 1, -1, -1):
        if _is_user(history[place]):
            return place
    return len(history)


def bounded(history: Sequence[HistoryEntry], budget: int) -> Sequence[HistoryEntry]:
    """Return the newest part of a history that fits the budget (estimated tokens).

    Cuts in steps, so that the same beginning serves several turns, and begins with the user
    (some chat templates insist).
    """
    start = 0
    while start < len(history) and _cost(history[start:]) > budget:
        start += HISTORY_STEP
    while start and start < len(history) and not _is_user(history[start]):
        start += 1
    return history[start:]


def _restored(memory: Memory) -> list[HistoryEntry]:
    """Return the last exchanges before a restart, in the place of the history that is lost."""
    return [
        entry
        for exchange in memory.restored
        for entry in (
            Message("user", exchange.user, exchange.language),
            Message("assistant", exchange.assistant, exchange.language),
        )
        if entry.text
    ]


def _note(text: str) -> str:
    return f"<note>{quote(text, len(text) + 1)}</note>" if text else ""


def _is_user(entry: HistoryEntry) -> bool:
    return isinstance(entry, Message) and entry.role == "user"


def _cost(history: Sequence[HistoryEntry]) -> int:
    total = 0
    for entry in history:
        if isinstance(entry, Message):
            text = entry.text
        elif isinstance(entry, ToolCall):
            text = entry.name + entry.arguments
        else:
            text = entry.output
        total += estimate_tokens(text) + TOKENS_PER_MESSAGE
    return total


def _told(history: Sequence[HistoryEntry], limit: int) -> list[str]:
    """Tell the calls and results of this turn as text."""
    names = {entry.call_id: entry.name for entry in history if isinstance(entry, ToolCall)}
    return [
        f"<facts>\n{names.get(entry.call_id, 'function')} answered: "
        f"{quote(entry.output, limit * 2)}\n</facts>"
        for entry in history
        if isinstance(entry, ToolResult)
    ]


def choice_schema(tools: Sequence[Tool], *, may_decline: bool) -> dict[str, Any]:
    """Return the JSON schema of a choice among functions (and "none")."""
    options: list[dict[str, Any]] = [
        {
            "type": "object",
            "properties": {
                "function": {"const": tool.name},
                "arguments": {**tool.parameters, "type": "object"},
            },
            "required": ["function", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    if may_decline:
        options.insert(
            0,
            {
                "type": "object",
                "properties": {"function": {"const": "none"}},
                "required": ["function"],
                "additionalProperties": False,
            },
        )
    return options[0] if len(options) == 1 else {"anyOf": options}
