"""A real web server on loopback that behaves as badly as asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Served:
    """A file of the server, and how it misbehaves."""

    content: bytes
    status: int = 200
    ranges: bool = True
    """Honour Range requests."""
    break_after: int | None = None
    """Cut the first connection after this many bytes."""
    stall_after: int | None = None
    """Send nothing more after this many bytes, on the first connection."""
    delay_s: float = 0.0
    failures: int = 0
    """Answer this many requests with 503 first."""
    wrong_range: bool = False
    location: str = ""


@dataclass
class Host:
    """Counts what was asked for."""

    files: dict[str, Served] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    ranges: list[str] = field(default_factory=list)
    together: int = 0
    most_together: int = 0
    url: str = ""
    on_request: Callable[[str], None] = lambda _: None

    def add(self, path: str, content: bytes, **how: object) -> str:
        """Serve ``content``; returns its address."""
        self.files[path] = Served(content, **how)  # type: ignore[arg-type]
        return f"{self.url}/{path}"

    async def start(self) -> web.AppRunner:
        """Listen on a free port of the loopback."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _get(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.requests[path] += 1
        self.on_request(path)
        self.together += 1
        self.most_together = max(self.together, self.most_together)
        try:
            return await self._answer(request, path)
        finally:
            self.together -= 1

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        served = self.files.get(path)
        if served is None:
            return web.Response(status=404)
        if served.failures:
            served.failures -= 1
            return web.Response(status=503)
        if served.status != 200:
            return web.Response(status=served.status, headers={"Location": served.location})
        await asyncio.sleep(served.delay_s)
        start = 0
        if "Range" in request.headers:
            self.ranges.append(request.headers["Range"])
            if served.ranges:
                start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
                if start >= len(served.content):
                    return web.Response(status=416)
        body = served.content[start:]
        response = web.StreamResponse(status=206 if start else 200)
        response.content_length = len(body)
        if start:
            shown = start + 1 if served.wrong_range else start
            response.headers["Content-Range"] = f"bytes {shown}-{shown}/{len(served.content)}"
        await response.prepare(request)
        first = self.requests[path] == 1
        cut = served.break_after if served.break_after is not None else served.stall_after
        if first and cut is not None:
            await response.write(body[:cut])
            if served.stall_after is not None:
                await asyncio.sleep(5)
            assert request.transport
            request.transport.abort()
            return response
        await response.write(body)
        return response
