"""The outbox of one socket: order, bounds, deadlines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import WSMsgType

from voice_server.realtime.effects import Close, Send
from voice_server.realtime.line import Line


class Socket:
    """Stands for a websocket whose peer may stop reading."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, WSMsgType]] = []
        self.closed: list[tuple[int, bytes]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.broken = False

    async def send_frame(self, data: bytes, kind: WSMsgType) -> None:
        await self.reads.wait()
        if self.broken:
            raise ConnectionResetError("gone")
        self.sent.append((data, kind))

    async def close(self, *, code: int, message: bytes) -> None:
        self.closed.append((code, message))


class Transport:
    """Counts aborts."""

    def __init__(self) -> None:
        self.aborted = 0

    def abort(self) -> None:
        self.aborted += 1


def line(socket: Socket, transport: Transport | None = None, **options: Any) -> Line:
    return Line(socket, transport, **options)  # type: ignore[arg-type]


async def test_messages_go_out_in_order_and_the_close_comes_last() -> None:
    socket = Socket()
    one = line(socket)
    one.send(Send(b"a"))
    one.send(Send(b"b", binary=True))
    one.send(Close(1001, "é" * 100))
    one.send(Send(b"late"))
    await one.run()
    assert socket.sent == [(b"a", WSMsgType.TEXT), (b"b", WSMsgType.BINARY)]
    ((code, reason),) = socket.closed
    assert code == 1001
    assert reason.decode() == "é" * 60
    assert one.dead
    one.send(Send(b"after"))
    await one.run()
    assert len(socket.sent) == 2


async def test_a_full_outbox_drops_the_client() -> None:
    socket, transport = Socket(), Transport()
    one = line(socket, transport, outbox_bytes=10)
    one.send(Send(b"12345"))
    one.send(Send(b"67890"))
    assert not one.dead
    one.send(Send(b"!"))
    assert one.dead
    assert "10 bytes" in one.dropped
    assert transport.aborted == 1
    await one.run()
    assert not socket.sent


async def test_what_was_sent_makes_room() -> None:
    socket = Socket()
    one = line(socket, outbox_bytes=10)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(one.run())
        for _ in range(20):
            one.send(Send(b"12345678"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        one.lost()
    assert len(socket.sent) == 20
    assert not one.dropped


async def test_a_stalled_send_drops_the_client() -> None:
    socket, transport = Socket(), Transport()
    socket.reads.clear()
    one = line(socket, transport, send_deadline_s=0.05)
    one.send(Send(b"a"))
    async with asyncio.timeout(5):
        await one.run()
    assert "0.05 s" in one.dropped
    assert transport.aborted == 1


async def test_dropping_without_a_transport_is_no_error() -> None:
    one = line(Socket(), None, outbox_bytes=1)
    one.send(Send(b"12"))
    assert one.dropped


@pytest.mark.parametrize("more", [0, 3])
async def test_a_broken_socket_ends_the_line_quietly(more: int) -> None:
    socket = Socket()
    socket.broken = True
    one = line(socket)
    for _ in range(1 + more):
        one.send(Send(b"a"))
    await one.run()
    assert one.dead
    assert not one.dropped
