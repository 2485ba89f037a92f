"""The routes of the live show: stage, watch page, host's console, chat in, captions out.

The pages are static files; what they show comes over websockets and is put into text nodes.  The
console's socket is under ``/api/live/`` and needs a key (:data:`.application.GUARDED`).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson
import segno
from aiohttp import WSMsgType, web

from voice_server.bodies import request_body
from voice_server.ids import new_id
from voice_server.live.broadcast import Lagging, Page
from voice_server.live.chat import wire
from voice_server.live.chat.cleaning import clean
from voice_server.live.session import ShowSession
from voice_server.realtime.ports import PRINCIPAL
from voice_server.web.avatars import add_avatars
from voice_server.web.live_console import HostConsole
from voice_server.web.live_reports import ReportRoutes, Reports
from voice_server.web.pages import STATIC, send_page

SEND_S = 10.0
"""A page that does not take a message for so long is closed."""
HEARTBEAT_S = 20.0
MOST_PAGES = 500
CHAT_EVERY_S = 1.5
"""A viewer's messages follow each other no faster; what comes faster is not taken."""
LAGGED, OVER, RESTARTING, FULL = 4408, 1000, 1012, 1013
_FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

GetShow = Callable[[str], ShowSession | None]


@dataclass(frozen=True, slots=True)
class LiveBackend:
    """What the routes need; made by the app."""

    show: GetShow
    avatars: Path
    secret: Callable[[], str] = str
    """What webhooks are signed with; without one none are taken."""
    shop_of: Callable[[str], str] = lambda show_id: ""
    """Show to its shop: a key that is bound to a shop opens no other's."""
    reports: Reports | None = None
    """Reports of shows that are over."""


def add_live(app: web.Application, backend: LiveBackend) -> None:
    """Add the routes of the live show."""
    routes = _Routes(backend)
    for path, name in (
        ("stage/{show}", "stage/stage"),
        ("watch/{show}", "stage/watch"),
        ("console/shows/{show}", "host/console"),
        ("console/shows/{show}/report", "host/report"),
    ):
        app.router.add_get(f"/{path}", routes.page(f"{name}.html"))
    add_avatars(app, backend.avatars)
    app.router.add_get("/live/{show}/stage", routes.stage)
    app.router.add_get("/live/{show}/watch", routes.watch)
    app.router.add_post("/live/{show}/events", routes.events)
    app.router.add_get("/live/{show}/events", routes.events_socket)
    app.router.add_get("/live/{show}/captions.vtt", routes.captions)
    app.router.add_get("/live/{show}/qr/{product}.svg", routes.qr)
    app.router.add_get("/api/live/{show}/console", routes.console)
    ReportRoutes(backend.reports, routes.guarded).add(app.router)


