"""Shopify by its GraphQL Admin API, version 2026-10.

A refund moves money, so cancelling gives none unless the shop says so (``refund_on_cancel``); a
return is *requested* (returnRequest): a person at the shop approves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from voice_server.shop.connectors import rules
from voice_server.shop.connectors import shopify_documents as documents
from voice_server.shop.connectors.documents import Doc, Malformed
from voice_server.shop.connectors.http import Http, Request
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.shopify_orders import order_of
from voice_server.shop.connectors.vendor import VendorPlatform, marker, shortened
from voice_server.shop.platform import (
    Capability,
    Offer,
    OutcomeUnknown,
    PlatformDown,
    PlatformOrder,
    Receipt,
    Refusal,
    Refused,
    Write,
)

VERSION = "2026-10"
SKUS_AT_ONCE = 50
JOB_POLLS = 6
"""Cancelling is a job in the background, mostly done within a second."""
JOB_POLL_S = 0.5

_NUMBER = re.compile(r"[#A-Za-z0-9][A-Za-z0-9._/-]{0,39}")
_SKU = re.compile(r"[\w .,/+x×-]{1,120}")
_REASONS = {
    "wrong": "wrong-item",
    "defective": "defective",
    "damaged": "defective",
    "size": "size-too-small",
    "unwanted": "unwanted",
    "other": "other",
}


@dataclass(frozen=True, slots=True)
class Found:
    """An order as Shopify tells it, and what of it may go back."""

    doc: Doc
    returnable: Mapping[str, tuple[str, int]]
    """Line id to fulfilment line id and pieces."""


class Shopify(VendorPlatform[Found]):
    """A Shopify shop.

    Args:
        http: its connections.
        url: ``https://my-shop.myshopify.com``.
        token: of a custom app with the scopes in docs/shop-platforms.md.
        ledger: of writes.
        refund_on_cancel: give the money back when an order is cancelled.
    """

    name = "shopify"
    capabilities = frozenset(Capability) - {Capability.EXCHANGE_ITEM}

    def __init__(
        self, http: Http, url: str, token: str, ledger: Ledger, *, refund_on_cancel: bool = False
    ) -> None:
        super().__init__(ledger, http.limits)
        self._http = http
        self._url = f"{url}/admin/api/{VERSION}/graphql.json"
        self._headers = {"X-Shopify-Access-Token": token}
        self._refund = refund_on_cancel

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        """Return a customer's last ten orders, newest first."""
        if re.fullmatch(r"[^\s\"'\\:()]+@[^\s\"'\\:()]+", email):
            query = f'email:"{email}"'
        elif digits := re.sub(r"\D", "", phone):
            query = f"phone:{digits}"
        else:
            return ()
        data = await self._ask("find orders", documents.ORDERS, {"q": query, "n": 10})
        found = [Found(doc, {}) for doc in data.items("/orders/nodes", needed=True)]
        orders = [self._order(one) for one in found]
        # The search is a text search: what it finds is not yet what was asked for.
        return [
            order
            for order in orders
            if (email and order.email.casefold() == email.casefold())
            or (not email and re.sub(r"\D", "", order.phone) == re.sub(r"\D", "", phone))
        ]

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        """Return price and stock of the variants with these skus."""
        asked = [sku for sku in dict.fromkeys(skus) if _SKU.fullmatch(sku)]
        found: list[Offer] = []
        for start in range(0, len(asked), SKUS_AT_ONCE):
            some = asked[start : start + SKUS_AT_ONCE]
            query = " OR ".join(f'sku:"{sku}"' for sku in some)
            data = await self._ask("offers", documents.OFFERS, {"q": query, "n": len(some)})
            currency = data.currency("/shop/currencyCode")
            for node in data.items("/productVariants/nodes", needed=True):
                if node.text("/sku", "") not in some:
                    continue
                price = node.decimal("/price")
                was = node.decimal("/compareAtPrice", Decimal(0))
                stock = max(0, node.integer("/inventoryQuantity", 0))
                higher = was if was > price else None
                found.append(Offer(node.text("/sku"), price, currency, stock, higher))
        return found

    # -- reading ----------------------------------------------------------------------------

    async def _find(self, number: str) -> Found | None:
        if not _NUMBER.fullmatch(number):
            return None
        query = f'name:"{number.removeprefix("#")}"'
        data = await self._ask("find order", documents.ORDERS, {"q": query, "n": 5})
        wanted = number.removeprefix("#").casefold()
        for doc in data.items("/orders/nodes", needed=True):
            if doc.text("/name").removeprefix("#").casefold() == wanted:
                return Found(doc, await self._returnable(doc))
        return None

    async def _returnable(self, doc: Doc) -> dict[str, tuple[str, int]]:
        if not any(doc.items("/fulfillments")):
            return {}
        data = await self._ask("returnable items", documents.RETURNABLE, {"id": doc.text("/id")})
        found: dict[str, tuple[str, int]] = {}
        for edge in data.items("/returnableFulfillments/edges", needed=True):
            for line in edge.items("/node/returnableFulfillmentLineItems/edges"):
                one = line.at("/node")
                line_id = one.text("/fulfillmentLineItem/lineItem/id")
                found[line_id] = (one.text("/fulfillmentLineItem/id"), one.integer("/quantity"))
        return found

    def _order(self, found: Found) -> PlatformOrder:
        pieces = {line_id: count for line_id, (_, count) in found.returnable.items()}
        return order_of(found.doc, pieces)

    # -- writing ----------------------------------------------------------------------------

    async def _send(self, write: Write, found: Found, order: PlatformOrder, key: str) -> Receipt:
        order_id = found.doc.text("/id")
        match write.action:
            case Capability.CANCEL_ORDER:
                return await self._cancel(order_id, key)
            case Capability.CHANGE_ADDRESS:
                return await self._update(order_id, {"shippingAddress": _mailing(write)})
            case Capability.NOTE:
                note = str(found.doc.at("/note").value or "")  # whole: the update replaces it
                line = f"{write.value('text').strip()} [{marker(key)}]"
                return await self._update(order_id, {"note": f"{note}\n{line}".strip()})
            case Capability.RETURN_ITEMS:
                return await self._return(write, found, order_id, key)
            case _:
                return await self._edit(write, order_id, order, key)

    async def _look(
        self, write: Write, found: Found, order: PlatformOrder, key: str, before: str
    ) -> Receipt | None:
        trace = marker(key)
        match write.action:
            case Capability.CANCEL_ORDER:
                return Receipt() if found.doc.at("/cancelledAt") else None
            case Capability.CHANGE_ADDRESS:
                return Receipt() if order.address == rules.address(write) else None
            case Capability.NOTE:
                return Receipt() if trace in str(found.doc.at("/note").value) else None
            case Capability.RETURN_ITEMS:
                for one in found.doc.items("/returns/nodes"):
                    for line in one.items("/returnLineItems/nodes"):
                        if trace in line.text("/customerNote", ""):
                            return Receipt(one.text("/name", one.text("/id")))
                return None
            case _:
                return Receipt() if before and before != _shape(order) else None

    def _before(self, write: Write, order: PlatformOrder) -> str:
        edits = {Capability.CANCEL_ITEM, Capability.CHANGE_ITEM}
        return _shape(order) if write.action in edits else ""

    async def _cancel(self, order_id: str, key: str) -> Receipt:
        values = {
            "orderId": order_id,
            "reason": "CUSTOMER",
            "restock": True,
            "notifyCustomer": True,
            "refundMethod": {"originalPaymentMethodsRefund": self._refund},
            "staffNote": f"By the voice assistant [{marker(key)}]",
        }
        data = await self._ask("cancel order", documents.CANCEL, values, write=True)
        answer = data.at("/orderCancel")
        _check(answer, "orderCancelUserErrors")
        job = answer.text("/job/id")
        for _ in range(JOB_POLLS):
            if answer.flag("/job/done", False):
                break
            await self._http.clock.sleep(JOB_POLL_S)
            answer = await self._reread("cancel job", documents.JOB, {"id": job})
        state = await self._reread("cancelled?", documents.CANCELLED, {"id": order_id})
        if state.at("/order/cancelledAt"):
            return Receipt()
        if answer.flag("/job/done", False):
            raise Refused("the cancellation job ended without cancelling")
        raise OutcomeUnknown("shopify has not finished cancelling")

    async def _reread(self, label: str, document: str, values: Mapping[str, Any]) -> Doc:
        """Ask after a write: what cannot be read now leaves its outcome unknown."""
        try:
            return await self._ask(label, document, values)
        except PlatformDown as error:
            raise OutcomeUnknown(str(error)) from None

    async def _update(self, order_id: str, values: Mapping[str, Any]) -> Receipt:
        given = {"input": {"id": order_id, **values}}
        data = await self._ask("update order", documents.UPDATE, given, write=True)
        _check(data.at("/orderUpdate"))
        data.text("/orderUpdate/order/id")  # raises when the answer confirms nothing
        return Receipt()

    async def _return(self, write: Write, found: Found, order_id: str, key: str) -> Receipt:
        line = found.returnable.get(write.value("line_id"))
        if line is None:
            raise Refused(Refusal.NOT_RETURNABLE)
        wanted = {
            "fulfillmentLineItemId": line[0],
            "quantity": rules.quantity(write),
            "customerNote": f"{write.value('reason')[:200]} [{marker(key)}]".strip(),
        }
        reason = await self._reason(write.value("reason"))
        if reason:
            wanted["returnReasonDefinitionId"] = reason
        given = {"input": {"orderId": order_id, "returnLineItems": [wanted]}}
        data = await self._ask("request return", documents.RETURN, given, write=True)
        _check(data.at("/returnRequest"))
        made = data.at("/returnRequest/return")
        return Receipt(made.text("/name", made.text("/id")))

    async def _reason(self, said: str) -> str:
        handle = next((h for word, h in _REASONS.items() if word in said.casefold()), "other")
        given = {"handles": [handle]}
        data = await self._ask("return reasons", documents.REASONS, given)
        for node in data.items("/returnReasonDefinitions/nodes", needed=True):
            if node.text("/handle", "") == handle:
                return node.text("/id")
        return ""

    async def _edit(self, write: Write, order_id: str, order: PlatformOrder, key: str) -> Receipt:
        """Change lines: nothing is changed before the edit is committed."""
        variant = ""
        if write.action is Capability.CHANGE_ITEM:
            variant = await self._variant(write, order)
        begun = (await self._ask("begin edit", documents.EDIT_BEGIN, {"id": order_id})).at(
            "/orderEditBegin"
        )
        _check(begun)
        edit, line_id = begun.text("/calculatedOrder/id"), write.value("line_id")
        number = line_id.rpartition("/")[2]
        for line in begun.items("/calculatedOrder/lineItems/nodes"):
            if line.text("/id").rpartition("/")[2] == number:
                break
        else:
            raise Refused(Refusal.UNKNOWN_LINE)
        left = line.integer("/quantity") - rules.quantity(write)
        given = {"id": edit, "line": line.text("/id"), "n": max(0, left)}
        await self._stage("edit line", documents.EDIT_LINE, given)
        if variant:
            given = {"id": edit, "variant": variant, "n": rules.quantity(write)}
            await self._stage("add line", documents.EDIT_ADD, given)
        given = {"id": edit, "note": f"By the voice assistant [{marker(key)}]"}
        data = await self._ask("commit edit", documents.EDIT_COMMIT, given, write=True)
        _check(data.at("/orderEditCommit"))
        data.text("/orderEditCommit/order/id")
        return Receipt()

    async def _stage(self, label: str, document: str, values: Mapping[str, Any]) -> None:
        """Add to an edit, once; what goes wrong before the commit changes nothing."""
        try:
            _check((await self._ask(label, document, values, write=True)).at("/edit"))
        except OutcomeUnknown as error:
            raise PlatformDown(str(error)) from None

    async def _variant(self, write: Write, order: PlatformOrder) -> str:
        sku = write.value("sku")
        if not _SKU.fullmatch(sku):
            raise Refused(Refusal.UNKNOWN_ITEM)
        data = await self._ask("offers", documents.OFFERS, {"q": f'sku:"{sku}"', "n": 5})
        for node in data.items("/productVariants/nodes", needed=True):
            if node.text("/sku", "") == sku:
                if node.integer("/inventoryQuantity", 0) < rules.quantity(write):
                    raise Refused(Refusal.OUT_OF_STOCK)
                line = rules.item(order, write.value("line_id"))
                if line is not None and node.decimal("/price") > line.price:
                    raise Refused(Refusal.PRICE_HIGHER)
                return node.text("/id")
        raise Refused(Refusal.UNKNOWN_ITEM)

    # -- the wire ---------------------------------------------------------------------------

    async def _ask(
        self, label: str, document: str, values: Mapping[str, Any], *, write: bool = False
    ) -> Doc:
        """Send a document and return its data; what is throttled is asked again in time.

        Raises:
            PlatformDown: it failed and changed nothing.
            OutcomeUnknown: a write failed, and nobody says how far it came.
        """
        clock = self._http.clock
        deadline = clock.monotonic() + self._limits.read_s
        request = Request(
            label,
            "POST",
            self._url,
            headers=self._headers,
            json={"query": document, "variables": values},
            write=write,
        )
        while True:
            reply = await self._http.call(request)
            if not reply.ok:
                raise PlatformDown(f"shopify answered {reply.status} ({label})")
            answer = reply.json()
            codes = {error.text("/extensions/code", "") for error in answer.items("/errors")}
            if not codes:
                data = answer.at("/data")
                if not isinstance(data.value, dict):
                    raise Malformed("the answer has no data")
                return data
            if codes != {"THROTTLED"}:
                known = codes <= {"ACCESS_DENIED", "THROTTLED", "SHOP_INACTIVE"}
                problem = f"shopify refuses ({label}): {shortened(' '.join(sorted(codes)))}"
                raise (OutcomeUnknown if write and not known else PlatformDown)(problem)
            wait = _throttled_s(answer.at("/extensions/cost"))
            if clock.monotonic() + wait >= deadline:
                raise PlatformDown(f"shopify is asked too often ({label})")
            await clock.sleep(wait)


