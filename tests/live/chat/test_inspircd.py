"""The reader against a real IRC server: websocket and TCP, tags, a long message, a lost server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.inspircd import inspircd, program
from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.chat.source import SourceLost
from voice_server.live.chat.twitch_source import TwitchSource

pytestmark = pytest.mark.skipif(
    program() is None, reason="InspIRCd is not installed (package 'inspircd')"
)


async def talker(port: int, *lines: str) -> None:
    """A viewer with an ordinary IRC client."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"NICK ana\r\nUSER ana 8 * :Ana\r\n")
    async with asyncio.timeout(10):
        while data := await reader.readline():
            if data.startswith(b"PING"):
                writer.write(b"PONG " + data.split()[1] + b"\r\n")
            if b" 001 " in data:
                break
        writer.write(b"JOIN #marolle\r\n")
        while data := await reader.readline():
            if b" 366 " in data:
                break
    for line in lines:
        writer.write(f"PRIVMSG #marolle :{line}\r\n".encode())
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()


@pytest.mark.parametrize("websocket", [True, False])
async def test_a_real_server(tmp_path: Path, websocket: bool) -> None:
    async with inspircd(tmp_path) as (tcp, ws):
        url = f"ws://127.0.0.1:{ws}" if websocket else f"irc://127.0.0.1:{tcp}"
        events: list[ChatEvent] = []
        joined, done = asyncio.Event(), asyncio.Event()

        def deliver(event: ChatEvent) -> None:
            events.append(event)
            if event.text == "end":
                done.set()

        source = TwitchSource("marolle", url=url, nick="show")
        reading = asyncio.ensure_future(source.read(deliver, joined.set))
        await asyncio.wait_for(joined.wait(), 10)
        await talker(tcp, "Combien coûte Oslo ?", "x" * 5_000, "\x02bold\x03\u202e 🎉", "end")
        await asyncio.wait_for(done.wait(), 10)
    assert events[0].text == "Combien coûte Oslo ?"
    assert events[0].author == "ana"
    assert any(event.text == "bold 🎉" for event in events)
    assert len({event.id for event in events}) == len(events)
    assert all(":" not in event.id for event in events)  # the server's own msgid tags
    with pytest.raises(SourceLost):
        await asyncio.wait_for(reading, 5)
