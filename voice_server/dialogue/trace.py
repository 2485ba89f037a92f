"""What a turn notes about itself while it answers; the decision record is made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from voice_server.dialogue.facts import Answer, Context, Fact
from voice_server.dialogue.gates import Drop, Replace
from voice_server.dialogue.language import explicit_request
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.memory.memory import NOTHING, Memory
from voice_server.trust.decisions import Decision, GateOutcome


@dataclass(slots=True)
class Trace:
    """One reply's notes; whoever decides something about the reply writes it here."""

    memory: Memory = NOTHING
    """What the turn may look at."""
    intent: str = ""
    confidence: float = 0.0
    facts: list[Fact] = field(default_factory=list)
    """What the answer rests on."""
    inputs: dict[str, None] = field(default_factory=dict)
    rules: dict[str, None] = field(default_factory=dict)
    model: str = ""
    prompt: str = ""
    gates: list[GateOutcome] = field(default_factory=list)
    failure: str = ""
    personalised: bool = False
    consent: str = ""
    explains: bool = False
    """It answers "why?": the record of the answer before it stays the one to ask about."""

    def answered(self, answer: Answer, rule: str) -> None:
        """Note the answer from facts that is spoken, and the rule that let it."""
        self.intent, self.confidence = answer.intent, answer.confidence
        self.facts = list(answer.facts)
        self.rules[rule] = None
        if answer.intent == "recommend":
            self.knew(answer.context)

    def knew(self, context: Context) -> None:
        """Note that what is known of the caller was used, if anything is, and by which consent."""
        if context.bought or context.likes:
            self.personalised, self.consent = True, context.consent

    def asked(self, model: LanguageModel, prompt: str) -> None:
        """Note that a model was asked."""
        self.model = str(getattr(model, "model", "") or ("embedded" if model.embedded else "model"))
        self.prompt = prompt

    def worded(
        self, used: Sequence[Fact], held_back: Sequence[Replace | Drop], failure: str
    ) -> None:
        """Note what became of a model's words: facts spoken of, sentences held back, a failure."""
        self.gates += [
            GateOutcome(
                verdict.reason.value, "replaced" if isinstance(verdict, Replace) else "dropped"
            )
            for verdict in held_back
        ]
        self.failure = _failure(failure)
        if not failure:
            self.facts = list(used)

    def decision(
        self,
        reply_id: str,
        session_id: str,
        shop_id: str,
        *,
        source: str,
        language: str,
        language_reason: str,
    ) -> Decision:
        """Return the record."""
        facts = tuple(dict.fromkeys(fact.source_id for fact in self.facts))
        return Decision(
            reply_id,
            session_id,
            shop_id,
            source=source,
            intent=self.intent,
            confidence=round(self.confidence, 3),
            language=language,
            language_reason=language_reason,
            inputs=tuple(self.inputs),
            # An order's number is the customer's: the record says only that there was one.
            facts=tuple("order:" if id.startswith("order:") else id for id in facts),
            rules=tuple(self.rules),
            model=self.model,
            prompt=self.prompt,
            gates=tuple(self.gates),
            failure=self.failure,
            personalised=self.personalised,
            consent=self.consent,
        )


def language_reason(before: str, now: str, text: str, languages: Sequence[str]) -> str:
    """Return why a turn is in its language: asked, heard or kept."""
    if explicit_request(text, languages) == now:
        return "asked"
    return "kept" if before == now else "heard"


def _failure(words: str) -> str:
    """Return the kind of a failure: its words may hold what the model said."""
    if not words:
        return ""
    for mark, kind in (
        ("in time", "late"),
        ("content filter", "refused"),
        ("sentence gate", "ungrounded"),
        ("nothing that may be spoken", "empty"),
    ):
        if mark in words:
            return kind
    return "unavailable"
