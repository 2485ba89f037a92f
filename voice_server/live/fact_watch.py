"""What has changed about a show's products since the last look. Sans-I/O.

A change is told from truth to truth: the first reading of a platform after the pack's numbers is
none that anybody need hear of, though what states the pack's is cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from voice_server.live.facts import FEW, ProductState
from voice_server.live.show_events import Change


class States(Protocol):
    """Where the state of a product is read."""

    def state(self, product_id: str) -> ProductState | None:
        """Return what holds now, None if the product is gone."""


class FactWatch:
    """Remembers products as they were."""

    def __init__(self, facts: States) -> None:
        """Nothing is known yet."""
        self._facts = facts
        self._known: dict[str, ProductState | None] = {}

    def look(self, product_ids: Iterable[str]) -> list[tuple[str, Change]]:
        """Return what changed of these products; of one seen for the first time nothing has."""
        found: list[tuple[str, Change]] = []
        for key in dict.fromkeys(product_ids):
            now = self._facts.state(key)
            if key in self._known:
                found += [(key, change) for change in changes(self._known[key], now)]
            self._known[key] = now
        return found


def changes(before: ProductState | None, now: ProductState | None) -> list[Change]:
    """Return how a product changed, the price first; at most one change of its stock."""
    if before == now:
        return []
    if now is None:
        return [Change.GONE]
    if before is None or not before.read:
        return [Change.DETAIL]
    found = []
    if now.price != before.price:
        found.append(Change.PRICE)
    elif (now.prices, now.was) != (before.prices, before.was):
        found.append(Change.DETAIL)
    if now.stock == 0 < before.stock:
        found.append(Change.SOLD_OUT)
    elif before.stock == 0 < now.stock:
        found.append(Change.BACK)
    elif 0 < now.stock <= FEW < before.stock:
        found.append(Change.LOW)
    elif now.stock != before.stock and min(now.stock, before.stock) <= FEW:
        found.append(Change.DETAIL)
    return list(dict.fromkeys(found))
