"""Speech to text with Whisper: trimmed encoder, language among the shop's, guards, urgency."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from voice_server.audio.pcm import clean
from voice_server.speech.engine import LISTENING_RATE, Audio, Transcript
from voice_server.speech.stt import guards
from voice_server.speech.stt.chunks import split_at_pauses
from voice_server.speech.stt.decoding import WINDOW_S, Decoded, WhisperModel
from voice_server.speech.workers import Workers

T = TypeVar("T")

TAIL_S = 2.0
"""Digital silence after the speech: Whisper must see the end, or it says the sentence again.

Word errors in % on 12-13 recordings a language (seconds of tail, then padded to 30 s, without
penalty): fr 27.0, 28.0, 26.0 with 1.0, 1.5, 2.0 s, padded 30.0; en 5.6, 0.8, 0.8, padded 0.8; es
16.2, 14.6, 13.8, padded 13.1; it 23.9, 20.2, 20.2, padded 21.1.  Only 2 s stays within a point of
the padded result in all four.
"""

TOKENS_PER_S = 9.0
TOKENS_AT_LEAST = 8
"""The bound on a transcript's length: fast speech has 5-6 tokens a second."""

SHORTEST_S = 0.1
"""Anything shorter holds no word."""

DEADLINE_S = 5.0
"""Queueing included; after it the session apologises (DESIGN: no silence)."""

LOAD_DEADLINE_S = 60.0

_LONGEST_PIECE_S = WINDOW_S - TAIL_S


@dataclass(frozen=True, slots=True)
class _Request:
    """What the caller asked for, with the audio cleaned and copied."""

    audio: Audio
    language: str | None
    languages: tuple[str, ...]
    hint: str
    thorough: bool
    deadline: float


@dataclass(frozen=True, slots=True)
class _Heard:
    """A piece of audio after the encoder: what the decoder needs."""

    audio: Audio
    dbfs: float
    encoded: Any
    encoding_s: float
    language: str
    language_probability: float


