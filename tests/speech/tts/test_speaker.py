from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice_server.speech.engine import (
    EngineError,
    EngineUnavailable,
    Phone,
    Quality,
    SpeechChunk,
    Voice,
)
from voice_server.speech.espeak import Espeak
from voice_server.speech.tts.espeak import EspeakTextToSpeech
from voice_server.speech.tts.phrase_cache import PhraseCache
from voice_server.speech.tts.speaker import Phrase, Speaker


def voice(id: str, language: str, engine: str, quality: Quality = Quality.NATIVE) -> Voice:
    return Voice(id, language, engine, quality, "female", "Apache-2.0")


class Engine:
    """A synthesiser that says what it is told: chunks, errors, delays in seconds."""

    def __init__(self, *voices: Voice, script: Sequence[Any] = ("chunk", "chunk")) -> None:
        self._voices = voices
        self.script = list(script)
        self.calls: list[dict[str, Any]] = []
        self.closed = 0
        self.version = "1"

    def voices(self) -> tuple[Voice, ...]:
        return self._voices

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        self.calls.append(
            {"text": text, "language": language, "voice": voice, "speed": speed, "urgent": urgent}
        )
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield SpeechChunk(np.full(240, 0.25, np.float32), (Phone("a", 0, 10),))
        finally:
            self.closed += 1


async def say(speaker: Speaker, text: str, language: str, **how: Any) -> list[SpeechChunk]:
    return [chunk async for chunk in speaker.speak(text, language=language, **how)]


def spoil(folder: Path) -> None:
    for path in folder.glob("*/*.phrase"):
        path.write_bytes(b"rubbish")


KOKORO = Engine(
    voice("af_heart", "en-US", "kokoro"),
    voice("bf_emma", "en-GB", "kokoro"),
    voice("ff_siwis", "fr", "kokoro"),
    voice("ef_dora", "de", "kokoro", Quality.ACCENTED),
    voice("ef_dora", "nl", "kokoro", Quality.EXPERIMENTAL),
)
PIPER = Engine(voice("nl_NL-mls", "nl-NL", "piper"), voice("nl_BE-x", "nl-BE", "piper"))
ROBOT = Engine(
    *(
        voice(f"espeak-{tag}", tag, "espeak-ng", Quality.ROBOTIC)
        for tag in ("en-us", "fr-fr", "fr-be", "nl", "de", "cmn", "nb")
    )
)


class TestChoosing:
    @pytest.mark.parametrize(
        ("language", "asked", "market", "chosen"),
        [
            ("fr", "", "BE", "ff_siwis"),
            ("en", "", "BE", "af_heart"),
            ("en-GB", "", "BE", "bf_emma"),
            ("en", "bf_emma", "BE", "bf_emma"),
            ("de", "", "BE", "ef_dora"),
            ("nl", "", "BE", "nl_BE-x"),
            ("nl", "", "NL", "nl_NL-mls"),
            ("nl", "ef_dora", "BE", "ef_dora"),
            ("fr", "ef_dora", "BE", "ff_siwis"),
            ("zh-CN", "", "CN", "espeak-cmn"),
            ("no", "", "NO", "espeak-nb"),
        ],
    )
    def test_by_quality_region_and_wish(
        self, language: str, asked: str, market: str, chosen: str
    ) -> None:
        speaker = Speaker([ROBOT, KOKORO, PIPER], market=market)
        assert speaker.voice_for(language, asked).id == chosen

    def test_the_operators_table_goes_before_quality(self) -> None:
        speaker = Speaker(
            [ROBOT, KOKORO, PIPER], preferences={"nl": ["ef_dora"], "en-GB": ["af_heart"]}
        )
        assert speaker.voice_for("nl").id == "ef_dora"
        assert speaker.voice_for("en-GB").id == "af_heart"
        assert speaker.voice_for("nl", "nl_NL-mls").id == "nl_NL-mls"

    def test_a_native_piper_voice_beats_kokoro(self) -> None:
        piper = Engine(voice("fr_FR-x", "fr-FR", "piper"))
        assert Speaker([KOKORO, piper]).voice_for("fr").id == "fr_FR-x"

    def test_an_unknown_language_is_unavailable(self) -> None:
        with pytest.raises(EngineUnavailable, match="'sw'"):
            Speaker([KOKORO]).voice_for("sw")

    def test_lists_all_voices(self) -> None:
        assert len(Speaker([KOKORO, PIPER]).voices()) == 7


