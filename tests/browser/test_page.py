"""The demo shop's page around the button, and the installed application."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.steps import visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_products_prices_and_flags(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await expect(page.locator("h1")).to_have_text("Just ask. Out loud.")
    await expect(page.locator("#shop-name")).to_have_text("Marolle")
    first = page.locator(".tile").first
    await expect(first.locator("h3")).to_have_text("Oslo table lamp")
    await expect(first.locator(".price b")).to_have_text("€49.90")
    await expect(first.locator(".price s")).to_have_text("€59.90")
    await expect(first.locator(".flag").first).to_have_text("Sale")
    await expect(page.locator(".tile").nth(2).locator(".price")).to_contain_text("from")
    await expect(page.locator(".tile").nth(4).locator(".flag").first).to_have_text("Sold out")
    loaded = await first.locator("img").evaluate(
        "async (img) => { await img.decode(); return img.naturalWidth; }"
    )
    assert loaded > 0


async def test_all_products_on_request(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await expect(page.locator(".tile")).to_have_count(12)
    await page.get_by_role("button", name="Show all 14 products").click()
    await expect(page.locator(".tile")).to_have_count(14)
    await expect(page.locator("#more")).to_be_hidden()


async def test_language_is_switched_and_remembered(page: Page, site: Site) -> None:
    await page.goto(site.url)
    await page.get_by_role("button", name="FR", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Demandez, à voix haute.")
    await expect(page.locator("html")).to_have_attribute("lang", "fr")
    await expect(page.locator(".tile .price b").first).to_have_text("49,90\xa0€")
    await expect(page.locator("voice-button .launcher b")).to_have_text("Posez votre question")
    await expect(page.locator(".examples button").first).to_have_text(
        "Combien coûte la lampe Oslo ?"
    )
    await page.reload()
    await expect(page.locator("h1")).to_have_text("Demandez, à voix haute.")


async def test_theme_is_switched_and_remembered(page: Page, site: Site) -> None:
    await visit(page, site.url)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(ground) == "rgb(255, 255, 255)"
    await page.get_by_role("button", name="Light or dark").click()
    assert await page.evaluate(ground) == "rgb(18, 19, 23)"
    await page.reload()
    await page.wait_for_selector(".tile")
    assert await page.evaluate(ground) == "rgb(18, 19, 23)"


async def test_product_can_be_asked_about(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.get_by_role("button", name="Ask about Oslo table lamp").first.click()
    await site.realtime.until(lambda: bool(site.realtime.of_type("conversation.item.create")))
    item = site.realtime.of_type("conversation.item.create")[0]["item"]
    assert item["content"] == [{"type": "input_text", "text": "Tell me about the Oslo table lamp."}]


async def test_snippet_names_this_server(page: Page, site: Site) -> None:
    await visit(page, site.url)
    snippet = await page.locator("#snippet").inner_text()
    assert f'src="{site.url}/static/voice-button.js"' in snippet
    assert f'server="{site.url.replace("http", "ws")}"' in snippet


async def test_no_request_leaves_our_origin_and_csp_is_quiet(page: Page, site: Site) -> None:
    elsewhere: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda r: None if r.url.startswith(site.url) else elsewhere.append(r.url))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    await visit(page, site.url)
    await page.wait_for_load_state("networkidle")
    assert [url for url in elsewhere if not url.startswith("data:")] == []
    assert complaints == []


async def test_shell_opens_offline_but_facts_are_never_kept(browser: Browser, site: Site) -> None:
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    await visit(page, site.url)
    await page.evaluate("navigator.serviceWorker.ready")
    await page.wait_for_function(
        "async () => (await (await caches.open('voice-shell-1')).keys()).length > 20"
    )
    await page.reload()
    await page.wait_for_selector(".tile")
    kept = await page.evaluate(
        """async () => {
          const kept = await (await caches.open("voice-shell-1")).keys();
          return kept.map(({ url }) => new URL(url).pathname);
        }"""
    )
    assert not [path for path in kept if path.startswith(("/api", "/v1", "/shop"))]
    await context.set_offline(True)
    await page.reload()
    await expect(page.locator("#offline")).to_contain_text("You are offline")
    await expect(page.locator("voice-button .launcher b")).to_have_text("Ask by voice")
    await context.set_offline(False)
    await expect(page.locator(".tile")).to_have_count(12)
    await context.close()
