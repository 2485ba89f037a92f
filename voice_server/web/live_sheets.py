"""The editor of run-sheets: its page, and what it reads and saves under ``/api/live/``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import orjson
from aiohttp import web

from voice_server.live.policy import POLICIES
from voice_server.live.run_sheet import FIELDS, RunSheetError
from voice_server.live.sheet_book import Kept
from voice_server.live.sheet_store import Conflict, Table
from voice_server.web.live import may_open
from voice_server.web.pages import STATIC, send_page

MOST_BYTES = 1_000_000
"""A run-sheet with MOST_SEGMENTS and all their points is below it."""
BODY_S = 20.0
"""A body that takes longer to arrive is given up."""
FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Sheets(Protocol):
    """The run-sheets of a server; see ``voice_server.show_sheets.ShowSheets``."""

    def shop_of(self, show_id: str) -> str:
        """Return whose run-sheet it is, "" when there is none."""

    def about(self, show_id: str) -> dict[str, Any]:
        """Return shop, languages, products, and what is on air."""

    async def all(self, shop_id: str) -> list[dict[str, Any]]:
        """Return what a list shows."""

    async def get(self, show_id: str) -> Kept | None:
        """Return a run-sheet."""

    async def history(self, show_id: str) -> list[dict[str, Any]]:
        """Return its versions."""

    async def save(self, show_id: str, table: Table, base: int) -> Kept | None:
        """Keep it. Raises RunSheetError, Conflict, OSError."""

    async def restore(self, show_id: str, number: int, base: int) -> Kept | None:
        """Save an old version anew. Raises as ``save``."""

    async def copy(self, show_id: str) -> str:
        """Return the id of a copy."""

    async def remove(self, show_id: str, base: int) -> bool:
        """Take it away. Raises Conflict, OSError."""

    async def script(
        self, show_id: str, product_id: str, points: Mapping[str, list[str]]
    ) -> dict[str, list[dict[str, object]]]:
        """Return what will be said of a segment."""


def add_sheets(app: web.Application, sheets: Sheets, avatars: Path) -> None:
    """Add the editor's routes; ``avatars`` is the folder of the looks."""
    routes = _Routes(sheets, avatars)
    router = app.router
    router.add_get("/console", routes.page("host/index.html"))
    router.add_get("/console/shows", routes.page("host/shows.html"))
    router.add_get("/console/shows/{show}/sheet", routes.page("host/sheet.html"))
    router.add_get("/api/live", routes.all)
    router.add_get("/api/live/{show}/sheet", routes.get)
    router.add_put("/api/live/{show}/sheet", routes.save)
    router.add_delete("/api/live/{show}/sheet", routes.remove)
    router.add_post("/api/live/{show}/sheet/copy", routes.copy)
    router.add_post("/api/live/{show}/sheet/restore", routes.restore)
    router.add_post("/api/live/{show}/sheet/script", routes.script)


class _Routes:
    def __init__(self, sheets: Sheets, avatars: Path) -> None:
        self._sheets = sheets
        self._avatars = avatars

    def page(self, name: str) -> Any:
        async def serve(request: web.Request) -> web.StreamResponse:
            return send_page(STATIC / name)

        return serve

    async def all(self, request: web.Request) -> web.StreamResponse:
        principal = may_open(request, "")
        return _json(await self._sheets.all(principal))

    async def get(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        kept = await self._sheets.get(show)
        if kept is None:
            raise web.HTTPNotFound(text="There is no such run-sheet.")
        return _json(await self._whole(show, kept))

    async def save(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        body = await _body(request)
        table = body.get("table")
        if not isinstance(table, dict):
            raise web.HTTPBadRequest(text="table: an object is needed")
        return await self._saved(show, self._sheets.save(show, table, _version(body)))

    async def restore(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        body = await _body(request)
        number = _version(body, "restore")
        return await self._saved(show, self._sheets.restore(show, number, _version(body)))

    async def copy(self, request: web.Request) -> web.StreamResponse:
        new_id = await self._sheets.copy(self._show(request))
        if not new_id:
            raise web.HTTPNotFound(text="There is no such run-sheet.")
        return _json({"id": new_id}, status=201)

    async def remove(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        version = request.query.get("version", "")
        if not version.isdigit():
            raise web.HTTPBadRequest(text="version: a whole number is needed")
        try:
            found = await self._sheets.remove(show, int(version))
        except Conflict as error:
            return _json({"conflict": error.version}, status=409)
        except OSError as error:
            return _json({"error": f"It cannot be written: {error.strerror}"}, status=507)
        if not found:
            raise web.HTTPNotFound(text="There is no such run-sheet.")
        return _json({"removed": show})

    async def script(self, request: web.Request) -> web.StreamResponse:
        show = self._show(request)
        body = await _body(request)
        product, points = body.get("product", ""), body.get("points", {})
        good = isinstance(product, str) and isinstance(points, dict)
        if not good or not all(_texts(texts) for texts in points.values()):
            raise web.HTTPBadRequest(text="product: a text, points: lists of texts are needed")
        return _json(await self._sheets.script(show, product, points))

    async def _saved(self, show: str, saving: Any) -> web.StreamResponse:
        try:
            kept = await saving
        except RunSheetError as error:
            problems = [asdict(problem) for problem in error.problems]
            return _json({"error": str(error), "problems": problems}, status=422)
        except Conflict as error:
            return _json({"conflict": error.version}, status=409)
        except OSError as error:
            return _json({"error": f"It cannot be written: {error.strerror}"}, status=507)
        if kept is None:
            raise web.HTTPNotFound(text="There is no such version.")
        return _json(await self._whole(show, kept))

    async def _whole(self, show: str, kept: Kept) -> dict[str, Any]:
        return {
            "id": kept.id,
            "version": kept.version,
            "of_pack": kept.of_pack,
            "table": kept.table,
            "history": await self._sheets.history(show),
            "fields": sorted(FIELDS),
            "policies": [asdict(policy) for policy in POLICIES.values()],
            "avatars": sorted(path.parent.name for path in self._avatars.glob("*/rig.json")),
            **self._sheets.about(show),
        }

    def _show(self, request: web.Request) -> str:
        show = request.match_info["show"]
        shop = self._sheets.shop_of(show)
        if not shop:
            raise web.HTTPNotFound(text="There is no such show, or the server is still loading.")
        may_open(request, shop)
        return show


def _texts(value: object) -> bool:
    return isinstance(value, Sequence) and all(isinstance(text, str) for text in value)


def _version(body: Mapping[str, Any], key: str = "version") -> int:
    value = body.get(key)
    if not isinstance(value, int) or value < 0:
        raise web.HTTPBadRequest(text=f"{key}: a whole number is needed")
    return value


async def _body(request: web.Request) -> dict[str, Any]:
    data = b""
    async with asyncio.timeout(BODY_S):
        async for part in request.content.iter_any():
            data += part
            if len(data) > MOST_BYTES:
                raise web.HTTPRequestEntityTooLarge(MOST_BYTES, len(data))
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f"This is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="An object is needed.")
    return body


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body, default=str),
        status=status,
        content_type="application/json",
        headers=FRESH,
    )
