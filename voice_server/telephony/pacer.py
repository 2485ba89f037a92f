"""Sends one frame every 20 ms to a line that plays what comes as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

FRAME_S = 0.020

STALL_S = 0.100
"""Later than this the rhythm starts anew: a burst to catch up would only be dropped by the far
side's buffer."""

QUEUE_FRAMES = 250
"""Frames waiting at most (5 s). The conversation sends 60 ms ahead, so this is never reached but
by a mistake; then the oldest go, because the newest is what is being said."""


class Pacer:
    """Keeps the rhythm of one call. Used from the event loop only."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._queue: deque[bytes] = deque(maxlen=QUEUE_FRAMES)
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0
        self._silence = b""

    def put(self, frame: bytes) -> None:
        """Queue a frame; the first one of a sentence goes out at once."""
        self._queue.append(frame)
        if self._timer is None:
            now = self._loop.time()
            if self._next <= now:
                self._next = now
            self._tick() if self._next <= now else self._arm()

    def fill(self, silence: bytes) -> None:
        """Send this frame whenever there is no other, from now on."""
        self._silence = silence
        if self._timer is None:
            self._next = self._loop.time()
            self._tick()

    def clear(self) -> None:
        """Forget what waits: silence from the next frame on."""
        self._queue.clear()

    def close(self) -> None:
        """Stop for good."""
        self._queue.clear()
        self._silence = b""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        if not self._queue and not self._silence:
            return
        self._send(self._queue.popleft() if self._queue else self._silence)
        now = self._loop.time()
        self._next += FRAME_S
        if now - self._next > STALL_S:
            self._next = now + FRAME_S
        self._arm()

    def _arm(self) -> None:
        self._timer = self._loop.call_at(self._next, self._tick)
