"""The write gate by its table: what confirms, what does not, and that it executes once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.dialogue.consent import Consent, read_consent
from voice_server.dialogue.write_gate import (
    LATEST_YES_S,
    MOST_ASKED,
    Begin,
    Command,
    Event,
    Execute,
    Forbidden,
    GateState,
    Heard,
    IllegalEvent,
    LookAgain,
    Lost,
    NotDone,
    Propose,
    ReadAgain,
    Report,
    SayReadBack,
    Settled,
    Withdraw,
    WriteGate,
)
from voice_server.shop.platform import Capability, Write

CANCEL = Write(Capability.CANCEL_ORDER, "BE-1", (("reason", "customer"),))
RETURN = Write(Capability.RETURN_ITEMS, "BE-1", (("line_id", "1"), ("quantity", "1")))
TEXT = "I will cancel the whole order BE-1. Do you confirm that, yes or no?"
PROPOSE = Propose(CANCEL, TEXT, "en", allowed=True, before="processing")


def run(*events: Event, gate: WriteGate | None = None, now: float = 0.0) -> WriteGate:
    gate = gate or WriteGate("s")
    for event in events:
        gate, _ = gate.receive(event, now)
    return gate


def yes(text: str = "yes", language: str = "en", last_said: str = TEXT) -> Heard:
    return Heard(text, language, last_said)


def told(gate: WriteGate, event: Event, now: float = 0.0) -> tuple[GateState, Command]:
    after, commands = gate.receive(event, now)
    assert len(commands) == 1
    return after.state, commands[0]


READ = run(PROPOSE)
CONFIRMED = run(yes(), gate=READ)
EXECUTING = run(Begin(allowed=True), gate=CONFIRMED)
UNKNOWN = run(Lost(), gate=EXECUTING)
DONE = run(Settled("ref"), gate=EXECUTING)


def test_a_proposal_is_read_back() -> None:
    assert told(WriteGate("s"), PROPOSE) == (GateState.READ_BACK, SayReadBack(TEXT))
    assert READ.waits
    assert not READ.open


def test_without_identity_nothing_is_proposed() -> None:
    refused = replace(PROPOSE, allowed=False)
    assert told(WriteGate("s"), refused) == (GateState.VOIDED, Forbidden("identity"))


def test_a_yes_to_the_whole_read_back_confirms() -> None:
    state, command = told(READ, yes("Yes please."))
    assert state is GateState.CONFIRMED
    assert command == Execute(CANCEL, READ.key, "processing")


def test_fillers_before_the_read_back_do_no_harm() -> None:
    state, _ = told(READ, yes(last_said=f"One moment, please.  {TEXT}"))
    assert state is GateState.CONFIRMED


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (yes(last_said=TEXT[:-4]), "unheard"),
        (yes(last_said=""), "unheard"),
        (yes(last_said=f"{TEXT} Are you still there?"), "unheard"),
        (yes("mhm"), "unclear"),
        (yes("yes but the other one"), "unclear"),
        (yes("oui"), "unclear"),
        (yes("ja", "de"), "language"),
    ],
)
def test_what_is_no_yes_is_asked_again(heard: Heard, why: str) -> None:
    state, command = told(READ, heard)
    assert state is GateState.READ_BACK
    assert isinstance(command, SayReadBack)
    assert (command.text, command.why) == (TEXT, why)


def test_a_yes_comes_too_late() -> None:
    _, command = told(READ, yes(), LATEST_YES_S + 1)
    assert command == SayReadBack(TEXT, "late")
    after, _ = READ.receive(yes(), LATEST_YES_S + 1)
    assert told(after, yes(), LATEST_YES_S + 2)[0] is GateState.CONFIRMED


def test_it_gives_up_asking() -> None:
    gate = READ
    for _ in range(MOST_ASKED):
        gate = run(yes("mhm"), gate=gate)
    assert told(gate, yes("mhm")) == (GateState.VOIDED, Report("given_up", CANCEL))


def test_a_no_voids_however_much_was_heard() -> None:
    assert told(READ, yes("no", last_said="")) == (GateState.VOIDED, Report("declined", CANCEL))


def test_a_withdrawn_proposal_cannot_be_confirmed() -> None:
    for gate in (READ, CONFIRMED):
        assert run(Withdraw(), gate=gate).state is GateState.VOIDED
    with pytest.raises(IllegalEvent, match="takes no Heard when voided"):
        run(Withdraw(), yes(), gate=READ)


def test_a_corrected_write_needs_its_own_yes() -> None:
    gate = run(replace(PROPOSE, write=RETURN, read_back="Return one. Yes or no?"), gate=READ)
    state, command = told(gate, yes(last_said=TEXT))
    assert (state, command) == (
        GateState.READ_BACK,
        SayReadBack("Return one. Yes or no?", "unheard"),
    )


def test_the_same_proposal_again_keeps_count_of_what_was_asked() -> None:
    asked = run(yes("mhm"), gate=READ)
    assert run(PROPOSE, gate=asked).asked == 1
    assert run(replace(PROPOSE, language="fr"), gate=asked).asked == 0


def test_identity_is_checked_again_when_it_begins() -> None:
    assert told(CONFIRMED, Begin(allowed=False)) == (GateState.VOIDED, Forbidden("identity"))


def test_it_executes_once() -> None:
    assert EXECUTING.state is GateState.EXECUTING
    with pytest.raises(IllegalEvent):
        run(Begin(allowed=True), gate=EXECUTING)
    with pytest.raises(IllegalEvent):
        run(yes(), gate=EXECUTING)
    assert told(EXECUTING, PROPOSE) == (GateState.EXECUTING, Forbidden("busy"))


def test_what_was_done_is_reported_and_not_done_again() -> None:
    assert told(EXECUTING, Settled("ref")) == (
        GateState.SETTLED,
        Report("done", CANCEL, reference="ref"),
    )
    assert told(DONE, PROPOSE) == (GateState.VOIDED, Forbidden("done_before"))
    assert told(DONE, replace(PROPOSE, write=RETURN))[0] is GateState.READ_BACK


@pytest.mark.parametrize(("reason", "outcome"), [("shipped", "refused"), ("", "down")])
def test_what_was_not_done_may_be_tried_again(reason: str, outcome: str) -> None:
    state, command = told(EXECUTING, NotDone(reason))
    assert state is GateState.SETTLED
    assert isinstance(command, Report)
    assert (command.outcome, command.reason) == (outcome, reason)
    again = run(NotDone(reason), PROPOSE, gate=EXECUTING)
    assert again.state is GateState.READ_BACK
    assert again.key == EXECUTING.key


def test_a_lost_answer_is_settled_by_reading() -> None:
    assert told(EXECUTING, Lost()) == (GateState.UNKNOWN, LookAgain("BE-1"))
    assert UNKNOWN.open
    assert told(UNKNOWN, ReadAgain(None)) == (GateState.UNKNOWN, Report("unknown", CANCEL))
    assert told(UNKNOWN, ReadAgain(happened=True)) == (GateState.SETTLED, Report("done", CANCEL))
    assert told(UNKNOWN, ReadAgain(happened=False)) == (GateState.SETTLED, Report("down", CANCEL))
    assert told(UNKNOWN, PROPOSE) == (GateState.UNKNOWN, Forbidden("busy"))
    done = run(ReadAgain(happened=True), gate=UNKNOWN)
    assert told(done, PROPOSE)[1] == Forbidden("done_before")


def test_withdrawing_what_left_changes_nothing() -> None:
    for gate in (WriteGate(), EXECUTING, UNKNOWN, DONE):
        assert gate.receive(Withdraw(), 0.0) == (gate, ())


def test_keys_are_bound_to_session_write_language_and_words() -> None:
    others = [
        replace(READ, session="t"),
        replace(READ, write=RETURN),
        replace(READ, language="fr"),
        replace(READ, read_back="other words"),
        WriteGate("s"),
    ]
    assert len({gate.key for gate in (READ, *others)}) == 6


@pytest.mark.parametrize("gate", [WriteGate(), READ, CONFIRMED, EXECUTING, UNKNOWN, DONE])
def test_it_survives_a_restart(gate: WriteGate) -> None:
    assert WriteGate.from_json(gate.to_json()) == gate


EVENTS = st.one_of(
    st.builds(
        Propose,
        st.sampled_from([CANCEL, RETURN]),
        st.sampled_from([TEXT, "Other words, yes or no?"]),
        st.sampled_from(["en", "fr", "nl", "de"]),
        st.booleans(),
    ),
    st.builds(
        Heard,
        st.sampled_from(["yes", "oui", "ja", "no", "mhm", "yes but", "I confirm", "", "0", "ok"]),
        st.sampled_from(["en", "fr", "nl", "de"]),
        st.sampled_from([TEXT, TEXT[:-1], "Other words, yes or no?", "", f"{TEXT} Hello?"]),
    ),
    st.just(Withdraw()),
    st.builds(Begin, st.booleans()),
    st.builds(Settled, st.just("ref")),
    st.builds(NotDone, st.sampled_from(["", "shipped"])),
    st.just(Lost()),
    st.builds(ReadAgain, st.sampled_from([None, True, False])),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.floats(0, 400)), max_size=25))
def test_nothing_is_executed_without_a_bound_yes(script: list[tuple[Event, float]]) -> None:
    """Whatever comes in whatever order: an Execute follows a yes to its own, whole read-back."""
    gate, now = WriteGate("s"), 0.0
    done: list[str] = []
    for event, wait in script:
        now += wait
        before = gate
        try:
            gate, commands = gate.receive(event, now)
        except IllegalEvent:
            continue
        for command in commands:
            if isinstance(command, Execute):
                assert isinstance(event, Heard)
                assert read_consent(event.text, before.language) is Consent.YES
                assert event.language == before.language
                assert event.last_said.endswith(before.read_back)
                assert now - before.said_at <= LATEST_YES_S
                assert command.write == before.write
            if isinstance(command, Report) and command.outcome == "done":
                assert before.open
                done.append(f"{command.write}")
        if gate.state is GateState.EXECUTING and before.state is not GateState.EXECUTING:
            assert event == Begin(allowed=True)
            assert before.state is GateState.CONFIRMED
    assert len(done) == len(set(done)), "the same write was done twice"
