"""The dialogue with one user of a shop: what holds now, and what a reply would change of it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from voice_server.dialogue.answering import Turn
from voice_server.dialogue.dialogue import Clause, Message, Phrase, ReplyPart, ReplyRequest
from voice_server.dialogue.facts import Context
from voice_server.dialogue.flows.private import at_rest, given_of
from voice_server.dialogue.flows.shop_flows import FlowSession
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.flows.turn import CommandModel, FlowInput, FlowTurn
from voice_server.dialogue.language import LanguageTracker
from voice_server.dialogue.level import hear
from voice_server.dialogue.memory.memory import Memory
from voice_server.dialogue.memory.state import read_state, state_of
from voice_server.dialogue.personal import PersonalConsent, Profile, admit, forget, withdraws
from voice_server.dialogue.prompt import last_user
from voice_server.dialogue.recollection import Recollection, Records
from voice_server.dialogue.resources import Resources
from voice_server.dialogue.trace import Trace, language_reason


@dataclass(slots=True)
class _Effects:
    """What a reply changes once it is committed."""

    tracker: LanguageTracker
    context: Context
    flow: FlowState = field(default_factory=FlowState)
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    discloses: bool = False


_REMEMBERED = 16
"""Replies that may still be committed: speculation keeps two or three at most."""

SLOWLY = 0.8
"""Speed of speech, of the session's own, for callers who asked for it."""


