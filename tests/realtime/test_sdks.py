"""Stock SDKs against a running server: `openai` for Python and JavaScript, `@openai/agents`.

By default the server has scripted conversations.  With ``VOICE_SERVER_URL`` (and
``VOICE_SERVER_QUESTION``, a wav file with a spoken question) the same tests run against another
one, for example the real thing.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import soundfile
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from tests.fakes.conversation import Script
from tests.fakes.engines import (
    FakeDialogue,
    FakeEndOfTurn,
    FakeStt,
    FakeTts,
    FakeVad,
    InlineWorkers,
)
from tests.realtime.house import house
from tests.realtime.scene import conforms, tone
from voice_server.audio.pcm import encode_pcm16
from voice_server.audio.resample import resample
from voice_server.conversation.services import Services
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.dialogue.dialogue import (
    Clause,
    Message,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
    ToolCall,
    ToolResult,
)

JS = Path(__file__).parent.parent / "js"
DEADLINE_S = 60.0
TOOL: Any = {
    "type": "function",
    "name": "order_taxi",
    "description": "Orders a taxi under a number.",
    "parameters": {"type": "object", "properties": {"order_number": {"type": "string"}}},
}


async def answer(request: ReplyRequest) -> AsyncIterator[ReplyPart]:
    """What the dialogue of the real conversation says."""
    last = request.history[-1]
    if isinstance(last, Message) and "order" in last.text and request.tools:
        yield ToolCall("call_1", request.tools[0].name, '{"order_number": "1001"}')
    elif isinstance(last, ToolResult):
        yield Clause(f"The shop says {last.output}.", "en")
    else:
        yield Clause("It costs twenty euros and fifty cents.", "en")
        yield Clause("Delivery is free from fifty euros on.", "en")
    yield ReplyEnd(source="facts")


@pytest.fixture(params=["scripted", "conversation"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Base URL of the server under test: scripted, or real conversations with fake engines."""
    if url := os.environ.get("VOICE_SERVER_URL"):
        yield url.rstrip("/")
    elif request.param == "scripted":
        script = Script(lines=["How much is the lamp?"], clause_ms=600, speed=2.0)
        async with house(script) as home:
            yield home.url
    else:
        batcher = VadBatcher(FakeVad(), InlineWorkers())  # type: ignore[arg-type]
        stt = FakeStt("How much is the lamp?")
        services = Services(batcher, FakeEndOfTurn(), stt, FakeTts(), FakeDialogue(answer))
        async with asyncio.TaskGroup() as tasks:
            vad = tasks.create_task(batcher.run())
            async with house(services=services) as home:
                yield home.url
            vad.cancel()


@pytest.fixture(scope="session")
def question() -> bytes:
    """Somebody speaks, then a second of silence: PCM16 at 24 kHz."""
    if path := os.environ.get("VOICE_SERVER_QUESTION"):
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        spoken = resample(audio.mean(axis=1, dtype=np.float32), rate, 24_000)
    else:
        spoken = 2 * tone(800)
    return encode_pcm16(spoken) + bytes(2 * 24_000)


