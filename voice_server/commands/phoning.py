"""The softphone's shell: a real websocket or TCP stream, wav files or the microphone."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
import soundfile
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from voice_server.audio.pcm import Audio, decode_pcm16, encode_pcm16
from voice_server.audio.resample import resample
from voice_server.telephony.call import (
    ALAW_8K,
    PCM_8K,
    PCM_16K,
    ULAW_8K,
    Close,
    Codec,
    Message,
)
from voice_server.telephony.softphone import FRAME_MS
from voice_server.telephony.softphones import PHONES

CODECS: Mapping[str, Codec] = {
    "pcmu": ULAW_8K,
    "pcma": ALAW_8K,
    "l16": PCM_8K,
    "l16-16k": PCM_16K,
}

LOUD = 0.02
"""Samples above are speech: our synthesiser's pauses are digital silence."""

QUIET_S = 1.6
"""So long a silence ends an answer: pauses between its clauses are shorter."""

AUDIOSOCKET_PORT = 9092

KEYS = "keys:"
"""Before keys that are a turn."""


class CallFailed(Exception):
    """The call cannot begin or go on; the message says what to do."""


class Wire(Protocol):
    """Something to send on and to read from."""

    async def send(self, message: str | bytes) -> None:
        """Send one message."""

    def read(self) -> AsyncIterator[str | bytes]:
        """Yield what comes, to the end."""


