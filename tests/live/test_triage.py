from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.crowd import TableUnderstanding, says
from voice_server.live.chat.envelope import Kind, Role
from voice_server.live.outcomes import Closed, Dropped, Joined, Outcome, Social
from voice_server.live.questions import Cluster, Status
from voice_server.live.triage import COOLDOWN_S, LOOKS, MOST_OPEN, WINDOW_S, Triage


def triage() -> Triage:
    return Triage(TableUnderstanding())


def ask(
    t: Triage, *texts: str, now: float = 0.0, author: str = "Ana", on_screen: str = "oslo"
) -> Cluster:
    """Ask each text; return the cluster of the last."""
    [*_, last] = t.receive([says(text, author) for text in texts], now, on_screen=on_screen)
    assert isinstance(last, Joined), last
    return last.cluster


def reasons(outcomes: list[Outcome]) -> list[str]:
    return [o.reason if isinstance(o, Dropped) else type(o).__name__ for o in outcomes]


def test_like_questions_are_one_cluster() -> None:
    t = triage()
    first = ask(t, "what is the price ?", author="Ana")
    assert ask(t, "what is the price ?", author="Bo", now=1) is first
    assert ask(t, "how much does it cost", author="Cy", now=2) is first
    assert ask(t, "is it in stock ?", author="Di", now=3) is not first
    assert (first.askers, first.names) == (3, ("Ana", "Bo", "Cy"))
    assert first.understood.product_id == "oslo"


def test_another_product_or_colour_is_another_question() -> None:
    t = triage()
    first = ask(t, "price of oslo ?")
    other = ask(t, "price of nemo ?", author="Bo")
    assert other is not first
    green = ask(t, "in stock in green ?", author="Cy")
    assert ask(t, "in stock in blue ?", author="Di") is not green


def test_more_askers_age_money_and_the_product_on_screen_count() -> None:
    t = triage()
    stock = ask(t, "nemo in stock ?", author="Ana")
    price = ask(t, "price of oslo ?", author="Bo", now=1)
    assert t.best(2, "oslo") is price
    assert t.best(2, "nemo") is stock
    ask(t, "nemo in stock ?", author="Cy", now=2)
    ask(t, "nemo in stock ?", author="Di", now=2)
    assert t.best(3, "oslo") is stock
    assert t.score(price, 60, "oslo") > t.score(price, 10, "oslo")
    t.receive([says("price of oslo !?", "Ed", kind=Kind.PAID, amount=5)], 4, on_screen="oslo")
    t.receive([says("price of oslo ??", "Fi", roles=frozenset({Role.VIP}))], 4, on_screen="oslo")
    assert t.best(5, "oslo") is price


def test_what_the_facts_do_not_say_goes_to_the_host() -> None:
    t = triage()
    unknown = ask(t, "is it waterproof ?")
    assert (unknown.status, unknown.reason) == (Status.HOST, "unknown")
    private = ask(t, "where is my order ?", author="Bo")
    assert private.reason == "private"
    angry = ask(t, "is this a scam ?", author="Cy")
    assert angry.reason == "complaint"
    assert t.best(1, "oslo") is None
    t.approve(unknown.id)
    assert t.best(1, "oslo") is unknown


def test_chatter_greetings_gifts_and_history() -> None:
    t = triage()
    out = t.receive(
        [
            says("hello all"),
            says("love this", "Bo"),
            says("thanks a lot !", "Cy"),
            says("old ?", "Di", history=True),
            says("rose", "Ed", kind=Kind.GIFT, amount=3),
            says("old rose", "Fi", kind=Kind.GIFT, history=True),
            says("", "Gu", kind=Kind.FOLLOW),
        ],
        0,
        on_screen="oslo",
    )
    assert [o for o in out if isinstance(o, Social)] == [
        Social(Kind.GIFT, "Ed", "", 3, ""),
        Social(Kind.FOLLOW, "Gu", ""),
        Social(Kind.JOIN, "Ana", "en"),
    ]
    assert sorted(o.reason for o in out if isinstance(o, Dropped)) == [
        "chatter",
        "chatter",
        "history",
    ]


def test_a_paid_insult_is_not_thanked() -> None:
    out = triage().receive([says("shit", kind=Kind.PAID, amount=1)], 0, on_screen="")
    assert reasons(out) == ["abuse"]


def test_a_greeting_understood_late_is_greeted() -> None:
    understanding = TableUnderstanding()
    understanding.table = {"evening": "greeting"}
    [out] = Triage(understanding).receive([says("good evening")], 0, on_screen="")
    assert out == Social(Kind.JOIN, "Ana", "en")


def test_an_answered_fact_rests() -> None:
    t = triage()
    price = ask(t, "price ?")
    assert t.take(price.id) is price
    assert t.take(price.id) is None
    assert t.best(0, "oslo") is None
    t.answered(price.id, 10)
    assert price.status is Status.ANSWERED
    later = [says("what does it cost ?", "Bo")]
    assert reasons(t.receive(later, 20, on_screen="oslo")) == ["answered"]
    t.tick(10 + COOLDOWN_S)
    assert ask(t, "what would it cost ?", author="Cy", now=11 + COOLDOWN_S).status is Status.WAITING


def test_questions_expire_unless_pinned_or_approved() -> None:
    t = triage()
    price = ask(t, "price of oslo ?")
    stock = ask(t, "nemo in stock ?", author="Bo")
    order = ask(t, "my order ?", author="Cy")
    t.pin(stock.id)
    t.approve(order.id)
    closed = t.tick(WINDOW_S + 1)
    assert closed == [Closed(price)]
    assert price.status is Status.EXPIRED
    t.pin(stock.id, False)
    assert t.tick(WINDOW_S + 1) == [Closed(stock)]
    assert t.get(price.id) is price
    assert t.get("nope") is None


