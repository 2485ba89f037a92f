"""People in a call: one of the staff takes it over, gives it back, or listens. Sans-I/O."""

from __future__ import annotations

from typing import Literal

from voice_server.audio.pcm import Audio
from voice_server.conversation import orders as o
from voice_server.telephony import call as c
from voice_server.telephony.agent_voice import AgentVoice
from voice_server.telephony.flow_ending import Ending
from voice_server.telephony.flow_state import JOIN_S, Effect, Log, Mute, Opened, Stage
from voice_server.telephony.hearing import Hearing
from voice_server.telephony.phrases import PhonePhrase, phrase

Refusal = Literal["", "not_talking", "taken", "listening_off"]
"""Why a person may not; "": they may."""


class Attended(Ending):
    """What people at the console do to a call."""

    agent = ""
    """Who speaks with the caller, "" while it is the assistant."""
    open_to_listeners = False
    """Whether people may listen: the line needs no words for it, or they were said."""
    _joining = False
    _telling = ""
    _replying = False
    _hearing: Hearing | None = None
    _held = False
    voice: AgentVoice | None = None

    def may_take_over(self) -> Refusal:
        """Tell why the call cannot be taken over now."""
        if self.stage is Stage.HUMAN:
            return "taken"
        return "" if self.stage is Stage.TALKING else "not_talking"

    def take_over(self, agent: str, now: float) -> list[Effect]:
        """Silence the assistant and announce a person, who is heard after that."""
        if self.may_take_over():
            return []
        assert self.started is not None, "talking is after the start"  # noqa: S101
        self.stage, self.agent = Stage.HUMAN, agent
        self.voice = AgentVoice(self._features, self.codec or self.started.codec)
        self._words.clear()
        self._wish = None
        self._joining = True
        self._deadlines["join"] = now + JOIN_S
        self._saying = self._new_id("resp")
        text = phrase(PhonePhrase.JOINED, self.language)
        return [
            Log("a person has taken the call over"),
            Mute(on=True),
            o.Say(self._saying, text, self.language, interruptible=False),
        ]

    def speak(self, audio: Audio, now: float) -> list[Effect]:
        """Let the person who has the call be heard: float32 [n] at 24 kHz."""
        if self.voice is None or self._joining or self._saying or self._held:
            return []
        assert self._hearing is not None, "called in a call"  # noqa: S101
        self._hearing.echo.played(audio, now)
        return [*self.voice.speak(audio, now)]

    def give_back(self, now: float) -> list[Effect]:
        """Let the assistant speak again; it says what it is."""
        if self.stage is not Stage.HUMAN:
            return []
        self.stage, self.agent, self.voice = Stage.TALKING, "", None
        self._joined()
        self._saying = self._new_id("resp")
        text = phrase(PhonePhrase.RETURNED, self.language)
        return [
            Log("the assistant has the call again"),
            c.Clear(),
            Mute(on=False),
            o.Say(self._saying, text, self.language, interruptible=False),
        ]

    def _leave(self, goal: c.Transfer | c.HangUp, words: PhonePhrase, now: float) -> list[Effect]:
        """Say the last words; a person who had the call has it no more."""
        self.agent, self.voice, self._joining = "", None, False
        self._deadlines.pop("join", None)
        return super()._leave(goal, words, now)

    def may_listen(self) -> Refusal:
        """Tell why nobody may listen."""
        if self.line is None or self.stage is Stage.OVER:
            return "not_talking"
        return "listening_off" if self.line.listening == "off" else ""

    def listen(self, now: float) -> list[Effect]:
        """Somebody wants to listen: the caller is told first, once, where the line says so."""
        if self.may_listen() or self.open_to_listeners or self._telling:
            return []
        assert self.line is not None, "checked"  # noqa: S101
        if self.line.listening == "silent":
            self.open_to_listeners = True
            return [Opened()]
        self._deadlines["tell"] = now + JOIN_S
        return [] if self._replying or self._saying else self._tell(now)

    def _tell(self, now: float) -> list[Effect]:
        """Say that people listen: now, or when the present sentence has taken too long."""
        if self._telling or self.stage not in (Stage.TALKING, Stage.HUMAN):
            return []
        self._deadlines.pop("tell", None)  # its end comes in any case: speech has its own
        self._telling = self._saying = self._new_id("resp")
        text = phrase(PhonePhrase.LISTENED, self.language)
        return [o.Say(self._saying, text, self.language, interruptible=False)]

    def _told(self) -> list[Effect]:
        self._telling = ""
        self.open_to_listeners = True
        return [Opened()]

    def _after_words(self, reply_id: str, *, heard: bool, now: float) -> list[Effect]:
        """One of our sentences is over."""
        if reply_id == self._telling:
            if heard:
                return self._told()
            self._telling = ""  # cut off: nobody hears the call before it was said
            self._deadlines["tell"] = now + JOIN_S
            return []
        if "tell" in self._deadlines and not self._saying and not self._replying:
            return self._tell(now)
        return []

    def _joined(self) -> None:
        self._joining = False
        self._deadlines.pop("join", None)

    def _join_late(self, now: float) -> list[Effect]:
        """The announcement takes too long: the person is heard without it."""
        self._saying = ""
        self._joined()
        return [o.Cancel()]
