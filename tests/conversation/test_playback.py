from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.conversation.playback import Playback


def test_nothing_is_sent_further_ahead_than_the_lead() -> None:
    play = Playback(lead_ms=100)
    play.add(1000)
    assert play.due_ms(0.0) == 100
    play.sent(100, 0.0)
    assert play.due_ms(0.0) == 0
    assert play.due_ms(0.05) == pytest.approx(50)
    assert play.next_due(0.0) == pytest.approx(0.05)


def test_unpaced_sends_all_at_once_and_still_knows_the_position() -> None:
    play = Playback(paced=False)
    play.add(1000)
    assert play.due_ms(0.0) == 1000
    play.sent(1000, 0.0)
    assert play.position_ms(0.3) == pytest.approx(300)


def test_a_client_that_ran_dry_starts_again_when_audio_comes() -> None:
    play = Playback()
    play.add(100)
    play.sent(100, 0.0)
    assert play.position_ms(5.0) == 100
    play.add(100)
    play.sent(100, 5.0)
    assert play.position_ms(5.05) == pytest.approx(150)


def test_finished_means_made_sent_and_heard() -> None:
    play = Playback()
    play.add(100)
    play.sent(100, 0.0)
    assert play.next_due(0.0) is None  # more may come, but not by time
    assert not play.finished(1.0)
    play.complete = True
    assert not play.finished(0.05)
    assert play.next_due(0.05) == pytest.approx(0.1)
    assert play.finished(0.1)


def test_a_pause_lets_the_lead_play_out_and_goes_on_behind_it() -> None:
    play = Playback()
    play.add(1000)
    play.sent(100, 0.0)
    play.pause(0.05)
    play.pause(0.06)
    assert play.due_ms(0.2) == 0
    assert play.next_due(0.2) is None
    assert play.position_ms(0.2) == 100
    assert play.resume(0.2) == 100
    assert play.due_ms(0.2) == 100


def test_a_flushing_client_gets_the_unheard_rest_again() -> None:
    play = Playback(flushes=True, lead_ms=400)
    play.add(1000)
    play.sent(400, 0.0)
    play.pause(0.15)
    assert play.position_ms(9.0) == pytest.approx(150)
    assert play.resume(9.0) == pytest.approx(150, abs=1)
    assert play.due_ms(9.0) == pytest.approx(400, abs=1)


def test_the_clients_word_counts_within_what_was_sent() -> None:
    play = Playback()
    play.heard(50, 0.0)
    assert play.position_ms(1.0) == 0
    play.add(1000)
    play.sent(100, 0.0)
    play.heard(40, 0.1)
    assert play.position_ms(0.1) == 40
    play.heard(5000, 0.1)
    assert play.position_ms(0.1) == 100
    play.heard(-5, 0.1)
    assert play.position_ms(0.1) == 0


def test_a_frozen_reply_resumes_where_the_client_says() -> None:
    play = Playback()
    play.add(1000)
    play.sent(100, 0.0)
    play.freeze(0.08)
    assert play.position_ms(60.0) == pytest.approx(80)
    assert play.due_ms(60.0) == 0
    assert play.resume(60.0, 30.7) == 30
    assert play.resume(60.0, 9999) <= 100


@given(st.lists(st.tuples(st.sampled_from("adphr"), st.floats(0, 500)), max_size=40), st.booleans())
def test_positions_stay_in_order(steps: list[tuple[str, float]], flushes: bool) -> None:
    play, now = Playback(flushes=flushes), 0.0
    for action, value in steps:
        now += value / 1000
        if action == "a":
            play.add(value)
        elif action == "d":
            play.sent(play.due_ms(now), now)
        elif action == "p":
            play.pause(now)
        elif action == "h":
            play.heard(value, now)
        else:
            play.resume(now)
        assert 0 <= play.position_ms(now) <= play.sent_ms + 1e-6
        assert play.sent_ms <= play.ready_ms + 1e-6
        due = play.next_due(now)
        assert due is None or due >= now
