"""Two sides on one time line."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voice_server.telephony.call import PCM_8K, PCM_16K
from voice_server.telephony.stereo import HELD_S, RATE, StereoTrack


def ms(length: int, level: float = 0.5) -> bytes:
    return PCM_8K.encode(np.full(RATE * length // 1000, level, np.float32))


def test_both_sides_stand_where_they_were_heard() -> None:
    track = StereoTrack(PCM_8K, 100.0)
    track.caller(ms(20), 101.02)  # spoken from 1.00 to 1.02
    track.agent(ms(20), 102.0)
    sound = track.take(110.0)
    assert sound.shape == (round((10 - HELD_S) * RATE), 2)
    left, right = (np.flatnonzero(sound[:, side]) for side in (0, 1))
    assert (left[0], left.size) == (RATE, 160)
    assert (right[0], right.size) == (2 * RATE, 160)
    assert track.take(110.0).shape == (0, 2)


def test_bursts_make_no_holes_and_speech_sent_ahead_follows_itself() -> None:
    track = StereoTrack(PCM_8K, 0.0)
    for number in range(10):
        track.caller(ms(20), 0.02 + 0.001 * number)
        track.agent(ms(20), 0.0)
    sound = track.take(0.2, all_of_it=True)
    assert np.all(sound[:1600] != 0)
    assert sound.shape[0] == 1600


def test_what_a_barge_in_cleared_was_never_heard() -> None:
    track = StereoTrack(PCM_8K, 0.0)
    track.agent(ms(400), 0.0)
    track.clear(0.1)
    track.agent(ms(20), 1.0)
    right = np.flatnonzero(track.take(2.0, all_of_it=True)[:, 1])
    assert right[799] == 799
    assert right[800] == RATE


def test_another_codec_goes_on_in_its_place() -> None:
    track = StereoTrack(PCM_8K, 0.0)
    track.use(PCM_16K)
    track.agent(PCM_16K.encode(np.full(1600, 0.5, np.float32)), 0.0)
    assert abs(np.count_nonzero(track.take(1.0, all_of_it=True)[:, 1]) - 800) < 30


@given(st.lists(st.tuples(st.sampled_from("cax"), st.floats(0, 0.3)), max_size=40))
def test_nothing_is_handed_out_twice_and_time_never_runs_back(
    steps: list[tuple[str, float]],
) -> None:
    track, now, total = StereoTrack(PCM_8K, 0.0), 0.0, 0
    for what, wait in steps:
        now += wait
        if what == "c":
            track.caller(ms(20), now)
        elif what == "a":
            track.agent(ms(60), now)
        else:
            track.clear(now)
        total += track.take(now).shape[0]
    total += track.take(now, all_of_it=True).shape[0]
    assert total >= round(now * RATE)
    assert total <= round(now * RATE) + 40 * 480