def _throttled_s(cost: Doc) -> float:
    """Return how long until the bucket holds what the query costs (shopify.dev: rate limits)."""
    missing = cost.decimal("/requestedQueryCost", Decimal(50)) - cost.decimal(
        "/throttleStatus/currentlyAvailable", Decimal(0)
    )
    rate = max(Decimal(1), cost.decimal("/throttleStatus/restoreRate", Decimal(50)))
    wait = timedelta(seconds=float(max(Decimal(0), missing) / rate))
    return max(0.1, wait.total_seconds())


def _check(answer: Doc, errors: str = "userErrors") -> None:
    """Raise Refused with the vendor's words if it names errors."""
    words = [error.text("/message", "refused") for error in answer.items(f"/{errors}")]
    if words:
        raise Refused(shortened("; ".join(words)))
    if not answer:
        raise Malformed("the answer says nothing of what was asked")


def _mailing(write: Write) -> dict[str, str]:
    address = rules.address(write)
    if address is None:
        raise Refused(Refusal.INVALID)
    first, _, last = address.name.rpartition(" ")
    return {
        "firstName": first,
        "lastName": last,
        "address1": address.street,
        "zip": address.postcode,
        "city": address.city,
        "countryCode": address.country,
    }


def _shape(order: PlatformOrder) -> str:
    """Return what lines an order has: an edit changes it."""
    return ",".join(sorted(f"{line.sku}*{line.quantity}" for line in order.items))
