"""Calls that we place by SIP, the shell: the server's one socket, and RTP of each call's own."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voice_server.telephony.calls import Calls, Full, Ticket
from voice_server.telephony.dial_rules import NotDialled
from voice_server.telephony.outgoing import Outcome as CallOutcome
from voice_server.telephony.outgoing import Outgoing
from voice_server.telephony.ports import Meter, TelephonyBackend
from voice_server.telephony.session import CallSession
from voice_server.telephony.sip_bridge import SipBridge
from voice_server.telephony.sip_calling import (
    BUSY,
    NO_ANSWER,
    Answered,
    CallingEffect,
    Ended,
    Ringing,
    SipCalling,
)
from voice_server.telephony.sip_consultation import read_wish
from voice_server.telephony.sip_core import Address, Gone, Incoming, Note, Send
from voice_server.telephony.sip_link import SipLink, own_host, rtp_socket
from voice_server.telephony.sip_refer import Referred
from voice_server.telephony.sip_server import SipServer

log = logging.getLogger(__name__)

RESOLVE_S = 5.0
DEFAULT_PORT = 5060


@dataclass(eq=False)
class _Leg:
    """One call: what is known before and after it is picked up."""

    outgoing: Outgoing
    ticket: Ticket
    rtp: asyncio.DatagramTransport | None = None
    link: SipLink | None = None

    def packet(self, data: bytes, peer: Address) -> None:
        """Take a packet of sound; ringing tones and announcements before pick-up are not heard."""
        if self.link is not None:
            self.link.packet(data, peer)


class SipCaller:
    """Implements :class:`voice_server.telephony.dialler.Trunk`."""

    def __init__(
        self,
        backend: TelephonyBackend,
        calls: Calls,
        meter: Meter,
        server: SipServer,
        now: Callable[[], float],
    ) -> None:
        """Joins the server's socket; ``now``: monotonic seconds."""
        self._backend = backend
        self._all = calls
        self._meter = meter
        self._server = server
        self._now = now
        trunk = backend.trunk
        self._core = SipCalling(
            contact=server.contact, new_token=lambda: secrets.token_hex(8),
            user=trunk.user, password=trunk.password,
        )  # fmt: skip
        self._legs: dict[str, _Leg] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        server.outgoing = self.takes

    # ---------------------------------------------------------------- placing

    async def place(self, outgoing: Outgoing, ticket: Ticket) -> None:
        """Send the INVITE. Raises NotDialled."""
        call = outgoing.outbound
        host, _, port = self._backend.trunk.address.partition(":")
        try:
            async with asyncio.timeout(RESOLVE_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    host, int(port or DEFAULT_PORT), type=socket.SOCK_DGRAM
                )
        except (OSError, TimeoutError):
            raise NotDialled("vendor", "the SIP trunk's name has no address") from None
        peer: Address = str(found[0][4][0]), int(found[0][4][1])
        leg = _Leg(outgoing, ticket)
        ours = self._backend.sip.host or own_host(peer)
        rtp = leg.rtp = await rtp_socket(ours, leg.packet)
        dialling = call.line.dialling
        assert dialling is not None, "checked by the dialler"  # noqa: S101
        media = (ours, int(rtp.get_extra_info("sockname")[1]))
        key, effects = self._core.invite(
            call.number, call.line.number, peer, self._backend.trunk.domain, media,
            dialling.ring_s, self._now(),
        )  # fmt: skip
        outgoing.vendor_call = key
        self._legs[key] = leg
        self._perform(effects)

    def cancel(self, outgoing: Outgoing) -> None:
        """End a call, ringing or not."""
        self._perform(self._core.hang_up(outgoing.vendor_call, self._now()))

    # -------------------------------------------------------------- receiving

    def takes(self, data: bytes, peer: Address) -> bool:
        """Take a datagram of one of our calls; False for the others."""
        effects = self._core.receive(data, peer, self._now())
        if effects is None:
            return False
        self._perform(effects)
        return True

    def _perform(self, effects: list[CallingEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._server.send(effect.data, effect.to)
            elif isinstance(effect, Note):
                log.warning("%s", effect.text)
            else:
                self._happened(effect)
        self._arm()

    def _happened(self, effect: Any) -> None:
        leg = self._legs.get(effect.key)
        if leg is None:
            return
        if isinstance(effect, Ringing):
            if leg.outgoing.state == "dialling":
                leg.outgoing.state = "ringing"
        elif isinstance(effect, Answered):
            task = asyncio.get_running_loop().create_task(self._serve(effect, leg))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif isinstance(effect, Ended):
            if leg.link is not None:
                leg.link.tell(Gone(effect.key, effect.reason))
            else:
                leg.outgoing.finish(_outcome(effect.status), effect.reason)
                self._forget(effect.key)
        elif isinstance(effect, Referred):
            if leg.link is not None:
                leg.link.transferred(reached=effect.reached, result=effect.result)
        elif leg.link is not None:
            leg.link.tell(effect)

    # ---------------------------------------------------------------- serving

    async def _serve(self, answered: Answered, leg: _Leg) -> None:
        key, outgoing = answered.key, leg.outgoing
        try:
            await self._call(answered, leg)
        except Full as full:
            log.warning("a call that was picked up cannot be served: %s", full)
            outgoing.finish("failed", str(full))
        except Exception:  # one call must not end the server
            log.exception("a SIP call of ours failed")
            outgoing.finish("failed", "internal error")
        finally:
            self._perform(self._core.hang_up(key, self._now()))
            self._forget(key)

    async def _call(self, answered: Answered, leg: _Leg) -> None:
        call = leg.outgoing.outbound
        link = SipLink(answered.sound, self._want(answered.key))
        link.rtp = leg.rtp
        bridge = SipBridge(
            sequence=secrets.randbelow(1 << 15), timestamp=secrets.randbelow(1 << 31),
            source=secrets.randbelow(1 << 32),
        )  # fmt: skip
        session = CallSession(
            self._backend, self._all, self._meter, bridge, link,
            ticket=leg.ticket, clock=self._now,
        )  # fmt: skip
        self._all.add(session)
        leg.link = link
        try:
            link.start(
                Incoming(answered.key, answered.key, call.number, call.line.number, answered.sound)
            )
            await session.run()
        finally:
            self._all.remove(session)

    def _want(self, key: str) -> Any:
        def want(text: str) -> None:
            if text.startswith("REFER "):  # blindly: people are called by the trunk itself
                target, _, _ = read_wish(text)
                self._perform(self._core.transfer(key, target, self._now()))
            else:
                self._perform(self._core.hang_up(key, self._now()))

        return want

    # -------------------------------------------------------------- internals

    def _forget(self, key: str) -> None:
        leg = self._legs.pop(key, None)
        if leg is not None and leg.rtp is not None:
            leg.rtp.close()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._core.next_deadline()
        if at is not None:
            delay = max(0.0, at - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._perform(self._core.tick(self._now()))

    async def close(self) -> None:
        """The server stops: what rings is cancelled, what talks is hung up."""
        for key in list(self._legs):
            self._perform(self._core.hang_up(key, self._now()))
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        if self._timer is not None:
            self._timer.cancel()
        for key in list(self._legs):
            self._forget(key)


def _outcome(status: int) -> CallOutcome:
    if status in BUSY:
        return "busy"
    return "no_answer" if status in NO_ANSWER else "failed"
