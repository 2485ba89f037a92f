"""The dry run that all platforms share: what an order's state allows, whatever the vendor."""

from __future__ import annotations

import re
from collections.abc import Collection

from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Address,
    Capability,
    PlatformItem,
    PlatformOrder,
    Refusal,
    Write,
)

NOTE_LIMIT = 1000
FIELD_LIMIT = 120
ADDRESS_FIELDS = ("name", "street", "postcode", "city", "country")

_CLOSED = {OrderStatus.CANCELLED, OrderStatus.REFUNDED, OrderStatus.RETURN_RECEIVED}
_OPEN = {OrderStatus.PENDING_PAYMENT, OrderStatus.PROCESSING, OrderStatus.DELAYED}
_CHANGES = {
    Capability.CANCEL_ORDER,
    Capability.CANCEL_ITEM,
    Capability.CHANGE_ADDRESS,
    Capability.CHANGE_ITEM,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def refusal(write: Write, order: PlatformOrder, capabilities: Collection[Capability]) -> str:
    """Return why the order's state, or the write itself, forbids it, "" if they do not."""
    action = write.action
    if action not in capabilities or action in {Capability.ORDERS, Capability.OFFERS}:
        return Refusal.UNSUPPORTED
    if write.order != order.number:
        return Refusal.UNKNOWN_ORDER
    if action is Capability.NOTE:
        text = write.value("text").strip()
        return "" if text and len(text) <= NOTE_LIMIT else Refusal.INVALID
    if order.status in _CLOSED:
        return Refusal.CLOSED
    if action in _CHANGES:
        return _change(write, order)
    return _going_back(write, order)


def is_open(order: PlatformOrder) -> bool:
    """Nothing has left yet. A delayed order with a tracking number is on its way."""
    return order.status in _OPEN and not order.tracking


def item(order: PlatformOrder, line_id: str) -> PlatformItem | None:
    """Return a line of an order, None if it has none of that id."""
    return next((line for line in order.items if line.line_id == line_id), None)


def quantity(write: Write) -> int:
    """Return the pieces a write speaks of, 0 if it names no sensible number."""
    text = write.value("quantity")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def address(write: Write) -> Address | None:
    """Return the address a write carries, None if a field is missing or makes no sense."""
    fields = [write.value(name).strip() for name in ADDRESS_FIELDS]
    if not all(text and len(text) <= FIELD_LIMIT and not _CONTROL.search(text) for text in fields):
        return None
    name, street, postcode, city, country = fields
    if not re.fullmatch(r"[A-Za-z]{2}", country):
        return None
    return Address(name, street, postcode, city, country.upper())


def _change(write: Write, order: PlatformOrder) -> str:
    if not is_open(order):
        return Refusal.SHIPPED
    if write.action is Capability.CANCEL_ORDER:
        return ""
    if write.action is Capability.CHANGE_ADDRESS:
        wanted = address(write)
        if wanted is None:
            return Refusal.INVALID
        return Refusal.UNCHANGED if wanted == order.address else ""
    line = item(order, write.value("line_id"))
    if line is None:
        return Refusal.UNKNOWN_LINE
    pieces = quantity(write)
    if not 1 <= pieces <= line.quantity:
        return Refusal.QUANTITY if pieces else Refusal.INVALID
    if write.action is Capability.CHANGE_ITEM:
        return _other(write, line)
    return Refusal.LAST_ITEM if sum(i.quantity for i in order.items) == pieces else ""


def _going_back(write: Write, order: PlatformOrder) -> str:
    line = item(order, write.value("line_id"))
    if line is None:
        return Refusal.UNKNOWN_LINE
    pieces = quantity(write)
    if not pieces:
        return Refusal.INVALID
    if order.status is not OrderStatus.DELIVERED and not line.returnable:
        return Refusal.NOT_DELIVERED
    if not line.returnable:
        return Refusal.NOT_RETURNABLE
    if pieces > line.returnable:
        return Refusal.QUANTITY
    return _other(write, line) if write.action is Capability.EXCHANGE_ITEM else ""


def _other(write: Write, line: PlatformItem) -> str:
    sku = write.value("sku").strip()
    if not sku or len(sku) > FIELD_LIMIT or _CONTROL.search(sku):
        return Refusal.INVALID
    return Refusal.UNCHANGED if sku == line.sku else ""
