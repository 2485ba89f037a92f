"""One reply in the making: clauses from the dialogue, speech from the synthesiser, into a mouth.

A reply may begin speculatively; until it is released nothing of it leaves this module.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from voice_server.conversation.mouth import Mouth
from voice_server.conversation.orders import ReplyOptions
from voice_server.conversation.playback import Playback
from voice_server.conversation.turn_state import Deadlines
from voice_server.dialogue.dialogue import (
    Clause,
    ClauseKind,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
    ToolCall,
)
from voice_server.speech.engine import EngineError, TextToSpeech

log = logging.getLogger(__name__)

LOOKAHEAD_MS = 15_000.0
"""Speech made ahead of its playing: further clauses wait, so that a barge-in wastes little and a
session stays below a megabyte."""

SPECULATION_S = 10.0
"""A speculative reply whose turn is never committed stops by itself."""


@dataclass(slots=True)
class Times:
    """When things happened, loop seconds; None until they did."""

    end_of_speech: float | None = None
    committed: float | None = None
    transcript: float | None = None
    clause: float | None = None
    audio: float | None = None

    def steps_ms(self, now: float) -> list[float]:
        """Return what each step up to ``now`` took: commit, transcript, clause, audio, sending.

        [] for a reply that no speech went before.  What is not known took no time.
        """
        if self.end_of_speech is None or self.committed is None:
            return []
        marks = [self.end_of_speech]
        for moment in (self.committed, self.transcript, self.clause, self.audio, now):
            marks.append(min(now, max(marks[-1], marks[-1] if moment is None else moment)))
        return [1000.0 * (b - a) for a, b in pairwise(marks)]


@dataclass(slots=True)
class ReplyRun:
    """The state and the production task of one reply.

    ``on_change`` is called whenever something became ready (audio, a tool call, the end).
    """

    reply_id: str
    item_id: str
    generation: int
    request: ReplyRequest
    options: ReplyOptions
    mouth: Mouth
    tts: TextToSpeech
    deadlines: Deadlines
    on_change: Callable[[], None]
    clock: Callable[[], float]
    speculative: bool = False
    released: bool = False
    started: bool = False
    """ReplyStarted has been sent."""
    audible: bool = False
    clause_noted: bool = False
    tool_calls: list[ToolCall] = field(default_factory=list)
    end: ReplyEnd | None = None
    error: str = ""
    apologised: bool = False
    failed_stage: str = ""
    times: Times = field(default_factory=Times)
    texts: list[Clause] = field(default_factory=list)
    """Clauses of a reply in text modality, not yet sent."""
    task: asyncio.Task[None] | None = None
    answering: bool = False
    """Some of the answer itself has sounded."""
    sounding: ClauseKind = ClauseKind.CONTENT
    """Kind of the clause that was announced last."""
    words: asyncio.Future[ReplyRequest] | None = None
    """Set while the reply waits for its transcript."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at every pump: playing may have made room."""

    @property
    def as_text(self) -> bool:
        """Whether the reply is written rather than spoken."""
        return self.options.modality == "text"

    @property
    def produced(self) -> bool:
        """Whether nothing more will be made."""
        return self.end is not None or bool(self.error)

    async def produce(self, parts: AsyncIterator[ReplyPart]) -> None:
        """Turn the dialogue's parts into speech (or text) until they end.

        Bounded waits: the first part by the turn core's ``clause`` timer (or SPECULATION_S), a
        later part ``clause_s``, a chunk of speech ``audio_s``.  At a deadline, or when an engine
        fails, ``failed_stage`` names it and the owner apologises.  Cancelling is safe.
        """
        queue: asyncio.Queue[ReplyPart | None] = asyncio.Queue(maxsize=4)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(parts, queue))
                while (part := await queue.get()) is not None:
                    await self._take(part)
        except* EngineError as errors:
            self._fail("tts", errors.exceptions[0])
        except* TimeoutError as errors:
            self._fail(self.failed_stage or "dialogue", errors.exceptions[0])
        except* Exception as errors:  # a bug must not leave the user in silence
            log.exception("a reply failed", exc_info=errors)
            self._fail("dialogue", errors.exceptions[0])
        if self.end is None and not self.error:
            self.end = ReplyEnd()
        self.on_change()

    def _fail(self, stage: str, error: BaseException) -> None:
        self.failed_stage = stage
        self.error = f"{stage}: {error or type(error).__name__}"

    async def _read(
        self, parts: AsyncIterator[ReplyPart], queue: asyncio.Queue[ReplyPart | None]
    ) -> None:
        """Read ahead of the synthesiser, boundedly."""
        wait = SPECULATION_S
        async with aclosing(_closable(parts)) as stream:
            while True:
                try:
                    async with asyncio.timeout(wait):
                        part = await anext(stream, None)
                except TimeoutError:
                    self.failed_stage = "dialogue"
                    raise TimeoutError(f"no clause within {wait:g} s") from None
                wait = self.deadlines.clause_s
                await queue.put(part)
                if part is None:
                    return

    async def _take(self, part: ReplyPart) -> None:
        if isinstance(part, ReplyEnd):
            self.end = part
        elif isinstance(part, ToolCall):
            self.tool_calls.append(part)
        else:
            if self.times.clause is None:
                self.times.clause = self.clock()
            if self.as_text:
                self.texts.append(part)
            else:
                await self._room()
                await self.speak(part)
        self.on_change()

    async def _room(self) -> None:
        """Wait until the speech made ahead has been played far enough."""
        playback = self.mouth.playback
        while playback.paced and self._ahead_ms(playback) > LOOKAHEAD_MS:
            self.moved.clear()
            await self.moved.wait()

    def _ahead_ms(self, playback: Playback) -> float:
        return playback.ready_ms - playback.position_ms(self.clock())

    async def speak(self, clause: Clause) -> None:
        """Synthesise one clause into the mouth. Raises EngineError or TimeoutError."""
        self.mouth.open_clause(clause)
        chunks = self.tts.speak(
            clause.text,
            language=clause.language,
            voice=self.options.voice or "",
            speed=(self.options.speed or 1.0) * clause.speed,
        )
        async with aclosing(_closable(chunks)) as stream:
            while True:
                try:
                    async with asyncio.timeout(self.deadlines.audio_s):
                        chunk = await anext(stream, None)
                except TimeoutError:
                    self.failed_stage = "tts"
                    raise TimeoutError(f"no speech within {self.deadlines.audio_s:g} s") from None
                if chunk is None:
                    return
                self.mouth.add(chunk)
                if self.times.audio is None and clause.kind is not ClauseKind.FILLER:
                    self.times.audio = self.clock()
                self.on_change()

    def cancel(self) -> None:
        """Stop making more."""
        if self.task is not None:
            self.task.cancel()


async def _closable(parts: AsyncIterator[Any]) -> Any:
    """Give any async iterator an ``aclose`` that reaches the generator behind it."""
    try:
        async for part in parts:
            yield part
    finally:
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()
