"""The client of the espeak-ng process (see espeak_child.py): starts it, feeds it, revives it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from voice_server.speech.engine import Audio, EngineError, EngineUnavailable, Phone

log = logging.getLogger(__name__)

CHILD = (sys.executable, "-I", str(Path(__file__).with_name("espeak_child.py")))
"""The command of the process: run by path and isolated, so that it loads nothing of ours."""

DEADLINE_S = 2.0
"""A call takes about 1 ms (phonemes) to 20 ms (speech): past this the process hangs."""

START_DEADLINE_S = 10.0
"""Python, the library and its data from a cold disk."""

LEAVING_S = 0.3
"""A healthy process leaves within some ms of the end of its input; then it is killed."""

LONGEST_TEXT = 5_000
"""Characters: a clause has some dozens; more than this is a mistake of the caller."""

_LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of one answer's JSON line: the phones of LONGEST_TEXT, several times over."""

_DEFAULTS = {"en": "en-us", "fr": "fr-fr", "zh": "cmn", "no": "nb", "nn": "nb", "tl": "id"}
"""The voice of a bare language where espeak-ng's own tag differs from ISO 639-1."""


class ChildLost(Exception):
    """The process died or hung; whoever waited may ask the next one."""


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """A voice of the library: BCP 47 tag in lower case, its own name, ``M``, ``F`` or ``-``."""

    language: str
    name: str
    gender: str


