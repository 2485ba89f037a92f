"""Which room a show is presented in: by its market's calendar and season. Pure.

The scenes themselves are drawn by the stage (``web/static/stage/backdrop/``); :data:`SCENES` names
them.  Feasts that are not public holidays are here with their days; a test holds those that are
against the ``holidays`` library.
"""

from __future__ import annotations

from datetime import date, timedelta

from voice_server.shop.taste import SEASONS, season

SCENES = (
    "studio",
    *SEASONS,
    "sinterklaas",
    "christmas",
    "new-year",
    "easter",
    "national",
    "sale",
)
"""Names a run-sheet may give; "auto" picks one by market and day."""

NATIONAL_EVE_DAYS = 2
"""Flags hang so many days before a national day, and on it."""
EASTER_DAYS = 10
"""Easter is in the shops from ten days before it to Easter Monday."""
SALE_WEEKS = 4
"""Length of the French sales since 2020 (arrêté du 27 mai 2019)."""


def backdrop(country: str, day: date) -> str:
    """Return the scene of a market (ISO 3166) on a day."""
    eve = timedelta(days=NATIONAL_EVE_DAYS)
    national = national_day(country, day.year)
    if national is not None and national - eve <= day <= national:
        return "national"
    month_day = (day.month, day.day)
    if country in ("BE", "NL") and (11, 15) <= month_day <= (12, 6 if country == "BE" else 5):
        return "sinterklaas"
    if (12, 1) <= month_day <= (12, 26):
        return "christmas"
    if month_day >= (12, 27) or month_day <= (1, 2):
        return "new-year"
    easter = easter_sunday(day.year)
    if easter - timedelta(days=EASTER_DAYS) <= day <= easter + timedelta(days=1):
        return "easter"
    if any(first <= day <= last for first, last in sales(country, day.year)):
        return "sale"
    return season(day, country)


def national_day(country: str, year: int) -> date | None:
    """Return a market's national day; None for markets we have no scene for.

    The United Kingdom has none: the King's official birthday is taken, the second Saturday of June.
    """
    match country:
        case "BE":
            return date(year, 7, 21)
        case "NL":
            # The King's birthday; on a Sunday it is held the day before.
            king = date(year, 4, 27)
            return king - timedelta(days=1) if king.weekday() == 6 else king
        case "DE":
            return date(year, 10, 3)
        case "FR":
            return date(year, 7, 14)
        case "GB" | "UK":
            return _weekday(year, 6, 5, 2)
    return None


def sales(country: str, year: int) -> tuple[tuple[date, date], ...]:
    """Return the first and last days of the sales seasons of a year.

    Belgium's are set by law (January and July, arts. VI.25-27 of its economic code), France's by
    decree (second Wednesday of January or the first if that is after the 12th, last Wednesday of
    June or the one before if that is after the 28th; four weeks).  The others are custom.
    """
    match country:
        case "BE":
            return (date(year, 1, 3), date(year, 1, 31)), (date(year, 7, 1), date(year, 7, 31))
        case "FR":
            winter = _weekday(year, 1, 2, 2)
            if winter.day > 12:
                winter -= timedelta(weeks=1)
            summer = _weekday(year, 7, 2, 1) - timedelta(weeks=1)
            if summer.day > 28:
                summer -= timedelta(weeks=1)
            weeks = timedelta(weeks=SALE_WEEKS, days=-1)
            return (winter, winter + weeks), (summer, summer + weeks)
        case "DE":
            # The old winter and summer sales: two weeks from the last Monday of January and July.
            weeks = timedelta(weeks=2, days=-1)
            starts = (_weekday(year, month + 1, 0, 1) - timedelta(weeks=1) for month in (1, 7))
            return tuple((first, first + weeks) for first in starts)
        case "NL" | "GB" | "UK":
            return (date(year, 1, 3), date(year, 1, 31)), (date(year, 7, 1), date(year, 7, 28))
    return ()


def easter_sunday(year: int) -> date:
    """Return Easter Sunday (the anonymous Gregorian computus, Meeus, Astronomical Algorithms)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


def _weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """Return the ``nth`` (from 1) given weekday (0 for Monday) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
