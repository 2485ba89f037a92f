"""What an order's state allows: the rules every platform shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.shop.connectors import rules
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Address,
    Capability,
    PlatformItem,
    PlatformOrder,
    Refusal,
    Write,
)

HOME = Address("Claire Dumont", "Rue de Fer 3", "5000", "Namur", "BE")
MUG = PlatformItem("1", "mug", "Mug", 2, Decimal(10))
ORDER = PlatformOrder(
    number="1001",
    status=OrderStatus.PROCESSING,
    items=(MUG,),
    ordered=date(2026, 11, 20),
    expected=None,
    total=Decimal(20),
    currency="EUR",
    postcode="5000",
    address=HOME,
)
ALL = frozenset(Capability)


def asked(action: Capability, **values: str) -> Write:
    return Write(action, "1001", tuple(values.items()))


def returned(pieces: int, status: OrderStatus = OrderStatus.DELIVERED) -> PlatformOrder:
    return replace(ORDER, status=status, items=(replace(MUG, returnable=pieces),))


@pytest.mark.parametrize(
    ("status", "tracking", "reason"),
    [
        (OrderStatus.PENDING_PAYMENT, "", ""),
        (OrderStatus.PROCESSING, "", ""),
        (OrderStatus.DELAYED, "", ""),
        (OrderStatus.DELAYED, "323212", Refusal.SHIPPED),
        (OrderStatus.READY_FOR_PICKUP, "", Refusal.SHIPPED),
        (OrderStatus.SHIPPED, "", Refusal.SHIPPED),
        (OrderStatus.DELIVERED, "", Refusal.SHIPPED),
        (OrderStatus.CANCELLED, "", Refusal.CLOSED),
        (OrderStatus.RETURN_RECEIVED, "", Refusal.CLOSED),
        (OrderStatus.REFUNDED, "", Refusal.CLOSED),
    ],
)
def test_only_what_has_not_left_is_cancelled(
    status: OrderStatus, tracking: str, reason: str
) -> None:
    order = replace(ORDER, status=status, tracking=tracking)
    assert rules.refusal(asked(Capability.CANCEL_ORDER), order, ALL) == reason


@pytest.mark.parametrize(
    ("order", "write", "reason"),
    [
        (ORDER, asked(Capability.OFFERS), Refusal.UNSUPPORTED),
        (ORDER, asked(Capability.ORDERS), Refusal.UNSUPPORTED),
        (ORDER, Write(Capability.CANCEL_ORDER, "1002"), Refusal.UNKNOWN_ORDER),
        (returned(0), asked(Capability.NOTE, text="hello"), ""),
        (ORDER, asked(Capability.CANCEL_ITEM, line_id="1", quantity="2"), Refusal.LAST_ITEM),
        (ORDER, asked(Capability.CANCEL_ITEM, line_id="1", quantity="1"), ""),
        (ORDER, asked(Capability.CANCEL_ITEM, line_id="1", quantity="٣"), Refusal.INVALID),
        (ORDER, asked(Capability.CANCEL_ITEM, line_id="1", quantity="99999"), Refusal.INVALID),
        (ORDER, asked(Capability.CHANGE_ITEM, line_id="1", quantity="1", sku="cup"), ""),
        (
            ORDER,
            asked(Capability.CHANGE_ITEM, line_id="1", quantity="1", sku="mug"),
            Refusal.UNCHANGED,
        ),
        (
            ORDER,
            asked(Capability.CHANGE_ITEM, line_id="1", quantity="1", sku="a\nb"),
            Refusal.INVALID,
        ),
        (ORDER, asked(Capability.CHANGE_ITEM, line_id="1", quantity="1"), Refusal.INVALID),
        (
            ORDER,
            asked(
                Capability.CHANGE_ADDRESS,
                name="Claire Dumont",
                street="Rue de Fer 3",
                postcode="5000",
                city="Namur",
                country="be",
            ),
            Refusal.UNCHANGED,
        ),
        (returned(2), asked(Capability.RETURN_ITEMS, line_id="1", quantity="2"), ""),
        (returned(1), asked(Capability.RETURN_ITEMS, line_id="1", quantity="2"), Refusal.QUANTITY),
        (
            returned(0),
            asked(Capability.RETURN_ITEMS, line_id="1", quantity="1"),
            Refusal.NOT_RETURNABLE,
        ),
        (
            returned(1),
            asked(Capability.RETURN_ITEMS, line_id="2", quantity="1"),
            Refusal.UNKNOWN_LINE,
        ),
        (returned(1), asked(Capability.RETURN_ITEMS, line_id="1"), Refusal.INVALID),
        # a part of the order has arrived already
        (
            returned(1, OrderStatus.SHIPPED),
            asked(Capability.RETURN_ITEMS, line_id="1", quantity="1"),
            "",
        ),
        (
            returned(0, OrderStatus.SHIPPED),
            asked(Capability.RETURN_ITEMS, line_id="1", quantity="1"),
            Refusal.NOT_DELIVERED,
        ),
        (
            returned(1),
            asked(Capability.EXCHANGE_ITEM, line_id="1", quantity="1", sku="cup"),
            "",
        ),
        (
            returned(1),
            asked(Capability.EXCHANGE_ITEM, line_id="1", quantity="1", sku="mug"),
            Refusal.UNCHANGED,
        ),
    ],
)
def test_each_reason(order: PlatformOrder, write: Write, reason: str) -> None:
    assert rules.refusal(write, order, ALL) == reason


def test_what_the_platform_cannot_do_is_unsupported() -> None:
    assert rules.refusal(asked(Capability.NOTE, text="x"), ORDER, {Capability.ORDERS}) == (
        Refusal.UNSUPPORTED
    )


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"street": "x" * 200},
        {"city": "Namur\r\nX-Header: 1"},
        {"country": "BEL"},
        {"country": "B1"},
        {"postcode": " "},
    ],
)
def test_addresses_that_make_no_sense(values: dict[str, str]) -> None:
    good = {"name": "A B", "street": "S 1", "postcode": "1", "city": "C", "country": "BE"}
    assert rules.address(asked(Capability.CHANGE_ADDRESS, **good)) is not None
    assert rules.address(asked(Capability.CHANGE_ADDRESS, **good, **{})) is not None
    wrong = asked(Capability.CHANGE_ADDRESS, **{**good, **values})
    assert rules.refusal(wrong, ORDER, ALL) == Refusal.INVALID


@given(
    st.sampled_from([*Capability]),
    st.sampled_from([*OrderStatus]),
    st.dictionaries(
        st.sampled_from(["line_id", "sku", "quantity", "text", "name", "street", "country"]),
        st.text(max_size=6) | st.sampled_from(["1", "2", "mug"]),
    ),
    st.integers(0, 3),
)
def test_any_write_is_possible_or_has_a_reason(
    action: Capability, status: OrderStatus, values: dict[str, str], returnable: int
) -> None:
    order = returned(returnable, status)
    reason = rules.refusal(asked(action, **values), order, ALL)
    assert reason == "" or reason in list(Refusal)
    if reason == "" and action is Capability.CANCEL_ORDER:
        assert rules.is_open(order)
    if reason == "" and action is Capability.RETURN_ITEMS:
        assert 1 <= int(values["quantity"]) <= returnable


@given(
    st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=4),
    st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=4),
)
def test_a_digest_is_of_what_is_said(
    one: list[tuple[str, str]], two: list[tuple[str, str]]
) -> None:
    first, second = (Write(Capability.NOTE, "1", tuple(values)) for values in (one, two))
    assert (first.digest == second.digest) == (sorted(one) == sorted(two))
    assert first.digest != Write(Capability.CANCEL_ORDER, "1", tuple(one)).digest
    assert first.digest != Write(Capability.NOTE, "2", tuple(one)).digest
