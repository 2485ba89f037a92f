"""The built-in store: changes are made, kept, and follow the pack's own rules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shop.connectors.platforms import demo
from voice_server.shop.connectors.builtin import BuiltinPlatform
from voice_server.shop.connectors.builtin_state import Article, Change, apply, sent_out, stock_taken
from voice_server.shop.connectors.ledger import JsonLines
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Capability,
    PlatformDown,
    PlatformOrder,
    Receipt,
    Refusal,
    Refused,
    Write,
)

TODAY = date(2026, 11, 25)
OPEN, DELIVERED, OLD = "BE-10510", "BE-10426", "BE-10305"


def store(journal: JsonLines | None = None, today: date = TODAY) -> BuiltinPlatform:
    return BuiltinPlatform(demo(), journal=journal, today=lambda: today)


def write(action: Capability, order: str, **values: str) -> Write:
    return Write(action, order, tuple(values.items()))


async def get(platform: BuiltinPlatform, number: str) -> PlatformOrder:
    order = await platform.find_order(number)
    assert order is not None
    return order


async def stock(platform: BuiltinPlatform, sku: str) -> int:
    (offer,) = await platform.offers([sku])
    return offer.stock


async def test_the_demo_has_an_order_for_every_flow() -> None:
    platform = store()
    orders = [await get(platform, record.number) for record in demo().orders]
    assert {order.status for order in orders} == set(OrderStatus)
    assert all(order.address and order.email and order.phone for order in orders)
    assert all(order.total > 0 and order.currency == "EUR" for order in orders)
    possible = set()
    for order in orders:
        line = order.items[0]
        other = {"siena-white-M": "siena-grey-L", "lola-white": "lola-blue"}.get(line.sku, "x")
        values = {"line_id": line.line_id, "quantity": "1", "sku": other, "text": "x"}
        values |= {"name": "A", "street": "B 1", "postcode": "1", "city": "C", "country": "BE"}
        for action in Capability:
            if not platform.refusal(write(action, order.number, **values), order):
                possible.add(action)
    assert possible == set(Capability) - {Capability.ORDERS, Capability.OFFERS}


async def test_changes_survive_a_restart(tmp_path: Path) -> None:
    journal = JsonLines(tmp_path / "orders.jsonl")
    platform = store(journal)
    done = await platform.write(
        write(Capability.RETURN_ITEMS, DELIVERED, line_id="2", quantity="1", reason="x"), key="a"
    )
    await platform.write(write(Capability.CANCEL_ORDER, OPEN), key="b")
    again = store(JsonLines(tmp_path / "orders.jsonl"))
    assert (await get(again, OPEN)).status is OrderStatus.CANCELLED
    assert (await get(again, DELIVERED)).returns == (done.reference,)
    assert done == Receipt("R10426-1")


async def test_strange_kept_changes_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = JsonLines(tmp_path / "orders.jsonl")
    journal.append({"key": "a", "action": "cancel_order", "order": OPEN})
    journal.append({"key": "b", "action": "explode", "order": "", "values": {}, "reference": ""})
    assert (await get(store(journal), OPEN)).status is OrderStatus.PROCESSING
    assert caplog.text.count("left out") == 2


async def test_the_days_to_change_ones_mind() -> None:
    platform = store()
    back = write(Capability.RETURN_ITEMS, OLD, line_id="1", quantity="1")
    order = await get(platform, OLD)
    assert platform.refusal(back, order) == Refusal.RETURN_WINDOW
    with pytest.raises(Refused, match=Refusal.RETURN_WINDOW):
        await platform.write(back, key="k")
    fresh = await get(platform, DELIVERED)
    assert fresh.expected is not None
    last = fresh.expected + timedelta(days=demo().policies.return_days)
    assert platform._returnable(fresh.expected)
    assert store(today=last)._returnable(fresh.expected)
    assert not store(today=last + timedelta(days=1))._returnable(fresh.expected)


async def test_items_that_are_changed_cancelled_and_exchanged() -> None:
    platform = store()
    before = await get(platform, OPEN)
    assert await stock(platform, "lola-blue") == 10
    change = write(Capability.CHANGE_ITEM, OPEN, line_id="1", quantity="1", sku="lola-blue")
    await platform.write(change, key="a")
    after = await get(platform, OPEN)
    assert [(line.sku, line.quantity) for line in after.items[:2]] == [
        ("lola-white", 1),
        ("lola-blue", 1),
    ]
    assert after.total == before.total
    assert await stock(platform, "lola-blue") == 9
    assert await stock(platform, "lola-white") == 17
    whole = write(Capability.CHANGE_ITEM, OPEN, line_id="1", quantity="1", sku="lola-blue")
    await platform.write(whole, key="b")
    assert [line.line_id for line in (await get(platform, OPEN)).items if "lola" in line.sku] == [
        "1",
        after.items[1].line_id,
    ]
    await platform.write(write(Capability.CANCEL_ITEM, OPEN, line_id="2", quantity="1"), key="c")
    left = await get(platform, OPEN)
    assert "vesta-black" not in [line.sku for line in left.items]
    assert left.total == before.total - Decimal("49.90")
    assert await stock(platform, "vesta-black") == 19
    swap = write(Capability.EXCHANGE_ITEM, DELIVERED, line_id="1", quantity="1", sku="siena-grey-L")
    assert (await platform.write(swap, key="d")).reference == "X10426-1"
    assert await stock(platform, "siena-grey-L") == 7
    order = await get(platform, DELIVERED)
    assert order.items[0].returnable == 0
    assert platform.refusal(swap, order) == Refusal.NOT_RETURNABLE


@pytest.mark.parametrize(
    ("sku", "reason"),
    [
        ("nothing", Refusal.UNKNOWN_ITEM),
        ("lola-green", Refusal.OUT_OF_STOCK),
        ("vesta-black", Refusal.PRICE_HIGHER),
        ("panda-green", ""),
    ],
)
async def test_what_may_be_taken_instead(sku: str, reason: str) -> None:
    platform = store()
    order = await get(platform, OPEN)
    change = write(Capability.CHANGE_ITEM, OPEN, line_id="1", quantity="1", sku=sku)
    assert platform.refusal(change, order) == reason


@pytest.mark.parametrize("pieces", ["0", "", "many"])
def test_a_change_of_no_pieces_changes_nothing(pieces: str) -> None:
    record = next(one for one in demo().orders if one.number == OPEN)
    order = store()._base(record)
    swap = write(Capability.CHANGE_ITEM, OPEN, line_id="1", quantity=pieces, sku="a")
    articles = {"a": Article("a", "a", Decimal(1), 9)}
    assert apply(order, Change("k", swap), articles) == order


async def test_lines_that_are_split_again_and_again_keep_their_own_ids() -> None:
    record = next(one for one in demo().orders if one.number == OPEN)
    base = store()._base(record)
    order = replace(base, items=(replace(base.items[0], quantity=5), base.items[1]))
    articles = {sku: Article(sku, sku, Decimal(1), 9) for sku in ("a", "b", "c")}
    for sku, gone in (("a", "2"), ("b", ""), ("c", "")):
        swap = write(Capability.CHANGE_ITEM, OPEN, line_id="1", quantity="1", sku=sku)
        order = apply(order, Change("k", swap), articles)
        drop = write(Capability.CANCEL_ITEM, OPEN, line_id=gone, quantity="1")
        order = apply(order, Change("k", drop), articles)
    assert sorted(line.line_id for line in order.items) == ["1", "1.2", "1.3", "1.4"]


async def test_cancelling_puts_things_back_on_the_shelf() -> None:
    platform = store()
    had = await stock(platform, "lola-white")
    change = write(Capability.CHANGE_ITEM, OPEN, line_id="1", quantity="1", sku="lola-blue")
    await platform.write(change, key="a")
    await platform.write(write(Capability.CANCEL_ORDER, OPEN), key="b")
    assert await stock(platform, "lola-white") == had + 2
    assert await stock(platform, "lola-blue") == 10


async def test_an_address_changes_the_postcode_and_notes_are_for_staff() -> None:
    platform = store()
    values = {"name": "A B", "street": "C 1", "postcode": "1060", "city": "D", "country": "be"}
    await platform.write(write(Capability.CHANGE_ADDRESS, OPEN, **values), key="a")
    order = await get(platform, OPEN)
    assert order.postcode == "1060"
    assert order.address is not None
    assert order.address.country == "BE"
    await platform.write(write(Capability.NOTE, OPEN, text="Ring twice"), key="b")
    assert platform.notes(OPEN) == ("Ring twice",)


async def test_erasing_takes_personal_words_out_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    platform = store(JsonLines(path))
    values = {"name": "A B", "street": "Secret 1", "postcode": "1", "city": "D", "country": "BE"}
    await platform.write(write(Capability.CHANGE_ADDRESS, OPEN, **values), key="a")
    await platform.write(write(Capability.NOTE, OPEN, text="Secret words"), key="b")
    await platform.write(write(Capability.CANCEL_ORDER, OPEN), key="c")
    await platform.erase(OPEN)
    assert "Secret" not in path.read_text()
    assert platform.notes(OPEN) == ()
    assert (await get(platform, OPEN)).status is OrderStatus.CANCELLED


class FullDisk:
    def read(self) -> list[dict[str, Any]]:
        return []

    def append(self, record: Mapping[str, Any]) -> None:
        raise OSError(28, "No space left on device")

    def rewrite(self, records: Iterable[Mapping[str, Any]]) -> None:
        raise OSError(28, "No space left on device")


async def test_what_cannot_be_kept_is_not_done() -> None:
    platform = BuiltinPlatform(demo(), journal=FullDisk(), today=lambda: TODAY)
    with pytest.raises(PlatformDown, match="No space left"):
        await platform.write(write(Capability.CANCEL_ORDER, OPEN), key="a")
    assert (await get(platform, OPEN)).status is OrderStatus.PROCESSING
    with pytest.raises(PlatformDown):
        await platform.erase(OPEN)


async def test_a_cancelled_call_leaves_memory_and_file_alike(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    platform = store(JsonLines(path))
    task = asyncio.create_task(platform.write(write(Capability.CANCEL_ORDER, OPEN), key="a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    receipt = await platform.write(write(Capability.CANCEL_ORDER, OPEN), key="a")
    assert receipt == Receipt()
    assert len(JsonLines(path).read()) == 1


ARTICLES = {
    "lola-blue": Article("lola-blue", "Mug", Decimal("24.90"), 10),
    "panda-green": Article("panda-green", "Box", Decimal("18.90"), 21),
}
CHANGES = st.builds(
    Change,
    key=st.text(max_size=3),
    write=st.builds(
        Write,
        st.sampled_from([*Capability]),
        st.just(OPEN),
        st.dictionaries(
            st.sampled_from(["line_id", "sku", "quantity", "text", "postcode", "name"]),
            st.sampled_from(["1", "2", "3", "", "lola-blue", "panda-green", "9"]),
        ).map(lambda values: tuple(values.items())),
    ),
    reference=st.text(max_size=4),
)


@settings(max_examples=150)
@given(st.lists(CHANGES, max_size=8))
def test_any_changes_leave_a_whole_order(changes: list[Change]) -> None:
    record = next(one for one in demo().orders if one.number == OPEN)
    first = order = store()._base(record)
    for change in changes:
        assert Change.read(change.record()).write.digest == change.write.digest
        order = apply(order, change, ARTICLES)
        assert order.number == OPEN
        assert all(line.quantity > 0 and line.returnable >= 0 for line in order.items)
        assert len({line.line_id for line in order.items}) == len(order.items)
        assert order.total == sum((line.price * line.quantity for line in order.items), Decimal(0))
    assert sent_out("lola-blue", changes) >= 0
    assert stock_taken("lola-white", first, order) <= 0
