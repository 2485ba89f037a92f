from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.live.fact_watch import FactWatch, changes
from voice_server.live.facts import FEW, ProductState
from voice_server.live.show_events import Change

LAMP = ProductState(Decimal("49.90"), (Decimal("49.90"), Decimal("59.90")), None, 40)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (LAMP, []),
        (None, [Change.GONE]),
        (replace(LAMP, price=Decimal(39), prices=(Decimal(39), Decimal(59))), [Change.PRICE]),
        (replace(LAMP, prices=(Decimal("49.90"), Decimal(65))), [Change.DETAIL]),
        (replace(LAMP, was=Decimal(60)), [Change.DETAIL]),
        (replace(LAMP, stock=0), [Change.SOLD_OUT]),
        (replace(LAMP, stock=FEW), [Change.LOW]),
        (replace(LAMP, stock=39), []),
        (replace(LAMP, price=Decimal(39), stock=0), [Change.PRICE, Change.SOLD_OUT]),
    ],
)
def test_what_is_told(now: ProductState | None, expected: list[Change]) -> None:
    assert changes(LAMP, now) == expected


def test_few_that_become_fewer_or_many_again_are_told_to_nobody_but_correct_what_is_said() -> None:
    few = replace(LAMP, stock=4)
    assert changes(few, replace(few, stock=3)) == [Change.DETAIL]
    assert changes(few, LAMP) == [Change.DETAIL]
    assert changes(replace(LAMP, stock=0), LAMP) == [Change.BACK]


def test_the_first_reading_after_the_packs_numbers_is_no_change_to_be_told() -> None:
    pack = replace(LAMP, read=False)
    assert changes(pack, replace(LAMP, price=Decimal(39))) == [Change.DETAIL]
    assert changes(None, LAMP) == [Change.DETAIL]


def test_a_watch_remembers_from_the_first_look() -> None:
    states: dict[str, ProductState | None] = {"oslo": LAMP, "nemo": None}

    class States:
        def state(self, product_id: str) -> ProductState | None:
            return states.get(product_id)

    watch = FactWatch(States())
    assert watch.look(["oslo", "nemo", "oslo"]) == []
    states["oslo"] = None
    states["nemo"] = LAMP
    assert watch.look(["oslo"]) == [("oslo", Change.GONE)]
    assert watch.look(["oslo", "nemo"]) == [("nemo", Change.DETAIL)]
    assert watch.look([]) == []


STATES = st.none() | st.builds(
    ProductState,
    st.sampled_from([Decimal(1), Decimal(2)]),
    st.just((Decimal(1),)),
    st.sampled_from([None, Decimal(3)]),
    st.integers(0, 8),
    st.booleans(),
)


@given(STATES, STATES)
def test_whatever_differs_and_may_be_said_is_a_change(
    before: ProductState | None, now: ProductState | None
) -> None:
    found = changes(before, now)
    assert len(found) == len(set(found))
    if before is not None and now is not None and before.read:
        assert bool(found) == (
            (before.price, before.prices, before.was) != (now.price, now.prices, now.was)
            or (before.stock != now.stock and min(before.stock, now.stock) <= FEW)
        )