class TestSpeaking:
    async def test_the_engine_gets_words_its_own_voice_and_all_wishes(self) -> None:
        engine = Engine(voice("ff_siwis", "fr", "kokoro"))
        speaker = Speaker([engine])
        chunks = await say(speaker, "**95 €** 😀", "fr-BE", speed=1.2, urgent=False)
        assert len(chunks) == 2
        assert engine.calls == [
            {
                "text": "nonante-cinq euros",
                "language": "fr",
                "voice": "ff_siwis",
                "speed": 1.2,
                "urgent": False,
            }
        ]

    async def test_nothing_to_say_asks_nobody(self) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        assert await say(Speaker([engine]), " 😀 … !", "fr") == []
        assert engine.calls == []

    @pytest.mark.parametrize(
        "script",
        [[EngineError("broken")], [RuntimeError("a bug")], [5.0, "chunk"], []],
        ids=["error", "bug", "late", "mute"],
    )
    async def test_the_next_engine_takes_over_before_the_first_chunk(
        self, script: list[Any]
    ) -> None:
        bad = Engine(voice("good", "fr", "kokoro"), script=script)
        spare = Engine(voice("spare", "fr", "espeak-ng", Quality.ROBOTIC))
        speaker = Speaker([bad, spare], first_chunk_s=0.05)
        assert len(await say(speaker, "bonjour", "fr")) == 2
        assert (bad.closed, spare.closed) == (1, 1)

    async def test_a_break_in_the_middle_is_an_error_not_a_second_beginning(self) -> None:
        bad = Engine(voice("good", "fr", "kokoro"), script=["chunk", EngineError("broken")])
        spare = Engine(voice("spare", "fr", "espeak-ng", Quality.ROBOTIC))
        speech = Speaker([bad, spare]).speak("bonjour", language="fr")
        assert len((await anext(speech)).audio) == 240
        with pytest.raises(EngineError, match="broken"):
            await anext(speech)
        assert spare.calls == []

    async def test_all_failing_names_every_engine(self) -> None:
        engines = [
            Engine(voice("a", "fr", name), script=[EngineError(f"{name} broke")])
            for name in ("kokoro", "piper")
        ]
        with pytest.raises(EngineError, match=r"piper: piper broke; kokoro: kokoro broke"):
            await say(Speaker(engines), "bonjour", "fr")

    async def test_patience_is_greater_when_nobody_waits(self) -> None:
        slow = Engine(voice("a", "fr", "kokoro"), script=[0.2, "chunk"])
        speaker = Speaker([slow], first_chunk_s=0.05)
        with pytest.raises(EngineError, match="no speech within"):
            await say(speaker, "bonjour", "fr")
        assert len(await say(speaker, "bonjour", "fr", urgent=False)) == 1

    async def test_closing_early_closes_the_engine(self) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        speech = Speaker([engine]).speak("bonjour", language="fr")
        await anext(speech)
        await speech.aclose()  # type: ignore[attr-defined]
        assert engine.closed == 1


