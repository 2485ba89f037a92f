"""The stage in Chromium: transparent, labelled, in time, and shut when it must be."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from tests.live.crowd import TableUnderstanding
from tests.live.stage_play import sheet
from tests.live.test_session import FakeAnswerer, WordVoice
from voice_server.assets import assets_dir
from voice_server.live import show_events as ev
from voice_server.live.facts import ShopFacts
from voice_server.live.session import ShowSession
from voice_server.shop import pack
from voice_server.web.live import LiveBackend, add_live
from voice_server.web.pages import add_pages

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LOOKS = ("lea", "noor", "tom")


@pytest_asyncio.fixture(loop_scope="session")
async def on_air() -> AsyncIterator[tuple[str, ShowSession]]:
    """A show with a voice of silence, on a real port."""
    shop = pack.load(pack.resolve("demo"))
    session = ShowSession(
        sheet("oslo", "nemo", loop=True),
        ShopFacts(shop, "/shop"),
        TableUnderstanding(),
        FakeAnswerer(),  # type: ignore[arg-type]
        WordVoice(),
    )
    app = web.Application()
    add_pages(app, None)
    add_live(app, LiveBackend({"demo": session}.get, assets_dir("avatars")))

    async def picture(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(shop.folder / "pictures" / request.match_info["file"])

    app.router.add_get("/shop/pictures/{file}", picture)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running = asyncio.ensure_future(session.run())
    yield f"http://localhost:{runner.addresses[0][1]}", session
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(
    browser: Browser, on_air: tuple[str, ShowSession]
) -> AsyncIterator[tuple[Page, ShowSession]]:
    """The stage page at 720p, its script errors failing the test."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 720},
        locale="fr-BE",
        service_workers="block",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{on_air[0]}/stage/demo?muted")
    await page.wait_for_function("() => window.stage?.avatar")
    yield page, on_air[1]
    await context.close()
    assert errors == []


async def pixels(page: Page) -> np.ndarray[Any, Any]:
    """A screenshot with its transparency, uint8 [h, w, 4]."""
    import matplotlib.image

    data = await page.screenshot(omit_background=True)
    return (matplotlib.image.imread(io.BytesIO(data), format="png") * 255).astype(np.uint8)


async def test_the_stage_is_transparent_and_labelled(stage: tuple[Page, ShowSession]) -> None:
    page, session = stage
    session.do(ev.Begin())
    await page.wait_for_function("() => window.stage.frames > 5 && window.stage.current")
    image = await pixels(page)
    assert image.shape == (720, 1280, 4)
    assert image[700, 5, 3] == image[360, 20, 3] == image[120, 790, 3] == 0
    assert image[300, 460, 3] == 255  # the face
    label = page.locator(".ai-label")
    assert await label.inner_text() == "Présenté par une IA"
    assert await label.is_visible()
    assert "Bonjour" in await page.locator(".caption").inner_text()
    session.do(ev.Jump("oslo"))
    await page.wait_for_function("() => !document.querySelector('.card').hidden")
    assert "49,90 €" in await page.locator(".card-price").inner_text()
    assert await page.locator(".card-link").get_attribute("href")
    await page.set_viewport_size({"width": 540, "height": 960})
    await page.wait_for_function("() => document.querySelector('.stage.portrait')")
    box = await page.locator(".card").bounding_box()
    caption = await page.locator(".caption").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 540
    assert caption is None or box["y"] + box["height"] <= caption["y"] + 1


MEASURE = """async (look) => {
  const { Avatar } = await import("/static/stage/avatar.js");
  const rig = await (await fetch(`/avatars/${look}/rig.json`)).json();
  const names = ["aa","PP","E","PP","O","FF","I","DD","U","PP","aa","SS","sil"];
  const cues = names.map((n, i) => [n, i * 90, i * 90 + 90, 1]);
  const errors = []; let closed = 0, closures = 0; const fps = 30;
  for (let phase = 0; phase < 8; phase += 1) {
    const avatar = new Avatar(rig, { random: () => 0.5 });
    avatar.timeline.add(cues, 1);
    const frames = [];
    for (let t = 0.9 + phase / (8 * fps); t < 2.4; t += 1 / fps) {
      frames.push({ t, ...avatar.update(t) });
    }
    cues.forEach(([name, start, end], i) => {
      const from = 1 + start / 1000, to = 1 + end / 1000;
      if (name === "PP") {
        closures += 1;
        const shut = (f) => f.press >= 0.9 && f.open * (1 - f.press) < 0.03;
        if (frames.some((f) => f.t >= from - 0.04 && f.t <= to + 0.04 && shut(f))) closed += 1;
      }
      if (["aa", "O", "E"].includes(name)) {
        // The frame in which the mouth is widest open, against the middle of the vowel.
        const near = frames.filter((f) => f.t > from - 0.08 && f.t < to + 0.08);
        const best = near.reduce((a, b) => (b.open > a.open + 1e-6 ? b : a));
        const miss = best.t < from ? from - best.t : best.t > to ? best.t - to : 0;
        errors.push(miss * 1000);
      }
    });
  }
  errors.sort((a, b) => a - b);
  return { p95: errors[Math.floor(errors.length * 0.95)], closed: closed / closures };
}"""


