"""The speech engines as the rest of the server sees them: Protocols and the values they exchange.

Every audio array is float32, mono, in [-1, 1].  Engines raise :class:`EngineError` (a subclass
says which stage) and nothing else; a caller that cancels an await leaves the engine usable.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
"""float32 mono [n], nominally in [-1, 1]."""

LISTENING_RATE = 16_000
"""Rate in Hz of everything the recognising models hear (VAD, end-of-turn, speech to text)."""

SPEAKING_RATE = 24_000
"""Rate in Hz of everything the synthesisers return."""


class EngineError(Exception):
    """A speech engine could not do its work; the message is for the operator."""


class EngineTimeout(EngineError):
    """A speech engine missed its deadline; its worker has been replaced."""


class EngineUnavailable(EngineError):
    """The engine, voice or language asked for is not installed or not loaded."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was understood of an utterance.

    ``language`` is ISO 639-1; ``log_probability`` the mean per token (natural log);
    ``no_speech_probability`` in [0, 1].  An empty ``text`` means: no words in the audio.
    """

    text: str
    language: str
    language_probability: float
    log_probability: float
    no_speech_probability: float
    audio_ms: int


class Quality(StrEnum):
    """How a voice sounds in a language: the page and the logs say so."""

    NATIVE = "native"
    PLAIN = "plain"
    """Native and well understood, but plainly a machine."""
    ACCENTED = "accented"
    EXPERIMENTAL = "experimental"
    ROBOTIC = "robotic"


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice in one language. ``id`` is unique per language (``ef_dora`` may speak several)."""

    id: str
    language: str
    engine: str
    quality: Quality
    gender: str
    licence: str


@dataclass(frozen=True, slots=True)
class Phone:
    """One IPA symbol and when it sounds, in ms from the first sample of its clause."""

    symbol: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Part of a clause's speech: ``audio`` at SPEAKING_RATE and the phones that begin in it.

    Phone times count from the start of the clause, not of the chunk.
    """

    audio: Audio
    phones: tuple[Phone, ...]
    cached: bool = False


class Vad(Protocol):
    """Voice activity, stateful per session, batched across sessions."""

    frame_samples: int
    """Samples at LISTENING_RATE in one frame (512 = 32 ms)."""

    def new_state(self) -> Any:
        """Return the state of one audio stream, as if silence came before."""

    def probabilities(self, frames: Sequence[tuple[Any, Audio]]) -> list[float]:
        """Return P(speech) for each (state, float32 [frame_samples]); updates the states in place.

        Synchronous; one call at a time; a state may occur once per call.
        """


class EndOfTurn(Protocol):
    """Does the speaker sound finished?"""

    async def probability(self, audio: Audio) -> float:
        """Return P(finished) for the utterance so far: float32 [n] at LISTENING_RATE."""


class SpeechToText(Protocol):
    """Words from audio."""

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        hint: str = "",
        urgent: bool = True,
    ) -> Transcript:
        """Transcribe float32 [n] at LISTENING_RATE.

        ``language`` forces one; else it is identified among ``languages`` (all when empty).
        ``hint`` holds names likely to occur.  Urgent work (finals) overtakes partials.
        Raises EngineError.
        """


class TextToSpeech(Protocol):
    """Audio from words."""

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices that can sound now."""

    def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        """Speak one clause of plain text, yielding chunks as they are ready, first one soon.

        ``language`` is ISO 639-1 or BCP 47; an empty ``voice`` means the best one for it.
        Closing the iterator early stops the work between chunks.  Raises EngineError.
        """
