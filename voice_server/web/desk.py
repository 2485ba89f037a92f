"""The desk for people: ``/console/desk`` and its API, and the webhooks of vendors' desks.

=======  ====================================  ==================================================
GET      /api/desk/cases                       what is not closed, most urgent first
GET      /api/desk/cases/{id}                  one case, with its transcript and what was said since
POST     /api/desk/cases/{id}/claim            ``{"agent"}``: take it; the line too, if it is open
POST     /api/desk/cases/{id}/reply            ``{"agent", "id", "text"}``: the customer hears it
POST     /api/desk/cases/{id}/hand-back        ``{"agent"}``: the assistant goes on, the case closes
POST     /api/desk/cases/{id}/put-back         ``{"agent"}``: the case waits for somebody else
GET      /api/desk/texts/{language}            the words of the page's labels
GET      /api/desk/live                        websocket: each changed case as it is now
POST     /hooks/desk/{shop}/{vendor}           what people did at a vendor's desk
=======  ====================================  ==================================================

All but the page and the hooks need an API key (``ek_`` secrets, which customers' pages have, are
refused); a shop's key opens that shop's cases only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
from aiohttp import WSMsgType, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voice_server.desk.chatlayer import ChatlayerDesk
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import CaseState, DeskCase
from voice_server.desk.packet import DeskEvent
from voice_server.desk.service import DeskService, NotLive
from voice_server.desk.sunshine import SunshineDesk
from voice_server.desk.texts import LANGUAGES, texts
from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.ports import PRINCIPAL, Principal
from voice_server.web.desk_json import case_json, case_line
from voice_server.web.pages import STATIC, send_page

log = logging.getLogger(__name__)

PREFIX = "/api/desk/"
"""Guarded by keys."""

SUBPROTOCOL = "desk"
"""Answered to browsers, which offer it beside their key."""

HEARTBEAT_S = 20.0
"""A ping after so much silence; half of it later without a pong the page is gone."""

SEND_S = 10.0
"""A page that takes nothing for so long is closed; it comes back and reads everything anew."""

HOOK_BYTES = 256 * 1024
"""A webhook is some kilobytes."""

LABELS = ("labels", "priority", "languages", "identity", "intents", "summary")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Desks:
    """What the routes need; made by the app."""

    services: Callable[[], Sequence[tuple[str, DeskService]]]
    """Shop id and desk, of all shops of the server that have one now."""
    static: Path = STATIC
    sockets: set[web.WebSocketResponse] = field(default_factory=set)


class _AgentBody(BaseModel):
    """Who does it. A name for the customer and the team, not a proof: the key is that."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    agent: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")


class _ReplyBody(_AgentBody):
    id: str = Field(pattern=r"^[\w-]{1,64}$")
    """Made by the page: the same message sent twice is said once."""
    text: str = Field(min_length=1, max_length=2000)


def add_desk(application: web.Application, desks: Desks) -> None:
    """Add the routes and the page."""
    router = application.router
    router.add_get("/console/desk", _page(desks))
    router.add_get("/api/desk/cases", _with(desks, _list))
    router.add_get("/api/desk/cases/{id}", _with(desks, _show))
    router.add_post("/api/desk/cases/{id}/claim", _with(desks, _claim))
    router.add_post("/api/desk/cases/{id}/reply", _with(desks, _reply))
    router.add_post("/api/desk/cases/{id}/hand-back", _with(desks, _hand_back))
    router.add_post("/api/desk/cases/{id}/put-back", _with(desks, _put_back))
    router.add_get("/api/desk/texts/{language}", _with(desks, _texts))
    router.add_get("/api/desk/live", _with(desks, _live))
    router.add_post("/hooks/desk/{shop}/{vendor}", _with(desks, _hook))
    application.on_shutdown.append(_closing(desks))


def _with(
    desks: Desks, handler: Callable[[web.Request, Desks], Awaitable[web.StreamResponse]]
) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request, desks)
        except ApiError as error:  # also where no middleware makes it a response
            return error.response()

    return serve


def _page(desks: Desks) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        return send_page(desks.static / "console" / "desk.html")

    return serve


# ------------------------------------------------------------------------ cases


async def _list(request: web.Request, desks: Desks) -> web.StreamResponse:
    rows: list[tuple[int, float, dict[str, Any]]] = []
    for shop, service, console in _consoles(request, desks):
        for case in await console.cases():
            line = case_line(case, shop, service)
            rows.append((-case.packet.priority.rank, case.created.timestamp(), line))
    rows.sort(key=lambda row: row[:2])
    return _json({"cases": [row[2] for row in rows]})


async def _show(request: web.Request, desks: Desks) -> web.StreamResponse:
    shop, service, console, case = await _find(request, desks)
    return _json(await case_json(case, shop, service, console))


async def _claim(request: web.Request, desks: Desks) -> web.StreamResponse:
    shop, service, console, case = await _find(request, desks)
    body = await _read(request, _AgentBody)
    if not await service.claim(case.packet.id, body.agent):
        raise _conflict("Somebody else has this case.", "taken")
    return await _now(case, shop, service, console)


async def _reply(request: web.Request, desks: Desks) -> web.StreamResponse:
    shop, service, console, case = await _find(request, desks)
    body = await _read(request, _ReplyBody)
    if case.state is not CaseState.CLAIMED or case.agent != body.agent:
        raise _conflict("Claim the case first.", "not_yours")
    try:
        await service.reply(case.packet.id, body.id, body.text)
    except NotLive:
        raise _conflict("The customer is not on the line.", "not_live") from None
    return await _now(case, shop, service, console)


