"""The desk in Chromium: somebody waits, is taken over, hears an answer, and is given back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.steps import PATIENCE_MS, shoot
from tests.browser.test_accessibility import AUDIT
from tests.desk.cases import case
from tests.web.desk_site import DeskSite, desk_site
from voice_server.desk import live
from voice_server.desk.packet import Line

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NASTY = '<img src=x onerror="window.hacked = 1"> Waar blijft mijn pakje?'


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[DeskSite]:
    async with desk_site() as opened:
        yield opened


async def hand_off(site: DeskSite) -> str:
    """Three cases, one of them on the line."""
    await site.marolle.service.hand_off(
        case(session_id="sess_2", intent="order_status", customer_name="Jan Claes", language="nl")
    )
    site.marolle.call()
    result = await site.marolle.service.hand_off(
        case(
            reason="emotional",
            transcript=(
                Line(
                    "assistant", "Dag, waarmee kan ik u helpen?", "nl", "Bonjour, puis-je aider ?"
                ),
                Line("user", NASTY, "nl", "Où reste mon colis ?"),
                Line("user", "Dit is onaanvaardbaar, BE-10023!", "nl", "C'est inacceptable !"),
            ),
        )
    )
    await site.marolle.service.hand_off(
        case(session_id="sess_3", intent="product_advice", customer_name="", language="de")
    )
    return result.packet_id


async def sign_in(page: Page, site: DeskSite, *, language: str = "fr") -> None:
    await page.goto(f"{site.url}/console/desk?lang={language}")
    await page.locator("#agent").fill("Léa")
    await page.locator("#key").fill("sk-marolle")
    await page.locator("#sign-form .main").click()
    await expect(page.locator("#sign")).to_be_hidden(timeout=PATIENCE_MS)
    await expect(page.locator("#queue li")).to_have_count(3, timeout=PATIENCE_MS)


async def test_a_conversation_is_taken_over_and_given_back(page: Page, site: DeskSite) -> None:
    case_id = await hand_off(site)
    call = site.marolle.service.calls.get("sess_1")
    assert call is not None
    await sign_in(page, site)
    first = page.locator("#queue li").first
    await expect(first).to_contain_text("Ann Peeters")
    await expect(first.locator(".chip").first).to_have_text("haute")
    await first.locator("button").click()
    await expect(page.locator("#case-title")).to_contain_text("Ann Peeters")
    await expect(page.locator(".summary")).to_contain_text("La personne est contrariée")
    talk = page.locator("#talk")
    await expect(talk).to_contain_text("Où reste mon colis ?")
    await expect(talk).to_contain_text(NASTY)
    assert await page.evaluate("window.hacked") is None, "words stay words"
    await shoot(page, "desk-waiting")

    await expect(page.locator("#composer")).to_be_hidden()
    await page.get_by_role("button", name="Prendre en charge").click()
    await expect(page.locator("#composer")).to_be_visible()
    await page.locator("#words").fill("Bonjour BE-10023")
    await page.locator("#words").press("Enter")
    mine = talk.locator("li.human")
    await expect(mine).to_contain_text("Goedendag BE-10023")
    await expect(mine.locator(".status")).to_have_text("Entendu", timeout=PATIENCE_MS)
    call.happened(live.CustomerSaid("i1", "Hallo", "nl"))
    await expect(talk.locator("li.user").last).to_contain_text("Allô")
    await shoot(page, "desk-talking")

    await page.get_by_role("button", name="Rendre à l'assistant").click()
    await expect(page.locator("#queue li")).to_have_count(2)
    await expect(page.locator("#composer")).to_be_hidden()
    found = await site.marolle.console.case(case_id)
    assert found is not None
    assert found.state.value == "closed"


async def test_keyboard_wrong_key_and_what_comes_by_itself(page: Page, site: DeskSite) -> None:
    await hand_off(site)
    await page.goto(f"{site.url}/console/desk?lang=en")
    await page.locator("#agent").fill("Léa")
    await page.locator("#key").fill("sk-wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("#sign-trouble")).to_have_text("This key is not accepted.")
    await page.locator("#key").fill("sk-all")
    await page.keyboard.press("Enter")
    await expect(page.locator("#queue li")).to_have_count(3, timeout=PATIENCE_MS)
    await page.locator("#queue button").first.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#case-title")).to_contain_text("Jan Claes")
    await page.keyboard.press("Escape")
    await expect(page.locator("#nothing")).to_be_visible()
    await site.other.service.hand_off(case(session_id="s9", reason="complaint"))
    await expect(page.locator("#queue li")).to_have_count(4)
    await expect(page.locator("#announce")).to_contain_text("New request")
    for language, words in (("NL", "In de wachtrij"), ("DE", "Wartend"), ("FR", "En attente")):
        await page.get_by_role("button", name=language, exact=True).click()
        await expect(page.locator("#queue-title")).to_have_text(words)


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light"), (1280, "dark")])
async def test_audit(browser: Browser, site: DeskSite, width: int, theme: str) -> None:
    case_id = await hand_off(site)
    context = await browser.new_context(
        viewport={"width": width, "height": 760},
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-GB",
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    await sign_in(page, site, language="de")
    assert await page.evaluate(AUDIT) == []
    await shoot(page, f"desk-list-{width}-{theme}")
    await page.locator("#queue button").first.click()
    await page.get_by_role("button", name="Übernehmen").click()
    await expect(page.locator("#composer")).to_be_visible()
    await site.marolle.service.reply(case_id, "m1", "Bonjour")
    await expect(page.locator("#talk li.human")).to_be_visible()
    assert await page.evaluate(AUDIT) == []
    await shoot(page, f"desk-case-{width}-{theme}")
    if width < 800:
        await expect(page.locator(".queue")).to_be_hidden()
        await page.get_by_role("button", name="Zurück zur Liste").click()
        await expect(page.locator(".queue")).to_be_visible()
    assert complaints == []
    await context.close()