def test_the_host_skips_and_the_director_gives_back() -> None:
    t = triage()
    price = ask(t, "price ?")
    t.take(price.id)
    t.skip(price.id)  # it is being answered: too late
    assert price.status.value == "taken"
    t.release(price.id)
    assert t.best(0, "oslo") is price
    t.release(price.id)
    t.for_host(price.id, "failed")
    assert (price.status, price.reason) == (Status.HOST, "failed")
    t.skip(price.id)
    assert price.status.value == "skipped"
    for gone in (t.skip, t.approve, t.pin, t.release):
        gone(price.id)
    t.for_host(price.id, "late")
    t.answered(price.id, 0)
    assert t.take(price.id) is None
    assert t.get(price.id) is price


def test_what_is_taken_back_leaves_its_cluster() -> None:
    t = triage()
    [first] = t.receive([says("price ?", "Ana", ident="m1")], 0, on_screen="oslo")
    assert isinstance(first, Joined)
    t.receive([says("cost ?", "Bo", ident="m2")], 1, on_screen="oslo")
    assert first.cluster.askers == 2
    t.receive([says("cost ?!", "Cy", ident="m3")], 1, on_screen="oslo")
    t.receive([says("", kind=Kind.DELETE, ident="d0", target="m3")], 1, on_screen="oslo")
    assert (first.cluster.askers, first.cluster.text) == (2, "price ?")
    t.receive([says("", kind=Kind.DELETE, ident="d1", target="m1")], 2, on_screen="oslo")
    assert (first.cluster.askers, first.cluster.text) == (1, "cost ?")
    out = t.receive([says("", kind=Kind.BAN, ident="d2", target="bo")], 3, on_screen="oslo")
    assert out == [Closed(first.cluster)]
    assert first.cluster.status is Status.WITHDRAWN
    assert reasons(t.receive([says("price ?", "Bo")], 4, on_screen="oslo")) == ["blocked"]


def test_a_removal_in_the_same_batch() -> None:
    t = triage()
    batch = [says("price ?", ident="m1"), says("", kind=Kind.DELETE, ident="d", target="m1")]
    assert t.receive(batch, 0, on_screen="oslo") == []
    keep = ask(t, "price ?", "stock ?")
    t.receive([says("", kind=Kind.DELETE, ident="d2", target="other")], 0, on_screen="oslo")
    assert keep.status is Status.WAITING


def test_only_some_statements_are_looked_up() -> None:
    understanding = TableUnderstanding()
    t = Triage(understanding)
    t.receive([says(f"nice {i} lamp", f"v{i}") for i in range(40)], 0, on_screen="oslo")
    assert understanding.looked == LOOKS


def test_open_questions_are_bounded_and_the_poorest_go() -> None:
    understanding = TableUnderstanding()
    understanding.vectors = lambda texts: np.eye(len(texts), 200, dtype=np.float32)  # type: ignore[method-assign]
    t = Triage(understanding, new_id=iter(map(str, range(9999))).__next__)
    batch = [says(f"is part {i} waterproof ?", f"v{i}") for i in range(MOST_OPEN + 40)]
    out = t.receive(batch, 0, on_screen="oslo")
    assert len(t.ranked(0, "oslo")) == MOST_OPEN
    assert len([o for o in out if isinstance(o, Closed)]) == 40


def test_closed_questions_are_bounded() -> None:
    t = triage()
    for at in range(600):
        cluster = ask(t, "price of oslo ?", author=f"w{at}", now=at * 200.0)
        t.answered(cluster.id, at * 200.0)
        t.tick(at * 200.0 + 160)
    assert len(t._closed) <= 200


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["price ?", "stock ?", "scam ?", "nice", "hello", "shit", "a" * 400]),
            st.sampled_from("ABCDE"),
            st.sampled_from([Kind.MESSAGE, Kind.PAID, Kind.DELETE, Kind.BAN, Kind.CLEAR]),
        ),
        max_size=60,
    )
)
def test_whatever_comes_the_books_balance(
    crowd: list[tuple[str, str, Kind]],
) -> None:
    t = triage()
    for now, (text, author, kind) in enumerate(crowd):
        event = says(text, author, kind=kind, ident=f"i{now}", target=f"i{now - 1}")
        t.receive([event], now * 9.0, on_screen="oslo")
        t.tick(now * 9.0)
        best = t.best(now * 9.0, "oslo")
        assert best is None or (best.status is Status.WAITING and best.asks)
    assert all(c.asks for _, c in t.ranked(0, "oslo"))
    assert set(t._open) == set(t._vectors)


def test_two_hundred_a_second_cost_little() -> None:
    t = triage()
    began = time.process_time()
    for second in range(5):
        for part in range(4):
            batch = [
                says(
                    f"is the {'price' if i % 3 else 'stock'} of oslo {i} ok ?",
                    f"v{second}{part}{i}",
                )
                for i in range(50)
            ]
            t.receive(batch, second + part / 4, on_screen="oslo")
    assert (time.process_time() - began) / 1000 < 0.01  # seconds of CPU a message, vectors aside


@pytest.mark.parametrize("text", ["", "\0", "🤖" * 400])
def test_nothing_to_see(text: str) -> None:
    assert len(triage().receive([says(text)], 0, on_screen="")) == 1
