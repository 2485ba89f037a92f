"""One websocket of a session: a bounded outbox and the task that empties it."""

from __future__ import annotations

import asyncio
from collections import deque

from aiohttp import WSMsgType, web

from voice_server.realtime.effects import Close, Send

OUTBOX_BYTES = 2 * 1024 * 1024
"""Messages waiting for a client that does not read. Speech is paced, so a client that keeps up
has a few kilobytes here; 2 MiB are about 30 s of it."""

SEND_DEADLINE_S = 10.0
"""A single send that takes longer: the client does not read, or is gone. It is dropped."""


class Line:
    """Sends without blocking the sender. Made for one socket, dead when that is."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        *,
        outbox_bytes: int = OUTBOX_BYTES,
        send_deadline_s: float = SEND_DEADLINE_S,
    ) -> None:
        self.socket = socket
        self._transport = transport
        self._outbox_bytes = outbox_bytes
        self._send_deadline_s = send_deadline_s
        # Bounded by bytes, see _overflow: beyond that the client is dropped, nothing is skipped,
        # because a stream with holes would be worse than a new connection.
        self._outbox: deque[Send | Close] = deque()
        self._waiting_bytes = 0
        self._ready = asyncio.Event()
        self.dead = False
        """Nothing more is sent: closed, dropped or lost."""
        self.dropped = ""
        """Why the server gave this client up, "" if it did not."""

    def send(self, effect: Send | Close) -> None:
        """Queue a message, or the close that ends the line."""
        if self.dead:
            return
        self._outbox.append(effect)
        if isinstance(effect, Send):
            self._waiting_bytes += len(effect.data)
            if self._waiting_bytes > self._outbox_bytes:
                self.drop(f"more than {self._outbox_bytes} bytes wait for a client that reads none")
        self._ready.set()

    async def run(self) -> None:
        """Send until the line is closed, dropped or lost. Cancelling loses what waits."""
        while not self.dead:
            await self._ready.wait()
            self._ready.clear()
            while self._outbox and not self.dead:
                effect = self._outbox.popleft()
                if isinstance(effect, Close):
                    self.dead = True
                    await self.socket.close(code=effect.code, message=_reason(effect.reason))
                    return
                self._waiting_bytes -= len(effect.data)
                await self._send(effect)

    async def _send(self, effect: Send) -> None:
        kind = WSMsgType.BINARY if effect.binary else WSMsgType.TEXT
        try:
            async with asyncio.timeout(self._send_deadline_s):
                await self.socket.send_frame(effect.data, kind)
        except TimeoutError:
            self.drop(f"the client has read nothing for {self._send_deadline_s:g} s")
        except ConnectionError:
            self.dead = True  # the reader sees the end of the socket and says so

    def drop(self, why: str) -> None:
        """Give the client up at once. It reads nothing, so no close frame would reach it."""
        self.dead = True
        self.dropped = why
        self._outbox.clear()
        self._ready.set()
        if self._transport is not None:
            self._transport.abort()

    def lost(self) -> None:
        """The socket has ended: stop sending."""
        self.dead = True
        self._outbox.clear()
        self._ready.set()


def _reason(text: str) -> bytes:
    """Return a close reason within the 123 bytes a control frame has room for."""
    return text.encode()[:120].decode(errors="ignore").encode()
