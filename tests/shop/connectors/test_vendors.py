"""What only one vendor does: throttling, jobs, signatures, tokens, processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from tests.fakes.shops.__main__ import FAKES, instructions
from tests.fakes.shops.bol import FakeBol
from tests.fakes.shops.mcp import FakeMcp
from tests.fakes.shops.rest import FakeRest
from tests.fakes.shops.server import FakeShop, Fault
from tests.fakes.shops.shopify import FakeShopify
from tests.fakes.shops.woocommerce import KEY, SECRET, FakeWooCommerce
from tests.shop.connectors.platforms import Case, demo, opened
from voice_server.shop.connectors import open_platform
from voice_server.shop.connectors.documents import Doc
from voice_server.shop.connectors.http import Http
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.mcp import McpPlatform
from voice_server.shop.connectors.shopify_orders import order_of
from voice_server.shop.connectors.woocommerce import WooCommerce, sign
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Capability,
    OutcomeUnknown,
    PlatformDown,
    Receipt,
    Refusal,
    Refused,
    Write,
)
from voice_server.shop.platform_config import load

T = TypeVar("T", bound=FakeShop)


@asynccontextmanager
async def facing(kind: type[T], name: str, folder: Path) -> AsyncIterator[tuple[Case, T]]:
    async with opened(name, folder) as case:
        assert isinstance(case.server, kind)
        yield case, case.server


# -- Shopify ----------------------------------------------------------------------------------


async def test_shopify_waits_until_its_bucket_holds_the_cost(tmp_path: Path) -> None:
    async with facing(FakeShopify, "shopify", tmp_path) as (case, fake):
        fake.throttle = 2
        await case.order(case.kind.open)
        assert case.time.slept == [0.4, 0.4]  # 42 points wanted, 2 there, 100 a second
        fake.throttle = 999
        with pytest.raises(PlatformDown, match="too often"):
            await case.platform.find_order(case.kind.open)


async def test_shopify_tells_a_missing_scope_apart(tmp_path: Path) -> None:
    async with facing(FakeShopify, "shopify", tmp_path) as (case, fake):
        fake.denied_code = "ACCESS_DENIED"
        with pytest.raises(PlatformDown, match="ACCESS_DENIED"):
            await case.platform.find_order(case.kind.open)


async def test_shopify_cancels_in_a_job(tmp_path: Path) -> None:
    cancel = Write(Capability.CANCEL_ORDER, "#1001")
    async with facing(FakeShopify, "shopify", tmp_path) as (case, fake):
        fake.job_polls = 3
        assert await case.platform.write(cancel, key="k") == Receipt()
        assert (await case.order("#1001")).status is OrderStatus.CANCELLED
        document = next(one for one in fake.documents if "orderCancel(" in one)
        assert "refundMethod" in document


async def test_shopify_job_that_takes_long_or_fails(tmp_path: Path) -> None:
    cancel = Write(Capability.CANCEL_ORDER, "#1001")
    async with facing(FakeShopify, "shopify", tmp_path) as (case, fake):
        fake.job_polls = 99
        with pytest.raises(OutcomeUnknown):
            await case.platform.write(cancel, key="k")
        fake.job_polls = 0
        fake.cancel_fails = "yes"
        with pytest.raises(Refused, match="without cancelling"):
            await case.platform.write(cancel, key="k")
        assert fake.world.performed == []


async def test_shopify_user_errors_are_refusals(tmp_path: Path) -> None:
    async with facing(FakeShopify, "shopify", tmp_path) as (case, fake):
        line = (await case.order("#1003")).items[0]
        values = (("line_id", line.line_id), ("quantity", "1"), ("reason", "defective"))
        back = Write(Capability.RETURN_ITEMS, "#1003", values)
        found = await case.platform._find("#1003")  # type: ignore[attr-defined]
        lines = fake.world.orders["#1003"].lines
        lines[0].returnable = 0  # somebody else was faster
        with pytest.raises(Refused, match="not returnable"):
            await case.platform._send(back, found, await case.order("#1003"), "k")  # type: ignore[attr-defined]


async def test_shopify_keeps_the_merchants_own_note(tmp_path: Path) -> None:
    async with facing(FakeShopify, "shopify", tmp_path) as (case, fake):
        fake.world.orders["#1001"].notes = ["VIP", "x" * 900]
        note = Write(Capability.NOTE, "#1001", (("text", "Ring twice"),))
        await case.platform.write(note, key="k")
        notes = fake.world.orders["#1001"].notes
        assert notes[:2] == ["VIP", "x" * 900]
        assert notes[2].startswith("Ring twice [voice-")


async def test_shopify_exchanges_lines_before_it_commits(tmp_path: Path) -> None:
    async with facing(FakeShopify, "shopify", tmp_path) as (case, fake):
        line = (await case.order("#1001")).items[0]

        def change(sku: str) -> Write:
            values = (("line_id", line.line_id), ("quantity", "1"), ("sku", sku))
            return Write(Capability.CHANGE_ITEM, "#1001", values)

        with pytest.raises(Refused, match=Refusal.OUT_OF_STOCK):
            await case.platform.write(change("LAMP-BLACK"), key="a")
        with pytest.raises(Refused, match=Refusal.PRICE_HIGHER):
            await case.platform.write(change("CAPE-L"), key="d")
        with pytest.raises(Refused, match=Refusal.UNKNOWN_ITEM):
            await case.platform.write(change("NOTHING"), key="b")
        with pytest.raises(Refused, match=Refusal.UNKNOWN_ITEM):
            await case.platform.write(change('x" OR sku:"y'), key="c")
        assert fake.world.performed == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, OrderStatus.PROCESSING),
        ({"displayFinancialStatus": "PENDING"}, OrderStatus.PENDING_PAYMENT),
        ({"displayFinancialStatus": "REFUNDED"}, OrderStatus.REFUNDED),
        ({"displayFulfillmentStatus": "ON_HOLD"}, OrderStatus.DELAYED),
        ({"cancelledAt": "2026-11-25T10:00:00Z"}, OrderStatus.CANCELLED),
        ({"returnStatus": "RETURNED"}, OrderStatus.RETURN_RECEIVED),
        ({"displayFulfillmentStatus": "FULFILLED"}, OrderStatus.SHIPPED),
        (
            {
                "displayFulfillmentStatus": "FULFILLED",
                "fulfillments": [
                    {"status": "CANCELLED", "displayStatus": "DELIVERED"},
                    {"status": "SUCCESS", "displayStatus": "READY_FOR_PICKUP"},
                ],
            },
            OrderStatus.READY_FOR_PICKUP,
        ),
    ],
)
def test_shopify_status_words(fields: dict[str, object], status: OrderStatus) -> None:
    money = {"shopMoney": {"amount": "10.0", "currencyCode": "EUR"}}
    node = {
        "id": "gid://shopify/Order/1",
        "name": "#1",
        "createdAt": "2026-11-20T09:00:00Z",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "currentTotalPriceSet": money,
        **fields,
    }
    order = order_of(Doc(node), {})
    assert order.status is status
    assert order.address is None
    assert order.total == Decimal("10.0")


# -- WooCommerce ------------------------------------------------------------------------------


async def test_woocommerce_over_tls_sends_basic_and_signs_nothing() -> None:
    async with FakeWooCommerce(signed=False) as fake:
        shop = WooCommerce(Http("woocommerce"), fake.url, KEY, SECRET, Ledger())
        shop._signed = False  # what https decides; the fake's socket is plain
        try:
            found = await shop.find_order("1001")
        finally:
            await shop.close()
        assert found is not None
        assert WooCommerce(Http("w"), "https://shop.example", KEY, SECRET, Ledger())._signed is (
            False
        )


def test_oauth_signature_of_a_known_request() -> None:
    """Recomputed by hand from RFC 5849 §3.4.1: method, URL and sorted parameters, each escaped."""
    signed = sign(
        "GET",
        "http://shop.example/wp-json/wc/v3/orders",
        {"search": "a b@c"},
        key="ck",
        secret="cs",
        nonce="n1",
        stamp=1,
    )
    import base64
    import hashlib
    import hmac

    base = (
        "GET&http%3A%2F%2Fshop.example%2Fwp-json%2Fwc%2Fv3%2Forders&"
        "oauth_consumer_key%3Dck%26oauth_nonce%3Dn1%26oauth_signature_method%3DHMAC-SHA256"
        "%26oauth_timestamp%3D1%26search%3Da%2520b%2540c"
    )
    digest = hmac.new(b"cs&", base.encode(), hashlib.sha256).digest()
    assert signed["oauth_signature"] == base64.b64encode(digest).decode()


async def test_woocommerce_words_of_plugins_must_be_translated(tmp_path: Path) -> None:
    async with facing(FakeWooCommerce, "woocommerce", tmp_path) as (case, fake):
        fake.world.orders["1001"].state = "awaiting-courier"
        with pytest.raises(PlatformDown, match="awaiting-courier"):
            await case.platform.find_order("1001")
        words = {"awaiting-courier": OrderStatus.PROCESSING}
        http = Http("woocommerce", clock=case.time.clock())
        shop = WooCommerce(http, fake.url, KEY, SECRET, Ledger(), statuses=words)
        found = await shop.find_order("1001")
        await shop.close()
        assert found is not None
        assert found.status is OrderStatus.PROCESSING


async def test_woocommerce_counts_and_prices(tmp_path: Path) -> None:
    async with facing(FakeWooCommerce, "woocommerce", tmp_path) as (case, _):
        found = {
            one.sku: one
            for one in await case.platform.offers(["LAMP-BLACK", "CAPE-L", "MUG-BLUE", "a,b"])
        }
        assert found["LAMP-BLACK"].stock == 0
        assert found["LAMP-BLACK"].was_price == Decimal("59.90")
        assert not found["CAPE-L"].counted  # in stock, nobody counts
        assert found["CAPE-L"].stock == 1
        assert found["MUG-BLUE"].counted
        order = await case.order("1001")
        assert [line.price for line in order.items] == [Decimal("12.50"), Decimal("89.00")]


async def test_woocommerce_numbers_of_a_plugin_are_searched(tmp_path: Path) -> None:
    async with facing(FakeWooCommerce, "woocommerce", tmp_path) as (case, fake):
        order = fake.world.orders.pop("1001")
        fake.world.orders["77"] = order
        order.number, fake.ids["WEB-1001"] = "WEB-1001", 77
        found = await case.order("WEB-1001")
        assert found.number == "WEB-1001"
        assert await case.platform.find_order("WEB-100") is None
        await case.platform.write(Write(Capability.CANCEL_ORDER, "WEB-1001"), key="k")
        assert "PUT /wp-json/wc/v3/orders/77" in fake.requests
        assert (await case.order("#web-1001")).status is OrderStatus.CANCELLED


async def test_woocommerce_never_refunds(tmp_path: Path) -> None:
    async with facing(FakeWooCommerce, "woocommerce", tmp_path) as (case, fake):
        await case.platform.write(Write(Capability.CANCEL_ORDER, "1001"), key="k")
        assert not [one for one in fake.requests if "refunds" in one]


# -- bol --------------------------------------------------------------------------------------


async def test_bol_renews_its_token_before_it_ends_and_when_it_is_refused(tmp_path: Path) -> None:
    async with facing(FakeBol, "bol", tmp_path) as (case, fake):
        await case.order(case.kind.open)
        await case.order(case.kind.open)
        assert fake.tokens_given == 1
        case.time.ahead += 280
        await case.order(case.kind.open)
        assert fake.tokens_given == 2
        fake.tokens.clear()  # bol forgot it
        await case.order(case.kind.open)
        assert fake.tokens_given == 3


async def test_bol_process_that_fails_or_takes_long(tmp_path: Path) -> None:
    async with facing(FakeBol, "bol", tmp_path) as (case, fake):
        cancel = Write(Capability.CANCEL_ORDER, case.kind.open)
        fake.process_ends = "FAILURE"
        with pytest.raises(Refused, match="already shipped"):
            await case.platform.write(cancel, key="a")
        fake.process_ends, fake.slow_process = "SUCCESS", 99
        with pytest.raises(OutcomeUnknown):
            await case.platform.write(cancel, key="b")
        puts = [one for one in fake.requests if one.startswith("PUT")]
        with pytest.raises(OutcomeUnknown):  # it is asked about the process, not sent again
            await case.again().write(cancel, key="b")
        fake.processes["1001"][0] = 0
        assert (await case.again().write(cancel, key="b")).reference == "1001"
        assert [one for one in fake.requests if one.startswith("PUT")] == puts


async def test_bol_process_is_noted_before_it_is_waited_for(tmp_path: Path) -> None:
    async with facing(FakeBol, "bol", tmp_path) as (case, fake):
        cancel = Write(Capability.CANCEL_ORDER, case.kind.open)
        fake.slow_process = 99
        task = asyncio.create_task(case.platform.write(cancel, key="a"))
        await fake.asked.wait()
        task.cancel()  # the caller hangs up
        await asyncio.gather(task, return_exceptions=True)
        fake.processes["1000"][0] = 0
        assert (await case.again().write(cancel, key="a")).reference == "1000"
        assert sum(one.startswith("PUT") for one in fake.requests) == 1


async def test_bol_process_given_up_is_settled_by_the_order(tmp_path: Path) -> None:
    async with facing(FakeBol, "bol", tmp_path) as (case, fake):
        cancel = Write(Capability.CANCEL_ORDER, case.kind.open)
        fake.process_ends, fake.slow_process = "TIMEOUT", 0
        with pytest.raises(OutcomeUnknown):
            await case.platform.write(cancel, key="a")
        fake.process_ends = "SUCCESS"
        await case.platform.write(cancel, key="a")
        assert sum(one.startswith("PUT") for one in fake.requests) == 2
        assert (await case.order(case.kind.open)).status is OrderStatus.CANCELLED


async def test_bol_sends_from_its_own_warehouse_what_only_bol_can_cancel(tmp_path: Path) -> None:
    async with facing(FakeBol, "bol", tmp_path) as (case, fake):
        fake.method = "FBB"
        with pytest.raises(Refused, match=Refusal.UNSUPPORTED):
            await case.platform.write(Write(Capability.CANCEL_ORDER, case.kind.open), key="k")
        assert fake.world.performed == []


async def test_bol_cancels_lines_as_a_whole_only(tmp_path: Path) -> None:
    async with facing(FakeBol, "bol", tmp_path) as (case, _):
        line = await case.line(case.kind.open)
        values = (("line_id", line.line_id), ("quantity", "1"))
        part = Write(Capability.CANCEL_ITEM, case.kind.open, values)
        order = await case.order(case.kind.open)
        assert case.platform.refusal(part, order) == Refusal.UNSUPPORTED


@pytest.mark.parametrize("name", list(FAKES))
async def test_the_demonstration_tells_a_table_that_works(name: str, tmp_path: Path) -> None:
    fake = FAKES[name][0]()
    async with fake:
        text = instructions(name, fake)
        toml, _, rest = text.partition("# environment")
        environment, _, mapping = rest.partition("# platform.toml")
        (tmp_path / "shop.toml").write_text(toml)
        (tmp_path / "platform.toml").write_text(mapping)
        lines = [line.removeprefix("export ") for line in environment.splitlines()]
        environ = dict(line.split("=", 1) for line in lines if "=" in line)
        platform = open_platform(load(tmp_path), demo(), environ=environ)
        for number in fake.world.orders:
            assert await platform.find_order(number) is not None
        await platform.close()


# -- REST and MCP -----------------------------------------------------------------------------


async def test_rest_refusals_carry_the_platforms_words(tmp_path: Path) -> None:
    async with facing(FakeRest, "rest", tmp_path) as (case, fake):
        line = await case.line("1003")
        values = (("line_id", line.line_id), ("quantity", "1"), ("reason", "../x"))
        back = Write(Capability.RETURN_ITEMS, "1003", values)
        found = await case.platform._find("1003")  # type: ignore[attr-defined]
        fake.world.orders["1003"].lines[0].returnable = 0
        with pytest.raises(Refused, match="cannot be returned"):
            await case.platform._send(back, found, await case.order("1003"), "k")  # type: ignore[attr-defined]


async def test_rest_values_cannot_lead_to_another_path(tmp_path: Path) -> None:
    async with facing(FakeRest, "rest", tmp_path) as (case, fake):
        order = await case.order("1001")
        found = await case.platform._find("1001")  # type: ignore[attr-defined]
        for line_id in ("..", ".", "../../1002", "a/b?x#y", "%2e%2e"):
            values = (("line_id", line_id), ("quantity", "1"))
            write = Write(Capability.CANCEL_ITEM, "1001", values)
            with pytest.raises(Refused):
                await case.platform._send(write, found, order, "k")  # type: ignore[attr-defined]
        assert fake.world.performed == []


async def test_mcp_calls_only_tools_the_owner_allows(tmp_path: Path) -> None:
    async with facing(FakeMcp, "mcp", tmp_path) as (case, _):
        platform = case.platform
        assert isinstance(platform, McpPlatform)
        assert [tool.name for tool in await platform.tools()] == ["opening_hours"]
        assert await platform.use("opening_hours", {}) == "Monday to Friday, nine to six."
        with pytest.raises(Refused, match="does not allow"):
            await platform.use("erase_all", {})  # it claims to be read-only; nobody believes it
        case.fake.faults = [Fault("status", times=99)]
        with pytest.raises(PlatformDown):
            await platform.tools()


async def test_mcp_speaks_with_the_official_server(tmp_path: Path) -> None:
    """The fake's wire is our own reading: the protocol's own server must understand us too."""
    import uvicorn
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError

    from tests.fakes.shops.rest import tell
    from tests.fakes.shops.server import free_port
    from tests.fakes.shops.world import world

    truth = world()
    server = MCPServer("shop")

    @server.tool()
    def look_up_order(ref: str) -> dict[str, object]:
        if ref not in truth.orders:
            raise ToolError("no such order")
        return json.loads(json.dumps(tell(truth.orders[ref])))  # type: ignore[no-any-return]

    @server.tool()
    def cancel(ref: str) -> dict[str, object]:
        truth.cancel(truth.orders[ref])
        return {}

    port = free_port()
    app = server.streamable_http_app(stateless_http=True, json_response=True)
    config = uvicorn.Config(app, port=port, log_level="critical", ws="none")
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    async with opened("mcp", tmp_path) as case:
        platform = case.platform
        assert isinstance(platform, McpPlatform)
        platform._url = f"http://127.0.0.1:{port}/mcp"
        async with asyncio.timeout(20):
            while not running.started:  # noqa: ASYNC110 - uvicorn tells it no other way
                await asyncio.sleep(0.01)
        order = await case.order("1001")
        assert order.total == Decimal("114.00")
        assert await platform.find_order("9999") is None
        await platform.write(Write(Capability.CANCEL_ORDER, "1001"), key="k")
        assert (await case.order("1001")).status is OrderStatus.CANCELLED
        assert truth.performed == [("cancel_order", "1001")]
    running.should_exit = True
    await task
