import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.speech.mel import log_mel


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(400, 40_000), level=st.sampled_from([0.0, 1e-4, 0.1, 1.0]))
def test_equals_faster_whispers_features(samples: int, level: float) -> None:
    random = np.random.default_rng(samples)
    wave = np.sin(np.arange(samples) / 20) * np.sin(np.arange(samples) / 3000)
    audio = (level * (wave + 0.1 * random.standard_normal(samples))).astype(np.float32)
    ours = log_mel(audio)
    assert ours.dtype == np.float32
    assert ours.shape == (80, samples // 160)
    np.testing.assert_allclose(ours, FeatureExtractor()(audio, padding=0), atol=1e-5)


def test_too_short_to_reflect_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="more than 200 samples"):
        log_mel(np.zeros(200, np.float32))
