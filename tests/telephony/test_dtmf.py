"""Keys as tones and as RTP events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.audio.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from voice_server.audio.pcm import Audio
from voice_server.telephony.dtmf import (
    EVENT_DIGITS,
    DtmfDetector,
    EventReceiver,
    TelephoneEvent,
    event_packets,
    tones,
)

ALL = "123A456B789C*0#D"


def heard(audio: Audio, rate: int = 8000, chunk: int = 160) -> str:
    detector = DtmfDetector(rate)
    return "".join(detector.process(audio[i : i + chunk]) for i in range(0, audio.size, chunk))


def noise(samples: int, level: float, seed: int = 1) -> Audio:
    return (np.random.default_rng(seed).standard_normal(samples) * level).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("chunk", [37, 160, 1600])
def test_every_key_is_heard_once(rate: int, chunk: int) -> None:
    assert heard(tones(ALL, rate), rate, chunk) == ALL


def test_a_key_twice_is_two_keys() -> None:
    assert heard(tones("1155", 8000)) == "1155"


@pytest.mark.parametrize("offset", range(0, 160, 23))
def test_the_shortest_tones_and_pauses_are_heard_at_any_phase(offset: int) -> None:
    short = tones("0#19", 8000, tone_ms=45, pause_ms=45)
    audio = np.concatenate((np.zeros(offset, np.float32), short))
    assert heard(audio) == "0#19"


@pytest.mark.parametrize("gain", [1.8, 0.3, 0.06])
def test_loud_and_faint_keys(gain: float) -> None:
    assert heard(np.clip(tones(ALL, 8000) * np.float32(gain), -1, 1)) == ALL


def test_keys_survive_g711_and_line_noise() -> None:
    audio = tones(ALL, 8000) * np.float32(0.4)
    audio = audio + noise(audio.size, 0.01)
    assert heard(decode_ulaw(encode_ulaw(audio))) == ALL
    assert heard(decode_alaw(encode_alaw(audio))) == ALL


def test_frequencies_may_be_off_by_one_and_a_half_percent() -> None:
    time = np.arange(800) / 8000
    for low, high, key in ((697, 1209, "1"), (941, 1477, "#"), (770, 1336, "5")):
        for off in (0.985, 1.015):
            wave = sum(np.sin(2 * np.pi * hz * off * time) for hz in (low, high))
            assert heard(np.asarray(0.2 * wave, np.float32)) == key


def test_twist_is_allowed_up_to_a_point() -> None:
    time = np.arange(1600) / 8000
    low, high = np.sin(2 * np.pi * 770 * time), np.sin(2 * np.pi * 1336 * time)
    assert heard((0.3 * low + 0.15 * high).astype(np.float32)) == "5"
    assert heard((0.4 * low + 0.04 * high).astype(np.float32)) == ""


def test_one_tone_noise_and_silence_are_no_keys() -> None:
    time = np.arange(8000) / 8000
    for hz in (440, 697, 770, 1209, 1336, 2100):
        assert heard((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32)) == ""
    assert heard(noise(80_000, 0.1)) == ""
    assert heard(np.zeros(8000, np.float32)) == ""
    assert heard(np.sign(noise(16_000, 0.2)) * np.float32(0.3)) == ""


def test_voices_are_hardly_ever_keys() -> None:
    """Two minutes of unbroken vowels that glide, purer than any voice: once at most.

    Receivers of exchanges are passed with 30 in half an hour of real speech.
    """
    rng = np.random.default_rng(7)
    rate, seconds = 8000, 120
    time = np.arange(rate * seconds) / rate
    pitch = 120 + 60 * np.sin(2 * np.pi * 0.7 * time) + 25 * np.sin(2 * np.pi * 3.1 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    audio = np.zeros(time.size)
    formants = [700 + 250 * np.sin(2 * np.pi * f * time + rng.random() * 6) for f in (0.31,)]
    formants += [1300 + 350 * np.sin(2 * np.pi * 0.23 * time)]
    for harmonic in range(1, 20):
        gain = sum(1 / (1 + ((harmonic * pitch - formant) / 90) ** 2) for formant in formants)
        audio += gain * np.sin(harmonic * phase)
    audio *= 0.3 / np.abs(audio).max()
    assert len(heard(audio.astype(np.float32), chunk=1600)) <= 1


@given(st.text("0123456789*#ABCD", max_size=6), st.integers(1, 400))
@settings(max_examples=30, deadline=None)
def test_what_is_pressed_is_heard(digits: str, chunk: int) -> None:
    assert heard(tones(digits, 8000), chunk=chunk) == digits


def test_what_is_on_no_keypad_makes_no_sound() -> None:
    assert tones("x!", 8000).size == 0
    with pytest.raises(ValueError, match="8000"):
        DtmfDetector(4000)


def test_events_are_packed_as_the_rfc_draws_them() -> None:
    event = TelephoneEvent(11, True, 10, 800)
    assert event.pack() == bytes((11, 0x8A, 0x03, 0x20))
    assert TelephoneEvent.parse(event.pack() + b"more") == event
    assert event.digit == "#"
    assert TelephoneEvent(16, False, 0, 0).digit == ""
    with pytest.raises(ValueError, match="four bytes"):
        TelephoneEvent.parse(b"abc")


@given(st.sets(st.integers(0, 6), max_size=6))
def test_a_key_is_reported_once_whatever_is_lost(lost: set[int]) -> None:
    receiver = EventReceiver()
    heard_keys = ""
    for number, digit in enumerate("155"):
        for index, packet in enumerate(event_packets(digit)):
            if index not in lost:
                heard_keys += receiver.receive(1000 * number, packet.pack())
    assert heard_keys == ("155" if len(lost) < 7 else "")


def test_every_key_has_its_event() -> None:
    packets = [event_packets(digit) for digit in EVENT_DIGITS]
    assert [each[0].digit for each in packets] == list(EVENT_DIGITS)
    assert all([p.end for p in each] == [False] * 4 + [True] * 3 for each in packets)
    assert len(event_packets("1", duration_ms=1)) == 3
