"""Engines that answer at once, or late, or never: what the conversation is tested with.

Audio is coded so that no model is needed: a sample's level says what it is.  VOICE is speech,
SUSPECT looks like speech for a moment, anything quieter is silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import numpy as np

from voice_server.dialogue.dialogue import (
    Clause,
    ClauseKind,
    Message,
    Phrase,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
)
from voice_server.speech.engine import (
    SPEAKING_RATE,
    Audio,
    EngineError,
    Phone,
    Quality,
    SpeechChunk,
    Transcript,
    Voice,
)

VOICE, SUSPECT = 0.5, 0.2
WORD_MS = 250.0


def voice(ms: float, rate: int = 24_000, level: float = VOICE) -> Audio:
    """Return audio that the fake VAD takes for speech (alternating, so that it has no DC)."""
    audio = np.full(round(rate * ms / 1000), level, np.float32)
    return audio


def silence(ms: float, rate: int = 24_000) -> Audio:
    """Return digital silence."""
    return np.zeros(round(rate * ms / 1000), np.float32)


class InlineWorkers:
    """Runs the call where it is awaited; stalls or fails on demand."""

    def __init__(self) -> None:
        self.fail: EngineError | None = None

    async def run(
        self, call: Callable[[], Any], *, urgent: bool = False, deadline_s: float = 30.0
    ) -> Any:
        if self.fail is not None:
            raise self.fail
        return call()


class FakeVad:
    """Probability from the level of the frame's middle sample."""

    frame_samples = 512

    def new_state(self) -> Any:
        return object()

    def probabilities(self, frames: Sequence[tuple[Any, Audio]]) -> list[float]:
        levels = [float(np.sqrt(np.mean(frame * frame))) for _, frame in frames]
        return [0.98 if lv > 0.3 else 0.4 if lv > 0.1 else 0.02 for lv in levels]


class FakeEndOfTurn:
    """Always the same verdict."""

    def __init__(self, probability: float = 0.95) -> None:
        self.value = probability
        self.fail = False

    async def probability(self, audio: Audio) -> float:
        await asyncio.sleep(0.05)
        if self.fail:
            raise EngineError("no model")
        return self.value


class FakeStt:
    """Says the next line of its script; takes ``delay_s``; stalls when told."""

    def __init__(self, *lines: str, delay_s: float = 0.1, language: str = "en") -> None:
        self.lines = list(lines)
        self.delay_s = delay_s
        self.language = language
        self.fail = False
        self.partial = ""
        self.calls: list[dict[str, Any]] = []

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        hint: str = "",
        urgent: bool = True,
    ) -> Transcript:
        self.calls.append({"ms": audio.size / 16, "urgent": urgent, "language": language})
        line = (self.lines[0] if self.lines else "") if urgent else self.partial
        await asyncio.sleep(self.delay_s)
        if self.fail:
            raise EngineError("recogniser is down")
        return Transcript(line, language or self.language, 0.99, -0.2, 0.01, round(audio.size / 16))

    def next_line(self) -> None:
        """The utterance was answered: the next one is another line."""
        if self.lines:
            del self.lines[0]


class FakeTts:
    """A tone of WORD_MS for each word, in chunks, each after ``delay_s``."""

    def __init__(self, delay_s: float = 0.05) -> None:
        self.delay_s = delay_s
        self.spoken: list[str] = []
        self.fail_after: int | None = None
        self.stall = False

    def voices(self) -> tuple[Voice, ...]:
        return (Voice("tone", "en", "fake", Quality.ROBOTIC, "none", "Apache-2.0"),)

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        self.spoken.append(text)
        for index, word in enumerate(text.split()):
            if self.stall:
                await asyncio.sleep(3600)
            await asyncio.sleep(self.delay_s)
            if self.fail_after is not None and index >= self.fail_after:
                raise EngineError("synthesiser is down")
            samples = round(SPEAKING_RATE * WORD_MS / 1000)
            phase = np.arange(samples, dtype=np.float32) * (0.1 + 0.01 * len(word))
            start = index * WORD_MS
            yield SpeechChunk(
                (0.3 * np.sin(phase)).astype(np.float32), (Phone("a", start, start + WORD_MS),)
            )


Script = Callable[[ReplyRequest], AsyncIterator[ReplyPart]]


class FakeDialogueSession:
    """Answers "You said X." unless a script is given."""

    def __init__(self, owner: FakeDialogue) -> None:
        self._owner = owner
        self.language = "en"
        self.hint = ""
        self.committed: list[str] = []

    async def reply(self, request: ReplyRequest) -> AsyncIterator[ReplyPart]:
        self._owner.requests.append(request)
        if self._owner.script is not None:
            async for part in self._owner.script(request):
                yield part
            return
        await asyncio.sleep(self._owner.delay_s)
        said = next(
            (e.text for e in reversed(request.history) if isinstance(e, Message)), "nothing"
        )
        yield Clause(f"You said {said}", "en")
        yield Clause("Anything else I can do?", "en")
        yield ReplyEnd(source="facts")

    async def foresee(self, request: ReplyRequest) -> None:
        self._owner.foreseen.append(request)

    def prefer(self, language: str | None) -> None:
        self.language = language or self.language

    def commit(self, reply_id: str) -> None:
        self.committed.append(reply_id)

    def phrase(self, kind: Phrase, variant: int = 0) -> Clause:
        return Clause(f"<{kind.value}>", "en", ClauseKind.CONTENT)


class FakeDialogue:
    """Opens fake sessions; ``script`` replaces the answer."""

    languages: tuple[str, ...] = ("en", "fr")

    def __init__(self, script: Script | None = None, delay_s: float = 0.02) -> None:
        self.script = script
        self.delay_s = delay_s
        self.requests: list[ReplyRequest] = []
        self.foreseen: list[ReplyRequest] = []
        self.sessions: list[FakeDialogueSession] = []

    def open(self, session_id: str, *, language: str | None = None) -> FakeDialogueSession:
        session = FakeDialogueSession(self)
        self.sessions.append(session)
        return session