class TestBusy:
    @pytest.mark.parametrize(
        ("backlog_s", "second", "urgent", "asked_first"),
        [
            (3.0, Quality.PLAIN, True, "pico"),
            (0.5, Quality.PLAIN, True, "kokoro"),
            (3.0, Quality.PLAIN, False, "kokoro"),
            (3.0, Quality.ROBOTIC, True, "kokoro"),
        ],
    )
    async def test_a_busy_engine_is_passed_over_for_a_voice_that_is_no_robots(
        self, backlog_s: float, second: Quality, urgent: bool, asked_first: str
    ) -> None:
        first = Engine(voice("ff_siwis", "fr", "kokoro"))
        first.backlog_s = backlog_s  # type: ignore[attr-defined]
        other = Engine(voice("pico-fr", "fr", "pico", second))
        await say(Speaker([first, other]), "Bonjour.", "fr", urgent=urgent)
        asked = {"kokoro": first.calls, "pico": other.calls}
        assert [name for name, calls in asked.items() if calls] == [asked_first]

    async def test_a_busy_engine_speaks_if_the_other_fails(self) -> None:
        first = Engine(voice("ff_siwis", "fr", "kokoro"))
        first.backlog_s = 9.0  # type: ignore[attr-defined]
        other = Engine(voice("pico", "fr", "pico", Quality.PLAIN), script=[EngineError("broken")])
        assert len(await say(Speaker([first, other]), "Bonjour.", "fr")) == 2


