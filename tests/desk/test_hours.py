"""Opening hours, holidays, the nights the clock changes, and call-backs that can be kept."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.cases import BRUSSELS, WEEK
from voice_server.desk.hours import NOTICE, SLOT, DeskHours
from voice_server.shop.markets import Market
from voice_server.shop.policies import Hours

ZONE = ZoneInfo("Europe/Brussels")
DESK = DeskHours(WEEK, BRUSSELS)


def at(text: str) -> datetime:
    """Brussels time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-25T08:59", False),
        ("2026-11-25T09:00", True),
        ("2026-11-25T17:59", True),
        ("2026-11-25T18:00", False),
        ("2026-11-28T10:00", True),
        ("2026-11-28T16:30", False),
        ("2026-11-29T12:00", False),  # Sunday
        ("2026-11-11T12:00", False),  # Armistice, a Wednesday
        ("2026-12-25T12:00", False),
    ],
)
def test_open_or_closed(moment: str, is_open: bool) -> None:
    assert DESK.is_open(at(moment)) is is_open
    assert DESK.is_open(at(moment).astimezone(UTC)) is is_open


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-25T12:00", "2026-11-25T12:00"),
        ("2026-11-25T07:00", "2026-11-25T09:00"),
        ("2026-11-25T19:00", "2026-11-26T09:00"),
        ("2026-11-28T16:00", "2026-11-30T09:00"),
        ("2026-12-24T18:00", "2026-12-26T10:00"),  # Christmas, then a Saturday
        ("2026-11-10T18:01", "2026-11-12T09:00"),  # Armistice between
    ],
)
def test_next_opening(moment: str, opening: str) -> None:
    assert DESK.next_opening(at(moment)) == at(opening)


@pytest.mark.parametrize(
    ("moment", "promised"),
    [
        ("2026-11-25T19:00", "2026-11-26T09:00"),
        ("2026-11-25T08:45", "2026-11-25T09:30"),  # 9:00 would come too soon to be read
        ("2026-11-25T10:00", "2026-11-25T10:30"),
        ("2026-11-25T10:01", "2026-11-25T11:00"),
        ("2026-11-25T17:01", "2026-11-26T09:00"),  # 17:30 is too soon, 18:00 is closed
        ("2026-11-28T23:00", "2026-11-30T09:00"),
    ],
)
def test_call_back_promise(moment: str, promised: str) -> None:
    assert DESK.callback(at(moment)) == at(promised)


def test_a_taken_slot_is_not_promised_again() -> None:
    taken: list[datetime] = []
    for _ in range(5):
        slot = DESK.callback(at("2026-11-25T19:00"), taken=taken, at_once=2)
        assert slot is not None
        taken.append(slot.astimezone(UTC))
    assert [slot.astimezone(ZONE).strftime("%H:%M") for slot in taken] == [
        "09:00", "09:00", "09:30", "09:30", "10:00",
    ]  # fmt: skip


def test_the_sign_on_the_door_holds_when_the_clock_changes() -> None:
    every_day = DeskHours([Hours(day, time(9), time(18)) for day in range(7)], BRUSSELS)
    spring = every_day.next_opening(at("2026-03-28T19:00"))
    autumn = every_day.next_opening(at("2026-10-24T19:00"))
    assert spring == datetime(2026, 3, 29, 7, 0, tzinfo=UTC)
    assert autumn == datetime(2026, 10, 25, 8, 0, tzinfo=UTC)
    for opening in (spring, autumn):
        assert opening is not None
        assert opening.strftime("%H:%M") == "09:00"


def test_a_time_the_clock_skips_and_one_it_shows_twice() -> None:
    night = DeskHours([Hours(day, time(2, 30), time(4)) for day in range(7)], BRUSSELS)
    spring = night.next_opening(at("2026-03-29T00:30"))
    assert spring == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 3:30 summer time
    assert night.callback(at("2026-03-29T00:30")) == spring
    autumn = night.next_opening(at("2026-10-25T00:30"))
    assert autumn is not None
    assert autumn.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first 2:30
    assert night.is_open(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))  # the second


def test_a_lunch_break() -> None:
    desk = DeskHours([Hours(2, time(14), time(18)), Hours(2, time(9), time(12))], BRUSSELS)
    assert desk.next_opening(at("2026-11-25T12:30")) == at("2026-11-25T14:00")
    assert desk.callback(at("2026-11-25T11:10")) == at("2026-11-25T14:00")


def test_a_desk_that_never_opens_promises_nothing() -> None:
    desk = DeskHours([], BRUSSELS)
    assert not desk.is_open(at("2026-11-25T12:00"))
    assert desk.next_opening(at("2026-11-25T12:00")) is None
    assert desk.callback(at("2026-11-25T12:00")) is None


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="ambiguous"):
        DESK.is_open(datetime(2026, 11, 25, 12))


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
MARKETS = [
    DeskHours(WEEK, Market(country, "EUR", zone))
    for country, zone in [
        ("BE", "Europe/Brussels"), ("NL", "Europe/Amsterdam"), ("DE", "Europe/Berlin"),
        ("FR", "Europe/Paris"), ("GB", "Europe/London"), ("US", "America/New_York"),
    ]
]  # fmt: skip


@given(MOMENTS, st.sampled_from(MARKETS), st.integers(0, 4))
def test_a_promise_can_always_be_kept(now: datetime, desk: DeskHours, busy: int) -> None:
    taken: list[datetime] = []
    for _ in range(busy + 1):
        slot = desk.callback(now, taken=taken)
        assert slot is not None
        assert slot.tzinfo is not None
        assert slot.astimezone(UTC) >= now + NOTICE
        assert slot not in taken
        assert desk.is_open(slot)
        assert desk.is_open(slot + SLOT - timedelta(seconds=1))
        taken.append(slot)
    opening = desk.next_opening(now)
    assert opening is not None
    assert opening >= now
    assert desk.is_open(opening)
    assert (opening == now) == desk.is_open(now)
