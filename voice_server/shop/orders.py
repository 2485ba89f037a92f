"""Orders: what was bought, how far it is, and the look-up that needs two proofs."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


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
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the shop knows it today."""

    number: str
    postcode: str
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
    """The shop's orders; personal data, so nothing is found by number alone."""

    def __init__(self, orders: tuple[Order, ...], *, prefix: str, digits: int) -> None:
        self._orders = {order.number: order for order in orders}
        self.prefix = prefix
        self.digits = digits

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def number(self, digits: str) -> str:
        """Return the order number with these digits ("BE-10482")."""
        return f"{self.prefix}{digits}"

    def find(self, number: str, postcode: str) -> Order | None:
        """Return the order only if both match; an unknown number and a wrong postcode look alike.

        This is identity level 1. The caller counts failures and stops after a few.
        """
        order = self._orders.get(number)
        expected = _plain(order.postcode) if order else "\0"
        matches = hmac.compare_digest(expected.encode(), _plain(postcode).encode())
        return order if order and matches else None

    def verified(self, number: str | None) -> Order | None:
        """Return an order that this session has already proved (see :meth:`find`)."""
        return self._orders.get(number or "")


def _plain(postcode: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", postcode.upper())
