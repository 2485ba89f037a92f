"""End of turn: Smart Turn v3.2 judges from the sound whether the speaker has finished.

The published 8-bit graph is run in float32 (:mod:`voice_server.speech.onnx_dequantise`).  On 63
recorded prompts in en, fr, es and it, whole and cut at 55 % of their length, a processor without
VNNI gave:

=================  =====================  =====================  ==========
graph              whole called finished  cut called unfinished  one thread
=================  =====================  =====================  ==========
as published       90 %                   35 %                   96 ms
no 16-bit overflow 92 %                   49 %                   111 ms
float32            94 %                   79 %                   122 ms
=================  =====================  =====================  ==========

It may shorten a wait; it never decides alone.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from voice_server.audio.pcm import clean
from voice_server.speech.engine import LISTENING_RATE, Audio, EngineError
from voice_server.speech.mel import log_mel
from voice_server.speech.onnx_dequantise import float_graph
from voice_server.speech.onnx_session import only_file, open_session
from voice_server.speech.workers import Workers

HEARD_SAMPLES = 8 * LISTENING_RATE
"""The model hears the last 8 s, with silence in front of anything shorter."""

DEADLINE_S = 1.0
"""A call takes about 0.13 s; the answer is of no use once the hard silence (at most 2.5 s, mostly
under 1 s) has passed, and the endpointing falls back on silence alone."""


class SmartTurn:
    """P(finished) of an utterance; the EndOfTurn of :mod:`voice_server.speech.engine`."""

    def __init__(
        self, path: Path, *, workers: Workers | None = None, deadline_s: float = DEADLINE_S
    ) -> None:
        """Load the model, given as its ONNX file or folder, and run it once.

        ``workers`` runs the calls (default: one thread of its own).
        Raises EngineUnavailable if the model is missing or unreadable.
        """
        begin = time.perf_counter()
        file = only_file(path, "*.onnx", what="end-of-turn detection")
        what = "the end-of-turn model"
        self._session = open_session(float_graph(file, what=what), what=what)
        self._workers = workers or Workers("end-of-turn", 1)
        self._deadline_s = deadline_s
        self._judge(np.zeros(HEARD_SAMPLES, np.float32))
        self.load_ms = (time.perf_counter() - begin) * 1000
        """How long loading and the first call took."""

    async def probability(self, audio: Audio) -> float:
        """Return P(finished) for the utterance so far: float32 [n] at 16 kHz.

        Raises EngineTimeout after the deadline (its thread is replaced; the model, which keeps no
        state between calls, is not) and EngineError if the model fails.
        """
        heard = clean(audio[-HEARD_SAMPLES:]).copy()
        return await self._workers.run(
            lambda: self._judge(heard), urgent=True, deadline_s=self._deadline_s
        )

    def close(self) -> None:
        """Stop the threads."""
        self._workers.close()

    def _judge(self, heard: Audio) -> float:
        features = smart_turn_features(heard)
        try:
            (probability,) = self._session.run(None, {"input_features": features[None]})
        except Exception as error:  # onnxruntime's errors share no narrower base class
            raise EngineError(f"end-of-turn detection failed: {error}") from error
        return float(probability[0, 0])


def smart_turn_features(heard: Audio) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return the model's input [80, 800] for at most 8 s of audio, float32 [n] at 16 kHz."""
    padded = np.zeros(HEARD_SAMPLES, np.float32)
    padded[HEARD_SAMPLES - heard.size :] = heard
    # Zero mean and unit variance over all 8 s, the silence in front included, as in training.
    padded -= padded.mean()
    padded /= np.sqrt(padded.var() + np.float32(1e-7))
    return log_mel(padded)
