"""The identity desk: who the caller has proved to be.  Sans-I/O.

One desk for each session.  It compares, counts and forgets; a shell
(:mod:`voice_server.dialogue.identity.service`) asks the platform and sends codes.  It must hear
only of *committed* turns: a speculative reply proves nothing.

What it holds (R18):

* an unknown order number and a wrong postcode take the same way and get the same words; so do a
  contact that nobody has, a wrong code and an expired one;
* secrets are compared in constant time, by digest; codes are kept as keyed digests only;
* failures count in the session, and per order number, contact and caller across sessions; a
  lock-out looks the same for numbers that exist and numbers that do not;
* a proved order opens that order; a proved contact opens the orders of that contact.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from voice_server.dialogue.identity.events import (
    Channel,
    CodeNotSent,
    CodeOffered,
    CodeWanted,
    Command,
    ContactLookedUp,
    Event,
    LookUpContact,
    LookUpOrder,
    OrderLookedUp,
    OrderProof,
    Outcome,
    ProofsOffered,
    SendCode,
    Tell,
)
from voice_server.dialogue.identity.ledger import DEFAULTS, AttemptLedger, Limits
from voice_server.dialogue.identity.levels import Level, LevelTable

CODE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class IdentityState:
    """What a session has proved: survives a reconnect; holds no code and no postcode."""

    level: Level = Level.NONE
    order: str = ""
    """Number of the order proved last."""
    orders: frozenset[str] = frozenset()
    """All orders proved in this session by number and postcode."""
    contact: str = ""
    """The contact proved by a code."""
    code_orders: frozenset[str] = frozenset()
    """Orders whose contact was proved by a code."""
    failures: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    ticket: int
    event: ProofsOffered | CodeWanted


@dataclass(frozen=True, slots=True)
class _Code:
    ticket: int
    digest: bytes
    """Keyed; of random bytes where nothing was sent, so that no code can match."""
    contact: str
    orders: frozenset[str]
    expires: float
    left: int


class IdentityDesk:
    """See the module. Used from one task at a time; every method is immediate."""

    def __init__(
        self,
        ledger: AttemptLedger,
        *,
        secret: bytes,
        new_code: Callable[[], str],
        caller: str = "",
        limits: Limits = DEFAULTS,
        table: LevelTable | None = None,
        state: IdentityState | None = None,
    ) -> None:
        """Open the desk for one session.

        Args:
            ledger: counts failures across sessions; one for each shop.
            secret: at least 16 random bytes of this process; keys the digests of codes.
            new_code: returns six random digits (``lambda: f"{secrets.randbelow(10**6):06}"``).
            caller: what is known of the line (phone number, address), to count by; may be empty.
            limits: when to stop listening.
            table: the shop's level table.
            state: what the session had proved before it was resumed.
        """
        self._ledger = ledger
        self._secret = secret
        self._new_code = new_code
        self._caller = caller
        self._limits = limits
        self._table = table or LevelTable()
        self._state = state or IdentityState()
        self._pending = ProofsOffered()
        self._asked: _Asked | None = None
        self._code: _Code | None = None
        self._sent_at: float | None = None
        self._tickets = 0

    # -- what is proved ---------------------------------------------------------------------

    @property
    def state(self) -> IdentityState:
        """What was proved, to be kept with the session."""
        return self._state

    @property
    def level(self) -> Level:
        """The highest level reached, for the hand-off packet; rights go by :meth:`allows`."""
        return self._state.level

    def level_for(self, order: str) -> Level:
        """Return the level reached for an order."""
        state = self._state
        if order and order in state.code_orders:
            return Level.CODE
        return Level.ORDER if order and order in state.orders else Level.NONE

    def allows(self, name: str, order: str = "") -> bool:
        """May the field or write ``name`` be said or done, for this order?

        Without an order: for the caller in general ("customer.orders").
        """
        reached = self.level_for(order) if order else Level.NONE
        if not order and self._state.contact:
            reached = Level.CODE
        return self._table.allows(name, reached)

    def missing(self, name: str, order: str = "") -> Level | None:
        """Return the level that still has to be reached for ``name``, None when it may be."""
        return None if self.allows(name, order) else self._table.needed(name)

    def admits(self, order: OrderProof) -> bool:
        """Is this order the proved contact's? If so it is open at level 2 from now on."""
        state = self._state
        contacts = {
            normal_contact(order.email, "email"),
            normal_contact(order.phone, "sms"),
        } - {""}
        if state.contact not in contacts:
            return False
        self._state = replace(
            state,
            order=order.number,
            orders=state.orders | {order.number},
            code_orders=state.code_orders | {order.number},
        )
        return True

    # -- what happens -----------------------------------------------------------------------

    def receive(self, event: Event, now: float) -> list[Command]:
        """Take an event, return what is to be done. ``now``: monotonic seconds."""
        match event:
            case ProofsOffered():
                return self._proofs(event, now)
            case OrderLookedUp():
                return self._looked_up(event, now)
            case CodeWanted():
                return self._wanted(event, now)
            case ContactLookedUp():
                return self._contact_known(event, now)
            case CodeOffered():
                return self._code_offered(event, now)
            case CodeNotSent():
                return self._not_sent(event)
            case _:  # CallerChanged
                self._state = IdentityState(failures=self._state.failures)
                self._pending, self._asked, self._code = ProofsOffered(), None, None
                return []

    def _proofs(self, event: ProofsOffered, now: float) -> list[Command]:
        number = event.number.strip() or self._pending.number
        postcode = event.postcode.strip() or self._pending.postcode
        self._pending = ProofsOffered(number, postcode)
        if not number or not postcode:
            return [Tell(_MISSING[bool(number), bool(postcode)])]
        self._pending = ProofsOffered()
        if self._locked(_order_key(number), now):
            return [Tell(Outcome.LOCKED)]
        ticket = self._ticket()
        self._asked = _Asked(ticket, ProofsOffered(number, postcode))
        return [LookUpOrder(ticket, number)]

    def _looked_up(self, event: OrderLookedUp, now: float) -> list[Command]:
        asked = self._take(event.ticket)
        if asked is None:
            return []
        if event.down:
            return [Tell(Outcome.UNAVAILABLE)]
        if isinstance(asked.event, CodeWanted):
            return self._to_file(event.found, asked.event, now)
        # Both are always compared, in constant time: "not found" takes the way of "wrong".
        found = event.found or OrderProof("", "")
        right_number = self._equal(_plain(found.number), _plain(asked.event.number))
        right_postcode = self._equal(_plain(found.postcode), _plain(asked.event.postcode))
        if not (right_number & right_postcode & bool(_plain(found.postcode))):
            return self._failed(_order_key(asked.event.number), Outcome.NOT_PROVED, now)
        self._ledger.proved(_order_key(found.number), now)
        state = self._state
        self._state = replace(
            state,
            level=max(Level.ORDER, state.level),
            order=found.number,
            orders=state.orders | {found.number},
            failures=0,
        )
        return [Tell(Outcome.PROVED)]

    def _wanted(self, event: CodeWanted, now: float) -> list[Command]:
        if self._too_soon(now):
            return [Tell(Outcome.RESEND_LATER)]
        if not event.contact:
            if not self._state.order:
                return [Tell(Outcome.NEED_BOTH)]
            ticket = self._ticket()
            self._asked = _Asked(ticket, event)
            return [LookUpOrder(ticket, self._state.order)]
        contact = normal_contact(event.contact, event.channel)
        if self._locked(_contact_key(contact), now):
            return [Tell(Outcome.LOCKED)]
        ticket = self._ticket()
        self._asked = _Asked(ticket, replace(event, contact=contact))
        return [LookUpContact(ticket, event.channel, contact)]

    def _to_file(self, found: OrderProof | None, event: CodeWanted, now: float) -> list[Command]:
        """Send to the contact of the proved order; its owner may know whether there is one."""
        written = "" if found is None else found.email if event.channel == "email" else found.phone
        contact = normal_contact(written, event.channel)
        if found is None or not contact:
            return [Tell(Outcome.NO_CONTACT)]
        if self._locked(_contact_key(contact), now):
            return [Tell(Outcome.LOCKED)]
        return self._send(replace(event, contact=contact), frozenset({found.number}), now, True)

    def _contact_known(self, event: ContactLookedUp, now: float) -> list[Command]:
        asked = self._take(event.ticket)
        if asked is None or not isinstance(asked.event, CodeWanted):
            return []
        if event.down:
            return [Tell(Outcome.UNAVAILABLE)]
        return self._send(asked.event, frozenset(), now, event.known)

    def _send(
        self, event: CodeWanted, orders: frozenset[str], now: float, known: bool
    ) -> list[Command]:
        """Send a code, or only say so: nobody learns from us who is a customer."""
        if not self._ledger.may_send(_contact_key(event.contact), now):
            return [Tell(Outcome.RESEND_LATER)]
        ticket = self._ticket()
        code = self._new_code()
        # A code that went to nobody must match nothing, whatever the caller guesses.
        kept = code if known else f"nobody {code}"
        self._sent_at = now
        self._code = _Code(
            ticket,
            self._digest(kept),
            event.contact,
            orders,
            now + self._limits.code_ttl_s,
            self._limits.code_attempts,
        )
        told: list[Command] = [Tell(Outcome.CODE_SENT)]
        if known:
            told.insert(0, SendCode(ticket, event.channel, event.contact, code, event.language))
        return told

    def _code_offered(self, event: CodeOffered, now: float) -> list[Command]:
        code = self._code
        if code is None:
            return [Tell(Outcome.CODE_NOT_ASKED)]
        key = _contact_key(code.contact)
        if self._locked(key, now):
            self._code = None
            return [Tell(Outcome.LOCKED)]
        said = re.sub(r"\D", "", event.code)
        right = hmac.compare_digest(self._digest(said), code.digest)
        if right and code.left > 0 and now < code.expires:
            self._code = None
            self._ledger.proved(key, now)
            state = self._state
            self._state = replace(
                state,
                level=Level.CODE,
                contact=code.contact,
                code_orders=state.code_orders | code.orders,
                failures=0,
            )
            return [Tell(Outcome.CODE_PROVED)]
        self._code = replace(code, left=code.left - 1)
        return self._failed(key, Outcome.CODE_WRONG, now)

    def _not_sent(self, event: CodeNotSent) -> list[Command]:
        """Forget a code that nobody got. The caller asks again: no failure is told or counted."""
        if self._code is not None and self._code.ticket == event.ticket:
            self._code = replace(self._code, left=0)
            self._sent_at = None
        return []

    # -- helpers ----------------------------------------------------------------------------

    def _failed(self, key: str, outcome: Outcome, now: float) -> list[Command]:
        self._state = replace(self._state, failures=self._state.failures + 1)
        self._ledger.failed(key, now)
        if self._caller:
            self._ledger.failed(_caller_key(self._caller), now)
        return [Tell(Outcome.LOCKED if self._locked(key, now) else outcome)]

    def _locked(self, key: str, now: float) -> bool:
        if self._state.failures >= self._limits.session_failures or self._ledger.locked(key, now):
            return True
        return bool(self._caller) and self._ledger.locked(_caller_key(self._caller), now)

    def _too_soon(self, now: float) -> bool:
        return self._sent_at is not None and now < self._sent_at + self._limits.resend_after_s

    def _ticket(self) -> int:
        self._tickets += 1
        return self._tickets

    def _take(self, ticket: int) -> _Asked | None:
        """Return the question a look-up answers; answers to older ones are stale."""
        asked = self._asked
        if asked is None or asked.ticket != ticket:
            return None
        self._asked = None
        return asked

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).digest()

    def _equal(self, a: str, b: str) -> bool:
        return hmac.compare_digest(self._digest(a), self._digest(b))


_MISSING = {
    (False, False): Outcome.NEED_BOTH,
    (False, True): Outcome.NEED_NUMBER,
    (True, False): Outcome.NEED_POSTCODE,
}


def normal_contact(written: str, channel: Channel) -> str:
    """Return a contact as it is compared: addresses in lower case, numbers as digits."""
    if channel == "email":
        return written.strip().casefold()
    digits = re.sub(r"\D", "", written)
    return digits.removeprefix("00") if digits.startswith("00") else digits


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _order_key(number: str) -> str:
    return f"order:{_plain(number)}"


def _contact_key(contact: str) -> str:
    return f"contact:{contact}"


def _caller_key(caller: str) -> str:
    return f"caller:{caller}"
