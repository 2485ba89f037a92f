"""The line of one SIP call: RTP by UDP, and what the dialog says, in time for the bridge."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import orjson

from voice_server.telephony.call import Close, Message
from voice_server.telephony.pacer import FRAME_S
from voice_server.telephony.playout import Playout
from voice_server.telephony.sdp import STATIC, Sound
from voice_server.telephony.sip_core import Address, Changed, Gone, Incoming, Key

log = logging.getLogger(__name__)

T = TypeVar("T")

WAITING_PACKETS = 500
"""Frames of a caller that wait to be taken (10 s): beyond, the newest are dropped, because the
loop hangs and the sound would only come late."""

STALL_S = 1.0
"""Frames that a hanging loop has not taken are taken at once up to here; more is no speech any
more that an answer could be in time for."""


class SipLink:
    """The line of one call: RTP by UDP, and what the dialog says as JSON."""

    def __init__(self, sound: Sound, want: Any) -> None:
        self._sound = sound
        self._want = want
        self._playout = Playout({sound.kind: sound.codec}, sound.events)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0
        self.rtp: asyncio.DatagramTransport | None = None
        self._to: Address = (sound.host, sound.port)
        self._latched = False
        self._incoming: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._over = asyncio.Event()
        self._settled = asyncio.Event()
        self.called = ""

    def start(self, call: Incoming) -> None:
        """The call was picked up: from now on a frame of the caller's comes every 20 ms."""
        self.called = call.called
        self._next = self._loop.time()
        self._tick()
        self._say(
            event="start", call_id=call.call_id, caller=call.caller, called=call.called,
            kind=call.sound.kind, codec=static_kind(call.sound), events=call.sound.events,
        )  # fmt: skip

    def tell(self, effect: Changed | Key | Gone) -> None:
        """Something has happened to the dialog."""
        if isinstance(effect, Gone):
            self._say(event="stop", reason=effect.reason)
            self.drop()
        elif isinstance(effect, Key):
            self._say(event="key", digit=effect.digit)
        else:
            if (effect.sound.host, effect.sound.port) != (self._sound.host, self._sound.port):
                self._to, self._latched = (effect.sound.host, effect.sound.port), False
            self._sound = effect.sound
            self._playout.agree({effect.sound.kind: effect.sound.codec}, effect.sound.events)
            self._say(event="hold", on=effect.sound.held)

    def transferred(self, *, reached: bool, result: str) -> None:
        """Tell what became of a transfer."""
        self._settled.set()
        self._say(event="transferred", reached=reached, result=result)

    async def settled(self) -> None:
        """Wait until a transfer has ended somehow, or the line is gone."""
        self._settled.clear()
        await self.while_up(self._settled.wait())

    async def while_up(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what ``work`` does; None, and it is cancelled, if the line ends before."""
        doing, over = asyncio.ensure_future(work), asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({doing, over}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            over.cancel()
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)

    def packet(self, data: bytes, peer: Address) -> None:
        """Take a packet of sound; the first one shows where ours must go (symmetric RTP)."""
        if not self._latched:
            self._to, self._latched = peer, True
        elif peer != self._to:
            return  # somebody else's
        self._pass_on(self._playout.put(data, self._loop.time()))

    def _pass_on(self, messages: list[Message]) -> None:
        for message in messages:
            if self._incoming.qsize() < WAITING_PACKETS and not isinstance(message, Close):
                self._incoming.put_nowait(message)

    def _tick(self) -> None:
        now = self._loop.time()
        if now - self._next > STALL_S:
            self._next = now
        while self._next <= now:
            self._next += FRAME_S
            self._pass_on(self._playout.take(now))
        self._timer = self._loop.call_at(self._next, self._tick)

    def _say(self, **fields: Any) -> None:
        self._incoming.put_nowait(orjson.dumps(fields).decode())

    def send(self, message: Message) -> None:
        """Send a packet, or tell the dialog."""
        if isinstance(message, Close):
            self.drop()
        elif isinstance(message, str):
            self._want(message)
        elif self.rtp is not None and not self.rtp.is_closing() and not self._sound.held:
            self.rtp.sendto(message, self._to)

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield packets and news of the dialog."""
        while (message := await self._incoming.get()) is not None:
            yield message

    async def run(self) -> None:
        """UDP needs no writer: wait for the end."""
        await self._over.wait()

    def drop(self) -> None:
        """End the line."""
        if not self._over.is_set():
            self._over.set()
            if self._timer is not None:
                self._timer.cancel()
            self._incoming.put_nowait(None)


class Receiver(asyncio.DatagramProtocol):
    """Hands datagrams on."""

    def __init__(self, take: Any) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take a datagram."""
        self._take(data, (addr[0], addr[1]))

    def error_received(self, error: Exception) -> None:
        """The peer's port is closed: SIP's own timers notice."""
        log.debug("a datagram came back: %s", error)


def static_kind(sound: Sound) -> int:
    """Return the payload type that a codec has of itself (RFC 3551)."""
    return next(kind for kind, codec in STATIC.items() if codec == sound.codec)


async def rtp_socket(
    host: str, take: Callable[[bytes, Address], None]
) -> asyncio.DatagramTransport:
    """Return a socket for the sound of one call, of the same family as our address."""
    local = "::" if ":" in host else "0.0.0.0"  # noqa: S104 - sound comes from the trunk's media
    loop = asyncio.get_running_loop()
    rtp, _ = await loop.create_datagram_endpoint(lambda: Receiver(take), local_addr=(local, 0))
    return rtp


def own_host(peer: Address) -> str:
    """Return the address of ours that a peer can reach, by the routing table."""
    family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(peer)  # sends nothing
        return str(probe.getsockname()[0])
