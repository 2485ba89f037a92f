"""Price and stock at speak time: read from the platform, kept some seconds, never waited for long.

What is said on a phone must be true now, but nobody waits for a slow shop.  So a turn asks
:meth:`Offers.refresh` for what it is about to speak of (it returns in time, whatever happens) and
then reads :meth:`Offers.peek`, which never waits and says how fresh its answer is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from voice_server.shop.platform import Capability, Offer, PlatformError, ShopPlatform
from voice_server.shop.shop import Shop

_log = logging.getLogger(__name__)

TTL_S = 20.0
"""About one exchange of a dialogue: the same product asked about twice is read once."""
DEADLINE_S = 0.8
"""Less than the 1.2 s after which a filler would sound (DESIGN §3)."""
PAUSE_S = 5.0
"""After an outage nobody waits for so long: one caller in five seconds finds out if it is over."""
KEPT = 5000
"""Offers in memory; the oldest go first."""


@dataclass(frozen=True, slots=True)
class LiveOffer:
    """An offer and what is known of its age."""

    offer: Offer
    fresh: bool
    """Read from the platform within the time to live: it may be spoken as it is."""
    age_s: float | None = None
    """Seconds since it was read; None: it stands in the pack and was not read at all."""

    @property
    def known(self) -> bool:
        """It was read from the platform at some time."""
        return self.age_s is not None


class Offers:
    """The offers of one shop, shared by all its sessions and shows.

    Args:
        platform: where they are read.
        shop: whose pack stands in for what cannot be read.
        ttl_s: seconds an offer counts as fresh.
        deadline_s: seconds :meth:`refresh` may take.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        platform: ShopPlatform,
        shop: Shop,
        *,
        ttl_s: float = TTL_S,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._platform = platform
        self._ttl_s = ttl_s
        self._deadline_s = deadline_s
        self._clock = clock
        self._read: dict[str, tuple[Offer, float]] = {}
        self._absent: dict[str, float] = {}
        self._vanished: dict[str, None] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._down_since: float | None = None
        self.revision = 0
        """Rises whenever something was read: views of the catalogue are kept by it."""
        currency = shop.market.currency
        self._pack = {
            variant.sku: Offer(
                variant.sku, variant.price, currency, variant.stock, product.was_price
            )
            for product in shop.catalogue
            for variant in product.variants
        }

    def read(self) -> Mapping[str, Offer]:
        """Return all offers that were read at some time, by sku."""
        return {sku: offer for sku, (offer, _) in list(self._read.items())}

    def peek(self, sku: str) -> LiveOffer | None:
        """Return what is known of a variant now, without waiting; None if nothing is.

        An offer that is too old, or only the pack's, comes with ``fresh`` false: say the price with
        "about" or "according to our list", and promise no stock.
        """
        found = self._read.get(sku)
        if found is not None:
            age = self._clock() - found[1]
            return LiveOffer(found[0], age <= self._ttl_s, age)
        listed = self._pack.get(sku)
        return None if listed is None else LiveOffer(listed, fresh=False)

    def vanished(self, sku: str) -> bool:
        """Whether the platform had it once and says now that it does not sell it."""
        return sku in self._vanished

    def price(self, sku: str) -> Decimal | None:
        """Return the price :meth:`peek` knows."""
        found = self.peek(sku)
        return found.offer.price if found else None

    async def refresh(self, skus: Iterable[str], *, younger_s: float | None = None) -> bool:
        """Read what is not fresh; return whether all of it is fresh afterwards.

        ``younger_s``: read anew what is older than this, though it is fresh.

        Never raises and never takes longer than the deadline: what has not come by then is still
        read in the background, for the next question.  The same variant is never read twice at
        once, so a hundred viewers who ask for one product cost one request.
        """
        wanted = list(dict.fromkeys(skus))
        if Capability.OFFERS not in self._platform.capabilities:
            return False
        if self._down_since is not None and self._clock() - self._down_since < PAUSE_S:
            return all(self._is_fresh(sku) for sku in wanted)
        limit = self._ttl_s if younger_s is None else younger_s
        stale = [sku for sku in wanted if not self._asked_lately(sku, limit)]
        new = [sku for sku in stale if sku not in self._under_way]
        if new:
            task = asyncio.create_task(self._fetch(new), name="offers")
            self._under_way.update(dict.fromkeys(new, task))
        tasks = {self._under_way[sku] for sku in stale if sku in self._under_way}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._deadline_s)
            if late:
                self._down_since = self._clock()
        return all(self._is_fresh(sku) for sku in wanted)

    def put(self, offers: Iterable[Offer]) -> None:
        """Take offers that came by another way (a vendor's webhook)."""
        now = self._clock()
        for offer in offers:
            self._read.pop(offer.sku, None)
            self._read[offer.sku] = (offer, now)
            self._absent.pop(offer.sku, None)
            self._vanished.pop(offer.sku, None)
        self.revision += 1
        while len(self._read) > KEPT:
            self._read.pop(next(iter(self._read)))

    async def close(self) -> None:
        """Stop reading. The platform is not closed."""
        tasks = set(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_fresh(self, sku: str, limit_s: float | None = None) -> bool:
        read = self._read.get(sku)
        limit_s = self._ttl_s if limit_s is None else limit_s
        return read is not None and self._clock() - read[1] <= limit_s

    def _asked_lately(self, sku: str, limit_s: float) -> bool:
        absent = self._absent.get(sku)
        known = absent is not None and self._clock() - absent <= self._ttl_s
        return known or self._is_fresh(sku, limit_s)

    async def _fetch(self, skus: list[str]) -> None:
        try:
            found = await self._platform.offers(skus)
        except PlatformError:
            _log.warning("prices and stock cannot be read now; the pack's stand in")
            self._down_since = self._clock()
            return
        finally:
            for sku in skus:
                self._under_way.pop(sku, None)
        self._down_since = None
        self.put(found)
        now = self._clock()
        for sku in set(skus) - {offer.sku for offer in found}:
            # The platform does not sell it: what the pack says of it is not confirmed.
            if self._read.pop(sku, None) is not None:
                self._vanished[sku] = None
            self._absent[sku] = now
            for kept in (self._absent, self._vanished):
                while len(kept) > KEPT:
                    kept.pop(next(iter(kept)))
