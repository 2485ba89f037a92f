from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from voice_server.live.chat.envelope import ChatEvent, Kind, Role
from voice_server.live.chat.source import SourceLost, SourceRefused
from voice_server.live.chat.youtube import PageError, Quota, YouTubePages
from voice_server.live.chat.youtube_poller import YouTubePoller


def item(ident: str, kind: str = "textMessageEvent", **snippet: Any) -> dict[str, Any]:
    return {
        "id": ident,
        "snippet": {"type": kind, "liveChatId": "chat", **snippet},
        "authorDetails": {"channelId": "u1", "displayName": "Ana", "isChatModerator": True},
    }


def page(*items: Any, **more: Any) -> bytes:
    body = {"nextPageToken": "t1", "pollingIntervalMillis": 2000, "items": items, **more}
    return json.dumps(body).encode()


def test_the_first_page_is_history_and_never_answered() -> None:
    pages = YouTubePages()
    events, _ = pages.receive(page(item("1", displayMessage="old")), 0.0)
    assert events[0].history
    events, _ = pages.receive(page(item("2", displayMessage="new ?")), 2.0)
    assert not events[0].history
    assert (events[0].text, events[0].author, events[0].roles) == (
        "new ?",
        "Ana",
        frozenset({Role.MODERATOR}),
    )
    assert pages.token == "t1"
    pages.reconnected()  # with a token nothing is repeated
    assert not pages.receive(page(item("3")), 3.0)[0][0].history


def test_kinds_and_targets() -> None:
    pages = YouTubePages()
    events, _ = pages.receive(
        page(
            item(
                "1",
                "superChatEvent",
                superChatDetails={"amountMicros": "5000000", "currency": "EUR", "userComment": "!"},
            ),
            item("2", "messageDeletedEvent", messageDeletedDetails={"deletedMessageId": "x"}),
            item("3", "messageRetractedEvent", messageRetractedDetails={"retractedMessageId": "y"}),
            item(
                "4",
                "userBannedEvent",
                userBannedDetails={"bannedUserDetails": {"channelId": "bad"}},
            ),
            item("5", "newSponsorEvent"),
            item("6", "pollEvent"),
            item("7", "userBannedEvent", userBannedDetails={}),
            {"id": "8"},
            None,
        ),
        0.0,
    )
    assert [(e.kind, e.target) for e in events] == [
        (Kind.PAID, ""),
        (Kind.DELETE, "x"),
        (Kind.DELETE, "y"),
        (Kind.BAN, "bad"),
        (Kind.SUBSCRIBE, ""),
    ]
    assert (events[0].amount, events[0].currency, events[0].text) == (5.0, "EUR", "!")


def test_the_quota_lasts_for_the_whole_show() -> None:
    pages = YouTubePages(Quota(hours=4.0))
    now = calls = 0.0
    while now < 4 * 3600:
        _, wait = pages.receive(page(pollingIntervalMillis=1000), now)
        now += wait
        calls += 1
    assert pages.quota.units >= 0
    assert calls > 1800  # and it is used


def test_what_the_api_asks_for_is_the_least() -> None:
    _, wait = YouTubePages(Quota(hours=0.1)).receive(page(pollingIntervalMillis=9000), 0.0)
    assert wait == 9.0
    poor = YouTubePages(Quota(hours=8, units=10))
    assert poor.receive(page(), 0.0)[1] == 30.0


def test_the_end() -> None:
    for last in [page(offlineAt="2026-01-01T00:00:00Z"), page(item("e", "chatEndedEvent"))]:
        pages = YouTubePages()
        pages.receive(last, 0.0)
        assert pages.ended


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b'{"items": 3}'])
def test_no_page(body: bytes) -> None:
    with pytest.raises(PageError):
        YouTubePages().receive(body, 0.0)


async def serve(*answers: web.Response) -> tuple[TestServer, list[web.Request]]:
    requests: list[web.Request] = []
    waiting = list(answers)

    async def handle(request: web.Request) -> web.Response:
        requests.append(request)
        return waiting.pop(0)

    app = web.Application()
    app.router.add_get("/messages", handle)
    server = TestServer(app)
    await server.start_server()
    return server, requests


async def read(*answers: web.Response) -> tuple[list[ChatEvent], list[web.Request], Exception]:
    server, requests = await serve(*answers)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    events: list[ChatEvent] = []
    source = YouTubePoller("chat", key="secret", api=str(server.make_url("/messages")), sleep=sleep)
    try:
        await source.read(events.append, lambda: None)
    except (SourceLost, SourceRefused) as error:
        return events, requests, error
    finally:
        await server.close()
    raise AssertionError("it ended without a reason")


async def test_pages_are_read_to_the_end_of_the_chat() -> None:
    events, requests, error = await read(
        web.Response(body=page(item("1"))), web.Response(body=page(item("2"), offlineAt="now"))
    )
    assert [event.id for event in events] == ["1", "2"]
    assert isinstance(error, SourceRefused)
    assert "pageToken" not in requests[0].query
    assert requests[1].query["pageToken"] == "t1"
    assert requests[0].headers["X-Goog-Api-Key"] == "secret"
    assert "secret" not in str(requests[0].url)


@pytest.mark.parametrize(
    ("status", "reason", "error", "wait"),
    [
        (403, "quotaExceeded", SourceLost, 600.0),
        (403, "liveChatEnded", SourceRefused, None),
        (403, "forbidden", SourceRefused, None),
        (503, "backendError", SourceLost, None),
    ],
)
async def test_errors(status: int, reason: str, error: type[Exception], wait: float | None) -> None:
    body = json.dumps({"error": {"errors": [{"reason": reason}]}})
    _, _, raised = await read(web.Response(status=status, text=body))
    assert isinstance(raised, error)
    if isinstance(raised, SourceLost):
        assert raised.wait_s == wait


async def test_a_page_that_is_none_is_lost() -> None:
    _, _, raised = await read(web.Response(text="<html>"))
    assert isinstance(raised, SourceLost)
