"""A show on a real port whose voice beeps while its mouth is open, and what leaves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from scripts.bench.lips_and_voice import Beeps
from tests.live.crowd import TableUnderstanding
from tests.live.stage_play import sheet
from tests.live.test_session import FakeAnswerer
from voice_server.assets import assets_dir
from voice_server.live import show_events as ev
from voice_server.live.facts import ShopFacts
from voice_server.live.out.output import ShowOutput
from voice_server.live.session import ShowSession
from voice_server.shop import pack
from voice_server.web.live import LiveBackend, add_live
from voice_server.web.live_out import OutBackend, add_live_out
from voice_server.web.pages import add_pages


@dataclass(frozen=True, slots=True)
class Beeping:
    """A show that runs."""

    base: str
    session: ShowSession
    output: ShowOutput


@asynccontextmanager
async def beeping(recordings: Path) -> AsyncIterator[Beeping]:
    """Serve the show, begun, until the end of the block."""
    shop = pack.load(pack.resolve("demo"))
    session = ShowSession(
        sheet("oslo", "nemo", loop=True),
        ShopFacts(shop, "/shop"),
        TableUnderstanding(),
        FakeAnswerer(),  # type: ignore[arg-type]
        Beeps(),
    )
    base = ""
    output = ShowOutput("demo", address=lambda: base, alarms=session.alarms, language="fr")
    app = web.Application()
    add_pages(app, None)
    add_live(app, LiveBackend({"demo": session}.get, assets_dir("avatars")))
    add_live_out(app, OutBackend({"demo": output}.get, recordings))

    async def picture(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(shop.folder / "pictures" / request.match_info["file"])

    app.router.add_get("/shop/pictures/{file}", picture)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    running = asyncio.ensure_future(session.run())
    session.do(ev.Begin())
    try:
        yield Beeping(base, session, output)
    finally:
        await output.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await runner.cleanup()