@pytest.mark.parametrize("look", LOOKS)
async def test_lips_close_and_vowels_open_in_time(
    stage: tuple[Page, ShowSession], look: str
) -> None:
    found = await stage[0].evaluate(MEASURE, look)
    assert found["closed"] >= 0.95
    assert found["p95"] <= 40


async def test_an_interruption_shuts_the_mouth_in_the_next_frame(
    stage: tuple[Page, ShowSession],
) -> None:
    opened, shut = await stage[0].evaluate("""async () => {
      const { Avatar } = await import("/static/stage/avatar.js");
      const avatar = new Avatar(await (await fetch("/avatars/lea/rig.json")).json());
      avatar.timeline.add([["aa", 0, 5000, 1]], 1);
      let t = 1;
      for (; t < 2; t += 1 / 30) avatar.update(t);
      const opened = avatar.params.open;
      avatar.hush(t);
      avatar.update(t + 1 / 30);
      avatar.update(t + 2 / 30);
      return [opened, avatar.params.open];
    }""")
    assert opened > 0.7
    assert shut < 0.05


@pytest.mark.parametrize("look", LOOKS)
async def test_every_pose_of_a_rig_can_be_drawn(stage: tuple[Page, ShowSession], look: str) -> None:
    bad = await stage[0].evaluate(
        """async (look) => {
      const { Avatar } = await import("/static/stage/avatar.js");
      const { drawAvatar } = await import("/static/stage/painter.js");
      const { HANDS } = await import("/static/stage/draw/hands.js");
      const { MOUTH, VISEMES } = await import("/static/stage/rig.js");
      const rig = await (await fetch(`/avatars/${look}/rig.json`)).json();
      const ctx = new OffscreenCanvas(250, 300).getContext("2d");
      ctx.scale(0.25, 0.25);
      const bad = [];
      if (Object.keys(rig.moods).length < 8) bad.push("moods");
      if (Object.keys(rig.gestures).length < 10) bad.push("gestures");
      const shapes = new Set();
      for (const viseme of VISEMES) {
        const avatar = new Avatar(rig, { random: () => 0.5 });
        avatar.timeline.add([[viseme, 0, 900, 1]], 0);
        avatar.update(0.4);
        const mouth = MOUTH.map((name) => avatar.params[name].toFixed(2)).join();
        if (shapes.has(mouth)) bad.push(`${viseme} looks like another`);
        shapes.add(mouth);
        drawAvatar(ctx, rig, avatar);
      }
      for (const [gesture, g] of Object.entries(rig.gestures)) {
        for (const mood of Object.keys(rig.moods)) {
          const avatar = new Avatar(rig, { random: () => 0.5, mirrored: mood === "happy" });
          avatar.express({ mood, gesture, look: "product" }, 0);
          for (let t = 0; t < g.seconds + 1; t += 0.1) {
            const values = Object.values(avatar.update(t));
            if (!values.every(Number.isFinite)) bad.push(gesture);
            if (mood === "neutral") drawAvatar(ctx, rig, avatar);
          }
          if (avatar.gesture) bad.push(`${gesture} never ends`);
        }
        for (const f of [...(g.l ?? []), ...(g.r ?? [])]) if (!HANDS[f.hand]) bad.push(f.hand);
      }
      return bad;
    }""",
        look,
    )
    assert bad == []


async def test_life_blinks_and_never_stares(stage: tuple[Page, ShowSession]) -> None:
    blinks, gaps = await stage[0].evaluate("""async () => {
      const { Life, seeded } = await import("/static/stage/life.js");
      const life = new Life(seeded(7));
      let shut = false; const at = [];
      for (let t = 0; t < 120; t += 1 / 30) {
        const now = life.at(t, 0).blink > 0.5;
        if (now && !shut) at.push(t);
        shut = now;
      }
      return [at.length, Math.max(...at.slice(1).map((t, i) => t - at[i]))];
    }""")
    assert 20 <= blinks <= 60
    assert gaps <= 7


async def test_a_clock_without_sound_never_jumps_back(stage: tuple[Page, ShowSession]) -> None:
    ok = await stage[0].evaluate("""async () => {
      const { AudioClock } = await import("/static/stage/clock.js");
      const clock = new AudioClock({ muted: true });
      const began = clock.play("l1", 0, 24000, new Int16Array(2400), 100);
      const next = clock.play("l2", 0, 24000, new Int16Array(2400), 0);
      const late = clock.play("l2", -5000, 24000, new Int16Array(240), 0);
      const cut = clock.cancel();
      const silent = !(await clock.start());
      return began >= 0.1 && next >= began + 0.099 && late > next && cut >= 0 && silent;
    }""")
    assert ok
