"""Who has picked up: a person or a machine, and when a machine begins to record. Sans-I/O.

The rules are those of Asterisk's ``app_amd``, which call centres have tuned against for fifteen
years: a person says a word or two and waits, a machine talks on.  The thresholds are the defaults
of its ``amd.conf``, unless said otherwise here.  What ``app_amd`` does not know is added: the beep,
a recorder that does not beep, and a person who was taken for a machine and speaks up.

Time is counted in sound: every sample that comes is so much of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

import numpy as np

from voice_server.audio.pcm import Audio
from voice_server.telephony.beep import BeepDetector

FRAME_MS = 20


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """Thresholds, in ms of sound unless said otherwise; ``amd.conf``'s name stands in brackets."""

    silence_level: float = 256 / 32768
    """Mean magnitude below which a frame is silence (silence_threshold)."""
    initial_silence_ms: int = 2500
    """Nobody says anything (initial_silence). ``app_amd`` calls it a machine; we greet, because a
    person who hears nothing hangs up, and a machine that is greeted loses nothing."""
    greeting_ms: int = 1500
    """Speech longer than this is a machine's (greeting)."""
    after_greeting_ms: int = 800
    """So long a silence after a short greeting: a person waits for us (after_greeting_silence)."""
    total_ms: int = 5000
    """Then nothing is sure (total_analysis_time), and we greet."""
    word_ms: int = 100
    """Shorter sounds are no words (min_word_length)."""
    between_words_ms: int = 50
    """Silence that ends a word (between_words_silence)."""
    words: int = 3
    """More words are a machine's (maximum_number_of_words; 3 in its documentation)."""
    record_silence_ms: int = 2000
    """A machine that is silent for so long records without a beep; recorders themselves stop after
    four seconds of silence and more."""
    record_ms: int = 45_000
    """A machine that talks longer is given up: mailboxes limit greetings to thirty or forty."""
    spoken_over_ms: int = 600
    """Who speaks so long into our message is a person, if no beep has come."""


class Verdict(StrEnum):
    """Who is there."""

    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"
    """Treated as a person."""


@dataclass(frozen=True, slots=True)
class Judged:
    """It is decided; another verdict may follow it once, when a machine turns out a person."""

    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class Recording:
    """The machine records now: the message may begin."""

    beep: bool


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The machine talks on and on, or is a menu: no message can be left."""


Finding = Judged | Recording | GivenUp


class _State(Enum):
    LISTENING = "listening"
    MACHINE = "machine"
    RECORDING = "recording"
    """Our message is being said, and no beep was heard."""
    OVER = "over"


class AnsweringMachine:
    """One call that we have placed, from pick-up on."""

    def __init__(self, rate: int, options: MachineOptions = MachineOptions()) -> None:
        """``rate``: samples per second of what :meth:`hear` gets, 8000 or 16000."""
        self._options = options
        self._size = rate * FRAME_MS // 1000
        self._rest: Audio = np.zeros(0, np.float32)
        self._beep = BeepDetector(rate)
        self._state = _State.LISTENING
        self._heard_ms = 0
        self._machine_ms = 0
        self._voiced_ms = 0
        """Speech of the greeting so far."""
        self._run_ms = 0
        """Speech without a pause."""
        self._silent_ms = 0
        self._words = 0
        self._counted = False
        """The present run has been counted as a word."""

    @property
    def over(self) -> bool:
        """Nothing more will be found."""
        return self._state is _State.OVER

    def told(self, verdict: Verdict) -> list[Finding]:
        """Take the vendor's own verdict instead of ours; a late one changes nothing."""
        if self._state is not _State.LISTENING:
            return []
        return self._judge(verdict, "the vendor says so")

    def told_recording(self) -> list[Finding]:
        """The vendor has heard the end of the machine's greeting: the message may begin."""
        if self._state is _State.OVER or self._state is _State.RECORDING:
            return []
        findings = self._judge(Verdict.MACHINE, "the vendor says so")
        self._state = _State.OVER
        return [*findings, Recording(beep=True)]

    def hear(self, audio: Audio) -> list[Finding]:
        """Take sound of the called side, float32 [n]; any length."""
        findings: list[Finding] = []
        rest = np.concatenate((self._rest, audio))
        whole = rest.size - rest.size % self._size
        for start in range(0, whole, self._size):
            findings += self._frame(rest[start : start + self._size])
        self._rest = rest[whole:]
        return findings

    def _frame(self, frame: Audio) -> list[Finding]:
        if self._state is _State.OVER:
            return []
        beeped = self._beep.hear(frame)
        self._count(voiced=float(np.abs(frame).mean()) >= self._options.silence_level)
        if beeped:
            return self._beeped()
        if self._beep.toning:
            return []  # a tone is neither a word nor a greeting
        if self._state is _State.LISTENING:
            return self._listen()
        if self._state is _State.MACHINE:
            return self._await_record()
        return self._spoken_over()

    def _count(self, *, voiced: bool) -> None:
        options = self._options
        self._heard_ms += FRAME_MS
        if voiced:
            self._silent_ms = 0
            self._run_ms += FRAME_MS
            self._voiced_ms += FRAME_MS
            if self._run_ms >= options.word_ms and not self._counted:
                self._counted = True
                self._words += 1
            return
        self._silent_ms += FRAME_MS
        if self._silent_ms >= options.between_words_ms:
            self._run_ms, self._counted = 0, False

    def _beeped(self) -> list[Finding]:
        findings = self._judge(Verdict.MACHINE, "a beep")
        self._state = _State.OVER
        return [*findings, Recording(beep=True)]

    def _listen(self) -> list[Finding]:
        options = self._options
        if self._words > options.words:
            return self._judge(Verdict.MACHINE, f"more than {options.words} words")
        if self._voiced_ms > options.greeting_ms:
            return self._judge(Verdict.MACHINE, f"more than {options.greeting_ms} ms of speech")
        if self._words and self._silent_ms >= options.after_greeting_ms:
            return self._judge(Verdict.HUMAN, "a short greeting, then silence")
        if not self._words and self._heard_ms >= options.initial_silence_ms:
            return self._judge(Verdict.UNSURE, "nobody says anything")
        if self._heard_ms >= options.total_ms:
            return self._judge(Verdict.UNSURE, f"nothing was sure in {options.total_ms} ms")
        return []

    def _await_record(self) -> list[Finding]:
        options = self._options
        self._machine_ms += FRAME_MS
        if self._silent_ms >= options.record_silence_ms:
            self._state, self._run_ms = _State.RECORDING, 0
            return [Recording(beep=False)]
        if self._machine_ms >= options.record_ms:
            self._state = _State.OVER
            return [GivenUp()]
        return []

    def _spoken_over(self) -> list[Finding]:
        if self._run_ms < self._options.spoken_over_ms:
            return []
        return self._judge(Verdict.HUMAN, "speaks into the message")

    def _judge(self, verdict: Verdict, why: str) -> list[Finding]:
        if self._state is _State.MACHINE and verdict is Verdict.MACHINE:
            return []  # known
        machine = verdict is Verdict.MACHINE
        self._state = _State.MACHINE if machine else _State.OVER
        return [Judged(verdict, why)]
