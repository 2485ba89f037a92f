"""A platform described by a mapping file: what REST and MCP share."""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence

from voice_server.shop.connectors import rules
from voice_server.shop.connectors.documents import Doc, Malformed
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.mapping import Call, PlatformMap, WriteCall
from voice_server.shop.connectors.resilience import Limits
from voice_server.shop.connectors.vendor import VendorPlatform
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Capability,
    Offer,
    OutcomeUnknown,
    PlatformOrder,
    Receipt,
    Write,
)

_NUMBER = re.compile(r"[#A-Za-z0-9][A-Za-z0-9._/-]{0,39}")
SKUS_AT_ONCE = 50


class MappedPlatform(VendorPlatform[Doc]):
    """Finds and writes as its mapping says; a connector only carries the calls."""

    def __init__(self, mapping: PlatformMap, ledger: Ledger, limits: Limits) -> None:
        super().__init__(ledger, limits)
        self._map = mapping
        self.capabilities = mapping.capabilities

    @abstractmethod
    async def _fetch(self, label: str, call: Call, values: Mapping[str, str]) -> Doc | None:
        """Return the answer to a read, None if there is no such thing. Raises PlatformDown."""

    @abstractmethod
    async def _perform(self, label: str, call: WriteCall, values: Mapping[str, str]) -> Doc:
        """Return the answer to a write. Raises Refused, PlatformDown or OutcomeUnknown."""

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        """Return a customer's orders, newest first, if the mapping says how to ask for them."""
        call = self._map.customer
        if call is None or not (email or phone):
            return ()
        doc = await self._fetch("find orders", call, {"email": email, "phone": phone})
        orders = [self._order(one) for one in doc.items(call.root, needed=True)] if doc else []
        digits = re.sub(r"\D", "", phone)
        mine = [
            order
            for order in orders
            if (email and order.email.casefold() == email.casefold())
            or (not email and digits and re.sub(r"\D", "", order.phone) == digits)
        ]
        return sorted(mine, key=lambda order: order.ordered, reverse=True)

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        """Return the offers of these skus, if the mapping says how to ask for them."""
        call = self._map.offers
        asked = [sku for sku in dict.fromkeys(skus) if sku and "," not in sku]
        found: list[Offer] = []
        if call is None:
            return ()
        for start in range(0, len(asked), SKUS_AT_ONCE):
            some = asked[start : start + SKUS_AT_ONCE]
            doc = await self._fetch("offers", call, {"skus": ",".join(some)})
            if doc is not None:
                found += [one for one in self._map.offers_of(doc) if one.sku in some]
        return found

    async def _find(self, number: str) -> Doc | None:
        if not _NUMBER.fullmatch(number):
            return None
        doc = await self._fetch("find order", self._map.order, {"number": number})
        if doc is None:
            return None
        if not doc.has(self._map.order.root):
            raise Malformed("the answer has no order where the mapping says")
        found = doc.at(self._map.order.root)
        # What is found is believed only if it is what was asked for.
        return found if found and self._order(found).number == number else None

    def _order(self, found: Doc) -> PlatformOrder:
        return self._map.order_of(found)

    async def _send(self, write: Write, found: Doc, order: PlatformOrder, key: str) -> Receipt:
        call = self._map.writes[write.action]
        values = {**dict(write.values), "number": order.number, "key": key}
        answer = await self._perform(str(write.action), call, values)
        return Receipt(answer.text(call.reference, "") if call.reference else "")

    async def _look(
        self, write: Write, found: Doc, order: PlatformOrder, key: str, before: str
    ) -> Receipt | None:
        if write.action is Capability.CANCEL_ORDER:
            return Receipt() if order.status is OrderStatus.CANCELLED else None
        if write.action is Capability.CHANGE_ADDRESS:
            return Receipt() if order.address == rules.address(write) else None
        if write.action is Capability.NOTE:
            raise OutcomeUnknown(f"{self.name}: nobody can see whether the note was made")
        if _shape(order) == before:
            return None
        return Receipt(order.returns[-1] if order.returns else "")

    def _before(self, write: Write, order: PlatformOrder) -> str:
        return _shape(order)

    def _repeatable(self, write: Write) -> bool:
        return self._map.writes[write.action].repeatable


def _shape(order: PlatformOrder) -> str:
    """Return a hash of what writes change: it is kept, and addresses are personal."""
    lines = [f"{line.line_id}:{line.sku}:{line.quantity}:{line.returnable}" for line in order.items]
    parts = [*lines, *order.returns, str(order.address), order.postcode]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
