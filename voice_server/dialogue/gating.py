"""The gate before a model's sentences in one turn: what they may rest on."""

from __future__ import annotations

from voice_server.dialogue.dialogue import Message, ReplyRequest, ToolResult
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.gates import SentenceGate
from voice_server.dialogue.grounds import Grounds, build_grounds
from voice_server.dialogue.guards.injection import Source, screen
from voice_server.dialogue.resources import Resources


def turn_gate(
    resources: Resources,
    request: ReplyRequest,
    language: str,
    facts: tuple[Fact, ...],
    *,
    acted: bool,
) -> SentenceGate:
    """Return the gate. ``acted``: a tool has answered in this turn.

    A client with instructions of its own has a general assistant: its gate is relaxed.
    """
    general = request.instructions is not None
    return SentenceGate(
        _grounds(resources, request, language, facts),
        language,
        resources.languages,
        None if general else resources.identify,
        relaxed=general,
        guards=None if general else resources.guards.get(language),
        acted=acted,
    )


def _grounds(
    resources: Resources, request: ReplyRequest, language: str, facts: tuple[Fact, ...]
) -> Grounds:
    general = request.instructions is not None
    asked: list[tuple[str, str]] = []
    said: list[tuple[str, str]] = []
    told: list[tuple[str, str]] = []
    for entry in request.history:
        if isinstance(entry, Message):
            trusted = general or entry.role == "assistant"
            (said if trusted else asked).append((entry.text, entry.language or language))
        elif isinstance(entry, ToolResult):
            # A client's tools may well speak to the client's own assistant.
            source = Source.CALLER if general else Source.DATA
            told.append((screen(entry.output, source).text, "en"))
    if request.instructions is not None:
        told.append((request.instructions, language))
    return build_grounds(facts, echoes=asked, said=said, loose=told, names=(resources.shop,))
