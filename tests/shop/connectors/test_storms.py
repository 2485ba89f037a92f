"""Storms of faults: whatever goes wrong and however often it is tried, a change happens once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fakes.shops.server import Fault, Kind
from tests.shop.connectors.platforms import VENDORS, Case, opened
from tests.shop.connectors.test_conformance import fitting, happened, lines_touched
from voice_server.shop.platform import (
    Capability,
    OutcomeUnknown,
    PlatformDown,
    Receipt,
    ShopPlatform,
)

KINDS: tuple[Kind, ...] = ("status", "drop", "drop_after", "hang", "hang_after", "garbage", "shape")
STORMS = 8


def storm(dice: random.Random) -> list[Fault]:
    """Up to five faults, on reads and writes."""
    return [
        Fault(
            dice.choice(KINDS),
            dice.choice(("read", "write")),
            times=dice.randint(1, 3),
            status=dice.choice((429, 500, 502, 503)),
        )
        for _ in range(dice.randint(1, 5))
    ]


async def until_it_is_told(case: Case, platform: ShopPlatform, action: Capability) -> None:
    write = await fitting(case, action)
    before = await case.order(write.order)
    dice = random.Random(f"{case.kind.name}{action}{case.time.ahead}")  # noqa: S311
    case.fake.faults = storm(dice)
    for _ in range(40):
        case.time.ahead += 20  # the breaker has rested
        try:
            receipt = await platform.write(write, key="k1")
        except (PlatformDown, OutcomeUnknown):
            assert len(case.fake.world.performed) <= lines_touched(case, write)
            platform = case.again()  # and our server was restarted, too
            continue
        break
    else:
        pytest.fail("it was never told")
    assert isinstance(receipt, Receipt)
    assert len(case.fake.world.performed) == lines_touched(case, write)
    case.fake.faults = []
    case.time.ahead += 20
    assert happened(write, before, await case.order(write.order))


@pytest.mark.parametrize("seed", range(STORMS))
@pytest.mark.parametrize("name", VENDORS)
async def test_a_storm(name: str, seed: int, tmp_path: Path) -> None:
    async with opened(name, tmp_path) as case:
        case.time.ahead = float(seed)
        action = case.kind.able[seed % len(case.kind.able)]
        await until_it_is_told(case, case.platform, action)
