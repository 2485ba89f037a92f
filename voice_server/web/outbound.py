"""Operators' side of calls that we place: call somebody, promises, opt-outs, recordings.

=======  ====================================  ==================================================
POST     /api/calls/out                        place a call
GET      /api/calls/out, /api/calls/out/{id}   the last calls placed, or one
POST     /api/calls/out/{id}/hang-up           end one that rings or goes on
GET      /api/calls/call-backs                 promised call-backs
DELETE   /api/calls/call-backs/{id}            take one back
GET      /api/calls/opt-outs                   who must not be called; POST and DELETE change it
GET      /api/calls/{id}/recording             a call's recording (WAV); DELETE destroys it
=======  ====================================  ==================================================

All need an API key (``ek_`` secrets, which customers' pages have, are refused); a shop's key calls
for that shop and sees what is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from voice_server.bodies import request_body
from voice_server.call_records import OptOut, RecordingEntry
from voice_server.realtime.ports import PRINCIPAL, Principal
from voice_server.records import StorageError
from voice_server.telephony.dial_rules import NotDialled, e164
from voice_server.telephony.dialler import Dialler
from voice_server.telephony.line import masked
from voice_server.telephony.outgoing import CallBook, CallLists, Outgoing, Wish
from voice_server.telephony.recordings import RecordingFailed

BODY_LIMIT = 8 * 1024
TEXT_LIMIT = 400
SHOWN = 200

STATUSES = {
    "no_number": 400, "premium": 403, "not_allowed": 403, "opted_out": 403, "quiet_hours": 409,
    "closed": 409, "too_fast": 429, "too_often": 429, "no_line": 404, "no_outbound": 409,
    "not_ready": 503, "vendor": 502,
}  # fmt: skip
"""HTTP status by the code of a call that is not placed."""


class OutboundApi:
    """The handlers."""

    def __init__(self, dialler: Dialler, book: Callable[[], CallBook | None]) -> None:
        """``book``: once the storage is open."""
        self._dialler = dialler
        self._book = book

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_post("/api/calls/out", self.place)
        router.add_get("/api/calls/out", self.show)
        router.add_get("/api/calls/out/{id}", self.one)
        router.add_post("/api/calls/out/{id}/hang-up", self.hang_up)
        router.add_get("/api/calls/call-backs", self.call_backs)
        router.add_delete("/api/calls/call-backs/{id}", self.cancel)
        router.add_get("/api/calls/opt-outs", self.opt_outs)
        router.add_post("/api/calls/opt-outs", self.opt_out)
        router.add_delete("/api/calls/opt-outs", self.opt_in)
        router.add_get("/api/calls/{id}/recording", self.recording)
        router.add_delete("/api/calls/{id}/recording", self.destroy)

    async def place(self, request: web.Request) -> web.StreamResponse:
        """Place a call: ``{"number", "line", "shop", "reason", "language"}``; 201, or why not."""
        own = _own(request)
        body = await _object(request)
        wish = Wish(
            _text(body, "number"), _text(body, "line"), own or _text(body, "shop"),
            _text(body, "reason"), _text(body, "language"), by="operator",
        )  # fmt: skip
        try:
            outgoing = await self._dialler.place(wish)
        except NotDialled as refused:
            again = refused.again_at.isoformat(timespec="seconds") if refused.again_at else ""
            error = {"code": refused.code, "message": str(refused), "again_at": again}
            return web.json_response({"error": error}, status=STATUSES[refused.code])
        return web.json_response(outgoing.to_json(), status=201)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Return the last calls placed, newest first."""
        own = _own(request)
        calls = [one for one in self._dialler.recent if own in ("", one.outbound.line.shop)]
        return web.json_response({"calls": [one.to_json() for one in calls[:SHOWN]]})

    async def one(self, request: web.Request) -> web.StreamResponse:
        """Return one call."""
        return web.json_response(self._find(request).to_json())

    async def hang_up(self, request: web.Request) -> web.StreamResponse:
        """End a call that rings or goes on."""
        await self._dialler.hang_up(self._find(request))
        return web.json_response({"done": True})

    async def call_backs(self, request: web.Request) -> web.StreamResponse:
        """Return promises, newest slot first; numbers are masked."""
        shop = _own(request) or request.query.get("shop", "")
        with _storage():
            found = await self._lists().call_backs(shop)
        shown = [
            {**asdict(one), "number": masked(one.number), "due": one.due.isoformat()}
            for one in found
        ]
        return web.json_response({"call_backs": shown})

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """Take a promise back."""
        own = _own(request)
        with _storage():
            if not await self._lists().cancel(id=request.match_info["id"], shop_id=own):
                raise web.HTTPNotFound(text="No call-back of that id is waiting.")
        return web.json_response({"done": True})

    async def opt_outs(self, request: web.Request) -> web.StreamResponse:
        """Return who must not be called. Numbers are whole: an operator must find one."""
        shop = _own(request) or request.query.get("shop", "")
        with _storage():
            found = await self._lists().opt_outs(shop)
        shown = [{**asdict(one), "at": one.at.isoformat(timespec="seconds")} for one in found]
        return web.json_response({"opt_outs": shown})

    async def opt_out(self, request: web.Request) -> web.StreamResponse:
        """Note that ``{"number", "shop"}`` must not be called."""
        number, shop = await self._numbered(request)
        with _storage():
            await self._lists().opt_out(OptOut(number, shop, "operator", datetime.now(UTC)))
            await self._lists().cancel(number=number, shop_id=shop)
        return web.json_response({"done": True}, status=201)

    async def opt_in(self, request: web.Request) -> web.StreamResponse:
        """Forget that ``{"number", "shop"}`` must not be called, at its owner's request."""
        number, shop = await self._numbered(request)
        with _storage():
            if not await self._lists().opt_in(number, shop):
                raise web.HTTPNotFound(text="That number has not opted out.")
        return web.json_response({"done": True})

    async def recording(self, request: web.Request) -> web.StreamResponse:
        """Return a call's recording: WAV, left the caller, right the shop."""
        entry = await self._recorded(request)
        path = self._open_book().recordings.path(entry)
        if not path.is_file():
            raise web.HTTPNotFound(text="There is no recording of that call.")
        return web.FileResponse(path, headers={"Cache-Control": "no-store"})

    async def destroy(self, request: web.Request) -> web.StreamResponse:
        """Destroy a call's recording."""
        entry = await self._recorded(request)
        try:
            await self._open_book().recordings.destroy(entry.call_id)
        except RecordingFailed as error:
            raise web.HTTPServiceUnavailable(text=str(error)) from None
        return web.json_response({"done": True})

    # ---------------------------------------------------------------- internals

    def _find(self, request: web.Request) -> Outgoing:
        own = _own(request)
        outgoing = self._dialler.find(request.match_info["id"])
        if outgoing is None or own not in ("", outgoing.outbound.line.shop):
            raise web.HTTPNotFound(text="No call of that id was placed.")
        return outgoing

    async def _recorded(self, request: web.Request) -> RecordingEntry:
        own = _own(request)
        try:
            entry = await self._open_book().recordings.entry(request.match_info["id"])
        except RecordingFailed as error:
            raise web.HTTPServiceUnavailable(text=str(error)) from None
        if entry is None or own not in ("", entry.shop_id):
            raise web.HTTPNotFound(text="There is no recording of that call.")
        return entry

    def _lists(self) -> CallLists:
        return self._open_book().lists

    def _open_book(self) -> CallBook:
        book = self._book()
        if book is None:
            raise web.HTTPServiceUnavailable(text="The server is still loading.")
        return book

    async def _numbered(self, request: web.Request) -> tuple[str, str]:
        own = _own(request)
        body = await _object(request)
        try:
            return e164(_text(body, "number")), own or _text(body, "shop")
        except NotDialled as refused:
            raise web.HTTPBadRequest(text=str(refused)) from None


@contextmanager
def _storage() -> Iterator[None]:
    """Answer 503 where the database cannot be used."""
    try:
        yield
    except StorageError as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from None


def _own(request: web.Request) -> str:
    """Return the shop that the key is bound to, "" for a key of the server; refuse guests."""
    principal: Principal | None = request.get(PRINCIPAL)
    if principal is None or principal.kind == "ephemeral":
        raise web.HTTPForbidden(text="This needs an API key.")
    return principal.shop


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body: Any = orjson.loads(await request_body(request, BODY_LIMIT))
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text='Send a JSON object, such as {"number": "+32 470 12 34 56"}.')
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > TEXT_LIMIT:
        raise web.HTTPBadRequest(text=f"'{name}' must be a text of {TEXT_LIMIT} letters at most.")
    return value.strip()
