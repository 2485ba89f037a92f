"""The TCP server for Asterisk's AudioSocket.

The protocol has no password: outside demo mode a connection must bring the UUID that the dialplan
got from ``POST /telephony/asterisk/calls``, and gets two seconds to show it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voice_server.config import LOOPBACK
from voice_server.telephony.audiosocket_bridge import UUID, AudioSocketBridge
from voice_server.telephony.calls import Full, Ticket
from voice_server.telephony.endpoint import TelephonyEndpoint
from voice_server.telephony.links import StreamLink
from voice_server.telephony.ports import Meter, TelephonyBackend
from voice_server.telephony.session import CallSession

log = logging.getLogger(__name__)

UUID_S = 2.0
"""Asterisk sends the UUID as its first bytes."""


class AudioSocketServer:
    """Accepts connections and serves each as a call."""

    def __init__(
        self, backend: TelephonyBackend, endpoint: TelephonyEndpoint, meter: Meter
    ) -> None:
        self._backend = backend
        self._endpoint = endpoint
        self._meter = meter
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @asynccontextmanager
    async def running(self, host: str, port: int) -> AsyncIterator[AudioSocketServer]:
        """Listen inside the block. Raises OSError if the address is taken."""
        server = await asyncio.start_server(self._serve, host, port)
        self.port = server.sockets[0].getsockname()[1]
        log.info("AudioSocket listens on %s:%d", host, self.port)
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "runs in a task"  # noqa: S101
        self._tasks.add(task)
        try:
            await self._call(reader, writer)
        except Exception:  # one connection must not end the server
            log.exception("an AudioSocket connection failed")
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await self._first_frame(reader)
        if first is None:
            return
        ticket = self._ticket(first)
        if ticket is None and not self._trusted(writer):
            self._meter.count("calls_refused_total", vendor="audiosocket")
            log.warning("an AudioSocket call was refused: its UUID was not announced")
            return
        bridge = AudioSocketBridge()
        try:
            self._endpoint.check_room()
            session = CallSession(
                self._backend, self._endpoint.calls, self._meter, bridge,
                _Primed(first, reader, writer), ticket=ticket, clock=self._endpoint.now,
            )  # fmt: skip
            self._endpoint.calls.add(session)
        except Full as full:
            self._meter.count("calls_refused_total", vendor="audiosocket")
            log.warning("an AudioSocket call was refused: %s", full)
            return
        try:
            await session.run()
        finally:
            self._endpoint.calls.remove(session)

    async def _first_frame(self, reader: asyncio.StreamReader) -> bytes | None:
        """Return the UUID frame, None (with a log line) for a peer that does not send it."""
        try:
            async with asyncio.timeout(UUID_S):
                frame = await reader.readexactly(3 + 16)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            log.warning("an AudioSocket connection brought no UUID and is closed")
            return None
        if frame[:3] != bytes((UUID, 0, 16)):
            log.warning("an AudioSocket connection began with something else than a UUID")
            return None
        return frame

    def _ticket(self, frame: bytes) -> Ticket | None:
        call_id = str(uuid.UUID(bytes=frame[3:]))
        return self._endpoint.calls.tickets.take(call_id, self._endpoint.now())

    def _trusted(self, writer: asyncio.StreamWriter) -> bool:
        """Demo mode takes calls from this machine."""
        peer = writer.get_extra_info("peername")
        return self._backend.demo and bool(peer) and peer[0] in LOOPBACK


class _Primed(StreamLink):
    """A stream whose first frame has been read already."""

    def __init__(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        super().__init__(reader, writer)
        self._first = first

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield the first frame, then the rest."""
        yield self._first
        async for data in super().messages():
            yield data
