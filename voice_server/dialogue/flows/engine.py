"""Runs declared flows, one caller's turn at a time.  Sans-I/O.

:class:`FlowRun` gets the caller's words (:meth:`FlowRun.hear`) and answers with an
:class:`~voice_server.dialogue.flows.needs.Advance`: sentences, the next state, and perhaps a need
(prove an order, read it, send a write, call a human).  The shell fulfils the need, for a committed
turn only where it has effects, and comes back with :meth:`FlowRun.resume`.

Every flow inherits the same patterns, looked for in this order: human (also key 0), repeat,
slower, wait, the answer to a read-back or an offer, correct, stop, the slot that is due, another
clarify, another flow, a question to the facts; what nobody understands is asked again, twice, and
then given to a human.
"""

from __future__ import annotations

from dataclasses import replace

from voice_server.dialogue.consent import Consent, heard_words, read_consent
from voice_server.dialogue.flows.declared import Flow
from voice_server.dialogue.flows.needs import Advance, Prove, ReadOrder, TryCode
from voice_server.dialogue.flows.slots import grounded
from voice_server.dialogue.flows.steps import FREE_TEXT, FlowSteps
from voice_server.dialogue.language import explicit_request
from voice_server.dialogue.locales import load_locale
from voice_server.dialogue.write_gate import GateState, Heard, Report, SayReadBack, Withdraw

MOST_TRIES = 2
"""Times a question is put again before a human is called."""
SURE = 0.6
"""Confidence of the classifier from which its intent begins a flow (as for the knowledge)."""
LONGEST_REMARK = 9
"""Words of "could you say that a little more slowly please"."""
KEY_ZERO = "0"
"""The text of a turn that is the phone's key 0."""

_NO_DIGRESSION = frozenset(
    {"affirm", "deny", "greeting", "thanks", "goodbye", "smalltalk", "repeat", "off_topic"}
    | {"order_status", "human", "complaint", "capabilities"}
)
"""Intents that do not interrupt a flow: inside one they mean something else."""


