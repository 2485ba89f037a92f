"""What counts for a market: what advice stresses, and what the season and the calendar add.

The facts of a product are the same everywhere; which of them is said is a matter of taste.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import holidays

from voice_server.shop.pack_reader import Section
from voice_server.shop.units import Units

EMPHASES = ("price", "durability", "style", "precision")
"""What advice may stress."""

SOUTHERN = frozenset({"AU", "NZ", "ZA", "AR", "CL", "UY", "BR", "PE", "BO", "PY"})
"""Countries whose summer is in January."""

SEASONS = ("winter", "spring", "summer", "autumn")
"""By quarters that begin in December, as meteorologists count them."""

FAMILIAR = frozenset({("nl", "NL")})
"""Language and country of shops that say "je" if they do not say otherwise."""

VAT_INCLUDED: Mapping[str, str] = {
    "fr": "TVA comprise",
    "nl": "inclusief btw",
    "de": "inklusive Mehrwertsteuer",
    "en": "VAT included",
}


@dataclass(frozen=True, slots=True)
class Taste:
    """One market's profile."""

    emphasis: str = ""
    """One of EMPHASES: what advice adds about a product; "" adds nothing."""
    vat: bool = False
    """Prices are said with "VAT included"."""
    seasons: bool = False
    """Advice says so where a product suits the season."""
    units: Units = "metric"
    """"imperial": sizes and weights are said in inches and pounds too, as converted."""


@dataclass(frozen=True, slots=True)
class Tastes:
    """The profiles of a shop's markets."""

    home: Taste = Taste()
    markets: Mapping[str, Taste] = field(default_factory=dict)
    """By ISO country code, where they differ from the home market's."""

    def of(self, country: str) -> Taste:
        """Return the profile of a market."""
        return self.markets.get(country, self.home)


def read_tastes(root: Section) -> Tastes:
    """Read ``[taste]`` and ``[taste.NL]`` of shop.toml; what a market lacks is as at home."""
    section = root.section("taste", required=False)
    home = _read(section, Taste())
    return Tastes(
        home,
        {
            country: _read(section.section(country), home)
            for country, value in section.data.items()
            if isinstance(value, dict)
        },
    )


def _read(section: Section, default: Taste) -> Taste:
    emphasis = section.text("emphasis", default.emphasis)
    if emphasis and emphasis not in EMPHASES:
        section.error("emphasis", f"'{emphasis}' cannot be stressed", f"use {', '.join(EMPHASES)}")
        emphasis = ""
    units = section.text("units", default.units)
    if units not in ("metric", "imperial"):
        section.error("units", f"'{units}' are no units", 'use "metric" or "imperial"')
    return Taste(
        emphasis,
        section.flag("vat", default=default.vat),
        section.flag("seasons", default=default.seasons),
        "imperial" if units == "imperial" else "metric",
    )


def read_familiar(root: Section, country: str, languages: Sequence[str]) -> frozenset[str]:
    """Read ``[address]`` of shop.toml: in which languages customers are not addressed politely.

    What it does not say is as is usual where the shop sells: "je" in the Netherlands, the polite
    form everywhere else ("u" in Belgium).
    """
    section = root.section("address", required=False)
    for language in section.data:
        if language not in ("fr", "nl", "de"):
            section.error(language, f"'{language}' has one way to address people", "remove it")
    found = set()
    for language in languages:
        usual = "familiar" if (language, country) in FAMILIAR else "polite"
        how = section.text(language, usual)
        if how not in ("polite", "familiar"):
            section.error(language, f"'{how}' is no way to address people", "polite or familiar")
        if how == "familiar":
            found.add(language)
    return frozenset(found)


def season(day: date, country: str) -> str:
    """Return the season of a day in a country: "winter", "spring", "summer" or "autumn"."""
    quarter = day.month % 12 // 3
    return SEASONS[(quarter + 2) % 4 if country in SOUTHERN else quarter]


def holidays_between(
    first: date, last: date, country: str, language: str
) -> list[tuple[date, str]]:
    """Return the public holidays from Monday to Friday in a span of days, with their names.

    Names are in ``language`` where the calendar knows it, else in the country's own.
    """
    calendar = _calendar(country, language)
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    return [(day, str(calendar[day])) for day in days if day.weekday() < 5 and day in calendar]


@lru_cache(maxsize=64)
def _calendar(country: str, language: str) -> Any:
    known = holidays.country_holidays(country).supported_languages
    match = next((tag for tag in known if tag.split("_")[0] == language), None)
    return holidays.country_holidays(country, language=match)
