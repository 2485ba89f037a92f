"""Keeps the state of dialogues by session id, so that a reconnect or a restart goes on.

Opening a session must not wait for a disk: states still alive are read once at start, and from
then on live in this process; every change goes to the store behind the turn.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from voice_server.records import SessionStore, StorageError

logger = logging.getLogger(__name__)

State = Mapping[str, Any]

MOST = 5000
"""States in this process, about 8 kB each: forty megabytes. The least recently used go first;
the store has them still (:meth:`StateKeeper.fetch`)."""


class StateKeeper:
    """The states of one shop's dialogues. Everything is called in the event loop."""

    def __init__(
        self,
        store: SessionStore | None,
        shop_id: str,
        ttl_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST,
    ) -> None:
        """Without a store states survive a reconnect, not a restart."""
        self._store = store
        self._shop_id = shop_id
        self._ttl_s = ttl_s
        self._clock = clock
        self._most = most
        self._states: OrderedDict[str, tuple[float, State]] = OrderedDict()

    async def preload(self) -> int:
        """Read the states that still live; return how many. A store that fails costs memories."""
        if self._store is None:
            return 0
        try:
            found = await self._store.recent(self._shop_id, self._most)
        except StorageError as error:
            logger.warning("conversations before the restart are forgotten: %s", error)
            return 0
        for key, state in reversed(found):  # the newest is the last to be pushed out
            self._remember(key, state)
        return len(found)

    async def fetch(self, key: str) -> State | None:
        """Read one state from the store (another machine's): before :meth:`recall`, if need be."""
        if (state := self.recall(key)) is not None or self._store is None:
            return state
        try:
            state = await self._store.load(key)
        except StorageError as error:
            logger.warning("a conversation cannot be resumed: %s", error)
            return None
        if state is not None:
            self._remember(key, state)
        return state

    def recall(self, key: str) -> State | None:
        """Return the state under a key, None if there is none or its time is over."""
        until, state = self._states.get(key, (0.0, None))
        if state is None or until <= self._clock():
            self._states.pop(key, None)
            return None
        return state

    def keep(self, key: str, state: State) -> None:
        """Replace the state under a key, here and in the store."""
        self._remember(key, state)
        if self._store is not None:
            self._store.save(key, self._shop_id, state, self._ttl_s)

    def forget(self, key: str) -> None:
        """Forget a state here (it was erased from the store)."""
        self._states.pop(key, None)

    def _remember(self, key: str, state: State) -> None:
        self._states[key] = (self._clock() + self._ttl_s, state)
        self._states.move_to_end(key)
        while len(self._states) > self._most:
            self._states.popitem(last=False)
