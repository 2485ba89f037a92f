"""Coqui voices (the extra ``[coqui]``): VITS and XTTS-v2 checkpoints in local folders.

PyTorch is large and slow to import, so nothing of it is touched before the first clause.  Mind
the licences: XTTS-v2's weights are under the Coqui Public Model License (non-commercial).
"""

from __future__ import annotations

import functools
import importlib
import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice_server.speech.engine import (
    Audio,
    EngineError,
    EngineUnavailable,
    Quality,
    SpeechChunk,
    Voice,
)
from voice_server.speech.phonemes import Phonemizer
from voice_server.speech.tts.timeline import (
    proportional,
    to_speaking_rate,
    token_timeline,
    voiced_span,
)
from voice_server.speech.workers import Workers

log = logging.getLogger(__name__)

ENGINE = "coqui"
DEADLINE_S = 60.0
"""XTTS-v2 on a CPU is slower than speech; VITS takes a tenth of this."""
LOAD_DEADLINE_S = 180.0
"""Importing PyTorch from a cold disk and reading 1.9 GB of XTTS-v2."""

MISSING = (
    "Coqui voices need the extra: pip install 'voice-server[coqui]' (about 1.8 GB with PyTorch; "
    "torch, torchaudio and torchcodec must be builds for the same device)"
)


@dataclass(frozen=True, slots=True)
class CoquiModel:
    """A checkpoint and who speaks from it.

    ``folder`` holds ``config.json`` and the checkpoint (``model.pth``, or another single .pth).
    ``languages`` are ISO 639-1 or BCP 47.  A model of many speakers needs ``speaker``; a cloning
    one may instead take ``speaker_wav``, some seconds of the voice to speak with.
    """

    id: str
    folder: Path
    languages: tuple[str, ...]
    licence: str
    speaker: str = ""
    speaker_wav: Path | None = None
    gender: str = "neutral"


class CoquiTextToSpeech:
    """Coqui models behind one worker thread, each loaded at its first clause."""

    def __init__(
        self, models: Sequence[CoquiModel], phonemizer: Phonemizer, *, threads: int = 2
    ) -> None:
        """Check that each model's files are there. Raises EngineUnavailable.

        ``phonemizer`` times the phones of models that tell no durations.
        """
        self._models = {model.id: model for model in models}
        for model in models:
            _checkpoint(model)
        self._phonemizer = phonemizer
        self._threads = threads
        self._loaded: dict[str, Any] = {}
        self._workers = Workers(ENGINE, on_lost=self._forget)

    @property
    def version(self) -> str:
        """What the phrase cache distinguishes this engine's audio by."""
        return f"{ENGINE}/1"

    def voices(self) -> tuple[Voice, ...]:
        """Return one voice per model and language, whether the extra is installed or not."""
        return tuple(
            Voice(model.id, language, ENGINE, Quality.NATIVE, model.gender, model.licence)
            for model in self._models.values()
            for language in model.languages
        )

    async def load(self) -> None:
        """Load every model now. Raises EngineUnavailable, saying what to install."""
        for model in self._models.values():
            await self._load(model, urgent=False)

    def close(self) -> None:
        """Stop the worker after its present clause."""
        self._workers.close()

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        """Speak ``text`` in one chunk. Raises EngineError; EngineUnavailable without the extra."""
        model = self._choose(language, voice)
        if not text.strip():
            return
        if model.id not in self._loaded:
            await self._load(model, urgent=urgent)
        audio, rate, tokens = await self._workers.run(
            lambda: self._synthesise(model, text, language, speed),
            urgent=urgent,
            deadline_s=DEADLINE_S,
        )
        if tokens is not None:
            phones = token_timeline(*tokens, 1000 * len(audio) / rate)
        else:
            ipa = await self._phonemizer.phonemes(text, language)
            phones = proportional(ipa, *voiced_span(audio, rate))
        yield SpeechChunk(to_speaking_rate(audio, rate), phones)

    def _choose(self, language: str, voice: str) -> CoquiModel:
        if voice in self._models:
            return self._models[voice]
        for model in self._models.values():
            if _base(language) in map(_base, model.languages):
                return model
        raise EngineUnavailable(f"no Coqui voice speaks {language!r}")

    async def _load(self, model: CoquiModel, *, urgent: bool) -> None:
        await self._workers.run(
            functools.partial(self._model, model), urgent=urgent, deadline_s=LOAD_DEADLINE_S
        )

    def _forget(self) -> None:
        self._loaded = {}

    def _model(self, model: CoquiModel) -> Any:
        """Return the loaded synthesizer (in the worker). Raises EngineUnavailable."""
        if model.id not in self._loaded:
            self._loaded[model.id] = load_model(model, self._threads)
        return self._loaded[model.id]

    def _synthesise(
        self, model: CoquiModel, text: str, language: str, speed: float
    ) -> tuple[Audio, int, tuple[list[str], NDArray[np.float32]] | None]:
        """Return (audio, its rate, symbols and frames of the tokens where the model tells them)."""
        synthesizer = self._model(model)
        network = synthesizer.tts_model
        how: dict[str, Any] = {}
        if model.speaker:
            how["speaker"] = model.speaker
        if model.speaker_wav is not None:
            how["speaker_wav"] = str(model.speaker_wav)
        names = list(network.language_manager.language_names)
        if len(names) > 1:  # XTTS calls Chinese zh-cn
            how["language"] = next((name for name in names if _base(name) == _base(language)), "")
        if hasattr(network, "length_scale"):
            network.length_scale = float(network.config.model_args.length_scale) / speed
        else:
            how["speed"] = speed
        try:
            said = network.synthesize(text, **how)
        except Exception as error:  # PyTorch's exceptions have no common base of their own
            raise EngineError(f"the Coqui voice {model.id} failed: {error}") from error
        audio = np.clip(np.asarray(said["wav"], np.float32).reshape(-1), -1.0, 1.0)
        return audio, int(synthesizer.output_sample_rate), _tokens(network, said)


