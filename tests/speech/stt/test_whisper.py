import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.speech.stt.fake_model import FakeWhisper, sure
from voice_server.speech.engine import (
    Audio,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    Transcript,
)
from voice_server.speech.stt.decoding import Decoded
from voice_server.speech.stt.whisper import WhisperSpeechToText, weighed

RATE = 16_000
NOWHERE = Path("nowhere")


def speech(seconds: float, level: float = 0.1) -> Audio:
    random = np.random.default_rng(2)
    return (random.standard_normal(int(seconds * RATE)) * level).astype(np.float32)


def engine_of(
    model: FakeWhisper, *, workers: int = 1, deadline_s: float = 2.0
) -> WhisperSpeechToText:
    return WhisperSpeechToText(
        NOWHERE, workers=workers, deadline_s=deadline_s, load_model=lambda: model
    )


def saying(text: str) -> Callable[[float, str], Decoded]:
    return lambda _seconds, _hint: sure(text)


async def test_the_encoder_hears_the_speech_and_two_seconds_of_silence() -> None:
    model = FakeWhisper(saying("Bonjour"))
    transcript = await engine_of(model).transcribe(speech(2), language="fr")
    assert model.encoded == [4.0]
    assert transcript == Transcript("Bonjour", "fr", 1.0, -0.2, 0.01, 2000)


async def test_the_length_of_the_answer_is_bounded_by_that_of_the_audio() -> None:
    model = FakeWhisper(saying("Bonjour"))
    await engine_of(model).transcribe(speech(2), language="fr")
    assert [bound for *_, bound in model.decoded] == [8 + 18]


async def test_the_language_is_identified_among_those_of_the_shop() -> None:
    model = FakeWhisper(saying("Hello"))
    engine = engine_of(model)
    transcript = await engine.transcribe(speech(1), languages=("en", "nl"))
    assert model.asked == [("en", "nl")]
    assert (transcript.language, transcript.language_probability) == ("en", 0.3)
    assert (await engine.transcribe(speech(1))).language == "fr"
    assert model.encoded == [3.0, 3.0]  # one pass of the encoder serves both purposes


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(0, np.float32),
        speech(0.05),
        np.zeros(RATE, np.float32),
        speech(2, level=1e-4),
        np.full(RATE, np.nan, np.float32),
    ],
)
async def test_silence_is_not_asked_about(audio: Audio) -> None:
    model = FakeWhisper(saying("Thank you."))
    transcript = await engine_of(model).transcribe(audio, languages=("nl", "fr"))
    assert transcript.text == ""
    assert transcript.language == "nl"
    assert transcript.language_probability == 0
    assert model.encoded == []


async def test_invented_words_become_no_words_and_keep_the_language() -> None:
    model = FakeWhisper(saying("Sous-titres réalisés par la communauté d'Amara.org"))
    transcript = await engine_of(model).transcribe(speech(2), languages=("fr",))
    assert (transcript.text, transcript.language) == ("", "fr")
    assert transcript.language_probability == 0.6


async def test_an_unsure_final_is_heard_again_padded_and_the_likelier_one_wins() -> None:
    model = FakeWhisper(
        lambda seconds, _: sure("padded", -0.3) if seconds == 30 else sure("trimmed", -1.4)
    )
    assert (await engine_of(model).transcribe(speech(2), language="fr")).text == "padded"
    assert model.encoded == [4.0, 30]
    worse = FakeWhisper(
        lambda seconds, _: sure("padded", -2.0) if seconds == 30 else sure("trimmed", -1.4)
    )
    assert (await engine_of(worse).transcribe(speech(2), language="fr")).text == "trimmed"


async def test_a_second_look_that_would_miss_the_deadline_is_not_taken() -> None:
    model = FakeWhisper(lambda *_: sure("maybe", -1.4), seconds_per_step=0.1)
    engine = engine_of(model, deadline_s=1.5)
    assert (await engine.transcribe(speech(2), language="fr")).text == "maybe"
    assert model.encoded == [4.0]


