"""One script tag on somebody else's site: another origin, another stylesheet, no build step."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.steps import events, greeted, part, passed, shoot, state_is, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SHOP_PAGE = """<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>Bakkerij</title>
<style>* {{ font-family: serif; }} button {{ background: red !important; width: 500px; }}</style>
<style>voice-button {{ --voice-accent: #0a7450; --voice-on-accent: #ffffff; }}
voice-button::part(launcher) {{ border-radius: 12px; }}</style>
<script>window.seen = {{}};
for (const name of ["voice-state", "voice-transcript", "voice-card", "voice-error"])
  document.addEventListener(name, ({{ detail }}) => (window.seen[name] ??= []).push(detail));
</script>
<script type="module" src="{host}/static/voice-button.js"></script></head>
<body><h1>Bakkerij</h1><a href="#x">Brood</a>
<voice-button server="{host}" mode="hands-free" language="auto"></voice-button></body></html>"""


@pytest_asyncio.fixture(loop_scope="session")
async def other_origin(site: Site) -> AsyncIterator[str]:
    """A shop's own site, which knows nothing of us but the script's address."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=SHOP_PAGE.format(host=site.url), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    yield f"http://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_works_from_another_origin(page: Page, site: Site, other_origin: str) -> None:
    await page.goto(other_origin)
    await expect(part(page, ".launcher b")).to_have_text("Stel je vraag")
    await shoot(page, "embedded-launcher")
    await greeted(page, site.realtime)
    await state_is(page, "listening")
    await expect(part(page, ".assistant")).to_contain_text("AI assistant")
    assert (await events(page, "voice-state"))[0] == {"state": "connecting"}
    assert site.realtime.of_type("voice_server.playback"), "the worklets came from our origin"
    assert len(site.realtime.audio_frames) > 0
    await shoot(page, "embedded-open")


async def test_takes_the_shops_colours_but_not_its_rules(page: Page, other_origin: str) -> None:
    await page.goto(other_origin)
    launcher = part(page, ".launcher")
    bead = part(page, ".bead")
    style = "(element, name) => getComputedStyle(element)[name]"
    assert await bead.evaluate(style, "backgroundColor") == "rgb(10, 116, 80)"
    assert await launcher.evaluate(style, "borderRadius") == "12px"
    assert await launcher.evaluate(style, "backgroundColor") != "rgb(255, 0, 0)"


async def test_methods_drive_it(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.locator("h1").click()
    await page.evaluate("document.querySelector('voice-button').ask('Hello?')")
    await passed(page, "speaking")
    await page.evaluate("document.querySelector('voice-button').end()")
    await state_is(page, "idle")
    await page.evaluate("document.querySelector('voice-button').close()")
    await expect(part(page, ".panel")).to_be_hidden()


async def test_removed_element_hangs_up(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await greeted(page, site.realtime)
    await page.evaluate("document.querySelector('voice-button').remove()")
    await site.realtime.until(lambda: not site.realtime.connected)
