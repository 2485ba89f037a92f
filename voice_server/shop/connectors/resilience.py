"""When to try again and when to stop trying: pure rules, the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a caller waits. Somebody is on the phone: 8 s is DESIGN's deadline of a tool."""

    request_s: float = 3.0
    """One exchange with the platform."""
    read_s: float = 5.0
    """A read with its retries."""
    write_s: float = 8.0
    """A write with the reads around it."""
    attempts: int = 3
    """Exchanges a request may take."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before trying again."""

    base_s: float = 0.2
    cap_s: float = 2.0

    def delay_s(self, attempt: int, *, jitter: float, asked_s: float | None = None) -> float:
        """Return the wait before the attempt after ``attempt`` (counted from 0).

        Args:
            attempt: how many attempts have failed before this one.
            jitter: random, from 0 to 1: half of the wait is spread, so that many callers whose
                calls failed together do not come back together.
            asked_s: what the platform asked for (Retry-After), which is obeyed in full.
        """
        if asked_s is not None:
            return asked_s
        wait = min(self.cap_s, self.base_s * float(2**attempt))
        return wait * (0.5 + jitter / 2)


def retry_after_s(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header (a number or a date), None if there is none."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


class Breaker:
    """Stops asking a platform that does not answer, so that callers hear so at once.

    After ``threshold`` failures in a row it opens for ``rest_s`` seconds; then one call may try,
    and closes it or opens it again.

    Args:
        threshold: five: a single lost packet or restart must not cut a shop off.
        rest_s: about one caller's patience.
    """

    def __init__(self, *, threshold: int = 5, rest_s: float = 15.0) -> None:
        self._threshold = threshold
        self._rest_s = rest_s
        self._failures = 0
        self._closed_until = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        """It has failed so often that calls are refused, but for a probe."""
        return self._failures >= self._threshold

    def allow(self, now: float) -> bool:
        """Return whether a call may be made; a true answer must be followed by its outcome."""
        if not self.open:
            return True
        if now < self._closed_until or self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """An answer came, whatever it said."""
        self._failures = 0
        self._probing = False

    def failed(self, now: float) -> None:
        """No answer came, or one that says that the platform is broken."""
        self._failures += 1
        self._probing = False
        if self.open:
            self._closed_until = now + self._rest_s

    def abandoned(self) -> None:
        """The call was given up by its caller: that says nothing of the platform."""
        self._probing = False
