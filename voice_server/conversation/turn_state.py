"""What the turn-taking core remembers, its constants and its deadlines. No behaviour of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from voice_server.conversation.endpointing import PauseLearner
from voice_server.conversation.orders import TurnOptions
from voice_server.conversation.turn_events import Command, Frame, Input


class State(Enum):
    """What is going on."""

    IDLE = "idle"
    HEARING = "hearing"
    ENDPOINTING = "endpointing"
    REPLYING = "replying"
    PAUSED = "paused"
    HELD = "held"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds until a consequence; defaults from DESIGN §3 and what users of peers complain about.

    ``transcript_s``, ``clause_s``, ``audio_s``, ``tool_s``: an apology with a way on.
    ``filler_s``, then every ``next_filler_s``: a short filler.  ``doubt_s``: a remark over a reply
    is judged by its length alone.  ``starved_s``: no frame for so long while someone speaks means
    that the client stopped sending, and counts as silence.  ``rescue_s``: even the apology could
    not be made to sound, the turn ends.
    """

    transcript_s: float = 5.0
    clause_s: float = 4.0
    audio_s: float = 3.0
    tool_s: float = 8.0
    filler_s: float = 1.2
    next_filler_s: float = 6.0
    doubt_s: float = 1.2
    starved_s: float = 0.3
    rescue_s: float = 8.0


ONSET_MS = 64.0
"""Voiced audio that makes an onset: two Silero frames; one alone is often a click."""
SURE_PROBABILITY = 0.9
"""A single frame so sure is an onset by itself."""
HYSTERESIS = 0.15
"""Inside speech a frame counts as voiced down to threshold - HYSTERESIS (Silero's own rule)."""
HOLD_PROBABILITY = 0.35
"""Over a reply, sending stops already at this probability: the lead covers a frame or two, so a
false alarm is inaudible."""
INTERRUPT_MS = 600.0
"""Voiced audio over a reply that is an interruption whatever the words (backchannels of the
four languages last 150-500 ms)."""
DOUBT_PARTIAL_MS = 300.0
"""Voiced audio over a reply after which the words so far are looked at."""
DOUBT_SILENCE_MS = 200.0
"""Silence that ends a remark over a reply."""
PARTIAL_EVERY_MS = 300.0
"""Voiced audio between two partial transcripts."""
LONGEST_UTTERANCE_MS = 60_000.0
"""A turn is committed after so long: music or a television never ends."""


@dataclass(slots=True)
class Utterance:
    """What the user is saying. Times in audio ms, ``last_voiced_at`` in seconds."""

    start_ms: float
    last_voiced_ms: float
    last_voiced_at: float
    voiced_ms: float = 0.0
    partial_at_ms: float = 0.0
    score: float | None = None
    text: str | None = None
    failed: bool = False
    announced: bool = False
    judged: bool = False
    """A remark over a reply whose final transcript has been asked for."""
    interrupted: bool = False
    """It cost the user an answer: if no words are found in it, we must say so."""


@dataclass(slots=True)
class Reply:
    """What we are saying, or about to say."""

    generation: int
    interruptible: bool = True
    begun: bool = True
    """False while the final transcript is awaited."""
    owed: bool = False
    """The user interrupted for this turn, so even one without words gets an answer."""
    audible: bool = False
    fillers: int = 0
    played: bool = False
    """Played to its end while a remark of the user was being judged."""
    awaits_tool: bool = False
    announced_pause: bool = False


@dataclass(slots=True)
class TurnState:
    """The data of one conversation's turn-taking; ``out`` collects commands of this call."""

    options: TurnOptions = field(default_factory=TurnOptions)
    deadlines: Deadlines = field(default_factory=Deadlines)
    state: State = State.IDLE
    generation: int = 0
    pauses: PauseLearner = field(default_factory=PauseLearner)
    timers: dict[str, float] = field(default_factory=dict)
    audio_ms: float = 0.0
    """Audio time at the end of the last frame."""
    frame_at: float = 0.0
    """When the last frame came."""
    utterance: Utterance | None = None
    reply: Reply | None = None
    onset_ms: float = 0.0
    onset_start_ms: float = 0.0
    before_hold: State = State.IDLE
    held_at: float = 0.0
    postponed: list[Input] = field(default_factory=list)
    out: list[Command] = field(default_factory=list)

    def bump(self) -> int:
        """Make everything so far stale; return the new generation."""
        self.generation += 1
        return self.generation

    def frame_ms(self, frame: Frame, now: float) -> float:
        """Advance audio time; return the frame's length in ms."""
        length, self.audio_ms = frame.end_ms - self.audio_ms, frame.end_ms
        self.frame_at = now
        return length

    def voiced(self, probability: float) -> bool:
        """Return whether a frame counts as voiced here and now."""
        threshold = self.options.threshold
        return probability >= (threshold - HYSTERESIS if self.utterance else threshold)

    def speaking(self) -> Utterance:
        """Return the open utterance; the state guarantees it."""
        assert self.utterance is not None, f"no utterance in state {self.state}"  # noqa: S101
        return self.utterance

    def replying(self) -> Reply:
        """Return the reply; the state guarantees it."""
        assert self.reply is not None, f"no reply in state {self.state}"  # noqa: S101
        return self.reply

    def arm_idle(self, now: float) -> None:
        """Start the wait for a silent user, if one is wished."""
        self.timers.pop("idle", None)
        if self.options.idle_timeout_ms is not None and self.options.detection != "none":
            self.timers["idle"] = now + self.options.idle_timeout_ms / 1000.0

    def go_idle(self, now: float) -> None:
        """Nobody speaks."""
        self.state, self.reply, self.utterance = State.IDLE, None, None
        self.onset_ms = 0.0
        self.timers.clear()
        self.arm_idle(now)
