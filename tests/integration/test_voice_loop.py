"""Speak to the real server in four languages and check what it says."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from websockets.asyncio.client import connect

from scripts.bench.client import RATE, Caller, Turn
from scripts.bench.latency import ask, load
from scripts.bench.server import Server, running
from voice_server.commands.talking import Talker, TalkFailed
from voice_server.speech.language import TextLanguage
from voice_server.weights import WeightStore

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(
        not os.environ.get("VOICE_SERVER_INTEGRATION"),
        reason="real-time conversations need a quiet machine: set VOICE_SERVER_INTEGRATION=1",
    ),
]

Questions = dict[str, dict[str, Path]]


async def conversation(server: Server, *files: Path) -> list[Turn]:
    async with Caller.connected(server.url) as caller:
        await asyncio.sleep(0.3)
        return [await ask(caller, load(path)) for path in files]


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_a_spoken_question_is_answered_from_the_facts_in_its_language(
    server: Server, questions: Questions, language: str
) -> None:
    (turn,) = asyncio.run(conversation(server, questions[language]["returns"]))
    assert turn.status == "completed"
    assert "30" in turn.answer, turn
    identified, _ = TextLanguage().identify(turn.answer, ["fr", "nl", "de", "en"])
    assert identified == language, turn.answer
    assert any("returns" in source for source in turn.sources)
    heard = np.concatenate(turn.heard.audio)
    assert heard.size > RATE  # more than a second of voice
    assert np.abs(heard.astype(np.int32)).max() > 3000
    first = turn.timings[0]
    segments = [v for k, v in first.items() if k.endswith("_ms")]
    assert len(segments) == 5
    assert min(segments) >= 0


def test_the_answer_can_be_understood(
    server: Server, questions: Questions, weights: WeightStore
) -> None:
    from voice_server.speech.stt.whisper import WhisperSpeechToText

    async def listen() -> tuple[str, str]:
        (turn,) = await conversation(server, questions["en"]["delivery"])
        stt = WhisperSpeechToText(weights.path("whisper-base"))
        audio = np.concatenate(turn.heard.audio).astype(np.float32) / 32768
        import soxr

        transcript = await stt.transcribe(soxr.resample(audio, RATE, 16_000), language="en")
        stt.close()
        return turn.answer, transcript.text

    answer, understood = asyncio.run(listen())
    words = {word.strip(".,").lower() for word in answer.split() if word.isalpha()}
    same = {word for word in words if word in understood.lower()}
    assert len(same) >= 0.7 * len(words), (answer, understood)


def test_talk_plays_a_file_and_saves_the_answer(
    server: Server, questions: Questions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "answer.wav"
    talker = Talker(server.url, save=saved, timeout_s=30)
    asyncio.run(talker.play([questions["en"]["delivery"], questions["en"]["returns"]]))
    assert len(talker.answers) == 2
    assert "shop:" in capsys.readouterr().out
    audio, rate = soundfile.read(saved)
    assert rate == RATE
    assert audio.size > RATE


def test_talk_without_a_server_says_how_to_start_one(tmp_path: Path) -> None:
    wav = tmp_path / "q.wav"
    soundfile.write(wav, np.zeros(RATE), RATE)
    talker = Talker("ws://127.0.0.1:9/v1/realtime", save=None, timeout_s=1)
    with pytest.raises(TalkFailed, match=r"\./scripts/serve"):
        asyncio.run(talker.play([wav]))
    (tmp_path / "no.wav").write_text("hello")
    with pytest.raises(TalkFailed, match="cannot be read as sound"):
        asyncio.run(talker.play([tmp_path / "no.wav"]))


def test_the_server_says_what_is_ready(server: Server) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz") as answer:
        body = json.load(answer)
    assert body["status"] == "ready"
    assert all(body["engines"].values())
    assert body["language_model"] == "none"


def test_a_killed_speech_child_is_restarted_and_the_next_turn_works(
    server: Server, questions: Questions
) -> None:
    children = [c for c in server.process.children() if "espeak_child" in " ".join(c.cmdline())]
    assert len(children) == 1
    children[0].kill()
    (turn,) = asyncio.run(conversation(server, questions["fr"]["payment"]))
    assert turn.status == "completed"
    assert turn.answer
    again = [c for c in server.process.children() if "espeak_child" in " ".join(c.cmdline())]
    assert [c.pid for c in again] != [children[0].pid]


def test_the_language_model_killed_in_mid_answer_leaves_no_silence(
    weights: WeightStore, questions: Questions, tmp_path: Path
) -> None:
    async def scene(server: Server) -> tuple[Turn, Turn]:
        async with Caller.connected(server.url) as caller:
            await asyncio.sleep(0.3)
            turn = caller.say(load(questions["en"]["tail_party"]))
            async with asyncio.timeout(30):
                await turn.started.wait()
            for child in server.process.children(recursive=True):
                if "llama_child" in " ".join(child.cmdline()):
                    child.kill()
            async with asyncio.timeout(30):
                await turn.done.wait()
            await asyncio.sleep(1)
            return turn, await ask(caller, load(questions["en"]["delivery"]))

    options = ("--llm", "embedded", "--embedded-model", "qwen2.5-coder-0.5b", "--no-warm-phrases")
    with running(*options, data=tmp_path) as server:
        _model_ready(server)
        first, second = asyncio.run(scene(server))
        assert first.status == "completed"
        assert first.answer
        assert second.status == "completed"
        assert "4.95" in second.answer
        _model_ready(server)  # it came back by itself


def _model_ready(server: Server) -> None:
    import time

    for _ in range(240):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz") as answer:
            if json.load(answer)["language_model"] == "ready":
                return
        time.sleep(0.25)
    pytest.fail("the language model did not become ready: " + server.log.read_text()[-2000:])


def test_sigterm_closes_sessions_with_1001(weights: WeightStore, tmp_path: Path) -> None:
    async def scene(server: Server) -> int | None:
        async with connect(server.url) as socket:
            await socket.recv()
            server.process.terminate()
            async with asyncio.timeout(20):
                await socket.wait_closed()
            return socket.close_code

    with running("--llm", "none", "--no-warm-phrases", data=tmp_path) as server:
        assert asyncio.run(scene(server)) == 1001
        assert psutil.Process(server.process.pid).wait(15) == 0
