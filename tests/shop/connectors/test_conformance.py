"""What every platform must do, whatever its vendor: one suite, all siblings pass it."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.shops.server import Fault
from tests.fakes.shops.world import EMAIL, PHONE
from tests.shop.connectors.platforms import KINDS, SECRETS, VENDORS, Case, opened
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Capability,
    OutcomeUnknown,
    PlatformDown,
    PlatformError,
    PlatformOrder,
    Receipt,
    Refusal,
    Refused,
    Write,
)

ADDRESS = {
    "name": "Claire Dumont",
    "street": "Rue de l'Église 12 b",
    "postcode": "5002",
    "city": "Namur",
    "country": "BE",
}
EACH = [(name, action) for name, kind in KINDS.items() for action in kind.able]
"""Every platform with every write it can do."""
LOST = [
    (name, action, fault)
    for name, action in EACH
    if name in VENDORS
    for fault in ("drop_after", "drop", "hang_after", "hang", "status", "shape")
    # a mapping without 'reference' does not look at the answer
    if not (name in {"rest", "mcp"} and fault == "shape")
]


@pytest.fixture(params=list(KINDS))
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    async with opened(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=VENDORS)
async def vendor(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    async with opened(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=[name for name in VENDORS if name != "mcp"])
async def http_vendor(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    """The MCP client keeps HTTP's statuses and headers to itself."""
    async with opened(request.param, tmp_path) as found:
        yield found


async def fitting(case: Case, action: Capability) -> Write:
    """A write of this kind that is possible."""
    kind = case.kind
    going_back = action in {Capability.RETURN_ITEMS, Capability.EXCHANGE_ITEM}
    number = kind.delivered if going_back else kind.open
    line = await case.line(number)
    pieces = line.quantity if kind.whole_lines else 1
    if action is Capability.EXCHANGE_ITEM:
        other = {"siena-white-M": "siena-grey-L"}[line.sku]
    else:
        other = kind.other_sku
    by_action: dict[Capability, dict[str, str]] = {
        Capability.CANCEL_ORDER: {"reason": "ordered twice"},
        Capability.CHANGE_ADDRESS: ADDRESS,
        Capability.NOTE: {"text": 'Please ring twice; "thanks" \\ {number}'},
        Capability.RETURN_ITEMS: {"reason": "too small"},
        Capability.EXCHANGE_ITEM: {"sku": other, "reason": "size"},
        Capability.CHANGE_ITEM: {"sku": other},
        Capability.CANCEL_ITEM: {},
    }
    values = dict(by_action[action])
    if action in {
        Capability.CANCEL_ITEM,
        Capability.CHANGE_ITEM,
        Capability.RETURN_ITEMS,
        Capability.EXCHANGE_ITEM,
    }:
        values |= {"line_id": line.line_id, "quantity": str(pieces)}
    return Write(action, number, tuple(values.items()))


def happened(write: Write, before: PlatformOrder, after: PlatformOrder) -> bool:
    """The change is there to be read; notes are not read, the fakes count them."""
    match write.action:
        case Capability.CANCEL_ORDER:
            return after.status is OrderStatus.CANCELLED
        case Capability.CHANGE_ADDRESS:
            address = after.address
            return (
                address is not None
                and address.street == ADDRESS["street"]
                and after.postcode == "5002"
                and address.name == "Claire Dumont"
            )
        case Capability.CANCEL_ITEM:
            left = sum(line.quantity for line in before.items) - int(write.value("quantity"))
            return sum(line.quantity for line in after.items) == left and after.total < before.total
        case Capability.CHANGE_ITEM:
            skus = {line.sku: line.quantity for line in after.items}
            pieces = sum(skus.values()) == sum(line.quantity for line in before.items)
            return pieces and skus.get(write.value("sku")) == 1
        case Capability.RETURN_ITEMS | Capability.EXCHANGE_ITEM:
            return (
                len(after.returns) == len(before.returns) + 1
                and after.items[0].returnable == before.items[0].returnable - 1
            )
        case _:
            return True


async def able(case: Case) -> list[Write]:
    return [await fitting(case, one) for one in case.kind.able]


# -- reading ----------------------------------------------------------------------------------


