"""Pico for real: what it says, how it fails, and who is asked before it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from voice_server.speech import pico_child
from voice_server.speech.child import SpeechChild
from voice_server.speech.engine import (
    SPEAKING_RATE,
    EngineError,
    EngineUnavailable,
    Quality,
    SpeechChunk,
)
from voice_server.speech.espeak import Espeak
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.pico_child import LANGUAGES, NotInstalled, Pico, answer
from voice_server.speech.tts.pico import CHILD, PicoTextToSpeech

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ctts") is None, reason="Pico is not installed (needs a C compiler)"
)


@pytest.fixture
async def engine() -> AsyncIterator[PicoTextToSpeech]:
    espeak = Espeak()
    pico = await PicoTextToSpeech.load(EspeakPhonemizer(espeak))
    yield pico
    await pico.close()
    await espeak.close()


async def say(
    engine: PicoTextToSpeech, text: str, language: str, speed: float = 1.0
) -> SpeechChunk:
    (chunk,) = [part async for part in engine.speak(text, language=language, speed=speed)]
    return chunk


@pytest.mark.parametrize("language", ["de", "de-AT", "en-GB", "fr", "es", "it"])
async def test_speaks_its_languages_with_a_timeline(
    engine: PicoTextToSpeech, language: str
) -> None:
    chunk = await say(engine, "Radio, Panorama, Kilo.", language)
    seconds = len(chunk.audio) / SPEAKING_RATE
    assert 1 < seconds < 5
    assert chunk.audio.dtype == np.float32
    assert 0.1 < float(np.abs(chunk.audio).max()) <= 1
    assert len(chunk.phones) >= 12
    assert all(phone.start_ms < phone.end_ms <= 1000 * seconds for phone in chunk.phones)


async def test_its_voices_are_plain(engine: PicoTextToSpeech) -> None:
    assert {voice.language for voice in engine.voices()} == set(LANGUAGES)
    assert {voice.quality for voice in engine.voices()} == {Quality.PLAIN}


async def test_speed_shortens_within_limits(engine: PicoTextToSpeech) -> None:
    text = "Die Lieferung ist ab fünfzig Euro kostenlos."
    slow, fast, faster = [len((await say(engine, text, "de", by)).audio) for by in (0.8, 1.6, 9.0)]
    assert fast < 0.65 * slow
    assert faster > 0.3 * fast  # nine times as fast would be a chirp


async def test_an_unknown_language_is_unavailable(engine: PicoTextToSpeech) -> None:
    with pytest.raises(EngineUnavailable, match="nl"):
        await say(engine, "Hoi", "nl")


@pytest.mark.parametrize(
    "text", ["a < b und c > d", "<volume level='0'>leise", "vorher\0nachher", "\x07\u202e😀 gut"]
)
async def test_tags_and_control_characters_are_only_text(
    engine: PicoTextToSpeech, text: str
) -> None:
    chunk = await say(engine, text, "de")
    assert float(np.abs(chunk.audio).max()) > 0.05


async def test_a_killed_process_is_started_anew(engine: PicoTextToSpeech) -> None:
    await say(engine, "eins", "de")
    living = engine._child._child
    assert living is not None
    os.kill(living.process.pid, signal.SIGKILL)
    await living.process.wait()
    assert len((await say(engine, "zwei", "de")).audio)


async def test_what_it_cannot_do_is_said() -> None:
    child = SpeechChild("pico", CHILD)
    with pytest.raises(EngineError, match="no voice 'nl-NL'"):
        await child.ask({"do": "speech", "text": "Hoi", "voice": "nl-NL", "percent": 100})
    with pytest.raises(EngineError, match="unknown request"):
        await child.ask({"do": "sing"})
    await child.close()


async def test_without_voices_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pico_child, "LANGUAGES", ())
    with pytest.raises(NotInstalled, match="voices are in none of"):
        Pico()
    monkeypatch.setitem(sys.modules, "ctts", None)
    with pytest.raises(NotInstalled, match="pip install ttspico"):
        Pico()
    nothing = tmp_path / "nothing.py"
    nothing.write_text('print(\'{"error": "Pico is not installed"}\', flush=True)')
    espeak = Espeak()
    with pytest.raises(EngineUnavailable, match="not installed"):
        await PicoTextToSpeech.load(EspeakPhonemizer(espeak), (sys.executable, str(nothing)))
    await espeak.close()


def test_the_same_answer_in_this_process() -> None:
    head, pcm = answer(Pico(), {"do": "speech", "text": "ja", "voice": "de-DE", "percent": 100})
    assert head == {"rate": 16_000, "bytes": len(pcm)}
    assert len(pcm) > 8_000


async def test_many_at_once_get_their_own(engine: PicoTextToSpeech) -> None:
    texts = ["eins", "eine etwas längere Antwort", "und noch eine, die viel länger dauert als alle"]
    chunks = await asyncio.gather(*(say(engine, text, "de") for text in texts))
    lengths = [len(chunk.audio) for chunk in chunks]
    assert lengths == sorted(lengths)
