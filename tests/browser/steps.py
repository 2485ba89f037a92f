"""What the browser tests do and see, in words."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.fakes.realtime_server import FakeRealtime

PATIENCE_MS = 20_000
"""Enough for a busy machine; what takes this long here is broken."""

BUTTON = "voice-button"

RECORD = """
  window.seen = {};
  for (const kind of ["state", "transcript", "card", "error"]) {
    const name = `voice-${kind}`;
    document.addEventListener(name, ({ detail }) => (window.seen[name] ??= []).push(detail));
  }
"""


async def visit(page: Page, url: str, *, language: str = "en", path: str = "/") -> None:
    """Open the shop, collecting the button's DOM events, and wait until it stands."""
    await page.add_init_script(RECORD)
    await page.goto(f"{url}{path}?lang={language}")
    await page.wait_for_selector(".tile")


def part(page: Page, selector: str) -> Locator:
    """An element of the button's shadow tree."""
    return page.locator(f"{BUTTON} {selector}")


async def holds(page: Page, predicate: str, argument: object, what: str) -> None:
    """Wait until a function of the page says yes.

    Asked again and again from here: the driver's own waiting misses a yes now and then while the
    page's websocket closes.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not await page.evaluate(predicate, argument):
        seen = await page.evaluate("() => JSON.stringify(window.seen?.['voice-state'])")
        assert time.monotonic() < deadline, f"{what} in vain; the states were {seen}"
        await page.wait_for_timeout(40)


async def state_is(page: Page, state: str) -> None:
    """Wait until the button shows a state."""
    await holds(
        page,
        """([tag, state]) => document.querySelector(tag).shadowRoot
             .querySelector(".root").dataset.state === state""",
        [BUTTON, state],
        f"waited for {state}",
    )


async def talk(page: Page) -> None:
    """Tap the launcher: the conversation begins."""
    await part(page, ".launcher").click()


async def greeted(page: Page, fake: FakeRealtime) -> None:
    """Begin, and wait until the greeting is over."""
    await talk(page)
    await fake.until(lambda: fake.finished_replies == 1)
    await expect(part(page, ".root")).to_have_attribute(
        "data-state", re.compile("listening|ready"), timeout=PATIENCE_MS
    )


async def passed(page: Page, *states: str) -> None:
    """Wait until the button has gone through these states, in this order, since the start."""
    await holds(
        page,
        """states => {
          let next = 0;
          for (const { state } of window.seen["voice-state"] ?? []) next += state === states[next];
          return next === states.length;
        }""",
        list(states),
        f"waited for {states} to pass",
    )


async def ask(page: Page, text: str) -> None:
    """Type a question and send it."""
    await part(page, ".composer input").fill(text)
    await part(page, ".send").click()


async def events(page: Page, name: str) -> list[dict[str, Any]]:
    """Return the details of the DOM events of that name since the visit."""
    found: list[dict[str, Any]] = await page.evaluate("name => window.seen[name] ?? []", name)
    return found


async def shoot(page: Page, name: str) -> None:
    """Take a screenshot for people, where `VOICE_SCREENSHOTS` names a folder."""
    folder = os.environ.get("VOICE_SCREENSHOTS")
    if folder:
        await page.wait_for_timeout(350)
        await page.screenshot(path=f"{folder}/{name}.png")
