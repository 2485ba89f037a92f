"""A conversation with fake engines in virtual time, and words to assert with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import numpy as np

from tests.fakes.engines import (
    FakeDialogue,
    FakeEndOfTurn,
    FakeStt,
    FakeTts,
    FakeVad,
    InlineWorkers,
    silence,
    voice,
)
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.session import Conversation
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.speech.engine import Audio

N = TypeVar("N")
FRAME_MS = 20.0


class Stage:
    """Plays a user against a conversation and records every notice with its time."""

    def __init__(self, **fakes: Any) -> None:
        self.stt: FakeStt = fakes.get("stt") or FakeStt("hello there")
        self.tts: FakeTts = fakes.get("tts") or FakeTts()
        self.end_of_turn: FakeEndOfTurn = fakes.get("end_of_turn") or FakeEndOfTurn()
        self.dialogue: FakeDialogue = fakes.get("dialogue") or FakeDialogue()
        self.workers = InlineWorkers()
        self.notices: list[tuple[float, n.Notice]] = []
        self.options = fakes.get("options") or ConversationOptions("sess_test")
        self.conversation: Conversation

    @asynccontextmanager
    async def open(self, **turns: Any) -> AsyncIterator[Stage]:
        """Run the conversation for the block."""
        loop = asyncio.get_running_loop()
        self.began = loop.time()
        batcher = VadBatcher(FakeVad(), self.workers)  # type: ignore[arg-type]
        services = Services(batcher, self.end_of_turn, self.stt, self.tts, self.dialogue)
        self.conversation = Conversation(services=services, options=self.options, emit=self._note)
        async with asyncio.TaskGroup() as group:
            vad = group.create_task(batcher.run())
            running = group.create_task(self.conversation.run())
            self.conversation.order(o.Configure(o.TurnOptions(**turns), o.ReplyOptions()))
            await asyncio.sleep(0)
            try:
                yield self
            finally:
                self.conversation.close()
                await running
                vad.cancel()

    def _note(self, notice: n.Notice) -> None:
        self.notices.append((asyncio.get_running_loop().time() - self.began, notice))

    # ---------------------------------------------------------------- acting

    async def hear(self, audio: Audio) -> None:
        """Send audio in real time, 20 ms frames."""
        size = round(self.options.input_rate * FRAME_MS / 1000)
        for start in range(0, audio.size, size):
            self.conversation.order(o.Hear(audio[start : start + size]))
            await asyncio.sleep(FRAME_MS / 1000)

    async def say(self, ms: float = 1000, then_ms: float = 0) -> None:
        """The user speaks, then is silent."""
        await self.hear(np.concatenate([voice(ms), silence(then_ms)]))

    async def quiet(self, ms: float) -> None:
        """The user is silent (and sends silence)."""
        await self.hear(silence(ms))

    # ------------------------------------------------------------- observing

    def all(self, kind: type[N]) -> list[N]:
        """Return the notices of a kind."""
        return [notice for _, notice in self.notices if isinstance(notice, kind)]

    def only(self, kind: type[N]) -> N:
        """Return the one notice of a kind."""
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} notices of {kind.__name__}: {found}"
        return found[0]

    def at(self, kind: type[Any]) -> list[float]:
        """Return the times in s of the notices of a kind."""
        return [when for when, notice in self.notices if isinstance(notice, kind)]

    def kinds(self) -> list[str]:
        """Return the names of all notices, runs collapsed."""
        names = [type(notice).__name__ for _, notice in self.notices]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]

    def audio_ms(self) -> float:
        """Return how much reply audio has been sent."""
        return sum(a.audio.size / 24 for a in self.all(n.ReplyAudio))
