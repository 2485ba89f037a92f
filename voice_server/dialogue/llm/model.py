"""A language model as the dialogue sees it: a request in, a stream of parts out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from voice_server.dialogue.dialogue import Tool, Usage


class LlmError(Exception):
    """The model could not answer; the message is for the operator."""


class LlmUnavailable(LlmError):
    """There is no model to ask now: not ready, unreachable, overloaded, wrong key."""


class LlmBarred(LlmUnavailable):
    """The endpoint must not be asked: it answers from outside the residency that was promised."""


class LlmRefused(LlmError):
    """The provider's content filter refused the question."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a model; ``messages`` in the OpenAI chat shape."""

    messages: tuple[dict[str, Any], ...]
    max_tokens: int = 160
    temperature: float = 0.3
    """Low: the answer is in the facts; not zero, so that a repeated question varies a little."""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    schema: dict[str, Any] | None = None
    """A JSON schema the answer must follow."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The model wants a tool called; ``arguments`` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last part. ``length``: cut at ``max_tokens``."""

    reason: Literal["stop", "length", "content_filter", "tool_calls"]
    usage: Usage = Usage()


ChatPart = TextDelta | ToolRequest | Finished


class LanguageModel(Protocol):
    """Something that continues a conversation."""

    @property
    def ready(self) -> bool:
        """Would a question be answered now, as far as is known?"""

    @property
    def embedded(self) -> bool:
        """Small and slow, on this machine: facts lead, it only fills the gaps."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPart, None]:
        """Answer, part by part, a Finished last. Raises LlmError at any point.

        Closing the generator early cancels the work.  It has no deadline of its own: the
        caller knows how long its user can wait.
        """

    async def foresee(self, messages: tuple[dict[str, Any], ...]) -> None:
        """Get ready for a prompt that will probably be asked soon; may do nothing. Never raises."""

    def missed(self) -> None:
        """Tell the model that an answer did not come in time, so that its health is checked."""
