"""Joins conversations with the shop's desk: people hear them, speak in them, and get them handed.

The composition root opens every conversation through :func:`open_with_desk` and gives the flows a
:class:`DeskHandOffs`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.mutable import Inner, MutableConversation
from voice_server.conversation.turn_state import State
from voice_server.desk import live
from voice_server.desk.builder import Case
from voice_server.desk.calls import LiveCall
from voice_server.desk.packet import Line
from voice_server.desk.service import DeskService
from voice_server.desk.texts import label
from voice_server.dialogue.dialogue import Message
from voice_server.dialogue.flows.ports import HandOffOutcome, HandOffWish
from voice_server.dialogue.guards.redaction import SECRETS, Asked, redact
from voice_server.ids import IdFactory, new_id

USER_SPEAKS = frozenset({State.HEARING, State.ENDPOINTING, State.PAUSED, State.HELD})
"""Nobody speaks over a customer, whose words would be lost: it is tried again later."""

Emit = Callable[[n.Notice], None]


class Speaks(Protocol):
    """What knows the language of a conversation: its dialogue session."""

    @property
    def language(self) -> str:
        """The language spoken now."""


class WithDialogue(Inner, Protocol):
    """A conversation with its dialogue."""

    @property
    def dialogue(self) -> Speaks:
        """The dialogue with this user."""

    @property
    def state(self) -> State:
        """What is going on."""


def open_with_desk(
    service: DeskService,
    session_id: str,
    emit: Emit,
    make: Callable[[Emit], WithDialogue],
    *,
    channel: str = "button",
    phone: str = "",
    new_id: IdFactory = new_id,
) -> MutableConversation:
    """Return a conversation that people can take over.

    ``make`` makes the conversation, which must emit to what it is given.  Call it in the loop.
    """
    line = DeskLine(service, session_id, emit, new_id)
    conversation = make(line.notice)
    return line.connect(conversation, channel=channel, phone=phone)


class DeskLine:
    """Implements :class:`voice_server.desk.calls.CallPort` for one conversation."""

    def __init__(
        self, service: DeskService, session_id: str, emit: Emit, new_id: IdFactory
    ) -> None:
        self._service = service
        self._session_id = session_id
        self._emit = emit
        self._new_id = new_id
        self._loop = asyncio.get_running_loop()
        self._says: dict[str, str] = {}
        """Reply id to the desk's own id of what is being said."""
        self._started: set[str] = set()
        self._seen: set[str] = set()
        self._conversation: MutableConversation
        self._inner: WithDialogue
        self._call: LiveCall

    def connect(self, inner: WithDialogue, *, channel: str, phone: str) -> MutableConversation:
        """Put the line between the conversation and its transport."""
        self._inner = inner
        self._conversation = MutableConversation(inner, self.notice)
        self._call = self._service.attach(self._session_id, self, channel=channel, phone=phone)
        return self._conversation

    # ------------------------------------------------------------ the desk's

    @property
    def language(self) -> str:
        """What the customer speaks now."""
        return self._inner.dialogue.language

    def say(self, say_id: str, text: str, language: str, *, interruptible: bool) -> None:
        """Speak, unless the customer does: then it has ended without having begun."""
        if self._inner.state in USER_SPEAKS:
            ended = live.SayEnded(say_id, "", whole=False, started=False)
            self._loop.call_soon(self._call.happened, ended)
            return
        reply_id = self._new_id("resp")
        self._says[reply_id] = say_id
        self._conversation.order(o.Say(reply_id, text, language, interruptible=interruptible))

    def mute(self) -> None:
        """Let the assistant be silent."""
        self._conversation.mute()

    def unmute(self) -> None:
        """Let the assistant answer again."""
        self._conversation.unmute()

    # ----------------------------------------------------- the conversation's

    def notice(self, notice: n.Notice) -> None:
        """Pass a notice on to the transport, and what people should know to the desk."""
        self._emit(notice)
        handler = self._NOTICES.get(type(notice))
        if handler is not None:
            # Later: a notice may come while the desk is still giving the order that caused it.
            self._loop.call_soon(handler, self, notice)

    def _heard(self, notice: n.TranscriptFinal) -> None:
        if notice.transcript.text.strip():
            self._customer(notice.item_id, notice.transcript.text, notice.transcript.language)

    def _reply_started(self, notice: n.ReplyStarted) -> None:
        if notice.reply_id in self._says:
            self._started.add(notice.reply_id)

    def _reply_done(self, notice: n.ReplyDone) -> None:
        say_id = self._says.pop(notice.reply_id, None)
        if say_id is not None:
            started = notice.reply_id in self._started
            self._started.discard(notice.reply_id)
            whole = notice.status == "completed"
            self._call.happened(live.SayEnded(say_id, notice.text, whole, started))
            return
        self._written()
        if notice.text and self._service.watched(self._session_id):
            self._call.overheard(notice.reply_id, notice.text)

    def _written(self) -> None:
        """Tell of typed messages; no notice does, but a reply is asked for after them."""
        for item in self._conversation.history.items:
            typed = item.kind == "message" and item.role == "user" and item.content == "input_text"
            if typed and item.text and item.id not in self._seen:
                self._customer(item.id, item.text, item.language)

    def _customer(self, item_id: str, text: str, language: str | None) -> None:
        self._seen.add(item_id)
        if self._service.watched(self._session_id):
            spoken = language or self.language
            self._call.happened(live.CustomerSaid(item_id, _shown(text, spoken), spoken))

    def _closed(self, notice: n.Closed) -> None:
        self._service.detach(self._session_id)

    _NOTICES: ClassVar[Mapping[type[n.Notice], Callable[[DeskLine, Any], None]]] = {
        n.TranscriptFinal: _heard,
        n.ReplyStarted: _reply_started,
        n.ReplyDone: _reply_done,
        n.Closed: _closed,
    }


