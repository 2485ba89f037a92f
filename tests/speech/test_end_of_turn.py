import asyncio
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.speech.real import weights
from voice_server.speech.end_of_turn import SmartTurn, smart_turn_features
from voice_server.speech.engine import Audio, EngineError, EngineTimeout, EngineUnavailable
from voice_server.speech.mel import log_mel
from voice_server.speech.workers import Workers


def write_mean_model(path: Path, *, bands: int = 80) -> Path:
    """A model of Smart Turn's shape that answers sigmoid(mean of its features)."""
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["wide"], ["mean"]),
            helper.make_node("Unsqueeze", ["input_features", "one"], ["wide"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("Sigmoid", ["flat"], ["logits"]),
        ],
        "mean",
        [helper.make_tensor_value_info("input_features", TensorProto.FLOAT, [1, bands, 800])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    graph.node.insert(0, graph.node.pop(1))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_mean_model(tmp_path / "turn.onnx")


def noise(seconds: float) -> Audio:
    random = np.random.default_rng(1)
    return (random.standard_normal(int(16_000 * seconds)) * 0.1).astype(np.float32)


def test_short_audio_is_padded_in_front_and_normalised_over_all_of_it() -> None:
    heard = noise(2) + np.float32(0.05)
    padded = np.concatenate((np.zeros(6 * 16_000, np.float32), heard)).astype(np.float64)
    normal = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    expected = log_mel(normal.astype(np.float32))
    features = smart_turn_features(heard)
    assert features.shape == (80, 800)
    np.testing.assert_allclose(features, expected, atol=1e-3)


async def test_the_last_eight_seconds_are_judged(model: Path) -> None:
    engine, audio = SmartTurn(model), noise(11)
    expected = 1 / (1 + np.exp(-smart_turn_features(audio[-8 * 16_000 :]).mean()))
    assert await engine.probability(audio) == pytest.approx(expected, abs=1e-5)
    engine.close()


@pytest.mark.parametrize(
    "audio", [np.zeros(0, np.float32), np.full(16_000, np.nan, np.float32), noise(0.01)]
)
async def test_empty_broken_and_tiny_audio_is_judged_too(model: Path, audio: Audio) -> None:
    assert 0 <= await SmartTurn(model).probability(audio) <= 1


async def test_the_callers_audio_may_change_meanwhile(model: Path) -> None:
    workers, gate = Workers("end-of-turn", 1), threading.Event()
    engine, audio = SmartTurn(model, workers=workers), noise(1)
    expected = await engine.probability(audio)
    blocker = asyncio.create_task(workers.run(gate.wait))
    await asyncio.sleep(0.01)
    judged = asyncio.create_task(engine.probability(audio))
    await asyncio.sleep(0.01)
    audio[:] = 0
    gate.set()
    assert await judged == expected
    await blocker


async def test_a_stalled_thread_ends_in_a_timeout_and_the_next_call_works(model: Path) -> None:
    workers, gate = Workers("end-of-turn", 1), threading.Event()
    engine = SmartTurn(model, workers=workers, deadline_s=0.05)
    stalled = asyncio.create_task(workers.run(gate.wait, urgent=True, deadline_s=0.02))
    await asyncio.sleep(0)
    with pytest.raises(EngineTimeout):
        await stalled
    assert 0 <= await SmartTurn(model, workers=workers).probability(noise(1)) <= 1
    busy = asyncio.create_task(workers.run(gate.wait, urgent=True))
    await asyncio.sleep(0.01)
    with pytest.raises(EngineTimeout, match=r"end-of-turn did not answer within 0\.05 s"):
        await engine.probability(noise(1))
    gate.set()
    await busy


async def test_a_failing_model_is_an_engine_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="end-of-turn detection failed"):
        SmartTurn(write_mean_model(tmp_path / "odd.onnx", bands=128))


def test_a_missing_model_is_reported_in_words(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"end-of-turn detection needs one \*.onnx"):
        SmartTurn(tmp_path)


@pytest.mark.models
async def test_the_real_model_judges_within_its_deadline() -> None:
    engine = SmartTurn(weights("smart-turn-v3"))
    silence = await engine.probability(np.zeros(16_000, np.float32))
    sound = await engine.probability(noise(3))
    assert 0 <= silence <= 1
    assert 0 <= sound <= 1
    assert silence != sound
