"""Kokoro's alphabet: from espeak-ng's IPA to its tokens, and from its frames to timed phones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voice_server.speech.engine import Phone
from voice_server.speech.tts.timeline import STRESS, letters, split_phone

TIE = "^"
"""What espeak-ng is asked to put between the halves of diphthongs and affricates."""

LONGEST = 510
"""Tokens the model takes at once (512 with the pads): also the rows of a voice."""

VOCABULARY: dict[str, int] = {
    ";": 1, ":": 2, ",": 3, ".": 4, "!": 5, "?": 6, "—": 9, "…": 10, '"': 11, "(": 12, ")": 13,
    "“": 14, "”": 15, " ": 16, "\u0303": 17, "ʣ": 18, "ʥ": 19, "ʦ": 20, "ʨ": 21, "ᵝ": 22,
    "\uab67": 23, "A": 24, "I": 25, "O": 31, "Q": 33, "S": 35, "T": 36, "W": 39, "Y": 41, "ᵊ": 42,
    "a": 43, "b": 44, "c": 45, "d": 46, "e": 47, "f": 48, "h": 50, "i": 51, "j": 52, "k": 53,
    "l": 54, "m": 55, "n": 56, "o": 57, "p": 58, "q": 59, "r": 60, "s": 61, "t": 62, "u": 63,
    "v": 64, "w": 65, "x": 66, "y": 67, "z": 68, "ɑ": 69, "ɐ": 70, "ɒ": 71, "æ": 72, "β": 75,
    "ɔ": 76, "ɕ": 77, "ç": 78, "ɖ": 80, "ð": 81, "ʤ": 82, "ə": 83, "ɚ": 85, "ɛ": 86, "ɜ": 87,
    "ɟ": 90, "ɡ": 92, "ɥ": 99, "ɨ": 101, "ɪ": 102, "ʝ": 103, "ɯ": 110, "ɰ": 111, "ŋ": 112,
    "ɳ": 113, "ɲ": 114, "ɴ": 115, "ø": 116, "ɸ": 118, "θ": 119, "œ": 120, "ɹ": 123, "ɾ": 125,
    "ɻ": 126, "ʁ": 128, "ɽ": 129, "ʂ": 130, "ʃ": 131, "ʈ": 132, "ʧ": 133, "ʊ": 135, "ʋ": 136,
    "ʌ": 138, "ɣ": 139, "ɤ": 140, "χ": 142, "ʎ": 143, "ʒ": 147, "ʔ": 148, "ˈ": 156, "ˌ": 157,
    "ː": 158, "ʰ": 162, "ʲ": 164, "↓": 169, "→": 171, "↗": 172, "↘": 173, "ᵻ": 177,
}  # fmt: skip
"""Symbol to token: ``vocab`` in config.json of hexgrad/Kokoro-82M (Apache-2.0)."""

_TIED = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q",
    "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y",
}  # fmt: skip
"""The one-token diphthongs and affricates the model was trained with (misaki's alphabet)."""

_AMERICAN = {
    "ʔˌn\u0329": "tᵊn", "ʔn\u0329": "tᵊn", "ʔn": "tᵊn", "ə^l": "ᵊl", "n\u0329": "ᵊn",
    "l\u0329": "ᵊl", **_TIED, "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ʔ": "t", "ɾ": "T", "ɚ": "əɹ",
    "ɐ": "ə", "ɬ": "l", "r": "ɹ", "x": "k", "ç": "k", "e": "A", "o": "ɔ", "ʲ": "", "ː": "",
    "\u0303": "",
}  # fmt: skip

_BRITISH = {**_TIED, "e^ə": "ɛː", "iə": "ɪə", "ɐ": "ə", "r": "ɹ", "ɚ": "ə", "x": "k", "\u0303": ""}

_TABLES: Mapping[str, Mapping[str, str]] = {"en": _AMERICAN, "en-gb": _BRITISH}

_SPOKEN = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "S": "s", "T": "ɾ",
    "ʣ": "dz", "ʤ": "dʒ", "ʦ": "ts", "ʧ": "tʃ", "ʥ": "dʑ", "ʨ": "tɕ",
}  # fmt: skip
"""The IPA of symbols that are Kokoro's own."""


_MARKS = ".!?…;:,—"


@dataclass(frozen=True, slots=True)
class Spelling:
    """A clause in Kokoro's alphabet: one symbol and one token per place."""

    symbols: str
    tokens: tuple[int, ...]


def spell(ipa: str, language: str, phone_map: Mapping[str, str] | None = None) -> Spelling:
    """Return ``ipa`` (espeak-ng's, with TIE) in the symbols the model knows.

    ``phone_map`` is applied first, the longest key that fits at each place: it lends a voice the
    sounds of a language it was not trained on.  What has no token is left out.

    >>> spell("a^ɪ", "en").symbols
    'I'
    """
    if phone_map:
        ipa = _replaced(ipa, phone_map)
    tag = language.lower()
    ipa = _replaced(ipa, _TABLES.get(tag) or _TABLES.get(tag.split("-")[0], _TIED))
    return _spelling("".join(symbol for symbol in ipa if symbol in VOCABULARY))


def portions(spelling: Spelling, longest: int = LONGEST) -> tuple[Spelling, ...]:
    """Cut a spelling into pieces of at most ``longest`` tokens, if it can be behind a mark.

    Else behind a space, else in the middle of a word.  Pieces without a sound are left out.
    """
    pieces = []
    rest = spelling.symbols
    while rest:
        head = rest[:longest]
        if len(rest) > longest:
            cut = max(head.rfind(mark) for mark in _MARKS) + 1 or head.rfind(" ") + 1 or longest
            head = head[:cut]
        rest = rest[len(head) :]
        if letters(head):
            pieces.append(_spelling(head.strip()))
    return tuple(pieces)


def _spelling(symbols: str) -> Spelling:
    return Spelling(symbols, tuple(VOCABULARY[symbol] for symbol in symbols))


def timeline(symbols: str, frames: Sequence[int], frame_ms: float) -> tuple[Phone, ...]:
    """Return the phones from each place's frames: ``frames`` has the two pads around ``symbols``.

    Stress counts with the sound behind it, length marks with the one before; punctuation, spaces
    and pads are silence and give no phone.  Times count from the first frame.
    """
    found: list[tuple[str, float, float]] = []
    at = frames[0]
    stress, begin = "", 0
    for symbol, length in zip(symbols, frames[1:-1], strict=True):
        end = at + length
        spoken = _SPOKEN.get(symbol, symbol)
        if symbol in STRESS:
            stress, begin = symbol, at
        elif letters(spoken):
            found.append((stress + spoken, begin if stress else at, end))
            stress = ""
        elif found and found[-1][2] == at and letters("a" + spoken)[0] != "a":
            before, since, _ = found[-1]  # a mark that belongs to the sound before it
            found[-1] = (before + spoken, since, end)
        at = end
    return tuple(
        phone
        for symbol, start, end in found
        for phone in split_phone(symbol, round(start * frame_ms, 2), round(end * frame_ms, 2))
    )


def _replaced(text: str, table: Mapping[str, str]) -> str:
    """Replace from left to right, the longest key that fits at each place."""
    keys = sorted((key for key in table if key), key=len, reverse=True)
    found = []
    at = 0
    while at < len(text):
        key = next((key for key in keys if text.startswith(key, at)), None)
        found.append(text[at] if key is None else table[key])
        at += 1 if key is None else len(key)
    return "".join(found)
