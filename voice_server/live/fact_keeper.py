"""Keeps a running show's prices and stock true: has them read, tells changes, doubts outages.

Deadlines: a reading takes at most :data:`~voice_server.shop.offers.DEADLINE_S`; what has not come
by then is told when it comes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from voice_server.live import alarms
from voice_server.live import show_events as ev
from voice_server.live.alarms import Alarms
from voice_server.live.fact_watch import FactWatch
from voice_server.live.facts import ShopFacts

READ_EVERY_S = 5.0
"""What is presented is read from the platform so often: a change is told after half of it."""
LOOK_EVERY_S = 0.5
"""What others read (callers ask for the same product) and edited packs are noticed so soon."""
ANSWERED = 12
"""Products of the last answers, which are looked at besides those of the run-sheet."""
PRICES = "prices"
"""What an alarm of the facts is about."""


class FactKeeper:
    """Looks after the facts of one show."""

    def __init__(
        self,
        facts: ShopFacts,
        alarms: Alarms,
        *,
        tell: Callable[[ev.FactChanged], None],
        looked: Callable[[], None],
    ) -> None:
        """``tell`` takes each change; ``looked`` is called after every look, for the card."""
        self._facts = facts
        self._alarms = alarms
        self._tell = tell
        self._looked = looked
        self._watch = FactWatch(facts)
        self._answered: deque[str] = deque(maxlen=ANSWERED)
        self._changed: dict[str, float] = {}

    async def run(
        self, shown: Callable[[], Sequence[str]], products: Callable[[], Iterable[str]]
    ) -> None:
        """Look for ever. ``shown`` are read anew, first the one presented; ``products`` are told.

        ``shown`` is empty while nobody need know: then nothing is asked of the platform.
        """
        while True:
            wanted = shown()
            await self._facts.refresh(wanted, younger_s=READ_EVERY_S)
            self._look((*wanted, *products(), *self._answered))
            self._doubt(wanted[0] if wanted else "")
            self._looked()
            await asyncio.sleep(LOOK_EVERY_S)

    def answering(self, answer: ev.AnswerReady) -> None:
        """An answer was made just now: its products are watched until others took their place."""
        about = answer.about | ({answer.product_id} - {""})
        self._answered.extend(about - set(self._answered))
        self._look(about)

    def changed_since(self, answer: ev.AnswerReady, began: float) -> list[ev.FactChanged]:
        """Return what changed while an answer was being made: it is to be told once more."""
        about = answer.about | ({answer.product_id} - {""})
        late = (key for key in sorted(about) if self._changed.get(key, began) > began)
        return [ev.FactChanged(key, ev.Change.DETAIL) for key in late]

    def _look(self, products: Iterable[str]) -> None:
        now = asyncio.get_running_loop().time()
        for product, change in self._watch.look(products):
            self._changed[product] = now
            self._tell(ev.FactChanged(product, change))

    def _doubt(self, product: str) -> None:
        """Sound an alarm while the price of what is presented cannot be checked."""
        if product and self._facts.known(product) and not self._facts.confirmed(product):
            words = f"price and stock of {product} cannot be checked: they are hedged meanwhile"
            self._alarms.sound(alarms.FACTS, PRICES, words, now=time.time())
        else:
            self._alarms.clear(alarms.FACTS, PRICES)
