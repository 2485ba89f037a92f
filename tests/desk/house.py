"""A whole desk in virtual time: outbox, console or a scripted vendor, a call, a translator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.desk.cases import BRUSSELS, NOW, WEEK
from tests.desk.desks import inline
from voice_server.desk import live
from voice_server.desk.builder import PacketBuilder, Summarise
from voice_server.desk.calls import CallTexts, LiveCall
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import ConsoleStore
from voice_server.desk.hours import DeskHours
from voice_server.desk.outbox import Outbox, OutboxOptions
from voice_server.desk.outbox_store import OutboxStore
from voice_server.desk.packet import Desk, DeskError, Line, Ticket
from voice_server.desk.rules import DeskRules
from voice_server.desk.service import DeskService
from voice_server.desk.translation import Translate, Translator

DUTCH = {"Bonjour": "Goedendag", "Je": "Ik", "regarde": "kijk", "Voilà": "Ziehier"}
FRENCH = {dutch: french for french, dutch in DUTCH.items()} | {"Hallo": "Allô", "Waar": "Où"}


async def dictionary(text: str, source: str, target: str) -> str:
    """Word by word: enough to see what was translated."""
    words = DUTCH if target == "nl" else FRENCH
    await asyncio.sleep(0.01)
    return " ".join(words.get(word, word) for word in text.split())


@dataclass
class FakeCall:
    """A conversation that says everything in half a second."""

    language: str = "nl"
    said: list[tuple[str, str]] = field(default_factory=list)
    muted: bool = False
    busy: int = 0
    """So many attempts to speak fail, because the customer is talking."""
    deaf: bool = False
    """Never tells the end of anything."""
    call: LiveCall | None = None

    def say(self, say_id: str, text: str, language: str, *, interruptible: bool) -> None:
        started = self.busy == 0
        self.busy = max(0, self.busy - 1)
        if started:
            self.said.append((language, text))
        if not self.deaf:
            ended = live.SayEnded(say_id, text, whole=started, started=started)
            asyncio.get_running_loop().call_later(0.5, self._tell, ended)

    def _tell(self, ended: live.SayEnded) -> None:
        assert self.call is not None
        self.call.happened(ended)

    def mute(self) -> None:
        self.muted = True

    def unmute(self) -> None:
        self.muted = False


@dataclass
class RelayingDesk:
    """A vendor whose people can talk, without its vendor."""

    name: str = "relaying"
    taken: list[str] = field(default_factory=list)
    relayed: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    delay_s: float = 0.0
    broken: bool = False

    async def deliver(self, packet: Any, *, again: bool = False) -> Any:
        await asyncio.sleep(self.delay_s)
        if packet.id not in self.taken:
            self.taken.append(packet.id)
        return Ticket(f"R-{self.taken.index(packet.id)}")

    async def note(self, reference: str, text: str) -> None:
        self._check()
        self.notes.append(text)

    async def relay(self, reference: str, line: Line, line_id: str) -> None:
        self._check()
        self.relayed.append((reference, line.text, line.translation))

    def _check(self) -> None:
        if self.broken:
            raise DeskError("broken")

    async def close(self) -> None: ...


@dataclass
class House:
    """What a test plays with."""

    service: DeskService
    store: OutboxStore
    start: datetime

    def call(self, session_id: str = "sess_1", language: str = "nl") -> FakeCall:
        """A conversation begins."""
        fake = FakeCall(language)
        fake.call = self.service.attach(session_id, fake)
        return fake

    @property
    def console(self) -> ConsoleDesk:
        assert self.service.console is not None
        return self.service.console

    async def lines(self, case_id: str) -> list[tuple[str, str, str]]:
        """What people see of a case: role, text, translation."""
        return [
            (line.role, line.text, line.translation)
            for _, line in await self.console.lines(case_id)
        ]


@asynccontextmanager
async def desk_house(
    desk: Desk | None = None,
    *,
    translate: Translate | None = dictionary,
    start: datetime = NOW,
    summarise: Summarise | None = None,
) -> AsyncIterator[House]:
    """Run a desk for the block."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    store = OutboxStore(":memory:")
    desk = desk or ConsoleDesk(ConsoleStore(":memory:"), clock=loop.time, in_thread=inline)
    outbox = Outbox(
        store, desk, clock=loop.time, chance=lambda: 0.5, in_thread=inline,
        options=OutboxOptions(attempt_s=5, lease_s=10),
    )  # fmt: skip
    service = DeskService(
        desk,
        outbox,
        PacketBuilder("marolle", BRUSSELS, DeskRules(), "fr", summarise=summarise),
        DeskHours(WEEK, BRUSSELS),
        Translator(translate, internal_language="fr"),
        CallTexts("Marolle", "fr"),
        clock=lambda: start + timedelta(seconds=loop.time() - began),
    )
    running = asyncio.create_task(service.run())
    await asyncio.sleep(0)
    try:
        yield House(service, store, start)
    finally:
        running.cancel()
        await asyncio.wait({running})
