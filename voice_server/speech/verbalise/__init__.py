"""From text on the screen to words for the ear: ``verbalise("€ 4,95", "nl")``.

The screen keeps the original; only what goes to a synthesiser passes here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from voice_server.speech.verbalise import de, en, fr, generic, nl
from voice_server.speech.verbalise.amounts import Amounts
from voice_server.speech.verbalise.calendar import Calendar
from voice_server.speech.verbalise.cleaning import clean, squeeze
from voice_server.speech.verbalise.codes import Codes
from voice_server.speech.verbalise.common import Speller

_SPELLERS: dict[str, Callable[[str], Speller]] = {
    "de": de.speller, "en": en.speller, "fr": fr.speller, "nl": nl.speller,
}  # fmt: skip


_NUMBERS_OR_SIGNS = re.compile(r"[^\w\s.,:;!?'\"()«»“”…¿¡-]|[\d_]|\w\.\w")
"""Without any of these a text holds words only (links have points inside)."""


@lru_cache(maxsize=256)
def verbalise(text: str, language: str, market: str = "BE") -> str:
    """Return ``text`` in words a voice can read, without digits, symbols, markup or emoji.

    ``language`` is ISO 639-1 or BCP 47; its region, if any, goes before ``market`` (ISO 3166),
    which decides what differs between countries: septante in Belgium, the month before the day
    in the United States.  Plain text comes back as it is.  A language whose numbers nobody
    taught us is only cleaned: its synthesiser reads the digits.
    """
    base, _, region = language.replace("_", "-").partition("-")
    rules = _rules(base.lower(), region.upper() if len(region) == 2 else market.upper())
    cleaned = clean(text)
    return cleaned if rules is None else rules(cleaned)


def abbreviations(language: str) -> frozenset[str]:
    """Return the language's abbreviations as written, dots included (for cutting sentences)."""
    speller = _speller(language.split("-")[0].lower(), "")
    return frozenset(speller.abbreviations) if speller is not None else frozenset()


@lru_cache(maxsize=64)
def _speller(language: str, market: str) -> Speller | None:
    make = _SPELLERS.get(language)
    return make(market) if make is not None else generic.speller(language)


@lru_cache(maxsize=64)
def _rules(language: str, market: str) -> Callable[[str], str] | None:
    speller = _speller(language, market)
    if speller is None:
        return None
    codes, calendar, amounts = Codes(speller), Calendar(speller), Amounts(speller)
    # The order matters: what is more particular goes first and leaves no digits behind.
    steps = (
        codes.links,
        amounts.phrases,
        _abbreviations(speller),
        codes.order_numbers,
        calendar.weekdays,
        calendar.dates,
        codes.phones,
        codes.postcodes,
        codes.sizes,
        codes.skus,
        amounts.join_groups,
        amounts.comparisons,
        amounts.ranges,
        amounts.negatives,
        calendar.times,
        amounts.fractions,
        amounts.dimensions,
        amounts.prices,
        amounts.quantities,
        amounts.percentages,
        amounts.ordinals,
        amounts.signs,
        amounts.numbers,
        codes.initialisms,
        squeeze,
    )

    plain_steps = (
        _abbreviations(speller),
        calendar.weekdays,
        codes.sizes,
        codes.initialisms,
        squeeze,
    )

    def apply(text: str) -> str:
        # isdigit() besides the pattern: superscripts are digits to the eye, not to \\d.
        plain = not _NUMBERS_OR_SIGNS.search(text) and not any(map(str.isdigit, text))
        for step in plain_steps if plain else steps:
            text = step(text)
        return text

    return apply


def _abbreviations(speller: Speller) -> Callable[[str], str]:
    words = speller.abbreviations
    if not words:
        return lambda text: text
    folded = {short.lower(): said for short, said in words.items() if short.islower()}
    ordered = sorted(words, key=len, reverse=True)
    pattern = re.compile(
        "|".join(
            rf"(?i:{re.escape(short)})" if short.islower() else re.escape(short)
            for short in ordered
        ).join([r"(?<![\w.-])(?:", r")(?![\w])"])
    )

    def expand(match: re.Match[str]) -> str:
        short = match[0]
        stem, rest = short.rstrip("."), match.string[match.end() :].lstrip()
        if stem in speller.units and re.search(r"\d\s?$", match.string[: match.start()]):
            return short  # 30 min. is a duration
        if stem.lower() in speller.weekdays and rest[:1].isdigit():
            return short  # Fr. 9-18 Uhr is a Friday
        said = words.get(short) or folded[short.lower()]
        # German writes every noun with a capital: it tells nothing about a new sentence there.
        capital = rest[:1].isupper() and not rest[:2].isupper() and speller.code != "de"
        ends = short.endswith(".") and (not rest or capital)
        known_to_end = short in speller.final_abbreviations or not rest
        return f"{said}." if ends and known_to_end else said

    return lambda text: pattern.sub(expand, text)
