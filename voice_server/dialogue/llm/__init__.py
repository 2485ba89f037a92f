"""Language models: any OpenAI-compatible endpoint, or llama.cpp in a supervised child."""

from voice_server.dialogue.llm.client import ChatEndpoint, EndpointOptions
from voice_server.dialogue.llm.embedded import EmbeddedModel, EmbeddedOptions, ModelState
from voice_server.dialogue.llm.model import (
    ChatPart,
    ChatRequest,
    Finished,
    LanguageModel,
    LlmBarred,
    LlmError,
    LlmRefused,
    LlmUnavailable,
    TextDelta,
    ToolRequest,
)
from voice_server.dialogue.llm.vendors import Endpoint, EndpointError, endpoint

__all__ = [
    "ChatEndpoint",
    "ChatPart",
    "ChatRequest",
    "EmbeddedModel",
    "EmbeddedOptions",
    "Endpoint",
    "EndpointError",
    "EndpointOptions",
    "Finished",
    "LanguageModel",
    "LlmBarred",
    "LlmError",
    "LlmRefused",
    "LlmUnavailable",
    "ModelState",
    "TextDelta",
    "ToolRequest",
    "endpoint",
]
