"""Voice activity: Silero VAD 6, one call for the frames of all sessions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voice_server.speech.engine import Audio
from voice_server.speech.onnx_session import only_file, open_session
from voice_server.speech.vad_graph import CONTEXT, FRAME, UNITS, batched_graph, read_weights

_FIRST_ROWS = 64
"""Streams the arena holds before it first doubles: 80 kB."""


class VadState:
    """One audio stream's memory: a row in its engine's arena, given back on close or deletion."""

    __slots__ = ("_arena", "row")

    def __init__(self, arena: _Arena) -> None:
        """Take a zeroed row of ``arena``: as if silence came before."""
        self._arena = arena
        self.row = arena.take()

    def reset(self) -> None:
        """Forget what was heard, as for a new stream."""
        self._arena.clear(self.row)

    def close(self) -> None:
        """Give the row back; the state must not be used afterwards.  May be called twice."""
        row, self.row = self.row, -1
        if row >= 0:
            self._arena.free.append(row)

    def __del__(self) -> None:
        # The collector may run in any thread: append is atomic, nothing else happens here.
        if hasattr(self, "row"):
            self.close()


class _Arena:
    """The states of all streams in three arrays, so that a batch gathers and scatters in C."""

    def __init__(self) -> None:
        self.context = np.zeros((_FIRST_ROWS, CONTEXT), np.float32)
        self.hidden = np.zeros((_FIRST_ROWS, UNITS), np.float32)
        self.cell = np.zeros((_FIRST_ROWS, UNITS), np.float32)
        self.free = list(range(_FIRST_ROWS - 1, -1, -1))

    def take(self) -> int:
        if not self.free:
            rows = len(self.context)
            self.context, self.hidden, self.cell = (
                np.concatenate((old, np.zeros_like(old)))
                for old in (self.context, self.hidden, self.cell)
            )
            self.free.extend(range(2 * rows - 1, rows - 1, -1))
        row = self.free.pop()
        self.clear(row)
        return row

    def clear(self, row: int | np.ndarray) -> None:
        self.context[row] = 0
        self.hidden[row] = 0
        self.cell[row] = 0


class SileroVad:
    """P(speech) per 32 ms frame; the Vad of :mod:`voice_server.speech.engine`.

    Not thread-safe: one owner calls it, one call at a time.
    """

    frame_samples: int = FRAME

    def __init__(self, path: Path) -> None:
        """Load ``silero_vad.onnx``, given as the file or its folder.

        Raises EngineUnavailable if it is missing or another model.
        """
        begin = time.perf_counter()
        file = only_file(path, "*.onnx", what="voice activity detection")
        self._session = open_session(
            batched_graph(read_weights(file)), what="the voice activity model"
        )
        self._arena = _Arena()
        self.probabilities([(self.new_state(), np.zeros(FRAME, np.float32))])
        self.load_ms = (time.perf_counter() - begin) * 1000
        """How long loading and the first call took."""

    def new_state(self) -> VadState:
        """Return the state of one audio stream, as if silence came before."""
        return VadState(self._arena)

    @property
    def streams(self) -> int:
        """How many states are alive."""
        return len(self._arena.context) - len(self._arena.free)

    def probabilities(self, frames: Sequence[tuple[VadState, Audio]]) -> list[float]:
        """Return P(speech) for each (state, float32 [512] at 16 kHz); updates the states.

        A frame that makes no finite number (NaN in the audio) counts as silence and resets its
        own stream only.
        Raises ValueError for frames of another length, a state given twice, or a closed one.
        """
        if not frames:
            return []
        rows = np.array([state.row for state, _ in frames], np.intp)
        if rows.min() < 0:
            raise ValueError("the state of a closed stream was used")
        if len(frames) > 1 and np.bincount(rows).max() > 1:
            raise ValueError("a stream can give one frame per call")
        shapes = {frame.shape for _, frame in frames}
        if shapes != {(FRAME,)}:
            raise ValueError(f"a frame is float32 [{FRAME}], not {sorted(shapes)}")
        # Concatenating is several times as fast as np.stack, which wraps each frame.
        batch = np.concatenate([frame for _, frame in frames], dtype=np.float32)
        batch = batch.reshape(len(frames), FRAME)
        arena = self._arena
        inputs = {
            "context": arena.context[rows],
            "frame": batch,
            "hidden": arena.hidden[rows],
            "cell": arena.cell[rows],
        }
        probability, hidden, cell = self._session.run(None, inputs)
        arena.context[rows] = batch[:, -CONTEXT:]
        arena.hidden[rows] = hidden
        arena.cell[rows] = cell
        speech: Audio = probability[:, 0]
        # What a NaN or an overflow leaves behind lives on in the cell, or nowhere.
        sound = np.isfinite(speech) & np.isfinite(cell.sum(axis=1))
        if not sound.all():
            arena.clear(rows[~sound])
            speech = np.where(sound, speech, np.float32(0))
        result: list[float] = speech.tolist()
        return result
