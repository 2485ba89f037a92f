"""The stock SDKs' tests again, against the composed server with real engines and an endpoint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.bench.fake_llm import running_fake_llm
from scripts.bench.server import ROOT, running
from voice_server.weights import WeightStore

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(
        not os.environ.get("VOICE_SERVER_INTEGRATION"),
        reason="real-time conversations need a quiet machine: set VOICE_SERVER_INTEGRATION=1",
    ),
]

DEADLINE_S = 300.0
"""Eight conversations in real time take half a minute on two idle cores."""


@pytest.mark.parametrize("sdk", ["python", "javascript"])
def test_the_stock_sdks_talk_to_the_whole_server(
    weights: WeightStore, questions: dict[str, dict[str, Path]], tmp_path: Path, sdk: str
) -> None:
    """The endpoint is a fake on a real socket that calls the client's tools; the rest is real."""
    with (
        running_fake_llm() as endpoint,
        running("--llm", endpoint, "--no-warm-phrases", data=tmp_path) as server,
    ):
        child = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header",
                "tests/realtime/test_sdks.py", "-k", f"{sdk} and not scripted",
            ],
            cwd=ROOT,
            env=os.environ | {
                "VOICE_SERVER_URL": f"http://127.0.0.1:{server.port}",
                "VOICE_SERVER_QUESTION": str(questions["en"]["returns"]),
            },
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )  # fmt: skip
    assert child.returncode == 0, child.stdout[-4000:]
    assert " passed" in child.stdout
