from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.live.chat.envelope import Kind, Role
from voice_server.live.chat.wire import (
    WireError,
    check_signature,
    parse_batch,
    sign,
    viewer_event,
)


def batch(*events: Mapping[str, object]) -> bytes:
    return json.dumps({"events": events}).encode()


def test_a_batch_becomes_events() -> None:
    body = batch(
        {
            "id": "1",
            "kind": "gift",
            "author": "A\nna",
            "author_id": "u",
            "text": "ros\u202ee",
            "language": "FR-be",
            "roles": ["vip"],
            "amount": 3,
            "currency": "coins",
            "unknown": 1,
        },
        {"id": "2", "text": "hi"},
    )
    first, second = parse_batch(body, platform="tiktok", channel="demo", now=4.0)
    assert (first.kind, first.author, first.text, first.language) == (
        Kind.GIFT,
        "A na",
        "rose",
        "fr",
    )
    assert (first.amount, first.roles, first.platform) == (3.0, frozenset({Role.VIP}), "tiktok")
    assert (second.kind, second.at, second.channel) == (Kind.MESSAGE, 4.0, "demo")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        batch({"text": "no id"}),
        batch({"id": "1", "kind": "hack"}),
        batch({"id": "1", "amount": -1}),
        batch(*({"id": str(i)} for i in range(101))),
        b'{"events": [' + b" " * 300_000 + b"]}",
        batch({"id": "1", "text": "x" * 30_000}),
    ],
)
def test_wrong_batches_are_refused_in_words(body: bytes) -> None:
    with pytest.raises(WireError) as caught:
        parse_batch(body, platform="x", channel="c", now=0)
    assert str(caught.value)


def test_signatures() -> None:
    body = b'{"events": []}'
    good = sign("secret", "1000", body)
    check_signature("secret", "1000", good, body, unix_now=1100.0)
    for secret, stamp, signature, said, now in [
        ("other", "1000", good, body, 1100.0),
        ("secret", "1001", good, body, 1100.0),
        ("secret", "1000", good, b"{}", 1100.0),
        ("secret", "1000", good, body, 2000.0),
        ("secret", "", good, body, 1100.0),
        ("secret", "1e3", good, body, 1100.0),
        ("secret", "1000", "", body, 1100.0),
        ("secret", "1000", "é\udc80", body, 1100.0),
    ]:
        with pytest.raises(WireError):
            check_signature(secret, stamp, signature, said, unix_now=now)


@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_words(body: bytes) -> None:
    try:
        events = parse_batch(body, platform="x", channel="c", now=0)
    except WireError:
        return
    assert isinstance(events, list)


def test_viewers_of_our_own_page() -> None:
    event = viewer_event(
        "How much?\0", ident="w1", viewer="v", author="Bo", language="en", channel="demo", now=1.0
    )
    assert (event.platform, event.text, event.language) == ("watch", "How much?", "en")
