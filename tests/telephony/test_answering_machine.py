"""Person or machine, and when it records: by sounds of known length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.audio.g711 import decode_ulaw, encode_ulaw
from voice_server.audio.pcm import Audio
from voice_server.telephony.answering_machine import (
    AnsweringMachine,
    Finding,
    GivenUp,
    Judged,
    MachineOptions,
    Recording,
    Verdict,
)
from voice_server.telephony.beep import LONGEST_MS, BeepDetector

RATE = 8000


def quiet(ms: int) -> Audio:
    return np.zeros(RATE * ms // 1000, np.float32)


def tone(ms: int, hz: float = 1000.0, gain: float = 0.3) -> Audio:
    return (gain * np.sin(2 * np.pi * hz * np.arange(RATE * ms // 1000) / RATE)).astype(np.float32)


def speech(ms: int, seed: int = 1) -> Audio:
    """A voice: partials of a pitch that moves, with the noise of breath."""
    rng = np.random.default_rng(seed)
    t = np.arange(RATE * ms // 1000) / RATE
    pitch = 120 + 25 * np.sin(2 * np.pi * 3 * t) + 10 * rng.random()
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    return (0.1 * np.asarray(voice) + 0.01 * rng.standard_normal(t.size)).astype(np.float32)


def words(count: int, ms: int = 200, pause: int = 100) -> Audio:
    return np.concatenate([np.concatenate((speech(ms, n), quiet(pause))) for n in range(count)])


def heard(*parts: Audio, machine: AnsweringMachine | None = None) -> list[Finding]:
    machine = machine or AnsweringMachine(RATE)
    sound = decode_ulaw(encode_ulaw(np.concatenate(parts)))
    findings: list[Finding] = []
    for start in range(0, sound.size, 170):  # no whole frames: it must not matter
        findings += machine.hear(sound[start : start + 170])
    return findings


def test_a_word_and_silence_is_a_person() -> None:
    assert heard(quiet(400), speech(500), quiet(1000)) == [
        Judged(Verdict.HUMAN, "a short greeting, then silence")
    ]


def test_who_talks_on_is_a_machine_that_beeps() -> None:
    findings = heard(quiet(300), speech(4000), quiet(500), tone(400), quiet(200))
    assert findings == [
        Judged(Verdict.MACHINE, "more than 1500 ms of speech"), Recording(beep=True)
    ]  # fmt: skip


def test_many_words_are_a_machines() -> None:
    assert heard(words(4))[0] == Judged(Verdict.MACHINE, "more than 3 words")
    assert heard(words(3), quiet(800))[0] == Judged(Verdict.HUMAN, "a short greeting, then silence")


def test_clicks_are_no_words_and_silence_is_greeted() -> None:
    findings = heard(quiet(500), speech(40), quiet(400), speech(60), quiet(3000))
    assert findings == [Judged(Verdict.UNSURE, "nobody says anything")]


def test_a_line_that_rustles_on_is_unsure() -> None:
    options = MachineOptions(greeting_ms=4000, words=99)
    machine = AnsweringMachine(RATE, options)
    rustling = [part for n in range(12) for part in (speech(120, n), quiet(400))]
    assert heard(*rustling, machine=machine) == [
        Judged(Verdict.UNSURE, "nothing was sure in 5000 ms")
    ]
    assert machine.over


def test_a_machine_without_a_beep_records_after_silence() -> None:
    findings = heard(speech(3000), quiet(2200))
    assert findings[1:] == [Recording(beep=False)]


def test_a_person_taken_for_a_machine_speaks_up() -> None:
    machine = AnsweringMachine(RATE)
    findings = heard(speech(2500), quiet(2200), speech(400), quiet(300), speech(700),
                     machine=machine)  # fmt: skip
    assert findings[1:] == [Recording(beep=False), Judged(Verdict.HUMAN, "speaks into the message")]
    assert machine.over
    assert machine.hear(speech(500)) == []


def test_a_late_beep_after_a_silent_recorder_still_begins_the_message() -> None:
    findings = heard(speech(2500), quiet(2200), tone(300), quiet(100))
    assert findings[1:] == [
        Recording(beep=False), Judged(Verdict.MACHINE, "a beep"), Recording(beep=True)
    ]  # fmt: skip


def test_a_machine_that_never_ends_is_given_up() -> None:
    options = MachineOptions(record_ms=3000)
    machine = AnsweringMachine(RATE, options)
    assert heard(speech(5000), machine=machine)[1:] == [GivenUp()]
    assert machine.over


def test_a_beep_at_once_is_a_machine() -> None:
    assert heard(quiet(300), tone(500), quiet(60)) == [
        Judged(Verdict.MACHINE, "a beep"), Recording(beep=True)
    ]  # fmt: skip


def test_the_vendors_word_counts_once() -> None:
    machine = AnsweringMachine(RATE)
    assert machine.told(Verdict.MACHINE) == [Judged(Verdict.MACHINE, "the vendor says so")]
    assert machine.told(Verdict.HUMAN) == []
    assert machine.told_recording() == [Recording(beep=True)]
    assert machine.told_recording() == []
    person = AnsweringMachine(RATE)
    assert person.told(Verdict.HUMAN) == [Judged(Verdict.HUMAN, "the vendor says so")]
    silent = AnsweringMachine(RATE)
    heard(speech(2500), quiet(2200), machine=silent)
    assert silent.told_recording() == []  # the message is being said already


@pytest.mark.parametrize("hz", [440, 500, 850, 1000, 1400, 2000])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_beeps_of_all_kinds(hz: int, rate: int) -> None:
    wave = 0.2 * np.sin(2 * np.pi * hz * np.arange(rate // 4) / rate)
    sound: Audio = np.concatenate((wave, np.zeros(rate // 10))).astype(np.float32)
    detector = BeepDetector(rate)
    size = rate // 50
    assert sum(detector.hear(sound[at : at + size]) for at in range(0, sound.size, size)) == 1


def beeps(*parts: Audio) -> int:
    detector = BeepDetector(RATE)
    sound = np.concatenate((*parts, quiet(100)))
    return sum(detector.hear(sound[at : at + 160]) for at in range(0, sound.size, 160))


def test_what_is_no_beep() -> None:
    assert beeps(tone(100)) == 0  # a click
    assert beeps(tone(400, 425)) == 0  # busy
    assert beeps(tone(400, 3000)) == 0
    assert beeps(tone(400, gain=0.004)) == 0
    assert beeps(tone(LONGEST_MS + 200)) == 0
    assert beeps(tone(300, 770) + tone(300, 1336)) == 0  # key 5
    assert beeps(*[tone(60, 600 + 90 * n) for n in range(10)]) == 0  # a siren
    assert beeps(np.full(RATE // 4, 0.3, np.float32)) == 0  # a stuck line


@given(st.lists(st.tuples(st.booleans(), st.integers(20, 900)), max_size=14), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_pieces_do_not_matter_and_speech_never_beeps(
    parts: list[tuple[bool, int]], size: int
) -> None:
    sound = np.concatenate(
        [
            quiet(0),
            *(speech(ms, n) if voiced else quiet(ms) for n, (voiced, ms) in enumerate(parts)),
        ]
    )
    whole, pieces = AnsweringMachine(RATE), AnsweringMachine(RATE)
    at_once = whole.hear(sound)
    bit_by_bit = [
        finding
        for start in range(0, sound.size, size)
        for finding in pieces.hear(sound[start : start + size])
    ]
    assert at_once == bit_by_bit
    assert Recording(beep=True) not in at_once
    assert len([one for one in at_once if isinstance(one, Judged)]) <= 2


@given(st.binary(max_size=4000))
@settings(max_examples=40, deadline=None)
def test_any_noise_leads_to_some_finding_in_time(noise: bytes) -> None:
    machine = AnsweringMachine(RATE)
    findings = machine.hear(decode_ulaw(noise)) if noise else []
    findings += machine.hear(quiet(6000))
    assert any(isinstance(one, Judged) for one in findings)
