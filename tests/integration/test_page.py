"""The demo page in Chromium with a fake microphone, against the real server and real models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from playwright.async_api import Page, async_playwright, expect

from scripts.bench.server import Server
from tests.browser.conftest import CHROMIUM_ARGS
from tests.browser.steps import part, shoot, state_is, talk, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

MICROPHONE_RATE = 48_000
SILENCE_S = 9.0
"""Before the question: the greeting is heard out first."""
PATIENCE_MS = 60_000

ASKED = {
    "fr": ("delivery", "4,95", "livraison"),
    "en": ("returns", "30 days", "return"),
}
"""Language to the question played, what the answer must say, what must have been understood."""


def microphone(question: Path, path: Path) -> Path:
    """Return a file for Chromium's fake microphone: silence, the question, long silence."""
    audio, rate = soundfile.read(question, dtype="float32")
    sound = soxr.resample(audio, rate, MICROPHONE_RATE)
    before = np.zeros(int(SILENCE_S * MICROPHONE_RATE), np.float32)
    after = np.zeros(60 * MICROPHONE_RATE, np.float32)
    soundfile.write(path, np.concatenate([before, sound, after]), MICROPHONE_RATE)
    return path


@asynccontextmanager
async def opened(chromium: str, wav: Path, *, width: int, height: int) -> AsyncIterator[Page]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=chromium,
            args=[
                *CHROMIUM_ARGS,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={wav}%noloop",
            ],
        )
        context = await browser.new_context(
            viewport={"width": width, "height": height}, service_workers="block"
        )
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        await browser.close()
        assert errors == []


@pytest.mark.parametrize(("language", "width"), [("fr", 1280), ("en", 390)])
async def test_a_question_asked_aloud_on_the_page_is_answered(
    server: Server,
    questions: dict[str, dict[str, Path]],
    chromium: str,
    tmp_path: Path,
    language: str,
    width: int,
) -> None:
    name, answer, understood = ASKED[language]
    wav = microphone(questions[language][name], tmp_path / "microphone.wav")
    async with opened(chromium, wav, width=width, height=844) as page:
        await visit(page, f"http://127.0.0.1:{server.port}", language=language)
        await shoot(page, f"real-{language}-{width}-before")
        await talk(page)
        await expect(part(page, ".user")).to_contain_text(understood, timeout=PATIENCE_MS)
        said = part(page, ".assistant").last
        await expect(said).to_contain_text(answer, timeout=PATIENCE_MS)
        await shoot(page, f"real-{language}-{width}-speaking")
        await state_is(page, "listening")
        await shoot(page, f"real-{language}-{width}-after")
