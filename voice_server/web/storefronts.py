"""The pages and the little API of every shop of the server: ``/s/{shop}/`` and ``/api/shops``.

Which shop ``/api/shop`` speaks of is decided by the host name; ``/s/{shop}/`` names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson
from aiohttp import web

from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.ports import PRINCIPAL, Principal
from voice_server.web.pages import STATIC, Handler, ShopInfo, picture_file, send_page, shop_json


class Storefront(Protocol):
    """One shop as the web shows it."""

    @property
    def id(self) -> str:
        """As it stands in addresses."""

    @property
    def page(self) -> ShopInfo:
        """What its page shows now."""


@dataclass(frozen=True, slots=True)
class Storefronts:
    """What the routes need; made by the app."""

    pick: Callable[[web.Request, str], Storefront]
    """The shop of a request that names one ("" for none). Raises ApiError."""
    all: Callable[[], Sequence[Storefront]]
    reload: Callable[[Storefront], Awaitable[Mapping[str, Any]]]
    """Takes a shop's edited pack over; what came of it, as JSON. "refusal" is "" when all is well.
    """
    static: Path = STATIC
    bodies: dict[str, tuple[ShopInfo, bytes, str]] = field(default_factory=dict)
    """Shop to what its page showed last, as JSON, with its tag."""


def add_storefronts(application: web.Application, shops: Storefronts) -> None:
    """Add the routes."""
    router = application.router
    router.add_get("/api/shop", _information(shops))
    router.add_get("/shop/pictures/{file}", _picture(shops))
    router.add_get("/s/{shop}", _into_folder)
    router.add_get("/s/{shop}/", _page(shops))
    router.add_get("/s/{shop}/api/shop", _information(shops))
    router.add_get("/s/{shop}/pictures/{file}", _picture(shops))
    router.add_get("/api/shops", _list(shops))
    router.add_post("/api/shops/{shop}/reload", _reload(shops))


async def _into_folder(request: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect(f"{request.path}/")


def _chosen(request: web.Request, shops: Storefronts) -> Storefront:
    return shops.pick(request, request.match_info.get("shop", ""))


def _page(shops: Storefronts) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        _chosen(request, shops)
        return send_page(shops.static / "index.html")

    return serve


def _information(shops: Storefronts) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        front = _chosen(request, shops)
        body, tag = _body(shops, front)
        if any(known.value == tag for known in request.if_none_match or ()):
            response = web.Response(status=304)
        else:
            response = web.Response(body=body, content_type="application/json")
        response.etag = tag
        # The same address answers for another shop under another host name.
        response.headers.update({"Cache-Control": "no-cache", "Vary": "Host"})
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return serve


def _body(shops: Storefronts, front: Storefront) -> tuple[bytes, str]:
    """Return what the page shows, made once for each version of the pack."""
    page = front.page
    known = shops.bodies.get(front.id)
    if known is None or known[0] is not page:
        body = orjson.dumps({"id": front.id, **shop_json(page, f"/s/{front.id}/pictures")})
        known = shops.bodies[front.id] = (page, body, hashlib.sha256(body).hexdigest()[:32])
    return known[1], known[2]


def _picture(shops: Storefronts) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        folder = _chosen(request, shops).page.pictures
        if folder is None:
            raise web.HTTPNotFound
        return picture_file(folder.resolve(), request.match_info["file"])

    return serve


def _operator(request: web.Request) -> Principal:
    """Return who operates the server. Raises ApiError for a visitor of a page."""
    principal: Principal | None = request.get(PRINCIPAL)
    if principal is None or principal.kind == "ephemeral":
        raise ApiError(403, "This needs an API key.", code="insufficient_permissions")
    return principal


def _list(shops: Storefronts) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        principal = _operator(request)
        # A shop's own key sees that shop only.
        seen = [shops.pick(request, principal.shop)] if principal.shop else shops.all()
        data = [
            {
                "id": front.id,
                "name": front.page.name,
                "languages": list(front.page.languages),
                "products": len(front.page.products),
                "page": f"/s/{front.id}/",
            }
            for front in seen
        ]
        return web.json_response({"object": "list", "data": data})

    return serve


def _reload(shops: Storefronts) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        _operator(request)
        result = await shops.reload(_chosen(request, shops))
        return web.json_response(result, status=409 if result["refusal"] else 200)

    return serve