async def test_an_order_is_found_by_its_number(case: Case) -> None:
    order = await case.order(case.kind.open)
    assert order.number == case.kind.open
    assert order.status is OrderStatus.PROCESSING
    assert order.currency == "EUR"
    assert isinstance(order.total, Decimal)
    assert order.total == sum(line.price * line.quantity for line in order.items)
    assert order.postcode == "5000"
    assert order.address is not None
    assert (order.address.street, order.address.city) == ("Rue de Fer 3", "Namur")
    assert order.address.name == "Claire Dumont"
    first = order.items[0]
    assert (first.sku, first.quantity, first.returnable) == (case.kind.sku, 2, 0)
    assert first.title
    assert first.line_id


async def test_a_parcel_on_its_way_has_a_code(case: Case) -> None:
    order = await case.order(case.kind.shipped)
    assert order.status is OrderStatus.SHIPPED
    assert order.tracking.startswith("3232")


async def test_a_delivered_order_says_so_if_the_platform_knows(case: Case) -> None:
    order = await case.order(case.kind.delivered)
    known = case.kind.name != "woocommerce"  # "completed" is all it says
    assert order.status is (OrderStatus.DELIVERED if known else OrderStatus.SHIPPED)


@pytest.mark.parametrize(
    "number",
    [
        *("9999", "#9999", "", "..", "../1001", "1001/../1002", '1001" OR "', "1001 OR 1002"),
        *("é", "%00", "10", "100", "1" * 200, "1001?x=1", "\n1001", "٣"),
    ],
)
async def test_other_numbers_find_nothing(case: Case, number: str) -> None:
    assert await case.platform.find_order(number) is None


async def test_orders_of_a_customer(case: Case) -> None:
    kind = case.kind
    found = await case.platform.find_orders(email=kind.email.upper())
    if kind.reads_email and kind.name in {"builtin", "woocommerce"}:
        assert kind.open in [order.number for order in found]
    found = await case.platform.find_orders(email=kind.email)
    numbers = [order.number for order in found]
    if not kind.reads_email:
        assert numbers == []
        return
    wanted = {"builtin": [kind.open, kind.shipped]}.get(kind.name, [kind.open, kind.delivered])
    assert numbers == wanted
    assert [order.number for order in await case.platform.find_orders(phone=PHONE)] == wanted


@pytest.mark.parametrize("email", ["", "nobody@mail.example", '" OR 1', "mail.example", "@"])
async def test_nobody_elses_orders(case: Case, email: str) -> None:
    assert not await case.platform.find_orders(email=email)


async def test_offers_are_read_for_the_skus_it_knows(case: Case) -> None:
    sku, other = case.kind.sku, case.kind.other_sku
    found = {one.sku: one for one in await case.platform.offers([sku, other, "GONE", sku])}
    assert set(found) == {sku, other}
    assert found[sku].price > 0
    assert found[sku].stock > 0
    assert found[sku].currency == "EUR"
    assert await case.platform.offers([]) == () or await case.platform.offers([]) == []


# -- writing ----------------------------------------------------------------------------------


async def test_capabilities_are_what_the_suite_believes(case: Case) -> None:
    platform = case.platform
    assert set(platform.capabilities) == {
        *case.kind.able,
        Capability.ORDERS,
        Capability.OFFERS,
    }
    assert platform.name == case.kind.name


async def test_what_it_cannot_do_is_refused_as_unsupported(case: Case) -> None:
    order = await case.order(case.kind.open)
    for action in {*Capability} - set(case.kind.able):
        write = Write(action, case.kind.open)
        assert case.platform.refusal(write, order) == Refusal.UNSUPPORTED
        with pytest.raises(Refused, match=Refusal.UNSUPPORTED):
            await case.platform.write(write, key="k")


@pytest.mark.parametrize(("name", "action"), EACH)
async def test_a_write_is_done(name: str, action: Capability, tmp_path: Path) -> None:
    async with opened(name, tmp_path) as case:
        write = await fitting(case, action)
        before = await case.order(write.order)
        assert case.platform.refusal(write, before) == ""
        receipt = await case.platform.write(write, key="k1")
        after = await case.order(write.order)
        assert happened(write, before, after)
        if action in {Capability.RETURN_ITEMS, Capability.EXCHANGE_ITEM}:
            assert receipt.reference
            assert receipt.reference == after.returns[-1]


