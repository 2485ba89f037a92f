"""What is each vendor's own: documented messages, word for word in shape, and their pitfalls."""

from __future__ import annotations

import base64
import uuid

import orjson
import pytest

from tests.telephony.calls import Wire, faults, of
from voice_server.telephony.audiosocket_bridge import AudioSocketBridge, frame
from voice_server.telephony.call import (
    ALAW_8K,
    PCM_8K,
    PCM_16K,
    PCM_24K,
    ULAW_8K,
    Answer,
    Clear,
    Close,
    Codec,
    CodecChanged,
    Dtmf,
    Encoding,
    Fault,
    Gap,
    HangUp,
    Hold,
    Mark,
    MarkReached,
    Media,
    SendAudio,
    SendDtmf,
    Started,
    Stopped,
    Transfer,
)
from voice_server.telephony.chan_websocket_bridge import ChanWebsocketBridge
from voice_server.telephony.genesys_bridge import PROBE, GenesysBridge, duration_ms
from voice_server.telephony.plivo_bridge import PlivoBridge
from voice_server.telephony.telnyx_bridge import REORDER, TelnyxBridge
from voice_server.telephony.twilio_bridge import TwilioBridge
from voice_server.telephony.vonage_bridge import VonageBridge

SOUND = b"\x11" * 160
TEXT = base64.b64encode(SOUND).decode()


def test_codecs_know_their_sizes() -> None:
    assert (ULAW_8K.frame_bytes(20), PCM_16K.frame_bytes(20)) == (160, 640)
    for codec in (ULAW_8K, ALAW_8K, PCM_8K):
        assert abs(codec.decode(codec.silence * 3)).max() < 0.001
        assert codec.encode(codec.decode(codec.silence)) == codec.silence


def test_what_is_no_number_or_word_is_left_out() -> None:
    bridge = TwilioBridge()
    start = TWILIO_START.replace('"sequenceNumber":"1"', '"sequenceNumber":true')
    [started] = bridge.receive(start.replace('"from":"+32470"', '"from":["x"],"n":7,"b":true'))
    assert isinstance(started, Started)
    assert started.parameters == {"FirstName": "Jane", "from": "", "n": "7", "b": ""}
    media = twilio_media(1, 0).replace('"timestamp":"0"', '"timestamp":"soon"')
    assert bridge.receive(media) == [Media(SOUND)]
    media = twilio_media(2, 0).replace('"timestamp":"0"', '"timestamp":false')
    assert bridge.receive(media.replace('"2"', '"two"')) == [Media(SOUND)]
    empty = TWILIO_START.replace('{"FirstName":"Jane","from":"+32470"}', "null")
    [started] = TwilioBridge().receive(empty)
    assert isinstance(started, Started)
    assert started.parameters == {}
    assert faults(bridge.receive(twilio_media(3, 0).replace(f'"{TEXT}"', "3")))
    assert bridge.send(SendAudio(b"")) == []
    assert bridge.send(SendDtmf("1")) == []


# -------------------------------------------------------------------- Twilio

TWILIO_START = (
    '{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1",'
    '"callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw",'
    '"sampleRate":8000,"channels":1},"customParameters":{"FirstName":"Jane","from":"+32470"}},'
    '"streamSid":"MZ1"}'
)


def twilio_media(number: int, timestamp: int, track: str = "inbound") -> str:
    return (
        f'{{"event":"media","sequenceNumber":"{number}","media":{{"track":"{track}","chunk":"1",'
        f'"timestamp":"{timestamp}","payload":"{TEXT}"}},"streamSid":"MZ1"}}'
    )


