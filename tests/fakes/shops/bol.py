"""bol's Retailer API v10 and its login: tokens, problems (RFC 9457), processes that take time."""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import Any

from aiohttp import web

from tests.fakes.shops.server import FakeShop
from tests.fakes.shops.world import FakeOrder, Line

CLIENT, SECRET = "3f2a-client", "bol-very-secret"
MEDIA = "application/vnd.retailer.v10+json"


class FakeBol(FakeShop):
    """``slow_process``: how often a process says PENDING before it says how it ended."""

    numbers = "C00000{}"

    def __init__(self) -> None:
        super().__init__()
        self.tokens: set[str] = set()
        self.tokens_given = 0
        self.method = "FBR"
        """FBB: bol's own warehouse sends it."""
        self.slow_process = 1
        self.process_ends = "SUCCESS"
        self.processes: dict[str, list[Any]] = {}
        self.cancelled: dict[str, int] = {}
        self.asked = asyncio.Event()
        """Somebody asked for a process."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/token", self._token),
            web.get("/retailer/orders/{id}", self._order),
            web.put("/retailer/orders/cancellation", self._cancel),
            web.get("/retailer/shipments", self._shipments),
            web.get("/retailer/shipments/{id}", self._shipment),
            web.get("/retailer/offers/{id}", self._offer),
            web.get("/shared/process-status/{id}", self._process),
        ]

    async def is_write(self, request: web.Request) -> bool:
        return request.method == "PUT"

    def broken(self, status: int) -> web.Response:
        return _problem(status, "Internal Server Error", "Please try again later")

    async def _token(self, request: web.Request) -> web.Response:
        pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return web.json_response({"error": "invalid_client"}, status=401)
        if request.query.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        token = secrets.token_urlsafe(400)
        self.tokens.add(token)
        self.tokens_given += 1
        body = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 299,
            "scope": "RETAILER",
        }
        return web.json_response(body)

    def _denied(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return _problem(401, "Unauthorized", "The token is not valid")
        if request.headers.get("Accept") != MEDIA:
            return _problem(406, "Not Acceptable", "Use the v10 media type")
        return None

    async def _order(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self.world.orders.get(request.match_info["id"])
        if order is None:
            return _problem(404, "Not Found", "Order not found")
        return _json(self._tell(order))

    async def _cancel(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        if request.headers.get("Content-Type") != MEDIA:
            return _problem(415, "Unsupported Media Type", "Use the v10 media type")
        lines = [one["orderItemId"] for one in (await request.json())["orderItems"]]
        known = [
            (order, line)
            for order in self.world.orders.values()
            for line in order.lines
            if line.id in lines
        ]
        if len(known) != len(lines):
            return _problem(400, "Bad Request", "Order item not found")
        if self.process_ends == "SUCCESS":
            for order, line in known:
                self.cancelled[line.id] = line.quantity
                self.world.did("cancel", f"{order.number}/{line.id}")
        process = str(1000 + len(self.processes))
        self.processes[process] = [self.slow_process, lines[0], self.process_ends]
        return _json(self._state(process), 202)

    async def _process(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        process = request.match_info["id"]
        if process not in self.processes:
            return _problem(404, "Not Found", "Process status not found")
        self.processes[process][0] -= 1
        self.asked.set()
        return _json(self._state(process))

    def _state(self, process: str) -> dict[str, Any]:
        waits, line, ends = self.processes[process]
        state = {
            "processStatusId": process,
            "entityId": line,
            "eventType": "CANCEL_ORDER",
            "description": f"Cancel order item with id {line}.",
            "status": "PENDING" if waits > 0 else ends,
            "createTimestamp": "2026-11-25T10:11:12+01:00",
            "links": [],
        }
        if waits <= 0 and ends == "FAILURE":
            state["errorMessage"] = "The item was already shipped"
        return state

    async def _shipments(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        order = self.world.orders[request.query["order-id"]]
        one = {
            "shipmentId": f"9{order.lines[0].id}",
            "shipmentDateTime": "2026-11-21T10:11:12+01:00",
            "order": {"orderId": order.number},
            "shipmentItems": [{"orderItemId": line.id, "ean": line.sku} for line in order.lines],
            "transport": {"transportId": "77"},
        }
        return _json({"shipments": [one]})

    async def _shipment(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        line_id = request.match_info["id"][1:]
        order = next(order for order in self.world.orders.values() if order.line(line_id))
        events = ["IN_TRANSIT"] + ["DELIVERED_AT_CUSTOMER"] * (order.state == "delivered")
        transport = {
            "transportId": "77",
            "transporterCode": order.carrier.upper(),
            "trackAndTrace": order.tracking,
            "transportEvents": [{"eventCode": code} for code in events],
        }
        return _json({"shipmentId": request.match_info["id"], "transport": transport})

    async def _offer(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        sku = request.match_info["id"].removeprefix("offer-")
        article = self.world.articles.get(sku)
        if article is None:
            return _problem(404, "Not Found", "Offer not found")
        offer = {
            "offerId": f"offer-{sku}",
            "ean": "0000007740404",
            "reference": sku,
            "onHoldByRetailer": False,
            "pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": float(article.price)}]},
            "stock": {"amount": 9, "correctedStock": article.stock, "managedByRetailer": False},
            "fulfilment": {"method": "FBR"},
        }
        return _json(offer)

    def _tell(self, order: FakeOrder) -> dict[str, Any]:
        first, _, last = order.name.rpartition(" ")
        street, _, house = order.street.rpartition(" ")
        return {
            "orderId": order.number,
            "pickupPoint": False,
            "orderPlacedDateTime": f"{order.ordered}T10:11:12+01:00",
            "shipmentDetails": {
                "salutation": "FEMALE",
                "firstName": first,
                "surname": last,
                "streetName": street,
                "houseNumber": house,
                "zipCode": order.postcode,
                "city": order.city,
                "countryCode": order.country,
                "email": "2f8xyz@verkopen.bol.com",
            },
            "orderItems": [self._line(order, line) for line in order.lines],
        }

    def _line(self, order: FakeOrder, line: Line) -> dict[str, Any]:
        sent = order.state in {"shipped", "delivered"}
        return {
            "orderItemId": line.id,
            "cancellationRequest": False,
            "fulfilment": {
                "method": self.method,
                "distributionParty": "RETAILER",
                "latestDeliveryDate": str(order.expected),
            },
            "offer": {"offerId": f"offer-{line.sku}", "reference": line.sku},
            "product": {"ean": "0000007740404", "title": line.title},
            "quantity": line.quantity,
            "quantityShipped": line.quantity if sent else 0,
            "quantityCancelled": self.cancelled.get(line.id, 0),
            "unitPrice": float(line.price),
            "commission": 1.2,
        }


def _json(body: Any, status: int = 200) -> web.Response:
    response = web.json_response(body, status=status)
    response.headers["Content-Type"] = MEDIA
    return response


def _problem(status: int, title: str, detail: str) -> web.Response:
    body = {
        "type": "https://api.bol.com/problems",
        "title": title,
        "status": status,
        "detail": detail,
    }
    return web.json_response(body, status=status, content_type="application/problem+json")
