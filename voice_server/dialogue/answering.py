"""Who answers one turn, and how: templates, a language model, a client's tool, or an apology."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from voice_server.dialogue.choosing import choose
from voice_server.dialogue.dialogue import (
    Clause,
    Message,
    Phrase,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
    Tool,
    ToolCall,
    ToolResult,
)
from voice_server.dialogue.facts import Answer, Context, Fact
from voice_server.dialogue.flows.turn import FlowTurn
from voice_server.dialogue.gating import turn_gate
from voice_server.dialogue.guards.injection import screen_facts
from voice_server.dialogue.guards.nature import asks_nature
from voice_server.dialogue.level import TOLD
from voice_server.dialogue.llm.model import ChatRequest, LanguageModel
from voice_server.dialogue.personal import told
from voice_server.dialogue.prompt import last_user
from voice_server.dialogue.reply import Backup, Brief, ModelReply
from voice_server.dialogue.resources import Resources
from voice_server.dialogue.tools import (
    allowed,
    callable_blindly,
    must_call,
    tell_result,
)
from voice_server.dialogue.trace import Trace
from voice_server.shop.wording import discloses
from voice_server.trust.decisions import Decision, asks_why, why

logger = logging.getLogger(__name__)


FORESEEN_WORDS = 4
"""Fewer say too little: of the demo shop's questions most are recognised by their fifth word, and
what was read in vain costs the final transcript some of the cores."""


class Turn:
    """One reply: decides who answers, and lets them."""

    def __init__(
        self,
        resources: Resources,
        request: ReplyRequest,
        language: str,
        context: Context,
        learn: Callable[[Context], None],
        flow: FlowTurn | None = None,
        trace: Trace | None = None,
        *,
        disclose: bool = False,
    ) -> None:
        """``learn`` gets the context that holds after the reply, each time it is known better.

        ``flow`` may take the turn before the facts and the model are asked; ``trace`` holds what is
        remembered, and gets what the decision record says.
        ``disclose``: say first that an AI speaks (again), whatever was heard before.
        """
        self._disclose = disclose
        self._trace = trace or Trace()
        self._dialogue = resources
        self._request = request
        self._learn = learn
        self._context = context
        self._flow = flow
        self._language = language
        history = request.history
        self._place = last_user(history)
        entry = history[self._place] if self._place < len(history) else None
        self._text = entry.text.strip() if isinstance(entry, Message) else ""
        self._results = [e for e in history[self._place :] if isinstance(e, ToolResult)]
        self._general = request.instructions is not None
        self._variant = sum(isinstance(e, Message) and e.role == "assistant" for e in history)

    async def parts(self) -> AsyncGenerator[ReplyPart, None]:
        """Yield the reply."""
        model = self._dialogue.model
        ready = model is not None and model.ready
        if not self._text and not self._results:
            async with aclosing(self._greet(ready=ready)) as parts:
                async for part in parts:
                    yield part
            return
        if self._must_disclose():
            yield self._dialogue.phrases.disclosure(self._language)
        if self._asks_nature():
            yield self._dialogue.phrases.i_am_ai(self._language)
            yield ReplyEnd(source="guard")
            return
        tools = allowed(self._request.tools, self._request.tool_choice)
        forced = bool(tools) and must_call(self._request.tool_choice) and not self._results
        if self._flow is not None and not self._results and not forced:
            async with aclosing(self._flow.parts()) as flow:
                async for part in flow:
                    yield part
            if self._flow.handled:
                return
        explained = self._explain()
        if explained:
            for text in explained:
                yield Clause(text, self._language)
            yield ReplyEnd(source="why")
            return
        declined = None if forced else self._declined()
        if declined is not None:
            yield declined
            yield ReplyEnd(source="guard")
            return
        answer = None if self._results else await self._known_now()
        if model is None or not ready:
            async with aclosing(self._without_model(answer, tools, forced=forced)) as parts:
                async for part in parts:
                    yield part
            return
        if answer is not None and not forced and not self._model_leads(model, answer):
            self._trace.answered(answer, "facts:sure")
            for clause in answer.clauses:
                yield clause
            yield ReplyEnd(source=_source(answer))
            return
        async with aclosing(self._ask(model, answer, tools, forced=forced)) as parts:
            async for part in parts:
                yield part

    def foreseen(self) -> tuple[dict[str, Any], ...] | None:
        """Return the prompt that a model would get for these words, None if none would."""
        model = self._dialogue.model
        if model is None or self._general or self._request.tools:
            return None
        if len(self._text.split()) < FORESEEN_WORDS or self._known() is not None:
            return None
        return self._chat(model, self._facts(None), ()).messages

    def _explain(self) -> list[str]:
        """Return the reason of the last answer if that is what is asked, from its record."""
        memory = self._trace.memory
        self._trace.inputs["question" if self._text else "tool_result"] = None
        if self._context.reasons and self._context.last_intent == "recommend":
            return []  # why this was advised: the answer has its own reasons
        if self._general or memory.decision is None or not asks_why(self._text, self._language):
            return []
        self._trace.explains = True
        self._trace.intent = "why"
        return why(Decision.from_json(memory.decision), self._language, dict(memory.sources))

    def _must_disclose(self) -> bool:
        if self._request.out_of_band or self._results:
            return False
        return self._disclose or (self._dialogue.options.disclose_first and not self._disclosed())

    def _disclosed(self) -> bool:
        """Has the user heard that an AI speaks? The history holds only what was heard."""
        return any(
            isinstance(entry, Message)
            and entry.role == "assistant"
            and discloses(entry.text, entry.language or self._language)
            for entry in self._request.history
        )

    def _asks_nature(self) -> bool:
        """Are we asked whether we are human? No model and no instruction has a say in it."""
        if self._request.out_of_band or self._results:
            return False
        return asks_nature(self._text)

    def _declined(self) -> Clause | None:
        """Return what is said to a topic that the locale's guards decline."""
        guards = self._dialogue.guards.get(self._language)
        if guards is None or self._general or self._request.out_of_band or self._results:
            return None
        offence = guards.asked(self._text)
        if offence is None:
            return None
        logger.info("declined a topic: %s", offence.topic)
        return Clause(offence.instead, self._language)

    async def _greet(self, *, ready: bool) -> AsyncGenerator[ReplyPart, None]:
        """Greet, as an AI: before anything was said, or when a client asks for a first word."""
        model = self._dialogue.model
        phrases = self._dialogue.phrases
        if model is not None and ready and self._general:
            if not self._request.out_of_band and self._variant == 0:
                yield phrases.disclosure(self._language)
            async with aclosing(self._ask(model, None, (), forced=False)) as parts:
                async for part in parts:
                    yield part
            return
        yield phrases.phrase(Phrase.GREETING, self._language, self._variant)
        yield ReplyEnd(source="greeting")

    async def _known_now(self) -> Answer | None:
        """Return the answer from the facts, with prices and stock of this moment."""
        try:
            await self._dialogue.knowledge.refresh(self._text, self._language, self._context)
        except Exception:  # what cannot be looked up is told as what was known last
            logger.exception("prices and stock could not be looked up")
        return self._known()

    def _known(self) -> Answer | None:
        """Return the answer from the facts, if they are sure of it."""
        try:
            answer = self._dialogue.knowledge.answer(self._text, self._language, self._context)
        except Exception:  # a look-up that fails must not leave the caller in silence
            logger.exception("the knowledge failed to answer")
            return None
        if answer is not None:
            self._learn(answer.context)
        return answer

    def _model_leads(self, model: LanguageModel, answer: Answer) -> bool:
        leads = self._dialogue.options.llm_leads
        if self._general or leads == "always":
            return True
        if leads == "never" or model.embedded:
            return False
        return answer.confidence < self._dialogue.options.sure

    async def _without_model(
        self, answer: Answer | None, tools: Sequence[Tool], *, forced: bool
    ) -> AsyncGenerator[ReplyPart, None]:
        if forced and (tool := callable_blindly(tools)) is not None:
            yield ToolCall(self._dialogue.new_id("call"), tool.name, "{}")
            yield ReplyEnd(source="tool")
            return
        backup = self._backup(answer)
        for clause in backup.clauses:
            yield clause
        yield ReplyEnd(source=backup.source)

    def _backup(self, answer: Answer | None) -> Backup:
        """Return what is said without a model: the answer, a tool's result, or the fallback."""
        if answer is not None:
            self._trace.answered(answer, "facts:sure")
            return Backup(answer.clauses, sure=True, source=_source(answer))
        if self._results:
            told = tell_result(self._results[-1].output, self._language)
            if told:
                return Backup((Clause(told, self._language),), sure=True, source="tool")
        apology = self._dialogue.phrases.phrase(
            Phrase.APOLOGY_ANSWER, self._language, self._variant
        )
        if self._general or not self._text:
            return Backup((apology,), sure=False)
        try:
            fallback = self._dialogue.knowledge.fallback(self._text, self._language, self._context)
        except Exception:
            logger.exception("the knowledge has no fallback")
            return Backup((apology,), sure=False)
        self._learn(fallback.context)
        self._trace.answered(fallback, "facts:nearest")
        return Backup(fallback.clauses or (apology,), sure=bool(fallback.facts))

    async def _ask(
        self, model: LanguageModel, answer: Answer | None, tools: Sequence[Tool], *, forced: bool
    ) -> AsyncGenerator[ReplyPart, None]:
        """Let the model answer, or call a tool."""
        dialogue, patience = self._dialogue, self._dialogue.options.patience
        opened = False
        if model.embedded and tools and not self._results:
            if not self._general and not forced:
                yield dialogue.phrases.opener(self._language, self._variant)
                opened = True
            call = await choose(model, dialogue, self._request, tools, self._trace, forced=forced)
            if call is not None:
                yield call
                yield ReplyEnd(source="tool")
                return
        facts = self._facts(answer)
        trace = self._trace
        trace.asked(model, dialogue.prompts.version.id)
        trace.rules[f"leads:{dialogue.options.llm_leads}"] = None
        if self._general:
            trace.inputs["instructions"] = None
        elif trace.memory.turn:
            trace.inputs["memory"] = None
        if answer is not None:
            trace.intent, trace.confidence = answer.intent, answer.confidence
        chat = self._chat(model, facts, tools)
        brief = Brief(
            request=chat,
            gate=turn_gate(
                dialogue, self._request, self._language, facts, acted=bool(self._results)
            ),
            facts=facts,
            language=self._language,
            question=self._text,
            variant=self._variant,
            opener_s=None if opened or forced else self._opener_s(model),
            sentences=dialogue.options.sentences_general if self._general else patience.sentences,
            identify=dialogue.identify if self._general else None,
            languages=dialogue.languages,
            client_limit=chat.max_tokens == self._request.max_output_tokens,
        )
        reply = ModelReply(
            model,
            dialogue.phrases,
            dialogue.splitter(self._language),
            patience,
            lambda: self._backup(answer),
        )
        async with aclosing(reply.parts(brief)) as parts:
            async for part in parts:
                if isinstance(part, ReplyEnd):
                    trace.worded(reply.used, reply.held_back, reply.failure)
                    if not reply.failure:
                        self._remember(answer, reply.used)
                yield part
        logger.info(
            "model reply: prompt %s, %d facts, %d held back, %s",
            dialogue.prompts.version.id,
            len(facts),
            len(reply.held_back),
            reply.failure or "as it came",
        )

    def _opener_s(self, model: LanguageModel) -> float:
        """At once before the slow model, unless this may be small talk with somebody's own bot."""
        if model.embedded and not self._general:
            return 0.0
        return self._dialogue.options.patience.opener_s

    def _facts(self, answer: Answer | None) -> tuple[Fact, ...]:
        found = list(answer.facts) if answer is not None else []
        if self._text:
            try:
                retrieved = self._dialogue.knowledge.retrieve(
                    self._text, self._language, self._context, self._dialogue.options.facts
                )
            except Exception:
                logger.exception("the knowledge failed to retrieve")
                retrieved = ()
            ids = {fact.source_id for fact in found}
            found += [fact for fact in retrieved if fact.source_id not in ids]
        return screen_facts(found[: self._dialogue.options.facts])

    def _chat(
        self, model: LanguageModel, facts: tuple[Fact, ...], tools: Sequence[Tool]
    ) -> ChatRequest:
        options, request = self._dialogue.options, self._request
        limit = options.max_tokens_general if self._general else options.max_tokens
        wish = request.max_output_tokens
        if wish is not None:
            limit = wish if self._general else min(limit, wish)
        messages = self._dialogue.prompts.answer(
            request.history,
            facts,
            self._language,
            request.instructions,
            self._trace.memory,
            caller=self._caller(),
        )
        native = () if model.embedded else tuple(tools)
        # After a result the model may answer: a choice once demanded has been made.
        choice = "auto" if self._results else request.tool_choice
        return ChatRequest(messages, limit, tools=native, tool_choice=choice)

    def _caller(self) -> str:
        """Return how to speak to this caller, and what they agreed to be known of them."""
        context, known = self._context, ""
        if context.bought or context.likes:
            known = told(context, self._dialogue.knowledge.product_names())
            self._trace.knew(context)
        return " ".join(part for part in (TOLD.get(context.level, ""), known) if part)

    def _remember(self, answer: Answer | None, used: Sequence[Fact]) -> None:
        """Keep the thread after the model answered: what "it" is in the next question."""
        if answer is not None:
            return  # its context is noted already
        product = next((fact.product_id for fact in used if fact.product_id), None)
        context = replace(self._context, turn=self._context.turn + 1)
        if product is not None:
            context = replace(context, last_product=product)
        self._learn(context)


def _source(answer: Answer) -> str:
    return "faq" if any(fact.kind == "faq" for fact in answer.facts) else "facts"
