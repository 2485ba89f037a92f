"""The console of calls: ``/console/calls``, its websocket, and the records of what has been.

=======  ====================================  ==================================================
GET      /api/calls                            live calls, and the last records
POST     /api/calls/{id}/hang-up               end a call
POST     /api/calls/{id}/transfer              ``{"blind"}``: to the line's human, or its queue
GET      /api/calls/records                    records, filtered; ``before`` turns the page
GET      /api/calls/records.csv                the same as a table
GET      /api/calls/live                       websocket: the list, one call's words and sound
=======  ====================================  ==================================================

All need an API key (``ek_`` secrets, which customers' pages have, are refused); a shop's key sees
that shop's calls only.  The socket's messages are in :mod:`voice_server.telephony.seat`.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.ports import PRINCIPAL, Principal
from voice_server.records import CallDetail, CallFilter, StorageError
from voice_server.telephony.calls import Calls
from voice_server.telephony.ports import CallBooks
from voice_server.telephony.seat import Seat, may_see
from voice_server.telephony.session import CallSession
from voice_server.web.pages import STATIC, send_page

log = logging.getLogger(__name__)

SUBPROTOCOL = "calls"
HEARTBEAT_S = 20.0
SEND_S = 10.0
"""A page that takes nothing for so long is closed; it comes back and reads everything anew."""

SEATS_MOST = 100
MESSAGE_BYTES = 16 * 1024
AGENT_MOST = 60
RECORDS_SHOWN = 100
TABLE_MOST = 10_000
"""Rows of one CSV: a month of a busy shop. The page's filters make it smaller."""

COLUMNS = (
    "id", "shop_id", "vendor", "line", "market", "direction", "caller", "called", "began_at",
    "answered_at", "ended_at", "duration_s", "reason", "languages", "turns", "interruptions",
    "keys", "faults", "lost_ms", "handed_off", "transfers", "consent", "p50_ms", "p95_ms",
    "listeners", "vendor_call", "vendor_stream",
)  # fmt: skip

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class CallsConsole:
    """What the routes need; made by the app."""

    calls: Calls
    books: Callable[[], CallBooks | None] = lambda: None
    static: Path = STATIC
    sockets: set[web.WebSocketResponse] = field(default_factory=set)


def add_calls(application: web.Application, console: CallsConsole) -> None:
    """Add the page and its API."""
    router = application.router

    async def page(request: web.Request) -> web.StreamResponse:
        return send_page(console.static / "console" / "calls.html")

    async def close(application: web.Application) -> None:
        for socket in list(console.sockets):
            await socket.close(code=1001, message=b"the server is shutting down")

    router.add_get("/console/calls", page)
    router.add_get("/api/calls", _with(console, _show))
    router.add_get("/api/calls/records", _with(console, _records))
    router.add_get("/api/calls/records.csv", _with(console, _table))
    router.add_get("/api/calls/live", _with(console, _live))
    router.add_post("/api/calls/{id}/hang-up", _with(console, _hang_up))
    router.add_post("/api/calls/{id}/transfer", _with(console, _transfer))
    application.on_shutdown.append(close)


def _with(
    console: CallsConsole,
    handler: Callable[[web.Request, CallsConsole], Awaitable[web.StreamResponse]],
) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request, console)
        except ApiError as error:  # also where no middleware makes it a response
            return error.response()

    return serve


# ------------------------------------------------------------------------- calls


async def _show(request: web.Request, console: CallsConsole) -> web.StreamResponse:
    own = _operator(request).shop
    newest = [one for one in list(console.calls.records)[::-1] if own in ("", one.shop_id)]
    return _json(
        {
            "live": [one.snapshot() for one in console.calls.live if may_see(one, own)],
            "records": [record_json(one) for one in newest[:RECORDS_SHOWN]],
        }
    )


async def _hang_up(request: web.Request, console: CallsConsole) -> web.StreamResponse:
    session = _find(request, console)
    session.people.did(_agent(request), "hung up")
    session.end("an operator hung up")
    return _json({"done": True})


async def _transfer(request: web.Request, console: CallsConsole) -> web.StreamResponse:
    session = _find(request, console)
    body = await _object(request)
    if not session.people.transfer(_agent(request), blind=body.get("blind") is True):
        raise ApiError(409, "This line has no human to connect to.", code="no_human")
    return _json({"done": True})


def _find(request: web.Request, console: CallsConsole) -> CallSession:
    own = _operator(request).shop
    session = console.calls.find(request.match_info["id"])
    if session is None or not may_see(session, own):
        raise ApiError(404, "There is no such call now.", code="not_found")
    return session


# -------------------------------------------------------------------------- live


async def _live(request: web.Request, console: CallsConsole) -> web.StreamResponse:
    own = _operator(request).shop
    seat = Seat(console.calls, own, _agent(request))
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES, compress=False, protocols=(SUBPROTOCOL,)
    )
    await socket.prepare(request)
    if len(console.sockets) >= SEATS_MOST:
        await socket.close(code=1013, message=b"too many pages are open")
        return socket
    console.sockets.add(socket)
    seat.open()
    sending = asyncio.ensure_future(_send_all(socket, seat))
    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                seat.microphone(message.data)
            elif message.type is WSMsgType.TEXT:
                with contextlib.suppress(orjson.JSONDecodeError):
                    body = orjson.loads(message.data)
                    if isinstance(body, dict):
                        seat.receive(body)
    finally:
        seat.close()
        console.sockets.discard(socket)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return socket


