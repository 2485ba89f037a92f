"""Replies outside the conversation (Realtime ``conversation: "none"``)."""

from __future__ import annotations

from collections.abc import Callable

from voice_server.conversation import notices as n
from voice_server.conversation.mouth import Mouth
from voice_server.conversation.orders import ReplyOptions
from voice_server.conversation.playback import Playback
from voice_server.conversation.reply import ReplyRun
from voice_server.conversation.services import Services
from voice_server.dialogue.dialogue import DialogueSession, ReplyEnd, ReplyRequest

PIECE_MS = 200.0
"""Nobody can interrupt it, so larger pieces."""


async def aside(
    services: Services,
    dialogue: DialogueSession,
    request: ReplyRequest,
    options: ReplyOptions,
    *,
    emit: Callable[[n.Notice], None],
    clock: Callable[[], float],
) -> None:
    """Make a reply that is neither paced, nor interruptible, nor recorded. Cancelling is safe."""
    item_id = services.new_id("item")
    emit(n.ReplyStarted(request.reply_id, item_id, out_of_band=True))
    playback = Playback(paced=False)
    mouth = Mouth(request.reply_id, playback, piece_ms=PIECE_MS, on_sent=lambda audio: None)
    run = ReplyRun(
        reply_id=request.reply_id,
        item_id=item_id,
        generation=-1,
        request=request,
        options=options,
        mouth=mouth,
        tts=services.tts,
        deadlines=services.deadlines,
        on_change=lambda: None,
        clock=clock,
    )
    await run.produce(dialogue.reply(request))
    for index, clause in enumerate(run.texts):
        mouth.open_clause(clause)
        emit(n.ClauseText(run.reply_id, index, clause))
    playback.complete = True
    if not run.as_text:
        for notice in mouth.due(clock()):
            emit(notice)
    for call in run.tool_calls:
        emit(n.ReplyToolCall(run.reply_id, services.new_id("item"), call))
    text = " ".join(clause.text for clause in mouth.clauses)
    end = run.end or ReplyEnd()
    if run.error:
        emit(n.ReplyDone(run.reply_id, "failed", "error", text, 0.0, end.usage, error=run.error))
    else:
        status: n.ReplyStatus = "incomplete" if end.incomplete else "completed"
        emit(n.ReplyDone(run.reply_id, status, end.incomplete, text, playback.ready_ms, end.usage))
