"""Who the caller has proved to be, and what may be said or done from which level on.

Pure: a declared table that the flow engine asks, never a judgement of a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType


class Level(IntEnum):
    """How surely we know the caller (DESIGN §1)."""

    NONE = 0
    ORDER = 1
    """An order number and its postcode: what stands on the parcel's label."""
    CODE = 2
    """A one-time code sent to the contact on file: whoever reads the customer's mail."""


FIELDS: Mapping[str, Level] = MappingProxyType(
    {
        # What the shop says to everybody.
        "product": Level.NONE,
        "price": Level.NONE,
        "stock": Level.NONE,
        "policy": Level.NONE,
        "hours": Level.NONE,
        # One order, once number and postcode are proved.
        "order.number": Level.ORDER,
        "order.status": Level.ORDER,
        "order.ordered": Level.ORDER,
        "order.expected": Level.ORDER,
        "order.items": Level.ORDER,
        "order.total": Level.ORDER,
        "order.currency": Level.ORDER,
        "order.carrier": Level.ORDER,
        "order.tracking": Level.ORDER,
        "order.tracking_url": Level.ORDER,
        "order.refunded": Level.ORDER,
        "order.returns": Level.ORDER,
        "order.postcode": Level.ORDER,
        "contact.masked": Level.ORDER,
        # What a label does not tell: people and where they live.
        "order.address": Level.CODE,
        "order.name": Level.CODE,
        "order.email": Level.CODE,
        "order.phone": Level.CODE,
        "customer.orders": Level.CODE,
        "customer.profile": Level.CODE,
        # Writes, by the names of shop.platform.Capability. Money and goods stay with the customer
        # whoever asks, so level 1 is enough; a parcel that changes its way is the classic fraud.
        "write.note": Level.ORDER,
        "write.cancel_order": Level.ORDER,
        "write.cancel_item": Level.ORDER,
        "write.change_item": Level.ORDER,
        "write.return_items": Level.ORDER,
        "write.exchange_item": Level.ORDER,
        "write.callback": Level.NONE,
        "write.change_address": Level.CODE,
        "write.change_contact": Level.CODE,
        "write.export_data": Level.CODE,
        "write.erase_data": Level.CODE,
    }
)
"""Field or write to the level it needs. What is not in the table needs the highest."""


@dataclass(frozen=True, slots=True)
class LevelTable:
    """The table of one shop: a pack may ask for more than :data:`FIELDS`, never for less."""

    raised: Mapping[str, Level] = field(default_factory=dict)

    def needed(self, name: str) -> Level:
        """Return the level from which ``name`` may be said or done; unknown names need level 2."""
        return max(FIELDS.get(name, Level.CODE), self.raised.get(name, Level.NONE))

    def allows(self, name: str, level: Level) -> bool:
        """May ``name`` be said or done at ``level``?"""
        return level >= self.needed(name)


def mask_email(address: str) -> str:
    """Return an address its owner recognises and nobody else learns: "m…@g…"."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}…@{domain[:1]}…" if local and domain else "…"


def mask_phone(number: str) -> str:
    """Return the last two digits of a number: "… 56"."""
    digits = [char for char in number if char.isdigit()]
    return f"… {''.join(digits[-2:])}" if len(digits) >= 6 else "…"
