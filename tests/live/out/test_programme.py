"""One clock: silence where nobody speaks, sound to the sample, pictures in order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.live.out.matroska import SOUND, VIDEO, Packet
from voice_server.live.out.programme import (
    BLOCK,
    HOLD_S,
    MOST_WAITING,
    RATE,
    Programme,
    Samples,
)


def tone(seconds: float, level: int = 1000, rate: int = RATE) -> Samples:
    return np.full(round(seconds * rate), level, np.int16)


def sound_of(packets: list[Packet]) -> Samples:
    """All sound, checked to be without holes."""
    sounds = [packet for packet in packets if packet.track == SOUND]
    assert [p.at_ms for p in sounds] == [n * 40 for n in range(len(sounds))]
    assert all(len(p.data) == 2 * BLOCK for p in sounds)
    return np.frombuffer(b"".join(p.data for p in sounds), "<i2").astype(np.int16)


def test_silence_goes_on_by_the_clock() -> None:
    programme = Programme(100.0)
    assert programme.take(100.0) == []
    assert sound_of(programme.take(110.0 + HOLD_S)).size == 10 * RATE
    assert programme.take(110.0 + HOLD_S) == []


def test_speech_lies_where_its_page_played_it() -> None:
    programme = Programme(50.0)
    programme.join(7_000.0, 52.0)  # the page's clock says 7 s when we are at 2 s
    programme.sound(8_000.0, tone(0.5), RATE, 52.0)
    heard = sound_of(programme.take(60.0))
    (at,) = np.flatnonzero(np.diff(heard) > 0)
    assert at + 1 == 3 * RATE
    assert np.count_nonzero(heard) == RATE // 2


def test_a_hush_cuts_what_comes_after_it() -> None:
    programme = Programme(0.0)
    programme.sound(1_000.0, tone(2.0), RATE, 0.0)
    programme.sound(3_000.0, tone(2.0), RATE, 0.0)
    programme.hush(1_500.0)
    assert np.count_nonzero(sound_of(programme.take(10.0))) == RATE // 2


def test_voices_over_each_other_are_mixed_without_wrapping() -> None:
    programme = Programme(0.0)
    programme.sound(0.0, tone(1.0, 30_000), RATE, 0.0)
    programme.sound(0.0, tone(1.0, 30_000), RATE, 0.0)
    assert sound_of(programme.take(3.0))[: RATE // 2].min() == 32_767


def test_sound_that_comes_late_loses_its_beginning_only() -> None:
    programme = Programme(0.0)
    out = sound_of(programme.take(HOLD_S + 2.0))
    programme.sound(1_500.0, tone(1.0), RATE, 2.4)
    programme.sound(0.0, tone(1.0), RATE, 2.4)
    rest = programme.take(HOLD_S + 4.0)
    both = np.concatenate([out, np.frombuffer(b"".join(p.data for p in rest), "<i2")])
    assert np.flatnonzero(both)[0] == 2 * RATE
    assert np.count_nonzero(both) == RATE // 2


def test_sound_far_in_the_future_is_not_kept() -> None:
    programme = Programme(0.0)
    programme.sound(3_600_000.0, tone(1.0), RATE, 0.0)
    assert programme._sounds == []


def test_another_rate_takes_the_same_time() -> None:
    programme = Programme(0.0)
    programme.sound(0.0, tone(1.0, rate=48_000), 48_000, 0.0)
    heard = sound_of(programme.take(3.0))
    assert abs(np.count_nonzero(np.abs(heard) > 500) - RATE) < RATE // 100


def test_pictures_wait_for_their_sound_and_keep_their_order() -> None:
    programme = Programme(0.0)
    for at in (0.0, 40.0, 80.0, 1_000.0):
        programme.picture(at, b"p", key=at == 0)
    packets = programme.take(HOLD_S + 0.2)
    assert [p.at_ms for p in packets if p.track == VIDEO] == [0, 40, 80]
    assert [p.at_ms for p in packets] == sorted(p.at_ms for p in packets)
    programme.picture(1_000.0, b"p", key=False)
    programme.picture(960.0, b"p", key=False)
    assert programme.late == 2
    assert [p.at_ms for p in programme.take(3.0) if p.track == VIDEO] == [1_000]


def test_a_page_whose_clock_runs_away_fills_no_memory() -> None:
    programme = Programme(0.0)
    for n in range(MOST_WAITING + 100):
        programme.picture(1e6 + 40 * n, b"p", key=False)
    assert programme.late == 100


def test_a_new_page_goes_on_where_the_clock_is() -> None:
    programme = Programme(0.0)
    programme.join(500.0, 1.0)
    programme.picture(520.0, b"a", key=True)
    programme.sound(600.0, tone(5.0), RATE, 1.0)
    programme.join(90_000.0, 5.0)  # what the old one had planned is gone
    programme.picture(90_040.0, b"b", key=True)
    packets = programme.take(9.0)
    assert [(p.at_ms, p.data) for p in packets if p.track == VIDEO] == [(5_040, b"b")]
    assert np.count_nonzero(sound_of(packets)) == 0
    programme.join(0.0, 2.0)  # never before what is out
    programme.picture(40.0, b"c", key=True)
    assert programme.late == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("stph"), st.floats(0, 9_000), st.integers(1, 3_000)), max_size=30
    )
)
def test_whatever_comes_the_sound_has_no_hole(events: list[tuple[str, float, int]]) -> None:
    programme, now, packets = Programme(0.0), 0.0, list[Packet]()
    for kind, at_ms, size in events:
        if kind == "s":
            programme.sound(at_ms, tone(size / RATE), RATE, now)
        elif kind == "p":
            programme.picture(at_ms, b"x" * size, key=False)
        elif kind == "h":
            programme.hush(at_ms)
        else:
            now += size / 1000
            packets += programme.take(now)
    packets += programme.take(now + 1)
    sound_of(packets)
    shown = [p.at_ms for p in packets if p.track == VIDEO]
    assert shown == sorted(set(shown))