async def _hand_back(request: web.Request, desks: Desks) -> web.StreamResponse:
    shop, service, console, case = await _find(request, desks)
    body = await _read(request, _AgentBody)
    if not await service.hand_back(case.packet.id, body.agent):
        raise _conflict("Somebody else has this case.", "not_yours")
    return await _now(case, shop, service, console)


async def _put_back(request: web.Request, desks: Desks) -> web.StreamResponse:
    shop, service, console, case = await _find(request, desks)
    body = await _read(request, _AgentBody)
    if not await service.put_back(case.packet.id, body.agent):
        raise _conflict("Somebody else has this case.", "not_yours")
    return await _now(case, shop, service, console)


async def _now(
    case: DeskCase, shop: str, service: DeskService, console: ConsoleDesk
) -> web.StreamResponse:
    after = await console.case(case.packet.id) or case
    return _json(await case_json(after, shop, service, console))


async def _texts(request: web.Request, desks: Desks) -> web.StreamResponse:
    _operator(request)
    language = request.match_info["language"]
    if language not in LANGUAGES:
        raise ApiError(404, "The desk has no words in this language.", code="not_found")
    found = texts(language)
    return _json({section: dict(found[section]) for section in LABELS})


# --------------------------------------------------------------------- live


async def _live(request: web.Request, desks: Desks) -> web.StreamResponse:
    """Tell a page of every change until it goes. Its own words come by the routes above."""
    consoles = _consoles(request, desks)
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_S, max_msg_size=4096, protocols=(SUBPROTOCOL,)
    )
    await socket.prepare(request)
    desks.sockets.add(socket)
    try:
        async with asyncio.TaskGroup() as tasks:
            telling = [
                tasks.create_task(_tell(socket, shop, service, console))
                for shop, service, console in consoles
            ]
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
            for task in telling:
                task.cancel()
    except* ConnectionError:  # the page is gone
        log.debug("a desk page went away")
    finally:
        desks.sockets.discard(socket)
    return socket


async def _tell(
    socket: web.WebSocketResponse, shop: str, service: DeskService, console: ConsoleDesk
) -> None:
    with console.watch() as changes:
        await _send(socket, {"type": "ready"})
        async for case_id in changes:
            case = await console.case(case_id)
            if case is not None:
                shown = await case_json(case, shop, service, console)
                await _send(socket, {"type": "case", "case": shown})


async def _send(socket: web.WebSocketResponse, data: dict[str, Any]) -> None:
    try:
        async with asyncio.timeout(SEND_S):
            await socket.send_str(orjson.dumps(data).decode())
    except TimeoutError:
        await socket.close(code=1013, message=b"too slow", drain=False)


def _closing(desks: Desks) -> Callable[[web.Application], Awaitable[None]]:
    async def close(application: web.Application) -> None:
        for socket in list(desks.sockets):
            await socket.close(code=1001, message=b"the server is shutting down")

    return close


# -------------------------------------------------------------------- hooks


async def _hook(request: web.Request, desks: Desks) -> web.StreamResponse:
    """Take a vendor's webhook. Its own secret is checked; 200 means that it need not come again."""
    shop, vendor = request.match_info["shop"], request.match_info["vendor"]
    for ident, service in desks.services():
        if ident == shop and service.desk.name == vendor:
            events = await _events(request, service)
            for event in events:
                session_id = service.session_of(event.reference)
                if session_id is not None:
                    service.event(session_id, event)
            return _json({})
    raise ApiError(404, "There is no such desk.", code="not_found")


async def _events(request: web.Request, service: DeskService) -> list[DeskEvent]:
    if request.content_length is None or request.content_length > HOOK_BYTES:
        raise ApiError(413, "The webhook is too long.", code="too_long")
    body = await request.read()
    desk = service.desk
    try:
        if isinstance(desk, SunshineDesk):
            if desk.authentic(request.headers.get("X-API-Key", "")):
                return desk.events(body)
        elif isinstance(desk, ChatlayerDesk):
            if desk.authentic(body, request.headers.get("X-Signature", "")):
                return desk.events(body)
        else:
            raise ApiError(404, "This desk has no webhook.", code="not_found")
    except ValueError as error:
        raise ApiError(400, f"{error}.", code="invalid_webhook") from None
    raise ApiError(401, "The webhook's secret is wrong.", code="invalid_signature")


# ------------------------------------------------------------------ helpers


def _operator(request: web.Request) -> Principal:
    """Return who works here. Raises ApiError for a customer's page."""
    principal: Principal | None = request.get(PRINCIPAL)
    if principal is None or principal.kind == "ephemeral":
        raise ApiError(403, "The desk needs an API key.", code="insufficient_permissions")
    return principal


def _consoles(request: web.Request, desks: Desks) -> list[tuple[str, DeskService, ConsoleDesk]]:
    """Return the consoles that the one who asks may see."""
    own = _operator(request).shop
    return [
        (shop, service, service.console)
        for shop, service in desks.services()
        if service.console is not None and own in ("", shop)
    ]


async def _find(
    request: web.Request, desks: Desks
) -> tuple[str, DeskService, ConsoleDesk, DeskCase]:
    """Return a case and where it lies. Raises ApiError: 404 for another shop's too."""
    for shop, service, console in _consoles(request, desks):
        case = await console.case(request.match_info["id"])
        if case is not None:
            return shop, service, console, case
    raise ApiError(404, "There is no such case.", code="not_found")


async def _read(request: web.Request, shape: type[B]) -> B:
    try:
        return shape.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise ApiError(400, f"{where}: {first['msg']}", param=where, code="invalid_body") from None


def _conflict(words: str, code: str) -> ApiError:
    return ApiError(409, words, code=code)


def _json(body: dict[str, Any]) -> web.Response:
    return web.Response(
        body=orjson.dumps(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
