"""A measuring Realtime client: streams sound in real time and models what a listener hears."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

RATE = 24_000
FRAME = RATE // 50
AUDIBLE = 0.01
"""Share of full scale from which a sample is heard, as in the peers' measurements."""

SESSION: dict[str, Any] = {
    "type": "realtime",
    "audio": {"input": {"transcription": {"model": "whisper-1"}}},
}

Samples = NDArray[np.int16]


@dataclass
class Heard:
    """The listener's side: when which audio sounds, on a client that plays as audio comes."""

    plays_until: float = 0.0
    first_audible: float | None = None
    last_audible: float | None = None
    audio: list[Samples] = field(default_factory=list)

    def play(self, samples: Samples, now: float) -> None:
        """Audio arrived: it sounds at once, or behind what is still playing."""
        start = max(now, self.plays_until)
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE * 32767)
        if loud.size:
            if self.first_audible is None:
                self.first_audible = start + float(loud[0]) / RATE
            self.last_audible = start + float(loud[-1]) / RATE
        self.plays_until = start + samples.size / RATE
        self.audio.append(samples)

    def flush(self, now: float) -> None:
        """The client throws away what it has not played, as stock clients do."""
        self.plays_until = min(self.plays_until, now)
        if self.last_audible is not None:
            self.last_audible = min(self.last_audible, now)


@dataclass
class Turn:
    """What one question led to. Times in s on the client's clock."""

    began: float = field(default_factory=time.monotonic)
    spoken: float = 0.0
    """When the last voiced sample was sent."""
    heard: Heard = field(default_factory=Heard)
    transcript: str = ""
    transcript_at: float | None = None
    answer: str = ""
    timings: list[dict[str, Any]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    status: str = ""

    @property
    def voice_to_voice_ms(self) -> float | None:
        """From the last voiced sample said to the first audible one heard, None if none was."""
        heard = self.heard.first_audible
        return None if heard is None else (heard - self.spoken) * 1000


class Caller:
    """One session that keeps sending frames in real time: the question at hand, or silence."""

    def __init__(self, socket: ClientConnection, *, noise: float = 0.0) -> None:
        self.socket = socket
        self.turn = Turn()
        self._pending = np.zeros(0, np.int16)
        self._voiced_left = 0
        self._rng = np.random.default_rng(1)
        self._noise = noise
        self.log: deque[str] = deque(maxlen=80)
        """What came of late, audio left out: to see why a turn got no answer."""

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, url: str, *, session: dict[str, Any] | None = None
    ) -> AsyncIterator[Caller]:
        """Connect, configure and stream until the block ends."""
        address = url + ("&" if "?" in url else "?") + "extensions=citations,timings"
        async with connect(address, max_size=None, compression=None) as socket:
            caller = cls(socket)
            await socket.send(
                orjson.dumps({"type": "session.update", "session": session or SESSION}).decode()
            )
            tasks = [
                asyncio.create_task(caller._stream()),
                asyncio.create_task(caller._listen()),
            ]
            try:
                yield caller
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def say(self, question: Samples) -> Turn:
        """Begin a turn now; ``spoken`` is set when the last voiced sample has been sent."""
        self.turn = Turn()
        loud = np.flatnonzero(np.abs(question.astype(np.int32)) > AUDIBLE * 32767)
        self._voiced_left = int(loud[-1]) if loud.size else question.size
        self._pending = question
        return self.turn

    async def _stream(self) -> None:
        began = time.monotonic()
        sent = 0
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame, self._pending = self._pending[:FRAME], self._pending[FRAME:]
                if frame.size < FRAME:
                    frame = np.pad(frame, (0, FRAME - frame.size))
                audio = base64.b64encode(frame.astype("<i2").tobytes()).decode()
                await self.socket.send(
                    '{"type":"input_audio_buffer.append","audio":"' + audio + '"}'
                )
                sent += FRAME
                if self._voiced_left > 0:
                    self._voiced_left -= FRAME
                    if self._voiced_left <= 0:
                        # A frame is sent when its last sample has been recorded.
                        self.turn.spoken = began + sent / RATE + self._voiced_left / RATE
                await asyncio.sleep(max(0.0, began + sent / RATE - time.monotonic()))

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self.socket:
                self._take(orjson.loads(message), time.monotonic())

    def _take(self, event: dict[str, Any], now: float) -> None:
        turn, kind = self.turn, event["type"]
        if not kind.endswith(".delta"):
            said = event.get("transcript") or event.get("error") or ""
            self.log.append(f"{now - turn.began:8.2f} {kind} {said}".rstrip())
        if kind == "response.output_audio.delta":
            if turn.done.is_set():
                return  # the answer to an interruption: not what this turn led to
            turn.started.set()
            turn.heard.play(np.frombuffer(base64.b64decode(event["delta"]), "<i2"), now)
        elif kind == "input_audio_buffer.speech_started":
            turn.heard.flush(now)
        elif kind == "conversation.item.input_audio_transcription.completed":
            turn.transcript, turn.transcript_at = event["transcript"], now
        elif kind == "voice_server.timings":
            turn.timings.append(event)
        elif kind == "voice_server.citations":
            turn.sources += [c["source_id"] for c in event["citations"]]
        elif kind == "response.done":
            turn.status = event["response"]["status"]
            turn.answer = " ".join(
                part.get("transcript") or ""
                for item in event["response"]["output"]
                for part in item.get("content", ())
            )
            turn.done.set()
