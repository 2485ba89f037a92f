"""Kokoro itself, with its real weights: speech, its timeline, and refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from voice_server.config import Settings
from voice_server.speech.engine import SPEAKING_RATE, EngineUnavailable, SpeechChunk
from voice_server.speech.espeak import Espeak
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.tts.kokoro import KokoroTextToSpeech
from voice_server.weights import WeightStore

pytestmark = pytest.mark.models


async def _speak(tts: KokoroTextToSpeech, text: str, language: str) -> list[SpeechChunk]:
    # Nobody waits for it: a busy test machine may take its time.
    return [chunk async for chunk in tts.speak(text, language=language, urgent=False)]


def test_kokoro_speaks_its_languages_with_a_timeline(weights: WeightStore) -> None:
    async def scene() -> None:
        espeak = Espeak()
        derived = Path(Settings().models) / "derived"
        tts = await asyncio.to_thread(
            KokoroTextToSpeech, weights.path("kokoro-82m"), derived, EspeakPhonemizer(espeak)
        )
        try:
            assert {"en", "fr", "de", "nl"} <= {v.language.split("-")[0] for v in tts.voices()}
            for language, text in (
                ("en", "The lamp costs thirty euros, and delivery is free."),
                ("de", "Guten Tag."),
            ):
                chunks = await _speak(tts, text, language)
                audio = np.concatenate([chunk.audio for chunk in chunks])
                seconds = audio.size / SPEAKING_RATE
                assert 0.4 < seconds < 6
                assert 0.02 < float(np.abs(audio).max()) <= 1.5
                phones = [phone for chunk in chunks for phone in chunk.phones]
                assert len(phones) > 5
                assert all(p.start_ms <= p.end_ms for p in phones)
                assert phones[-1].start_ms < seconds * 1000
            with pytest.raises(EngineUnavailable, match="no Kokoro voice"):
                await _speak(tts, "hej", "xx")
        finally:
            tts.close()
            await espeak.close()

    asyncio.run(scene())
