"""What a reply is asked with: the session's settings, one reply's wishes, and the history."""

from __future__ import annotations

from dataclasses import replace

from voice_server.conversation.orders import ReplyOptions
from voice_server.conversation.transcript import History, Item
from voice_server.dialogue.dialogue import ReplyRequest


def merge(own: ReplyOptions, wish: ReplyOptions) -> ReplyOptions:
    """Return the session's reply settings with one reply's wishes on top."""
    return replace(
        own,
        instructions=own.instructions if wish.instructions is None else wish.instructions,
        modality=wish.modality or own.modality or "audio",
        voice=wish.voice or own.voice,
        speed=wish.speed or own.speed,
        tools=own.tools if wish.tools is None else wish.tools,
        tool_choice=wish.tool_choice or own.tool_choice,
        max_output_tokens=wish.max_output_tokens or own.max_output_tokens,
        input=wish.input,
        out_of_band=wish.out_of_band,
        metadata=wish.metadata,
    )


def build(
    reply_id: str,
    history: History,
    options: ReplyOptions,
    *,
    heard: Item | None = None,
    language: str | None = None,
    language_probability: float = 0.0,
    speculative: bool = False,
) -> ReplyRequest:
    """Return what the dialogue gets; ``heard`` is the utterance while it is no item yet."""
    source = History(list(options.input)) if options.input is not None else history
    entries = source.entries()
    if heard is not None:
        entries = (*entries, *History([heard]).entries())
    return ReplyRequest(
        reply_id=reply_id,
        history=entries,
        detected_language=language,
        language_probability=language_probability,
        instructions=options.instructions,
        tools=options.tools or (),
        tool_choice=options.tool_choice or "auto",
        max_output_tokens=options.max_output_tokens,
        speculative=speculative,
        out_of_band=options.out_of_band,
        metadata=dict(options.metadata),
    )
