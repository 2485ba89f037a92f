"""Coqui voices, against a stand-in for the TTS package.

Where the extra is installed, also against the real one: a tiny VITS model of random weights.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from voice_server.speech.engine import (
    SPEAKING_RATE,
    EngineError,
    EngineUnavailable,
    Quality,
    SpeechChunk,
)
from voice_server.speech.tts.coqui import CoquiModel, CoquiTextToSpeech

INSTALLED = importlib.util.find_spec("TTS") is not None


class Letters:
    """A phonemizer that reads letters as they stand."""

    async def phonemes(self, text: str, language: str) -> str:
        return text


def model(folder: Path, kind: str = "vits", **changes: Any) -> CoquiModel:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model": kind}))
    (folder / "model.pth").write_bytes(b"weights")
    fields: dict[str, Any] = {
        "id": "tiny", "folder": folder, "languages": ("nl",), "licence": "MPL-2.0",
    }  # fmt: skip
    return CoquiModel(**(fields | changes))


async def say(
    engine: CoquiTextToSpeech, text: str, language: str = "nl", **how: Any
) -> SpeechChunk:
    (chunk,) = [chunk async for chunk in engine.speak(text, language=language, **how)]
    return chunk


class Network:
    """What we use of a Coqui model."""

    def __init__(self, languages: list[str], *, phonemes: bool, vits: bool) -> None:
        self.language_manager = SimpleNamespace(language_names=languages)
        self.config = SimpleNamespace(model_args=SimpleNamespace(length_scale=1.0))
        self.asked: dict[str, Any] = {}
        self.tokenizer = SimpleNamespace(
            use_phonemes=phonemes,
            characters=SimpleNamespace(
                blank="<BLNK>", id_to_char=lambda number: ["<BLNK>", "<PAD>", "a", "m"][number]
            ),
        )
        if vits:
            self.length_scale = 1.0

    def synthesize(self, text: str, **how: Any) -> dict[str, Any]:
        if text == "boom":
            raise RuntimeError("shapes do not match")
        self.asked = how
        frames = np.array([[1, 4, 1, 4, 1, 1]], np.float32)
        return {
            "wav": np.full(12 * 256, 2.0, np.float32),
            "text_inputs": np.array([[0, 3, 0, 2, 0, 1]]),
            "outputs": {"durations": SimpleNamespace(cpu=lambda: frames)},
        }


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for torch and TTS; ``network`` is what gets loaded."""
    said: dict[str, Any] = {
        "network": Network(["nl"], phonemes=True, vits=True), "cuda": False, "loads": [],
    }  # fmt: skip

    class TTS:
        def __init__(self, **where: Any) -> None:
            if said.get("broken"):
                raise RuntimeError("bad checkpoint")
            said["loads"].append(where)
            self.synthesizer = SimpleNamespace(tts_model=said["network"], output_sample_rate=22_050)

        def to(self, device: str) -> TTS:
            said["device"] = device
            return self

    torch = ModuleType("torch")
    torch.set_num_threads = lambda count: said.update(threads=count)  # type: ignore[attr-defined]
    torch.cuda = SimpleNamespace(is_available=lambda: said["cuda"])  # type: ignore[attr-defined]
    api = ModuleType("TTS.api")
    api.TTS = TTS  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "TTS", ModuleType("TTS"))
    monkeypatch.setitem(sys.modules, "TTS.api", api)
    return said


