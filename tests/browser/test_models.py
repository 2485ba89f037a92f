"""A 3D model on the stage in Chromium, and lips that move by ear."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from tests.browser.test_stage import pixels
from tests.live.crowd import TableUnderstanding
from tests.live.stage_play import sheet
from tests.live.test_session import FakeAnswerer, WordVoice
from tests.live.vrm_model import write
from voice_server.assets import assets_dir
from voice_server.live.backdrops import SCENES
from voice_server.live.facts import ShopFacts
from voice_server.live.session import ShowSession
from voice_server.shop import pack
from voice_server.web.live import LiveBackend, add_live
from voice_server.web.pages import add_pages

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[tuple[str, ShowSession]]:
    """A show with avatars of our own and models of the tests'."""
    avatars = tmp_path / "avatars"
    shutil.copytree(assets_dir("avatars"), avatars)
    write(avatars / "probe", {"creditNotation": "required"})
    write(avatars / "private", {"commercialUsage": "personalNonProfit"})
    write(avatars / "broken")
    (avatars / "broken" / "model.vrm").write_bytes(
        (avatars / "probe" / "model.vrm").read_bytes()[:-4000]
    )
    session = ShowSession(
        sheet("oslo", loop=True),
        ShopFacts(pack.load(pack.resolve("demo")), "/shop"),
        TableUnderstanding(),
        FakeAnswerer(),  # type: ignore[arg-type]
        WordVoice(),
    )
    app = web.Application()
    add_pages(app, None)
    add_live(app, LiveBackend({"demo": session}.get, avatars))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running = asyncio.ensure_future(session.run())
    yield f"http://localhost:{runner.addresses[0][1]}", session
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": 640, "height": 360}, locale="en-GB", service_workers="block"
    )
    opened = await context.new_page()
    yield opened
    await context.close()


WORN = "() => window.stage?.avatar && window.stage.frames > 3"


