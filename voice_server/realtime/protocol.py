"""The Realtime protocol, sans-I/O: client messages and notices in; messages and orders out.

No clock, socket, task or random in here: ``now`` is an argument (seconds, monotonic) and ids come
from an injected factory.  What a client does wrong raises nothing: it gets an ``error`` event that
names its ``event_id``, and the session goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from voice_server.conversation.notices import (
    ClauseText,
    Closed,
    Notice,
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    ReplyToolCall,
    UtteranceCommitted,
)
from voice_server.conversation.orders import (
    Cancel,
    ClearAudio,
    CommitAudio,
    Hear,
    Heard,
    Hold,
    Respond,
    Resume,
    Truncate,
)
from voice_server.conversation.transcript import History
from voice_server.ids import IdFactory
from voice_server.realtime import events as wire
from voice_server.realtime.effects import Close, Effect, Send, WireError
from voice_server.realtime.items import find, insert, read_item
from voice_server.realtime.listening import COMMIT_LEAST_MS, FloodedAgain, Listening
from voice_server.realtime.replay import Replay
from voice_server.realtime.reports import Reports
from voice_server.realtime.requests import read_request, session_settings
from voice_server.realtime.response import Surroundings, VisemeMaker
from voice_server.realtime.responses import Responses
from voice_server.realtime.session_config import SessionConfig
from voice_server.realtime.validation import parse
from voice_server.realtime.wire import EventWriter, item_json
from voice_server.speech.engine import LISTENING_RATE

EXTENSIONS = frozenset(
    {"binary", "captions", "citations", "visemes", "playback", "resume", "timings"}
)
"""Names of docs/realtime-extensions.md."""

EVENT_LIMIT = 524_288
"""Characters of any client event but an append: it may be echoed, and a stock Python client
closes at 1 MiB."""

_APPEND = "input_audio_buffer.append"


class RealtimeProtocol:
    """One session. The shell calls :meth:`start` first and carries out what every call returns."""

    def __init__(
        self,
        *,
        session_id: str,
        history: History,
        config: SessionConfig,
        new_id: IdFactory,
        extensions: frozenset[str] = frozenset(),
        visemes: VisemeMaker | None = None,
        listening_rate: int = LISTENING_RATE,
    ) -> None:
        """``config`` is what the client starts from (an ``ek_`` secret may have set more).

        ``history`` is shared with the conversation: this core adds, deletes and reads the client's
        items; the conversation adds its own *before* its notices name them.
        """
        self.session_id = session_id
        self.config = config
        self.extensions = extensions & EXTENSIONS
        self._history = history
        self._new_id = new_id
        replay = Replay() if "resume" in self.extensions else None
        self._replay = replay
        self._writer = EventWriter(session_id, replay)
        self._around = Surroundings(
            self._writer, history, new_id("conv"), self.extensions, replay, visemes
        )
        self._responses = Responses(self._around)
        self._reports = Reports(self._writer, history, self.extensions)
        self._listening = Listening(listening_rate)
        self._listening.use(config.model.audio.input.format)
        self._closed = False
        self._handlers: dict[type[wire.ClientEvent], Callable[[Any], list[Effect]]] = {
            wire.SessionUpdate: self._session_update,
            wire.BufferCommit: self._commit,
            wire.BufferClear: self._clear,
            wire.OutputClear: self._output_clear,
            wire.ItemCreate: self._item_create,
            wire.ItemTruncate: self._item_truncate,
            wire.ItemDelete: self._item_delete,
            wire.ItemRetrieve: self._item_retrieve,
            wire.ResponseCreate: self._response_create,
            wire.ResponseCancel: self._response_cancel,
            wire.Playback: self._playback,
        }

    @property
    def talking(self) -> bool:
        """Whether a response is open: a draining server lets it finish."""
        return self._responses.busy

    def start(self) -> list[Effect]:
        """Greet the client: before this returns nothing else may be sent."""
        conversation = {"id": self._around.conversation_id, "object": "realtime.conversation"}
        return [
            self._writer.event("session.created", **self._session()),
            self._writer.event("conversation.created", conversation=conversation),
            self.config.order(),
        ]

    def restarted(self) -> list[Effect]:
        """Greet a client whose session another process has begun: replies of then are over."""
        event = self._writer.passing(
            "voice_server.resumed",
            **self._session(),
            response_id=None,
            offset_ms=0,
            restarted=True,
        )
        return [event, self.config.order()]

    def receive(self, message: str | bytes, now: float) -> list[Effect]:
        """Take one websocket message: text is JSON, bytes are audio (extension ``binary``)."""
        if self._closed:
            return []
        event_id: str | None = None
        try:
            if isinstance(message, bytes):
                return self._binary(message, now)
            event = _read(message)
            given = event.get("event_id")
            event_id = given if isinstance(given, str) else None
            if event["type"] == _APPEND:
                audio = self._listening.append(event.get("audio"), now)
                return [] if audio is None else [Hear(audio)]
            return self._event(event, len(message))
        except FloodedAgain:
            return []
        except WireError as error:
            return [self._writer.error(error, event_id)]

    def observe(self, notice: Notice) -> list[Effect]:
        """Take one notice of the conversation."""
        if self._closed:
            return []
        if isinstance(notice, ReplyAudio):
            return self._responses.audio(notice)
        if isinstance(notice, ClauseText):
            return self._responses.clause(notice)
        if isinstance(notice, ReplyStarted):
            return self._responses.started(
                notice, session_settings(self.config, out_of_band=notice.out_of_band)
            )
        if isinstance(notice, ReplyToolCall):
            return self._responses.tool_call(notice)
        if isinstance(notice, ReplyDone):
            return self._responses.done(notice)
        if isinstance(notice, Closed):
            return self.close(1000, notice.reason)
        if isinstance(notice, UtteranceCommitted):
            self._listening.committed()
        return self._reports.write(notice)

    def offer_token(self, token: str, expires_in_s: float) -> list[Effect]:
        """Tell the client how it may come back (extension ``resume``)."""
        return [
            self._writer.passing(
                "voice_server.resume_token", token=token, expires_in_s=round(expires_in_s)
            )
        ]

    def detached(self) -> list[Effect]:
        """The socket is gone and the client may come back: the session's clock stops."""
        return [Hold()]

    def resumed(self, last_event_id: str | None, position_ms: float | None) -> list[Effect]:
        """The client is back: what it missed, then the unheard rest of the reply.

        A reply still being made is played on by the conversation; one that was finished into a
        dead socket is played from memory.
        """
        if self._replay is None:
            raise RuntimeError("the session was not opened with the resume extension")
        last = self._writer.number(last_event_id)
        missed = [Send(data) for data in self._replay.events_after(last)]
        active = self._responses.active
        position = max(position_ms or 0.0, 0.0)
        effects: list[Effect] = []
        unheard: list[Effect] = []
        response_id = None if active is None else active.id
        resume = Resume(position_ms)
        if active is not None:
            unheard = active.rejoin()
        elif position_ms is not None and (again := self._responses.unheard(position)) is not None:
            response_id, unheard, resume = again[0].id, again[1], Resume(None)
        effects.append(
            self._writer.passing(
                "voice_server.resumed",
                **self._session(),
                response_id=response_id,
                offset_ms=round(position),
            )
        )
        return [*effects, *missed, *unheard, resume]

    def close(self, code: int, reason: str) -> list[Effect]:
        """End the session: open responses are done, then the socket closes."""
        if self._closed:
            return []
        effects = self._responses.abandon(reason)
        self._closed = True
        return [*effects, Close(code, reason)]

    def _session(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"session": self.config.effective(self.session_id)}
        if self.extensions:
            fields["voice_server"] = {"extensions": sorted(self.extensions)}
        return fields

    def _binary(self, data: bytes, now: float) -> list[Effect]:
        if "binary" not in self.extensions:
            raise WireError(
                "Binary messages need the extension 'binary' (?extensions=binary). Send audio as "
                f"{_APPEND}.",
                code="invalid_event",
            )
        audio = self._listening.append_binary(data, now)
        return [] if audio is None else [Hear(audio)]

    def _event(self, event: dict[str, Any], size: int) -> list[Effect]:
        kind = event["type"]
        model = wire.CLIENT_EVENTS.get(kind) if isinstance(kind, str) else None
        if model is None or (model is wire.Playback and "playback" not in self.extensions):
            known = ", ".join([_APPEND, *(name for name in wire.CLIENT_EVENTS if "." in name)])
            raise WireError(
                f"Invalid value: '{kind}'. Supported values are: {known}.",
                code="invalid_value",
                param="type",
            )
        if size > EVENT_LIMIT:
            raise WireError(
                f"The event is larger than {EVENT_LIMIT} characters.",
                code="string_above_max_length",
            )
        return self._handlers[model](parse(model, event))

    def _session_update(self, event: wire.SessionUpdate) -> list[Effect]:
        pristine = not (self._listening.heard_any or self._history.items or self._responses.busy)
        self.config = self.config.updated(
            event.session, pristine=pristine, voice_locked=self._around.spoke
        )
        self._listening.use(self.config.model.audio.input.format)
        return [self.config.order(), self._writer.event("session.updated", **self._session())]

    def _commit(self, event: wire.BufferCommit) -> list[Effect]:
        waiting_ms = self._listening.uncommitted_ms
        if waiting_ms < COMMIT_LEAST_MS:
            raise WireError(
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{COMMIT_LEAST_MS:.0f}ms of audio, but buffer only has {waiting_ms:.2f}ms of "
                "audio.",
                code="input_audio_buffer_commit_empty",
            )
        self._listening.committed()
        return [CommitAudio(self._new_id("item"))]

    def _clear(self, event: wire.BufferClear) -> list[Effect]:
        self._listening.committed()
        return [ClearAudio(), self._writer.event("input_audio_buffer.cleared")]

    def _output_clear(self, event: wire.OutputClear) -> list[Effect]:
        active = self._responses.active
        if active is None:
            return []  # nothing sounds; the event that would say so must name a response
        _, ended = self._responses.cancel(active.id)
        cleared = self._writer.event("output_audio_buffer.cleared", response_id=active.id)
        return [Cancel(active.id), *ended, cleared]

    def _item_create(self, event: wire.ItemCreate) -> list[Effect]:
        item = read_item(event.item, self._new_id)
        previous = insert(self._history, item, event.previous_item_id)
        body = item_json(item)
        return [
            self._writer.event("conversation.item.added", previous_item_id=previous, item=body),
            self._writer.event("conversation.item.done", previous_item_id=previous, item=body),
        ]

    def _item_truncate(self, event: wire.ItemTruncate) -> list[Effect]:
        item = find(self._history, event.item_id, "truncate")
        if item.role != "assistant" or item.content != "output_audio" or event.content_index:
            raise WireError(
                "Only the audio of an assistant message (content_index 0) can be truncated.",
                code="invalid_value",
                param="content_index" if event.content_index else "item_id",
            )
        # Clients overshoot, and send 0 before the first frame: the conversation clamps and acks.
        return [Truncate(item.id, max(event.audio_end_ms, 0.0))]

    def _item_delete(self, event: wire.ItemDelete) -> list[Effect]:
        find(self._history, event.item_id, "delete")
        if self._responses.writes_item(event.item_id):
            raise WireError(
                f"Item '{event.item_id}' is being written by a response: cancel that first.",
                code="item_delete_in_progress",
                param="item_id",
            )
        self._history.delete(event.item_id)
        return [self._writer.event("conversation.item.deleted", item_id=event.item_id)]

    def _item_retrieve(self, event: wire.ItemRetrieve) -> list[Effect]:
        item = find(self._history, event.item_id, "retrieve")
        return [self._writer.event("conversation.item.retrieved", item=item_json(item))]

    def _response_create(self, event: wire.ResponseCreate) -> list[Effect]:
        if self.config.transcribing:
            raise WireError(
                "A transcription session makes no responses.", code="invalid_event", param="type"
            )
        settings, options = read_request(event.response, self.config, self._history, self._new_id)
        self._responses.check_room(out_of_band=settings.out_of_band)
        response_id = self._new_id("resp")
        return [*self._responses.request(response_id, settings), Respond(response_id, options)]

    def _response_cancel(self, event: wire.ResponseCancel) -> list[Effect]:
        response, ended = self._responses.cancel(event.response_id)
        return [Cancel(response.id), *ended]

    def _playback(self, event: wire.Playback) -> list[Effect]:
        return [Heard(event.response_id, event.position_ms)]


def _read(message: str) -> dict[str, Any]:
    """Return the JSON object of a text message, which names its ``type``. Raises WireError."""
    try:
        event = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise WireError(f"The message is not JSON: {error}.", code="invalid_json") from None
    if not isinstance(event, dict):
        raise WireError("An event must be a JSON object.", code="invalid_event")
    if event.get("type") is None:
        raise WireError(
            "Missing required parameter: 'type'.", code="missing_required_parameter", param="type"
        )
    return event
