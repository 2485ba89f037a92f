from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tests.speech.real import weights
from voice_server.audio.resample import resample
from voice_server.speech.engine import (
    LISTENING_RATE,
    SPEAKING_RATE,
    Audio,
    EngineError,
    EngineUnavailable,
)
from voice_server.speech.espeak import Espeak
from voice_server.speech.stt import guards
from voice_server.speech.stt.decoding import WhisperModel
from voice_server.speech.stt.whisper import WhisperSpeechToText
from voice_server.speech.tts.espeak import EspeakTextToSpeech

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    return WhisperModel(weights("whisper-base"))


@pytest.fixture
async def speaker() -> AsyncIterator[EspeakTextToSpeech]:
    espeak = Espeak()
    yield await EspeakTextToSpeech.load(espeak)
    await espeak.close()


async def spoken(speaker: EspeakTextToSpeech, text: str, language: str) -> Audio:
    chunks = [chunk.audio async for chunk in speaker.speak(text, language=language)]
    return resample(np.concatenate(chunks), SPEAKING_RATE, LISTENING_RATE)


SENTENCE = "Can I return the chair within thirty days?"


async def test_a_sentence_is_understood_and_its_language_found(
    speaker: EspeakTextToSpeech,
) -> None:
    engine = WhisperSpeechToText(weights("whisper-base"), deadline_s=60)
    assert await engine.load() > 0
    audio = await spoken(speaker, SENTENCE, "en")
    transcript = await engine.transcribe(audio, languages=("fr", "nl", "de", "en"))
    heard = guards.words(transcript.text)
    assert {"return", "chair", "days"} <= set(heard)
    assert len(heard) < 12  # not said twice
    assert transcript.language == "en"
    assert transcript.language_probability > 0.5
    assert transcript.log_probability > -1
    partial = await engine.transcribe(audio, language="en", urgent=False)
    assert partial.text == transcript.text
    engine.close()


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
@pytest.mark.parametrize("hint", ["", "Oslo, Nova, Alba, Malmö"])
async def test_noise_and_hum_say_nothing(model: WhisperModel, language: str, hint: str) -> None:
    # A busy test machine is no matter here: what is said is, not how fast.
    engine = WhisperSpeechToText(Path("unused"), load_model=lambda: model, deadline_s=60)
    random = np.random.default_rng(5)
    hiss = (random.standard_normal(3 * LISTENING_RATE) * 0.02).astype(np.float32)
    hum = (0.05 * np.sin(np.arange(3 * LISTENING_RATE) * 2 * np.pi / 160)).astype(np.float32)
    for audio in (hiss, hum):
        assert (await engine.transcribe(audio, language=language, hint=hint)).text == ""
    engine.close()


async def test_a_hint_spells_the_name(model: WhisperModel, speaker: EspeakTextToSpeech) -> None:
    audio = await spoken(speaker, "What does the Malmö lamp cost?", "en")
    encoded = model.encode(np.concatenate((audio, np.zeros(24_000, np.float32))))
    plain = model.decode(encoded, "en", max_tokens=30)
    hinted = model.decode(encoded, "en", max_tokens=30, hint="Malmö, Oslo, Nova")
    assert "Malmö" not in plain.text
    assert "Malmö" in hinted.text


def test_languages_are_ranked_among_those_asked_for(model: WhisperModel) -> None:
    encoded = model.encode(np.zeros(2 * LISTENING_RATE, np.float32))
    everything = model.identify(encoded, ())
    assert len(everything) == 99
    few = model.identify(encoded, ("nl", "fr", "xx"))
    assert {code for code, _ in few} == {"nl", "fr"}
    for ranked in (everything, few):
        assert sum(probability for _, probability in ranked) == pytest.approx(1, abs=1e-3)
    with pytest.raises(EngineUnavailable, match="none of the languages xx, yy"):
        model.identify(encoded, ("xx", "yy"))


def test_an_unknown_language_is_refused(model: WhisperModel) -> None:
    encoded = model.encode(np.zeros(LISTENING_RATE, np.float32))
    assert model.knows("nl")
    with pytest.raises(EngineUnavailable, match="does not know the language 'xx'"):
        model.decode(encoded, "xx", max_tokens=5)


def test_the_length_bound_holds_and_is_reported(model: WhisperModel) -> None:
    encoded = model.encode(np.zeros(LISTENING_RATE, np.float32))
    cut = model.decode(encoded, "nl", max_tokens=2)
    assert cut.tokens <= 2
    assert not cut.complete


def test_too_much_audio_is_an_engine_error(model: WhisperModel) -> None:
    with pytest.raises(EngineError, match="Whisper's encoder failed"):
        model.encode(np.zeros(31 * LISTENING_RATE, np.float32))


def test_damaged_weights_are_reported_in_words(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"torn")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match="Whisper cannot be loaded from"):
        WhisperModel(tmp_path)


def test_what_the_library_refuses_is_an_engine_error(model: WhisperModel) -> None:
    with pytest.raises(EngineError, match="language identification failed"):
        model.identify("not an encoding", ())
    with pytest.raises(EngineError, match="Whisper's decoder failed"):
        model.decode("not an encoding", "en", max_tokens=5)


def test_another_tokenizer_is_refused_in_words(tmp_path: Path) -> None:
    real = weights("whisper-base")
    for file in real.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer.json").write_text(
        '{"version":"1.0","added_tokens":[],"model":{"type":"WordLevel","vocab":{"a":0},'
        '"unk_token":"a"}}'
    )
    with pytest.raises(EngineUnavailable, match=r"lacks <\|startoftranscript\|>"):
        WhisperModel(tmp_path)
