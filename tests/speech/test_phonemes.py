"""Phonemes from the real espeak-ng process, and what happens when that process fails."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech import child as client
from voice_server.speech.child import ChildVoice
from voice_server.speech.engine import EngineError, EngineUnavailable
from voice_server.speech.espeak import CHILD, Espeak, choose_voice
from voice_server.speech.phonemes import CACHED_TEXTS, EspeakPhonemizer, split_at_marks


@pytest.fixture
async def espeak() -> AsyncIterator[Espeak]:
    process = Espeak()
    yield process
    await process.close()


def stand_in(folder: Path, body: str) -> Espeak:
    """Return a client of a process that says hello properly and then runs ``body``."""
    script = folder / "child.py"
    hello = '{"version": "0", "voices": [["en-us", "en", "M"]]}'
    script.write_text(f"import json, os, sys, time\nprint('{hello}', flush=True)\n{body}")
    return Espeak([sys.executable, "-I", str(script)], deadline_s=0.5)


class TestPhonemes:
    @pytest.mark.parametrize(
        ("language", "text", "ipa"),
        [
            ("fr", "Bonjour, les amis !", "bɔ̃ʒˈuʁ, lez amˈi!"),
            ("nl", "De huisdeur is mooi.", "də hœyzdˈøːr ɪs mˈoːj."),
            ("de", "Guten Tag – wie geht es?", "ɡˈuːtən tˈɑːk— viː ɡˈeːt ɛs?"),
            ("en", "Join us (now).", "dʒˈɔɪn ˌʌs (nˈaʊ)."),
            ("en-GB", "Join us…", "dʒˈɔɪn ˌʌs…"),
            ("es", "¿Qué tal?", "kˈe tˈal?"),
            ("fr", "le weekend", "lə wiːkˈɛnd"),
            ("en", 'She said "yes", twice', 'ʃiː sˈɛd "jˈɛs", twˈaɪs'),
            ("en", "«yes»", "“jˈɛs”"),
            ("en", "", ""),
            ("en", " ?! ", "?!"),
        ],
    )
    async def test_gives_ipa_with_punctuation_in_place(
        self, espeak: Espeak, language: str, text: str, ipa: str
    ) -> None:
        assert await EspeakPhonemizer(espeak).phonemes(text, language) == ipa

    async def test_ties_diphthongs_and_affricates_on_request(self, espeak: Espeak) -> None:
        tied = await EspeakPhonemizer(espeak).phonemes("Join", "en", tie="^")
        assert tied == "d^ʒˈɔ^ɪn"

    async def test_numbers_are_not_cut_at_their_marks(self, espeak: Espeak) -> None:
        ipa = await EspeakPhonemizer(espeak).phonemes("4.95", "en")
        assert "." not in ipa
        assert "pɔɪnt" in ipa

    async def test_unknown_language_is_said_in_words(self, espeak: Espeak) -> None:
        with pytest.raises(EngineUnavailable, match="does not speak 'xx'"):
            await EspeakPhonemizer(espeak).phonemes("hello", "xx")

    async def test_a_known_text_is_not_asked_again(self, espeak: Espeak) -> None:
        phonemizer = EspeakPhonemizer(espeak)
        first = await phonemizer.phonemes("hello", "en")
        await espeak.close()
        assert await phonemizer.phonemes("hello", "en") == first
        with pytest.raises(EngineUnavailable, match="closed"):
            await phonemizer.phonemes("good bye", "en")

    async def test_only_so_many_texts_are_remembered(
        self, espeak: Espeak, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("voice_server.speech.phonemes.CACHED_TEXTS", 2)
        phonemizer = EspeakPhonemizer(espeak)
        for word in ("one", "two", "one", "three"):
            await phonemizer.phonemes(word, "en")
        await espeak.close()
        assert await phonemizer.phonemes("one", "en") == "wˌʌn"
        with pytest.raises(EngineUnavailable):
            await phonemizer.phonemes("two", "en")
        assert CACHED_TEXTS > 1000

    @given(st.text(alphabet="ab1.,:!?…()«»\"-— '", max_size=40))
    def test_splitting_keeps_every_word_and_mark(self, text: str) -> None:
        pieces = split_at_marks(text)
        assert len(pieces) % 2 == 1
        glued = "".join(pieces).replace("…", "...").replace("—", "-")
        plain = text.replace("«", "“").replace("»", "”").replace("…", "...").replace("—", "-")
        assert glued == plain
        assert all(len(mark) == 1 for mark in pieces[1::2])


class TestSpeech:
    async def test_speaks_and_says_when_each_phone_sounds(self, espeak: Espeak) -> None:
        audio, rate, phones = await espeak.speech("Hello there", "en")
        assert audio.dtype == np.float32
        assert 0.05 < float(np.abs(audio).max()) <= 1.0
        assert [phone.symbol for phone in phones[:3]] == ["h", "ə", "l"]
        ends = [phone.end_ms for phone in phones]
        assert all(phone.start_ms < phone.end_ms for phone in phones)
        assert ends == sorted(ends)
        assert ends[-1] <= 1000 * len(audio) / rate

    async def test_faster_is_shorter(self, espeak: Espeak) -> None:
        slow, *_ = await espeak.speech("This takes a while to say", "en", words_per_minute=120)
        fast, *_ = await espeak.speech("This takes a while to say", "en", words_per_minute=240)
        assert len(fast) < 0.7 * len(slow)

    async def test_nothing_to_say_is_hardly_any_sound(self, espeak: Espeak) -> None:
        audio, rate, phones = await espeak.speech("", "en")
        assert len(audio) < rate
        assert phones == ()


class TestProcess:
    async def test_knows_its_version_and_voices(self, espeak: Espeak) -> None:
        assert (await espeak.version()).startswith("1.5")
        assert {"fr-fr", "nl", "de", "en-us", "en-gb"} <= set(await espeak.voices())

    def test_is_isolated_from_our_code(self) -> None:
        assert "-I" in CHILD
        source = Path(CHILD[-1]).read_text()
        assert "import voice_server" not in source
        assert "from voice_server" not in source

    async def test_many_at_once_get_their_own_answers(self, espeak: Espeak) -> None:
        words = [f"word {n}" for n in range(50)]
        together = await asyncio.gather(*(espeak.phonemes([word], "en") for word in words))
        alone = [await espeak.phonemes([word], "en") for word in words]
        assert together == alone

    async def test_a_cancelled_request_does_no_harm(self, espeak: Espeak) -> None:
        await espeak.version()
        task = asyncio.create_task(espeak.speech("word " * 400, "en"))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await espeak.phonemes(["hello"], "en") == ["həlˈoʊ"]

    async def test_a_killed_process_is_started_anew(self, espeak: Espeak) -> None:
        await espeak.version()
        assert espeak._child._child is not None
        old = espeak._child._child.process.pid
        os.kill(old, signal.SIGKILL)
        assert await espeak.phonemes(["hello"], "en") == ["həlˈoʊ"]
        assert espeak._child._child.process.pid != old

    async def test_a_hanging_process_is_replaced(self, espeak: Espeak) -> None:
        await espeak.version()
        espeak._child._deadline_s = 0.3
        assert espeak._child._child is not None
        os.kill(espeak._child._child.process.pid, signal.SIGSTOP)
        assert await espeak.phonemes(["hello"], "en") == ["həlˈoʊ"]

    async def test_survives_control_c_in_the_terminal(self, espeak: Espeak) -> None:
        await espeak.version()
        assert espeak._child._child is not None
        process = espeak._child._child.process
        process.send_signal(signal.SIGINT)
        assert await espeak.phonemes(["hello"], "en") == ["həlˈoʊ"]
        assert espeak._child._child.process is process

    @pytest.mark.parametrize("body", ["time.sleep(30)", "", "print('nonsense', flush=True)"])
    async def test_gives_up_after_one_retry(self, tmp_path: Path, body: str) -> None:
        process = stand_in(tmp_path, body)
        with pytest.raises(EngineError, match="lost twice"):
            await process.phonemes(["one"], "en")
        await process.close()

    async def test_closing_fails_those_who_wait(self, tmp_path: Path) -> None:
        process = stand_in(tmp_path, "time.sleep(30)")
        process._child._deadline_s = 20
        waiting = asyncio.create_task(process.phonemes(["one"], "en"))
        await asyncio.sleep(0.3)
        await process.close()
        with pytest.raises(EngineUnavailable, match="closed"):
            await waiting

    async def test_what_the_process_refuses_is_an_engine_error(self, espeak: Espeak) -> None:
        with pytest.raises(EngineError, match="unknown request"):
            await espeak._child.ask({"do": "sing"})

    async def test_missing_library_says_what_to_install(self, tmp_path: Path) -> None:
        script = tmp_path / "child.py"
        script.write_text('print(\'{"error": "pip install espeakng-loader"}\')')
        with pytest.raises(EngineUnavailable, match="pip install"):
            await Espeak([sys.executable, str(script)]).version()

    async def test_a_process_that_never_starts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "START_DEADLINE_S", 0.2)
        script = tmp_path / "child.py"
        script.write_text("import time; time.sleep(30)")
        with pytest.raises(EngineUnavailable, match="does not start"):
            await Espeak([sys.executable, str(script)]).version()

    async def test_a_mistakenly_long_text_is_refused(self, espeak: Espeak) -> None:
        with pytest.raises(EngineError, match="too many"):
            await espeak.phonemes(["a" * 6000], "en")

    async def test_closing_an_unused_client_is_nothing(self) -> None:
        await Espeak().close()


class TestChoosingAVoice:
    VOICES = {  # noqa: RUF012
        tag: ChildVoice(tag, f"x/{tag}", "M")
        for tag in ("en-us", "en-gb", "fr-fr", "fr-be", "nl", "pt-br", "cmn")
    }

    @pytest.mark.parametrize(
        ("language", "tag"),
        [
            ("en", "en-us"),
            ("en_GB", "en-gb"),
            ("en-AU", "en-us"),
            ("fr", "fr-fr"),
            ("fr-BE", "fr-be"),
            ("nl-BE", "nl"),
            ("pt", "pt-br"),
            ("zh-CN", "cmn"),
        ],
    )
    def test_takes_the_nearest(self, language: str, tag: str) -> None:
        assert choose_voice(self.VOICES, language).language == tag

    def test_refuses_the_unknown(self) -> None:
        with pytest.raises(EngineUnavailable):
            choose_voice(self.VOICES, "sw")
