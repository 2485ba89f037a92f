"""One session's memory and records, kept beside the turns: nothing counts before its commit."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from voice_server.dialogue.dialogue import (
    Clause,
    HistoryEntry,
    Message,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
)
from voice_server.dialogue.facts import Context
from voice_server.dialogue.guards.masking import Given, Masker
from voice_server.dialogue.journal import AnsweredTurn, Journal
from voice_server.dialogue.memory.digest import Digester
from voice_server.dialogue.memory.keeper import StateKeeper
from voice_server.dialogue.memory.memory import EXCHANGES, Learned, Memory
from voice_server.dialogue.prompt import last_user
from voice_server.dialogue.trace import Trace

logger = logging.getLogger(__name__)

_PENDING = 16
"""Replies that may still be committed: speculation keeps two or three at most."""

_VALUES = 32
"""Personal values of a session that are masked wherever they are said again."""

_SLOTS = ("category", "country", "colour", "size")
"""Fields of the context that a model should know of."""


@dataclass(frozen=True, slots=True)
class Records:
    """Where a shop's dialogues are remembered and reported."""

    shop_id: str = ""
    keeper: StateKeeper | None = None
    journal: Journal | None = None
    digester: Digester | None = None
    """Improves the summary of long talks; None leaves it to the topics."""
    masker: Masker = field(default_factory=Masker)
    """Takes personal data out of what is kept."""


@dataclass(slots=True)
class Pending:
    """A reply that is being made, or waits for its commit."""

    request: ReplyRequest
    trace: Trace
    language: str
    language_reason: str
    said: list[str] = field(default_factory=list)
    source: str = ""
    done: bool = False
    committed: bool = False
    context: Callable[[], Context] = Context
    """What holds after the reply."""
    given: Callable[[], Given] = Given
    """What flows know of the turn's words."""


