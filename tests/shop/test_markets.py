"""Amounts, dates, lists and countries as a market writes them."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest

from voice_server.shop.markets import Market, locale_of
from voice_server.shop.money import Money

BELGIUM = Market("BE", "EUR", "Europe/Brussels")


@pytest.mark.parametrize(
    ("language", "cents", "whole"),
    [
        ("fr", "49,90 €", "1 249 €"),
        ("nl", "€ 49,90", "€ 1.249"),
        ("de", "49,90 €", "1.249 €"),
        ("en", "€49.90", "€1,249"),
    ],
)
def test_money_without_empty_cents(language: str, cents: str, whole: str) -> None:
    assert BELGIUM.money(Decimal("49.9"), language) == cents
    assert BELGIUM.money(Decimal("1249.00"), language) == whole


def test_money_knows_its_currency_and_order() -> None:
    assert Money(Decimal(5)) < Money(Decimal(6))
    assert Money(Decimal("5.5"), "GBP").format(locale_of("en", "GB")) == "£5.50"


def test_money_has_plain_spaces_only() -> None:
    assert "\u00a0" not in BELGIUM.money(Decimal("12345.5"), "fr")
    assert "\u202f" not in BELGIUM.money(Decimal("12345.5"), "fr")


@pytest.mark.parametrize(
    ("language", "worded"),
    [
        ("fr", "mardi 1er décembre"),
        ("nl", "dinsdag 1 december"),
        ("de", "Dienstag, 1. Dezember"),
        ("en", "Tuesday 1 December"),
    ],
)
def test_day(language: str, worded: str) -> None:
    assert BELGIUM.day(date(2026, 12, 1), language) == worded


def test_only_the_first_is_ordinal_in_french() -> None:
    assert BELGIUM.day(date(2026, 12, 11), "fr") == "vendredi 11 décembre"


@pytest.mark.parametrize(
    ("language", "full", "half"),
    [
        ("fr", "9 h", "17 h 30"),
        ("nl", "9 uur", "17.30 uur"),
        ("de", "9 Uhr", "17.30 Uhr"),
        ("en", "9 am", "5:30 pm"),
    ],
)
def test_clock(language: str, full: str, half: str) -> None:
    assert BELGIUM.clock(time(9), language) == full
    assert BELGIUM.clock(time(17, 30), language) == half


def test_noon_and_midnight_in_english() -> None:
    assert BELGIUM.clock(time(12), "en") == "12 pm"
    assert BELGIUM.clock(time(0, 15), "en") == "12:15 am"


def test_lists_and_numbers() -> None:
    assert BELGIUM.join(["a", "b", "c"], "fr") == "a, b et c"
    assert BELGIUM.join(["a", "b"], "de", "or") == "a oder b"
    assert BELGIUM.number(Decimal("5.20"), "nl") == "5,2"


def test_countries_and_weekdays() -> None:
    assert BELGIUM.country_name("DE", "fr") == "Allemagne"
    assert BELGIUM.country_name("??", "fr") == "??"
    assert BELGIUM.weekday(0, "nl") == "maandag"


def test_working_days_skip_weekends_and_holidays() -> None:
    assert not BELGIUM.is_working_day(date(2026, 7, 21)), "the national holiday"
    assert BELGIUM.is_holiday(date(2026, 12, 25))
    christmas_eve = date(2026, 12, 24)
    assert BELGIUM.working_day(christmas_eve, 1) == date(2026, 12, 28)
    assert BELGIUM.working_day(date(2026, 12, 28), -1) == christmas_eve
    assert BELGIUM.working_day(date(2026, 12, 26), 0) == date(2026, 12, 28)
    assert BELGIUM.working_day(christmas_eve, 0) == christmas_eve


def test_a_locale_that_does_not_exist_is_the_language_alone() -> None:
    assert str(locale_of("nl", "XX")) == "nl"
    assert str(locale_of("en", "US")) == "en_US"
    assert str(locale_of("en", "BE")) == "en_IE"
