"""What the HTTP routes need from the rest, and what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import orjson
from aiohttp import web

from voice_server.bodies import read_body
from voice_server.realtime.api_errors import ApiError
from voice_server.speech.engine import SpeechToText, TextToSpeech

JOBS_LIMIT = 8
"""Speech and transcription requests served at once; conversations share the same engines."""

BODY_LIMIT = 1024 * 1024
"""Bytes of a JSON body."""


class RestBackend:
    """Engines of ``/v1/audio/*``."""

    def __init__(
        self,
        *,
        tts: TextToSpeech,
        stt: SpeechToText,
        languages: tuple[str, ...],
        identify_language: Callable[[str], str],
        voices: frozenset[str] = frozenset(),
        jobs: int = JOBS_LIMIT,
    ) -> None:
        """``identify_language`` returns the ISO 639-1 code of a text."""
        self.tts = tts
        self.stt = stt
        self.languages = languages
        self.identify_language = identify_language
        self.voices = voices
        self._free = jobs

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the places. Raises ApiError when none is free: nobody waits in a queue."""
        if self._free == 0:
            raise ApiError(503, "The server is busy: try again in a moment.", code="server_full")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@contextmanager
def cut_short(request: web.Request) -> Iterator[None]:
    """Break the connection if a streamed answer fails: its client must not take it for whole."""
    try:
        yield
    except ApiError:
        if request.transport is not None:
            request.transport.abort()


LoadedBackend = Callable[[], RestBackend | None]
"""Returns the engines once they are loaded."""


def loaded(backend: LoadedBackend) -> RestBackend:
    """Return the engines. Raises ApiError while they are not loaded."""
    engines = backend()
    if engines is None:
        raise ApiError(503, "The speech engines are still loading.", code="engines_not_ready")
    return engines


async def json_body(request: web.Request) -> Any:
    """Return a request's JSON. Raises ApiError."""
    data = await read_body(request.content, BODY_LIMIT + 1)
    if len(data) > BODY_LIMIT:
        raise ApiError(413, f"The body is larger than {BODY_LIMIT} bytes.", code="body_too_large")
    try:
        return orjson.loads(data or b"{}")
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"The body is not JSON: {error}.", code="invalid_json") from None
