"""A fake platform's socket, and what can go wrong on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Self

from aiohttp import web

from tests.fakes.shops.world import World, world

Kind = Literal["status", "drop", "drop_after", "hang", "hang_after", "garbage", "shape"]


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next requests of a kind.

    drop: the connection is cut, nothing was done. drop_after: it was done, then cut. hang and
    hang_after: no answer comes. garbage: no JSON. shape: JSON of another shape, after it was done.
    """

    kind: Kind
    on: Literal["read", "write"] = "read"
    times: int = 1
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeShop:
    """Base of the fakes: routes, credentials and words are the vendor's; the rest is here."""

    numbers = "{}"

    def __init__(self) -> None:
        self.world: World = world(self.numbers)
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        """Method and path of each request, as they came."""
        self.port = 0
        self.on_hang: Callable[[], None] = lambda: None
        """Called when a request will not be answered: tests let the client's time end then."""
        self.done = asyncio.Event()
        """A request was carried out whose answer will not come."""
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    async def is_write(self, request: web.Request) -> bool:
        return request.method != "GET"

    def broken(self, status: int) -> web.Response:
        """The vendor's words for a failure."""
        return web.json_response({"message": "Something went wrong"}, status=status)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._trouble])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.05, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Go down: connections are refused."""
        self._released.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _trouble(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        kind = "write" if await self.is_write(request) else "read"
        fault = next((one for one in self.faults if one.on == kind and one.times), None)
        if fault is None:
            return await handler(request)
        fault.times -= 1
        match fault.kind:
            case "status":
                response = self.broken(fault.status)
                response.headers.update(fault.headers)
                return response
            case "drop":
                return self._cut(request)
            case "drop_after":
                await handler(request)
                return self._cut(request)
            case "hang":
                self.on_hang()
                await self._released.wait()
                return self._cut(request)
            case "hang_after":
                await handler(request)
                self.done.set()
                self.on_hang()
                await self._released.wait()
                return self._cut(request)
            case "garbage":
                await handler(request)
                return web.Response(text="<html>maintenance</html>", content_type="text/html")
            case "shape":
                await handler(request)
                return web.json_response({"data": {"surprise": [1, None]}, "id": []})

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
