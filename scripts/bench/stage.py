"""The stage in Chromium without GPU: frames, cores, lips against sound, interruption, drift.

    .venv/bin/python scripts/bench/stage.py [--seconds 60] [--avatar lea] [--backdrop auto]
        [--drift-minutes 10] [--language fr] [--json out/stage.json]

A show runs in this process with the real voice of the language; the stage page plays it in
headless Chromium and is measured there:

- frames per second, and the processor time of the page's processes (/proc; a busy machine makes
  frames late, but not dearer), and of drawing alone (performance.now around each frame);
- lips: the inside of the mouth is painted green for the bench, each frame drawn is read back, and
  its green pixels are held against the times at which the sounds were scheduled on the audio
  clock.  A vowel's error is how far the frame in which the mouth is widest lies outside the vowel;
  p, b and m must show a frame without green within 40 ms of the sound;
- the same mouth curve against the loudness of what the page really played (an analyser at the
  output), cross-correlated: the lag at the begin and at the end, their difference is the drift;
- interruptions: from the host's command to silence, and to the first frame with a shut mouth.

``--accelerated`` drives timeline and clock through 60 minutes of show as fast as they go.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from aiohttp import web
from playwright.async_api import Page, async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.tables import percentile, print_table, write_json
from tests.live.crowd import TableUnderstanding
from tests.live.test_session import FakeAnswerer
from voice_server.assets import assets_dir
from voice_server.config import Settings
from voice_server.engines import load_voices
from voice_server.live import show_events as ev
from voice_server.live.facts import ShopFacts
from voice_server.live.run_sheet import load
from voice_server.live.session import ShowSession
from voice_server.shop import pack
from voice_server.speech.engine import TextToSpeech
from voice_server.web.live import LiveBackend, add_live
from voice_server.web.pages import add_pages
from voice_server.weights import WeightStore

ARGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
]
LONG_VOWEL_MS = 60.0
"""Shorter vowels share one frame with their neighbours: there is no widest frame to look for."""
CLOSURE_MS = 40.0
SHUT_PIXELS = 4
OPEN = ("aa", "O", "E", "I", "kk")
"""Green pixels that antialiasing leaves between lips that touch."""

PROBE = """() => {
  const stage = window.stage, { avatar, clock } = stage;
  const lips = avatar.rig.palette.lips;
  lips.inside = lips.tongue = "#00ff00";
  const probe = (window.probe = { frames: [], cues: [], sound: [], cuts: [] });
  const now = () => performance.timeOrigin + performance.now();
  const add = avatar.timeline.add.bind(avatar.timeline);
  avatar.timeline.add = (cues, at) => {
    for (const [name, start, end] of cues) {
      probe.cues.push([name, at + start / 1000, at + end / 1000]);
    }
    add(cues, at);
  };
  const cancel = clock.cancel.bind(clock);
  clock.cancel = () => {
    const at = cancel();
    probe.cuts.push([at, now()]);
    return at;
  };
  const context = stage.clock.context;
  const ear = new AnalyserNode(context, { fftSize: 512, smoothingTimeConstant: 0 });
  clock.output.connect(ear);
  const samples = new Float32Array(512);
  const loud = () => {
    ear.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const s of samples) sum += s * s;
    return Math.sqrt(sum / 512);
  };
  const ctx = stage.canvas.getContext("2d");
  stage.onFrame = (time) => {
    const { scale, x, y } = stage.place;
    const box = ctx.getImageData(x + 410 * scale, y + 430 * scale, 180 * scale, 170 * scale).data;
    let green = 0;
    for (let i = 0; i < box.length; i += 4) {
      const [r, g, b] = [box[i], box[i + 1], box[i + 2]];
      if (g > 90 && g > 2 * r && g > 2 * b) green += 1;
    }
    probe.frames.push([time, green, avatar.params.press, now()]);
  };
  // Loudness at 200 Hz, with the time on the clock of what is heard in the middle of the window.
  const half = 256 / context.sampleRate;
  setInterval(() => probe.sound.push([clock.time() - half, loud(), now()]), 5);
}"""

ACCELERATED = """async () => {
  const { VisemeTimeline } = await import("/static/stage/timeline.js");
  const { AudioClock } = await import("/static/stage/clock.js");
  const rig = window.stage.avatar.rig;
  // The page's own clock, driven: 60 minutes of lines of 24 kHz chunks that come early and late.
  const clock = new AudioClock({ muted: true });
  let now = 0;
  clock.time = () => now;
  const timeline = new VisemeTimeline(rig.visemes);
  let worst = 0, lines = 0, sounded = 0;
  for (let line = 0; now < 3600; line += 1, lines += 1) {
    let atMs = 0;
    for (let chunk = 0; chunk < 4; chunk += 1) {
      const pcm = { length: 9600 + ((line * 37 + chunk * 11) % 4800) };
      const began = clock.play(`l${line}`, atMs, 24000, pcm, 120);
      const from = atMs;
      const to = atMs + (1000 * pcm.length) / 24000;
      timeline.add([["aa", from, to, 1]], began);
      // Where this sound ends on the clock, against where its mouth shape ends.
      worst = Math.max(worst, Math.abs(clock.until - (began + to / 1000)));
      sounded += pcm.length / 24000;
      atMs = to;
      now += 0.2 + ((line * 13 + chunk * 7) % 10) / 40;
      timeline.at(now);
    }
    now = Math.max(now, clock.until) + 0.28;
  }
  return { minutes: now / 60, lines, sounded, drift_ms: 1000 * worst };
}"""


@contextlib.asynccontextmanager
async def on_air(tts: TextToSpeech, language: str) -> AsyncIterator[tuple[str, ShowSession]]:
    """The demo show with a real voice, on a free port."""
    shop = pack.load(pack.resolve("demo"))
    sheet = load(shop.folder / "shows" / "demo.toml")
    if language != sheet.language:
        sheet = type(sheet)(
            **{**{k: getattr(sheet, k) for k in sheet.__slots__}, "language": language}
        )
    session = ShowSession(
        sheet, ShopFacts(shop, "/shop"), TableUnderstanding(), FakeAnswerer(), tts, autostart=True  # type: ignore[arg-type]
    )  # fmt: skip
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
    try:
        yield f"http://localhost:{runner.addresses[0][1]}", session
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await runner.cleanup()


def chromium_cpu_s() -> dict[str, float]:
    """Processor seconds of the browser's processes below this one, by kind."""
    spent: dict[str, float] = {}
    for process in psutil.Process(os.getpid()).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if "chrom" not in " ".join(line[:1]):
                continue
            kind = next((a.split("=")[1] for a in line if a.startswith("--type=")), "browser")
            times = process.cpu_times()
            spent[kind] = spent.get(kind, 0.0) + times.user + times.system
    return spent


