"""Dates, times of day, opening hours."""

from __future__ import annotations

import re

from voice_server.speech.verbalise.common import Speller

_ISO = re.compile(
    r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\d-])"
)
_LOCAL = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-])")
_GERMAN_SHORT = re.compile(r"(?<![\d.,])(\d{1,2})\.(\d{1,2})\.(?![\d])")
_SHORT = re.compile(r"(?<![\d/.,-])(\d{2})/(\d{2})(?![\d/]|[.,]\d)")
_HALF = r"(?P<half>[aApP]\.?[mM]\b\.?)"


class Calendar:
    """Reads dates and times in one language."""

    def __init__(self, speller: Speller) -> None:
        """Prepare for the words of ``speller``."""
        self._speller = speller
        names = {name: number for number, name in enumerate(speller.months, 1)}
        self._months = {name.lower(): number for name, number in names.items()}
        self._months |= dict(speller.month_abbreviations)
        written = "|".join(
            [re.escape(name) for name in names]
            + [rf"{short}\b\.?" for short in speller.month_abbreviations]
        )
        capital = "" if speller.code in {"en", "de"} else "(?i:"
        month = rf"(?P<month>{capital or '(?:'}{_title(written) if not capital else written}))"
        self._day_range = re.compile(
            rf"(?<![\d.,])(\d{{1,2}})\.?\s?[-–—]\s?(?=\d{{1,2}}\.?\s+{month}(?!\w))"
        )
        self._day_month = re.compile(
            rf"(?<![\d.,/-])(?P<day>[12]?\d|3[01])(?:er|\.|e|st|nd|rd|th)?\s+(?:of\s+)?{month}(?!\w)"
            r"(?:,?\s+(?P<year>\d{4})(?![\d.,]\d))?"
        )
        self._month_day = re.compile(
            rf"\b{month}\s+(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)?"
            r"(?:\s?[-–—]\s?(?P<last>[12]?\d|3[01])(?:st|nd|rd|th)?)?"
            r"(?![\d:%€]|[.,]\d|\s?(?:am|pm))"
            r"(?:,?\s+(?P<year>\d{4})(?![\d.,]\d))?"
        )
        self._after_preposition = re.compile(
            rf"\b((?i:{speller.date_prepositions or '(?!)'}))\s+"
            r"(\d{1,2})/(\d{1,2})(?![\d/]|[.,]\d)"
        )
        half = _HALF if speller.code == "en" else "(?P<half>(?!))"  # German am is a preposition
        mark = f"(?::|{speller.hour_mark})" if speller.hour_mark else ":"
        suffix = f"(?:{speller.time_suffix})?" if speller.time_suffix else ""
        self._time = re.compile(
            rf"(?<![\d.,:])(?P<hours>[01]?\d|2[0-4]){mark}(?P<minutes>[0-5]\d)(?::[0-5]\d)?(?![\d:]|\s?min)"
            rf"(?:\s?{half}|{suffix})"
        )
        pointed = f"(?:\\s?{half}|{speller.time_suffix or '(?!)'})"
        self._pointed_time = re.compile(
            rf"(?<![\d.,:])(?P<hours>[01]?\d|2[0-4])\.(?P<minutes>[0-5]\d){pointed}"
        )
        self._hour = re.compile(rf"(?<![\d.,:])(?P<hours>1[0-2]|0?[1-9])\s?{half}")
        days = "|".join(sorted(speller.weekdays, key=len, reverse=True)) or "(?!)"
        self._weekday_range = re.compile(
            rf"\b(?P<first>{days})\.?\s?[-–—]\s?(?P<last>{days})\b\.?", re.IGNORECASE
        )
        dated = (
            r"\d{1,2}(?:[/:hu]|\.\d|\s?(?:h|u|uur|Uhr|am|pm)\b|\s?[-–]\s?\d|\.?\s+"
            rf"(?:{written}))"
        )
        self._weekday = re.compile(rf"\b(?P<day>{days})\b\.?(?=[,:]?\s+{dated})", re.IGNORECASE)

    def dates(self, text: str) -> str:
        """Read dates in any order the language writes them."""
        text = self._named_dates(text)
        text = _ISO.sub(self._iso, text)
        text = _LOCAL.sub(self._local, text)
        if self._speller.code == "de":
            text = _GERMAN_SHORT.sub(lambda m: self._say(m, int(m[1]), int(m[2]), None), text)
        text = self._after_preposition.sub(
            lambda m: f"{m[1]} {self._short(m[2], m[3], m[1]) or f'{m[2]}/{m[3]}'}", text
        )
        return _SHORT.sub(lambda m: self._short(m[1], m[2], _word_before(m)) or m[0], text)

    def weekdays(self, text: str) -> str:
        """Read ma-vr, Mo–Fr, sam. 10h."""
        names = self._speller.weekdays

        def pair(match: re.Match[str]) -> str:
            first, last = names[match["first"].lower()], names[match["last"].lower()]
            return f"{first} {self._speller.to} {last}"

        text = self._weekday_range.sub(pair, text)
        return self._weekday.sub(lambda m: names[m["day"].lower()], text)

    def times(self, text: str) -> str:
        """Read times of day."""
        text = self._pointed_time.sub(self._time_words, text)
        text = self._time.sub(self._time_words, text)
        return self._hour.sub(self._time_words, text)

    def _named_dates(self, text: str) -> str:
        say = self._speller

        def named(match: re.Match[str]) -> str:
            month = self._months[match["month"].lower().rstrip(".")]
            year = int(match["year"]) if match["year"] else None
            before = _word_before(match)
            last = match.groupdict().get("last")
            said = say.date(int(match["day"]), month, None if last else year, before)
            return f"{said} {say.to} {say.ordinal(int(last))}" if last else said

        def first_day(match: re.Match[str]) -> str:
            before, day = _word_before(match), int(match[1])
            if say.code == "en":
                month = self._months[match["month"].lower().rstrip(".")]
                return f"{say.date(day, month, None)} {say.to} "
            return f"{say.day(day, before or 'am') if say.code == 'de' else day} {say.to} "

        text = self._day_range.sub(first_day, text)
        text = self._day_month.sub(named, text)
        return self._month_day.sub(named, text) if say.code == "en" else text

    def _iso(self, match: re.Match[str]) -> str:
        said = self._say(match, int(match[3]), int(match[2]), int(match[1]))
        if said == match[0] or not match[4]:
            return said
        return f"{said} {self._speller.at_time} {match[4]}"

    def _local(self, match: re.Match[str]) -> str:
        first, second = int(match[1]), int(match[3])
        year = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
        if (self._speller.month_first and first <= 12) or second > 12:
            first, second = second, first
        return self._say(match, first, second, year)

    def _short(self, first: str, second: str, before: str) -> str:
        day, month = int(first), int(second)
        if self._speller.month_first:
            day, month = month, day
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return ""
        return self._speller.date(day, month, None, before)

    def _say(self, match: re.Match[str], day: int, month: int, year: int | None) -> str:
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return match[0]
        return self._speller.date(day, month, year, _word_before(match))

    def _time_words(self, match: re.Match[str]) -> str:
        groups = match.groupdict()
        half = (groups.get("half") or "").lower().replace(".", "")
        said = self._speller.time(int(match["hours"]), int(groups.get("minutes") or 0), half)
        ends = (groups.get("half") or "").endswith(".") and not match.string[match.end() :].strip()
        return f"{said}." if ends else said


def _title(written: str) -> str:
    """Months as they are capitalised in English and German."""
    return "|".join(name[0].upper() + name[1:] for name in written.split("|"))


def _word_before(match: re.Match[str]) -> str:
    found = re.search(r"([^\W\d_]+)\s+$", match.string[: match.start()])
    return found[1] if found else ""
