"""A call that we place, from pick-up on: a person is greeted, a machine gets its message. Sans-I/O.

Until it is known who is there the assistant hears nothing: it must not answer a mailbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from voice_server.audio.pcm import Audio
from voice_server.conversation import orders as o
from voice_server.speech.engine import LISTENING_RATE
from voice_server.telephony import outbound_phrases as words
from voice_server.telephony.answering_machine import (
    AnsweringMachine,
    Finding,
    GivenUp,
    Judged,
    MachineOptions,
    Recording,
    Verdict,
)
from voice_server.telephony.flow_recording import Recorded
from voice_server.telephony.flow_state import Effect, Log, Stage
from voice_server.telephony.outbound import Outbound
from voice_server.telephony.vendor_events import CallNews

NO_SOUND_S = 3.0
"""Judging counts sound; where none comes, we greet after so long beyond its time."""

VENDOR_MS = 6000
"""The vendors need four seconds to know a person, more for a machine; then we greet."""

NEVER_MS = 10**9

BY_VENDOR = MachineOptions(
    initial_silence_ms=VENDOR_MS,
    greeting_ms=NEVER_MS,
    after_greeting_ms=NEVER_MS,
    total_ms=VENDOR_MS,
    words=NEVER_MS,
)
"""The vendor judges; the beep we hear ourselves as well."""


class Reaching(Recorded):
    """Who has picked up."""

    _machine: AnsweringMachine | None = None
    _leaving_message = False

    @property
    def _watching(self) -> bool:
        """Sound is judged: nobody knows yet who is there."""
        return self._machine is not None and not self._machine.over

    def told(self, news: CallNews, now: float) -> list[Effect]:
        """Take what the vendor knows of who picked up."""
        machine = self._machine
        if machine is None or self.stage is not Stage.TALKING:
            return []
        findings = machine.told_recording() if news.records else []
        if news.verdict is not None and not findings:
            findings = machine.told(news.verdict)
        return self._found(findings, now)

    def _reach(self, now: float) -> list[Effect]:
        """Somebody, or something, has picked up."""
        call = self._call()
        detect = call.line.dialling.detect if call.line.dialling is not None else "off"
        if detect == "off":
            return self._hello(now)
        options = BY_VENDOR if detect == "vendor" else MachineOptions()
        self._machine = AnsweringMachine(LISTENING_RATE, options)
        self._deaf = True
        self._deadlines["reach"] = now + options.total_ms / 1000 + NO_SOUND_S
        return []

    def _listen_in(self, audio: Audio, now: float) -> list[Effect]:
        """Take the other side's sound, float32 [n] at 16 kHz, while the assistant is deaf."""
        if self._machine is None or self.stage is not Stage.TALKING:
            return []
        return self._found(self._machine.hear(audio), now)

    def _found(self, findings: list[Finding], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for finding in findings:
            effects += self._FINDINGS[type(finding)](self, finding, now)
        return effects

    def _judged(self, finding: Judged, now: float) -> list[Effect]:
        told: list[Effect] = [Log(f"picked up by: {finding.verdict.value} ({finding.why})")]
        self.tally.answered_by = finding.verdict.value
        if finding.verdict is not Verdict.MACHINE:
            cut: list[Effect] = [o.Cancel()] if self._leaving_message else []
            self._leaving_message = False
            self._words.clear()
            return [*told, *cut, *self._hello(now)]
        dialling = self._call().line.dialling
        if dialling is None or dialling.machine == "hang_up":
            return [*told, *self.end("an answering machine", now)]
        limit_s = MachineOptions().record_ms / 1000 + NO_SOUND_S
        self._deadlines["reach"] = now + limit_s
        return told

    def _records(self, finding: Recording, now: float) -> list[Effect]:
        """Leave the message; from the start, if it began before the beep."""
        call = self._call()
        self._deadlines.pop("reach", None)
        self._words.clear()
        sentences = words.message(
            self.language,
            call.line.shop_name,
            call.line.number,
            call_back=call.purpose == "call_back",
            reason=call.reason,
        )
        self._opening = sentences  # none of them can be interrupted
        self._words.extend((sentence, self.language) for sentence in sentences)
        self._leaving_message = True
        how = "after the beep" if finding.beep else "without a beep"
        return [Log(f"a message is left, {how}"), *self._next_words()]

    def _given_up(self, finding: GivenUp, now: float) -> list[Effect]:
        return self.end("a machine that takes no message", now)

    def _after_words(self, reply_id: str, *, heard: bool, now: float) -> list[Effect]:
        if self._leaving_message and not self._saying:
            self.tally.answered_by = "message" if heard else self.tally.answered_by
            return self.end("a message was left" if heard else "the message was cut short", now)
        return super()._after_words(reply_id, heard=heard, now=now)

    def _reach_late(self, now: float) -> list[Effect]:
        """Due: no sound comes, or the machine talks on."""
        if self.stage is not Stage.TALKING:
            return []
        if self.tally.answered_by == Verdict.MACHINE.value:
            return self.end("a machine that takes no message", now)
        assert self._machine is not None, "due while it listens"  # noqa: S101
        return self._found(self._machine.told(Verdict.UNSURE), now)

    def _hello(self, now: float) -> list[Effect]:
        """Greet: who calls, that it is an AI, and why."""
        call = self._call()
        self._deaf = False
        self._deadlines.pop("reach", None)
        self._opening = words.opening(
            self.language,
            call.line.shop_name,
            call_back=call.purpose == "call_back",
            reason=call.reason,
        )
        self._words.extend((sentence, self.language) for sentence in self._opening)
        return self._next_words()

    def _call(self) -> Outbound:
        assert self._outbound is not None, "called on calls of ours"  # noqa: S101
        return self._outbound

    _FINDINGS: ClassVar[Mapping[type[Any], Callable[[Reaching, Any, float], list[Effect]]]] = {
        Judged: _judged,
        Recording: _records,
        GivenUp: _given_up,
    }
