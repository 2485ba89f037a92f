"""YouTube's streamed chat: the core by itself, and the source against a gRPC server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.youtube import FakeYouTube, Step, fake_youtube, frame, message
from voice_server.live.chat import youtube_source
from voice_server.live.chat.envelope import ChatEvent, Kind, Role
from voice_server.live.chat.protos import youtube_chat_pb2 as pb
from voice_server.live.chat.source import SourceLost, SourceRefused, keep_reading
from voice_server.live.chat.youtube import REPLAY_S, PageError, Quota, YouTubeStream
from voice_server.live.chat.youtube_events import KINDS, kind_name
from voice_server.live.chat.youtube_source import YouTubeSource

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOON + seconds, UTC).isoformat().replace("+00:00", "Z")


# -- the core ---------------------------------------------------------------------------------


def test_the_generated_code_is_that_of_the_proto() -> None:
    subprocess.run(
        [ROOT / "scripts/dev/make_protos", "--check"],
        check=True,
        env={**os.environ, "PYTHON": sys.executable},
    )


def test_every_streamed_type_has_the_name_that_the_pages_use() -> None:
    names = {
        kind_name(v.number) for v in pb.LiveChatMessageSnippet.TypeWrapper.Type.DESCRIPTOR.values
    }
    assert set(KINDS) <= names
    assert kind_name(9999) == ""


def test_a_request_asks_for_the_chat_and_goes_on_at_the_token() -> None:
    stream = YouTubeStream("chat")
    first = pb.LiveChatMessageListRequest.FromString(stream.connected(0.0, unix_now=NOON))
    assert (first.live_chat_id, first.page_token) == ("chat", "")
    assert list(first.part) == ["id", "snippet", "authorDetails"]
    stream.receive(frame(token="t7"), 1.0)
    again = pb.LiveChatMessageListRequest.FromString(stream.connected(2.0, unix_now=NOON))
    assert again.page_token == "t7"
    stream.forget()
    assert not pb.LiveChatMessageListRequest.FromString(
        stream.connected(3.0, unix_now=NOON)
    ).page_token


def test_replayed_history_is_marked_over_all_its_frames() -> None:
    stream = YouTubeStream("chat")
    stream.connected(0.0, unix_now=NOON)
    [first] = stream.receive(frame(message("1", "a", published=at(+5))), 0.1)
    assert first.history  # the whole first frame, whatever its clock says
    old, new, unsaid = stream.receive(
        frame(
            message("2", "b", published=at(-3)),
            message("3", "c", published=at(1)),
            message("4", "d", published="soon"),
        ),
        0.2,
    )
    assert (old.history, new.history, unsaid.history) == (True, False, False)


def test_after_an_interruption_what_was_missed_is_answered_unless_it_is_stale() -> None:
    stream = YouTubeStream("chat")
    stream.connected(0.0, unix_now=NOON)
    stream.receive(frame(), 0.1)
    stream.connected(100.0, unix_now=NOON + 100)
    stale, missed = stream.receive(
        frame(message("1", "a", published=at(10)), message("2", "b", published=at(70))), 100.1
    )
    assert (stale.history, missed.history) == (True, False)


def test_a_wrong_clock_of_ours_spoils_no_more_than_the_first_seconds() -> None:
    stream = YouTubeStream("chat")
    stream.connected(0.0, unix_now=NOON + 7 * 86400)
    stream.receive(frame(), 0.1)
    [early] = stream.receive(frame(message("1", "a", published=at(1))), 1.0)
    [later] = stream.receive(frame(message("2", "b", published=at(30))), REPLAY_S + 1)
    assert (early.history, later.history) == (True, False)


def test_kinds_amounts_roles_and_targets() -> None:
    stream = YouTubeStream("chat")
    stream.connected(0.0, unix_now=NOON)
    events = stream.receive(
        frame(
            message("1", "how much ?", moderator=True),
            message(
                "2", "", "SUPER_CHAT_EVENT",
                super_chat_details={
                    "amount_micros": 5_000_000, "currency": "EUR", "user_comment": "Size?"
                },
            ),
            message(
                "3", "a cat", "SUPER_STICKER_EVENT",
                super_sticker_details={"amount_micros": 1_990_000, "currency": "USD"},
            ),
            message("4", "", "NEW_SPONSOR_EVENT"),
            message(
                "5", "", "MEMBERSHIP_GIFTING_EVENT",
                membership_gifting_details={"gift_memberships_count": 5},
            ),
            message(
                "6", "", "MESSAGE_DELETED_EVENT",
                message_deleted_details={"deleted_message_id": "x"},
            ),
            message(
                "7", "", "MESSAGE_RETRACTED_EVENT",
                message_retracted_details={"retracted_message_id": "y"},
            ),
            message(
                "8", "", "USER_BANNED_EVENT",
                user_banned_details={"banned_user_details": {"channel_id": "bad"}},
            ),
            message("9", "", "MESSAGE_DELETED_EVENT"),
            message("10", "", "TOMBSTONE"),
            message("", "no id"),
        ),
        0.0,
    )  # fmt: skip
    assert [(e.id, e.kind, e.amount, e.currency, e.target) for e in events] == [
        ("1", Kind.MESSAGE, 0.0, "", ""),
        ("2", Kind.PAID, 5.0, "EUR", ""),
        ("3", Kind.PAID, 1.99, "USD", ""),
        ("4", Kind.SUBSCRIBE, 0.0, "", ""),
        ("5", Kind.GIFT, 5.0, "", ""),
        ("6", Kind.DELETE, 0.0, "", "x"),
        ("7", Kind.DELETE, 0.0, "", "y"),
        ("8", Kind.BAN, 0.0, "", "bad"),
    ]
    assert events[0].roles == frozenset({Role.MODERATOR})
    assert (events[0].text, events[1].text) == ("how much ?", "Size?")


@pytest.mark.parametrize(
    "last", [frame(message("e", "", "CHAT_ENDED_EVENT")), frame(offline="2026-11-25T12:00:00Z")]
)
def test_the_chat_is_over(last: bytes) -> None:
    stream = YouTubeStream("chat")
    stream.receive(last, 0.0)
    assert stream.ended


def test_a_text_that_is_no_utf8_costs_only_its_message() -> None:
    bad = message("1", "AAAA").SerializeToString().replace(b"AAAA", b"\xff\xfe\xff\xfe")
    page = b"".join(
        b"\xfa\x3e" + bytes([len(body)]) + body for body in (bad, message("2").SerializeToString())
    )
    stream = YouTubeStream("chat")
    assert [event.id for event in stream.receive(page, 0.0)] == ["2"]


@given(st.binary(max_size=200))
def test_whatever_the_bytes_it_is_events_or_a_page_error(noise: bytes) -> None:
    stream = YouTubeStream("chat")
    try:
        events = stream.receive(frame(message("1", "hello ?"))[: len(noise)] + noise, 0.0)
    except PageError:
        return
    assert all(isinstance(event, ChatEvent) for event in events)


def test_the_quota_lasts_for_the_show_whoever_ends_the_calls() -> None:
    quota, now = Quota(hours=4.0), 0.0
    while now < 4 * 3600:
        quota.spend(now)
        now += max(1.0, quota.interval(now))  # each call is ended after a second
    assert quota.units >= 0


# -- the wire ---------------------------------------------------------------------------------


def source(fake: FakeYouTube, **more: object) -> YouTubeSource:
    return YouTubeSource("chat", key="secret", channel=fake.channel, **more)  # type: ignore[arg-type]


async def read(
    *scripts: list[Step], known: bool = True
) -> tuple[list[ChatEvent], FakeYouTube, SourceLost | SourceRefused, int]:
    """Read one connection to its end."""
    events: list[ChatEvent] = []
    opened: list[int] = []
    async with fake_youtube(*scripts, known=known) as fake:
        try:
            async with asyncio.timeout(10):
                await source(fake).read(events.append, lambda: opened.append(1))
        except (SourceLost, SourceRefused) as ended:
            return events, fake, ended, len(opened)
    raise AssertionError("it ended without a reason")


async def test_messages_arrive_and_the_end_is_the_end() -> None:
    events, fake, ended, opened = await read(
        [
            frame(message("1", "old")),
            frame(message("2", "new ?"), message("3", "", "CHAT_ENDED_EVENT")),
        ]
    )
    assert [(event.id, event.history) for event in events] == [("1", True), ("2", False)]
    assert isinstance(ended, SourceRefused)
    assert opened == 1
    assert fake.requests[0].live_chat_id == "chat"
    assert fake.metadata[0]["x-goog-api-key"] == "secret"


@pytest.mark.parametrize(
    ("status", "error", "wait"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, SourceRefused, None),
        (grpc.StatusCode.PERMISSION_DENIED, SourceRefused, None),
        (grpc.StatusCode.NOT_FOUND, SourceRefused, None),
        (grpc.StatusCode.FAILED_PRECONDITION, SourceRefused, None),
        (grpc.StatusCode.INVALID_ARGUMENT, SourceRefused, None),
        ((grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for the day"), SourceLost, 600.0),
        ((grpc.StatusCode.RESOURCE_EXHAUSTED, "too fast"), SourceLost, 30.0),
        (grpc.StatusCode.UNAVAILABLE, SourceLost, None),
        (grpc.StatusCode.INTERNAL, SourceLost, None),
    ],
)
async def test_statuses(status: Step, error: type[Exception], wait: float | None) -> None:
    _, _, ended, _ = await read([status])
    assert isinstance(ended, error)
    assert "secret" not in str(ended)
    if isinstance(ended, SourceLost):
        assert ended.wait_s == wait


async def test_a_lost_call_goes_on_at_its_token_and_nothing_is_answered_twice() -> None:
    events: list[ChatEvent] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0.01)

    async with fake_youtube(
        [frame(message("1", "old"), token="a"), frame(message("2", "now ?"), token="b")],
        [grpc.StatusCode.UNAVAILABLE],
        [frame(message("2", "now ?"), message("3", "more ?"), token="c"), 30.0],
    ) as fake:
        reading = asyncio.ensure_future(keep_reading(source(fake), events.append, sleep=sleep))
        async with asyncio.timeout(10):
            while len(events) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert [request.page_token for request in fake.requests] == ["", "b", "b"]
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        async with asyncio.timeout(5):
            while fake.open_calls:  # noqa: ASYNC110 - cancelling ends the call on the server too
                await asyncio.sleep(0.01)
    assert [(event.id, event.history) for event in events] == [
        ("1", True), ("2", False), ("2", False), ("3", False),
    ]  # fmt: skip
    assert 5 < waits[0] <= 30  # the server ended the call: as soon as the quota allows
    assert 0.5 <= waits[1] <= 2  # it was not there: back-off


async def test_a_token_that_is_refused_is_forgotten() -> None:
    events: list[ChatEvent] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0.01)

    async with fake_youtube(
        [frame(token="old")],
        [grpc.StatusCode.INVALID_ARGUMENT],
        [
            frame(message("1", "hello")),
            message("x", "", "CHAT_ENDED_EVENT") and frame(offline="now"),
        ],
    ) as fake:
        async with asyncio.timeout(10):
            await keep_reading(source(fake), events.append, sleep=sleep)
        assert [request.page_token for request in fake.requests] == ["", "old", ""]
    assert events[0].history


async def test_malformed_frames_cost_themselves_and_many_of_them_the_call() -> None:
    events, _, ended, _ = await read(
        [b"\xff\xff\xff", frame(message("1")), b"\x0b", b"\x0b", frame(offline="now")]
    )
    assert [event.id for event in events] == ["1"]
    assert isinstance(ended, SourceRefused)
    _, _, ended, _ = await read([b"\x0b"] * 5)
    assert isinstance(ended, SourceLost)


async def test_nobody_there_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(youtube_source, "CONNECT_S", 0.2)
    with pytest.raises(SourceLost, match="no answer"):
        await source(FakeYouTube(port=9)).read(lambda event: None, lambda: None)


async def test_a_call_that_is_silent_for_too_long_is_begun_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(youtube_source, "SILENCE_S", 0.2)
    monkeypatch.setattr(youtube_source, "SETTLE_S", 0.1)
    _, _, ended, opened = await read([30.0])
    assert isinstance(ended, SourceLost)
    assert opened == 1  # a quiet chat is an open one


async def test_without_the_stream_it_polls_and_tries_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(youtube_source, "POLL_S", 0.5)
    polled: list[str] = []
    events: list[ChatEvent] = []

    async def page(request: web.Request) -> web.Response:
        polled.append(request.query.get("pageToken", ""))
        item = {
            "id": f"p{len(polled)}",
            "snippet": {"type": "textMessageEvent", "displayMessage": "size ?"},
        }
        return web.Response(body=json.dumps({"nextPageToken": "n", "items": [item]}).encode())

    app = web.Application()
    app.router.add_get("/messages", page)
    server = TestServer(app)
    await server.start_server()
    waits: list[float] = []

    async def soon(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0.05)

    async with fake_youtube(known=False) as fake:
        reading = asyncio.ensure_future(
            keep_reading(
                source(fake, api=str(server.make_url("/messages")), sleep=soon),
                events.append,
                sleep=soon,
            )
        )
        async with asyncio.timeout(10):
            while waits.count(0.0) < 2:  # noqa: ASYNC110 - polled, streamed in vain, polling again
                await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await server.close()
    assert len(polled) >= 3
    assert polled[:2] == ["", "n"]
    assert [event.history for event in events[:2]] == [True, False]


async def test_three_failures_in_a_row_are_polled_around() -> None:
    async with fake_youtube(*[[grpc.StatusCode.UNAVAILABLE]] * 3) as fake:
        reader = source(fake)
        for last in ("^UNAVAILABLE$", "^UNAVAILABLE$", "polling instead"):
            with pytest.raises(SourceLost, match=last):
                await reader.read(lambda event: None, lambda: None)
