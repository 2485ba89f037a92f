"""The shell of the identity desk: asks the platform, sends codes, words the outcome."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Container
from dataclasses import dataclass

from voice_server.dialogue.identity.desk import CODE_DIGITS, IdentityDesk, IdentityState
from voice_server.dialogue.identity.events import (
    CallerChanged,
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
from voice_server.dialogue.identity.ledger import DEFAULTS, AttemptLedger, Limits, MemoryLedger
from voice_server.dialogue.identity.levels import Level, LevelTable
from voice_server.dialogue.identity.senders import CodeMessage, CodeSender, SendFailed
from voice_server.dialogue.identity.wording import ask_for, wording
from voice_server.shop.platform import PlatformDown, PlatformError, PlatformOrder, ShopPlatform

logger = logging.getLogger(__name__)

LOOK_UP_S = 8.0
"""A platform gets so long (DESIGN §3, tools); then orders are said to be out of reach."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a step. ``text`` is the sentence to say, in the caller's language."""

    outcome: Outcome
    text: str
    level: Level
    order: str = ""
    """The order proved, after PROVED and CODE_PROVED."""

    @property
    def proved(self) -> bool:
        """Did this step raise what may be done?"""
        return self.outcome in {Outcome.PROVED, Outcome.CODE_PROVED}


def new_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


