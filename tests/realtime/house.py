"""A whole web server on a real socket, with scripted conversations behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
import openai
import orjson
from aiohttp import web

from tests.fakes.conversation import FakeConversation, Script
from tests.realtime.scene import SHOP, mouth_shapes
from voice_server.conversation.notices import Notice
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.session import Conversation
from voice_server.conversation.transcript import History
from voice_server.realtime.ports import ConversationPort, RealtimeBackend
from voice_server.realtime.rest_backend import RestBackend
from voice_server.realtime.returning import Returning
from voice_server.realtime.sessions import Sessions
from voice_server.speech.engine import (
    SPEAKING_RATE,
    Audio,
    EngineError,
    Phone,
    Quality,
    SpeechChunk,
    Transcript,
    Voice,
)
from voice_server.web.application import METRICS, REALTIME, WebBackend, create_application
from voice_server.web.metrics import Metrics

DEADLINE_S = 10.0


class ToneSpeaker:
    """Speaks 100 ms of tone for each word."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fail_at = -1
        self.stall = False

    def voices(self) -> tuple[Voice, ...]:
        return (Voice("af_heart", "en", "fake", Quality.ROBOTIC, "none", "Apache-2.0"),)

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        self.asked.append({"text": text, "language": language, "voice": voice, "speed": speed})
        for index, _ in enumerate(text.split()):
            if self.stall:
                await asyncio.sleep(3600)
            if index == self.fail_at:
                raise EngineError("no voice today")
            phase = np.arange(SPEAKING_RATE // 10, dtype=np.float32) * 0.1
            yield SpeechChunk((0.3 * np.sin(phase)).astype(np.float32), (Phone("a", 0, 100),))


class Scribe:
    """Understands how long a recording is."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fail = False
        self.fail_after = 1_000_000
        self.stall = False

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        hint: str = "",
        urgent: bool = True,
    ) -> Transcript:
        self.asked.append({"language": language, "languages": languages, "hint": hint})
        if self.stall:
            await asyncio.sleep(3600)
        if self.fail or len(self.asked) > self.fail_after:
            raise EngineError("deaf today")
        ms = round(len(audio) / 16)
        return Transcript(f" {ms} ms", language or "en", 0.9, -0.25, 0.02, ms)


@dataclass
class House:
    """A running server."""

    url: str
    application: web.Application
    client: aiohttp.ClientSession
    conversations: list[FakeConversation] = field(default_factory=list)
    speaker: ToneSpeaker = field(default_factory=ToneSpeaker)
    scribe: Scribe = field(default_factory=Scribe)
    sdks: list[openai.AsyncOpenAI] = field(default_factory=list)

    @property
    def sessions(self) -> Sessions:
        return self.application[REALTIME].sessions

    @property
    def metrics(self) -> Metrics:
        return self.application[METRICS]

    def sdk(self, key: str = "any") -> openai.AsyncOpenAI:
        """The stock Python SDK, pointed here."""
        client = openai.AsyncOpenAI(api_key=key, base_url=f"{self.url}/v1", max_retries=0)
        self.sdks.append(client)
        return client

    async def open(self, query: str = "", **options: Any) -> Wire:
        """Connect and swallow the greeting."""
        wire = await self.dial(query, **options)
        await wire.until("session.created")
        await wire.until("conversation.created")
        return wire

    async def dial(self, query: str = "", **options: Any) -> Wire:
        socket = await self.client.ws_connect(f"{self.url}/v1/realtime{query}", **options)
        return Wire(socket)


@dataclass
class Wire:
    """A client's end of a socket."""

    socket: aiohttp.ClientWebSocketResponse
    seen: list[dict[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(orjson.dumps({"type": kind, **fields}).decode())

    async def next(self) -> dict[str, Any] | None:
        """The next JSON event, None when the socket has ended."""
        while True:
            message = await self.socket.receive(timeout=DEADLINE_S)
            if message.type is aiohttp.WSMsgType.BINARY:
                self.frames.append(message.data)
                continue
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None
            event: dict[str, Any] = orjson.loads(message.data)
            self.seen.append(event)
            return event

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of that type."""
        while (event := await self.next()) is not None:
            if event["type"] == kind:
                return event
        raise AssertionError(f"no {kind}; closed with {self.socket.close_code}: {self.types()}")

    async def end(self) -> int | None:
        """Read to the end and return the close code."""
        while await self.next() is not None:
            pass
        return self.socket.close_code

    def types(self) -> list[str]:
        return [event["type"] for event in self.seen]

    def vanish(self) -> None:
        """Be gone, without a close frame."""
        assert self.socket._conn is not None
        transport = self.socket._conn.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


@asynccontextmanager
async def house(
    script: Script | None = None,
    *,
    ready: Callable[[], dict[str, bool]] = dict,
    voices: frozenset[str] = frozenset({"af_heart"}),
    max_sessions: int = 10,
    resume_s: float = 5.0,
    loaded: bool = True,
    jobs: int = 2,
    web_options: dict[str, Any] | None = None,
    services: Services | None = None,
    returning: Returning | None = None,
    not_yet: Callable[[], str] = str,
) -> AsyncIterator[House]:
    """``services``: real conversations with these engines instead of scripted ones."""
    conversations: list[FakeConversation] = []

    def open_conversation(
        *,
        session_id: str,
        input_rate: int,
        emit: Callable[[Notice], None],
        history: History,
        flushes: bool,
        language: str | None,
    ) -> ConversationPort:
        if services is not None:
            options = ConversationOptions(
                session_id, input_rate=input_rate, flushes=flushes, language=language
            )
            return Conversation(services=services, options=options, emit=emit, history=history)
        conversation = FakeConversation(
            session_id=session_id,
            input_rate=input_rate,
            emit=emit,
            history=history,
            flushes=flushes,
            script=script,
        )
        conversations.append(conversation)
        return conversation

    speaker, scribe = ToneSpeaker(), Scribe()
    rest = RestBackend(
        tts=speaker,
        stt=scribe,
        languages=("fr", "nl"),
        identify_language=lambda text: "fr" if "é" in text else "en",
        voices=voices,
        jobs=jobs,
    )
    application = create_application(
        WebBackend(
            realtime=RealtimeBackend(
                open_conversation=open_conversation,
                defaults=SHOP,
                visemes=mouth_shapes,
                voices=lambda: voices,
                max_sessions=max_sessions,
                resume_s=resume_s,
                returning=lambda: returning,
                not_yet=not_yet,
            ),
            rest=lambda: rest if loaded else None,
            ready=ready,
            **(web_options or {}),
        )
    )
    runner = web.AppRunner(application, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as client:
            home = House(
                f"http://127.0.0.1:{port}", application, client, conversations, speaker, scribe
            )
            yield home
            for sdk in home.sdks:
                await sdk.close()
    finally:
        await runner.cleanup()
