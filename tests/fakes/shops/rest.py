"""A shop of nobody in particular, with a JSON interface and idempotency keys for notes only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.shops.server import FakeShop
from tests.fakes.shops.world import FakeOrder, Line

TOKEN = "rest-very-secret-token"
WORDS = {"processing": "Open", "shipped": "On the road", "delivered": "Done", "cancelled": "Void"}

MAPPING = """
[auth]
kind = "bearer"

[order]
path = "/v2/orders/{number}"
root = "/order"

[order.fields]
number = "/ref"
status = "/state"
ordered = "/placed_at"
expected = "/eta"
total = "/amount/value"
currency = "/amount/currency"
postcode = "/ship_to/zip"
name = "/ship_to/name"
street = "/ship_to/street"
city = "/ship_to/city"
country = "/ship_to/country"
email = "/customer/mail"
phone = "/customer/tel"
carrier = "/parcel/carrier"
tracking = "/parcel/code"
returns = "/returns"

[order.items]
list = "/rows"
line_id = "/row"
sku = "/article"
title = "/text"
quantity = "/count"
price = "/unit"
returnable = "/may_return"

[order.statuses]
open = "processing"
"on the road" = "shipped"
done = "delivered"
void = "cancelled"

[orders]
path = "/v2/orders"
query = { mail = "{email}", tel = "{phone}" }
root = "/orders"

[offers]
path = "/v2/offers"
query = { articles = "{skus}" }
root = "/offers"

[offers.fields]
sku = "/article"
price = "/unit"
stock = "/left"
was_price = "/before"

[writes.cancel_order]
path = "/v2/orders/{number}/cancel"
body = { why = "{reason}" }

[writes.change_address]
method = "PUT"
path = "/v2/orders/{number}/address"

[writes.change_address.body]
name = "{name}"
street = "{street}"
zip = "{postcode}"
city = "{city}"
country = "{country}"

[writes.cancel_item]
path = "/v2/orders/{number}/rows/{line_id}/cancel"
body = { count = "{quantity}" }

[writes.return_items]
path = "/v2/orders/{number}/returns"
body = { row = "{line_id}", count = "{quantity}", why = "{reason}" }
reference = "/return"

[writes.note]
path = "/v2/orders/{number}/notes"
body = { text = "{text}" }
key_header = "Idempotency-Key"
"""


class FakeRest(FakeShop):
    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/orders", self._mine),
            web.get("/v2/orders/{id}", self._get),
            web.get("/v2/offers", self._offers),
            web.post("/v2/orders/{id}/cancel", self._write),
            web.put("/v2/orders/{id}/address", self._write),
            web.post("/v2/orders/{id}/rows/{row}/cancel", self._write),
            web.post("/v2/orders/{id}/returns", self._write),
            web.post("/v2/orders/{id}/notes", self._write),
        ]

    def _denied(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return web.json_response({"message": "who are you?"}, status=401)

    async def _get(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self.world.orders.get(request.match_info["id"])
        if order is None:
            return web.json_response({"message": "no such order"}, status=404)
        return web.json_response({"order": tell(order)})

    async def _mine(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        wanted = request.query.get("mail") or request.query.get("tel") or "-"
        return web.json_response({"orders": [tell(order) for order in self.world.mine(wanted)]})

    async def _offers(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        wanted = request.query.get("articles", "").split(",")
        return web.json_response({"offers": self.offers(wanted)})

    def offers(self, wanted: list[str]) -> list[dict[str, Any]]:
        return [
            {
                "article": article.sku,
                "unit": str(article.price),
                "left": article.stock,
                "before": str(article.was) if article.was else None,
            }
            for article in self.world.articles.values()
            if article.sku in wanted
        ]

    async def _write(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self.world.orders.get(request.match_info["id"])
        if order is None:
            return web.json_response({"message": "no such order"}, status=404)
        body = await request.json()
        problem, answer = self.perform(
            request.path.rpartition("/")[2],
            order,
            {**body, "row": request.match_info.get("row", body.get("row"))},
            request.headers.get("Idempotency-Key", ""),
        )
        if problem:
            return web.json_response({"message": problem}, status=409)
        return web.json_response(answer) if answer else web.Response(status=204)

    def perform(
        self, action: str, order: FakeOrder, body: dict[str, Any], key: str
    ) -> tuple[str, dict[str, str]]:
        """Do it; return why not, or the answer."""
        line = order.line(str(body.get("row")))
        if body.get("row") is not None and line is None:
            return "no such row", {}
        if action == "notes":
            if key and key in self.keys:
                return "", {}
            self.keys.add(key)
            self.world.note(order, body["text"])
        elif action == "address":
            given = {**body, "postcode": body["zip"]}
            names = ("name", "street", "postcode", "city", "country")
            self.world.move(order, **{name: given[name] for name in names})
        elif action == "returns":
            if line is None or not 0 < body["count"] <= line.returnable:
                return "cannot be returned", {}
            return "", {"return": self.world.take_back(order, line, body["count"], body["why"])}
        elif order.state != "processing":
            return "too late", {}
        elif line is not None:
            self.world.less(order, line, body["count"])
        else:
            self.world.cancel(order)
        return "", {}


def tell(order: FakeOrder) -> dict[str, Any]:
    """An order in this shop's words."""
    return {
        "ref": order.number,
        "state": WORDS[order.state],
        "placed_at": f"{order.ordered}T10:11:12Z",
        "eta": str(order.expected),
        "amount": {"value": str(order.total), "currency": "EUR"},
        "ship_to": {
            "name": order.name,
            "street": order.street,
            "zip": order.postcode,
            "city": order.city,
            "country": order.country,
        },
        "customer": {"mail": order.email, "tel": order.phone},
        "parcel": {"carrier": order.carrier, "code": order.tracking},
        "returns": [one["name"] for one in order.returns],
        "rows": [_row(line) for line in order.lines],
    }


def _row(line: Line) -> dict[str, Any]:
    return {
        "row": line.id,
        "article": line.sku,
        "text": line.title,
        "count": line.quantity,
        "unit": float(Decimal(line.price)),
        "may_return": line.returnable,
    }
