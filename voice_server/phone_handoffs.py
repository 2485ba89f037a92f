"""Hand-offs of a call: the desk gets its case, and the caller is connected to the line's human.

Where the desk promises to ring back, the promise is kept by the telephone itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from voice_server.desk.texts import label
from voice_server.dialogue.flows.ports import HandOffOutcome, HandOffs, HandOffWish
from voice_server.telephony.calls import Calls

REASONS_WITHOUT_A_CALL = frozenset({"callback"})
"""Somebody rings back: the caller is not connected to anybody now."""


class Promises(Protocol):
    """Keeps promises to call back."""

    async def promise(
        self, shop: str, number: str, due: datetime, *, session: str, language: str, topic: str
    ) -> bool:
        """Keep one; False where no line does that. Never raises."""


class PhoneHandOffs:
    """Wraps a shop's own way to hand over; other channels than the phone are left to it."""

    def __init__(
        self,
        calls: Callable[[], Calls | None],
        inner: HandOffs | None,
        *,
        shop: str = "",
        promises: Promises | None = None,
    ) -> None:
        """``inner``: the shop's desk, None where it has none."""
        self._calls = calls
        self._inner = inner
        self._shop = shop
        self._promises = promises

    async def hand_off(self, wish: HandOffWish) -> HandOffOutcome:
        """Tell the desk, and connect a caller after the reply that announces it. Never raises."""
        told = HandOffOutcome(accepted=False)
        if self._inner is not None:
            told = await self._inner.hand_off(wish)
        calls = self._calls()
        session = calls.find(wish.session_id) if calls is not None else None
        if told.accepted and told.callback_at is not None:
            started = session.flow.started if session is not None else None
            await self._promise(wish, told.callback_at, started.caller if started else "")
            return told  # somebody rings back: nobody is there to be connected with now
        if session is None or wish.reason in REASONS_WITHOUT_A_CALL:
            return told
        details = {"reason": wish.reason, "intent": wish.intent}
        line = session.flow.line
        if wish.intent and line is not None:
            details["about"] = label("intents", wish.intent, line.staff_language)
        if told.reference:
            details["ticket"] = told.reference
        if not session.hand_over_after_reply(details):
            return told
        return replace(told, accepted=True)

    async def _promise(self, wish: HandOffWish, due: datetime, caller: str) -> None:
        slots = dict(wish.slots)
        number = slots.get("phone", "") or caller
        if self._promises is None or not number:
            return
        await self._promises.promise(
            self._shop, number, due, session=wish.session_id, language=wish.language,
            topic=slots.get("topic", ""),
        )  # fmt: skip
