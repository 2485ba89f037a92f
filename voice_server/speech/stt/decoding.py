"""Whisper on CTranslate2, one step at a time: features, encoder, language, decoder.

Ready-made transcription functions pad every utterance to 30 s.  The encoder takes any length, so
a question of 3 s costs a tenth of that; what the padding was good for is put back by hand: some
silence after the speech, a penalty on repeating, and a bound on the length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import tokenizers

from voice_server.speech.engine import LISTENING_RATE, Audio, EngineError, EngineUnavailable
from voice_server.speech.mel import log_mel

WINDOW_S = 30.0
"""The longest audio the encoder takes, and what Whisper was trained on."""

REPETITION_PENALTY = 1.1
"""Without it a trimmed input makes Whisper say everything twice (word error rate 96 % in en)."""

HINT_TOKENS = 64
"""Room for a hint in the prompt: about 20 product names; Whisper itself allows 223."""

_WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the decoder made of one encoded stretch of audio.

    ``log_probability`` is the mean per token, natural log; ``complete`` is False where the length
    bound cut it off.
    """

    text: str
    tokens: int
    log_probability: float
    no_speech_probability: float
    complete: bool


class WhisperModel:
    """A multilingual Whisper in CTranslate2's format. Calls may come from several threads."""

    def __init__(self, folder: Path, *, replicas: int = 1, compute_type: str = "int8") -> None:
        """Load from ``folder`` (model.bin, config.json, tokenizer.json, vocabulary).

        ``replicas`` calls run at once, one thread each, on one copy of the weights.
        Raises EngineUnavailable if files are missing, damaged or of an English-only model.
        """
        if not (folder / "model.bin").is_file() or not (folder / "tokenizer.json").is_file():
            raise EngineUnavailable(
                f"speech to text needs model.bin and tokenizer.json in {folder}"
            )
        try:
            self._model: Any = ctranslate2.models.Whisper(
                str(folder),
                device="cpu",
                compute_type=compute_type,
                inter_threads=replicas,
                # A second thread gains nothing on trimmed input and takes the others' core.
                intra_threads=1,
            )
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # neither library names its errors
            raise EngineUnavailable(f"Whisper cannot be loaded from {folder}: {error}") from error
        if not self._model.is_multilingual:
            raise EngineUnavailable(f"the Whisper model in {folder} knows English only")
        self._start = self._token("<|startoftranscript|>")
        self._transcribe = self._token("<|transcribe|>")
        self._plain = self._token("<|notimestamps|>")
        self._previous = self._token("<|startofprev|>")
        self._end = self._token("<|endoftext|>")

    def warm_up(self) -> None:
        """Run every step once, so that the first caller does not pay for it."""
        encoded = self.encode(np.zeros(int(_WARM_UP_S * LISTENING_RATE), np.float32))
        self.identify(encoded, ())
        self.decode(encoded, "en", max_tokens=2)

    def knows(self, language: str) -> bool:
        """Tell whether Whisper has a token for an ISO 639-1 language."""
        return self._tokenizer.token_to_id(f"<|{language}|>") is not None

    def encode(self, audio: Audio) -> Any:
        """Return the encoder's states for float32 [n] at 16 kHz, more than 0.1 s, at most 30 s.

        Raises EngineError if the model fails.
        """
        features = log_mel(audio)
        # The encoder halves the number of steps: an odd one would be half silence.
        even = np.ascontiguousarray(features[None, :, : features.shape[1] // 2 * 2])
        try:
            return self._model.encode(ctranslate2.StorageView.from_array(even))
        except Exception as error:
            raise EngineError(f"Whisper's encoder failed: {error}") from error

    def identify(self, encoded: Any, languages: Sequence[str]) -> list[tuple[str, float]]:
        """Return ``languages`` (all when empty) with their probabilities among them, best first.

        Raises EngineUnavailable if Whisper knows none of them, EngineError if the model fails.
        """
        try:
            (ranked,) = self._model.detect_language(encoded)
        except Exception as error:
            raise EngineError(f"Whisper's language identification failed: {error}") from error
        found = [(token[2:-2], probability) for token, probability in ranked]
        if languages:
            found = [(code, probability) for code, probability in found if code in set(languages)]
        total = sum(probability for _, probability in found)
        if not found:
            raise EngineUnavailable(f"Whisper knows none of the languages {', '.join(languages)}")
        if total <= 0:
            return [(code, 1 / len(found)) for code, _ in found]
        return [(code, probability / total) for code, probability in found]

    def decode(
        self,
        encoded: Any,
        language: str,
        *,
        max_tokens: int,
        hint: str = "",
        repetition_penalty: float = REPETITION_PENALTY,
    ) -> Decoded:
        """Return the words in ``encoded``, at most ``max_tokens`` of them, greedily.

        ``hint`` stands before as if it had been said; its first 64 tokens count.
        Raises EngineUnavailable for a language Whisper does not know, EngineError if it fails.
        """
        if not self.knows(language):
            raise EngineUnavailable(f"Whisper does not know the language {language!r}")
        prompt = [self._start, self._token(f"<|{language}|>"), self._transcribe, self._plain]
        if hint:
            names = self._tokenizer.encode(" " + hint.strip(), add_special_tokens=False).ids
            prompt = [self._previous, *names[:HINT_TOKENS], *prompt]
        try:
            (result,) = self._model.generate(
                encoded,
                [prompt],
                beam_size=1,
                repetition_penalty=repetition_penalty,
                # CTranslate2 counts the prompt but for its last token.
                max_length=len(prompt) - 1 + max_tokens,
                return_scores=True,
                return_no_speech_prob=True,
            )
        except Exception as error:
            raise EngineError(f"Whisper's decoder failed: {error}") from error
        tokens = [token for token in result.sequences_ids[0] if token < self._end]
        score, length = result.scores[0], len(result.sequences_ids[0])
        return Decoded(
            text=self._tokenizer.decode(tokens).strip(),
            tokens=len(tokens),
            # The score is the mean over the words; the end counts as one more (as in Whisper).
            log_probability=score * length / (length + 1),
            no_speech_probability=result.no_speech_prob,
            complete=length < max_tokens,
        )

    def _token(self, name: str) -> int:
        token: int | None = self._tokenizer.token_to_id(name)
        if token is None:
            raise EngineUnavailable(f"the tokenizer lacks {name}: not a multilingual Whisper")
        return token
