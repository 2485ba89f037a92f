"""A conversation whose dialogue can be silenced while a person speaks in its place.

It wraps a conversation and has the same face.  While muted the user is heard and transcribed as
before, nobody answers by itself, and only ``Say`` orders speak; what the transport configures
meanwhile holds from the unmuting on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.transcript import History


class Inner(Protocol):
    """What is wrapped: :class:`voice_server.conversation.session.Conversation`."""

    history: History

    async def run(self) -> None:
        """Serve until :meth:`close`."""

    def order(self, order: o.Order) -> None:
        """Carry out an order; never blocks."""

    def close(self, reason: str = "closed") -> None:
        """End soon."""


class MutableConversation:
    """See the module. Used in the event loop, as what it wraps."""

    def __init__(self, inner: Inner, emit: Callable[[n.Notice], None]) -> None:
        """``emit`` is the one that ``inner`` was given."""
        self._inner = inner
        self._emit = emit
        self._configured = o.Configure(o.TurnOptions(), o.ReplyOptions())
        self.history = inner.history
        self.muted = False

    async def run(self) -> None:
        """Serve until :meth:`close`."""
        await self._inner.run()

    def close(self, reason: str = "closed") -> None:
        """End soon."""
        self._inner.close(reason)

    def order(self, order: o.Order) -> None:
        """Carry out an order; a reply asked for while muted ends at once, cancelled."""
        if type(order) is o.Configure:
            self._configured = order
            self._inner.order(_mute(order) if self.muted else order)
        elif self.muted and type(order) is o.Respond:
            self._emit(n.ReplyDone(order.reply_id, "cancelled", "client_cancelled"))
        else:
            self._inner.order(order)

    def mute(self) -> None:
        """Stop the reply that is being spoken, and make none until :meth:`unmute`."""
        if not self.muted:
            self.muted = True
            self._inner.order(o.Cancel())
            self._inner.order(_mute(self._configured))

    def unmute(self) -> None:
        """Let the dialogue answer again, as the transport has configured it."""
        if self.muted:
            self.muted = False
            self._inner.order(self._configured)


def _mute(order: o.Configure) -> o.Configure:
    """Return the settings with which nothing is said by itself, not even "are you there?"."""
    turns = replace(order.turns, idle_timeout_ms=None)
    return replace(order, turns=turns, reply_enabled=False)
