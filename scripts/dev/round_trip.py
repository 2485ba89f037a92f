"""Synthesise, transcribe, count: how intelligible a voice is to Whisper base (30 s, beam 5).

Intelligibility, not naturalness: nobody listens here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soxr
from faster_whisper import WhisperModel
from num2words import num2words

from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE, Audio

SENTENCES = Path(__file__).with_name("retail_sentences.toml")


def sentences(language: str, part: str) -> list[str]:
    """Return the sentences of ``part`` ("search" or "held_out") for ``language``."""
    with SENTENCES.open("rb") as file:
        found: list[str] = tomllib.load(file)[language.split("-")[0].lower()][part]
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """Word and character error rates in percent."""

    words: float
    characters: float


class Listener:
    """Whisper base, asked for the whole context it was trained with."""

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        """Load the weights of ``folder``."""
        self._model: Any = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads
        )

    def hear(self, audio: Audio, language: str) -> str:
        """Return what is understood of float32 mono at SPEAKING_RATE."""
        heard = soxr.resample(audio, SPEAKING_RATE, LISTENING_RATE)
        pad = np.zeros(LISTENING_RATE // 4, np.float32)
        segments, _ = self._model.transcribe(
            np.concatenate([pad, heard.astype(np.float32), pad, pad]),
            language=language.split("-")[0],
            beam_size=5,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text for segment in segments).strip()


def plain(text: str, language: str) -> str:
    """Return ``text`` as words in lower case: no punctuation, numbers spelt out."""
    language = language.split("-")[0]
    text = text.lower().replace("€", " euro ").replace("’", "'")
    text = re.sub(r"(\d)[.,](\d{3})\b", r"\1\2", text)
    spoken = {"pt": "pt_BR"}.get(language, language)
    text = re.sub(r"\d+", lambda m: f" {num2words(int(m[0]), lang=spoken)} ", text)
    text = text.replace("-", " ").replace("'", " " if language in {"fr", "it"} else "")
    return " ".join(re.sub(r"[^\w\s]", " ", text).split())


def score(pairs: Iterable[tuple[str, str]], language: str) -> Score:
    """Return the error rates over (said, heard) pairs."""
    said, heard = zip(*((plain(a, language), plain(b, language)) for a, b in pairs), strict=True)
    return Score(
        100 * float(jiwer.wer(list(said), list(heard))),
        100 * float(jiwer.cer(list(said), list(heard))),
    )
