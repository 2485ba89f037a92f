"""One call: the asyncio shell that joins a line, a bridge, the flow and a conversation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from voice_server.conversation.mutable import MutableConversation
from voice_server.conversation.notices import Notice, ReplyAudio, Trouble
from voice_server.conversation.orders import Hear, Respond
from voice_server.conversation.transcript import History, Item
from voice_server.speech.engine import EngineError
from voice_server.telephony.attendance import Attendance
from voice_server.telephony.call import (
    Answer,
    Bridge,
    CallCommand,
    CallEvent,
    Clear,
    Close,
    CodecChanged,
    Fault,
    HangUp,
    Mark,
    Media,
    SendAudio,
    SendDtmf,
    Started,
    Transfer,
)
from voice_server.telephony.call_keeper import KEEPS, CallKeeper
from voice_server.telephony.calls import Calls, Ticket, outcome_of
from voice_server.telephony.details import record, snapshot
from voice_server.telephony.flow import CallFlow
from voice_server.telephony.flow_state import Begin, Effect, Log, Mute, Opened, Over, Typed
from voice_server.telephony.line import Line, find_line
from voice_server.telephony.line_out import LineOut
from voice_server.telephony.line_translation import LineTranslation
from voice_server.telephony.links import Link
from voice_server.telephony.monitor import Monitor
from voice_server.telephony.ports import CallBooks, Meter, TelephonyBackend
from voice_server.telephony.vendor_events import CallNews

log = logging.getLogger(__name__)

CLOSING_S = 5.0
"""What the vendor gets to say goodbye, and a conversation to end by itself; then they are cut."""

_COMMANDS = (SendAudio, Mark, Clear, SendDtmf, Transfer, HangUp)


class CallSession:
    """Carries out what the flow wants. Owned by the task that calls :meth:`run`."""

    def __init__(
        self,
        backend: TelephonyBackend,
        calls: Calls,
        meter: Meter,
        bridge: Bridge,
        link: Link,
        *,
        ticket: Ticket | None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """``ticket``: what the vendor's webhook told before; None where it was not asked."""
        self._backend = backend
        self._calls = calls
        self._meter = meter
        self._bridge = bridge
        self._link = link
        self._ticket = ticket
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._conversation: MutableConversation | None = None
        self._talk: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_at = float("inf")
        self._out = LineOut(bridge, link)
        self._began = datetime.now(UTC)
        self._up: datetime | None = None
        self._shown: tuple[Any, ...] = ()
        self.id = backend.new_id("call")
        self.people = Attendance(self, Monitor(self.id, calls.changed))
        self._translation: LineTranslation | None = None
        if backend.translate is not None:
            self._translation = LineTranslation(backend.translate, lambda: self.flow.line)
        self.people.monitor.translate = self._translation
        self._outgoing = ticket.outgoing if ticket is not None else None
        self._keeper = CallKeeper(self.id, lambda: self.flow, backend.call_book, self._clock)
        self.flow = CallFlow(
            bridge.features,
            self._find,
            new_id=backend.new_id,
            now=self._clock(),
            came_back=ticket is not None and ticket.came_back,
            outbound=self._outgoing.outbound if self._outgoing is not None else None,
        )

    @property
    def vendor(self) -> str:
        """Who carries the call."""
        return self._bridge.vendor

    # ------------------------------------------------------------- lifecycle

    async def run(self) -> None:
        """Serve the call to its end. Cancelling hangs up. Leaves no task behind."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            writer = tasks.create_task(self._link.run())
            reader = tasks.create_task(self._read())
            over = tasks.create_task(self._over.wait())
            self._arm()
            try:
                await asyncio.wait({reader, over}, return_when=asyncio.FIRST_COMPLETED)
                if not reader.done():  # we ended it: the vendor may answer, boundedly
                    await asyncio.wait({reader}, timeout=CLOSING_S)
            finally:
                self._perform(self.flow.end("the line is closed", self._clock()))
                self._disarm()
                await self._end(reader, writer)
                over.cancel()
        self._record()
        if self._outgoing is not None:
            self._outgoing.hung_up(self)

    async def _end(self, reader: asyncio.Task[None], writer: asyncio.Task[None]) -> None:
        if self._conversation is not None:
            self._conversation.close("the call is over")
        if self._talk is not None:
            _, pending = await asyncio.wait({self._talk}, timeout=CLOSING_S)
            if pending:
                log.error("the conversation of call %s did not end in time", self.id)
                self._talk.cancel()
        if self._translation is not None:
            self._translation.close()
        self._link.send(Close(reason="the call is over"))
        _, pending = await asyncio.wait({writer}, timeout=CLOSING_S)
        if pending:
            self._link.drop()
            writer.cancel()
        reader.cancel()
        await self._keeper.close()

    def snapshot(self) -> dict[str, Any]:
        """Return what operators see of the call now. Numbers are masked."""
        return {
            "id": self.id,
            "vendor": self.vendor,
            **snapshot(self.flow, self._clock()),
            "listeners": self.people.listeners,
        }

    def now(self) -> float:
        """Return the call's own time, in seconds."""
        return self._clock()

    @property
    def books(self) -> CallBooks | None:
        """Where things are written down."""
        return self._backend.books()

    def carry_out(self, effects: Sequence[Effect]) -> None:
        """Do what the flow has answered somebody."""
        self._perform(effects)
        self._arm()
        self._show()

    def told(self, news: CallNews) -> None:
        """Take what the vendor knows of who picked up a call of ours."""
        self.carry_out(self.flow.told(news, self._clock()))

    def end(self, reason: str) -> None:
        """Hang up now."""
        self._perform(self.flow.end(reason, self._clock()))

    def hand_over(self, details: Mapping[str, str]) -> None:
        """Bring the caller to a human, with some words first."""
        self.carry_out(self.flow.hand_over(details, self._clock()))

    def hand_over_after_reply(self, details: Mapping[str, str]) -> bool:
        """Bring the caller to a human after the present reply; False if this line has none."""
        wished = self.flow.hand_over_after_reply(details, self._clock())
        self._arm()
        return wished

    # --------------------------------------------------------------- reading

    async def _read(self) -> None:
        async for message in self._link.messages():
            self._take(self._bridge.receive(message))
        self._take(self._bridge.lost())
        self._over.set()

    def _take(self, events: Sequence[CallEvent]) -> None:
        for event in events:
            try:
                self._event(event)
            except Exception:  # one event must not end the call
                log.exception("call %s: an event failed: %s", self.id, type(event).__name__)
                self._meter.count("call_internal_errors_total")
        self._arm()

    def _event(self, event: CallEvent) -> None:
        if isinstance(event, Answer):
            self._link.send(event.message)
        elif isinstance(event, Started):
            event = self._identified(event)
            self._up = datetime.now(UTC)
            if not self._calls.claim(event.call_id, self):
                event = Fault("a second stream for a call that is up already", fatal=True)
        if isinstance(event, Media):
            self._keeper.caller(event.data)
        self._perform(self.flow.receive(event, self._clock()))
        if not isinstance(event, Media):
            self._show()
        if isinstance(event, CodecChanged):
            self._keeper.use(event.codec)
            self._out.use(event.codec)

    def _identified(self, started: Started) -> Started:
        """Add what the vendor's webhook, or the dialplan, told before."""
        ticket = self._ticket
        if ticket is None:
            return started
        if ticket.outgoing is not None:
            ticket.outgoing.began(self)
        return replace(
            started,
            direction=started.direction if ticket.outgoing is None else "outbound",
            call_id=ticket.call_id or started.call_id,
            caller=ticket.caller or started.caller,
            called=ticket.called or started.called,
            parameters={**started.parameters, **ticket.parameters},
        )

    def _find(self, started: Started) -> Line | None:
        if self._outgoing is not None:
            return self._outgoing.outbound.line
        return find_line(self._backend.lines(), started.called, self.vendor)

    # ------------------------------------------------------------ performing

    def _perform(self, effects: Sequence[Effect], *, soon: bool = False) -> None:
        """``soon``: orders wait for the conversation to finish what it is telling us about."""
        for effect in effects:
            if isinstance(effect, _COMMANDS):
                self._command(effect)
            elif isinstance(effect, Log):
                level = logging.WARNING if effect.level == "warning" else logging.INFO
                log.log(level, "call %s (%s): %s", self.id, self.vendor, effect.text)
            elif isinstance(effect, Begin):
                self._begin(effect)
            elif isinstance(effect, Over):
                self._over.set()
            elif isinstance(effect, KEEPS):
                self._keeper.carry_out(effect)
            elif isinstance(effect, Opened):
                self.people.opened()
            elif self._conversation is not None:
                if isinstance(effect, Typed):
                    self._typed(effect)
                elif isinstance(effect, Mute):
                    act = self._conversation.mute if effect.on else self._conversation.unmute
                    self._loop.call_soon(act) if soon else act()
                elif soon:
                    self._loop.call_soon(self._conversation.order, effect)
                else:
                    if isinstance(effect, Hear):
                        self.people.monitor.heard(effect.audio)
                    self._conversation.order(effect)

    def _command(self, command: CallCommand) -> None:
        if isinstance(command, Transfer):
            self._leave(command)
        elif isinstance(command, SendAudio | Clear):
            self._keeper.sent(command)
        self._out.send(command)

    def _leave(self, transfer: Transfer) -> None:
        """Keep where the caller goes: the vendor will ask."""
        started = self.flow.started
        if started is not None and started.call_id:
            outcome = outcome_of(self.flow, started, transfer)
            self._calls.outcomes.put(started.call_id, outcome, self._clock())

    def _begin(self, begin: Begin) -> None:
        assert self._tasks is not None, "called while running"  # noqa: S101
        assert self.flow.line is not None, "a call has a line"  # noqa: S101
        try:
            conversation = self._backend.open_call(
                session_id=self.id,
                line=self.flow.line,
                language=begin.language,
                features=self._bridge.features,
                emit=self._observe,
                history=History(),
            )
            self._conversation = MutableConversation(conversation, self._observe)
        except EngineError as error:
            log.warning("call %s cannot be served: %s", self.id, error)
            self._perform(self.flow.end("the server is not ready", self._clock()))
            return
        self._talk = self._tasks.create_task(self._converse(self._conversation))
        if self.flow.started is not None:
            self._out.use(self.flow.started.codec)

    async def _converse(self, conversation: MutableConversation) -> None:
        try:
            await conversation.run()
        except Exception:  # a broken conversation ends this call and no other
            log.exception("the conversation of call %s failed", self.id)
            self.end("internal error")

    def _typed(self, typed: Typed) -> None:
        assert self._conversation is not None, "checked by the caller"  # noqa: S101
        item = Item(self._backend.new_id("item"), text=typed.text, language=self.flow.language)
        self._conversation.history.insert(item)
        self._conversation.order(Respond(self._backend.new_id("resp")))

    def _observe(self, notice: Notice) -> None:
        """Take a notice; called by the conversation, in the loop."""
        if isinstance(notice, Trouble):
            self._meter.count("conversation_troubles_total", stage=notice.stage)
            log.warning(
                "call %s: %s: %s (%s)", self.id, notice.stage, notice.message, notice.consequence
            )
        try:
            if isinstance(notice, ReplyAudio):
                self.people.monitor.spoken(notice.audio)
            else:
                self.people.monitor.notice(notice, self.flow.language)
            self._perform(self.flow.observe(notice, self._clock()), soon=True)
        except Exception:  # the conversation is not to blame
            log.exception("call %s: a notice failed: %s", self.id, type(notice).__name__)
            self._meter.count("call_internal_errors_total")
        self._arm()
        self._show()

    # ---------------------------------------------------------------- timing

    def _arm(self) -> None:
        """Have one timer at the next deadline; a later one is found when the earlier fires."""
        at = self.flow.next_deadline()
        if at is None or at >= self._armed_at:
            return
        self._disarm()
        self._armed_at = at
        delay = max(0.0, at - self._clock())
        self._timer = self._loop.call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer, self._armed_at = None, float("inf")
        self._perform(self.flow.tick(self._clock()))
        self._arm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._armed_at = None, float("inf")
        if self._over.is_set():
            self._out.close()

    # ---------------------------------------------------------------- record

    def _show(self) -> None:
        """Tell the list of calls if it shows something else now."""
        flow = self.flow
        tally = flow.tally
        shown = (
            flow.stage, flow.language, tally.turns, tally.interruptions, flow.agent,
            tally.timings,
        )  # fmt: skip
        if shown != self._shown:
            self._shown = shown
            self.people.monitor.changed()

    def _record(self) -> None:
        self.people.end()
        for answer_ms in self.flow.tally.voice_to_voice_ms:
            self._meter.observe("call_voice_to_voice_seconds", answer_ms / 1000)
        made = record(
            self.id, self.vendor, self.flow, began=self._began, up=self._up,
            now=self._clock(), listeners=self.people.log,
        )  # fmt: skip
        if made is not None:
            self._calls.note(made)
