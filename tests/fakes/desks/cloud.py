"""What the fake desks have in common: a real socket, captured requests, and faults on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fault(StrEnum):
    """What goes wrong with one request."""

    NONE = "none"
    BUSY = "429"
    BROKEN = "500"
    BROKEN_AFTER = "500 after performing"
    CUT = "connection cut before performing"
    CUT_AFTER = "connection cut after performing"
    STALL = "no answer, nothing performed"
    STALL_AFTER = "performed, but no answer"
    GARBAGE = "performed, but the answer is no JSON"


AFTER = frozenset({Fault.BROKEN_AFTER, Fault.CUT_AFTER, Fault.STALL_AFTER, Fault.GARBAGE})


@dataclass
class Seen:
    """A request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes


@dataclass
class Cloud:
    """A vendor's cloud on loopback. ``faults`` are used up one for each request."""

    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    refuse: int = 0
    """Answer everything with this status."""
    retry_after: str = "2"
    url: str = ""
    _runner: web.AppRunner | None = None
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        assert self._runner is not None
        await self._runner.cleanup()

    def asked(self, method: str, part: str = "") -> list[Seen]:
        """Return the requests of a method whose path contains ``part``."""
        return [one for one in self.seen if one.method == method and part in one.path]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        seen = Seen(
            request.method,
            request.path,
            dict(request.query),
            dict(request.headers),
            body,
            raw,
        )
        self.seen.append(seen)
        if self.refuse:
            return web.json_response({"error": "RecordInvalid"}, status=self.refuse)
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.BUSY:
            return web.json_response(
                {"error": "TooManyRequests"},
                status=429,
                headers={"Retry-After": self.retry_after},
            )
        if fault is Fault.BROKEN:
            return web.json_response({"error": "internal"}, status=500)
        answer: web.StreamResponse = web.Response(status=500)
        if fault is Fault.NONE or fault in AFTER:
            answer = self.perform(seen)
        if fault is Fault.NONE:
            return answer
        if fault is Fault.BROKEN_AFTER:
            return web.json_response({"error": "internal"}, status=502)
        if fault is Fault.GARBAGE:
            return web.Response(text="<html>gateway</html>", status=200)
        if fault in (Fault.STALL, Fault.STALL_AFTER):
            await self._gone.wait()
        if request.transport is not None:
            request.transport.abort()
        return answer

    def perform(self, seen: Seen) -> web.Response:
        """Do what is asked. One for each vendor."""
        raise NotImplementedError

    def tickets(self) -> list[str]:
        """Return what a human would count as one case each, by packet id."""
        raise NotImplementedError

    def notes(self, reference: str) -> list[str]:
        """Return the notes of a case, in order."""
        raise NotImplementedError


def error(status: int, code: str) -> web.Response:
    """An error in words nobody may copy into a log."""
    return web.json_response(
        {"error": code, "description": "ann@example.com is not allowed"}, status=status
    )
