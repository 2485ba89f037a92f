from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.speech.tts.kokoro_shaped import ENGINE, ToyModel, ToyPhonemizer
from voice_server.speech.engine import (
    SPEAKING_RATE,
    EngineTimeout,
    EngineUnavailable,
    Quality,
    SpeechChunk,
)
from voice_server.speech.tts import kokoro
from voice_server.speech.tts.kokoro import KokoroTextToSpeech
from voice_server.speech.tts.kokoro_model import KokoroModel
from voice_server.speech.tts.kokoro_statistics import Statistics, load_statistics
from voice_server.speech.tts.kokoro_voices import ROWS, STYLE

SENTENCE = "bantu mi vastis, kaj kin vi istas, malti di sal hidau nun?"


class House:
    """An engine on toy graphs, with its parts at hand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.models: list[ToyModel] = []
        self.phonemizer = ToyPhonemizer()
        self.measured: list[int] = []
        voices = folder / "model" / "voices"
        voices.mkdir(parents=True)
        for name, value in (("flat", 0.0), ("steep", 1.0)):
            np.full((ROWS, STYLE), value, "<f4").tofile(voices / f"{name}.bin")
        self.derived = folder / "derived" / "kokoro-82m-toy"
        self.derived.mkdir(parents=True)

        def measure(_: Any, clauses: list[Any]) -> Statistics:
            self.measured.append(len(clauses))
            return Statistics.nothing(1)

        def load(*_: Any, **__: Any) -> ToyModel:
            self.models.append(ToyModel())
            return self.models[-1]

        monkeypatch.setattr(kokoro, "derive", lambda *_: self.derived)
        monkeypatch.setattr(kokoro, "measure_voice", measure)
        monkeypatch.setattr(KokoroModel, "load", load)
        self.tts = self.open()

    def open(self) -> KokoroTextToSpeech:
        return KokoroTextToSpeech(
            self.folder / "model", self.folder / "derived", self.phonemizer, engine=ENGINE
        )

    @property
    def model(self) -> ToyModel:
        return self.models[-1]

    async def say(self, text: str, language: str = "en", **how: Any) -> list[SpeechChunk]:
        self.model.windows.clear()
        self.model.read_calls.clear()
        return [chunk async for chunk in self.tts.speak(text, language=language, **how)]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    found = House(tmp_path, monkeypatch)
    yield found
    found.tts.close()


async def test_a_clause_comes_in_chunks_the_first_one_short(house: House) -> None:
    chunks = await house.say(SENTENCE)
    assert len(chunks) > 1
    assert len(chunks[0].audio) < sum(len(chunk.audio) for chunk in chunks) / 3
    assert all(chunk.audio.dtype == np.float32 and not chunk.cached for chunk in chunks)
    assert [w.start for w in house.model.windows[1:]] == [w.stop for w in house.model.windows[:-1]]


async def test_silence_around_a_clause_is_cut(house: House) -> None:
    audio = np.concatenate([chunk.audio for chunk in await house.say("saluton.")])
    loud = np.flatnonzero(np.abs(audio) > 0.005)
    assert loud[0] <= 0.021 * SPEAKING_RATE
    assert 0.1 * SPEAKING_RATE < len(audio) - loud[-1] <= 0.121 * SPEAKING_RATE


async def test_phones_follow_the_sound(house: House) -> None:
    chunks = await house.say("ma ta.")
    audio = np.concatenate([chunk.audio for chunk in chunks])
    phones = [phone for chunk in chunks for phone in chunk.phones]
    assert [phone.symbol for phone in phones] == list("mata")
    loud = np.flatnonzero(np.abs(audio) > 0.005) * 1000 / SPEAKING_RATE
    assert phones[0].start_ms == pytest.approx(loud[0], abs=1)
    assert phones[-1].end_ms == pytest.approx(loud[-1], abs=1)
    for one, two in pairwise(phones):
        assert one.start_ms <= one.end_ms <= two.start_ms + 0.01
    pause = (phones[2].start_ms + phones[1].end_ms) / 2
    assert abs(audio[round(pause * SPEAKING_RATE / 1000)]) < 0.005


async def test_phones_come_with_the_chunk_they_begin_in(house: House) -> None:
    at = 0.0
    chunks = await house.say(SENTENCE)
    for number, chunk in enumerate(chunks):
        end = at + 1000 * len(chunk.audio) / SPEAKING_RATE
        last = number == len(chunks) - 1
        assert all(at - 0.01 <= p.start_ms < end + 0.01 for p in chunk.phones)
        assert last or chunk.phones or at == end
        at = end
    assert sum(len(chunk.phones) for chunk in chunks) == sum(c.isalpha() for c in SENTENCE)


async def test_a_text_beyond_the_model_is_said_in_portions(house: House) -> None:
    text = ", ".join(["bonan matenon kaj bonan tagon"] * 25) + "."
    chunks = await house.say(text, speed=2.0)
    assert len(house.model.read_calls) == 2
    starts = [phone.start_ms for chunk in chunks for phone in chunk.phones]
    assert starts == sorted(starts)
    total_ms = 1000 * sum(len(chunk.audio) for chunk in chunks) / SPEAKING_RATE
    assert 0.9 * total_ms < starts[-1] < total_ms


async def test_nothing_to_say(house: House) -> None:
    assert await house.say(" ... ") == []
    assert not house.model.read_calls


async def test_speed_and_phone_maps_belong_to_the_voice(house: House) -> None:
    await house.say("bʏ", "de")
    assert house.phonemizer.asked[-1] == ("bʏ", "de", "^")
    (tokens, pace), *_ = house.model.read_calls
    assert pace == 0.5
    await house.say("by", "de", speed=100.0)
    assert house.model.read_calls[0] == (tokens, 1.0)


async def test_voices_are_chosen_by_language_region_and_name(house: House) -> None:
    ids = [voice.id for voice in house.tts.voices()]
    assert ids == ["en_one", "gb_one", "de_one"]
    assert house.tts.voices()[2].quality is Quality.ACCENTED
    for language, voice, spoken in (
        ("en", "", "en-US"), ("EN_gb", "", "en-GB"), ("en", "gb_one", "en-GB"),
        ("en-AU", "de_one", "en-US"), ("de-AT", "", "de"),
    ):  # fmt: skip
        await house.say("a", language, voice=voice)
        assert house.phonemizer.asked[-1][1] == spoken
    with pytest.raises(EngineUnavailable, match="'nl'"):
        await house.say("a", "nl")


async def test_closing_early_stops_between_windows(house: House) -> None:
    house.model.windows.clear()
    async with aclosing(house.tts.speak(SENTENCE, language="en")) as speech:
        async for _ in speech:
            break
    assert len(house.model.windows) == 1
    assert await house.say("saluton")


async def test_urgent_words_overtake_between_windows(house: House) -> None:
    order: list[str] = []
    begun = asyncio.Event()

    async def say(name: str, urgent: bool) -> None:
        async for _ in house.tts.speak(SENTENCE, language="en", urgent=urgent):
            order.append(name)
            begun.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(say("patient", False))
        group.create_task(say("other", False))
        await begun.wait()
        group.create_task(say("urgent", True))
    last = {name: len(order) - order[::-1].index(name) for name in ("urgent", "patient", "other")}
    assert last["urgent"] == min(last.values())
    assert order.index("urgent") > 0


async def test_a_hanging_model_is_given_up_and_loaded_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kokoro, "FIRST_DEADLINE_S", 0.2)
    stuck = house.model
    stuck.hanging = True
    with pytest.raises(EngineTimeout):
        await house.say("saluton")
    monkeypatch.setattr(kokoro, "FIRST_DEADLINE_S", 3.0)
    assert await house.say("saluton")
    assert house.model is not stuck
    assert len(house.models) == 2
    stuck.hang.set()


async def test_the_cost_follows_the_machine(house: House) -> None:
    before = house.tts.cost
    for _ in range(20):
        await house.say(SENTENCE)
    assert house.tts.cost != before
    assert house.tts.cost.of(40) < 100


async def test_what_is_measured_once_is_kept(house: House) -> None:
    assert house.measured == [7, 7]  # two recipes: the English voices share one
    kept = load_statistics(house.derived / "statistics.npz")
    assert set(kept) == {"flat*1", "flat*0.5+steep*0.5"}
    again = house.open()
    again.close()
    assert house.measured == [7, 7]


async def test_measurements_that_cannot_be_kept_are_no_reason_to_be_mute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(kokoro, "save_statistics", refuse)
    house = House(tmp_path, monkeypatch)
    assert "disk full" in caplog.text
    assert await house.say("saluton")
    house.tts.close()


def test_the_version_tells_weights_and_derivation(house: House) -> None:
    assert house.tts.version == "kokoro/kokoro-82m-toy"
