"""Runs of spoken digits and numbers, read in every way that makes sense.  Pure functions."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from voice_server.dialogue.numerals import Numeral, find_numerals
from voice_server.dialogue.spelling.alphabet import Alphabet
from voice_server.dialogue.spelling.readings import (
    BEAM,
    HEARD_COST,
    SPLIT_COST,
    Reading,
    cheapest,
)

LONGEST_NUMBER = 10
"""Words in one number: "neuf cent quatre-vingt-dix-neuf mille ..."; a run is cut at such."""


JOINERS = frozenset({"et", "en", "und", "and"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or written digits of a run, or how often the next one is meant (``times``)."""

    text: str
    times: int = 0

    def sure(self, alphabet: Alphabet) -> bool:
        """Is this a number by itself, not an article or an "oh"?"""
        if self.times or self.text.isdigit():
            return True
        return any(not numeral.weak for numeral in _numerals(self.text, alphabet.language))


@functools.lru_cache(maxsize=4096)
def _numerals(text: str, language: str) -> tuple[Numeral, ...]:
    return tuple(find_numerals(text, language))


def is_number_word(word: str, alphabet: Alphabet) -> bool:
    """Is this word a number or a part of one?"""
    if word in alphabet.digits:
        return True
    found = _numerals(word, alphabet.language)
    return any(not numeral.weak and numeral.end == len(word) for numeral in found)


def read_run(units: Sequence[Unit], alphabet: Alphabet) -> tuple[Reading, ...]:
    """Return the ways to read a run as digits, cheapest first; the best one costs 0.

    "dix quatre cent quatre-vingt-deux" is 10482; "dubbel vier" is 44; "fifty" may be 15.
    """
    best: list[tuple[Reading, ...]] = [(Reading(""),)] + [()] * len(units)
    for at in range(len(units)):
        if not best[at]:
            continue
        for after, options in _segments(units, at, alphabet):
            grown = (
                Reading(head.text + tail.text, head.cost + tail.cost + SPLIT_COST)
                for head in best[at]
                for tail in options
            )
            best[after] = cheapest((*best[after], *grown), BEAM)
    found = best[len(units)]
    if not found:
        return ()
    least = found[0].cost
    return tuple(Reading(reading.text, reading.cost - least) for reading in found)


def _segments(
    units: Sequence[Unit], at: int, alphabet: Alphabet
) -> list[tuple[int, tuple[Reading, ...]]]:
    """Return the numbers that may begin here: where each ends, and how it may be meant."""
    unit = units[at]
    found: list[tuple[int, tuple[Reading, ...]]] = []
    if unit.times:
        if at + 1 >= len(units):
            return []
        for after, options in _segments(units, at + 1, alphabet):
            digit = next((o for o in options if len(o.text) == 1), None)
            if digit is not None and after == at + 2:
                found.append((after, (Reading(digit.text * unit.times),)))
        return found
    if unit.text in JOINERS:
        return [(at + 1, (Reading(""),))]  # "cinq et six": two numbers
    if unit.text.isdigit():
        return [(at + 1, _heard(unit.text, alphabet))]
    for after in range(at + 1, min(len(units), at + LONGEST_NUMBER) + 1):
        window = units[at:after]
        if any(part.times or part.text.isdigit() for part in window):
            break
        value = _value(tuple(part.text for part in window), alphabet)
        if value is not None:
            found.append((after, _heard(value, alphabet)))
    return found


def _value(words: tuple[str, ...], alphabet: Alphabet) -> str | None:
    """Return the one number that these words are, None if they are none or several."""
    if len(words) == 1 and words[0] in alphabet.digits:
        return str(alphabet.digits[words[0]])
    text = " ".join(words)
    found = _numerals(text, alphabet.language)
    if len(found) != 1 or (found[0].start, found[0].end) != (0, len(text)):
        return None
    return str(found[0].value)


def _heard(value: str, alphabet: Alphabet) -> tuple[Reading, ...]:
    """Return a number and those that sound like it."""
    others = [
        str(b if str(a) == value else a) for a, b in alphabet.heard if value in {str(a), str(b)}
    ]
    return (Reading(value), *(Reading(other, HEARD_COST) for other in others))
