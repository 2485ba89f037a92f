"""The composed server, in this process, with the real engines and answers from facts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.fakes.llm_vendors import FakeAzure
from voice_server.app import App, StartFailed
from voice_server.cli import build_parser, main
from voice_server.config import Settings
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.llm.vendors import endpoint
from voice_server.model_keeping import probe as probe_at_start
from voice_server.storage import open_storage
from voice_server.weights import WeightStore


@pytest.mark.models
def test_the_server_becomes_ready_and_answers_typed_questions(
    weights: WeightStore, tmp_path: Path
) -> None:
    async def scene() -> None:
        settings = Settings(port=0, llm="none", data=tmp_path, warm_phrases=False)
        async with App(settings).running() as app, ClientSession() as client:
            base = f"http://127.0.0.1:{app.port}"
            async with client.get(f"{base}/readyz") as answer:
                assert answer.status == 200
                assert (await answer.json())["language_model"] == "none"
            async with client.get(f"{base}/api/shop") as answer:
                shop = await answer.json()
            async with client.get(base + shop["products"][0]["image"]) as answer:
                assert answer.status == 200
            async with client.ws_connect(f"{base}/v1/realtime?model=x") as socket:
                assert (await socket.receive_json())["type"] == "session.created"
                await socket.send_json(
                    {
                        "type": "conversation.item.create",
                        "item": {
                            "type": "message",
                            "role": "user",
                            "content": [
                                {"type": "input_text", "text": "How much does delivery cost?"}
                            ],
                        },
                    }
                )
                await socket.send_json(
                    {"type": "response.create", "response": {"output_modalities": ["text"]}}
                )
                async with asyncio.timeout(60):
                    while (event := await socket.receive_json())["type"] != "response.done":
                        assert event["type"] != "error", event
            text = event["response"]["output"][0]["content"][0]["text"]
            assert "4.95" in text or "4,95" in text
            await app.drain()
        store = await open_storage("", tmp_path)
        events = [event for _, event in await store.events(kinds=["turn.answered"])]
        assert events[-1].payload["intent"] == "delivery_cost"
        turns = await store.turns(events[-1].session_id)
        assert turns[-2].text == "How much does delivery cost?"
        assert turns[-1].text == text
        await store.close()

    asyncio.run(scene())


def test_an_unknown_shop_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="nowhere"):
        App(Settings(shop=str(tmp_path / "nowhere"), llm="none"))


def test_the_command_line_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    text = build_parser().format_help()
    assert "VOICE_SERVER_" in text
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert "--llm" in capsys.readouterr().out
    assert main(["serve", "--llm", "gpt"]) == 2
    assert "llm must be" in capsys.readouterr().err
    assert main(["say", " ", "--lang", "en"]) == 2
    assert main(["talk", "--url", "ws://127.0.0.1:9/x", "--wav", "nothing.wav"]) == 1


def test_an_endpoint_outside_the_promised_residency_is_refused(tmp_path: Path) -> None:
    async def scene(**llm: str) -> None:
        settings = Settings(port=0, data=tmp_path, warm_phrases=False, **llm)  # type: ignore[arg-type]
        async with App(settings).running():
            raise AssertionError("it must not start")

    with pytest.raises(StartFailed, match=r"https://eu\.api\.openai\.com/v1"):
        asyncio.run(scene(llm="https://api.openai.com/v1", llm_residency="eu"))
    with pytest.raises(StartFailed, match="set llm_region"):
        asyncio.run(scene(llm="https://m.openai.azure.com", llm_residency="eu"))


async def test_an_endpoint_is_probed_at_start_and_one_elsewhere_ends_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "voice_server.model_keeping")
    async with FakeAzure(["Yes."], models=("shop",), key="k", region="East US") as fake:
        there = endpoint(fake.root, api="azure", residency="eu")
        with pytest.raises(StartFailed, match="answered from 'East US'"):
            await probe_at_start(ChatEndpoint(there, key="k", model="shop"))
        await probe_at_start(ChatEndpoint(endpoint(fake.root, api="azure"), key="wrong", model="m"))
        assert "check llm_key" in caplog.text
        here = endpoint(fake.root, api="azure")
        await probe_at_start(ChatEndpoint(here, key="k", model="shop"))
        assert "the language model shop at" in caplog.text


@pytest.mark.models
def test_an_order_is_cancelled_after_a_yes_and_stays_cancelled(
    weights: WeightStore, tmp_path: Path
) -> None:
    async def talk(base: str, *lines: str) -> list[str]:
        said = []
        async with (
            ClientSession() as client,
            client.ws_connect(f"{base}/v1/realtime?language=en") as socket,
        ):
            await socket.send_json(
                {
                    "type": "session.update",
                    "session": {"type": "realtime", "output_modalities": ["text"]},
                }
            )
            for line in lines:
                content = [{"type": "input_text", "text": line}]
                item = {"type": "message", "role": "user", "content": content}
                await socket.send_json({"type": "conversation.item.create", "item": item})
                await socket.send_json({"type": "response.create"})
                event: dict[str, Any] = {"type": ""}
                while event["type"] != "response.done":
                    event = await socket.receive_json(timeout=30)
                output = event["response"]["output"]
                said.append(" ".join(part["text"] for item in output for part in item["content"]))
        return said

    async def scene() -> None:
        settings = Settings(port=0, llm="none", data=tmp_path, warm_phrases=False)
        async with App(settings).running() as app:
            base = f"http://127.0.0.1:{app.port}"
            asked, read_back, *_ = await talk(
                base, "I want to cancel my order", "BE-10497, postcode 9000", "hm"
            )
            assert "order number" in asked
            assert "BE-10497" in read_back
            assert "€199" in read_back
            first = "I want to cancel my order BE-10497, postcode 9000"
            *_, done = await talk(base, first, "yes please")
            assert "is cancelled" in done
            (again,) = await talk(base, first)
            assert "can no longer be changed" in again
        # A restart keeps it.
        async with App(settings).running() as app:
            (again,) = await talk(f"http://127.0.0.1:{app.port}", first)
            assert "can no longer be changed" in again

    asyncio.run(scene())
