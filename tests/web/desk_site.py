"""The desk's page and API on a real socket, with two shops, keys, and a customer on the line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from tests.desk.desks import inline
from tests.desk.house import House, desk_house
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import ConsoleStore
from voice_server.desk.packet import Desk
from voice_server.ids import new_id
from voice_server.realtime.secrets import EphemeralSecrets
from voice_server.web.auth import Authenticator, guard
from voice_server.web.desk import PREFIX, Desks, add_desk
from voice_server.web.pages import STATIC, _static_files

KEYS = {"keys": ("sk-all",), "shop_keys": {"marolle": ("sk-marolle",), "other": ("sk-other",)}}


@dataclass
class DeskSite:
    """Two shops: ``marolle`` and ``other``."""

    url: str
    marolle: House
    other: House
    secrets: EphemeralSecrets
    desks: Desks
    client: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str = "sk-all"
    ) -> tuple[int, Any]:
        """Ask the API; return status and JSON."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.client.request(
            method, f"{self.url}{path}", json=body, headers=headers
        ) as response:
            return response.status, await response.json()


def fresh_console() -> ConsoleDesk:
    """A console in memory, with the real clock, a little in the past."""
    start = datetime.now(UTC) - timedelta(minutes=4)
    return ConsoleDesk(ConsoleStore(":memory:"), clock=start.timestamp, in_thread=inline)


@asynccontextmanager
async def desk_site(desk: Desk | None = None, *, demo: bool = False) -> AsyncIterator[DeskSite]:
    """Serve for the block."""
    async with AsyncExitStack() as stack:
        marolle = await stack.enter_async_context(desk_house(desk or fresh_console()))
        other = await stack.enter_async_context(desk_house(fresh_console()))
        secrets = EphemeralSecrets(new_id=new_id)
        keys: dict[str, Any] = {} if demo else KEYS
        authenticator = Authenticator(
            keys=keys.get("keys", ()),
            secrets=secrets,
            demo=demo,
            shop_keys=keys.get("shop_keys"),
        )
        application = web.Application(
            middlewares=[guard(authenticator, lambda request: not request.path.startswith(PREFIX))]
        )
        desks = Desks(lambda: [("marolle", marolle.service), ("other", other.service)])
        add_desk(application, desks)
        application.router.add_get("/static/{path:.+}", _static_files(STATIC.resolve()))
        runner = web.AppRunner(application, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stack.push_async_callback(runner.cleanup)
        url = f"http://localhost:{runner.addresses[0][1]}"
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield DeskSite(url, marolle, other, secrets, desks, client)
