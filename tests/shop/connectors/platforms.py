"""Every platform, opened the way the server opens it, in front of its fake vendor."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.shops import bol, mcp, rest, shopify, woocommerce
from tests.fakes.shops.server import FakeShop
from tests.fakes.shops.world import EMAIL
from voice_server.shop import pack
from voice_server.shop.connectors import open_platform
from voice_server.shop.connectors.http import Clock
from voice_server.shop.platform import Capability, PlatformItem, PlatformOrder, ShopPlatform
from voice_server.shop.platform_config import PlatformConfig, parse
from voice_server.shop.shop import Shop

SECRETS = {
    "SHOP_TOKEN": shopify.TOKEN,
    "WOO_KEY": woocommerce.KEY,
    "WOO_SECRET": woocommerce.SECRET,
    "BOL_CLIENT": bol.CLIENT,
    "BOL_SECRET": bol.SECRET,
    "REST_TOKEN": rest.TOKEN,
}


@dataclass
class FakeTime:
    """A clock that waits for nothing and remembers what it was asked to wait.

    The time of an exchange is long, however busy the machine; it ends when the fake hangs.
    """

    slept: list[float] = field(default_factory=list)
    ahead: float = 0.0
    limits: list[asyncio.Timeout] = field(default_factory=list)
    asked_s: set[float] = field(default_factory=set)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        self.asked_s.add(seconds)
        self.limits.append(asyncio.timeout(60.0))
        return self.limits[-1]

    def expire(self) -> None:
        """End the exchanges under way."""
        for limit in self.limits:
            with contextlib.suppress(RuntimeError):  # it is over
                limit.reschedule(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead += seconds
        await asyncio.sleep(0)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead

    def clock(self) -> Clock:
        return Clock(
            monotonic=self.monotonic,
            now=lambda: datetime(2026, 11, 25, 12, tzinfo=UTC),
            sleep=self.sleep,
            random=lambda: 0.0,
            timeout=self.timeout,
        )


WRITES = (
    Capability.CANCEL_ORDER,
    Capability.CHANGE_ADDRESS,
    Capability.CANCEL_ITEM,
    Capability.CHANGE_ITEM,
    Capability.RETURN_ITEMS,
    Capability.EXCHANGE_ITEM,
    Capability.NOTE,
)
_CANCEL, _ADDRESS, _DROP, _CHANGE, _RETURN, _EXCHANGE, _NOTE = WRITES


@dataclass(frozen=True)
class Kind:
    """A platform and what stands where in its world."""

    name: str
    server: Callable[[], FakeShop] | None
    table: Callable[[FakeShop | None], dict[str, Any]]
    mapping: str = ""
    open: str = ""
    shipped: str = ""
    delivered: str = ""
    email: str = EMAIL
    sku: str = "MUG-BLUE"
    other_sku: str = "MUG-RED"
    reads_email: bool = True
    whole_lines: bool = False
    """Lines can only be cancelled as a whole."""
    able: tuple[Capability, ...] = WRITES
    """What it can write."""


def _numbers(shape: str) -> dict[str, Any]:
    return {
        name: shape.format(number)
        for name, number in (("open", 1001), ("shipped", 1002), ("delivered", 1003))
    }


def _url(server: FakeShop | None) -> str:
    assert server is not None
    return server.url


def _bol(server: FakeShop | None) -> dict[str, Any]:
    return {
        "type": "bol",
        "url": _url(server),
        "login": _url(server),
        "client_env": "BOL_CLIENT",
        "secret_env": "BOL_SECRET",
        "offers": {sku: f"offer-{sku}" for sku in ("MUG-BLUE", "MUG-RED", "GONE")},
    }


def _woo(server: FakeShop | None) -> dict[str, Any]:
    return {
        "type": "woocommerce",
        "url": _url(server),
        "key_env": "WOO_KEY",
        "secret_env": "WOO_SECRET",
    }


def _mapped(kind: str) -> Callable[[FakeShop | None], dict[str, Any]]:
    return lambda server: {
        "type": kind,
        "url": _url(server),
        "mapping": "platform.toml",
        "token_env": "REST_TOKEN",
    }


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "builtin",
            None,
            lambda _: {"type": "builtin"},
            open="BE-10510",
            shipped="BE-10482",
            delivered="BE-10426",
            sku="lola-white",
            other_sku="lola-blue",
        ),
        Kind(
            "shopify",
            shopify.FakeShopify,
            lambda server: {"type": "shopify", "url": _url(server), "token_env": "SHOP_TOKEN"},
            able=(_CANCEL, _ADDRESS, _DROP, _CHANGE, _RETURN, _NOTE),
            **_numbers("#{}"),
        ),
        Kind(
            "woocommerce",
            woocommerce.FakeWooCommerce,
            _woo,
            able=(_CANCEL, _ADDRESS, _NOTE),
            **_numbers("{}"),
        ),
        Kind(
            "bol",
            bol.FakeBol,
            _bol,
            **_numbers("C00000{}"),
            able=(_CANCEL, _DROP),
            reads_email=False,
            whole_lines=True,
        ),
        Kind(
            "rest",
            rest.FakeRest,
            _mapped("rest"),
            rest.MAPPING,
            able=(_CANCEL, _ADDRESS, _DROP, _RETURN, _NOTE),
            **_numbers("{}"),
        ),
        Kind(
            "mcp",
            mcp.FakeMcp,
            _mapped("mcp"),
            mcp.MAPPING,
            able=(_CANCEL, _RETURN, _NOTE),
            **_numbers("{}"),
        ),
    )
}
VENDORS = [name for name, kind in KINDS.items() if kind.server]


@dataclass
class Case:
    """A platform in front of its world."""

    kind: Kind
    platform: ShopPlatform
    server: FakeShop | None
    time: FakeTime
    folder: Path
    shop: Shop
    environ: dict[str, str]
    again: Callable[[], ShopPlatform]
    """The same platform after a restart of our server."""

    @property
    def fake(self) -> FakeShop:
        assert self.server is not None
        return self.server

    async def order(self, number: str) -> PlatformOrder:
        order = await self.platform.find_order(number)
        assert order is not None
        return order

    async def line(self, number: str, place: int = 0) -> PlatformItem:
        return (await self.order(number)).items[place]


@cache
def demo() -> Shop:
    return pack.load(pack.resolve("demo"))


@asynccontextmanager
async def opened(
    name: str, folder: Path, *, environ: dict[str, str] | None = None
) -> AsyncIterator[Case]:
    """Open a platform; ``environ`` replaces the right credentials."""
    kind = KINDS[name]
    shop = demo()
    server = kind.server() if kind.server else None
    time = FakeTime()
    keys = SECRETS if environ is None else environ
    if kind.mapping:
        (folder / "platform.toml").write_text(kind.mapping, encoding="utf-8")
    if server is not None:
        server.on_hang = time.expire
        await server.__aenter__()
    made: list[ShopPlatform] = []

    def make() -> ShopPlatform:
        config: PlatformConfig = parse(kind.table(server), folder)
        platform = open_platform(
            config, shop, data=folder / "data", environ=keys, clock=time.clock()
        )
        made.append(platform)
        return platform

    try:
        yield Case(kind, make(), server, time, folder, shop, dict(keys), make)
    finally:
        for platform in made:
            await platform.close()
        if server is not None:
            await server.stop()
