"""Lips from sound alone against lips from phones: how alike they move, and how late they are.

    .venv/bin/python scripts/bench/ear.py [--languages fr en de nl] [--json out/ear.json]

The server's own voices speak held-out sentences; their phones give the reference curve of the
mouth's opening, the way the stage draws them.  The same sound without its phones goes through the
stage's ear (``web/static/stage/ear.js``) in Chromium, once in pieces as the stage gets them (they
are heard before they sound) and once as from a microphone (only what has sounded is known, a frame
every 1/30 s).  Reported: correlation at the best lag, that lag, and p, b, m with a shut mouth.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.tables import print_table, write_json
from scripts.dev.round_trip import sentences
from voice_server.assets import assets_dir
from voice_server.config import Settings
from voice_server.engines import load_voices
from voice_server.speech.engine import SPEAKING_RATE, Phone, TextToSpeech
from voice_server.speech.visemes import visemes
from voice_server.web.pages import STATIC, add_pages
from voice_server.weights import WeightStore

CURVES = """async ({ pcm, cues, rate, look }) => {
  const { Ear } = await import("/static/stage/ear.js");
  const { VisemeTimeline } = await import("/static/stage/timeline.js");
  const rig = await (await fetch(`/avatars/${look}/rig.json`)).json();
  const sound = Int16Array.from(pcm);
  const seconds = sound.length / rate;
  const curve = (timeline) => {
    const found = [];
    for (let t = 0; t < seconds; t += 0.01) {
      const { open, press } = timeline.at(t);
      found.push([open * (1 - press), press]);
    }
    return found;
  };
  const reference = new VisemeTimeline(rig.visemes);
  reference.add(cues, 0);
  const pieces = new VisemeTimeline(rig.visemes);
  pieces.add(new Ear(rate).cues(sound), 0);
  // A microphone: at every frame the window that ends now.
  const live = new VisemeTimeline(rig.visemes);
  const ear = new Ear(rate);
  const seen = [];
  const step = 1 / 30;
  let next = 0;
  for (let t = 0; t < seconds; t += 0.01) {
    if (t >= next) {
      next += step;
      const end = Math.floor(t * rate);
      const frame = new Float32Array(ear.size);
      for (let i = 0; i < ear.size; i += 1) frame[i] = (sound[end - ear.size + i] ?? 0) / 32768;
      const { name, weight } = ear.hear(frame, step);
      live.add([[name, 0, 1000 * step, weight]], t - step);
    }
    const { open, press } = live.at(t);
    seen.push([open * (1 - press), press]);
  }
  return { reference: curve(reference), pieces: curve(pieces), live: seen };
}"""


def compare(reference: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return the best correlation of two curves (100 Hz) and the lag at which it is, in ms."""
    best, at = -1.0, 0
    for lag in range(-15, 31):
        a = reference[max(0, -lag) : len(reference) - max(0, lag)]
        b = found[max(0, lag) : len(found) - max(0, -lag)]
        if a.std() > 0 and b.std() > 0:
            score = float(np.corrcoef(a, b)[0, 1])
            if score > best:
                best, at = score, lag
    return best, 10.0 * at


async def speak(tts: TextToSpeech, text: str, language: str) -> tuple[list[int], list[Any]]:
    """Return PCM16 and the cues of its phones."""
    pieces: list[np.ndarray[Any, Any]] = []
    phones: list[Phone] = []
    async for chunk in tts.speak(text, language=language, urgent=False):
        pieces.append(chunk.audio)
        phones.extend(chunk.phones)
    pcm = (np.clip(np.concatenate(pieces), -1, 1) * 32767).astype("<i2")
    return pcm.tolist(), [[v.viseme, v.start_ms, v.end_ms, v.weight] for v in visemes(phones)]


async def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Speak, listen, compare."""
    settings = Settings()
    voices = await load_voices(settings, WeightStore(settings.models))
    app = web.Application()
    add_pages(app, None, static=STATIC)
    app.router.add_static("/avatars", assets_dir("avatars"))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    rows: list[dict[str, Any]] = []
    try:
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=options.chromium, args=["--headless=new", "--no-sandbox"]
            )
            page = await browser.new_page()
            await page.goto(f"http://localhost:{runner.addresses[0][1]}/")
            for language in options.languages:
                parts: dict[str, list[np.ndarray[Any, Any]]] = {}
                closures: list[list[float]] = []
                offset = 0.0
                for text in sentences(language, "held_out")[: options.sentences]:
                    pcm, cues = await speak(voices.speaker, text, language)
                    curves = await page.evaluate(
                        CURVES,
                        {"pcm": pcm, "cues": cues, "rate": SPEAKING_RATE, "look": "lea"},
                    )
                    for name, curve in curves.items():
                        parts.setdefault(name, []).append(np.array(curve))
                    closures += [
                        [offset + c[1] / 10, offset + c[2] / 10] for c in cues if c[0] == "PP"
                    ]
                    offset += len(curves["reference"])
                joined = {name: np.concatenate(curves) for name, curves in parts.items()}
                for way in ("pieces", "live"):
                    score, lag = compare(joined["reference"][:, 0], joined[way][:, 0])
                    shift = round(lag / 10)
                    shut = sum(
                        bool(
                            (
                                joined[way][int(max(0, a - 4 + shift)) : int(b + 5 + shift), 0]
                                < 0.06
                            ).any()
                        )
                        for a, b in closures
                    )
                    rows.append(
                        {
                            "language": language,
                            "sound": way,
                            "seconds": round(len(joined[way]) / 100, 1),
                            "correlation": round(score, 3),
                            "lag_ms": lag,
                            "closed_p_b_m": f"{shut}/{len(closures)}",
                        }
                    )
            await browser.close()
    finally:
        await voices.close()
        await runner.cleanup()
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--languages", nargs="+", default=["fr", "en", "de", "nl"])
    parser.add_argument("--sentences", type=int, default=6)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = asyncio.run(measure(options))
    print_table(rows)
    if options.json:
        write_json(options.json, "ear", rows)


if __name__ == "__main__":
    main()
