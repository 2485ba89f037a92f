"""Whom a line may call, and when: numbers, countries, quiet hours, pace. Sans-I/O.

Only what customers asked for is called: a promised call-back, or a call about an order of theirs
that an operator starts.  Selling by an automatic voice needs consent given before (ePrivacy
directive, article 13), which this program does not keep; so there is no mode for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

import holidays
import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

PREMIUM = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
"""Kinds of numbers that cost the shop more than a call, or reach nobody."""

PER_NUMBER = 3
"""Calls to one number in a day, whoever asks for them: France's rule for marketing is four in a
month (decree 2022-1313), and three in a day on request is already insistent."""

PER_NUMBER_S = 86_400.0
NUMBERS_KEPT = 20_000
HORIZON_DAYS = 15

Code = Literal[
    "no_number", "premium", "not_allowed", "opted_out", "quiet_hours", "closed", "too_fast",
    "too_often", "no_line", "no_outbound", "not_ready", "vendor",
]  # fmt: skip
"""For programs: why a call is not placed."""


class NotDialled(Exception):
    """A call is not placed; the message tells the operator why, with the number masked."""

    def __init__(self, code: Code, text: str, again_at: datetime | None = None) -> None:
        """``again_at``: when the same call may be asked for again, None: not by waiting."""
        super().__init__(text)
        self.code = code
        self.again_at = again_at


@dataclass(frozen=True, slots=True)
class Dialling:
    """How a line calls out; without it, it does not."""

    vendor: str
    """Who carries the calls: twilio, telnyx, plivo, vonage or sip."""
    allow: tuple[str, ...]
    """Countries ("BE") and prefixes ("+4930") that may be called; nothing else may."""
    per_minute: int = 6
    """Calls begun in any sixty seconds: carriers take more for robocalling."""
    ring_s: int = 30
    """A telephone rings so long: six times, before most mailboxes of mobiles take over."""
    detect: Literal["own", "vendor", "off"] = "own"
    """Who tells a machine from a person; off: everybody is greeted."""
    machine: Literal["message", "hang_up"] = "message"
    """What a machine gets."""
    call_backs: bool = False
    """Promised call-backs of the shop's customers are placed by this line."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a country's people may be called by day of the week (0: Monday); holidays are not."""

    days: frozenset[int]
    spans: tuple[tuple[time, time], ...]


ASKED_FOR = Hours(frozenset(range(6)), ((time(8), time(21)),))
"""For a call-back at the time the customer was promised: no more than decency."""

USUAL = Hours(frozenset(range(6)), ((time(9), time(20)),))
"""Where a country has no rule of its own that we know of."""

QUIET: Mapping[str, Hours] = {
    # Decree 2022-1313 of 13 October 2022: Monday to Friday, 10 to 13 and 14 to 20 o'clock.
    "FR": Hours(frozenset(range(5)), ((time(10), time(13)), (time(14), time(20)))),
}
"""The rules are for marketing; we keep to them for every call that was not promised."""


def e164(text: str, country: str | None = None) -> str:
    """Return a number as ``+32470123456``. Raises NotDialled for what cannot be one.

    ``country`` (ISO 3166-1): whose customers say "0470 12 34 56" of their own.
    """
    try:
        number = phonenumbers.parse(text.strip()[:40], country)
    except phonenumbers.NumberParseException:
        raise NotDialled(
            "no_number", "that is no number in international form: write +32 470 12 34 56"
        ) from None
    if not phonenumbers.is_valid_number(number):
        raise NotDialled("no_number", "there is no such number in that country's plan")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def check_number(number: str, allow: Iterable[str]) -> None:
    """Raise NotDialled for a premium number, or one outside the allow-list. ``number``: E.164."""
    parsed = phonenumbers.parse(number, None)
    if phonenumbers.number_type(parsed) in PREMIUM:
        raise NotDialled("premium", "numbers that cost extra, and mailboxes, are not called")
    region = phonenumbers.region_code_for_number(parsed)
    for entry in allow:
        wanted = entry.replace(" ", "")
        if wanted == region or (wanted.startswith("+") and number.startswith(wanted)):
            return
    raise NotDialled(
        "not_allowed", f"this line may not call {region or 'that country'}: see its 'allow' list"
    )


def allowed_from(number: str, now: datetime, *, promised: bool) -> datetime | None:
    """Return ``now`` if the people of that number may be called now, else when they may be next.

    A number of a country with several time zones must be in good time in all of them.  None: not
    within ``HORIZON_DAYS``.
    """
    parsed = phonenumbers.parse(number, None)
    region = phonenumbers.region_code_for_number(parsed) or ""
    hours = ASKED_FOR if promised else QUIET.get(region, USUAL)
    free = _holidays(region)
    zones: list[tzinfo] = [
        ZoneInfo(name) for name in time_zones_for_number(parsed) if name != "Etc/Unknown"
    ]
    moment = now.astimezone(UTC)
    end = moment + timedelta(days=HORIZON_DAYS)
    while moment < end:
        after = max(_next(moment, zone, hours, free) for zone in zones or [UTC])
        if after == moment:
            return moment
        moment = after
    return None


def _next(moment: datetime, zone: tzinfo, hours: Hours, free: Container[date]) -> datetime:
    """Return ``moment`` inside the hours of a zone, else their next begin."""
    local = moment.astimezone(zone)
    for offset in range(HORIZON_DAYS + 1):
        day = local.date() + timedelta(days=offset)
        if day.weekday() not in hours.days or day in free:
            continue
        for opens, closes in hours.spans:
            begin = datetime.combine(day, opens, tzinfo=zone).astimezone(UTC)
            end = datetime.combine(day, closes, tzinfo=zone).astimezone(UTC)
            if moment < end:
                return max(begin, moment)
    return moment + timedelta(days=HORIZON_DAYS)


def _holidays(region: str) -> Container[date]:
    try:
        found: Container[date] = holidays.country_holidays(region)
        return found
    except NotImplementedError:
        return frozenset()


class Pace:
    """How fast a server calls: per line, and per number."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[float]] = {}
        # Bounded: the number that was called longest ago goes first.
        self._numbers: dict[str, deque[float]] = {}

    def take(self, line: str, number: str, per_minute: int, now: float) -> None:
        """Count a call. Raises NotDialled, and counts nothing, if it is one too many.

        ``now``: monotonic seconds.
        """
        recent = self._lines.setdefault(line, deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= per_minute:
            wait = max(1, round(recent[0] + 60 - now))
            raise NotDialled(
                "too_fast", f"this line has begun {per_minute} calls in a minute: wait {wait} s"
            )
        called = self._numbers.pop(number, deque())
        while called and called[0] <= now - PER_NUMBER_S:
            called.popleft()
        self._numbers[number] = called
        if len(called) >= PER_NUMBER:
            raise NotDialled("too_often", f"this number was called {PER_NUMBER} times in a day")
        recent.append(now)
        called.append(now)
        if len(self._numbers) > NUMBERS_KEPT:
            del self._numbers[next(iter(self._numbers))]
