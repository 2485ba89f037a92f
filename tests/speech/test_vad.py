import gc
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from tests.speech.real import weights
from tests.speech.vad_shaped import random_weights, slow_step, write_model
from voice_server.speech.engine import Audio, EngineUnavailable
from voice_server.speech.vad import SileroVad, VadState
from voice_server.speech.vad_graph import read_weights


@pytest.fixture(scope="module")
def shaped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("vad") / "vad.onnx", random_weights())


@pytest.fixture
def vad(shaped: Path) -> SileroVad:
    return SileroVad(shaped)


def noise(seed: int, frames: int = 1, level: float = 0.1) -> list[Audio]:
    random = np.random.default_rng(seed)
    samples = random.standard_normal((frames, 512)) * level * random.random((frames, 1))
    return list(samples.astype(np.float32))


def test_equals_the_network_written_out_slowly(vad: SileroVad) -> None:
    state, model = vad.new_state(), random_weights()
    context, hidden, cell = (np.zeros(width, np.float32) for width in (64, 128, 128))
    for frame in noise(1, frames=6):
        samples = np.concatenate((context, frame)).astype(np.float32)
        expected, hidden, cell = slow_step(model, samples, hidden, cell)
        assert vad.probabilities([(state, frame)]) == pytest.approx([expected], abs=1e-4)
        context = frame[-64:]


def test_a_batch_gives_what_each_stream_alone_would(vad: SileroVad) -> None:
    streams = [noise(seed, frames=5) for seed in range(70)]  # more than the arena's first rows
    alone = []
    for stream in streams:
        state = vad.new_state()
        alone.append([vad.probabilities([(state, frame)])[0] for frame in stream])
        state.close()
    states = [vad.new_state() for _ in streams]
    together = [
        vad.probabilities(
            [(state, stream[t]) for state, stream in zip(states, streams, strict=True)]
        )
        for t in range(5)
    ]
    np.testing.assert_allclose(np.transpose(together), alone, atol=1e-4)
    assert np.ptp(alone) > 0.001  # the streams differ, so agreement says something


def test_streams_left_out_of_a_call_keep_their_state(vad: SileroVad) -> None:
    first, second = noise(5, frames=2)
    still, moving, fresh = (vad.new_state() for _ in range(3))
    vad.probabilities([(still, first), (moving, first)])
    vad.probabilities([(moving, second)])
    expected = vad.new_state()
    vad.probabilities([(expected, first)])
    assert (
        vad.probabilities([(still, second), (expected, second), (fresh, second)])[:2]
        == [pytest.approx(vad_alone(vad, first, second), abs=1e-5)] * 2
    )


def vad_alone(vad: SileroVad, *frames: Audio) -> float:
    state = vad.new_state()
    return [vad.probabilities([(state, frame)])[0] for frame in frames][-1]


def test_no_frames_no_probabilities(vad: SileroVad) -> None:
    assert vad.probabilities([]) == []


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e30])
def test_a_poisoned_frame_is_silence_and_harms_no_other_stream(
    vad: SileroVad, poison: float
) -> None:
    frame, after = noise(9, frames=2)
    bad = frame.copy()
    bad[100] = poison
    sick, well = vad.new_state(), vad.new_state()
    first = vad.probabilities([(sick, bad), (well, frame)])
    assert np.isfinite(first).all()
    second = vad.probabilities([(sick, after), (well, after)])
    third = vad.probabilities([(sick, after), (well, after)])
    assert first[1] == pytest.approx(vad_alone(vad, frame), abs=1e-5)
    assert second[1] == pytest.approx(vad_alone(vad, frame, after), abs=1e-5)
    assert np.isfinite(second).all()
    assert np.isfinite(third).all()


def test_nan_resets_its_stream(vad: SileroVad) -> None:
    state = vad.new_state()
    frame, after = noise(10, frames=2)
    vad.probabilities([(state, frame)])
    assert vad.probabilities([(state, np.full(512, np.nan, np.float32))]) == [0.0]
    assert vad.probabilities([(state, after)]) == [pytest.approx(vad_alone(vad, after), abs=1e-5)]


