"""Answers from facts: are the intents right, and how long does an answer take?

Usage: python -m scripts.bench.answers [--shop demo] [--out FILE.json]

Runs the paraphrases of tests/dialogue/data through the shop's knowledge, one thread, no other
engine.  "right" and "wrong" count what was answered; the rest abstained and goes to the language
model or to a fallback.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from scripts.bench.tables import percentile, print_table, write_json
from voice_server.config import cache_root
from voice_server.dialogue.deciding import SURE
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.facts import Context
from voice_server.dialogue.knowledge import Knowledge
from voice_server.shop import pack

DATA = Path(__file__).parents[2] / "tests" / "dialogue" / "data"
SETS = ("heldout", "paraphrases")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--shop", default="demo", help="shop pack: a folder or a bundled name")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    embedder = UniversalSentenceEncoder()
    start = time.perf_counter()
    embedder.warm()
    loaded = time.perf_counter()
    knowledge = Knowledge(
        pack.load(pack.resolve(options.shop)), embedder, cache=cache_root() / "test-vectors"
    )
    built = time.perf_counter()
    print(f"encoder {loaded - start:.1f} s, knowledge {built - loaded:.1f} s\n")
    rows = [row for name in SETS for row in measure(knowledge, name)]
    print_table(rows)
    if options.out:
        write_json(options.out, "answers", rows)


def measure(knowledge: Knowledge, name: str) -> list[dict[str, Any]]:
    """Return one row for each language of a set of paraphrases."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    times: dict[str, list[float]] = defaultdict(list)
    for line in (DATA / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        language, wanted, text = line.split("\t")
        # First, so that the utterance's vector is not kept from an earlier call.
        started = time.perf_counter()
        knowledge.answer(text, language, Context())
        times[language].append((time.perf_counter() - started) * 1000)
        intent, confidence = knowledge.intent_of(text, language, Context())
        sure, hit = confidence >= SURE, intent in wanted.split("|")
        nothing = "none" in wanted and (not sure or intent == "off_topic")
        outcome = "right" if nothing or (sure and hit) else "wrong" if sure else "abstained"
        outcomes[language][outcome] += 1
        outcomes[language]["best guess right"] += hit or nothing
    return [
        {
            "set": name,
            "language": language,
            "asked": sum(found[key] for key in ("right", "wrong", "abstained")),
            **{key: found[key] for key in ("right", "wrong", "abstained", "best guess right")},
            "answer ms p50": percentile(times[language], 50),
            "p95": percentile(times[language], 95),
        }
        for language, found in outcomes.items()
    ]


if __name__ == "__main__":
    main()
