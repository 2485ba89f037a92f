"""The shell of SIP: signalling by UDP, TCP and TLS, a UDP socket for the sound of each call."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from voice_server.config import LOOPBACK
from voice_server.telephony.calls import Full
from voice_server.telephony.endpoint import TelephonyEndpoint
from voice_server.telephony.line import find_line, masked
from voice_server.telephony.ports import Meter, TelephonyBackend
from voice_server.telephony.session import CallSession
from voice_server.telephony.sip_bridge import SipBridge
from voice_server.telephony.sip_consultation import Consultations, read_wish
from voice_server.telephony.sip_core import (
    Address,
    Incoming,
    Note,
    Send,
    SipCore,
    SipEffect,
)
from voice_server.telephony.sip_digest import Digest
from voice_server.telephony.sip_link import Receiver, SipLink, own_host, rtp_socket
from voice_server.telephony.sip_message import via_transport
from voice_server.telephony.sip_refer import Referred
from voice_server.telephony.sip_streams import SipStreams
from voice_server.telephony.sip_trunk import TrunkRegistration

log = logging.getLogger(__name__)

_VIA = re.compile(rb"(?i)\r\n(?:via|v)[ \t]*:[ \t]*([^\r]{1,40})")


class SipServer:
    """Accepts calls of a trunk and serves them."""

    def __init__(
        self, backend: TelephonyBackend, endpoint: TelephonyEndpoint, meter: Meter
    ) -> None:
        self._backend = backend
        self._endpoint = endpoint
        self._meter = meter
        sip = backend.sip
        digest = Digest(sip.user, sip.password, secrets.token_bytes(16)) if sip.password else None
        self._core = SipCore(
            contact=self.contact, new_token=lambda: secrets.token_hex(8),
            trusted=self._trusted, digest=digest,
        )  # fmt: skip
        self._lines: dict[str, SipLink] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.port = 0
        self.consultations: Consultations | None = None
        self._streams = SipStreams(self._received)
        trunk = backend.trunk
        self.registration = (
            TrunkRegistration(trunk, self._streams, self.reached_at, self.send, endpoint.now)
            if trunk.register and trunk.address
            else None
        )
        self.outgoing: Callable[[bytes, Address], bool] | None = None
        """Takes the datagrams of calls that we have placed, and says which those are."""

    @asynccontextmanager
    async def running(self, host: str, port: int) -> AsyncIterator[SipServer]:
        """Listen inside the block. Raises OSError if the address is taken."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Receiver(self._received), local_addr=(host, port)
        )
        self._transport = transport
        consultations = Consultations(self._backend, self.contact, self.send, self._endpoint.now)
        self.consultations = consultations
        self.port = transport.get_extra_info("sockname")[1]
        sip = self._backend.sip
        try:
            await self._streams.listen(host, self.port, None)
            log.info("SIP listens on %s:%d, UDP and TCP", host, self.port)
            if sip.tls is not None:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(sip.certificate, sip.key or None)
                self._core.tls_port = await self._streams.listen(*sip.tls, context)
                log.info("SIP by TLS listens on %s:%d", sip.tls[0], self._core.tls_port)
            if self.registration is not None:
                self.registration.begin()
            yield self
        finally:
            consultations.close()
            if self.registration is not None:
                await self.registration.close()
            for task in list(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=5)
            await self._streams.close()
            if self._timer is not None:
                self._timer.cancel()
            transport.close()

    def _trusted(self, host: str) -> bool:
        if self.registration is not None and host in self.registration.hosts:
            return True
        return host in self._backend.sip.peers or (self._backend.demo and host in LOOPBACK)

    def contact(self, peer: Address) -> Address:
        """Return our address as a peer should write to it."""
        return self._backend.sip.host or own_host(peer), self.port

    @property
    def tls_port(self) -> int:
        """Where we listen for TLS, 0 where we do not."""
        return self._core.tls_port

    def reached_at(self, peer: Address, transport: str) -> Address:
        """Return our address as a peer reaches it by UDP, TCP or TLS."""
        host, port = self.contact(peer)
        return host, (self.tls_port or port) if transport == "TLS" else port

    def send(self, data: bytes, to: Address) -> None:
        """Send a message as its topmost Via says; by TCP and TLS on the connection there is."""
        found = _VIA.search(data)
        if found is not None and via_transport(found[1].decode(errors="replace")) != "UDP":
            if not self._streams.send(data, to):
                log.warning("a SIP message to %s is lost: its connection is closed", to[0])
            return
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, to)

    def _received(self, data: bytes, peer: Address) -> None:
        try:
            if self.outgoing is not None and self.outgoing(data, peer):
                return
            if self.consultations is not None and self.consultations.takes(data, peer):
                return
            if self.registration is not None and self.registration.receive(data):
                return
            self._perform(self._core.receive(data, peer, self._endpoint.now()))
        except Exception:  # one datagram must not end the server
            log.exception("a SIP message failed")

    def _perform(self, effects: list[SipEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self.send(effect.data, effect.to)
            elif isinstance(effect, Note):
                log.warning("%s", effect.text)
            elif isinstance(effect, Incoming):
                task = asyncio.get_running_loop().create_task(self._serve(effect))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif isinstance(effect, Referred):
                if effect.key in self._lines:
                    self._lines[effect.key].transferred(
                        reached=effect.reached, result=effect.result
                    )
            elif effect.key in self._lines:
                self._lines[effect.key].tell(effect)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._core.next_deadline()
        if at is not None and self._transport is not None and not self._transport.is_closing():
            delay = max(0.0, at - self._endpoint.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._perform(self._core.tick(self._endpoint.now()))

    async def _serve(self, call: Incoming) -> None:
        try:
            await self._call(call)
        except Exception:  # one call must not end the server
            log.exception("a SIP call failed")
            self._perform(self._core.hang_up(call.key, self._endpoint.now()))

    async def _call(self, call: Incoming) -> None:
        now = self._endpoint.now
        if find_line(self._backend.lines(), call.called, "sip") is None:
            log.warning("no line is configured for %s (sip)", masked(call.called))
            self._perform(self._core.refuse(call.key, 404, now()))
            return
        try:
            self._endpoint.check_room()
        except Full as full:
            self._meter.count("calls_refused_total", vendor="sip")
            log.warning("a call was refused: %s", full)
            self._perform(self._core.refuse(call.key, 486, now()))
            return
        host = self._backend.sip.host or own_host((call.sound.host, call.sound.port))
        link = SipLink(call.sound, self._want(call.key))
        rtp = link.rtp = await rtp_socket(host, link.packet)
        try:
            bridge = SipBridge(
                sequence=secrets.randbelow(1 << 15), timestamp=secrets.randbelow(1 << 31),
                source=secrets.randbelow(1 << 32),
            )  # fmt: skip
            session = CallSession(
                self._backend, self._endpoint.calls, self._meter, bridge, link,
                ticket=None, clock=now,
            )  # fmt: skip
            self._endpoint.calls.add(session)
            self._lines[call.key] = link
            try:
                self._perform(
                    self._core.accept(call.key, host, rtp.get_extra_info("sockname")[1], now())
                )
                link.start(call)
                await session.run()
            finally:
                self._endpoint.calls.remove(session)
                del self._lines[call.key]
        finally:
            rtp.close()
            self._perform(self._core.hang_up(call.key, now()))

    def _want(self, key: str) -> Any:
        """Return what a link calls when the bridge wants something of the dialog."""

        def want(text: str) -> None:
            if text.startswith("REFER "):
                task = asyncio.get_running_loop().create_task(self._transfer(key, text))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._perform(self._core.hang_up(key, self._endpoint.now()))

        return want

    async def _transfer(self, key: str, wish: str) -> None:
        """Bring a caller to a human: after words with them, or blindly. The link hears the end."""
        target, warm, details = read_wish(wish)
        link, peer = self._lines.get(key), self._core.peer(key)
        if link is None or peer is None:
            return
        line = find_line(self._backend.lines(), link.called, "sip")
        consultations = self.consultations
        leg = replaces = ""
        try:
            if warm and line is not None and consultations is not None:
                reaching = consultations.reach(target, self._core.where(key), peer, line, details)
                leg, replaces, why = await link.while_up(reaching) or ("", "", "the caller is gone")
                if not leg:
                    link.transferred(reached=False, result=why)
                    return
            self._perform(self._core.transfer(key, target, self._endpoint.now(), replaces))
            await link.settled()
        except Exception:  # the caller is not lost by it
            log.exception("a transfer failed")
            link.transferred(reached=False, result="internal error")
        finally:
            if consultations is not None:
                consultations.end(leg)
