"""Piper-format voices: any ``<voice>.onnx`` with its ``<voice>.onnx.json`` (VITS, one pass).

Only the file format is Piper's; its GPL-3.0 code is not used.  Phonemes come from the espeak-ng
process; phone times from the graph's own durations (the output of its one ``Ceil``).
"""

from __future__ import annotations

import functools
import json
import logging
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
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

ENGINE = "piper"
DEADLINE_S = 20.0
"""Synthesis runs at 0.1 of real time on 2 cores; the longest clause has some 20 s of speech."""

LOAD_DEADLINE_S = 60.0
"""Loading takes some 3 s on a quiet machine; a graph loaded late must not count as hung."""

_START, _END, _PAD = "^", "$", "_"
_SUBSTITUTES = {"…": ".", "—": ",", "“": '"', "”": '"'}
"""Marks some voices lack, and what they read alike."""


@dataclass(frozen=True, slots=True)
class PiperConfig:
    """What ``<voice>.onnx.json`` says; times relative, ``rate`` in Hz."""

    name: str
    language: str
    """BCP 47, such as ``nl-BE``."""
    espeak_voice: str
    """Empty when the voice reads letters instead of phonemes."""
    rate: int
    ids: dict[str, tuple[int, ...]]
    speakers: dict[str, int]
    noise_scale: float
    length_scale: float
    noise_w: float

    @classmethod
    def read(cls, path: Path) -> PiperConfig:
        """Read the file beside the voice ``path`` (the .onnx).

        Raises EngineUnavailable, saying what is wrong with it.
        """
        beside = path.with_name(path.name + ".json")
        try:
            said = json.loads(beside.read_text(encoding="utf-8"))
            kind = said.get("phoneme_type", "espeak")
            if kind not in {"espeak", "text"}:
                raise EngineUnavailable(f"{beside}: phoneme_type {kind!r} is not supported")
            scales = said.get("inference", {})
            espeak_voice = said.get("espeak", {}).get("voice", "")
            code = said.get("language", {}).get("code") or espeak_voice
            ids = {symbol: tuple(map(int, of)) for symbol, of in said["phoneme_id_map"].items()}
            missing = [mark for mark in (_START, _END, _PAD) if mark not in ids]
            if missing or not code:
                raise EngineUnavailable(
                    f"{beside}: no id for {' '.join(missing)}"
                    if missing
                    else f"{beside}: no language"
                )
            return cls(
                name=path.name.removesuffix(".onnx"),
                language=code.replace("_", "-"),
                espeak_voice="" if kind == "text" else espeak_voice or code,
                rate=int(said["audio"]["sample_rate"]),
                ids=ids,
                speakers=dict(said.get("speaker_id_map") or {})
                if said.get("num_speakers", 1) > 1
                else {},
                noise_scale=float(scales.get("noise_scale", 0.667)),
                length_scale=float(scales.get("length_scale", 1.0)),
                noise_w=float(scales.get("noise_w", 0.8)),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineUnavailable(f"{beside} is not a Piper voice's file: {error!r}") from error

    def encode(self, symbols: str) -> tuple[list[int], list[str]]:
        """Return the ids the graph reads and, beside each id, the symbol it stands for.

        Symbols the voice does not know are left out, as Piper does.
        """
        row: list[tuple[int, str]] = [(number, "") for number in self.ids[_START] + self.ids[_PAD]]
        for character in unicodedata.normalize("NFD", symbols):
            known = self.ids.get(character) or self.ids.get(_SUBSTITUTES.get(character, ""))
            if known:
                row += [(number, character) for number in known]
                row += [(number, "") for number in self.ids[_PAD]]
        row += [(number, " ") for number in self.ids[_END]]
        return [number for number, _ in row], [symbol for _, symbol in row]


@dataclass(frozen=True, slots=True)
class _Graph:
    session: Any
    tells_durations: bool


class PiperTextToSpeech:
    """All Piper-format voices of the server, one worker thread for them.

    A graph is loaded at its first clause, or sooner by :meth:`load`; a worker that hangs is
    replaced and its graphs are loaded anew.
    """

    def __init__(
        self,
        files: Sequence[Path],
        phonemizer: Phonemizer,
        *,
        threads: int = 2,
        licence: str = "see the voice's model card",
        gender: str = "neutral",
    ) -> None:
        """Read the configuration beside each of ``files`` (.onnx). Raises EngineUnavailable."""
        self._phonemizer = phonemizer
        self._threads = threads
        self._workers = Workers(ENGINE, on_lost=self._forget_graphs)
        self._graphs: dict[Path, _Graph] = {}
        self._known: dict[str, tuple[Path, PiperConfig, int | None]] = {}
        voices = []
        for path in files:
            config = PiperConfig.read(path)
            speakers: dict[str, int | None] = {
                f"{config.name}#{speaker}": number for speaker, number in config.speakers.items()
            }
            for name, number in (speakers or {config.name: None}).items():
                self._known[name] = (path, config, number)
                voices.append(Voice(name, config.language, ENGINE, Quality.NATIVE, gender, licence))
        self._voices = tuple(voices)

    @property
    def version(self) -> str:
        """What the phrase cache distinguishes this engine's audio by."""
        return f"{ENGINE}/1"

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices whose files were given, one per speaker."""
        return self._voices

    async def load(self) -> None:
        """Load every graph now instead of at its first clause. Raises EngineError."""
        for path in {path for path, _, _ in self._known.values()}:
            await self._load(path, urgent=False)

    def close(self) -> None:
        """Stop the worker after its present clause."""
        self._workers.close()

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        """Speak ``text`` in one chunk. Raises EngineError; EngineUnavailable without a voice."""
        path, config, speaker = self._choose(language, voice)
        symbols = text
        if config.espeak_voice:
            symbols = await self._phonemizer.phonemes(text, config.espeak_voice)
        ids, beside = config.encode(symbols)
        if not any(map(str.strip, beside)):
            return

        if path not in self._graphs:
            await self._load(path, urgent=urgent)

        def synthesise() -> tuple[Audio, NDArray[np.float32] | None]:
            return self._synthesise(self._graph(path), config, ids, speaker, speed)

        audio, frames = await self._workers.run(synthesise, urgent=urgent, deadline_s=DEADLINE_S)
        if frames is not None and len(frames) == len(ids):
            phones = token_timeline(beside, frames, 1000 * len(audio) / config.rate)
        else:
            phones = proportional(symbols, *voiced_span(audio, config.rate))
        yield SpeechChunk(to_speaking_rate(audio, config.rate), phones)

    def _choose(self, language: str, voice: str) -> tuple[Path, PiperConfig, int | None]:
        if voice in self._known:
            return self._known[voice]
        tag = language.lower().replace("_", "-")
        base = tag.split("-")[0]
        languages = [known.language.lower() for known in self._voices]
        near = [own.split("-")[0] for own in languages]
        for wanted, among in ((tag, languages), (base, near)):
            if wanted in among:
                return self._known[self._voices[among.index(wanted)].id]
        raise EngineUnavailable(f"no Piper voice speaks {language!r}")

    async def _load(self, path: Path, *, urgent: bool) -> None:
        await self._workers.run(
            functools.partial(self._graph, path), urgent=urgent, deadline_s=LOAD_DEADLINE_S
        )

    def _forget_graphs(self) -> None:
        self._graphs = {}

    def _graph(self, path: Path) -> _Graph:
        """Return the loaded graph (in the worker). Raises EngineUnavailable."""
        known = self._graphs.get(path)
        if known is None:
            known = self._graphs[path] = load_graph(path, self._threads)
        return known

    def _synthesise(
        self,
        graph: _Graph,
        config: PiperConfig,
        ids: list[int],
        speaker: int | None,
        speed: float,
    ) -> tuple[Audio, NDArray[np.float32] | None]:
        scales = [config.noise_scale, config.length_scale / speed, config.noise_w]
        inputs: dict[str, NDArray[Any]] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }
        if speaker is not None:
            inputs["sid"] = np.array([speaker], np.int64)
        try:
            outputs = graph.session.run(None, inputs)
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise EngineError(f"the Piper voice {config.name} failed: {error}") from error
        audio = np.clip(outputs[0].reshape(-1), -1.0, 1.0).astype(np.float32, copy=False)
        return audio, outputs[1].reshape(-1) if graph.tells_durations else None


def load_graph(path: Path, threads: int) -> _Graph:
    """Load a voice, with the durations as a second output where the graph has them.

    Raises EngineUnavailable when the file is missing or broken.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would steal the cores from recognition between two clauses.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        model = onnx.load(str(path))
        rounded = [node.output[0] for node in model.graph.node if node.op_type == "Ceil"]
        if len(rounded) == 1:
            model.graph.output.append(
                onnx.helper.make_tensor_value_info(rounded[0], onnx.TensorProto.FLOAT, None)
            )
        else:
            log.info("%s tells no durations: its phones get guessed times", path.name)
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # protobuf's and onnxruntime's have no common base of their own
        raise EngineUnavailable(f"the Piper voice {path} cannot be loaded: {error}") from error
    return _Graph(session, len(rounded) == 1)
