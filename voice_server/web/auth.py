"""Who may ask: API keys, ephemeral secrets, the demo on loopback, and which web pages.

Keys are kept and compared as SHA-256 digests, in constant time.  In demo mode no key is needed,
so there it is the origin check (and the Host header, against DNS rebinding) that keeps other
people's web pages from using the server on this machine.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from voice_server.config import LOOPBACK
from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.ports import PRINCIPAL, Principal
from voice_server.realtime.secrets import EphemeralSecrets

KEY_PROTOCOL = "openai-insecure-api-key."
"""Prefix of the websocket subprotocol in which browsers send their secret."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WORDS = {
    401: "Incorrect API key provided. Send 'Authorization: Bearer <key>', or the websocket "
    "subprotocol 'openai-insecure-api-key.<key>'.",
    403: "Pages of this origin may not use the server. The operator can add it to allowed_origins.",
}


class Refused(Exception):
    """A request may not be served: 401 (who?) or 403 (from where?)."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message or _WORDS[status])
        self.status = status
        self.message = message or _WORDS[status]


class Authenticator:
    """Decides about requests; holds no plain keys."""

    def __init__(
        self,
        *,
        keys: Iterable[str],
        secrets: EphemeralSecrets,
        demo: bool,
        allowed_origins: Iterable[str] = (),
        shop_keys: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """``demo``: any key, or none, will do (the server listens on loopback only).

        ``shop_keys``: shop to the keys that open this shop and no other.
        """
        bound = [(key, shop) for shop, own in (shop_keys or {}).items() for key in own]
        self._digests = (*((_digest(key), "") for key in keys),
                         *((_digest(key), shop) for key, shop in bound))  # fmt: skip
        self._secrets = secrets
        self._demo = demo
        self._origins = frozenset(origin.rstrip("/").lower() for origin in allowed_origins)

    def identify(self, request: web.Request) -> Principal:
        """Return who asks. Raises Refused."""
        self.check_origin(request)
        presented = presented_key(request)
        if presented is not None:
            session = self._secrets.find(presented)
            if session is not None:
                own, customer = self._secrets.shop(presented), self._secrets.customer(presented)
                return Principal("ephemeral", session, own, customer)
            if (shop := self._shop_of(presented)) is not None:
                return Principal("key", shop=shop)
        if self._demo:
            return Principal("demo")
        raise Refused(401)

    def check_origin(self, request: web.Request) -> None:
        """Raise Refused if a web page of another site asks."""
        origin = request.headers.get("Origin")
        if origin is None:
            if self._demo and not _is_loopback(request.host):
                raise Refused(403, "In demo mode the server answers to loopback names only.")
            return
        if not self.knows_origin(request, origin):
            raise Refused(403)

    def knows_origin(self, request: web.Request, origin: str) -> bool:
        """Return whether pages of this origin may ask: our own, or one the operator allows."""
        origin = origin.rstrip("/").lower()
        if origin in self._origins:
            return True
        host = urlsplit(origin).netloc
        if self._demo:
            return _is_loopback(host) and _is_loopback(request.host)
        return bool(host) and host == request.host.lower()

    def _shop_of(self, presented: str) -> str | None:
        """Return the shop a key opens, "" for all of them, None if it is no key."""
        digest = _digest(presented)
        # All are compared, so that time does not tell which one came close.
        found = [shop for known, shop in self._digests if hmac.compare_digest(digest, known)]
        return found[0] if found else None


def presented_key(request: web.Request) -> str | None:
    """Return the key of a request, from its header or its websocket subprotocols."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if key := request.headers.get("api-key"):
        return key
    for header in request.headers.getall("Sec-WebSocket-Protocol", ()):
        for protocol in header.split(","):
            name = protocol.strip()
            if name.startswith(KEY_PROTOCOL):
                return name.removeprefix(KEY_PROTOCOL)
    return None


def guard(authenticator: Authenticator, is_open: Callable[[web.Request], bool]) -> Middleware:
    """Return the middleware that lets only identified requests through to the API.

    ``is_open`` names the requests nobody must identify for (health checks, pages).
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_open(request):
            return await handler(request)
        try:
            if request.method == "OPTIONS":
                authenticator.check_origin(request)
                response: web.StreamResponse = web.Response(status=204)
            else:
                request[PRINCIPAL] = authenticator.identify(request)
                response = await handler(request)
        except Refused as refused:
            code = "invalid_api_key" if refused.status == 401 else "origin_not_allowed"
            response = ApiError(refused.status, refused.message, code=code).response()
        origin = request.headers.get("Origin")
        if (
            origin is not None
            and not response.prepared
            and authenticator.knows_origin(request, origin)
        ):
            response.headers.update(
                {
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Headers": "Authorization, Content-Type",
                    "Access-Control-Allow-Methods": "GET, POST",
                    "Vary": "Origin",
                }
            )
        return response

    return middleware


def _is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname
    return name in LOOPBACK


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
