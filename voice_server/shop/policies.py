"""Policies: what the shop promises, as values for answers and as prose for reading out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivery to one country. Days are working days after the order."""

    country: str
    cost: Decimal
    free_from: Decimal | None
    days_min: int
    days_max: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening of one weekday (0 is Monday)."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Policies:
    """The numbers behind the promises; prose refers to them and never repeats them."""

    delivery: Mapping[str, Delivery]
    """By ISO country code, the home country first."""
    return_days: int
    return_cost: Decimal
    refund_days: int
    warranty_years: int
    payment_methods: tuple[str, ...]
    hours: tuple[Hours, ...]
    """When people answer, by weekday; a missing weekday is closed."""
    phone: str
    email: str
    pickup_points: tuple[str, ...]
    """Addresses where orders can be picked up; may be empty."""
    pickup_days: int
    pickup_cost: Decimal


@dataclass(frozen=True, slots=True)
class PolicySection:
    """A section of a policy in one language: a few plain sentences that may be spoken."""

    id: str
    """Language-neutral key, for example "delivery_cost"."""
    language: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class FaqEntry:
    """An approved answer in one language."""

    id: str
    language: str
    questions: tuple[str, ...]
    """The question and other wordings of it."""
    answer: str