@pytest.mark.parametrize(("name", "action"), EACH)
async def test_the_same_key_writes_once(name: str, action: Capability, tmp_path: Path) -> None:
    async with opened(name, tmp_path) as case:
        write = await fitting(case, action)
        first = await case.platform.write(write, key="k1")
        state = await case.order(write.order)
        assert await case.platform.write(write, key="k1") == first
        # ... and after a restart too
        assert await case.again().write(write, key="k1") == first
        assert await case.order(write.order) == state
        if case.server:
            assert len(case.fake.world.performed) == lines_touched(case, write)


def lines_touched(case: Case, write: Write) -> int:
    """How many changes the fake counts for one write: bol cancels line by line."""
    whole = case.kind.name == "bol" and write.action is Capability.CANCEL_ORDER
    return 2 if whole else 1


async def test_a_key_is_bound_to_its_write(case: Case) -> None:
    write, *_ = await able(case)
    await case.platform.write(write, key="k1")
    other = Write(write.action, write.order, (*write.values, ("reason", "something else")))
    with pytest.raises(Refused, match=Refusal.KEY_REUSED):
        await case.platform.write(other, key="k1")


async def test_the_dry_run_and_the_write_refuse_alike(case: Case) -> None:
    kind, platform = case.kind, case.platform
    line = await case.line(kind.open)
    last = await case.line(kind.shipped)
    wrong = [
        (Write(Capability.CANCEL_ORDER, kind.shipped), Refusal.SHIPPED),
        (Write(Capability.CHANGE_ADDRESS, kind.shipped, tuple(ADDRESS.items())), Refusal.SHIPPED),
        (Write(Capability.CHANGE_ADDRESS, kind.open, (("city", "Namur"),)), Refusal.INVALID),
        (
            Write(Capability.CHANGE_ADDRESS, kind.open, (*ADDRESS.items(), ("country", "Belgium"))),
            Refusal.INVALID,
        ),
        (
            Write(Capability.CANCEL_ITEM, kind.open, (("line_id", "x"), ("quantity", "1"))),
            Refusal.UNKNOWN_LINE,
        ),
        (
            Write(
                Capability.CANCEL_ITEM,
                kind.open,
                (("line_id", line.line_id), ("quantity", "3")),
            ),
            Refusal.QUANTITY,
        ),
        (
            Write(
                Capability.CANCEL_ITEM,
                kind.open,
                (("line_id", line.line_id), ("quantity", "-1")),
            ),
            Refusal.INVALID,
        ),
        (
            Write(
                Capability.RETURN_ITEMS,
                kind.shipped,
                (("line_id", last.line_id), ("quantity", "1")),
            ),
            Refusal.NOT_DELIVERED,
        ),
        (Write(Capability.NOTE, kind.open, (("text", "  "),)), Refusal.INVALID),
        (Write(Capability.NOTE, kind.open, (("text", "x" * 2000),)), Refusal.INVALID),
    ]
    tried = 0
    for write, reason in wrong:
        if write.action not in platform.capabilities:
            continue
        tried += 1
        assert platform.refusal(write, await case.order(write.order)) == reason, write
        with pytest.raises(Refused, match=f"^{reason}$"):
            await platform.write(write, key=f"k{tried}")
    assert tried >= 1
    if case.server:
        assert case.fake.world.performed == []


async def test_an_unknown_order_is_refused(case: Case) -> None:
    write = Write(Capability.CANCEL_ORDER, "9999")
    with pytest.raises(Refused, match=Refusal.UNKNOWN_ORDER):
        await case.platform.write(write, key="k")
    order = await case.order(case.kind.open)
    assert case.platform.refusal(write, order) == Refusal.UNKNOWN_ORDER


async def test_what_is_cancelled_is_closed(case: Case) -> None:
    cancel = await fitting(case, Capability.CANCEL_ORDER)
    address = await fitting(case, Capability.CHANGE_ADDRESS)
    await case.platform.write(cancel, key="k1")
    order = await case.order(cancel.order)
    assert case.platform.refusal(cancel, order) == Refusal.CLOSED
    with pytest.raises(Refused, match=Refusal.CLOSED):
        await case.platform.write(cancel, key="k2")
    if Capability.CHANGE_ADDRESS in case.platform.capabilities:
        assert case.platform.refusal(address, order) == Refusal.CLOSED