def test_twilio_as_documented() -> None:
    bridge = TwilioBridge()
    assert bridge.receive('{"event":"connected","protocol":"Call","version":"1.0.0"}') == []
    [started] = bridge.receive(TWILIO_START)
    assert started == Started(
        "CA1", "MZ1", ULAW_8K, caller="+32470", parameters={"FirstName": "Jane", "from": "+32470"}
    )
    assert bridge.receive(twilio_media(2, 5)) == [Media(SOUND)]
    key = '{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"3","dtmf":{"digit":"1"}}'
    assert bridge.receive(key) == [Dtmf("1")]
    mark = '{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"my label"}}'
    assert bridge.receive(mark) == [MarkReached("my label")]
    [sent] = bridge.send(SendAudio(SOUND))
    assert isinstance(sent, str)
    assert orjson.loads(sent) == {"event": "media", "streamSid": "MZ1", "media": {"payload": TEXT}}
    assert bridge.send(Clear()) == ['{"event":"clear","streamSid":"MZ1"}']
    assert bridge.send(Mark("a")) == ['{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}']
    stop = (
        '{"event":"stop","sequenceNumber":"5","streamSid":"MZ1","stop":{"accountSid":"AC1",'
        '"callSid":"CA1"}}'
    )
    assert len(of(Stopped, bridge.receive(stop))) == 1


def test_twilio_holes_are_told_and_the_call_goes_on() -> None:
    bridge = TwilioBridge()
    bridge.receive(TWILIO_START)
    bridge.receive(twilio_media(2, 0))
    events = bridge.receive(twilio_media(8, 120))
    assert faults(events) == ["message number 8 came after 2"]
    assert of(Gap, events) == [Gap(100.0)]
    assert of(Media, events) == [Media(SOUND)]


def test_small_losses_add_up_and_a_clock_that_was_set_is_no_loss() -> None:
    bridge = TwilioBridge()
    bridge.receive(TWILIO_START)
    stamps = [0, 20, 60, 100, 140, 180, 220]  # from the third on, every second piece is missing
    gaps = [gap for at in stamps for gap in of(Gap, bridge.receive(twilio_media(2, at)))]
    assert gaps == [Gap(80.0)]
    assert of(Gap, bridge.receive(twilio_media(3, 900_000))) == []
    assert of(Gap, bridge.receive(twilio_media(4, 100))) == []
    assert of(Gap, bridge.receive(twilio_media(5, 120))) == []


def test_twilio_of_another_stream_or_track_is_not_ours() -> None:
    bridge = TwilioBridge()
    bridge.receive(TWILIO_START)
    assert bridge.receive(twilio_media(2, 0, "outbound")) == []
    [fault] = faults(bridge.receive(twilio_media(3, 0).replace("MZ1", "MZ2")))
    assert "another stream" in fault


def test_twilio_in_another_format_cannot_begin() -> None:
    [fault] = TwilioBridge().receive(TWILIO_START.replace("audio/x-mulaw", "audio/opus"))
    assert isinstance(fault, Fault)
    assert fault.fatal


# -------------------------------------------------------------------- Telnyx

TELNYX_START = (
    '{"event":"start","sequence_number":"1","stream_id":"32DE","start":{"user_id":"3e6f",'
    '"call_control_id":"v2:T02","call_session_id":"ff55","from":"+32470","to":"+322",'
    '"media_format":{"encoding":"PCMU","sample_rate":8000,"channels":1}}}'
)


def telnyx_media(chunk: int, timestamp: int, data: bytes = SOUND) -> str:
    payload = base64.b64encode(data).decode()
    return (
        f'{{"event":"media","sequence_number":"4","stream_id":"32DE","media":{{"track":"inbound",'
        f'"chunk":"{chunk}","timestamp":"{timestamp}","payload":"{payload}"}}}}'
    )


def test_telnyx_as_documented() -> None:
    bridge = TelnyxBridge()
    assert bridge.receive('{"event":"connected","version":"1.0.0"}') == []
    assert bridge.receive(TELNYX_START) == [
        Started("v2:T02", "32DE", ULAW_8K, caller="+32470", called="+322")
    ]
    assert bridge.receive(telnyx_media(1, 0)) == [Media(SOUND)]
    assert bridge.send(SendAudio(SOUND)) == [f'{{"event":"media","media":{{"payload":"{TEXT}"}}}}']
    assert bridge.send(Clear()) == ['{"event":"clear"}']
    ours = telnyx_media(2, 20).replace('"inbound"', '"outbound"')
    assert bridge.receive(ours) == []
    assert bridge.receive(telnyx_media(0, 0).replace('"0"', '"?"', 1)) == [Media(SOUND)]
    assert faults(bridge.receive('{"event":"error"}')) == ["Telnyx reports an error: "]
    [error] = faults(
        bridge.receive('{"event":"error","payload":{"code":100003,"title":"bad\\u001bframe"}}')
    )
    assert error == "Telnyx reports an error: badframe"
    assert len(of(Stopped, bridge.receive('{"event":"stop","stream_id":"32DE","stop":{}}'))) == 1


