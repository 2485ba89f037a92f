"""SIP: the core in exact time, RTP and SDP, and real telephones (sipp, baresip) on real sockets."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.conversation import Script
from tests.telephony.calls import faults, of
from tests.telephony.house import house, until
from voice_server.telephony import sip_core
from voice_server.telephony import sip_message as sip
from voice_server.telephony.call import (
    ALAW_8K,
    ULAW_8K,
    CodecChanged,
    Dtmf,
    Fault,
    Gap,
    Hold,
    Media,
    SendAudio,
    Transfer,
    Transferred,
)
from voice_server.telephony.dtmf import event_packets
from voice_server.telephony.ports import SipAccount
from voice_server.telephony.rtp import NoRtp, Packet, Sorter
from voice_server.telephony.sdp import NoSound, read_offer, write_answer
from voice_server.telephony.sip_bridge import SipBridge
from voice_server.telephony.sip_core import (
    GIVE_UP_S,
    Changed,
    Gone,
    Incoming,
    Key,
    Note,
    Send,
    SipCore,
)
from voice_server.telephony.sip_digest import NONCE_S, Digest, response_of
from voice_server.telephony.sip_message import NoSip
from voice_server.telephony.sip_refer import Referred, target_uri

PEER = ("10.0.0.9", 5060)
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 18 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


def request(
    method: str, cseq: int = 1, body: str = "", *, tag: str = "", extra: str = "", branch: str = "b"
) -> bytes:
    to = f"<sip:+3225550123@shop.example>{f';tag={tag}' if tag else ''}"
    return (
        f"{method} sip:+3225550123@shop.example SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK{branch}{cseq};rport\r\n"
        "Record-Route: <sip:proxy.example;lr>\r\n"
        'From: "Jane, Doe" <sip:+32470123456@carrier.example>;tag=their\r\n'
        f"To: {to}\r\nCall-ID: c1@carrier\r\nCSeq: {cseq} {method}\r\n"
        f"Contact: <sip:gw@10.0.0.9:5060>\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Trunk:
    """A core, a clock, and words to assert with."""

    def __init__(self, *, digest: Digest | None = None, trusted: bool = True) -> None:
        self.now = 100.0
        self.count = 0
        self.core = SipCore(
            contact=lambda _: ("192.0.2.1", 5060),
            new_token=self.token,
            trusted=lambda _: trusted,
            digest=digest,
        )

    def token(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def give(self, data: bytes) -> list[object]:
        return [*self.core.receive(data, PEER, self.now)]

    def wait(self, seconds: float) -> list[object]:
        end = self.now + seconds
        effects: list[object] = []
        while (at := self.core.next_deadline()) is not None and at <= end:
            self.now = max(self.now, at)
            effects += self.core.tick(self.now)
        self.now = end
        return effects

    def up(self) -> str:
        """A call that was picked up and acknowledged; returns its key."""
        [call] = of(Incoming, self.give(request("INVITE", body=OFFER)))
        self.core.accept(call.key, "192.0.2.1", 7000, self.now)
        self.give(request("ACK", tag="t1"))
        return call.key


def sent(effects: list[object]) -> list[sip.SipMessage]:
    return [sip.parse(one.data) for one in of(Send, effects)]


def test_a_call_is_offered_and_picked_up() -> None:
    trunk = Trunk()
    effects = trunk.give(request("INVITE", body=OFFER))
    assert [one.status for one in sent(effects)] == [100]
    [call] = of(Incoming, effects)
    assert (call.caller, call.called, call.call_id) == ("+32470123456", "+3225550123", "c1@carrier")
    assert (call.sound.codec, call.sound.kind, call.sound.events) == (ALAW_8K, 8, 101)
    [answer] = sent([*trunk.core.accept(call.key, "192.0.2.1", 7000, trunk.now)])
    assert answer.status == 200
    assert "m=audio 7000 RTP/AVP 8 101" in answer.body
    assert sip.parameter(answer.get("to"), "tag")
    assert "received=10.0.0.9" in answer.get("via")
    assert "rport=5060" in answer.get("via")
    assert answer.get("record-route") == "<sip:proxy.example;lr>"


def test_an_answer_is_repeated_until_it_is_acknowledged() -> None:
    trunk = Trunk()
    [call] = of(Incoming, trunk.give(request("INVITE", body=OFFER)))
    trunk.core.accept(call.key, "192.0.2.1", 7000, trunk.now)
    assert [one.status for one in sent(trunk.wait(3.6))] == [200, 200, 200]
    # The caller repeats its INVITE: it gets the same answer.
    assert [one.status for one in sent(trunk.give(request("INVITE", body=OFFER)))] == [200]
    trunk.give(request("ACK", tag="t1"))
    assert trunk.wait(60) == []


def test_a_call_that_is_never_acknowledged_is_given_up() -> None:
    trunk = Trunk()
    [call] = of(Incoming, trunk.give(request("INVITE", body=OFFER)))
    trunk.core.accept(call.key, "192.0.2.1", 7000, trunk.now)
    effects = trunk.wait(2.5 * GIVE_UP_S)
    assert of(Note, effects)
    assert "BYE" in [one.method for one in sent(effects)]
    assert of(Gone, effects) == [Gone(call.key, "the other side does not answer")]
    trunk.wait(GIVE_UP_S)
    assert trunk.core.next_deadline() is None


def test_the_caller_hangs_up_and_repetitions_are_answered() -> None:
    trunk = Trunk()
    key = trunk.up()
    effects = trunk.give(request("BYE", 2, tag="t1"))
    assert [one.status for one in sent(effects)] == [200]
    assert of(Gone, effects) == [Gone(key, "the caller hung up")]
    assert [one.status for one in sent(trunk.give(request("BYE", 2, tag="t1")))] == [481]
    assert trunk.core.hang_up(key, trunk.now) == []
    assert trunk.core.transfer(key, "+32", trunk.now) == []


def test_we_hang_up() -> None:
    trunk = Trunk()
    key = trunk.up()
    [bye] = sent([*trunk.core.hang_up(key, trunk.now)])
    assert (bye.method, bye.uri) == ("BYE", "sip:gw@10.0.0.9:5060")
    assert bye.get("route") == "<sip:proxy.example;lr>"
    assert "their" in bye.get("to")
    assert trunk.core.hang_up(key, trunk.now) == []
    assert [one.method for one in sent(trunk.wait(0.6))] == ["BYE"]
    ok = sip.reply(bye, 200).write()
    assert of(Gone, trunk.give(ok)) == [Gone(key, "we hung up")]
    assert trunk.give(ok) == []
    assert trunk.give(sip.reply(bye, 100).write()) == []


@pytest.mark.parametrize(
    ("target", "uri"),
    [("+32 2 555 01 99", "<sip:+3225550199@10.0.0.9:5060>"), ("sip:desk@a.be", "<sip:desk@a.be>")],
)
def test_a_transfer_is_a_refer_whose_end_is_told(target: str, uri: str) -> None:
    trunk = Trunk()
    key = trunk.up()
    [refer] = sent([*trunk.core.transfer(key, target, trunk.now)])
    assert (refer.method, refer.get("refer-to")) == ("REFER", uri)
    assert trunk.give(sip.reply(refer, 202).write()) == []
    effects = trunk.give(notify("SIP/2.0 100 Trying"))
    assert [one.status for one in sent(effects)] == [200]
    assert not of(Referred, effects)
    [told] = of(Referred, trunk.give(notify("SIP/2.0 200 OK", cseq=4)))
    assert (told.reached, told.result) == (True, "answered")
    assert [one.method for one in sent([*trunk.core.hang_up(key, trunk.now)])] == ["BYE"]


@pytest.mark.parametrize(
    ("status", "result"),
    [(486, "busy"), (603, "declined"), (480, "no answer"), (404, "refused (404)")],
)
def test_a_transfer_that_fails_leaves_the_call_up(status: int, result: str) -> None:
    trunk = Trunk()
    key = trunk.up()
    [refer] = sent([*trunk.core.transfer(key, "+32", trunk.now)])
    [told] = of(Referred, trunk.give(sip.reply(refer, status).write()))
    assert (told.reached, told.result) == (False, result)
    [refer] = sent([*trunk.core.transfer(key, "+32", trunk.now)])
    trunk.give(sip.reply(refer, 202).write())
    [told] = of(Referred, trunk.give(notify(f"SIP/2.0 {status} No")))
    assert (told.reached, told.result) == (False, result)
    assert trunk.core.where(key) == "10.0.0.9:5060"
    assert [one.method for one in sent([*trunk.core.hang_up(key, trunk.now)])] == ["BYE"]


def test_a_hang_up_while_a_transfer_is_asked_for() -> None:
    trunk = Trunk()
    key = trunk.up()
    trunk.core.transfer(key, "+32", trunk.now)
    assert [one.method for one in sent([*trunk.core.hang_up(key, trunk.now)])] == ["BYE"]


def test_news_of_something_else_are_only_answered() -> None:
    trunk = Trunk()
    trunk.up()
    effects = trunk.give(notify("SIP/2.0 200 OK", event="message-summary"))
    assert [one.status for one in sent(effects)] == [200]
    assert not of(Referred, effects)


def test_the_human_of_an_announced_transfer_is_named() -> None:
    trunk = Trunk()
    key = trunk.up()
    assert trunk.core.peer(key) == PEER
    assert (trunk.core.peer("no"), trunk.core.where("no")) == (None, "")
    [refer] = sent([*trunk.core.transfer(key, "+32", trunk.now, "a@b;to-tag=1;from-tag=2")])
    wanted = "<sip:+32@10.0.0.9:5060?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"
    assert refer.get("refer-to") == wanted
    assert target_uri("nobody", "h") == ""


def test_a_transfer_to_what_is_no_address_fails() -> None:
    trunk = Trunk()
    key = trunk.up()
    effects = [*trunk.core.transfer(key, "sip:a>b\r\nX: y", trunk.now)]
    assert not sent([*effects])
    [told] = of(Referred, effects)
    assert not told.reached
    assert of(Note, effects)


def notify(line: str, *, cseq: int = 3, event: str = "refer") -> bytes:
    return request("NOTIFY", cseq, f"{line}\r\n", tag="t1", extra=f"Event: {event}\r\n")


def test_the_caller_gives_up_before_we_answer() -> None:
    trunk = Trunk()
    [call] = of(Incoming, trunk.give(request("INVITE", body=OFFER)))
    effects = trunk.give(request("CANCEL"))
    assert [one.status for one in sent(effects)] == [200, 487]
    assert of(Gone, effects)
    assert trunk.core.accept(call.key, "h", 1, trunk.now) == []
    assert trunk.core.refuse(call.key, 486, trunk.now) == []
    trunk = Trunk()
    trunk.up()
    assert [one.status for one in sent(trunk.give(request("CANCEL")))] == [200]


def test_a_call_is_refused_with_its_reason() -> None:
    trunk = Trunk()
    [call] = of(Incoming, trunk.give(request("INVITE", body=OFFER)))
    assert [one.status for one in sent([*trunk.core.hang_up(call.key, trunk.now)])] == [486]
    assert [one.status for one in sent(trunk.give(request("INVITE", body=OFFER)))] == [486]
    assert trunk.give(request("ACK")) == []


def test_hold_and_another_address_come_by_re_invite() -> None:
    trunk = Trunk()
    trunk.up()
    held = OFFER.replace("sendrecv", "sendonly").replace("4000", "4002")
    effects = trunk.give(request("INVITE", 2, held, tag="t1"))
    [changed] = of(Changed, effects)
    assert (changed.sound.held, changed.sound.port) == (True, 4002)
    [answer] = sent(effects)
    assert "a=recvonly" in answer.body
    bad = request("INVITE", 3, "v=0\r\n", tag="t1")
    assert [one.status for one in sent(trunk.give(bad))] == [488]


def test_other_requests() -> None:
    trunk = Trunk()
    assert [one.status for one in sent(trunk.give(request("OPTIONS")))] == [200]
    assert [one.status for one in sent(trunk.give(request("BYE", tag="x")))] == [481]
    assert [one.status for one in sent(trunk.give(request("MESSAGE")))] == [405]
    assert [one.status for one in sent(trunk.give(request("INVITE", body=OFFER, tag="x")))] == [481]
    assert trunk.give(request("ACK")) == []
    assert trunk.give(b"\r\n\r\n") == []
    [note] = of(Note, trunk.give(b"hello"))
    assert "no SIP" in note.text
    key = trunk.up()
    effects = trunk.give(request("INFO", 2, "Signal=5\r\nDuration=160\r\n", tag="t1"))
    assert of(Key, effects) == [Key(key, "5")]
    assert of(Key, trunk.give(request("INFO", 3, "x", tag="t1"))) == []
    assert [one.status for one in sent(trunk.give(request("UPDATE", 4, tag="t1")))] == [405]


def test_an_offer_without_our_codecs_is_refused() -> None:
    trunk = Trunk()
    effects = trunk.give(request("INVITE", body=OFFER.replace("18 8 0 101", "18")))
    assert [one.status for one in sent(effects)] == [488]
    assert of(Note, effects)


def authorization(challenge: str, *, count: str = "00000001", wrong: bool = False) -> str:
    given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    given |= {"uri": "sip:x", "nc": count, "cnonce": "abc", "qop": "auth", "username": "pbx"}
    given["response"] = response_of("pbx", "no" if wrong else "pw", "INVITE", given)
    return "Authorization: Digest " + ", ".join(f'{k}="{v}"' for k, v in given.items()) + "\r\n"


def test_strangers_prove_a_password_once() -> None:
    trunk = Trunk(digest=Digest("pbx", "pw", b"k" * 16), trusted=False)
    [refused] = sent(trunk.give(request("INVITE", body=OFFER)))
    assert refused.status == 401
    challenge = refused.get("www-authenticate")
    wrong = authorization(challenge, wrong=True)
    assert [o.status for o in sent(trunk.give(request("INVITE", 2, OFFER, extra=wrong)))] == [401]
    right = authorization(challenge)
    assert of(Incoming, trunk.give(request("INVITE", 3, OFFER, extra=right)))
    other = Trunk(digest=trunk.core._digest, trusted=False)
    other.now = trunk.now
    replayed = request("INVITE", 4, OFFER, extra=right)
    assert [one.status for one in sent(other.give(replayed))] == [401]
    other.now += NONCE_S + 1
    late = request("INVITE", 5, OFFER, extra=authorization(challenge, count="2"))
    assert [one.status for one in sent(other.give(late))] == [401]
    forged = authorization(challenge.replace('nonce="100-', 'nonce="150-'))
    late = request("INVITE", 6, OFFER, extra=forged)
    assert [one.status for one in sent(other.give(late))] == [401]
    closed = Trunk(trusted=False)
    assert [one.status for one in sent(closed.give(request("INVITE", body=OFFER)))] == [403]


def test_digest_of_rfc_2617() -> None:
    given = {
        "realm": "testrealm@host.com",
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "uri": "/dir/index.html",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "0a4f113b",
    }
    wanted = "6629fae49393a05397450978507c4ef1"
    assert response_of("Mufasa", "Circle Of Life", "GET", given) == wanted
    del given["qop"]
    assert response_of("Mufasa", "Circle Of Life", "GET", given) != wanted


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xfe", b"INVITE sip:a SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\nnoname\r\n\r\n",
        b"x" * 20_000, b"BYE  SIP/2.0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_sip(data: bytes) -> None:
    with pytest.raises(NoSip):
        sip.parse(data)


@given(st.binary(max_size=300), st.integers(0, 600))
@settings(max_examples=80, deadline=None)
def test_damage_never_breaks_the_core(noise: bytes, cut: int) -> None:
    trunk = Trunk()
    trunk.up()
    whole = request("INVITE", 2, OFFER, tag="t1")
    for data in (noise, whole[:cut], whole[:cut] + noise + whole[cut:]):
        for effect in trunk.give(data):
            assert isinstance(effect, Send | Incoming | Changed | Key | Gone | Note)


def test_the_rest_of_the_core() -> None:
    trunk = Trunk()
    trunk.up()
    late = request("INVITE", 0, OFFER, tag="t1")
    assert sent(trunk.give(late))[0].status == 200
    other = Trunk()
    [call] = of(Incoming, other.give(request("INVITE", body=OFFER)))
    [refused] = sent([*other.core.refuse(call.key, 486, other.now)])
    assert refused.status == 486
    assert other.wait(GIVE_UP_S) == []
    assert other.core.next_deadline() is None
    assert of(Incoming, other.give(request("INVITE", body=OFFER)))


def test_two_calls_have_clocks_of_their_own_and_a_renewed_one_its_tag() -> None:
    trunk = Trunk()
    key = trunk.up()
    trunk.give(request("INVITE", 2, OFFER, tag="t1"))
    other = request("INVITE", body=OFFER).replace(b"c1@carrier", b"c2@carrier")
    trunk.now += 0.3
    [call] = of(Incoming, trunk.give(other))
    trunk.core.accept(call.key, "192.0.2.1", 7002, trunk.now)
    assert [one.status for one in sent(trunk.wait(0.25))] == [200]
    [bye] = sent([*trunk.core.hang_up(key, trunk.now)])
    assert bye.get("from").count("tag=") == 1


def test_a_flood_of_calls_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_core, "CALLS_MOST", 1)
    trunk = Trunk()
    trunk.up()
    second = request("INVITE", body=OFFER).replace(b"c1@carrier", b"c2@carrier")
    assert [one.status for one in sent(trunk.give(second))] == [503]


def test_without_a_contact_the_bye_goes_to_the_callers_address() -> None:
    trunk = Trunk()
    invite = request("INVITE", body=OFFER).replace(b"Contact: <sip:gw@10.0.0.9:5060>\r\n", b"")
    [call] = of(Incoming, trunk.give(invite))
    trunk.core.accept(call.key, "192.0.2.1", 7000, trunk.now)
    [bye] = sent([*trunk.core.hang_up(call.key, trunk.now)])
    assert bye.uri == "sip:+32470123456@carrier.example"


def test_short_headers_folding_and_lists() -> None:
    message = sip.parse(
        b"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b\r\nf: <sip:a;x=1@b>;tag=1\r\n"
        b't: "x, y" <tel:+32>\r\ni: 1\r\nCSeq: x\r\nSubject: one\r\n two\r\nl: 2\r\n\r\nabc'
    )
    assert len(message.all("via")) == 2
    assert message.get("subject") == "one two"
    assert message.cseq == (0, "")
    assert message.body == "ab"
    assert sip.user(sip.address(message.get("to"))) == "+32"
    assert sip.user("mailto:x") == ""
    assert sip.address("sip:a@b;tag=2") == "sip:a@b"


# ------------------------------------------------------------------- SDP, RTP


@pytest.mark.parametrize(
    "offer",
    [
        "", "c=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 0\r\n", "m=audio 4 RTP/AVP 0\r\n",
        "c=IN IP4 1.2.3.4\r\nm=video 4 RTP/AVP 0\r\n", "c=IN IP4 1.2.3.4\r\nm=audio 4 X 0\r\n",
        "c=IN IP4 1.2.3.4\r\nm=audio 4 RTP/AVP 96\r\na=rtpmap:96 opus/48000\r\n",
    ],
)  # fmt: skip
def test_offers_without_sound_for_us(offer: str) -> None:
    with pytest.raises(NoSound):
        read_offer(offer)


def test_only_the_first_audio_counts() -> None:
    sound = read_offer(OFFER + "m=video 9 RTP/AVP 96\r\nc=IN IP4 9.9.9.9\r\na=inactive\r\n")
    assert (sound.host, sound.held) == ("10.0.0.9", False)
    dynamic = OFFER.replace("18 8 0 101", "96 101") + "a=rtpmap:96 PCMU/8000\r\n"
    sound = read_offer(dynamic)
    assert (sound.kind, sound.codec) == (96, ULAW_8K)
    answer = write_answer(sound, "::1", 9, 1, 1)
    assert "IN IP6 ::1" in answer
    assert "telephone-event" in answer
    no_events = write_answer(read_offer(OFFER.replace(" 101", "")), "1.2.3.4", 9, 1, 1)
    assert "telephone-event" not in no_events


@given(
    st.integers(0, 127), st.integers(0, 65535), st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1), st.binary(max_size=200), st.booleans(),
)  # fmt: skip
def test_packets_come_back_as_they_went(
    kind: int, sequence: int, timestamp: int, source: int, payload: bytes, marker: bool
) -> None:
    packet = Packet(kind, sequence, timestamp, source, payload, marker)
    if 64 <= kind <= 95:
        with pytest.raises(NoRtp):
            Packet.parse(packet.pack())
    else:
        assert Packet.parse(packet.pack()) == packet


def test_csrcs_extensions_and_padding_are_left_out() -> None:
    body = bytes(4) + b"\0\0\0\1" + bytes(4) + b"sound" + b"\0\0\3"
    head = bytearray(Packet(0, 1, 2, 3, b"").pack())
    head[0] |= 0x20 | 0x10 | 1
    assert Packet.parse(bytes(head) + body).payload == b"sound"
    for cut in (bytes(head), bytes(head) + bytes(6), bytes(head) + bytes(4) + b"\0\0\xff\xff"):
        with pytest.raises(NoRtp):
            Packet.parse(cut)


def test_sound_is_sorted_and_holes_are_told() -> None:
    sorter = Sorter()
    heard: list[object] = []
    for number in (65534, 0, 65535, 1, 3, 4, 5, 6, 2, 7, 7):
        heard += sorter.put(Packet(0, number, 0, 1, bytes((number % 256,))))
    assert [event.data[0] for event in of(Media, heard)] == [254, 255, 0, 1, 3, 4, 5, 6, 7]
    assert of(Gap, heard) == [Gap(20.0)]
    assert sorter.put(Packet(0, 40_000, 0, 1, b"x")) == [Media(b"x")]
    assert sorter.put(Packet(0, 5, 0, 2, b"y")) == [Media(b"y")]


def started() -> SipBridge:
    bridge = SipBridge(sequence=9, timestamp=100, source=5)
    bridge.receive('{"event":"start","call_id":"c","kind":0,"codec":0,"events":101}')
    return bridge


def test_the_bridge_speaks_rtp() -> None:
    bridge = started()
    frames = [*bridge.send(SendAudio(bytes(160))), *bridge.send(SendAudio(bytes(160)))]
    packets = [Packet.parse(frame) for frame in frames if isinstance(frame, bytes)]
    assert [(p.sequence, p.timestamp, p.marker) for p in packets] == [
        (9, 100, True),
        (10, 260, False),
    ]
    [refer] = bridge.send(Transfer("+32", {"summary": "x"}))
    assert refer == 'REFER +32\n{"warm":true,"details":{"summary":"x"}}'
    assert bridge.receive('{"event":"transferred","reached":false,"result":"busy"}') == [
        Transferred(reached=False, result="busy")
    ]


def test_the_bridge_hears_rtp() -> None:
    bridge = started()
    assert bridge.receive(Packet(0, 1, 0, 7, b"a").pack()) == [Media(b"a")]
    keys = [
        event
        for index, packet in enumerate(event_packets("5"))
        for event in bridge.receive(Packet(101, 2 + index, 800, 7, packet.pack()).pack())
    ]
    assert keys == [Dtmf("5")]
    after = 2 + len(event_packets("5"))
    changed = bridge.receive(Packet(8, after, 0, 7, b"b").pack())
    assert changed == [CodecChanged(ALAW_8K), Media(b"b")]
    early = SipBridge().receive(Packet(96, 1, 0, 7, b"b").pack())
    assert faults(early) == ["media before the start"]
    assert faults(bridge.receive(Packet(18, 30, 0, 7, b"b").pack()))
    assert faults(bridge.receive(b"noise"))
    assert faults(bridge.receive(Packet(101, 31, 0, 7, b"b").pack()))
    assert bridge.receive('{"event":"key","digit":"7"}') == [Dtmf("7")]
    assert bridge.receive('{"event":"hold","on":true}') == [Hold(on=True)]
    [fault] = SipBridge().receive('{"event":"start","codec":18}')
    assert isinstance(fault, Fault)
    assert fault.fatal


# ----------------------------------------------------------------- real peers


async def shell(*command: str, seconds: float = 20) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        raise
    return process.returncode or 0, out.decode(errors="replace")


@pytest.mark.skipif(not shutil.which("sipp"), reason="needs sipp (package sip-tester)")
async def test_sipp_calls_and_hangs_up(tmp_path: Path) -> None:
    async with house(script=Script(clause_ms=100)) as home:
        code, out = await shell(
            "sipp", "-sn", "uac", "-i", "127.0.0.1", "-s", "+3225550123", "-m", "5", "-r", "10",
            "-d", "300", "-nostdin", "-timeout", "15", f"127.0.0.1:{home.sip_port}",
        )  # fmt: skip
        assert code == 0, out[-2000:]
        await home.quiet()
        assert len(home.calls.records) == 5
        assert {record.vendor for record in home.calls.records} == {"sip"}
        assert {record.faults for record in home.calls.records} == {0}


@pytest.mark.skipif(not shutil.which("sipp"), reason="needs sipp (package sip-tester)")
async def test_sipp_without_the_password_is_refused() -> None:
    account = SipAccount(user="pbx", password="pw")
    async with house(demo=False, sip=account) as home:
        code, _ = await shell(
            "sipp", "-sn", "uac", "-i", "127.0.0.1", "-s", "1", "-m", "1", "-nostdin",
            "-timeout", "5", f"127.0.0.1:{home.sip_port}",
        )  # fmt: skip
        assert code != 0
        assert not home.conversations


BARESIP = """
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module account.so
module menu.so
module sndfile.so
module aubridge.so
snd_path {player}
audio_source aufile,{source}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
audio_channels 1
sip_listen 127.0.0.1:0
rtp_timeout 10
"""


@pytest.mark.skipif(not shutil.which("baresip"), reason="needs baresip")
async def test_baresip_talks_and_hears(tmp_path: Path) -> None:
    """A real telephone with real RTP: it hears us, and what it says arrives."""
    rng = np.random.default_rng(1)
    question = np.concatenate((np.zeros(8000), rng.uniform(-0.3, 0.3, 8000), np.zeros(16000)))
    soundfile.write(tmp_path / "source.wav", question, 8000, subtype="PCM_16")
    config = BARESIP.format(source=tmp_path / "source.wav", player=tmp_path)
    (tmp_path / "config").write_text(config)
    (tmp_path / "accounts").write_text("<sip:caller@127.0.0.1>;regint=0;audio_codecs=PCMU/8000/1\n")
    (tmp_path / "contacts").write_text("")
    async with house(script=Script(clause_ms=1000, speed=1.0)) as home:
        dial = f"/dial sip:+3225550123@127.0.0.1:{home.sip_port}"
        calling = asyncio.create_task(
            shell("baresip", "-f", str(tmp_path), "-e", dial, "-t", "3", seconds=15)
        )
        await until(lambda: bool(home.conversations))
        await asyncio.sleep(2)
        code, out = await calling
        await home.quiet()
        assert home.conversations[0].heard_ms > 1500, out[-3000:]
        [record] = home.calls.records
        assert record.turns >= 1, out[-3000:]
        assert record.faults == 0
        assert code == 0
    [heard] = tmp_path.glob("dump-*dec*.wav")  # noqa: ASYNC240 - nothing else runs now
    audio, rate = soundfile.read(heard)
    assert rate == 8000
    assert np.abs(audio).max() > 0.1
    assert audio.shape[0] > 2 * rate  # silence is sent as well


@pytest.mark.skipif(not shutil.which("sipp"), reason="needs sipp (package sip-tester)")
async def test_sipp_calls_by_tcp() -> None:
    async with house(script=Script(clause_ms=100)) as home:
        code, out = await shell(
            "sipp", "-sn", "uac", "-t", "t1", "-i", "127.0.0.1", "-s", "+3225550123", "-m", "3",
            "-d", "300", "-nostdin", "-timeout", "15", f"127.0.0.1:{home.sip_port}",
        )  # fmt: skip
        assert code == 0, out[-2000:]
        await home.quiet()
        assert [record.faults for record in home.calls.records] == [0, 0, 0]
