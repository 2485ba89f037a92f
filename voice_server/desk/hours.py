"""When people answer: open now, the next opening, and a call-back time that can be kept.

Times are aware.  Opening hours are wall-clock times of the market's zone: on the nights the clock
changes they stay what the sign on the door says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from voice_server.shop.markets import Market
from voice_server.shop.policies import Hours

HORIZON_DAYS = 60
"""No desk is closed for longer without its pack being wrong."""

SLOT = timedelta(minutes=30)
"""Call-backs are promised by the half hour, as people say times."""

NOTICE = timedelta(minutes=30)
"""The least time before a call-back: the desk must have read the case."""


class DeskHours:
    """The opening hours of one desk."""

    def __init__(self, hours: Sequence[Hours], market: Market) -> None:
        """``hours`` as the pack gives them; public holidays of the market are closed."""
        self._hours = tuple(sorted(hours, key=lambda one: (one.weekday, one.opens)))
        self._market = market
        self._zone = ZoneInfo(market.timezone)

    def is_open(self, now: datetime) -> bool:
        """Tell whether somebody answers at ``now``."""
        moment = _utc(now)
        return any(opens <= moment < closes for opens, closes in self._spans(moment, 1))

    def next_opening(self, now: datetime) -> datetime | None:
        """Return ``now`` while open, else the next opening; None if there is none."""
        moment = _utc(now)
        for opens, closes in self._spans(moment, HORIZON_DAYS):
            if moment < closes:
                return max(opens, moment).astimezone(self._zone)
        return None

    def callback(
        self, now: datetime, *, taken: Collection[datetime] = (), at_once: int = 1
    ) -> datetime | None:
        """Return the first call-back time that can be promised, None if there is none.

        It is a half hour inside opening hours, at least NOTICE from now, that ends before
        closing.  ``taken`` are promised times; each slot has room for ``at_once`` of them.
        """
        promised = [_utc(moment) for moment in taken]
        soonest = _utc(now) + NOTICE
        for opens, closes in self._spans(_utc(now), HORIZON_DAYS):
            slot = opens
            while slot + SLOT <= closes:
                if slot >= soonest and promised.count(slot) < at_once:
                    return slot.astimezone(self._zone)
                slot += SLOT
        return None

    def _spans(self, now: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Yield opening and closing in UTC, from the day of ``now`` on.

        UTC throughout: Python compares times of one zone by the wall clock, which repeats itself
        in the night summer time ends.
        """
        first = now.astimezone(self._zone).date()
        for offset in range(days + 1):
            day = first + timedelta(days=offset)
            if self._market.is_holiday(day):
                continue
            for hours in self._hours:
                if hours.weekday == day.weekday():
                    yield self._at(day, hours.opens), self._at(day, hours.closes)

    def _at(self, day: date, clock: time) -> datetime:
        """Return a wall-clock time; one that the clock skips becomes the moment after it."""
        return datetime.combine(day, clock, tzinfo=self._zone).astimezone(UTC)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is ambiguous: give an aware one")
    return moment.astimezone(UTC)
