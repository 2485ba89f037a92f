"""Rooms by market and day; feasts held against the calendar library."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest

from voice_server.live.backdrops import (
    SCENES,
    backdrop,
    easter_sunday,
    national_day,
    sales,
)

YEARS = range(2024, 2041)
NATIONAL = {
    "BE": "National Day",
    "NL": "King's Day",
    "DE": "German Unity Day",
    "FR": "National Day",
}


@pytest.mark.parametrize(
    ("country", "day", "scene"),
    [
        ("BE", date(2026, 11, 25), "sinterklaas"),
        ("NL", date(2026, 12, 5), "sinterklaas"),
        ("NL", date(2026, 12, 6), "christmas"),
        ("BE", date(2026, 12, 6), "sinterklaas"),
        ("DE", date(2026, 11, 25), "autumn"),
        ("FR", date(2026, 12, 1), "christmas"),
        ("GB", date(2026, 12, 31), "new-year"),
        ("GB", date(2027, 1, 2), "new-year"),
        ("BE", date(2026, 7, 21), "national"),
        ("BE", date(2026, 7, 19), "national"),
        ("BE", date(2026, 7, 22), "sale"),
        ("FR", date(2026, 7, 14), "national"),
        ("FR", date(2026, 6, 24), "sale"),
        ("FR", date(2026, 1, 7), "sale"),
        ("FR", date(2025, 1, 8), "sale"),
        ("DE", date(2026, 1, 26), "sale"),
        ("DE", date(2026, 7, 27), "sale"),
        ("DE", date(2026, 10, 3), "national"),
        ("NL", date(2025, 4, 26), "national"),
        ("GB", date(2026, 6, 13), "national"),
        ("BE", date(2026, 4, 6), "easter"),
        ("BE", date(2026, 4, 7), "spring"),
        ("US", date(2026, 7, 4), "summer"),
        ("AU", date(2026, 7, 4), "winter"),
    ],
)
def test_a_market_has_its_own_feasts(country: str, day: date, scene: str) -> None:
    assert backdrop(country, day) == scene


def test_every_day_has_a_scene() -> None:
    seen: set[str] = set()
    for country in ("BE", "NL", "DE", "FR", "GB", "US", "AU"):
        for ahead in range(731):
            seen.add(backdrop(country, date(2026, 1, 1) + timedelta(days=ahead)))
    assert seen == set(SCENES) - {"studio"}


@pytest.mark.parametrize("country", NATIONAL)
def test_national_days_are_those_of_the_calendar(country: str) -> None:
    for year in YEARS:
        day = national_day(country, year)
        assert day is not None
        calendar = holidays.country_holidays(country, years=year, language="en_US")
        assert calendar.get(day) == NATIONAL[country]


def test_easter_is_the_calendars() -> None:
    for year in YEARS:
        monday = easter_sunday(year) + timedelta(days=1)
        assert monday in holidays.country_holidays("DE", years=year), year


def test_french_sales_begin_on_the_decreed_wednesdays() -> None:
    # Published by the ministry: 2024-01-10, 2025-01-08, 2026-01-07; 2024-06-26, 2025-06-25,
    # 2026-06-24.
    starts = [first for year in (2024, 2025, 2026) for first, _ in sales("FR", year)]
    assert [day.isoformat() for day in starts] == [
        "2024-01-10", "2024-06-26", "2025-01-08", "2025-06-25", "2026-01-07", "2026-06-24",
    ]  # fmt: skip