async def test_noise_is_not_heard_twice() -> None:
    model = FakeWhisper(lambda *_: Decoded("Ich bin ein Lied", 4, -1.6, 0.87, True))
    assert (await engine_of(model).transcribe(speech(2), language="fr")).text == ""
    assert model.encoded == [4.0]


async def test_an_unsure_partial_is_left_to_the_next_one() -> None:
    model = FakeWhisper(lambda *_: sure("maybe", -1.4))
    engine = engine_of(model)
    assert (await engine.transcribe(speech(2), language="fr", urgent=False)).text == "maybe"
    assert model.encoded == [4.0]


async def test_a_loop_is_said_once() -> None:
    model = FakeWhisper(lambda *_: Decoded("oui la chaise. oui la chaise. oui", 8, -0.2, 0, False))
    assert (await engine_of(model).transcribe(speech(2), language="fr")).text == "oui la chaise."


HINT = "Oslo, Nova, Alba"


async def test_the_hint_is_given_to_the_decoder() -> None:
    model = FakeWhisper(saying("Is the Oslo chair available?"))
    await engine_of(model).transcribe(speech(2), language="en", hint=HINT)
    assert [hint for _, _, hint, _ in model.decoded] == [HINT]


async def test_names_really_said_survive_the_echo_guard() -> None:
    model = FakeWhisper(lambda _, hint: sure("Oslo, Nova." if hint else "Oslo Nova."))
    transcript = await engine_of(model).transcribe(speech(2), language="en", hint=HINT)
    assert transcript.text == "Oslo, Nova."
    assert [hint for _, _, hint, _ in model.decoded] == [HINT, ""]


async def test_a_hint_echoed_into_noise_is_nothing() -> None:
    noise = Decoded("Ich bin ein Lied", 4, -1.6, 0.87, True)
    model = FakeWhisper(lambda _, hint: sure("Oslo, Nova.") if hint else noise)
    transcript = await engine_of(model).transcribe(speech(2), language="en", hint=HINT)
    assert transcript.text == ""


async def test_a_hint_that_derails_the_decoder_is_dropped() -> None:
    model = FakeWhisper(lambda _, hint: sure("Osl os l", -1.8) if hint else sure("my order"))
    transcript = await engine_of(model).transcribe(speech(2), language="en", hint=HINT)
    assert transcript.text == "my order"
    assert model.encoded == [4.0]  # no padded pass was needed


async def test_long_audio_is_heard_in_pieces_and_joined() -> None:
    model = FakeWhisper(lambda seconds, _: sure(f"{seconds:.0f}", -seconds / 100))
    audio = speech(70)
    audio[25 * RATE : 26 * RATE] = 0
    transcript = await engine_of(model).transcribe(audio, languages=("fr", "en"))
    assert len(model.encoded) == 3
    assert all(seconds <= 30 for seconds in model.encoded)
    assert sum(model.encoded) == pytest.approx(70 + 3 * 2, abs=0.05)
    assert 26 < model.encoded[0] < 28  # cut in the silence after 25 s
    assert transcript.text == " ".join(f"{seconds:.0f}" for seconds in model.encoded)
    assert model.asked == [("fr", "en")]  # the first piece settles the language
    assert transcript.audio_ms == 70_000
    assert transcript.log_probability == pytest.approx(-sum(model.encoded) / 300, abs=0.01)


async def test_silent_pieces_are_left_out() -> None:
    model = FakeWhisper(saying("fin"))
    audio = np.concatenate((np.zeros(28 * RATE, np.float32), speech(4)))
    assert (await engine_of(model).transcribe(audio, language="fr")).text == "fin"
    assert len(model.encoded) == 1


async def test_finals_overtake_partials_even_between_their_two_halves() -> None:
    model = FakeWhisper(saying("oui"), seconds_per_step=0.05)
    engine = engine_of(model)
    await engine.load()
    partial = asyncio.create_task(engine.transcribe(speech(1), language="fr", urgent=False))
    waiting = asyncio.create_task(engine.transcribe(speech(3), language="fr", urgent=False))
    await asyncio.to_thread(model.begun.wait, 5)
    final = asyncio.create_task(engine.transcribe(speech(2), language="fr"))
    await asyncio.gather(partial, waiting, final)
    assert model.order[:3] == ["encode 3", "encode 4", "decode 4"]


