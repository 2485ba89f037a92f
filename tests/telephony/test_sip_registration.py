"""Registration with a trunk, in exact time; SIP out of a stream."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.telephony import sip_message as sip
from voice_server.telephony.sip_digest import response_of
from voice_server.telephony.sip_message import SIZE_LIMIT, NoSip, SipMessage
from voice_server.telephony.sip_registration import (
    ANSWER_S,
    BACK_OFF_MOST_S,
    BACK_OFF_S,
    EXPIRES_S,
    Ask,
    Effect,
    News,
    Registered,
    Registration,
)
from voice_server.telephony.sip_stream import PING, Framer

CHALLENGE = 'Digest realm="trunk", nonce="n1", algorithm=MD5, qop="auth", opaque="o"'


class Registrar:
    """The other side, and a clock."""

    def __init__(self, transport: str = "UDP") -> None:
        self.now = 100.0
        self.count = 0
        self.core = Registration(
            domain="trunk.example", user="shop", password="pw",
            new_token=self.token, random=lambda: 0.0,
        )  # fmt: skip
        self.news: list[str] = []
        self.asked: list[SipMessage] = []
        self.take(self.core.begin(transport, "192.0.2.1", 5060, self.now))

    def token(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Ask):
                self.asked.append(sip.parse(effect.data))
            else:
                assert isinstance(effect, News)
                self.news.append(effect.text)

    def answer(self, status: int, *headers: tuple[str, str]) -> None:
        message = sip.reply(self.asked[-1], status, "their")
        message.headers += headers
        self.take(self.core.receive(sip.parse(message.write()), self.now))

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (at := self.core.next_deadline()) is not None and at <= end:
            self.now = max(self.now, at)
            self.take(self.core.tick(self.now))
        self.now = end

    def up(self, expires: int = 200) -> None:
        self.answer(401, ("www-authenticate", CHALLENGE))
        own = self.asked[-1].get("contact")
        self.answer(200, ("contact", f"<sip:other@x>;expires=9, {own};expires={expires}"))


def test_it_is_proven_and_renewed() -> None:
    trunk = Registrar()
    first = trunk.asked[0]
    assert (first.method, first.uri, first.get("expires")) == (
        "REGISTER", "sip:trunk.example", str(EXPIRES_S),
    )  # fmt: skip
    trunk.up()
    proven = trunk.asked[-1]
    assert proven.get("call-id") == first.get("call-id")
    assert proven.cseq == (2, "REGISTER")
    proof = proven.get("authorization")
    given = {"realm": "trunk", "nonce": "n1", "uri": "sip:trunk.example", "qop": "auth",
             "nc": "00000001", "cnonce": "t4"}  # fmt: skip
    assert response_of("shop", "pw", "REGISTER", given) in proof
    assert trunk.core.state is Registered.UP
    assert trunk.news == ["registered with the SIP trunk for 200 s"]
    trunk.wait(159)
    assert len(trunk.asked) == 2
    trunk.wait(1)
    assert len(trunk.asked) == 3
    trunk.up()
    assert len(trunk.news) == 1  # a renewal is nothing new
    assert trunk.asked[-1].get("contact") == "<sip:shop@192.0.2.1:5060>"


def test_by_udp_it_is_repeated_by_tcp_not() -> None:
    udp, tcp = Registrar(), Registrar("TCP")
    for trunk in (udp, tcp):
        trunk.wait(ANSWER_S - 0.1)
    assert (len(udp.asked), len(tcp.asked)) == (4, 1)
    assert tcp.asked[0].get("via").startswith("SIP/2.0/TCP ")
    assert "transport=tcp" in tcp.asked[0].get("contact")


def test_a_trunk_that_is_gone_is_asked_ever_less_often() -> None:
    trunk = Registrar("TLS")
    trunk.wait(ANSWER_S)
    assert trunk.news == [
        f"not registered with the SIP trunk: it does not answer; again in {BACK_OFF_S:.0f} s"
    ]
    trunk.wait(3600)
    times = len(trunk.asked)
    assert times < 20
    while len(trunk.asked) == times:
        trunk.wait(10)
    assert trunk.now < 3700 + BACK_OFF_MOST_S + 2 * ANSWER_S
    trunk.up()
    assert trunk.core.state is Registered.UP


def test_a_wrong_password_is_asked_once_then_waited() -> None:
    trunk = Registrar()
    trunk.answer(407, ("proxy-authenticate", CHALLENGE))
    assert trunk.asked[-1].get("proxy-authorization")
    trunk.answer(407, ("proxy-authenticate", CHALLENGE))
    assert trunk.core.state is Registered.WAITING
    assert "it answers 407" in trunk.news[-1]
    other = Registrar()
    other.answer(401, ("www-authenticate", 'Digest realm="a", nonce="b", algorithm=SHA-256'))
    assert "another proof" in other.news[-1]
    none = Registrar()
    none.answer(401)
    assert none.core.state is Registered.WAITING


def test_it_is_given_back() -> None:
    trunk = Registrar()
    trunk.up()
    trunk.take(trunk.core.leave(trunk.now))
    assert trunk.asked[-1].get("expires") == "0"
    trunk.answer(401, ("www-authenticate", CHALLENGE))
    assert trunk.asked[-1].get("expires") == "0"
    assert trunk.asked[-1].get("authorization")
    trunk.answer(200)
    assert trunk.core.state is Registered.OFF
    silent = Registrar()
    silent.up()
    silent.take(silent.core.leave(silent.now))
    silent.wait(ANSWER_S)
    assert silent.core.state is Registered.OFF
    assert silent.core.next_deadline() is None
    early = Registrar()
    early.take(early.core.leave(early.now))
    assert early.core.next_deadline() is None


def test_nothing_is_due_before_its_time() -> None:
    trunk = Registrar("TCP")
    trunk.take(trunk.core.tick(trunk.now))
    assert len(trunk.asked) == 1


def test_answers_of_others_and_provisional_ones_say_nothing() -> None:
    trunk = Registrar()
    trunk.answer(100)
    assert not trunk.news
    trunk.up()
    trunk.answer(500)  # once more, late
    assert trunk.core.state is Registered.UP


def test_without_a_time_the_asked_one_holds() -> None:
    trunk = Registrar()
    trunk.answer(200)
    assert trunk.core.next_deadline() == trunk.now + EXPIRES_S * 0.8
    other = Registrar()
    other.answer(200, ("expires", "60"))
    assert other.core.next_deadline() == other.now + 48


# -------------------------------------------------------------------- streams


def message(body: str = "") -> bytes:
    return (
        "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=1\r\nFrom: <sip:a>;tag=1\r\n"
        f"To: <sip:b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nl: {len(body)}\r\n\r\n{body}"
    ).encode()


@given(st.lists(st.integers(1, 60), max_size=40))
@settings(max_examples=60)
def test_messages_come_whole_however_they_are_cut(cuts: list[int]) -> None:
    sent = [message(), message("v=0\r\n\r\nx"), message("b" * 100)]
    data = b"".join(sent)
    framer, got, at = Framer(), [], 0
    for cut in [*cuts, len(data)]:
        got += framer.receive(data[at : at + cut])
        at += cut
    assert got == sent
    assert framer.whole
    assert sip.parse(got[1]).transport == "TCP"


def test_keep_alives() -> None:
    framer = Framer()
    assert framer.receive(PING) == [PING]
    assert framer.receive(b"\r\n" + message()) == [message()]
    assert framer.receive(message()[:10]) == []
    assert not framer.whole


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n", b"x" * (SIZE_LIMIT + 1),
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999\r\n\r\n",
    ],
)  # fmt: skip
def test_what_can_never_be_a_message_ends_the_connection(data: bytes) -> None:
    with pytest.raises(NoSip):
        Framer().receive(data)
