"""The calling side of SIP (RFC 3261), sans-I/O: INVITE, its answers, ACK, CANCEL, BYE and REFER.

Beside :mod:`~.sip_core`, the called side, on the same socket: what belongs to no call of ours is
left to it.  One INVITE for each call, and a second one with a password if the trunk wants it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voice_server.telephony import sip_message as sip
from voice_server.telephony.sdp import NoSound, Sound, read_offer, write_answer
from voice_server.telephony.sip_calling_leg import OFFER, CallingLeg, CallingStage
from voice_server.telephony.sip_core import (
    ALLOW,
    GIVE_UP_S,
    T1_S,
    T2_S,
    Address,
    Changed,
    Key,
    Note,
    Send,
)
from voice_server.telephony.sip_message import NoSip, SipMessage
from voice_server.telephony.sip_proving import authorization
from voice_server.telephony.sip_refer import Referred, told

BUSY = frozenset({486, 600, 603, 607})
NOT_THERE = frozenset({404, 410, 484, 604})
NO_ANSWER = frozenset({408, 480, 487})


@dataclass(frozen=True, slots=True)
class Ringing:
    """The other telephone rings."""

    key: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody has picked up; their sound goes as agreed."""

    key: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, or never came about."""

    key: str
    reason: str
    status: int = 0
    """The refusal's, 0 for a call that was up."""


CallingEffect = Send | Ringing | Answered | Changed | Key | Referred | Ended | Note


