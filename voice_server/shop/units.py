"""Centimetres and kilograms in inches and pounds, exactly and then rounded for the ear.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

Units = Literal["metric", "imperial"]

CM_IN_INCH = Decimal("2.54")
KG_IN_POUND = Decimal("0.45359237")
"""Both exact by definition, since the international yard and pound agreement of 1959."""

_TENTH = Decimal("0.1")

INCH: Mapping[str, str] = {"fr": "pouces", "nl": "inch", "de": "Zoll", "en": "inches"}
POUND: Mapping[str, str] = {
    "fr": "livres anglaises",
    "nl": "Engelse pond",
    "de": "englische Pfund",
    "en": "pounds",
}
"""Named English where the language has a pound of its own, of half a kilogram."""

_ASKED: Mapping[str, re.Pattern[str]] = {
    "fr": re.compile(r"\b(?:pouces?|pieds et pouces|livres anglaises)\b"),
    "nl": re.compile(r"\b(?:inch(?:es)?|duim|engelse (?:pond|maten))\b"),
    "de": re.compile(r"\b(?:zoll|inch(?:es)?|englische[nr]? (?:pfund|mas\w+))\b"),
    "en": re.compile(r"\b(?:inch(?:es)?|feet|foot|pounds?|lbs?|imperial)\b"),
}


def inches(centimetres: Decimal) -> Decimal:
    """Return a length in inches, to a tenth."""
    return (centimetres / CM_IN_INCH).quantize(_TENTH, ROUND_HALF_EVEN)


def pounds(kilograms: Decimal) -> Decimal:
    """Return a weight in pounds of 0.45359237 kg, to a tenth."""
    return (kilograms / KG_IN_POUND).quantize(_TENTH, ROUND_HALF_EVEN)


def wants_imperial(folded: str, language: str) -> bool:
    """Tell whether somebody asks for inches, feet or pounds; ``folded``: without accents."""
    pattern = _ASKED.get(language)
    return pattern is not None and pattern.search(folded) is not None


def word_lengths(values: Sequence[str], language: str) -> str:
    """Word lengths in inches: "9.4 by 17.7 inches"; the numbers are written already."""
    by = {"fr": "sur", "nl": "bij", "de": "mal", "en": "by"}[language]
    return f" {by} ".join(values) + f" {INCH[language]}"


def word_weight(value: str, language: str) -> str:
    """Word a weight in pounds."""
    return f"{value} {POUND[language]}"
