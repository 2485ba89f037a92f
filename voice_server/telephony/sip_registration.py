"""Registration with a trunk (RFC 3261, 10): asked, proven, renewed, given back. Sans-I/O."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from voice_server.telephony import sip_message as sip
from voice_server.telephony.sip_message import SipMessage
from voice_server.telephony.sip_proving import authorization

EXPIRES_S = 300
"""Asked for: short enough that a NAT stays open by renewals, and that a trunk which forgot us does
not for long."""

RENEW_SHARE = 0.8
"""Of the granted time, after which it is renewed: a lost answer leaves time for another try."""

ANSWER_S = 8.0
"""For an answer, by any transport; by UDP the request is repeated meanwhile."""

REPEAT_S = (0.5, 1.5, 3.5)
"""After the first sending, by UDP (RFC 3261's timer E)."""

BACK_OFF_S, BACK_OFF_MOST_S = 5.0, 300.0
"""After a failure; doubled with each further one, less up to a third at random, so that a trunk
that comes back is not met by all its customers at once."""


class Registered(Enum):
    """Where a registration is."""

    OFF = "off"
    ASKED = "asked"
    UP = "up"
    WAITING = "waiting"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Ask:
    """Send this request to the trunk."""

    data: bytes


@dataclass(frozen=True, slots=True)
class News:
    """For the log."""

    text: str
    good: bool


Effect = Ask | News


class Registration:
    """One account at one trunk."""

    def __init__(
        self,
        *,
        domain: str,
        user: str,
        password: str,
        new_token: Callable[[], str],
        random: Callable[[], float],
    ) -> None:
        """``domain``: the registrar's; ``new_token``: unguessable; ``random``: 0 to 1."""
        self._domain, self._user, self._password = domain, user, password
        self._new_token, self._random = new_token, random
        self._call_id, self._tag = new_token(), new_token()
        self._cseq = 0
        self._branch = ""
        self._last = b""
        self._repeats: list[float] = []
        self._failures = 0
        self._told = self._proven = False
        self._at: float | None = None
        self._via = self._contact = ""
        self.state = Registered.OFF

    def begin(self, transport: str, host: str, port: int, now: float) -> list[Effect]:
        """Register, reached at ``host`` and ``port`` by this transport (UDP, TCP, TLS)."""
        self._via = f"SIP/2.0/{transport} {host}:{port}"
        way = "" if transport == "UDP" else f";transport={transport.lower()}"
        self._contact = f"<sip:{self._user}@{host}:{port}{way}>"
        return self._ask(Registered.ASKED, EXPIRES_S, now)

    def leave(self, now: float) -> list[Effect]:
        """Give it back; nobody waits for an answer that does not come."""
        if self.state is not Registered.UP:
            self.state, self._at, self._repeats = Registered.OFF, None, []
            return []
        return self._ask(Registered.LEAVING, 0, now)

    def failed(self, why: str, now: float) -> list[Effect]:
        """The trunk cannot be reached, or refuses: try again later."""
        wait = min(BACK_OFF_S * 2**self._failures, BACK_OFF_MOST_S) * (1 - self._random() / 3)
        self._failures = min(self._failures + 1, 10)
        self.state, self._at, self._repeats = Registered.WAITING, now + wait, []
        self._branch, self._told = "", False
        return [News(f"not registered with the SIP trunk: {why}; again in {wait:.0f} s", False)]

    def receive(self, message: SipMessage, now: float) -> list[Effect]:
        """Take an answer to a REGISTER."""
        if not self._branch or message.branch != self._branch or message.status < 200:
            return []
        self._branch, self._repeats = "", []
        asked = message.status in (401, 407) and not self._proven
        if self.state is Registered.LEAVING and not asked:
            self.state, self._at = Registered.OFF, None
            return [News("registration with the SIP trunk given back", True)]
        if asked:
            return self._prove(message, now)
        if message.status >= 300:
            return self.failed(f"it answers {message.status}", now)
        granted = self._granted(message)
        news = News(f"registered with the SIP trunk for {granted} s", True)
        first, self._told = not self._told, True
        self.state, self._failures = Registered.UP, 0
        self._at = now + granted * RENEW_SHARE
        return [news] if first else []

    def tick(self, now: float) -> list[Effect]:
        """Repeat, renew, try again, or give up what has become due."""
        if self._repeats and self._repeats[0] <= now:
            del self._repeats[0]
            return [Ask(self._last)]
        if self._at is None or self._at > now:
            return []
        if self.state is Registered.LEAVING:
            self.state, self._at = Registered.OFF, None
            return []
        if self.state in (Registered.UP, Registered.WAITING):
            return self._ask(Registered.ASKED, EXPIRES_S, now)
        return self.failed("it does not answer", now)

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` is due next."""
        wanted = [*self._repeats[:1], *([self._at] if self._at is not None else [])]
        return min(wanted, default=None)

    # -------------------------------------------------------------- internals

    def _prove(self, message: SipMessage, now: float) -> list[Effect]:
        name = "www-authenticate" if message.status == 401 else "proxy-authenticate"
        challenge = next(
            (one for one in message.all(name) if one.lower().startswith("digest ")), ""
        )
        if "sha-256" in challenge.lower() or not challenge:
            return self.failed("it wants another proof than a digest by MD5", now)
        header = "authorization" if message.status == 401 else "proxy-authorization"
        proof = authorization(
            challenge, self._user, self._password, "REGISTER", f"sip:{self._domain}",
            self._new_token(),
        )  # fmt: skip
        if self.state is Registered.LEAVING:
            return self._ask(Registered.LEAVING, 0, now, [(header, proof)])
        return self._ask(Registered.ASKED, EXPIRES_S, now, [(header, proof)])

    def _ask(
        self,
        state: Registered,
        expires_s: int,
        now: float,
        extra: list[tuple[str, str]] | None = None,
    ) -> list[Effect]:
        self._cseq += 1
        self._branch = f"z9hG4bK{self._new_token()}"
        own = f"<sip:{self._user}@{self._domain}>"
        headers = [
            ("via", f"{self._via};branch={self._branch};rport"),
            ("max-forwards", "70"),
            ("from", f"{own};tag={self._tag}"),
            ("to", own),
            ("call-id", self._call_id),
            ("cseq", f"{self._cseq} REGISTER"),
            ("contact", self._contact),
            ("expires", str(expires_s)),
            *(extra or []),
        ]
        self._proven = bool(extra)
        self._last = SipMessage("REGISTER", f"sip:{self._domain}", headers=headers).write()
        self.state, self._at = state, now + ANSWER_S
        self._repeats = [now + s for s in REPEAT_S] if "/UDP " in self._via else []
        return [Ask(self._last)]

    def _granted(self, message: SipMessage) -> int:
        """Return the seconds until it ends: what stands at our contact, else for all."""
        own = sip.address(self._contact)
        for contact in message.all("contact"):
            found = re.search(r";\s*expires=(\d{1,6})", contact)
            if sip.address(contact) == own and found:
                return max(10, int(found[1]))
        header = message.get("expires")
        return max(10, int(header)) if header.isdecimal() and len(header) < 7 else EXPIRES_S
