"""``POST /v1/audio/speech``: text in, audio out, the first of it as soon as it is made."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from collections.abc import AsyncIterator
from typing import Annotated, Literal

import numpy as np
import orjson
from aiohttp import web
from pydantic import Field

from voice_server.audio.pcm import encode_pcm16
from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.effects import WireError
from voice_server.realtime.events import VoiceId, WireModel
from voice_server.realtime.media import CONTAINERS, encode_file, streaming_wav_header
from voice_server.realtime.rest_backend import (
    LoadedBackend,
    RestBackend,
    cut_short,
    json_body,
    loaded,
)
from voice_server.realtime.session_config import check_voice, engine_voice, voice_name
from voice_server.realtime.validation import parse
from voice_server.speech.engine import Audio, EngineError, EngineTimeout

log = logging.getLogger(__name__)

CHUNK_DEADLINE_S = 20.0
"""What the synthesiser gets for its next piece; then the request fails."""

CLAUSE_CHARS = 220
"""Longest text given to the synthesiser at once: about 15 s of speech."""

_SILENCE: Audio = np.zeros(2400, np.float32)
"""What a text without any words sounds like; files of no length confuse players."""

_SENTENCE_END = re.compile(r"(?<=[.!?…;:。！？])\s+|\n+")


class SpeechRequest(WireModel):
    """The body; ``model`` and ``instructions`` are accepted and have no effect."""

    input: str = Field(min_length=1, max_length=4096)
    voice: Annotated[str, Field(min_length=1, max_length=128)] | VoiceId = "default"
    response_format: Literal["mp3", "opus", "flac", "wav", "pcm"] = "mp3"
    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    stream_format: Literal["audio", "sse"] = "audio"
    language: str | None = Field(default=None, max_length=16)
    """Ours: the language of the text; by default it is recognised."""


class SpeechApi:
    """The handler."""

    def __init__(self, backend: LoadedBackend) -> None:
        self._loaded = backend

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with audio. Raises ApiError."""
        backend = loaded(self._loaded)
        wanted = parse_request(await json_body(request), backend.voices)
        async with backend.slot():
            pieces = _pieces(backend, wanted)
            first = await anext(pieces, None)  # an error now is still a status, later only a cut
            if wanted.stream_format == "sse":
                return await _stream_events(request, first, pieces)
            if wanted.response_format in {"wav", "pcm"}:
                return await _stream_samples(request, wanted.response_format, first, pieces)
            whole = [piece async for piece in _chain(first, pieces)]
            audio = np.concatenate(whole) if whole else _SILENCE
            data = await asyncio.to_thread(encode_file, audio, wanted.response_format)
            return web.Response(body=data, content_type=CONTAINERS[wanted.response_format][2])


def parse_request(body: object, voices: frozenset[str]) -> SpeechRequest:
    """Return the checked body. Raises ApiError."""
    try:
        wanted = parse(SpeechRequest, body)
        check_voice(voice_name(wanted.voice), voices, "voice")
    except WireError as error:
        raise ApiError.of(error) from None
    return wanted


def clauses(text: str) -> list[str]:
    """Cut a text at its sentence ends, and long sentences at spaces."""
    found: list[str] = []
    for sentence in _SENTENCE_END.split(text):
        rest = sentence.strip()
        while len(rest) > CLAUSE_CHARS:
            at = rest.rfind(" ", 0, CLAUSE_CHARS)
            at = at if at > 0 else CLAUSE_CHARS
            found.append(rest[:at].strip())
            rest = rest[at:].strip()
        if rest:
            found.append(rest)
    return found


async def _pieces(backend: RestBackend, wanted: SpeechRequest) -> AsyncIterator[Audio]:
    language = wanted.language or backend.identify_language(wanted.input)
    voice = engine_voice(voice_name(wanted.voice), backend.voices) or ""
    for clause in clauses(wanted.input):
        chunks = backend.tts.speak(clause, language=language, voice=voice, speed=wanted.speed)
        while True:
            try:
                async with asyncio.timeout(CHUNK_DEADLINE_S):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise _failed(EngineTimeout("the synthesiser missed its deadline")) from None
            except EngineError as error:
                raise _failed(error) from None
            if chunk is None:
                break
            yield chunk.audio


def _failed(error: EngineError) -> ApiError:
    log.warning("speech: %s", error)
    return ApiError(500, f"The text could not be spoken: {error}.", code="speech_failed")


async def _chain(first: Audio | None, rest: AsyncIterator[Audio]) -> AsyncIterator[Audio]:
    if first is not None:
        yield first
    async for piece in rest:
        yield piece


async def _stream_samples(
    request: web.Request, kind: str, first: Audio | None, rest: AsyncIterator[Audio]
) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "audio/wav" if kind == "wav" else "audio/pcm"
    await response.prepare(request)
    with cut_short(request):
        if kind == "wav":
            await response.write(streaming_wav_header())
        async for piece in _chain(first, rest):
            await response.write(encode_pcm16(piece))
        await response.write_eof()
    return response


async def _stream_events(
    request: web.Request, first: Audio | None, rest: AsyncIterator[Audio]
) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "text/event-stream"
    await response.prepare(request)
    with cut_short(request):
        async for piece in _chain(first, rest):
            audio = base64.b64encode(encode_pcm16(piece)).decode()
            await response.write(_sse({"type": "speech.audio.delta", "audio": audio}))
        usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        await response.write(_sse({"type": "speech.audio.done", "usage": usage}))
        await response.write_eof()
    return response


def _sse(event: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(event) + b"\n\n"
