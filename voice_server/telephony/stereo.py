"""Two sides of a call on one time line, for a recording: left the caller, right us. Sans-I/O."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice_server.audio.pcm import Audio, to_int16
from voice_server.audio.resample import Resampler
from voice_server.telephony.call import Codec

RATE = 8000
"""What a telephone line has."""

HELD_S = 1.5
"""Newer sound may still be taken back (a barge-in clears what was not played) or come late."""

LATE_S = 0.3
"""The caller's packets come in bursts: a hole shorter than this is none."""


class StereoTrack:
    """Puts sound where it was heard. Times are the shell's seconds."""

    def __init__(self, codec: Codec, now: float) -> None:
        """The recording begins ``now``."""
        self._began = now
        self._sides = [np.zeros(0, np.float32), np.zeros(0, np.float32)]
        self._first = 0
        """Samples handed out already: the place of the sides' first one."""
        self.use(codec)

    def use(self, codec: Codec) -> None:
        """The line has another codec from now on."""
        self._codec = codec
        self._down = [Resampler(codec.rate, RATE), Resampler(codec.rate, RATE)]

    def caller(self, data: bytes, now: float) -> None:
        """Add sound of the caller, which has just come."""
        audio = self._down[0].process(self._codec.decode(data))
        end, place = self._end(0), self._place(now) - audio.size
        self._put(0, audio, place if place > end + LATE_S * RATE else end)

    def agent(self, data: bytes, now: float) -> None:
        """Add sound of ours, which is played when what came before it has been."""
        audio = self._down[1].process(self._codec.decode(data))
        self._put(1, audio, max(self._end(1), self._place(now)))

    def clear(self, now: float) -> None:
        """What of ours has not been played yet never will be."""
        self._sides[1] = self._sides[1][: max(0, self._place(now) - self._first)]

    def take(self, now: float, *, all_of_it: bool = False) -> NDArray[np.int16]:
        """Return the next samples, int16 [n, 2], that are certain; each is returned once."""
        end = self._place(now) - (0 if all_of_it else round(HELD_S * RATE))
        if all_of_it:
            end = max(end, self._end(0), self._end(1))
        count = end - self._first
        if count <= 0:
            return np.zeros((0, 2), np.int16)
        taken = [np.pad(side[:count], (0, max(0, count - side.size))) for side in self._sides]
        self._sides = [side[count:] for side in self._sides]
        self._first = end
        return np.stack([to_int16(side) for side in taken], axis=1)

    def _place(self, now: float) -> int:
        return max(0, round((now - self._began) * RATE))

    def _end(self, side: int) -> int:
        return self._first + self._sides[side].size

    def _put(self, side: int, audio: Audio, place: int) -> None:
        gap = max(0, place - self._end(side))
        self._sides[side] = np.concatenate(
            (self._sides[side], np.zeros(gap, np.float32), audio)
        )  # fmt: skip
