"""The shell of a registration: the trunk's address, its connection, and one timer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import socket
import ssl
from collections.abc import Callable

from voice_server.telephony import sip_message as sip
from voice_server.telephony.ports import SipTrunk
from voice_server.telephony.sip_core import Address
from voice_server.telephony.sip_message import NoSip
from voice_server.telephony.sip_registration import Ask, Effect, Registered, Registration
from voice_server.telephony.sip_streams import SipStreams

log = logging.getLogger(__name__)

RESOLVE_S = 5.0
LEAVE_S = 2.0
"""A trunk that does not answer forgets us by itself."""

PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061}


class TrunkRegistration:
    """Keeps us registered while the server runs."""

    def __init__(
        self,
        trunk: SipTrunk,
        streams: SipStreams,
        contact: Callable[[Address, str], Address],
        send: Callable[[bytes, Address], None],
        now: Callable[[], float],
    ) -> None:
        """``contact``: ours as a peer reaches it by a transport; ``send``: by UDP or connection."""
        self._trunk = trunk
        self._streams = streams
        self._contact = contact
        self._send = send
        self._now = now
        host, _, port = trunk.address.partition(":")
        self._host, self._port = host, int(port or PORTS[trunk.transport])
        self._core = Registration(
            domain=trunk.domain or host, user=trunk.user, password=trunk.password,
            new_token=lambda: secrets.token_hex(8), random=random.random,
        )  # fmt: skip
        self._to: Address | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()

    @property
    def hosts(self) -> frozenset[str]:
        """The trunk's addresses: it calls us without a password, as we have proven ours."""
        return frozenset() if self._to is None else frozenset({self._to[0]})

    @property
    def state(self) -> str:
        """For operators."""
        return self._core.state.value

    def begin(self) -> None:
        """Register; it goes on by itself."""
        self._spawn(None)

    async def close(self) -> None:
        """Give the registration back, for LEAVE_S at most."""
        self._perform(self._core.leave(self._now()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self._over.wait()
        for task in list(self._tasks):
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def receive(self, data: bytes) -> bool:
        """Take an answer to a REGISTER; False for everything else."""
        if not data.startswith(b"SIP/2.0 "):
            return False
        try:
            message = sip.parse(data)
        except NoSip:
            return False
        if message.cseq[1] != "REGISTER":
            return False
        self._perform(self._core.receive(message, self._now()))
        return True

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Ask):
                self._spawn(effect.data)
            else:
                log.log(logging.INFO if effect.good else logging.WARNING, "%s", effect.text)
        if self._core.state is Registered.OFF:
            self._over.set()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._core.next_deadline()
        if at is not None:
            delay = max(0.0, at - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        self._perform(self._core.tick(self._now()))

    def _spawn(self, data: bytes | None) -> None:
        task = asyncio.get_running_loop().create_task(self._reach(data))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reach(self, data: bytes | None) -> None:
        """Send a request; None: find the trunk and begin."""
        transport = self._trunk.transport
        try:
            async with asyncio.timeout(RESOLVE_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    self._host, self._port, type=socket.SOCK_DGRAM
                )
            to = self._to = (str(found[0][4][0]), int(found[0][4][1]))
            if transport != "UDP":
                tls = ssl.create_default_context() if transport == "TLS" else None
                if tls is not None and self._trunk.authority:
                    tls.load_verify_locations(self._trunk.authority)
                await self._streams.connect(to, tls, self._host)
        except (OSError, TimeoutError) as error:
            why = "no answer" if isinstance(error, TimeoutError) else str(error)
            self._perform(self._core.failed(f"{self._host} cannot be reached ({why})", self._now()))
            return
        if data is None:
            self._perform(self._core.begin(transport, *self._contact(to, transport), self._now()))
        else:
            self._send(data, to)
