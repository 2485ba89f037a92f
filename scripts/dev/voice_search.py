"""Search the blend of styles and the phone map that make a borrowed voice best understood.

    python -m scripts.dev.voice_search nl [--minutes 40] [--sentences 24] [--start TOML-table.json]

Kokoro was trained on no German and no Dutch.  A voice of another language speaks them with phones
lent to it; which style (or blend) and which phone for which is found by trial: synthesise, let
Whisper base write it down, count.  Coordinate descent over PHONES and STYLES; what improves the
sum of word and character errors on the "search" sentences stays.  The held-out sentences are heard
once, before and after, by the recogniser of the reports (30 s, beam 5).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from types import MappingProxyType

import soxr

from scripts.dev.round_trip import Listener, Score, score, sentences
from voice_server.config import Settings
from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE, Audio
from voice_server.speech.espeak import Espeak
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.stt.whisper import WhisperSpeechToText
from voice_server.speech.tts.kokoro_graph import derive
from voice_server.speech.tts.kokoro_model import KokoroModel
from voice_server.speech.tts.kokoro_phones import TIE, spell
from voice_server.speech.tts.kokoro_voices import VoiceSpec, read_specs, read_style, style_row
from voice_server.speech.tts.windows import Window
from voice_server.weights import WeightStore

PHONES: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {
        "a^ʊ": ("aʊ", "au", "ao", "aw", "W"),
        "ɜ": ("ɐ", "a", "ɜ", "əɾ", "ə"),
        "ɾ": ("ʁ", "ɾ", "ɐ", "ɹ", "r"),
        "r": ("ʁ", "ɾ", "r"),
        "t^s": ("ts", "ʦ"),
        "œ": ("ø", "ɜ", "œ", "ɛ"),
        "ʏ": ("y", "ø", "ʊ", "i"),
        "x": ("χ", "h", "x", "k"),
        "ç": ("ʃ", "ɕ", "ç", "x"),
        "ɑː": ("aː", "a", "ɑː"),
        "ə": ("e", "ɛ", "ə"),
        "ɔ^ø": ("ɔɪ", "oi", "ɔj", "Y"),
        "a^ɪ": ("aɪ", "ai", "aj", "I"),
        "v": ("ʋ", "v", "β"),
        "ɪ": ("i", "ɪ", "e"),
        "ʊ": ("u", "ʊ", "o"),
        "øː": ("ø", "œː", "øː"),
        "yː": ("y", "yː", "u"),
        "h": ("x", "h"),
        "ɛ": ("e", "ɛ", "æ"),
        "z": ("s", "z"),
        "a": ("ɑ", "a", "ʌ"),
        "ɔ": ("o", "ɔ"),
        "ʊŋ": ("uŋ", "ʊŋ", "ʊnɡ"),
    },
    "nl": {
        "ɛ^ɪ": ("ɛi", "ɛɪ", "ɛj", "I", "aɪ", "A"),
        "œ^y": ("Y", "œɪ", "ʌɪ", "ɔy", "œy", "W"),
        "y^ʊ": ("yu", "yw", "yːʋ", "y", "yʊ"),
        "ʋ": ("w", "ʋ", "v", "β"),
        "ɣ": ("χ", "ɣ", "ɡ", "h", "x"),
        "x": ("χ", "h", "k", "x"),
        "ɵ": ("ʌ", "ə", "ø", "ɜ", "ɤ", "œ"),
        "r": ("ɾ", "ʁ", "ɹ", "r"),
        "ʌ^ʊ": ("aʊ", "ɔu", "au", "ʌu", "W"),
        "eː": ("e", "eɪ", "A", "eː"),
        "oː": ("o", "oʊ", "O", "oː"),
        "ɑ": ("a", "ɒ", "ʌ", "ɑ"),
        "ə": ("e", "ɜ", "œ", "ə"),
        "øː": ("ø", "œː", "øː"),
        "aː": ("a", "aː", "ɑː"),
        "ɪ": ("i", "e", "ɪ"),
        "z": ("s", "z"),
        "v": ("f", "v"),
        "y": ("yː", "u", "y"),
        "ɛ": ("e", "æ", "ɛ"),
        "ɔ": ("o", "ɒ", "ɔ"),
        "ɲ": ("nj", "ɲ"),
        "i": ("iː", "i"),
        "u": ("uː", "u"),
    },
}
"""Phones of a language to what may stand for them; the first tries are the likeliest."""

STYLES = (
    "ef_dora", "if_sara", "pf_dora", "ff_siwis", "im_nicola", "em_alex", "pm_alex", "hf_alpha",
    "em_santa", "bf_emma", "af_heart", "pm_santa",
)  # fmt: skip
SHARES = (0.8, 0.6, 0.4)
SPEEDS = (0.9, 1.0, 0.85)

SURE, HOPELESS = 12, 4.0
"""After this many texts a recipe that is this many percent behind is not heard out."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A voice under trial."""

    mix: tuple[tuple[str, float], ...]
    phones: tuple[tuple[str, str], ...]
    speed: float = 1.0

    def with_phone(self, phone: str, other: str) -> Recipe:
        """Return it with another stand-in for a phone."""
        return replace(self, phones=tuple(sorted({**dict(self.phones), phone: other}.items())))

    def blended(self, style: str, share: float) -> Recipe:
        """Return it with ``share`` of its own styles and the rest of another one."""
        mixed = {name: part * share for name, part in self.mix}
        mixed[style] = mixed.get(style, 0.0) + 1 - share
        return replace(self, mix=tuple(sorted((name, round(p, 3)) for name, p in mixed.items())))


