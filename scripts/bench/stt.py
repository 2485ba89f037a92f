"""Measure speech to text: word errors and time, trimmed against padded to 30 s.

    .venv/bin/python -m scripts.bench.stt FOLDER... [--json out.json] [--limit 40]

Each FOLDER is named after its language (``fr``, ``nl`` ...) and holds ``name.wav`` with what is
said in ``name.txt``.  ``scripts/bench/recordings.py`` fills such folders with real speech.
``--ways wide,ulaw,alaw`` measures what the telephone costs: the same band-limited recordings at
24 kHz, as the page sends them, and through a call's own G.711, resampler and level control.
Times are per utterance, one after the other, on an otherwise idle machine or they mean little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jiwer
import num2words
import numpy as np
import soundfile

from scripts.bench.tables import percentile, print_table, write_json
from voice_server.audio.resample import resample
from voice_server.config import cache_root
from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE, Audio
from voice_server.speech.stt.decoding import WINDOW_S, WhisperModel
from voice_server.speech.stt.whisper import TOKENS_AT_LEAST, TOKENS_PER_S, WhisperSpeechToText
from voice_server.telephony.call import ALAW_8K, ULAW_8K, Codec
from voice_server.telephony.hearing import Hearing
from voice_server.weights import WeightStore

SHORT_S = 5.0
"""Utterances up to this length have a budget of their own."""

Listen = Callable[[Audio, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording and what is said in it."""

    name: str
    audio: Audio
    said: str

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.audio.size / LISTENING_RATE


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance transcribed one way."""

    name: str
    said: str
    heard: str
    seconds: float
    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Row:
    """A folder heard one way, summed up; errors in %, times in ms."""

    language: str
    way: str
    utterances: int
    mean_s: float
    word_errors: float
    letter_errors: float
    wall_p50: float
    wall_p95: float
    short_p50: float
    short_p95: float
    cpu_mean: float


def normalise(text: str, language: str) -> str:
    """Return what scoring compares: numbers in words, no case, accents or punctuation."""

    def in_words(match: re.Match[str]) -> str:
        digits = match.group()
        parts = [digits] if len(digits) <= 4 else list(digits)
        try:
            return " ".join(f" {num2words.num2words(int(part), lang=language)} " for part in parts)
        except NotImplementedError:
            return digits

    text = re.sub(r"\d+", in_words, text.lower())
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def read_folder(folder: Path, limit: int) -> list[Utterance]:
    """Return up to ``limit`` utterances of a folder, evenly spread over its names."""
    found = [wav for wav in sorted(folder.glob("*.wav")) if wav.with_suffix(".txt").is_file()]
    if not found:
        raise SystemExit(f"{folder} holds no name.wav with a name.txt beside it")
    count = min(limit, len(found))
    chosen = [found[index * len(found) // count] for index in range(count)]
    utterances = []
    for wav in chosen:
        samples, rate = soundfile.read(str(wav), dtype="float32", always_2d=True)
        audio = resample(np.ascontiguousarray(samples[:, 0]), rate, LISTENING_RATE)
        said = wav.with_suffix(".txt").read_text(encoding="utf-8").strip()
        utterances.append(Utterance(wav.stem, audio, said))
    return utterances


def by_telephone(audio: Audio, codec: Codec) -> Audio:
    """Return what the models hear of ``audio`` over a line with ``codec``: float32 [n] at 16 kHz.

    As a call does it: frames of 20 ms, decoded, resampled and levelled one after the other.
    """
    wire = codec.encode(resample(audio, LISTENING_RATE, codec.rate))
    hearing, step = Hearing(codec, tones=False), codec.frame_bytes(20)
    frames = [hearing.hear(wire[at : at + step], 0.0)[0] for at in range(0, len(wire), step)]
    return np.concatenate(frames)


def ways(folder: Path, names: Sequence[str]) -> dict[str, Listen]:
    """Return the ways to listen, by name: the engine itself, and Whisper as it was published."""
    engine = WhisperSpeechToText(folder, deadline_s=60)
    model = WhisperModel(folder)

    async def trimmed(audio: Audio, language: str) -> str:
        return (await engine.transcribe(audio, language=language)).text

    async def partial(audio: Audio, language: str) -> str:
        return (await engine.transcribe(audio, language=language, urgent=False)).text

    async def padded(audio: Audio, language: str) -> str:
        whole = np.zeros(int(WINDOW_S * LISTENING_RATE), np.float32)
        whole[: audio.size] = audio[: whole.size]
        bound = TOKENS_AT_LEAST + int(audio.size / LISTENING_RATE * TOKENS_PER_S)
        encoded = model.encode(whole)
        return model.decode(encoded, language, max_tokens=bound, repetition_penalty=1.0).text

    async def wide(audio: Audio, language: str) -> str:
        page = resample(
            resample(audio, LISTENING_RATE, SPEAKING_RATE), SPEAKING_RATE, LISTENING_RATE
        )
        return await trimmed(page, language)

    async def ulaw(audio: Audio, language: str) -> str:
        return await trimmed(by_telephone(audio, ULAW_8K), language)

    async def alaw(audio: Audio, language: str) -> str:
        return await trimmed(by_telephone(audio, ALAW_8K), language)

    known: dict[str, Listen] = {
        "trimmed": trimmed, "partial": partial, "padded": padded,
        "wide": wide, "ulaw": ulaw, "alaw": alaw,
    }  # fmt: skip
    if unknown := set(names) - set(known):
        raise SystemExit(f"unknown way {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return {name: known[name] for name in names}


async def listen(utterance: Utterance, language: str, way: Listen) -> Heard:
    """Transcribe one utterance and time it."""
    wall, cpu = time.perf_counter(), time.process_time()
    text = await way(utterance.audio, language)
    return Heard(
        utterance.name,
        utterance.said,
        text,
        utterance.seconds,
        (time.perf_counter() - wall) * 1000,
        (time.process_time() - cpu) * 1000,
    )


def summarise(language: str, way: str, heard: Sequence[Heard]) -> Row:
    """Return the figures of one folder heard one way."""
    said = [normalise(each.said, language) for each in heard]
    got = [normalise(each.heard, language) for each in heard]
    wall = [each.wall_ms for each in heard]
    short = [each.wall_ms for each in heard if each.seconds <= SHORT_S]
    return Row(
        language=language,
        way=way,
        utterances=len(heard),
        mean_s=round(statistics.fmean(each.seconds for each in heard), 2),
        word_errors=round(100 * jiwer.wer(said, got), 2),
        letter_errors=round(100 * jiwer.cer(said, got), 2),
        wall_p50=percentile(wall, 50),
        wall_p95=percentile(wall, 95),
        short_p50=percentile(short, 50),
        short_p95=percentile(short, 95),
        cpu_mean=round(statistics.fmean(each.cpu_ms for each in heard)),
    )


async def bench(options: argparse.Namespace) -> None:
    """Run the measurement that ``options`` describe."""
    folder = options.model or WeightStore(cache_root() / "models").path("whisper-base")
    chosen = ways(folder, options.ways.split(","))
    rows, details = [], []
    for path in options.folders:
        language, utterances = path.name[:2], read_folder(path, options.limit)
        for way in chosen.values():
            await way(utterances[0].audio, language)
        # Interleaved, so that a busy moment of the machine falls on all ways alike.
        heard: dict[str, list[Heard]] = {name: [] for name in chosen}
        for utterance in utterances:
            for name, way in chosen.items():
                heard[name].append(await listen(utterance, language, way))
        rows += [summarise(language, name, each) for name, each in heard.items()]
        details += [
            {"language": language, "way": name, **asdict(each)}
            for name, everything in heard.items()
            for each in everything
        ]
    table = [asdict(row) for row in rows]
    print_table(table)
    if options.json:
        write_json(options.json, "stt", table)
        words = options.json.with_name(options.json.stem + "-words.json")
        words.write_text(json.dumps(details, ensure_ascii=False, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--ways", default="trimmed,padded", help="trimmed, partial, padded; wide, ulaw, alaw"
    )
    parser.add_argument("--limit", type=int, default=40, help="utterances per folder")
    parser.add_argument("--model", type=Path, help="folder of the weights (default: whisper-base)")
    parser.add_argument("--json", type=Path, help="also write the table, and what was heard")
    asyncio.run(bench(parser.parse_args(arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
