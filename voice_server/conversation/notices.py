"""What a conversation tells its transport (voice button, phone, stage).

The transport turns notices into its own wire events.  Ids are already in wire shape.  Times named
``audio_*_ms`` count the session's *input* audio since its first sample; ``heard_ms`` and
``offset_ms`` count a reply's *output* audio since its first sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice_server.dialogue.dialogue import Clause, ToolCall, Usage
from voice_server.speech.engine import Audio, Phone, Transcript

ReplyStatus = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user speaks. Over a reply it is sent only once it is sure to be an interruption."""

    item_id: str
    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The end of the user's turn has been decided; UtteranceCommitted follows."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class UtteranceCommitted:
    """The utterance is a user item now; its transcript may come later."""

    item_id: str
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """More words of the utterance that are unlikely to change (append-only)."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptFinal:
    """The whole transcript. An empty text means no words were heard."""

    item_id: str
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    """Recognition failed or missed its deadline; the user has been told by voice."""

    item_id: str
    message: str


@dataclass(frozen=True, slots=True)
class IdleTimeout:
    """Nobody spoke for ``idle_timeout_ms`` after the last reply; a prompt to the user follows."""

    item_id: str
    audio_start_ms: int
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """A reply is committed. Its clauses, audio and tool calls follow, then ReplyDone."""

    reply_id: str
    item_id: str
    out_of_band: bool = False


@dataclass(frozen=True, slots=True)
class ClauseText:
    """Text of a clause whose audio follows. The transcript is the texts joined by one space."""

    reply_id: str
    index: int
    clause: Clause


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """Speech to be played now, already paced: float32 mono at 24 kHz.

    ``phones`` begin in this piece; their times count from the reply's first sample.
    """

    reply_id: str
    offset_ms: float
    audio: Audio
    phones: tuple[Phone, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyToolCall:
    """The reply calls a client's tool: the item is complete."""

    reply_id: str
    item_id: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class OutputPaused:
    """Possible barge-in: playback should stop where it is (extension; audio may resume)."""

    reply_id: str
    heard_ms: float


@dataclass(frozen=True, slots=True)
class OutputResumed:
    """It was a backchannel or noise: audio goes on from ``offset_ms``."""

    reply_id: str
    offset_ms: float


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """The last notice of a reply. ``text`` is what history keeps (only what was heard)."""

    reply_id: str
    status: ReplyStatus
    reason: Literal[
        "", "turn_detected", "client_cancelled", "max_output_tokens", "content_filter", "error"
    ] = ""
    text: str = ""
    heard_ms: float = 0.0
    usage: Usage = Usage()
    error: str = ""


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    """An assistant item was cut to what was heard, by the server or at the client's request."""

    item_id: str
    heard_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnTimings:
    """Contiguous segments of one turn in ms; they add up to end of speech -> first audio sent.

    ``end_of_turn``: last voiced sample -> turn committed; ``transcript``: the wait for the final
    transcript beyond that; ``clause``: for the first clause; ``audio``: for its first samples;
    ``send``: for pacing and the transport.  Sent at the first sound of a reply, and again at the
    first content if an opener or filler (``first_kind``) came before.
    """

    item_id: str
    reply_id: str
    end_of_turn_ms: float
    transcript_ms: float
    clause_ms: float
    audio_ms: float
    send_ms: float
    speculative: bool
    first_kind: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An engine failed; what the user heard instead stands in ``consequence``. For logs and ops."""

    stage: Literal["vad", "stt", "end_of_turn", "dialogue", "tts", "internal"]
    message: str
    consequence: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The conversation is over: no notice follows."""

    reason: str


Notice = (
    SpeechStarted
    | SpeechStopped
    | UtteranceCommitted
    | TranscriptDelta
    | TranscriptFinal
    | TranscriptFailed
    | IdleTimeout
    | ReplyStarted
    | ClauseText
    | ReplyAudio
    | ReplyToolCall
    | OutputPaused
    | OutputResumed
    | ReplyDone
    | ItemTruncated
    | TurnTimings
    | Trouble
    | Closed
)
