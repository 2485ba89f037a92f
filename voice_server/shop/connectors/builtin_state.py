"""What changes do to an order of the built-in store: pure, from an order and a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any

from voice_server.shop.connectors import rules
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import Capability, PlatformItem, PlatformOrder, Write


@dataclass(frozen=True, slots=True)
class Article:
    """What an order line is made of."""

    sku: str
    title: str
    price: Decimal
    stock: int


@dataclass(frozen=True, slots=True)
class Change:
    """A write that was done, with its key and the number it was given."""

    key: str
    write: Write
    reference: str = ""

    def record(self) -> dict[str, Any]:
        """Return it as a journal keeps it."""
        return {
            "key": self.key,
            "action": str(self.write.action),
            "order": self.write.order,
            "values": dict(self.write.values),
            "reference": self.reference,
        }

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Change:
        """Return a change of a journal.

        Raises:
            ValueError: it is none.
        """
        values = record.get("values")
        texts = [record.get(name) for name in ("key", "order", "reference")]
        if not isinstance(values, dict) or not all(isinstance(text, str) for text in texts):
            raise ValueError("not a change of an order")
        pairs = tuple((str(name), str(value)) for name, value in values.items())
        action = Capability(str(record.get("action")))
        key, order, reference = (str(text) for text in texts)
        return cls(key, Write(action, order, pairs), reference)


def apply(order: PlatformOrder, change: Change, articles: Mapping[str, Article]) -> PlatformOrder:
    """Return the order after a change; a change that no longer fits leaves it as it is."""
    write = change.write
    match write.action:
        case Capability.CANCEL_ORDER:
            items = tuple(replace(line, returnable=0) for line in order.items)
            return replace(order, status=OrderStatus.CANCELLED, items=items)
        case Capability.CHANGE_ADDRESS:
            address = rules.address(write)
            if address is None:
                return order
            return replace(order, address=address, postcode=address.postcode)
        case Capability.CANCEL_ITEM:
            return _without(order, write)
        case Capability.CHANGE_ITEM:
            return _exchanged(order, write, articles.get(write.value("sku")))
        case Capability.RETURN_ITEMS | Capability.EXCHANGE_ITEM:
            pieces = rules.quantity(write)
            items = tuple(
                replace(line, returnable=max(0, line.returnable - pieces))
                if line.line_id == write.value("line_id")
                else line
                for line in order.items
            )
            return replace(order, items=items, returns=(*order.returns, change.reference))
        case _:
            return order


def stock_taken(sku: str, before: PlatformOrder, after: PlatformOrder) -> int:
    """Return how many pieces of a variant an order's changes took from the shelf.

    Negative when they put some back.  What goes out in exchange is no line of the order: it counts
    by :func:`sent_out`.
    """
    return _held(sku, after) - _held(sku, before)


def sent_out(sku: str, changes: Iterable[Change]) -> int:
    """Return how many pieces of a variant went out in exchange for others."""
    return sum(
        rules.quantity(change.write)
        for change in changes
        if change.write.action is Capability.EXCHANGE_ITEM and change.write.value("sku") == sku
    )


def _held(sku: str, order: PlatformOrder) -> int:
    if order.status is OrderStatus.CANCELLED:
        return 0
    return sum(line.quantity for line in order.items if line.sku == sku)


def _without(order: PlatformOrder, write: Write) -> PlatformOrder:
    line = rules.item(order, write.value("line_id"))
    if line is None:
        return order
    pieces = min(rules.quantity(write), line.quantity)
    left = replace(line, quantity=line.quantity - pieces)
    items = [left if other is line else other for other in order.items]
    return replace(
        order,
        items=tuple(other for other in items if other.quantity),
        total=order.total - line.price * pieces,
    )


def _exchanged(order: PlatformOrder, write: Write, article: Article | None) -> PlatformOrder:
    line = rules.item(order, write.value("line_id"))
    if line is None or article is None:
        return order
    pieces = min(rules.quantity(write), line.quantity)
    if not pieces:
        return order
    whole = pieces == line.quantity
    line_id = line.line_id if whole else _fresh_id(line.line_id, order)
    fresh = PlatformItem(line_id, article.sku, article.title, pieces, article.price)
    items: list[PlatformItem] = []
    for other in order.items:
        if other is not line:
            items.append(other)
            continue
        if not whole:
            items.append(replace(line, quantity=line.quantity - pieces))
        items.append(fresh)
    total = order.total + (article.price - line.price) * pieces
    return replace(order, items=tuple(items), total=total)


def _fresh_id(line_id: str, order: PlatformOrder) -> str:
    taken = {line.line_id for line in order.items}
    return next(name for n in count(2) if (name := f"{line_id}.{n}") not in taken)
