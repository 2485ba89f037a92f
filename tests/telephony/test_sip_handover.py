"""Attended transfers on a real socket: an exchange rings a human, and moves the caller or not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from tests.telephony.booth import LINE
from tests.telephony.house import House, house, until
from voice_server.audio.g711 import decode_ulaw
from voice_server.audio.pcm import Audio, level_dbfs
from voice_server.conversation.orders import Say
from voice_server.telephony import sip_message as sip
from voice_server.telephony.phrases import PHRASES, PhonePhrase
from voice_server.telephony.rtp import Packet
from voice_server.telephony.sip_message import SipMessage

STAFF = replace(
    LINE, staff_language="nl", shop="marolle", queue="+3225550100", number="+3225550123"
)
BACK = PHRASES[PhonePhrase.BACK]["en"]


def speak(*, shop: str, text: str, language: str) -> Awaitable[Audio]:
    SPOKEN.append((shop, text, language))

    async def made() -> Audio:
        tone: Audio = (0.4 * np.sin(np.arange(12_000) * 0.2)).astype(np.float32)
        return tone

    return made()


SPOKEN: list[tuple[str, str, str]] = []


@dataclass
class Exchange(asyncio.DatagramProtocol):
    """Signalling of an exchange: one caller towards us, one human behind it."""

    server: int
    human: int = 200
    """What the human's telephone answers."""
    refer: int = 202
    outcome: int = 200
    """What the exchange tells of the transfer."""
    seen: list[SipMessage] = field(default_factory=list)
    rtp: list[bytes] = field(default_factory=list)
    port: int = 0
    sound: int = 0
    to_tag: str = ""

    def connection_made(self, transport: Any) -> None:
        self.wire: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = sip.parse(data)
        self.seen.append(message)
        if message.status:
            if message.status == 200 and message.cseq[1] == "INVITE":
                self.to_tag = sip.parameter(message.get("to"), "tag")
                self.ask("ACK", 1)
            return
        if message.method == "INVITE":
            self.reply(message, 180)
            self.reply(message, self.human)
        elif message.method == "REFER":
            self.reply(message, self.refer)
            if self.refer < 300:
                self.ask("NOTIFY", 5, "SIP/2.0 100 Trying\r\n", "Event: refer\r\n")
                final = f"SIP/2.0 {self.outcome} End\r\n"
                self.ask("NOTIFY", 6, final, "Event: refer;id=1\r\n")
        elif message.method in ("BYE", "CANCEL"):
            self.reply(message, 200)

    def reply(self, message: SipMessage, status: int) -> None:
        body = self.offer() if message.method == "INVITE" and status == 200 else ""
        answer = sip.reply(message, status, "human", body)
        answer.headers.append(("contact", f"<sip:human@127.0.0.1:{self.port}>"))
        self.wire.sendto(answer.write(), ("127.0.0.1", self.server))

    def offer(self) -> str:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self.sound} RTP/AVP 0\r\na=sendrecv\r\n"
        )

    def ask(self, method: str, cseq: int, body: str = "", extra: str = "") -> None:
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        self.wire.sendto(
            (
                f"{method} sip:+3225550123@127.0.0.1 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{method}{cseq};rport\r\n"
                f"From: <sip:+32470123456@127.0.0.1>;tag=caller\r\n"
                f"To: <sip:+3225550123@127.0.0.1>{tag}\r\nCall-ID: c1\r\nCSeq: {cseq} {method}\r\n"
                f"Contact: <sip:gw@127.0.0.1:{self.port}>\r\n{extra}"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode(),
            ("127.0.0.1", self.server),
        )

    def of(self, method: str) -> list[SipMessage]:
        return [m for m in self.seen if m.method == method]


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: list[bytes]) -> None:
        self.heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)


@asynccontextmanager
async def call(home: House, **options: Any) -> AsyncIterator[Exchange]:
    """A caller on the line, greeted."""
    SPOKEN.clear()
    loop = asyncio.get_running_loop()
    exchange = Exchange(home.sip_port, **options)
    wire, _ = await loop.create_datagram_endpoint(lambda: exchange, local_addr=("127.0.0.1", 0))
    ear, _ = await loop.create_datagram_endpoint(
        lambda: _Ear(exchange.rtp), local_addr=("127.0.0.1", 0)
    )
    exchange.port = wire.get_extra_info("sockname")[1]
    exchange.sound = ear.get_extra_info("sockname")[1]
    exchange.ask("INVITE", 1, exchange.offer(), "Content-Type: application/sdp\r\n")
    await until(lambda: bool(home.calls.live) and home.calls.live[0].flow.line is not None)
    try:
        yield exchange
    finally:
        wire.close()
        ear.close()


