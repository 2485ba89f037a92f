"""Speaking one line of a show: audio and mouth shapes to the pages, and the moment it has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import cast

import numpy as np

from voice_server.live.broadcast import Broadcast
from voice_server.live.show_events import Line
from voice_server.speech.engine import (
    SPEAKING_RATE,
    EngineError,
    Phone,
    SpeechChunk,
    TextToSpeech,
)
from voice_server.speech.visemes import visemes

log = logging.getLogger(__name__)

PAUSE_S = 0.28
"""Silence between two lines: a breath."""
LEAD_S = 0.12
"""Pages schedule the first sample so much later: it covers the jitter of a local network."""

EARLY = 3
"""Sentences synthesised ahead: the script's, the answer's, and one that was overtaken."""
EARLY_WAIT_S = 0.25
SEAL_MS = 31.0
"""A closure may begin so much before its phone (half of SHORTEST_CLOSURE_MS, rounded up)."""


class LineSpeaker:
    """Synthesises lines and sends them; one at a time."""

    def __init__(self, tts: TextToSpeech, stage: Broadcast) -> None:
        """``stage`` gets ``line``, audio frames, ``line_end`` and ``cancel``."""
        self._tts = tts
        self._stage = stage
        self._task: asyncio.Task[None] | None = None
        self._line = ""
        self._early: dict[tuple[str, str], asyncio.Task[list[SpeechChunk]]] = {}

    def speak(self, line: Line, done: Callable[[bool], None]) -> None:
        """Speak a line; ``done(ok)`` when it was heard to its end, or could not be made."""
        self._line = line.id
        self._task = asyncio.ensure_future(self._run(line, done))

    def cancel(self, line_id: str) -> None:
        """Silence at once; nothing is reported."""
        if self._line == line_id and self._task is not None:
            self._task.cancel()
            self._stage.send({"type": "cancel", "id": line_id})

    def prepare(self, text: str, language: str) -> None:
        """Synthesise what will probably be said next; at most EARLY texts are kept."""
        key = (text, language)
        if key in self._early:
            return
        while len(self._early) >= EARLY:
            self._early.pop(next(iter(self._early))).cancel()
        self._early[key] = asyncio.ensure_future(self._collect(text, language))

    def next(self) -> None:
        """A voice needs nobody to turn the page."""

    async def close(self) -> None:
        """Stop everything that is under way."""
        tasks = [*self._early.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _collect(self, text: str, language: str) -> list[SpeechChunk]:
        # Behind the line that is spoken now, which somebody waits for.
        speech = self._tts.speak(text, language=language, urgent=False)
        try:
            return [chunk async for chunk in speech]
        except EngineError:
            return []  # it is tried again when it is due, and reported then

    async def _run(self, line: Line, done: Callable[[bool], None]) -> None:
        clock = asyncio.get_running_loop().time
        began, samples = 0.0, 0
        phones: list[Phone] = []
        try:
            async with aclosing(self._chunks(line)) as chunks:
                async for chunk in chunks:
                    if not samples:
                        began = clock() + LEAD_S
                        self._stage.send(line_message(line))
                    self._send(line, chunk, phones, samples)
                    samples += chunk.audio.size
        except EngineError as error:
            log.warning("a line could not be spoken: %s", error)
            if not samples:
                done(False)
                return
        if not samples:  # nothing but signs: it is said by being shown
            began = clock()
            self._stage.send(line_message(line))
            samples = SPEAKING_RATE
        self._stage.send({"type": "line_audio", "id": line.id})
        await asyncio.sleep(max(0.0, began + samples / SPEAKING_RATE + PAUSE_S - clock()))
        self._stage.send({"type": "line_end", "id": line.id})
        done(True)

    async def _chunks(self, line: Line) -> AsyncGenerator[SpeechChunk, None]:
        early = self._early.pop((line.text, line.language), None)
        made: list[SpeechChunk] = []
        if early is not None:
            # Nearly made is worth a moment; else it is begun anew, before all other work, and its
            # first window sounds sooner than the whole would be ready.
            await asyncio.wait({early}, timeout=EARLY_WAIT_S)
            if early.done() and not early.cancelled():
                made = early.result()
            early.cancel()
        for chunk in made:
            yield chunk
        if made:
            return
        speech = self._tts.speak(line.text, language=line.language)
        async for chunk in speech:
            yield chunk

    def _send(self, line: Line, chunk: SpeechChunk, phones: list[Phone], samples: int) -> None:
        """Send a chunk with the mouth shapes of the phones that begin in it."""
        first = chunk.phones[0].start_ms if chunk.phones else 0.0
        phones.extend(chunk.phones)
        # All phones are shaped together, neighbours matter; what was sent is not sent again.
        shapes = [
            [v.viseme, v.start_ms, v.end_ms, v.weight]
            for v in (visemes(phones) if chunk.phones else ())
            if v.start_ms > first - SEAL_MS and v.end_ms > first
        ]
        pcm = (np.clip(np.nan_to_num(chunk.audio), -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        self._stage.send_audio(
            {
                "id": line.id,
                "at_ms": round(1000 * samples / SPEAKING_RATE, 2),
                "rate": SPEAKING_RATE,
                "lead_ms": 1000 * LEAD_S,
                "visemes": shapes,
            },
            pcm,
        )


def line_message(line: Line) -> dict[str, object]:
    """Return what pages are told of a line that begins."""
    return cast(
        dict[str, object],
        {
            "type": "line",
            "id": line.id,
            "kind": line.kind.value,
            "language": line.language,
            "text": line.text,
            "captions": {line.language: line.text, **dict(line.captions)},
            "mood": line.mood,
            "gesture": line.gesture,
            "look": line.look,
            "product": line.product_id,
            "by_host": line.by_host,
        },
    )
