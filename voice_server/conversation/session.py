"""One conversation: the asyncio shell around the turn-taking core.

It owns the session's TaskGroup and one timer, gives inputs to the core and carries out its
commands with the engines and the dialogue.  Transports give orders and receive notices.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, ClassVar

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation import turn_events as ev
from voice_server.conversation.ears import Ears
from voice_server.conversation.listening import Listening
from voice_server.conversation.openings import Openings
from voice_server.conversation.replies import Replies
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.transcript import History, UnknownItem
from voice_server.conversation.turn import State, TurnMachine
from voice_server.conversation.turn_state import HOLD_PROBABILITY

log = logging.getLogger(__name__)

ECHO_WINDOW_MS = 288.0
"""Memory looked at for echo: nine frames, a little more than the guard's window."""


class Conversation:
    """A conversation with one user, over any transport.

    ``emit`` is called in the event loop and must not block.  Run :meth:`run` in a task; give
    orders at any time before and after it has begun; :meth:`close` ends it.
    """

    def __init__(
        self,
        *,
        services: Services,
        options: ConversationOptions,
        emit: Callable[[n.Notice], None],
        history: History | None = None,
    ) -> None:
        """Make a conversation; nothing happens before :meth:`run`."""
        self._services = services
        self._options = options
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._clock = options.clock or self._loop.time
        self.history = history if history is not None else History()
        self._machine = TurnMachine(deadlines=services.deadlines)
        self.dialogue = services.dialogue.open(options.session_id, language=options.language)
        self._closed = asyncio.Event()
        self._reason = "closed"
        self._tasks: asyncio.TaskGroup | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._waiting_orders: list[o.Order] = []
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None
        self._configured = o.Configure(o.TurnOptions(), o.ReplyOptions())
        self._queue: list[ev.Input] = []
        self._feeding = False
        self._overrun = False
        self.replies = Replies(
            services, options, self.history, self.dialogue, emit=emit, feed=self._feed,
            spawn=self._spawn, changed=self._wake, clock=self._clock,
        )  # fmt: skip
        self.ears = Ears(options.input_rate, services.vad, self._frame)
        self._listening = Listening(
            services, self.history, self.ears, self.dialogue, emit=emit, feed=self._feed,
            foresee=lambda transcript: self._openings.foresee(transcript), spawn=self._spawn,
            clock=self._clock,
        )  # fmt: skip
        self._openings = Openings(
            services, self.history, self.dialogue, self.replies, self._listening, emit=emit,
            feed=self._feed, spawn=self._spawn, clock=self._clock,
            generation=lambda: self._machine.generation,
        )  # fmt: skip

    # ------------------------------------------------------------- lifecycle

    async def run(self) -> None:
        """Serve until :meth:`close`; cancelling closes too. Leaves no task behind."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                waiting, self._waiting_orders = self._waiting_orders, []
                for order in waiting:
                    self.order(order)
                await self._closed.wait()
                self._carry_out(self._machine.receive(ev.Closing(), self._clock()))
                for task in list(self._running):
                    task.cancel()
        finally:
            self._closed.set()
            self.ears.close()
            for handle in (self._timer, self._soon):
                if handle is not None:
                    handle.cancel()
            self._emit(n.Closed(self._reason))

    def close(self, reason: str = "closed") -> None:
        """End the conversation soon. Idempotent."""
        if not self._closed.is_set():
            self._reason = reason
            self._closed.set()

    @property
    def state(self) -> State:
        """What is going on, for the console and tests."""
        return self._machine.state

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work inside the session; its failure is reported and harms nothing else."""
        if self._tasks is None:
            raise RuntimeError("the conversation is not running")
        task = self._tasks.create_task(self._guard(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before it began
        return task

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # one failing task must not end the call
            log.exception("a task of session %s failed", self._options.session_id)
            self._emit(n.Trouble("internal", repr(error), "the conversation goes on"))

    # ---------------------------------------------------------------- timing

    def _wake(self) -> None:
        """Pump soon, once however often asked."""
        if self._soon is None and not self._closed.is_set():
            self._soon = self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        now = self._clock()
        self._carry_out(self._machine.tick(now))
        self.replies.pump(now)
        self._arm()

    def _arm(self) -> None:
        now = self._clock()
        wanted = [
            at
            for at in (self._machine.next_deadline(), self.replies.next_due(now))
            if at is not None
        ]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wanted and not self._closed.is_set():
            delay = max(0.0, min(wanted) - now)
            self._timer = self._loop.call_later(delay, self._pump)

    # ---------------------------------------------------------------- orders

    def order(self, order: o.Order) -> None:
        """Carry out an order of the transport. Never blocks; an unknown item is reported."""
        if self._closed.is_set():
            return
        if self._tasks is None:
            self._waiting_orders.append(order)
            return
        if type(order) is o.Hear:  # the hot path: 50 times a second and session
            self.ears.hear(order.audio)
            if self.ears.dropped_frames and not self._overrun:
                self._overrun = True
                self._emit(n.Trouble("vad", "audio came too fast", "some of it was dropped"))
            return
        handler = self._ORDERS[type(order)]
        handler(self, order)
        self._arm()

    def _configure(self, order: o.Configure) -> None:
        if order.language != self._configured.language:
            self.dialogue.prefer(order.language)
        self._configured = order
        self.replies.settings = order.reply
        self.replies.paced = self._options.paced and order.turns.detection != "none"
        self._listening.configure(order)
        turns = order.turns
        if not order.reply_enabled:
            turns = replace(turns, create_response=False)
        self._carry_out(self._machine.configure(turns, self._clock()))

    def _commit_audio(self, order: o.CommitAudio) -> None:
        self.ears.flush()
        if self._machine.options.detection == "none":
            self._listening.commit_all(order.item_id)
        else:
            self._listening.next_item_id = order.item_id
            state = self._machine.state
            self._feed(ev.Committed())
            if state is State.IDLE:
                self._listening.commit_all(order.item_id)

    def _clear_audio(self, order: o.ClearAudio) -> None:
        self._listening.clear()
        self._feed(ev.Cleared())

    def _cancel(self, order: o.Cancel) -> None:
        self._feed(ev.Cancelled())

    def _heard(self, order: o.Heard) -> None:
        self.replies.heard(order.reply_id, order.position_ms)

    def _truncate(self, order: o.Truncate) -> None:
        run = self.replies.run
        if run is not None and run.item_id == order.item_id:
            run.mouth.playback.heard(order.heard_ms, self._clock())
            self._feed(ev.Cancelled())
            return
        try:
            item = self.history.truncate(order.item_id, order.heard_ms)
        except UnknownItem:
            log.warning("truncate of unknown item %s ignored", order.item_id)
            return
        self._emit(n.ItemTruncated(item.id, round(order.heard_ms), item.text or ""))

    def _hold(self, order: o.Hold) -> None:
        self.replies.freeze()
        self._feed(ev.Held())

    def _resume_order(self, order: o.Resume) -> None:
        self.replies.resume(order.position_ms)
        self._feed(ev.Released())

    _ORDERS: ClassVar[dict[type[o.Order], Callable[[Conversation, Any], None]]] = {
        o.Configure: _configure,
        o.CommitAudio: _commit_audio,
        o.ClearAudio: _clear_audio,
        o.Respond: lambda self, order: self._openings.respond(order),
        o.Say: lambda self, order: self._openings.say(order),
        o.Cancel: _cancel,
        o.Heard: _heard,
        o.Truncate: _truncate,
        o.Hold: _hold,
        o.Resume: _resume_order,
    }

    # ------------------------------------------------- inputs of the turn core

    def _frame(self, probability: float, end_ms: float) -> None:
        if probability >= HOLD_PROBABILITY and self.replies.run is not None:
            heard = self.ears.since(end_ms - ECHO_WINDOW_MS, end_ms)
            if self.replies.echo.is_echo(heard):
                probability = 0.0
        self._feed(ev.Frame(probability, end_ms))

    def _feed(self, event: ev.Input) -> None:
        """Give an input to the core; inputs caused by its commands come after them."""
        self._queue.append(event)
        if self._feeding:
            return
        self._feeding = True
        commands = False
        try:
            while self._queue:
                out = self._machine.receive(self._queue.pop(0), self._clock())
                if out:
                    commands = True
                    self._carry_out(out)
        finally:
            self._feeding = False
        if commands or type(event) is not ev.Frame or self._machine.state is not State.IDLE:
            self._arm()

    def _carry_out(self, commands: list[ev.Command]) -> None:
        for command in commands:
            self._COMMANDS[type(command)](self, command)

    def _commit(self, command: ev.Commit) -> None:
        self._listening.commit(command)

    def _abandon(self, command: ev.Abandon) -> None:
        self._listening.abandon(command.generation)
        self.replies.abandon(command.generation)

    _COMMANDS: ClassVar[dict[type[ev.Command], Callable[[Conversation, Any], None]]] = {
        ev.Transcribe: lambda self, c: self._listening.transcribe(c),
        ev.Adopt: lambda self, c: self._listening.adopt(c),
        ev.Score: lambda self, c: self._listening.score(c),
        ev.SpeechBegan: lambda self, c: self._listening.began(c),
        ev.Commit: _commit,
        ev.Begin: lambda self, c: self._openings.begin(c),
        ev.Release: lambda self, c: self._openings.release(c),
        ev.Abandon: _abandon,
        ev.PauseOutput: lambda self, c: self.replies.pause(notify=c.notify),
        ev.ResumeOutput: lambda self, c: self.replies.resume(),
        ev.StopReply: lambda self, c: self.replies.stop(c.reason),
        ev.SayFiller: lambda self, c: self._openings.filler(c),
        ev.Apologise: lambda self, c: self._openings.apologise(c),
        ev.NoWords: lambda self, c: self.replies.stop("client_cancelled"),
        ev.PromptIdle: lambda self, c: self._openings.prompt_idle(c),
    }
