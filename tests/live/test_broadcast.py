from __future__ import annotations

import asyncio

import orjson
import pytest

from voice_server.live.broadcast import RECENT, WAITING, Broadcast, Lagging, Page


async def drain(page: Page) -> list[dict[str, object]]:
    page.close()
    found = []
    while (frame := await page.next()) is not None:
        if isinstance(frame, str):
            found.append(orjson.loads(frame))
    return found


async def test_late_comers_hear_what_holds_and_hosts_hear_more() -> None:
    seen: list[int] = []
    pages = Broadcast(seen.append)
    pages.send({"type": "card", "n": 1}, keep=True)
    pages.send({"type": "card", "n": 2}, keep=True)
    pages.send({"type": "queue"}, keep=True, host=True)
    pages.send({"type": "line"})
    viewer, host = pages.join("viewer"), pages.join("host")
    pages.send({"type": "secret"}, host=True)
    pages.send_audio({"id": "l1"}, b"\0\0")
    assert [m["type"] for m in await drain(viewer)] == ["card"]
    assert [m["type"] for m in await drain(host)] == ["card", "queue", "secret"]
    assert pages.audience == 1
    pages.leave(viewer)
    assert seen == [1, 1, 0]


async def test_a_speech_frame() -> None:
    pages = Broadcast()
    page = pages.join("stage")
    pages.send_audio({"id": "l1", "at_ms": 5}, b"\1\2")
    frame = await page.next()
    assert isinstance(frame, bytes)
    length = int.from_bytes(frame[:4], "little")
    assert orjson.loads(frame[4 : 4 + length]) == {"id": "l1", "at_ms": 5}
    assert frame[4 + length :] == b"\1\2"


async def test_a_page_that_never_reads_is_dropped_and_others_are_not() -> None:
    pages = Broadcast()
    asleep, awake = pages.join("viewer"), pages.join("viewer")
    for at in range(WAITING + 10):
        pages.send({"type": "chat", "n": at})
        await awake.next()
    with pytest.raises(Lagging):
        await asleep.next()
    assert not asleep._frames
    pages.send({"type": "chat", "n": -1})
    assert await awake.next() == '{"type":"chat","n":-1}'
    pages.close()
    assert await awake.next() is None
    heavy = pages.join("viewer")
    pages.send_audio({}, bytes(9_000_000))
    with pytest.raises(Lagging):
        await heavy.next()


async def test_waiting_for_a_frame() -> None:
    page = Page("viewer")
    waiting = asyncio.ensure_future(page.next())
    await asyncio.sleep(0)
    page.put("x")
    assert await waiting == "x"
    page.close()
    page.put("late")
    assert await page.next() is None


async def read(page: Page) -> list[dict[str, object]]:
    found = []
    while page.waiting:
        frame = await page.next()
        assert isinstance(frame, str)
        found.append(orjson.loads(frame))
    return found


async def test_who_comes_late_sees_the_chat_but_nothing_that_was_taken_back() -> None:
    pages = Broadcast()
    for number in range(RECENT + 4):
        pages.send(
            {
                "type": "chat",
                "id": f"m{number}",
                "platform": "twitch",
                "author_id": f"u{number % 2}",
            }
        )
    pages.send({"type": "chat_removed", "platform": "twitch", "kind": "delete", "target": "m9"})
    pages.send({"type": "chat_removed", "platform": "youtube", "kind": "delete", "target": "m8"})
    ids = [message["id"] for message in await read(pages.join("viewer"))]
    assert len(ids) == RECENT - 1
    assert "m9" not in ids
    assert "m8" in ids
    assert await read(pages.join("stage")) == []
    pages.send({"type": "chat_removed", "platform": "twitch", "kind": "ban", "target": "u1"})
    left = await read(pages.join("host"))
    assert {message["author_id"] for message in left} == {"u0"}
    pages.send({"type": "chat_removed", "platform": "twitch", "kind": "clear", "target": ""})
    assert await read(pages.join("viewer")) == []
