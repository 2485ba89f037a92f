"""WooCommerce by its REST API v3.

It knows no idempotency keys and no returns: a repeated write looks first, a return goes to a
human, and no refund is ever made from here (its ``api_refund`` moves money by default).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from voice_server.shop.connectors import rules
from voice_server.shop.connectors.documents import Doc, Malformed
from voice_server.shop.connectors.http import Http, Reply, Request
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.vendor import VendorPlatform, marker, shortened
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Address,
    Capability,
    Offer,
    PlatformDown,
    PlatformItem,
    PlatformOrder,
    Receipt,
    Refusal,
    Refused,
    Write,
)

STATUSES: Mapping[str, OrderStatus] = {
    "pending": OrderStatus.PENDING_PAYMENT,
    "on-hold": OrderStatus.PENDING_PAYMENT,
    "failed": OrderStatus.PENDING_PAYMENT,
    "processing": OrderStatus.PROCESSING,
    "completed": OrderStatus.SHIPPED,
    "cancelled": OrderStatus.CANCELLED,
    "refunded": OrderStatus.REFUNDED,
}
"""Its own words; plug-ins add others, which ``[platform.statuses]`` translates."""

_NUMBER = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_TRACKING = "_wc_shipment_tracking_items"


class WooCommerce(VendorPlatform[Doc]):
    """A WooCommerce shop.

    Args:
        http: its connections.
        url: of the WordPress site; with plain http, requests are signed (OAuth 1.0a).
        key: consumer key (``ck_...``) with read and write permission.
        secret: consumer secret (``cs_...``).
        ledger: of writes.
        statuses: words of plug-ins to ours.
    """

    name = "woocommerce"
    capabilities = frozenset(
        {
            Capability.ORDERS,
            Capability.OFFERS,
            Capability.CANCEL_ORDER,
            Capability.CHANGE_ADDRESS,
            Capability.NOTE,
        }
    )

    def __init__(
        self,
        http: Http,
        url: str,
        key: str,
        secret: str,
        ledger: Ledger,
        *,
        statuses: Mapping[str, OrderStatus] | None = None,
    ) -> None:
        super().__init__(ledger, http.limits)
        self._http = http
        self._url = f"{url}/wp-json/wc/v3"
        self._key = key
        self._secret = secret
        self._signed = urlsplit(url).scheme == "http"
        self._statuses = {**STATUSES, **(statuses or {})}
        self._currency = ""

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        """Return a customer's last orders, newest first."""
        wanted = email.strip() or phone.strip()
        if not wanted:
            return ()
        orders = [self._order(doc) for doc in await self._search(wanted)]
        digits = _digits(phone)
        return [
            order
            for order in orders
            if (email and order.email.casefold() == email.strip().casefold())
            or (not email and digits and _digits(order.phone) == digits)
        ]

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        """Return price and stock of products and variations with these skus."""
        asked = [sku for sku in dict.fromkeys(skus) if sku and "," not in sku]
        if not asked:
            return ()
        params = {"sku": ",".join(asked), "per_page": "100"}
        reply = await self._call("offers", "GET", "/products", params=params)
        found: list[Offer] = []
        for doc in _expect(reply, "offers").items():
            if doc.text("/sku", "") not in asked or not doc.text("/price", ""):
                continue
            price, was = doc.decimal("/price"), doc.decimal("/regular_price", Decimal(0))
            counted = doc.at("/stock_quantity").value is not None
            there = doc.text("/stock_status", "instock") == "instock"
            stock = max(0, doc.integer("/stock_quantity")) if counted else int(there)
            currency = await self._shop_currency()
            higher = was if was > price else None
            found.append(Offer(doc.text("/sku"), price, currency, stock, higher, counted))
        return found

    # -- reading ----------------------------------------------------------------------------

    async def _find(self, number: str) -> Doc | None:
        if not _NUMBER.fullmatch(number):
            return None
        wanted = number.removeprefix("#")
        if wanted.isdigit():
            reply = await self._call("find order", "GET", f"/orders/{wanted}")
            if reply.ok:
                doc = reply.json()
                if doc.text("/number") == wanted:
                    return doc
            elif reply.status != 404:
                raise PlatformDown(f"woocommerce answered {reply.status} (find order)")
        # A plug-in gives numbers of its own: they can only be searched.
        for doc in await self._search(wanted):
            if doc.text("/number").removeprefix("#").casefold() == wanted.casefold():
                return doc
        return None

    async def _search(self, text: str) -> list[Doc]:
        params = {"search": text, "per_page": "20", "orderby": "date", "order": "desc"}
        reply = await self._call("search orders", "GET", "/orders", params=params)
        return list(_expect(reply, "search orders").items())

    async def _shop_currency(self) -> str:
        if not self._currency:
            reply = await self._call("currency", "GET", "/data/currencies/current")
            self._currency = _expect(reply, "currency").currency("/code")
        return self._currency

    def _order(self, found: Doc) -> PlatformOrder:
        word = found.text("/status")
        status = self._statuses.get(word)
        if status is None:
            raise Malformed(f"the status '{word}' is not translated in [platform.statuses]")
        shipped = _tracking(found)
        address = _address(found.at("/shipping")) or _address(found.at("/billing"))
        ordered = found.day("/date_created")
        if ordered is None:
            raise Malformed("the answer has no date at /date_created")
        refunds = sum((abs(one.decimal("/total")) for one in found.items("/refunds")), Decimal(0))
        return PlatformOrder(
            number=found.text("/number"),
            status=status,
            items=tuple(_item(line) for line in found.items("/line_items")),
            ordered=ordered,
            expected=None,
            total=found.decimal("/total"),
            currency=found.currency("/currency"),
            postcode=address.postcode if address else "",
            address=address,
            email=found.text("/billing/email", ""),
            phone=found.text("/billing/phone", ""),
            carrier=shipped.text("/tracking_provider", "")
            or shipped.text("/custom_tracking_provider", ""),
            tracking=shipped.text("/tracking_number", ""),
            tracking_url=shipped.text("/custom_tracking_link", ""),
            refunded=refunds,
        )

    # -- writing ----------------------------------------------------------------------------

    async def _send(self, write: Write, found: Doc, order: PlatformOrder, key: str) -> Receipt:
        path = f"/orders/{found.integer('/id')}"
        if write.action is Capability.NOTE:
            note = f"{write.value('text').strip()} [{marker(key)}]"
            body: dict[str, Any] = {"note": note, "customer_note": False}
            reply = await self._call("add note", "POST", f"{path}/notes", json=body, write=True)
            return Receipt(_done(reply).text("/id"))
        if write.action is Capability.CANCEL_ORDER:
            body = {"status": "cancelled"}
        else:
            body = {"shipping": _shipping(write)}
        reply = await self._call(str(write.action), "PUT", path, json=body, write=True)
        changed = _done(reply)
        if await self._look(write, changed, self._order(changed), key, "") is None:
            raise Refused("the answer shows no change")
        return Receipt()

    async def _look(
        self, write: Write, found: Doc, order: PlatformOrder, key: str, before: str
    ) -> Receipt | None:
        if write.action is Capability.CANCEL_ORDER:
            return Receipt() if order.status is OrderStatus.CANCELLED else None
        if write.action is Capability.CHANGE_ADDRESS:
            return Receipt() if order.address == rules.address(write) else None
        path = f"/orders/{found.integer('/id')}/notes"
        reply = await self._call("read notes", "GET", path)
        for note in _expect(reply, "read notes").items():
            if marker(key) in str(note.at("/note").value):
                return Receipt(note.text("/id"))
        return None

    # -- the wire ---------------------------------------------------------------------------

    async def _call(
        self,
        label: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        write: bool = False,
    ) -> Reply:
        url = f"{self._url}{path}"
        headers: dict[str, str] = {}
        given = dict(params or {})
        if self._signed:
            stamp = int(self._http.clock.now().timestamp())
            nonce = secrets.token_hex(16)
            given = sign(
                method, url, given, key=self._key, secret=self._secret, nonce=nonce, stamp=stamp
            )
        else:
            pair = base64.b64encode(f"{self._key}:{self._secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        return await self._http.call(Request(label, method, url, given, headers, json, write))


def sign(
    method: str,
    url: str,
    params: Mapping[str, str],
    *,
    key: str,
    secret: str,
    nonce: str,
    stamp: int,
) -> dict[str, str]:
    """Return the parameters with an OAuth 1.0a signature (RFC 5849, HMAC-SHA256, no token)."""
    given = {
        **params,
        "oauth_consumer_key": key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(stamp),
    }
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in given.items())
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((method, quote(url, safe="~"), quote(joined, safe="~")))
    digest = hmac.new(f"{quote(secret, safe='~')}&".encode(), base.encode(), hashlib.sha256)
    return {**given, "oauth_signature": base64.b64encode(digest.digest()).decode()}


