"""Calling by SIP: the core in exact time, against what RFC 3261 wants."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.telephony.calls import of
from tests.telephony.test_sip import OFFER
from voice_server.telephony import sip_message as sip
from voice_server.telephony.sip_calling import Answered, Ended, Ringing, SipCalling
from voice_server.telephony.sip_core import GIVE_UP_S, Changed, Key, Note, Send
from voice_server.telephony.sip_digest import response_of
from voice_server.telephony.sip_message import SipMessage
from voice_server.telephony.sip_proving import authorization
from voice_server.telephony.sip_refer import Referred

TRUNK = ("10.0.0.9", 5060)


class Caller:
    """A core, a clock, and the trunk's side of the talk."""

    def __init__(self, **account: str) -> None:
        self.now = 100.0
        self.count = 0
        self.core = SipCalling(
            contact=lambda _: ("192.0.2.1", 5060), new_token=self.token, **account
        )

    def token(self) -> str:
        self.count += 1
        return f"tok{self.count}"

    def dial(self, ring_s: float = 30) -> SipMessage:
        self.key, effects = self.core.invite(
            "+32 470 12 34 56", "+32 2 555 01 23", TRUNK, "", ("192.0.2.1", 7000), ring_s, self.now
        )
        [self.invite] = sent(effects)
        return self.invite

    def give(self, message: SipMessage) -> list[Any]:
        effects = self.core.receive(message.write(), TRUNK, self.now)
        assert effects is not None
        return effects

    def answer(self, request: SipMessage, status: int, body: str = "", **more: str) -> list[Any]:
        response = sip.reply(request, status, "their", body)
        response.headers += [("contact", "<sip:gw@10.0.0.9:5070>"), *more.items()]
        return self.give(response)

    def up(self) -> None:
        self.dial()
        effects = self.answer(self.invite, 200, OFFER)
        assert [type(one) for one in effects] == [Send, Answered]

    def asks(
        self, method: str, cseq: int = 1, body: str = "", tag: str = "", event: str = ""
    ) -> list[Any]:
        headers = [
            ("via", f"SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKq{method}{cseq}"),
            ("from", f"{self.invite.get('to')};tag=their"),
            ("to", f"<sip:x@y>;tag={tag}" if tag else self.invite.get("from")),
            ("call-id", self.key), ("cseq", f"{cseq} {method}"),
        ]  # fmt: skip
        headers += [("event", "refer")] if event else []
        effects = self.core.receive(
            SipMessage(method, "sip:us", headers=headers, body=body).write(), TRUNK, self.now
        )
        return effects if effects is not None else [None]

    def wait(self, seconds: float) -> list[Any]:
        end = self.now + seconds
        effects: list[Any] = []
        while (at := self.core.next_deadline()) is not None and at <= end:
            self.now = max(self.now, at)
            effects += self.core.tick(self.now)
        self.now = end
        return effects


def sent(effects: list[Any]) -> list[SipMessage]:
    return [sip.parse(one.data) for one in of(Send, effects)]


def test_a_call_rings_is_picked_up_and_ends() -> None:
    caller = Caller()
    invite = caller.dial()
    assert invite.uri == "sip:+32470123456@10.0.0.9:5060"
    assert "+3225550123@192.0.2.1" in invite.get("from")
    assert "m=audio 7000 RTP/AVP 8 0 101" in invite.body
    assert caller.answer(invite, 100) == []
    assert caller.answer(invite, 180) == [Ringing(caller.key)]
    effects = caller.answer(invite, 200, OFFER, **{"record-route": "<sip:p;lr>"})
    [ack] = sent(effects)
    assert (ack.method, ack.uri, ack.get("route")) == ("ACK", "sip:gw@10.0.0.9:5070", "<sip:p;lr>")
    assert ack.get("cseq") == "1 ACK"
    assert ack.branch != invite.branch
    [answered] = of(Answered, effects)
    assert (answered.sound.host, answered.sound.port) == ("10.0.0.9", 4000)
    assert [one.method for one in sent(caller.answer(invite, 200, OFFER))] == ["ACK"]
    assert caller.wait(60) == []
    [bye] = sent(caller.core.hang_up(caller.key, caller.now))
    assert (bye.method, bye.get("cseq"), bye.get("route")) == ("BYE", "2 BYE", "<sip:p;lr>")
    assert caller.answer(bye, 100) == []
    assert caller.answer(bye, 200) == [Ended(caller.key, "we hung up")]
    assert caller.core.hang_up(caller.key, caller.now) == []
    caller.wait(GIVE_UP_S)
    assert caller.core.next_deadline() is None
    assert caller.core.hang_up(caller.key, caller.now) == []


