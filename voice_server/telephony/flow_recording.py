"""May the call be recorded?  Asked, announced, withdrawn; and the wish not to be called. Sans-I/O.

The answer is bound to its question: only what is said after its end, and before its time is over,
counts, by the closed grammar of :mod:`voice_server.dialogue.consent`.  Whatever is no clear yes is
a no, silence too.
"""

from __future__ import annotations

from enum import Enum

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.dialogue.consent import Consent, read_consent
from voice_server.telephony import call as c
from voice_server.telephony.flow_human import Attended
from voice_server.telephony.flow_state import Effect, Log, Stage
from voice_server.telephony.outbound import NeverCall, Outbound, Record, Unrecord
from voice_server.telephony.outbound_phrases import (
    OutboundPhrase,
    outbound_phrase,
    wants_no_calls,
    wants_no_recording,
)

ANSWER_S = 6.0
"""After the question; no answer is a no. People answer a yes-no question within two seconds."""

WORDS_S = 6.0
"""An answer that has been spoken gets so long to be understood."""


ASKS_MOST = 2
"""A question that was cut off is asked once more."""


class Asking(Enum):
    """Where the question is."""

    NOT_YET = "not_yet"
    ASKED = "asked"
    """Being said: answers do not count yet."""
    AWAITED = "awaited"
    SETTLED = "settled"


class Recorded(Attended):
    """Consent, and opting out."""

    _outbound: Outbound | None = None
    _asking = Asking.NOT_YET
    _asks = 0
    _question = ""
    """Reply id of the question or the announcement."""
    _recording = False
    _answers = True
    """The assistant answers what it hears."""

    def _after_words(self, reply_id: str, *, heard: bool, now: float) -> list[Effect]:
        """One of our sentences is over: a question was asked, or may be now."""
        effects = super()._after_words(reply_id, heard=heard, now=now)
        if self._question and reply_id == self._question:
            self._question = ""
            if heard:
                return [*effects, *self._asked(now)]
            if self._asks >= ASKS_MOST:  # our voice fails: nobody was asked, nobody said yes
                return [*effects, *self._settle("refused", None, now)]
            self._asking = Asking.NOT_YET  # cut off: asked again
        if self._may_ask():
            return [*effects, *self._ask(now)]
        return effects

    def _may_ask(self) -> bool:
        """The greeting is over and nothing else is being said."""
        wanted = self.line is not None and self.line.recording != "off"
        return (
            wanted
            and self._asking is Asking.NOT_YET
            and self.stage is Stage.TALKING
            and not self._saying
            and not self._deaf
        )

    _deaf = False
    """A machine may be there: the assistant hears nothing (:mod:`~.flow_reaching`)."""

    def _ask(self, now: float) -> list[Effect]:
        assert self.line is not None, "checked"  # noqa: S101
        self._asking = Asking.ASKED
        self._asks += 1
        ask = self.line.recording == "ask"
        which = OutboundPhrase.MAY_WE_RECORD if ask else OutboundPhrase.ANNOUNCED
        self._answers = not ask
        settings = [] if self._answers else [self._settings(None)]
        [said] = self._tell_them(which)
        self._question = self._saying
        # Should its end never be heard of, silence has answered.
        self._deadlines["consent"] = now + 3 * ANSWER_S
        return [*settings, said]

    def _ask_anew(self) -> None:
        """The language has changed: who has not answered yet is asked in the new one."""
        if self._asking is not Asking.SETTLED:
            self._asking, self._question = Asking.NOT_YET, ""
            self._deadlines.pop("consent", None)

    def _asked(self, now: float) -> list[Effect]:
        assert self.line is not None, "checked"  # noqa: S101
        if self.line.recording == "announce":
            return self._settle("announced", None, now)
        self._asking = Asking.AWAITED
        self._deadlines["consent"] = now + ANSWER_S
        return []

    def _answer_spoken(self, now: float) -> None:
        """Something was said: wait for its words."""
        if self._asking is Asking.AWAITED:
            self._deadlines["consent"] = now + WORDS_S

    def _answered_by_words(self, notice: n.TranscriptFinal, now: float) -> list[Effect] | None:
        """Take what was said; None if it is none of ours and the dialogue answers it."""
        text = notice.transcript.text
        if self.line is None or not text or self.stage is not Stage.TALKING:
            return None
        if wants_no_calls(text, self.language):
            return self._never(now)
        if wants_no_recording(text, self.language) and self.line.recording != "off":
            return self._withdraw(now)
        if self._asking is not Asking.AWAITED:
            return None
        said = read_consent(text, self.language)
        if said is Consent.YES:
            return self._settle("granted", OutboundPhrase.RECORDED, now)
        if said is Consent.NO:
            return self._settle("refused", OutboundPhrase.NOT_RECORDED, now)
        # Something else: no consent, and it is answered as what it is.
        effects = self._settle("refused", None, now)
        return [*effects, o.Respond(self._new_id("resp"))]

    def _no_answer(self, now: float) -> list[Effect]:
        """Due: silence is a no."""
        if self._asking is Asking.SETTLED or self.stage is not Stage.TALKING:
            return []
        return self._settle("refused", OutboundPhrase.NOT_RECORDED, now)

    def _settle(self, consent: str, words: OutboundPhrase | None, now: float) -> list[Effect]:
        self._deadlines.pop("consent", None)
        self._asking, self._question = Asking.SETTLED, ""
        self.tally.consent = consent
        effects: list[Effect] = [Log(f"recording: {consent}")]
        if consent in ("granted", "announced"):
            self._recording = True
            effects.append(Record("granted" if consent == "granted" else "announced"))
        if not self._answers:
            self._answers = True
            effects.append(self._settings(None))
        return [*effects, *(self._tell_them(words) if words is not None else [])]

    def _withdraw(self, now: float) -> list[Effect]:
        if not self._recording:
            if self._asking is Asking.SETTLED:
                return self._tell_them(OutboundPhrase.NOT_RECORDED)
            return self._settle("refused", OutboundPhrase.NOT_RECORDED, now)
        self._recording = False
        self.tally.consent = "withdrawn"
        told = self._tell_them(OutboundPhrase.WITHDRAWN)
        return [Log("recording: withdrawn"), Unrecord(), *told]

    def _never(self, now: float) -> list[Effect]:
        """Note the wish; a call of ours ends with it, the customer's own goes on."""
        effects: list[Effect] = [Log("the other side wants no more calls"), NeverCall()]
        if self._outbound is None:
            return [*effects, *self._tell_them(OutboundPhrase.NEVER)]
        self.stage, self._goal = Stage.LEAVING, c.HangUp("asked not to be called again")
        self._words.clear()
        self._deadlines["leave"] = now + 2 * ANSWER_S
        return [*effects, *self._tell_them(OutboundPhrase.NEVER)]

    def _tell_them(self, which: OutboundPhrase) -> list[Effect]:
        """Say one of our sentences now, to its end."""
        self._saying = self._new_id("resp")
        text = outbound_phrase(which, self.language)
        return [o.Say(self._saying, text, self.language, interruptible=False)]

    def _settings(self, language: str | None) -> o.Configure:
        raise NotImplementedError
