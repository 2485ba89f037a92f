import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.speech.stt.chunks import split_at_pauses

RATE = 16_000


def test_short_audio_stays_whole() -> None:
    audio = np.ones(RATE, np.float32)
    (piece,) = split_at_pauses(audio, longest_s=28.5)
    assert piece is audio


def test_the_cut_is_in_the_middle_of_the_pause() -> None:
    audio = np.full(40 * RATE, 0.3, np.float32)
    audio[24 * RATE : int(24.4 * RATE)] = 0.001
    first, second = split_at_pauses(audio, longest_s=28.5)
    assert 24.0 < first.size / RATE < 24.4
    assert first.size + second.size == audio.size


def test_among_equals_the_latest_pause_wins() -> None:
    first, _ = split_at_pauses(np.zeros(30 * RATE, np.float32), longest_s=28.5)
    assert first.size / RATE > 28.3


@settings(max_examples=30, deadline=None)
@given(seconds=st.floats(0, 30), longest_s=st.sampled_from([2.0, 3.5, 9.0]))
def test_pieces_are_short_enough_and_lose_nothing(seconds: float, longest_s: float) -> None:
    audio = np.random.default_rng(1).standard_normal(int(seconds * RATE)).astype(np.float32)
    pieces = split_at_pauses(audio, longest_s=longest_s, search_s=1.0)
    assert np.array_equal(np.concatenate(pieces), audio)
    assert all(piece.size <= longest_s * RATE for piece in pieces)
    assert all(piece.size >= (longest_s - 1) * RATE for piece in pieces[:-1])
