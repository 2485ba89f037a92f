"""Phones to mouth shapes: one table from IPA to the fifteen Oculus visemes, for every language.

The table follows lip shape, not sound: ʃ and ʒ round the lips (CH), j spreads them (I), w and ɥ
purse them (U).  ``h`` has no shape of its own and takes the next vowel's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voice_server.speech.engine import Phone

SILENCE = "sil"

VISEMES = (
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U",
)  # fmt: skip
"""The Oculus names, in their order."""

_SHAPES = {
    "PP": "p b m ɓ ʙ",
    "FF": "f v ɱ ʋ ɸ β",
    "TH": "θ ð",
    "DD": "t d ʈ ɖ ɗ",
    "kk": "k ɡ g q ɢ x ɣ χ ħ ʕ ç ʝ c ɟ ŋ ɴ ɰ",
    "CH": "ʃ ʒ ɕ ʑ ʂ ʐ ʧ ʤ ʨ ʥ",
    "SS": "s z ʦ ʣ",
    "nn": "n ɲ ɳ l ʎ ɫ ɭ ɬ ɮ ʟ",
    "RR": "r ɹ ɾ ɻ ʁ ʀ ɽ ɝ ɚ",
    "aa": "a ɑ æ ʌ ɐ ɶ",
    "E": "e ɛ ə ɜ ɘ ɞ ɤ ᵊ",
    "I": "i ɪ j ɨ ᵻ",
    "O": "o ɔ ɒ ɵ œ",
    "U": "u ʊ w ʍ ɯ y ʏ ø ʉ ɥ",
}
SHAPE: dict[str, str] = {
    symbol: shape for shape, symbols in _SHAPES.items() for symbol in symbols.split()
}
"""Oculus viseme of each IPA letter; a letter that is missing shows as ``DD``, half open."""

_PAIRS = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ"}
"""Kokoro's one-letter diphthongs, should a phone carry one."""

_TAKES_NEXT = frozenset("hɦʔ")
_MARKS = frozenset("ˈˌːˑʰʲʷˠˤ")
_VOWEL_SHAPES = frozenset({"aa", "E", "I", "O", "U"})

FIRST_OF_PAIR = 0.6
"""Share of a diphthong spent on its first target (TalkingHead and OpenFaceFX blend 60/40)."""

STRESSED = 1.0
UNSTRESSED = 0.87
"""1 / 1.15: a stressed vowel opens 15 % wider than an unstressed one."""

LONGEST_CONSONANT_MS = 180.0
LONGEST_VOWEL_MS = 350.0
"""Next to a pause a voice keeps its silence inside the edge phone; what is longer is silence."""

SHORTEST_CLOSURE_MS = 60.0
"""Lips that shut (PP) or touch the teeth (FF) for less are not seen to have done so."""

PAUSE_MS = 40.0
"""A shorter gap between phones is no pause: the shape before it is held."""


@dataclass(frozen=True, slots=True)
class Viseme:
    """A mouth shape, when it shows (ms, in the time of its phones) and how strongly, in [0, 1]."""

    viseme: str
    start_ms: float
    end_ms: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class _Target:
    shape: str
    start: float
    end: float
    weight: float


def visemes(phones: Sequence[Phone]) -> tuple[Viseme, ...]:
    """Return the mouth shapes for a clause's phones, silences between and after them included.

    They follow each other without gap or overlap from the first phone's start to the last one's
    end.  Equal neighbours become one.
    """
    sounding = [phone for phone in phones if _letters(phone.symbol)]
    targets: list[_Target] = []
    for at, phone in enumerate(sounding):
        before = sounding[at - 1].end_ms if at else None
        after = sounding[at + 1].start_ms if at + 1 < len(sounding) else None
        pause_before = before is None or phone.start_ms - before > PAUSE_MS
        pause_after = after is None or after - phone.end_ms > PAUSE_MS
        start, end = _clamp(phone, pause_before, pause_after)
        if targets and not pause_before:
            _hold(targets, start)
        elif start > (targets[-1].end if targets else phone.start_ms):
            since = targets[-1].end if targets else phone.start_ms
            targets.append(_Target(SILENCE, since, start, 1.0))
        targets.extend(_spread(_shapes(phone, sounding[at + 1 :]), start, end))
        if after is None and end < phone.end_ms:
            targets.append(_Target(SILENCE, end, phone.end_ms, 1.0))
    return _merged(_seal(targets))