class TestOurSide:
    async def test_a_vits_of_phonemes_is_timed_by_its_durations(
        self, tmp_path: Path, package: dict[str, Any]
    ) -> None:
        engine = CoquiTextToSpeech([model(tmp_path)], Letters(), threads=3)
        chunk = await say(engine, "ma", speed=2.0)
        frame_ms = 1000 * 256 / 22_050
        assert [phone.symbol for phone in chunk.phones] == ["m", "a"]
        assert chunk.phones[0].start_ms == pytest.approx(frame_ms, abs=0.1)
        assert chunk.phones[1].end_ms == pytest.approx(11 * frame_ms, abs=0.1)
        assert float(chunk.audio.max()) <= 1.0
        assert len(chunk.audio) == pytest.approx(12 * frame_ms * SPEAKING_RATE / 1000, abs=3)
        assert package["network"].length_scale == 0.5
        assert package["threads"] == 3
        assert package["network"].asked == {}

    async def test_a_model_of_letters_gets_guessed_times(
        self, tmp_path: Path, package: dict[str, Any]
    ) -> None:
        package["network"] = Network(["nl"], phonemes=False, vits=True)
        chunk = await say(CoquiTextToSpeech([model(tmp_path)], Letters()), "mama")
        assert [phone.symbol for phone in chunk.phones] == ["m", "a", "m", "a"]

    async def test_a_cloning_model_of_many_languages_gets_all_it_needs(
        self, tmp_path: Path, package: dict[str, Any]
    ) -> None:
        package["network"] = Network(["en", "nl", "zh-cn"], phonemes=False, vits=False)
        package["cuda"] = True
        wav = tmp_path / "voice.wav"
        xtts = model(tmp_path, "xtts", languages=("nl", "zh"), speaker="Ana", speaker_wav=wav)
        engine = CoquiTextToSpeech([xtts], Letters())
        await say(engine, "mama", "zh-TW", speed=1.25)
        assert package["network"].asked == {
            "speaker": "Ana", "speaker_wav": str(wav), "language": "zh-cn", "speed": 1.25,
        }  # fmt: skip
        assert package["device"] == "cuda"
        assert package["loads"][0]["model_path"] == str(tmp_path)

    async def test_each_model_is_loaded_once_at_its_first_clause(
        self, tmp_path: Path, package: dict[str, Any]
    ) -> None:
        engine = CoquiTextToSpeech([model(tmp_path)], Letters())
        assert package["loads"] == []
        await say(engine, "ma")
        await say(engine, "ma", voice="tiny", language="fr")
        await engine.load()
        assert len(package["loads"]) == 1
        engine._forget()
        await engine.load()
        assert len(package["loads"]) == 2
        engine.close()

    async def test_failures_are_engine_errors(
        self, tmp_path: Path, package: dict[str, Any]
    ) -> None:
        engine = CoquiTextToSpeech([model(tmp_path)], Letters())
        with pytest.raises(EngineError, match="tiny failed: shapes"):
            await say(engine, "boom")
        with pytest.raises(EngineUnavailable, match="'de'"):
            await say(engine, "ma", "de")
        assert [c async for c in engine.speak("  ", language="nl")] == []
        engine._forget()
        package["broken"] = True
        with pytest.raises(EngineUnavailable, match="cannot be loaded: bad checkpoint"):
            await engine.load()

    async def test_without_the_extra_it_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "torch", None)
        engine = CoquiTextToSpeech([model(tmp_path)], Letters())
        with pytest.raises(EngineUnavailable, match=r"pip install 'voice-server\[coqui\]'"):
            await engine.load()

    def test_voices_are_known_without_the_extra(self, tmp_path: Path) -> None:
        engine = CoquiTextToSpeech([model(tmp_path, languages=("nl", "fr"))], Letters())
        assert [(voice.id, voice.language) for voice in engine.voices()] == [
            ("tiny", "nl"), ("tiny", "fr"),
        ]  # fmt: skip
        assert {voice.quality for voice in engine.voices()} == {Quality.NATIVE}
        assert engine.version == "coqui/1"

    def test_missing_files_are_said_at_once(self, tmp_path: Path) -> None:
        broken = model(tmp_path)
        (tmp_path / "model.pth").rename(tmp_path / "best.pth")
        CoquiTextToSpeech([broken], Letters())
        (tmp_path / "best.pth").unlink()
        with pytest.raises(EngineUnavailable, match=r"one model\.pth, not 0"):
            CoquiTextToSpeech([broken], Letters())
        (tmp_path / "config.json").unlink()
        with pytest.raises(EngineUnavailable, match="not a Coqui configuration"):
            CoquiTextToSpeech([broken], Letters())


@pytest.mark.coqui
@pytest.mark.skipif(not INSTALLED, reason="the coqui extra is not installed")
@pytest.mark.parametrize("phonemes", [False, True])
async def test_a_tiny_vits_of_random_weights_speaks(tmp_path: Path, phonemes: bool) -> None:
    engine = CoquiTextToSpeech([tiny_vits(tmp_path, phonemes=phonemes)], Letters())
    chunk = await say(engine, "hello there", "en")
    slower = await say(engine, "hello there", "en", speed=0.5)
    assert chunk.audio.dtype == np.float32
    assert len(slower.audio) > 1.5 * len(chunk.audio) > 0
    seconds = len(chunk.audio) / SPEAKING_RATE
    assert len(chunk.phones) >= 8
    assert chunk.phones[-1].end_ms <= 1000 * seconds + 1
    engine.close()


def tiny_vits(folder: Path, *, phonemes: bool) -> CoquiModel:
    """Write a VITS checkpoint of about 1 MB as Coqui itself saves one."""
    import torch
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
    from TTS.tts.models.vits import Vits

    arguments = VitsArgs(
        hidden_channels=16,
        hidden_channels_ffn_text_encoder=16,
        num_heads_text_encoder=2,
        num_layers_text_encoder=1,
        num_layers_posterior_encoder=1,
        num_layers_flow=1,
        upsample_initial_channel_decoder=16,
        upsample_rates_decoder=[8, 8, 4],
        upsample_kernel_sizes_decoder=[16, 16, 8],
        resblock_kernel_sizes_decoder=[3],
        resblock_dilation_sizes_decoder=[[1, 3, 5]],
        init_discriminator=False,
        use_sdp=False,
    )
    config = VitsConfig(
        model_args=arguments,
        audio=BaseAudioConfig(sample_rate=16_000),
        use_phonemes=phonemes,
        phonemizer="espeak" if phonemes else None,
        phoneme_language="en-us",
        text_cleaner=None,
        test_sentences=[],
    )
    network = Vits(config)
    config.save_json(str(folder / "config.json"))
    torch.save({"model": network.state_dict()}, folder / "model.pth")
    return CoquiModel("tiny", folder, ("en",), "MPL-2.0")