class _Routes:
    def __init__(self, backend: LiveBackend) -> None:
        self._backend = backend
        self._serial = itertools.count(1)

    def page(self, name: str) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            self._show(request)
            return send_page(STATIC / name)

        return serve

    # ------------------------------------------------------------------ pages' sockets

    async def stage(self, request: web.Request) -> web.StreamResponse:
        role = "preview" if "preview" in request.query else "stage"
        return await self._stream(request, role, lambda page: _Mute())

    async def watch(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        return await self._stream(request, "viewer", lambda page: _Viewer(show, self._serial))

    async def console(self, request: web.Request) -> web.StreamResponse:
        show = self.guarded(request)
        return await self._stream(request, "host", lambda page: HostConsole(show, page))

    async def _stream(
        self, request: web.Request, role: str, make: Callable[[Page], _Partner]
    ) -> web.StreamResponse:
        show = self._show(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=16_384, compress=False)
        await socket.prepare(request)
        if show.pages.audience >= MOST_PAGES:
            await socket.close(code=FULL, message=b"the show is full")
            return socket
        page = show.join(role)
        partner = make(page)
        sending = asyncio.ensure_future(_send_all(socket, page, show))
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    partner.sound(message.data)
                elif message.type is WSMsgType.TEXT:
                    with contextlib.suppress(orjson.JSONDecodeError):
                        body = orjson.loads(message.data)
                        if isinstance(body, dict):
                            await partner.receive(body)
        finally:
            partner.closed()
            show.pages.leave(page)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    # ------------------------------------------------------------------ chat of other sources

    async def events(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        body = await request_body(request, wire.MAX_BODY)
        try:
            self._check(request, body)
            taken = self._take(show, request, body)
        except wire.WireError as error:
            status = 401 if "signature" in str(error) or "timestamp" in str(error) else 400
            return web.json_response({"error": str(error)}, status=status)
        return web.json_response({"taken": taken}, status=202)

    async def events_socket(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        try:
            self._check(request, b"")
        except wire.WireError as error:
            return web.json_response({"error": str(error)}, status=401)
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=wire.MAX_BODY, compress=False
        )
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                answer: dict[str, object] = {"taken": self._take(show, request, message.data)}
            except wire.WireError as error:
                answer = {"error": str(error)}
            async with asyncio.timeout(SEND_S):
                await socket.send_str(orjson.dumps(answer).decode())
        return socket

    def _check(self, request: web.Request, body: bytes) -> None:
        secret = self._backend.secret()
        if not secret:
            raise wire.WireError("no signature is taken: the operator has set no show_secret")
        wire.check_signature(
            secret,
            request.headers.get("X-Voice-Server-Timestamp", ""),
            request.headers.get("X-Voice-Server-Signature", ""),
            body,
            unix_now=time.time(),
        )

    @staticmethod
    def _take(show: ShowSession, request: web.Request, body: bytes | str) -> int:
        platform = clean(request.query.get("platform", "webhook"), 20).lower() or "webhook"
        events = wire.parse_batch(
            body,
            platform=platform,
            channel=show.sheet.id,
            now=asyncio.get_running_loop().time(),
        )
        for event in events:
            show.chat(event)
        return len(events)

    # ------------------------------------------------------------------ files

    async def captions(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        language = request.query.get("lang", show.sheet.language)
        return web.Response(
            text=show.captions.webvtt(language),
            content_type="text/vtt",
            headers=_FRESH,
        )

    async def qr(self, request: web.Request) -> web.StreamResponse:
        """Draw the link of a product; only our own catalogue's links are drawn."""
        show = self._show(request)
        card = show.facts.card(request.match_info["product"], show.sheet.language)
        if card is None:
            raise web.HTTPNotFound
        out = io.BytesIO()
        segno.make(card.url, error="m", micro=False).save(out, kind="svg", scale=8, border=2)
        return web.Response(
            body=out.getvalue(),
            content_type="image/svg+xml",
            headers={"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"},
        )

    def guarded(self, request: web.Request) -> ShowSession:
        show = self._show(request)
        may_host(request, self._backend.shop_of(show.sheet.id))
        return show

    def _show(self, request: web.Request) -> ShowSession:
        show = self._backend.show(request.match_info["show"])
        if show is None:
            raise web.HTTPNotFound(text="There is no such show, or the server is still loading.")
        return show


async def _send_all(socket: web.WebSocketResponse, page: Page, show: ShowSession) -> None:
    try:
        while (frame := await page.next()) is not None:
            async with asyncio.timeout(SEND_S):
                if isinstance(frame, str):
                    await socket.send_str(frame)
                else:
                    await socket.send_bytes(frame)
        # Pages come back after a fault, and not after the end.
        await socket.close(code=OVER if show.finished() else RESTARTING)
    except (Lagging, TimeoutError):
        await socket.close(code=LAGGED, message=b"too slow")
    except ConnectionError:
        return  # the page is gone; the reading side notices too


def may_open(request: web.Request, shop_id: str) -> str:
    """Return the only shop that the request's key opens, "" for all.

    Raises HTTPForbidden when it is another than ``shop_id`` ("" for none in particular), and for
    the secrets that shoppers get: a show is its host's.
    """
    principal = request.get(PRINCIPAL)
    if principal is not None and principal.kind == "ephemeral":
        raise web.HTTPForbidden(text="This needs an API key.")
    bound = principal.shop if principal is not None else ""
    if bound and shop_id and bound != shop_id:
        raise web.HTTPForbidden(text="This key is for another shop.")
    return bound


def may_host(request: web.Request, shop_id: str) -> None:
    """As :func:`may_open`, for one show: one whose shop is unknown was removed just now.

    A shop's key does not open it for the seconds until it is gone.  Raises HTTPForbidden.
    """
    bound = may_open(request, shop_id)
    if bound and bound != shop_id:
        raise web.HTTPForbidden(text="This key is for another shop.")


class _Partner(Protocol):
    """Who is at the other end of a page's socket."""

    async def receive(self, message: Mapping[str, Any]) -> None:
        """Take a JSON message."""

    def sound(self, pcm: bytes) -> None:
        """Take a binary frame."""

    def closed(self) -> None:
        """The socket is gone."""


class _Mute:
    """A stage has nothing to say."""

    async def receive(self, message: Mapping[str, Any]) -> None:
        """Ignored."""

    def sound(self, pcm: bytes) -> None:
        """Ignored."""

    def closed(self) -> None:
        """Nothing is kept of it."""


class _Viewer(_Mute):
    """A viewer may write, not too fast."""

    def __init__(self, show: ShowSession, serial: Iterator[int]) -> None:
        self._show = show
        self._serial = serial
        self._name = new_id("viewer")
        self._last = float("-inf")

    async def receive(self, message: Mapping[str, Any]) -> None:
        """Take a message for the chat."""
        now = time.monotonic()
        text = message.get("text")
        if message.get("type") != "chat" or not isinstance(text, str):
            return
        if now - self._last < CHAT_EVERY_S:
            return
        self._last = now
        show = self._show
        language = str(message.get("language", ""))
        show.chat(
            wire.viewer_event(
                text,
                ident=f"{self._name}:{next(self._serial)}",
                viewer=self._name,
                author=str(message.get("name", "")),
                language=language if language in show.sheet.languages else "",
                channel=show.sheet.id,
                now=asyncio.get_running_loop().time(),
            )
        )
