"""The questions of the benchmarks, spoken once into the user's cache by our own voices."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np
import soundfile

from voice_server.config import Settings, cache_root
from voice_server.speech.engine import SPEAKING_RATE

QUESTIONS = {
    "fr": {
        "delivery": "Combien coûte la livraison ?",
        "returns": "Combien de temps ai-je pour retourner un article ?",
        "payment": "Comment puis-je payer ma commande ?",
        "hours": "Quelles sont vos heures d'ouverture ?",
        "tail_party": "Que me conseillez-vous pour une soirée calme avec des amis ?",
    },
    "nl": {
        "delivery": "Hoeveel kost de levering?",
        "returns": "Hoe lang heb ik om een artikel terug te sturen?",
        "payment": "Hoe kan ik mijn bestelling betalen?",
        "hours": "Wat zijn jullie openingsuren?",
        "tail_party": "Wat raadt u aan voor een rustige avond met vrienden?",
    },
    "de": {
        "delivery": "Was kostet die Lieferung?",
        "returns": "Wie lange kann ich einen Artikel zurückgeben?",
        "payment": "Wie kann ich meine Bestellung bezahlen?",
        "hours": "Wann haben Sie geöffnet?",
        "tail_party": "Was empfehlen Sie für einen ruhigen Abend mit Freunden?",
    },
    "en": {
        "delivery": "How much does delivery cost?",
        "returns": "How long do I have to return an item?",
        "payment": "How can I pay for my order?",
        "hours": "What are your opening hours?",
        "tail_party": "What would you suggest for a quiet evening with friends?",
    },
}
"""Language to name to words. "tail_" ones are not among the shop's questions."""

LONG_TAIL = frozenset(name for names in QUESTIONS.values() for name in names if "tail" in name)


async def prepare(languages: tuple[str, ...]) -> dict[str, list[Path]]:
    """Return the wav files of the languages, spoken now if they are not there."""
    folder = cache_root() / "bench" / "questions"
    files = {
        language: [folder / language / f"{name}.wav" for name in QUESTIONS[language]]
        for language in languages
    }
    missing = [path for paths in files.values() for path in paths if not path.is_file()]
    if missing:
        await _speak(missing)
    return files


async def _speak(paths: list[Path]) -> None:
    from voice_server.engines import load_voices
    from voice_server.weights import WeightStore

    settings = Settings(data=cache_root() / "bench")
    voices = await load_voices(settings, WeightStore(settings.models))
    try:
        for path in paths:
            text = QUESTIONS[path.parent.name][path.stem]
            print(f"speaking {path.parent.name}: {text}", file=sys.stderr)
            pieces = [
                chunk.audio async for chunk in voices.speaker.speak(text, language=path.parent.name)
            ]
            path.parent.mkdir(parents=True, exist_ok=True)
            audio = np.concatenate([np.zeros(2400, np.float32), *pieces])
            soundfile.write(path, audio, SPEAKING_RATE, subtype="PCM_16")
    finally:
        await voices.close()


if __name__ == "__main__":
    asyncio.run(prepare(tuple(QUESTIONS)))
