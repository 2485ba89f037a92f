"""Things that hold once and for a while: tickets, outcomes of calls, nonces already seen."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

KEPT = 10_000
"""Entries kept at most: two hundred calls a second for the longest lifetime used."""


class OnceStore(Generic[T]):
    """Values by key, each taken at most once and forgotten after ``lifetime_s``."""

    def __init__(self, lifetime_s: float, *, kept: int = KEPT) -> None:
        self._lifetime_s = lifetime_s
        self._kept = kept
        # In the order of their age: all have the same lifetime. Bounded: the oldest goes first.
        self._values: dict[str, tuple[float, T]] = {}

    def put(self, key: str, value: T, now: float) -> None:
        """Keep a value; one with the same key is replaced."""
        self._values.pop(key, None)
        self._values[key] = (now + self._lifetime_s, value)
        self._tidy(now)

    def take(self, key: str, now: float) -> T | None:
        """Return and forget a value, None if it was never there, taken, or is too old."""
        self._tidy(now)
        kept = self._values.pop(key, None)
        return None if kept is None else kept[1]

    def look(self, key: str, now: float) -> T | None:
        """Return a value and keep it."""
        self._tidy(now)
        kept = self._values.get(key)
        return None if kept is None else kept[1]

    def holds(self, key: str, now: float) -> bool:
        """Return whether a value is there, without taking it."""
        self._tidy(now)
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def _tidy(self, now: float) -> None:
        while self._values:
            oldest = next(iter(self._values))
            if self._values[oldest][0] > now and len(self._values) <= self._kept:
                return
            del self._values[oldest]
