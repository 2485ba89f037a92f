"""The running conversations that people can take over: the asyncio shell of the take-over core."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from voice_server.desk import live
from voice_server.desk.texts import customer
from voice_server.desk.translation import Translator

log = logging.getLogger(__name__)

SAY_S = 60.0
"""A message of which no end was heard is given up after so long: the next one may be said."""


class CallPort(Protocol):
    """A conversation as the desk sees it. Calls never block."""

    @property
    def language(self) -> str:
        """What the customer speaks now."""

    def say(self, say_id: str, text: str, language: str, *, interruptible: bool) -> None:
        """Speak; the end is told by :meth:`LiveCall.happened` with ``SayEnded``."""

    def mute(self) -> None:
        """Let the assistant be silent."""

    def unmute(self) -> None:
        """Let the assistant answer again."""


Board = Callable[["LiveCall", "live.Show | live.ShowControl"], None]
"""Hears what people should see. Called in the loop, must not block."""


@dataclass(frozen=True, slots=True)
class CallTexts:
    """Who the customer is speaking with."""

    shop: str
    internal_language: str


class LiveCall:
    """One conversation; made by :meth:`LiveCalls.attach`. Used in the event loop."""

    def __init__(
        self,
        session_id: str,
        port: CallPort,
        texts: CallTexts,
        translator: Translator,
        board: Board,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        *,
        channel: str = "button",
        phone: str = "",
    ) -> None:
        """``spawn`` runs a coroutine beside the call; ``phone`` is the caller's number."""
        self.session_id = session_id
        self.channel = channel
        self.phone = phone
        self.lines: dict[str, live.Show] = {}
        """What was said since a person could see it, newest state of each line."""
        self._port = port
        self._texts = texts
        self._translator = translator
        self._board = board
        self._spawn = spawn
        self._loop = asyncio.get_running_loop()
        self._core = live.Takeover(texts.internal_language, port.language)
        self._timer: asyncio.TimerHandle | None = None
        self._said = ""
        self._given_up: asyncio.TimerHandle | None = None

    @property
    def control(self) -> live.Control:
        """Who has control."""
        return self._core.control

    @property
    def agent(self) -> str:
        """Who has taken it, empty if nobody."""
        return self._core.agent

    def overheard(self, ident: str, text: str) -> None:
        """The assistant said something: people who look on may see it."""
        language = self._port.language
        self._show(live.Show(ident, "assistant", text, language))

    def happened(self, happening: live.Happening) -> None:
        """Take what happened and carry out what follows. Raises live.IllegalStep."""
        if isinstance(happening, live.Claimed | live.Passed):
            self._core.customer_language = self._port.language
        elif isinstance(happening, live.SayEnded) and happening.id == self._said:
            self._forget_end()
        self._carry_out(self._core.receive(happening, self._loop.time()))

    def close(self) -> None:
        """The customer is gone."""
        self.happened(live.Ended())
        self._forget_end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _carry_out(self, actions: list[live.Action]) -> None:
        for action in actions:
            self._ACTIONS[type(action)](self, action)
        self._arm()

    def _speak(self, action: live.Speak) -> None:
        self._begin(action.id, action.text, action.language, action.interruptible)

    def _announce(self, action: live.Announce) -> None:
        key: str = action.key
        if key == "joined" and not action.agent:
            key = "joined_unnamed"
        language = self._core.customer_language
        text = customer(key, language, shop=self._texts.shop, agent=action.agent)
        self._begin(action.id, text, language, action.interruptible)

    def _begin(self, say_id: str, text: str, language: str, interruptible: bool) -> None:
        self._forget_end()
        self._said = say_id
        self._given_up = self._loop.call_later(SAY_S, self._give_up, say_id)
        self._port.say(say_id, text, language, interruptible=interruptible)

    def _forget_end(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def _give_up(self, say_id: str) -> None:
        log.warning("session %s: the end of a message was never heard of", self.session_id)
        self.happened(live.SayEnded(say_id, "", whole=False))

    def _ask(self, action: live.AskTranslation) -> None:
        async def translate() -> None:
            names = [self._core.agent] if self._core.agent else []
            done = await self._translator.translate(
                action.text, action.source, action.target, names=names
            )
            self.happened(live.TranslationDone(action.id, done.text, done.ok))

        self._spawn(translate())

    def _show(self, action: live.Show | live.ShowControl) -> None:
        if isinstance(action, live.Show):
            self.lines[action.id] = action
        self._board(self, action)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._core.next_deadline()
        if due is not None:
            self._timer = self._loop.call_at(max(due, self._loop.time()), self._tick)

    def _tick(self) -> None:
        self._carry_out(self._core.tick(self._loop.time()))

    _ACTIONS: ClassVar[Mapping[type[live.Action], Callable[[LiveCall, Any], None]]] = {
        live.Mute: lambda self, action: self._port.mute(),
        live.Unmute: lambda self, action: self._port.unmute(),
        live.Speak: _speak,
        live.Announce: _announce,
        live.AskTranslation: _ask,
        live.Show: _show,
        live.ShowControl: _show,
    }


class LiveCalls:
    """All conversations of this process. :meth:`run` in a task."""

    def __init__(self, texts: CallTexts, translator: Translator, board: Board) -> None:
        """``board`` hears of all calls."""
        self._texts = texts
        self._translator = translator
        self._board = board
        self._calls: dict[str, LiveCall] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._early: list[Coroutine[Any, Any, None]] = []

    def renew(self, texts: CallTexts, translator: Translator) -> None:
        """Open further calls with these; those that go on keep what they began with."""
        self._texts = texts
        self._translator = translator

    @property
    def internal_language(self) -> str:
        """The company's."""
        return self._texts.internal_language

    async def run(self) -> None:
        """Own the translations until cancelled. Leaves no task behind."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                early, self._early = self._early, []
                for work in early:
                    self._tasks.create_task(_guarded(work))
                await asyncio.Event().wait()
        finally:
            self._tasks = None

    def attach(
        self, session_id: str, port: CallPort, *, channel: str = "button", phone: str = ""
    ) -> LiveCall:
        """Let people see a conversation."""
        call = LiveCall(
            session_id, port, self._texts, self._translator, self._board, self.spawn,
            channel=channel, phone=phone,
        )  # fmt: skip
        self._calls[session_id] = call
        return call

    def detach(self, session_id: str) -> None:
        """The conversation is over. Idempotent."""
        call = self._calls.pop(session_id, None)
        if call is not None:
            call.close()

    def get(self, session_id: str) -> LiveCall | None:
        """Return a conversation that is still going on."""
        return self._calls.get(session_id)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work that must not fail the others; before :meth:`run` it waits."""
        if self._tasks is None:
            self._early.append(work)
        else:
            self._tasks.create_task(_guarded(work))


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:  # one call's trouble is not another's
        log.exception("work beside a call failed")
