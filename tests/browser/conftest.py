"""Chromium with a fake microphone, and the demo page over a fake Realtime server."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, Playwright, async_playwright

from tests.fakes.realtime_server import FakeRealtime
from voice_server.web.pages import ShopProduct, add_pages

CHROMIUM_ARGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=user-gesture-required",
]
NAMES = {
    "oslo": ("Oslo table lamp", "Lampe de table Oslo", "Tafellamp Oslo", "Tischlampe Oslo"),
    "luna": ("Luna pendant lamp", "Suspension Luna", "Hanglamp Luna", "Hängelampe Luna"),
    "capri": (
        "Capri bath towels",
        "Draps de bain Capri",
        "Badhanddoeken Capri",
        "Badetücher Capri",
    ),
}
LANGUAGES = ("en", "fr", "nl", "de")
COLOURS = ("#e8c46b", "#8fb8a8", "#c98f7a", "#8c9fc4", "#b59ac2")


@dataclass(frozen=True)
class DemoShop:
    """A small shop, as the page sees it."""

    pictures: Path
    products: list[ShopProduct]
    name: str = "Marolle"
    languages: tuple[str, ...] = ("fr", "nl", "de", "en")
    taglines: dict[str, str] = field(
        default_factory=lambda: {
            "en": "Lovely things for the home, the kitchen and the garden. Ask about prices, "
            "sizes, delivery or your order.",
            "fr": "De jolies choses pour la maison, la cuisine et le jardin. Prix, tailles, "
            "livraison ou commande : demandez.",
        }
    )
    examples: dict[str, list[str]] = field(
        default_factory=lambda: {
            "en": ["How much is the Oslo lamp?", "When will it be delivered?", "Can I return it?"],
            "fr": ["Combien coûte la lampe Oslo ?", "Puis-je renvoyer un article ?"],
        }
    )


def demo_shop(folder: Path) -> DemoShop:
    """Fourteen products with drawn pictures."""
    products = []
    for number in range(14):
        key = list(NAMES)[number % 3]
        ident = key if number < 3 else f"{key}-{number}"
        colour = COLOURS[number % len(COLOURS)]
        (folder / f"{ident}.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400">'
            f'<rect width="400" height="400" fill="{colour}" opacity=".28"/>'
            f'<path d="M140 190 170 90h60l30 100z" fill="{colour}"/>'
            f'<path d="M196 190h8v110h-8z" fill="#444"/>'
            f'<rect x="155" y="296" width="90" height="14" rx="7" fill="#444"/></svg>'
        )
        products.append(
            ShopProduct(
                id=ident,
                names=dict(zip(LANGUAGES, NAMES[key], strict=True)),
                price=Decimal("49.90") + number,
                currency="EUR",
                picture=f"{ident}.svg",
                was_price=Decimal("59.90") if number == 0 else None,
                several_prices=number == 2,
                available=number != 4,
            )
        )
    return DemoShop(folder, products)


@pytest.fixture(scope="session")
def microphone_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speech-like sound: 1.2 s of silence, 1.4 s of a modulated vowel, then a long silence."""
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    rate = 48_000
    t = np.arange(12 * rate) / rate
    pitch = 130 + 25 * np.sin(2 * np.pi * 2.3 * t)
    vowel = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 3.7 * (t - 1.2)), 0, None) + 0.15
    samples = np.where((t >= 1.2) & (t < 2.6), 7000 * syllables * vowel, 0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as driver:
        yield driver


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(
    playwright: Playwright, chromium: str, microphone_wav: Path
) -> AsyncIterator[Browser]:
    """Chromium whose microphone plays ``microphone_wav`` once, and is granted unasked."""
    started = await playwright.chromium.launch(
        executable_path=chromium,
        args=[
            *CHROMIUM_ARGS,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone_wav}%noloop",
        ],
    )
    yield started
    await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deaf_browser(playwright: Playwright, chromium: str) -> AsyncIterator[Browser]:
    """Chromium that refuses the microphone; ``shop.test`` is this machine, without https."""
    started = await playwright.chromium.launch(
        executable_path=chromium,
        args=[
            *CHROMIUM_ARGS,
            "--use-fake-device-for-media-stream",
            "--deny-permission-prompts",
            "--host-resolver-rules=MAP shop.test 127.0.0.1",
        ],
    )
    yield started
    await started.close()


@dataclass
class Site:
    """The page, its server and its fake."""

    url: str
    realtime: FakeRealtime


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A fresh server for each test."""
    fake = FakeRealtime()
    app = web.Application()
    fake.add_to(app)
    add_pages(app, demo_shop(tmp_path))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    port = runner.addresses[0][1]
    yield Site(f"http://localhost:{port}", fake)
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A desktop page in English that fails the test on any script error."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", service_workers="block"
    )
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    await context.close()
    assert errors == []
