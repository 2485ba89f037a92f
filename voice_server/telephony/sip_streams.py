"""SIP's TCP and TLS connections: those that come, and those that we open."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

from voice_server.telephony.sip_core import Address
from voice_server.telephony.sip_message import NoSip
from voice_server.telephony.sip_stream import PING, PONG, Framer

log = logging.getLogger(__name__)

CONNECTIONS = 200
"""At once; a trunk has a handful."""

MESSAGE_S, IDLE_S = 10.0, 900.0
"""For a message that has begun, and for a connection that says nothing: registrations and calls
speak more often, and half-open ones must not be kept."""

CONNECT_S = 5.0
UNSENT_BYTES = 256 * 1024
"""A peer that does not read so much is dropped."""


class SipStreams:
    """All connections of one server."""

    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received
        self._writers: dict[Address, asyncio.StreamWriter] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Accept connections; return the port. Raises OSError if the address is taken."""
        server = await asyncio.start_server(self._accepted, host, port, ssl=tls)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def connect(self, to: Address, tls: ssl.SSLContext | None, name: str) -> None:
        """Open a connection if there is none; ``name`` is the peer's, for its certificate.

        Raises OSError, TimeoutError.
        """
        if to in self._writers:
            return
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(
                *to, ssl=tls, server_hostname=name if tls is not None else None
            )
        self._writers[to] = writer
        task = asyncio.get_running_loop().create_task(self._read(reader, writer, to))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, data: bytes, to: Address) -> bool:
        """Send to a peer that is connected; False if it is not: the message is lost."""
        writer = self._writers.get(to)
        if writer is None or writer.is_closing():
            return False
        writer.write(data)
        if writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            log.warning("a SIP peer does not read: %s is dropped", to[0])
            writer.transport.abort()
        return True

    async def close(self) -> None:
        """End everything."""
        self._closing = True
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "runs in a task"  # noqa: S101
        self._tasks.add(task)
        try:
            peer = writer.get_extra_info("peername")
            if len(self._writers) >= CONNECTIONS or not peer:
                log.warning("a SIP connection was refused: there are %d", len(self._writers))
                writer.transport.abort()
                return
            to = (str(peer[0]), int(peer[1]))
            self._writers[to] = writer
            await self._read(reader, writer, to)
        finally:
            self._tasks.discard(task)

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Address
    ) -> None:
        framer = Framer()
        try:
            while True:
                async with asyncio.timeout(IDLE_S if framer.whole else MESSAGE_S):
                    data = await reader.read(16_384)
                if not data:
                    return
                for message in framer.receive(data):
                    if message == PING:
                        writer.write(PONG)
                    else:
                        self._received(message, peer)
        except asyncio.CancelledError:
            if not self._closing:
                raise  # asyncio's streams report a cancelled handler as an error of ours
        except (ConnectionError, ssl.SSLError):
            log.debug("a SIP connection broke: %s", peer[0])
        except TimeoutError:
            log.info("a SIP connection said nothing for too long: %s", peer[0])
        except NoSip as wrong:
            log.warning("no SIP from %s: %s", peer[0], wrong)
        finally:
            if self._writers.get(peer) is writer:
                del self._writers[peer]
            writer.transport.abort()
