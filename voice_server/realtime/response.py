"""One response: from what the conversation says of a reply to the events SDKs expect.

Everything opened (output items, content parts) is closed before ``response.done``, in the order
of the protocol: output_audio.done, output_audio_transcript.done, content_part.done,
output_item.done, conversation.item.done, response.done, rate_limits.updated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from voice_server.conversation.notices import ClauseText, ReplyAudio, ReplyDone, ReplyToolCall
from voice_server.conversation.transcript import History, Item, UnknownItem
from voice_server.dialogue.dialogue import Clause
from voice_server.realtime.effects import Effect, Send
from voice_server.realtime.events import AudioFormat
from voice_server.realtime.replay import Replay, SpokenPiece
from voice_server.realtime.speaking import DeltaTemplate, Encoder, binary_frame, pieces
from voice_server.realtime.wire import EventWriter, item_json, usage_json
from voice_server.speech.engine import SPEAKING_RATE, Audio, Phone

_STATUS_REASONS = frozenset(
    {"turn_detected", "client_cancelled", "max_output_tokens", "content_filter"}
)
"""The reasons the protocol knows."""


class VisemeLike(Protocol):
    """A mouth shape and when it shows, in ms of the audio its phones count in."""

    @property
    def viseme(self) -> str:
        """Oculus name."""

    @property
    def start_ms(self) -> float:
        """Start."""

    @property
    def end_ms(self) -> float:
        """End."""

    @property
    def weight(self) -> float:
        """How strongly it shows, in [0, 1]."""


VisemeMaker = Callable[[Sequence[Phone]], Sequence[VisemeLike]]


@dataclass(frozen=True, slots=True)
class ResponseSettings:
    """What a response takes over from its session, or from the ``response.create`` that asked."""

    text_only: bool
    audio_format: AudioFormat
    voice: str
    max_output_tokens: int | str
    metadata: dict[str, str] | None = None
    out_of_band: bool = False


class Surroundings:
    """What all responses of a session share."""

    def __init__(
        self,
        writer: EventWriter,
        history: History,
        conversation_id: str,
        extensions: frozenset[str],
        replay: Replay | None,
        visemes: VisemeMaker | None,
    ) -> None:
        self.writer = writer
        self.history = history
        self.conversation_id = conversation_id
        self.extensions = extensions
        self.replay = replay
        self.visemes = visemes if "visemes" in extensions else None
        self.spoke = False
        """Whether audio was ever sent: from then on the voice is locked."""
        self._streams = 0

    def next_stream(self) -> int:
        """Return the number of the next binary audio stream (16 bits, never 0)."""
        self._streams = self._streams % 0xFFFF + 1
        return self._streams

    def previous_id(self, item_id: str) -> str | None:
        """Return the id of the item before this one in the history."""
        items = self.history.items
        try:
            position = self.history.index(item_id)
        except UnknownItem:
            position = len(items)
        for item in reversed(items[:position]):
            # A reply that only called a function leaves no message a client has heard of.
            if item.role != "assistant" or item.kind != "message" or item.text:
                return item.id
        return None


class Response:
    """Writes the events of one response."""

    def __init__(self, response_id: str, settings: ResponseSettings, around: Surroundings) -> None:
        self.id = response_id
        self.settings = settings
        self.item_id = ""
        self.cancelling = False
        """The client cancelled it: nothing of it is sent any more but its end."""
        self.announced = False
        self.message_open = False
        self._around = around
        self._event = around.writer.event
        self._message_index = 0
        self._texts: list[str] = []
        self._output: list[dict[str, Any]] = []
        self._encoder: Encoder | None = None
        self._template: DeltaTemplate | None = None
        self._stream = 0
        self._audio_end_ms = 0.0
        self._visemes_until_ms = float("-inf")

    def announce(self) -> list[Effect]:
        """Return ``response.created``, once."""
        if self.announced:
            return []
        self.announced = True
        return [self._event("response.created", response=self._body("in_progress", None))]

    def clause(self, notice: ClauseText) -> list[Effect]:
        """Return the events of a clause whose audio follows (or that stands for itself)."""
        effects = self._open_message()
        delta = f" {notice.clause.text}" if self._texts else notice.clause.text
        self._texts.append(notice.clause.text)
        kind = "output_text" if self.settings.text_only else "output_audio_transcript"
        effects.append(self._event(f"response.{kind}.delta", **self._place(), delta=delta))
        return effects + self._clause_extensions(notice.index, notice.clause)

    def audio(self, notice: ReplyAudio) -> list[Effect]:
        """Return the events of a piece of speech."""
        if self.settings.text_only or not len(notice.audio):
            return []
        effects = self._open_message()
        effects += self._mouth(notice)
        if self._around.replay is not None:
            self._around.replay.speak(self.id, notice.offset_ms, notice.audio)
        effects += self._speak(notice.offset_ms, notice.audio)
        self._audio_end_ms = notice.offset_ms + len(notice.audio) * 1000 / SPEAKING_RATE
        self._around.spoke = True
        return effects

    def tool_call(self, notice: ReplyToolCall) -> list[Effect]:
        """Return the events of a call of the client's function: begun and complete at once."""
        call = notice.call
        item = Item(
            notice.item_id,
            kind="function_call",
            text=call.arguments,
            call_id=call.call_id,
            name=call.name,
        )
        # Stock clients run the tool at the first "completed" they see: once, at output_item.done.
        begun = {**item_json(item, empty=True), "status": "in_progress"}
        done = item_json(item)
        index = len(self._output)
        self._output.append(done)
        place = {
            "response_id": self.id,
            "item_id": item.id,
            "output_index": index,
            "call_id": call.call_id,
        }
        arguments = "response.function_call_arguments"
        return [
            *self._item("added", index, begun),
            self._event(f"{arguments}.delta", **place, delta=call.arguments),
            self._event(f"{arguments}.done", **place, name=call.name, arguments=call.arguments),
            *self._item("done", index, done),
        ]

    def done(self, notice: ReplyDone) -> list[Effect]:
        """Close everything the response opened, then the response."""
        effects = self.announce()
        if self.message_open:
            effects += self._close_message(notice)
        details: dict[str, Any] | None = None
        if notice.status != "completed":
            details = {"type": notice.status}
            if notice.reason in _STATUS_REASONS:
                details["reason"] = notice.reason
            if notice.status == "failed":
                details["error"] = {
                    "type": "server_error",
                    "code": "reply_failed",
                    "message": notice.error or "The reply could not be made.",
                }
        body = {**self._body(notice.status, details), "usage": usage_json(notice.usage)}
        return [
            *effects,
            self._event("response.done", response=body),
            # The server limits sessions, not requests or tokens: there is nothing to count down.
            self._event("rate_limits.updated", rate_limits=[]),
        ]

    def speak_again(self, spoken: list[SpokenPiece]) -> list[Effect]:
        """Return audio that was sent but not heard, after the response is done."""
        effects: list[Effect] = []
        if self._stream:
            effects.append(self._stream_event())
        self._encoder = Encoder(self.settings.audio_format)
        for piece in spoken:
            effects += self._speak(piece.offset_ms, piece.audio)
        return effects

    def rejoin(self) -> list[Effect]:
        """Return what a client that reconnects must know before the audio goes on."""
        return [self._stream_event()] if self._stream else []

    def _body(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        settings = self.settings
        body: dict[str, Any] = {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": details,
            "output": self._output,
            "conversation_id": None if settings.out_of_band else self._around.conversation_id,
            "output_modalities": ["text"] if settings.text_only else ["audio"],
            "max_output_tokens": settings.max_output_tokens,
            "metadata": settings.metadata,
            "usage": None,
        }
        if not settings.text_only:
            wire_format = settings.audio_format.model_dump(mode="json")
            body["audio"] = {"output": {"format": wire_format, "voice": settings.voice}}
        return body

    def _place(self) -> dict[str, Any]:
        return {
            "response_id": self.id,
            "item_id": self.item_id,
            "output_index": self._message_index,
            "content_index": 0,
        }

    def _message(self, status: str, text: str) -> Item:
        return Item(
            self.item_id,
            role="assistant",
            content="output_text" if self.settings.text_only else "output_audio",
            text=text,
            status="completed" if status == "completed" else "incomplete",
        )

    def _item(self, phase: str, index: int, item: dict[str, Any]) -> list[Effect]:
        effects: list[Effect] = [
            self._event(
                f"response.output_item.{phase}",
                response_id=self.id,
                output_index=index,
                item=item,
            )
        ]
        if not self.settings.out_of_band:
            previous = self._around.previous_id(item["id"])
            effects.append(
                self._event(f"conversation.item.{phase}", previous_item_id=previous, item=item)
            )
        return effects

    def _open_message(self) -> list[Effect]:
        if self.message_open:
            return []
        self.message_open = True
        self._message_index = len(self._output)
        begun = {
            **item_json(self._message("in_progress", ""), empty=True),
            "status": "in_progress",
        }
        self._output.append(begun)
        part = (
            {"type": "text", "text": ""}
            if self.settings.text_only
            else {"type": "audio", "transcript": ""}
        )
        return [
            *self._item("added", self._message_index, begun),
            self._event("response.content_part.added", **self._place(), part=part),
        ]

    def _close_message(self, notice: ReplyDone) -> list[Effect]:
        self.message_open = False
        effects: list[Effect] = []
        place = self._place()
        text = notice.text if notice.status != "completed" else " ".join(self._texts)
        if self.settings.text_only:
            part = {"type": "text", "text": text}
            effects.append(self._event("response.output_text.done", **place, text=text))
        else:
            part = {"type": "audio", "transcript": text}
            if self._encoder is not None and notice.status == "completed":
                effects += self._data(self._audio_end_ms, self._encoder.finish())
            effects += [
                self._event("response.output_audio.done", **place),
                self._event("response.output_audio_transcript.done", **place, transcript=text),
            ]
        item = item_json(self._message(notice.status, text))
        self._output[self._message_index] = item
        effects.append(self._event("response.content_part.done", **place, part=part))
        return effects + self._item("done", self._message_index, item)

    def _speak(self, offset_ms: float, audio: Audio) -> list[Effect]:
        effects: list[Effect] = []
        if self._encoder is None:
            self._encoder = Encoder(self.settings.audio_format)
            if "binary" in self._around.extensions:
                self._stream = self._around.next_stream()
                effects.append(self._stream_event())
            else:
                self._template = DeltaTemplate(self.id, self.item_id, self._message_index)
        for piece in pieces(audio):
            effects += self._data(offset_ms, self._encoder.encode(piece))
            offset_ms += len(piece) * 1000 / SPEAKING_RATE
        return effects

    def _data(self, offset_ms: float, data: bytes) -> list[Effect]:
        if not data:
            return []
        if self._template is None:
            return [Send(binary_frame(self._stream, offset_ms, data), binary=True)]
        return [Send(self._template.message(self._around.writer.next_id(), data))]

    def _stream_event(self) -> Send:
        return self._event(
            "voice_server.audio_stream",
            stream=self._stream,
            response_id=self.id,
            item_id=self.item_id,
        )

    def _mouth(self, notice: ReplyAudio) -> list[Effect]:
        """Return the visemes of a piece; a reply played on after a pause does not repeat them."""
        make = self._around.visemes
        phones = [phone for phone in notice.phones if phone.start_ms > self._visemes_until_ms]
        if make is None or not phones:
            return []
        self._visemes_until_ms = phones[-1].start_ms
        shapes = [
            {
                "viseme": str(shape.viseme),
                "start_ms": round(shape.start_ms),
                "end_ms": round(shape.end_ms),
                "weight": shape.weight,
            }
            for shape in make(phones)
        ]
        return [
            self._event(
                "voice_server.visemes", response_id=self.id, item_id=self.item_id, visemes=shapes
            )
        ]

    def _clause_extensions(self, index: int, clause: Clause) -> list[Effect]:
        effects: list[Effect] = []
        place = {"response_id": self.id, "item_id": self.item_id, "index": index}
        if "captions" in self._around.extensions:
            effects.append(
                self._event(
                    "voice_server.caption",
                    **place,
                    text=clause.text,
                    language=clause.language,
                    kind=clause.kind.value,
                    start_ms=round(self._audio_end_ms),
                )
            )
        if "citations" in self._around.extensions and (clause.citations or clause.cards):
            effects.append(
                self._event(
                    "voice_server.citations",
                    **place,
                    citations=[asdict(citation) for citation in clause.citations],
                    cards=[asdict(card) for card in clause.cards],
                )
            )
        return effects
