"""Sample-rate conversion: a low-delay stream for live audio, and one shot for whole recordings.

Live audio does not go through soxr's streams: measured on 20 ms chunks, they hold back 21-37 ms
(24 to 16 kHz) and 64-118 ms (8 to 16 kHz) at any quality that filters, which the caller would
hear as a slower answer and a later barge-in.  A polyphase FIR as one small matrix product costs
the same 5-9 µs a chunk and delays 2-4 ms.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd

import numpy as np
import soxr
from numpy.typing import NDArray

from voice_server.audio.pcm import Audio

STOPBAND_DB = 60.0
"""Aliases and images are at least this far down: well below the noise of 8-bit G.711 (38 dB) and
of any shopper's microphone.  Each further 10 dB would cost a fifth more taps and delay."""

TRANSITION = 0.2
"""Width of the filter's slope as a share of the lower Nyquist frequency, ending at it.  At 8 kHz
speech is flat to 3.2 kHz and 1 dB down at 3.4 kHz, the telephone's own edge (ITU-T G.712)."""

BLOCK_SHARE = 0.25
"""Length of a block of input over the filter's: shorter ones copy more overlap, longer ones
multiply more zeros.  Measured for 20 ms chunks at 8, 24 and 48 kHz: a quarter is the fastest."""


class Resampler:
    """Converts one stream, chunk by chunk, with a constant delay and no chunk-size jitter.

    Whole groups of input give whole groups of output at once: 20 ms in is 20 ms out for all
    rates that divide so.  The output lags the input by :attr:`delay_ms`.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        """Convert from ``source_rate`` to ``target_rate``, in Hz.

        Raises ValueError for rates that are not positive.
        """
        if source_rate <= 0 or target_rate <= 0:
            raise ValueError(f"rates must be positive, not {source_rate} and {target_rate}")
        self.source_rate = source_rate
        self.target_rate = target_rate
        self._plan = _plan(source_rate, target_rate) if source_rate != target_rate else None
        self._history: Audio = np.zeros(
            self._plan.taps - 1 if self._plan is not None else 0, np.float32
        )

    @property
    def delay_ms(self) -> float:
        """How much later a sound comes out than it went in, in ms of audio time."""
        if self._plan is None:
            return 0.0
        return self._plan.delay_samples * 1000 / self.source_rate

    def process(self, audio: Audio) -> Audio:
        """Return the float32 [m] that ``audio``, float32 [n], completes.

        m is n * target / source, but for the part of a group of input that is kept back.
        """
        plan = self._plan
        if plan is None:
            return audio
        pending = np.concatenate((self._history, audio))
        groups = (pending.size - plan.taps + 1) // plan.down
        if groups <= 0:
            self._history = pending
            return np.zeros(0, np.float32)
        blocks = ceil(groups / plan.groups_per_block)
        needed = blocks * plan.block_in + plan.taps - 1
        # The last block may reach past what has come: its outputs beyond `groups` are cut off.
        reach = (
            pending
            if pending.size >= needed
            else np.concatenate((pending, np.zeros(needed - pending.size, np.float32)))
        )
        # Overlapping rows as a view (the constructor is 5 times as fast as `as_strided`); the copy
        # makes them fit for BLAS.
        windows: Audio = np.ndarray(
            (blocks, plan.block_in + plan.taps - 1),
            np.float32,
            reach,
            0,
            (plan.block_in * reach.itemsize, reach.itemsize),
        )
        output = windows.copy() @ plan.matrix
        self._history = pending[groups * plan.down :].copy()
        return output.reshape(-1)[: groups * plan.up]

    def flush(self) -> Audio:
        """Return what the delay still holds and start afresh, as if silence followed."""
        if self._plan is None:
            return np.zeros(0, np.float32)
        padding = ceil(self._plan.delay_samples) + self._plan.down
        tail = self.process(np.zeros(padding, np.float32))
        self._history = np.zeros(self._plan.taps - 1, np.float32)
        return tail


def resample(audio: Audio, source_rate: int, target_rate: int) -> Audio:
    """Convert a whole recording, float32 [n] to float32 [n * target / source], without delay."""
    if source_rate == target_rate:
        return audio
    converted: Audio = soxr.resample(audio, source_rate, target_rate, quality="HQ")
    return converted


class _Plan:
    """The filter of one pair of rates, laid out as a block Toeplitz matrix.

    ``down`` input samples make a group of ``up`` output samples.  A block of several groups is
    one row of the product, long enough that copying its overlap costs little.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        divisor = gcd(source_rate, target_rate)
        self.up, self.down = target_rate // divisor, source_rate // divisor
        taps_up = _lowpass(source_rate * self.up, min(source_rate, target_rate))
        # Taps at the source rate: each output sees every `up`-th tap of the prototype.
        self.taps = ceil(taps_up.size / self.up) + 1
        self.delay_samples = (taps_up.size - 1) / 2 / self.up
        self.groups_per_block = max(1, round(self.taps * BLOCK_SHARE / self.down))
        self.block_in = self.groups_per_block * self.down
        rows = self.block_in + self.taps - 1
        columns = self.groups_per_block * self.up
        matrix = np.zeros((rows, columns), np.float32)
        for column in range(columns):
            # Output `column` stands at column * down / up input samples after the block's first.
            position = column * self.down
            newest, phase = divmod(position, self.up)
            coefficients = taps_up[phase :: self.up] * self.up
            first = self.taps - 1 + newest
            for lag, coefficient in enumerate(coefficients):
                matrix[first - lag, column] = coefficient
        matrix.setflags(write=False)
        self.matrix = matrix


@lru_cache(maxsize=32)
def _plan(source_rate: int, target_rate: int) -> _Plan:
    return _Plan(source_rate, target_rate)


def _lowpass(rate: float, lower_rate: float) -> NDArray[np.float64]:
    """A Kaiser-windowed sinc at ``rate`` that stops at half of ``lower_rate``."""
    nyquist = lower_rate / 2
    width = TRANSITION * nyquist
    # Kaiser's formulas for length and shape (Oppenheim & Schafer, eq. 7.75 and 7.76).
    order = ceil((STOPBAND_DB - 7.95) / (14.36 * width / rate))
    order += order % 2
    beta = 0.1102 * (STOPBAND_DB - 8.7)
    n = np.arange(order + 1) - order / 2
    cutoff = (nyquist - width / 2) / rate
    taps: NDArray[np.float64] = np.sinc(2 * cutoff * n) * np.kaiser(order + 1, beta)
    taps /= taps.sum()
    return taps
