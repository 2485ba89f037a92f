"""What a transport may order a conversation to do.

A transport core (sans-I/O) returns orders; its shell hands them to
:meth:`voice_server.conversation.session.Conversation.order`, which never blocks and never raises
for a well-formed order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from voice_server.conversation.transcript import Item
from voice_server.dialogue.dialogue import Tool
from voice_server.speech.engine import Audio


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """How turns are taken. Defaults are the server's own; a transport may change them at any time.

    ``detection`` "none" is push-to-talk: the transport commits.  "server" decides by silence
    alone, "semantic" also by what was said and how.
    """

    detection: Literal["none", "server", "semantic"] = "semantic"
    threshold: float = 0.5
    """P(speech) from which a frame counts as voiced (Silero's recommended value)."""
    prefix_padding_ms: int = 300
    """Audio kept from before the first voiced frame, so that a soft onset is not cut."""
    silence_ms: int = 500
    """"server" only: silence that ends the turn."""
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """What a transport may ask of one reply; None means the session's own setting."""

    instructions: str | None = None
    modality: Literal["audio", "text"] | None = None
    voice: str | None = None
    speed: float | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: str | None = None
    max_output_tokens: int | None = None
    input: tuple[Item, ...] | None = None
    """History to use instead of the session's own."""
    out_of_band: bool = False
    """Do not add the reply to the history (Realtime ``conversation: "none"``)."""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configure:
    """Replace the session's settings. Takes effect at once, for the next turn at the latest."""

    turns: TurnOptions
    reply: ReplyOptions
    language: str | None = None
    """Language forced by the client for recognition and replies; None: the server decides."""
    languages: tuple[str, ...] = ()
    """Languages to choose among; empty: the shop's."""
    hint: str = ""
    """Words to expect, added to the shop's own names."""
    transcribe: bool = True
    """Send transcripts of the user's speech to the transport."""
    reply_enabled: bool = True
    """False for a transcription session: no reply is ever made."""


@dataclass(frozen=True, slots=True)
class Hear:
    """User audio: float32 mono at the conversation's input rate. Any length."""

    audio: Audio


@dataclass(frozen=True, slots=True)
class CommitAudio:
    """Push-to-talk: the utterance is what was heard since the last commit or clear."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """Forget the audio heard since the last commit."""


@dataclass(frozen=True, slots=True)
class Respond:
    """Make a reply to the history as it is."""

    reply_id: str
    options: ReplyOptions = ReplyOptions()


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this text as a reply (greeting, hold message, host's words), without the dialogue."""

    reply_id: str
    text: str
    language: str | None = None
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the reply at once; history keeps what was heard."""

    reply_id: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """Client's acknowledgement: so much of this reply has been played."""

    reply_id: str
    position_ms: float


@dataclass(frozen=True, slots=True)
class Truncate:
    """The client cut an assistant item: keep ``heard_ms`` of its audio (clamped)."""

    item_id: str
    heard_ms: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The client is gone for a while (dropped socket): stop the output clock, keep everything."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The client is back: play on from ``position_ms`` of the reply (None: where the clock was)."""

    position_ms: float | None = None


Order = (
    Configure
    | Hear
    | CommitAudio
    | ClearAudio
    | Respond
    | Say
    | Cancel
    | Heard
    | Truncate
    | Hold
    | Resume
)
