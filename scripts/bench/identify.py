"""Measure how often the spoken language is identified among those of a shop.

    .venv/bin/python -m scripts.bench.identify FOLDER... [--among fr,nl,de,en] [--limit 90]

Each FOLDER is named after its language and holds recordings (``scripts/bench/recordings.py``);
those of 1 to 6 s are taken.  "odds" are those of the model's TOML: "plain" is Whisper without.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from scripts.bench.tables import print_table, write_json
from voice_server.audio.resample import resample
from voice_server.config import cache_root
from voice_server.speech.engine import LISTENING_RATE, Audio
from voice_server.speech.stt.decoding import WhisperModel
from voice_server.speech.stt.whisper import TAIL_S, weighed
from voice_server.weights import WeightStore

SHORTEST_S, LONGEST_S = 1.0, 6.0
PEAK = 0.5


def recordings(folder: Path, limit: int) -> list[Audio]:
    """Return up to ``limit`` recordings, evenly spread over their names, equally loud."""
    fitting = [
        wav
        for wav in sorted(folder.glob("*.wav"))
        if SHORTEST_S <= soundfile.info(str(wav)).duration <= LONGEST_S
    ]
    if not fitting:
        raise SystemExit(f"{folder} holds no recording of {SHORTEST_S:g} to {LONGEST_S:g} s")
    count = min(limit, len(fitting))
    found = []
    for index in range(count):
        wav = fitting[index * len(fitting) // count]
        samples, rate = soundfile.read(str(wav), dtype="float32", always_2d=True)
        audio = resample(np.ascontiguousarray(samples[:, 0]), rate, LISTENING_RATE)
        found.append((audio * (PEAK / max(float(np.abs(audio).max()), 1e-3))).astype(np.float32))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--among", default="fr,nl,de,en")
    parser.add_argument("--limit", type=int, default=90)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    store = WeightStore(cache_root() / "models")
    odds = store.entry("whisper-base").engine.get("language_odds", {})
    model = WhisperModel(store.path("whisper-base"))
    tail = np.zeros(int(TAIL_S * LISTENING_RATE), np.float32)
    rows: list[dict[str, Any]] = []
    for folder in options.folders:
        language, right = folder.name[:2], {"plain": 0, "odds": 0}
        heard = recordings(folder, options.limit)
        for audio in heard:
            ranked = model.identify(
                model.encode(np.concatenate((audio, tail))), options.among.split(",")
            )
            right["plain"] += ranked[0][0] == language
            right["odds"] += weighed(ranked, odds)[0][0] == language
        shares = {f"{way} %": round(100 * count / len(heard)) for way, count in right.items()}
        rows.append({"language": language, "recordings": len(heard), **shares})
    print_table(rows)
    if options.json:
        write_json(options.json, "identify", rows)


if __name__ == "__main__":
    main(sys.argv[1:])
