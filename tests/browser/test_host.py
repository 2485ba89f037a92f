"""The host's pages in Chromium: the editor of run-sheets, the desk, the microphone, the report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from tests.browser.steps import PATIENCE_MS, shoot
from tests.live.conftest import shop, understanding  # noqa: F401
from tests.live.crowd import says
from tests.live.test_session import WordVoice
from voice_server.config import Settings
from voice_server.dialogue.guards.packs import load_guards
from voice_server.live import show_events as ev
from voice_server.live.session import ShowSession
from voice_server.live.show import State
from voice_server.live.understanding import ShopUnderstanding
from voice_server.shop.shop import Shop
from voice_server.shows import ShopEngines, Shows
from voice_server.web.pages import add_pages

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SHEET = """
[show]
id = "evening"
title.en = "Evening"
language = "en"
languages = ["fr"]
auto_answer = false
loop = true
{more}
[[segment]]
id = "oslo"
product = "oslo"
duration_s = 600
[[segment]]
id = "nemo"
product = "nemo"
duration_s = 90
"""


@dataclass
class House:
    """A server with one show, and its data."""

    url: str
    shows: Shows
    data: Path

    @property
    def show(self) -> ShowSession:
        found = self.shows.get("evening")
        assert found is not None
        return found

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="session")
async def house(
    request: pytest.FixtureRequest,
    shop: Shop,  # noqa: F811
    understanding: ShopUnderstanding,  # noqa: F811
    tmp_path: Path,
) -> AsyncIterator[House]:
    """A show of two lamps with a voice of silence."""
    path = tmp_path / "evening.toml"
    path.write_text(SHEET.format(more=getattr(request, "param", "")))
    settings = Settings(llm="none", shows=(path,), data=tmp_path / "data", show_crowd=False)
    shows = Shows(settings)
    shows.open(
        ShopEngines(
            shop,
            "/shop",
            understanding._knowledge,
            understanding._embedder,
            understanding._identify,
            cast(Any, None),
            WordVoice(),
            {language: load_guards(language) for language in shop.languages},
        ),
        first=True,
    )
    app = web.Application()
    add_pages(app, None)
    shows.add_routes(app)
    app.router.add_static("/shop/", shop.folder)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running = asyncio.ensure_future(shows.run())
    found = House(f"http://localhost:{runner.addresses[0][1]}", shows, tmp_path / "data")
    await found.until(lambda: shows.get("evening"))
    yield found
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()


async def names(page: Page) -> list[str]:
    return await page.locator("#segments .name b").all_inner_texts()


async def open_editor(page: Page, house: House) -> None:
    await page.goto(f"{house.url}/console/shows/evening/sheet")
    await expect(page.locator("#segments li")).to_have_count(2)


async def open_desk(page: Page, house: House) -> None:
    await page.goto(f"{house.url}/console/shows/evening")
    await expect(page.locator("#state b")).to_be_visible()


# ---------------------------------------------------------------------------- the editor


async def test_a_run_sheet_is_edited_saved_and_had_back(page: Page, house: House) -> None:
    await open_editor(page, house)
    assert await names(page) == ["Oslo table lamp", "Nemo night light"]
    assert "11:30" in await page.locator("#total").inner_text()
    await page.locator("#add").click()
    await page.locator("#find").fill("aurora")
    assert await page.locator("#found img").count() == 1
    await shoot(page, "sheet-picker")
    await page.locator('#found [data-product="aurora"]').click()
    assert (await names(page))[2] == "Aurora throw"
    # By keyboard, then by hand.
    await page.locator("#segments .handle").nth(2).focus()
    await page.keyboard.press("ArrowUp")
    assert await names(page) == ["Oslo table lamp", "Aurora throw", "Nemo night light"]
    handle = await page.locator("#segments .handle").nth(2).bounding_box()
    first = await page.locator("#segments li").nth(0).bounding_box()
    assert handle is not None
    assert first is not None
    await page.mouse.move(handle["x"] + 10, handle["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(handle["x"] + 10, first["y"] + 40, steps=6)
    await page.mouse.move(handle["x"] + 10, first["y"] + 5, steps=4)
    await page.mouse.up()
    assert await names(page) == ["Nemo night light", "Oslo table lamp", "Aurora throw"]
    await page.locator("#segments .name").nth(2).click()
    await page.locator('[data-place="segment.2.duration_s"]').fill("2:30")
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_contain_text("Saved")
    assert "14:00" in await page.locator("#total").inner_text()
    assert [entry.id for entry in house.show.sheet.segments] == ["nemo", "oslo", "3-aurora"]
    await page.reload()
    await expect(page.locator("#segments li")).to_have_count(3)
    await shoot(page, "sheet-editor")
    await page.locator("#versions").click()
    await shoot(page, "sheet-versions")
    await page.locator("#history-list button").last.click()
    await expect(page.locator("#segments li")).to_have_count(2)
    kept = await house.shows.sheets.get("evening")
    assert kept is not None
    assert kept.version == 2


async def test_what_is_wrong_is_shown_at_its_field_and_nothing_is_kept(
    page: Page, house: House
) -> None:
    await open_editor(page, house)
    await page.locator('[data-place="segment.0.duration_s"]').fill("0:05")
    await page.locator("#panel button", has_text="Add a flash sale").click()
    await page.locator('[data-place="segment.0.flash.price"]').fill("99")
    await page.locator('[data-place="segment.0.flash.code"]').fill("no way!")
    await page.locator("#save").click()
    problem = page.locator('[data-problem="segment.0.duration_s"]')
    await expect(problem).to_have_text("At least 0:10.")
    await expect(page.locator('[data-place="segment.0.duration_s"]')).to_have_attribute(
        "aria-invalid", "true"
    )
    assert await page.locator('[data-problem="segment.0.flash.code"]').inner_text()
    await shoot(page, "sheet-problems")
    await page.locator('[data-place="segment.0.duration_s"]').fill("2:00")
    await page.locator('[data-place="segment.0.flash.code"]').fill("LIVE10")
    await page.locator("#save").click()
    await expect(page.locator('[data-problem="segment.0.flash.price"]')).to_contain_text("49.90")
    kept = await house.shows.sheets.get("evening")
    assert kept is not None
    assert kept.version == 0
    await page.locator('[data-place="segment.0.flash.price"]').fill("44,90")
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_contain_text("Saved")
    flash = house.show.sheet.segments[0].flash
    assert flash is not None
    assert str(flash.price) == "44.90"


async def test_undo_and_a_second_editor(page: Page, house: House) -> None:
    await open_editor(page, house)
    await page.locator("#segments .line > button.icon").nth(1).click()
    assert await names(page) == ["Oslo table lamp"]
    await page.locator("#undo").click()
    assert len(await names(page)) == 2
    await page.locator("#redo").click()
    assert len(await names(page)) == 1
    table = {"show": {"id": "evening", "language": "en"}, "segment": [{"product": "luna"}]}
    await house.shows.sheets.save("evening", table, 0)
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_contain_text("version 1")
    await page.locator("#notice button", has_text="Keep mine").click()
    await expect(page.locator("#notice")).to_contain_text("Saved")
    assert [entry.product_id for entry in house.show.sheet.segments] == ["oslo"]


async def test_the_script_is_read_taken_over_and_doubted(page: Page, house: House) -> None:
    await open_editor(page, house)
    await expect(page.locator(".script li.auto").first).to_be_visible()
    await page.locator("#panel button", has_text="Take over and approve").click()
    lines = page.locator(".script textarea")
    await expect(lines.first).to_be_visible()
    await expect(page.locator(".script .said", has_text="€49.90").first).to_be_visible()
    await lines.first.fill("Today it is only 12 euros.")
    await lines.first.blur()
    await expect(page.locator(".script .said.trouble").first).to_contain_text("12 euros")
    await shoot(page, "sheet-script")
    await lines.first.fill("Today it costs {price}.")
    await lines.first.blur()
    await expect(page.locator(".script li").first.locator(".said").first).to_contain_text("€49.90")
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_contain_text("Saved")
    points = house.show.sheet.segments[0].points
    assert points["en"][0] == "Today it costs {price}."
    assert len(points["fr"]) == len(points["en"])


async def test_editing_while_the_show_runs(page: Page, house: House) -> None:
    session = house.show
    session.do(ev.Begin())
    await house.until(lambda: session.segment_id == "oslo")
    await open_editor(page, house)
    await expect(page.locator("#segments .chip.warn").first).to_have_text("On air")
    await page.locator("#segments .line > button.icon").nth(0).click()
    await expect(page.locator("#notice")).to_contain_text("cannot be removed now")
    await page.locator("#add").click()
    await page.locator('#found [data-product="luna"]').click()
    await page.locator("#save").click()
    await expect(page.locator("#notice")).to_contain_text("segments to come")
    assert house.show is session
    assert session.state in (State.ON_AIR, State.LULL)
    assert [entry.product_id for entry in session.sheet.segments] == ["oslo", "nemo", "luna"]


async def test_shows_are_listed_duplicated_and_deleted(page: Page, house: House) -> None:
    await page.goto(f"{house.url}/console/shows")
    await page.locator('[data-show="evening"] button', has_text="Duplicate").click()
    copy = page.locator('[data-show="evening-2"]')
    await expect(copy).to_be_visible()
    await shoot(page, "shows")
    await house.until(lambda: house.shows.get("evening-2"))
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await copy.locator("button", has_text="Delete").click()
    await expect(copy).to_have_count(0)
    assert house.shows.get("evening-2") is None


# ---------------------------------------------------------------------------- the desk


async def test_questions_with_reasons_and_the_hosts_own_answer(page: Page, house: House) -> None:
    session = house.show
    session.do(ev.Begin())
    await house.until(lambda: session.segment_id == "oslo")
    await open_desk(page, house)
    session.chat(says("How much is the Oslo lamp?", "Ana", language="en"))
    session.chat(says("Combien coûte la lampe Oslo ?", "Bo", language="fr"))
    session.chat(says("Can I wash the shade of the Oslo?", "Cy", language="en"))
    price = page.locator("#queue > li", has_text="How much")
    await expect(price).to_contain_text("×2")
    await expect(price.locator(".chip.lang")).to_have_text(["EN", "FR"])
    await expect(price).to_contain_text("several ask")
    await expect(price).to_contain_text("product on screen")
    await shoot(page, "desk-questions")
    await price.get_by_role("button", name="Answer").click()
    await house.until(lambda: session.counts["answered"] == 1)
    other = page.locator("#tabs button", has_text="For you")
    wash = page.locator("#queue > li", has_text="wash")
    if not await wash.count():
        await other.click()
    await wash.get_by_role("button", name="Word it").click()
    answer = wash.locator("textarea")
    await expect(wash.locator(".writing [role=status]")).not_to_contain_text("Looking")
    await answer.fill("Yes, wash it by hand at 30 degrees.")
    await wash.get_by_role("button", name="Say it on air").click()
    await expect(wash.locator(".trouble")).to_contain_text("not in the shop's facts")
    await shoot(page, "desk-refused")
    await wash.get_by_role("button", name="on my word").click()
    await expect(page.locator("#line", has_text="30 degrees")).to_be_visible(timeout=60_000)
    await expect(page.locator("#line .chip")).to_have_text("your words")


async def test_say_this_and_a_price_that_is_not_the_shops(page: Page, house: House) -> None:
    session = house.show
    session.do(ev.Begin())
    await house.until(lambda: session.segment_id == "oslo")
    await open_desk(page, house)
    await page.locator("#text").fill("The Oslo is only 9 euros tonight!")
    await page.locator("#send").click()
    await expect(page.locator("#say-answer")).to_contain_text("9 euros")
    assert await page.locator("#say-answer button").count() == 0
    await page.locator("#text").fill("Good evening to you all!")
    await page.locator("#send").click()
    await expect(page.locator("#line")).to_contain_text("Good evening", timeout=60_000)


async def test_alarms_stand_and_go(page: Page, house: House) -> None:
    await open_desk(page, house)
    house.show.alarms.sound("source", "twitch:x", "the chat is <b>away</b>", now=1.0)
    await expect(page.locator("#alarms")).to_contain_text("the chat is <b>away</b>")
    await page.wait_for_function("() => document.title.startsWith('⚠')")
    await shoot(page, "desk-alarm")
    house.show.alarms.clear("source", "twitch:x")
    await expect(page.locator("#alarms")).to_be_empty()
    await page.wait_for_function("() => !document.title.startsWith('⚠')")


async def test_the_host_takes_the_microphone_and_gives_it_back(
    page: Page, house: House, browser: Browser
) -> None:
    session = house.show
    session.do(ev.Begin())
    await house.until(lambda: session.segment_id == "oslo")
    context = await browser.new_context(viewport={"width": 960, "height": 540})
    stage = await context.new_page()
    await stage.goto(f"{house.url}/stage/evening?muted")
    await stage.wait_for_function("() => window.stage?.avatar")
    await stage.evaluate("""() => {
      window.heard = [];
      const play = window.stage.clock.play.bind(window.stage.clock);
      window.stage.clock.play = (id, ...more) => (window.heard.push(id), play(id, ...more));
    }""")
    await open_desk(page, house)
    await page.get_by_role("button", name="Take the microphone").click()
    await house.until(lambda: session.state is State.HOST)
    await expect(page.locator("#mic-strip")).to_be_visible()
    await stage.wait_for_function(
        "() => window.heard.filter((id) => id.startsWith('host-')).length > 20"
    )
    await shoot(page, "desk-microphone")
    await page.get_by_role("button", name="Give the microphone back").click()
    await house.until(lambda: session.state in (State.ON_AIR, State.LULL))
    await expect(page.locator("#mic-strip")).to_be_hidden()
    await context.close()


@pytest.mark.parametrize("house", ['policy = "tiktok_shop_us"'], indirect=True)
async def test_the_teleprompter(page: Page, house: House) -> None:
    await open_desk(page, house)
    await expect(page.locator("#prompter")).to_contain_text("Teleprompter")
    await expect(page.locator("#policy")).to_contain_text("no AI voice")
    await page.get_by_role("button", name="Begin").click()
    line = page.locator("#line")
    await expect(line).to_contain_text("Hello everyone")
    await shoot(page, "desk-prompter")
    await page.locator("h1").click()
    await page.keyboard.press("Space")
    await expect(line).not_to_contain_text("Hello everyone")


async def test_the_desk_on_a_phone(page: Page, house: House) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    house.show.do(ev.Begin())
    await open_desk(page, house)
    for view in ("stage", "sheet", "chat", "queue"):
        await page.locator(f'#views button[data-view="{view}"]').click()
        await expect(page.locator(f'[data-part="{view}"]')).to_be_visible()
        await shoot(page, f"desk-phone-{view}")
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, view


# ---------------------------------------------------------------------------- captions, report


async def test_captions_go_at_the_pace_of_speech(page: Page, house: House) -> None:
    await page.goto(f"{house.url}/stage/evening?muted")
    await page.wait_for_function("() => window.stage?.avatar")
    long = (
        "This lamp lights the whole room softly, and its base of brushed metal is touched to set "
        "the light in three levels, from a candle to a reading light."
    )
    seen = await page.evaluate(
        """async (text) => {
      const { cues } = await import("/static/stage/captions.js");
      const stage = window.stage;
      stage.setCaptions("en");
      stage.on({ type: "line", id: "x", language: "en", text, captions: { en: text }, seconds: 3 });
      const found = [];
      const until = performance.now() + 3500;
      while (performance.now() < until) {
        const now = document.querySelector(".caption").textContent;
        if (found.at(-1) !== now) found.push(now);
        await new Promise((r) => setTimeout(r, 50));
      }
      stage.on({ type: "captions", id: "x", captions: { fr: "Bonsoir à tous." } });
      stage.setCaptions("fr");
      return [found, cues(text), document.querySelector(".caption").textContent];
    }""",
        long,
    )
    assert seen[0] == seen[1]
    assert len(seen[1]) >= 2
    assert " ".join(seen[1]) == long
    assert seen[2] == "Bonsoir à tous."


async def test_the_report_has_plots_and_goes_along(page: Page, house: House) -> None:
    session = house.show
    session.do(ev.Begin())
    await house.until(lambda: session.segment_id == "oslo")
    session.chat(says("How much is the Oslo lamp?", "Ana", language="en"))
    session.chat(says("Can I wash the shade of the Oslo?", "Cy", language="en"))
    await house.until(lambda: session.counts["questions"] == 2)
    await page.goto(f"{house.url}/console/shows/evening/report")
    await expect(page.locator(".facts b").first).to_have_text("2")
    assert await page.locator("svg rect").count() >= 2
    await expect(page.locator("table")).to_contain_text("wash")
    await shoot(page, "report")
    async with page.expect_download() as download:
        await page.locator("#csv").click()
    path = await (await download.value).path()
    text = await asyncio.to_thread(Path(path).read_text)
    assert "wash the shade" in text
    session.do(ev.Stop())
    session.do(ev.Stop())
    await house.until(lambda: house.shows.reports.all("evening"))
    await page.reload()
    await expect(page.locator("#which option")).to_have_count(2)
    await page.locator("#which").select_option(index=1)
    await expect(page.locator(".facts b").first).to_have_text("2")


async def test_a_heap_of_the_hosts_voice_does_not_stay_late(page: Page, house: House) -> None:
    await page.goto(f"{house.url}/stage/evening?muted")
    await page.wait_for_function("() => window.stage?.avatar")
    ahead, played, later = await page.evaluate("""async () => {
      const { stage } = window;
      const play = stage.clock.play.bind(stage.clock);
      let played = 0;
      stage.clock.play = (...given) => ((played += 1), play(...given));
      for (let i = 0; i < 150; i += 1) {
        const header = { id: "host-1", at_ms: i * 20, rate: 24000, lead_ms: 60, visemes: [] };
        stage.onSpeech({ ...header, host: true }, new Int16Array(480));
      }
      const ahead = stage.clock.until - stage.clock.time();
      const heap = played;
      for (let i = 150; i < 300; i += 1) {
        await new Promise((r) => setTimeout(r, 20));
        const header = { id: "host-1", at_ms: i * 20, rate: 24000, lead_ms: 60, visemes: [] };
        stage.onSpeech({ ...header, host: true }, new Int16Array(480));
      }
      return [ahead, heap, stage.clock.until - stage.clock.time()];
    }""")
    assert ahead < 0.4  # three seconds came at once
    assert 10 <= played <= 25
    assert later < 0.2  # taken back in the pauses
