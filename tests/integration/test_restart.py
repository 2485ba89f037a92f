"""The server is killed in the middle of a conversation, and the conversation goes on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from scripts.bench.server import running

pytestmark = pytest.mark.models

DEADLINE_S = 60.0
OPTIONS = ("--llm", "none", "--no-warm-phrases")


class Typed:
    """A client that types and reads."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.token = ""

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_S):
            async for message in self.socket:
                event: dict[str, Any] = json.loads(message)
                assert event["type"] != "error", event
                if event["type"] == "voice_server.resume_token":
                    self.token = event["token"]
                if event["type"] == kind:
                    return event
        raise AssertionError(f"no {kind}")

    async def say(self, text: str) -> str:
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": text}],
        }
        await self.socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await self.socket.send(json.dumps({"type": "response.create"}))
        done = await self.until("response.done")
        return " ".join(
            part.get("text", "") for out in done["response"]["output"] for part in out["content"]
        )


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    asyncio.run(_talk_over_two_processes(tmp_path))


def written(folder: Path) -> bytes:
    """Every byte on the disk."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def _talk_over_two_processes(data: Path) -> None:
    with running(*OPTIONS, data=data) as server:
        async with connect(f"{server.url}?extensions=resume") as socket:
            client = Typed(socket)
            await client.until("voice_server.resume_token")
            text = {"type": "realtime", "output_modalities": ["text"]}
            await socket.send(json.dumps({"type": "session.update", "session": text}))
            await client.until("session.updated")
            assert "49,90" in await client.say("Goedendag, wat kost de lamp Oslo?")
            flow = await client.say(
                "Ik wil een artikel schrappen uit bestelling 10510, postcode 5000"
            )
            assert "BE-10510" in flow or "artikel" in flow.lower(), flow
            assert "waterkoker" in (await client.say("de waterkoker")).lower()
            await asyncio.sleep(2.0)  # writing is behind the turns by a second
            server.process.kill()
            server.process.wait(10)
    residue = await asyncio.to_thread(written, data)
    assert b"postcode 5000" not in residue
    assert client.token.encode() not in residue
    with running(*OPTIONS, data=data) as server:
        url = f"{server.url}?resume={client.token}&last_event_id=event_1&position_ms=0"
        async with connect(url) as socket:
            back = Typed(socket)
            event = await back.until("voice_server.resumed")
            assert event["restarted"] is True
            assert event["session"]["output_modalities"] == ["text"], "the configuration is kept"
            first = await back.say("ja")
            assert "bestelnummer" in first.lower(), "who it is, is proved again; in Dutch"
            assert "postcode" in (await back.say("10510")).lower()
            assert "waterkoker" in (await back.say("5000")).lower(), "what was chosen is kept"
            assert await back.say("nee")
            assert "49,90" in await back.say("en wat kostte die lamp nu weer?")
