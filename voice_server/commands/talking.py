"""A small Realtime client: streams a wav or the microphone, prints and keeps what comes back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import soundfile
import soxr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

RATE = 24_000
FRAME = RATE // 50
"""20 ms."""


class TalkFailed(Exception):
    """The talk cannot begin or go on; the message says what to do."""


def read_wav(path: Path) -> bytes:
    """Return a sound file as PCM16 mono at 24 kHz. Raises TalkFailed."""
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise TalkFailed(f"{path} cannot be read as sound: {error}") from None
    mono = audio.mean(axis=1)
    if rate != RATE:
        mono = soxr.resample(mono, rate, RATE)
    return bytes((np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes())


class Talker:
    """One talk with a server."""

    def __init__(
        self, url: str, *, key: str = "", language: str = "", save: Path | None, timeout_s: float
    ) -> None:
        """``save``: a wav file for the answers; ``timeout_s``: the longest wait for one."""
        self._url = url + ("&" if "?" in url else "?") + "extensions=captions,citations,timings"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._language = language
        self._save = save
        self._timeout_s = timeout_s
        self._answer = bytearray()
        self._spoken_at: float | None = None
        self._first_at: float | None = None
        self._done = asyncio.Event()
        self.transcripts: list[str] = []
        self.answers: list[str] = []
        self._loudspeaker: Any = None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        try:
            async with connect(
                self._url, additional_headers=self._headers, max_size=None, open_timeout=10
            ) as socket:
                yield socket
        except InvalidHandshake as error:
            raise TalkFailed(f"the server refuses the connection: {error}") from None
        except InvalidURI as error:
            raise TalkFailed(str(error)) from None
        except (OSError, TimeoutError) as error:
            raise TalkFailed(
                f"no server answers at {self._url.split('?')[0]} ({error}). "
                "Start one with: ./scripts/serve"
            ) from None
        except ConnectionClosed as error:
            raise TalkFailed(f"the server closed the connection: {error}") from None

    async def play(self, files: list[Path]) -> None:
        """Play the files as turns, in real time, and wait for each answer."""
        questions = [read_wav(path) for path in files]
        async with self._connected() as socket:
            await self._configure(socket)
            listening = asyncio.create_task(self._listen(socket))
            try:
                for question in questions:
                    self._done.clear()
                    self._first_at = None
                    await self._stream(socket, question, listening)
            finally:
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening
        self._write()

    async def _stream(
        self, socket: ClientConnection, question: bytes, listening: asyncio.Task[None]
    ) -> None:
        """Send a question, then silence, until the answer is complete."""
        began = time.monotonic()
        silence = bytes(2 * FRAME)
        sent = 0
        while not self._done.is_set():
            if listening.done():
                await listening
                raise TalkFailed("the server closed the connection")
            frame = question[sent : sent + 2 * FRAME].ljust(2 * FRAME, b"\0")
            if sent >= len(question):
                frame = silence
                self._spoken_at = self._spoken_at or time.monotonic()
                if time.monotonic() - self._spoken_at > self._timeout_s:
                    raise TalkFailed(f"no answer within {self._timeout_s:g} s")
            await socket.send(
                orjson.dumps(
                    {
                        "type": "input_audio_buffer.append",
                        "audio": base64.b64encode(frame).decode(),
                    }
                ).decode()
            )
            sent += 2 * FRAME
            await asyncio.sleep(max(0.0, began + sent / (2 * RATE) - time.monotonic()))
        self._spoken_at = None

    async def microphone(self) -> None:
        """Talk by microphone and loudspeaker until Ctrl-C."""
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise TalkFailed(
                f"no microphone can be used here ({error}). Install the extra [microphone], or "
                "play a file: voice-server talk --wav question.wav --save answer.wav"
            ) from None
        loop = asyncio.get_running_loop()
        frames: asyncio.Queue[bytes] = asyncio.Queue(maxsize=500)

        def heard(data: Any, count: int, when: Any, status: Any) -> None:
            loop.call_soon_threadsafe(_offer, frames, bytes(data))

        try:
            with (
                sounddevice.RawInputStream(RATE, FRAME, channels=1, dtype="int16", callback=heard),
                sounddevice.RawOutputStream(RATE, channels=1, dtype="int16") as loudspeaker,
            ):
                self._loudspeaker = loudspeaker
                async with self._connected() as socket:
                    await self._configure(socket)
                    listening = asyncio.create_task(self._listen(socket))
                    print("Speak; Ctrl-C ends. (Wear a headset: here is no echo canceller.)")
                    while not listening.done():
                        audio = base64.b64encode(await frames.get()).decode()
                        await socket.send(
                            orjson.dumps(
                                {"type": "input_audio_buffer.append", "audio": audio}
                            ).decode()
                        )
        except sounddevice.PortAudioError as error:
            raise TalkFailed(
                f"no microphone or loudspeaker here ({error}); play a file with --wav"
            ) from None
        finally:
            self._write()

    async def _configure(self, socket: ClientConnection) -> None:
        transcription: dict[str, Any] = {"model": "whisper-1"}
        if self._language:
            transcription["language"] = self._language
        session = {
            "type": "realtime",
            "audio": {
                "input": {
                    "transcription": transcription,
                    "turn_detection": {"type": "semantic_vad"},
                }
            },
        }
        await socket.send(orjson.dumps({"type": "session.update", "session": session}).decode())

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            self._take(orjson.loads(message))

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "response.output_audio.delta":
            audio = base64.b64decode(event["delta"])
            self._answer += audio
            if self._first_at is None:
                self._first_at = time.monotonic()
            if self._loudspeaker is not None:
                self._loudspeaker.write(audio)
        elif kind == "conversation.item.input_audio_transcription.completed":
            self.transcripts.append(event["transcript"])
            print(f"you:    {event['transcript']}", flush=True)
        elif kind == "voice_server.caption":
            print(f"shop:   {event['text']}", flush=True)
        elif kind == "voice_server.citations":
            sources = ", ".join(c["source_id"] for c in event["citations"])
            if sources:
                print(f"        [{sources}]", flush=True)
        elif kind == "voice_server.timings":
            total = sum(v for k, v in event.items() if k.endswith("_ms"))
            print(f"        ({event['first_kind']} after {total:.0f} ms)", flush=True)
        elif kind == "error":
            print(f"error:  {event['error']['message']}", file=sys.stderr, flush=True)
        elif kind == "response.done":
            response = event["response"]
            if response["status"] in ("completed", "incomplete", "failed"):
                self.answers.append(_spoken(response))
                self._done.set()

    def _write(self) -> None:
        if self._save is None:
            return
        self._save.parent.mkdir(parents=True, exist_ok=True)
        audio = np.frombuffer(bytes(self._answer), "<i2")
        soundfile.write(self._save, audio, RATE, subtype="PCM_16")
        print(f"{self._save}: {audio.size / RATE:.1f} s of answer", file=sys.stderr)


def _offer(frames: asyncio.Queue[bytes], data: bytes) -> None:
    if not frames.full():  # ten seconds behind: drop, the network is the problem
        frames.put_nowait(data)


def _spoken(response: dict[str, Any]) -> str:
    return " ".join(
        part.get("transcript") or part.get("text") or ""
        for item in response["output"]
        for part in item.get("content", ())
    ).strip()
