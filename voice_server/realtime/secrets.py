"""Ephemeral client secrets (``ek_…``): what a shop's server gives to a browser instead of its key.

Only hashes are kept.  A secret may open sessions until it expires, as at OpenAI.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voice_server.ids import IdFactory, new_id
from voice_server.realtime.customer import Customer

PREFIX = "ek"
SECONDS_LEAST, SECONDS_MOST, SECONDS_DEFAULT = 10, 7200, 600
"""Lifetimes the protocol allows, and its default."""

SECRETS_LIMIT = 10_000
"""Secrets alive at once; the one that expires first makes room."""


@dataclass(frozen=True, slots=True)
class _Kept:
    expires_at: int
    session: dict[str, Any]
    shop: str
    customer: Customer | None


class EphemeralSecrets:
    """Issues and recognises secrets."""

    def __init__(
        self, *, clock: Callable[[], float] = time.time, new_id: IdFactory = new_id
    ) -> None:
        """``clock`` is seconds since the epoch."""
        self._clock = clock
        self._new_id = new_id
        self._kept: dict[str, _Kept] = {}
        self._by_expiry: list[tuple[int, str]] = []

    def issue(
        self,
        session: dict[str, Any],
        seconds: int = SECONDS_DEFAULT,
        *,
        shop: str = "",
        customer: Customer | None = None,
    ) -> tuple[str, int]:
        """Return a new secret for sessions configured so, and when it expires.

        ``shop`` is the only shop it opens, "" where there is but one; ``customer`` is who will
        use it, as the shop's server says.
        """
        now = self._clock()
        while self._by_expiry and (
            self._by_expiry[0][0] <= now or len(self._kept) >= SECRETS_LIMIT
        ):
            _, digest = heapq.heappop(self._by_expiry)
            del self._kept[digest]
        value = self._new_id(PREFIX)
        expires_at = int(now) + seconds
        digest = _digest(value)
        self._kept[digest] = _Kept(expires_at, session, shop, customer)
        heapq.heappush(self._by_expiry, (expires_at, digest))
        return value, expires_at

    def find(self, value: str) -> dict[str, Any] | None:
        """Return the session a valid secret stands for, None otherwise."""
        kept = self._valid(value)
        return None if kept is None else kept.session

    def shop(self, value: str) -> str:
        """Return the shop a valid secret opens, "" otherwise."""
        kept = self._valid(value)
        return "" if kept is None else kept.shop

    def customer(self, value: str) -> Customer | None:
        """Return who a valid secret was made for, None if nobody said so."""
        kept = self._valid(value)
        return None if kept is None else kept.customer

    def _valid(self, value: str) -> _Kept | None:
        kept = self._kept.get(_digest(value))
        return None if kept is None or kept.expires_at <= self._clock() else kept


def _digest(value: str) -> str:
    # Looking up a hash leaks nothing useful about the secret through time.
    return hashlib.sha256(value.encode()).hexdigest()