def test_telnyx_sound_is_put_in_order() -> None:
    bridge = TelnyxBridge()
    bridge.receive(TELNYX_START)
    pieces = {chunk: bytes((chunk,)) * 160 for chunk in range(1, 12)}
    heard: list[int] = []
    for chunk in (1, 3, 2, 4, 6, 7, 8, 9, 5, 11):  # 5 comes too late, 10 never
        events = bridge.receive(telnyx_media(chunk, (chunk - 1) * 20, pieces[chunk]))
        heard += [event.data[0] for event in of(Media, events)]
    events = bridge.receive('{"event":"stop","stream_id":"32DE","stop":{}}')
    heard += [event.data[0] for event in of(Media, events)]
    assert heard == [1, 2, 3, 4, 6, 7, 8, 9, 11]
    assert isinstance(events[-1], Stopped)
    assert REORDER == 3


@pytest.mark.parametrize("encoding", ["OPUS", "L16", "G722"])
def test_telnyx_in_another_format_cannot_begin(encoding: str) -> None:
    [fault] = TelnyxBridge().receive(TELNYX_START.replace("PCMU", encoding))
    assert isinstance(fault, Fault)
    assert fault.fatal


def test_telnyx_may_change_to_alaw() -> None:
    wire = Wire.of("telnyx")
    wire.dialled()
    wire.phone.codec = ALAW_8K
    assert wire.up(wire.phone.dial()) == [CodecChanged(ALAW_8K)]


# --------------------------------------------------------------------- Plivo

PLIVO_START = (
    '{"sequenceNumber":0,"event":"start","start":{"callId":"c1","streamId":"s1","accountId":"1",'
    '"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-l16","sampleRate":16000}},'
    '"extra_headers":"{X-PH-from: 32470, shop: marolle}"}'
)


def test_plivo_as_documented() -> None:
    bridge = PlivoBridge()
    [started] = bridge.receive(PLIVO_START)
    assert isinstance(started, Started)
    assert (started.codec, started.caller) == (PCM_16K, "32470")
    assert started.parameters == {"from": "32470", "shop": "marolle"}
    [sent] = bridge.send(SendAudio(SOUND))
    assert isinstance(sent, str)
    assert orjson.loads(sent) == {
        "event": "playAudio",
        "media": {"contentType": "audio/x-l16", "sampleRate": 16000, "payload": TEXT},
        "streamId": "s1",
    }
    assert bridge.send(SendDtmf("12x")) == ['{"event":"sendDTMF","dtmf":"12"}']
    played = '{"event":"playedStream","streamId":"s1","name":"customer greeting audio"}'
    assert bridge.receive(played) == [MarkReached("customer greeting audio")]
    assert bridge.receive('{"event":"clearedAudio","streamId":"s1"}') == []
    odd = base64.b64encode(b"123").decode()
    media = f'{{"event":"media","streamId":"s1","media":{{"track":"inbound","payload":"{odd}"}}}}'
    assert faults(bridge.receive(media)) == ["media that cuts a sample in two"]
    assert faults(bridge.receive(played.replace("s1", "s2")))
    ours = media.replace('"inbound"', '"outbound"')
    assert bridge.receive(ours) == []


def test_plivo_in_another_format_cannot_begin() -> None:
    [fault] = PlivoBridge().receive(PLIVO_START.replace("x-l16", "x-opus"))
    assert isinstance(fault, Fault)
    assert fault.fatal


# -------------------------------------------------------------------- Vonage