async def test_the_same_write_at_once_from_many_tasks_is_done_once(case: Case) -> None:
    write = await fitting(case, Capability.CANCEL_ORDER)
    same = await asyncio.gather(*(case.platform.write(write, key="k1") for _ in range(5)))
    assert len(set(same)) == 1
    others = await asyncio.gather(
        *(case.platform.write(write, key=f"other{n}") for n in range(3)), return_exceptions=True
    )
    assert all(isinstance(one, Refused) for one in others)
    if case.server:
        assert len(case.fake.world.performed) == lines_touched(case, write)


# -- when things go wrong ---------------------------------------------------------------------


async def test_an_outage_is_told_and_changes_nothing(vendor: Case) -> None:
    write = (await able(vendor))[0]
    await vendor.fake.stop()
    with pytest.raises(PlatformDown):
        await vendor.platform.find_order(vendor.kind.open)
    with pytest.raises(PlatformDown):
        await vendor.platform.offers([vendor.kind.sku])
    with pytest.raises(PlatformDown):
        await vendor.platform.write(write, key="k1")
    assert vendor.fake.world.performed == []


@pytest.mark.parametrize("kind", ["status", "drop", "garbage"])
async def test_reads_are_tried_again(vendor: Case, kind: str) -> None:
    if kind == "garbage":
        vendor.fake.faults = [Fault("garbage", times=99)]
        with pytest.raises(PlatformDown):
            await vendor.order(vendor.kind.open)
        return
    vendor.fake.faults = [Fault(kind, status=503)]  # type: ignore[arg-type]
    assert (await vendor.order(vendor.kind.open)).number == vendor.kind.open


async def test_broken_for_ever_is_down_and_then_left_alone(vendor: Case) -> None:
    vendor.fake.faults = [Fault("status", times=999)]
    for _ in range(4):
        with pytest.raises(PlatformDown):
            await vendor.platform.find_order(vendor.kind.open)
    asked = len(vendor.fake.requests)
    with pytest.raises(PlatformDown):
        await vendor.platform.find_order(vendor.kind.open)
    assert len(vendor.fake.requests) == asked  # the breaker is open
    vendor.time.ahead += 60
    vendor.fake.faults = []
    assert (await vendor.order(vendor.kind.open)).number == vendor.kind.open


async def test_retry_after_is_obeyed(http_vendor: Case) -> None:
    http_vendor.fake.faults = [Fault("status", status=429, headers={"Retry-After": "0.4"})]
    assert (await http_vendor.order(http_vendor.kind.open)).number == http_vendor.kind.open
    assert 0.4 in http_vendor.time.slept
    http_vendor.fake.faults = [Fault("status", times=9, status=429, headers={"Retry-After": "600"})]
    with pytest.raises(PlatformDown):
        await http_vendor.platform.find_order(http_vendor.kind.open)
    assert 600 not in http_vendor.time.slept


async def test_a_write_asked_too_often_was_not_done_and_is_tried_again(http_vendor: Case) -> None:
    write = (await able(http_vendor))[0]
    http_vendor.fake.faults = [Fault("status", "write", status=429, headers={"Retry-After": "0.2"})]
    assert isinstance(await http_vendor.platform.write(write, key="k1"), Receipt)
    assert len(http_vendor.fake.world.performed) == lines_touched(http_vendor, write)


@pytest.mark.parametrize(("name", "action", "fault"), LOST)
async def test_a_lost_answer_leaves_the_outcome_unknown_and_a_retry_looks_first(
    name: str, action: Capability, fault: str, tmp_path: Path
) -> None:
    async with opened(name, tmp_path) as vendor:
        await lose_the_answer(vendor, action, fault)


async def lose_the_answer(vendor: Case, action: Capability, kind: str) -> None:
    write = await fitting(vendor, action)
    before = await vendor.order(write.order)
    vendor.fake.faults = [Fault(kind, "write")]  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        await vendor.platform.write(write, key="k1")
    done = len(vendor.fake.world.performed)
    assert done == (lines_touched(vendor, write) if "after" in kind or kind == "shape" else 0)
    if action is not Capability.NOTE:
        # What callers do: read the order again, which tells the truth.
        assert happened(write, before, await vendor.order(write.order)) == bool(done)
    # A retry with the same key, even after a restart: done exactly once.
    receipt = await vendor.again().write(write, key="k1")
    assert len(vendor.fake.world.performed) == lines_touched(vendor, write)
    after = await vendor.order(write.order)
    assert happened(write, before, after)
    if action is Capability.RETURN_ITEMS:
        assert receipt.reference == after.returns[-1]


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_a_write_the_vendor_refuses_changed_nothing_and_may_be_tried_again(
    http_vendor: Case, status: int
) -> None:
    write = (await able(http_vendor))[0]
    http_vendor.fake.faults = [Fault("status", "write", status=status)]
    with pytest.raises((Refused, PlatformDown)) as refusal:
        await http_vendor.platform.write(write, key="k1")
    assert str(refusal.value)
    assert http_vendor.fake.world.performed == []
    await http_vendor.platform.write(write, key="k1")
    assert len(http_vendor.fake.world.performed) == lines_touched(http_vendor, write)


