"""The aiohttp application: one port, one origin, every route.

The app (``app.py``) makes a :class:`WebBackend` and calls :func:`create_application`; other
packages add their routes through ``extend``.  On SIGTERM the app awaits :func:`drain` before it
stops the server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.ports import PRINCIPAL, RealtimeBackend
from voice_server.realtime.rest import SecretsApi, get_model, list_models
from voice_server.realtime.rest_backend import LoadedBackend
from voice_server.realtime.secrets import EphemeralSecrets
from voice_server.realtime.speech_api import SpeechApi
from voice_server.realtime.transcription_api import TranscriptionApi
from voice_server.realtime.websocket import RealtimeEndpoint
from voice_server.web.auth import Authenticator, Handler, guard
from voice_server.web.metrics import Metrics

log = logging.getLogger(__name__)

REALTIME: web.AppKey[RealtimeEndpoint] = web.AppKey("realtime", RealtimeEndpoint)
METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)

GUARDED = (
    *("/v1/", "/openai/v1/", "/metrics"),
    *("/api/shops", "/api/desk/", "/api/live/", "/api/calls"),
)
"""Path prefixes that need a key; pages and health checks do not."""


@dataclass(frozen=True, slots=True)
class WebBackend:
    """What the web layer needs; made by the app."""

    realtime: RealtimeBackend
    rest: LoadedBackend = lambda: None
    """Engines of ``/v1/audio/*``, once loaded; 503 until then."""
    ready: Callable[[], Mapping[str, bool]] = dict
    """Engine -> can it work now? The server is ready when all can."""
    details: Callable[[], Mapping[str, str]] = dict
    """More to show in ``/readyz``, without which the server is ready nevertheless."""
    api_keys: tuple[str, ...] = ()
    shop_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Shop to the keys that open this shop and no other."""
    demo: bool = True
    allowed_origins: tuple[str, ...] = ()
    extend: Iterable[Callable[[web.Application], None]] = ()
    """Add more routes: pages, telephony, shows."""
    endpoint_options: Mapping[str, Any] = field(default_factory=dict)


def create_application(backend: WebBackend) -> web.Application:
    """Return the application, ready to be served."""
    metrics = Metrics()
    secrets = EphemeralSecrets(new_id=backend.realtime.new_id)
    authenticator = Authenticator(
        keys=backend.api_keys,
        secrets=secrets,
        demo=backend.demo,
        allowed_origins=backend.allowed_origins,
        shop_keys=backend.shop_keys,
    )
    application = web.Application(
        middlewares=[_counting(metrics), guard(authenticator, _is_open), _errors]
    )
    realtime = replace(backend.realtime, not_yet=lambda: _not_yet(backend))
    endpoint = RealtimeEndpoint(realtime, metrics, **backend.endpoint_options)
    application[REALTIME] = endpoint
    application[METRICS] = metrics
    secret_api = SecretsApi(
        secrets,
        endpoint.defaults,
        backend.realtime.new_id,
        for_request=backend.realtime.for_request,
    )
    speech = SpeechApi(backend.rest).handle
    transcription = TranscriptionApi(backend.rest).handle
    for base in ("/v1", "/openai/v1"):
        application.router.add_get(f"{base}/realtime", endpoint.handle)
        application.router.add_post(f"{base}/realtime/client_secrets", secret_api.handle)
        application.router.add_post(f"{base}/audio/speech", speech)
        application.router.add_post(f"{base}/audio/transcriptions", transcription)
        application.router.add_get(f"{base}/models", list_models)
        application.router.add_get(f"{base}/models/{{model}}", get_model)
    application.router.add_get("/healthz", _healthz)
    application.router.add_get("/readyz", _readyz(backend, endpoint))
    application.router.add_get("/metrics", _metrics(metrics))
    for add_routes in backend.extend:
        add_routes(application)
    application.on_shutdown.append(_shut_down)
    return application


async def drain(application: web.Application, deadline_s: float) -> None:
    """Refuse new sessions, let talking ones finish, close all with 1001."""
    await application[REALTIME].sessions.drain(deadline_s)


def _not_yet(backend: WebBackend) -> str:
    """Return why no session can be opened: the engines, or what the app says."""
    missing = [engine for engine, ready in backend.ready().items() if not ready]
    if missing:
        return f"the server is still loading: {', '.join(missing)}"
    return backend.realtime.not_yet()


def _is_open(request: web.Request) -> bool:
    return not request.path.startswith(GUARDED)


async def _shut_down(application: web.Application) -> None:
    await drain(application, 0.0)


async def _healthz(request: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "up"})


def _readyz(backend: WebBackend, endpoint: RealtimeEndpoint) -> Handler:
    async def readyz(request: web.Request) -> web.StreamResponse:
        engines = dict(backend.ready())
        draining = endpoint.sessions.draining
        ready = all(engines.values()) and not draining
        status = "ready" if ready else "draining" if draining else "loading"
        body = {"status": status, "engines": engines, **backend.details()}
        return web.json_response(body, status=200 if ready else 503)

    return readyz


def _metrics(metrics: Metrics) -> Handler:
    async def show(request: web.Request) -> web.StreamResponse:
        if request[PRINCIPAL].kind == "ephemeral":
            raise web.HTTPForbidden(text="This needs an API key.")  # shoppers have secrets
        return web.Response(
            body=metrics.render().encode(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    return show


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors of the API in its own shape."""
    try:
        return await handler(request)
    except ApiError as error:
        return error.response()
    except web.HTTPException as error:
        if error.status < 400 or not request.path.startswith(GUARDED):
            raise
        return ApiError(error.status, error.text or error.reason, code="http_error").response()
    except ConnectionError:
        raise  # the client is gone: aiohttp knows what to do
    except Exception:  # one request must not end the server, and its client deserves words
        log.exception("%s %s failed", request.method, request.path)
        return ApiError(500, "Internal error.", code="internal_error").response()


def _counting(metrics: Metrics) -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "none"
        metrics.count("http_requests_total", route=route, status=str(response.status))
        return response

    return middleware
