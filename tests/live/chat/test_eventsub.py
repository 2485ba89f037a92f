from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from voice_server.live.chat.envelope import ChatEvent, Kind, Role
from voice_server.live.chat.eventsub import EventSub, Lost, MoveTo, Subscribe, subscription
from voice_server.live.chat.eventsub_source import EventSubSource
from voice_server.live.chat.source import SourceLost, SourceRefused

CHAT = {
    "broadcaster_user_id": "1",
    "broadcaster_user_login": "marolle",
    "chatter_user_id": "42",
    "chatter_user_name": "Ana",
    "message_id": "m1",
    "message": {
        "text": "Kappa hi",
        "fragments": [
            {"type": "emote", "text": "Kappa"},
            {"type": "text", "text": " hi "},
            {"type": "mention", "text": "@bo"},
        ],
    },
    "badges": [{"set_id": "moderator", "id": "1"}, {"set_id": "odd", "id": "1"}],
}


def message(kind: str, payload: Any, ident: str = "i", event: str = "") -> str:
    metadata = {"message_id": ident, "message_type": kind, "subscription_type": event}
    return json.dumps({"metadata": metadata, "payload": payload})


WELCOME = message("session_welcome", {"session": {"id": "s1", "keepalive_timeout_seconds": 10}})


def notification(event: str, body: dict[str, Any], ident: str = "n") -> str:
    return message("notification", {"event": body}, ident, event)


def one(event: str, body: dict[str, Any]) -> ChatEvent:
    session = EventSub(0.0)
    session.receive(WELCOME, 0.1)
    [found] = session.receive(notification(event, body), 1.0)
    assert isinstance(found, ChatEvent)
    return found


def test_a_session_is_welcomed_subscribed_kept_alive_and_given_up() -> None:
    session = EventSub(0.0)
    assert session.next_deadline() == 10.0
    assert session.receive(WELCOME, 1.0) == [Subscribe("s1", 10.0)]
    assert session.next_deadline() == 16.0
    assert session.receive(message("session_keepalive", {}), 9.0) == []
    assert session.tick(16.0) == []
    assert session.tick(24.0) == [Lost("no keep-alive")]


def test_a_move_needs_no_new_subscriptions() -> None:
    session = EventSub(0.0)
    session.receive(WELCOME, 0.0)
    move = message("session_reconnect", {"session": {"reconnect_url": "wss://new.example"}})
    assert session.receive(move, 1.0) == [MoveTo("wss://new.example")]
    assert EventSub(0.0, moved=True).receive(WELCOME, 0.0) == []
    bad = message("session_reconnect", {"session": {"reconnect_url": "file:///etc"}})
    assert isinstance(session.receive(bad, 1.0)[0], Lost)


def test_a_revocation_is_final() -> None:
    revoked = message("revocation", {"subscription": {"status": "authorization_revoked"}})
    assert EventSub(0.0).receive(revoked, 1.0) == [Lost("revoked: authorization_revoked", True)]


def test_chat_messages() -> None:
    found = one("channel.chat.message", CHAT)
    assert (found.id, found.text, found.author) == ("m1", "hi @bo", "Ana")
    assert found.roles == {Role.MODERATOR}
    paid = one("channel.chat.message", {**CHAT, "cheer": {"bits": 50}, "message": {"text": "go"}})
    assert (paid.kind, paid.amount, paid.text) == (Kind.PAID, 50.0, "go")


@pytest.mark.parametrize(
    ("event", "body", "kind", "target"),
    [
        ("channel.chat.message_delete", {"message_id": "m1"}, Kind.DELETE, "m1"),
        ("channel.chat.clear_user_messages", {"target_user_id": "42"}, Kind.BAN, "42"),
        ("channel.chat.clear", {}, Kind.CLEAR, ""),
        ("channel.follow", {"user_id": "9", "user_name": "Bo"}, Kind.FOLLOW, ""),
        ("channel.subscribe", {"user_id": "9", "user_name": "Bo"}, Kind.SUBSCRIBE, ""),
        (
            "channel.raid",
            {"from_broadcaster_user_id": "9", "from_broadcaster_user_name": "Bo", "viewers": 7},
            Kind.RAID,
            "",
        ),
    ],
)
def test_other_events(event: str, body: dict[str, Any], kind: Kind, target: str) -> None:
    found = one(event, body)
    assert (found.kind, found.target) == (kind, target)


