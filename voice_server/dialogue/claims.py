"""What a text claims that can be checked: numbers, prices, dates, times, codes, days, addresses.

Pure functions.  The same reader is used on facts and on sentences, so a claim is supported when
the facts contain it in any spelling or language: "4,95 €", "4.95 euro", "quatre euros
nonante-cinq".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from voice_server.dialogue.locales import AVAILABLE, Locale, load_locale
from voice_server.dialogue.numerals import SPACES, Numeral, find_numerals


class Kind(StrEnum):
    """What a claim is about; values compare only within comparable kinds."""

    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    TIME = "time"
    DATE = "date"
    MONTH = "month"
    WEEKDAY = "weekday"
    RELATIVE = "relative"
    FREE = "free"
    CODE = "code"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable thing said, normalised.

    ``value``: a Decimal for NUMBER (in ``unit``), MONEY (in the currency's main unit), PERCENT and
    TIME (minutes since midnight); "MM-DD" for DATE (``unit`` is the year or empty), "MM" for
    MONTH, 0-6 from Monday for WEEKDAY; else text.
    """

    kind: Kind
    value: Decimal | str
    unit: str
    start: int
    end: int
    vague: bool = False
    """TIME on a 12-hour clock without a.m. or p.m."""
    written: Decimal = Decimal(0)
    """NUMBER: as it stands in the text, before weeks became days."""


# Written units that are the same in every language.
_SYMBOLS = {
    "cm": "cm", "mm": "mm", "m": "m", "km": "km", "kg": "kg", "g": "g", "l": "l", "ml": "ml",
    "cl": "cl", "w": "watt", "v": "volt", "min": "minute", "h": "hour", "u": "hour",
}  # fmt: skip

# Canonical unit and factor: two weeks are fourteen days, 1.2 m are 120 cm.
_CANONICAL = {
    "week": ("day", Decimal(7)), "year": ("month", Decimal(12)),
    "m": ("mm", Decimal(1000)), "cm": ("mm", Decimal(10)), "km": ("mm", Decimal(1_000_000)),
    "kg": ("g", Decimal(1000)), "l": ("ml", Decimal(1000)), "cl": ("ml", Decimal(10)),
}  # fmt: skip

# Words that may stand between a number and its unit.
_BETWEEN = frozenset({"business", "working", "calendar", "full", "volle", "whole", "more"})

_CURRENCY_SIGNS = "€$£"
_ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|www\.\S+|"
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|be|nl|de|fr|eu|org|net|shop|io|example)\b(?:/\S*)?",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)")
_NUMERIC_DATE = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?!\d)")
_CLOCK = re.compile(
    r"(?<![\d.,])([01]?\d|2[0-4])(?:\s?[hHuU:]\s?([0-5]\d)(?::[0-5]\d)?(?!\d)|\s?[hHuU]\b|"
    r"\.([0-5]\d)(?=\s*(?:uur|Uhr|u)\b))(?:\s*([ap])(?:m\b|\.\s?m\.?))?"
    r"|(?<![\d.,])(1[0-2]|0?\d)\s*([ap])(?:m\b|\.\s?m\.?)"
)
_CODE = re.compile(r"(?<![\w-])[^\W\d_]{1,10}-?\d[\w-]*|(?<![\w-])\d[\d-]*[A-Z]{2,}[\w-]*\d[\w-]*")
_NEXT_WORD = re.compile(rf"[{SPACES}-]*([^\W\d_]+(?:['’][^\W\d_]+)*|%)")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|ère|ème|de|ste|e|\.)(?![\w])", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def read_claims(text: str, language: str) -> tuple[Claim, ...]:
    """Return what a text in ``language`` claims, in order. Unknown languages read as English."""
    locale = load_locale(language if language in AVAILABLE else "en")
    found: list[Claim] = []
    text = _take(text, _ADDRESS, _address, found)
    text = _take(text, _ISO_DATE, lambda m: _date(int(m[3]), int(m[2]), m[1], m), found)
    text = _take(text, _NUMERIC_DATE, lambda m: _date(int(m[1]), int(m[2]), m[3], m), found)
    text = _take(text, _CLOCK, _clock, found)
    text = _take(text, _CODE, _code, found)
    found += _numeric(text, locale)
    found += _named(text, locale, found)
    found.sort(key=lambda claim: claim.start)
    return tuple(found)


def _take(
    text: str,
    pattern: re.Pattern[str],
    make: Callable[[re.Match[str]], Claim | None],
    found: list[Claim],
) -> str:
    """Collect the claims of a pattern and cover them, so that nothing is read twice."""

    def cover(match: re.Match[str]) -> str:
        claim = make(match)
        if claim is None:
            return match.group()
        found.append(claim)
        return "|" * len(match.group())

    return pattern.sub(cover, text)


def _address(match: re.Match[str]) -> Claim:
    value = match.group().lower().rstrip(".,;:!?)/")
    value = value.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return Claim(Kind.ADDRESS, value, "", *match.span())


