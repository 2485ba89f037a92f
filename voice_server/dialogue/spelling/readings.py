"""Ways to take what was heard, each with a cost: 0 is certain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BEAM = 24
"""Readings kept while a run is read: enough for two doubtful places among ten."""

SPLIT_COST = 0.5
"""For each number more than needed: "quatre-vingt deux" is 82 before it is 4, 22."""

HEARD_COST = 2.0
"""For each number or letter taken for another that sounds like it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to take something."""

    text: str
    cost: float = 0.0


def cheapest(readings: Iterable[Reading], limit: int) -> tuple[Reading, ...]:
    """Return the cheapest readings, one of each text, in order of cost then text."""
    best: dict[str, float] = {}
    for reading in readings:
        if reading.cost < best.get(reading.text, float("inf")):
            best[reading.text] = reading.cost
    ordered = sorted(best.items(), key=lambda pair: (pair[1], pair[0]))
    return tuple(Reading(text, cost) for text, cost in ordered[:limit])


def combine(options: Sequence[Sequence[Reading]], limit: int) -> tuple[Reading, ...]:
    """Return the cheapest ways to take one option of each place, joined in order."""
    found: tuple[Reading, ...] = (Reading(""),)
    for place in options:
        found = cheapest(
            (Reading(a.text + b.text, a.cost + b.cost) for a in found for b in place), limit
        )
    return found