class FlowRun(FlowSteps):
    """One turn of one caller: :meth:`hear`, then :meth:`resume` for as long as there are needs."""

    def hear(self) -> Advance:
        """Take the caller's words."""
        if self.state.gate.state is GateState.CONFIRMED:
            self._gate(Withdraw())  # its reply was never spoken: nothing was sent
        if self.state.gate.state is GateState.UNKNOWN and not self._looked:
            self._looked, self._waiting = True, self.hear
            return self._need(ReadOrder(self._write().order, fresh=True))
        self._retell()
        scene = self.scene
        if self._wants_human():
            if not (scene.desk or self.state.active or scene.text == KEY_ZERO):
                return self._advance(handled=False)  # the knowledge says how to reach one
            return self._call_human("asked")
        if self._remark("slower"):
            self.state = replace(self.state, slow=True)
            return self._again("slower_ok")
        if not self.state.active:
            return self._outside()
        if explicit_request(scene.text, scene.languages) and len(scene.text.split()) <= 8:
            return self._ask()
        if self._remark("repeat"):
            return self._again("")
        if self._remark("wait"):
            return self._advance(*self._say("wait_ok"))
        if self.state.expects == "consent":
            return self._with_order(self._consent)
        if self.state.expects == "offer_human":
            return self._offered()
        if self._stops():
            return self._stop()
        return self._with_order(self._fill)

    def start(self, flow_id: str) -> Advance | None:
        """Begin a flow that a model proposes; None if there is no such flow, or it is not due."""
        flow = self.scene.flows.get(flow_id)
        if flow is None or flow.answer or flow_id == self.state.flow:
            return None
        return self._start(flow)

    def set_slot(self, slot: str, value: str) -> Advance | None:
        """Fill the slot that is due with what a model read in the caller's own words."""
        step = self._due()
        if self.state.expects != "slot" or step is None or step.ask != slot:
            return None
        said = step.type == "choice" or grounded(value, self.scene.text)
        if step.type == "choice":
            read = value if value in step.choices else ""
        else:
            read = self._read(step, value) if said else ""
        if not read:
            return None
        self.state = self.state.with_slot(slot, read)
        return self._go_on()

    def clarify(self) -> Advance:
        """Say why we ask, and ask again."""
        return self._ask(*self._why())

    def cancel(self) -> Advance | None:
        """Stop the flow, if there is one."""
        return self._stop() if self.state.active else None

    def hand_off(self, reason: str) -> Advance:
        """Call a human."""
        return self._call_human(reason)

    def _outside(self) -> Advance:
        flow = self._triggered()
        about = self.scene.product or self.scene.mentions.products
        if flow is not None and about and any(step.tell == "estimate" for step in flow.steps):
            flow = None  # each product has its own days, which the facts know
        if flow is None or flow.answer:
            return self._advance(handled=False, unsure=flow is None)
        return self._start(flow)

    def _triggered(self) -> Flow | None:
        named = self._named()
        if named is not None:
            return named
        scene = self.scene
        intent, confidence = scene.intent()
        if confidence < SURE:
            return None
        return next((f for f in scene.flows.values() if intent in f.intents), None)

    def _named(self) -> Flow | None:
        """Return the flow whose trigger is in the caller's words."""
        scene = self.scene
        flows = scene.flows.values()
        return next((flow for flow in flows if flow.starts(scene.text, scene.language)), None)

    def _start(self, flow: Flow) -> Advance:
        if self.state.gate.waits:
            self._gate(Withdraw())
        state = self.state.ended()
        proved = self.scene.proved
        named = self.scene.proofs(self.scene.text, "").number
        order = proved if named in {"", proved} else ""
        self.state = replace(state, flow=flow.id, order=order, opening=self.scene.text)
        self.order = None
        if flow.needs is not None and flow.needs not in self.scene.capabilities:
            return self._refuse("unsupported")
        return self._go_on()

    def _offered(self) -> Advance:
        consent = read_consent(self.scene.text, self.scene.language)
        # A call to a human does no harm: "d'accord" and "gern" are enough for it.
        if consent is Consent.YES or (
            consent is Consent.UNCLEAR and self.scene.intent()[0] == "affirm"
        ):
            return self._call_human("refused")
        self.state = self.state.ended()
        if consent is Consent.NO:
            return self._advance(*self._say("no_human"))
        return self._outside()

    def _consent(self) -> Advance:
        scene = self.scene
        corrected = self._correct()
        if corrected is not None:
            return corrected
        if not self.state.gate.waits:  # the reply to the yes was cut off before it began
            refused = read_consent(scene.text, scene.language) is Consent.NO
            return self._stop() if refused or self._stops() else self._ask()
        flow = self._named()
        if flow is not None and not flow.answer and flow.id != self.state.flow:
            return self._start(flow)  # "no, I would rather return it"
        event = Heard(scene.text, scene.language, scene.last_said)
        gate, commands = self.state.gate.receive(event, scene.clock)
        unclear = any(isinstance(c, SayReadBack) and c.why == "unclear" for c in commands)
        given_up = any(isinstance(c, Report) and c.outcome == "given_up" for c in commands)
        if unclear or given_up:
            if self._words.has("clarify", scene.text):
                return self._ask(*self._why())
            aside = self._another()
            if aside is not None:
                return aside
            if self._stops():
                return self._stop()
        if scene.language != self.state.gate.language and not isinstance(commands[0], Report):
            return self._ask(*self._say("again_language"))
        self.state = replace(self.state, gate=gate)
        return self._commands(commands)

    def _fill(self) -> Advance:
        """Take the answer to the question that is open."""
        state, text = self.state, self.scene.text
        if state.expects in {"number", "postcode"}:
            proofs = self.scene.proofs(text, state.expects)
            if proofs.number or proofs.postcode:
                return self._need(Prove(proofs.number, proofs.postcode))
        elif state.expects == "code":
            proofs = self.scene.proofs(text, "code")
            if proofs.code:
                return self._need(TryCode(proofs.code))
        else:
            filled = self._fill_slot()
            if filled is not None:
                return filled
        if self._words.has("clarify", text):
            return self.clarify()
        aside = self._another()
        if aside is not None:
            return aside
        if state.tries >= MOST_TRIES:
            self._before += self._say("give_to_human")
            return self._call_human("failed")
        self.state = replace(self.state, tries=state.tries + 1)
        return replace(self._ask(*self._say("not_understood")), unsure=True)

    def _fill_slot(self) -> Advance | None:
        step = self._due()
        if step is None:
            return None
        if step.type in FREE_TEXT and self._asks_back():
            return None
        value = self._read(step, self.scene.text)
        if not value:
            return self._correct()
        self.state = self.state.with_slot(step.ask, value)
        return self._go_on()

    def _correct(self) -> Advance | None:
        """Change a slot that was filled before ("no, two of them"); None if nothing changes."""
        if not self._words.has("correct", self.scene.text):
            return None
        flow = self._flow()
        for place in range(min(self.state.place, len(flow.steps)) - 1, -1, -1):
            step = flow.steps[place]
            old = self.state.slot(step.ask) if step.ask else ""
            if not old or step.type == "text" or (step.type == "city" and self._refuses()):
                continue
            new = self._read(step, self.scene.text)
            if new and new != old:
                self._gate(Withdraw())
                state = self.state.with_slot(step.ask, new)
                for later in flow.steps[place + 1 :] if step.type == "line" else ():
                    if later.type in {"quantity", "variant"}:
                        state = state.with_slot(later.ask, "")
                self.state = replace(state, place=0, tries=0, opening="")
                self._before += self._say("corrected")
                return self._go_on()
        return None

    def _refuses(self) -> bool:
        """Words such as "no, I don't want that" name no city."""
        said = heard_words(self.scene.text)
        return self._stops() or bool(self._words.no_phrases.search(said))

    def _another(self) -> Advance | None:
        """Another flow, or a question to the facts, in the middle of this one."""
        flow = self._named()
        if flow is not None and not flow.answer and flow.id != self.state.flow:
            return self._start(flow)
        answer = self.scene.answer()
        if self._words.has("nature", self.scene.text) and (
            answer is None or answer.intent != "identity"
        ):
            return self._ask(load_locale(self.scene.language).i_am_ai)
        if answer is None or answer.intent in _NO_DIGRESSION:
            return None
        self.state = replace(self.state, tries=0)
        return replace(self._ask(*self._say("back")), answer=answer)

    def _asks_back(self) -> bool:
        text = self.scene.text.strip()
        return text.endswith("?") or self._words.has("clarify", text)

    def _remark(self, pattern: str) -> bool:
        """Is this a short remark of that kind? In a long complaint the same words mean nothing."""
        text = self.scene.text
        return len(text.split()) <= LONGEST_REMARK and self._words.has(pattern, text)

    def _stops(self) -> bool:
        return self._remark("stop")

    def _stop(self) -> Advance:
        self._gate(Withdraw())
        self.state = self.state.ended()
        return self._advance(*self._say("stopped"))

    def _wants_human(self) -> bool:
        text, due = self.scene.text, self._due() if self.state.active else None
        words = self._words
        said = words.patterns["nature"].sub(" ", heard_words(text))
        if text.strip(" .!") == KEY_ZERO or words.has("human", said):
            return True
        if words.has("nature", text):
            return False
        if due is not None and due.ask and due.type in FREE_TEXT:
            return False
        intent, confidence = self.scene.intent()
        return intent == "human" and confidence >= SURE
