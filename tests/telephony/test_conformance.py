"""Every bridge passes these: what a call is does not depend on who carries it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.telephony.calls import VENDORS, Wire, faults, of
from voice_server.telephony.bridge_base import FAULT_LIMIT
from voice_server.telephony.bridges import BRIDGES
from voice_server.telephony.call import (
    BINARY_LIMIT,
    TEXT_LIMIT,
    Bridge,
    CallCommand,
    CallEvent,
    Clear,
    Close,
    Dtmf,
    Fault,
    HangUp,
    Mark,
    MarkReached,
    Media,
    SendAudio,
    SendDtmf,
    Started,
    Stopped,
    Transfer,
)

pytestmark = pytest.mark.parametrize("vendor", VENDORS)


def frame(wire: Wire, value: int = 7) -> bytes:
    """20 ms of sound that is not silence."""
    return bytes((value,)) * wire.phone.codec.frame_bytes(20)


def test_a_call_starts_once_and_says_whose(vendor: str) -> None:
    wire = Wire.of(vendor)
    started = wire.dialled()
    assert started.call_id == wire.phone.call_id
    assert started.codec == wire.phone.codec
    if vendor != "audiosocket":  # the wire has no room for numbers: they come by HTTP
        assert (started.caller, started.called) == (wire.phone.caller, wire.phone.called)


def test_the_caller_is_heard_bit_for_bit(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    sound = [frame(wire, value) for value in (1, 2, 3)]
    events = [event for data in sound for event in wire.up(wire.phone.speak(data))]
    assert of(Media, events) == [Media(data) for data in sound]
    assert faults(events) == []


def test_the_caller_hears_us_bit_for_bit(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    wire.down(SendAudio(frame(wire)))
    assert wire.play()[0] == frame(wire)
    assert wire.play()[0] == wire.phone.codec.silence * (wire.phone.codec.rate // 50)
    assert wire.phone.refusal == ""


def test_marks_come_back_when_played(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    wire.down(SendAudio(frame(wire)))
    assert of(MarkReached, wire.down(Mark("r1:1"))) == []
    reached = of(MarkReached, wire.play()[1])
    assert reached == ([MarkReached("r1:1")] if wire.bridge.features.marks else [])


def test_clear_takes_back_what_is_not_played(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    for _ in range(10):
        wire.down(SendAudio(frame(wire)))
    wire.play()
    wire.down(Clear())
    silent = wire.play()[0] == wire.phone.codec.silence * (wire.phone.codec.rate // 50)
    assert silent == wire.bridge.features.clears
    assert wire.phone.cleared == int(wire.bridge.features.clears)


def test_keys_are_events(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    events = [event for digit in "1*#0" for event in wire.up(wire.phone.press(digit))]
    assert [event.digit for event in of(Dtmf, events)] == list("1*#0")


def test_the_caller_hangs_up(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    events = wire.up(wire.phone.hang_up())
    assert len(of(Stopped, events)) == 1
    assert of(Fault, events) == []
    assert wire.up(wire.phone.speak(frame(wire))) == []
    assert wire.bridge.send(SendAudio(frame(wire))) == []
    assert wire.bridge.lost() == []


@pytest.mark.parametrize("command", [HangUp(), Transfer("+3225550199", {"summary": "x"})])
def test_we_leave(vendor: str, command: HangUp | Transfer) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    messages = wire.bridge.send(command)
    events: list[CallEvent] = []
    for message in messages:
        if not isinstance(message, Close):
            events += wire.up(wire.phone.receive(message))
    if vendor == "genesys":  # only the client may close: we asked for it, and it did
        assert len(of(Stopped, events)) == 1
        assert wire.phone.outcome["action"] == (
            "transfer" if isinstance(command, Transfer) else "finished"
        )
    elif wire.bridge.features.reports_transfer and isinstance(command, Transfer):
        assert of(Stopped, events) == []  # ours until its end is told
        return
    else:
        assert isinstance(messages[-1], Close)
    assert wire.bridge.send(SendAudio(frame(wire))) == []


def test_media_before_the_start_is_dropped_and_told(vendor: str) -> None:
    wire = Wire.of(vendor)
    if vendor == "genesys":
        wire.phone.opened = True  # type: ignore[attr-defined]
    events = wire.up(wire.phone.speak(frame(wire)))
    assert of(Media, events) == []
    assert faults(events) == ["media before the start"]
    assert not any(fault.fatal for fault in of(Fault, events))
    if vendor == "genesys":
        wire.phone.opened = False  # type: ignore[attr-defined]
    wire.dialled()


def test_keys_before_the_start_are_dropped_and_told(vendor: str) -> None:
    wire = Wire.of(vendor)
    events = wire.up(wire.phone.press("1"))
    assert of(Dtmf, events) == []
    assert any("before the start" in text for text in faults(events))


def test_a_stop_without_a_start_ends_cleanly(vendor: str) -> None:
    wire = Wire.of(vendor)
    events = wire.up(wire.phone.hang_up())
    assert of(Stopped, events) == []
    assert of(Media, events) == []
    assert wire.bridge.send(SendAudio(b"\x07" * 160)) == []


def test_commands_before_the_start_send_nothing(vendor: str) -> None:
    bridge = BRIDGES[vendor]()
    assert bridge.send(SendAudio(b"\x07" * 160)) == []
    assert bridge.send(Mark("m")) == []
    assert bridge.send(Clear()) == []
    assert bridge.send(SendDtmf("1")) == []
    assert any(isinstance(message, Close) for message in bridge.send(HangUp()))


def test_a_second_start_does_not_begin_a_second_call(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    events = wire.up(wire.phone.dial())
    assert of(Started, events) == []
    assert any("second" in text for text in faults(events))
    assert not any(fault.fatal for fault in of(Fault, events))
    assert of(Media, wire.up(wire.phone.speak(frame(wire)))) == [Media(frame(wire))]


def test_a_lost_line_is_the_end(vendor: str) -> None:
    wire = Wire.of(vendor)
    assert wire.bridge.lost() == []
    wire = Wire.of(vendor)
    wire.dialled()
    assert len(of(Stopped, wire.bridge.lost())) == 1
    assert wire.bridge.lost() == []


MALFORMED = [
    "", "{", "[]", "null", '{"event": 3}', '{"event": "media"}', '{"type": "open"}',
    '{"event": "media", "media": {"payload": "*"}}', '{"event": "dtmf", "dtmf": {"digit": "X"}}',
    "HELLO", "\x00", "x" * (TEXT_LIMIT + 1),
]  # fmt: skip


@pytest.mark.parametrize("message", MALFORMED)
@pytest.mark.parametrize("live", [False, True])
def test_a_malformed_text_is_told_and_the_call_goes_on(
    vendor: str, message: str, live: bool
) -> None:
    wire = Wire.of(vendor)
    if live:
        wire.dialled()
    if vendor == "genesys" and '"type"' in message:
        message = message.replace("}", ', "version": "2", "seq": "one"}')
    [event] = wire.bridge.receive(message)
    assert isinstance(event, Fault)
    assert not event.fatal
    assert event.text.isprintable()
    assert len(event.text) < 200
    if not live:
        wire.dialled()
    assert of(Media, wire.up(wire.phone.speak(frame(wire)))) == [Media(frame(wire))]


def test_noise_without_end_is_given_up(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    events = [event for _ in range(FAULT_LIMIT + 5) for event in wire.bridge.receive("{")]
    assert [fault.fatal for fault in of(Fault, events)] == [False] * (FAULT_LIMIT - 1) + [True]
    assert of(Stopped, events) == [Stopped("protocol error")]


def test_too_large_a_binary_message_is_refused(vendor: str) -> None:
    wire = Wire.of(vendor)
    wire.dialled()
    [fault] = faults(wire.bridge.receive(bytes(BINARY_LIMIT + 1)))
    assert "bytes" in fault


def _sane(bridge: Bridge, events: list[CallEvent], started: bool) -> bool:
    """Nothing before the start, nothing after the stop, one of each."""
    over = False
    for event in events:
        assert not over, f"{event} after the stop"
        if isinstance(event, Started):
            assert not started
            started = True
        if isinstance(event, Media | Dtmf | MarkReached | Stopped):
            assert started, f"{event} before the start"
        over = isinstance(event, Stopped)
    return started


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_order_and_any_damage_leaves_the_bridge_sane(vendor: str, data: st.DataObject) -> None:
    wire = Wire.of(vendor)
    phone = wire.phone
    acts = {
        "dial": phone.dial,
        "speak": lambda: phone.speak(frame(wire)),
        "press": lambda: phone.press("5"),
        "hang_up": phone.hang_up,
    }
    started = False
    for _ in range(data.draw(st.integers(1, 12))):
        act = data.draw(st.sampled_from([*acts, "damage", "noise", "command"]))
        if act == "noise":
            noise = data.draw(st.one_of(st.text(max_size=80), st.binary(max_size=80)))
            started = _sane(wire.bridge, wire.bridge.receive(noise), started)
        elif act == "damage":
            for message in phone.speak(frame(wire)) + phone.dial():
                assert not isinstance(message, Close)
                cut = data.draw(st.integers(0, len(message)))
                started = _sane(wire.bridge, wire.bridge.receive(message[:cut]), started)
        elif act == "command":
            commands: list[CallCommand] = [SendAudio(frame(wire)), Mark("m"), Clear(), HangUp()]
            for sent in wire.bridge.send(commands[data.draw(st.integers(0, 3))]):
                assert isinstance(sent, str | bytes | Close)
        else:
            started = _sane(wire.bridge, wire.up(acts[act]()), started)