class Recollection:
    """The memory of one session. Everything is called in the event loop."""

    def __init__(
        self, session_id: str, records: Records, snapshot: Callable[[], Mapping[str, Any]]
    ) -> None:
        """``snapshot`` returns what else of the session is to survive a restart, as JSON."""
        self._session_id = session_id
        self._records = records
        self._snapshot = snapshot
        self.memory = Memory()
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._early: OrderedDict[str, None] = OrderedDict()
        self._given: OrderedDict[int, Given] = OrderedDict()
        self.values: tuple[str, ...] = ()
        """Personal values that the caller has given: masked wherever they are said again."""

    def restore(self) -> Mapping[str, Any] | None:
        """Take over the memory of an earlier connection; return what was kept beside it."""
        keeper = self._records.keeper
        state = keeper.recall(self._session_id) if keeper is not None else None
        if state is None:
            return None
        try:
            self.memory = Memory.from_json(state.get("memory") or {})
        except ValueError as error:
            logger.warning("a session's memory cannot be read: %s", error)
            return None
        return state

    def change(self, memory: Memory) -> None:
        """Let another memory hold, and keep it: a promise made or kept, a slot of a flow."""
        self.memory = memory
        self._keep()

    def begin(
        self,
        request: ReplyRequest,
        language: str,
        language_reason: str,
        context: Callable[[], Context],
        given: Callable[[], Given] = Given,
    ) -> Pending:
        """Open the notes of a reply; its trace holds the memory that the turn may look at."""
        memory = _heard(self.memory, request.history)
        trace = Trace(memory=memory)
        pending = Pending(request, trace, language, language_reason, context=context, given=given)
        if request.out_of_band:
            return pending
        self._pending[request.reply_id] = pending
        _trim(self._pending)
        if request.reply_id in self._early:
            del self._early[request.reply_id]
            pending.committed = True
        return pending

    async def observe(
        self, parts: AsyncGenerator[ReplyPart, None], pending: Pending
    ) -> AsyncGenerator[ReplyPart, None]:
        """Pass a reply on, and conclude it at its end or where it was broken off."""
        try:
            async with aclosing(parts) as stream:
                async for part in stream:
                    if isinstance(part, Clause):
                        pending.said.append(part.text)
                    elif isinstance(part, ReplyEnd):
                        pending.source = part.source
                    yield part
        finally:
            pending.done = True
            if pending.committed:
                self._apply(pending)

    def commit(self, reply_id: str) -> None:
        """The reply is being spoken: it is remembered once it is whole, or broken off."""
        pending = self._pending.get(reply_id)
        if pending is None:
            self._early[reply_id] = None
            _trim(self._early)
            return
        if not pending.committed:
            pending.committed = True
            if pending.done:
                self._apply(pending)

    def _apply(self, pending: Pending) -> None:
        self._pending.pop(pending.request.reply_id, None)
        trace, request = pending.trace, pending.request
        place = last_user(request.history)
        entry = request.history[place] if place < len(request.history) else None
        user = entry.text.strip() if isinstance(entry, Message) else ""
        assistant = " ".join(pending.said)
        if not pending.source:
            trace.rules["cut"] = None  # a barge-in ended it
        decision = trace.decision(
            request.reply_id,
            self._session_id,
            self._records.shop_id,
            source=pending.source or ("llm" if trace.model else "facts"),
            language=pending.language,
            language_reason=pending.language_reason,
        )
        again = len(request.history) - 1 > place
        given, context = self._know(pending.given()), pending.context()
        if user:
            learned = Learned(
                user=user,
                assistant=assistant,
                language=pending.language,
                intent=trace.intent,
                sources=tuple((fact.source_id, fact.title) for fact in trace.facts),
                products=_products(trace, context),
                offered=context.listed,
                slots=tuple((name, getattr(context, name) or "") for name in _SLOTS),
                decision=None if trace.explains else decision.to_json(),
                again=again,
            )
            self.memory = _heard(self.memory, request.history).after(learned)
            self._given[self.memory.turn] = given
            while len(self._given) > EXCHANGES:
                self._given.popitem(last=False)
            self._keep()
            if self._records.digester is not None:
                self._records.digester.submit(
                    self._session_id, self.memory, lambda change: self.change(change(self.memory))
                )
        if self._records.journal is not None:
            self._records.journal.answered(
                AnsweredTurn(
                    "" if again else user,
                    assistant,
                    pending.language,
                    decision,
                    given,
                    context.order or "",
                )
            )

    def _know(self, given: Given) -> Given:
        """Remember the personal values of a turn, and return it with those of earlier turns."""
        self.values = tuple(dict.fromkeys((*given.values, *self.values)))[:_VALUES]
        return Given(given.asked, self.values)

    def _keep(self) -> None:
        if self._records.keeper is not None:
            state = {**self._snapshot(), "memory": self._masked().to_json()}
            self._records.keeper.keep(self._session_id, state)

    def _masked(self) -> Memory:
        """Return the memory as it may be kept."""
        masker, values = self._records.masker, Given(values=self.values)

        def user(text: str, language: str, turn: int) -> str:
            return masker.user(text, language, self._given.get(turn, values))

        def assistant(text: str, language: str) -> str:
            return masker.assistant(text, language, values)

        return self.memory.masked(user, assistant)


def _products(trace: Trace, context: Context) -> tuple[str, ...]:
    spoken = [fact.product_id for fact in trace.facts if fact.product_id]
    return tuple(dict.fromkeys((*context.offered, *spoken)))


def _heard(memory: Memory, history: Sequence[HistoryEntry]) -> Memory:
    """Return the memory with its last answer as far as it was heard, which the history knows."""
    if not memory.exchanges:
        return memory
    place = last_user(history)
    said: list[str] = []
    for entry in reversed(history[:place]):
        if isinstance(entry, Message) and entry.role == "assistant":
            said.insert(0, entry.text)
        elif isinstance(entry, Message) and entry.role == "user":
            mine = entry.text.strip().startswith(memory.exchanges[-1].user.removesuffix(" …"))
            return memory.heard(" ".join(said)) if mine else memory
    return memory


def _trim(pending: OrderedDict[str, Any]) -> None:
    while len(pending) > _PENDING:
        pending.popitem(last=False)
