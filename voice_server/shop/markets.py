"""A market: where the shop sells, with its locale, its calendar and its way to write things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import holidays
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

from voice_server.shop.money import Money

_DAY_PATTERN = {"de": "EEEE, d. MMMM", "en": "EEEE d MMMM"}
_CLOCK = {"fr": "{h} h{m}", "nl": "{h}{m} uur", "de": "{h}{m} Uhr", "en": "{h}{m}"}


@lru_cache(maxsize=64)
def locale_of(language: str, country: str) -> Locale:
    """Return the locale of a language in a country, else that of the language alone.

    English outside English-speaking countries is written as in Ireland ("€49.90"): CLDR's en_BE
    and the like take the decimal comma of their neighbours, which English ears do not expect.
    """
    if language == "en" and country not in {"GB", "IE", "US", "CA", "AU", "NZ"}:
        country = "IE"
    try:
        return Locale(language, territory=country)
    except UnknownLocaleError:
        return Locale(language)


class Market:
    """Country, currency and time zone; words amounts, dates, lists and countries.

    Args:
        country: ISO 3166 code of the home country; its public holidays are not working days.
        currency: ISO 4217 code of all prices.
        timezone: IANA name, for opening hours.
    """

    def __init__(self, country: str, currency: str, timezone: str) -> None:
        self.country = country
        self.currency = currency
        self.timezone = timezone
        self._holidays: Any = holidays.country_holidays(country)

    def locale(self, language: str) -> Locale:
        """Return the locale for texts in ``language`` on this market."""
        return locale_of(language, self.country)

    def money(self, amount: Decimal, language: str) -> str:
        """Word an amount of the market's currency, for example "49,90 €"."""
        return Money(amount, self.currency).format(self.locale(language))

    def number(self, value: Decimal | int, language: str) -> str:
        """Write a number with the market's decimal mark, without trailing zeros."""
        text: str = format_decimal(value, locale=self.locale(language))
        return text.replace("\u00a0", " ").replace("\u202f", " ")

    def day(self, day: date, language: str) -> str:
        """Word a date with its weekday and without the year: "mardi 25 novembre"."""
        pattern = _DAY_PATTERN.get(language, "EEEE d MMMM")
        text: str = format_date(day, format=pattern, locale=self.locale(language))
        if language == "fr" and day.day == 1:
            text = text.replace(" 1 ", " 1er ")
        return text

    def weekday(self, weekday: int, language: str) -> str:
        """Return the name of a weekday, 0 for Monday."""
        return str(self.locale(language).days["format"]["wide"][weekday])

    def clock(self, moment: time, language: str) -> str:
        """Word a time of day: "9 h", "17.30 uur", "9 Uhr", "17:30"."""
        if language == "en":
            half = "am" if moment.hour < 12 else "pm"
            minutes = f":{moment.minute:02d}" if moment.minute else ""
            return f"{(moment.hour - 1) % 12 + 1}{minutes} {half}"
        mark = {"fr": " ", "nl": ".", "de": "."}.get(language, ":")
        minutes = f"{mark}{moment.minute:02d}" if moment.minute else ""
        return _CLOCK.get(language, "{h}{m}").format(h=moment.hour, m=minutes)

    def join(self, items: Sequence[str], language: str, link: Literal["and", "or"] = "and") -> str:
        """Join words as the language lists them: "a, b et c"."""
        style: Any = "standard" if link == "and" else "or"
        return str(format_list(list(items), style=style, locale=self.locale(language)))

    def country_name(self, code: str, language: str) -> str:
        """Return the name of a country in ``language``."""
        return str(self.locale(language).territories.get(code, code))

    def is_working_day(self, day: date) -> bool:
        """Monday to Friday and no public holiday: a day on which parcels move."""
        return day.weekday() < 5 and day not in self._holidays

    def is_holiday(self, day: date) -> bool:
        """Tell whether the day is a public holiday of the home country."""
        return day in self._holidays

    def working_day(self, day: date, offset: int) -> date:
        """Return the working day ``offset`` working days away; offset 0 rolls forward."""
        step = timedelta(days=1 if offset >= 0 else -1)
        if offset == 0:
            while not self.is_working_day(day):
                day += step
            return day
        for _ in range(abs(offset)):
            day += step
            while not self.is_working_day(day):
                day += step
        return day
