"""What leaves a show, in time: pictures and sound on one clock, silence where nobody speaks.

Sans-I/O. The clock is the drawing page's: pictures carry it, sound is scheduled on it. A page that
begins anew has another clock; :meth:`Programme.join` lays it on the same line, so that the stream
goes on. Sound is complete whatever the page does: what nobody filled is silence, at the pace of
``now``.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from voice_server.audio.resample import resample
from voice_server.live.out.matroska import SOUND, VIDEO, Packet

RATE = 24_000
"""Hz of the sound; the voices' own."""
HOLD_S = 0.4
"""Pictures and sound wait so long for each other: a picture comes 50 to 150 ms after it was drawn,
and more on a loaded machine; what comes later still is put behind what went out, or left out."""
BLOCK = RATE // 25
LONGEST_S = 30.0
"""Sound scheduled further ahead than this is a fault of the page; speech comes in seconds."""
MOST_WAITING = 25 * 10
"""Pictures that wait; a page whose clock runs ahead must not fill the memory."""

Samples = NDArray[np.int16]


class Programme:
    """The pictures and the sound of one output."""

    def __init__(self, now: float) -> None:
        """``now`` (monotonic seconds) is its beginning, 0 ms."""
        self._began = now
        self._shift_ms = 0
        self._sounds: list[tuple[int, Samples]] = []
        self._pictures: deque[Packet] = deque()
        self._written = 0
        self._last_ms = -1
        self.late = 0
        """Pictures left out because a later one was out."""

    def join(self, page_ms: float, now: float) -> None:
        """A page's clock says ``page_ms`` now; what it sends from here on is on that clock."""
        self._shift_ms = round(1000 * (now - self._began) - page_ms)
        self._sounds.clear()
        self._pictures.clear()

    def picture(self, page_ms: float, data: bytes, *, key: bool) -> None:
        """Take a picture; they come in order."""
        at_ms = round(page_ms) + self._shift_ms
        if at_ms <= self._last_ms or at_ms < 0:
            self.late += 1
            return
        self._last_ms = at_ms
        if len(self._pictures) >= MOST_WAITING:
            self._pictures.popleft()
            self.late += 1
        self._pictures.append(Packet(VIDEO, at_ms, data, key))

    def sound(self, page_ms: float, pcm: Samples, rate: int, now: float) -> None:
        """Take speech that is heard at ``page_ms``, int16 mono at ``rate``."""
        if rate != RATE:
            wide = resample(pcm.astype(np.float32) / 32768.0, rate, RATE)
            pcm = np.clip(wide * 32767.0, -32768, 32767).astype(np.int16)
        at = self._sample(page_ms)
        if at > (now - self._began + LONGEST_S) * RATE:
            return
        if at < self._written:
            pcm, at = pcm[self._written - at :], self._written
        if pcm.size:
            self._sounds.append((at, pcm))

    def hush(self, page_ms: float) -> None:
        """Silence from ``page_ms`` on: what was scheduled after it is not heard."""
        end = self._sample(page_ms)
        self._sounds = [(at, pcm[: end - at]) for at, pcm in self._sounds if at < end]

    def take(self, now: float) -> list[Packet]:
        """Return what is due, in order of time."""
        due = int((now - self._began - HOLD_S) * RATE)
        packets: list[Packet] = []
        while self._written + BLOCK <= due:
            packets.append(Packet(SOUND, self._written * 1000 // RATE, self._block()))
            self._written += BLOCK
        until_ms = self._written * 1000 // RATE
        while self._pictures and self._pictures[0].at_ms < until_ms:
            packets.append(self._pictures.popleft())
        return sorted(packets, key=lambda packet: packet.at_ms)

    def _block(self) -> bytes:
        begin, end = self._written, self._written + BLOCK
        mix = np.zeros(BLOCK, np.int32)
        for at, pcm in self._sounds:
            piece = pcm[max(0, begin - at) : max(0, end - at)]
            first = max(0, at - begin)
            mix[first : first + piece.size] += piece
        self._sounds = [(at, pcm) for at, pcm in self._sounds if at + pcm.size > end]
        return np.clip(mix, -32768, 32767).astype("<i2").tobytes()

    def _sample(self, page_ms: float) -> int:
        return round((page_ms + self._shift_ms) * RATE / 1000)
