"""The calls' console in Chromium: a real line, a softphone on it, and people who look on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.steps import PATIENCE_MS, shoot
from tests.browser.test_accessibility import AUDIT
from tests.fakes.conversation import Script
from tests.telephony.booth import LINE
from tests.telephony.house import Handset, House, house, until
from voice_server.audio.pcm import level_dbfs
from voice_server.conversation.orders import Say
from voice_server.storage import Storage, open_storage
from voice_server.telephony.phrases import PHRASES, PhonePhrase
from voice_server.web.pages import STATIC, _static_files

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NASTY = '<img src=x onerror="window.hacked = 1"> mail ann@example.com about BE-10497'


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[House]:
    """One shop whose store is real."""
    store: Storage = await open_storage("", tmp_path)
    writing = asyncio.ensure_future(store.run())

    async def translate(*, shop: str, text: str, language: str) -> str:
        return f"[fr] {text}"

    line = replace(LINE, shop="marolle", market="BE", staff_language="fr", name="Bruxelles")
    script = Script(lines=[NASTY], speed=1.0)
    async with house(
        script, lines=lambda: (line,), books=lambda: store, translate=translate
    ) as opened:
        router = opened.application.router
        router._frozen = False
        router.add_get("/static/{path:.+}", _static_files(STATIC.resolve()))
        yield opened
    writing.cancel()
    await store.close()


async def keep_alive(handset: Handset, *, loud: bool = False) -> None:
    """The caller's line is never without packets."""
    rng = np.random.default_rng(1)
    while not handset.closed.is_set():
        size = handset.phone.codec.rate // 50
        sound = (rng.standard_normal(size) * (0.2 if loud else 0.0)).astype(np.float32)
        await handset.give(handset.phone.speak(handset.phone.codec.encode(sound)))
        await handset.play()
        await asyncio.sleep(0.02)


async def speak(handset: Handset, seconds: float) -> None:
    """The caller says something."""
    rng = np.random.default_rng(2)
    for _ in range(round(seconds * 50)):
        size = handset.phone.codec.rate // 50
        sound = (rng.standard_normal(size) * 0.3).astype(np.float32)
        await handset.give(handset.phone.speak(handset.phone.codec.encode(sound)))
        await asyncio.sleep(0.02)


