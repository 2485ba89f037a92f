"""A speech engine in a process of its own: started when needed, fed by lines, revived when lost.

What a library's licence or its C code must not touch lives behind such a boundary.  Protocol: one
JSON object a line on the process's stdin, one on its stdout, answers in the order of the requests;
an answer may announce ``bytes`` of PCM that follow it.  The first line, unasked, is
``{"version": ..., "voices": [[language, name, "M" or "F" or "-"], ...]}`` or ``{"error": ...}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice_server.speech.engine import EngineError, EngineUnavailable

log = logging.getLogger(__name__)

DEADLINE_S = 2.0
"""A call takes about 1 ms (phonemes) to 30 ms (speech): past this the process hangs."""

START_DEADLINE_S = 10.0
"""Python, the library and its data from a cold disk."""

LEAVING_S = 0.3
"""A healthy process leaves within some ms of the end of its input; then it is killed."""

LONGEST_TEXT = 5_000
"""Characters: a clause has some dozens; more than this is a mistake of the caller."""

_LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of one answer's JSON line: the phones of LONGEST_TEXT, several times over."""


class ChildLost(Exception):
    """The process died or hung; whoever waited may ask the next one."""


@dataclass(frozen=True, slots=True)
class ChildVoice:
    """A voice of the process: BCP 47 tag in lower case, its own name, ``M``, ``F`` or ``-``."""

    language: str
    name: str
    gender: str


@dataclass(slots=True)
class _Child:
    name: str
    process: asyncio.subprocess.Process
    version: str
    voices: dict[str, ChildVoice]
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
            log.warning("%s answered nonsense and is started anew: %r", self.name, error)
        finally:
            self.reader = None  # so that it does not cancel itself
            self.lose()
            await self.bury()


class SpeechChild:
    """One process for the whole server, started at the first request.

    Requests are pipelined: a cancelled one does no harm, its answer is thrown away.  When the
    process dies or misses its deadline, everybody waiting asks a new one, once.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, deadline_s: float = DEADLINE_S
    ) -> None:
        """Prepare; nothing is started yet. ``name`` is for logs and errors."""
        self._name = name
        self._command = tuple(command)
        self._deadline_s = deadline_s
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._readers: set[asyncio.Task[None]] = set()
        self._closed = False

    async def version(self) -> str:
        """Return the library's version. Raises EngineUnavailable."""
        return (await self._living()).version

    async def voices(self) -> Mapping[str, ChildVoice]:
        """Return the voices by language tag (lower case). Raises EngineUnavailable."""
        return (await self._living()).voices

    async def close(self) -> None:
        """Stop the process. Requests still waiting, and later ones, raise EngineUnavailable."""
        self._closed = True
        if self._child is not None:
            self._child.lose()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the answer to ``request`` and its PCM. Raises EngineError."""
        size = sum(map(len, request.get("parts", ()))) + len(request.get("text", ""))
        if size > LONGEST_TEXT:
            raise EngineError(f"{size} characters are too many for {self._name} ({LONGEST_TEXT})")
        for _ in range(2):  # the second time on a new process
            child = await self._living()
            with contextlib.suppress(ChildLost):
                head, pcm = await self._ask_child(child, request)
                if "error" in head:
                    raise EngineError(f"{self._name}: {head['error']}")
                return head, pcm
            log.warning("the %s process was lost (did not answer, or died)", self._name)
        raise EngineError(f"{self._name} was lost twice over one text")

    async def _ask_child(
        self, child: _Child, request: Mapping[str, Any]
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
                raise EngineUnavailable(f"{self._name} is closed")
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
        child = _Child(self._name, process, "", {})
        hello = {}
        try:
            async with asyncio.timeout(START_DEADLINE_S):
                hello = json.loads(await child.output.readline())
        except (TimeoutError, ValueError):
            hello = {"error": f"the {self._name} process does not start"}
        finally:
            if "version" not in hello:  # failed or cancelled: nobody would own the process
                child.lose()
                await child.bury()
        if "error" in hello:
            raise EngineUnavailable(hello["error"])
        child.version = hello["version"]
        for tag, name, gender in hello["voices"]:
            child.voices.setdefault(tag.lower(), ChildVoice(tag.lower(), name, gender))
        child.reader = asyncio.create_task(child.read(), name=f"{self._name}-reader")
        self._readers.add(child.reader)
        child.reader.add_done_callback(self._readers.discard)
        return child
