"""The routes of telephony: added to the application by ``WebBackend.extend``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from aiohttp import web

from voice_server.telephony.audiosocket import AudioSocketServer
from voice_server.telephony.dialler import Dialler, Placing
from voice_server.telephony.endpoint import TelephonyEndpoint
from voice_server.telephony.handover import Handovers
from voice_server.telephony.outbound_webhooks import OutboundWebhooks
from voice_server.telephony.ports import TelephonyBackend
from voice_server.telephony.sip_caller import SipCaller
from voice_server.telephony.sip_server import SipServer
from voice_server.web.application import METRICS
from voice_server.web.calls import CallsConsole, add_calls
from voice_server.web.outbound import OutboundApi

TELEPHONY: web.AppKey[TelephonyEndpoint] = web.AppKey("telephony", TelephonyEndpoint)
AUDIOSOCKET: web.AppKey[AudioSocketServer] = web.AppKey("audiosocket", AudioSocketServer)
DIALLER: web.AppKey[Dialler] = web.AppKey("dialler", Dialler)
SIP: web.AppKey[SipServer] = web.AppKey("sip", SipServer)


def add_telephony(
    application: web.Application,
    backend: TelephonyBackend,
    *,
    audiosocket: tuple[str, int] | None = None,
    sip: tuple[str, int] | None = None,
) -> None:
    """Add the routes, and the servers of AudioSocket and SIP (host, port; 0: any port).

    Must be called in the event loop.  Calls are drained when the application shuts down.
    """
    metrics = application[METRICS]
    endpoint = TelephonyEndpoint(backend, metrics)
    application[TELEPHONY] = endpoint
    handovers = Handovers(backend, metrics, endpoint)
    router = application.router
    for vendor_path, handler in (
        ("answer", endpoint.answer),
        ("after", handovers.after),
        ("whisper", handovers.whisper),
        ("dialled", handovers.dialled),
    ):
        # Vonage asks with GET unless told otherwise; the others with POST.
        router.add_route("GET", f"/telephony/{{vendor}}/{vendor_path}", handler)
        router.add_route("POST", f"/telephony/{{vendor}}/{vendor_path}", handler)
    router.add_post("/telephony/asterisk/calls", endpoint.announce)
    router.add_get("/telephony/{vendor}", endpoint.stream)
    router.add_get("/telephony/{vendor}/{ticket}", endpoint.stream)
    placing = Placing(backend, endpoint.calls, metrics, endpoint.check_room, endpoint.now)
    dialler = application[DIALLER] = Dialler(placing, book=backend.call_book)
    OutboundWebhooks(dialler, endpoint).add_to(router)
    OutboundApi(dialler, backend.call_book).add_to(router)
    add_calls(application, CallsConsole(endpoint.calls, backend.books))
    application.on_shutdown.append(_hang_up)
    if audiosocket is not None:
        application[AUDIOSOCKET] = AudioSocketServer(backend, endpoint, metrics)
        application.cleanup_ctx.append(_listening(application[AUDIOSOCKET], *audiosocket))
    if sip is not None:
        application[SIP] = SipServer(backend, endpoint, metrics)
        application.cleanup_ctx.append(_listening(application[SIP], *sip))
        if backend.trunk.address:
            dialler.trunk = SipCaller(
                backend, endpoint.calls, metrics, application[SIP], endpoint.now
            )
    application.on_cleanup.insert(0, _stop_dialling)


def _listening(
    server: AudioSocketServer | SipServer, host: str, port: int
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def listen(application: web.Application) -> AsyncIterator[None]:
        async with server.running(host, port):
            yield

    return listen


async def drain_calls(application: web.Application, deadline_s: float) -> None:
    """Refuse new calls, let the others go on until the deadline, then hang up."""
    if TELEPHONY in application:
        await application[TELEPHONY].calls.drain(deadline_s)


async def _stop_dialling(application: web.Application) -> None:
    """Before the SIP server closes its socket: what rings is cancelled."""
    dialler = application[DIALLER]
    if isinstance(dialler.trunk, SipCaller):
        await dialler.trunk.close()
    await dialler.close()


async def _hang_up(application: web.Application) -> None:
    await drain_calls(application, 0.0)