def test_unknown_foreign_and_malformed_messages_are_nothing() -> None:
    session = EventSub(0.0)
    session.receive(WELCOME, 0.0)
    foreign = {**CHAT, "source_broadcaster_user_id": "99"}
    for text in [
        notification("channel.chat.message", foreign),
        notification("channel.unknown", {}),
        notification("channel.chat.message", {"message_id": "m"}),
        message("unknown", {}),
        "{}",
        "[1]",
        "nonsense",
        '{"metadata": 1, "payload": 2}',
    ]:
        assert session.receive(text, 1.0) == []


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    assert EventSub(0.0).receive(text, 1.0) == []


def test_each_subscription_names_its_condition() -> None:
    def condition(kind: str) -> dict[str, str]:
        body = json.loads(subscription(kind, "1", broadcaster="1", user="2", session="s"))
        assert body["transport"] == {"method": "websocket", "session_id": "s"}
        found: dict[str, str] = body["condition"]
        return found

    assert condition("channel.chat.message") == {"broadcaster_user_id": "1", "user_id": "2"}
    assert condition("channel.follow") == {"broadcaster_user_id": "1", "moderator_user_id": "2"}
    assert condition("channel.raid") == {"to_broadcaster_user_id": "1"}


class FakeEventSub:
    """The websocket and the subscription endpoint on one loopback port."""

    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.subscribed: list[str] = []
        self.order: list[str] = []
        self.port = 0
        self.all_subscribed = asyncio.Event()

    async def __aenter__(self) -> FakeEventSub:
        app = web.Application()
        app.router.add_get("/ws", self.first)
        app.router.add_get("/moved", self.second)
        app.router.add_post("/subscriptions", self.subscribe)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = self.runner.addresses[0][1]
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.runner.cleanup()

    async def subscribe(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer token"
        assert request.headers["Client-Id"] == "client"
        body = await request.json()
        self.subscribed.append(body["type"])
        if len(self.subscribed) == 7 or self.status != 202:
            self.all_subscribed.set()
        good = body["type"] == "channel.chat.message"
        return web.json_response({}, status=self.status if good else 403)

    async def first(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(WELCOME)
        await self.all_subscribed.wait()
        await socket.send_str(notification("channel.chat.message", CHAT))
        url = f"ws://127.0.0.1:{self.port}/moved"
        await socket.send_str(message("session_reconnect", {"session": {"reconnect_url": url}}))
        async for _ in socket:
            pass
        self.order.append("old closed")
        return socket

    async def second(self, request: web.Request) -> web.WebSocketResponse:
        self.order.append("new opened")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(WELCOME)
        await socket.send_str(notification("channel.chat.message", {**CHAT, "message_id": "m2"}))
        await asyncio.sleep(0.05)
        await socket.close()
        return socket


def source(fake: FakeEventSub) -> EventSubSource:
    return EventSubSource(
        broadcaster="1",
        user="2",
        client_id="client",
        token="token",
        url=f"ws://127.0.0.1:{fake.port}/ws",
        api=f"http://127.0.0.1:{fake.port}/subscriptions",
    )


async def test_it_subscribes_reads_and_moves_before_it_closes() -> None:
    async with FakeEventSub() as fake:
        events: list[ChatEvent] = []
        with pytest.raises(SourceLost):
            await source(fake).read(events.append, lambda: None)
        await asyncio.sleep(0.02)
        assert [event.id for event in events] == ["m1", "m2"]
        assert fake.order == ["new opened", "old closed"]
        assert len(fake.subscribed) == 7


@pytest.mark.parametrize(("status", "error"), [(401, SourceRefused), (500, SourceLost)])
async def test_a_wrong_token_is_refused(status: int, error: type[Exception]) -> None:
    async with FakeEventSub(status) as fake:
        with pytest.raises(error):
            await source(fake).read(lambda event: None, lambda: None)
