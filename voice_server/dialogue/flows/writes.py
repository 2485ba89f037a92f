"""Sending confirmed writes: once each, outliving the reply that began them.

A caller who interrupts ends our sentence, not the write: it runs in a task of its own, with a
deadline, and its outcome waits here for the next turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from voice_server.dialogue.write_gate import Execute, Lost, NotDone, Settled
from voice_server.shop.platform import (
    OutcomeUnknown,
    PlatformDown,
    PlatformError,
    Refused,
    ShopPlatform,
)

logger = logging.getLogger(__name__)

WRITE_S = 8.0
"""A write gets so long (DESIGN §3, tools); then its outcome is unknown and the order is read."""

Ended = Settled | NotDone | Lost


class Writes:
    """The writes of one session, by key. Used from one event loop."""

    def __init__(
        self,
        platform: Callable[[], ShopPlatform],
        keep: Callable[[asyncio.Task[Any]], None],
        *,
        write_s: float = WRITE_S,
    ) -> None:
        """``keep`` holds a task until it is done: a caller who hangs up takes nothing back."""
        self._platform = platform
        self._keep = keep
        self._write_s = write_s
        self._tasks: dict[str, asyncio.Task[Ended]] = {}

    def begin(self, execute: Execute) -> asyncio.Task[Ended]:
        """Send a write; the same key again returns the write that was sent already.

        Cancelling who waits for the task leaves the write alone if they shield it.
        """
        task = self._tasks.get(execute.key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._send(execute))
            self._tasks[execute.key] = task
            self._keep(task)
        return task

    def under_way(self, key: str) -> asyncio.Task[Ended] | None:
        """Return the write of that key, None if this process has not sent it."""
        return self._tasks.get(key)

    async def _send(self, execute: Execute) -> Ended:
        """Send it. The platform reads the order first: what it may not do now, it refuses."""
        write, platform = execute.write, self._platform()
        try:
            async with asyncio.timeout(self._write_s):
                receipt = await platform.write(write, key=execute.key)
        except Refused as error:
            logger.info("the platform refused %s: %s", write.action, error.reason)
            return NotDone(error.reason or "other")
        except PlatformDown as error:
            logger.warning("%s was not done: %s", write.action, error)
            return NotDone()
        except (OutcomeUnknown, TimeoutError) as error:
            logger.warning("the outcome of %s is not known: %s", write.action, error)
            return Lost()
        except PlatformError as error:
            logger.warning("%s failed: %s", write.action, error)
            return Lost()
        except Exception:  # a connector's bug: whatever it did, the order will tell
            logger.exception("%s failed", write.action)
            return Lost()
        return Settled(receipt.reference)
