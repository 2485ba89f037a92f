"""The input side of a conversation: audio in any pieces -> judged 16 kHz frames, and a memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from voice_server.audio.resample import Resampler
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.speech.engine import LISTENING_RATE, Audio

CHUNK_MS = 32
"""Input is resampled in pieces of one VAD frame: fewer calls, no more delay."""

PREROLL_MS = 1500
"""Memory kept while nobody speaks: the onset's padding and the echo guard's window."""

MEMORY_MS = 65_000
"""Memory kept at most: the longest utterance and some."""


class Ears:
    """Buffers and judges one session's audio.

    ``on_frame(probability, end_ms)`` is called in the loop for each 32 ms frame, in order.
    Memory is int16: 2 MB in the longest utterance, 48 kB while nobody speaks.
    """

    def __init__(
        self, input_rate: int, vad: VadBatcher, on_frame: Callable[[float, float], None]
    ) -> None:
        """``input_rate`` in Hz of the audio given to :meth:`hear`."""
        self._chunk = input_rate * CHUNK_MS // 1000
        self._resampler = Resampler(input_rate, LISTENING_RATE)
        self._raw: list[Audio] = []
        self._raw_samples = 0
        self._pending = np.zeros(0, np.float32)
        self._frame_samples = vad.frame_samples
        self._frame_ms = 1000.0 * vad.frame_samples / LISTENING_RATE
        self._memory: deque[NDArray[np.int16]] = deque()
        self._memory_end_ms = 0.0
        self._judged_ms = 0.0
        self._on_frame = on_frame
        self._stream = vad.open(self._on_probability)
        self.keep_from_ms: float | None = None
        """Start of the audio that must not be forgotten yet."""
        self.dropped_frames = 0

    @property
    def end_ms(self) -> float:
        """Audio time up to which everything is in memory."""
        return self._memory_end_ms

    def hear(self, audio: Audio) -> None:
        """Take float32 mono [n] at the input rate."""
        self._raw.append(audio)
        self._raw_samples += audio.size
        if self._raw_samples >= self._chunk:
            self._resample()

    def _resample(self, *, last: bool = False) -> None:
        raw = self._raw[0] if len(self._raw) == 1 else np.concatenate(self._raw)
        self._raw, self._raw_samples = [], 0
        ready = np.concatenate([self._pending, self._resampler.process(raw)])
        if last and ready.size % self._frame_samples:
            ready = np.pad(ready, (0, -ready.size % self._frame_samples))
        whole = ready.size - ready.size % self._frame_samples
        self._pending = ready[whole:]
        for start in range(0, whole, self._frame_samples):
            self._frame(ready[start : start + self._frame_samples])

    def _frame(self, frame: Audio) -> None:
        self._memory.append((np.clip(frame, -1.0, 1.0) * 32767.0).astype(np.int16))
        self._memory_end_ms += self._frame_ms
        oldest = self._memory_end_ms - PREROLL_MS
        if self.keep_from_ms is not None:
            oldest = min(oldest, self.keep_from_ms)
        oldest = max(oldest, self._memory_end_ms - MEMORY_MS)
        while self._memory_end_ms - len(self._memory) * self._frame_ms < oldest - self._frame_ms:
            self._memory.popleft()
        if not self._stream.push(frame):
            self.dropped_frames += 1
            self._judged_ms += self._frame_ms

    def _on_probability(self, probability: float) -> None:
        self._judged_ms += self._frame_ms
        self._on_frame(probability, self._judged_ms)

    def flush(self) -> None:
        """Complete the frame under way with silence (push-to-talk: the last word counts)."""
        if self._raw_samples or self._pending.size:
            self._raw.append(np.zeros(0, np.float32))
            self._resample(last=True)

    def since(self, start_ms: float, end_ms: float | None = None) -> Audio:
        """Return float32 [n] at LISTENING_RATE from ``start_ms`` on, as far as remembered."""
        first_ms = self._memory_end_ms - len(self._memory) * self._frame_ms
        skip = max(0, int((start_ms - first_ms) / self._frame_ms))
        until = len(self._memory)
        if end_ms is not None:
            until = max(skip, min(until, int(np.ceil((end_ms - first_ms) / self._frame_ms))))
        frames = [self._memory[index] for index in range(skip, until)]
        if not frames:
            return np.zeros(0, np.float32)
        return np.concatenate(frames).astype(np.float32) / 32767.0

    def close(self) -> None:
        """Stop judging."""
        self._stream.close()
