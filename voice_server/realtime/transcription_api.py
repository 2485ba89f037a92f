"""``POST /v1/audio/transcriptions``: a recording in, its words out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import BodyPartReader, web

from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.media import Undecodable, cut_points, decode_file
from voice_server.realtime.rest_backend import LoadedBackend, RestBackend, cut_short, loaded
from voice_server.speech.engine import LISTENING_RATE, Audio, EngineError, Transcript

log = logging.getLogger(__name__)

UPLOAD_LIMIT = 25 * 1024 * 1024
"""Bytes of a file, as at OpenAI."""

FIELD_LIMIT = 65_536
SEGMENT_DEADLINE_S = 60.0
"""What the recogniser gets for 28 s of speech, queueing behind conversations included."""

FORMATS = ("json", "text", "verbose_json", "srt", "vtt")


@dataclass(slots=True)
class Upload:
    """The form."""

    file: bytes | None = None
    fields: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a field, "" if it is absent."""
        return self.fields.get(name, "")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the recording and its words."""

    start_s: float
    end_s: float
    transcript: Transcript


class TranscriptionApi:
    """The handler."""

    def __init__(self, backend: LoadedBackend) -> None:
        self._loaded = backend

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with the words. Raises ApiError."""
        backend = loaded(self._loaded)
        upload = await read_upload(request)
        wanted = upload.text("response_format") or "json"
        if wanted not in FORMATS:
            raise ApiError(
                400,
                f"Invalid value: '{wanted}'. Supported values are: {', '.join(FORMATS)}.",
                code="invalid_value",
                param="response_format",
            )
        if not upload.file:
            raise ApiError(
                400,
                "Missing required parameter: 'file'.",
                code="missing_required_parameter",
                param="file",
            )
        async with backend.slot():
            try:
                audio = await asyncio.to_thread(decode_file, upload.file)
            except Undecodable as error:
                raise ApiError(400, str(error), code="invalid_file", param="file") from None
            segments = _segments(backend, audio, upload)
            if upload.text("stream") == "true":
                return await _stream(request, segments)
            return render([segment async for segment in segments], wanted, len(audio))


async def _segments(backend: RestBackend, audio: Audio, upload: Upload) -> AsyncIterator[Segment]:
    start = 0
    language = upload.text("language").replace("_", "-").split("-")[0].lower() or None
    for end in cut_points(audio) if len(audio) else []:
        try:
            async with asyncio.timeout(SEGMENT_DEADLINE_S):
                transcript = await backend.stt.transcribe(
                    audio[start:end],
                    language=language,
                    languages=() if language else backend.languages,
                    hint=upload.text("prompt"),
                    urgent=False,
                )
        except TimeoutError:
            raise ApiError(
                503, "The recogniser is too busy: try again later.", code="transcription_late"
            ) from None
        except EngineError as error:
            log.warning("transcription: %s", error)
            raise ApiError(
                500,
                f"The recording could not be transcribed: {error}.",
                code="transcription_failed",
            ) from None
        yield Segment(start / LISTENING_RATE, end / LISTENING_RATE, transcript)
        start = end


async def read_upload(request: web.Request) -> Upload:
    """Return the multipart form. Raises ApiError."""
    if not request.content_type.startswith("multipart/"):
        raise ApiError(
            400, "Send the file as multipart/form-data.", code="invalid_content_type", param="file"
        )
    upload = Upload()
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            if part.name == "file":
                upload.file = await _read_part(part, UPLOAD_LIMIT)
            else:
                data = await _read_part(part, FIELD_LIMIT)
                upload.fields[part.name] = data.decode(errors="replace")
    except ValueError as error:
        raise ApiError(400, f"The form is broken: {error}.", code="invalid_form") from None
    return upload


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(65_536):
        data += chunk
        if len(data) > limit:
            raise ApiError(
                413,
                f"'{part.name}' is larger than {limit} bytes.",
                code="file_too_large",
                param=part.name,
            )
    return bytes(data)


def render(segments: list[Segment], wanted: str, samples: int) -> web.Response:
    """Return the answer in the wanted format."""
    text = " ".join(one.transcript.text.strip() for one in segments if one.transcript.text.strip())
    seconds = samples / LISTENING_RATE
    if wanted == "text":
        return web.Response(text=text + "\n")
    if wanted in {"srt", "vtt"}:
        return web.Response(text=subtitles(segments, wanted))
    usage = {"type": "duration", "seconds": round(seconds, 3)}
    if wanted == "json":
        return web.json_response({"text": text, "usage": usage})
    body = {
        "task": "transcribe",
        "language": segments[0].transcript.language if segments else "",
        "duration": round(seconds, 3),
        "text": text,
        "segments": [_segment_json(index, segment) for index, segment in enumerate(segments)],
        "usage": usage,
    }
    return web.json_response(body)


def _segment_json(index: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": index,
        "seek": round(segment.start_s * 100),
        "start": round(segment.start_s, 3),
        "end": round(segment.end_s, 3),
        "text": segment.transcript.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": segment.transcript.log_probability,
        "compression_ratio": 1.0,
        "no_speech_prob": segment.transcript.no_speech_probability,
    }


def subtitles(segments: list[Segment], kind: str) -> str:
    """Return the segments as SubRip or WebVTT."""
    mark = "," if kind == "srt" else "."
    blocks = ["WEBVTT\n"] if kind == "vtt" else []
    for number, segment in enumerate(segments, 1):
        times = f"{_clock(segment.start_s, mark)} --> {_clock(segment.end_s, mark)}"
        head = f"{number}\n" if kind == "srt" else ""
        blocks.append(f"{head}{times}\n{segment.transcript.text.strip()}\n")
    return "\n".join(blocks)


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


async def _stream(request: web.Request, segments: AsyncIterator[Segment]) -> web.StreamResponse:
    first = await anext(segments, None)  # an error now is still a status
    response = web.StreamResponse()
    response.content_type = "text/event-stream"
    await response.prepare(request)
    texts: list[str] = []

    async def send(segment: Segment) -> None:
        words = segment.transcript.text.strip()
        if words:
            delta = f" {words}" if texts else words
            texts.append(words)
            await _write(response, {"type": "transcript.text.delta", "delta": delta})

    with cut_short(request):
        if first is not None:
            await send(first)
        async for segment in segments:
            await send(segment)
        await _write(response, {"type": "transcript.text.done", "text": " ".join(texts)})
        await response.write_eof()
    return response


async def _write(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(b"data: " + orjson.dumps(event) + b"\n\n")