def _expect(reply: Reply, label: str) -> Doc:
    if not reply.ok:
        raise PlatformDown(f"woocommerce answered {reply.status} ({label})")
    return reply.json()


def _done(reply: Reply) -> Doc:
    if reply.ok:
        return reply.json()
    words = reply.json().text("/message", "")
    raise Refused(shortened(words))


def _item(line: Doc) -> PlatformItem:
    pieces = line.integer("/quantity")
    paid = line.decimal("/total") + line.decimal("/total_tax", Decimal(0))
    price = (paid / max(1, pieces)).quantize(Decimal("0.01"))
    return PlatformItem(line.text("/id"), line.text("/sku", ""), line.text("/name"), pieces, price)


def _address(doc: Doc) -> Address | None:
    street = f"{doc.text('/address_1', '')} {doc.text('/address_2', '')}".strip()
    if not street:
        return None
    return Address(
        f"{doc.text('/first_name', '')} {doc.text('/last_name', '')}".strip(),
        street,
        doc.text("/postcode", ""),
        doc.text("/city", ""),
        doc.text("/country", ""),
    )


def _shipping(write: Write) -> dict[str, str]:
    address = rules.address(write)
    if address is None:
        raise Refused(Refusal.INVALID)
    first, _, last = address.name.rpartition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "address_1": address.street,
        "address_2": "",
        "postcode": address.postcode,
        "city": address.city,
        "country": address.country,
    }


def _tracking(doc: Doc) -> Doc:
    """Return the last parcel that the Shipment Tracking plug-in noted."""
    for meta in doc.items("/meta_data"):
        if meta.text("/key", "") == _TRACKING:
            parcels = list(meta.items("/value"))
            return parcels[-1] if parcels else Doc(None)
    return Doc(None)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
