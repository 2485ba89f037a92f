"""The steps of a declared flow: identify, ask, write, tell, hand off; and what comes of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from voice_server.dialogue.flows.declared import Flow, FlowStep
from voice_server.dialogue.flows.needs import (
    Advance,
    AskHuman,
    Handed,
    NotAllowed,
    OrderRead,
    Prove,
    ReadOrder,
    Result,
    SendWrite,
    ToldOf,
    WantCode,
    WriteEnded,
)
from voice_server.dialogue.flows.ports import Proofs
from voice_server.dialogue.flows.speaking import FlowSpeech
from voice_server.dialogue.flows.state import Expects
from voice_server.dialogue.flows.wording import EARLY, build_write, happened, snapshot, trial
from voice_server.dialogue.identity.events import Outcome
from voice_server.dialogue.write_gate import (
    Begin,
    Command,
    Execute,
    Forbidden,
    GateState,
    LookAgain,
    Lost,
    NotDone,
    Propose,
    ReadAgain,
    Report,
    SayReadBack,
    Settled,
)

FREE_TEXT = frozenset({"text", "street", "city"})
"""Slots that take almost any words."""

NOT_EARLY = FREE_TEXT | {"postcode"}
"""Slots that are never read from the words that began the flow: the postcode in them proves whose
order it is, it is not that of a new address."""


_SENTENCES = re.compile(r"(?<=\w{4}[.?!]) (?=[^\W\d_a-z])")
"""Where a read-back may be breathed: between sentences, not behind "St." """


class FlowSteps(FlowSpeech):
    """Carries a flow on from the step that is due."""

    def resume(self, result: Result) -> Advance:
        """Go on after a need was fulfilled."""
        if isinstance(result, ToldOf):
            return self._told(result)
        if isinstance(result, WriteEnded):
            return self._commands(self._gate(result.event))
        if isinstance(result, NotAllowed):
            return self._commands((Forbidden("identity"),))
        if isinstance(result, Handed):
            return self._handed(result)
        return self._order_read(result)

    def settle(self, event: Settled | NotDone | Lost) -> None:
        """Take the outcome of a write whose reply was cut off; call it before :meth:`hear`."""
        for command in self._gate(event):
            if isinstance(command, Report):
                self._before += self._reported(command)

    def begin(self) -> bool:
        """The turn is committed: may the confirmed write leave now? The gate is told."""
        write = self._write()
        allowed = self.scene.allows(f"write.{write.action}", write.order)
        self._gate(Begin(allowed))
        return self.state.gate.state is GateState.EXECUTING

    def _go_on(self) -> Advance:
        """Run the flow from the step that is due to the next question, need or end."""
        flow = self._flow()
        while self.state.place < len(flow.steps):
            done = self._step(flow, flow.steps[self.state.place])
            if done is not None:
                return done
            self.state = replace(self.state, place=self.state.place + 1, tries=0)
        self.state = self.state.ended()
        return self._advance()

    def _step(self, flow: Flow, step: FlowStep) -> Advance | None:
        """Do one step; None when it is done."""
        if step.identify:
            return self._identify(flow, step.identify)
        if step.hand_off:
            return self._call_human(step.hand_off)
        if step.tell == "estimate":
            where = next(s.ask for s in flow.steps if s.type == "country")
            country = self.state.slot(where)
            self._source = f"policy:delivery_{country}"
            self._tell(self.scene.wording.estimate(country, flow, self.scene.now))
            return None
        if self.order is None and self.state.order:
            return self._need(ReadOrder(self.state.order))
        if step.ask:
            return self._slot(step)
        if step.write is not None:
            return self._propose(flow, step)
        assert self.order is not None, "status and refund follow an identify step"  # noqa: S101
        wording = self.scene.wording
        tell = wording.status if step.tell == "status" else wording.refunds
        self._tell(tell(self.order, self.scene.now))
        return None

    def _identify(self, flow: Flow, name: str) -> Advance | None:
        state, scene = self.state, self.scene
        if state.order and scene.allows(name, state.order):
            return self._early(flow)
        if state.order and scene.allows("order.status", state.order):
            return self._early(flow) or self._need(WantCode())
        said = scene.proofs(state.opening, "") if state.opening else Proofs()
        if said.number or said.postcode:
            return self._need(Prove(said.number, said.postcode))
        return self._question("number")

    def _early(self, flow: Flow) -> Advance | None:
        """Tell what cannot be done before the caller has answered ten questions."""
        if self.order is None:
            return self._need(ReadOrder(self.state.order))
        write = next((step.write for step in flow.steps if step.write), None)
        if write is None:
            return None
        reason = self.scene.refusal(trial(write, self.order), self.order)
        return self._refuse(reason) if reason in EARLY else None

    def _slot(self, step: FlowStep) -> Advance | None:
        if self.state.slot(step.ask):
            return None
        value = self._only(step)
        if not value and self.state.opening and step.type not in NOT_EARLY:
            value = self._read(step, self.state.opening)
        if value:
            self.state = self.state.with_slot(step.ask, value)
            return None
        return self._question("slot")

    def _only(self, step: FlowStep) -> str:
        """Return the value that leaves no choice."""
        items = self.order.items if self.order else ()
        if step.type == "line" and len(items) == 1:
            return items[0].line_id
        line = next((i for i in items if i.line_id == self.state.slot("line")), None)
        if step.type == "country":
            named = self._read(step, self.state.opening)
            return named or self.scene.wording.home
        return "1" if step.type == "quantity" and line and line.quantity == 1 else ""

    def _read(self, step: FlowStep, text: str) -> str:
        line = self.state.slot("line") if step.type != "line" else ""
        return self.scene.wording.slots.read(step, text, self.scene.mentions, self.order, line)

    def _propose(self, flow: Flow, step: FlowStep) -> Advance:
        order = self.order
        assert order is not None and step.write is not None  # noqa: S101, PT018 - see _step
        write = build_write(step.write, order, self.state, tuple(step.values.items()))
        reason = self.scene.refusal(write, order)
        if reason:
            return self._refuse(reason)
        self.state = replace(self.state, expects="consent", language=self.scene.language)
        allowed = self.scene.allows(f"write.{write.action}", order.number)
        text = self.scene.wording.read_back(write, order, flow)
        event = Propose(write, text, self.scene.language, allowed, snapshot(write, order))
        return self._commands(self._gate(event))

    def _question(self, expects: Expects) -> Advance:
        self.state = replace(self.state, expects=expects)
        return self._ask()

    def _expect(self, expects: Expects) -> Advance:
        """Say what comes before, which is a question already."""
        self.state = replace(self.state, expects=expects)
        return self._advance()

    def _ask(self, *first: str) -> Advance:
        """Put the question that is open (again), in the language of now."""
        expects = self.state.expects
        if expects == "consent":
            self._before += first
            return self._with_order(self._go_on)
        if expects == "slot":
            return self._with_order(lambda: self._advance(*first, *self._slot_question()))
        key = {"number": "ask_order", "offer_human": "offer_human"}.get(expects, f"ask_{expects}")
        return self._advance(*first, *self._say(key))

    def _again(self, key: str) -> Advance:
        """Say it again: word for word in the same language, else the question that is open."""
        first = self._say(key) if key else ()
        if not self.state.active:
            return self._advance(*first, *filter(None, [self.scene.last_said]))
        same = self.state.language == self.scene.language and self.state.expects != "consent"
        if same and self.state.said:
            return self._advance(*first, *self.state.said)
        return self._ask(*first)

    def _commands(self, commands: Sequence[Command]) -> Advance:
        """Do what the gate says; it never says more than one thing."""
        command = commands[0]
        if isinstance(command, SayReadBack):
            why = self._say(f"again_{command.why}") if command.why else ()
            return self._advance(*why, *_SENTENCES.split(command.text))
        if isinstance(command, Execute):
            return self._need(SendWrite(command), *self._say("on_it"))
        if isinstance(command, LookAgain):
            return self._need(ReadOrder(command.order, fresh=True))
        if isinstance(command, Forbidden):
            self.state = self.state.ended()
            return self._advance(*self._say(f"forbidden_{command.reason}"))
        sentences = self._reported(command)
        if command.outcome == "refused":
            self._before += sentences
            return self._offer()
        if command.outcome == "unknown":
            return self._need(AskHuman("unknown_outcome", self.state.slots), *sentences)
        return self._advance(*sentences)

    def _told(self, result: ToldOf) -> Advance:
        told = result.told
        self._before += (told.text,) if told.text else ()
        match told.outcome:
            case Outcome.PROVED:
                self._before = ()
                self.state = replace(self.state, order=told.order, tries=0)
                return self._go_on()
            case Outcome.CODE_PROVED:
                self._before = ()
                return self._go_on()
            case Outcome.NEED_POSTCODE:
                return self._expect("postcode")
            case Outcome.NEED_NUMBER | Outcome.NEED_BOTH | Outcome.NOT_PROVED:
                return self._expect("number")
            case Outcome.CODE_SENT | Outcome.CODE_WRONG:
                return self._expect("code")
            case Outcome.RESEND_LATER if self.state.expects == "code":
                return self._expect("code")
            case _:
                return self._offer()

    def _order_read(self, result: OrderRead) -> Advance:
        waiting, self._waiting = self._waiting, None
        if self.state.gate.state is GateState.UNKNOWN:
            return self._reread(result, waiting)
        if result.order is None:
            self.state = self.state.ended()
            return self._advance(*self._say("orders_down"))
        self.order = result.order
        return waiting() if waiting is not None else self._go_on()

    def _reread(self, result: OrderRead, waiting: Callable[[], Advance] | None) -> Advance:
        """Settle a lost write by what the order says now."""
        write, found = self._write(), result.order
        known = happened(write, self.state.gate.before, found) if found is not None else None
        self.order = found
        commands = self._gate(ReadAgain(known))
        if waiting is None:
            return self._commands(commands)
        if known is not None:
            self._before += self._reported(commands[0])
        self.order = None
        return waiting()

    def _handed(self, result: Handed) -> Advance:
        outcome, state = result.outcome, self.state.ended()
        if not outcome.accepted:
            self.state = state
            return self._advance(*self._say("handoff_failed"))
        self.state = replace(state, handed=outcome.reference or "taken")
        if outcome.callback_at is not None:
            when = self.scene.wording.moment(outcome.callback_at)
            return self._advance(*self._say("handed_callback", **when))
        key = "handed_ref" if outcome.reference else "handed"
        return self._advance(*self._say(key, reference=outcome.reference))
