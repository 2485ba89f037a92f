"""Orders are found by number and postcode together, and never age."""

from __future__ import annotations

from datetime import date

import pytest

from voice_server.shop import pack
from voice_server.shop.orders import OrderBook, OrderStatus

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def orders() -> OrderBook:
    return pack.load(pack.resolve("demo")).orders


def test_both_proofs_find_an_order(orders: OrderBook) -> None:
    order = orders.find("BE-10482", "1000", today=TODAY)
    assert order is not None
    assert order.status is OrderStatus.SHIPPED
    assert order.expected == date(2026, 11, 25)
    assert order.ordered == date(2026, 11, 20)
    assert str(order.total) == "83.70"


@pytest.mark.parametrize(
    ("number", "postcode"),
    [("BE-10482", "1001"), ("BE-10482", ""), ("BE-99999", "1000"), ("", "")],
)
def test_everything_else_finds_nothing(orders: OrderBook, number: str, postcode: str) -> None:
    assert orders.find(number, postcode, today=TODAY) is None


def test_postcodes_are_compared_without_spaces_and_case(orders: OrderBook) -> None:
    assert orders.find("BE-10476", "1011ab", today=TODAY) is not None


@pytest.mark.parametrize("today", [date(2027, 5, 17), date(2031, 12, 26)])
def test_the_demo_never_ages(orders: OrderBook, today: date) -> None:
    for record in orders:
        order = orders.verified(record.number, today=today)
        assert order is not None
        assert order.ordered <= today
        if order.status in {OrderStatus.PROCESSING, OrderStatus.DELAYED}:
            assert order.expected is not None
            assert order.expected > today
        if order.status is OrderStatus.DELIVERED:
            assert order.expected is not None
            assert order.expected < today


def test_a_number_is_made_of_its_digits(orders: OrderBook) -> None:
    assert orders.number("10482") == "BE-10482"
    assert orders.verified(None, today=TODAY) is None
