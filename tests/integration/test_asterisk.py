"""A real Asterisk asks the real server a spoken question over its SIP trunk."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soxr

from scripts.bench.latency import load
from scripts.bench.server import running
from tests.telephony.asterisk import MISSING, asterisk
from voice_server.weights import WeightStore

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.skipif(
        not os.environ.get("VOICE_SERVER_INTEGRATION"),
        reason="real-time conversations need a quiet machine: set VOICE_SERVER_INTEGRATION=1",
    ),
]

SCRIPT = """
Wait(3)
SendDTMF(4)
Wait(5)
Playback({home}/question)
Wait(12)
"""


def test_a_question_over_the_trunk_is_answered_with_the_shops_facts(
    weights: WeightStore, questions: dict[str, dict[str, Path]], tmp_path: Path
) -> None:
    from voice_server.speech.stt.whisper import WhisperSpeechToText

    asked = load(questions["en"]["delivery"]).astype(np.float32) / 32768
    sounds = {
        "question": soxr.resample(asked, 24_000, 8_000),
        "human": np.zeros(8_000, np.float32),
    }

    async def call(port: str) -> tuple[str, str]:
        places = {"voice.example.com:5060": f"127.0.0.1:{port}"}
        async with asterisk(SCRIPT, places, sounds) as pbx:
            await pbx.call("shop-sip")
            await asyncio.sleep(1)
            await pbx.idle(90)
            heard, log = pbx.heard(), pbx.log()[-3000:]
        stt = WhisperSpeechToText(weights.path("whisper-base"))
        answer = soxr.resample(heard[9 * 8_000 :], 8_000, 16_000)
        transcript = await stt.transcribe(answer, language="en")
        stt.close()
        return transcript.text, log

    with running("--llm", "none", "--sip", "127.0.0.1:0", data=tmp_path) as server:
        found = re.search(r"SIP listens on \S+:(\d+)", server.log.read_text())
        assert found is not None, server.log.read_text()
        understood, log = asyncio.run(call(found[1]))
    assert re.search(r"deliver|4.95|working days|free", understood), (understood, log)
