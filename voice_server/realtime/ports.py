"""What the Realtime server needs from the rest: a conversation, and somewhere to count.

The conversation's own class is not imported here: tests give a scripted one, the app the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from voice_server.conversation.notices import Notice
from voice_server.conversation.orders import Order
from voice_server.conversation.transcript import History
from voice_server.ids import IdFactory, new_id
from voice_server.realtime.customer import Customer
from voice_server.realtime.response import VisemeMaker
from voice_server.realtime.returning import Returning
from voice_server.realtime.session_config import SessionDefaults


class ConversationPort(Protocol):
    """A conversation as a transport sees it."""

    history: History

    async def run(self) -> None:
        """Serve until :meth:`close`."""

    def order(self, order: Order) -> None:
        """Carry out an order; never blocks."""

    def close(self, reason: str = "closed") -> None:
        """End soon; :class:`~voice_server.conversation.notices.Closed` is the last notice."""


class OpenConversation(Protocol):
    """Makes conversations."""

    def __call__(
        self,
        *,
        session_id: str,
        input_rate: int,
        emit: Callable[[Notice], None],
        history: History,
        flushes: bool,
        language: str | None,
    ) -> ConversationPort:
        """Return a conversation that has not begun.

        ``language`` is what to begin in (the page's), until the user shows another.

        ``input_rate`` is the rate in Hz of every Hear order.  ``emit`` is called in the event
        loop and does not block.  ``flushes``: the client stops at OutputPaused and forgets what
        it has not played.
        """


class Meter(Protocol):
    """Counts what operators watch."""

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add one observation to a histogram."""


@dataclass(frozen=True, slots=True)
class RealtimeBackend:
    """Everything ``/v1/realtime`` needs; made by the app."""

    open_conversation: OpenConversation
    defaults: SessionDefaults = SessionDefaults()
    visemes: VisemeMaker | None = None
    max_sessions: int = 200
    resume_s: float = 60.0
    new_id: IdFactory = new_id
    voices: Callable[[], frozenset[str]] = frozenset
    """Names of the voices that can speak now; known once the engines are loaded."""
    not_yet: Callable[[], str] = str
    """Why no session can be opened now ("the models are loading"); "" when one can."""
    for_request: Callable[[web.Request], tuple[str, RealtimeBackend]] | None = None
    """The id of the shop a request is for, and its backend; None: there is one shop. Raises
    ApiError for a shop that is not there, or not the caller's."""
    returning: Callable[[], Returning | None] = lambda: None
    """Where resume tokens outlive the process; None: they do not."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from."""

    kind: str
    """"key", "ephemeral" or "demo"."""
    session: Mapping[str, Any] = field(default_factory=dict)
    """The session configuration an ``ek_`` secret carries."""
    shop: str = ""
    """The only shop it may use; "" for all of them."""
    customer: Customer | None = None
    """Who it is, as the shop's server says by an ``ek_`` secret, with what they agreed to."""


PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)
"""Set by the web layer on every request that passed authentication."""
