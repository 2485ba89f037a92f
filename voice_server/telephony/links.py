"""The lines themselves: a websocket or a TCP stream, with a bounded outbox."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from aiohttp import WSMsgType, web

from voice_server.telephony.call import Close, Message

OUTBOX_BYTES = 256 * 1024
"""Messages waiting for a vendor that does not read. Speech is paced: a good line has one or two
here, and 256 KiB are ten seconds of it at the largest codec, in base64."""

SEND_DEADLINE_S = 5.0
"""A single send that takes longer: the vendor does not read, or is gone. The line is dropped."""

READ_BYTES = 16 * 1024


class Link(Protocol):
    """What a call is carried by."""

    def send(self, message: Message) -> None:
        """Queue a message; never blocks. A Close is the last one."""

    def messages(self) -> AsyncIterator[str | bytes]:
        """Yield what comes, until the other side or :meth:`drop` ends it."""

    async def run(self) -> None:
        """Send what is queued until the line is closed. Cancelling loses what waits."""

    def drop(self) -> None:
        """End at once; what waits is lost."""


class _Outbox:
    """Messages on their way, bounded by bytes: beyond it the line is dropped, nothing skipped."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self.dead = False
        self.dropped = ""

    def send(self, message: Message) -> None:
        if self.dead:
            return
        self._waiting.append(message)
        if not isinstance(message, Close):
            self._bytes += len(message)
            if self._bytes > OUTBOX_BYTES:
                self.dropped = "the vendor does not read"
                self.drop()
                return
        self._ready.set()

    async def run(self) -> None:
        while not self.dead:
            await self._ready.wait()
            self._ready.clear()
            while self._waiting and not self.dead:
                message = self._waiting.popleft()
                if not isinstance(message, Close):
                    self._bytes -= len(message)
                try:
                    async with asyncio.timeout(SEND_DEADLINE_S):
                        await self._write(message)
                except TimeoutError:
                    self.dropped = f"the vendor has read nothing for {SEND_DEADLINE_S:g} s"
                    self.drop()
                except ConnectionError:
                    self._stop()
                if isinstance(message, Close):
                    self._stop()

    async def _write(self, message: Message) -> None:
        raise NotImplementedError

    def drop(self) -> None:
        self._stop()

    def _stop(self) -> None:
        self.dead = True
        self._waiting.clear()
        self._ready.set()


class WebsocketLink(_Outbox):
    """A prepared websocket of aiohttp."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        super().__init__()
        self._socket = socket
        self._transport = transport

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield text and binary messages."""
        async for message in self._socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                yield message.data

    async def _write(self, message: Message) -> None:
        if isinstance(message, Close):
            reason = message.reason.encode()[:120].decode(errors="ignore").encode()
            await self._socket.close(code=message.code, message=reason)
        elif isinstance(message, str):
            await self._socket.send_frame(message.encode(), WSMsgType.TEXT)
        else:
            await self._socket.send_frame(message, WSMsgType.BINARY)

    def drop(self) -> None:
        """Abort the connection."""
        super().drop()
        if self._transport is not None:
            self._transport.abort()


class StreamLink(_Outbox):
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield the stream in pieces."""
        while True:
            try:
                data = await self._reader.read(READ_BYTES)
            except ConnectionError:
                return
            if not data:
                return
            yield data

    async def _write(self, message: Message) -> None:
        if isinstance(message, Close):
            self._writer.close()
        elif isinstance(message, bytes):
            self._writer.write(message)
            await self._writer.drain()

    def drop(self) -> None:
        """Abort the connection."""
        super().drop()
        self._writer.transport.abort()
