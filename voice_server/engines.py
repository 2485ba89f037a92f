"""Builds the speech engines from the settings; shared by the server and the command line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_server.config import Settings
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.realtime.rest_backend import RestBackend
from voice_server.shop.shop import Shop
from voice_server.speech.end_of_turn import SmartTurn
from voice_server.speech.engine import EngineError, EngineUnavailable, TextToSpeech
from voice_server.speech.espeak import Espeak
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.stt.whisper import WhisperSpeechToText
from voice_server.speech.tts.espeak import EspeakTextToSpeech
from voice_server.speech.tts.kokoro import KokoroTextToSpeech
from voice_server.speech.tts.phrase_cache import PhraseCache
from voice_server.speech.tts.pico import PicoTextToSpeech
from voice_server.speech.tts.piper import PiperTextToSpeech
from voice_server.speech.tts.speaker import Speaker
from voice_server.speech.vad import SileroVad
from voice_server.speech.workers import Workers
from voice_server.weights import WeightStore

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Voices:
    """The speaking half, with what must be closed."""

    speaker: Speaker
    espeak: Espeak
    kokoro: KokoroTextToSpeech
    pico: PicoTextToSpeech | None = None

    def speaker_for(self, shop: Shop) -> Speaker:
        """Return a speaker with a shop's market and the voices it prefers."""
        preferred = {language: (voice,) for language, voice in shop.voices.items()}
        return self.speaker.speaking_for(shop.market.country, preferred)

    async def close(self) -> None:
        """Stop the threads and end the child processes."""
        self.speaker.close()
        await self.espeak.close()
        if self.pico is not None:
            await self.pico.close()


@dataclass(slots=True)
class Listeners:
    """The listening half."""

    vad: VadBatcher
    end_of_turn: SmartTurn
    stt: WhisperSpeechToText


@dataclass(slots=True)
class Engines:
    """What all shops share, each None until it is loaded."""

    listeners: Listeners | None = None
    voices: Voices | None = None
    rest: RestBackend | None = None

    def voice_ids(self) -> frozenset[str]:
        """Return the voices that can be asked for by now."""
        if self.voices is None:
            return frozenset()
        return frozenset(voice.id for voice in self.voices.speaker.voices())


async def load_voices(
    settings: Settings,
    store: WeightStore,
    *,
    market: str = "BE",
    preferences: Mapping[str, Sequence[str]] | None = None,
) -> Voices:
    """Load the synthesisers that are installed; ``preferences`` are the shop's voices.

    Raises:
        WeightsMissing: the default voice's weights are not there.
    """
    espeak = Espeak()
    phonemizer = EspeakPhonemizer(espeak)
    model = store.path("kokoro-82m")
    derived = settings.models / "derived"
    kokoro = await asyncio.to_thread(
        KokoroTextToSpeech, model, derived, phonemizer, threads=settings.tts_threads
    )
    engines: list[TextToSpeech] = [kokoro]
    for file in _piper_voices(store):
        try:
            voice = PiperTextToSpeech([file], phonemizer, threads=settings.tts_threads)
            await voice.load()  # three seconds: a first clause would be late otherwise
            engines.append(voice)
        except EngineError as error:
            log.warning("the voice %s is left out: %s", file.stem, error)
    pico = None
    try:
        pico = await PicoTextToSpeech.load(phonemizer)
        engines.append(pico)
    except EngineUnavailable as error:
        log.info("German gets a borrowed voice: %s", error)
    try:
        engines.append(await EspeakTextToSpeech.load(espeak))
    except EngineUnavailable as error:
        log.warning("languages without a neural voice stay mute: %s", error)
    cache = PhraseCache(settings.models / "derived" / "phrases")
    return Voices(
        Speaker(engines, cache=cache, market=market, preferences=preferences),
        espeak,
        kokoro,
        pico,
    )


def _piper_voices(store: WeightStore) -> list[Path]:
    """Return the Piper-format voices that were fetched or put into the models folder."""
    known = [entry.name for entry in store.entries() if entry.name.startswith("piper-")]
    folders = [store.root / "piper", *(store.root / name for name in known)]
    return sorted(path for folder in folders for path in folder.glob("*.onnx"))


async def load_listeners(settings: Settings, store: WeightStore) -> Listeners:
    """Load voice activity, end-of-turn and recognition, in threads.

    Raises:
        WeightsMissing: some weights are not there.
    """
    silero, turn, whisper = (
        store.path("silero-vad"),
        store.path("smart-turn-v3"),
        store.path("whisper-base"),
    )
    vad = await asyncio.to_thread(SileroVad, silero)
    end_of_turn = await asyncio.to_thread(SmartTurn, turn)
    odds = store.entry("whisper-base").engine.get("language_odds", {})
    stt = WhisperSpeechToText(whisper, workers=settings.stt_workers, language_odds=odds)
    await stt.load()
    return Listeners(VadBatcher(vad, Workers("vad", 1)), end_of_turn, stt)
