"""The responses of a session: who is open, who may be opened, who must wait.

Whatever happens, each ``response.created`` is followed by exactly one ``response.done``.
"""

from __future__ import annotations

from collections import deque

from voice_server.conversation.notices import (
    ClauseText,
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    ReplyToolCall,
)
from voice_server.realtime.effects import Effect, WireError
from voice_server.realtime.response import Response, ResponseSettings, Surroundings

OUT_OF_BAND_LIMIT = 4
"""Responses outside the conversation a client may have open at once."""


class Responses:
    """All responses of a session."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._open: dict[str, Response] = {}
        self._dismissed: deque[str] = deque(maxlen=16)
        self._last: Response | None = None

    @property
    def active(self) -> Response | None:
        """The conversation's own response that runs and is not being cancelled."""
        return next(
            (
                response
                for response in self._open.values()
                if not response.settings.out_of_band and not response.cancelling
            ),
            None,
        )

    @property
    def busy(self) -> bool:
        """Whether any response is open."""
        return bool(self._open)

    def writes_item(self, item_id: str) -> bool:
        """Whether an open response is still writing that item."""
        return any(
            response.message_open and response.item_id == item_id
            for response in self._open.values()
        )

    def check_room(self, *, out_of_band: bool) -> None:
        """Raise WireError if a client may not ask for another response now."""
        running = [
            response
            for response in self._open.values()
            if response.settings.out_of_band == out_of_band and not response.cancelling
        ]
        if len(running) >= (OUT_OF_BAND_LIMIT if out_of_band else 1):
            raise WireError(
                f"Conversation already has an active response in progress: {running[0].id}. "
                "Wait until the response is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )

    def request(self, response_id: str, settings: ResponseSettings) -> list[Effect]:
        """Announce what a client asked for; behind a response being cancelled it waits its turn."""
        waits = not settings.out_of_band and any(
            response.cancelling and not response.settings.out_of_band
            for response in self._open.values()
        )
        response = self._open[response_id] = Response(response_id, settings, self._around)
        return [] if waits else response.announce()

    def cancel(self, response_id: str | None) -> tuple[Response, list[Effect]]:
        """Silence a response at the client's wish.

        One that has not begun is done at once: the conversation may never speak of it again.
        Raises WireError when there is none.
        """
        response = self.active if response_id is None else self._open.get(response_id)
        if response is None or response.cancelling:
            raise WireError(
                "Cancellation failed: no active response found"
                if response_id is None
                else f"Cancellation failed: response '{response_id}' is not active.",
                code="response_cancel_not_active",
                param=None if response_id is None else "response_id",
            )
        response.cancelling = True
        if response.item_id:
            return response, []
        self._dismissed.append(response.id)
        return response, self.done(ReplyDone(response.id, "cancelled", "client_cancelled"))

    def started(self, notice: ReplyStarted, settings: ResponseSettings) -> list[Effect]:
        """The conversation makes a reply: one that was asked for, or its own."""
        if notice.reply_id in self._dismissed:
            return []
        effects = [] if notice.out_of_band else self._supersede(notice.reply_id)
        response = self._open.get(notice.reply_id)
        if response is None:
            response = self._open[notice.reply_id] = Response(
                notice.reply_id, settings, self._around
            )
        response.item_id = notice.item_id
        return effects + response.announce()

    def clause(self, notice: ClauseText) -> list[Effect]:
        """A clause of a reply."""
        response = self._live(notice.reply_id)
        return [] if response is None else response.clause(notice)

    def audio(self, notice: ReplyAudio) -> list[Effect]:
        """Speech of a reply; late pieces of a cancelled one stay off the wire."""
        response = self._live(notice.reply_id)
        return [] if response is None else response.audio(notice)

    def tool_call(self, notice: ReplyToolCall) -> list[Effect]:
        """A reply calls a function."""
        response = self._live(notice.reply_id)
        return [] if response is None else response.tool_call(notice)

    def done(self, notice: ReplyDone) -> list[Effect]:
        """A reply has ended; what waited behind it is announced."""
        response = self._open.pop(notice.reply_id, None)
        if response is None:
            return []
        effects = response.done(notice)
        replay = self._around.replay
        if replay is not None and replay.reply_id == response.id:
            self._last = response
            if notice.status == "cancelled":
                replay.silence()
        for waiting in self._open.values():
            effects += waiting.announce()
        return effects

    def abandon(self, reason: str) -> list[Effect]:
        """End all responses: the conversation is over and will not."""
        effects: list[Effect] = []
        for response_id in list(self._open):
            effects += self.done(ReplyDone(response_id, "failed", "error", error=reason))
        return effects

    def unheard(self, position_ms: float) -> tuple[Response, list[Effect]] | None:
        """Return the last response and its unheard audio, if it is done and some is left."""
        replay, last = self._around.replay, self._last
        if replay is None or last is None or last.id != replay.reply_id:
            return None
        pieces = replay.unheard(position_ms)
        return (last, last.speak_again(pieces)) if pieces else None

    def _supersede(self, response_id: str) -> list[Effect]:
        """End the conversation's other responses: it makes one reply at a time.

        They were given up for a new turn before they could begin, which the conversation may
        leave unsaid.
        """
        older = [
            response.id
            for response in self._open.values()
            if response.id != response_id and not response.settings.out_of_band
        ]
        effects: list[Effect] = []
        for other in older:
            effects += self.done(ReplyDone(other, "cancelled", "turn_detected"))
        return effects

    def _live(self, response_id: str) -> Response | None:
        response = self._open.get(response_id)
        return None if response is None or response.cancelling else response