class TestRepeating:
    async def test_what_is_said_twice_comes_from_memory_the_third_time(
        self, tmp_path: Path
    ) -> None:
        engine = Engine(voice("ff_siwis", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        for cached in (False, False, True, True):
            chunks = await say(speaker, "Deux jours.", "fr")
            assert [chunk.cached for chunk in chunks] == ([True] if cached else [False, False])
            assert sum(len(chunk.audio) for chunk in chunks) == 480
        assert len(engine.calls) == 2
        assert PhraseCache(tmp_path).bytes == 0

    async def test_only_the_latest_are_known(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("voice_server.speech.tts.speaker._REPEATS", 2)
        engine = Engine(voice("ff_siwis", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        for text in ("un", "deux", "trois", "un", "un", "un"):
            await say(speaker, text, "fr")
        assert len(engine.calls) == 5

    async def test_what_was_broken_off_is_not_kept(self, tmp_path: Path) -> None:
        engine = Engine(voice("ff_siwis", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        for _ in range(3):
            stream = speaker.speak("Deux jours.", language="fr")
            await anext(stream)
            await stream.aclose()  # type: ignore[attr-defined]
        assert not any(chunk.cached for chunk in await say(speaker, "Deux jours.", "fr"))

    async def test_without_a_cache_nothing_is_kept(self) -> None:
        engine = Engine(voice("ff_siwis", "fr", "kokoro"))
        speaker = Speaker([engine])
        for _ in range(3):
            await say(speaker, "Deux jours.", "fr")
        assert len(engine.calls) == 3


class TestRemembering:
    async def test_only_remembered_phrases_are_kept(self, tmp_path: Path) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        speaker.remember("Bonjour 1 !", "fr")
        for _ in range(2):
            await say(speaker, "Bonjour 1 !", "fr")
            await say(speaker, "Autre chose.", "fr")
        assert [call["text"] for call in engine.calls] == [
            "Bonjour un !", "Autre chose.", "Autre chose.",
        ]  # fmt: skip
        (chunk,) = await say(speaker, "Bonjour 1 !", "fr")
        assert chunk.cached
        assert len(chunk.audio) == 480
        assert len(chunk.phones) == 2
        speaker.close()

    async def test_another_voice_speed_or_version_is_not_in_the_cache(self, tmp_path: Path) -> None:
        engine = Engine(voice("a", "fr", "kokoro"), voice("b", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        await speaker.warm([Phrase("Bonjour", "fr", voice="a")])
        assert (await say(speaker, "Bonjour", "fr", voice="a"))[0].cached
        assert not (await say(speaker, "Bonjour", "fr", voice="b"))[0].cached
        assert not (await say(speaker, "Bonjour", "fr", voice="a", speed=1.1))[0].cached
        engine.version = "2"
        assert not (await say(speaker, "Bonjour", "fr", voice="a"))[0].cached

    async def test_warming_is_not_urgent_counts_and_survives_failures(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        cache = PhraseCache(tmp_path)
        speaker = Speaker([engine], cache=cache)
        phrases = [Phrase("Bonjour", "fr"), Phrase("Hujambo", "sw"), Phrase("Au revoir", "fr")]
        assert await speaker.warm(phrases) == 2
        assert await speaker.warm(phrases) == 0
        assert [call["urgent"] for call in engine.calls] == [False, False]
        assert "could not be prepared" in caplog.text
        assert len(cache) == 2

    async def test_a_phrase_broken_off_is_not_kept(self, tmp_path: Path) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        speaker.remember("Bonjour", "fr")
        speech = speaker.speak("Bonjour", language="fr")
        await anext(speech)
        await speech.aclose()  # type: ignore[attr-defined]
        engine.script = ["chunk", EngineError("broken")]
        with pytest.raises(EngineError):
            await say(speaker, "Bonjour", "fr")
        engine.script = ["chunk"]
        assert not (await say(speaker, "Bonjour", "fr"))[0].cached
        assert (await say(speaker, "Bonjour", "fr"))[0].cached

    async def test_a_damaged_entry_is_spoken_anew(self, tmp_path: Path) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        await Speaker([engine], cache=PhraseCache(tmp_path)).warm([Phrase("Bonjour", "fr")])
        spoil(tmp_path)
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        assert len(await say(speaker, "Bonjour", "fr")) == 2

    async def test_a_hanging_disk_does_not_hold_up_the_reply(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        cache = PhraseCache(tmp_path)
        speaker = Speaker([engine], cache=cache)
        await speaker.warm([Phrase("Bonjour", "fr")])
        monkeypatch.setattr(cache, "get", lambda key: time.sleep(1))
        began = time.monotonic()
        assert not (await say(speaker, "Bonjour", "fr"))[0].cached
        assert time.monotonic() - began < 0.9

    async def test_a_closed_cache_only_costs_the_keeping(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        speaker.remember("Bonjour", "fr")
        speaker.close()
        assert len(await say(speaker, "Bonjour", "fr")) == 2
        assert "was not kept" in caplog.text

    async def test_only_so_many_phrases_are_remembered(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("voice_server.speech.tts.speaker._REMEMBERED", 2)
        engine = Engine(voice("a", "fr", "kokoro"))
        speaker = Speaker([engine], cache=PhraseCache(tmp_path))
        for text in ("un", "deux", "trois"):
            speaker.remember(text, "fr")
        await say(speaker, "un", "fr")
        assert not (await say(speaker, "un", "fr"))[0].cached

    async def test_remembering_without_a_cache_is_harmless(self) -> None:
        engine = Engine(voice("a", "fr", "kokoro"))
        assert await Speaker([engine]).warm([Phrase("Bonjour", "fr")]) == 1
        assert await Speaker([]).warm([Phrase("Bonjour", "fr")]) == 0


async def test_the_real_last_resort_speaks_prices_and_is_cached_fast(tmp_path: Path) -> None:
    espeak = Espeak()
    engine = await EspeakTextToSpeech.load(espeak)
    speaker = Speaker([engine], cache=PhraseCache(tmp_path))
    try:
        await speaker.warm([Phrase("Dat kost € 4,95.", "nl")])
        took = []
        for _ in range(5):  # each time from the disk
            fresh = Speaker([engine], cache=PhraseCache(tmp_path))
            began = time.perf_counter()
            (chunk,) = await say(fresh, "Dat kost € 4,95.", "nl")
            took.append(time.perf_counter() - began)
            fresh.close()
            assert chunk.cached
            assert len(chunk.phones) > 15
        assert min(took) < 0.05, "a phrase from the disk sounds at once"
    finally:
        speaker.close()
        await espeak.close()