@dataclass(slots=True)
class _Child:
    process: asyncio.subprocess.Process
    version: str
    voices: dict[str, EspeakVoice]
    waiting: dict[int, asyncio.Future[tuple[dict[str, Any], bytes]]] = field(default_factory=dict)
    reader: asyncio.Task[None] | None = None
    lost: bool = False

    @property
    def input(self) -> asyncio.StreamWriter:
        assert self.process.stdin is not None  # noqa: S101  asked for when it was started
        return self.process.stdin

    @property
    def output(self) -> asyncio.StreamReader:
        assert self.process.stdout is not None  # noqa: S101  asked for when it was started
        return self.process.stdout

    def lose(self) -> None:
        """Give the process up and fail everybody who waits for it.

        The reader then sees it off; before there is a reader the caller calls ``bury``.
        """
        if self.lost:
            return
        self.lost = True
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ChildLost())
        self.waiting.clear()
        self.input.close()  # its sign to leave
        if self.reader is not None:
            self.reader.cancel()  # a hung process never ends its output

    async def bury(self) -> None:
        """See a lost process off: it leaves by itself, or is killed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING_S):
                await self.process.wait()
        # Not sooner: Popen.kill would reap a process that just died, behind asyncio's back.
        if self.process.returncode is None:
            self.process.kill()
        while await self.output.read(65_536):
            pass
        await self.process.wait()

    async def read(self) -> None:
        """Hand each answer to who waits for it, until the process ends."""
        try:
            while line := await self.output.readline():
                head = json.loads(line)
                pcm = await self.output.readexactly(int(head.get("bytes", 0)))
                future = self.waiting.pop(head["id"], None)
                if future is not None and not future.done():
                    future.set_result((head, pcm))
        except (asyncio.IncompleteReadError, ValueError, KeyError, ConnectionError) as error:
            log.warning("espeak-ng answered nonsense and is started anew: %r", error)
        finally:
            self.reader = None  # so that it does not cancel itself
            self.lose()
            await self.bury()


class Espeak:
    """One espeak-ng process for the whole server, started at the first request.

    Requests are pipelined: a cancelled one does no harm, its answer is thrown away.  When the
    process dies or misses DEADLINE_S, everybody waiting asks a new one, once.
    """

    def __init__(self, command: Sequence[str] = CHILD, *, deadline_s: float = DEADLINE_S) -> None:
        """Prepare; nothing is started yet."""
        self._command = tuple(command)
        self._deadline_s = deadline_s
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._readers: set[asyncio.Task[None]] = set()
        self._closed = False

    async def version(self) -> str:
        """Return espeak-ng's version. Raises EngineUnavailable."""
        return (await self._living()).version

    async def voices(self) -> Mapping[str, EspeakVoice]:
        """Return the voices by language tag (lower case). Raises EngineUnavailable."""
        return (await self._living()).voices

    async def voice(self, language: str) -> EspeakVoice:
        """Return the voice for an ISO 639-1 or BCP 47 ``language``, the nearest one there is.

        Raises EngineUnavailable when espeak-ng does not know the language.
        """
        return choose_voice((await self._living()).voices, language)

    async def phonemes(self, parts: Sequence[str], language: str, *, tie: str = "") -> list[str]:
        """Return the IPA of each part as espeak-ng gives it; ``tie`` joins diphthongs, affricates.

        Raises EngineError.
        """
        voice = await self.voice(language)
        head, _ = await self._ask(
            {"do": "phonemes", "parts": list(parts), "voice": voice.name, "tie": tie}
        )
        answered: list[str] = head["parts"]
        return answered

    async def speech(
        self, text: str, language: str, *, words_per_minute: int = 175
    ) -> tuple[Audio, int, tuple[Phone, ...]]:
        """Return (float32 mono [n], its rate in Hz, the phones) of ``text``. Raises EngineError."""
        voice = await self.voice(language)
        head, pcm = await self._ask(
            {
                "do": "speech",
                "text": text,
                "voice": voice.name,
                "words_per_minute": words_per_minute,
            }
        )
        audio = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0
        phones = tuple(Phone(symbol, start, end) for symbol, start, end in head["phones"])
        return audio, int(head["rate"]), phones

    async def close(self) -> None:
        """Stop the process. Requests still waiting, and later ones, raise EngineUnavailable."""
        self._closed = True
        if self._child is not None:
            self._child.lose()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        size = sum(map(len, request.get("parts", ()))) + len(request.get("text", ""))
        if size > LONGEST_TEXT:
            raise EngineError(f"{size} characters are too many for espeak-ng ({LONGEST_TEXT})")
        for _ in range(2):  # the second time on a new process
            child = await self._living()
            with contextlib.suppress(ChildLost):
                head, pcm = await self._ask_child(child, request)
                if "error" in head:
                    raise EngineError(f"espeak-ng: {head['error']}")
                return head, pcm
            log.warning("the espeak-ng process was lost (did not answer, or died)")
        raise EngineError("espeak-ng was lost twice over one text")

    async def _ask_child(
        self, child: _Child, request: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes]:
        number = next(self._numbers)
        future = asyncio.get_running_loop().create_future()
        child.waiting[number] = future
        line = json.dumps({"id": number, **request}, ensure_ascii=False).encode() + b"\n"
        try:
            async with asyncio.timeout(self._deadline_s):
                child.input.write(line)
                await child.input.drain()
                answer: tuple[dict[str, Any], bytes] = await future
                return answer
        except (TimeoutError, ConnectionError):
            child.lose()
            raise ChildLost from None
        finally:
            child.waiting.pop(number, None)

    async def _living(self) -> _Child:
        async with self._starting:
            if self._closed:
                raise EngineUnavailable("espeak-ng is closed")
            if self._child is None or self._child.lost:
                self._child = await self._start()
            return self._child

    async def _start(self) -> _Child:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
        )
        child = _Child(process, "", {})
        hello = {}
        try:
            async with asyncio.timeout(START_DEADLINE_S):
                hello = json.loads(await child.output.readline())
        except (TimeoutError, ValueError):
            hello = {"error": "the espeak-ng process does not start"}
        finally:
            if "version" not in hello:  # failed or cancelled: nobody would own the process
                child.lose()
                await child.bury()
        if "error" in hello:
            raise EngineUnavailable(hello["error"])
        child.version = hello["version"]
        for tag, name, gender in hello["voices"]:
            child.voices.setdefault(tag.lower(), EspeakVoice(tag.lower(), name, gender))
        child.reader = asyncio.create_task(child.read(), name="espeak-reader")
        self._readers.add(child.reader)
        child.reader.add_done_callback(self._readers.discard)
        return child


def choose_voice(voices: Mapping[str, EspeakVoice], language: str) -> EspeakVoice:
    """Return the nearest of ``voices`` (by lower-case tag) for ISO 639-1 or BCP 47 ``language``.

    Raises EngineUnavailable.
    """
    tag = language.lower().replace("_", "-")
    base = tag.split("-")[0]
    for candidate in (tag, _DEFAULTS.get(base, base), base):
        if candidate in voices:
            return voices[candidate]
    for known, voice in voices.items():
        if known.split("-")[0] == base:
            return voice
    raise EngineUnavailable(f"espeak-ng does not speak {language!r}")