def test_vonage_as_documented() -> None:
    bridge = VonageBridge()
    [started] = bridge.receive(
        '{"event":"websocket:connected","content-type":"audio/l16;rate=24000","uuid":"u","a":"b"}'
    )
    assert isinstance(started, Started)
    assert (started.call_id, started.codec) == ("u", PCM_24K)
    assert started.parameters["a"] == "b"
    assert bridge.receive(SOUND) == [Media(SOUND)]
    dtmf = '{"event":"websocket:dtmf","digit":"5","duration":260}'
    assert bridge.receive(dtmf) == [Dtmf("5", 260)]
    assert bridge.send(SendAudio(SOUND)) == [SOUND]
    assert bridge.send(Clear()) == ['{"action":"clear"}']
    assert bridge.receive('{"event":"websocket:cleared"}') == []
    assert bridge.receive('{"event":"websocket:notify"}') == []


def test_vonage_without_a_format_cannot_begin() -> None:
    [fault] = VonageBridge().receive('{"event":"websocket:connected"}')
    assert isinstance(fault, Fault)
    assert fault.fatal


# ------------------------------------------------------------------- Genesys


def genesys(kind: str, seq: int, **parameters: object) -> str:
    fields = {"version": "2", "type": kind, "seq": seq, "serverseq": 0, "id": "s1"}
    return orjson.dumps({**fields, "position": "PT0S", "parameters": parameters}).decode()


def genesys_open(conversation: str = "c1", channels: list[str] | None = None) -> str:
    media = {"type": "audio", "format": "PCMU", "channels": channels or ["external"], "rate": 8000}
    person = {"id": "p", "ani": "tel:+32470", "aniName": "", "dnis": "tel:+322"}
    return genesys(
        "open",
        1,
        organizationId="o",
        conversationId=conversation,
        participant=person,
        media=[media],
        language="nl-BE",
        inputVariables={"queue": "sales"},
    )


def test_genesys_opens_pings_and_closes_with_numbers() -> None:
    bridge = GenesysBridge()
    answer, started = bridge.receive(genesys_open())
    assert isinstance(answer, Answer)
    assert isinstance(answer.message, str)
    opened = orjson.loads(answer.message)
    assert (opened["type"], opened["seq"], opened["clientseq"]) == ("opened", 1, 1)
    assert opened["parameters"]["media"][0]["channels"] == ["external"]
    assert isinstance(started, Started)
    assert (started.caller, started.called, started.language) == ("+32470", "+322", "nl-BE")
    assert started.parameters == {"queue": "sales"}
    [pong] = of(Answer, bridge.receive(genesys("ping", 2)))
    assert isinstance(pong.message, str)
    assert orjson.loads(pong.message)["type"] == "pong"
    closed, end, stopped = bridge.receive(genesys("close", 3, reason="end"))
    assert isinstance(closed, Answer)
    assert isinstance(closed.message, str)
    assert orjson.loads(closed.message)["type"] == "closed"
    assert isinstance(end, Answer)
    assert isinstance(end.message, Close)
    assert isinstance(stopped, Stopped)


def test_a_genesys_connection_test_is_no_call() -> None:
    bridge = GenesysBridge()
    assert of(Started, bridge.receive(genesys_open(PROBE))) == []
    events = bridge.receive(genesys("close", 2, reason="end"))
    assert len(of(Answer, events)) == 2
    assert faults(events) == []


def test_genesys_hold_discard_and_position() -> None:
    bridge = GenesysBridge()
    bridge.receive(genesys_open())
    assert bridge.receive(genesys("paused", 2)) == [Hold(on=True)]
    resumed = genesys("resumed", 3, start="PT0S", discarded="PT10S")
    assert bridge.receive(resumed) == [Hold(on=False)]
    bridge.receive(bytes(8000))
    ping = genesys("ping", 4).replace('"PT0S"', '"PT11.1S"')
    assert of(Gap, bridge.receive(ping)) == []
    ping = genesys("ping", 5).replace('"PT0S"', '"PT13S"')
    assert of(Gap, bridge.receive(ping)) == [Gap(2000.0)]
    lost = genesys("discarded", 6, start="PT13S", discarded="PT0.5S")
    assert bridge.receive(lost) == [Gap(500.0)]
    assert bridge.receive(genesys("discarded", 7)) == []


