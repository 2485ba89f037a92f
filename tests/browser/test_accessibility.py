"""For everybody: names and roles, contrast, size of targets, keyboard, motion, small screens."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.steps import ask, greeted, part, passed, shoot, state_is, visit
from tests.browser.test_states import ANSWER
from tests.fakes.realtime_server import Spoken

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AUDIT = """() => {
  const problems = [];
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const parent = (e) => e.assignedSlot ?? e.parentElement ?? e.getRootNode().host;
  const ground = (e) => {
    for (; e; e = parent(e)) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color[3] > 0.99) return color;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  for (const e of all(document)) {
    const box = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    const seen = box.width > 1 && box.height > 1 && style.visibility === "visible" && e.checkVisibility({ opacityProperty: true });
    if (!seen) continue;
    const what = `${e.tagName.toLowerCase()}.${e.className?.baseVal ?? e.className}`;
    const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (text && !e.disabled) {
      const [front, back] = [rgba(style.color), ground(e)].map(luminance);
      const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)}: ${what} "${text.slice(0, 30)}"`);
    }
    if (e.matches("button, a[href], select, summary, input:not([type=radio])")) {
      const name = e.getAttribute("aria-label") || e.innerText?.trim() || e.labels?.[0]?.innerText?.trim();
      if (!name) problems.push(`no name: ${what}`);
      const touch = e.matches("summary") ? box.height + 10 : box.height;
      if (!e.matches("p a, pre") && (touch < 43.5 || box.width < (e.matches(".languages button") ? 37.5 : 43.5)))
        problems.push(`small ${box.width.toFixed()}x${box.height.toFixed()}: ${what}`);
    }
    if (e.matches("img") && !e.hasAttribute("alt")) problems.push(`no alt: ${what}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) problems.push("an id is there twice");
  if (document.documentElement.scrollWidth > innerWidth) problems.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
  return [...new Set(problems)];
}"""  # noqa: E501


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1280, "dark")])
async def test_audit(browser: Browser, site: Site, width: int, theme: str) -> None:
    site.realtime.script.answer = ANSWER
    context = await browser.new_context(
        viewport={"width": width, "height": 780},
        color_scheme=theme,  # type: ignore[arg-type]
        locale="en-GB",
        reduced_motion="reduce",
        service_workers="block",
    )
    page = await context.new_page()
    found: dict[str, list[str]] = {}

    async def audit(moment: str) -> None:
        found[moment] = await page.evaluate(AUDIT)

    for language in ("en", "fr", "nl", "de"):
        await visit(page, site.url, language=language)
        await audit(f"page {language}")
    await visit(page, site.url)
    await greeted(page, site.realtime)
    await audit("listening")
    await ask(page, "How much, and when?")
    await expect(part(page, ".chip")).to_have_count(1, timeout=20_000)
    await part(page, ".chip summary").click()
    await audit("speaking")
    await shoot(page, f"audit-{width}-{theme}")
    await site.realtime.close(1013)
    await state_is(page, "error")
    await audit("error")
    await context.close()
    assert {moment: problems for moment, problems in found.items() if problems} == {}


async def test_audit_finds_what_is_wrong(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.evaluate(
        """() => {
          const add = (tag, css, text = "") => {
            const element = document.createElement(tag);
            element.style.cssText = css;
            element.textContent = text;
            document.querySelector("main").prepend(element);
          };
          add("p", "color: #999", "faint");
          add("button", "width: 60px; height: 60px");
          add("button", "width: 60px; height: 20px", "low");
        }"""
    )
    problems = await page.evaluate(AUDIT)
    assert len(problems) == 3
    assert {problem.split()[0] for problem in problems} == {"contrast", "no", "small"}


async def test_tree_that_a_screen_reader_gets(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await greeted(page, site.realtime)
    await expect(
        page.get_by_role("dialog", name="Conversation with the AI assistant")
    ).to_be_visible()
    await expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    await expect(page.get_by_role("status").filter(has_text="Listening")).to_be_visible()
    meter = page.get_by_role("meter", name="Microphone level")
    assert 0 <= int(await meter.get_attribute("aria-valuenow") or "-1") <= 100
    await expect(page.get_by_role("combobox", name="Language")).to_be_visible()
    await expect(page.get_by_role("radiogroup", name="How to talk")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Or type your question…")).to_be_visible()
    for name in ("Mute", "End", "Send", "Minimise", "Sound off"):
        await expect(page.get_by_role("button", name=name, exact=True).first).to_be_visible()


async def test_says_that_it_is_an_ai_before_and_during(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await expect(part(page, ".launcher")).to_contain_text("AI assistant")
    await greeted(page, site.realtime)
    await expect(part(page, ".badge")).to_have_text("AI assistant")
    await expect(part(page, ".disclosure")).to_contain_text("You are talking to an AI assistant")


async def _focused(page: Page) -> Any:
    return await page.evaluate(
        """() => {
          const { activeElement } = document;
          return (activeElement.shadowRoot?.activeElement ?? activeElement).className;
        }"""
    )


async def test_keyboard_alone_is_enough(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.answer = (Spoken("A long answer.", 8000),)
    await visit(page, site.url)
    await page.locator("#copy").focus()
    for _ in range(4):
        await page.keyboard.press("Tab")
        if await _focused(page) == "launcher":
            break
    await page.keyboard.press("Enter")
    await passed(page, "speaking", "listening")
    assert await _focused(page) == "orb", "the button that matters has the focus"
    for _ in range(3):
        await page.keyboard.press("Tab")
        if "input" in await page.evaluate(
            "() => document.activeElement.shadowRoot.activeElement.tagName.toLowerCase()"
        ):
            break
    await page.keyboard.type("How much is it?")
    await page.keyboard.press("Enter")
    await state_is(page, "speaking")
    await page.keyboard.press("Escape")
    await state_is(page, "listening")
    assert len(fake.of_type("response.cancel")) == 1
    await page.keyboard.press("Escape")
    await state_is(page, "idle")
    await page.keyboard.press("Escape")
    await expect(part(page, ".panel")).to_be_hidden()
    assert await _focused(page) == "launcher"


@pytest.mark.parametrize("key", [" ", "Enter"])
async def test_hold_a_key_to_talk(page: Page, site: Site, key: str) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await page.evaluate("document.querySelector('voice-button').setAttribute('mode', 'press')")
    await part(page, ".launcher").focus()
    await page.keyboard.press("Enter")
    await passed(page, "speaking", "ready")
    await page.keyboard.down(key)
    await state_is(page, "listening")
    await page.wait_for_timeout(500)
    await page.keyboard.up(key)
    await passed(page, "ready", "listening", "thinking", "speaking")
    assert len(fake.of_type("input_audio_buffer.commit")) == 1


async def test_click_without_pointer_toggles_talking(page: Page, site: Site) -> None:
    """Screen readers and switches click; they cannot hold."""
    fake = site.realtime
    await visit(page, site.url)
    await page.evaluate("document.querySelector('voice-button').setAttribute('mode', 'press')")
    await part(page, ".launcher").click()
    await passed(page, "speaking", "ready")
    await part(page, ".orb").evaluate("orb => orb.click()")
    await state_is(page, "listening")
    await page.wait_for_timeout(500)
    await part(page, ".orb").evaluate("orb => orb.click()")
    await passed(page, "ready", "listening", "thinking", "speaking")
    assert len(fake.of_type("input_audio_buffer.commit")) == 1


async def test_reduced_motion_stands_still(browser: Browser, site: Site) -> None:
    context = await browser.new_context(reduced_motion="reduce", service_workers="block")
    page = await context.new_page()
    await visit(page, site.url)
    await page.evaluate("document.querySelector('voice-button').open()")
    for selector in (".halo", ".panel", ".ring"):
        name = await part(page, selector).evaluate("e => getComputedStyle(e).animationName")
        assert name == "none", selector
    await context.close()


async def test_high_contrast_colours_are_the_systems(browser: Browser, site: Site) -> None:
    context = await browser.new_context(forced_colors="active", service_workers="block")
    page = await context.new_page()
    await visit(page, site.url)
    await page.evaluate("document.querySelector('voice-button').open()")
    width = await part(page, ".orb").evaluate("e => getComputedStyle(e).borderTopWidth")
    assert width == "2px"
    await shoot(page, "forced-colours")
    await context.close()