def _letters(symbol: str) -> list[str]:
    """Return the sounds in a symbol: its base letters, diphthong signs spelt out."""
    found = []
    for character in unicodedata.normalize("NFD", symbol):
        if character in _PAIRS:
            found += list(_PAIRS[character])
        elif character.isalpha() and character not in _MARKS:
            found.append(character)
    return found


def _shapes(phone: Phone, rest: Iterable[Phone]) -> list[tuple[str, float]]:
    """Return (shape, weight) for each target of a phone."""
    stressed = phone.symbol[:1] == "ˈ"
    shapes: list[str] = []
    for letter in _letters(phone.symbol):
        if letter in _TAKES_NEXT:
            shape = next(
                (
                    SHAPE[other]
                    for near in rest
                    for other in _letters(near.symbol)
                    if other in SHAPE
                ),
                "E",
            )
            shapes.append(shape if shape in _VOWEL_SHAPES else "E")
        else:
            shapes.append(SHAPE.get(letter, "DD"))
    return [
        (shape, STRESSED if stressed or shape not in _VOWEL_SHAPES else UNSTRESSED)
        for shape in shapes
    ]


def _clamp(phone: Phone, pause_before: bool, pause_after: bool) -> tuple[float, float]:
    """Give to silence what an edge phone holds beyond what its kind can last."""
    start, end = phone.start_ms, phone.end_ms
    shapes = [SHAPE.get(letter, "DD") for letter in _letters(phone.symbol)]
    vowel = any(shape in _VOWEL_SHAPES for shape in shapes)
    longest = LONGEST_VOWEL_MS if vowel else LONGEST_CONSONANT_MS
    if end - start <= longest:
        return start, end
    if pause_after:
        return start, start + longest
    if pause_before:
        return end - longest, end
    return start, end


def _spread(shapes: list[tuple[str, float]], start: float, end: float) -> list[_Target]:
    """Lay a phone's targets out over its time; of two, the first gets FIRST_OF_PAIR."""
    if len(shapes) == 1:
        return [_Target(shapes[0][0], start, end, shapes[0][1])]
    rest = (1 - FIRST_OF_PAIR) / (len(shapes) - 1)
    edge = start
    found = []
    for at, (shape, weight) in enumerate(shapes):
        share = FIRST_OF_PAIR if at == 0 else rest
        until = end if at == len(shapes) - 1 else edge + share * (end - start)
        found.append(_Target(shape, edge, until, weight))
        edge = until
    return found


def _hold(targets: list[_Target], until: float) -> None:
    last = targets[-1]
    targets[-1] = _Target(last.shape, last.start, until, last.weight)


def _seal(targets: list[_Target]) -> list[_Target]:
    """Lengthen short closures at the cost of the shapes around them (half of each at most)."""
    edges = [target.start for target in targets]
    if targets:
        edges.append(targets[-1].end)
    for at, target in enumerate(targets):
        if target.shape not in {"PP", "FF"}:
            continue
        missing = SHORTEST_CLOSURE_MS - (edges[at + 1] - edges[at])
        if missing <= 0:
            continue
        if at:
            taken = min(missing / 2, (edges[at] - edges[at - 1]) / 2)
            edges[at] -= taken
            missing -= taken
        if at + 2 < len(edges):
            edges[at + 1] += min(missing, (edges[at + 2] - edges[at + 1]) / 2)
    return [
        _Target(target.shape, edges[at], edges[at + 1], target.weight)
        for at, target in enumerate(targets)
    ]


def _merged(targets: list[_Target]) -> tuple[Viseme, ...]:
    found: list[Viseme] = []
    for target in targets:
        if target.end <= target.start:
            continue
        if found and found[-1].viseme == target.shape:
            last = found[-1]
            weight = max(last.weight, target.weight)
            found[-1] = Viseme(last.viseme, last.start_ms, target.end, weight)
        else:
            found.append(Viseme(target.shape, target.start, target.end, target.weight))
    return tuple(
        Viseme(v.viseme, round(v.start_ms, 2), round(v.end_ms, 2), round(v.weight, 2))
        for v in found
    )
