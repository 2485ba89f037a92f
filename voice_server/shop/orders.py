"""Orders: what was bought, how far it is, and the look-up that needs two proofs."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from voice_server.shop.markets import Market


class OrderStatus(StrEnum):
    """The states an order passes; the words shoppers hear are in the answer templates."""

    PENDING_PAYMENT = "pending_payment"
    PROCESSING = "processing"
    READY_FOR_PICKUP = "ready_for_pickup"
    SHIPPED = "shipped"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURN_RECEIVED = "return_received"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class OrderItem:
    """A line of an order."""

    sku: str
    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as the pack writes it: days may be working days from today, so it never ages."""

    number: str
    postcode: str
    status: OrderStatus
    items: tuple[OrderItem, ...]
    ordered: date | int
    expected: date | int | None
    carrier: str
    tracking: str
    total: Decimal
    country: str
    name: str = ""
    street: str = ""
    city: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the shop knows it today."""

    number: str
    status: OrderStatus
    items: tuple[OrderItem, ...]
    ordered: date
    expected: date | None
    """The day of delivery or pick-up: promised when it lies ahead, done when it is past."""
    carrier: str
    tracking: str
    total: Decimal
    country: str


class OrderBook:
    """The shop's orders; personal data, so nothing is found by number alone.

    Args:
        records: all orders.
        market: whose working days count.
        prefix: what stands before the digits of a number ("BE-").
        digits: how many digits a number has.
    """

    def __init__(
        self, records: tuple[OrderRecord, ...], market: Market, *, prefix: str, digits: int
    ) -> None:
        self._records = {record.number: record for record in records}
        self._market = market
        self.prefix = prefix
        self.digits = digits

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[OrderRecord]:
        return iter(self._records.values())

    def number(self, digits: str) -> str:
        """Return the order number with these digits ("BE-10482")."""
        return f"{self.prefix}{digits}"

    def find(self, number: str, postcode: str, *, today: date) -> Order | None:
        """Return the order if both match; an unknown number and a wrong postcode look alike.

        This is identity level 1. The caller counts failures and stops after a few.
        """
        record = self._records.get(number)
        expected = _plain(record.postcode) if record else "\0"
        matches = hmac.compare_digest(expected.encode(), _plain(postcode).encode())
        return self._at(record, today) if record and matches else None

    def verified(self, number: str | None, *, today: date) -> Order | None:
        """Return an order that this session has already proved (see :meth:`find`)."""
        record = self._records.get(number or "")
        return self._at(record, today) if record else None

    def _at(self, record: OrderRecord, today: date) -> Order:
        ordered = self._day(record.ordered, today)
        expected = None if record.expected is None else self._day(record.expected, today)
        return Order(
            record.number,
            record.status,
            record.items,
            ordered,
            expected,
            record.carrier,
            record.tracking,
            record.total,
            record.country,
        )

    def _day(self, day: date | int, today: date) -> date:
        if isinstance(day, date):
            return day
        if day == 0:
            return today
        return self._market.working_day(today, day)


def _plain(postcode: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", postcode.upper())
