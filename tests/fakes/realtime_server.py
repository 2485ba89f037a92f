"""A Realtime server without models: real sockets, GA events, our extensions, scripted answers.

It hears by energy (speech is what is louder than a hum), answers what its script says, speaks a
tone in real time and can be told to misbehave: drop the socket, pause, fail, be full.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

RATE = 24_000
FRAME_MS = 20
LEAD_MS = 100
LOUD = 0.012
"""Root mean square above which a frame is speech: the browser's noise suppression lowers it."""
SPEECH_FRAMES = 5
SILENCE_FRAMES = 20


@dataclass(frozen=True, slots=True)
class Spoken:
    """One clause of a scripted answer."""

    text: str
    ms: int = 600
    language: str = "en"
    kind: str = "content"
    citations: Sequence[dict[str, str]] = ()
    cards: Sequence[dict[str, str]] = ()


@dataclass(slots=True)
class Script:
    """What the fake says and how it behaves; tests change it as they go."""

    greeting: Sequence[Spoken] = (Spoken("Hello, I am the shop's AI assistant.", 700),)
    answer: Sequence[Spoken] = (Spoken("It costs €49.90.", 600), Spoken("It is in stock.", 600))
    transcript: str = "How much is the lamp?"
    partials: Sequence[str] = ("How much ", "is the ")
    thinking_ms: int = 150
    extensions: Sequence[str] = ("binary", "captions", "citations", "playback", "resume")
    close_code: int | None = None
    """Close every new socket with this code, after the upgrade."""
    deaf: bool = True
    """Do not react to audio, only count it: the test decides when the user speaks."""
    silent: bool = False
    """Accept sockets but never say anything."""


@dataclass(slots=True)
class Session:
    """What survives a dropped socket."""

    id: str
    token: str
    socket: web.WebSocketResponse | None = None
    transport: asyncio.WriteTransport | None = None
    log: list[dict[str, Any]] = field(default_factory=list)
    reply: asyncio.Task[None] | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)
    attached: asyncio.Event = field(default_factory=asyncio.Event)
    response_id: str | None = None
    offset_ms: int = 0
    streams: int = 0
    extensions: list[str] = field(default_factory=list)
    turn_detection: dict[str, Any] | None = None
    hears: bool = True
    loud: int = 0
    quiet: int = 0
    speaking: str | None = None