class Talk:
    """A connection of the stock Python SDK."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.seen: list[Any] = []

    async def until(self, kind: str) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                event = await self.connection.recv()
                conforms(event.to_dict(mode="json"))
                self.seen.append(event)
                if event.type == kind:
                    return event

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.seen if event.type == kind]

    async def ask(self, text: str, **response: Any) -> None:
        await self.connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": text}],
            }
        )
        await self.connection.response.create(response=response)  # type: ignore[arg-type]

    async def speak(self, audio: bytes) -> None:
        for at in range(0, len(audio), 960):
            piece = base64.b64encode(audio[at : at + 960]).decode()
            await self.connection.input_audio_buffer.append(audio=piece)
            await asyncio.sleep(0.018)


@pytest.fixture
async def talk(server: str) -> AsyncIterator[Talk]:
    async with (
        openai.AsyncOpenAI(api_key="any", base_url=f"{server}/v1") as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        talk = Talk(connection)
        created = await talk.until("session.created")
        assert created.session.type == "realtime"
        yield talk


async def test_python_audio(talk: Talk, question: bytes) -> None:
    await talk.connection.session.update(
        session={"type": "realtime", "audio": {"input": {"transcription": {"model": "w"}}}}
    )
    await talk.speak(question)
    done = await talk.until("response.done")
    assert done.response.status == "completed"
    (heard,) = talk.of("conversation.item.input_audio_transcription.completed")
    assert heard.transcript
    speech = b"".join(base64.b64decode(e.delta) for e in talk.of("response.output_audio.delta"))
    assert len(speech) > 4800


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
async def test_python_telephone_audio(talk: Talk, kind: Any) -> None:
    await talk.connection.session.update(
        session={"type": "realtime", "audio": {"output": {"format": {"type": kind}}}}
    )
    await talk.ask("What does delivery cost?")
    done = await talk.until("response.done")
    assert done.response.status == "completed"
    assert done.response.audio.output.format.type == kind
    speech = b"".join(base64.b64decode(e.delta) for e in talk.of("response.output_audio.delta"))
    assert len(speech) > 800


async def test_python_text(talk: Talk) -> None:
    await talk.ask("Hello, what do you sell?", output_modalities=["text"], metadata={"a": "b"})
    done = await talk.until("response.done")
    assert done.response.metadata == {"a": "b"}
    text = "".join(event.delta for event in talk.of("response.output_text.delta"))
    assert text
    assert done.response.output[0].content[0].text == text


async def test_python_tool(talk: Talk) -> None:
    await talk.connection.session.update(
        session={"type": "realtime", "tools": [TOOL], "output_modalities": ["text"]}
    )
    await talk.ask(
        "Please order a taxi to your shop, number 1001.",
        tool_choice={"type": "function", "name": "order_taxi"},
    )
    call = await talk.until("response.function_call_arguments.done")
    await talk.until("response.done")
    await talk.connection.conversation.item.create(
        item={"type": "function_call_output", "call_id": call.call_id, "output": "on its way"}
    )
    await talk.connection.response.create()
    done = await talk.until("response.done")
    assert done.response.status == "completed"
    assert done.response.output[0].content[0].text


async def test_python_interrupt_and_truncate(talk: Talk) -> None:
    await talk.ask("Tell me everything about your delivery and your returns.")
    first = await talk.until("response.output_audio.delta")
    await talk.connection.response.cancel()
    done = await talk.until("response.done")
    assert done.response.status == "cancelled"
    await talk.connection.conversation.item.truncate(
        item_id=first.item_id, content_index=0, audio_end_ms=20
    )
    # The cancel itself has cut the item already, and may have said so.
    truncated = await talk.until("conversation.item.truncated")
    assert truncated.item_id == first.item_id
    await talk.connection.conversation.item.retrieve(item_id=first.item_id)
    item = (await talk.until("conversation.item.retrieved")).item
    assert (
        item["content"][0]["transcript"] == ""
        if isinstance(item, dict)
        else (item.content[0].transcript == "")
    )


async def test_python_transcription(server: str, question: bytes) -> None:
    async with (
        openai.AsyncOpenAI(api_key="any", base_url=f"{server}/v1") as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        talk = Talk(connection)
        created = await talk.until("session.created")
        assert created.session.type == "transcription"
        await talk.speak(question)
        heard = await talk.until("conversation.item.input_audio_transcription.completed")
        assert heard.transcript


@pytest.mark.node
@pytest.mark.parametrize("server", ["conversation"], indirect=True)
@pytest.mark.parametrize("script", ["openai_sdk.mjs", "agents_sdk.mjs"])
async def test_javascript(server: str, question: bytes, script: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (JS / "node_modules").is_dir():
        pytest.skip("Node.js or its packages are missing (npm ci in tests/js)")
    raw = tmp_path / "question.pcm"
    raw.write_bytes(question)
    process = await asyncio.create_subprocess_exec(
        node,
        str(JS / script),
        server,
        str(raw),
        str(round(DEADLINE_S * 500)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "OPENAI_AGENTS_DISABLE_TRACING": "1"},
    )
    async with asyncio.timeout(4 * DEADLINE_S):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "FAILED" not in output.decode()
