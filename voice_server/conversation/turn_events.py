"""Inputs and commands of the turn-taking core: plain values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# ---------------------------------------------------------------- inputs


@dataclass(frozen=True, slots=True)
class Frame:
    """One analysed frame of user audio.

    ``end_ms`` is the audio time at its end (since the session's first sample); ``probability`` is
    P(speech), already 0 where the frame is our own echo.
    """

    probability: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Scored:
    """P(finished) of the end-of-turn model for this generation."""

    generation: int
    probability: float


@dataclass(frozen=True, slots=True)
class Partial:
    """Words so far; may still change."""

    generation: int
    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """The transcript of the utterance up to the soft silence; empty means no words."""

    generation: int
    text: str


@dataclass(frozen=True, slots=True)
class FinalFailed:
    """The recogniser failed for this generation."""

    generation: int


@dataclass(frozen=True, slots=True)
class Audible:
    """The first audio of the reply has been sent to the user."""

    generation: int


@dataclass(frozen=True, slots=True)
class ClauseArrived:
    """The dialogue has produced the reply's first clause; speech is being made of it."""

    generation: int


@dataclass(frozen=True, slots=True)
class ReplyPlayed:
    """The reply is complete and played to its end (or ended without sound).

    ``awaits_tool``: it called a client's tool, whose result will lead to the next reply.
    """

    generation: int
    awaits_tool: bool = False


@dataclass(frozen=True, slots=True)
class Requested:
    """Someone asks for a reply now (client's response.create, greeting, host's words)."""

    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class Committed:
    """Push-to-talk: the utterance ends here, whatever the silence. No reply by itself."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """The client threw away the audio heard so far."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Stop the reply."""


@dataclass(frozen=True, slots=True)
class Held:
    """The client is gone for now."""


@dataclass(frozen=True, slots=True)
class Released:
    """The client is back."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The session ends."""


Input = (
    Frame
    | Scored
    | Partial
    | Final
    | FinalFailed
    | ClauseArrived
    | Audible
    | ReplyPlayed
    | Requested
    | Committed
    | Cleared
    | Cancelled
    | Held
    | Released
    | Closing
)

# -------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Recognise the utterance from ``start_ms`` on: final, or partial for display."""

    generation: int
    start_ms: float
    final: bool


@dataclass(frozen=True, slots=True)
class Adopt:
    """The transcript made for ``source`` is the one of ``generation``."""

    generation: int
    source: int


@dataclass(frozen=True, slots=True)
class Score:
    """Ask the end-of-turn model about the utterance."""

    generation: int
    start_ms: float


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Tell the transport that the user speaks, from ``start_ms`` on."""

    start_ms: float


@dataclass(frozen=True, slots=True)
class Commit:
    """The utterance [start, end) is the user's turn: make it a history item."""

    generation: int
    start_ms: float
    end_ms: float
    last_voiced_ms: float


@dataclass(frozen=True, slots=True)
class Begin:
    """Start making a reply to the utterance of this generation.

    ``speculative``: nothing may sound or change until :class:`Release` for the same generation.
    """

    generation: int
    speculative: bool


@dataclass(frozen=True, slots=True)
class Release:
    """The reply of this generation may sound."""

    generation: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Everything of this generation or older is stale: transcription, score, speculation."""

    generation: int


@dataclass(frozen=True, slots=True)
class PauseOutput:
    """Stop sending speech. ``notify``: the doubt is serious, tell clients that can stop playing."""

    notify: bool


@dataclass(frozen=True, slots=True)
class ResumeOutput:
    """Go on from the same sample."""


@dataclass(frozen=True, slots=True)
class StopReply:
    """Cancel the reply and cut history to what was heard."""

    reason: Literal["turn_detected", "client_cancelled"]


@dataclass(frozen=True, slots=True)
class SayFiller:
    """The user has waited long: speak a short filler in this reply. ``round`` counts from 0."""

    generation: int
    round: int


@dataclass(frozen=True, slots=True)
class Apologise:
    """A stage missed its deadline or failed: speak an apology with a way on, end the reply."""

    generation: int
    stage: Literal["stt", "dialogue", "tts", "tool"]


@dataclass(frozen=True, slots=True)
class NoWords:
    """The utterance held no words: it stays without a reply."""

    generation: int


@dataclass(frozen=True, slots=True)
class PromptIdle:
    """The user has been silent for the idle time: speak to them."""

    generation: int


Command = (
    Transcribe
    | Adopt
    | Score
    | SpeechBegan
    | Commit
    | Begin
    | Release
    | Abandon
    | PauseOutput
    | ResumeOutput
    | StopReply
    | SayFiller
    | Apologise
    | NoWords
    | PromptIdle
)
