"""A WooCommerce site: REST API v3, Basic over TLS or OAuth 1.0a on plain http.

Demo: ``python -m tests.fakes.shops woocommerce --port 9201``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from aiohttp import web

from tests.fakes.shops.server import FakeShop
from tests.fakes.shops.world import FakeOrder, Line

KEY, SECRET = "ck_0123456789abcdef", "cs_fedcba9876543210"
WORDS = {"unpaid": "pending", "shipped": "completed", "delivered": "completed"}
TAX = Decimal("0.21")


class FakeWooCommerce(FakeShop):
    """``signed``: demand OAuth 1.0a, as WooCommerce does without TLS; else Basic."""

    def __init__(self, *, signed: bool = True) -> None:
        super().__init__()
        self.signed = signed
        self.nonces: set[str] = set()
        self.ids: dict[str, int] = {}
        """Ids of orders whose number a plug-in made up."""

    def routes(self) -> list[web.RouteDef]:
        base = "/wp-json/wc/v3"
        return [
            web.get(f"{base}/orders", self._search),
            web.get(f"{base}/orders/{{id}}", self._get),
            web.put(f"{base}/orders/{{id}}", self._put),
            web.get(f"{base}/orders/{{id}}/notes", self._notes),
            web.post(f"{base}/orders/{{id}}/notes", self._note),
            web.get(f"{base}/products", self._products),
            web.get(f"{base}/data/currencies/current", self._currency),
        ]

    def broken(self, status: int) -> web.Response:
        return _error(status, "internal_server_error", "There has been a critical error.")

    def _denied(self, request: web.Request) -> web.Response | None:
        if self.signed:
            good = self._signature(request)
        else:
            pair = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
            good = request.headers.get("Authorization") == f"Basic {pair}"
        if good:
            return None
        return _error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")

    def _signature(self, request: web.Request) -> bool:
        params = dict(request.query)
        given, nonce = params.pop("oauth_signature", ""), params.get("oauth_nonce", "")
        if params.get("oauth_consumer_key") != KEY or nonce in self.nonces:
            return False
        self.nonces.add(nonce)
        url = f"http://{request.host}{request.path}"
        pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in params.items())
        text = "&".join(f"{k}={v}" for k, v in pairs)
        base = f"{request.method}&{quote(url, safe='~')}&{quote(text, safe='~')}"
        digest = hmac.new(f"{SECRET}&".encode(), base.encode(), hashlib.sha256).digest()
        return hmac.compare_digest(given, base64.b64encode(digest).decode())

    def _tell(self, order: FakeOrder) -> dict[str, Any]:
        return _tell(order, self.ids.get(order.number) or int(order.number))

    def _found(self, request: web.Request) -> FakeOrder | None:
        return self.world.orders.get(request.match_info["id"])

    async def _get(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self._found(request)
        return web.json_response(self._tell(order)) if order else _missing()

    async def _search(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        text = request.query.get("search", "").casefold()
        orders = [
            order
            for order in self.world.orders.values()
            if text in order.email.casefold()
            or text in order.phone
            or text in order.number.casefold().casefold()
        ]
        orders.sort(key=lambda order: order.ordered, reverse=True)
        found = [self._tell(order) for order in orders]
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": "1"}
        return web.json_response(found, headers=headers)

    async def _put(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self._found(request)
        if order is None:
            return _missing()
        body = await request.json()
        if "status" in body:
            if body["status"] not in {"cancelled", "processing", "completed", "pending"}:
                return _error(400, "rest_invalid_param", "Invalid parameter(s): status")
            if body["status"] == "cancelled":
                self.world.cancel(order)
        if shipping := body.get("shipping"):
            self.world.move(
                order,
                name=f"{shipping['first_name']} {shipping['last_name']}".strip(),
                street=shipping["address_1"],
                postcode=shipping["postcode"],
                city=shipping["city"],
                country=shipping["country"],
            )
        return web.json_response(self._tell(order))

    async def _notes(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self._found(request)
        if order is None:
            return _missing()
        notes = [_note(place, text) for place, text in enumerate(order.notes, 1)]
        return web.json_response(list(reversed(notes)))

    async def _note(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self._found(request)
        if order is None:
            return _missing()
        body = await request.json()
        self.world.note(order, body["note"])
        return web.json_response(_note(len(order.notes), body["note"]), status=201)

    async def _products(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        wanted = request.query.get("sku", "").split(",")
        found = []
        for place, article in enumerate(self.world.articles.values(), 70):
            if article.sku not in wanted:
                continue
            uncounted = article.sku == "CAPE-L"
            found.append(
                {
                    "id": place,
                    "sku": article.sku,
                    "name": article.title,
                    "price": str(article.price),
                    "regular_price": str(article.was or article.price),
                    "sale_price": str(article.price) if article.was else "",
                    "manage_stock": not uncounted,
                    "stock_quantity": None if uncounted else article.stock,
                    "stock_status": "instock" if article.stock else "outofstock",
                }
            )
        return web.json_response(found)

    async def _currency(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        return web.json_response({"code": "EUR", "name": "Euro", "symbol": "&euro;"})


def _error(status: int, code: str, message: str) -> web.Response:
    body = {"code": code, "message": message, "data": {"status": status}}
    return web.json_response(body, status=status)


def _missing() -> web.Response:
    return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")


def _note(place: int, text: str) -> dict[str, Any]:
    return {"id": place, "author": "REST API", "note": text, "customer_note": False}


def _tell(order: FakeOrder, order_id: int) -> dict[str, Any]:
    first, _, last = order.name.rpartition(" ")
    address = {
        "first_name": first,
        "last_name": last,
        "company": "",
        "address_1": order.street,
        "address_2": "",
        "city": order.city,
        "state": "",
        "postcode": order.postcode,
        "country": order.country,
    }
    parcels = [{"tracking_provider": order.carrier, "tracking_number": order.tracking}]
    meta = [{"id": 1, "key": "_wc_shipment_tracking_items", "value": parcels}]
    return {
        "id": order_id,
        "parent_id": 0,
        "number": order.number,
        "status": WORDS.get(order.state, order.state),
        "currency": "EUR",
        "date_created": f"{order.ordered}T10:11:12",
        "total": str(order.total),
        "billing": {**address, "email": order.email, "phone": order.phone},
        "shipping": address,
        "line_items": [_line(line) for line in order.lines],
        "refunds": [],
        "meta_data": meta if order.tracking else [],
    }


def _line(line: Line) -> dict[str, Any]:
    paid = line.price * line.quantity
    net = (paid / (1 + TAX)).quantize(Decimal("0.01"))
    return {
        "id": int(line.id),
        "name": line.title,
        "product_id": 70,
        "variation_id": 0,
        "quantity": line.quantity,
        "total": str(net),
        "total_tax": str(paid - net),
        "sku": line.sku,
        "price": float(net / line.quantity),
    }
