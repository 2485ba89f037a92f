"""Twitch's IRC wire on a real loopback socket: websocket or TCP, tags, faults on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


@dataclass
class FakeTwitch:
    """One channel. ``greeting`` lines follow the JOIN; then ``lines`` as they are put."""

    greeting: list[str] = field(default_factory=list)
    url: str = ""
    received: list[str] = field(default_factory=list)
    connections: int = 0
    lines: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    """None cuts the connection."""

    async def say(self, line: str) -> None:
        await self.lines.put(line)

    def _answers(self, line: str) -> list[str]:
        self.received.append(line)
        if line.startswith("CAP REQ"):
            return [f":tmi.twitch.tv CAP * ACK :{line.partition(':')[2]}"]
        if line.startswith("NICK"):
            return [f":tmi.twitch.tv 001 {line[5:]} :Welcome, GLHF!"]
        if line.startswith("JOIN"):
            channel = line[5:]
            return [f"@room-id=1 :tmi.twitch.tv ROOMSTATE {channel}", *self.greeting]
        if line.startswith("PING"):
            return [f":tmi.twitch.tv PONG tmi.twitch.tv :{line.partition(':')[2]}"]
        return []

    async def _websocket(self, socket: ServerConnection) -> None:
        self.connections += 1

        async def hear() -> None:
            async for data in socket:
                for line in str(data).splitlines():
                    for answer in self._answers(line):
                        await socket.send(answer + "\r\n")

        await self._serve(hear, lambda line: socket.send(line + "\r\n"), socket.close)

    async def _tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1

        async def send(line: str) -> None:
            writer.write((line + "\r\n").encode())
            await writer.drain()

        async def hear() -> None:
            while data := await reader.readline():
                for answer in self._answers(data.decode().rstrip()):
                    await send(answer)

        async def close() -> None:
            writer.close()

        await self._serve(hear, send, close)

    async def _serve(self, hear, send, close) -> None:  # type: ignore[no-untyped-def]
        hearing = asyncio.ensure_future(hear())
        try:
            while not hearing.done():
                saying = asyncio.ensure_future(self.lines.get())
                await asyncio.wait({hearing, saying}, return_when=asyncio.FIRST_COMPLETED)
                if not saying.done():
                    saying.cancel()
                    break
                line = saying.result()
                if line is None:
                    break
                await send(line)
        except (ConnectionClosed, ConnectionError, asyncio.CancelledError):
            pass  # the reader, or the test, is gone
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            await close()


@asynccontextmanager
async def fake_twitch(*greeting: str, websocket: bool = True) -> AsyncIterator[FakeTwitch]:
    """Serve one; its ``url`` is for :class:`TwitchSource`."""
    fake = FakeTwitch(list(greeting))
    if websocket:
        async with serve(fake._websocket, "127.0.0.1", 0) as server:
            fake.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            yield fake
    else:
        tcp = await asyncio.start_server(fake._tcp, "127.0.0.1", 0)
        async with tcp:
            fake.url = f"irc://127.0.0.1:{tcp.sockets[0].getsockname()[1]}"
            yield fake
