"""The handlers of ``/telephony``: streams of vendors, and the webhooks around them.

``GET /telephony/{vendor}[/{ticket}]``   the websocket of a call
``/telephony/{vendor}/answer``           an incoming call: where shall it go?
``POST /telephony/asterisk/calls``       the dialplan announces a call and gets its UUID
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from voice_server.bodies import request_body
from voice_server.telephony import answers
from voice_server.telephony.bridges import WEBSOCKET_BRIDGES
from voice_server.telephony.call import BINARY_LIMIT, TEXT_LIMIT, WORD_LIMIT
from voice_server.telephony.calls import Calls, Full, Ticket
from voice_server.telephony.line import came_back, find_line, masked
from voice_server.telephony.links import WebsocketLink
from voice_server.telephony.ports import Meter, TelephonyBackend
from voice_server.telephony.proof import Proof, Refused
from voice_server.telephony.session import CallSession

log = logging.getLogger(__name__)

HEARTBEAT_S = 20.0
"""A ping after so much silence of the vendor; half of it later without a pong it is gone."""

CLOSE_HANDSHAKE_S = 2.0
MESSAGE_LIMIT = max(TEXT_LIMIT, BINARY_LIMIT) * 4
"""Larger ones end the socket; the bridge tells of those in between."""

TRY_AGAIN_LATER = 1013
BODY_LIMIT = 64 * 1024
"""Bytes of a webhook: forms have two kilobytes."""

WEBHOOK_VENDORS = ("twilio", "telnyx", "plivo", "vonage", "asterisk")

CALL_ID = ("CallSid", "CallUUID", "uuid", "call")
_FROM = ("From", "from", "caller")
_TO = ("To", "to", "called")


class TelephonyEndpoint:
    """All handlers, and the calls behind them."""

    def __init__(
        self,
        backend: TelephonyBackend,
        meter: Meter,
        *,
        clock: Callable[[], float] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``clock``: monotonic seconds, None for the event loop's; ``wall``: since the epoch."""
        self._backend = backend
        self._meter = meter
        self._clock = clock or asyncio.get_running_loop().time
        self._proof = Proof(backend, wall)
        self.calls = Calls(backend.max_calls, meter, backend.books)

    def now(self) -> float:
        """Return the monotonic time of tickets and outcomes."""
        return self._clock()

    def check_room(self) -> None:
        """Raise Full if no call can be taken."""
        self.calls.check_room()
        if why := self._backend.not_yet():
            raise Full(why)

    # --------------------------------------------------------------- streams

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket from its handshake to its end."""
        vendor = request.match_info["vendor"]
        make = WEBSOCKET_BRIDGES.get(vendor)
        if make is None:
            known = ", ".join(WEBSOCKET_BRIDGES)
            raise web.HTTPNotFound(text=f"There is no bridge to {vendor[:40]!r}, only to {known}.")
        ticket = self._ticket(vendor, request)
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S,
            max_msg_size=MESSAGE_LIMIT,
            compress=False,
            timeout=CLOSE_HANDSHAKE_S,
            protocols=("audio.drachtio.org", "media"),
        )
        await socket.prepare(request)
        link = WebsocketLink(socket, request.transport)
        try:
            self.check_room()
            session = CallSession(
                self._backend, self.calls, self._meter, make(), link,
                ticket=ticket, clock=self._clock,
            )  # fmt: skip
            self.calls.add(session)
        except Full as full:
            self._refused(vendor, str(full))
            await socket.close(code=TRY_AGAIN_LATER, message=str(full).encode())
            return socket
        try:
            await session.run()
        finally:
            self.calls.remove(session)
        return socket

    def _ticket(self, vendor: str, request: web.Request) -> Ticket | None:
        """Return what is known of the call before its stream. Raises HTTPForbidden."""
        given = request.match_info.get("ticket", "")
        try:
            if given:
                now = self._clock()
                ticket = self.calls.tickets.take(given, now) or self.calls.late_tickets.take(
                    given, now
                )
                if ticket is None or ticket.vendor != vendor:
                    raise Refused(f"{vendor}: the ticket is unknown, used or too old")
                return ticket
            self._proof.stream(vendor, request)
        except Refused as refused:
            self._refused(vendor, str(refused))
            raise web.HTTPForbidden(text="This call cannot be trusted.") from None
        query = {key: value[:WORD_LIMIT] for key, value in list(request.query.items())[:32]}
        caller, called = first(query, _FROM), first(query, _TO)
        if not caller and not called and not came_back(query):
            return None
        return Ticket(
            vendor, first(query, CALL_ID), caller, called, query, came_back=came_back(query)
        )

    def _refused(self, vendor: str, why: str) -> None:
        self._meter.count("calls_refused_total", vendor=vendor)
        log.warning("a call was refused: %s", why)

    # -------------------------------------------------------------- webhooks

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """An incoming call: connect it to our stream."""
        vendor, fields = await self._webhook(request)
        called = first(fields, _TO)
        if find_line(self._backend.lines(), called, vendor) is None:
            log.warning("no line is configured for %s (%s)", masked(called), vendor)
            return respond(answers.hang_up(vendor))
        try:
            self.check_room()
        except Full as full:
            self._refused(vendor, str(full))
            return respond(answers.refuse(vendor))
        return self._connect(request, vendor, fields, came_back=False)

    def returned(
        self, request: web.Request, vendor: str, fields: Mapping[str, str]
    ) -> web.StreamResponse:
        """Answer a webhook: a transfer has failed, the caller comes back to us."""
        return self._connect(request, vendor, fields, came_back=True)

    def public_url(self, request: web.Request, path: str) -> str:
        """Return an address of ours as vendors call it."""
        return self._proof.public_url(request, path)

    async def announce(self, request: web.Request) -> web.StreamResponse:
        """The dialplan announces a call; the UUID goes into AudioSocket()."""
        _, fields = await self._webhook(request, vendor="asterisk")
        call_id = str(uuid.uuid4())
        ticket = Ticket(
            "audiosocket", call_id, first(fields, _FROM), first(fields, _TO),
            came_back=came_back(fields),
        )  # fmt: skip
        self.calls.tickets.put(call_id, ticket, self._clock())
        return web.Response(text=call_id)

    def _connect(
        self, request: web.Request, vendor: str, fields: Mapping[str, str], *, came_back: bool
    ) -> web.StreamResponse:
        call_id = first(fields, CALL_ID)
        caller, called = first(fields, _FROM), first(fields, _TO)
        ticket = Ticket(vendor, call_id, caller, called, came_back=came_back)
        own = {"from": caller, "to": called, "call_id": call_id}
        return self.connect(request, vendor, ticket, own)

    def connect(
        self, request: web.Request, vendor: str, ticket: Ticket, own: Mapping[str, str]
    ) -> web.StreamResponse:
        """Answer a webhook: this call comes to our stream. ``own``: for its start message."""
        token = self._backend.new_id("tk")
        self.calls.tickets.put(token, ticket, self._clock())
        to = answers.Connection(
            self._proof.public_url(request, f"/telephony/{vendor}/{token}", ws=True),
            self._proof.public_url(request, f"/telephony/{vendor}/after"),
        )
        return respond(answers.connect(vendor, to, own))

    async def _webhook(self, request: web.Request, vendor: str = "") -> tuple[str, dict[str, str]]:
        vendor, fields, _ = await self.trusted(request, vendor)
        return vendor, fields

    async def trusted(
        self, request: web.Request, vendor: str = ""
    ) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Return the vendor and the fields of a webhook that can be trusted, and its JSON object.

        Raises HTTPNotFound, HTTPForbidden.
        """
        vendor = vendor or request.match_info["vendor"]
        if vendor not in WEBHOOK_VENDORS:
            raise web.HTTPNotFound(text="There is no such webhook.")
        body = await request_body(request, BODY_LIMIT)
        form = _form(request, body)
        try:
            self._proof.webhook(vendor, request, form, body)
        except Refused as refused:
            self._refused(vendor, str(refused))
            raise web.HTTPForbidden(text="This request cannot be trusted.") from None
        raw = _json(request, body)
        texts = {key: item[:WORD_LIMIT] for key, item in raw.items() if isinstance(item, str)}
        fields = texts or {key: value[:WORD_LIMIT] for key, value in form}
        query = {key: value[:WORD_LIMIT] for key, value in request.query.items()}
        return vendor, {**query, **fields}, raw


def _form(request: web.Request, body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form in their order, [] for another kind of body."""
    if request.content_type != "application/x-www-form-urlencoded":
        return []
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _json(request: web.Request, body: bytes) -> dict[str, Any]:
    """Return a JSON object (Vonage, Telnyx), {} for another body."""
    if request.content_type != "application/json":
        return {}
    try:
        value: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the first of these fields that is there, "" for none."""
    return next((fields[name] for name in names if fields.get(name)), "")


def respond(reply: answers.Reply) -> web.Response:
    """Return an answer page as a response."""
    return web.Response(text=reply.body, content_type=reply.content_type)
