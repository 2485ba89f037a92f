"""A Shopify shop: the GraphQL Admin API, executed by a real GraphQL engine over its schema.

HTTP 200 carries errors too: ``userErrors`` of mutations, and ``errors`` with codes (THROTTLED,
ACCESS_DENIED).  Queries cost points of a bucket that refills.
"""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web
from graphql import build_schema, graphql_sync

from tests.fakes.shops.server import FakeShop
from tests.fakes.shops.shopify_schema import SDL
from tests.fakes.shops.world import Article, FakeOrder, Line

TOKEN = "shpat_0123456789abcdef0123456789abcdef"
WRITES = ("orderCancel", "orderUpdate", "returnRequest", "orderEditCommit")
_SCHEMA = build_schema(SDL)


class FakeShopify(FakeShop):
    """``throttle``: how many requests are answered with THROTTLED first."""

    numbers = "#{}"

    def __init__(self) -> None:
        super().__init__()
        self.throttle = 0
        self.denied_code = ""
        self.job_polls = 0
        """How often a cancellation says that it is not done yet."""
        self.cancel_fails = ""
        self.edits: dict[str, dict[str, Any]] = {}
        self.documents: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/admin/api/2026-10/graphql.json", self._graphql)]

    async def is_write(self, request: web.Request) -> bool:
        document = (await request.json())["query"]
        return any(re.search(rf"\b{name}\(", document) for name in WRITES)

    def broken(self, status: int) -> web.Response:
        return web.json_response({"errors": "Internal Server Error"}, status=status)

    async def _graphql(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Shopify-Access-Token") != TOKEN:
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return web.json_response({"errors": text}, status=401)
        body = await request.json()
        self.documents.append(body["query"])
        status = {"maximumAvailable": 2000.0, "currentlyAvailable": 1990, "restoreRate": 100.0}
        cost: dict[str, Any] = {"requestedQueryCost": 42, "throttleStatus": status}
        if self.throttle or self.denied_code:
            self.throttle = max(0, self.throttle - 1)
            status["currentlyAvailable"] = 2
            error = {
                "message": "Throttled",
                "extensions": {"code": self.denied_code or "THROTTLED"},
            }
            return web.json_response({"errors": [error], "extensions": {"cost": cost}})
        done = graphql_sync(
            _SCHEMA,
            body["query"],
            root_value=self._root(),
            variable_values=body.get("variables") or {},
        )
        answer: dict[str, Any] = {"data": done.data, "extensions": {"cost": cost}}
        if done.errors:
            answer["errors"] = [{"message": error.message} for error in done.errors]
        return web.json_response(answer)

    def _root(self) -> dict[str, Any]:
        return {
            "shop": {"currencyCode": "EUR"},
            "orders": self._orders,
            "order": lambda _, id: self._node(self._by_id(id)),
            "job": self._job,
            "returnableFulfillments": self._returnable,
            "productVariants": self._variants,
            "returnReasonDefinitions": self._reasons,
            "orderCancel": self._cancel,
            "orderUpdate": self._update,
            "returnRequest": self._return,
            "orderEditBegin": self._begin,
            "orderEditSetQuantity": self._set,
            "orderEditAddVariant": self._add,
            "orderEditCommit": self._commit,
        }

    # -- queries ----------------------------------------------------------------------------

    def _orders(self, _: object, first: int, query: str, **__: Any) -> dict[str, Any]:
        name, _colon, text = query.partition(":")
        text = text.strip('"')
        found = [
            order
            for order in self.world.orders.values()
            if (name == "name" and text in order.number)  # a text search: 100 finds #1001
            or (name == "email" and text == order.email)
            or (name == "phone" and text == re.sub(r"\D", "", order.phone))
        ]
        found.sort(key=lambda order: order.ordered, reverse=True)
        return {"nodes": [self._node(order) for order in found[:first]]}

    def _by_id(self, gid: str) -> FakeOrder | None:
        number = gid.rpartition("/")[2]
        return next((o for o in self.world.orders.values() if o.number == f"#{number}"), None)

    def _job(self, _: object, id: str) -> dict[str, Any]:
        self.job_polls -= 1
        done = self.job_polls <= 0
        order = self._by_id(id)
        if done and order and order.state != "cancelled" and not self.cancel_fails:
            self.world.cancel(order)
        return {"id": id, "done": done}

    def _returnable(self, _: object, orderId: str, first: int) -> dict[str, Any]:  # noqa: N803
        order = self._by_id(orderId)
        lines = [line for line in order.lines if line.returnable] if order else []
        edges = [
            {
                "node": {
                    "quantity": line.returnable,
                    "fulfillmentLineItem": {
                        "id": f"gid://shopify/FulfillmentLineItem/{line.id}",
                        "lineItem": _line(line),
                    },
                }
            }
            for line in lines
        ]
        node = {"id": "gid://shopify/ReturnableFulfillment/1"}
        inner = {**node, "returnableFulfillmentLineItems": {"edges": edges}}
        return {"edges": [{"node": inner}] if edges else []}

    def _variants(self, _: object, first: int, query: str) -> dict[str, Any]:
        skus = re.findall(r'sku:"([^"]+)"', query)
        found = [one for one in self.world.articles.values() if one.sku in skus]
        return {"nodes": [_variant(article) for article in found[:first]]}

    def _reasons(self, _: object, first: int, handles: list[str]) -> dict[str, Any]:
        known = ["defective", "other", "size-too-small", "unwanted", "wrong-item"]
        nodes = [
            {
                "id": f"gid://shopify/ReturnReasonDefinition/{place}",
                "handle": handle,
                "name": handle,
            }
            for place, handle in enumerate(known, 1)
            if handle in handles
        ]
        return {"nodes": nodes}

    # -- mutations --------------------------------------------------------------------------

    def _cancel(self, _: object, orderId: str, **__: Any) -> dict[str, Any]:  # noqa: N803
        order = self._by_id(orderId)
        problem = ""
        if order is None:
            problem = "Order does not exist"
        elif order.state not in {"processing", "unpaid"}:
            problem = "Cannot cancel a fulfilled order"
        if problem or order is None:
            error = {"field": ["orderId"], "message": problem, "code": "INVALID"}
            return {"job": None, "orderCancelUserErrors": [error]}
        if self.job_polls <= 0 and not self.cancel_fails:
            self.world.cancel(order)
        job = {"id": f"gid://shopify/Job/{order.number[1:]}", "done": self.job_polls <= 0}
        return {"job": job, "orderCancelUserErrors": []}

    def _update(self, _: object, input: dict[str, Any]) -> dict[str, Any]:
        order = self._by_id(input["id"])
        if order is None:
            return _refused("Order does not exist")
        if "note" in input:
            order.notes = input["note"].split("\n")[:-1]
            self.world.note(order, input["note"].split("\n")[-1])
        if address := input.get("shippingAddress"):
            self.world.move(
                order,
                name=f"{address['firstName']} {address['lastName']}".strip(),
                street=address["address1"],
                postcode=address["zip"],
                city=address["city"],
                country=address["countryCode"],
            )
        return {"order": self._node(order), "userErrors": []}

    def _return(self, _: object, input: dict[str, Any]) -> dict[str, Any]:
        order = self._by_id(input["orderId"])
        (wanted,) = input["returnLineItems"]
        line = order.line(wanted["fulfillmentLineItemId"].rpartition("/")[2]) if order else None
        note = wanted.get("customerNote", "")
        if order is None or line is None or wanted["quantity"] > line.returnable:
            return {"return": None, "userErrors": [{"message": "Quantity is not returnable"}]}
        if len(note) > 300:
            return {"return": None, "userErrors": [{"message": "Customer note is too long"}]}
        name = self.world.take_back(order, line, wanted["quantity"], note)
        return {"return": _return_node(order.returns[-1], name), "userErrors": []}

    def _begin(self, _: object, id: str) -> dict[str, Any]:
        order = self._by_id(id)
        if order is None:
            return _refused("Order does not exist")
        edit = f"gid://shopify/CalculatedOrder/{len(self.edits) + 1}"
        self.edits[edit] = {"order": order, "set": {}, "add": []}
        lines = [
            {"id": f"gid://shopify/CalculatedLineItem/{line.id}", "quantity": line.quantity}
            for line in order.lines
        ]
        return {"calculatedOrder": {"id": edit, "lineItems": {"nodes": lines}}, "userErrors": []}

    def _set(
        self,
        _: object,
        id: str,
        lineItemId: str,  # noqa: N803
        quantity: int,
        restock: bool,
    ) -> dict[str, Any]:
        self.edits[id]["set"][lineItemId.rpartition("/")[2]] = quantity
        return {"calculatedOrder": {"id": id}, "userErrors": []}

    def _add(
        self,
        _: object,
        id: str,
        variantId: str,  # noqa: N803
        quantity: int,
    ) -> dict[str, Any]:
        self.edits[id]["add"].append((variantId.rpartition("/")[2], quantity))
        return {"calculatedOrder": {"id": id}, "userErrors": []}

    def _commit(self, _: object, id: str, **__: Any) -> dict[str, Any]:
        edit = self.edits.pop(id, None)
        if edit is None:
            return _refused("The edit has expired")
        order: FakeOrder = edit["order"]
        for line_id, pieces in edit["set"].items():
            line = order.line(line_id)
            if line is not None:
                self.world.less(order, line, line.quantity - pieces)
        for sku, pieces in edit["add"]:
            article = self.world.articles[sku]
            fresh = Line(f"9{len(order.lines)}", sku, article.title, pieces, article.price)
            order.lines.append(fresh)
        return {"order": self._node(order), "userErrors": []}

    # -- nodes ------------------------------------------------------------------------------

    def _node(self, order: FakeOrder | None) -> dict[str, Any] | None:
        if order is None:
            return None
        sent = order.state in {"shipped", "delivered"}
        parcel = {"company": order.carrier, "number": order.tracking, "url": None}
        shipment = {
            "id": "gid://shopify/Fulfillment/1",
            "status": "SUCCESS",
            "displayStatus": "DELIVERED" if order.state == "delivered" else "IN_TRANSIT",
            "estimatedDeliveryAt": f"{order.expected}T18:00:00Z",
            "deliveredAt": f"{order.expected}T10:00:00Z" if order.state == "delivered" else None,
            "trackingInfo": [parcel],
        }
        address = {
            "name": order.name,
            "address1": order.street,
            "address2": None,
            "zip": order.postcode,
            "city": order.city,
            "countryCodeV2": order.country,
        }
        returns = [_return_node(one, one["name"]) for one in order.returns]
        return {
            "id": f"gid://shopify/Order/{order.number[1:]}",
            "name": order.number,
            "email": order.email,
            "phone": order.phone,
            "note": "\n".join(order.notes) or None,
            "createdAt": f"{order.ordered}T09:10:11Z",
            "cancelledAt": "2026-11-25T10:00:00Z" if order.state == "cancelled" else None,
            "displayFinancialStatus": "PENDING" if order.state == "unpaid" else "PAID",
            "displayFulfillmentStatus": "FULFILLED" if sent else "UNFULFILLED",
            "returnStatus": "RETURN_REQUESTED" if returns else "NO_RETURN",
            "currentTotalPriceSet": _money(str(order.total)),
            "totalRefundedSet": _money("0.0"),
            "shippingAddress": address,
            "fulfillments": [shipment] if sent else [],
            "lineItems": {"nodes": [_line(line) for line in order.lines]},
            "returns": {"nodes": returns},
        }


def _money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{line.id}",
        "sku": line.sku,
        "title": line.title,
        "quantity": line.quantity,
        "currentQuantity": line.quantity,
        "discountedUnitPriceAfterAllDiscountsSet": _money(str(line.price)),
    }


def _variant(article: Article) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{article.sku}",
        "sku": article.sku,
        "price": str(article.price),
        "compareAtPrice": str(article.was) if article.was else None,
        "inventoryQuantity": article.stock,
    }


def _return_node(one: dict[str, str], name: str) -> dict[str, Any]:
    line = {
        "__typename": "ReturnLineItem",
        "id": "gid://shopify/ReturnLineItem/1",
        "customerNote": one["note"],
        "quantity": int(one["quantity"]),
    }
    return {
        "id": f"gid://shopify/Return/{name}",
        "name": name,
        "status": "REQUESTED",
        "returnLineItems": {"nodes": [line]},
    }


def _refused(message: str) -> dict[str, Any]:
    return {"order": None, "calculatedOrder": None, "userErrors": [{"message": message}]}