class ShopSession:
    """The dialogue with one user."""

    def __init__(
        self,
        resources: Callable[[], Resources],
        tracker: LanguageTracker,
        flow_session: FlowSession | None = None,
        *,
        session_id: str = "",
        records: Records | None = None,
    ) -> None:
        """Opened by :meth:`ShopDialogue.open`; ``resources`` returns those that hold now."""
        self._newest = resources
        self._tracker = tracker
        self._flow_session = flow_session
        self._context = Context()
        self._flow = FlowState()
        records = records or Records()
        self._masker = records.masker
        self._recollection = Recollection(session_id, records, self._state)
        self._effects: OrderedDict[str, _Effects] = OrderedDict()
        self._early: OrderedDict[str, None] = OrderedDict()
        self._handed_back = False

    @property
    def _resources(self) -> Resources:
        return self._newest()

    @property
    def language(self) -> str:
        """The language spoken now."""
        return self._tracker.language

    @property
    def hint(self) -> str:
        """Names the recogniser should expect."""
        return self._resources.knowledge.names_hint()

    @property
    def context(self) -> Context:
        """What the committed answers have been about."""
        return self._context

    @property
    def flow(self) -> FlowState:
        """Where the committed flow stands; :meth:`FlowState.to_json` keeps it."""
        return self._flow

    @property
    def memory(self) -> Memory:
        """What the committed turns have left: slots, references, promises, a summary."""
        return self._recollection.memory

    def remember(self, change: Callable[[Memory], Memory]) -> None:
        """Change the memory: a promise made or kept, a slot that a flow has filled."""
        self._recollection.change(change(self.memory))

    def resume(self) -> None:
        """Go on where an earlier connection of this session was, if that is remembered."""
        state = self._recollection.restore()
        if state is not None:
            before = read_state(state, self._tracker)
            self._tracker, self._context, self._flow = before

    def _state(self) -> dict[str, Any]:
        flows = self._resources.flows
        values = self._recollection.values
        kept = at_rest(flows.flows if flows else {}, self._flow, self._masker, values)
        return state_of(self._tracker, self._context, kept)

    def resume_flow(self, state: FlowState) -> None:
        """Go on with what an earlier session of the same caller had reached."""
        self._flow = state

    def handed_back(self) -> None:
        """Say again that an AI speaks: a human has spoken in our place and has gone (R2)."""
        self._handed_back = True

    def phrase(self, kind: Phrase, variant: int = 0) -> Clause:
        """Return a fixed sentence in the session's language."""
        return self._resources.phrases.phrase(kind, self.language, variant)

    def prefer(self, language: str | None) -> None:
        """Take the client's word for the language from now on; the user may still ask for another.

        None, or a language the shop does not serve, changes nothing.
        """
        if language in self._resources.languages and language is not None:
            self._tracker = LanguageTracker(self._resources.languages, language, decided=True)

    def know(self, profile: Profile, consent: PersonalConsent) -> None:
        """Use what the caller agreed to of their profile, and nothing else, from the next turn."""
        self._context = admit(self._context, profile, consent)

    def commit(self, reply_id: str) -> None:
        """Let a reply's effects hold, those it still has to have included.

        May come before the reply is asked for (a turn that speaks a filler while its words are
        still being recognised).
        """
        effects = self._effects.get(reply_id)
        if effects is None:
            self._early[reply_id] = None
            _trim(self._early)
            return
        effects.committed.set()
        self._handed_back = self._handed_back and not effects.discloses
        self._tracker = effects.tracker
        self._context = effects.context
        self._flow = effects.flow
        self._recollection.commit(reply_id)

    def reply(self, request: ReplyRequest) -> AsyncGenerator[ReplyPart, None]:
        """See :class:`DialogueSession`. Nothing is looked up before the first part is taken."""
        before = self.language
        effects = self._look_ahead(request)

        def learn(context: Context) -> None:
            if not request.out_of_band:
                self._learn(effects, context)

        resources, language = self._resources, effects.tracker.language
        flow = self._flow_turn(resources, request, effects)
        flows, started = (resources.flows.flows if resources.flows else {}), effects.flow
        notes = self._recollection.begin(
            request,
            language,
            language_reason(before, language, _asked(request), resources.languages),
            lambda: effects.context,
            lambda: given_of(flows, started, effects.flow),
        )
        effects.discloses = self._handed_back
        turn = Turn(
            resources,
            request,
            language,
            effects.context,
            learn,
            flow,
            notes.trace,
            disclose=self._handed_back,
        )
        return self._recollection.observe(self._paced(turn.parts(), effects), notes)

    async def foresee(self, request: ReplyRequest) -> None:
        """Have the embedded model read the facts while the user still speaks."""
        resources = self._resources
        model = resources.model
        if model is None or not model.embedded or not model.ready:
            return
        effects = self._look_ahead(request)
        self._effects.pop(request.reply_id, None)

        def learn(context: Context) -> None:
            """Nothing is learnt from words that may still change."""

        trace = Trace(memory=self.memory)  # the prompt must be the one that will be asked
        language = effects.tracker.language
        turn = Turn(resources, request, language, effects.context, learn, trace=trace)
        messages = turn.foreseen()
        if messages is not None:
            await model.foresee(messages)

    def _flow_turn(
        self, resources: Resources, request: ReplyRequest, effects: _Effects
    ) -> FlowTurn | None:
        """Return the flows' part of a turn; a client's own assistant has none of it."""
        flows, session = resources.flows, self._flow_session
        if flows is None or session is None or request.out_of_band:
            return None
        if request.instructions is not None:
            return None

        def learn(state: FlowState, context: Context) -> None:
            effects.flow = state
            self._learn(effects, context)

        patience = resources.options.patience.choice_s
        model = (
            CommandModel(resources.model, resources.prompts.shop, patience)
            if resources.model is not None
            else None
        )
        given = FlowInput(
            request.history,
            effects.tracker.language,
            resources.languages,
            effects.flow,
            effects.context,
            effects.committed,
            learn,
        )
        return FlowTurn(flows, session, given, resources.phrases, model)

    async def _paced(
        self, parts: AsyncGenerator[ReplyPart, None], effects: _Effects
    ) -> AsyncGenerator[ReplyPart, None]:
        """Speak slowly to who asked for it."""
        async with aclosing(parts) as stream:
            async for part in stream:
                if effects.flow.slow and isinstance(part, Clause):
                    part = replace(part, speed=SLOWLY)
                yield part

    def _look_ahead(self, request: ReplyRequest) -> _Effects:
        """Return what would change, from what holds now."""
        tracker, context = self._tracker, self._context
        place = last_user(request.history)
        answered = len(request.history) - 1 > place  # a tool's result: this turn was heard before
        if place < len(request.history) and not answered and not request.out_of_band:
            entry = request.history[place]
            tracker = tracker.hear(
                entry.text if isinstance(entry, Message) else "",
                identify=self._resources.identify,
                detected=request.detected_language,
                probability=request.language_probability,
            )
            context = self._overhear(_asked(request), tracker.language)
        effects = _Effects(tracker, context, self._flow)
        if not request.out_of_band:
            self._effects[request.reply_id] = effects
            _trim(self._effects)
            if request.reply_id in self._early:
                del self._early[request.reply_id]
                self.commit(request.reply_id)
        return effects

    def _overhear(self, text: str, language: str) -> Context:
        """Return the context with what an utterance says of the caller.

        Consent that is taken back is gone at once, whatever becomes of the reply.
        """
        if withdraws(text, language):
            self._context = forget(self._context)
        return hear(self._context, text, language)

    def _learn(self, effects: _Effects, context: Context) -> None:
        """Note what a reply is about; it holds at once if the reply is committed already."""
        effects.context = context
        if effects.committed.is_set():
            self._context = context
            self._flow = effects.flow


def _asked(request: ReplyRequest) -> str:
    place = last_user(request.history)
    entry = request.history[place] if place < len(request.history) else None
    return entry.text if isinstance(entry, Message) else ""


def _trim(memory: OrderedDict[str, Any]) -> None:
    """Forget the oldest replies: speculation makes more of them than are ever committed."""
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
