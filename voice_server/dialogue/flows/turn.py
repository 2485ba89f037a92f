"""One turn through the flows: the shell that fulfils what the engine needs.

Whatever has an effect (proving who it is, a code, a write, a hand-off) waits for the reply to be
committed; until then the turn works on its own copy of the state and only reads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from voice_server.dialogue.answers.phrasing import breathe
from voice_server.dialogue.dialogue import (
    Citation,
    Clause,
    ClauseKind,
    HistoryEntry,
    Message,
    Phrase,
    ReplyEnd,
    ReplyPart,
)
from voice_server.dialogue.facts import Answer, Context
from voice_server.dialogue.flows import commands
from voice_server.dialogue.flows.engine import FlowRun
from voice_server.dialogue.flows.needs import (
    Advance,
    AskHuman,
    Handed,
    Need,
    NotAllowed,
    OrderRead,
    Prove,
    ReadOrder,
    Result,
    SendWrite,
    ToldOf,
    TryCode,
    WantCode,
    WriteEnded,
)
from voice_server.dialogue.flows.ports import HandOffOutcome, HandOffWish
from voice_server.dialogue.flows.scene import FlowScene
from voice_server.dialogue.flows.shop_flows import FlowSession, ShopFlows
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.llm.model import ChatRequest, LanguageModel
from voice_server.dialogue.phrases import Phrases
from voice_server.dialogue.prompt import ShopIdentity, last_user
from voice_server.dialogue.write_gate import GateState, Lost
from voice_server.shop.platform import PlatformDown, PlatformError

logger = logging.getLogger(__name__)

COMMIT_S = 10.0
"""A reply that is not committed in this time never will be (the conversation's SPECULATION_S):
it ends without having done anything."""
READ_S = 5.0
"""Reading an order; then the caller hears that orders are out of reach."""
KEPT_S = 20.0
"""An order is read again after so long: the questions of one flow look at it turn by turn. Before
a write it is always read again (:mod:`voice_server.dialogue.flows.writes`)."""
HAND_OFF_S = 8.0
"""A desk gets so long; then the caller gets the telephone number."""
FILLER_S = 2.5
"""Between fillers while something is waited for; the conversation apologises after 4 s."""


@dataclass(frozen=True, slots=True)
class FlowInput:
    """What a turn starts from."""

    history: tuple[HistoryEntry, ...]
    language: str
    languages: tuple[str, ...]
    state: FlowState
    context: Context
    committed: asyncio.Event
    """Set when the reply is being spoken."""
    learn: Callable[[FlowState, Context], None]
    """Takes the state that holds after the reply, each time it is known better."""


@dataclass(frozen=True, slots=True)
class CommandModel:
    """Who proposes commands where rules are not sure."""

    model: LanguageModel
    shop: ShopIdentity
    patience_s: float


class FlowTurn:
    """One reply of the flows, if :attr:`handled` after :meth:`parts`."""

    def __init__(
        self,
        flows: ShopFlows,
        session: FlowSession,
        given: FlowInput,
        phrases: Phrases,
        model: CommandModel | None,
    ) -> None:
        self._flows = flows
        self._session = session
        self._given = given
        self._phrases = phrases
        self._model = model
        self.handled = False
        place = last_user(given.history)
        entry = given.history[place] if place < len(given.history) else None
        self._text = entry.text.strip() if isinstance(entry, Message) else ""
        before = given.history[place - 1] if 0 < place < len(given.history) else None
        spoke = isinstance(before, Message) and before.role == "assistant"
        self._last_said = before.text if spoke and isinstance(before, Message) else ""
        self._turn = sum(isinstance(e, Message) and e.role == "assistant" for e in given.history)
        self._context = given.context
        self._result: Result | None = None

    async def parts(self) -> AsyncGenerator[ReplyPart, None]:
        """Yield the reply, or nothing if it is not the flows' business."""
        state = self._given.state
        if state.flow and state.flow not in self._flows.flows:
            state = state.ended()  # the pack was edited
        if not state.gate.session:
            state = replace(state, gate=replace(state.gate, session=self._session.session_id))
        scene = self._scene()
        run = FlowRun(scene, state)
        if state.gate.state is GateState.EXECUTING:
            task = self._session.writes.under_way(state.gate.key)
            if task is not None:
                async for clause in self._patiently(task):
                    yield clause
            run.settle(task.result() if task is not None else Lost())
        start = run.state
        advance = run.hear()
        while True:
            if advance.unsure and (model := self._asked(advance)) is not None:
                if model.model.embedded:
                    yield self._phrases.opener(self._given.language, self._turn)
                run, advance = await self._commanded(model, run, start, advance)
            if advance.need is None:
                break
            self.handled = True
            for clause in self._clauses(advance):
                yield clause
            self._result = None
            async with aclosing(self._fulfil(run, advance.need)) as clauses:
                async for clause in clauses:
                    yield clause
            if self._result is None:
                return  # never committed: nobody hears this, and nothing was done
            advance = run.resume(self._result)
            if self._given.committed.is_set():
                self._learn(advance.state)
        self.handled = advance.handled
        if advance.answer is not None:
            self._context = advance.answer.context
        self._learn(advance.state)
        for clause in advance.answer.clauses if advance.answer is not None else ():
            yield clause
        for clause in self._clauses(advance):
            yield clause
        if advance.handled:
            yield ReplyEnd(source="flow")

    def _scene(self) -> FlowScene:
        flows, given, text = self._flows, self._given, self._text
        language = given.language

        @cache
        def intent() -> tuple[str, float]:
            return flows.facts.intent_of(text, language, given.context)

        @cache
        def answer() -> Answer | None:
            return flows.facts.answer(text, language, given.context)

        return FlowScene(
            flows=flows.flows,
            wording=flows.wording(language),
            language=language,
            languages=given.languages,
            text=text,
            last_said=self._last_said,
            mentions=flows.facts.mentions_of(text, language),
            proofs=lambda said, expects: flows.proofs(said, language, expects),
            intent=intent,
            answer=answer,
            allows=self._session.identity.allows,
            proved=self._session.identity.order,
            capabilities=flows.platform.capabilities,
            refusal=flows.platform.refusal,
            now=flows.now(),
            clock=flows.now().timestamp(),
            turn=self._turn,
            product=given.context.last_product or "",
            desk=flows.hand_offs is not None,
        )

    # -- what the engine needs --------------------------------------------------------------

    async def _fulfil(self, run: FlowRun, need: Need) -> AsyncGenerator[Clause, None]:
        """Do it, with fillers while it lasts; no result where the reply was never committed."""
        if isinstance(need, ReadOrder):
            async with aclosing(self._done(self._read(need))) as clauses:
                async for clause in clauses:
                    yield clause
            return
        if not await self._committed():
            return
        if isinstance(need, SendWrite):
            if not run.begin():
                self._result = NotAllowed()
                return
            self._session.orders.clear()
            task = self._session.writes.begin(need.execute)
            self._learn(run.state)
            async for clause in self._patiently(task):
                yield clause
            self._result = WriteEnded(task.result())
        elif isinstance(need, AskHuman):
            handing = self._hand_off(run.state, need)
            async for clause in self._patiently(handing):
                yield clause
            self._result = Handed(handing.result())
        else:
            async with aclosing(self._done(self._identify(need))) as clauses:
                async for clause in clauses:
                    yield clause

    async def _identify(self, need: Prove | WantCode | TryCode) -> Result:
        identity, language = self._session.identity, self._given.language
        if isinstance(need, Prove):
            told = await identity.prove(need.number, need.postcode, language)
        elif isinstance(need, WantCode):
            told = await identity.want_code(language)
        else:
            told = await identity.try_code(need.code, language)
        if identity.order:
            self._context = replace(self._context, order=identity.order)
        return ToldOf(told)

    async def _read(self, need: ReadOrder) -> Result:
        now = asyncio.get_running_loop().time
        known = self._session.orders.get(need.number)
        if known is not None and not need.fresh and now() - known[1] < KEPT_S:
            return OrderRead(known[0])
        try:
            async with asyncio.timeout(READ_S):
                order = await self._flows.platform.find_order(need.number)
            self._session.orders = {need.number: (order, now())}
            return OrderRead(order)
        except (PlatformDown, TimeoutError) as error:
            logger.warning("an order could not be read: %s", type(error).__name__)
        except PlatformError as error:
            logger.warning("an order could not be read: %s", error)
        except Exception:  # a connector's bug must not leave the caller in silence
            logger.exception("an order could not be read")
        return OrderRead(None, down=True)

    def _hand_off(self, state: FlowState, need: AskHuman) -> asyncio.Task[HandOffOutcome]:
        """Call a human, once per reason; an interruption does not take it back."""
        under_way = self._session.handing.get(need.reason)
        if under_way is not None and not (under_way.done() and not under_way.result().accepted):
            return under_way
        identity = self._session.identity
        order = state.order or identity.order
        levels = ((2, "order.address"), (1, "order.status"))
        reached = (level for level, name in levels if identity.allows(name, order))
        wish = HandOffWish(
            session_id=self._session.session_id,
            reason=need.reason,
            intent=state.flow or self._given.context.last_intent or "",
            language=self._given.language,
            identity_level=next(reached, 0),
            order=order,
            slots=need.slots,
            done=state.done,
            refused=state.refused,
            history=self._given.history,
        )
        task = asyncio.get_running_loop().create_task(self._deliver(wish))
        self._session.handing[need.reason] = task
        self._flows.keep(task)
        return task

    async def _deliver(self, wish: HandOffWish) -> HandOffOutcome:
        if self._flows.hand_offs is None:
            return HandOffOutcome(accepted=False)
        try:
            async with asyncio.timeout(HAND_OFF_S):
                return await self._flows.hand_offs.hand_off(wish)
        except TimeoutError:
            logger.warning("the desk did not answer in time")
        except Exception:  # the caller must hear of a way on, whatever the desk does
            logger.exception("the hand-off failed")
        return HandOffOutcome(accepted=False)

    async def _committed(self) -> bool:
        try:
            async with asyncio.timeout(COMMIT_S):
                await self._given.committed.wait()
        except TimeoutError:
            return False
        return True

    async def _done(self, work: Coroutine[Any, Any, Result]) -> AsyncGenerator[Clause, None]:
        """Wait for work that ends with us."""
        task = asyncio.get_running_loop().create_task(work)
        try:
            async for clause in self._patiently(task):
                yield clause
            self._result = task.result()
        finally:
            task.cancel()

    async def _patiently(self, task: asyncio.Task[Any]) -> AsyncGenerator[Clause, None]:
        """Say something every few seconds until the task is done; leaving leaves it alone."""
        rounds = 0
        while not (await asyncio.wait({task}, timeout=FILLER_S))[0]:
            clause = self._phrases.phrase(Phrase.STILL_WORKING, self._given.language, rounds)
            yield replace(clause, kind=ClauseKind.FILLER)
            rounds += 1

    # -- a model's commands -----------------------------------------------------------------

    def _asked(self, advance: Advance) -> CommandModel | None:
        """Return the model if it should be asked for a command."""
        model = self._model
        if model is None or not model.model.ready:
            return None
        if advance.handled:
            return model
        # Outside flows a small model answers faster than it chooses, and the facts come first.
        return None if model.model.embedded or self._scene().answer() is not None else model

    async def _commanded(
        self, model: CommandModel, run: FlowRun, start: FlowState, advance: Advance
    ) -> tuple[FlowRun, Advance]:
        """Return what a model's command makes of the turn, else what the rules made of it."""
        request = ChatRequest(
            commands.command_prompt(
                model.shop, self._flows.flows, start, self._given.history, self._text
            ),
            max_tokens=commands.MOST_TOKENS,
            temperature=0.0,
            schema=commands.command_schema(self._flows.flows, start),
        )
        choice = await commands.choose_command(model.model, request, model.patience_s)
        advance = replace(advance, unsure=False)
        if choice is None:
            return run, advance
        if choice.command == "answer" and advance.handled:
            return run, Advance(start, handled=False)
        fresh = FlowRun(run.scene, start)
        fresh.order = run.order
        told = commands.obey(fresh, choice)
        return (run, advance) if told is None else (fresh, replace(told, unsure=False))

    # -- saying and remembering -------------------------------------------------------------

    def _clauses(self, advance: Advance) -> Sequence[Clause]:
        texts = breathe(list(advance.sentences))
        clauses = [Clause(text, self._given.language) for text in texts]
        if clauses and advance.source:
            source = Citation(advance.source, advance.source.partition(":")[2])
            clauses[0] = replace(clauses[0], citations=(source,))
        return clauses

    def _learn(self, state: FlowState) -> None:
        context = self._context
        if self.handled:
            context = replace(context, awaiting="", turn=self._given.context.turn + 1)
        self._given.learn(state, context)