def test_an_invite_is_repeated_until_something_comes_or_given_up() -> None:
    caller = Caller()
    caller.dial(ring_s=60)
    assert [one.method for one in sent(caller.wait(3.6))] == ["INVITE"] * 3
    assert of(Ended, caller.wait(40)) == [Ended(caller.key, "the trunk does not answer", 408)]
    short = Caller()
    short.dial(ring_s=2)
    assert of(Ended, short.wait(5)) == [Ended(short.key, "the trunk does not answer", 408)]


def test_nobody_picks_up_and_the_call_is_cancelled() -> None:
    caller = Caller()
    invite = caller.dial(ring_s=20)
    caller.answer(invite, 183)
    assert caller.wait(19) == []
    [cancel] = sent(caller.wait(1.2))
    assert (cancel.method, cancel.branch) == ("CANCEL", invite.branch)
    assert caller.answer(cancel, 200) == []
    assert caller.answer(invite, 180) == []
    effects = caller.answer(invite, 487)
    assert [one.method for one in sent(effects)] == ["ACK"]
    assert of(Ended, effects) == [Ended(caller.key, "nobody picked up", 487)]
    assert [one.method for one in sent(caller.answer(invite, 487))] == ["ACK"]
    assert caller.asks("BYE") != [None]


def test_a_pick_up_that_crosses_the_cancel_is_hung_up() -> None:
    caller = Caller()
    invite = caller.dial()
    caller.answer(invite, 180)
    assert [one.method for one in sent(caller.core.hang_up(caller.key, caller.now))] == ["CANCEL"]
    assert [one.method for one in sent(caller.answer(invite, 200, OFFER))] == ["ACK", "BYE"]
    lost = Caller()
    invite = lost.dial()
    lost.answer(invite, 180)
    lost.core.hang_up(lost.key, lost.now)
    assert of(Ended, lost.wait(40)) == [Ended(lost.key, "the trunk does not answer", 408)]


def test_hanging_up_before_any_answer_waits_for_one() -> None:
    caller = Caller()
    invite = caller.dial()
    assert caller.core.hang_up(caller.key, caller.now) == []
    assert caller.answer(invite, 180) == [Ringing(caller.key)]
    assert [one.method for one in sent(caller.wait(0.1))] == ["CANCEL"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, "the line is busy, or the call was declined"), (404, "there is no such number"),
        (480, "nobody picked up"), (503, "the trunk refuses the call with 503"),
        (401, "the trunk refuses the call with 401"),
    ],
)  # fmt: skip
def test_refusals(status: int, reason: str) -> None:
    caller = Caller()
    effects = caller.answer(caller.dial(), status)
    assert of(Ended, effects) == [Ended(caller.key, reason, status)]
    [ack] = sent(effects)
    assert (ack.method, ack.branch) == ("ACK", caller.invite.branch)


@pytest.mark.parametrize(
    ("status", "asks", "gives"),
    [
        (401, "www-authenticate", "authorization"),
        (407, "proxy-authenticate", "proxy-authorization"),
    ],
)  # fmt: skip
def test_a_trunk_that_wants_a_password_gets_it_once(status: int, asks: str, gives: str) -> None:
    caller = Caller(user="shop", password="pw")
    challenge = {asks: 'Digest realm="r", nonce="n", qop="auth,auth-int", opaque="o"'}
    effects = caller.answer(caller.dial(), status, **challenge)
    ack, again = sent(effects)
    assert ack.method == "ACK"
    assert again.get("cseq") == "2 INVITE"
    proof = again.get(gives)
    assert 'opaque="o"' in proof
    cnonce = sip.parameter(";" + proof.replace(", ", ";"), "cnonce")
    given = {"realm": "r", "nonce": "n", "uri": again.uri, "qop": "auth", "nc": "00000001",
             "cnonce": cnonce}  # fmt: skip
    assert f'response="{response_of("shop", "pw", "INVITE", given)}"' in proof
    assert of(Ended, caller.answer(again, status, **challenge))


def test_a_challenge_without_qop_is_answered_the_old_way() -> None:
    proof = authorization('Digest realm="r", nonce="n"', "u", "p", "INVITE", "sip:a", "c")
    assert "qop" not in proof
    assert "opaque" not in proof


def test_a_pick_up_without_sound_is_hung_up() -> None:
    caller = Caller()
    effects = caller.answer(caller.dial(), 200, "v=0\r\n")
    assert [one.method for one in sent(effects)] == ["ACK", "BYE"]
    assert of(Note, effects)


