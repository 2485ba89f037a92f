"""Kokoro's derived graphs against the export they come from, on the real weights."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.speech.real import weights
from voice_server.assets import assets_dir
from voice_server.config import Settings
from voice_server.speech.engine import SPEAKING_RATE, Audio, EngineError, EngineUnavailable
from voice_server.speech.espeak import Espeak
from voice_server.speech.onnx_session import open_session
from voice_server.speech.phonemes import EspeakPhonemizer
from voice_server.speech.tts import kokoro, kokoro_graph
from voice_server.speech.tts.kokoro import KokoroTextToSpeech
from voice_server.speech.tts.kokoro_graph import derive, measure_voice
from voice_server.speech.tts.kokoro_model import Clause, KokoroModel
from voice_server.speech.tts.kokoro_phones import spell
from voice_server.speech.tts.kokoro_sound import FRAME
from voice_server.speech.tts.kokoro_statistics import load_statistics
from voice_server.speech.tts.kokoro_voices import STATISTICS_FILE, read_specs, style_row
from voice_server.speech.tts.kokoro_weights import Array, read_weights, text_half
from voice_server.speech.tts.windows import Window
from voice_server.weights.manifest import load_entry

pytestmark = pytest.mark.models

CLAUSE = "ðə blˈu swˈɛTəɹ ɪz ɪn stˈɑk."
WORD = "ʃˈʊɹ."
PITCH, ENERGY = "/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0"


@pytest.fixture(scope="module")
def folder() -> Path:
    return weights("kokoro-82m")


@pytest.fixture(scope="module")
def derived(folder: Path) -> Path:
    return derive(folder, Settings().models / "derived")


@pytest.fixture(scope="module")
def model(derived: Path) -> KokoroModel:
    return KokoroModel.load(derived, threads=2)


@pytest.fixture(scope="module")
def style(folder: Path) -> Array:
    rows: Array = np.fromfile(folder / "voices" / "af_heart.bin", "<f4").reshape(510, 256)
    return rows


def begun(model: KokoroModel, style: Array, symbols: str, *, foretold: bool) -> Clause:
    tokens = list(spell(symbols, "-").tokens)
    row = style_row(style, len(tokens))
    known = load_statistics(assets_dir("models") / STATISTICS_FILE)["af_heart*1"]
    return model.begin(model.read(tokens, row, 1.0), row, known if foretold else None)


def whole(clause: Clause) -> Window:
    return Window(0, clause.reading.frames)


def loudness(audio: Audio) -> Array:
    """Decibels per frame, never below -60."""
    power = (audio.reshape(-1, FRAME) ** 2).mean(axis=1)
    decibels: Array = 10 * np.log10(power + 1e-6)
    return decibels


def streamed(model: KokoroModel, clause: Clause, frames: int) -> Audio:
    edges = [*range(10, clause.reading.frames - frames, frames), clause.reading.frames]
    pieces = [model.sound(clause, Window(a, b)) for a, b in pairwise(edges)]
    return np.concatenate([np.zeros(10 * FRAME, np.float32), *pieces])


@pytest.mark.parametrize("symbols", [CLAUSE, "jˈɛs."])
def test_windows_sound_as_the_whole_clause(model: KokoroModel, style: Array, symbols: str) -> None:
    clause = begun(model, style, symbols, foretold=False)
    assert clause.reading.durations.sum() == clause.reading.frames
    true = model.sound(clause, whole(clause))
    assert len(true) == FRAME * clause.reading.frames
    got = streamed(model, begun(model, style, symbols, foretold=True), 16)
    assert len(got) == len(true)
    speech = loudness(true) > -35
    assert speech.sum() > 8
    off = (loudness(got) - loudness(true))[speech]
    assert abs(off.mean()) < 1.5
    assert np.abs(off).max() < 6


def test_no_step_is_heard_between_windows(model: KokoroModel, style: Array) -> None:
    got = streamed(model, begun(model, style, CLAUSE, foretold=True), 16)
    steps = np.abs(np.diff(got, n=2))
    for at in range(26 * FRAME, len(got) - 16 * FRAME, 16 * FRAME):
        around = steps[at - 2 * FRAME : at + 2 * FRAME]
        assert steps[at - 3 : at + 3].max() <= 1.2 * np.quantile(around, 0.999)


def test_the_export_says_the_same(model: KokoroModel, style: Array, folder: Path) -> None:
    export = onnx.load(str(folder / "kokoro-v1.0.int8.onnx"))
    for name in (PITCH, ENERGY):
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        info.type.tensor_type.ClearField("shape")
        export.graph.output.append(info)
    tokens = spell(WORD, "-").tokens
    session = open_session(export.SerializeToString(), threads=2)
    audio, pitch, energy = session.run(
        ["audio", PITCH, ENERGY],
        {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style_row(style, len(tokens))[None],
            "speed": np.ones(1, np.float32),
        },
    )
    clause = begun(model, style, WORD, foretold=False)
    reading = clause.reading
    # int8 activations there, float32 here: near, not equal
    voiced = (pitch[0] > 100) & (reading.pitch > 100)
    assert voiced.sum() > 10
    assert np.median(np.abs(pitch[0] - reading.pitch)[voiced]) < 3
    assert np.median(np.abs(energy[0] - reading.energy)) < 0.3
    ours = model.sound(clause, whole(clause))
    assert len(ours) == len(audio)
    assert np.corrcoef(loudness(ours), loudness(audio))[0, 1] > 0.98


def test_measuring_tells_what_was_shipped(model: KokoroModel, style: Array) -> None:
    clauses = [spell(s, "-").tokens for s in (WORD, CLAUSE, "jˈɛs, ɪt ˈɪz.")]
    rows = [(list(t), style_row(style, len(t))) for t in clauses]
    found = measure_voice(model, rows)
    shipped = load_statistics(assets_dir("models") / STATISTICS_FILE)["af_heart*1"]
    spread = np.sqrt(shipped.square.mean(axis=1))
    assert np.median(np.abs(found.center - shipped.center) / spread) < 0.1
    assert np.median(np.abs(np.log(found.square[:, 2] / shipped.square[:, 2]))) < 0.2


def test_every_shipped_voice_is_measured() -> None:
    """Else every installation measures it at its first start: run kokoro_calibrate."""
    shipped = load_statistics(assets_dir("models") / STATISTICS_FILE)
    specs = read_specs(load_entry(assets_dir("models") / "kokoro-82m.toml").engine)
    assert {spec.recipe for spec in specs} == set(shipped)


async def test_it_speaks_its_languages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for deadline in ("FIRST_DEADLINE_S", "CHUNK_DEADLINE_S"):  # how fast is another question
        monkeypatch.setattr(kokoro, deadline, 60.0)
    espeak = Espeak()
    tts = KokoroTextToSpeech(folder, Settings().models / "derived", EspeakPhonemizer(espeak))
    try:
        for language, text in (("fr", "Un instant."), ("nl", "Dag."), ("de-BE", "Guten Tag.")):
            chunks = [chunk async for chunk in tts.speak(text, language=language, speed=1.2)]
            audio = np.concatenate([chunk.audio for chunk in chunks])
            phones = [phone for chunk in chunks for phone in chunk.phones]
            seconds = len(audio) / SPEAKING_RATE
            assert 0.2 < seconds < 3
            assert 0.05 < np.abs(audio).max() <= 1
            assert len(phones) >= 3
            assert phones[-1].end_ms <= 1000 * seconds
    finally:
        tts.close()
        await espeak.close()


def test_deriving_is_done_once_and_whole(
    folder: Path, derived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("derived again")

    monkeypatch.setattr(kokoro_graph, "_write", refuse)
    assert derive(folder, derived.parent) == derived

    def break_off(source: Path, draft: Path) -> None:
        (draft / "text.onnx").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(kokoro_graph, "_write", break_off)
    with pytest.raises(EngineUnavailable, match="disk full"):
        derive(folder, tmp_path)
    assert list(tmp_path.iterdir()) == []

    def slow(source: Path, draft: Path) -> None:  # meanwhile another process has finished
        (draft / "text.onnx").write_bytes(b"same")
        shutil.copytree(draft, tmp_path / derived.name)

    monkeypatch.setattr(kokoro_graph, "_write", slow)
    assert derive(folder, tmp_path) == tmp_path / derived.name
    assert [path.name for path in tmp_path.iterdir()] == [derived.name]


def test_another_model_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"\*\.onnx"):
        derive(tmp_path, tmp_path / "derived")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    other = helper.make_model(graph)
    with pytest.raises(EngineUnavailable, match="unknown"):
        text_half(other)
    with pytest.raises(EngineUnavailable, match="unknown"):
        read_weights(other)
    (tmp_path / "broken.onnx").write_bytes(b"not a model")
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        derive(tmp_path, tmp_path / "derived")


def test_a_failing_graph_is_an_engine_error(model: KokoroModel, style: Array) -> None:
    with pytest.raises(EngineError, match="text failed"):
        model.read([100_000], style[0], 1.0)
