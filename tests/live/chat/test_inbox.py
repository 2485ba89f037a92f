from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_server.live.chat.envelope import ChatEvent, Kind
from voice_server.live.chat.inbox import MOST_VALUED, Inbox


def event(ident: str, kind: Kind = Kind.MESSAGE, **more: str) -> ChatEvent:
    return ChatEvent("twitch", ident, kind, 0.0, **{"channel": "c", **more})  # type: ignore[arg-type]


def test_the_same_event_counts_once() -> None:
    inbox = Inbox()
    assert inbox.offer(event("1"))
    assert not inbox.offer(event("1"))
    assert inbox.offer(ChatEvent("youtube", "1", Kind.MESSAGE, 0.0))
    assert (len(inbox), inbox.received, inbox.repeated) == (2, 3, 1)


def test_what_is_taken_back_is_forgotten_before_it_is_read() -> None:
    inbox = Inbox()
    inbox.offer(event("1", author_id="a"))
    inbox.offer(event("2", author_id="b"))
    inbox.offer(event("3", author_id="b"))
    inbox.offer(event("4", author_id="c"))
    inbox.offer(event("d", Kind.DELETE, target="1"))
    inbox.offer(event("e", Kind.BAN, target="b"))
    assert [e.id for e in inbox.take()] == ["d", "e", "4"]
    inbox.offer(event("5"))
    inbox.offer(event("6", channel="other"))
    inbox.offer(event("f", Kind.CLEAR))
    assert [e.id for e in inbox.take()] == ["f", "6"]
    inbox.offer(event("7"))
    inbox.offer(event("g", Kind.CLEAR, channel=""))
    assert [e.id for e in inbox.take()] == ["g"]


def test_another_platform_cannot_delete() -> None:
    inbox = Inbox()
    inbox.offer(event("1"))
    inbox.offer(ChatEvent("evil", "x", Kind.CLEAR, 0.0))
    assert len(inbox) == 2


@given(st.lists(st.sampled_from([Kind.MESSAGE, Kind.PAID, Kind.DELETE]), max_size=200))
def test_it_is_bounded_and_keeps_what_matters(kinds: list[Kind]) -> None:
    inbox = Inbox(waiting=10, remembered=50)
    for at, kind in enumerate(kinds):
        inbox.offer(event(str(at), kind, target="none"))
    plain = kinds.count(Kind.MESSAGE)
    assert len(inbox) == min(plain, 10) + len(kinds) - plain
    assert inbox.dropped == max(plain - 10, 0)
    assert len(inbox._seen) <= 50


def test_five_hundred_a_second_for_a_minute_stay_bounded() -> None:
    inbox = Inbox()
    for at in range(30_000):
        inbox.offer(event(str(at), Kind.PAID if at % 10 == 0 else Kind.MESSAGE))
    assert len(inbox) <= 400 + MOST_VALUED
    assert len(inbox._seen) <= 20_000
    assert len(inbox.take(7)) == 7
