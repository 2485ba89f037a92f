"""A shop's desk, whole: hand-offs go out through the outbox, people come in through take-overs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from voice_server.desk import live
from voice_server.desk.builder import Case, PacketBuilder
from voice_server.desk.calls import CallPort, CallTexts, LiveCall, LiveCalls
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import DeskCase
from voice_server.desk.hours import DeskHours
from voice_server.desk.known import KnownSession, KnownSessions
from voice_server.desk.known import packet_id as packet_id_of
from voice_server.desk.outbox import Outbox
from voice_server.desk.packet import (
    Desk,
    DeskError,
    DeskEvent,
    HandOffPacket,
    Line,
    RelayDesk,
    Ticket,
)
from voice_server.desk.result import HandOffResult
from voice_server.desk.translation import Translator

log = logging.getLogger(__name__)

ACK_S = 3.0
"""How long a caller waits for the desk's word, building the packet included."""

TIDY_S = 86_400.0
"""How often old cases are deleted."""

BOARD_LINES = 1000
"""Lines waiting to be shown to people, of all calls: beyond it a stuck desk loses the oldest."""

TRANSLATED_LINES = 40
"""Of what was said before the hand-off: the last minutes, which people read first."""

FAILURES = 3
"""Translations that fail in a row: then there is no model worth asking further."""

__all__ = ["DeskService", "HandOffResult", "NotLive"]


class NotLive(Exception):
    """The customer is not on the line, or the assistant has the conversation."""


