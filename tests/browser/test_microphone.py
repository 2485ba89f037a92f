"""No microphone is not the end: clear words, and the text box works."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.steps import PATIENCE_MS, ask, events, part, passed, shoot, state_is, talk, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def deaf_page(deaf_browser: Browser) -> AsyncIterator[Page]:
    context = await deaf_browser.new_context(locale="en-GB", service_workers="block")
    page = await context.new_page()
    yield page
    await context.close()


async def _conversation_by_text(page: Page, site: Site) -> None:
    await ask(page, "How much is it?")
    await expect(part(page, ".assistant").last).to_contain_text(
        "It costs €49.90.", timeout=PATIENCE_MS
    )
    await state_is(page, "ready")
    await expect(part(page, ".hint")).to_have_text("Type your question below")
    assert site.realtime.audio_frames == []


async def test_denied(deaf_page: Page, site: Site) -> None:
    await visit(deaf_page, site.url)
    await talk(deaf_page)
    await expect(part(deaf_page, ".notice p")).to_contain_text("The microphone is blocked")
    await passed(deaf_page, "speaking")
    await shoot(deaf_page, "microphone-denied")
    assert (await events(deaf_page, "voice-error"))[0]["code"] == "micDenied"
    await expect(part(deaf_page, ".assistant")).to_contain_text("AI assistant")
    await _conversation_by_text(deaf_page, site)


async def test_insecure_address(deaf_page: Page, site: Site) -> None:
    """Over plain http from another machine there is neither microphone nor audio worklet."""
    await visit(deaf_page, site.url.replace("localhost", "shop.test"))
    assert await deaf_page.evaluate("isSecureContext") is False
    await talk(deaf_page)
    await expect(part(deaf_page, ".notice p")).to_contain_text("secure (https) address")
    update = site.realtime.of_type("session.update")[0]
    assert update["session"]["output_modalities"] == ["text"]
    await ask(deaf_page, "How much is it?")
    await expect(part(deaf_page, ".assistant").last).to_contain_text(
        "It costs €49.90.", timeout=PATIENCE_MS
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotFoundError", "No microphone was found"),
        ("NotReadableError", "Another program is using the microphone"),
    ],
)
async def test_missing_or_busy(page: Page, site: Site, error: str, words: str) -> None:
    await visit(page, site.url)
    await page.evaluate(
        """name => {
          window.ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", name); };
        }""",
        error,
    )
    await talk(page)
    await expect(part(page, ".notice p")).to_contain_text(words)
    await state_is(page, "ready")
    await page.evaluate("() => void (navigator.mediaDevices.getUserMedia = window.ask)")
    await part(page, ".retry").click()
    await state_is(page, "listening")
    await expect(part(page, ".notice")).to_be_hidden()


async def test_unplugged_in_the_middle(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.evaluate(
        """() => {
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wish) => (window.stream = await ask(wish));
        }"""
    )
    await talk(page)
    await state_is(page, "listening")
    await page.evaluate("stream.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    await expect(part(page, ".notice p")).to_contain_text("The microphone was disconnected")
    await state_is(page, "ready")
    await part(page, ".mute").click()
    await state_is(page, "listening")


async def test_pending_question_of_the_browser_is_explained(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.evaluate(
        """() => {
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wish) => {
            await new Promise((resolve) => (window.allow = resolve));
            return ask(wish);
          };
        }"""
    )
    await talk(page)
    await expect(part(page, ".hint")).to_have_text(
        "Allow the microphone if your browser asks", timeout=PATIENCE_MS
    )
    assert site.realtime.of_type("response.create") == [], "no greeting into an unanswered question"
    await page.evaluate("() => window.allow()")
    await passed(page, "speaking")