class SipCalling:
    """All calls that we place by one socket."""

    def __init__(
        self,
        *,
        contact: Callable[[Address], Address],
        new_token: Callable[[], str],
        user: str = "",
        password: str = "",
    ) -> None:
        """``contact``: our address as a peer should write to it; the account is the trunk's."""
        self._contact = contact
        self._new_token = new_token
        self._user, self._password = user, password
        self._calls: dict[str, CallingLeg] = {}

    # --------------------------------------------------------------- calling

    def invite(
        self,
        number: str,
        caller_id: str,
        trunk: Address,
        domain: str,
        media: Address,
        ring_s: float,
        now: float,
        uri: str = "",
        extra: Sequence[tuple[str, str]] = (),
    ) -> tuple[str, list[CallingEffect]]:
        """Call ``number`` at ``domain`` by a trunk; return the call's key and what to send.

        ``media``: where we hear.  A telephone that nobody picks up rings for ``ring_s``.  ``uri``
        is called instead of the number, with ``extra`` headers.
        """
        host, _ = self._contact(trunk)
        domain = domain or f"{trunk[0]}:{trunk[1]}"
        caller = re.sub(r"[^0-9+]", "", caller_id) or self._user or "anonymous"
        key, tag = f"{self._new_token()}@{host}", self._new_token()
        target = uri or f"sip:{re.sub(r'[^0-9+]', '', number)}@{domain}"
        call = CallingLeg(
            key, trunk, target, f"<sip:{caller}@{host}>;tag={tag}", f"<{target}>", tag,
            *media, ring_until=now + ring_s,
        )  # fmt: skip
        call.contact = target
        self._calls[key] = call
        return key, self._invite(call, now, list(extra))

    def replaces(self, key: str) -> str:
        """Return what names a call that is up in a Replaces header (RFC 3891), "" for none.

        Tags are those its other side sees: "to" is its own, "from" is ours.
        """
        call = self._calls.get(key)
        if call is None or call.stage is not CallingStage.UP:
            return ""
        return f"{call.key};to-tag={sip.parameter(call.remote, 'tag')};from-tag={call.tag}"

    def hang_up(self, key: str, now: float) -> list[CallingEffect]:
        """End a call: CANCEL while it rings, BYE when it is up."""
        call = self._calls.get(key)
        if call is None:
            return []
        if call.stage is CallingStage.UP:
            return self._request(call, "BYE", now)
        if call.stage is CallingStage.RINGING:
            return self._cancel(call, now)
        if (
            call.stage is CallingStage.CALLING
        ):  # a CANCEL before any answer is not allowed: it waits
            call.ring_until = now
        return []

    def transfer(self, key: str, target: str, now: float) -> list[CallingEffect]:
        """Send the other side to ``target`` (a number, or a ``sip:`` address).

        Referred tells what became of it; once the other side is there, we hang up.
        """
        call = self._calls.get(key)
        if call is None or call.stage is not CallingStage.UP:
            return []
        if not target.startswith(("sip:", "sips:")):
            domain = call.target.partition("@")[2]
            target = f"sip:{re.sub(r'[^0-9+*#]', '', target)}@{domain}"
        if not re.fullmatch(r"sips?:[^\s<>\"]{1,200}", target):
            return [Note("the transfer's target is no SIP address"), *self.hang_up(key, now)]
        return self._request(call, "REFER", now, [("refer-to", f"<{target}>")])

    # ------------------------------------------------------------- receiving

    def receive(self, data: bytes, peer: Address, now: float) -> list[CallingEffect] | None:
        """Take a datagram; None if it belongs to no call of ours."""
        try:
            message = sip.parse(data)
        except NoSip:
            return None
        call = self._calls.get(message.get("call-id"))
        if call is None:
            return None
        if message.status:
            return self._response(call, message, now)
        if sip.parameter(message.get("to"), "tag") != call.tag:
            return None  # a call of ours that comes back to us as a new one
        return self._asked(call, message, peer, now)

    def _response(self, call: CallingLeg, message: SipMessage, now: float) -> list[CallingEffect]:
        _, method = message.cseq
        if method == "CANCEL":
            return []  # the INVITE's own answer counts
        if message.branch != call.branch:
            return []
        if method == "INVITE":
            return self._invited(call, message, now)
        if message.status < 200 or method != call.method:
            return []
        call.repeat_at = None
        if method == "REFER":  # accepted: NOTIFY tells the end; refused: the call is still ours
            call.stage = CallingStage.UP
            return [Referred(call.key, message.status)] if message.status >= 300 else []
        return self._ended(call, "we hung up", now)

    def _invited(self, call: CallingLeg, message: SipMessage, now: float) -> list[CallingEffect]:
        status = message.status
        if status < 200:
            return self._provisional(call, status, now)
        if status < 300:
            return self._picked_up(call, message, now)
        ack = self._ack(call, message, call.target, call.branch)
        if call.stage in (CallingStage.OVER, CallingStage.UP, CallingStage.LEAVING):
            return [ack]
        challenge = message.get("www-authenticate") or message.get("proxy-authenticate")
        if status in (401, 407) and challenge and self._password and not call.asked:
            call.asked = True
            name = "authorization" if status == 401 else "proxy-authorization"
            proof = authorization(
                challenge, self._user, self._password, "INVITE", call.target, self._new_token()
            )
            call.stage = CallingStage.CALLING
            return [ack, *self._invite(call, now, [(name, proof)])]
        if call.stage is CallingStage.CANCELLED:
            return [ack, *self._ended(call, "nobody picked up", now, status)]
        return [ack, *self._ended(call, _refusal(status), now, status)]

    def _provisional(self, call: CallingLeg, status: int, now: float) -> list[CallingEffect]:
        if call.stage is CallingStage.CALLING:
            call.stage = CallingStage.RINGING
            call.repeat_at = max(now, call.ring_until)
        rings = call.stage is CallingStage.RINGING and status in (180, 183)
        return [Ringing(call.key)] if rings else []

    def _picked_up(self, call: CallingLeg, message: SipMessage, now: float) -> list[CallingEffect]:
        if call.stage in (CallingStage.UP, CallingStage.LEAVING, CallingStage.OVER):
            return [Send(call.ack, call.peer)] if call.ack else []  # repeated: our ACK was lost
        call.remote = message.get("to")
        call.contact = sip.address(message.get("contact")) or call.target
        call.routes = message.all("record-route")[::-1]
        ack = self._ack(call, message, call.contact, f"z9hG4bK{self._new_token()}")
        call.ack = ack.data
        late = call.stage is CallingStage.CANCELLED
        call.stage, call.repeat_at = CallingStage.UP, None
        if late:
            return [ack, *self._request(call, "BYE", now)]
        try:
            sound = read_offer(message.body)
        except NoSound as wrong:
            return [ack, Note(f"a call was picked up without sound: {wrong}"),
                    *self._request(call, "BYE", now)]  # fmt: skip
        return [ack, Answered(call.key, sound)]

    def _asked(
        self, call: CallingLeg, message: SipMessage, peer: Address, now: float
    ) -> list[CallingEffect]:
        """A request of the other side's inside the call."""
        if message.method == "ACK":
            return []
        if call.stage is CallingStage.OVER:
            return [self._reply(message, peer, 481)]
        number, repeated = message.cseq[0], message.cseq[0] <= call.their_cseq
        call.their_cseq = max(number, call.their_cseq)
        if message.method == "BYE":
            answer = self._reply(message, peer, 200)
            return [answer, *self._ended(call, "the other side hung up", now)]
        if message.method == "INVITE":
            return self._again(call, message, peer)
        answer = self._reply(message, peer, 200)
        if message.method == "NOTIFY" and (status := told(message)) is not None:
            over = self._request(call, "BYE", now) if status < 300 else []
            return [answer, Referred(call.key, status), *over]
        if message.method == "INFO" and not repeated:
            found = re.search(r"Signal\s*=\s*([0-9A-D*#])", message.body, re.IGNORECASE)
            return [answer, *([Key(call.key, found[1].upper())] if found else [])]
        if message.method in ("INFO", "NOTIFY", "OPTIONS"):
            return [answer]
        return [self._reply(message, peer, 405, extra=[("allow", ALLOW)])]

    def _again(self, call: CallingLeg, message: SipMessage, peer: Address) -> list[CallingEffect]:
        """A re-INVITE: hold, another codec, another address."""
        try:
            sound = read_offer(message.body)
        except NoSound:
            return [self._reply(message, peer, 488)]
        call.version += 1
        body = write_answer(sound, call.host, call.port, _session(call), call.version)
        return [self._reply(message, peer, 200, body, self._own(call)), Changed(call.key, sound)]

    # ---------------------------------------------------------------- timing

    def tick(self, now: float) -> list[CallingEffect]:
        """Repeat what was not answered, cancel what nobody picks up, give up what never comes."""
        effects: list[CallingEffect] = []
        for call in list(self._calls.values()):
            if call.stage is CallingStage.OVER and call.until <= now:
                del self._calls[call.key]
            elif call.repeat_at is not None and call.repeat_at <= now:
                effects += self._due(call, now)
        return effects

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` is due next."""
        wanted = [
            call.until if call.stage is CallingStage.OVER else call.repeat_at
            for call in self._calls.values()
        ]
        return min((at for at in wanted if at is not None), default=None)

    def _due(self, call: CallingLeg, now: float) -> list[CallingEffect]:
        if call.stage is CallingStage.RINGING:
            return self._cancel(call, now)
        gone = call.stage is CallingStage.CALLING and call.ring_until <= now
        if now >= call.until or gone:
            status = 408 if call.stage in (CallingStage.CALLING, CallingStage.CANCELLED) else 0
            return self._ended(call, "the trunk does not answer", now, status)
        call.wait_s = min(2 * call.wait_s, T2_S)
        call.repeat_at = now + call.wait_s
        return [Send(call.last, call.peer)]

    # -------------------------------------------------------------- internals

    def _invite(
        self, call: CallingLeg, now: float, extra: list[tuple[str, str]] | None = None
    ) -> list[CallingEffect]:
        call.cseq += 1
        call.branch, call.method = f"z9hG4bK{self._new_token()}", "INVITE"
        body = OFFER.format(
            session=_session(call), version=call.version, host=call.host, port=call.port,
            family="IP6" if ":" in call.host else "IP4",
        )  # fmt: skip
        own = [*self._own(call), ("content-type", "application/sdp"), *(extra or [])]
        headers = self._headers(call, "INVITE", call.branch, call.remote)
        message = SipMessage("INVITE", call.target, headers=[*headers, *own], body=body)
        return self._send(call, message.write(), now)

    def _cancel(self, call: CallingLeg, now: float) -> list[CallingEffect]:
        call.stage = CallingStage.CANCELLED
        headers = self._headers(call, "CANCEL", call.branch, call.remote)
        return self._send(call, SipMessage("CANCEL", call.target, headers=headers).write(), now)

    def _request(
        self, call: CallingLeg, method: str, now: float, extra: list[tuple[str, str]] | None = None
    ) -> list[CallingEffect]:
        """Send a request inside the call."""
        call.cseq += 1
        call.stage, call.method = CallingStage.LEAVING, method
        call.branch = f"z9hG4bK{self._new_token()}"
        headers = self._headers(call, method, call.branch, call.remote)
        headers += [("route", route) for route in call.routes]
        headers += [*self._own(call), *(extra or [])]
        return self._send(call, SipMessage(method, call.contact, headers=headers).write(), now)

    def _send(self, call: CallingLeg, data: bytes, now: float) -> list[CallingEffect]:
        call.last, call.wait_s = data, T1_S
        call.repeat_at, call.until = now + T1_S, now + GIVE_UP_S
        return [Send(data, call.peer)]

    def _ack(self, call: CallingLeg, answer: SipMessage, uri: str, branch: str) -> Send:
        headers = self._headers(call, "ACK", branch, answer.get("to"), answer.cseq[0])
        if answer.status < 300:
            headers += [("route", route) for route in call.routes]
        return Send(SipMessage("ACK", uri, headers=headers).write(), call.peer)

    def _headers(
        self, call: CallingLeg, method: str, branch: str, to: str, cseq: int | None = None
    ) -> list[tuple[str, str]]:
        host, port = self._contact(call.peer)
        return [
            ("via", f"SIP/2.0/UDP {host}:{port};branch={branch};rport"),
            ("max-forwards", "70"),
            ("from", call.local),
            ("to", to),
            ("call-id", call.key),
            ("cseq", f"{call.cseq if cseq is None else cseq} {method}"),
        ]

    def _own(self, call: CallingLeg) -> list[tuple[str, str]]:
        host, port = self._contact(call.peer)
        return [("contact", f"<sip:{host}:{port}>"), ("allow", ALLOW)]

    @staticmethod
    def _reply(
        request: SipMessage, peer: Address, status: int, body: str = "",
        extra: list[tuple[str, str]] | None = None,
    ) -> Send:  # fmt: skip
        response = sip.reply(request, status, "", body)
        response.headers += extra or []
        return Send(response.write(), peer)

    @staticmethod
    def _ended(call: CallingLeg, reason: str, now: float, status: int = 0) -> list[CallingEffect]:
        """The call is over; repetitions are answered for a while."""
        call.stage, call.repeat_at, call.until = CallingStage.OVER, None, now + GIVE_UP_S
        return [Ended(call.key, reason, status)]


def _refusal(status: int) -> str:
    if status in BUSY:
        return "the line is busy, or the call was declined"
    if status in NOT_THERE:
        return "there is no such number"
    if status in NO_ANSWER:
        return "nobody picked up"
    return f"the trunk refuses the call with {status}"


def _session(call: CallingLeg) -> int:
    return int.from_bytes(call.tag.encode()[:4], "big")