def _date(day: int, month: int, year: str, match: re.Match[str]) -> Claim | None:
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    return Claim(Kind.DATE, f"{month:02}-{day:02}", year, *match.span())


def _clock(match: re.Match[str]) -> Claim:
    hour = int(match[1] or match[5])
    minute = int(match[2] or match[3] or 0)
    half = (match[4] or match[6] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    vague = not half and hour <= 12
    return Claim(Kind.TIME, Decimal(hour * 60 + minute), "", *match.span(), vague)


def _code(match: re.Match[str]) -> Claim:
    return Claim(Kind.CODE, plain_code(match.group()), "", *match.span())


def plain_code(code: str) -> str:
    """Return a code without what people drop when they say it: case, hyphens, spaces."""
    return re.sub(r"[\W_]", "", code).upper()


def _numeric(text: str, locale: Locale) -> list[Claim]:
    numerals = find_numerals(text, locale.language)
    found: list[Claim] = []
    skip_to = 0
    for place, numeral in enumerate(numerals):
        if numeral.start < skip_to:
            continue
        after = numerals[place + 1] if place + 1 < len(numerals) else None
        claim = _classify(text, numeral, after, locale)
        if claim is not None:
            found.append(claim)
            skip_to = claim.end
    for place in range(len(found) - 2, -1, -1):
        found[place] = _share_unit(text, found[place], found[place + 1], locale)
    return found


def _share_unit(text: str, left: Claim, right: Claim, locale: Locale) -> Claim:
    """Give the unit of "81 cm" to the 46 in "46 x 52 x 81 cm", and likewise in ranges."""
    between = text[left.end : right.start].strip(SPACES).lower()
    chained = between in {"x", "×", "-", "–"} or between in locale.range_words
    numbers = left.kind is Kind.NUMBER and right.kind is Kind.NUMBER
    if not (chained and numbers and right.unit and not left.unit and right.written):
        return left
    factor = Decimal(right.value) / right.written
    return replace(left, value=left.written * factor, unit=right.unit)


def _classify(text: str, numeral: Numeral, after: Numeral | None, locale: Locale) -> Claim | None:
    value, start, end = numeral.value, numeral.start, numeral.end
    before = _WORDS.findall(text[:start])[-2:]
    last = before[-1].lower() if before and text[:start].rstrip().endswith(before[-1]) else ""
    if text[:start].rstrip(SPACES)[-1:] in _CURRENCY_SIGNS and text[:start].strip():
        return _money(text, numeral, end, after, locale)
    if last == "eur":
        return Claim(Kind.MONEY, value, "", start, end)
    word, word_end = _next_word(text, end)
    sign = text[end:].lstrip(SPACES)[:1]
    if sign and sign in _CURRENCY_SIGNS:
        return _money(text, numeral, end + text[end:].index(sign) + 1, after, locale)
    if word in locale.currency:
        return _money(text, numeral, word_end, after, locale)
    words, words_end = _two_words(text, end)
    if words in locale.percent:
        return Claim(Kind.PERCENT, value, "", start, words_end)
    if word == "%" or word in locale.percent:
        return Claim(Kind.PERCENT, value, "", start, word_end)
    if word in locale.cents:
        return Claim(Kind.MONEY, value / 100, "", start, word_end)
    dated = _with_month(text, numeral, last, locale)
    if dated is not None:
        return dated
    halved = _half_hour(text, numeral, before, locale)
    if halved is not None:
        return halved
    unit, unit_end = _unit(text, end, locale, glued=bool(numeral.digits))
    if unit == "hour":
        return _hours(text, numeral, unit_end, after, locale)
    if numeral.weak and unit in {"", "piece"}:
        return None
    canonical, factor = _CANONICAL.get(unit, (unit, Decimal(1)))
    return Claim(Kind.NUMBER, value * factor, canonical, start, unit_end, written=value)


def _next_word(text: str, end: int) -> tuple[str, int]:
    match = _NEXT_WORD.match(text, end)
    return (match[1].lower().replace("’", "'"), match.end()) if match else ("", end)


def _two_words(text: str, end: int) -> tuple[str, int]:
    first, first_end = _next_word(text, end)
    second, second_end = _next_word(text, first_end)
    return f"{first} {second}", second_end


def _money(text: str, numeral: Numeral, end: int, after: Numeral | None, locale: Locale) -> Claim:
    """A price, with the cents that may follow: "4 euros 95", "vier Euro fünfundneunzig"."""
    value = numeral.value
    whole = value == value.to_integral_value()
    if after is not None and whole and 0 < after.value < 100 and not after.weak:
        between = text[end : after.start].strip(SPACES).lower()
        word, word_end = _next_word(text, after.end)
        counted = _unit(text, after.end, locale, glued=False)[0] or word in locale.currency
        direct = between == "" or (between in locale.numbers.joiners and word in locale.cents)
        plain = after.value == after.value.to_integral_value()
        if direct and plain and not counted and word != "%":
            value += after.value / 100
            end = word_end if word in locale.cents else after.end
    return Claim(Kind.MONEY, value, "", numeral.start, end)


def _with_month(text: str, numeral: Numeral, last: str, locale: Locale) -> Claim | None:
    if numeral.value != numeral.value.to_integral_value() or not 1 <= numeral.value <= 31:
        return None
    day = int(numeral.value)
    end = numeral.end
    ordinal = _ORDINAL.match(text, end)
    if ordinal:
        end = ordinal.end()
    word, word_end = _next_word(text, end)
    if word in {"of", "de"}:
        word, word_end = _next_word(text, word_end)
    if word in locale.months:
        month = locale.months.index(word) + 1
    elif last in locale.months:
        month, word_end = locale.months.index(last) + 1, end
    else:
        return None
    year = re.compile(rf"[{SPACES},]*((?:19|20)\d\d)(?!\d)").match(text, word_end)
    stop = year.end() if year else word_end
    return Claim(Kind.DATE, f"{month:02}-{day:02}", year[1] if year else "", numeral.start, stop)


def _half_hour(text: str, numeral: Numeral, before: list[str], locale: Locale) -> Claim | None:
    words = [word.lower() for word in before]
    if not 1 <= numeral.value <= 12 or not words:
        return None
    if words[-1] in locale.half:  # "half zes", "halb sechs": half an hour before
        minutes = numeral.value * 60 - 30
    elif " ".join(words) in locale.half:  # "half past six"
        minutes = numeral.value * 60 + 30
    else:
        return None
    return Claim(Kind.TIME, minutes, "", numeral.start, numeral.end, vague=True)


def _unit(text: str, end: int, locale: Locale, *, glued: bool) -> tuple[str, int]:
    """Return the unit after a number and where it ends ("" and ``end`` if there is none)."""
    word, word_end = _next_word(text, end)
    if word in _BETWEEN:
        word, word_end = _next_word(text, word_end)
    for unit, names in locale.units.items():
        if word in names:
            return unit, word_end
    if glued and word in _SYMBOLS:
        return _SYMBOLS[word], word_end
    return "", end


def _hours(
    text: str, numeral: Numeral, end: int, after: Numeral | None, locale: Locale
) -> Claim | None:
    """An hour of the day or a duration; with minutes it is a time."""
    value = numeral.value
    if after is not None and value <= 24 and after.value < 60 and not after.weak:
        between = text[end : after.start].strip(SPACES)
        unit, unit_end = _unit(text, after.end, locale, glued=False)
        if not between and unit in {"", "minute"}:
            minutes = value * 60 + after.value
            return Claim(Kind.TIME, minutes, "", numeral.start, unit_end, vague=value <= 12)
    return Claim(Kind.NUMBER, value, "hour", numeral.start, end, written=value)


def _named(text: str, locale: Locale, found: list[Claim]) -> Iterable[Claim]:
    """Yield months, weekdays, relative days and "free"."""
    taken = [(claim.start, claim.end) for claim in found]
    first = _WORDS.search(text)
    days: list[Claim] = []
    for match in _WORDS.finditer(text):
        word = match.group()
        low = word.lower()
        inside = any(start <= match.start() < end for start, end in taken)
        if low in locale.months and not inside:
            doubtful = low in locale.doubtful_months and (
                word[0].islower() or match.start() == (first.start() if first else 0)
            )
            if not doubtful:
                month = f"{locale.months.index(low) + 1:02}"
                yield Claim(Kind.MONTH, month, "", *match.span())
        for stem in (low, low.removesuffix("s")):
            if stem in locale.weekdays:
                day = str(locale.weekdays.index(stem))
                days.append(Claim(Kind.WEEKDAY, day, "", *match.span()))
                break
    yield from _spread(text, days, locale)
    for key, patterns in locale.relative.items():
        for pattern in patterns:
            for match in pattern.finditer(text):
                yield Claim(Kind.RELATIVE, key, "", *match.span())
    for pattern in locale.free:
        for match in pattern.finditer(text):
            yield Claim(Kind.FREE, "", "", *match.span())


def _spread(text: str, days: list[Claim], locale: Locale) -> Iterable[Claim]:
    """Yield the weekdays, those inside a range ("Monday to Friday") included."""
    for place, day in enumerate(days):
        yield day
        if place + 1 == len(days):
            continue
        after = days[place + 1]
        between = text[day.end : after.start].strip(SPACES).lower()
        if between in locale.range_words or between in {"-", "–"}:
            at = int(day.value)
            while (at := (at + 1) % 7) != int(after.value):
                yield replace(day, value=str(at), start=after.start, end=after.end)


@functools.lru_cache(maxsize=2048)
def claims_of(text: str, language: str) -> tuple[Claim, ...]:
    """Return :func:`read_claims`, remembered: the same facts come back turn after turn."""
    return read_claims(text, language)
