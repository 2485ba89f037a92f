"""Kokoro as a :class:`TextToSpeech`: a clause is heard while it is still being computed."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, Protocol

from voice_server.assets import assets_dir
from voice_server.speech.engine import (
    SPEAKING_RATE,
    Audio,
    EngineUnavailable,
    SpeechChunk,
    Voice,
)
from voice_server.speech.tts.kokoro_cutter import Cutter
from voice_server.speech.tts.kokoro_graph import derive, measure_voice
from voice_server.speech.tts.kokoro_model import Clause, KokoroModel
from voice_server.speech.tts.kokoro_phones import (
    TIE,
    VOCABULARY,
    Spelling,
    portions,
    spell,
)
from voice_server.speech.tts.kokoro_statistics import (
    Statistics,
    load_statistics,
    save_statistics,
)
from voice_server.speech.tts.kokoro_voices import (
    STATISTICS_FILE,
    VoiceSpec,
    read_specs,
    read_style,
    style_row,
)
from voice_server.speech.tts.windows import Cost, Window, schedule
from voice_server.speech.workers import Workers
from voice_server.weights.manifest import load_entry

log = logging.getLogger(__name__)

FIRST_DEADLINE_S = 3.0
"""For text half and first window together, queueing included (DESIGN §3)."""

CHUNK_DEADLINE_S = 3.0
"""For each further window, which is made to take less than the one before takes to play."""

PATIENT_DEADLINE_S = 60.0
"""For work nobody waits for: it stands behind everything urgent, and being late is no fault."""

SLOWEST, FASTEST = 0.5, 2.0

_CALIBRATION = (
    "ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˌOvəɹ ðə lˈAzi dˈɔɡ, ænd ɡˈOz hˈOm.",
    "wi hæv ðə blˈu swˈɛTəɹ ɪn θɹˈi sˈIzᵻz, wˌʊd ju lˈIk tə si ɪt?",
    "jʊɹ ˈɔɹdəɹ wɪl əɹˈIv ˌɔn tˈuzdA bᵻfˌɔɹ nˈun, θˈæŋk ju fɔɹ wˈATɪŋ.",
    "jˈɛs.",
    "θˈæŋk ju.",
    "ɡˈʊd ˌæftəɹnˈun.",
    "ɪts ɪn stˈɑk, wˈʌn mˈOmᵊnt.",
)
"""Fifteen seconds of speech to measure a voice by that was not shipped with its statistics."""


class TiedPhonemizer(Protocol):
    """A Phonemizer that can mark which vowels are one diphthong."""

    async def phonemes(self, text: str, language: str, *, tie: str = "") -> str:
        """Return IPA with stress, punctuation and ties."""


class KokoroTextToSpeech:
    """Kokoro-82M in one worker, window by window: what a listener waits for goes first.

    A worker that hangs is replaced and the graphs are loaded anew for the next clause.
    """

    def __init__(
        self,
        model_dir: Path,
        derived_dir: Path,
        phonemizer: TiedPhonemizer,
        *,
        threads: int = 2,
        engine: Mapping[str, Any] | None = None,
    ) -> None:
        """Load everything and measure this machine; blocks for about 2 s, more the first time.

        ``model_dir`` holds the export and ``voices/``; ``derived_dir`` is where folders of
        derived files are kept; ``engine`` is the model's ``[engine]`` table (default: the one
        that comes with the server).  Raises EngineUnavailable.
        """
        assets = assets_dir("models")
        if engine is None:
            engine = load_entry(assets / "kokoro-82m.toml").engine
        self._phonemizer = phonemizer
        self._threads = threads
        self._folder = derive(model_dir, derived_dir)
        self._specs = read_specs(engine)
        self._styles = {spec.recipe: read_style(model_dir, spec) for spec in self._specs}
        model = KokoroModel.load(self._folder, threads=threads)
        self._model: KokoroModel | None = model
        self._statistics = self._measured(model, assets)
        self._cost = Cost(40.0, 8.0)
        self._warm(model)
        self._workers = Workers("kokoro", on_lost=self._forget)

    @property
    def version(self) -> str:
        """What the phrase cache distinguishes this engine's audio by."""
        return f"kokoro/{self._folder.name}"

    @property
    def backlog_s(self) -> float:
        """How long a new clause would wait for those whose listeners wait already."""
        return self._workers.backlog_s

    @property
    def cost(self) -> Cost:
        """What a window takes here, as measured so far."""
        return self._cost

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices of the model's TOML, the best one of a language first."""
        return tuple(spec.voice for spec in self._specs)

    def close(self) -> None:
        """Stop the worker after its present window."""
        self._workers.close()

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Speak one clause, a window at a time, leading and trailing silence cut.

        Raises EngineError; EngineUnavailable if no voice speaks ``language``.
        """
        spec = self._choose(language, voice)
        ipa = await self._phonemizer.phonemes(text, spec.voice.language, tie=TIE)
        pace = min(FASTEST, max(SLOWEST, speed)) * spec.speed
        first_s = FIRST_DEADLINE_S if urgent else PATIENT_DEADLINE_S
        chunk_s = CHUNK_DEADLINE_S if urgent else PATIENT_DEADLINE_S
        offset_ms = sounding_ms = 0.0
        first_at: float | None = None
        for spelling in portions(spell(ipa, spec.voice.language, spec.phones)):
            began = time.monotonic()
            clause = await self._workers.run(
                functools.partial(self._read, spec, spelling, pace),
                urgent=urgent,
                deadline_s=first_s,
                due=None if first_at is None else first_at + sounding_ms / 1000,
            )
            cut = Cutter(spelling, clause.reading, offset_ms)
            for window in schedule(cut.start, cut.stop, self._cost):
                left_s = first_s - (time.monotonic() - began)
                audio = await self._workers.run(
                    functools.partial(self._sound, clause, window),
                    urgent=urgent,
                    deadline_s=max(left_s, 0.1) if window.start == cut.start else chunk_s,
                    due=began if first_at is None else first_at + sounding_ms / 1000,
                )
                chunk = cut.take(audio, last=window.stop == cut.stop)
                if len(chunk.audio):
                    first_at = first_at or time.monotonic()
                    sounding_ms += 1000 * len(chunk.audio) / SPEAKING_RATE
                    yield chunk
            offset_ms = cut.end_ms

    def _choose(self, language: str, voice: str) -> VoiceSpec:
        """Return the voice asked for if it speaks the language, else the language's first."""
        tag = language.lower().replace("_", "-")
        base = tag.split("-")[0]
        speaking = [s for s in self._specs if s.voice.language.lower().split("-")[0] == base]
        if not speaking:
            raise EngineUnavailable(f"no Kokoro voice speaks {language!r}")
        regional = [s for s in speaking if s.voice.language.lower() == tag]
        named = [s for s in regional + speaking if s.voice.id == voice]
        return (named or regional or speaking)[0]

    def _forget(self) -> None:
        self._model = None

    def _loaded(self) -> KokoroModel:
        """Return the graphs (in the worker), opened again after a worker was lost."""
        model = self._model
        if model is None:
            model = self._model = KokoroModel.load(self._folder, threads=self._threads)
        return model

    def _read(self, spec: VoiceSpec, spelling: Spelling, pace: float) -> Clause:
        model = self._loaded()
        row = style_row(self._styles[spec.recipe], len(spelling.tokens))
        reading = model.read(list(spelling.tokens), row, pace)
        return model.begin(reading, row, self._statistics[spec.recipe])

    def _sound(self, clause: Clause, window: Window) -> Audio:
        began = time.perf_counter()
        audio = self._loaded().sound(clause, window)
        took_ms = 1000 * (time.perf_counter() - began)
        self._cost = self._cost.learn(window.frames, took_ms)
        return audio

    def _measured(self, model: KokoroModel, assets: Path) -> dict[str, Statistics]:
        """Return the statistics of every voice; those not shipped are measured once and kept."""
        own = self._folder / "statistics.npz"
        known = load_statistics(assets / STATISTICS_FILE) | load_statistics(own)
        missing = {spec.recipe: spec for spec in self._specs if spec.recipe not in known}
        if missing:
            names = ", ".join(spec.voice.id for spec in missing.values())
            log.info("measuring Kokoro's voices %s: some 15 s each, once", names)
            kept = load_statistics(own)
            for recipe in missing:
                clauses = []
                for symbols in _CALIBRATION:
                    tokens = [VOCABULARY[symbol] for symbol in symbols]
                    clauses.append((tokens, style_row(self._styles[recipe], len(tokens))))
                kept[recipe] = known[recipe] = measure_voice(model, clauses)
            try:
                save_statistics(own, kept)
            except OSError as error:
                log.warning("the measurements are not kept, the next start repeats them: %s", error)
        return known

    def _warm(self, model: KokoroModel) -> None:
        """Run a short and a long window twice: the second time tells what they cost."""
        spec = self._specs[0]
        spelling = portions(spell(_CALIBRATION[0], "-"))[0]
        row = style_row(self._styles[spec.recipe], len(spelling.tokens))
        reading = model.read(list(spelling.tokens), row, 1.0)
        times = {}
        for _ in range(2):
            for frames in (16, 48):
                clause = model.begin(reading, row, self._statistics[spec.recipe])
                window = Window(20, min(20 + frames, reading.frames))
                began = time.perf_counter()
                model.sound(clause, window)
                times[window.frames] = 1000 * (time.perf_counter() - began)
        self._cost = _fit(times)
        log.info(
            "Kokoro: a window takes %.0f ms and %.1f ms a frame of 25 ms",
            self._cost.call_ms,
            self._cost.frame_ms,
        )


def _fit(times: Mapping[int, float]) -> Cost:
    """Return the line through two measurements, with neither term below a fair share."""
    (few, short), (many, long) = sorted(times.items())
    frame_ms = max((long - short) / max(many - few, 1), 0.3 * long / many)
    return Cost(max(short - few * frame_ms, 1.0), frame_ms)
