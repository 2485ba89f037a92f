"""The embedded model's child: started, warmed, watched, replaced, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from voice_server.dialogue.llm import llama_child
from voice_server.dialogue.llm.embedded import EmbeddedModel, EmbeddedOptions, ModelState
from voice_server.dialogue.llm.llama_child import ChildConfig
from voice_server.dialogue.llm.model import (
    ChatRequest,
    Finished,
    LlmError,
    LlmUnavailable,
    TextDelta,
)
from voice_server.weights import WeightStore

ASK = ChatRequest(({"role": "user", "content": "Hello"},), max_tokens=40)
OPTIONS = EmbeddedOptions(
    start_s=60, health_every_s=0.2, health_timeout_s=0.5, health_misses=2, backoff_s=0.05
)


@contextlib.asynccontextmanager
async def running(
    mode: str, folder: Path, options: EmbeddedOptions = OPTIONS
) -> AsyncIterator[EmbeddedModel]:
    """Run a model whose child is the fake one."""
    command = (sys.executable, "-m", "tests.fakes.llama_child", mode, str(folder))
    model = EmbeddedModel(folder / "model.gguf", options=options, command=command)
    task = asyncio.create_task(model.run())
    try:
        yield model
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert model.state is ModelState.STOPPED
        assert model.pid is None


async def reach(model: EmbeddedModel, state: ModelState, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        await model.wait_for(state)


async def first_text(model: EmbeddedModel) -> str:
    stream = model.stream(ASK)
    try:
        async for part in stream:
            if isinstance(part, TextDelta):
                return part.text
    finally:
        await stream.aclose()
    return ""


async def test_no_weights_no_model_until_they_arrive(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.fakes.llama_child", "well", str(tmp_path))
    model = EmbeddedModel(options=OPTIONS, command=command)
    assert (model.state, model.ready, model.embedded) == (ModelState.MISSING, False, True)
    model.downloading()
    assert model.state is ModelState.DOWNLOADING
    with pytest.raises(LlmUnavailable, match="downloading"):
        await first_text(model)
    task = asyncio.create_task(model.run())
    await asyncio.sleep(0.05)
    model.weights_arrived(tmp_path / "model.gguf")
    await reach(model, ModelState.READY)
    model.downloading()
    assert model.ready, "too late to say so"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_killed_in_mid_answer_it_comes_back(tmp_path: Path) -> None:
    async with running("well", tmp_path) as model:
        model.keep_warm(({"role": "system", "content": "You are kind."},))
        await reach(model, ModelState.READY)
        assert model.pid is not None
        child = psutil.Process(model.pid)
        stream = model.stream(ASK)
        while not isinstance(await anext(stream), TextDelta):
            pass
        os.kill(model.pid, signal.SIGKILL)
        with pytest.raises(LlmError):
            async for _ in stream:
                pass
        await reach(model, ModelState.RESTARTING)
        assert "status -9" in model.trouble
        assert model.restarts == 1
        await reach(model, ModelState.READY)
        assert await first_text(model) == "Hello"
        second = psutil.Process(model.pid)
        assert not child.is_running()
    assert not second.is_running()


async def test_a_stopped_child_is_replaced(tmp_path: Path) -> None:
    async with running("well", tmp_path) as model:
        await reach(model, ModelState.READY)
        assert model.pid is not None
        os.kill(model.pid, signal.SIGSTOP)
        model.missed()
        await reach(model, ModelState.RESTARTING)
        assert "stalled" in model.trouble
        await reach(model, ModelState.READY)


async def test_a_child_that_serves_but_does_not_think_is_replaced(tmp_path: Path) -> None:
    async with running("thinks_not", tmp_path) as model:
        await reach(model, ModelState.READY)
        for _ in range(OPTIONS.silent_answers):
            stream = model.stream(ASK)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(stream)
            await stream.aclose()
            model.missed()
        await reach(model, ModelState.RESTARTING)
        assert "without a word" in model.trouble


async def test_a_child_that_dies_while_starting_is_started_again(tmp_path: Path) -> None:
    async with running("dies_once", tmp_path) as model:
        await reach(model, ModelState.RESTARTING)
        assert "out of memory" in model.trouble
        await reach(model, ModelState.READY)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("bad_model", "cannot load it"),
        ("mute", "did not start within 5 s"),
        ("cold", "did not answer its first question"),
    ],
)
async def test_a_child_that_never_serves_says_why(tmp_path: Path, mode: str, words: str) -> None:
    options = EmbeddedOptions(start_s=5 if mode == "mute" else 60, backoff_s=30)
    async with running(mode, tmp_path, options) as model:
        await reach(model, ModelState.RESTARTING)
        assert words in model.trouble
        assert not model.ready


async def test_the_prefix_is_read_again_after_idling(tmp_path: Path) -> None:
    options = EmbeddedOptions(health_every_s=0.1, idle_warm_s=0.3)
    async with running("well", tmp_path, options) as model:
        await reach(model, ModelState.READY)
        before = model.last_use
        async with asyncio.timeout(20):
            while model.last_use == before:  # noqa: ASYNC110  # a health check sets it
                await asyncio.sleep(0.05)
        assert model.ready


def test_the_child_config_survives_its_line() -> None:
    config = ChildConfig("m.gguf", "key", threads=3)
    assert b'"threads": 3' in config.line()
    assert config.line().endswith(b"\n")


def run_child(*, stdin: bytes, xllamacpp: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the real child with a stand-in for the xllamacpp package."""
    (folder / "xllamacpp.py").write_text(xllamacpp)
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, llama_child.__file__],
        input=stdin,
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )


STAND_IN = """
import os
class Pool: pass
class Model: pass
class CommonParams:
    def __init__(self):
        self.cpuparams, self.cpuparams_batch, self.model = Pool(), Pool(), Model()
class Server:
    def __init__(self, parameters):
        print("noise on stdout")
        if parameters.model.path == "bad": raise RuntimeError("no such tensor")
        assert os.environ["OMP_WAIT_POLICY"] == "passive"
        assert parameters.n_batch == 48 and parameters.n_ctx == 6144
        assert parameters.cpuparams.poll == 0
        assert parameters.hostnames == ["127.0.0.1"] and parameters.api_keys == ["k"]
        self.listening_address = "http://127.0.0.1:1"
"""


def test_the_real_child_reports_and_ends_with_its_input(tmp_path: Path) -> None:
    done = run_child(stdin=ChildConfig("m", "k").line(), xllamacpp=STAND_IN, folder=tmp_path)
    assert done.stdout == b'{"event": "ready", "url": "http://127.0.0.1:1"}\n', done.stderr
    assert b"noise on stdout" in done.stderr
    assert done.returncode == 0


def test_the_real_child_says_what_is_wrong(tmp_path: Path) -> None:
    done = run_child(stdin=ChildConfig("bad", "k").line(), xllamacpp=STAND_IN, folder=tmp_path)
    assert b"cannot load bad: no such tensor" in done.stdout
    assert done.returncode == llama_child.EXIT_BAD_MODEL
    broken = run_child(
        stdin=ChildConfig("m", "k").line(), xllamacpp="import not_there", folder=tmp_path
    )
    assert b"install voice-server[llm]" in broken.stdout
    assert broken.returncode == llama_child.EXIT_NOT_INSTALLED


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_the_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Even while it loads, when it cannot see the end of its input."""
    (tmp_path / "xllamacpp.py").write_text(STAND_IN + "\nimport time; time.sleep(600)\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            f"child = subprocess.Popen([sys.executable, {llama_child.__file__!r}],"
            " stdin=subprocess.PIPE)\n"
            f"child.stdin.write({ChildConfig('m', 'k').line()!r}); child.stdin.flush()\n"
            "print(child.pid, flush=True); time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    deadline = time.monotonic() + 30
    while child.nice() == psutil.Process().nice() and time.monotonic() < deadline:
        time.sleep(0.05)  # it sets its niceness just before it loads
    parent.kill()
    parent.wait()
    parent.stdout.close()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


@pytest.mark.models
async def test_the_real_small_model(weights: WeightStore) -> None:
    gguf = next(weights.path("qwen2.5-coder-0.5b").glob("*.gguf"))
    model = EmbeddedModel(gguf, options=EmbeddedOptions(slots=1, context_tokens=1024))
    prefix = ({"role": "system", "content": "You are the assistant of a shop. Be brief. " * 10},)
    model.keep_warm(prefix)
    task = asyncio.create_task(model.run())
    try:
        await reach(model, ModelState.READY, 180)
        request = ChatRequest((*prefix, {"role": "user", "content": "Say hello."}), max_tokens=12)
        parts = [part async for part in model.stream(request)]
        assert any(isinstance(part, TextDelta) for part in parts)
        assert isinstance(parts[-1], Finished)
        assert parts[-1].usage.cached_tokens > 80, "the prefix was warm"
        schema = {
            "type": "object",
            "properties": {"language": {"enum": ["fr", "nl"]}},
            "required": ["language"],
            "additionalProperties": False,
        }
        question = ({"role": "user", "content": "Bonjour! Which language is this?"},)
        chosen = ""
        async for part in model.stream(ChatRequest(question, schema=schema, temperature=0)):
            chosen += part.text if isinstance(part, TextDelta) else ""
        assert chosen.replace(" ", "").replace("\n", "") in {
            '{"language":"fr"}',
            '{"language":"nl"}',
        }
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def prompt(facts: str, question: str) -> tuple[dict[str, Any], ...]:
    text = f"<facts>{facts}</facts>\n<customer>{question}</customer>"
    return ({"role": "system", "content": "You are kind."}, {"role": "user", "content": text})


async def test_what_is_read_ahead_is_waited_for_by_its_own_question(tmp_path: Path) -> None:
    async with running("reads_slowly", tmp_path) as model:
        await reach(model, ModelState.READY)
        reading = asyncio.create_task(model.foresee(prompt("a lamp", "How much")))
        await asyncio.sleep(0.1)
        await model.foresee(prompt("a chair", "How much"))  # one at a time: does nothing
        assert not reading.done()
        stream = model.stream(ChatRequest(prompt("a lamp", "How much is it?"), max_tokens=5))
        async for _ in stream:
            assert reading.done()
            break
        await stream.aclose()
        began = time.monotonic()
        await model.foresee(prompt("a lamp", "And how much"))
        assert time.monotonic() - began < 0.3, "it was read already"


async def test_another_question_ends_the_reading_ahead(tmp_path: Path) -> None:
    async with running("reads_slowly", tmp_path) as model:
        await reach(model, ModelState.READY)
        reading = asyncio.create_task(model.foresee(prompt("a lamp", "How much")))
        await asyncio.sleep(0.1)
        stream = model.stream(ChatRequest(prompt("a chair", "How much is it?"), max_tokens=5))
        await anext(stream)
        await reading
        assert model.ready
        await model.foresee(prompt("a lamp", "How much"))  # somebody is being answered
        await stream.aclose()


async def test_reading_ahead_without_a_model_is_nothing(tmp_path: Path) -> None:
    model = EmbeddedModel(options=OPTIONS)
    await model.foresee(prompt("a lamp", "How much"))
    assert not model.ready


async def test_reading_ahead_that_fails_is_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running("well", tmp_path) as model:
        await reach(model, ModelState.READY)
        assert model.pid is not None
        os.kill(model.pid, signal.SIGKILL)
        with caplog.at_level("INFO"):
            await model.foresee(prompt("a lamp", "How much"))
        assert "read ahead" in caplog.text