class DeskHandOffs:
    """Implements :class:`voice_server.dialogue.flows.ports.HandOffs` with a shop's desk."""

    def __init__(
        self,
        service: DeskService,
        *,
        order_value: Callable[[str], Decimal | None] = lambda number: None,
    ) -> None:
        """``order_value``: what an order was worth, where that is known without a look-up."""
        self._service = service
        self._order_value = order_value

    @property
    def _internal(self) -> str:
        """The company's language, which an edited pack may change."""
        return self._service.calls.internal_language

    async def hand_off(self, wish: HandOffWish) -> HandOffOutcome:
        """Give the conversation to people.

        Not accepted means that the desk has not confirmed within three seconds.  The case may be
        kept all the same, and be delivered later; nothing is promised of it.
        """
        result = await self._service.hand_off(self.case(wish))
        if result.ticket is None:
            return HandOffOutcome(accepted=False)
        return HandOffOutcome(True, result.ticket.reference, result.callback_at)

    def case(self, wish: HandOffWish) -> Case:
        """Return what the desk is told of a wish."""
        call = self._service.calls.get(wish.session_id)
        lines = tuple(_transcript(wish))
        slots = tuple((label("labels", name, self._internal), value) for name, value in wish.slots)
        order = label("labels", "order", self._internal)
        if wish.order and wish.order not in (value for _, value in wish.slots):
            slots = ((order, wish.order), *slots)
        case = Case(
            session_id=wish.session_id,
            channel="chat",
            language=wish.language,
            intent=wish.intent,
            reason=wish.reason,
            identity_level=wish.identity_level,
            transcript=lines,
            slots=slots,
            done=tuple(self._write(one) for one in wish.done),
            refused=tuple(self._write(one) for one in wish.refused),
            order_value=self._order_value(wish.order) if wish.order else None,
        )
        return case if call is None else replace(case, channel=call.channel, phone=call.phone)

    def _write(self, write: str) -> str:
        """Word a write of the flows, "cancel_order BE-10497"."""
        flow, _, rest = write.partition(" ")
        return f"{label('intents', flow, self._internal)} {rest}".strip()


_CODE = re.compile(r"\bcode\b", re.IGNORECASE)
"""In what we say, in all four languages: the answer to it is one."""


def _transcript(wish: HandOffWish) -> Iterator[Line]:
    """Yield what was said, as people at the desk see it."""
    asked: Asked = ""
    for entry in wish.history:
        if not isinstance(entry, Message) or entry.role == "system":
            continue
        language = entry.language or wish.language
        if entry.role == "user":
            yield Line("user", _shown(entry.text, language, asked), language)
        else:
            asked = "code" if _CODE.search(entry.text) else ""
            yield Line(entry.role, entry.text, language)


def _shown(text: str, language: str, asked: Asked = "") -> str:
    """Return a customer's words as people at the desk see and keep them: without secrets."""
    return redact(text, language, asked=asked, kinds=SECRETS)
