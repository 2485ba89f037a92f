"""The composed server, in this process, with the real engines and answers from facts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from voice_server.app import App, StartFailed
from voice_server.cli import build_parser, main
from voice_server.config import Settings
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