class Caller:
    """One call to a server."""

    def __init__(
        self,
        vendor: str,
        url: str,
        *,
        caller: str,
        called: str,
        codec: str | None = None,
        save: Path | None = None,
        loss: float = 0.0,
        timeout_s: float = 30.0,
        seed: int = 1,
    ) -> None:
        """``loss``: share of the caller's packets that is thrown away.

        Raises CallFailed for a codec that the vendor has not.
        """
        kind, usual = PHONES[vendor]
        chosen = CODECS[codec] if codec else usual
        allowed = _ALLOWED.get(vendor, (usual,))
        if chosen not in allowed:
            names = [name for name, one in CODECS.items() if one in allowed]
            raise CallFailed(f"{vendor} has no {codec}: choose {' or '.join(names)}")
        self.vendor = vendor
        self.phone = kind(chosen, caller=caller, called=called, call_id=str(uuid.uuid4()))
        self._url = url.rstrip("/")
        self._save = save
        self._loss = loss
        self._timeout_s = timeout_s
        self._random = random.Random(seed)  # noqa: S311 - for losing packets
        self._said: list[Audio] = []
        self._heard: list[Audio] = []
        self._quiet_s = 0.0
        self._sounded = False
        self._ended = asyncio.Event()
        self._why = ""
        self.answer_s: list[float] = []
        """From the last sample of each turn to the first of its answer."""

    # ------------------------------------------------------------------ calls

    async def play(self, files: list[Path], keys: str = "") -> None:
        """Play the files as turns, in real time, and hear each answer. Raises CallFailed.

        ``keys:6000#`` in place of a file presses these keys.
        """
        turns = [None if str(path).startswith(KEYS) else self._read(path) for path in files]
        async with self._connected() as wire:
            beat = self._beat()
            await self._listen(wire, beat, "the greeting")
            self._sounded = False
            await self._press(wire, beat, keys)
            if keys:
                await self._listen(wire, beat, "an answer to the keys", must=False, afresh=False)
            for path, turn in zip(files, turns, strict=True):
                if self._ended.is_set():
                    break
                print(f"caller: {path.name}", flush=True)
                self._sounded = False
                if turn is None:  # the answer may begin while the last key is held
                    await self._press(wire, beat, str(path).removeprefix(KEYS))
                else:
                    await self._frames(wire, beat, turn)
                waited = await self._listen(wire, beat, "an answer", afresh=turn is not None)
                if waited is not None:
                    self.answer_s.append(waited)
                    print(f"        first sound after {waited * 1000:.0f} ms", flush=True)
            if not self._ended.is_set():
                await self._give(wire, self.phone.hang_up())
        self._write()
        if self.phone.refusal:
            raise CallFailed(f"the server broke the vendor's protocol: {self.phone.refusal}")

    async def _press(self, wire: Wire, beat: Iterator[float], keys: str) -> None:
        for key in keys:
            await self._give(wire, self.phone.press(key))
            await self._frames(wire, beat, self._silence(300))

    async def microphone(self) -> None:
        """Call by microphone and loudspeaker until Ctrl-C. Raises CallFailed."""
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise CallFailed(
                f"no microphone can be used here ({error}). Install the extra [microphone], or "
                "play a file: voice-server phone --wav question.wav --save call.wav"
            ) from None
        rate = self.phone.codec.rate
        size = rate * FRAME_MS // 1000
        loop = asyncio.get_running_loop()
        frames: asyncio.Queue[bytes] = asyncio.Queue(maxsize=500)

        def heard(data: Any, count: int, when: Any, status: Any) -> None:
            loop.call_soon_threadsafe(_offer, frames, bytes(data))

        try:
            with (
                sounddevice.RawInputStream(rate, size, channels=1, dtype="int16", callback=heard),
                sounddevice.RawOutputStream(rate, channels=1, dtype="int16") as loudspeaker,
            ):
                async with self._connected() as wire:
                    print("Speak; Ctrl-C hangs up. (Wear a headset: here is no echo canceller.)")
                    while not self._ended.is_set():
                        frame = decode_pcm16(await frames.get())
                        sound = await self._frame(wire, frame)
                        loudspeaker.write(encode_pcm16(sound))
        except sounddevice.PortAudioError as error:
            raise CallFailed(
                f"no microphone or loudspeaker here ({error}); play a file with --wav"
            ) from None
        finally:
            self._write()

    # ---------------------------------------------------------------- the line

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Wire]:
        parts = urlsplit(self._url)
        try:
            if self.vendor == "audiosocket":
                port = parts.port if parts.port not in (None, 8080) else AUDIOSOCKET_PORT
                reader, writer = await asyncio.open_connection(parts.hostname, port)
                wire: Wire = _Stream(reader, writer)
                async with self._running(wire):
                    yield wire
                writer.close()
            else:
                url = f"{self._url.replace('http', 'ws', 1)}/telephony/{self.vendor}"
                async with connect(url, max_size=None, open_timeout=10, proxy=None) as socket:
                    wire = _Socket(socket)
                    async with self._running(wire):
                        yield wire
        except InvalidHandshake as error:
            raise CallFailed(
                f"the server refuses the call: {error}. Outside demo mode it wants the vendor's "
                "signature, which this softphone does not have."
            ) from None
        except InvalidURI as error:
            raise CallFailed(str(error)) from None
        except (OSError, TimeoutError) as error:
            raise CallFailed(
                f"no server answers at {self._url} ({error}). Start one with: ./scripts/serve"
                + (" --audiosocket :9092" if self.vendor == "audiosocket" else "")
            ) from None

    @asynccontextmanager
    async def _running(self, wire: Wire) -> AsyncIterator[None]:
        reading = asyncio.create_task(self._read_line(wire))
        try:
            await self._give(wire, self.phone.dial())
            yield
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    async def _read_line(self, wire: Wire) -> None:
        try:
            async for message in wire.read():
                await self._give(wire, self.phone.receive(message))
        except (ConnectionClosed, ConnectionError) as error:
            self._why = f" ({error})"
        finally:
            self._ended.set()

    async def _give(self, wire: Wire, messages: list[Message]) -> None:
        for message in messages:
            if not isinstance(message, Close):
                with contextlib.suppress(ConnectionClosed, ConnectionError):
                    await wire.send(message)  # the reader sees the end and says so

    # ------------------------------------------------------------------ sound

    def _read(self, path: Path) -> Audio:
        try:
            audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as error:
            raise CallFailed(f"{path} cannot be read as sound: {error}") from None
        return resample(audio.mean(axis=1).astype(np.float32), rate, self.phone.codec.rate)

    def _silence(self, length_ms: int) -> Audio:
        return np.zeros(self.phone.codec.rate * length_ms // 1000, np.float32)

    def _beat(self) -> Iterator[float]:
        """Yield the seconds to sleep before each frame, without drift."""
        start, count = time.monotonic(), 0
        while True:
            count += 1
            yield max(0.0, start + count * FRAME_MS / 1000 - time.monotonic())

    async def _frames(self, wire: Wire, beat: Iterator[float], audio: Audio) -> None:
        size = self.phone.codec.rate * FRAME_MS // 1000
        for start in range(0, audio.size, size):
            frame = audio[start : start + size]
            await asyncio.sleep(next(beat))
            await self._frame(wire, np.pad(frame, (0, size - frame.size)))

    async def _frame(self, wire: Wire, frame: Audio) -> Audio:
        """Say 20 ms and hear 20 ms."""
        codec = self.phone.codec
        messages = self.phone.speak(codec.encode(frame))
        if not self._loss or self._random.random() >= self._loss:
            await self._give(wire, messages)
        data, answers = self.phone.play(FRAME_MS)
        await self._give(wire, answers)
        sound = codec.decode(data)
        self._said.append(frame)
        self._heard.append(sound)
        if np.abs(sound).max(initial=0.0) > LOUD:
            self._sounded, self._quiet_s = True, 0.0
        else:
            self._quiet_s += FRAME_MS / 1000
        return sound

    async def _listen(
        self,
        wire: Wire,
        beat: Iterator[float],
        what: str,
        *,
        must: bool = True,
        afresh: bool = True,
    ) -> float | None:
        """Hear an answer to its end; return the wait for its first sound, None without one.

        ``afresh``: what has sounded before is no part of it.  Raises CallFailed if there ``must``
        be an answer and none comes.
        """
        self._sounded, self._quiet_s = self._sounded and not afresh, 0.0
        waited, first = 0.0, None
        limit = self._timeout_s if must else 3.0
        while not self._ended.is_set():
            await self._frames(wire, beat, self._silence(FRAME_MS))
            waited += FRAME_MS / 1000
            if self._sounded and first is None:
                first = waited
            if self._sounded and self._quiet_s >= QUIET_S:
                return first
            if not self._sounded and waited > limit:
                if must:
                    raise CallFailed(f"{what} did not come within {limit:g} s")
                return None
        if first is None and must and what == "the greeting":
            raise CallFailed(f"the server hung up before its greeting{self._why}")
        return first

    def _write(self) -> None:
        if self._save is None or not self._heard:
            return
        self._save.parent.mkdir(parents=True, exist_ok=True)
        said, heard = np.concatenate(self._said), np.concatenate(self._heard)
        rate = self.phone.codec.rate
        soundfile.write(self._save, np.stack((said, heard), axis=1), rate, subtype="PCM_16")
        print(f"{self._save}: a call of {heard.size / rate:.1f} s", file=sys.stderr)


_ALLOWED: Mapping[str, tuple[Codec, ...]] = {
    "telnyx": (ULAW_8K, ALAW_8K),
    "plivo": (ULAW_8K, PCM_8K, PCM_16K),
    "vonage": (PCM_8K, PCM_16K),
    "asterisk": (ULAW_8K, ALAW_8K, PCM_8K, PCM_16K),
    "audiosocket": (PCM_8K, PCM_16K),
}


class _Socket:
    """A websocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: str | bytes) -> None:
        await self._socket.send(message)

    async def read(self) -> AsyncIterator[str | bytes]:
        async for message in self._socket:
            yield message


class _Stream:
    """A TCP stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: str | bytes) -> None:
        assert isinstance(message, bytes), "AudioSocket has no text"  # noqa: S101
        self._writer.write(message)
        await self._writer.drain()

    async def read(self) -> AsyncIterator[str | bytes]:
        while data := await self._reader.read(4096):
            yield data


def _offer(frames: asyncio.Queue[bytes], data: bytes) -> None:
    if not frames.full():  # ten seconds behind: drop, the network is the problem
        frames.put_nowait(data)
