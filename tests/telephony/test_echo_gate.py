"""Our own voice that comes back is silenced; a caller's, and everything after, is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conversation.test_echo import db, room, speech_like
from voice_server.audio.pcm import Audio
from voice_server.audio.resample import resample
from voice_server.telephony.echo_gate import TAIL_S, EchoGate

FRAME = 320


def through(gate: EchoGate, ours: Audio | None, mic: Audio) -> tuple[int, int]:
    """Run both directions; return how many loud frames came, and how many were silenced."""
    sent = resample(ours, 16_000, 24_000) if ours is not None else np.zeros(0, np.float32)
    loud = 0
    for count, start in enumerate(range(0, mic.size - FRAME + 1, FRAME)):
        piece = sent[count * 480 : (count + 1) * 480]
        if piece.size:
            gate.played(piece, count * 0.02)
        frame = mic[start : start + FRAME]
        loud += bool(np.sqrt(np.mean(frame**2)) > 0.003)
        assert gate.hear(frame, count * 0.02).size == FRAME
    return loud, gate.silenced


def late(audio: Audio, delay_ms: int) -> Audio:
    return np.concatenate((np.zeros(16 * delay_ms, np.float32), audio))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("delay_ms", [60, 250, 500])
@pytest.mark.parametrize("decibel", [-10, -20])
def test_echo_is_silenced_whenever_it_comes(seed: int, delay_ms: int, decibel: int) -> None:
    ours = speech_like(seed, 3000)
    loud, silenced = through(EchoGate(), ours, late(db(decibel) * ours, delay_ms))
    assert loud > 50
    assert silenced >= 0.93 * loud


def test_echo_of_a_room_is_mostly_silenced() -> None:
    ours = speech_like(1, 3000)
    loud, silenced = through(EchoGate(), ours, late(db(-20) * room(ours, 2), 150))
    assert silenced >= 0.6 * loud


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("decibel", [0, -6])
def test_another_voice_passes(seed: int, decibel: int) -> None:
    caller = db(decibel) * speech_like(seed + 50, 3000)
    loud, silenced = through(EchoGate(), speech_like(seed, 3000), caller)
    assert silenced <= 0.02 * loud


@pytest.mark.parametrize("seed", range(4))
def test_a_caller_over_echo_passes(seed: int) -> None:
    ours = speech_like(seed, 3000)
    mic = speech_like(seed + 50, 3000) + db(-20) * ours
    loud, silenced = through(EchoGate(), ours, mic)
    assert silenced <= 0.1 * loud


def test_without_our_voice_nothing_is_done() -> None:
    gate = EchoGate()
    mic = speech_like(3)
    assert gate.hear(mic[:FRAME], 5.0) is not None
    assert through(gate, None, mic)[1] == 0
    assert gate.hear(np.zeros(0, np.float32), 0.0).size == 0
    assert gate.match() == (0.0, 0.0)


def test_after_a_while_the_same_words_are_a_callers() -> None:
    gate = EchoGate()
    ours = speech_like(4)
    sent = resample(ours, 16_000, 24_000)
    for count in range(sent.size // 480):
        gate.played(sent[count * 480 : (count + 1) * 480], count * 0.02)
    end = sent.size / 24_000
    echo = db(-20) * ours
    for count in range(echo.size // FRAME):
        now = end + 2 * TAIL_S + count * 0.02
        assert gate.hear(echo[count * FRAME : (count + 1) * FRAME], now).any()
    assert gate.silenced == 0
