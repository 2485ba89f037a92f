"""What the synthesisers share: one sample rate, and phones as single IPA letters with times."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from voice_server.speech.engine import SPEAKING_RATE, Audio, Phone

STRESS = "ˈˌ"
_MARKS_AFTER = "ːˑʰʲʷˠˤ̩ʼ˞"
_WEIGHT_LONG, _WEIGHT_VOWEL, _WEIGHT_CONSONANT, _WEIGHT_PAUSE = 1.6, 1.0, 0.7, 2.0
_VOWELS = frozenset("aeiouyæøœɐɑɒɔəɘɚɛɜɝɞɤɨɪɯɵʉʊʌʏɶ")
_PAUSES = frozenset(";:,.!?—…")

FIRST_OF_PAIR = 0.6
"""Share of a diphthong spent on its first vowel (the stage blends the two targets 60/40)."""


def to_speaking_rate(audio: Audio, rate: int) -> Audio:
    """Return float32 mono ``audio`` at SPEAKING_RATE; times of phones stay what they are."""
    if rate == SPEAKING_RATE or not len(audio):
        return audio.astype(np.float32, copy=False)
    resampled = soxr.resample(audio, rate, SPEAKING_RATE, quality="HQ")
    clipped: Audio = np.clip(resampled, -1.0, 1.0).astype(np.float32, copy=False)
    return clipped


def letters(symbols: str) -> list[str]:
    """Cut IPA into single letters; stress stays before its letter, length and other marks behind.

    Spaces, ties and punctuation are dropped.

    >>> letters("d͡ʒˈɔɪnː")
    ['d', 'ʒ', 'ˈɔ', 'ɪ', 'nː']
    """
    found: list[str] = []
    stress = ""
    for character in symbols:
        if character in STRESS:
            stress = character
        elif character in _MARKS_AFTER or unicodedata.combining(character):
            if found and character not in "\u0361\u035c":
                found[-1] += character
        elif character.isalpha():
            found.append(stress + character)
            stress = ""
    return found


def split_phone(symbol: str, start_ms: float, end_ms: float) -> tuple[Phone, ...]:
    """Return one phone per letter of ``symbol``; a diphthong gives its first letter more time."""
    parts = letters(symbol)
    if len(parts) < 2:
        return tuple(Phone(part, start_ms, end_ms) for part in parts)
    shares = [FIRST_OF_PAIR] + [(1 - FIRST_OF_PAIR) / (len(parts) - 1)] * (len(parts) - 1)
    return _lay_out(parts, shares, start_ms, end_ms)


def proportional(ipa: str, start_ms: float, end_ms: float) -> tuple[Phone, ...]:
    """Guess times for the letters of ``ipa`` between two moments, for an engine that tells none.

    Long vowels get most, consonants least, punctuation becomes a pause without a phone.
    """
    parts: list[str] = []
    rest = ""
    for character in ipa:
        if character in _PAUSES:
            parts += [*letters(rest), ""]
            rest = ""
        else:
            rest += character
    parts += letters(rest)
    return tuple(
        phone
        for phone in _lay_out(parts, [_weight(part) for part in parts], start_ms, end_ms)
        if phone.symbol
    )


def token_timeline(
    beside: Sequence[str], frames: NDArray[np.float32], length_ms: float
) -> tuple[Phone, ...]:
    """Return the phones of a token-wise model from the frames each token lasts.

    ``beside`` names the symbol of each token: empty for a pad, which counts with the symbol
    before it, a space for what belongs to nobody.
    """
    edges = np.concatenate([[0.0], np.cumsum(frames, dtype=np.float64)])
    edges *= length_ms / max(edges[-1], 1.0)
    found: list[tuple[str, float, float]] = []
    stress, begin, sounding = "", 0.0, False
    for symbol, start, end in zip(beside, edges[:-1], edges[1:], strict=True):
        if symbol in STRESS and symbol:
            stress, begin, sounding = symbol, float(start), False
        elif letters(symbol):
            found.append((stress + symbol, begin if stress else float(start), float(end)))
            stress, sounding = "", True
        elif sounding and (not symbol or letters("a" + symbol)[0] != "a"):  # a pad or ː behind it
            before, start_before, _ = found[-1]
            found[-1] = (before + symbol, start_before, float(end))
        elif symbol:
            sounding = False  # punctuation or a space: its time belongs to nobody
    return tuple(Phone(symbol, round(start, 2), round(end, 2)) for symbol, start, end in found)


def voiced_span(audio: Audio, rate: int, *, floor: float = 0.01) -> tuple[float, float]:
    """Return (first, last) ms in which float32 mono ``audio`` is louder than ``floor``."""
    loud = np.flatnonzero(np.abs(audio) > floor)
    if not len(loud):
        return 0.0, 1000.0 * len(audio) / rate
    return 1000.0 * float(loud[0]) / rate, 1000.0 * float(loud[-1] + 1) / rate


def _weight(part: str) -> float:
    if not part:
        return _WEIGHT_PAUSE
    if part.lstrip(STRESS)[0] in _VOWELS:
        return _WEIGHT_LONG if part.endswith("ː") else _WEIGHT_VOWEL
    return _WEIGHT_CONSONANT


def _lay_out(
    parts: Sequence[str], weights: Iterable[float], start_ms: float, end_ms: float
) -> tuple[Phone, ...]:
    edges = np.cumsum([0.0, *weights])
    if len(parts):
        edges = start_ms + edges * ((end_ms - start_ms) / edges[-1])
    return tuple(
        Phone(part, round(float(begin), 2), round(float(end), 2))
        for part, begin, end in zip(parts, edges[:-1], edges[1:], strict=True)
    )