async def _send_all(socket: web.WebSocketResponse, seat: Seat) -> None:
    try:
        while True:
            for message in await seat.next():
                async with asyncio.timeout(SEND_S):
                    if isinstance(message, str):
                        await socket.send_str(message)
                    else:
                        await socket.send_bytes(message)
    except TimeoutError:
        log.warning("a page of the calls' console takes nothing and is closed")
        seat.close()
        await socket.close(code=1013, message=b"too slow", drain=False)
    except ConnectionError:
        seat.close()
    except Exception:  # the page is told by the end of its socket, and comes back
        log.exception("a page of the calls' console failed")
        seat.close()
        await socket.close(code=1011)


# ----------------------------------------------------------------------- records


async def _records(request: web.Request, console: CallsConsole) -> web.StreamResponse:
    found = await _found(request, console, RECORDS_SHOWN)
    more = found[-1][0] if len(found) == RECORDS_SHOWN else None
    return _json({"records": [record_json(one) for _, one in found], "before": more})


async def _table(request: web.Request, console: CallsConsole) -> web.StreamResponse:
    found = await _found(request, console, TABLE_MOST)
    text = await asyncio.to_thread(table, [one for _, one in found])
    headers = {
        "Content-Disposition": 'attachment; filename="calls.csv"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(
        body=text.encode("utf-8-sig"), content_type="text/csv", charset="utf-8", headers=headers
    )


async def _found(
    request: web.Request, console: CallsConsole, limit: int
) -> Sequence[tuple[int, CallDetail]]:
    wanted = read_filter(request.query, _operator(request).shop, limit)
    books = console.books()
    if books is None:
        raise ApiError(503, "The store is not open.", code="no_store")
    try:
        return await books.calls(wanted)
    except StorageError as error:
        log.error("records cannot be read: %s", error)
        raise ApiError(503, "The records cannot be read now.", code="no_store") from None


def read_filter(query: Mapping[str, str], own: str, limit: int) -> CallFilter:
    """Return what is asked for. ``own``: the only shop that may be seen. Raises ApiError."""
    shop = query.get("shop", "")
    if own and shop not in ("", own):
        raise ApiError(403, "This key is for another shop.", code="shop_forbidden")
    before = query.get("before", "")
    if before and not (before.isdecimal() and len(before) < 19):
        raise ApiError(400, "'before' is a place of the list.", param="before", code="invalid")
    handed = query.get("handed_off", "")
    if handed not in ("", "yes", "no"):
        raise ApiError(400, "'handed_off' is yes or no.", param="handed_off", code="invalid")
    return CallFilter(
        shop_id=own or shop or None,
        since=_moment(query, "since"),
        until=_moment(query, "until"),
        vendor=query.get("vendor", "")[:32],
        line=query.get("line", "")[:128],
        language=query.get("language", "")[:16],
        handed_off={"": None, "yes": True, "no": False}[handed],
        before=int(before) if before else None,
        limit=limit,
    )


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except ValueError:
        raise ApiError(400, f"'{name}' is no ISO 8601 time.", param=name, code="invalid") from None


def record_json(record: CallDetail) -> dict[str, Any]:
    """Return a record as the page reads it."""
    shown = asdict(record)
    for name in ("began_at", "answered_at", "ended_at"):
        moment = shown[name]
        shown[name] = moment.isoformat(timespec="seconds") if moment is not None else None
    begin = record.answered_at or record.began_at
    return {**shown, "duration_s": round((record.ended_at - begin).total_seconds(), 1)}


def table(records: Sequence[CallDetail]) -> str:
    """Return records as CSV. A cell that a spreadsheet would take for a formula is made text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for record in records:
        shown = record_json(record)
        shown["vendor_call"] = record.vendor_ids.get("call", "")
        shown["vendor_stream"] = record.vendor_ids.get("stream", "")
        shown["languages"] = " ".join(record.languages)
        shown["transfers"] = "; ".join(
            f"{one.get('target', '')} {one.get('result') or 'unknown'}" for one in record.transfers
        )
        shown["listeners"] = "; ".join(
            f"{one.get('agent', '')} {one.get('did', '')} {one.get('seconds', 0)} s"
            for one in record.listeners
        )
        writer.writerow([_cell(shown[name]) for name in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


# ----------------------------------------------------------------------- helpers


def _operator(request: web.Request) -> Principal:
    """Return who works here. Raises ApiError for a customer's page."""
    principal: Principal | None = request.get(PRINCIPAL)
    if principal is None or principal.kind == "ephemeral":
        raise ApiError(403, "Calls need an API key.", code="insufficient_permissions")
    return principal


def _agent(request: web.Request) -> str:
    """Return who does it: a name for the audit, not a proof; the key is that."""
    name = "".join(char for char in request.query.get("agent", "") if char.isprintable())
    return name.strip()[:AGENT_MOST] or "operator"


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise ApiError(400, "The body is no JSON.", code="invalid_body") from None
    return body if isinstance(body, dict) else {}


def _json(body: Mapping[str, Any]) -> web.Response:
    return web.Response(
        body=orjson.dumps(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