async def test_a_model_speaks_with_all_its_mouths(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{site[0]}/stage/demo?avatar=probe&muted")
    await page.wait_for_function(WORN, timeout=60_000)
    assert await page.locator(".credit").inner_text() == "Avatar: Probe, Voice Server"
    found: dict[str, Any] = await page.evaluate("""async () => {
      const { avatar } = window.stage;
      const { VISEMES } = await import("/static/stage/rig.js");
      const manager = avatar.vrm.expressionManager;
      const shapes = {};
      let t = avatar.time + 1;
      for (const name of VISEMES) {
        avatar.timeline.cut();
        avatar.timeline.add([[name, 0, 400, 1]], t);
        for (let at = 0; at < 0.2; at += 1 / 30) avatar.update(t + at);
        shapes[name] = ["aa", "ih", "ou", "ee", "oh"].map((n) => +manager.getValue(n).toFixed(2));
        t += 1;
      }
      avatar.timeline.add([["aa", 0, 9000, 1]], t);
      avatar.update(t + 0.3);
      const opened = manager.getValue("aa");
      avatar.hush(t + 0.3);
      avatar.update(t + 0.33);
      return { shapes, kind: avatar.kind, opened, shut: manager.getValue("aa") };
    }""")
    assert found["kind"] == "vrm"
    assert found["shapes"]["sil"] == found["shapes"]["PP"] == [0, 0, 0, 0, 0]
    assert found["shapes"]["aa"] == [0.8, 0, 0, 0, 0]
    assert len({str(shape) for shape in found["shapes"].values()}) >= 11
    assert found["opened"] == pytest.approx(0.8)
    assert found["shut"] == 0
    image = await pixels(page)
    assert image[355, 5, 3] == 0  # still transparent
    assert (image[:, :420, 3] > 250).mean() > 0.08  # and somebody stands there
    assert errors == []


async def test_a_model_that_may_not_be_shown_is_replaced_and_the_host_told(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    await page.goto(f"{site[0]}/stage/demo?avatar=private&muted")
    await page.wait_for_function(WORN, timeout=60_000)
    assert await page.evaluate("() => window.stage.avatar.rig.name") == "lea"
    words = await page.locator(".lower-third").inner_text()
    assert "personalNonProfit" in words


@pytest.mark.parametrize("how", ["no webgl", "broken file"])
async def test_a_model_that_cannot_be_drawn_is_replaced(
    page: Page, site: tuple[str, ShowSession], how: str
) -> None:
    if how == "no webgl":
        await page.add_init_script("""
          const get = HTMLCanvasElement.prototype.getContext;
          HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            return kind.startsWith("webgl") ? null : get.call(this, kind, ...more);
          };
        """)
    look = "probe" if how == "no webgl" else "broken"
    await page.goto(f"{site[0]}/stage/demo?avatar={look}&muted")
    await page.wait_for_function(WORN, timeout=60_000)
    assert await page.evaluate("() => window.stage.avatar.rig.name") == "lea"
    assert (await pixels(page))[200, 230, 3] == 255


async def test_moods_and_mouths_of_every_kind_of_model(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    await page.goto(f"{site[0]}/stage/demo?muted")
    found = await page.evaluate("""async () => {
      const { kindOf, weights } = await import("/static/stage/vrm/expressions.js");
      const { VISEMES } = await import("/static/stage/rig.js");
      const found = { kinds: [kindOf(["viseme_aa", "viseme_PP", "viseme_O", "jawOpen"]),
        kindOf(["jawOpen", "mouthFunnel", "mouthPucker"]), kindOf(["aa"])] };
      for (const kind of ["viseme", "arkit", "vrm"]) {
        const moods = ["neutral", "happy", "joyful", "excited", "attentive", "surprised", "sorry",
          "serious", "grateful"].map((m) => JSON.stringify(weights(kind, {}, { [m]: 1 }, 0)));
        const mouths = VISEMES.map((v) => JSON.stringify(weights(kind, { [v]: 1 }, {}, 0)));
        const all = VISEMES.flatMap((v) =>
          Object.values(weights(kind, { [v]: 1 }, { joyful: 1 }, 1)));
        found[kind] = [new Set(moods).size, new Set(mouths).size, Math.max(...all)];
      }
      return found;
    }""")
    assert found["kinds"] == ["viseme", "arkit", "vrm"]
    assert found["viseme"][:2] == [9, 15]
    assert found["arkit"][0] == 9
    assert found["arkit"][1] >= 14
    assert found["vrm"][0] == 9
    assert found["vrm"][1] >= 11
    assert all(found[kind][2] <= 1 for kind in ("viseme", "arkit", "vrm"))


EAR = """async () => {
  const { Ear } = await import("/static/stage/ear.js");
  const rate = 24000;
  // Two resonances on a buzz: the simplest voice there is.
  const vowel = (f1, f2, seconds, loud = 0.3) => {
    const out = new Float32Array(rate * seconds);
    for (const [f, gain] of [[f1, 1], [f2, 0.6]]) {
      const r = Math.exp((-Math.PI * 90) / rate), c = 2 * r * Math.cos((2 * Math.PI * f) / rate);
      let [a, b] = [0, 0];
      for (let i = 0; i < out.length; i += 1) {
        const y = (i % 200 === 0 ? 1 : 0) + c * a - r * r * b;
        [a, b] = [y, a];
        out[i] += gain * y * loud * 0.3;
      }
    }
    return out;
  };
  const tone = (hz, seconds, loud) =>
    Float32Array.from({ length: rate * seconds },
      (_, i) => loud * Math.sin((2 * Math.PI * hz * i) / rate));
  let seed = 1;
  const noise = (seconds, loud) => {
    let last = 0;
    return Float32Array.from({ length: rate * seconds }, () => {
      seed = (seed * 16807) % 2147483647;
      const white = (seed / 2147483647) * 2 - 1;
      const high = white - last;
      last = white;
      return loud * high;
    });
  };
  const silence = new Float32Array(rate * 0.6);
  const parts = [["aa", vowel(780, 1250, 0.3)], ["sil", silence], ["I", vowel(310, 2400, 0.3)],
    ["PP", tone(150, 0.2, 0.06)], ["O", vowel(480, 850, 0.3)], ["SS", noise(0.2, 0.1)],
    ["sil", silence]];
  const ear = new Ear(rate);
  const found = [];
  let at = 0;
  for (const [name, samples] of parts) {
    const pcm = Int16Array.from(samples, (s) => Math.max(-32768, Math.min(32767, s * 32767)));
    // In pieces of 20 ms, as a microphone's come.
    const cues = [];
    for (let i = 0; i < pcm.length; i += 480) {
      cues.push(...ear.cues(pcm.subarray(i, i + 480), at + i / 24));
    }
    at += pcm.length / 24;
    // What it settles on; the first window still holds the sound before.
    const inside = cues.filter((c) => c[1] >= at - 1000 * samples.length / rate + 50);
    const shares = {};
    for (const [n, a, b] of inside) shares[n] = (shares[n] ?? 0) + b - a;
    found.push([name, Object.entries(shares).sort((a, b) => b[1] - a[1])[0][0]]);
  }
  const rough = ear.cues(new Int16Array(0), 0).length;
  return { found, rough, odd: ear.cues(Int16Array.of(1, 2, 3), 0)[0][0] };
}"""


async def test_an_ear_tells_vowels_hiss_hum_and_silence(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    await page.goto(f"{site[0]}/stage/demo?muted")
    heard = await page.evaluate(EAR)
    assert [name for _, name in heard["found"]] == [name for name, _ in heard["found"]]
    assert heard["rough"] == 0
    assert heard["odd"] == "sil"


async def test_a_line_without_shapes_moves_the_lips(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    await page.goto(f"{site[0]}/stage/demo?muted")
    await page.wait_for_function(WORN, timeout=60_000)
    names = await page.evaluate("""() => {
      const stage = window.stage;
      stage.avatar.timeline.cut();
      const pcm = Int16Array.from({ length: 4800 },
        (_, i) => 9000 * Math.sin(i / 5) * (i % 160 < 40));
      const about = { rate: 24000, lead_ms: 0 };
      stage.onSpeech({ id: "host-1", at_ms: 0, visemes: [], ...about }, pcm);
      const heard = stage.avatar.timeline.cues.map((cue) => cue.name);
      stage.avatar.timeline.cut();
      stage.onSpeech({ id: "l2", at_ms: 0, visemes: [["aa", 0, 90, 1]], ...about }, pcm);
      stage.onSpeech({ id: "l2", at_ms: 200, visemes: [], ...about }, pcm);
      return [heard, stage.avatar.timeline.cues.map((cue) => cue.name)];
    }""")
    assert any(name != "sil" for name in names[0])
    assert names[1] == ["aa"]  # a voice that tells its sounds is believed, silence and all


async def test_a_microphone_of_this_machine_moves_the_lips(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    await page.goto(f"{site[0]}/stage/demo")
    await page.wait_for_function(WORN, timeout=60_000)
    await page.mouse.click(100, 100)
    opened = await page.evaluate("""async () => {
      const stage = window.stage;
      await stage.clock.start();
      const source = new OscillatorNode(stage.clock.context, { type: "sawtooth", frequency: 140 });
      const gate = new GainNode(stage.clock.context, { gain: 0.3 });
      const out = new MediaStreamAudioDestinationNode(stage.clock.context);
      source.connect(gate).connect(out);
      source.start();
      await stage.listen(out.stream);
      let most = 0;
      for (let at = 0; at < 25; at += 1) {
        await new Promise((r) => setTimeout(r, 40));
        most = Math.max(most, stage.avatar.params.open);
      }
      stage.deafen();
      await new Promise((r) => setTimeout(r, 500));
      return [most, stage.avatar.timeline.speaking(stage.clock.heard())];
    }""")
    assert opened[0] > 0.15
    assert opened[1] is False


async def test_a_room_is_painted_only_where_it_is_asked_for(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    for query, painted in (("", False), ("&backdrop=auto", True), ("&backdrop=christmas", True)):
        await page.goto(f"{site[0]}/stage/demo?muted{query}")
        await page.wait_for_function(WORN, timeout=60_000)
        if painted:
            await page.wait_for_function(
                "() => window.stage.painted && window.stage.room.width > 300"
            )
            await page.wait_for_timeout(300)
        # A picture without a transparent pixel is saved without that channel.
        assert ((await pixels(page)).shape[2] == 3) is painted, query


async def test_every_scene_can_be_painted_for_every_market(
    page: Page, site: tuple[str, ShowSession]
) -> None:
    await page.goto(f"{site[0]}/stage/demo?muted")
    found = await page.evaluate("""async () => {
      const { SCENES, drawBackdrop } = await import("/static/stage/backdrop/backdrop.js");
      const seen = {};
      const markets = ["BE", "NL", "DE", "FR", "GB", ""];
      for (const scene of Object.keys(SCENES)) for (const market of markets) {
        for (const [w, h] of [[320, 180], [180, 320]]) {
          const canvas = new OffscreenCanvas(w, h);
          drawBackdrop(canvas, scene, market);
          const data = canvas.getContext("2d").getImageData(0, 0, w, h).data;
          let sum = 0;
          for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return `${scene} has holes`;
          for (let i = 0; i < data.length; i += 97) sum = (sum * 31 + data[i]) % 1000003;
          (seen[scene] ??= new Set()).add(`${market} ${sum}`);
        }
      }
      return { scenes: Object.keys(SCENES), sums: Object.values(seen).map((s) => s.size) };
    }""")
    assert sorted(found["scenes"]) == sorted(SCENES)
    assert set(found["sums"]) == {12}
