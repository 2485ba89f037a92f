"""What the dialogue asks of a shop's platform: one Protocol for all of them.

A connector (``shop/connectors/``) translates its vendor's words, money and errors into these.
Reads are free of effects; every write takes an idempotency key, and a write whose outcome is not
known (:class:`OutcomeUnknown`) is settled by reading the order again, never by trying blindly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from voice_server.shop.orders import OrderStatus


class PlatformError(Exception):
    """A platform did not do what it was asked; callers hear an honest sentence, no detail."""


class PlatformDown(PlatformError):
    """It cannot be reached, is overloaded or refuses our key: nothing was changed."""


class OutcomeUnknown(PlatformError):
    """A write was sent and no answer came: read the order again before saying anything."""


class Refused(PlatformError):
    """The write is refused, nothing was changed: ``reason`` says why, for the log.

    It is a :class:`Refusal` when our own rules refuse, else the platform's own words, shortened.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes."""

    name: str
    street: str
    """With the house number and box."""
    postcode: str
    city: str
    country: str
    """ISO 3166 alpha-2."""


@dataclass(frozen=True, slots=True)
class PlatformItem:
    """A line of an order. ``price`` is of one piece, tax included."""

    line_id: str
    sku: str
    title: str
    quantity: int
    price: Decimal
    returnable: int = 0
    """Pieces that may still be returned."""


@dataclass(frozen=True, slots=True)
class PlatformOrder:
    """An order as its platform knows it now."""

    number: str
    status: OrderStatus
    items: tuple[PlatformItem, ...]
    ordered: date
    expected: date | None
    total: Decimal
    currency: str
    postcode: str
    address: Address | None = None
    email: str = ""
    phone: str = ""
    carrier: str = ""
    tracking: str = ""
    tracking_url: str = ""
    refunded: Decimal = Decimal(0)
    returns: tuple[str, ...] = ()
    """Ids of returns registered for it, oldest first."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one variant costs and how many there are, now."""

    sku: str
    price: Decimal
    currency: str
    stock: int
    was_price: Decimal | None = None
    counted: bool = True
    """False: the platform only says whether there are any; ``stock`` is then 1 or 0."""


class Refusal(StrEnum):
    """Why a write is not possible: what :meth:`ShopPlatform.refusal` returns."""

    UNSUPPORTED = "unsupported"
    """The platform's interface cannot do it: a human can."""
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_LINE = "unknown_line"
    UNKNOWN_ITEM = "unknown_item"
    """The sku that is wanted instead does not exist."""
    INVALID = "invalid"
    """A value is missing or makes no sense."""
    QUANTITY = "quantity"
    """More pieces than there are."""
    UNCHANGED = "unchanged"
    """It is already so."""
    LAST_ITEM = "last_item"
    """Nothing would be left: cancel the order instead."""
    CLOSED = "closed"
    """The order is cancelled, returned or refunded."""
    SHIPPED = "shipped"
    """It has left, or lies ready at a pick-up point: too late to change."""
    NOT_DELIVERED = "not_delivered"
    """Nothing has arrived that could be sent back."""
    NOT_RETURNABLE = "not_returnable"
    """All pieces are on their way back already, or may not be returned."""
    RETURN_WINDOW = "return_window"
    """The days to change one's mind are over."""
    OUT_OF_STOCK = "out_of_stock"
    PRICE_HIGHER = "price_higher"
    """The other item costs more, and nobody can pay by voice."""
    KEY_REUSED = "key_reused"
    """The idempotency key belongs to another write."""


class Capability(StrEnum):
    """What a platform can do by its interface; what it cannot goes to a human."""

    ORDERS = "orders"
    OFFERS = "offers"
    CANCEL_ORDER = "cancel_order"
    CANCEL_ITEM = "cancel_item"
    CHANGE_ADDRESS = "change_address"
    CHANGE_ITEM = "change_item"
    RETURN_ITEMS = "return_items"
    EXCHANGE_ITEM = "exchange_item"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Write:
    """One change of one order: data, so that it can be read back, hashed, kept and repeated.

    ``values`` by action: cancel_order: reason; cancel_item: line_id, quantity; change_address: the
    fields of :class:`Address`; change_item, exchange_item: line_id, sku, quantity (and reason);
    return_items: line_id, quantity, reason; note: text.
    """

    action: Capability
    order: str
    values: tuple[tuple[str, str], ...] = ()

    def value(self, name: str) -> str:
        """Return a value, "" if the action has none of that name."""
        return dict(self.values).get(name, "")

    @property
    def digest(self) -> str:
        """A hash of everything it says: what an idempotency key is bound to."""
        said = [self.action, self.order, sorted(self.values)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A write that was done. ``reference`` is the platform's own (a return's id), "" if none."""

    reference: str = ""


class ShopPlatform(Protocol):
    """A shop's orders and offers. Used from many tasks at once; every call has a deadline."""

    name: str
    capabilities: frozenset[Capability]

    async def find_order(self, number: str) -> PlatformOrder | None:
        """Return the order of that number, None if there is none.

        The *caller* compares postcode and proofs and tells nobody which of them was wrong.
        Raises PlatformDown.
        """

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        """Return the orders of a customer who has proved to be that one, newest first.

        Empty too where the platform cannot be searched so.  Raises PlatformDown.
        """

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        """Return price and stock now of those skus it knows. Raises PlatformDown."""

    def refusal(self, write: Write, order: PlatformOrder) -> str:
        """Return why the write is not possible (a :class:`Refusal`), "" when it is.

        The dry run: nothing is sent. The platform may still refuse the write itself.
        """

    async def write(self, write: Write, *, key: str) -> Receipt:
        """Do it once: a second call with the same key changes nothing and returns the same.

        After OutcomeUnknown, read the order: if the change is not there, the same write with the
        *same* key may be tried again; it looks before it sends.
        Raises Refused, PlatformDown (nothing was changed) or OutcomeUnknown.
        """

    async def close(self) -> None:
        """Close the connections."""
