"""bol (bol.com) by its Retailer API v10: a seller's view of the marketplace.

Customers register returns with bol and are written to by bol, so neither is possible here; what is
possible is to see an order and to cancel what has not left.  Every write is a process: bol takes
it, and says later what came of it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from voice_server.shop.connectors import rules
from voice_server.shop.connectors.documents import Doc, Malformed
from voice_server.shop.connectors.http import Http, Reply, Request
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.vendor import VendorPlatform, shortened
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Address,
    Capability,
    Offer,
    OutcomeUnknown,
    PlatformDown,
    PlatformItem,
    PlatformOrder,
    Receipt,
    Refusal,
    Refused,
    Write,
)

MEDIA = "application/vnd.retailer.v10+json"
POLLS = 6
POLL_S = 0.8
"""Most processes end within some seconds; somebody is on the phone."""
EARLY_S = 30.0
"""A token is renewed so long before it ends."""

_NUMBER = re.compile(r"[A-Za-z0-9]{1,20}")


class Bol(VendorPlatform[Doc]):
    """A seller's account at bol.

    Args:
        http: its connections.
        client: client id of the API credentials.
        secret: their secret.
        ledger: of writes.
        offers: sku to bol's offer id; without them there are no prices.
        url: of the API.
        login: where tokens come from.
        sandbox: bol's own test environment (``/retailer-demo``).
    """

    name = "bol"

    def __init__(
        self,
        http: Http,
        client: str,
        secret: str,
        ledger: Ledger,
        *,
        offers: Mapping[str, str] | None = None,
        url: str = "https://api.bol.com",
        login: str = "https://login.bol.com",
        sandbox: bool = False,
    ) -> None:
        super().__init__(ledger, http.limits)
        self._http = http
        self._retailer = f"{url}/{'retailer-demo' if sandbox else 'retailer'}"
        self._shared = f"{url}/{'shared-demo' if sandbox else 'shared'}"
        self._login = f"{login}/token"
        self._basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
        self._offers = dict(offers or {})
        self._token = ""
        self._token_until = 0.0
        self._renewing = asyncio.Lock()
        able = {Capability.ORDERS, Capability.CANCEL_ORDER, Capability.CANCEL_ITEM}
        self.capabilities = frozenset(able | ({Capability.OFFERS} if self._offers else set()))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        """Return price and stock of the skus whose offer ids are known."""
        found: list[Offer] = []
        for sku in dict.fromkeys(skus):
            offer_id = self._offers.get(sku)
            if offer_id is None:
                continue
            reply = await self._call("offer", "GET", f"{self._retailer}/offers/{offer_id}")
            if reply.status == 404:
                continue
            doc = _expect(reply, "offer")
            prices = {
                price.integer("/quantity"): price.decimal("/unitPrice")
                for price in doc.items("/pricing/bundlePrices")
            }
            if 1 not in prices:
                raise Malformed("the offer has no price for one piece")
            stock = doc.integer("/stock/correctedStock", doc.integer("/stock/amount", 0))
            hidden = doc.flag("/onHoldByRetailer", False)
            found.append(Offer(sku, prices[1], "EUR", 0 if hidden else max(0, stock)))
        return found

    def refusal(self, write: Write, order: PlatformOrder) -> str:
        """Return why the write is not possible; bol cancels lines only as a whole."""
        reason = super().refusal(write, order)
        if reason or write.action is not Capability.CANCEL_ITEM:
            return reason
        line = rules.item(order, write.value("line_id"))
        whole = line is not None and rules.quantity(write) == line.quantity
        return "" if whole else Refusal.UNSUPPORTED

    # -- reading ----------------------------------------------------------------------------

    async def _find(self, number: str) -> Doc | None:
        if not _NUMBER.fullmatch(number):
            return None
        reply = await self._call("find order", "GET", f"{self._retailer}/orders/{number}")
        if reply.status in {400, 404}:
            return None
        doc = _expect(reply, "find order")
        if not any(item.integer("/quantityShipped") for item in doc.items("/orderItems")):
            return doc
        params = {"order-id": number}
        reply = await self._call("shipments", "GET", f"{self._retailer}/shipments", params=params)
        for one in _expect(reply, "shipments").items("/shipments", needed=True):
            if number != one.text("/order/orderId"):
                continue
            where = f"{self._retailer}/shipments/{one.text('/shipmentId')}"
            shipment = _expect(await self._call("shipment", "GET", where), "shipment")
            return Doc({**doc.value, "_transport": shipment.at("/transport").value})
        return doc

    def _order(self, found: Doc) -> PlatformOrder:
        lines = list(found.items("/orderItems"))
        ordered = found.day("/orderPlacedDateTime")
        if ordered is None or not lines:
            raise Malformed("the order has no date or no items")
        address = _address(found.at("/shipmentDetails"))
        items = tuple(
            PlatformItem(
                line_id=line.text("/orderItemId"),
                sku=line.text("/offer/reference", "") or line.text("/product/ean", ""),
                title=line.text("/product/title", ""),
                quantity=line.integer("/quantity") - line.integer("/quantityCancelled", 0),
                price=line.decimal("/unitPrice"),
            )
            for line in lines
        )
        transport = found.at("/_transport")
        return PlatformOrder(
            number=found.text("/orderId"),
            status=_status(lines, transport),
            items=tuple(item for item in items if item.quantity > 0),
            ordered=ordered,
            expected=_expected(lines),
            total=sum((item.price * item.quantity for item in items), Decimal(0)),
            currency="EUR",
            postcode=address.postcode,
            address=address,
            email=found.text("/shipmentDetails/email", ""),
            phone=found.text("/shipmentDetails/deliveryPhoneNumber", ""),
            carrier=transport.text("/transporterCode", ""),
            tracking=transport.text("/trackAndTrace", ""),
        )

    # -- writing ----------------------------------------------------------------------------

    async def _send(self, write: Write, found: Doc, order: PlatformOrder, key: str) -> Receipt:
        wanted = _wanted(write, found)
        if any(line.text("/fulfilment/method", "FBR") != "FBR" for line in wanted):
            raise Refused(Refusal.UNSUPPORTED)  # bol's own warehouse sends it
        body = {
            "orderItems": [
                {"orderItemId": line.text("/orderItemId"), "reasonCode": "REQUESTED_BY_CUSTOMER"}
                for line in wanted
            ]
        }
        where = f"{self._retailer}/orders/cancellation"
        reply = await self._call(str(write.action), "PUT", where, json=body, write=True)
        if not reply.ok:
            raise Refused(_problem(reply))
        taken = reply.json()
        process = taken.text("/processStatusId")
        await self._taken(key, write, process)
        receipt = await self._outcome(process, taken)
        if receipt is None:
            raise OutcomeUnknown("bol's process ran out of time")
        return receipt

    async def _look(
        self, write: Write, found: Doc, order: PlatformOrder, key: str, before: str
    ) -> Receipt | None:
        if before:
            with contextlib.suppress(Refused):  # it failed; another one may have done it
                receipt = await self._outcome(before, await self._process(before))
                if receipt is not None:
                    return receipt
        gone = [
            line.integer("/quantity") == line.integer("/quantityCancelled", 0)
            for line in _wanted(write, found, gone=True)
        ]
        return Receipt() if gone and all(gone) else None

    async def _outcome(self, process: str, state: Doc) -> Receipt | None:
        """Wait for a process: its receipt, or None if bol gave it up without saying more.

        Raises:
            Refused: it failed, with bol's words.
            OutcomeUnknown: it is not over, or cannot be asked about now.
        """
        for poll in range(POLLS):
            match state.text("/status"):
                case "SUCCESS":
                    return Receipt(process)
                case "FAILURE":
                    raise Refused(shortened(state.text("/errorMessage", "")))
                case "TIMEOUT":
                    return None
            if poll + 1 < POLLS:
                await self._http.clock.sleep(POLL_S)
                try:
                    state = await self._process(process)
                except PlatformDown as error:
                    raise OutcomeUnknown(str(error)) from None
        raise OutcomeUnknown("bol has not finished yet")

    async def _process(self, process: str) -> Doc:
        if not process.isalnum():
            raise Malformed("the process has no sensible id")
        where = f"{self._shared}/process-status/{process}"
        return _expect(await self._call("process", "GET", where), "process")

    # -- the wire ---------------------------------------------------------------------------

    async def _call(
        self,
        label: str,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        write: bool = False,
    ) -> Reply:
        for fresh in (False, True):
            token = await self._bearer(fresh=fresh)
            headers = {"Authorization": f"Bearer {token}", "Accept": MEDIA}
            if json is not None:
                headers["Content-Type"] = MEDIA
            accept = () if fresh else (401,)
            request = Request(label, method, url, params or {}, headers, json, write, accept)
            reply = await self._http.call(request)
            if reply.status != 401:
                return reply
        raise PlatformDown("bol does not accept our token")  # pragma: no cover - call() raises

    async def _bearer(self, *, fresh: bool) -> str:
        stale = self._token
        async with self._renewing:
            now = self._http.clock.monotonic()
            refused = fresh and self._token == stale
            if self._token and now < self._token_until and not refused:
                return self._token
            request = Request(
                "token",
                "POST",
                self._login,
                {"grant_type": "client_credentials"},
                {"Authorization": f"Basic {self._basic}"},
            )
            doc = _expect(await self._http.call(request), "token")
            life = float(doc.decimal("/expires_in", Decimal(299)))
            token = doc.at("/access_token").value  # a JWT: longer than texts are kept
            if not isinstance(token, str) or not re.fullmatch(r"[\w.~+/=-]+", token):
                raise Malformed("the login gave no token")
            self._token = token
            self._token_until = now + max(1.0, life - EARLY_S)
            return self._token


def _wanted(write: Write, found: Doc, *, gone: bool = False) -> list[Doc]:
    """Return the lines a cancellation is about; ``gone`` counts cancelled ones too."""
    lines = [
        line
        for line in found.items("/orderItems")
        if gone or line.integer("/quantity") > line.integer("/quantityCancelled", 0)
    ]
    if write.action is Capability.CANCEL_ITEM:
        return [line for line in lines if line.text("/orderItemId") == write.value("line_id")]
    return lines


def _status(lines: Sequence[Doc], transport: Doc) -> OrderStatus:
    left = [
        line for line in lines if line.integer("/quantity") > line.integer("/quantityCancelled", 0)
    ]
    if not left:
        return OrderStatus.CANCELLED
    if not any(line.integer("/quantityShipped") for line in left):
        return OrderStatus.PROCESSING
    events = [event.text("/eventCode", "") for event in transport.items("/transportEvents")]
    delivered = any(code.startswith("DELIVERED") for code in events)
    return OrderStatus.DELIVERED if delivered else OrderStatus.SHIPPED


def _expected(lines: Sequence[Doc]) -> date | None:
    days = [
        line.day("/fulfilment/exactDeliveryDate") or line.day("/fulfilment/latestDeliveryDate")
        for line in lines
    ]
    return max((day for day in days if day), default=None)


def _address(doc: Doc) -> Address:
    house = f"{doc.text('/houseNumber', '')} {doc.text('/houseNumberExtension', '')}".strip()
    return Address(
        f"{doc.text('/firstName', '')} {doc.text('/surname', '')}".strip(),
        f"{doc.text('/streetName', '')} {house}".strip(),
        doc.text("/zipCode"),
        doc.text("/city", ""),
        doc.text("/countryCode", ""),
    )


def _expect(reply: Reply, label: str) -> Doc:
    if not reply.ok:
        raise PlatformDown(f"bol answered {reply.status} ({label})")
    return reply.json()


def _problem(reply: Reply) -> str:
    """Return the words of an RFC 9457 problem."""
    doc = reply.json()
    violations = [one.text("/reason", "") for one in doc.items("/violations")]
    return shortened("; ".join([doc.text("/detail", doc.text("/title", "")), *violations]))