def test_rows_come_back_on_close_on_deletion_and_zeroed(vad: SileroVad) -> None:
    before = vad.streams
    states = [vad.new_state() for _ in range(200)]
    assert vad.streams == before + 200
    vad.probabilities([(state, noise(1)[0]) for state in states])
    states[0].close()
    states[0].close()  # twice is once
    assert vad.streams == before + 199
    states.clear()
    gc.collect()
    assert vad.streams == before
    frame = noise(2)[0]
    again = [vad.new_state() for _ in range(200)]
    heard = vad.probabilities([(state, frame) for state in again])
    np.testing.assert_allclose(heard, heard[0], atol=1e-5)


def test_reset_forgets(vad: SileroVad) -> None:
    state = vad.new_state()
    first, second = noise(3, frames=2)
    vad.probabilities([(state, first)])
    state.reset()
    assert vad.probabilities([(state, second)]) == [pytest.approx(vad_alone(vad, second), abs=1e-6)]


def test_misuse_is_refused_in_words(vad: SileroVad) -> None:
    state, frame = vad.new_state(), noise(1)[0]
    with pytest.raises(ValueError, match=r"a frame is float32 \[512\], not \[\(160,\)\]"):
        vad.probabilities([(state, frame[:160])])
    with pytest.raises(ValueError, match="one frame per call"):
        vad.probabilities([(state, frame), (state, frame)])
    state.close()
    with pytest.raises(ValueError, match="closed stream"):
        vad.probabilities([(state, frame)])


def test_another_model_is_refused_in_words(tmp_path: Path) -> None:
    incomplete = random_weights()
    del incomplete["decoder.rnn.weight_hh"]
    with pytest.raises(EngineUnavailable, match="not the Silero VAD 6 model"):
        read_weights(write_model(tmp_path / "other.onnx", incomplete))
    (tmp_path / "torn.onnx").write_bytes(b"torn")
    with pytest.raises(EngineUnavailable, match="unreadable"):
        read_weights(tmp_path / "torn.onnx")


def test_a_folder_must_hold_one_model(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"one \*.onnx in .*; found none"):
        SileroVad(tmp_path)


@pytest.mark.models
@pytest.mark.parametrize("streams", [1, 16, 64])
def test_equals_the_published_graph(streams: int) -> None:
    folder = weights("silero-vad")
    published = ort.InferenceSession(str(folder / "silero_vad.onnx"))
    ours = SileroVad(folder)
    states = [ours.new_state() for _ in range(streams)]
    context = np.zeros((streams, 64), np.float32)
    memory = np.zeros((2, streams, 128), np.float32)
    for t in range(12):
        frames = np.stack([speech_like(seed, t) for seed in range(streams)])
        expected, memory = published.run(
            None,
            {
                "input": np.concatenate((context, frames), axis=1),
                "state": memory,
                "sr": np.array(16_000, dtype=np.int64),
            },
        )
        heard = ours.probabilities(list(zip(states, frames, strict=True)))
        np.testing.assert_allclose(heard, expected[:, 0], atol=1e-4)
        context = frames[:, -64:]


@pytest.mark.models
def test_tells_a_vowel_from_hiss_and_silence() -> None:
    vad = SileroVad(weights("silero-vad"))
    vowel, hiss, nothing = vad.new_state(), vad.new_state(), vad.new_state()
    hissing = noise(4, frames=20, level=0.02)
    for t in range(20):
        last = vad.probabilities(
            [
                (vowel, speech_like(0, t)),
                (hiss, hissing[t]),
                (nothing, np.zeros(512, np.float32)),
            ]
        )
    assert last[0] > 0.8
    assert last[1] < 0.3
    assert last[2] < 0.1


def speech_like(seed: int, frame: int) -> Audio:
    """A sung "ah": harmonics of a wavering pitch under three formants."""
    t = (np.arange(512) + frame * 512) / 16_000
    pitch = 120 + 15 * seed % 90
    phase = 2 * np.pi * (pitch * t + 1.5 * np.sin(2 * np.pi * 4 * t))
    audio = np.zeros(512)
    for harmonic in range(1, 28):
        hertz = harmonic * pitch
        gain = sum(np.exp(-(((hertz - f) / 120) ** 2)) for f in (700, 1200, 2600)) + 0.02
        audio += gain * np.sin(harmonic * phase)
    return (audio * 0.1).astype(np.float32)


def test_the_state_is_a_row(vad: SileroVad) -> None:
    assert isinstance(vad.new_state(), VadState)
    assert vad.frame_samples == 512
    assert vad.load_ms > 0
