"""How far lips and voice are apart in a recording of a show whose voice is beeps.

The mouth is found by itself: the pixels that change with the beep.  A vowel's shape is half there
when the vowel begins, and half gone VOWEL_SHUTS_S before it ends (``speech/visemes.py`` shuts the
mouth into a pause), so the beep lasts from the one moment to the other.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.engine import SPEAKING_RATE, Phone, SpeechChunk, Voice

SMALL = (320, 180)
RATE = 8_000
PIXELS = 40
NEAR_S = 0.3
VOWEL_SHUTS_S = 0.05
BEEP_S, REST_S = 0.35, 0.66
"""Together not a multiple of a picture's 40 ms: edges fall everywhere in a picture."""

Floats = NDArray[np.float64]


class Beeps:
    """A voice for measuring: an open mouth while it beeps, a shut one while it does not."""

    def voices(self) -> tuple[Voice, ...]:
        """It has no name."""
        return ()

    async def speak(self, text: str, **options: Any) -> AsyncIterator[SpeechChunk]:
        """Beep three times, whatever the text."""
        del text, options
        beep = 0.4 * np.sin(
            2 * np.pi * 440 * np.arange(int(BEEP_S * SPEAKING_RATE)) / SPEAKING_RATE
        )
        rest = np.zeros(int(REST_S * SPEAKING_RATE))
        audio = np.tile(np.concatenate([beep, rest]), 3).astype(np.float32)
        every, vowel = 1000 * (BEEP_S + REST_S), 1000 * (BEEP_S + VOWEL_SHUTS_S)
        phones = [Phone("a", n * every, n * every + vowel) for n in range(3)]
        yield SpeechChunk(audio, tuple(phones))


@dataclass(frozen=True, slots=True)
class Apart:
    """What was found; ms, positive when the picture is late."""

    beeps: int
    middle_ms: float
    worst_ms: float
    """Of single beeps, which fall between pictures: up to a picture's 40 ms by itself."""


def measure(path: Path, begin_s: float, length_s: float) -> Apart:
    """Measure a part of a recording. Raises ValueError when it has no beeps to compare."""
    times, pictures = _pictures(path, begin_s, length_s)
    sound = _sound(path, begin_s, length_s)
    loud = _edges(np.arange(sound.size) / RATE + begin_s, sound)
    on = np.interp(times, np.arange(sound.size) / RATE + begin_s, sound) > 0.5
    if on.sum() < 5 or (~on).sum() < 5:
        raise ValueError("no beeps")
    change = pictures[on].mean(0) - pictures[~on].mean(0)
    spread = pictures.std(0) + 2.0
    best = np.argsort(-np.abs(change / spread))[:PIXELS]
    mouth = (pictures[:, best] * np.sign(change[best])).mean(1)
    low, high = mouth[~on].mean(), mouth[on].mean()
    seen = _edges(times, (mouth - low) / (high - low))
    found = []
    for up, down in loud:
        near = [(u, d) for u, d in seen if abs(u - up) < NEAR_S and abs(d - down) < NEAR_S]
        if near:
            u, d = near[0]
            found.append(500.0 * ((u - up) + (d - down)))
    if len(found) < 3:
        raise ValueError(f"{len(found)} beeps can be seen and heard")
    return Apart(len(found), float(np.mean(found)), float(np.max(np.abs(found))))


def packet_times(path: Path, begin_s: float = 0.0, length_s: float = 0.0) -> Floats:
    """Return when a recording's pictures are shown, in seconds."""
    part = ["-read_intervals", f"{begin_s}%+{length_s}"] if length_s else []
    command = ["ffprobe", "-v", "error", *part, "-select_streams", "v"]
    command += ["-show_entries", "packet=pts_time", "-of", "csv=p=0", str(path)]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return np.sort(np.array([float(line.strip(",")) for line in out.split() if line.strip(",")]))


def _pictures(path: Path, begin_s: float, length_s: float) -> tuple[Floats, Floats]:
    width, height = SMALL
    command = ["ffmpeg", "-v", "info", "-ss", str(begin_s)]
    command += ["-t", str(length_s), "-i", str(path), "-map", "0:v", "-vsync", "passthrough"]
    command += ["-vf", f"scale={width}:{height},showinfo,format=gray", "-f", "rawvideo", "pipe:1"]
    done = subprocess.run(command, capture_output=True, check=True)
    times = [
        float(line.split("pts_time:")[1].split()[0])
        for line in done.stderr.decode("utf-8", "replace").splitlines()
        if "pts_time:" in line
    ]
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(-1, width * height)
    return np.array(times[: len(pictures)]) + begin_s, pictures.astype(np.float64)


def _sound(path: Path, begin_s: float, length_s: float) -> Floats:
    """Return how loud it is, 0 to about 1, from ``begin_s`` on."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", "-ac", "1"]
    command += ["-ar", str(RATE), "-af", f"aresample={RATE}:async=1:first_pts=0"]
    raw = subprocess.run(
        [*command, "-f", "f32le", "pipe:1"], capture_output=True, check=True
    ).stdout
    first = round(begin_s * RATE)
    raw = raw[4 * first : 4 * (first + round(length_s * RATE))]
    level = np.abs(np.frombuffer(raw, np.float32).astype(np.float64))
    window = RATE // 200
    smooth = np.convolve(level, np.ones(window) / window, "same")
    return np.asarray(smooth / max(float(np.percentile(smooth, 95)), 1e-6))


def _edges(times: Floats, signal: Floats) -> list[tuple[float, float]]:
    """Return when the signal rises above one half and falls below it again."""
    high = signal > 0.5
    at = np.flatnonzero(high[1:] != high[:-1])
    part = (0.5 - signal[at]) / (signal[at + 1] - signal[at])
    crossed = times[at] + part * (times[at + 1] - times[at])
    ups, downs = crossed[high[at + 1]], crossed[~high[at + 1]]
    return [(up, downs[downs > up][0]) for up in ups if (downs > up).any()]
