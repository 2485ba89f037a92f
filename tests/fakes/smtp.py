"""A mail server on a real loopback socket: takes mail (RFC 5321), or misbehaves as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class FakeMailServer:
    """What it got. ``refuse`` answers every recipient with 550; ``silent`` never greets."""

    port: int = 0
    refuse: bool = False
    silent: bool = False
    mails: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client."""
        try:
            if self.silent:
                await reader.read()
                return
            writer.write(b"220 fake ESMTP\r\n")
            while line := (await reader.readline()).decode().strip():
                verb = line.split()[0].upper()
                if verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    self.mails.append(data.decode())
                    writer.write(b"250 queued\r\n")
                elif verb == "RCPT" and self.refuse:
                    writer.write(b"550 no such user\r\n")
                elif verb == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 fine\r\n")
        finally:
            writer.close()


@asynccontextmanager
async def mail_server(**options: bool) -> AsyncIterator[FakeMailServer]:
    """Run a mail server on a free port."""
    fake = FakeMailServer(**options)  # type: ignore[arg-type]
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
