"""All Realtime sessions of this process: admission, resume tokens, draining."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from voice_server.ids import IdFactory
from voice_server.realtime.ports import Meter
from voice_server.realtime.returning import RENEW_S, Returning
from voice_server.realtime.session import RealtimeSession

log = logging.getLogger(__name__)

GOING_AWAY = 1001
"""Close code of a draining server: stock clients reconnect, to another machine."""

_POLL_S = 0.1

END_DEADLINE_S = 15.0
"""What closed sessions get to end by themselves: a closing handshake and the conversation's own."""


class Full(Exception):
    """No session can be opened now; the message says why."""


class Sessions:
    """Keeps count. A parked session counts: it holds its memory, and will be back."""

    def __init__(
        self,
        limit: int,
        meter: Meter,
        new_id: IdFactory,
        returning: Callable[[], Returning | None] = lambda: None,
    ) -> None:
        """``returning``: where tokens outlive the process."""
        self._returning = returning
        self._limit = limit
        self._meter = meter
        self._new_id = new_id
        self._sessions: dict[RealtimeSession, asyncio.Task[object] | None] = {}
        self._tokens: dict[str, RealtimeSession] = {}
        self.draining = False

    def __len__(self) -> int:
        return len(self._sessions)

    def check_room(self) -> None:
        """Raise Full if another session must be refused."""
        if self.draining:
            raise Full("the server is shutting down: connect again")
        if len(self._sessions) >= self._limit:
            raise Full("the server is full: try again in a moment")

    def add(self, session: RealtimeSession) -> None:
        """Count a session, owned by the current task. Raises Full."""
        self.check_room()
        self._sessions[session] = asyncio.current_task()
        self._meter.gauge("realtime_sessions", len(self._sessions))

    def remove(self, session: RealtimeSession) -> None:
        """Forget a session and its token; a draining server's clients come back to the next one."""
        del self._sessions[session]
        self._forget(session, spend=not self.draining)
        self._meter.gauge("realtime_sessions", len(self._sessions))

    def token(self, session: RealtimeSession) -> str:
        """Return a new resume token, the only one that is valid for the session."""
        self._forget(session)
        token = self._new_id("rt")
        self._tokens[token] = session
        if (returning := self._returning()) is not None:
            returning.keep(token, session.kept())
            session.configured = lambda: returning.keep(token, session.kept())
        return token

    async def renew(self) -> None:
        """Keep the tokens of living sessions alive beyond this process, for ever."""
        while True:
            await asyncio.sleep(RENEW_S)
            if (returning := self._returning()) is None:
                continue
            for token, session in self._tokens.items():
                if not session.finished:
                    returning.keep(token, session.kept())

    def _forget(self, session: RealtimeSession, *, spend: bool = True) -> None:
        returning = self._returning()
        for token in [token for token, one in self._tokens.items() if one is session]:
            del self._tokens[token]
            if spend and returning is not None:
                returning.spend(token)

    def claim(self, token: str, shop: str = "") -> RealtimeSession | None:
        """Return the session a token stands for, once; None if unknown, used or over.

        ``shop`` is the only shop the caller's key opens: another shop's session is unknown to it,
        and its token stays good for its owner.
        """
        session = self._tokens.get(token)
        if session is not None and shop and session.shop != shop:
            return None
        self._tokens.pop(token, None)
        if session is not None and (returning := self._returning()) is not None:
            returning.spend(token)
        return None if session is None or session.finished else session

    async def drain(self, deadline_s: float) -> None:
        """Refuse new sessions, let talking ones finish their reply, then close all with 1001.

        Returns when all are gone, at the latest some seconds after ``deadline_s``.
        """
        self.draining = True
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline_s
        while self._sessions:
            out_of_time = loop.time() >= end
            for session in list(self._sessions):
                if out_of_time or session.parked or not session.protocol.talking:
                    session.close(GOING_AWAY, "the server is shutting down")
            if out_of_time:
                break
            await asyncio.sleep(_POLL_S)
        await self._gone()

    async def _gone(self) -> None:
        tasks = {task for task in self._sessions.values() if task is not None}
        if not tasks:
            return
        _, pending = await asyncio.wait(tasks, timeout=END_DEADLINE_S)
        for task in pending:
            log.error("a session did not end in time and is cancelled")
            task.cancel()
        if pending:
            await asyncio.wait(pending, timeout=5)
