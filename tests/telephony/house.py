"""Telephony on real sockets of this machine, with scripted conversations behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.conversation import FakeConversation, Script
from tests.telephony.booth import LINE
from tests.telephony.calls import phone_for
from voice_server.conversation.notices import Notice
from voice_server.conversation.orders import Order
from voice_server.conversation.transcript import History
from voice_server.realtime.ports import PRINCIPAL, Principal
from voice_server.telephony.call import Close, Features, Message
from voice_server.telephony.calls import Calls
from voice_server.telephony.line import Line
from voice_server.telephony.ports import TelephonyBackend
from voice_server.telephony.softphone import Softphone
from voice_server.web.application import METRICS
from voice_server.web.auth import Handler
from voice_server.web.metrics import Metrics
from voice_server.web.telephony import AUDIOSOCKET, SIP, TELEPHONY, add_telephony

DEADLINE_S = 30.0
"""A busy machine may take long; what does not happen at all is told soon enough."""


@dataclass
class House:
    url: str
    application: web.Application
    client: aiohttp.ClientSession
    conversations: list[FakeConversation] = field(default_factory=list)

    @property
    def calls(self) -> Calls:
        return self.application[TELEPHONY].calls

    @property
    def metrics(self) -> str:
        return self.application[METRICS].render()

    @property
    def now(self) -> float:
        return self.application[TELEPHONY].now()

    @property
    def audiosocket_port(self) -> int:
        return self.application[AUDIOSOCKET].port

    @property
    def sip_port(self) -> int:
        return self.application[SIP].port

    async def quiet(self) -> None:
        """Wait until all calls are over."""
        await until(lambda: len(self.calls) == 0)


class Patient(FakeConversation):
    """Keeps the orders of before its run, as the real one does."""

    async def run(self) -> None:
        asyncio.get_running_loop().call_soon(self._begin)
        await super().run()

    def _begin(self) -> None:
        waiting, self.waiting = getattr(self, "waiting", []), []
        for order in waiting:
            super().order(order)

    waiting: list[Order]

    def order(self, order: Order) -> None:
        if self._group is None:
            self.waiting = [*getattr(self, "waiting", []), order]
        else:
            super().order(order)


class Handset:
    """A softphone on a real line."""

    def __init__(self, phone: Softphone) -> None:
        self.phone = phone
        self.heard = bytearray()
        self.closed = asyncio.Event()
        self.close_code: int | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def dial(
        cls,
        house: House,
        vendor: str,
        path: str = "",
        headers: dict[str, str] | None = None,
        edit: Callable[[Message], Message] = lambda message: message,
    ) -> Handset:
        """Connect and dial; raises WSServerHandshakeError if refused. ``edit`` changes the dial."""
        handset = cls(phone_for(vendor))
        if vendor == "audiosocket":
            reader, handset._writer = await asyncio.open_connection(
                "127.0.0.1", house.audiosocket_port
            )
            handset._tasks.append(asyncio.create_task(handset._read_stream(reader)))
        else:
            url = house.url + (path or f"/telephony/{vendor}")
            handset._socket = await house.client.ws_connect(url, headers=headers)
            handset._tasks.append(asyncio.create_task(handset._read_socket(handset._socket)))
        await handset.give([edit(message) for message in handset.phone.dial()])
        return handset

    async def _read_socket(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            await self.give(self.phone.receive(message.data))
        self.close_code = socket.close_code
        self.closed.set()

    async def _read_stream(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(4096):
            await self.give(self.phone.receive(data))
        self.closed.set()

    async def give(self, messages: list[Message]) -> None:
        """The vendor sends."""
        for message in messages:
            if self._socket is not None and not self._socket.closed:
                if isinstance(message, Close):
                    await self._socket.close()
                elif isinstance(message, str):
                    await self._socket.send_str(message)
                else:
                    await self._socket.send_bytes(message)
            elif self._writer is not None:
                if isinstance(message, Close):
                    self._writer.close()
                elif isinstance(message, bytes):
                    self._writer.write(message)

    async def play(self) -> None:
        """Hear 20 ms of whatever has come."""
        data, answers = self.phone.play(20)
        self.heard += data
        await self.give(answers)

    async def hear_ms(self, wanted: float) -> None:
        """Wait until so much speech has come, playing it."""

        async def come() -> None:
            heard = 0.0
            while heard < wanted:
                if self.phone.waiting_ms >= 20:
                    await self.play()
                    heard += 20
                else:
                    await asyncio.sleep(0.005)

        await asyncio.wait_for(come(), DEADLINE_S)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._socket is not None:
            await self._socket.close()
        if self._writer is not None:
            self._writer.close()


async def until(condition: Callable[[], bool]) -> None:
    async def come() -> None:
        while not condition():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.005)

    await asyncio.wait_for(come(), DEADLINE_S)


@web.middleware
async def _operator(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everybody who asks is an operator; a header makes them another shop's, or a customer."""
    kind = request.headers.get("X-Kind", "demo")
    request[PRINCIPAL] = Principal(kind, shop=request.headers.get("X-Shop", ""))
    return await handler(request)


@asynccontextmanager
async def house(script: Script | None = None, **options: Any) -> AsyncIterator[House]:
    """``options`` are those of the backend."""
    conversations: list[FakeConversation] = []

    def open_call(
        *,
        session_id: str,
        line: Line,
        language: str,
        features: Features,
        emit: Callable[[Notice], None],
        history: History,
    ) -> Patient:
        conversation = Patient(
            session_id=session_id, input_rate=16_000, emit=emit, history=history,
            flushes=features.clears, script=script,
        )  # fmt: skip
        conversations.append(conversation)
        return conversation

    options = {"open_call": open_call, "lines": lambda: (LINE,), "demo": True, **options}
    backend = TelephonyBackend(**options)
    application = web.Application(middlewares=[_operator])
    application[METRICS] = Metrics()
    add_telephony(application, backend, audiosocket=("127.0.0.1", 0), sip=("127.0.0.1", 0))
    runner = web.AppRunner(application, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as client:
            yield House(f"http://127.0.0.1:{port}", application, client, conversations)
    finally:
        await runner.cleanup()
