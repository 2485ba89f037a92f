"""The turn-taking core: every cell of its table, every timer, and what must always hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.conversation import turn_events as ev
from voice_server.conversation.orders import TurnOptions
from voice_server.conversation.turn import (
    TABLE,
    Deadlines,
    IllegalTransition,
    State,
    TurnMachine,
)
from voice_server.conversation.turn_state import TurnState

FRAME = 32.0
LOUD, FAINT, QUIET = 0.98, 0.4, 0.02


class Player:
    """Drives a machine with frames in step with the clock and collects its commands."""

    def __init__(self, deadlines: Deadlines | None = None, **options: Any) -> None:
        self.machine = TurnMachine(TurnOptions(**options), deadlines)
        self.now = 100.0
        self.log: list[ev.Command] = []

    def feed(self, event: ev.Input) -> list[ev.Command]:
        out = self.machine.receive(event, self.now)
        self.log += out
        return out

    def frames(self, probability: float, ms: float) -> list[ev.Command]:
        """Hear ``ms`` of audio of one kind, in real time; timers fire as they are due."""
        out: list[ev.Command] = []
        for _ in range(round(ms / FRAME)):
            self.now += FRAME / 1000
            out += self.tick()
            out += self.feed(ev.Frame(probability, self.machine.audio_ms + FRAME))
        return out

    def tick(self) -> list[ev.Command]:
        due = self.machine.next_deadline()
        if due is None or due > self.now:
            return []
        out = self.machine.tick(self.now)
        self.log += out
        return out

    def wait(self, seconds: float) -> list[ev.Command]:
        """Let time pass without audio."""
        out: list[ev.Command] = []
        end = self.now + seconds
        while (due := self.machine.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            out += self.tick()
        self.now = end
        return out

    @property
    def generation(self) -> int:
        return self.machine.generation

    def to(self, state: State) -> Player:
        """Bring the machine into a state the usual way."""
        if state in (State.HEARING, State.ENDPOINTING, State.REPLYING, State.PAUSED):
            self.frames(LOUD, 480)
        if state in (State.ENDPOINTING, State.REPLYING, State.PAUSED):
            self.frames(QUIET, 128)
        if state in (State.REPLYING, State.PAUSED):
            self.feed(ev.Final(self.generation, "where is my order"))
            self.feed(ev.Scored(self.generation, 0.99))
            self.frames(QUIET, 256)
            self.feed(ev.ClauseArrived(self.reply))
            self.feed(ev.Audible(self.reply))
        if state is State.PAUSED:
            self.frames(LOUD, 96)
        if state is State.HELD:
            self.feed(ev.Held())
        if state is State.CLOSED:
            self.feed(ev.Closing())
        assert self.machine.state is state
        self.log.clear()
        return self

    @property
    def reply(self) -> int:
        reply = self.machine._turn.reply
        assert reply is not None
        return reply.generation

    def of(self, kind: type[Any]) -> list[Any]:
        return [command for command in self.log if isinstance(command, kind)]


def assert_state(player: Player, state: State) -> None:
    assert player.machine.state is state


# ------------------------------------------------------------------ the table


INPUTS: list[ev.Input] = [
    ev.Frame(QUIET, 10_000.0), ev.Scored(1, 0.5), ev.Partial(1, "x"), ev.Final(1, "x"),
    ev.FinalFailed(1), ev.ClauseArrived(1), ev.Audible(1), ev.ReplyPlayed(1), ev.Requested(),
    ev.Committed(), ev.Cleared(), ev.Cancelled(), ev.Held(), ev.Released(), ev.Closing(),
]  # fmt: skip


def test_every_state_knows_every_input() -> None:
    for state in State:
        assert set(TABLE[state]) == {type(event) for event in INPUTS}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", INPUTS, ids=lambda e: type(e).__name__)
def test_every_cell_can_be_entered(state: State, event: ev.Input) -> None:
    player = Player().to(state)
    player.feed(event)
    assert isinstance(player.machine.state, State)


def test_an_unknown_input_names_state_and_input() -> None:
    with pytest.raises(IllegalTransition, match="str in state idle"):
        Player().feed("hello")  # type: ignore[arg-type]


def test_stale_results_change_nothing() -> None:
    for state in (State.ENDPOINTING, State.REPLYING, State.PAUSED):
        player = Player().to(state)
        for event in (
            ev.Scored(-1, 1.0), ev.Final(-1, "old"), ev.FinalFailed(-1), ev.Partial(-1, "stop"),
            ev.ClauseArrived(-1), ev.Audible(-1), ev.ReplyPlayed(-1),
        ):  # fmt: skip
            assert player.feed(event) == []
            assert_state(player, state)


# ------------------------------------------------------------------ listening


def test_speech_begins_after_two_frames_with_its_padding() -> None:
    player = Player(prefix_padding_ms=300)
    player.frames(QUIET, 640)
    assert player.frames(0.6, 32) == []
    (began,) = player.frames(0.6, 32)
    assert began == ev.SpeechBegan(640 - 300)
    assert_state(player, State.HEARING)


def test_one_sure_frame_is_enough_and_one_doubtful_is_not() -> None:
    player = Player()
    player.frames(LOUD, 32)
    assert_state(player, State.HEARING)
    player = Player()
    player.frames(0.6, 32)
    player.frames(QUIET, 32)
    player.frames(0.6, 32)
    assert_state(player, State.IDLE)


def test_without_detection_nothing_is_heard() -> None:
    player = Player(detection="none")
    player.frames(LOUD, 640)
    assert_state(player, State.IDLE)


def test_partials_are_asked_for_while_the_user_speaks() -> None:
    player = Player()
    player.frames(LOUD, 1280)
    partials = [t for t in player.of(ev.Transcribe) if not t.final]
    assert len(partials) in (3, 4)


def test_soft_silence_starts_final_transcript_and_score() -> None:
    player = Player().to(State.HEARING)
    player.frames(QUIET, 128)
    assert_state(player, State.ENDPOINTING)
    (final,) = player.of(ev.Transcribe)
    assert final.final
    assert player.of(ev.Score)[0].generation == final.generation == player.generation


def test_server_detection_needs_no_score_and_waits_as_told() -> None:
    player = Player(detection="server", silence_ms=500).to(State.HEARING)
    player.frames(QUIET, 480)
    assert not player.of(ev.Score)
    assert_state(player, State.ENDPOINTING)
    player.frames(QUIET, 32)
    assert_state(player, State.REPLYING)


def test_the_reply_starts_speculatively_and_is_released_at_the_commit() -> None:
    player = Player().to(State.ENDPOINTING)
    assert player.feed(ev.Final(player.generation, "how much is it?")) == [
        ev.Begin(player.generation, speculative=True)
    ]
    player.feed(ev.Scored(player.generation, 1.0))
    player.frames(QUIET, 160)
    assert [type(c) for c in player.log[-2:]] == [ev.Commit, ev.Release]
    assert_state(player, State.REPLYING)


def test_speech_again_keeps_the_utterance_and_kills_the_speculation() -> None:
    player = Player().to(State.ENDPOINTING)
    player.feed(ev.Final(player.generation, "I would like"))
    old = player.generation
    player.frames(LOUD, 32)
    assert_state(player, State.HEARING)
    (abandoned,) = player.of(ev.Abandon)
    assert abandoned.generation > old
    assert not player.of(ev.SpeechBegan)


def test_one_doubtful_frame_in_the_silence_does_not_restart_it() -> None:
    player = Player().to(State.ENDPOINTING)
    player.frames(0.6, 32)
    assert_state(player, State.ENDPOINTING)
    player.frames(0.6, 32)
    assert_state(player, State.HEARING)


def test_a_score_that_arrives_late_ends_a_wait_that_is_over() -> None:
    player = Player().to(State.ENDPOINTING)
    player.feed(ev.Final(player.generation, "yes"))
    player.frames(QUIET, 320)
    assert_state(player, State.ENDPOINTING)
    player.feed(ev.Scored(player.generation, 1.0))
    assert_state(player, State.REPLYING)


def test_a_turn_without_words_gets_no_reply() -> None:
    player = Player().to(State.ENDPOINTING)
    player.feed(ev.Final(player.generation, ""))
    player.frames(QUIET, 960)
    assert not player.of(ev.Begin)
    assert player.of(ev.NoWords)
    assert_state(player, State.IDLE)


def test_without_create_response_the_turn_is_only_committed() -> None:
    player = Player(create_response=False).to(State.ENDPOINTING)
    player.feed(ev.Final(player.generation, "hello"))
    player.frames(QUIET, 960)
    assert player.of(ev.Commit)
    assert not player.of(ev.Begin)
    assert_state(player, State.IDLE)


def test_a_client_that_stops_sending_is_taken_for_silent() -> None:
    player = Player().to(State.HEARING)
    player.wait(0.35)
    assert_state(player, State.ENDPOINTING)
    player.feed(ev.Final(player.generation, "hello"))
    player.wait(2.0)
    assert_state(player, State.REPLYING)
    assert player.of(ev.Commit)


def test_music_for_ever_is_cut() -> None:
    player = Player()
    player.frames(LOUD, 61_000)
    assert player.of(ev.Commit)


def test_push_to_talk_ends_an_utterance_under_way() -> None:
    for state in (State.HEARING, State.ENDPOINTING, State.PAUSED):
        player = Player().to(state)
        player.feed(ev.Committed())
        assert player.of(ev.Commit)
        assert not player.of(ev.Begin)
        assert_state(player, State.IDLE)


def test_clearing_forgets_the_utterance() -> None:
    for state in (State.HEARING, State.ENDPOINTING):
        player = Player().to(state)
        player.feed(ev.Cleared())
        assert player.of(ev.Abandon)
        assert_state(player, State.IDLE)


def test_switching_detection_off_drops_the_utterance_but_not_the_reply() -> None:
    player = Player().to(State.HEARING)
    assert player.machine.configure(TurnOptions(detection="none"), player.now)
    assert_state(player, State.IDLE)
    player = Player().to(State.REPLYING)
    assert player.machine.configure(TurnOptions(detection="none"), player.now) == []
    assert_state(player, State.REPLYING)
    player.frames(LOUD, 640)
    assert_state(player, State.REPLYING)


# ------------------------------------------------------------------- replying


def test_a_transcript_after_the_commit_starts_the_reply() -> None:
    player = Player(detection="server", silence_ms=200).to(State.ENDPOINTING)
    player.frames(QUIET, 128)
    assert_state(player, State.REPLYING)
    player.feed(ev.Final(player.generation, "hello"))
    assert [type(c) for c in player.log[-2:]] == [ev.Begin, ev.Release]
    assert player.feed(ev.Final(player.generation, "again")) == []


@pytest.mark.parametrize(
    ("then", "stage"),
    [("nothing", "stt"), ("failure", "stt"), ("words", "dialogue"), ("clause", "tts")],
)
def test_each_stage_has_a_deadline_and_an_apology(then: str, stage: str) -> None:
    player = Player(detection="server", silence_ms=200).to(State.ENDPOINTING)
    player.frames(QUIET, 128)
    if then == "failure":
        player.feed(ev.FinalFailed(player.generation))
    if then in ("words", "clause"):
        player.feed(ev.Final(player.generation, "hello"))
    if then == "clause":
        player.feed(ev.ClauseArrived(player.generation))
    player.wait(6.0)
    assert [a.stage for a in player.of(ev.Apologise)] == [stage]
    player.wait(20.0)
    assert_state(player, State.IDLE)
    assert player.of(ev.StopReply)


def test_a_recogniser_that_failed_before_the_commit_is_excused_at_once() -> None:
    player = Player().to(State.ENDPOINTING)
    player.feed(ev.FinalFailed(player.generation))
    player.frames(QUIET, 960)
    assert player.of(ev.Apologise)[0].stage == "stt"


def test_fillers_come_while_the_user_waits_and_stop_when_the_answer_sounds() -> None:
    player = Player()
    player.feed(ev.Requested())
    player.wait(1.3)
    assert [f.round for f in player.of(ev.SayFiller)] == [0]
    player.feed(ev.ClauseArrived(player.reply))
    player.feed(ev.Audible(player.reply))
    player.wait(30)
    assert len(player.of(ev.SayFiller)) == 1


def test_a_filler_that_sounds_does_not_stop_the_deadline() -> None:
    player = Player(deadlines=Deadlines(next_filler_s=1.0))
    player.feed(ev.Requested())
    player.wait(3.3)
    assert [f.round for f in player.of(ev.SayFiller)] == [0, 1, 2]
    player.wait(2)
    assert player.of(ev.Apologise)[0].stage == "dialogue"


def test_an_apology_that_sounds_is_not_rescued() -> None:
    player = Player()
    player.feed(ev.Requested())
    player.wait(4.1)
    assert player.of(ev.Apologise)
    player.feed(ev.ClauseArrived(player.reply))
    player.feed(ev.Audible(player.reply))
    player.wait(60)
    assert_state(player, State.REPLYING)
    player.feed(ev.ReplyPlayed(player.reply))
    assert_state(player, State.IDLE)


def test_an_apology_in_the_middle_of_a_reply_needs_no_rescue() -> None:
    player = Player().to(State.REPLYING)
    turn = player.machine._turn
    turn.timers["audio"] = player.now
    player.wait(60)
    assert player.of(ev.Apologise)[0].stage == "tts"
    assert_state(player, State.REPLYING)


def test_a_request_gives_up_the_utterance_under_way() -> None:
    for state in (State.IDLE, State.HEARING, State.ENDPOINTING):
        player = Player().to(state)
        player.feed(ev.Requested())
        assert [type(c) for c in player.log] == [ev.Abandon, ev.Begin, ev.Release]
        assert_state(player, State.REPLYING)


def test_cancel_stops_the_reply() -> None:
    for state in (State.REPLYING, State.PAUSED):
        player = Player().to(state)
        player.feed(ev.Cancelled())
        assert player.of(ev.StopReply) == [ev.StopReply("client_cancelled")]
        assert_state(player, State.IDLE)


def test_a_tool_that_never_answers_is_excused() -> None:
    player = Player().to(State.REPLYING)
    player.feed(ev.ReplyPlayed(player.reply, awaits_tool=True))
    assert_state(player, State.IDLE)
    player.wait(8.1)
    assert [a.stage for a in player.of(ev.Apologise)] == ["tool"]
    assert_state(player, State.REPLYING)


def test_a_silent_user_is_prompted_after_the_reply() -> None:
    player = Player(idle_timeout_ms=5000).to(State.REPLYING)
    player.feed(ev.ReplyPlayed(player.reply))
    assert player.wait(4.9) == []
    player.wait(0.2)
    assert player.of(ev.PromptIdle) == [ev.PromptIdle(player.generation)]
    player = Player(idle_timeout_ms=5000, detection="none")
    player.machine.configure(player.machine.options, player.now)
    assert player.machine.next_deadline() is None


# ------------------------------------------------------------------- barge-in


def test_sending_stops_at_the_first_suspicious_frame() -> None:
    player = Player().to(State.REPLYING)
    assert player.frames(FAINT, 32) == [ev.PauseOutput(notify=False)]
    assert_state(player, State.PAUSED)


def test_a_blip_is_forgotten_within_two_frames() -> None:
    player = Player().to(State.REPLYING)
    player.frames(LOUD, 32)
    player.frames(QUIET, 64)
    assert player.log == [ev.PauseOutput(notify=False), ev.ResumeOutput()]
    assert_state(player, State.REPLYING)


def test_a_serious_doubt_is_announced_once() -> None:
    player = Player().to(State.REPLYING)
    player.frames(LOUD, 192)
    assert player.of(ev.PauseOutput) == [ev.PauseOutput(notify=False), ev.PauseOutput(notify=True)]


def test_long_speech_interrupts_whatever_it_says() -> None:
    player = Player().to(State.REPLYING)
    player.frames(LOUD, 640)
    assert player.of(ev.StopReply) == [ev.StopReply("turn_detected")]
    assert player.of(ev.SpeechBegan)
    assert_state(player, State.HEARING)


def test_clear_words_interrupt_early_and_a_backchannel_does_not() -> None:
    player = Player().to(State.PAUSED)
    player.frames(LOUD, 256)
    assert [t.final for t in player.of(ev.Transcribe)] == [False]
    player.feed(ev.Partial(player.generation, "oui oui"))
    assert_state(player, State.PAUSED)
    player.feed(ev.Partial(player.generation, "wacht even"))
    assert_state(player, State.HEARING)


def test_a_short_backchannel_resumes_from_the_same_sample() -> None:
    player = Player().to(State.PAUSED)
    player.frames(QUIET, 256)
    (transcribe,) = player.of(ev.Transcribe)
    assert transcribe.final
    player.feed(ev.Final(transcribe.generation, "Mhm."))
    assert player.log[-1] == ev.ResumeOutput()
    assert_state(player, State.REPLYING)


def test_a_short_remark_becomes_the_next_turn_with_its_transcript() -> None:
    player = Player().to(State.PAUSED)
    player.frames(QUIET, 256)
    source = player.of(ev.Transcribe)[0].generation
    player.feed(ev.Final(source, "and in blue?"))
    assert_state(player, State.ENDPOINTING)
    assert player.of(ev.Adopt) == [ev.Adopt(player.generation, source)]
    assert len(player.of(ev.Transcribe)) == 1
    assert player.of(ev.Begin) == [ev.Begin(player.generation, speculative=True)]
    player.feed(ev.Scored(player.generation, 1.0))
    assert_state(player, State.REPLYING)


def test_an_interruption_without_words_is_not_met_with_silence() -> None:
    player = Player().to(State.REPLYING)
    player.frames(LOUD, 640)
    player.frames(QUIET, 128)
    player.feed(ev.Final(player.generation, ""))
    player.frames(QUIET, 960)
    assert [a.stage for a in player.of(ev.Apologise)] == ["stt"]
    assert not player.of(ev.NoWords)


def test_a_doubt_without_verdict_ends_by_its_length() -> None:
    short = Player().to(State.PAUSED)
    short.frames(QUIET, 256)
    short.feed(ev.FinalFailed(short.generation))
    assert_state(short, State.REPLYING)
    long = Player().to(State.PAUSED)
    long.frames(LOUD, 320)
    long.wait(0.9)
    assert_state(long, State.HEARING)
    assert long.of(ev.StopReply)


def test_an_answer_spoken_as_the_reply_ends_is_a_turn_even_if_it_is_only_yes() -> None:
    player = Player().to(State.PAUSED)
    player.feed(ev.ReplyPlayed(player.reply))
    assert_state(player, State.PAUSED)
    player.frames(QUIET, 256)
    player.feed(ev.Final(player.generation, "oui"))
    assert_state(player, State.ENDPOINTING)
    assert not player.of(ev.StopReply)


def test_noise_as_the_reply_ends_is_nothing() -> None:
    player = Player().to(State.PAUSED)
    player.feed(ev.ReplyPlayed(player.reply, awaits_tool=True))
    player.frames(QUIET, 256)
    player.feed(ev.Final(player.generation, ""))
    assert_state(player, State.IDLE)
    assert player.machine.next_deadline() is not None  # the tool's


def test_the_transcript_of_the_answered_turn_may_come_while_in_doubt() -> None:
    player = Player(detection="server", silence_ms=200).to(State.ENDPOINTING)
    player.frames(QUIET, 128)
    first = player.generation
    player.frames(LOUD, 96)
    assert_state(player, State.PAUSED)
    player.feed(ev.Final(first, "hello"))
    assert player.of(ev.Begin) == [ev.Begin(first, speculative=False)]
    assert_state(player, State.PAUSED)
    again = Player(detection="server", silence_ms=200).to(State.ENDPOINTING)
    again.frames(QUIET, 128)
    first = again.generation
    again.frames(LOUD, 96)
    again.feed(ev.FinalFailed(first))
    assert again.of(ev.Apologise)[0].generation == first
    again.frames(QUIET, 2000)
    assert_state(again, State.REPLYING)


def test_a_reply_that_may_not_be_interrupted_is_not() -> None:
    player = Player()
    player.feed(ev.Requested(interruptible=False))
    player.frames(QUIET, 64)
    player.frames(LOUD, 640)
    player.frames(QUIET, 64)
    assert_state(player, State.REPLYING)
    assert not player.of(ev.PauseOutput)
    player.feed(ev.ReplyPlayed(player.reply))
    assert_state(player, State.HEARING)  # what was said meanwhile is not lost
    assert player.of(ev.SpeechBegan)


def test_interrupt_response_false_lets_the_reply_go_on() -> None:
    player = Player(interrupt_response=False).to(State.REPLYING)
    player.frames(LOUD, 960)
    assert_state(player, State.REPLYING)


# -------------------------------------------------------------------- holding


def test_time_stands_still_while_the_client_is_away() -> None:
    player = Player()
    player.feed(ev.Requested())
    due = player.machine.next_deadline()
    assert due is not None
    left = due - player.now
    player.feed(ev.Held())
    assert player.machine.next_deadline() is None
    assert player.machine.tick(player.now + 100) == []
    player.now += 30
    player.feed(ev.Released())
    due = player.machine.next_deadline()
    assert due is not None
    assert due - player.now == pytest.approx(left)
    assert_state(player, State.REPLYING)


def test_what_comes_while_away_counts_afterwards() -> None:
    player = Player().to(State.ENDPOINTING)
    player.feed(ev.Held())
    player.feed(ev.Final(player.generation, "hello"))
    assert player.log == []
    player.feed(ev.Released())
    assert player.of(ev.Begin)


def test_cancel_and_clear_while_away() -> None:
    for state, event in (
        (State.REPLYING, ev.Cancelled()), (State.PAUSED, ev.Cancelled()),
        (State.HEARING, ev.Cleared()), (State.ENDPOINTING, ev.Cleared()),
    ):  # fmt: skip
        player = Player().to(state)
        player.feed(ev.Held())
        player.feed(event)
        assert_state(player, State.HELD)
        player.feed(ev.Released())
        assert_state(player, State.IDLE)
    for state, event in ((State.HEARING, ev.Cancelled()), (State.REPLYING, ev.Cleared())):
        player = Player().to(state)
        player.feed(ev.Held())
        player.feed(event)
        player.feed(ev.Released())
        assert_state(player, state)


# ----------------------------------------------------------------- properties


def _events() -> st.SearchStrategy[Any]:
    generation = st.integers(-1, 12)
    text = st.sampled_from(["", "mhm", "stop that now", "where is my order?", "oui"])
    return st.one_of(
        st.tuples(st.just("frames"), st.sampled_from([LOUD, FAINT, QUIET]), st.integers(1, 30)),
        st.tuples(st.just("wait"), st.floats(0.01, 9.0), st.just(0)),
        st.tuples(
            st.just("event"),
            st.one_of(
                st.builds(ev.Scored, generation, st.floats(0, 1)),
                st.builds(ev.Partial, generation, text),
                st.builds(ev.Final, generation, text),
                st.builds(ev.FinalFailed, generation),
                st.builds(ev.ClauseArrived, generation),
                st.builds(ev.Audible, generation),
                st.builds(ev.ReplyPlayed, generation, st.booleans()),
                st.builds(ev.Requested, st.booleans()),
                st.sampled_from(
                    [ev.Committed(), ev.Cleared(), ev.Cancelled(), ev.Held(), ev.Released()]
                ),
            ),
            st.just(0),
        ),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(_events(), max_size=40), st.sampled_from(["none", "server", "semantic"]))
def test_whatever_happens_the_core_stays_sound(script: list[Any], detection: str) -> None:
    player = Player(detection=detection, idle_timeout_ms=4000)
    generation = 0
    for kind, value, amount in script:
        if kind == "frames":
            player.frames(value, amount * FRAME)
        elif kind == "wait":
            player.wait(value)
        else:
            player.feed(value)
        turn: TurnState = player.machine._turn
        assert turn.generation >= generation
        generation = turn.generation
        assert (turn.reply is not None) >= (turn.state in (State.REPLYING, State.PAUSED))
        if turn.state in (State.HEARING, State.ENDPOINTING, State.PAUSED):
            assert turn.utterance is not None
        if turn.state in (State.HEARING, State.ENDPOINTING, State.PAUSED):
            assert turn.timers, "someone speaks and nothing would ever end it"
        assert not turn.out
    # A committed turn is released, excused or without words; never silently forgotten.
    for command in player.log:
        if isinstance(command, ev.Commit | ev.Begin | ev.Release):
            assert command.generation <= generation


def test_events_and_commands_are_plain_values() -> None:
    for kind in _kinds():
        assert all(f.init for f in fields(kind))
        assert kind.__dataclass_params__.frozen


def _kinds() -> Iterator[type[Any]]:
    for union in (ev.Input, ev.Command):
        yield from union.__args__


def test_a_late_tick_lets_a_deadline_cancel_the_ones_behind_it() -> None:
    player = Player()
    player.feed(ev.Requested())
    player.now += 10  # clause and filler are both overdue
    player.tick()
    assert player.of(ev.Apologise)
    assert not player.of(ev.SayFiller)