class Laboratory:
    """Speaks and hears; remembers what was heard."""

    def __init__(self, language: str, base: VoiceSpec, threads: int) -> None:
        settings = Settings()
        store = WeightStore(settings.models)
        self._folder = store.path("kokoro-82m")
        self._model = KokoroModel.load(
            derive(self._folder, settings.models / "derived"), threads=threads
        )
        self.ears = WhisperSpeechToText(store.path("whisper-base"), deadline_s=300)
        self.listener = Listener(store.path("whisper-base"), threads=threads)
        self.language = language
        self._base = base
        self.ipa: dict[str, str] = {}
        self._heard: dict[tuple[object, ...], str] = {}

    async def prepare(self, texts: list[str], espeak: Espeak) -> None:
        """Turn the texts into phones."""
        phonemizer = EspeakPhonemizer(espeak)
        for text in texts:
            self.ipa[text] = await phonemizer.phonemes(text, self.language, tie=TIE)

    def speak(self, text: str, recipe: Recipe) -> Audio:
        """Say a text whole, its norms measured on itself."""
        spelling = spell(self.ipa[text], self.language, dict(recipe.phones))
        spec = replace(self._base, mix=MappingProxyType(dict(recipe.mix)))
        row = style_row(read_style(self._folder, spec), len(spelling.tokens))
        reading = self._model.read(list(spelling.tokens), row, recipe.speed)
        clause = self._model.begin(reading, row, None)
        return self._model.sound(clause, Window(0, reading.frames))

    async def hear(self, text: str, recipe: Recipe) -> str:
        """Return what is understood; a text that a recipe spells like an earlier one is kept."""
        symbols = spell(self.ipa[text], self.language, dict(recipe.phones)).symbols
        key = (text, symbols, recipe.mix, recipe.speed)
        if key not in self._heard:
            audio = soxr.resample(self.speak(text, recipe), SPEAKING_RATE, LISTENING_RATE)
            found = await self.ears.transcribe(audio, language=self.language)
            self._heard[key] = found.text
        return self._heard[key]

    async def losses(
        self, texts: list[str], recipe: Recipe, best: Sequence[float] = ()
    ) -> list[float]:
        """Return word plus character errors in percent, over the first text, the first two ...

        Stops early once it is hopeless against ``best``, another recipe's losses.
        """
        pairs: list[tuple[str, str]] = []
        found: list[float] = []
        for text in texts:
            pairs.append((text, await self.hear(text, recipe)))
            errors = score(pairs, self.language)
            found.append(errors.words + errors.characters)
            if len(found) >= SURE and best and found[-1] > best[len(found) - 1] + HOPELESS:
                break
        return found

    def report(self, texts: list[str], recipe: Recipe) -> Score:
        """Return the errors as the reports count them."""
        pairs = [
            (text, self.listener.hear(self.speak(text, recipe), self.language)) for text in texts
        ]
        return score(pairs, self.language)


Change = Callable[[Recipe], Recipe]


def phone_changes(phones: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Change]]:
    """Yield what may stand for which phone, with words for the log."""
    for phone, others in phones.items():
        for other in others:
            yield f"{phone} -> {other}", partial(Recipe.with_phone, phone=phone, other=other)


def voice_changes() -> Iterator[tuple[str, Change]]:
    """Yield speeds, and more of each style."""
    for speed in SPEEDS:
        yield f"speed {speed}", partial(replace, speed=speed)
    for style in STYLES:
        for share in SHARES:
            yield f"{style} {1 - share:.1f}", partial(Recipe.blended, style=style, share=share)


async def search(lab: Laboratory, texts: list[str], start: Recipe, minutes: float) -> Recipe:
    """Return the best recipe found in the time."""
    until = time.monotonic() + 60 * minutes
    best, losses = start, await lab.losses(texts, start)
    print(f"start {losses[-1]:.1f}", flush=True)
    while True:
        before = losses[-1]
        for name, change in chain(phone_changes(PHONES[lab.language]), voice_changes()):
            if time.monotonic() > until:
                return best
            candidate = change(best)
            if candidate == best:
                continue
            tried = await lab.losses(texts, candidate, losses)
            if len(tried) == len(texts) and tried[-1] < losses[-1] - 0.2:
                best, losses = candidate, tried
                print(f"{losses[-1]:6.1f}  {name}", flush=True)
        if before - losses[-1] < 0.5:
            return best


async def main() -> None:
    """Search, report, print what belongs into the TOML."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("language", choices=sorted(PHONES))
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", help="JSON of a recipe to go on from: {mix, phones, speed}")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    settings = Settings()
    store = WeightStore(settings.models)
    specs = read_specs(store.entry("kokoro-82m").engine)
    base = next(spec for spec in specs if spec.voice.language == arguments.language)
    start = Recipe(tuple(base.mix.items()), tuple(sorted(base.phones.items())), base.speed)
    if arguments.start:
        given = json.loads(arguments.start)
        start = Recipe(
            tuple(sorted(given["mix"].items())),
            tuple(sorted(given["phones"].items())),
            given.get("speed", 1.0),
        )
    lab = Laboratory(arguments.language, base, arguments.threads)
    await lab.ears.load()
    texts = sentences(arguments.language, "search")
    held_out = sentences(arguments.language, "held_out")
    espeak = Espeak()
    try:
        await lab.prepare(texts + held_out, espeak)
        best = await search(lab, texts, start, arguments.minutes)
        print(json.dumps(
            {"mix": dict(best.mix), "phones": dict(best.phones), "speed": best.speed},
            ensure_ascii=False,
        ), flush=True)  # fmt: skip
        for name, recipe in (("before", start), ("after", best)):
            found = lab.report(held_out, recipe)
            print(f"held out, {name}: {found.words:.1f} % words, {found.characters:.1f} % letters")
    finally:
        await espeak.close()


if __name__ == "__main__":
    asyncio.run(main())
