"""Price and stock at speak time: fresh when the platform answers, honest when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from tests.shop.connectors.platforms import demo
from voice_server.shop.connectors.builtin import BuiltinPlatform
from voice_server.shop.offers import Offers
from voice_server.shop.platform import Capability, Offer, PlatformDown, ShopPlatform

SKU, OTHER = "lola-white", "lola-blue"


class Platform(BuiltinPlatform):
    """The built-in store with a price that moves, and which can be slow or down."""

    def __init__(self) -> None:
        super().__init__(demo())
        self.asked: list[tuple[str, ...]] = []
        self.now = Decimal("21.00")
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        self.asked.append(tuple(skus))
        await self.gate.wait()
        if self.down:
            raise PlatformDown("no answer")
        return [Offer(sku, self.now, "EUR", 4) for sku in skus if sku != "gone"]


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    platform: Platform = field(default_factory=Platform)
    time: Time = field(default_factory=Time)

    def offers(self, deadline_s: float = 30.0) -> Offers:
        return Offers(self.platform, demo(), ttl_s=20, deadline_s=deadline_s, clock=self.time)


async def test_before_anything_is_read_the_pack_stands_in_and_says_so() -> None:
    offers = Scene().offers()
    found = offers.peek(SKU)
    assert found is not None
    assert (found.fresh, found.known, found.offer.price) == (False, False, Decimal("24.90"))
    assert offers.peek("nothing") is None
    assert offers.price("nothing") is None


async def test_what_is_read_is_fresh_until_its_time_is_over() -> None:
    scene = Scene()
    offers = scene.offers()
    assert await offers.refresh([SKU, OTHER, SKU])
    assert scene.platform.asked == [(SKU, OTHER)]
    found = offers.peek(SKU)
    assert found is not None
    assert (found.fresh, found.age_s, offers.price(SKU)) == (True, 0.0, Decimal("21.00"))
    scene.time.now = 20.0
    assert await offers.refresh([SKU])
    assert len(scene.platform.asked) == 1
    scene.time.now = 20.1
    stale = offers.peek(SKU)
    assert stale is not None
    assert (stale.fresh, stale.known) == (False, True)
    scene.platform.now = Decimal("19.00")
    assert await offers.refresh([SKU])
    assert offers.price(SKU) == Decimal("19.00")


async def test_an_outage_leaves_the_last_price_marked_as_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()
    offers = scene.offers()
    await offers.refresh([SKU])
    scene.time.now, scene.platform.down = 100.0, True
    assert not await offers.refresh([SKU])
    found = offers.peek(SKU)
    assert found is not None
    assert (found.fresh, found.age_s, found.offer.price) == (False, 100.0, Decimal("21.00"))
    assert "cannot be read" in caplog.text


async def test_a_slow_platform_is_not_waited_for_but_serves_the_next_question() -> None:
    scene = Scene()
    scene.platform.gate.clear()
    offers = scene.offers(deadline_s=0.01)
    assert not await offers.refresh([SKU])
    scene.platform.gate.set()
    assert await scene.offers().refresh([SKU])
    for _ in range(5):
        await asyncio.sleep(0)
    found = offers.peek(SKU)
    assert found is not None
    assert found.fresh


async def test_many_viewers_who_ask_at_once_cost_one_request() -> None:
    scene = Scene()
    scene.platform.gate.clear()
    offers = scene.offers()
    asking = [asyncio.create_task(offers.refresh([SKU])) for _ in range(100)]
    asking.append(asyncio.create_task(offers.refresh([SKU, OTHER])))
    await asyncio.sleep(0)
    scene.platform.gate.set()
    assert all(await asyncio.gather(*asking))
    assert scene.platform.asked == [(SKU,), (OTHER,)]


async def test_a_caller_who_hangs_up_does_not_stop_the_others() -> None:
    scene = Scene()
    scene.platform.gate.clear()
    offers = scene.offers()
    first = asyncio.create_task(offers.refresh([SKU]))
    second = asyncio.create_task(offers.refresh([SKU]))
    await asyncio.sleep(0)
    first.cancel()
    scene.platform.gate.set()
    assert await second


async def test_what_the_platform_does_not_sell_is_not_confirmed() -> None:
    scene = Scene()
    offers = scene.offers()
    assert not await offers.refresh(["gone"])
    assert not await offers.refresh(["gone"])
    assert scene.platform.asked == [("gone",)]
    assert offers.peek("gone") is None


async def test_a_platform_without_offers_is_not_asked() -> None:
    scene = Scene()
    scene.platform.capabilities = frozenset({Capability.ORDERS})
    assert not await scene.offers().refresh([SKU])
    assert scene.platform.asked == []


async def test_offers_that_come_by_another_way_are_taken_and_closing_stops_reading() -> None:
    scene = Scene()
    offers = scene.offers()
    offers.put([Offer(SKU, Decimal(1), "EUR", 1)])
    assert await offers.refresh([SKU])
    assert scene.platform.asked == []
    scene.platform.gate.clear()
    waiting = asyncio.create_task(offers.refresh([OTHER]))
    await asyncio.sleep(0)
    await offers.close()
    assert not await waiting


def test_the_platform_is_any_shop_platform() -> None:
    platform: ShopPlatform = BuiltinPlatform(demo())
    assert platform.name == "builtin"