async def key(exchange: Exchange, home: House) -> None:
    await until(lambda: bool(home.conversations and home.conversations[0].of(Say)))
    exchange.ask("INFO", 2, "Signal=0\r\n", "Content-Type: application/dtmf-relay\r\n")


def spoken(exchange: Exchange) -> float:
    """How loud the sound of the consultation was at its loudest."""
    own = {Packet.parse(data).source for data in exchange.rtp}
    loudest = -120.0
    for source in own:
        sound = b"".join(
            packet.payload for packet in map(Packet.parse, exchange.rtp) if packet.source == source
        )
        loudest = max(loudest, level_dbfs(decode_ulaw(sound)))
    return loudest


async def test_the_human_hears_the_summary_and_gets_the_caller() -> None:
    async with house(lines=lambda: (STAFF,), speak=speak) as home, call(home) as exchange:
        await key(exchange, home)
        await until(lambda: bool(exchange.of("REFER")))
        invite = exchange.of("INVITE")[0]
        assert invite.uri == f"sip:+3225550199@127.0.0.1:{exchange.port}"
        assert invite.get("x-call-reason") == "key"
        assert invite.get("x-call-summary").startswith("Doorverbonden door de spraakassistent.")
        [(shop, text, language)] = SPOKEN
        assert (shop, language) == ("marolle", "nl")
        assert "Taal van de klant: Engels." in text
        assert spoken(exchange) > -30, "the human heard it"
        refer = exchange.of("REFER")[0]
        found = re.fullmatch(r"<(sip:[^?]*)\?Replaces=(.*)>", refer.get("refer-to"))
        assert found
        assert found[1] == invite.uri
        tag = sip.parameter(invite.get("from"), "tag")
        assert unquote(found[2]) == f"{invite.get('call-id')};to-tag=human;from-tag={tag}"
        await home.quiet()
        [record] = home.calls.records
        assert record.transfers == ({"target": "…99", "warm": True, "result": "answered"},)
        assert record.handed_off == "key"
        await until(lambda: len({m.get("call-id") for m in exchange.of("BYE")}) == 2)


@pytest.mark.parametrize(
    ("options", "result"),
    [
        ({"human": 486}, "busy"),
        ({"human": 480}, "no answer"),
        ({"human": 404}, "refused (404)"),
        ({"refer": 603}, "declined"),
        ({"outcome": 486}, "busy"),
    ],
)
async def test_a_failed_transfer_leaves_the_caller_with_us(
    options: dict[str, int], result: str
) -> None:
    async with (
        house(lines=lambda: (STAFF,), speak=speak) as home,
        call(home, **options) as exchange,
    ):
        await key(exchange, home)
        said = home.conversations[0]
        await until(lambda: BACK in [say.text for say in said.of(Say)])
        session = home.calls.live[0]
        assert session.flow.stage.value == "talking"
        assert session.flow.tally.transfers[0]["result"] == result
        held = 0 if "human" in options else 1
        # One that comes late to a busy machine is sent again.
        await until(lambda: len({m.get("call-id") for m in exchange.of("BYE")} - {"c1"}) == held)
        exchange.ask("BYE", 9)
        await home.quiet()


async def test_a_caller_who_hangs_up_meanwhile_frees_the_human() -> None:
    async with house(lines=lambda: (STAFF,), speak=speak) as home, call(home) as exchange:
        await key(exchange, home)
        await until(lambda: len(exchange.rtp) > 30 and bool(exchange.of("ACK")))
        exchange.ask("BYE", 9)
        await home.quiet()
        await until(lambda: any(m.get("call-id") != "c1" for m in exchange.of("BYE")))
        assert not exchange.of("REFER")


async def test_back_to_the_queue_is_a_blind_refer() -> None:
    async with house(lines=lambda: (STAFF,), speak=speak) as home, call(home) as exchange:
        await until(lambda: home.calls.live[0].flow.stage.value == "talking")
        url = f"{home.url}/api/calls/{home.calls.live[0].id}/transfer"
        async with home.client.post(url, json={"blind": True}) as done:
            assert done.status == 200
        await home.quiet()
        [refer] = exchange.of("REFER")
        assert refer.get("refer-to") == f"<sip:+3225550100@127.0.0.1:{exchange.port}>"
        assert not exchange.of("INVITE")
        assert not SPOKEN