class DeskService:
    """One shop's desk. :meth:`run` in a task; everything else in the same loop."""

    def __init__(
        self,
        desk: Desk,
        outbox: Outbox,
        builder: PacketBuilder,
        hours: DeskHours,
        translator: Translator,
        texts: CallTexts,
        *,
        callbacks: int = 1,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ack_s: float = ACK_S,
    ) -> None:
        """``callbacks``: promises for the same half hour."""
        self.desk = desk
        self.calls = LiveCalls(texts, translator, self._shown)
        self._outbox = outbox
        outbox.on_delivered = self.delivered
        self._builder = builder
        self._hours = hours
        self._translator = translator
        self._callbacks = callbacks
        self._clock = clock
        self._ack_s = ack_s
        self._sessions = KnownSessions()
        self._board: asyncio.Queue[tuple[str, live.Show | live.ShowControl]] = asyncio.Queue(
            BOARD_LINES
        )
        self._promising = asyncio.Lock()

    @property
    def translator(self) -> Translator:
        """Translates between customers and staff."""
        return self._translator

    def renew(
        self,
        builder: PacketBuilder,
        hours: DeskHours,
        translator: Translator,
        texts: CallTexts,
        *,
        callbacks: int,
    ) -> None:
        """Work as an edited pack says, from the next hand-off and call on; promises stay."""
        self._builder = builder
        self._hours = hours
        self._translator = translator
        self._callbacks = callbacks
        self.calls.renew(texts, translator)

    @property
    def console(self) -> ConsoleDesk | None:
        """The built-in desk, if that is where the shop's people work."""
        return self.desk if isinstance(self.desk, ConsoleDesk) else None

    async def run(self) -> None:
        """Deliver, translate and show until cancelled; then close the desk and its files."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._outbox.run())
                tasks.create_task(self.calls.run())
                tasks.create_task(self._show())
                tasks.create_task(self._tidy())
        finally:
            await self.desk.close()
            self._outbox.close()

    async def _tidy(self) -> None:
        """Every day, forget what need not be kept any more."""
        while True:
            try:
                await self._outbox.tidy()
                if self.console is not None:
                    await self.console.tidy()
            except (OSError, sqlite3.Error):
                log.exception("old cases could not be deleted; tried again tomorrow")
            await asyncio.sleep(TIDY_S)

    # ------------------------------------------------------------- hand-off

    async def hand_off(self, case: Case) -> HandOffResult:
        """Give a conversation to people; the same session and reason twice is one case.

        Returns within ``ack_s`` or little more, and never raises.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._ack_s
        session = self._sessions.of(case.session_id)
        packet_id = packet_id_of(case.session_id, case.reason, session.round)
        now = self._clock()
        open_now = self._hours.is_open(now)
        try:
            callback_at = await self._promise(packet_id, case, now, open_now=open_now)
        except (OSError, sqlite3.Error):
            log.exception("a call-back could not be promised")
            callback_at = None
        packet = await self._builder.build(case, packet_id, now, callback_at=callback_at)
        session.packet_id = packet_id
        wait_s = max(0.1, end - loop.time())
        try:
            ticket = await self._outbox.send(packet, wait_s=wait_s)
        except (OSError, sqlite3.Error):
            log.exception("hand-off %s could not be kept", packet_id)
            await self._break_promise(packet_id, callback_at)
            return HandOffResult(packet_id, None, kept=False, open_now=open_now)
        if ticket is not None:
            self._pass(packet, open_now=open_now)
        return HandOffResult(packet_id, ticket, True, open_now, callback_at)

    async def _promise(
        self, packet_id: str, case: Case, now: datetime, *, open_now: bool
    ) -> datetime | None:
        """Promise a call-back where one was asked for, or nobody is there and we have a number.

        One at a time, so that a slot is promised once; kept on disk over restarts.
        """
        if case.reason != "callback" and (open_now or not case.phone):
            return None
        async with self._promising:
            known = await self._outbox.promises(now.timestamp())
            promised = {key: datetime.fromtimestamp(at, UTC) for key, at in known.items()}
            if packet_id in promised:
                return promised[packet_id]
            taken = tuple(promised.values())
            found = self._hours.callback(now, taken=taken, at_once=self._callbacks)
            if found is not None:
                await self._outbox.promise(packet_id, found.timestamp())
            return found

    async def _break_promise(self, packet_id: str, callback_at: datetime | None) -> None:
        if callback_at is not None:
            try:
                await self._outbox.break_promise(packet_id)
            except (OSError, sqlite3.Error):
                log.warning("the slot of a call-back that was not told stays taken")

    def delivered(self, packet: HandOffPacket, ticket: Ticket) -> None:
        """Take the outbox's word that the desk has a packet, however late it comes."""
        self._sessions.of(packet.session_id).reference = ticket.reference
        if packet.language != packet.internal_language:
            self.calls.spawn(self._translate_transcript(packet, ticket))

    def _pass(self, packet: HandOffPacket, *, open_now: bool) -> None:
        """The desk answered while the customer was waiting: its people may take over at once."""
        call = self.calls.get(packet.session_id)
        vendors_people = self.console is None and _relays(self.desk) is not None
        at_once = vendors_people and open_now and packet.callback_at is None
        if call is not None and at_once and call.control is live.Control.BOT:
            call.happened(live.Passed())

    async def _translate_transcript(self, packet: HandOffPacket, ticket: Ticket) -> None:
        """Give staff what was said before the hand-off in their language, when it is ready."""
        lines: list[Line] = []
        failed = 0
        first = len(packet.transcript) - TRANSLATED_LINES
        for at, line in enumerate(packet.transcript):
            same = line.translation or line.language == packet.internal_language
            if same or at < first or failed >= FAILURES:
                lines.append(line)
                continue
            done = await self._translator.translate(
                line.text, line.language, packet.internal_language, names=[packet.customer_name]
            )
            failed = 0 if done.ok else failed + 1
            lines.append(replace(line, translation=done.text) if done.ok else line)
        if tuple(lines) == packet.transcript:
            return
        if self.console is not None:
            await self.console.update(replace(packet, transcript=tuple(lines)))
            return
        text = "\n".join(line.translation or line.text for line in lines)
        try:
            await self.desk.note(ticket.reference, text)
        except DeskError as error:
            log.warning("the translation of %s was not added: %s", packet.id, error)

    # ------------------------------------------------------- live take-over

    def attach(
        self, session_id: str, port: CallPort, *, channel: str = "button", phone: str = ""
    ) -> LiveCall:
        """A conversation begins, over ``channel`` (button, phone, chat)."""
        return self.calls.attach(session_id, port, channel=channel, phone=phone)

    def watched(self, session_id: str) -> bool:
        """Tell whether people should see what is said: they have the line, or will soon."""
        call = self.calls.get(session_id)
        if call is None:
            return False
        session = self._sessions.get(session_id)
        waiting = self.console is not None and session is not None and bool(session.packet_id)
        return waiting or call.control is not live.Control.BOT

    def detach(self, session_id: str) -> None:
        """A conversation is over."""
        call = self.calls.get(session_id)
        if call is None:
            return
        self.calls.detach(session_id)
        session = self._sessions.get(session_id)
        if self.console is not None and session is not None and session.packet_id:
            self.console.touched(session.packet_id)

    def live_call(self, case: DeskCase | HandOffPacket) -> LiveCall | None:
        """Return the conversation of a case, if the customer is still there."""
        packet = case.packet if isinstance(case, DeskCase) else case
        return self.calls.get(packet.session_id)

    async def claim(self, case_id: str, agent: str) -> bool:
        """Give a case of the console to an agent, who has the line from now on if it is open."""
        console = self._need_console()
        if not await console.claim(case_id, agent):
            return False
        case = await console.case(case_id)
        call = self.live_call(case) if case is not None else None
        if case is not None and call is not None:
            session = self._sessions.of(case.packet.session_id)
            session.packet_id, session.reference = case_id, case.reference
            call.happened(live.Claimed(agent))
        return True

    async def reply(self, case_id: str, message_id: str, text: str) -> None:
        """Say an agent's words to the customer. Raises NotLive."""
        case = await self._need_console().case(case_id)
        call = self.live_call(case) if case is not None else None
        if call is None or call.control is not live.Control.HUMAN:
            raise NotLive
        call.happened(live.HumanSaid(message_id, text))

    async def hand_back(self, case_id: str, agent: str) -> bool:
        """Give the conversation back and close the case; False: it is not the agent's."""
        console = self._need_console()
        if not await console.finish(case_id, agent):
            return False
        await self._give_back(case_id)
        return True

    async def put_back(self, case_id: str, agent: str) -> bool:
        """Let the case wait for somebody else; the assistant speaks meanwhile."""
        if not await self._need_console().put_back(case_id, agent):
            return False
        await self._give_back(case_id, again=False)
        return True

    async def _give_back(self, case_id: str, *, again: bool = True) -> None:
        case = await self._need_console().case(case_id)
        if case is None:
            return
        if again:
            self._sessions.of(case.packet.session_id).round += 1
        call = self.live_call(case)
        if call is not None:
            call.happened(live.HandedBack())

    def event(self, session_id: str, event: DeskEvent) -> None:
        """Take what a vendor's webhook told of a session; unknown sessions are over."""
        call = self.calls.get(session_id)
        if call is None or call.control is live.Control.CLOSED:
            log.info("the desk spoke of session %s, which is over", session_id)
            return
        if event.kind == "said":
            if call.control is not live.Control.HUMAN:  # late, but somebody is there
                call.happened(live.Passed())
            call.happened(live.HumanSaid(event.id, event.text, event.agent))
        elif call.control is live.Control.HUMAN:
            self._sessions.of(session_id).round += 1
            call.happened(live.HandedBack())

    def session_of(self, reference: str) -> str | None:
        """Return the session that a vendor's reference belongs to."""
        return self._sessions.by_reference(reference)

    # ---------------------------------------------------------------- board

    def _shown(self, call: LiveCall, action: live.Show | live.ShowControl) -> None:
        session = self._sessions.get(call.session_id)
        if session is None or not session.packet_id:
            return
        if self._board.full():
            self._board.get_nowait()
            log.warning("the desk is stuck: a line for people was dropped")
        self._board.put_nowait((call.session_id, action))

    async def _show(self) -> None:
        """Show people what was said, in order."""
        while True:
            session_id, action = await self._board.get()
            session = self._sessions.get(session_id)
            if session is None:
                continue
            try:
                await self._show_one(session, action)
            except DeskError as error:
                log.warning("a line was not shown to people: %s", error)

    async def _show_one(self, session: KnownSession, action: live.Show | live.ShowControl) -> None:
        console = self.console
        if isinstance(action, live.ShowControl):
            if console is None:
                return
            if action.abandoned:
                case = await console.case(session.packet_id)
                if case is not None and case.agent:
                    await console.put_back(session.packet_id, case.agent)
            console.touched(session.packet_id)
            return
        line = Line(action.role, action.text, action.language, action.translation)
        if console is not None:
            await console.add_line(session.packet_id, action.id, line)
            return
        relay = _relays(self.desk)
        final = bool(action.translation) or not action.translated
        same = action.language == self.calls.internal_language
        if relay is not None and session.reference and action.role == "user" and (final or same):
            await relay.relay(session.reference, line, action.id)

    # -------------------------------------------------------------- helpers

    def _need_console(self) -> ConsoleDesk:
        console = self.console
        if console is None:
            raise NotLive
        return console


def _relays(desk: Desk) -> RelayDesk | None:
    """Return the desk if its people can speak while the call goes on."""
    return desk if hasattr(desk, "relay") else None  # type: ignore[return-value]
