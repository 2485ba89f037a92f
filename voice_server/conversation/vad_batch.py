"""One voice-activity call for all sessions: frames are collected and judged together."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from voice_server.speech.engine import Audio, EngineError, Vad
from voice_server.speech.workers import Workers

log = logging.getLogger(__name__)

INTERVAL_S = 0.010
"""Time between two batches: what it adds to the latency of a frame at most."""

QUIET = 1e-3
"""RMS (-60 dBFS) below which a frame cannot be speech and costs no model call."""

LOUD = 0.02
"""RMS (-34 dBFS) that counts as speech while the model is down: crude, but the caller is heard."""

DEADLINE_S = 2.0
"""A batch that takes longer is judged by energy; the pool replaces the stuck thread."""

BACKLOG = 2000
"""Frames (64 s) a stream may be behind; a client that sends faster loses the newest."""


class VadStream:
    """The frames of one session, in order."""

    __slots__ = ("_batcher", "_on_probability", "closed", "frames", "state")

    def __init__(
        self, batcher: VadBatcher, state: Any, on_probability: Callable[[float], None]
    ) -> None:
        """Made by :meth:`VadBatcher.open`."""
        self._batcher = batcher
        self._on_probability = on_probability
        self.state = state
        self.frames: deque[Audio | None] = deque()
        self.closed = False

    def push(self, frame: Audio) -> bool:
        """Queue float32 [frame_samples]; False when the backlog is full and it was dropped."""
        if len(self.frames) >= BACKLOG:
            return False
        quiet = float(np.dot(frame, frame)) < QUIET * QUIET * frame.size
        if quiet and not self.frames:
            self._on_probability(0.0)
            return True
        self.frames.append(None if quiet else frame)
        self._batcher.wake(self)
        return True

    def settle(self, probability: float) -> None:
        """Deliver the verdict on the oldest frame, and on quiet frames right behind it."""
        if self.closed:
            return
        self._on_probability(probability)
        while self.frames and self.frames[0] is None and not self.closed:
            self.frames.popleft()
            self._on_probability(0.0)

    def close(self) -> None:
        """No further verdicts."""
        self.closed = True
        self.frames.clear()


class VadBatcher:
    """Collects the frames of all streams; at most one frame per stream and batch (VAD state)."""

    def __init__(self, vad: Vad, workers: Workers) -> None:
        """``workers`` should have one thread: batches run one after the other."""
        self._vad = vad
        self._workers = workers
        self._waiting: dict[VadStream, None] = {}
        self._wake = asyncio.Event()
        self.frame_samples = vad.frame_samples
        self.failures = 0

    def open(self, on_probability: Callable[[float], None]) -> VadStream:
        """Open a stream; ``on_probability`` is called in the loop, once for each frame."""
        return VadStream(self, self._vad.new_state(), on_probability)

    def wake(self, stream: VadStream) -> None:
        """A stream has a frame."""
        self._waiting[stream] = None
        self._wake.set()

    async def run(self) -> None:
        """Judge batches until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            began = loop.time()
            batch = self._take()
            if batch:
                frames = [(stream.state, frame) for stream, frame in batch]
                probabilities = await self._judge(frames)
                for (stream, _), probability in zip(batch, probabilities, strict=True):
                    stream.settle(probability)
                    if stream.frames:
                        self._waiting[stream] = None
            if not self._waiting:
                self._wake.clear()
            await asyncio.sleep(max(0.0, began + INTERVAL_S - loop.time()))

    def _take(self) -> list[tuple[VadStream, Audio]]:
        batch: list[tuple[VadStream, Audio]] = []
        for stream in self._waiting:
            while stream.frames and not stream.closed:
                frame = stream.frames.popleft()
                if frame is not None:
                    batch.append((stream, frame))
                    break
                stream.settle(0.0)
        self._waiting = {}
        return batch

    async def _judge(self, frames: list[tuple[Any, Audio]]) -> list[float]:
        try:
            return await self._workers.run(
                lambda: self._vad.probabilities(frames), urgent=True, deadline_s=DEADLINE_S
            )
        except EngineError as error:
            self.failures += 1
            log.error("voice activity model failed, judging by loudness: %s", error)
            return [0.9 if float(np.sqrt(np.mean(f * f))) > LOUD else 0.0 for _, f in frames]
