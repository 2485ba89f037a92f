"""A stand-in for Kokoro's graphs: each symbol lasts four frames and sounds two before its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from voice_server.speech.engine import Audio
from voice_server.speech.tts.kokoro_cutter import LEAD_FRAMES
from voice_server.speech.tts.kokoro_model import Clause, Reading
from voice_server.speech.tts.kokoro_phones import VOCABULARY
from voice_server.speech.tts.kokoro_sound import FRAME
from voice_server.speech.tts.kokoro_statistics import Statistics, Tally, kinds
from voice_server.speech.tts.kokoro_weights import Array
from voice_server.speech.tts.windows import Window

PAD, LASTS = 10, 4
SILENT_TOKENS = frozenset(VOCABULARY[mark] for mark in " ,.?!—;:")

ENGINE: Mapping[str, Any] = {
    "voices": [
        {"id": "en_one", "language": "en-US", "mix": {"flat": 1.0}},
        {"id": "gb_one", "language": "en-GB", "mix": {"flat": 1.0}},
        {
            "id": "de_one", "language": "de", "mix": {"flat": 0.5, "steep": 0.5},
            "quality": "accented", "speed": 0.5,
        },
    ],
    "phones": {"de": {"ʏ": "y"}},
}  # fmt: skip


class ToyModel:
    """Has KokoroModel's methods; counts what it is asked, and can be made to hang or to fail."""

    def __init__(self) -> None:
        self.read_calls: list[tuple[list[int], float]] = []
        self.windows: list[Window] = []
        self.hang = threading.Event()
        self.hanging = False
        self.sounding: list[bool] = []

    def read(self, tokens: list[int], style: Array, speed: float) -> Reading:
        self.read_calls.append((tokens, speed))
        lengths = [PAD, *([round(LASTS / speed)] * len(tokens)), PAD]
        loud = [False, *(token not in SILENT_TOKENS for token in tokens), False]
        energy = np.repeat([6.0 if sounds else -9.0 for sounds in loud], np.array(lengths) * 2)
        frames = sum(lengths)
        return Reading(
            np.array(lengths, np.int64),
            np.zeros((512, frames), np.float32),
            np.full(2 * frames, 200, np.float32),
            np.roll(energy, -2 * LEAD_FRAMES).astype(np.float32),
        )

    def begin(self, reading: Reading, style: Array, statistics: Statistics | None) -> Clause:
        of = kinds(reading.pitch, reading.energy)
        tally = Tally(statistics or Statistics.nothing(1), of)
        features = np.zeros((512, 2 * reading.frames), np.float32)
        return Clause(reading, features, np.zeros((2, 1), np.float32), tally)

    def sound(self, clause: Clause, window: Window) -> Audio:
        self.windows.append(window)
        if self.hanging:
            self.hang.wait(20)
        time.sleep(0.001)
        loud = clause.reading.energy[::2] > 0
        tone = 0.3 * np.sin(np.arange(FRAME) * 0.2 + 0.1)
        whole = np.concatenate([tone * on for on in loud[window.start : window.stop]])
        found: Audio = whole.astype(np.float32)
        return found


class ToyPhonemizer:
    """Gives back what it is given, as if it were IPA already."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def phonemes(self, text: str, language: str, *, tie: str = "") -> str:
        self.asked.append((text, language, tie))
        return text