def lips(probe: dict[str, Any]) -> dict[str, float]:
    """Vowels' timing errors and closures from the frames that were drawn."""
    frames = np.array([f[:3] for f in probe["frames"]])
    errors: list[float] = []
    closed = closures = 0
    for name, start, end in probe["cues"]:
        near = frames[(frames[:, 0] > start - 0.12) & (frames[:, 0] < end + 0.12)]
        if len(near) < 5 or frames[-1, 0] < end + 0.2:
            continue
        if name == "PP":
            inside = (near[:, 0] >= start - CLOSURE_MS / 1000) & (
                near[:, 0] <= end + CLOSURE_MS / 1000
            )
            if not inside.any():
                continue
            closures += 1
            closed += bool((near[inside, 1] <= SHUT_PIXELS).any())
        elif name in ("aa", "O", "E") and 1000 * (end - start) >= LONG_VOWEL_MS:
            # A wider vowel next to this one has its own widest frame: it is left out.
            low = max([start - 0.08, *(e for n, _, e in probe["cues"] if n in OPEN and e <= start)])
            high = min([end + 0.08, *(b for n, b, _ in probe["cues"] if n in OPEN and b >= end)])
            close = near[(near[:, 0] > low) & (near[:, 0] < high)]
            if len(close) < 3 or close[:, 1].max() <= SHUT_PIXELS:
                continue
            # All frames that show the mouth as wide as it gets count; the nearest of them.
            best = close[close[:, 1] >= 0.97 * close[:, 1].max(), 0]
            miss = np.maximum(np.maximum(start - best, best - end), 0.0)
            errors.append(1000 * float(miss.min()))
    return {
        "vowels": len(errors),
        "viseme_error_p50_ms": percentile(errors, 50),
        "viseme_error_p95_ms": percentile(errors, 95),
        "closures": closures,
        "closed_share": closed / closures if closures else float("nan"),
    }


def lag_ms(probe: dict[str, Any], begin: float, end: float) -> float:
    """How much the mouth is behind the loudness in a span of the clock, by cross-correlation."""
    grid = np.arange(begin, end, 0.005)
    frames, sound = (
        np.array([f[:2] for f in probe["frames"]]),
        np.array([s[:2] for s in probe["sound"]]),
    )
    mouth = np.interp(grid, frames[:, 0], frames[:, 1])
    loud = np.convolve(np.interp(grid, sound[:, 0], sound[:, 1]), np.ones(9) / 9, "same")
    mouth, loud = mouth - mouth.mean(), loud - loud.mean()
    lags = range(-30, 31)
    scores = [
        float(np.corrcoef(mouth[30 + k : len(mouth) - 30 + k], loud[30:-30])[0, 1]) for k in lags
    ]
    # Where hardly anything was said there is nothing to hold against each other.
    return 5.0 * lags[int(np.argmax(scores))] if max(scores) > 0.25 else float("nan")