def test_the_other_side_hangs_up_holds_and_presses_keys() -> None:
    caller = Caller()
    caller.up()
    held = caller.asks("INVITE", 5, OFFER.replace("sendrecv", "sendonly"))
    [changed] = of(Changed, held)
    assert changed.sound.held
    assert "a=recvonly" in sent(held)[0].body
    assert sent(caller.asks("INVITE", 6, "v=0\r\n"))[0].status == 488
    assert caller.asks("ACK", 6) == []
    assert of(Key, caller.asks("INFO", 7, "Signal=5\r\n")) == [Key(caller.key, "5")]
    assert of(Key, caller.asks("INFO", 7, "Signal=5\r\n")) == []  # repeated
    assert of(Key, caller.asks("INFO", 8, "x")) == []
    assert sent(caller.asks("OPTIONS", 9))[0].status == 200
    assert sent(caller.asks("UPDATE", 10))[0].status == 405
    assert caller.asks("BYE", 11, tag="other") == [None]
    effects = caller.asks("BYE", 12)
    assert of(Ended, effects) == [Ended(caller.key, "the other side hung up")]
    assert sent(caller.asks("BYE", 12))[0].status == 481


@pytest.mark.parametrize("status", [202, 603])
def test_a_transfer_is_a_refer_whose_end_is_told(status: int) -> None:
    caller = Caller()
    caller.dial()
    assert caller.core.transfer(caller.key, "+32", caller.now) == []
    caller.answer(caller.invite, 200, OFFER)
    [refer] = sent(caller.core.transfer(caller.key, "+32 2 555 01 99", caller.now))
    assert refer.get("refer-to") == "<sip:+3225550199@10.0.0.9:5060>"
    assert caller.core.transfer(caller.key, "+32", caller.now) == []
    if status >= 300:
        assert caller.answer(refer, status) == [Referred(caller.key, status)]
        assert [one.method for one in sent(caller.core.hang_up(caller.key, caller.now))] == ["BYE"]
        return
    assert caller.answer(refer, status) == []
    event = "refer"
    ringing = caller.asks("NOTIFY", 1, "SIP/2.0 180 Ringing\r\n", event=event)
    assert of(Referred, ringing) == []
    busy = caller.asks("NOTIFY", 2, "SIP/2.0 486 Busy Here\r\n", event=event)
    assert of(Referred, busy) == [Referred(caller.key, 486)]
    assert [one.status for one in sent(busy)] == [200]  # the other side is still ours
    caller.core.transfer(caller.key, "+32", caller.now)
    there = caller.asks("NOTIFY", 3, "SIP/2.0 200 OK\r\n", event=event)
    assert of(Referred, there) == [Referred(caller.key, 200)]
    assert [one.method for one in sent(there)] == ["", "BYE"]
    assert of(Ended, caller.wait(40)) == [Ended(caller.key, "the trunk does not answer")]


def test_a_call_that_is_up_can_be_named_for_replaces() -> None:
    caller = Caller()
    caller.dial()
    assert caller.core.replaces(caller.key) == ""
    caller.answer(caller.invite, 200, OFFER)
    assert caller.core.replaces(caller.key) == f"{caller.key};to-tag=their;from-tag=tok2"


def test_a_transfer_to_what_is_no_address_hangs_up() -> None:
    caller = Caller()
    caller.up()
    effects = caller.core.transfer(caller.key, "sip:a>b\r\nX: y", caller.now)
    assert [one.method for one in sent(effects)] == ["BYE"]


def test_what_is_not_ours_is_left_to_others() -> None:
    caller = Caller()
    caller.dial()
    assert caller.core.receive(b"noise", TRUNK, caller.now) is None
    other = caller.invite.write().replace(caller.key.encode(), b"other")
    assert caller.core.receive(other, TRUNK, caller.now) is None
    stray = sip.reply(caller.invite, 200)
    stray.headers[0] = ("via", "SIP/2.0/UDP x;branch=z9hG4bKstray")
    assert caller.give(stray) == []


def test_two_calls_have_clocks_of_their_own() -> None:
    caller = Caller()
    first = caller.dial()
    caller.now += 0.3
    second = caller.dial()
    [repeated] = sent(caller.wait(0.25))
    assert repeated.get("call-id") == first.get("call-id") != second.get("call-id")


def test_ipv6_and_no_caller_id() -> None:
    core = SipCalling(contact=lambda _: ("::1", 5060), new_token=lambda: "t", user="shop")
    _, effects = core.invite("+32", "", TRUNK, "d.example", ("::1", 7), 5, 0)
    [invite] = sent(effects)
    assert "IN IP6 ::1" in invite.body
    assert "sip:shop@" in invite.get("from")
    assert invite.uri == "sip:+32@d.example"


@given(
    st.binary(max_size=200), st.integers(0, 500), st.sampled_from([100, 180, 200, 401, 487, 603])
)
@settings(max_examples=60, deadline=None)
def test_damage_never_breaks_the_core(noise: bytes, cut: int, status: int) -> None:
    caller = Caller(user="u", password="p")
    whole = sip.reply(caller.dial(), status, "their", OFFER).write()
    for data in (noise, whole[:cut], whole[:cut] + noise + whole[cut:], whole):
        caller.core.receive(data, TRUNK, caller.now)
    caller.wait(200)
    caller.core.hang_up(caller.key, caller.now)
    caller.wait(200)
