"""The composed conversation of the server on real time, with engines that need no model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.fakes.engines import FakeDialogue, FakeEndOfTurn, FakeStt, FakeTts, InlineWorkers
from tests.telephony.booth import PhoneVad
from voice_server.conversation.notices import Notice
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.session import Conversation
from voice_server.conversation.transcript import History
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.telephony.call import Features
from voice_server.telephony.line import Line


@dataclass
class Composed:
    """Makes conversations for ``house(open_call=...)``."""

    services: Services
    stt: FakeStt
    dialogue: FakeDialogue
    notices: list[Notice] = field(default_factory=list)

    def open_call(
        self,
        *,
        session_id: str,
        line: Line,
        language: str,
        features: Features,
        emit: Callable[[Notice], None],
        history: History,
    ) -> Conversation:
        def note(notice: Notice) -> None:
            self.notices.append(notice)
            emit(notice)

        options = ConversationOptions(
            session_id, input_rate=16_000, language=language,
            flushes=features.clears or not features.buffers,
            lead_ms=features.lead_ms, piece_ms=20.0,
        )  # fmt: skip
        return Conversation(services=self.services, options=options, emit=note, history=history)


@asynccontextmanager
async def composed() -> AsyncIterator[Composed]:
    """Everything behind a line, while the block runs."""
    batcher = VadBatcher(PhoneVad(), InlineWorkers())  # type: ignore[arg-type]
    stt, dialogue = FakeStt("what does it cost"), FakeDialogue()
    services = Services(batcher, FakeEndOfTurn(), stt, FakeTts(delay_s=0.01), dialogue)
    vad = asyncio.create_task(batcher.run())
    try:
        yield Composed(services, stt, dialogue)
    finally:
        vad.cancel()
