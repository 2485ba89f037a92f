"""What the conversation reports of the user's side: speech, commits, transcripts, truncation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voice_server.conversation.notices import (
    IdleTimeout,
    ItemTruncated,
    Notice,
    OutputPaused,
    OutputResumed,
    SpeechStarted,
    SpeechStopped,
    TranscriptDelta,
    TranscriptFailed,
    TranscriptFinal,
    TurnTimings,
    UtteranceCommitted,
)
from voice_server.conversation.transcript import History, UnknownItem
from voice_server.realtime.effects import Effect
from voice_server.realtime.wire import EventWriter, item_json

_TRANSCRIPTION = "conversation.item.input_audio_transcription"


class Reports:
    """Writes the events of notices that belong to no response."""

    def __init__(self, writer: EventWriter, history: History, extensions: frozenset[str]) -> None:
        self._event = writer.event
        self._history = history
        self._extensions = extensions
        self._writers: dict[type[Any], Callable[[Any], list[Effect]]] = {
            SpeechStarted: self._speech_started,
            SpeechStopped: self._speech_stopped,
            UtteranceCommitted: self._committed,
            TranscriptDelta: self._transcript_delta,
            TranscriptFinal: self._transcript_final,
            TranscriptFailed: self._transcript_failed,
            IdleTimeout: self._idle_timeout,
            ItemTruncated: self._truncated,
            OutputPaused: self._paused,
            OutputResumed: self._resumed,
            TurnTimings: self._timings,
        }

    def write(self, notice: Notice) -> list[Effect]:
        """Return the events of one notice; none for those a client is not told of."""
        writer = self._writers.get(type(notice))
        return [] if writer is None else writer(notice)

    def _speech_started(self, notice: SpeechStarted) -> list[Effect]:
        return [
            self._event(
                "input_audio_buffer.speech_started",
                audio_start_ms=notice.audio_start_ms,
                item_id=notice.item_id,
            )
        ]

    def _speech_stopped(self, notice: SpeechStopped) -> list[Effect]:
        return [
            self._event(
                "input_audio_buffer.speech_stopped",
                audio_end_ms=notice.audio_end_ms,
                item_id=notice.item_id,
            )
        ]

    def _committed(self, notice: UtteranceCommitted) -> list[Effect]:
        previous = notice.previous_item_id
        effects: list[Effect] = [
            self._event(
                "input_audio_buffer.committed", previous_item_id=previous, item_id=notice.item_id
            )
        ]
        try:
            item = item_json(self._history.get(notice.item_id))
        except UnknownItem:
            return effects  # the client deleted it in the same moment
        return [
            *effects,
            self._event("conversation.item.added", previous_item_id=previous, item=item),
            self._event("conversation.item.done", previous_item_id=previous, item=item),
        ]

    def _transcript_delta(self, notice: TranscriptDelta) -> list[Effect]:
        return [
            self._event(
                f"{_TRANSCRIPTION}.delta",
                item_id=notice.item_id,
                content_index=0,
                delta=notice.text,
            )
        ]

    def _transcript_final(self, notice: TranscriptFinal) -> list[Effect]:
        transcript = notice.transcript
        known = [{"code": transcript.language}] if transcript.language else []
        return [
            self._event(
                f"{_TRANSCRIPTION}.completed",
                item_id=notice.item_id,
                content_index=0,
                transcript=transcript.text,
                usage={"type": "duration", "seconds": transcript.audio_ms / 1000},
                languages=known,
            )
        ]

    def _transcript_failed(self, notice: TranscriptFailed) -> list[Effect]:
        return [
            self._event(
                f"{_TRANSCRIPTION}.failed",
                item_id=notice.item_id,
                content_index=0,
                error={
                    "type": "transcription_error",
                    "code": "transcription_failed",
                    "message": notice.message,
                },
            )
        ]

    def _idle_timeout(self, notice: IdleTimeout) -> list[Effect]:
        return [
            self._event(
                "input_audio_buffer.timeout_triggered",
                audio_start_ms=notice.audio_start_ms,
                audio_end_ms=notice.audio_end_ms,
                item_id=notice.item_id,
            )
        ]

    def _truncated(self, notice: ItemTruncated) -> list[Effect]:
        return [
            self._event(
                "conversation.item.truncated",
                item_id=notice.item_id,
                content_index=0,
                audio_end_ms=notice.heard_ms,
            )
        ]

    def _paused(self, notice: OutputPaused) -> list[Effect]:
        if "playback" not in self._extensions:
            return []
        return [
            self._event(
                "voice_server.output.paused",
                response_id=notice.reply_id,
                heard_ms=round(notice.heard_ms),
            )
        ]

    def _resumed(self, notice: OutputResumed) -> list[Effect]:
        if "playback" not in self._extensions:
            return []
        return [
            self._event(
                "voice_server.output.resumed",
                response_id=notice.reply_id,
                offset_ms=round(notice.offset_ms),
            )
        ]

    def _timings(self, notice: TurnTimings) -> list[Effect]:
        if "timings" not in self._extensions:
            return []
        return [
            self._event(
                "voice_server.timings",
                item_id=notice.item_id,
                response_id=notice.reply_id,
                end_of_turn_ms=round(notice.end_of_turn_ms, 1),
                transcript_ms=round(notice.transcript_ms, 1),
                clause_ms=round(notice.clause_ms, 1),
                audio_ms=round(notice.audio_ms, 1),
                send_ms=round(notice.send_ms, 1),
                speculative=notice.speculative,
                first_kind=notice.first_kind,
            )
        ]