class IdentityService:
    """Identity for all sessions of a shop: one ledger, one secret, one platform."""

    def __init__(
        self,
        platform: ShopPlatform,
        sender: CodeSender | None,
        *,
        shop: str,
        digits: int,
        familiar: Container[str] = (),
        limits: Limits = DEFAULTS,
        table: LevelTable | None = None,
        ledger: AttemptLedger | None = None,
        new_code: Callable[[], str] = new_code,
        look_up_s: float = LOOK_UP_S,
    ) -> None:
        """Put it together.

        Args:
            platform: the shop's orders.
            sender: sends codes; None: level 2 cannot be reached, and callers are told so.
            shop: its spoken name.
            digits: of an order number, for the wording.
            familiar: languages in which customers are addressed by "je", "tu" or "du".
            limits: when to stop listening.
            table: the shop's level table.
            ledger: counts failures; by default one in memory.
            new_code: makes codes.
            look_up_s: deadline of one look-up.
        """
        self._secret = secrets.token_bytes(32)
        self._platform = platform
        self._sender = sender
        self._shop = shop
        self._digits = digits
        self._familiar = familiar
        self._limits = limits
        self._table = table or LevelTable()
        self._ledger = ledger or MemoryLedger(self._secret, limits)
        self._new_code = new_code
        self._look_up_s = look_up_s
        self._sending: set[asyncio.Task[None]] = set()

    def open(self, *, caller: str = "", state: IdentityState | None = None) -> SessionIdentity:
        """Open a session's identity. ``caller``: what is known of the line; ``state``: resumed."""
        desk = IdentityDesk(
            self._ledger,
            secret=self._secret,
            new_code=self._new_code,
            caller=caller,
            limits=self._limits,
            table=self._table,
            state=state,
        )
        return SessionIdentity(self, desk)

    async def close(self) -> None:
        """Wait for codes under way; each has its own deadline."""
        if self._sending:
            await asyncio.wait(self._sending)

    # -- for sessions -----------------------------------------------------------------------

    def told(self, outcome: Outcome, desk: IdentityDesk, language: str) -> Told:
        """Word an outcome."""
        text = wording(
            outcome,
            language,
            shop=self._shop,
            digits=self._digits,
            code_digits=CODE_DIGITS,
            informal=language in self._familiar,
        )
        return Told(outcome, text, desk.level, desk.state.order)

    def ask_for(self, level: Level, language: str) -> str:
        """Word the question for what a level needs."""
        return ask_for(
            level,
            language,
            shop=self._shop,
            digits=self._digits,
            code_digits=CODE_DIGITS,
            informal=language in self._familiar,
        )

    def sends(self, channel: Channel) -> bool:
        """Is there a way to send codes over this channel?"""
        return self._sender is not None and channel in self._sender.channels

    async def carry_out(self, command: LookUpOrder | LookUpContact) -> Event:
        """Ask the platform, within the deadline."""
        try:
            async with asyncio.timeout(self._look_up_s):
                if isinstance(command, LookUpOrder):
                    order = await self._platform.find_order(command.number)
                    return OrderLookedUp(command.ticket, proof_of(order) if order else None)
                wanted = {command.channel: command.contact}
                orders = await self._platform.find_orders(
                    email=wanted.get("email", ""), phone=wanted.get("sms", "")
                )
                return ContactLookedUp(command.ticket, bool(orders))
        except (PlatformError, TimeoutError) as error:
            logger.warning("identity: the platform did not answer (%s)", type(error).__name__)
        if isinstance(command, LookUpOrder):
            return OrderLookedUp(command.ticket, None, down=True)
        return ContactLookedUp(command.ticket, known=False, down=True)

    def send(self, command: SendCode, desk: IdentityDesk, now: Callable[[], float]) -> None:
        """Send a code in the background; a failure makes the code void and is logged."""
        task = asyncio.get_running_loop().create_task(self._send(command, desk, now))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, command: SendCode, desk: IdentityDesk, now: Callable[[], float]) -> None:
        message = CodeMessage(
            command.channel,
            command.contact,
            command.code,
            command.language,
            self._shop,
            int(self._limits.code_ttl_s // 60),
            informal=command.language in self._familiar,
        )
        try:
            if self._sender is None:
                raise SendFailed("no way to send codes is set up")
            await self._sender.send(message)
        except SendFailed as error:
            logger.warning("a one-time code was not sent: %s", error)
            desk.receive(CodeNotSent(command.ticket), now())


class SessionIdentity:
    """One session's identity, as the flow engine uses it. Call it for committed turns only."""

    def __init__(self, service: IdentityService, desk: IdentityDesk) -> None:
        """Opened by :meth:`IdentityService.open`."""
        self._service = service
        self._desk = desk

    @property
    def state(self) -> IdentityState:
        """What was proved, to be kept with the session."""
        return self._desk.state

    @property
    def level(self) -> Level:
        """The highest level reached."""
        return self._desk.level

    @property
    def order(self) -> str:
        """The order proved last, "" if none."""
        return self._desk.state.order

    def allows(self, name: str, order: str = "") -> bool:
        """May this field be said, or this write be done, for this order?"""
        return self._desk.allows(name, order)

    def missing(self, name: str, order: str = "") -> Level | None:
        """Return the level still to be reached, None when nothing is missing."""
        return self._desk.missing(name, order)

    def question(self, level: Level, language: str) -> str:
        """Return the sentence that asks for what a level needs."""
        return self._service.ask_for(level, language)

    async def prove(self, number: str, postcode: str, language: str) -> Told:
        """Offer an order number, a postcode, or both; what is missing is asked for."""
        return await self._step(ProofsOffered(number, postcode), language)

    async def want_code(
        self, language: str, *, channel: Channel = "email", contact: str = ""
    ) -> Told:
        """Ask for a code, to the proved order's contact or to one that was spelled."""
        if not self._service.sends(channel):
            return self._service.told(Outcome.NO_CONTACT, self._desk, language)
        return await self._step(CodeWanted(channel, contact, language), language)

    async def try_code(self, code: str, language: str) -> Told:
        """Offer a code."""
        return await self._step(CodeOffered(code), language)

    def caller_changed(self) -> None:
        """Forget what was proved: another person may be speaking."""
        self._desk.receive(CallerChanged(), _now())

    async def open_order(self, number: str, platform: ShopPlatform) -> PlatformOrder | None:
        """Return an order that this caller may hear of now, None for any other.

        One the caller has proved, or one of the contact proved by a code. Raises PlatformDown.
        """
        try:
            async with asyncio.timeout(LOOK_UP_S):
                order = await platform.find_order(number)
        except TimeoutError:
            raise PlatformDown("the platform did not answer in time") from None
        if order is None:
            return None
        known = self._desk.level_for(order.number) is not Level.NONE
        return order if known or self._desk.admits(proof_of(order)) else None

    async def _step(self, event: Event, language: str) -> Told:
        commands = list(self._desk.receive(event, _now()))
        outcome = Outcome.UNAVAILABLE
        while commands:
            command: Command = commands.pop(0)
            if isinstance(command, Tell):
                outcome = command.outcome
            elif isinstance(command, SendCode):
                self._service.send(command, self._desk, _now)
            else:
                answer = await self._service.carry_out(command)
                commands += self._desk.receive(answer, _now())
        return self._service.told(outcome, self._desk, language)


def proof_of(order: PlatformOrder) -> OrderProof:
    """Return what of an order is compared."""
    return OrderProof(order.number, order.postcode, order.email, order.phone)


def _now() -> float:
    return asyncio.get_running_loop().time()
