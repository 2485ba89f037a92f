"""An MCP server over streamable HTTP: JSON-RPC 2.0, the handshake of 2025, JSON answers."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.fakes.shops.rest import TOKEN, FakeRest, tell

READS = ("look_up_order", "orders_of", "offers", "opening_hours", "erase_all")
WRITES = {
    "cancel": "cancel",
    "move": "address",
    "drop_row": "cancel",
    "send_back": "returns",
    "remark": "notes",
}

MAPPING = """
[auth]
kind = "bearer"

[order]
tool = "look_up_order"
arguments = { ref = "{number}" }
missing = "no such order"

[order.fields]
number = "/ref"
status = "/state"
ordered = "/placed_at"
total = "/amount/value"
currency = "/amount/currency"
postcode = "/ship_to/zip"
name = "/ship_to/name"
street = "/ship_to/street"
city = "/ship_to/city"
country = "/ship_to/country"
email = "/customer/mail"
phone = "/customer/tel"
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
tool = "orders_of"
arguments = { mail = "{email}", tel = "{phone}" }
root = "/orders"

[offers]
tool = "offers"
arguments = { articles = "{skus}" }
root = "/offers"

[offers.fields]
sku = "/article"
price = "/unit"
stock = "/left"
was_price = "/before"

[writes.cancel_order]
tool = "cancel"
arguments = { ref = "{number}" }

[writes.return_items]
tool = "send_back"
arguments = { ref = "{number}", row = "{line_id}", count = "{quantity}", why = "{reason}" }
reference = "/return"

[writes.note]
tool = "remark"
arguments = { ref = "{number}", text = "{text}", key = "{key}" }
repeatable = true

[tools]
read = ["opening_hours"]
"""


class FakeMcp(FakeRest):
    def routes(self) -> list[web.RouteDef]:
        return [web.post("/mcp", self._rpc)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    async def is_write(self, request: web.Request) -> bool:
        if request.method != "POST":
            return False
        body = json.loads(await request.text())
        return body.get("params", {}).get("name") in WRITES

    async def _rpc(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "invalid_token"}, status=401)
        body = await request.json()
        if "id" not in body:
            return web.Response(status=202)
        params = body.get("params") or {}
        match body["method"]:
            case "initialize":
                result: dict[str, Any] = {
                    "protocolVersion": params["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "fake", "version": "1"},
                }
            case "tools/list":
                result = {"tools": [_tool(name) for name in (*READS, *WRITES)]}
            case "tools/call":
                result = self._call(params["name"], params.get("arguments") or {})
            case method:
                error = {"code": -32601, "message": f"Method not found: {method}"}
                return web.json_response({"jsonrpc": "2.0", "id": body["id"], "error": error})
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], "result": result})

    def _call(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        if name == "opening_hours":
            return _text("Monday to Friday, nine to six.")
        if name == "offers":
            return _content({"offers": self.offers(given["articles"].split(","))})
        if name == "orders_of":
            found = self.world.mine(given["mail"] or given["tel"] or "-")
            return _content({"orders": [tell(order) for order in found]})
        order = self.world.orders.get(given.get("ref", ""))
        if order is None:
            return _text("There is no such order here.", error=True)
        if name == "look_up_order":
            return _content(tell(order))
        if name not in WRITES:
            return _text("unknown tool", error=True)
        problem, answer = self.perform(WRITES[name], order, given, given.get("key", ""))
        return _text(problem, error=True) if problem else _content(answer)


def _text(text: str, *, error: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": error}


def _content(value: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(value)
    return {"content": [{"type": "text", "text": text}], "structuredContent": value}


def _tool(name: str) -> dict[str, Any]:
    # Both claim that they only read: a claim, not a proof.
    schema = {"type": "object", "properties": {}}
    hints = {"readOnlyHint": True}
    return {"name": name, "description": name, "inputSchema": schema, "annotations": hints}
