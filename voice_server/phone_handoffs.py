"""Hand-offs of a call: the desk gets its case, and the caller is connected to the line's human."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from voice_server.dialogue.flows.ports import HandOffOutcome, HandOffs, HandOffWish
from voice_server.telephony.calls import Calls

REASONS_WITHOUT_A_CALL = frozenset({"callback"})
"""Somebody rings back: the caller is not connected to anybody now."""


class PhoneHandOffs:
    """Wraps a shop's own way to hand over; other channels than the phone are left to it."""

    def __init__(self, calls: Callable[[], Calls | None], inner: HandOffs | None) -> None:
        """``inner``: the shop's desk, None where it has none."""
        self._calls = calls
        self._inner = inner

    async def hand_off(self, wish: HandOffWish) -> HandOffOutcome:
        """Tell the desk, and connect a caller after the reply that announces it. Never raises."""
        told = HandOffOutcome(accepted=False)
        if self._inner is not None:
            told = await self._inner.hand_off(wish)
        calls = self._calls()
        session = calls.find(wish.session_id) if calls is not None else None
        if session is None or wish.reason in REASONS_WITHOUT_A_CALL:
            return told
        details = {"reason": wish.reason, "intent": wish.intent}
        if told.reference:
            details["ticket"] = told.reference
        if not session.hand_over_after_reply(details):
            return told
        return replace(told, accepted=True)
