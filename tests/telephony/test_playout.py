"""The way of a trunk's packets to the bridge, over bad networks, in exact time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.telephony.calls import of
from voice_server.audio.pcm import Audio, level_dbfs
from voice_server.telephony.call import (
    ALAW_8K,
    ULAW_8K,
    CallEvent,
    Codec,
    CodecChanged,
    Dtmf,
    Fault,
    Gap,
    Media,
    Message,
)
from voice_server.telephony.dtmf import event_packets
from voice_server.telephony.playout import DRY_S, PAUSE_S, Playout
from voice_server.telephony.rtp import Packet
from voice_server.telephony.sip_bridge import SipBridge

PITCH_HZ = 100
START = '{"event":"start","call_id":"c","kind":0,"codec":0,"events":101}'


def voice(count: int) -> Audio:
    """So many frames of a hum that has a pitch, as voices have."""
    time = np.arange(count * 160) / 8000
    wave = sum(np.sin(2 * np.pi * PITCH_HZ * n * time) / n for n in range(1, 8))
    return np.asarray(0.15 * wave, np.float32)


@dataclass
class Trunk:
    """A gateway, a network, our playout and the bridge behind it."""

    delay_ms: Callable[[int], float | None] = lambda _: 0.0
    """Of the packet with this number; None loses it."""
    playout: Playout = field(default_factory=lambda: Playout({0: ULAW_8K}, 101))
    bridge: SipBridge = field(default_factory=SipBridge)
    now: float = 0.0
    sent: int = 0
    timestamp: int = 0
    source: int = 7
    events: list[CallEvent] = field(default_factory=list)
    heard: list[Audio] = field(default_factory=list)
    late: list[tuple[float, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bridge.receive(START)

    def take(self, messages: list[Message]) -> None:
        for message in messages:
            assert isinstance(message, str | bytes)
            got = self.bridge.receive(message)
            self.events += got
            for event in of(Media, got):
                codec = self.bridge.codec
                assert codec is not None
                self.heard.append(codec.decode(event.data))

    def send(self, payload: bytes, kind: int = 0, samples: int = 160) -> None:
        """Put a packet on the network."""
        packet = Packet(kind, self.sent, self.timestamp, self.source, payload)
        delay = self.delay_ms(self.sent)
        if delay is not None:
            self.late.append((self.now + delay / 1000, packet.pack()))
        self.sent += 1
        self.timestamp += samples

    def tick(self) -> None:
        """20 ms pass."""
        for at, data in sorted(item for item in self.late if item[0] <= self.now + 1e-9):
            self.take(self.playout.put(data, at))
        self.late = [item for item in self.late if item[0] > self.now + 1e-9]
        self.take(self.playout.take(self.now))
        self.now += 0.02

    def speak(self, audio: Audio, codec: Codec = ULAW_8K, kind: int = 0) -> None:
        for start in range(0, audio.size, 160):
            self.send(codec.encode(audio[start : start + 160]), kind)
            self.tick()

    def pause(self, frames: int) -> None:
        """The gateway sends nothing."""
        self.timestamp += 160 * frames
        for _ in range(frames):
            self.tick()

    @property
    def sound(self) -> Audio:
        return np.concatenate(self.heard)

    @property
    def lost_ms(self) -> float:
        return sum(gap.lost_ms for gap in of(Gap, self.events))


def random_delays(seed: int, *, loss: float, jitter_ms: float) -> Callable[[int], float | None]:
    rng = np.random.default_rng(seed)
    table = [None if rng.random() < loss else float(rng.random() * jitter_ms) for _ in range(5000)]
    return lambda number: table[number]


def clicks(sound: Audio) -> int:
    """Steps that no voice of this pitch and level makes."""
    return int((np.abs(np.diff(sound)) > 0.25).sum())


def test_a_good_line_loses_nothing_and_waits_one_frame() -> None:
    trunk = Trunk()
    spoken = voice(50)
    trunk.speak(spoken)
    trunk.pause(2)
    wanted = ULAW_8K.decode(ULAW_8K.encode(spoken))
    at = next(n for n, frame in enumerate(trunk.heard) if frame.any())
    assert at <= 1
    assert np.array_equal(trunk.sound[at * 160 :][: wanted.size], wanted)
    assert not of(Gap, trunk.events)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_percent_of_loss_is_made_up(seed: int) -> None:
    trunk = Trunk(random_delays(seed, loss=0.1, jitter_ms=0))
    trunk.speak(voice(500))
    assert 20 * 25 < trunk.lost_ms < 20 * 80
    assert all(gap.concealed for gap in of(Gap, trunk.events))
    frames = [level_dbfs(frame) for frame in trunk.heard[20:]]
    silent = sum(level < -45 for level in frames)
    assert silent <= 5  # the ear gets a voice where packets were lost
    assert clicks(trunk.sound) == 0
    assert 498 <= len(trunk.heard) <= 500


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_jitter_of_200_ms_with_its_reordering_is_waited_for(seed: int) -> None:
    trunk = Trunk(random_delays(seed, loss=0.0, jitter_ms=200))
    trunk.speak(voice(600))
    before, trunk.events = trunk.lost_ms, []
    trunk.speak(voice(600))
    assert trunk.lost_ms <= 20 * 12, before  # 2 %, once the network is known
    assert trunk.playout.waiting_ms <= 260
    assert clicks(trunk.sound[600 * 160 :]) == 0


def test_another_source_goes_on_at_once() -> None:
    trunk = Trunk()
    trunk.speak(voice(20))
    trunk.source, trunk.sent, trunk.timestamp = 99, 40_000, 123_456_789
    trunk.speak(voice(20))
    assert sum(level_dbfs(frame) > -30 for frame in trunk.heard) >= 37
    assert not of(Fault, trunk.events)


def test_a_jump_of_the_numbers_is_another_stream() -> None:
    trunk = Trunk()
    trunk.speak(voice(20))
    trunk.sent += 20_000
    trunk.speak(voice(20))
    assert sum(level_dbfs(frame) > -30 for frame in trunk.heard) >= 37
    assert trunk.lost_ms == 0


def test_the_codec_changes_in_mid_call_without_a_click() -> None:
    trunk = Trunk()
    spoken = voice(60)
    trunk.speak(spoken[: 30 * 160])
    trunk.speak(spoken[30 * 160 :], ALAW_8K, kind=8)
    trunk.pause(1)
    assert of(CodecChanged, trunk.events) == [CodecChanged(ALAW_8K)]
    assert not of(Fault, trunk.events)
    assert clicks(trunk.sound) == 0
    assert sum(level_dbfs(frame) > -30 for frame in trunk.heard) >= 59


def test_keys_pass_at_once_and_leave_no_hole() -> None:
    trunk = Trunk()
    trunk.speak(voice(20))
    for packet in event_packets("5"):
        trunk.send(packet.pack(), 101, 0)
        trunk.tick()
    trunk.speak(voice(20))
    assert of(Dtmf, trunk.events) == [Dtmf("5")]
    assert trunk.lost_ms == 0


def test_an_announced_pause_is_the_noise_it_names() -> None:
    trunk = Trunk()
    trunk.speak(voice(20))
    trunk.send(bytes((55,)), 13)
    trunk.tick()
    trunk.pause(100)
    levels = [level_dbfs(frame) for frame in trunk.heard[-90:]]
    assert all(-58 < level < -52 for level in levels), levels
    assert len(trunk.heard) >= 120
    trunk.speak(voice(20))
    assert level_dbfs(trunk.heard[-5]) > -30
    assert trunk.lost_ms == 0
    assert trunk.playout.waiting_ms <= 40  # the pause is not taken for jitter
    trunk.send(b"", 13)
    trunk.pause(round(PAUSE_S * 50) + 20)
    count = len(trunk.heard)
    assert level_dbfs(trunk.heard[-1]) < -60
    trunk.pause(50)
    assert len(trunk.heard) == count


def test_a_pause_without_a_word_is_silence_for_a_while() -> None:
    trunk = Trunk()
    trunk.pause(5)
    assert not trunk.heard
    trunk.speak(voice(20))
    trunk.pause(round(DRY_S * 50) + 20)
    assert 95 <= len(trunk.heard) - 20 <= 105
    assert not trunk.heard[-1].any()
    assert trunk.lost_ms == 0
    trunk.speak(voice(20))
    assert level_dbfs(trunk.heard[-5]) > -30


def test_other_lengths_than_20_ms_pass_as_they_come() -> None:
    trunk = Trunk()
    spoken = voice(60)
    for start in range(0, spoken.size, 240):
        trunk.send(ULAW_8K.encode(spoken[start : start + 240]), 0, 240)
        trunk.tick()
    trunk.send(b"\x40", 13)
    trunk.tick()
    assert trunk.sound.size == spoken.size
    assert not of(Fault, trunk.events)


def test_what_is_no_sound_is_told() -> None:
    trunk = Trunk()
    trunk.speak(voice(3))
    trunk.take(trunk.playout.put(b"noise", 0.0))
    trunk.take(trunk.playout.put(Packet(96, 3, 0, 7, b"x").pack(), 0.0))
    assert [fault.text for fault in of(Fault, trunk.events)] == [
        "a datagram that is no RTP", "RTP of an unknown payload type 96",
    ]  # fmt: skip


def packets() -> st.SearchStrategy[Iterator[bytes]]:
    packet = st.builds(
        Packet,
        kind=st.sampled_from([0, 8, 13, 101, 96]),
        sequence=st.integers(0, 65535),
        timestamp=st.integers(0, 2**32 - 1),
        source=st.integers(1, 2),
        payload=st.binary(max_size=400),
        marker=st.booleans(),
    )
    return st.lists(st.one_of(packet.map(Packet.pack), st.binary(max_size=40)), max_size=60).map(
        iter
    )


@given(packets())
@settings(max_examples=60)
def test_anything_may_come(sent: Iterator[bytes]) -> None:
    trunk = Trunk()
    for data in sent:
        trunk.take(trunk.playout.put(data, trunk.now))
        trunk.tick()
    assert trunk.playout.waiting_ms <= 2000