class FakeRealtime:
    """Mount with ``fake.add_to(app)``; then look at ``fake.received`` and steer ``fake.script``."""

    def __init__(self) -> None:
        self.script = Script()
        self.received: list[dict[str, Any]] = []
        self.connections: list[dict[str, str]] = []
        self.protocols: list[str] = []
        self.audio_frames: list[bytes] = []
        self.session: Session | None = None
        self._received_before = 0
        self._news = asyncio.Condition()
        self._ids = itertools.count(1)
        self._sessions: dict[str, Session] = {}

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/v1/realtime", self._serve)
        app.on_shutdown.append(self._stop)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.received if event["type"] == kind]

    def drop(self) -> None:
        """Cut the socket as a lost network does: no close frame."""
        session = self._live()
        assert session.socket is not None
        assert session.transport is not None
        session.transport.abort()

    async def pause(self, heard_ms: int) -> None:
        session = self._live()
        session.held.clear()
        await self._send(
            session,
            "voice_server.output.paused",
            response_id=session.response_id,
            heard_ms=heard_ms,
        )

    async def go_on(self, offset_ms: int) -> None:
        session = self._live()
        session.offset_ms = offset_ms
        await self._send(
            session,
            "voice_server.output.resumed",
            response_id=session.response_id,
            offset_ms=offset_ms,
        )
        session.held.set()

    @property
    def token(self) -> str:
        """The resume token that is valid now."""
        return self._live().token

    @property
    def response_id(self) -> str | None:
        """The reply that is made now, or was made last."""
        return self._live().response_id

    @property
    def connected(self) -> bool:
        """Whether the present session has a socket."""
        return self._live().socket is not None

    def forget(self) -> None:
        """Lose all sessions, as a restarted server does."""
        self._sessions.clear()

    def session_log(self) -> list[dict[str, Any]]:
        """Every event sent in the present session."""
        return self.session.log if self.session else []

    def received_since_resume(self) -> list[dict[str, Any]]:
        """What the client has sent since its last connection."""
        return self.received[self._received_before :]

    async def close(self, code: int) -> None:
        """Close the socket politely."""
        socket = self._live().socket
        assert socket is not None
        await socket.close(code=code)

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something holds, looking at every message. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(condition)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    @property
    def finished_replies(self) -> int:
        """How many replies have been spoken to their end."""
        done = [event for event in self.session_log() if event["type"] == "response.done"]
        return sum(event["response"]["status"] == "completed" for event in done)

    async def say(self, kind: str, **fields: Any) -> None:
        """Send any event to the client."""
        await self._send(self._live(), kind, **fields)

    async def barge_in(self) -> None:
        """Do what the server does when the user talks over a reply."""
        session = self._live()
        await self._send(
            session, "input_audio_buffer.speech_started", item_id=self._id("item"), audio_start_ms=0
        )
        await self._cancel(session, "turn_detected")

    def _live(self) -> Session:
        assert self.session is not None, "no client has connected"
        return self.session

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._ids)}"

    async def _stop(self, _: web.Application) -> None:
        for session in self._sessions.values():
            if session.reply is not None:
                session.reply.cancel()
            if session.socket is not None:
                with contextlib.suppress(ConnectionError):
                    await session.socket.close(code=1001)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        query = dict(request.query)
        self.connections.append(query)
        await self._tell()
        self._received_before = len(self.received)
        self.protocols.append(request.headers.get("Sec-WebSocket-Protocol", ""))
        socket = web.WebSocketResponse(protocols=("realtime",))
        await socket.prepare(request)
        if self.script.close_code is not None:
            await socket.close(code=self.script.close_code)
            return socket
        if self.script.silent:
            async for _ in socket:
                pass
            return socket
        session = await self._enter(socket, query)
        if session is None:
            await socket.close(code=4004)
            return socket
        assert isinstance(request.transport, asyncio.WriteTransport)
        session.transport = request.transport
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await self._hear(session, message.data)
            elif message.type is WSMsgType.TEXT:
                event = json.loads(message.data)
                self.received.append(event)
                await self._receive(session, event)
            await self._tell()
        if session.socket is socket:
            session.attached.clear()
            session.socket = None
            await self._tell()
        return socket

    async def _enter(self, socket: web.WebSocketResponse, query: dict[str, str]) -> Session | None:
        if "resume" in query:
            session = self._sessions.pop(query["resume"], None)
            if session is None:
                error = {
                    "type": "invalid_request_error",
                    "code": "resume_failed",
                    "message": "Gone",
                }
                await socket.send_json({"type": "error", "event_id": "event_0", "error": error})
                return None
            await self._resume(session, socket, query)
            return session
        session = self.session = Session(self._id("sess"), "")
        asked = query.get("extensions", "").split(",")
        session.extensions = [name for name in self.script.extensions if name in asked]
        session.held.set()
        session.attached.set()
        session.socket = socket
        await self._send(
            session,
            "session.created",
            session={"id": session.id, "type": "realtime"},
            voice_server={"extensions": session.extensions},
        )
        await self._offer(session)
        return session

    async def _offer(self, session: Session) -> None:
        session.token = self._id("rt")
        self._sessions[session.token] = session
        await self._send(session, "voice_server.resume_token", token=session.token, expires_in_s=60)

    async def _resume(
        self, session: Session, socket: web.WebSocketResponse, query: dict[str, str]
    ) -> None:
        last = query.get("last_event_id")
        seen = [index for index, event in enumerate(session.log) if event["event_id"] == last]
        missed = session.log[seen[-1] + 1 :] if seen else list(session.log)
        active = session.reply is not None and not session.reply.done()
        session.offset_ms = int(query.get("position_ms", "0"))
        session.socket = socket
        await self._send(
            session,
            "voice_server.resumed",
            session={"id": session.id},
            response_id=session.response_id if active else None,
            offset_ms=session.offset_ms,
            voice_server={"extensions": session.extensions},
        )
        for event in missed:
            await socket.send_json(event)
        await self._offer(session)
        session.attached.set()

    async def _send(self, to: Session, kind: str, /, **fields: Any) -> None:
        event = {"type": kind, "event_id": self._id("event"), **fields}
        to.log.append(event)
        if to.socket is not None and not to.socket.closed:
            with contextlib.suppress(ConnectionError):
                await to.socket.send_json(event)
        await self._tell()

    async def _receive(self, session: Session, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "session.update":
            audio = event["session"].get("audio", {}).get("input", {})
            if "turn_detection" in audio:
                session.hears = audio["turn_detection"] is not None
            await self._send(session, "session.updated", session=event["session"])
        elif kind == "conversation.item.create":
            await self._send(session, "conversation.item.added", item=event["item"])
        elif kind == "response.create":
            asked = any(e["type"] == "conversation.item.create" for e in self.received)
            heard = any(e["type"] == "input_audio_buffer.committed" for e in session.log)
            await self._reply(
                session, self.script.answer if asked or heard else self.script.greeting
            )
        elif kind == "response.cancel":
            await self._cancel(session, "client_cancelled")
        elif kind == "input_audio_buffer.commit":
            await self._transcribe(session, self._id("item"))

    async def _hear(self, session: Session, data: bytes) -> None:
        self.audio_frames.append(data)
        if not session.hears or self.script.deaf:
            return
        samples = struct.unpack(f"<{len(data) // 2}h", data)
        rms = math.sqrt(sum(s * s for s in samples) / len(samples)) / 32768
        session.loud = session.loud + 1 if rms > LOUD else 0
        session.quiet = 0 if rms > LOUD else session.quiet + 1
        if session.speaking is None and session.loud >= SPEECH_FRAMES:
            session.speaking = self._id("item")
            await self._send(
                session,
                "input_audio_buffer.speech_started",
                item_id=session.speaking,
                audio_start_ms=0,
            )
            await self._cancel(session, "turn_detected")
        elif session.speaking is not None and session.quiet >= SILENCE_FRAMES:
            item, session.speaking = session.speaking, None
            await self._send(
                session, "input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=0
            )
            await self._transcribe(session, item)
            await self._reply(session, self.script.answer)

    async def _transcribe(self, session: Session, item: str) -> None:
        prefix = "conversation.item.input_audio_transcription"
        for partial in self.script.partials:
            await self._send(
                session, f"{prefix}.delta", item_id=item, content_index=0, delta=partial
            )
        await self._send(session, "input_audio_buffer.committed", item_id=item)
        await self._send(
            session,
            f"{prefix}.completed",
            item_id=item,
            content_index=0,
            transcript=self.script.transcript,
        )

    async def _cancel(self, session: Session, reason: str) -> None:
        if session.reply is None or session.reply.done():
            return
        session.reply.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await session.reply
        await self._send(
            session,
            "response.done",
            response={
                "id": session.response_id,
                "status": "cancelled",
                "status_details": {"type": "cancelled", "reason": reason},
            },
        )

    async def _reply(self, session: Session, clauses: Sequence[Spoken]) -> None:
        await self._cancel(session, "client_cancelled")
        session.response_id = self._id("resp")
        session.offset_ms = 0
        session.held.set()
        session.reply = asyncio.create_task(self._speak(session, session.response_id, clauses))

    async def _speak(self, session: Session, response_id: str, clauses: Sequence[Spoken]) -> None:
        item_id = self._id("item")
        place = {"response_id": response_id, "item_id": item_id}
        status = {"id": response_id, "status": "in_progress"}
        await self._send(session, "response.created", response=status)
        await asyncio.sleep(self.script.thinking_ms / 1000)
        await self._send(
            session,
            "response.output_item.added",
            response_id=response_id,
            item={"id": item_id, "type": "message"},
        )
        session.streams += 1
        stream = session.streams
        if "binary" in session.extensions:
            await self._send(session, "voice_server.audio_stream", stream=stream, **place)
        starts = list(itertools.accumulate((clause.ms for clause in clauses), initial=0))
        told = 0
        clock = asyncio.get_running_loop()
        base = clock.time()
        while True:
            if not (session.held.is_set() and session.attached.is_set()):
                await session.held.wait()
                await session.attached.wait()
                base = clock.time() - session.offset_ms / 1000
            while told < len(clauses) and starts[told] <= session.offset_ms:
                await self._caption(session, place, told, clauses[told], starts[told])
                told += 1
            if session.offset_ms >= starts[-1]:
                break
            await self._audio(session, stream, place, session.offset_ms)
            session.offset_ms += FRAME_MS
            ahead = base + session.offset_ms / 1000 - LEAD_MS / 1000 - clock.time()
            if ahead > 0:
                await asyncio.sleep(ahead)
        await self._send(session, "response.output_audio.done", **place)
        await self._send(session, "response.done", response={**status, "status": "completed"})

    async def _caption(
        self, session: Session, place: dict[str, str], index: int, clause: Spoken, start_ms: int
    ) -> None:
        await self._send(
            session, "response.output_audio_transcript.delta", **place, delta=clause.text + " "
        )
        if "captions" in session.extensions:
            await self._send(
                session,
                "voice_server.caption",
                **place,
                index=index,
                text=clause.text,
                language=clause.language,
                kind=clause.kind,
                start_ms=start_ms,
            )
        if clause.citations or clause.cards:
            await self._send(
                session,
                "voice_server.citations",
                **place,
                index=index,
                citations=list(clause.citations),
                cards=list(clause.cards),
            )

    async def _audio(
        self, session: Session, stream: int, place: dict[str, str], offset_ms: int
    ) -> None:
        if session.socket is None or session.socket.closed:
            return
        samples = tone(offset_ms)
        with contextlib.suppress(ConnectionError):
            if "binary" in session.extensions:
                header = struct.pack("<BBHI", 1, 0, stream, offset_ms)
                await session.socket.send_bytes(header + samples)
            else:
                event = {
                    "type": "response.output_audio.delta",
                    "event_id": self._id("event"),
                    **place,
                    "delta": base64.b64encode(samples).decode(),
                }
                await session.socket.send_json(event)


def tone(offset_ms: int) -> bytes:
    """20 ms of a voice-like hum: 220 Hz whose loudness moves four times a second."""
    first = offset_ms * RATE // 1000
    count = RATE * FRAME_MS // 1000
    return struct.pack(
        f"<{count}h",
        *(
            int(
                6000
                * (0.55 + 0.45 * math.sin(2 * math.pi * 4 * n / RATE))
                * math.sin(2 * math.pi * 220 * n / RATE)
            )
            for n in range(first, first + count)
        ),
    )