async def sounding(page: Page) -> None:
    """Wait until the page plays half a second of the call; it is never late by much."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while (  # noqa: ASYNC110 - only the page knows
            report := await page.evaluate("window.callAudio.report")
        )["receivedMs"] < 500:
            await asyncio.sleep(0.1)
    assert report["waitingMs"] <= 400


async def sign_in(page: Page, site: House, *, language: str = "en", agent: str = "Léa") -> None:
    await page.goto(f"{site.url.replace('127.0.0.1', 'localhost')}/console/calls?lang={language}")
    await page.locator("#agent").fill(agent)
    await page.locator("#sign-form .main").click()
    await expect(page.locator("#sign")).to_be_hidden(timeout=PATIENCE_MS)


async def test_a_call_is_watched_heard_taken_over_given_back_and_ended(
    page: Page, site: House
) -> None:
    await sign_in(page, site)
    await expect(page.locator("#empty")).to_be_visible()
    handset = await Handset.dial(site, "twilio")
    alive = asyncio.create_task(keep_alive(handset))
    try:
        row = page.locator("#queue li")
        await expect(row).to_have_count(1, timeout=PATIENCE_MS)
        await expect(row).to_contain_text("…56 · Bruxelles")
        await row.locator("button").click()
        talk = page.locator("#talk")
        await expect(talk).to_contain_text("Hello this is an AI", timeout=PATIENCE_MS)
        await until(lambda: len(site.conversations[0].of(Say)) == 2)
        await asyncio.sleep(0.8)
        await speak(handset, 0.6)
        said = talk.locator("li.user")
        await expect(said).to_contain_text("[fr] <img src=x", timeout=PATIENCE_MS)
        await expect(said).to_contain_text("BE-10497")
        await expect(said).not_to_contain_text("ann@example.com")
        assert await page.evaluate("window.hacked") is None, "words stay words"
        await expect(page.locator("#latency")).to_contain_text("555 ms")
        await shoot(page, "calls-watched")

        await page.get_by_role("button", name="Listen in").click()
        await expect(page.locator("#banner")).to_contain_text("The caller is told")
        await expect(page.locator("#banner")).to_have_text(
            "You are listening.", timeout=PATIENCE_MS
        )
        told = PHRASES[PhonePhrase.LISTENED]["en"]
        assert told in [say.text for say in site.conversations[0].of(Say)]
        await sounding(page)

        await page.get_by_role("button", name="Take over").click()
        await expect(page.locator("#banner")).to_contain_text("You are speaking with the caller")
        await expect(said).to_contain_text("ann@example.com")  # it is their call now
        session = site.calls.live[0]
        assert (session.flow.stage.value, session.flow.agent) == ("human", "Léa")
        before = len(handset.heard)
        await asyncio.sleep(2.5)  # the announcement, then the fake microphone's vowel
        heard = handset.phone.codec.decode(bytes(handset.heard[before:]))
        assert level_dbfs(heard[-len(heard) // 3 :]) > -60, "the caller hears the microphone"
        await shoot(page, "calls-taken")

        await page.get_by_role("button", name="Give back to the assistant").click()
        await expect(page.locator("#banner")).to_be_hidden()
        returned = PHRASES[PhonePhrase.RETURNED]["en"]
        await until(lambda: returned in [s.text for s in site.conversations[0].of(Say)])
        await expect(talk).to_contain_text("Given back to the assistant by Léa")

        await page.get_by_role("button", name="Hang up").click()
        await page.get_by_role("button", name="Really hang up?").click()
        await expect(page.locator("#trouble")).to_have_text("The call is over.")
        await asyncio.wait_for(handset.closed.wait(), 5)
    finally:
        alive.cancel()
        await handset.end()
    await site.quiet()
    await page.locator("#tab-records").click()
    record = page.locator("#rows tr")
    await expect(record).to_have_count(1, timeout=PATIENCE_MS)
    for words in ("…56", "Bruxelles", "Léa: took over", "Léa: listened", "Léa: hung up"):
        await expect(record).to_contain_text(words)
    async with page.expect_download() as download:
        await page.locator("#csv").click()
    saved = Path(await (await download.value).path())
    text = await asyncio.to_thread(saved.read_text, "utf-8-sig")
    assert text.splitlines()[0].startswith("id,shop_id,vendor,line,market")
    assert ",marolle,twilio,Bruxelles,BE,inbound,…56," in text
    await page.locator("#vendors").select_option("sip")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator("#no-records")).to_be_visible()


async def test_keyboard_and_what_a_second_person_sees(browser: Browser, site: House) -> None:
    handset = await Handset.dial(site, "vonage")
    alive = asyncio.create_task(keep_alive(handset))
    first, second = [await browser.new_context(locale="en-GB") for _ in range(2)]
    one, two = await first.new_page(), await second.new_page()
    try:
        await sign_in(one, site)
        await sign_in(two, site, agent="Tom")
        for page in (one, two):
            await expect(page.locator("#queue li")).to_have_count(1, timeout=PATIENCE_MS)
            await page.locator("#queue button").focus()
            await page.keyboard.press("Enter")
            await expect(page.locator("#case-title")).to_be_visible()
        await until(lambda: site.calls.live[0].flow.stage.value == "talking")
        await one.get_by_role("button", name="Take over").focus()
        await one.keyboard.press("Enter")
        await expect(one.locator("#banner")).to_contain_text("You are speaking")
        await expect(two.locator("#chips")).to_contain_text("With Léa", timeout=PATIENCE_MS)
        await expect(two.get_by_role("button", name="Take over")).to_have_count(0)
        await two.get_by_role("button", name="Listen in").click()
        await two.get_by_role("button", name="Whisper to the colleague").click()
        await expect(two.locator("#banner")).to_contain_text("Léa hears you")
        await two.locator("#words").fill("<b>offer a voucher</b>")
        await two.keyboard.press("Enter")
        await expect(one.locator("#talk")).to_contain_text("Tom: <b>offer a voucher</b>")
        await one.close()  # the person's page is gone: the assistant has the caller again
        await until(lambda: site.calls.live[0].flow.stage.value == "talking")
        await expect(two.locator("#chips")).to_contain_text("Assistant", timeout=PATIENCE_MS)
        await two.keyboard.press("Tab")
        await two.locator("#actions button").first.focus()
        await two.keyboard.press("Escape")
        await expect(two.locator("#nothing")).to_be_visible()
    finally:
        alive.cancel()
        await handset.end()
        await first.close()
        await second.close()


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light"), (1280, "dark")])
async def test_audit(browser: Browser, site: House, width: int, theme: str) -> None:
    handset = await Handset.dial(site, "twilio")
    alive = asyncio.create_task(keep_alive(handset))
    context = await browser.new_context(
        viewport={"width": width, "height": 760},
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-GB",
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    try:
        await sign_in(page, site, language="de")
        await expect(page.locator("#queue li")).to_have_count(1, timeout=PATIENCE_MS)
        assert await page.evaluate(AUDIT) == []
        await shoot(page, f"calls-list-{width}-{theme}")
        await page.locator("#queue button").click()
        await expect(page.locator("#talk li")).not_to_have_count(0, timeout=PATIENCE_MS)
        await asyncio.sleep(1.0)
        await speak(handset, 0.6)
        await expect(page.locator("#latency")).to_be_visible(timeout=PATIENCE_MS)
        await page.get_by_role("button", name="Übernehmen").click()
        await expect(page.locator("#banner")).to_be_visible()
        assert await page.evaluate(AUDIT) == []
        await shoot(page, f"calls-call-{width}-{theme}")
        await (
            page.get_by_role("button", name="Zurückgeben")
            .or_(page.get_by_role("button", name="Dem Assistenten zurückgeben"))
            .click()
        )
        await page.get_by_role("button", name="Auflegen").click()
        await page.get_by_role("button", name="Wirklich auflegen?").click()
        await asyncio.wait_for(handset.closed.wait(), 5)
        await site.quiet()
        await page.locator("#tab-records").click()
        await expect(page.locator("#rows tr")).to_have_count(1, timeout=PATIENCE_MS)
        assert await page.evaluate(AUDIT) == []
        await shoot(page, f"calls-records-{width}-{theme}")
        assert complaints == []
    finally:
        alive.cancel()
        await handset.end()
        await context.close()
