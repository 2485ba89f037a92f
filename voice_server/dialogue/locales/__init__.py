"""One YAML file per language: fixed phrases, and the words that gates and language tracker know.

A new language is one new file here; the shared tests in ``tests/dialogue`` then hold it to account.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

AVAILABLE = ("en", "fr", "nl", "de")


class UnknownLocale(LookupError):
    """There is no locale file for this language; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class NumberWords:
    """How a language spells numbers. ``glued``: "achtundvierzig" is one word."""

    atoms: Mapping[str, int]
    weak: Mapping[str, int]
    """Words that are numbers only before a unit or a currency ("one", "un", "neuf")."""
    scales: Mapping[str, int]
    joiners: frozenset[str]
    point: frozenset[str]
    glued: bool
    vigesimal: bool
    """French: "soixante-dix", "quatre-vingts", "dix-sept" add and multiply."""
    group: str
    """The mark between thousands in digits: "," in English, "." elsewhere."""


@dataclass(frozen=True, slots=True)
class Locale:
    """What is fixed in one language. Words are lower case, patterns ignore case."""

    language: str
    name: str
    answer_in: str
    phrases: Mapping[str, tuple[str, ...]]
    openers: tuple[str, ...]
    disclosure: str
    i_am_ai: str
    cannot_act: str
    tool_result: str
    language_names: Mapping[str, frozenset[str]]
    """Language code to its names in this language."""
    request_verbs: frozenset[str]
    request_prepositions: frozenset[str]
    request_polite: frozenset[str]
    request_negations: frozenset[str]
    denial: tuple[re.Pattern[str], ...]
    promise: tuple[re.Pattern[str], ...]
    free: tuple[re.Pattern[str], ...]
    relative: Mapping[str, tuple[re.Pattern[str], ...]]
    numbers: NumberWords
    months: tuple[str, ...]
    doubtful_months: frozenset[str]
    weekdays: tuple[str, ...]
    range_words: frozenset[str]
    currency: frozenset[str]
    cents: frozenset[str]
    percent: frozenset[str]
    half: frozenset[str]
    """Words before an hour that mean thirty minutes *earlier* ("half zes" is 5:30)."""
    units: Mapping[str, frozenset[str]]


def _words(values: Any) -> frozenset[str]:
    return frozenset(str(value).lower() for value in values)


def _patterns(values: Any) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(value, re.IGNORECASE) for value in values)


@functools.cache
def load_locale(language: str) -> Locale:
    """Return the locale of an ISO 639-1 code. Raises UnknownLocale."""
    if language not in AVAILABLE:
        raise UnknownLocale(f"no locale file for {language!r}; there are {', '.join(AVAILABLE)}")
    text = resources.files(__package__).joinpath(f"{language}.yaml").read_text("utf-8")
    raw = yaml.safe_load(text)
    numbers = raw["numbers"]
    request = raw["request"]
    return Locale(
        language=language,
        name=raw["name"],
        answer_in=raw["answer_in"],
        phrases={kind: tuple(texts) for kind, texts in raw["phrases"].items()},
        openers=tuple(raw["openers"]),
        disclosure=raw["disclosure"],
        i_am_ai=raw["i_am_ai"],
        cannot_act=raw["cannot_act"],
        tool_result=raw["tool_result"],
        language_names={code: _words(names) for code, names in raw["names"].items()},
        request_verbs=_words(request["verbs"]),
        request_prepositions=_words(request["prepositions"]),
        request_polite=_words(request["polite"]),
        request_negations=_words(request["negations"]),
        denial=_patterns(raw["denial"]),
        promise=_patterns(raw["promise"]),
        free=_patterns(raw["free"]),
        relative={
            key: tuple(re.compile(rf"\b{value}\b", re.IGNORECASE) for value in values)
            for key, values in raw["relative"].items()
        },
        numbers=NumberWords(
            atoms=numbers["atoms"],
            weak=numbers["weak"],
            scales=numbers["scales"],
            joiners=_words(numbers["joiners"]),
            point=_words(numbers["point"]),
            glued=numbers["glued"],
            vigesimal=numbers["vigesimal"],
            group=numbers["group"],
        ),
        months=tuple(raw["months"]),
        doubtful_months=_words(raw["doubtful_months"]),
        weekdays=tuple(raw["weekdays"]),
        range_words=_words(raw["range"]),
        currency=_words(raw["currency"]),
        cents=_words(raw["cents"]),
        percent=_words(raw["percent"]),
        half=_words(raw["half"]),
        units={unit: _words(names) for unit, names in raw["units"].items()},
    )
