"""A whole call in virtual time: softphone, bridge, session, a real conversation, fake engines.

No socket, no thread, no waiting: half a minute of talk passes in milliseconds, exactly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from tests.fakes.engines import FakeDialogue, FakeEndOfTurn, FakeStt, FakeTts, InlineWorkers
from tests.telephony.calls import phone_for
from voice_server.audio.pcm import Audio, level_dbfs
from voice_server.conversation.notices import Notice
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.session import Conversation
from voice_server.conversation.transcript import History
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.speech.engine import EngineError
from voice_server.telephony.bridges import BRIDGES
from voice_server.telephony.call import Close, Features, Message
from voice_server.telephony.calls import Calls, Ticket
from voice_server.telephony.line import Line
from voice_server.telephony.ports import TelephonyBackend
from voice_server.telephony.session import CallSession
from voice_server.web.metrics import Metrics

LINE = Line(
    languages=("en", "fr"),
    greetings={"en": "Hello this is an AI", "fr": "Bonjour une IA"},
    name="test",
    human="+3225550199",
    keys={"2": "fr"},
)
GREETING_S = 5 * 0.25


class PhoneVad:
    """Speech by level, at the level that level control leaves."""

    frame_samples = 512

    def new_state(self) -> Any:
        return object()

    def probabilities(self, frames: Sequence[tuple[Any, Audio]]) -> list[float]:
        return [0.98 if level_dbfs(frame) > -38 else 0.02 for _, frame in frames]


class MemoryLink:
    """A line without a network: what the server sends is kept with its time."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, Message]] = []
        self.incoming: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.on_send: Callable[[Message], None] = lambda message: None
        self._done = asyncio.Event()

    def send(self, message: Message) -> None:
        if self._done.is_set():
            return
        self.sent.append((asyncio.get_running_loop().time(), message))
        self.on_send(message)
        if isinstance(message, Close):
            self.drop()

    async def messages(self) -> AsyncIterator[str | bytes]:
        while (message := await self.incoming.get()) is not None:
            yield message

    async def run(self) -> None:
        await self._done.wait()

    def drop(self) -> None:
        if not self._done.is_set():
            self._done.set()
            self.incoming.put_nowait(None)


class Booth:
    """A caller and everything behind the line."""

    def __init__(self, vendor: str = "twilio", *, line: Line = LINE, **fakes: Any) -> None:
        self.stt: FakeStt = fakes.get("stt") or FakeStt("what does it cost")
        self.tts: FakeTts = fakes.get("tts") or FakeTts()
        self.dialogue: FakeDialogue = fakes.get("dialogue") or FakeDialogue()
        self.refuse = False
        self.phone = phone_for(vendor)
        self.link = MemoryLink()
        self.metrics = Metrics()
        self.calls = Calls(10, self.metrics)
        self.ticket: Ticket | None = fakes.get("ticket")
        self.line = line
        self.vendor = vendor
        self.ear: list[Audio] = []
        self.notices: list[tuple[float, Notice]] = []
        self.session: CallSession
        self._rng = np.random.default_rng(1)
        self.echo = 0.0
        """How much of what is heard comes back, 100 ms later."""
        self._back: list[Audio] = [np.zeros(self.phone.codec.rate // 50, np.float32)] * 5

    @asynccontextmanager
    async def open(self, *, dial: bool = True) -> AsyncIterator[Booth]:
        """A call that has been dialled, if wanted."""
        batcher = VadBatcher(PhoneVad(), InlineWorkers())  # type: ignore[arg-type]
        services = Services(batcher, FakeEndOfTurn(), self.stt, self.tts, self.dialogue)

        def open_call(
            *,
            session_id: str,
            line: Line,
            language: str,
            features: Features,
            emit: Callable[[Notice], None],
            history: History,
        ) -> Conversation:
            if self.refuse:
                raise EngineError("the engines are still being loaded")

            def note(notice: Notice) -> None:
                self.notices.append((asyncio.get_running_loop().time(), notice))
                emit(notice)

            options = ConversationOptions(
                session_id, input_rate=16_000, language=language, flushes=True,
                lead_ms=features.lead_ms, piece_ms=20.0,
            )  # fmt: skip
            return Conversation(services=services, options=options, emit=note, history=history)

        backend = TelephonyBackend(open_call, lambda: (self.line,), demo=True)
        bridge = BRIDGES[self.vendor]()
        self.link.on_send = self._to_phone
        async with asyncio.TaskGroup() as group:
            vad = group.create_task(batcher.run())
            self.session = CallSession(
                backend, self.calls, self.metrics, bridge, self.link, ticket=self.ticket
            )
            running = group.create_task(self._run())
            if dial:
                self.give(self.phone.dial())
            try:
                yield self
            finally:
                self.session.end("the test is over")
                await running
                vad.cancel()

    async def _run(self) -> None:
        self.calls.add(self.session)
        try:
            await self.session.run()
        finally:
            self.calls.remove(self.session)

    def _to_phone(self, message: Message) -> None:
        if isinstance(message, Close):
            self.phone.ended = True
        else:
            self.give(self.phone.receive(message))

    def give(self, messages: list[Message]) -> None:
        """The vendor sends."""
        for message in messages:
            self.link.incoming.put_nowait(None if isinstance(message, Close) else message)

    # ---------------------------------------------------------------- acting

    async def live(self, seconds: float, *, voice: bool = False) -> Audio:
        """Be on the line, speaking or silent; return what was heard meanwhile."""
        codec = self.phone.codec
        heard = []
        for _ in range(round(seconds * 50)):
            size = codec.rate // 50
            sound = self._rng.standard_normal(size) * (0.1 if voice else 0.0)
            sound = sound + self._back.pop(0) * self.echo
            self.give(self.phone.speak(codec.encode(sound.astype(np.float32))))
            await asyncio.sleep(0.02)
            data, answers = self.phone.play(20)
            self.give(answers)
            heard.append(codec.decode(data))
            self._back.append(heard[-1])
        self.ear += heard
        return np.concatenate(heard)

    async def say(self, seconds: float = 1.0) -> Audio:
        """The caller speaks."""
        return await self.live(seconds, voice=True)

    async def greeted(self) -> None:
        """Hear the greeting and the language offer to their end."""
        await self.live(4.5)

    async def press(self, keys: str) -> None:
        """The caller presses keys."""
        for key in keys:
            self.give(self.phone.press(key))
            await asyncio.sleep(0)

    # ------------------------------------------------------------- observing

    def of(self, kind: type[Any]) -> list[Any]:
        """The conversation's notices of a kind."""
        return [notice for _, notice in self.notices if isinstance(notice, kind)]

    def at(self, kind: type[Any]) -> list[float]:
        """Their times."""
        return [when for when, notice in self.notices if isinstance(notice, kind)]


def sounding(audio: Audio, rate: int = 8000) -> list[tuple[float, float]]:
    """Return the stretches in which something sounds, as (start, end) in s, to 10 ms."""
    step = rate // 100
    loud = [
        bool(np.abs(audio[i : i + step]).max(initial=0.0) > 0.02)
        for i in range(0, audio.size, step)
    ]
    found: list[tuple[float, float]] = []
    for index, now in enumerate(loud):
        if now and (index == 0 or not loud[index - 1]):
            found.append((index / 100, (index + 1) / 100))
        elif now:
            found[-1] = (found[-1][0], (index + 1) / 100)
    return found


def other(line: Line = LINE, **changes: Any) -> Line:
    """A line like another."""
    return replace(line, **changes)
