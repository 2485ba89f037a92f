"""The jitter buffer: order, loss, lateness, and what the ear gets meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.audio.pcm import Audio, level_dbfs
from voice_server.telephony.jitter import BUFFER_LIMIT, TARGET_MAX_MS, JitterBuffer

TONE = (0.5 * np.sin(2 * np.pi * 100 * np.arange(160 * 500) / 8000)).astype(np.float32)


def piece(number: int, source: Audio = TONE) -> Audio:
    start = number * 160 % source.size
    return source[start : start + 160]


def numbered(number: int) -> Audio:
    return np.full(160, number / 1000, np.float32)


def play(
    arrivals: dict[int, float], frames: int, start: int = 0
) -> tuple[JitterBuffer, list[int | None]]:
    """Packets by number with their time in ms; returns what was heard, None where made up."""
    buffer = JitterBuffer()
    waiting = sorted(arrivals.items(), key=lambda item: item[1])
    heard: list[int | None] = []
    for tick in range(frames):
        now = tick * 20.0
        while waiting and waiting[0][1] <= now:
            number, at = waiting.pop(0)
            buffer.put((start + number) % 65536, numbered(number + 1), at / 1000, number * 20.0)
        concealed = buffer.report.concealed
        frame = buffer.take()
        made_up = buffer.report.concealed > concealed or not frame.any()
        heard.append(None if made_up else round(float(frame[-1]) * 1000) - 1)
    return buffer, heard


def real(heard: list[int | None]) -> list[int]:
    return [number for number in heard if number is not None]


def test_a_calm_network_costs_one_frame() -> None:
    _, heard = play({n: n * 20.0 for n in range(50)}, 51)
    assert real(heard) == list(range(50))
    assert heard.index(0) <= 1


@pytest.mark.parametrize("start", [0, 65530])
def test_numbers_may_wrap_and_packets_may_swap(start: int) -> None:
    arrivals = {n: n * 20.0 for n in range(40)}
    arrivals[10], arrivals[11] = arrivals[11] + 1, arrivals[10]
    _, heard = play(arrivals, 45, start)
    assert sorted(set(real(heard))) == real(heard)
    assert len(real(heard)) >= 38


def test_a_repeated_packet_is_played_once() -> None:
    buffer = JitterBuffer()
    for _ in range(3):
        buffer.put(5, numbered(5), 0.0)
    assert buffer.report.repeated == 2
    buffer.take()
    buffer.put(5, numbered(5), 0.1)
    assert buffer.report.late == 1


def test_jitter_raises_the_wait_and_calm_lowers_it() -> None:
    rng = np.random.default_rng(3)
    arrivals = {n: n * 20 + float(rng.random() * 200) for n in range(300)}
    buffer, heard = play(arrivals, 330)
    assert 60 < buffer.target_ms <= TARGET_MAX_MS
    # 200 ms of jitter: once the wait is learnt, next to nothing comes too late.
    late = [number for number in range(100, 295) if number not in heard]
    assert len(late) <= 12
    before = buffer.target_ms
    now = 6.6
    for number in range(400, 1400):
        buffer.put(number, numbered(1), now)
        buffer.take()
        now += 0.02
    assert buffer.target_ms < before - 80


def test_ten_percent_loss_is_hidden() -> None:
    rng = np.random.default_rng(5)
    buffer = JitterBuffer()
    out = []
    for number in range(400):
        if rng.random() > 0.1 or number < 5:
            buffer.put(number, piece(number), number * 0.02)
        out.append(buffer.take())
    sound = np.concatenate(out[10:])
    frames = sound.reshape(-1, 160)
    # Nowhere is there a hole or a click: a 100 Hz tone never steps by more than it does itself.
    assert min(level_dbfs(frame) for frame in frames) > -26
    assert np.abs(np.diff(sound)).max() < 0.2
    assert 20 < buffer.report.concealed < 80


def test_a_long_loss_fades_to_silence_and_comes_back() -> None:
    buffer = JitterBuffer()
    for number in range(20):
        buffer.put(number, piece(number), number * 0.02)
        buffer.take()
    faded = [buffer.take() for _ in range(8)]
    levels = [level_dbfs(frame) for frame in faded]
    assert levels[0] > levels[2] > -60
    assert not faded[-1].any()
    for number in range(40, 50):
        buffer.put(number, piece(number), number * 0.02)
    assert buffer.take().any()


def test_nothing_heard_is_silence() -> None:
    buffer = JitterBuffer()
    assert not buffer.take().any()
    assert buffer.report.concealed == 0


def test_a_flood_is_bounded_and_silence_is_skipped_to_catch_up() -> None:
    buffer = JitterBuffer()
    for number in range(BUFFER_LIMIT * 2):
        buffer.put(number, np.zeros(160, np.float32), 0.0)
    assert buffer.waiting_ms == BUFFER_LIMIT * 20
    before = buffer.waiting_ms
    buffer.take()
    assert before - buffer.waiting_ms == 40


def test_packets_of_another_length_are_cut_and_filled() -> None:
    buffer = JitterBuffer()
    buffer.put(1, np.ones(80, np.float32), 0.0)
    buffer.put(2, np.ones(400, np.float32), 0.0)
    assert buffer.take().size == 160
    assert buffer.take().size == 160


@given(st.lists(st.tuples(st.integers(0, 65535), st.floats(0, 5)), max_size=60), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_whatever_comes_a_frame_is_given(packets: list[tuple[int, float]], takes: int) -> None:
    buffer = JitterBuffer()
    for sequence, at in packets:
        buffer.put(sequence, np.full(160, 0.1, np.float32), at)
    for _ in range(takes):
        frame = buffer.take()
        assert frame.shape == (160,)
        assert np.isfinite(frame).all()
        assert np.abs(frame).max(initial=0.0) <= 1.0


def test_a_late_packet_makes_the_others_wait_unless_enough_do() -> None:
    buffer = JitterBuffer()
    buffer.put(10, piece(10), 0.0, 0.0)
    buffer.take()
    buffer.put(11, piece(11), 0.02, 20.0)
    buffer.put(9, piece(9), 0.02, 20.0)
    buffer.take()
    assert buffer.report.concealed == 1  # and 11 waits for its turn
    assert buffer.waiting_ms == 20
    for number in range(12, 40):
        buffer.put(number, piece(number), 0.04, number * 20.0)
    buffer.put(8, piece(8), 0.04, 20.0)
    buffer.take()
    assert buffer.report.concealed == 1
    assert buffer.report.lost == 0


def test_another_clock_is_no_jitter() -> None:
    buffer = JitterBuffer()
    buffer.put(1, piece(1), 0.0, 0.0)
    buffer.put(2, piece(2), 0.02, 500_000.0)
    assert buffer.report.jitter_ms == 0