def load_model(model: CoquiModel, threads: int) -> Any:
    """Load a checkpoint with its config; return Coqui's synthesizer.

    Raises EngineUnavailable when the extra is missing or the files are unusable.
    """
    try:
        torch = importlib.import_module("torch")
        api = importlib.import_module("TTS.api")
    except (ImportError, OSError) as error:  # OSError: a torchaudio built for another device
        raise EngineUnavailable(f"{MISSING}: {error}") from error
    checkpoint = _checkpoint(model)
    torch.set_num_threads(threads)
    try:
        tts = api.TTS(
            model_path=str(checkpoint),
            config_path=str(model.folder / "config.json"),
            progress_bar=False,
        )
        if torch.cuda.is_available():
            tts = tts.to("cuda")
    except Exception as error:  # PyTorch's exceptions have no common base of their own
        raise EngineUnavailable(f"the Coqui voice {model.id} cannot be loaded: {error}") from error
    return tts.synthesizer


def _base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _checkpoint(model: CoquiModel) -> Path:
    """Return what Coqui wants as the model's path: the folder for XTTS, else the .pth file."""
    config = model.folder / "config.json"
    try:
        kind = json.loads(config.read_text(encoding="utf-8")).get("model", "")
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"{config} is not a Coqui configuration: {error}") from error
    if kind == "xtts":
        return model.folder
    named = model.folder / "model.pth"
    found = [named] if named.exists() else sorted(model.folder.glob("*.pth"))
    if len(found) != 1:
        raise EngineUnavailable(f"{model.folder} should hold one model.pth, not {len(found)}")
    return found[0]


def _tokens(network: Any, said: Any) -> tuple[list[str], NDArray[np.float32]] | None:
    """Return symbols and durations of a VITS model that reads phonemes, else None."""
    outputs = said.get("outputs")
    durations = outputs.get("durations") if isinstance(outputs, dict) else None
    tokenizer = getattr(network, "tokenizer", None)
    if durations is None or tokenizer is None or not tokenizer.use_phonemes:
        return None
    frames = np.asarray(durations.cpu(), np.float32).reshape(-1)
    characters = tokenizer.characters
    numbers = [int(number) for number in said["text_inputs"].reshape(-1)]
    symbols = [characters.id_to_char(number) for number in numbers]
    beside = ["" if symbol == characters.blank else symbol for symbol in symbols]
    beside = [symbol if len(symbol) < 2 else " " for symbol in beside]  # <PAD>, <BOS>, <EOS>
    return (beside, frames) if len(frames) == len(beside) else None
