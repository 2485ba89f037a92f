"""The routes of the live show, on a real loopback socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from tests.live.crowd import TableUnderstanding
from tests.live.stage_play import sheet
from tests.live.test_session import FakeAnswerer, WordVoice
from voice_server import bodies
from voice_server.assets import assets_dir
from voice_server.live import show_events as ev
from voice_server.live.chat.wire import MAX_BODY, sign
from voice_server.live.facts import ShopFacts
from voice_server.live.session import ShowSession
from voice_server.live.show import State
from voice_server.shop import pack
from voice_server.web.live import LiveBackend, add_live
from voice_server.web.live_console import host_command

SECRET = "a secret of the test"
Client = TestClient[web.Request, web.Application]


@pytest_asyncio.fixture
async def show() -> AsyncIterator[ShowSession]:
    session = ShowSession(
        sheet("oslo", "nemo", loop=True),
        ShopFacts(pack.load(pack.resolve("demo"))),
        TableUnderstanding(),
        FakeAnswerer(),  # type: ignore[arg-type]
        WordVoice(),
    )
    running = asyncio.ensure_future(session.run())
    await asyncio.sleep(0)
    yield session
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest_asyncio.fixture
async def client(show: ShowSession) -> AsyncIterator[Client]:
    app = web.Application()
    shows = {"demo": show}
    add_live(app, LiveBackend(shows.get, assets_dir("avatars"), lambda: SECRET))
    async with TestClient(TestServer(app)) as found:
        yield found


async def until(socket: Any, kind: str) -> dict[str, Any]:
    """Read until a message of a kind arrives; frames of speech are passed over."""
    async with asyncio.timeout(5):
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                body: dict[str, Any] = json.loads(message.data)
                if body["type"] == kind:
                    return body
    raise AssertionError(f"the socket closed before {kind!r}")


@pytest.mark.parametrize("path", ["/stage/demo", "/watch/demo", "/console/shows/demo"])
async def test_pages_are_served_under_our_policy(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status == 200
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "<script>" not in await response.text()
    assert (await client.get(path.replace("demo", "other"))).status == 404


async def test_rigs_and_nothing_else(client: Client) -> None:
    for look in ("lea", "noor", "tom"):
        rig = await (await client.get(f"/avatars/{look}/rig.json")).json()
        assert rig["licence"] == "CC0-1.0"
    for look in ("..", "%2e%2e", "nobody", "LEA"):
        assert (await client.get(f"/avatars/{look}/rig.json")).status == 404


async def test_a_stage_hears_the_show(client: Client, show: ShowSession) -> None:
    async with client.ws_connect("/live/demo/stage") as socket:
        assert (await until(socket, "show"))["shop"] == "Marolle"
        show.do(ev.Begin())
        line = await until(socket, "line")
        assert line["text"].startswith("Bonjour")
        await socket.send_str("nonsense")
        await socket.send_bytes(b"\0")
        await socket.send_str('["a", "list"]')
        async with asyncio.timeout(5):
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    break
        size = int.from_bytes(message.data[:4], "little")
        header = json.loads(message.data[4 : 4 + size])
        assert header["rate"] == 24_000
        assert header["visemes"]


async def test_a_viewer_writes_and_is_seen_by_all(client: Client, show: ShowSession) -> None:
    async with (
        client.ws_connect("/live/demo/watch") as writer,
        client.ws_connect("/live/demo/watch") as reader,
        client.ws_connect("/api/live/demo/console") as host,
    ):
        message = {"type": "chat", "text": "price of oslo ?\u202e", "name": "Ana", "language": "nl"}
        await writer.send_json(message)
        await writer.send_json({**message, "text": "too fast"})
        await writer.send_json({**message, "text": 5})
        seen = await until(reader, "chat")
        assert (seen["author"], seen["text"]) == ("Ana", "price of oslo ?")
        assert show.inbox.received == 1
        queue = await until(host, "queue")
        while not queue["questions"]:
            queue = await until(host, "queue")
        assert queue["questions"][0]["language"] == "nl"


async def test_the_host_acts(client: Client, show: ShowSession) -> None:
    async with client.ws_connect("/api/live/demo/console") as host:
        for message in (
            {"type": "begin"},
            {"type": "say", "text": "Bonjour !", "language": "nl; rm"},
            {"type": "pin", "id": "q1"},
            {"type": "unknown"},
            {"type": "mute"},
        ):
            await host.send_json(message)
        state = await until(host, "state")
        while state["state"] != "muted":
            state = await until(host, "state")
    assert show.state is State.MUTED


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "approve", "id": "q1"}, ev.Approve("q1")),
        ({"type": "skip", "id": "q1"}, ev.Skip("q1")),
        ({"type": "say", "text": "A"}, None),
        ({"type": "take_over"}, ev.TakeOver()),
        ({"type": "resume"}, ev.Resume()),
        ({"type": "jump", "id": "oslo"}, ev.Jump("oslo")),
        ({"type": "stop"}, ev.Stop()),
        ({}, None),
    ],
)
def test_host_commands(message: dict[str, object], event: ev.Input | None) -> None:
    assert host_command(message) == event


def signed(body: bytes, secret: str = SECRET, stamp: int | None = None) -> dict[str, str]:
    at = str(int(time.time()) if stamp is None else stamp)
    return {
        "X-Voice-Server-Timestamp": at,
        "X-Voice-Server-Signature": sign(secret, at, body),
    }


async def test_signed_webhooks(client: Client, show: ShowSession) -> None:
    body = json.dumps({"events": [{"id": "1", "text": "price of oslo ?"}]}).encode()
    url = "/live/demo/events?platform=TikTok"
    for headers, status in [
        ({}, 401),
        (signed(body, "wrong"), 401),
        (signed(body, stamp=1000), 401),
        (signed(b"other"), 401),
    ]:
        assert (await client.post(url, data=body, headers=headers)).status == status
    assert show.inbox.received == 0
    response = await client.post(url, data=body, headers=signed(body))
    assert (response.status, await response.json()) == (202, {"taken": 1})
    again = await client.post(url, data=body, headers=signed(body))
    assert again.status == 202
    assert show.inbox.repeated == 1  # at least once is once
    bad = b'{"events": [{}]}'
    response = await client.post(url, data=bad, headers=signed(bad))
    assert response.status == 400
    assert "id" in (await response.json())["error"]


async def in_parts(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 20_000):
        yield body[start : start + 20_000]
        await asyncio.sleep(0)


async def test_a_large_batch_in_many_packets(client: Client, show: ShowSession) -> None:
    events = [{"id": str(n), "text": f"{n} " + "price of oslo ? " * 120} for n in range(100)]
    body = json.dumps({"events": events}).encode()
    assert len(body) > 190_000
    url = "/live/demo/events"
    response = await client.post(url, data=in_parts(body), headers=signed(body))
    assert (response.status, await response.json()) == (202, {"taken": 100})
    body = b" " * (MAX_BODY + 1)
    response = await client.post(url, data=in_parts(body), headers=signed(body))
    assert response.status == 413


async def test_a_body_that_does_not_come_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    never = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    try:
        async with asyncio.timeout(20):
            response = await client.post("/live/demo/events", data=stuck(), headers=signed(b"{"))
            assert response.status == 408
    finally:
        never.set()


async def test_a_source_over_a_websocket(client: Client, show: ShowSession) -> None:
    assert (await client.get("/live/demo/events")).status == 401
    async with client.ws_connect("/live/demo/events", headers=signed(b"")) as socket:
        await socket.send_str('{"events": [{"id": "1", "text": "hi"}]}')
        assert await socket.receive_json() == {"taken": 1}
        await socket.send_str("nonsense")
        assert "error" in await socket.receive_json()
        await socket.send_bytes(b"\0")
    assert show.inbox.received == 1


async def test_without_a_secret_no_webhook(show: ShowSession) -> None:
    app = web.Application()
    add_live(app, LiveBackend({"demo": show}.get, assets_dir("avatars")))
    async with TestClient(TestServer(app)) as client:
        body = b'{"events": []}'
        response = await client.post("/live/demo/events", data=body, headers=signed(body, ""))
        assert response.status == 401


async def test_captions_and_codes(client: Client) -> None:
    response = await client.get("/live/demo/captions.vtt?lang=nl")
    assert response.content_type == "text/vtt"
    assert (await response.text()).startswith("WEBVTT")
    code = await client.get("/live/demo/qr/oslo.svg")
    assert code.content_type == "image/svg+xml"
    assert "<svg" in await code.text()
    assert (await client.get("/live/demo/qr/nothing.svg")).status == 404


async def test_the_report(client: Client, show: ShowSession) -> None:
    report = await (await client.get("/api/live/demo/report.json")).json()
    assert report["questions"] == 0
    response = await client.get("/api/live/demo/report.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="demo.csv"'
    assert (await response.text()).startswith("asked_s,")


async def test_a_viewer_that_never_reads_is_closed(client: Client, show: ShowSession) -> None:
    async with ClientSession() as session:
        url = client.make_url("/live/demo/watch")
        async with session.ws_connect(url, autoclose=False) as socket:
            await until(socket, "show")
            for _ in range(300):
                show.pages.send_audio({"id": "l"}, bytes(200_000))
            async with asyncio.timeout(5):
                while (await socket.receive()).type is not WSMsgType.CLOSE:
                    pass
            assert socket.close_code == 4408
            assert show.pages.audience == 0
            await socket.close()