@pytest.mark.parametrize("status", [400, 406, 418])
async def test_reads_the_vendor_does_not_understand(http_vendor: Case, status: int) -> None:
    http_vendor.fake.faults = [Fault("status", times=9, status=status)]
    if http_vendor.kind.name == "bol" and status == 400:
        pass  # its word for a number that is none
    else:
        with pytest.raises(PlatformDown, match=str(status)):
            await http_vendor.platform.find_order(http_vendor.kind.open)
    with pytest.raises(PlatformDown, match=str(status)):
        await http_vendor.platform.offers([http_vendor.kind.sku])


async def test_a_platform_that_does_not_answer_is_given_up(vendor: Case) -> None:
    vendor.fake.faults = [Fault("hang", times=99)]
    with pytest.raises(PlatformDown):
        await vendor.platform.find_order(vendor.kind.open)
    assert vendor.time.asked_s
    assert max(vendor.time.asked_s) <= 3.0


async def test_a_cancelled_write_looks_first_when_it_is_tried_again(vendor: Case) -> None:
    write = (await able(vendor))[0]
    vendor.fake.faults = [Fault("hang_after", "write")]
    vendor.fake.on_hang = lambda: None
    task = asyncio.create_task(vendor.platform.write(write, key="k1"))
    await vendor.fake.done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await vendor.platform.write(write, key="k1")
    assert len(vendor.fake.world.performed) == lines_touched(vendor, write)


@pytest.mark.parametrize("fault", ["garbage", "shape"])
async def test_malformed_answers_are_an_outage_not_a_crash(vendor: Case, fault: str) -> None:
    vendor.fake.faults = [Fault(fault, times=99)]  # type: ignore[arg-type]
    with pytest.raises(PlatformDown):
        await vendor.platform.find_order(vendor.kind.open)
    vendor.time.ahead += 60  # the breaker has rested
    if Capability.OFFERS in vendor.platform.capabilities and vendor.kind.name not in {
        "rest",
        "mcp",
    }:
        with pytest.raises(PlatformDown):
            await vendor.platform.offers([vendor.kind.sku])


@pytest.mark.parametrize("name", VENDORS)
async def test_wrong_credentials_are_told_without_telling_them(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {key: f"WRONG-{value}" for key, value in SECRETS.items()}
    with caplog.at_level(logging.DEBUG, "voice_server"):
        async with opened(name, tmp_path, environ=wrong) as case:
            with pytest.raises(PlatformDown) as failure:
                await case.platform.find_order(case.kind.open)
            assert case.fake.world.performed == []
    told = "".join(traceback.format_exception(failure.value)) + caplog.text
    assert not [value for value in SECRETS.values() if value in told]


async def test_neither_errors_nor_logs_tell_secrets_or_personal_data(
    vendor: Case, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    kinds = ["status", "drop", "drop_after", "hang", "garbage", "shape"]
    with caplog.at_level(logging.DEBUG, "voice_server"):
        for place, kind in enumerate(kinds):
            for on in ("read", "write"):
                vendor.fake.faults = [Fault(kind, on, times=99)]  # type: ignore[arg-type]
                for write in (
                    Write(Capability.CHANGE_ADDRESS, vendor.kind.open, tuple(ADDRESS.items())),
                    Write(Capability.CANCEL_ORDER, vendor.kind.open, (("reason", EMAIL),)),
                ):
                    try:
                        await vendor.platform.find_orders(email=EMAIL)
                        await vendor.platform.write(write, key=f"{place}{on}{write.action}")
                    except PlatformError as error:
                        told.append("".join(traceback.format_exception(error)))
                vendor.time.ahead += 60
    text = "".join(told) + caplog.text
    assert len(told) >= len(kinds)
    for secret in (*SECRETS.values(), EMAIL, "Dumont", ADDRESS["street"], "oauth_signature"):
        assert secret not in text
