"""The dialogue scenarios (``tests/scenarios/*.yaml``) by voice: spoken, recognised, answered aloud.

    python -m scripts.bench.scenarios                     # all that can be spoken: an hour or two
    python -m scripts.bench.scenarios --language nl --most 3
    python -m scripts.bench.scenarios --only "nl bestelling annuleren"

The same files and the same checks as by text, through ``/v1/realtime`` of a real server with real
models; only the shop's platform, its people and the clock are the scenario's.  The caller's words
are spoken by our own voices.  What a voice cannot do is left out and counted: key 0, interruptions
at an exact share of a reply, scripted answers of a language model.

What fails by voice and not by text is a word that was not understood: ``heard`` shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import soundfile

from scripts.bench.client import RATE, Caller, Samples
from scripts.bench.latency import ask
from tests.scenarios.format import Reply, Scenario, check, load
from tests.scenarios.world import World
from voice_server.app import App
from voice_server.config import Settings, cache_root
from voice_server.dialogue.knowledge import Knowledge
from voice_server.speech.engine import SPEAKING_RATE, TextToSpeech
from voice_server.speech.language import TextLanguage

KEY_ZERO = "0"


class Clock:
    """The present of a scenario."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the present."""
        return self.now


def unspeakable(scenario: Scenario) -> str:
    """Return why a scenario cannot be run by voice, "" if it can."""
    if scenario.llm:
        return "a scripted language model"
    if any(turn.heard < 1 for turn in scenario.turns):
        return "an interruption"
    return "key 0" if any(turn.user == KEY_ZERO for turn in scenario.turns) else ""


async def spoken(voice: TextToSpeech, text: str, language: str) -> Samples:
    """Return what a caller says, 16 bit mono at 24 kHz; kept for the next night."""
    name = hashlib.sha256(f"{language}:{text}".encode()).hexdigest()[:24]
    path = cache_root() / "bench" / "scenarios" / f"{name}.wav"
    if not path.is_file():
        pieces = [chunk.audio async for chunk in voice.speak(text, language=language)]
        path.parent.mkdir(parents=True, exist_ok=True)
        audio = np.concatenate([np.zeros(2400, np.float32), *pieces])
        soundfile.write(path, audio, SPEAKING_RATE, subtype="PCM_16")
    samples, rate = soundfile.read(path, dtype="int16")
    if rate != RATE:
        raise SystemExit(f"{path} has {rate} samples a second, not {RATE}: delete it")
    return np.asarray(samples, np.int16)


async def run_one(
    app: App, knowledge: Knowledge, scenario: Scenario, identify: TextLanguage
) -> dict[str, Any]:
    """Talk through a scenario; return what was said, heard and wrong."""
    tenant = app.tenants.default
    dialogue, services = tenant.dialogue, tenant.services
    if dialogue is None or services is None:
        raise SystemExit("the server has not loaded")
    zone = ZoneInfo(tenant.shop.market.timezone)
    clock = Clock(datetime.fromisoformat(scenario.now).replace(tzinfo=zone))
    world = World(tenant.shop, knowledge, clock, scenario)
    dialogue.renew(tenant.identity, tenant.shop.languages, knowledge, flows=world.flows)
    voice = scenario.file.removesuffix(".yaml")
    wish = f"?language={scenario.language}" if scenario.language else ""
    wrong: list[str] = []
    turns: list[dict[str, str]] = []
    async with Caller.connected(f"ws://127.0.0.1:{app.port}/v1/realtime{wish}") as caller:
        await asyncio.sleep(0.3)
        for place, expected in enumerate(scenario.turns, 1):
            clock.now += timedelta(minutes=expected.later)
            if expected.platform is not None:
                world.store.fault = expected.platform
            code = " ".join(world.mailbox.code)
            words = expected.user.replace("{code}", code)
            try:
                turn = await ask(caller, await spoken(services.tts, words, voice))
            except TimeoutError:
                wrong.append(f"{scenario.name}, turn {place}: {words!r}: no answer came")
                break
            language, _ = identify.identify(turn.answer, tenant.shop.languages)
            reply = Reply(turn.answer, language, expected.source or "", tuple(turn.sources))
            turns.append({"said": words, "heard": turn.transcript, "answer": turn.answer})
            found = check(f"{scenario.name}, turn {place}", expected, reply, world.after())
            wrong += [f"{what} (heard {turn.transcript!r})" for what in found]
    return {"name": scenario.name, "language": voice, "turns": turns, "wrong": wrong}


async def run(scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    """Run scenarios one after the other on one server."""
    data = Path(tempfile.mkdtemp(prefix="voice-scenarios-"))
    settings = Settings(port=0, llm="none", data=data, warm_phrases=False, watch_s=0)
    identify, found = TextLanguage(), []
    async with App(settings).running() as app:
        tenant = app.tenants.default
        # The same facts as the server's, whose cache makes them quick to learn again.
        knowledge = await asyncio.to_thread(app._learn, tenant.shop, tenant.pictures)
        for scenario in scenarios:
            began = time.monotonic()
            result = await run_one(app, knowledge, scenario, identify)
            found.append(result)
            state = "ok    " if not result["wrong"] else "FAILED"
            print(f"{state} {scenario.name} ({time.monotonic() - began:.0f} s)", flush=True)
            for line in result["wrong"]:
                print(f"       {line}", flush=True)
        await app.drain()
    return found


def choose(args: argparse.Namespace) -> list[Scenario]:
    """Return the scenarios that are wanted and can be spoken; say which cannot."""
    wanted = [
        scenario
        for scenario in load()
        if (not args.language or scenario.file == f"{args.language}.yaml")
        and (not args.only or scenario.name in args.only)
    ]
    left_out = Counter(why for scenario in wanted if (why := unspeakable(scenario)))
    for why, count in left_out.items():
        print(f"{count} left out: {why}")
    return [scenario for scenario in wanted if not unspeakable(scenario)][: args.most or None]


def main() -> int:
    """Run, print a line for each scenario and a table; exit code 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--language", choices=("fr", "nl", "de", "en"), help="of the file")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this scenario")
    parser.add_argument("--most", type=int, default=0, help="at most so many")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was said")
    args = parser.parse_args()
    scenarios = choose(args)
    if not scenarios:
        print("no such scenario", file=sys.stderr)
        return 2
    found = asyncio.run(run(scenarios))
    for language in sorted({one["language"] for one in found}):
        own = [one for one in found if one["language"] == language]
        good = sum(not one["wrong"] for one in own)
        turns = sum(len(one["turns"]) for one in own)
        print(f"{language}: {good} of {len(own)} scenarios, {turns} turns")
    if args.json:
        args.json.write_text(json.dumps(found, ensure_ascii=False, indent=2), encoding="utf-8")
    return 0 if not any(one["wrong"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
