"""The called side of SIP (RFC 3261) for a trunk, sans-I/O.

INVITE, ACK, CANCEL, BYE, OPTIONS, INFO (keys), NOTIFY in; BYE and REFER out.  Answers are
repeated until they are acknowledged, by UDP requests too until they are answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from voice_server.telephony import sip_message as sip
from voice_server.telephony.bridge_base import printable
from voice_server.telephony.sdp import NoSound, Sound, read_offer, write_answer
from voice_server.telephony.sip_dialog import Dialog, Stage
from voice_server.telephony.sip_digest import Digest
from voice_server.telephony.sip_message import NoSip, SipMessage
from voice_server.telephony.sip_refer import Referred, refer_to, target_uri, told

T1_S, T2_S = 0.5, 4.0
"""First and longest wait before something is sent again (RFC 3261, table 4)."""

GIVE_UP_S = 32.0
"""64 times T1: then the other side is gone."""

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY"

CALLS_MOST = 2000
"""Dialogs kept at once, those that are over included: a flood must not eat the memory."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Send:
    """Send this datagram."""

    data: bytes
    to: Address


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody calls. Answer with :meth:`SipCore.accept` or :meth:`SipCore.refuse`."""

    key: str
    call_id: str
    caller: str
    called: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class Changed:
    """The other side wants its sound elsewhere, otherwise, or not now (hold)."""

    key: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class Key:
    """A key by INFO (some gateways)."""

    key: str
    digit: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The call is over."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """For the log."""

    text: str


SipEffect = Send | Incoming | Changed | Key | Referred | Gone | Note


class SipCore:
    """All calls of one SIP address."""

    def __init__(
        self,
        *,
        contact: Callable[[Address], Address],
        new_token: Callable[[], str],
        trusted: Callable[[str], bool],
        digest: Digest | None,
    ) -> None:
        """Make a core.

        Args:
            contact: our address as a peer should write to it.
            new_token: unguessable, for tags and branches.
            trusted: may this host call without a password?
            digest: checks the others; None refuses them.
        """
        self._contact = contact
        self._new_token = new_token
        self._trusted = trusted
        self._digest = digest
        self.tls_port = 0
        """Where we listen for TLS; known when the shell runs."""
        self._dialogs: dict[str, Dialog] = {}

    # ------------------------------------------------------------- receiving

    def receive(self, data: bytes, peer: Address, now: float) -> list[SipEffect]:
        """Take a datagram."""
        if not data.strip(b"\r\n\0"):
            return []  # keeps a NAT open
        try:
            message = sip.parse(data)
        except NoSip as wrong:
            return [Note(f"no SIP from {peer[0]}: {wrong}")]
        if message.status:
            return self._response(message, now)
        if message.method == "OPTIONS":
            return [self._reply(message, peer, 200, extra=[("allow", ALLOW)])]
        dialog = self._dialogs.get(_key(message))
        if message.method == "INVITE":
            return self._invite(message, peer, dialog, now)
        if message.method == "ACK":
            return self._ack(dialog)
        if dialog is None or dialog.stage is Stage.OVER:
            if message.method in ("BYE", "CANCEL", "INFO"):
                return [self._reply(message, peer, 481)]
            return [self._reply(message, peer, 405, extra=[("allow", ALLOW)])]
        if message.method == "BYE":
            answer = self._reply(message, peer, 200)
            return [answer, *self._gone(dialog, "the caller hung up", now)]
        if message.method == "CANCEL":
            return self._cancel(message, peer, dialog, now)
        if message.method == "INFO":
            found = re.search(r"Signal\s*=\s*([0-9A-D*#])", message.body, re.IGNORECASE)
            keys: list[SipEffect] = [Key(dialog.key, found[1].upper())] if found else []
            return [self._reply(message, peer, 200), *keys]
        if message.method == "NOTIFY":
            end = told(message)
            news: list[SipEffect] = [Referred(dialog.key, end)] if end is not None else []
            return [self._reply(message, peer, 200), *news]
        return [self._reply(message, peer, 405, extra=[("allow", ALLOW)])]

    def _invite(
        self, message: SipMessage, peer: Address, dialog: Dialog | None, now: float
    ) -> list[SipEffect]:
        if dialog is not None:
            if dialog.stage is Stage.OVER or message.cseq[0] <= dialog.invite.cseq[0]:
                return [Send(dialog.last, peer)] if dialog.last else []
            return self._again(message, peer, dialog, now)
        if sip.parameter(message.get("to"), "tag"):
            return [self._reply(message, peer, 481)]
        if not self._trusted(peer[0]):
            if self._digest is None:
                return [
                    Note(f"a SIP call was refused: {peer[0]} is no peer"),
                    self._reply(message, peer, 403),
                ]
            if not self._digest.accepts(message, now):
                challenge = [("www-authenticate", self._digest.challenge(now))]
                return [self._reply(message, peer, 401, extra=challenge)]
        if len(self._dialogs) >= CALLS_MOST:
            return [self._reply(message, peer, 503)]
        try:
            sound = read_offer(message.body)
        except NoSound as wrong:
            return [Note(f"a SIP call was refused: {wrong}"), self._reply(message, peer, 488)]
        key = _key(message)
        dialog = Dialog(key, message, peer, self._new_token(), sound)
        trying = self._reply(message, peer, 100)
        dialog.last = trying.data
        self._dialogs[key] = dialog
        caller = sip.user(sip.address(message.get("from")))
        called = sip.user(message.uri) or sip.user(sip.address(message.get("to")))
        call_id = printable(message.get("call-id"))[:200]
        return [trying, Incoming(key, call_id, printable(caller), printable(called), sound)]

    def _again(
        self, message: SipMessage, peer: Address, dialog: Dialog, now: float
    ) -> list[SipEffect]:
        """A re-INVITE: hold, another codec, another address."""
        try:
            sound = read_offer(message.body)
        except NoSound:
            return [self._reply(message, peer, 488)]
        dialog.invite, dialog.peer, dialog.sound = message, peer, sound
        dialog.version += 1
        return [*self._answer(dialog, now), Changed(dialog.key, sound)]

    def _ack(self, dialog: Dialog | None) -> list[SipEffect]:
        if dialog is not None and dialog.stage in (Stage.ANSWERED, Stage.UP):
            dialog.stage, dialog.repeat_at = Stage.UP, None
        return []

    def _cancel(
        self, message: SipMessage, peer: Address, dialog: Dialog, now: float
    ) -> list[SipEffect]:
        effects: list[SipEffect] = [self._reply(message, peer, 200)]
        if dialog.stage is Stage.OFFERED:
            ended = self._reply(dialog.invite, peer, 487, dialog.tag)
            effects += [ended, *self._gone(dialog, "the caller gave up", now)]
            dialog.last = ended.data
        return effects

    def _response(self, message: SipMessage, now: float) -> list[SipEffect]:
        branch = message.branch
        dialog = next((one for one in self._dialogs.values() if one.branch == branch), None)
        if dialog is None or not branch or message.status < 200:
            return []
        dialog.branch, dialog.repeat_at = "", None
        if dialog.method == "REFER":
            dialog.stage = Stage.UP  # accepted: NOTIFY tells the end
            return [Referred(dialog.key, message.status)] if message.status >= 300 else []
        return self._gone(dialog, "we hung up", now)

    # --------------------------------------------------------------- sending

    def accept(self, key: str, host: str, port: int, now: float) -> list[SipEffect]:
        """Pick up: our sound is at ``host`` and ``port``."""
        dialog = self._dialogs.get(key)
        if dialog is None or dialog.stage is not Stage.OFFERED:
            return []
        dialog.host, dialog.port = host, port
        return self._answer(dialog, now)

    def refuse(self, key: str, status: int, now: float) -> list[SipEffect]:
        """Do not pick up."""
        dialog = self._dialogs.get(key)
        if dialog is None or dialog.stage is not Stage.OFFERED:
            return []
        answer = self._reply(dialog.invite, dialog.peer, status, dialog.tag)
        self._gone(dialog, "refused", now)
        dialog.last = answer.data
        return [answer]

    def hang_up(self, key: str, now: float) -> list[SipEffect]:
        """End a call."""
        dialog = self._dialogs.get(key)
        if dialog is None or dialog.stage in (Stage.LEAVING, Stage.OVER):
            return []
        if dialog.stage is Stage.OFFERED:
            return self.refuse(key, 486, now)
        return self._request(dialog, "BYE", now)

    def transfer(self, key: str, target: str, now: float, replaces: str = "") -> list[SipEffect]:
        """Send the caller to ``target`` (a number, or a ``sip:`` address); a Referred follows.

        ``replaces``: the call in which the human already waits.
        """
        dialog = self._dialogs.get(key)
        if dialog is None or dialog.stage not in (Stage.ANSWERED, Stage.UP):
            return []
        uri = target_uri(target, self.where(key))
        if not uri:
            return [Note("the transfer's target is no SIP address"), Referred(key, 400)]
        effects = self._request(dialog, "REFER", now, [("refer-to", refer_to(uri, replaces))])
        dialog.stage = Stage.REFERRING
        return effects

    def where(self, key: str) -> str:
        """Return host and port of a call's other side, where its exchange takes calls."""
        dialog = self._dialogs.get(key)
        if dialog is None:
            return ""
        host = sip.address(dialog.invite.get("contact")).rpartition("@")[2].partition(";")[0]
        return host or dialog.peer[0]

    def peer(self, key: str) -> Address | None:
        """Return where a call comes from."""
        dialog = self._dialogs.get(key)
        return dialog.peer if dialog is not None else None

    def tick(self, now: float) -> list[SipEffect]:
        """Repeat what was not answered, give up what never will be."""
        effects: list[SipEffect] = []
        for dialog in list(self._dialogs.values()):
            if dialog.stage is Stage.OVER and dialog.until <= now:
                del self._dialogs[dialog.key]
            elif dialog.repeat_at is not None and dialog.repeat_at <= now:
                effects += self._repeat(dialog, now)
        return effects

    def _repeat(self, dialog: Dialog, now: float) -> list[SipEffect]:
        if now < dialog.until:
            dialog.wait_s = min(2 * dialog.wait_s, T2_S)
            dialog.repeat_at = now + dialog.wait_s
            return [Send(dialog.last, dialog.peer)]
        if dialog.stage is Stage.ANSWERED:
            dialog.repeat_at = None
            return [
                Note("a SIP call was never acknowledged"), *self._request(dialog, "BYE", now)
            ]  # fmt: skip
        return self._gone(dialog, "the other side does not answer", now)

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` is due next."""
        wanted = [
            dialog.until if dialog.stage is Stage.OVER else dialog.repeat_at
            for dialog in self._dialogs.values()
        ]
        return min((at for at in wanted if at is not None), default=None)

    # -------------------------------------------------------------- internals

    def _answer(self, dialog: Dialog, now: float) -> list[SipEffect]:
        """Send 200 with our sound, again and again until it is acknowledged."""
        session = int.from_bytes(dialog.tag.encode()[:4], "big")
        body = write_answer(dialog.sound, dialog.host, dialog.port, session, dialog.version)
        answer = self._reply(
            dialog.invite, dialog.peer, 200, dialog.tag, body,
            [("contact", f"<{self._uri(dialog)}>"), ("allow", ALLOW)],
        )  # fmt: skip
        dialog.stage = Stage.ANSWERED
        dialog.last = answer.data
        dialog.wait_s, dialog.repeat_at, dialog.until = T1_S, now + T1_S, now + GIVE_UP_S
        return [answer]

    def _request(
        self, dialog: Dialog, method: str, now: float, extra: list[tuple[str, str]] | None = None
    ) -> list[SipEffect]:
        """Send a request inside the dialog."""
        invite = dialog.invite
        dialog.cseq += 1
        dialog.method = method
        dialog.branch = f"z9hG4bK{self._new_token()}"
        host, port = self._address(dialog)
        local = invite.get("to")
        if not sip.parameter(local, "tag"):
            local += f";tag={dialog.tag}"
        headers = [
            ("via", f"SIP/2.0/{invite.transport} {host}:{port};branch={dialog.branch};rport"),
            ("max-forwards", "70"),
            *(("route", route) for route in invite.all("record-route")),
            ("from", local),
            ("to", invite.get("from")),
            ("call-id", invite.get("call-id")),
            ("cseq", f"{dialog.cseq} {method}"),
            ("contact", f"<{self._uri(dialog)}>"),
            *(extra or []),
        ]
        target = sip.address(invite.get("contact")) or sip.address(invite.get("from"))
        data = SipMessage(method, target, headers=headers).write()
        dialog.stage = Stage.LEAVING
        dialog.last = data
        first = T1_S if invite.transport == "UDP" else GIVE_UP_S
        dialog.wait_s, dialog.repeat_at, dialog.until = T1_S, now + first, now + GIVE_UP_S
        return [Send(data, dialog.peer)]

    def _reply(
        self,
        request: SipMessage,
        peer: Address,
        status: int,
        tag: str = "",
        body: str = "",
        extra: list[tuple[str, str]] | None = None,
    ) -> Send:
        if not tag and status > 100:
            tag = self._new_token()
        response = sip.reply(request, status, tag, body)
        response.headers += extra or []
        # Where it really came from (RFC 3581), in the topmost Via, which every request has.
        index = next(i for i, (name, _) in enumerate(response.headers) if name == "via")
        via = re.sub(r";rport(?=;|$)", f";rport={peer[1]}", response.headers[index][1])
        response.headers[index] = ("via", f"{via};received={peer[0]}")
        return Send(response.write(), peer)

    def _address(self, dialog: Dialog) -> Address:
        """Return our own as this peer reaches it."""
        host, port = self._contact(dialog.peer)
        return host, self.tls_port if dialog.invite.transport == "TLS" else port

    def _uri(self, dialog: Dialog) -> str:
        host, port = self._address(dialog)
        way = dialog.invite.transport.lower()
        return f"sip:{host}:{port}" + (f";transport={way}" if way != "udp" else "")

    def _gone(self, dialog: Dialog, reason: str, now: float) -> list[SipEffect]:
        """The call is over; repetitions are answered for a while."""
        dialog.stage, dialog.repeat_at, dialog.branch = Stage.OVER, None, ""
        dialog.until = now + GIVE_UP_S
        return [Gone(dialog.key, reason)]


def _key(message: SipMessage) -> str:
    """Return what all messages of the caller's in one call share."""
    return f"{message.get('call-id')} {sip.parameter(message.get('from'), 'tag')}"