class WhisperSpeechToText:
    """The SpeechToText of :mod:`voice_server.speech.engine` on a Whisper in CTranslate2's format.

    Finals (``urgent``) overtake partials in the queue and between a partial's encoder and decoder.
    Finals that come out unsure, looping or cut off are heard again padded to 30 s; partials are
    not, the next one corrects them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        deadline_s: float = DEADLINE_S,
        tail_s: float = TAIL_S,
        language_odds: Mapping[str, float] | None = None,
        load_model: Callable[[], WhisperModel] | None = None,
    ) -> None:
        """Prepare to transcribe ``workers`` utterances at once, one thread each.

        ``language_odds`` says by how much the model under-hears a language (see :func:`weighed`).
        ``load_model`` replaces the loading of ``folder``, for tests.  Nothing is read before
        :meth:`load` or the first call.
        """
        self._load_model = load_model or (lambda: WhisperModel(folder, replicas=workers))
        self._workers = Workers("speech-to-text", workers, on_lost=self._replace_model)
        self._deadline_s = deadline_s
        self._odds = dict(language_odds or {})
        self._tail = np.zeros(int(tail_s * LISTENING_RATE), np.float32)
        self._lock = threading.Lock()
        self._model: WhisperModel | None = None
        self.load_ms = 0.0
        """How long the last loading took, warm-up included."""

    @property
    def queue_seconds(self) -> float:
        """How long the utterance begun last had to wait for a thread."""
        return self._workers.queue_seconds

    async def load(self) -> float:
        """Load and warm up the model; return the ms it took (0 if it was loaded).

        Raises EngineUnavailable if it cannot be loaded, EngineTimeout after a minute.
        """
        if self._model is not None:
            return 0.0
        await self._workers.run(self._ready_model, urgent=True, deadline_s=LOAD_DEADLINE_S)
        return self.load_ms

    def close(self) -> None:
        """Stop the threads; calls that wait never answer but by their deadline."""
        self._workers.close()

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        languages: Sequence[str] = (),
        hint: str = "",
        urgent: bool = True,
    ) -> Transcript:
        """Transcribe float32 [n] at 16 kHz, of any length.

        ``language`` forces one; else it is identified among ``languages`` (all when empty).
        ``hint`` holds names likely to occur; it never makes words out of silence.
        Raises EngineTimeout after the deadline (the model is then loaded afresh for the next
        call), EngineUnavailable for an unknown language or missing weights, EngineError if the
        model fails.
        """
        deadline = time.monotonic() + self._deadline_s
        request = _Request(clean(audio).copy(), language, tuple(languages), hint, urgent, deadline)
        if urgent:
            return await self._run(lambda: self._transcribe(request), True, deadline)
        # Two steps instead of one, so that a final waiting meanwhile goes first.
        pieces = await self._run(lambda: self._listen(request), False, deadline)
        return await self._run(lambda: self._put_into_words(request, pieces), False, deadline)

    async def _run(self, call: Callable[[], T], urgent: bool, deadline: float) -> T:
        left = max(deadline - time.monotonic(), 0.001)
        return await self._workers.run(call, urgent=urgent, deadline_s=left)

    def _replace_model(self) -> None:
        """A call is stuck in the model: the next one gets a fresh one.

        Without the lock, which a loading thread may hold: this runs in the event loop.
        """
        self._model = None

    def _ready_model(self) -> WhisperModel:
        with self._lock:
            if self._model is None:
                begin = time.perf_counter()
                model = self._load_model()
                model.warm_up()
                self._model = model
                self.load_ms = (time.perf_counter() - begin) * 1000
                return model
            return self._model

    def _transcribe(self, request: _Request) -> Transcript:
        return self._put_into_words(request, self._listen(request))

    def _listen(self, request: _Request) -> list[_Heard]:
        """Encode the audio piece by piece, silent pieces left out, and settle the language."""
        model, heard = self._ready_model(), []
        language, probability = request.language, 1.0
        for piece in split_at_pauses(request.audio, longest_s=_LONGEST_PIECE_S):
            dbfs = guards.loudest_dbfs(piece)
            if piece.size < SHORTEST_S * LISTENING_RATE or dbfs < guards.SILENT_DBFS:
                continue
            begin = time.monotonic()
            encoded = model.encode(np.concatenate((piece, self._tail)))
            encoding_s = time.monotonic() - begin
            if language is None:
                ranked = model.identify(encoded, request.languages)
                language, probability = weighed(ranked, self._odds)[0]
            heard.append(_Heard(piece, dbfs, encoded, encoding_s, language, probability))
        return heard

    def _put_into_words(self, request: _Request, heard: list[_Heard]) -> Transcript:
        audio_ms = round(request.audio.size * 1000 / LISTENING_RATE)
        said = [self._decode(request, piece) for piece in heard]
        spoken = [decoded for decoded in said if decoded.text]
        if not heard or not spoken:
            language = heard[0].language if heard else request.language or ""
            return Transcript(
                text="",
                language=language or next(iter(request.languages), ""),
                language_probability=heard[0].language_probability if heard else 0.0,
                log_probability=0.0,
                no_speech_probability=1.0,
                audio_ms=audio_ms,
            )
        tokens = sum(decoded.tokens for decoded in spoken)
        return Transcript(
            text=" ".join(decoded.text for decoded in spoken),
            language=heard[0].language,
            language_probability=heard[0].language_probability,
            log_probability=sum(d.log_probability * d.tokens for d in spoken) / tokens,
            no_speech_probability=min(decoded.no_speech_probability for decoded in spoken),
            audio_ms=audio_ms,
        )

    def _decode(self, request: _Request, piece: _Heard) -> Decoded:
        """Return what was said in one piece; an empty text where nothing was."""
        model = self._ready_model()
        seconds = piece.audio.size / LISTENING_RATE
        bound = TOKENS_AT_LEAST + int(seconds * TOKENS_PER_S)
        decoded = model.decode(piece.encoded, piece.language, max_tokens=bound, hint=request.hint)
        if request.hint and (
            guards.echoes_hint(decoded.text, request.hint) or guards.needs_second_look(decoded)
        ):
            # Names repeated from the prompt and names spoken look alike: ask without it.
            plain = model.decode(piece.encoded, piece.language, max_tokens=bound)
            if guards.is_invented(plain, piece.dbfs) or guards.needs_second_look(decoded):
                decoded = plain
        if guards.is_invented(decoded, piece.dbfs):
            return replace(decoded, text="")
        if (
            request.thorough
            and guards.needs_second_look(decoded)
            and self._has_time(request, piece)
        ):
            decoded = self._second_look(model, piece, bound, decoded)
            if guards.is_invented(decoded, piece.dbfs):
                return replace(decoded, text="")
        return replace(decoded, text=guards.without_loop(decoded.text))

    def _has_time(self, request: _Request, piece: _Heard) -> bool:
        """Tell whether hearing 30 s fits into half of the time left, at the speed just seen."""
        heard_s = (piece.audio.size + self._tail.size) / LISTENING_RATE
        # Decoding attends to a longer memory too: half as much again.
        needed_s = 1.5 * piece.encoding_s * WINDOW_S / heard_s
        return needed_s < (request.deadline - time.monotonic()) / 2

    def _second_look(
        self, model: WhisperModel, piece: _Heard, bound: int, first: Decoded
    ) -> Decoded:
        """Hear the piece as Whisper was trained, padded to 30 s: slower, and more often right."""
        padded = np.zeros(int(WINDOW_S * LISTENING_RATE), np.float32)
        padded[: piece.audio.size] = piece.audio
        again = model.decode(model.encode(padded), piece.language, max_tokens=bound)
        return guards.better((first, again))


def weighed(
    ranked: Sequence[tuple[str, float]], odds: Mapping[str, float]
) -> list[tuple[str, float]]:
    """Return languages with their probabilities, each one's odds multiplied, best first.

    >>> weighed([("en", 0.6), ("nl", 0.4)], {"nl": 6.0})[0]
    ('nl', 0.8)
    """
    if not odds:
        return list(ranked)
    weights = {code: probability * odds.get(code, 1.0) for code, probability in ranked}
    total = sum(weights.values()) or 1.0
    return sorted(
        ((code, round(weight / total, 6)) for code, weight in weights.items()),
        key=lambda item: -item[1],
    )