def test_genesys_wrong_numbers_are_told_and_the_message_still_counts() -> None:
    bridge = GenesysBridge()
    bridge.receive(genesys_open())
    events = bridge.receive(genesys("ping", 9))
    assert faults(events) == ["seq 9 after 1"]
    assert len(of(Answer, events)) == 1
    events = bridge.receive(genesys("ping", 10).replace('"serverseq":0', '"serverseq":99'))
    assert faults(events) == ["serverseq 99 beyond what we sent, 2"]
    assert faults(bridge.receive(genesys("ping", 11).replace('"s1"', '"s2"')))
    fatal, stopped = bridge.receive(genesys("ping", 12).replace('"2"', '"3"', 1))
    assert isinstance(fatal, Fault)
    assert fatal.fatal
    assert isinstance(stopped, Stopped)


def test_genesys_without_a_fitting_offer_is_asked_to_leave() -> None:
    bridge = GenesysBridge()
    answer, fault = bridge.receive(genesys_open(channels=["internal"]))
    assert isinstance(answer, Answer)
    assert isinstance(answer.message, str)
    assert orjson.loads(answer.message)["type"] == "disconnect"
    assert isinstance(fault, Fault)
    assert fault.fatal


def test_of_two_genesys_channels_the_customer_is_heard() -> None:
    bridge = GenesysBridge()
    bridge.receive(genesys_open(channels=["external", "internal"]))
    assert bridge.receive(b"\x01\x02" * 4) == [Media(b"\x01" * 4)]


def test_genesys_errors_updates_and_a_close_without_open() -> None:
    bridge = GenesysBridge()
    bridge.receive(genesys_open())
    [fault] = faults(bridge.receive(genesys("error", 2, code=429, message="too many")))
    assert fault == "Genesys reports error 429: too many"
    assert len(of(Answer, bridge.receive(genesys("update", 3, language="fr-BE")))) == 1
    assert bridge.receive(genesys("playback_started", 4)) == []
    assert faults(GenesysBridge().receive(genesys("close", 1))) == ["a close before the open"]
    assert bridge.send(SendAudio(SOUND)) == [SOUND]
    bridge.send(Transfer("sales", {"language": "fr"}))
    assert bridge.send(SendAudio(SOUND)) == []
    closing = bridge.receive(genesys("close", 5, reason="disconnect"))
    assert len(of(Stopped, closing)) == 1
    assert of(Gap, GenesysBridge().receive(genesys("ping", 1))) == []
    assert GenesysBridge().send(Transfer("sales")) == [Close(1000, "no session")]


@pytest.mark.parametrize(
    ("text", "ms"),
    [("PT0S", 0), ("PT1.5S", 1500), ("PT1H2M3S", 3_723_000), ("PT", None), ("1S", None), (3, None)],
)
def test_durations(text: object, ms: float | None) -> None:
    assert duration_ms(text) == ms


# ------------------------------------------------------------------ Asterisk


def test_audiosocket_bytes_may_come_in_any_pieces() -> None:
    call = uuid.UUID(int=5)
    stream = frame(1, call.bytes) + frame(0x10, SOUND) + frame(3, b"#") + frame(0)
    bridge = AudioSocketBridge()
    events = [event for byte in stream for event in bridge.receive(bytes((byte,)))]
    assert of(Started, events)[0].call_id == str(call)
    assert of(Media, events) == [Media(SOUND)]
    assert of(Dtmf, events) == [Dtmf("#")]
    assert len(of(Stopped, events)) == 1
    whole = AudioSocketBridge().receive(stream)
    assert whole == events


