"""Take the parts of a stream with patience that ends, without losing the part in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """Reads an async generator with a timeout for each part.

    A timeout leaves the read in flight: the next :meth:`next` goes on waiting for the same part.
    :meth:`close` cancels it and closes the generator; whoever makes a Waiting must close it.
    """

    def __init__(self, source: AsyncGenerator[T, None]) -> None:
        """Nothing is read before the first :meth:`next`."""
        self._source = source
        self._pending: asyncio.Task[T] | None = None

    async def next(self, patience_s: float) -> T | None:
        """Return the next part, or None when ``patience_s`` seconds pass first.

        Raises StopAsyncIteration at the end and whatever the generator raises.
        """
        if self._pending is None:
            self._pending = asyncio.create_task(self._read())
        done, _ = await asyncio.wait({self._pending}, timeout=max(0.0, patience_s))
        if not done:
            return None
        task, self._pending = self._pending, None
        return task.result()

    async def _read(self) -> T:
        return await anext(self._source)

    async def close(self) -> None:
        """Stop reading. Safe to call twice."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
            await asyncio.wait({pending})
            if not pending.cancelled():
                pending.exception()  # seen: it lost the race against our leaving
        await self._source.aclose()
