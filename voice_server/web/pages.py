"""The demo shop's page, the voice button's files and what the page needs to know of the shop.

Pages are static files: nothing is ever written into HTML.  The page fetches ``/api/shop`` and puts
what it finds there into text nodes.  ``/static/`` may be used from any origin, because a shop loads
the button with a script tag from its own site.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import orjson
from aiohttp import web

STATIC = Path(__file__).parent / "static"
"""Where the files of the pages lie."""

PAGE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # blob: is a page's own: textures out of a 3D model's file.
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self' blob:",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    ]
)
"""Content-Security-Policy of our own pages: everything comes from here, nothing is inline."""

PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A shop's SVG may be opened as a page of its own: it must not run scripts in our origin."""

PICTURE_AGE_S = 86_400
"""Pictures change rarely, and an old one for a day does no harm."""

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What ``/static/`` serves; the interpreter's own table differs between systems."""

PICTURE_TYPES = {
    ".avif": "image/avif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""What a shop pack's pictures may be."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product as the grid shows it."""

    id: str
    names: Mapping[str, str]
    """Language to name."""
    price: Decimal
    """The lowest price of its variants."""
    currency: str
    """ISO 4217."""
    picture: str
    """File name in :attr:`ShopInfo.pictures`; "" for none."""
    was_price: Decimal | None = None
    several_prices: bool = False
    """Variants differ in price: the page says "from"."""
    available: bool = True


class ShopInfo(Protocol):
    """What the demo page shows of a shop."""

    @property
    def name(self) -> str:
        """The shop's name, as customers know it."""

    @property
    def languages(self) -> Sequence[str]:
        """ISO 639-1 codes, the default first."""

    @property
    def taglines(self) -> Mapping[str, str]:
        """Language to one sentence on what the shop sells."""

    @property
    def examples(self) -> Mapping[str, Sequence[str]]:
        """Language to questions a visitor may ask with one tap."""

    @property
    def products(self) -> Sequence[ShopProduct]:
        """In the order of the grid."""

    @property
    def pictures(self) -> Path | None:
        """Folder of the product pictures; None when there are none."""


def security_headers(policy: str = PAGE_POLICY) -> dict[str, str]:
    """Return the headers of every page we serve; the microphone is for ourselves only."""
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def add_pages(
    app: web.Application,
    shop_info: ShopInfo | None,
    *,
    static: Path = STATIC,
    index: bool = True,
) -> None:
    """Serve the demo page at ``/``, its files, and what it shows of the shop.

    ``shop_info`` None leaves the shop to :func:`~voice_server.web.storefronts.add_storefronts`.
    ``static`` is the folder behind ``/static/``; other pages (console, stage) put their files there
    too.  With ``index=False`` only the files are served: a shop that embeds the button in its own
    site has no use for a demo page.

    Raises:
        FileNotFoundError: the package was installed without its static files.
    """
    root = static.resolve()
    if not (root / "index.html").is_file():
        raise FileNotFoundError(
            f"{root}/index.html is missing: the web pages were not installed. Install again."
        )
    router = app.router
    router.add_get("/static/{path:.+}", _static_files(root))
    if shop_info is not None:
        router.add_get("/api/shop", _json(shop_json(shop_info)))
    if shop_info is not None and shop_info.pictures is not None:
        router.add_get("/shop/pictures/{file}", _pictures(shop_info.pictures.resolve()))
    if index:
        router.add_get("/", _page(root / "index.html"))
        router.add_get("/sw.js", _page(root / "sw.js"))
        router.add_get("/manifest.webmanifest", _page(root / "manifest.webmanifest"))
        router.add_get("/favicon.ico", _page(root / "icons" / "icon-32.png"))


def shop_json(info: ShopInfo, pictures: str = "/shop/pictures") -> dict[str, Any]:
    """Return the body of ``GET /api/shop``. Prices are decimal strings: JSON has no money.

    ``pictures`` is the URL path of the shop's pictures.
    """
    return {
        "name": info.name,
        "languages": list(info.languages),
        "default_language": info.languages[0],
        "tagline": dict(info.taglines),
        "examples": {language: list(texts) for language, texts in info.examples.items()},
        "products": [_product_json(product, pictures) for product in info.products],
    }


def _product_json(product: ShopProduct, pictures: str) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": dict(product.names),
        "price": str(product.price),
        "was_price": None if product.was_price is None else str(product.was_price),
        "currency": product.currency,
        "from": product.several_prices,
        "available": product.available,
        "image": f"{pictures}/{product.picture}" if product.picture else "",
    }


def _static_files(root: Path) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        path = _inside(root, request.match_info["path"], CONTENT_TYPES)
        return _file(
            path,
            CONTENT_TYPES[path.suffix],
            {
                # The button, its worklets and its texts are loaded from any shop's site.
                "Access-Control-Allow-Origin": "*",
                "Cross-Origin-Resource-Policy": "cross-origin",
                # Names carry no version: ask each time, the answer is mostly "304".
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return serve


def _page(path: Path) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        return send_page(path)

    return serve


def send_page(path: Path) -> web.FileResponse:
    """Return a file of ours that is a page, under our own policy."""
    headers = {**security_headers(), "Cache-Control": "no-cache"}
    return _file(path, CONTENT_TYPES[path.suffix], headers)


def _pictures(folder: Path) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        return picture_file(folder, request.match_info["file"])

    return serve


def picture_file(folder: Path, name: str) -> web.FileResponse:
    """Return a shop's picture, which may do nothing in our origin. Raises HTTPNotFound."""
    path = _inside(folder, name, PICTURE_TYPES)
    return _file(
        path,
        PICTURE_TYPES[path.suffix],
        {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": f"public, max-age={PICTURE_AGE_S}",
            "Content-Security-Policy": PICTURE_POLICY,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _json(body: dict[str, Any]) -> Handler:
    data = orjson.dumps(body)
    etag = hashlib.sha256(data).hexdigest()[:32]

    async def serve(request: web.Request) -> web.StreamResponse:
        if any(tag.value == etag for tag in request.if_none_match or ()):
            response = web.Response(status=304)
        else:
            response = web.Response(body=data, content_type="application/json")
        response.etag = etag
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return serve


def _inside(root: Path, name: str, types: Mapping[str, str]) -> Path:
    """Return the file of that name under ``root``. Raises HTTPNotFound for anything else."""
    if "\0" in name or any(part.startswith(".") for part in name.split("/")):
        raise web.HTTPNotFound
    path = (root / name).resolve()
    if not path.is_relative_to(root) or path.suffix not in types or not path.is_file():
        raise web.HTTPNotFound
    return path


def _file(path: Path, content_type: str, headers: Mapping[str, str]) -> web.FileResponse:
    response = web.FileResponse(path, headers=dict(headers))
    response.content_type = content_type
    if content_type.startswith("text/") or content_type.endswith(("json", "xml")):
        response.charset = "utf-8"
    return response
