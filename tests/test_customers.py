"""A shop's server says who a client is and what they agreed to: advice uses that, and says so."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from voice_server.app import App
from voice_server.config import Settings
from voice_server.realtime.customer import Customer
from voice_server.storage import open_storage
from voice_server.trust.subjects import LINKED
from voice_server.web_seams import known_of
from voice_server.weights import WeightStore


def told(**consent: object) -> dict[str, Any]:
    return {"id": "C-4711", "consent": consent, "bought": ["torino"], "likes": ["reading"]}


@pytest.mark.parametrize(
    ("consent", "bought", "likes"),
    [
        ({}, (), ()),
        ({"history": True}, ("torino",), ()),
        ({"profile": True}, (), ("reading",)),
        ({"history": True, "profile": True}, ("torino",), ("reading",)),
    ],
)
def test_what_was_not_agreed_to_is_not_kept(
    consent: dict[str, object], bought: tuple[str, ...], likes: tuple[str, ...]
) -> None:
    customer = Customer.model_validate(told(**consent)).agreed()
    profile, agreed = known_of(customer)
    assert (profile.bought, profile.likes) == (bought, likes)
    assert (agreed.history, agreed.profile) == (bool(bought), bool(likes))
    if not bought:
        assert "torino" not in customer.model_dump_json()


async def typed(socket: ClientWebSocketResponse, text: str) -> str:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await socket.send_json({"type": "conversation.item.create", "item": item})
    only = {"output_modalities": ["text"]}
    await socket.send_json({"type": "response.create", "response": only})
    async with asyncio.timeout(60):
        while (event := await socket.receive_json())["type"] != "response.done":
            assert event["type"] != "error", event
    return str(event["response"]["output"][0]["content"][0]["text"])


@pytest.mark.models
def test_advice_uses_what_a_customer_agreed_to_and_says_so(
    weights: WeightStore, tmp_path: Path
) -> None:
    async def scene() -> tuple[list[str], list[str]]:
        settings = Settings(port=0, llm="none", data=tmp_path, warm_phrases=False)
        async with App(settings).running() as app, ClientSession() as client:
            base = f"http://127.0.0.1:{app.port}"

            async def talk(customer: dict[str, Any] | None) -> list[str]:
                body = {} if customer is None else {"customer": customer}
                async with client.post(f"{base}/v1/realtime/client_secrets", json=body) as answer:
                    assert answer.status == 200, await answer.text()
                    secret = (await answer.json())["value"]
                headers = {"Authorization": f"Bearer {secret}"}
                url = f"{base}/v1/realtime?language=en"
                async with client.ws_connect(url, headers=headers) as socket:
                    return [
                        await typed(socket, "a gift for my father"),
                        await typed(socket, "why do you say that?"),
                        await typed(socket, "don't use my purchases"),
                        await typed(socket, "a gift for my father"),
                        await typed(socket, "why do you say that?"),
                    ]

            found = await talk(told(id="proof-17", history=True)), await talk(told())
            await app.drain()
            return found

    agreed, refused = asyncio.run(scene())
    assert agreed[0] != refused[0], "what they have is not offered first"
    assert agreed[3] == refused[3], "withdrawn, it is as if it had never been"
    assert "I have 3 ideas for you. The Torino" in refused[0]
    assert "I have 3 ideas for you. The Torino" not in agreed[0]
    assert "you have the Torino espresso machine already, as you allowed" in agreed[1]
    assert agreed[4] == refused[4]

    async def records() -> tuple[list[Any], list[Any]]:
        storage = await open_storage("", tmp_path)
        events = [event for _, event in await storage.events(shop_id="marolle")]
        await storage.close()
        used = [e.payload for e in events if e.payload.get("personalised")]
        links = [e.payload["means"] for e in events if e.kind == LINKED]
        assert "C-4711" not in str([event.payload for event in events])
        return used, links

    used, links = asyncio.run(records())
    assert {record["consent"] for record in used} == {"proof-17"}
    assert links == ["signed", "signed"]
