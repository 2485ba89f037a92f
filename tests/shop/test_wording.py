"""Values as they are said."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

import pytest

from voice_server.shop import wording
from voice_server.shop.markets import Market
from voice_server.shop.policies import Hours

BELGIUM = Market("BE", "EUR", "Europe/Brussels")
WEEK = (*(Hours(day, time(9), time(18)) for day in range(5)), Hours(5, time(10), time(16)))


def test_units_agree_with_their_count() -> None:
    assert wording.units(1, "working_day", "fr") == "1 jour ouvrable"
    assert wording.units(2, "year", "nl") == "2 jaar"
    assert wording.units(30, "day", "de") == "30 Tage"
    assert wording.units(2, "day", "xx") == "2 days"


def test_a_span_of_days() -> None:
    assert wording.working_days(1, 2, "fr") == "1 à 2 jours ouvrables"
    assert wording.working_days(3, 3, "en") == "3 working days"


def test_nothing_to_pay_is_free() -> None:
    assert wording.amount_or_free(Decimal(0), BELGIUM, "nl") == "gratis"
    assert wording.amount_or_free(Decimal("4.95"), BELGIUM, "nl") == "€ 4,95"


@pytest.mark.parametrize(
    ("language", "worded"),
    [
        ("fr", "en Belgique, aux Pays-Bas et au Luxembourg"),
        ("nl", "in België, in Nederland en in Luxemburg"),
        ("de", "nach Belgien, in die Niederlande und nach Luxemburg"),
    ],
)
def test_destinations_take_their_preposition(language: str, worded: str) -> None:
    assert wording.to_countries(["BE", "NL", "LU"], BELGIUM, language) == worded


@pytest.mark.parametrize(
    ("language", "worded"),
    [
        ("fr", "du lundi au vendredi de 9 h à 18 h et le samedi de 10 h à 16 h"),
        ("nl", "van maandag tot en met vrijdag van 9 uur tot 18 uur en op zaterdag van 10 uur tot "
         "16 uur"),
        ("de", "von Montag bis Freitag von 9 Uhr bis 18 Uhr und am Samstag von 10 Uhr bis 16 Uhr"),
        ("en", "from Monday to Friday from 9 am to 6 pm and on Saturday from 10 am to 4 pm"),
    ],
)  # fmt: skip
def test_days_with_the_same_hours_are_one_span(language: str, worded: str) -> None:
    assert wording.opening_hours(WEEK, BELGIUM, language) == worded


def test_a_day_off_in_the_middle_splits_the_week() -> None:
    week = [hours for hours in WEEK if hours.weekday != 2]
    said = wording.opening_hours(week, BELGIUM, "en")
    assert said.startswith("from Monday to Tuesday from 9 am to 6 pm, from Thursday to Friday")


def test_never_open() -> None:
    assert wording.opening_hours([], BELGIUM, "de") == "geschlossen"