async def test_a_stalled_model_times_out_and_the_next_call_gets_a_fresh_one() -> None:
    gate = threading.Event()
    models = [FakeWhisper(saying("old"), stall=gate), FakeWhisper(saying("new"))]
    engine = WhisperSpeechToText(NOWHERE, deadline_s=0.1, load_model=lambda: models.pop(0))
    await engine.load()
    with pytest.raises(EngineTimeout, match="speech-to-text did not answer"):
        await engine.transcribe(speech(1), language="fr")
    assert (await engine.transcribe(speech(1), language="fr")).text == "new"
    gate.set()


async def test_waiting_in_vain_loses_only_the_thread_that_hangs() -> None:
    gate, loads = threading.Event(), 0

    def load() -> FakeWhisper:
        nonlocal loads
        loads += 1
        return FakeWhisper(saying("oui"), stall=gate if loads == 1 else None)

    engine = WhisperSpeechToText(NOWHERE, deadline_s=1, load_model=load)
    await engine.load()
    stuck, behind = await asyncio.gather(
        engine.transcribe(speech(1), language="fr"),
        engine.transcribe(speech(2), language="fr"),
        return_exceptions=True,
    )
    assert isinstance(stuck, EngineTimeout)
    assert isinstance(behind, EngineTimeout)
    assert (await engine.transcribe(speech(1), language="fr")).text == "oui"
    assert loads == 2
    assert engine.queue_seconds < 1
    gate.set()


async def test_cancelling_leaves_the_engine_usable() -> None:
    model = FakeWhisper(saying("oui"), seconds_per_step=0.05)
    engine = engine_of(model)
    await engine.load()
    task = asyncio.create_task(engine.transcribe(speech(1), language="fr"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await engine.transcribe(speech(1), language="fr")).text == "oui"


async def test_the_callers_buffer_may_change_meanwhile() -> None:
    model = FakeWhisper(saying("oui"), seconds_per_step=0.05)
    engine, audio = engine_of(model), speech(1)
    task = asyncio.create_task(engine.transcribe(audio, language="fr"))
    await asyncio.sleep(0)
    audio[:] = 0
    assert (await task).text == "oui"


async def test_loading_warms_up_once_and_says_how_long_it_took() -> None:
    model = FakeWhisper(saying("oui"))
    engine = engine_of(model)
    assert await engine.load() > 0
    assert model.warm
    assert await engine.load() == 0


async def test_unknown_languages_are_refused() -> None:
    engine = engine_of(FakeWhisper(saying("oui")))
    with pytest.raises(EngineUnavailable):
        await engine.transcribe(speech(1), language="xx")
    with pytest.raises(EngineUnavailable):
        await engine.transcribe(speech(1), languages=("xx",))


async def test_missing_weights_are_reported_in_words() -> None:
    with pytest.raises(EngineUnavailable, match=r"model\.bin and tokenizer\.json in nowhere"):
        await WhisperSpeechToText(NOWHERE).load()


async def test_after_closing_nothing_runs() -> None:
    engine = engine_of(FakeWhisper(saying("oui")))
    engine.close()
    with pytest.raises(EngineError):
        await engine.transcribe(speech(1), language="fr")


def test_the_odds_of_an_under_heard_language_are_multiplied() -> None:
    ranked = [("en", 0.7), ("nl", 0.2), ("fr", 0.1)]
    assert weighed(ranked, {}) == ranked
    assert weighed(ranked, {"nl": 8.0})[0] == ("nl", 0.666667)
    assert weighed([("en", 0.0), ("nl", 0.0)], {"nl": 8.0}) == [("en", 0.0), ("nl", 0.0)]


async def test_identifies_by_the_corrected_odds() -> None:
    model = FakeWhisper(saying("Hallo"))
    corrected = WhisperSpeechToText(NOWHERE, language_odds={"nl": 8.0}, load_model=lambda: model)
    heard = await corrected.transcribe(speech(1), languages=("en", "nl"))
    assert heard.language == "nl"
    assert heard.language_probability == pytest.approx(0.8 / 1.1, abs=1e-5)
    corrected.close()
