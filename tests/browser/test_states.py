"""Every state is shown by text, icon, colour and the right action; in both themes and two sizes."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Site
from tests.browser.steps import (
    PATIENCE_MS,
    ask,
    greeted,
    part,
    passed,
    shoot,
    state_is,
    talk,
    visit,
)
from tests.fakes.realtime_server import Spoken

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CARDS = [
    {
        "product_id": "oslo",
        "name": "Oslo table lamp",
        "price": "€49.90",
        "was_price": "€59.90",
        "stock": "In stock, at your home tomorrow",
        "image": "/shop/pictures/oslo.svg",
        "url": "/p/oslo",
    },
    {
        "product_id": "luna",
        "name": "Luna pendant lamp",
        "price": "€50.90",
        "was_price": "",
        "stock": "3 left",
        "image": "/shop/pictures/luna.svg",
        "url": "",
    },
]
SOURCES = [
    {
        "source_id": "policy-delivery",
        "title": "Delivery in Belgium",
        "excerpt": "We deliver in Belgium within one to two working days.",
        "url": "https://marolle.example/delivery",
    }
]
ANSWER = (
    Spoken("One moment.", 400, kind="opener"),
    Spoken("The Oslo lamp is €49.90 instead of €59.90.", 900, cards=CARDS),
    Spoken("We deliver within one to two working days.", 6000, citations=SOURCES),
)
SHAPES = {
    "desktop": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
}


LOOKS = [("desktop", "light"), ("phone", "dark")]
if os.environ.get("VOICE_SCREENSHOTS"):
    LOOKS += [("desktop", "dark"), ("phone", "light")]


@pytest.mark.parametrize(("shape", "theme"), LOOKS)
async def test_walk_through_all_states(
    browser: Browser, site: Site, shape: str, theme: str
) -> None:
    context = await browser.new_context(
        viewport=SHAPES[shape],  # type: ignore[arg-type]
        color_scheme=theme,  # type: ignore[arg-type]
        locale="en-GB",
        has_touch=shape == "phone",
        service_workers="block",
    )
    page = await context.new_page()
    fake = site.realtime
    fake.script.answer = ANSWER

    async def shows(state: str, icon: str, text: str, orb: str) -> None:
        await state_is(page, state)
        await expect(part(page, ".status-icon svg")).to_have_attribute("data-icon", icon)
        await expect(part(page, ".status strong")).to_have_text(text)
        await expect(part(page, ".orb")).to_have_attribute("aria-label", orb)
        await shoot(page, f"{shape}-{theme}-{state}")

    await visit(page, site.url)
    await shoot(page, f"{shape}-{theme}-page")
    await page.evaluate("document.querySelector('voice-button').open()")
    await shows("idle", "spark", "Ready when you are", "Start the conversation")

    fake.script.silent = True
    await part(page, ".orb").click()
    await shows("connecting", "spinner", "Connecting…", "Connecting…")
    await part(page, ".end").click()
    fake.script.silent = False

    await part(page, ".minimise").click()
    await greeted(page, fake)
    await shows("listening", "mic", "Listening", "Mute")

    fake.script.thinking_ms = 1500
    await ask(page, "How much is the Oslo lamp, and when can I have it?")
    await shows("thinking", "dots", "Thinking…", "Stop the answer")
    await state_is(page, "speaking")
    await expect(part(page, ".card")).to_have_count(2, timeout=PATIENCE_MS)
    await shows("speaking", "speaker", "Speaking", "Stop the answer")
    await expect(part(page, ".chip")).to_have_count(1, timeout=PATIENCE_MS)
    await shoot(page, f"{shape}-{theme}-speaking-sources")

    await fake.pause(heard_ms=1500)
    await shows("paused", "pause", "Go on, I’m listening", "Stop the answer")
    await fake.go_on(offset_ms=1500)
    await state_is(page, "speaking")

    fake.script.silent = True
    fake.drop()
    await shows("reconnecting", "retry", "Reconnecting…", "Reconnecting…")
    await part(page, ".end").click()
    fake.script.silent = False

    fake.script.close_code = 1013
    await part(page, ".orb").click()
    await shows("error", "warning", "Not connected", "Try again")
    await expect(part(page, ".notice p")).to_have_text(
        "All lines are busy right now. Please try again in a moment."
    )
    fake.script.close_code = None

    await page.get_by_role("radio", name="Press to talk").check()
    await part(page, ".retry").click()
    await passed(page, "error", "connecting", "speaking")
    await shows("ready", "hand", "Ready", "Hold to talk")
    await context.close()


async def test_minimised_button_shows_the_running_state(page, site: Site) -> None:  # type: ignore[no-untyped-def]
    await visit(page, site.url)
    await greeted(page, site.realtime)
    await part(page, ".minimise").click()
    await expect(part(page, ".launcher b")).to_have_text("Listening")
    await expect(part(page, ".launcher")).to_be_focused()
    await talk(page)
    await expect(part(page, ".panel")).to_be_visible()
    assert len(site.realtime.connections) == 1
