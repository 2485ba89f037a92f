"""Long audio in pieces Whisper can hear, cut where nobody speaks."""

from __future__ import annotations

import numpy as np

from voice_server.speech.engine import LISTENING_RATE, Audio

_STEP_S = 0.02
_PAUSE_STEPS = 10
"""A cut wants the quietest 0.2 s: longer than the closure of a "t", shorter than most pauses."""


def split_at_pauses(audio: Audio, *, longest_s: float, search_s: float = 8.0) -> list[Audio]:
    """Return ``audio`` float32 [n] at 16 kHz in order, in pieces of at most ``longest_s``.

    Each cut is in the middle of the quietest 0.2 s of the last ``search_s`` before the limit.
    """
    longest, pieces = int(longest_s * LISTENING_RATE), []
    while audio.size > longest:
        cut = _quietest(audio[:longest], int(search_s * LISTENING_RATE))
        pieces.append(audio[:cut])
        audio = audio[cut:]
    pieces.append(audio)
    return pieces


def _quietest(audio: Audio, search: int) -> int:
    step = int(_STEP_S * LISTENING_RATE)
    begin = max(audio.size - search, step * _PAUSE_STEPS)
    steps = (audio.size - begin) // step
    power = np.mean(np.square(audio[begin : begin + steps * step]).reshape(steps, step), axis=1)
    pause = np.convolve(power, np.ones(_PAUSE_STEPS), mode="valid")
    # The last of equals: longer pieces give Whisper more to go by.
    quietest = pause.size - 1 - int(np.argmin(pause[::-1]))
    return begin + (quietest + _PAUSE_STEPS // 2) * step
