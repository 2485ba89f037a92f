"""The reports of a show, running and over: JSON, CSV, and a page with plots that prints."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson
from aiohttp import web

from voice_server.live.report import table
from voice_server.live.session import ShowSession

FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
NOW = "now"
"""Name of the report of the show that runs."""


class Reports(Protocol):
    """The reports of shows that are over (``live.report_store.ReportStore``)."""

    def all(self, show_id: str) -> list[dict[str, Any]]:
        """Return what a list shows of each, newest first."""

    def get(self, show_id: str, name: str) -> Mapping[str, Any] | None:
        """Return one, None when there is none of that name."""


class ReportRoutes:
    """Serves reports of shows; ``find`` checks who asks and raises where there is no show."""

    def __init__(self, reports: Reports | None, find: Callable[[web.Request], ShowSession]) -> None:
        """``reports`` None: only of the show that runs."""
        self._reports = reports
        self._find = find

    def add(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/api/live/{show}/reports", self.list)
        router.add_get("/api/live/{show}/report.json", self.document)
        router.add_get("/api/live/{show}/report.csv", self.table)

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Name the reports there are."""
        show = self._find(request)
        old = [] if self._reports is None else await asyncio.to_thread(
            self._reports.all, show.sheet.id
        )  # fmt: skip
        return _json(old)

    async def document(self, request: web.Request) -> web.StreamResponse:
        """Return a report: of the running show, or ``?name=``."""
        show = self._find(request)
        report = await self._get(request, show)
        names = {
            entry.product_id: noun.name
            for entry in show.sheet.segments
            if (noun := show.facts.noun(entry.product_id, show.sheet.language)) is not None
        }
        titles = {"title": dict(show.sheet.title), "shop": show.facts.shop_name}
        return _json({**report, **titles, "products": names})

    async def table(self, request: web.Request) -> web.StreamResponse:
        """Return one line per question."""
        show = self._find(request)
        report = await self._get(request, show)
        name = f'attachment; filename="{show.sheet.id}.csv"'
        return web.Response(
            text=table(report.get("rows", ())),
            content_type="text/csv",
            headers={**FRESH, "Content-Disposition": name},
        )

    async def _get(self, request: web.Request, show: ShowSession) -> Mapping[str, Any]:
        name = request.query.get("name", NOW)
        if name == NOW:
            now = asyncio.get_running_loop().time()
            return show.report.document(now, unix_now=time.time())
        found = None
        if self._reports is not None:
            found = await asyncio.to_thread(self._reports.get, show.sheet.id, name)
        if found is None:
            raise web.HTTPNotFound(text="There is no such report.")
        return found


def _json(body: Any) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json", headers=FRESH)