async def interruptions(page: Page, session: ShowSession, times: int) -> dict[str, float]:
    """Mute while a line sounds; from the command to silence, and to a shut mouth."""
    silence: list[float] = []
    frames_late: list[float] = []
    for _ in range(times):
        await page.wait_for_function("() => window.stage.avatar.params.open > 0.3", timeout=60_000)
        asked = 1000 * time.time()
        session.do(ev.Mute())
        await asyncio.sleep(0.7)
        probe = await page.evaluate(
            "asked => ({ sound: probe.sound.filter((s) => s[2] > asked), "
            "frames: probe.frames.filter((f) => f[3] > asked), cut: probe.cuts.at(-1) })",
            asked,
        )
        loud = [s[2] for s in probe["sound"] if s[1] > 1e-3]
        silence.append((max(loud) if loud else asked) - asked)
        after = [f for f in probe["frames"] if f[3] >= probe["cut"][1]]
        still_open = [at for at, frame in enumerate(after) if frame[1] > SHUT_PIXELS]
        frames_late.append(float(still_open[-1] + 1 if still_open else 0))
        session.do(ev.Resume())
        await asyncio.sleep(1.0)
    return {
        "interrupt_to_silence_max_ms": max(silence),
        "frames_open_after_the_cut_max": max(frames_late),
    }


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run it all; return what is printed."""
    settings = Settings()
    shop = pack.load(pack.resolve("demo"))
    voices = await load_voices(settings, WeightStore(settings.models))
    result: dict[str, Any] = {"avatar": options.avatar, "load": os.getloadavg()[0]}
    try:
        async with (
            on_air(voices.speaker_for(shop), options.language) as (url, session),
            async_playwright() as driver,
        ):
            browser = await driver.chromium.launch(executable_path=options.chromium, args=ARGS)
            page = await browser.new_page(viewport={"width": 1280, "height": 720})
            room = f"&backdrop={options.backdrop}" if options.backdrop else ""
            await page.goto(f"{url}/stage/demo?avatar={options.avatar}{room}")
            await page.wait_for_function("() => window.stage?.avatar && window.stage.frames > 30")
            await page.wait_for_function("() => window.stage.clock.line", timeout=120_000)
            count = "() => [stage.frames, stage.drawn]"
            cpu, at, (frames, drawn) = (
                chromium_cpu_s(),
                time.monotonic(),
                await page.evaluate(count),
            )
            await asyncio.sleep(options.seconds)
            spent = time.monotonic() - at
            cpu = {k: (v - cpu.get(k, 0.0)) / spent for k, v in chromium_cpu_s().items()}
            after = await page.evaluate(count)
            result |= {
                "fps": (after[0] - frames) / spent,
                "draw_ms": (after[1] - drawn) / max(1, after[0] - frames),
                "cores": sum(cpu.values()),
                "cores_renderer": cpu.get("renderer", 0.0),
            }
            await page.evaluate(PROBE)
            span = max(options.seconds, 60 * options.drift_minutes)
            await asyncio.sleep(span)
            probe = await page.evaluate("() => window.probe")
            result |= lips(probe)
            first, last = probe["frames"][0][0], probe["frames"][-1][0]
            part = min(90.0, (last - first) / 2)
            began, ended = lag_ms(probe, first, first + part), lag_ms(probe, last - part, last)
            result |= {
                "minutes": (last - first) / 60,
                "mouth_behind_sound_begin_ms": began,
                "mouth_behind_sound_end_ms": ended,
                "drift_ms": abs(ended - began),
            }
            result |= await interruptions(page, session, 8)
            fast = await page.evaluate(ACCELERATED)
            result |= {
                "accelerated_minutes": fast["minutes"],
                "accelerated_drift_ms": fast["drift_ms"],
            }
            await browser.close()
    finally:
        await voices.close()
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--drift-minutes", type=float, default=0.0)
    parser.add_argument("--avatar", default="lea")
    parser.add_argument("--language", default="fr")
    parser.add_argument("--backdrop", default="")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = asyncio.run(measure(options))
    rows = [
        {"what": k, "value": round(v, 3) if isinstance(v, float) else v} for k, v in result.items()
    ]
    print_table(rows)
    if options.json:
        write_json(options.json, "stage", [result])


if __name__ == "__main__":
    main()
