"""An order of Shopify's in our words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from voice_server.shop.connectors.documents import Doc, Malformed
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import Address, PlatformItem, PlatformOrder

_ON_ITS_WAY = {"FULFILLED", "PARTIALLY_FULFILLED"}
_DISPLAY = {
    "DELIVERED": OrderStatus.DELIVERED,
    "PICKED_UP": OrderStatus.DELIVERED,
    "READY_FOR_PICKUP": OrderStatus.READY_FOR_PICKUP,
    "DELAYED": OrderStatus.DELAYED,
    "FAILURE": OrderStatus.DELAYED,
}
"""Fulfillment.displayStatus; what is not named is on its way."""


def order_of(doc: Doc, returnable: Mapping[str, int]) -> PlatformOrder:
    """Return an order from its GraphQL node.

    Args:
        doc: the node (``shopify_documents.ORDERS``).
        returnable: pieces that may go back, by line id.

    Raises:
        Malformed: the node is not as Shopify promises.
    """
    shipment = _shipment(doc)
    address = _address(doc.at("/shippingAddress"))
    ordered = doc.day("/createdAt")
    if ordered is None:
        raise Malformed("the answer has no date at /createdAt")
    return PlatformOrder(
        number=doc.text("/name"),
        status=_status(doc, shipment),
        items=tuple(
            PlatformItem(
                line_id=line.text("/id"),
                sku=line.text("/sku", ""),
                title=line.text("/title"),
                quantity=line.integer("/currentQuantity"),
                price=line.decimal("/discountedUnitPriceAfterAllDiscountsSet/shopMoney/amount"),
                returnable=returnable.get(line.text("/id"), 0),
            )
            for line in doc.items("/lineItems/nodes")
            if line.integer("/currentQuantity")
        ),
        ordered=ordered,
        expected=_expected(shipment),
        total=doc.decimal("/currentTotalPriceSet/shopMoney/amount"),
        currency=doc.currency("/currentTotalPriceSet/shopMoney/currencyCode"),
        postcode=address.postcode if address else "",
        address=address,
        email=doc.text("/email", ""),
        phone=doc.text("/phone", ""),
        carrier=shipment.text("/trackingInfo/0/company", ""),
        tracking=shipment.text("/trackingInfo/0/number", ""),
        tracking_url=shipment.text("/trackingInfo/0/url", ""),
        refunded=doc.decimal("/totalRefundedSet/shopMoney/amount", Decimal(0)),
        returns=tuple(one.text("/name", one.text("/id")) for one in doc.items("/returns/nodes")),
    )


def _shipment(doc: Doc) -> Doc:
    """Return the last fulfilment that was not cancelled."""
    alive = [f for f in doc.items("/fulfillments") if f.text("/status", "") == "SUCCESS"]
    return alive[-1] if alive else Doc(None)


def _expected(shipment: Doc) -> date | None:
    return shipment.day("/deliveredAt") or shipment.day("/estimatedDeliveryAt")


def _status(doc: Doc, shipment: Doc) -> OrderStatus:
    paid, sent = doc.text("/displayFinancialStatus", ""), doc.text("/displayFulfillmentStatus")
    if paid == "REFUNDED":
        return OrderStatus.REFUNDED
    if doc.at("/cancelledAt"):
        return OrderStatus.CANCELLED
    if doc.text("/returnStatus", "") in {"RETURNED", "INSPECTION_COMPLETE"}:
        return OrderStatus.RETURN_RECEIVED
    if sent in _ON_ITS_WAY:
        return _DISPLAY.get(shipment.text("/displayStatus", ""), OrderStatus.SHIPPED)
    if paid in {"PENDING", "EXPIRED"}:
        return OrderStatus.PENDING_PAYMENT
    return OrderStatus.DELAYED if sent == "ON_HOLD" else OrderStatus.PROCESSING


def _address(doc: Doc) -> Address | None:
    if not doc:
        return None
    street = f"{doc.text('/address1', '')} {doc.text('/address2', '')}".strip()
    return Address(
        doc.text("/name", ""),
        street,
        doc.text("/zip", ""),
        doc.text("/city", ""),
        doc.text("/countryCodeV2", ""),
    )
