"""``GET /v1/realtime``: opens, refuses and resumes sessions over websockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from voice_server.realtime.effects import Close, WireError
from voice_server.realtime.line import Line
from voice_server.realtime.ports import PRINCIPAL, Meter, RealtimeBackend
from voice_server.realtime.protocol import EXTENSIONS
from voice_server.realtime.session import RealtimeSession
from voice_server.realtime.session_config import SessionConfig, SessionDefaults
from voice_server.realtime.sessions import Full, Sessions
from voice_server.realtime.wire import EventWriter

log = logging.getLogger(__name__)

SUBPROTOCOL = "realtime"
"""Answered when offered: browsers fail the connection otherwise."""

MESSAGE_LIMIT = 24 * 1024 * 1024
"""Bytes of one message: an append of 15 MiB is 20 MiB of base64, and a little more gets an error
event instead of a closed socket."""

HEARTBEAT_S = 20.0
"""A ping after so much silence of the client; half of it later without a pong it is gone."""

CLOSE_HANDSHAKE_S = 2.0
TRY_AGAIN_LATER, RESUME_FAILED = 1013, 4004


class RealtimeEndpoint:
    """The handler of the route, and the sessions behind it."""

    def __init__(
        self,
        backend: RealtimeBackend,
        meter: Meter,
        *,
        clock: Callable[[], float] | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        line_options: Mapping[str, Any] | None = None,
    ) -> None:
        """``clock`` is monotonic seconds; None means the event loop's."""
        self._backend = backend
        self._meter = meter
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._line_options = dict(line_options or {})
        self.sessions = Sessions(backend.max_sessions, meter, backend.new_id, backend.returning)

    def defaults(self, backend: RealtimeBackend | None = None) -> SessionDefaults:
        """Return what sessions start from now, the loaded voices included."""
        backend = backend or self._backend
        return replace(backend.defaults, voices=backend.voices())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket from its handshake to its end."""
        if "call_id" in request.query:
            raise web.HTTPNotFound(text="There is no such call on this server.")
        shop, backend = "", self._backend
        if backend.for_request is not None:
            shop, backend = backend.for_request(request)
        socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,),
            heartbeat=self._heartbeat_s,
            max_msg_size=MESSAGE_LIMIT,
            compress=False,  # base64 of speech does not shrink: it would only cost time
            timeout=CLOSE_HANDSHAKE_S,
        )
        await socket.prepare(request)
        line = Line(socket, request.transport, **self._line_options)
        token = request.query.get("resume")
        try:
            if token is not None:
                await self._resume(request, line, token, shop, backend)
            else:
                await self._open(request, line, shop, backend)
        except Full as full:
            self._meter.count("realtime_refused_total")
            await _refuse(line, WireError(str(full), code="server_full"), TRY_AGAIN_LATER)
        except WireError as error:
            # Only a secret's stored session can be wrong here, and it was checked when issued.
            await _refuse(line, error, TRY_AGAIN_LATER)
        return socket

    async def _open(
        self, request: web.Request, line: Line, shop: str, backend: RealtimeBackend
    ) -> None:
        self.sessions.check_room()
        if why := self._backend.not_yet():
            raise Full(why)
        wanted = request.query.get("extensions", "")
        extensions = frozenset(name.strip() for name in wanted.split(",")) & EXTENSIONS
        session = RealtimeSession(
            backend,
            self._meter,
            session_id=self._backend.new_id("sess"),
            config=self._config(request, backend),
            extensions=extensions,
            clock=self._clock or asyncio.get_running_loop().time,
            shop=shop,
            language=request.query.get("language", "")[:2].lower() or None,
        )
        self.sessions.add(session)
        self._meter.count("realtime_sessions_total")
        try:
            token = self.sessions.token(session) if session.resumable else None
            await session.run(line, token)
        finally:
            self.sessions.remove(session)

    async def _resume(
        self, request: web.Request, line: Line, token: str, shop: str, backend: RealtimeBackend
    ) -> None:
        principal = request.get(PRINCIPAL)
        session = self.sessions.claim(token, principal.shop if principal is not None else "")
        if session is None and await self._go_on(line, token, shop, backend):
            return
        if session is None:
            error = WireError(
                "This session cannot be resumed: its token is unknown, used or expired. Open a "
                "new session.",
                code="resume_failed",
                param="resume",
            )
            await _refuse(line, error, RESUME_FAILED)
            return
        self._meter.count("realtime_resumed_total")
        await session.rejoin(
            line,
            self.sessions.token(session),
            request.query.get("last_event_id"),
            _milliseconds(request.query.get("position_ms")),
        )

    async def _go_on(self, line: Line, token: str, shop: str, backend: RealtimeBackend) -> bool:
        """Serve a session that another process has begun; False if there is none.

        Raises:
            Full: not now. The token stays good.
        """
        returning = self._backend.returning()
        if returning is None:
            return False
        self.sessions.check_room()
        if why := self._backend.not_yet():
            raise Full(why)
        kept = await returning.take(token, shop)
        if kept is None:
            return False
        config = SessionConfig.initial(
            self.defaults(backend), transcription=kept.config.get("type") == "transcription"
        )
        try:
            config = config.updated(dict(kept.config))
        except WireError as error:  # a voice that is gone, an option that has a new name
            log.warning("session %s goes on with its defaults: %s", kept.session_id, error.message)
        session = RealtimeSession(
            backend,
            self._meter,
            session_id=kept.session_id,
            config=config,
            extensions=frozenset(kept.extensions) & EXTENSIONS,
            clock=self._clock or asyncio.get_running_loop().time,
            shop=shop,
            language=kept.language or None,
        )
        self.sessions.add(session)
        self._meter.count("realtime_resumed_total")
        try:
            await session.run(line, self.sessions.token(session), again=True)
        finally:
            self.sessions.remove(session)
        return True

    def _config(self, request: web.Request, backend: RealtimeBackend) -> SessionConfig:
        """Return what the session starts from: the query's intent, an ``ek_`` secret's session."""
        principal = request.get(PRINCIPAL)
        stored = dict(principal.session) if principal is not None else {}
        transcription = request.query.get("intent") == "transcription"
        config = SessionConfig.initial(self.defaults(backend), transcription=transcription)
        model = request.query.get("model")
        if model:
            config = config.updated({"model": model[:256]})
        return config.updated(stored) if stored else config


async def _refuse(line: Line, error: WireError, code: int) -> None:
    """Tell the client why, then close."""
    line.send(EventWriter("sess_refused", None).error(error, None))
    line.send(Close(code, error.message))
    await line.run()


def _milliseconds(text: str | None) -> float | None:
    """Return a query's position, None where there is none or it is no sensible number."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
