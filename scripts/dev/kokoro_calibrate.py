"""Measure Kokoro's shipped voices and write models/kokoro-82m.statistics.npz.

    python -m scripts.dev.kokoro_calibrate [--voices af_heart ff_siwis] [--clauses 5]

Run it when [[engine.voices]] of models/kokoro-82m.toml changes; a voice that is not in the file is
measured by the server at its first start, which takes it some ten seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time

from scripts.dev.round_trip import sentences
from voice_server.assets import assets_dir
from voice_server.config import Settings
from voice_server.speech.espeak import Espeak
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.tts.kokoro_graph import derive, measure_voice
from voice_server.speech.tts.kokoro_model import KokoroModel
from voice_server.speech.tts.kokoro_phones import TIE, spell
from voice_server.speech.tts.kokoro_statistics import load_statistics, save_statistics
from voice_server.speech.tts.kokoro_voices import (
    STATISTICS_FILE,
    VoiceSpec,
    read_specs,
    read_style,
    style_row,
)
from voice_server.weights import WeightStore


async def main() -> None:
    """Measure the voices asked for and keep what is known of the others in the TOML."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--voices", nargs="*", help="ids; default: those not measured yet")
    parser.add_argument(
        "--clauses", type=int, default=5, help="sentences per voice, and as many short clauses"
    )
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    settings = Settings()
    store = WeightStore(settings.models)
    model_dir = store.path("kokoro-82m")
    specs = read_specs(store.entry("kokoro-82m").engine)
    path = assets_dir("models") / STATISTICS_FILE
    known = load_statistics(path)
    recipes = {spec.recipe for spec in specs}
    known = {recipe: found for recipe, found in known.items() if recipe in recipes}
    wanted = [
        spec
        for spec in specs
        if (spec.voice.id in arguments.voices if arguments.voices else spec.recipe not in known)
    ]
    derived = derive(model_dir, settings.models / "derived")
    model = KokoroModel.load(derived, threads=arguments.threads)
    espeak = Espeak()
    try:
        for spec in wanted:
            began = time.monotonic()
            clauses = await _clauses(spec, EspeakPhonemizer(espeak), arguments.clauses)
            style = read_style(model_dir, spec)
            rows = [(tokens, style_row(style, len(tokens))) for tokens in clauses]
            known[spec.recipe] = measure_voice(model, rows)
            save_statistics(path, known)
            print(f"{spec.voice.id}: {time.monotonic() - began:.1f} s", flush=True)
    finally:
        await espeak.close()


async def _clauses(spec: VoiceSpec, phonemizer: EspeakPhonemizer, count: int) -> list[list[int]]:
    language = spec.voice.language
    whole = sentences(language, "search")[:count]
    short = [" ".join(text.rstrip(".?!").split()[: at + 1]) + "." for at, text in enumerate(whole)]
    return [
        list(spell(await phonemizer.phonemes(s, language, tie=TIE), language, spec.phones).tokens)
        for s in whole + short
    ]


if __name__ == "__main__":
    asyncio.run(main())
