"""What a client asks of one response: ``response.create`` over the session's own settings."""

from __future__ import annotations

from typing import Any

from voice_server.conversation.orders import ReplyOptions
from voice_server.conversation.transcript import History
from voice_server.ids import IdFactory
from voice_server.realtime.events import ResponseParams
from voice_server.realtime.items import read_context
from voice_server.realtime.response import ResponseSettings
from voice_server.realtime.session_config import (
    SessionConfig,
    allowed_instructions,
    check_voice,
    engine_voice,
    refuse_other_tools,
    refuse_two_modalities,
    token_limit,
    tool_choice,
    tools,
    voice_name,
)
from voice_server.realtime.validation import parse


def session_settings(config: SessionConfig, *, out_of_band: bool) -> ResponseSettings:
    """Return the settings of a response nobody asked for (the user's turn ended)."""
    return ResponseSettings(
        text_only=config.text_only,
        audio_format=config.model.audio.output.format,
        voice=config.voice,
        max_output_tokens=config.model.max_output_tokens,
        out_of_band=out_of_band,
    )


def read_request(
    wire: dict[str, Any] | None, config: SessionConfig, history: History, new_id: IdFactory
) -> tuple[ResponseSettings, ReplyOptions]:
    """Return what ``response.create`` asks: for its own events, and for the conversation.

    Raises WireError.
    """
    wire = wire or {}
    refuse_two_modalities(wire.get("output_modalities"), "response.output_modalities")
    refuse_other_tools(wire.get("tools"), "response.tools")
    asked = parse(ResponseParams, wire, at="response")
    defaults = config.defaults
    output = asked.audio.output if asked.audio is not None else None
    voice = config.voice
    own_voice: str | None = None
    if output is not None and output.voice is not None:
        voice = voice_name(output.voice)
        check_voice(voice, defaults.voices, "response.audio.output.voice")
        own_voice = engine_voice(voice, defaults.voices)
    modalities = asked.output_modalities
    text_only = config.text_only if modalities is None else modalities == ["text"]
    wire_format = output.format if output is not None else None
    out_of_band = asked.conversation == "none"
    settings = ResponseSettings(
        text_only=text_only,
        audio_format=wire_format or config.model.audio.output.format,
        voice=voice,
        max_output_tokens=asked.max_output_tokens or config.model.max_output_tokens,
        metadata=asked.metadata,
        out_of_band=out_of_band,
    )
    context = None if asked.input is None else read_context(asked.input, history, new_id)
    limit = asked.max_output_tokens
    options = ReplyOptions(
        instructions=allowed_instructions(asked.instructions, defaults),
        modality=None if modalities is None else ("text" if text_only else "audio"),
        voice=own_voice,
        tools=None if asked.tools is None else tools(asked.tools),
        tool_choice=None if asked.tool_choice is None else tool_choice(asked.tool_choice),
        max_output_tokens=None if limit is None else token_limit(limit),
        input=context,
        out_of_band=out_of_band,
        metadata=asked.metadata or {},
    )
    return settings, options
