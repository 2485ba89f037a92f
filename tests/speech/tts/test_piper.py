from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.speech.tts.piper_shaped import FRAMES, HOP, RATE, SYMBOLS, write_voice
from voice_server.config import cache_root
from voice_server.speech.engine import (
    SPEAKING_RATE,
    EngineError,
    EngineUnavailable,
    Quality,
    SpeechChunk,
)
from voice_server.speech.espeak import Espeak
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.tts.piper import PiperConfig, PiperTextToSpeech


@pytest.fixture
async def phonemizer() -> AsyncIterator[EspeakPhonemizer]:
    espeak = Espeak()
    yield EspeakPhonemizer(espeak)
    await espeak.close()


async def say(
    engine: PiperTextToSpeech, text: str, language: str = "en", **how: Any
) -> SpeechChunk:
    (chunk,) = [chunk async for chunk in engine.speak(text, language=language, **how)]
    return chunk


def level(chunk: SpeechChunk, ms: float) -> float:
    at = int(ms * SPEAKING_RATE / 1000)
    return float(chunk.audio[at])


async def test_phones_sound_when_the_timeline_says(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    engine = PiperTextToSpeech([write_voice(tmp_path)], phonemizer)
    await engine.load()
    chunk = await say(engine, "Hello, sir!")
    symbols = [phone.symbol for phone in chunk.phones]
    assert symbols == ["h", "ə", "l", "ˈo", "ʊ", "s", *symbols[6:]]
    for phone in chunk.phones:
        # every symbol sounds for its frames, then comes its silent pad
        silent_frames = 2 if phone.symbol[0] in "ˈˌ" else 0  # the stress mark and its pad
        middle = phone.start_ms + (silent_frames + FRAMES / 2) * 1000 * HOP / RATE
        assert level(chunk, middle) == pytest.approx(0.5, abs=0.1), phone
    gap = (chunk.phones[4].end_ms + chunk.phones[5].start_ms) / 2  # the comma
    assert level(chunk, gap) == pytest.approx(0, abs=0.05)
    assert chunk.phones[-1].end_ms < 1000 * len(chunk.audio) / SPEAKING_RATE


async def test_length_marks_and_nasals_stay_with_their_vowel(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    path = write_voice(tmp_path, "fr_FR-tiny", language="fr_FR", espeak="fr")
    chunk = await say(PiperTextToSpeech([path], phonemizer), "bon", "fr")
    assert [unicodedata.normalize("NFC", p.symbol) for p in chunk.phones] == ["b", "ˈɔ\u0303"]
    own_frames = 2 * (1 + 1) + (FRAMES + 1)  # stress mark and tilde with pads, vowel with pad
    span = chunk.phones[1].end_ms - chunk.phones[1].start_ms
    assert span == pytest.approx(own_frames * 1000 * HOP / RATE, rel=0.1)


async def test_a_graph_without_durations_gets_guessed_times(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    engine = PiperTextToSpeech([write_voice(tmp_path, tells_durations=False)], phonemizer)
    chunk = await say(engine, "Hello")
    assert [phone.symbol for phone in chunk.phones] == ["h", "ə", "l", "ˈo", "ʊ"]
    assert 0 < chunk.phones[0].start_ms < chunk.phones[-1].end_ms
    assert chunk.phones[-1].end_ms <= 1000 * len(chunk.audio) / SPEAKING_RATE


async def test_speed_and_speaker_reach_the_graph(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    engine = PiperTextToSpeech([write_voice(tmp_path, speakers=2)], phonemizer)
    assert [voice.id for voice in engine.voices()] == [
        "en_US-tiny-low#speaker0",
        "en_US-tiny-low#speaker1",
    ]
    loud = await say(engine, "Hello there")
    quiet = await say(engine, "Hello there", voice="en_US-tiny-low#speaker1")
    fast = await say(engine, "Hello there", speed=2.0)
    assert float(quiet.audio.max()) == pytest.approx(0.5 * float(loud.audio.max()), rel=0.05)
    assert len(fast.audio) < 0.75 * len(loud.audio)


async def test_letters_instead_of_phonemes(tmp_path: Path) -> None:
    class Never:
        async def phonemes(self, text: str, language: str) -> str:
            raise AssertionError("a text voice needs no phonemes")

    path = write_voice(tmp_path, phoneme_type="text")
    chunk = await say(PiperTextToSpeech([path], Never()), "abba")
    assert [phone.symbol for phone in chunk.phones] == ["a", "b", "b", "a"]


async def test_the_voice_of_the_region_is_preferred(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    paths = [
        write_voice(tmp_path, "nl_NL-a", language="nl_NL", espeak="nl"),
        write_voice(tmp_path, "nl_BE-b", language="nl_BE", espeak="nl"),
    ]
    engine = PiperTextToSpeech(paths, phonemizer)
    assert {voice.quality for voice in engine.voices()} == {Quality.NATIVE}
    assert engine._choose("nl-BE", "")[1].name == "nl_BE-b"
    assert engine._choose("nl", "")[1].name == "nl_NL-a"
    assert engine._choose("en", "nl_BE-b")[1].name == "nl_BE-b"
    with pytest.raises(EngineUnavailable, match="'de'"):
        await say(engine, "hallo", "de")


async def test_nothing_to_say_is_no_chunk(tmp_path: Path, phonemizer: EspeakPhonemizer) -> None:
    engine = PiperTextToSpeech([write_voice(tmp_path)], phonemizer)
    assert [chunk async for chunk in engine.speak("", language="en")] == []


async def test_a_hung_worker_loads_its_graph_anew(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    engine = PiperTextToSpeech([write_voice(tmp_path)], phonemizer)
    await engine.load()
    assert engine._graphs
    engine._forget_graphs()
    assert len((await say(engine, "Hello")).audio) > 0
    engine.close()
    with pytest.raises(EngineError):
        await say(engine, "Hello")


async def test_a_graph_that_fails_is_an_engine_error(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    path = write_voice(tmp_path, speakers=2, num_speakers=1)  # so that sid is not given
    with pytest.raises(EngineError, match="en_US-tiny-low failed"):
        await say(PiperTextToSpeech([path], phonemizer), "Hello")


async def test_a_broken_file_is_said_in_words(tmp_path: Path, phonemizer: EspeakPhonemizer) -> None:
    path = write_voice(tmp_path)
    path.write_bytes(b"not a graph")
    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        await say(PiperTextToSpeech([path], phonemizer), "Hello")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"phoneme_type": "pinyin"}, "'pinyin' is not supported"),
        ({"phoneme_id_map": {"_": [0], "^": [1]}}, r"no id for \$"),
        ({"language": {}, "espeak": {}}, "no language"),
        ({"audio": {}}, "not a Piper voice"),
        ({"phoneme_id_map": 5}, "not a Piper voice"),
    ],
)
def test_bad_configurations(tmp_path: Path, settings: dict[str, Any], complaint: str) -> None:
    path = write_voice(tmp_path, **settings)
    with pytest.raises(EngineUnavailable, match=complaint):
        PiperConfig.read(path)


def test_missing_or_malformed_configuration(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    with pytest.raises(EngineUnavailable, match=r"x\.onnx\.json"):
        PiperConfig.read(path)
    Path(f"{path}.json").write_text("[" + json.dumps("x"))
    with pytest.raises(EngineUnavailable, match=r"x\.onnx\.json"):
        PiperConfig.read(path)


def test_encoding_pads_and_substitutes(tmp_path: Path) -> None:
    config = PiperConfig.read(write_voice(tmp_path))
    ids, beside = config.encode("aÿ…—")
    assert "".join(beside).strip() == "a…—"  # ÿ is unknown
    read_as = [SYMBOLS[number] for number in ids]
    assert "".join(read_as) == "^_a_._,_$"


async def test_cancelling_leaves_the_engine_usable(
    tmp_path: Path, phonemizer: EspeakPhonemizer
) -> None:
    engine = PiperTextToSpeech([write_voice(tmp_path)], phonemizer)
    await engine.load()
    task = asyncio.create_task(say(engine, "Hello " * 50))
    await asyncio.sleep(0.002)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert float(np.abs((await say(engine, "Hello")).audio).max()) > 0.4


@pytest.mark.models
async def test_a_real_voice_speaks(phonemizer: EspeakPhonemizer) -> None:
    """Any real voice in the weights' folder: nl or de by default where the hub was reached."""
    paths = sorted((cache_root() / "models").glob("piper*/*.onnx"))
    if not paths:
        pytest.skip("no Piper voice among the weights: `voice-server fetch piper-nl-mls`")
    engine = PiperTextToSpeech(paths[:1], phonemizer)
    chunk = await say(engine, "radio manta", engine.voices()[0].language)
    seconds = len(chunk.audio) / SPEAKING_RATE
    assert 0.5 < seconds < 3
    assert [letter for p in chunk.phones for letter in p.symbol if letter in "mn"] == ["m", "n"]
    vowel = max(chunk.phones, key=lambda phone: phone.end_ms - phone.start_ms)
    span = slice(*(int(ms * SPEAKING_RATE / 1000) for ms in (vowel.start_ms, vowel.end_ms)))
    before = chunk.audio[: int(chunk.phones[0].start_ms * SPEAKING_RATE / 1000)]
    assert np.abs(chunk.audio[span]).mean() > 5 * np.abs(before).mean()
