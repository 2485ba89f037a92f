"""Time to the first audio of an uncached clause, real-time factor, and intelligibility.

    .venv/bin/python scripts/bench/tts.py [--languages en fr nl de] [--repeats 5] [--threads 2]
        [--round-trip] [--whole] [--json out/tts.json]

"first" is from the call of speak() to its first chunk, phonemes included, for a word, a sentence
and two sentences in one clause, of the voice the server would choose.  "starved" is how long a
player that starts with the first chunk would have waited for later ones.  ``--round-trip`` has
Whisper base write down the held-out sentences; ``--whole`` has all sentences written down, and
decodes those of Kokoro's voices besides as the original model does: whole and with exact norms.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.tables import percentile, print_table, write_json
from scripts.dev.round_trip import Listener, score, sentences
from voice_server.config import Settings
from voice_server.engines import load_voices
from voice_server.speech.engine import SPEAKING_RATE, Audio, TextToSpeech
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.tts.kokoro_graph import derive
from voice_server.speech.tts.kokoro_model import KokoroModel
from voice_server.speech.tts.kokoro_phones import TIE, spell
from voice_server.speech.tts.kokoro_voices import read_specs, read_style, style_row
from voice_server.speech.tts.windows import Window
from voice_server.weights import WeightStore


def clauses(language: str) -> dict[str, list[str]]:
    """Return texts by length: a word, a sentence, two sentences."""
    held = sentences(language, "held_out")
    return {
        "word": [text.split()[0].strip(",") + "." for text in held],
        "sentence": held,
        "two": [f"{one.rstrip('.?!')}, {two}" for one, two in itertools.pairwise(held)],
    }


async def timed(tts: TextToSpeech, text: str, language: str) -> dict[str, float]:
    """Speak once; return first_ms, total_ms, audio_ms, starved_ms, window count."""
    began = time.perf_counter()
    first = 0.0
    ready = starved = 0.0
    audio_ms = 0.0
    count = 0
    async for chunk in tts.speak(text, language=language):
        now = 1000 * (time.perf_counter() - began)
        if count == 0:
            first = ready = now
        starved += max(0.0, now - ready)
        ready = max(ready, now) + 1000 * len(chunk.audio) / SPEAKING_RATE
        audio_ms += 1000 * len(chunk.audio) / SPEAKING_RATE
        count += 1
    total = 1000 * (time.perf_counter() - began)
    return {
        "first": first, "total": total, "audio": audio_ms, "starved": starved, "windows": count,
    }  # fmt: skip


async def speed(tts: TextToSpeech, languages: list[str], repeats: int) -> list[dict[str, Any]]:
    """Return a row per language and length; languages are interleaved against drift."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for turn in range(repeats):
        for language in languages:
            for length, texts in clauses(language).items():
                text = texts[turn % len(texts)]
                found.setdefault((language, length), []).append(await timed(tts, text, language))
    rows = []
    for (language, length), runs in found.items():
        firsts = [run["first"] for run in runs]
        audio = sum(run["audio"] for run in runs)
        rows.append(
            {
                "language": language,
                "clause": length,
                "audio s": round(audio / len(runs) / 1000, 2),
                "first p50 ms": percentile(firsts, 50),
                "first p95 ms": percentile(firsts, 95),
                "best ms": round(min(firsts), 1),
                "real-time factor": round(sum(run["total"] for run in runs) / audio, 3),
                "starved p95 ms": percentile([run["starved"] for run in runs], 95),
                "windows": round(sum(run["windows"] for run in runs) / len(runs), 1),
            }
        )
    return rows


async def round_trips(
    tts: TextToSpeech, languages: list[str], listener: Listener, whole: Whole | None
) -> list[dict[str, Any]]:
    """Return a row of error rates per language, streamed and (if asked) whole."""
    rows = []
    for language in languages:
        ways: dict[str, list[Any]] = {"streamed": [], "whole": []}
        texts = sentences(language, "held_out")
        if whole:  # whole is compared with streamed to a point: all sentences there are
            texts = sentences(language, "search") + texts
        for text in texts:
            pieces = [chunk.audio async for chunk in tts.speak(text, language=language)]
            ways["streamed"].append((text, listener.hear(np.concatenate(pieces), language)))
            if whole and whole.knows(language):
                audio = await whole.speak(text, language)
                ways["whole"].append((text, listener.hear(audio, language)))
        for way, pairs in ((way, pairs) for way, pairs in ways.items() if pairs):
            result = score(pairs, language)
            rows.append(
                {
                    "language": language,
                    "decoded": way,
                    "sentences": len(pairs),
                    "word errors %": round(result.words, 1),
                    "character errors %": round(result.characters, 1),
                }
            )
    return rows


class Whole:
    """The original way: the whole clause at once, every norm measured on it."""

    def __init__(
        self, store: WeightStore, derived: Path, espeak: EspeakPhonemizer, languages: list[str]
    ) -> None:
        """Open the graphs a second time, for those of ``languages`` that Kokoro speaks."""
        self._languages = languages
        self._folder = store.path("kokoro-82m")
        self._specs = read_specs(store.entry("kokoro-82m").engine)
        self._model = KokoroModel.load(derive(self._folder, derived), threads=2)
        self._phonemizer = espeak

    def knows(self, language: str) -> bool:
        """Whether the server's voice of that language is one of Kokoro's."""
        return language in self._languages

    async def speak(self, text: str, language: str) -> Audio:
        """Return the clause's audio, uncut."""
        spec = next(s for s in self._specs if s.voice.language.split("-")[0] == language)
        tag = spec.voice.language
        ipa = await self._phonemizer.phonemes(text, tag, tie=TIE)
        tokens = list(spell(ipa, tag, spec.phones).tokens)
        row = style_row(read_style(self._folder, spec), len(tokens))
        reading = self._model.read(tokens, row, spec.speed)
        clause = self._model.begin(reading, row, None)
        return self._model.sound(clause, Window(0, reading.frames))


async def main() -> None:
    """Run what the options ask for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--languages", nargs="+", default=["en", "fr", "nl", "de"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--round-trip", action="store_true")
    parser.add_argument("--whole", action="store_true", help="with --round-trip: compare")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    settings = Settings(tts_threads=arguments.threads)
    store = WeightStore(settings.models)
    voices = await load_voices(settings, store)
    speaker = voices.speaker
    try:
        rows = await speed(speaker, arguments.languages, arguments.repeats)
        print_table(rows)
        if arguments.round_trip:
            listener = Listener(store.path("whisper-base"))
            kokoro = [x for x in arguments.languages if speaker.voice_for(x).engine == "kokoro"]
            phonemizer = EspeakPhonemizer(voices.espeak)
            whole = Whole(store, settings.models / "derived", phonemizer, kokoro)
            heard = await round_trips(
                speaker, arguments.languages, listener, whole if arguments.whole else None
            )
            print_table(heard)
            rows += heard
        if arguments.json:
            write_json(arguments.json, "tts", rows)
    finally:
        await voices.close()
        voices.kokoro.close()


if __name__ == "__main__":
    asyncio.run(main())