def test_audiosocket_rate_may_change_in_mid_call() -> None:
    bridge = AudioSocketBridge()
    bridge.receive(frame(1, bytes(16)) + frame(0x10, SOUND))
    events = bridge.receive(frame(0x12, SOUND))
    assert events == [CodecChanged(PCM_16K), Media(SOUND)]
    assert bridge.send(SendAudio(SOUND)) == [frame(0x12, SOUND)]
    assert bridge.receive(frame(0x15, SOUND)) == [
        CodecChanged(Codec(Encoding.PCM16, 44_100)),
        Media(SOUND),
    ]


def test_audiosocket_mistakes_are_told_frame_by_frame() -> None:
    bridge = AudioSocketBridge()
    bridge.receive(frame(1, bytes(16)))
    events = bridge.receive(frame(0x77, b"?") + frame(0x10, b"odd") + frame(0x10, SOUND))
    assert faults(events) == ["an unknown frame type 0x77", "media that cuts a sample in two"]
    assert of(Media, events) == [Media(SOUND)]
    assert faults(bridge.receive(frame(0xFF, b"\x04"))) == [
        "Asterisk reports error 4: out of memory"
    ]
    assert faults(bridge.receive(frame(0xFF))) == ["Asterisk reports error 0: unknown"]
    fault, *_ = AudioSocketBridge().receive(frame(1, b"short"))
    assert isinstance(fault, Fault)
    assert fault.fatal


def test_audiosocket_hang_up_is_three_zeros() -> None:
    bridge = AudioSocketBridge()
    bridge.receive(frame(1, bytes(16)))
    assert bridge.send(HangUp())[0] == b"\0\0\0"


def test_chan_websocket_in_plain_text_as_documented() -> None:
    bridge = ChanWebsocketBridge()
    [started] = bridge.receive(
        "MEDIA_START connection_id:e226 channel:WebSocket/connectionid channel_id:pbx1-1.9 "
        "format:slin optimal_frame_size:320 ptime:20"
    )
    assert started == Started("pbx1-1.9", "e226", PCM_8K)
    assert bridge.send(Mark("m1")) == ["MARK_MEDIA m1"]
    assert bridge.send(Clear()) == ["FLUSH_MEDIA"]
    assert bridge.receive("MEDIA_MARK_PROCESSED m1") == [MarkReached("m1")]
    assert bridge.receive("MEDIA_MARK_PROCESSED correlation_id:m2") == [MarkReached("m2")]
    assert bridge.receive("DTMF_END digit:7 duration_ms:90") == [Dtmf("7", 90)]
    assert bridge.receive("QUEUE_DRAINED") == []
    assert bridge.send(HangUp())[0] == "HANGUP"


def test_chan_websocket_in_json_as_documented() -> None:
    bridge = ChanWebsocketBridge()
    [started] = bridge.receive(
        '{"event":"MEDIA_START","connection_id":"m1","channel":"WebSocket/m1/0x51",'
        '"channel_id":"1761245643.1","format":"ulaw","optimal_frame_size":160,"ptime":20,'
        '"channel_variables":{"MEDIA_WEBSOCKET_CONNECTION_ID":"m1"}}'
    )
    assert isinstance(started, Started)
    assert started.call_id == "1761245643.1"
    assert bridge.send(Mark("a")) == ['{"command":"MARK_MEDIA","correlation_id":"a"}']
    assert bridge.send(Clear()) == ['{"command":"FLUSH_MEDIA"}']


def test_chan_websocket_full_queue_stops_sound_until_there_is_room() -> None:
    wire = Wire.of("asterisk")
    wire.dialled()
    assert len(faults(wire.bridge.receive('{"event":"MEDIA_XOFF"}'))) == 1
    assert wire.bridge.send(SendAudio(SOUND)) == []
    assert wire.bridge.receive('{"event":"MEDIA_XON"}') == []
    assert wire.bridge.send(SendAudio(SOUND)) == [SOUND]
    assert faults(wire.bridge.receive('{"event":"ERROR","error_text":"no"}'))


def test_chan_websocket_in_opus_cannot_begin() -> None:
    [fault] = ChanWebsocketBridge().receive("MEDIA_START connection_id:e channel:x format:opus")
    assert isinstance(fault, Fault)
    assert fault.fatal
