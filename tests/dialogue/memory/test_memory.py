"""The memory's rules: what is kept, what is dropped, and that nothing grows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.dialogue.memory.memory import (
    EXCHANGE_CHARACTERS,
    EXCHANGES,
    NOTES,
    PROMISES,
    REFERENCES,
    SLOTS,
    VALUE_CHARACTERS,
    Learned,
    Memory,
    Note,
)

OSLO = ("product:oslo", "Oslo")
PRICE = Learned("Combien coûte l'Oslo ?", "Il coûte 89 euros.", "fr", "price", (OSLO,), ("oslo",))


def test_a_turn_is_noted_in_all_its_aspects() -> None:
    memory = Memory().after(replace(PRICE, slots=(("colour", "blue"),), decision={"source": "x"}))
    assert (memory.turn, memory.references, memory.languages) == (1, ("oslo",), ("fr",))
    assert memory.slots == (("colour", "blue"),)
    assert memory.exchanges[0].user == "Combien coûte l'Oslo ?"
    assert memory.notes[0].topic == "price (Oslo)"
    assert (memory.sources, memory.decision) == ((OSLO,), {"source": "x"})


def test_topics_in_words() -> None:
    assert Note(1, "delivery_cost").topic == "delivery cost"
    assert Note(1, "faq:gift_wrap").topic == "gift wrap"
    assert Note(1, "", ("Oslo", "Milano")).topic == "Oslo, Milano"
    assert Note(1, "", (), "un parking ?").topic == "asked “un parking ?”"


def test_references_are_newest_first_and_a_list_stays_until_the_next_one() -> None:
    memory = Memory().after(replace(PRICE, products=("a", "b", "c"), offered=("a", "b", "c")))
    assert memory.references == ("c", "b", "a")
    memory = memory.after(replace(PRICE, products=("a",), offered=()))
    assert (memory.references, memory.listed) == (("a", "c", "b"), ("a", "b", "c"))
    assert memory.after(replace(PRICE, offered=("x", "y"))).listed == ("x", "y")


def test_a_slot_is_corrected_and_forgotten() -> None:
    memory = Memory().with_slots([("size", "M"), ("colour", "blue")])
    memory = memory.with_slots([("size", "L")])
    assert memory.slots == (("colour", "blue"), ("size", "L"))
    assert memory.with_slots([("size", "")]).slots == (("colour", "blue"),)


def test_a_promise_is_renewed_and_kept() -> None:
    memory = Memory().promised("callback", "on Friday").promised("notice", "when in stock")
    memory = memory.promised("callback", "on Monday")
    assert [p.text for p in memory.promises] == ["when in stock", "on Monday"]
    assert [p.kind for p in memory.kept("callback").promises] == ["notice"]


def test_only_what_was_heard_stays() -> None:
    memory = Memory().after(PRICE)
    assert memory.heard("Il coûte").exchanges[-1].assistant == "Il coûte"
    assert memory.heard("Il coûte 89 euros.") is memory
    assert Memory().heard("Bonjour") == Memory()


def test_a_tools_result_goes_on_with_its_turn() -> None:
    memory = Memory().after(PRICE).after(replace(PRICE, assistant="Il fait beau.", again=True))
    assert (memory.turn, len(memory.exchanges), len(memory.notes)) == (1, 1, 1)
    assert memory.exchanges[0].assistant == "Il fait beau."
    assert Memory().after(replace(PRICE, again=True)).turn == 1


def test_an_answer_to_why_leaves_the_reason_in_place() -> None:
    memory = Memory().after(replace(PRICE, decision={"source": "facts"}))
    memory = memory.after(Learned("Pourquoi ?", "Parce que.", "fr", "why"))
    assert (memory.turn, memory.decision, memory.sources) == (2, {"source": "facts"}, (OSLO,))


def test_the_summary_tells_each_topic_once_oldest_first() -> None:
    memory = Memory()
    for intent in ("price", "returns_period", "price", "hours"):
        sources = (OSLO,) if intent == "price" else ()
        memory = memory.after(replace(PRICE, intent=intent, sources=sources))
    assert memory.summary(4, 200) == "returns period; price (Oslo); hours"
    assert memory.summary(2, 200) == "price (Oslo); returns period"
    assert memory.summary(4, 24) == "price (Oslo); hours", "the newest, if not all fit"
    assert memory.summary(0, 200) == ""


def test_a_models_digest_takes_the_place_of_what_it_tells() -> None:
    memory = Memory().after(PRICE).after(replace(PRICE, intent="hours", sources=()))
    better = memory.digested("The customer likes the Oslo.", 1)
    assert better.summary(2, 200) == "The customer likes the Oslo. hours"
    assert better.summary(1, 200) == "The customer likes the Oslo."
    assert better.summary(2, 9) == "hours", "no room for it"
    assert memory.digested("All.", 9).digest_turn == 2
    assert memory.digested("All.", 2).summary(1, 200) == "price (Oslo)", "it knows later turns"


def test_what_holds_now() -> None:
    memory = Memory().after(PRICE).promised("callback", "a colleague calls back on Friday")
    memory = memory.with_slots([("shoe_size", "42")])
    assert memory.now(200) == "promised: a colleague calls back on Friday; shoe size: 42"
    assert memory.now(20) == "shoe size: 42"
    two = memory.after(replace(PRICE, products=("milano",)))
    assert two.now(300).endswith("spoken of lately, newest first: milano, oslo")
    assert Memory().now(99) == ""


learned = st.builds(
    Learned,
    user=st.text(max_size=900),
    assistant=st.text(max_size=900),
    language=st.sampled_from(["fr", "nl", "de", "en"]),
    intent=st.sampled_from(["", "price", "faq:gift_wrap", "returns_how"]),
    sources=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=5).map(tuple),
    products=st.lists(st.sampled_from("abcdefghijkl"), max_size=4).map(tuple),
    offered=st.lists(st.sampled_from("abcdefghijkl"), max_size=3).map(tuple),
    slots=st.lists(st.tuples(st.text(max_size=3), st.text(max_size=200)), max_size=4).map(tuple),
    decision=st.none() | st.just({"source": "facts"}),
    again=st.booleans(),
)


@given(st.lists(learned, max_size=90), st.integers(0, 100), st.integers(0, 400))
def test_nothing_grows_and_everything_survives(turns: list[Learned], upto: int, room: int) -> None:
    memory = Memory()
    for turn in turns:
        memory = memory.after(turn).promised(turn.intent, turn.user)
    assert len(memory.exchanges) <= EXCHANGES
    assert len(memory.notes) <= NOTES
    assert len(memory.references) <= REFERENCES
    assert len(memory.slots) <= SLOTS
    assert len(memory.promises) <= PROMISES
    assert all(len(e.user) <= EXCHANGE_CHARACTERS for e in memory.exchanges)
    assert all(len(value) <= VALUE_CHARACTERS for _, value in memory.slots)
    assert len(memory.summary(upto, room)) <= room
    assert len(memory.now(room)) <= room
    kept = json.loads(json.dumps(memory.to_json()))
    assert Memory.from_json(kept) == replace(memory, restored=memory.exchanges)


@given(st.lists(learned, min_size=3, max_size=20), st.integers(1, 19))
def test_the_summary_of_earlier_turns_stays_the_same(turns: list[Learned], upto: int) -> None:
    """It stands before the history in the prompt: if it changed, the cache would be lost."""
    memory, told = Memory(), set()
    for turn in turns:
        memory = memory.after(replace(turn, again=False))
        if memory.turn >= upto:
            told.add(memory.summary(upto, 300))
    assert len(told) <= 1


@pytest.mark.parametrize(
    "state",
    [{}, {"version": 0}, {"version": 1}, {**Memory().to_json(), "notes": [{"titles": []}]},
     {**Memory().to_json(), "promises": [{"x": 1}]}],
)  # fmt: skip
def test_what_is_no_memory_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"memory"):
        Memory.from_json(state)


def test_long_words_are_cut() -> None:
    memory = Memory().after(replace(PRICE, user="mot " * 200, slots=(("note", "mot " * 50),)))
    assert memory.exchanges[0].user.endswith("mot …")
    assert memory.slots[0][1].endswith("mot …")


def test_after_a_restart_the_last_exchanges_stand_in() -> None:
    memory = Memory().after(PRICE).after(PRICE)
    assert memory.restored == ()
    again = Memory.from_json(memory.to_json()).after(PRICE)
    assert [exchange.turn for exchange in again.restored] == [1, 2]
