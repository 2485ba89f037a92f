"""What the conversation asks of a dialogue manager: the seam behind which all wording lives.

The conversation decides *when* to speak; a :class:`Dialogue` decides *what* to say.  A reply may
be asked for speculatively, before the turn is committed: until :meth:`DialogueSession.commit` is
called for it, a reply must change nothing (no write, no memory, no language switch).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """Something said or written. For the assistant: only what the user has heard."""

    role: Literal["system", "user", "assistant"]
    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a *client's* function tool; ``arguments`` is a JSON object as text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The client's answer to a :class:`ToolCall`."""

    call_id: str
    output: str


HistoryEntry = Message | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Tool:
    """A function tool that the client offers; ``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer comes from: shown on screen, never spoken."""

    source_id: str
    title: str
    excerpt: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A product shown beside an answer. ``price`` is formatted for the market."""

    product_id: str
    name: str
    price: str
    was_price: str = ""
    stock: str = ""
    image: str = ""
    url: str = ""


class ClauseKind(StrEnum):
    """Why a clause is said: only content counts as the answer in the latency figures."""

    OPENER = "opener"
    CONTENT = "content"
    FILLER = "filler"
    APOLOGY = "apology"


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a reply that is spoken as one breath: plain text, no markup, ends at a pause.

    The texts of a reply's clauses, joined by single spaces, are its transcript.
    """

    text: str
    language: str
    kind: ClauseKind = ClauseKind.CONTENT
    citations: tuple[Citation, ...] = ()
    cards: tuple[Card, ...] = ()
    speed: float = 1.0
    """Relative to the session's: less than 1 for a caller who asked to speak slowly."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a reply cost; zero where no model ran."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The last part of every reply that was not cancelled. ``incomplete`` names why it was cut."""

    usage: Usage = Usage()
    incomplete: Literal["", "max_output_tokens", "content_filter"] = ""
    source: str = ""
    """Who answered, for logs and metrics: "facts", "faq", "llm", "fallback", "tool"."""


ReplyPart = Clause | ToolCall | ReplyEnd


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """Everything a reply may depend on. Two equal requests may share one speculative reply."""

    reply_id: str
    history: tuple[HistoryEntry, ...]
    """Oldest first; ends with the user's message (or a ToolResult) that is to be answered."""
    detected_language: str | None = None
    """What the recogniser heard in the last utterance (ISO 639-1), None for typed text."""
    language_probability: float = 0.0
    instructions: str | None = None
    """The client's instructions, where the operator allows them; None means the shop's own."""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    """"auto", "none", "required" or the name of a function."""
    max_output_tokens: int | None = None
    speculative: bool = False
    out_of_band: bool = False
    metadata: dict[str, str] = field(default_factory=dict, hash=False)


class Phrase(StrEnum):
    """Fixed sentences that every language has; they sound from the phrase cache."""

    GREETING = "greeting"
    FILLER = "filler"
    STILL_WORKING = "still_working"
    APOLOGY_REPEAT = "apology_repeat"
    """We did not understand (recogniser failed): please say it again."""
    APOLOGY_ANSWER = "apology_answer"
    """We cannot answer just now: try again, or a human."""
    IDLE = "idle"
    """The user has been silent for long: are you still there?"""
    GOODBYE = "goodbye"


class DialogueSession(Protocol):
    """The dialogue with one user. Used from one task at a time."""

    @property
    def language(self) -> str:
        """The language spoken now (ISO 639-1)."""

    @property
    def hint(self) -> str:
        """Names the recogniser should expect (products of the shop)."""

    def reply(self, request: ReplyRequest) -> AsyncIterator[ReplyPart]:
        """Answer: clauses and tool calls as they are ready, then one ReplyEnd.

        Never raises for a failing model or look-up: a grounded template or an honest sentence
        takes over.  Closing the iterator early cancels the work.
        """

    async def foresee(self, request: ReplyRequest) -> None:
        """Get ready to answer words that are still being spoken; nothing changes by it.

        Returns when ready.  Never raises; may be cancelled at any time.
        """

    def prefer(self, language: str | None) -> None:
        """Speak this language from now on, by the client's choice; None changes nothing."""

    def commit(self, reply_id: str) -> None:
        """The reply is being spoken: from now its effects (language, memory) hold."""

    def phrase(self, kind: Phrase, variant: int = 0) -> Clause:
        """Return a fixed sentence in the session's language; variants avoid repetition."""


class Dialogue(Protocol):
    """Opens dialogue sessions; owned by the app, one for each shop."""

    languages: tuple[str, ...]
    """ISO 639-1 codes the shop serves, its default first."""

    def open(self, session_id: str, *, language: str | None = None) -> DialogueSession:
        """Open a session; ``language`` is the client's wish, else the shop's default."""
