"""The vendors' webhooks around calls that we place.

``/telephony/{vendor}/placed/{id}``   somebody has picked up: where shall the call go?
``/telephony/{vendor}/events/{id}``   how a call goes, and who has picked up
"""

from __future__ import annotations

import logging

from aiohttp import web

from voice_server.telephony import answers
from voice_server.telephony.calls import Full, Ticket
from voice_server.telephony.dialler import Dialler
from voice_server.telephony.endpoint import TelephonyEndpoint, respond
from voice_server.telephony.vendor_events import read_news

log = logging.getLogger(__name__)


class OutboundWebhooks:
    """The handlers."""

    def __init__(self, dialler: Dialler, endpoint: TelephonyEndpoint) -> None:
        self._dialler = dialler
        self._endpoint = endpoint

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        for method in ("GET", "POST"):
            router.add_route(method, "/telephony/{vendor}/placed/{id}", self.placed)
            router.add_route(method, "/telephony/{vendor}/events/{id}", self.events)

    async def placed(self, request: web.Request) -> web.StreamResponse:
        """Somebody has picked up: connect the call to our stream."""
        vendor, _, _ = await self._endpoint.trusted(request)
        outgoing = self._dialler.find(request.match_info["id"])
        if outgoing is None or outgoing.vendor != vendor or outgoing.state == "over":
            log.warning("a call that we do not know was picked up (%s): it is ended", vendor)
            return respond(answers.hang_up(vendor))
        try:
            self._endpoint.check_room()
        except Full as full:
            outgoing.finish("failed", str(full))
            return respond(answers.hang_up(vendor))
        call = outgoing.outbound
        ticket = Ticket(
            vendor, outgoing.vendor_call, call.number, call.line.number, outgoing=outgoing
        )  # fmt: skip
        own = {"direction": "outbound", "call_id": outgoing.vendor_call}
        return self._endpoint.connect(request, vendor, ticket, own)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The vendor tells how a call goes."""
        vendor, fields, raw = await self._endpoint.trusted(request)
        outgoing = self._dialler.find(request.match_info["id"])
        if outgoing is not None and outgoing.vendor == vendor:
            outgoing.news(read_news(vendor, raw or fields))
        return web.Response(status=204)
