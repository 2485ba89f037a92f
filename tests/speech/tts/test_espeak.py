from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from voice_server.speech.engine import SPEAKING_RATE, EngineUnavailable, Quality, SpeechChunk
from voice_server.speech.espeak import Espeak
from voice_server.speech.tts.espeak import EspeakTextToSpeech


@pytest.fixture
async def engine() -> AsyncIterator[EspeakTextToSpeech]:
    espeak = Espeak()
    yield await EspeakTextToSpeech.load(espeak)
    await espeak.close()


async def say(engine: EspeakTextToSpeech, text: str, language: str, **how: float) -> SpeechChunk:
    (chunk,) = [chunk async for chunk in engine.speak(text, language=language, **how)]  # type: ignore[arg-type]
    return chunk


@pytest.mark.parametrize("language", ["fr", "fr-BE", "nl", "de", "en", "pl", "ar", "ja", "zh"])
async def test_speaks_any_language_with_its_timeline(
    engine: EspeakTextToSpeech, language: str
) -> None:
    text = {"ar": "مرحبا", "ja": "こんにちは", "zh": "你好"}.get(language, "radio manta")
    chunk = await say(engine, text, language)
    seconds = len(chunk.audio) / SPEAKING_RATE
    assert 0.4 < seconds < 3
    assert chunk.audio.dtype == np.float32
    assert 0.1 < float(np.abs(chunk.audio).max()) <= 1
    assert len(chunk.phones) >= 4
    assert all(phone.start_ms < phone.end_ms <= 1000 * seconds for phone in chunk.phones)


async def test_the_sounds_are_where_the_timeline_says(engine: EspeakTextToSpeech) -> None:
    chunk = await say(engine, "a stop a", "nl")
    by_symbol = {phone.symbol: phone for phone in chunk.phones}

    def loudness(symbol: str) -> float:
        phone = by_symbol[symbol]
        samples = slice(*(int(t * SPEAKING_RATE / 1000) for t in (phone.start_ms, phone.end_ms)))
        return float(np.sqrt(np.mean(chunk.audio[samples] ** 2)))

    assert loudness("ˈɔ") > 3 * loudness("t")


async def test_diphthongs_are_two_phones(engine: EspeakTextToSpeech) -> None:
    chunk = await say(engine, "boy", "en")
    assert [phone.symbol for phone in chunk.phones] == ["b", "ˈɔ", "ɪ"]


async def test_speed_shortens(engine: EspeakTextToSpeech) -> None:
    text = "a rather long sentence to be said"
    slow, fast = await say(engine, text, "en", speed=0.8), await say(engine, text, "en", speed=1.6)
    assert len(fast.audio) < 0.65 * len(slow.audio)


async def test_unknown_language_is_unavailable(engine: EspeakTextToSpeech) -> None:
    with pytest.raises(EngineUnavailable):
        await say(engine, "hello", "xx")


async def test_its_own_voice_decides_the_language(engine: EspeakTextToSpeech) -> None:
    chunks = [c async for c in engine.speak("vin", language="en", voice="espeak-fr-fr")]
    assert chunks[0].phones[0].symbol == "v"
    assert any("\u0303" in phone.symbol for phone in chunks[0].phones)  # nasal vowel


def test_all_voices_are_called_robotic(engine: EspeakTextToSpeech) -> None:
    assert {voice.quality for voice in engine.voices()} == {Quality.ROBOTIC}
    assert len({voice.id for voice in engine.voices()}) == len(engine.voices()) > 100
    assert engine.version.startswith("espeak-ng/")
