"""The demo shop's desk, opened from its pack, over a restart."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from tests.desk.cases import case
from voice_server.app import App
from voice_server.config import Settings
from voice_server.desk.service import DeskService
from voice_server.desk.texts import label
from voice_server.desks import OpenDesks, open_desk
from voice_server.dialogue.flows.ports import HandOffWish
from voice_server.shop.pack import load, resolve
from voice_server.shop.pack_reader import PackError
from voice_server.shop.policies import Hours
from voice_server.weights import WeightStore


async def copy(text: str, source: str, target: str) -> str:
    return text


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait({running})


async def test_the_demo_shops_desk_survives_a_restart(tmp_path: Path) -> None:
    shop = load(resolve("demo"))

    async def begin() -> tuple[DeskService, asyncio.Task[None]]:
        service = await open_desk(shop, tmp_path, translate=copy)
        return service, asyncio.create_task(service.run())

    service, running = await begin()
    result = await service.hand_off(case(reason="callback"))
    assert result.ticket is not None
    await stop(running)

    service, running = await begin()
    assert service.console is not None
    cases = await service.console.cases()
    assert [one.packet.session_id for one in cases] == ["sess_1"]
    again = await service.hand_off(case(reason="callback"))
    assert (again.ticket, again.callback_at) == (result.ticket, result.callback_at)
    other = await service.hand_off(case(reason="callback", session_id="sess_2"))
    assert other.callback_at != result.callback_at, "what was promised stays promised"
    assert (tmp_path / "desk" / "marolle" / "outbox.db").exists()
    await stop(running)


async def test_names_of_products_are_not_translated(tmp_path: Path) -> None:
    seen: list[str] = []

    async def spy(text: str, source: str, target: str) -> str:
        seen.append(text)
        return text

    service = await open_desk(load(resolve("demo")), tmp_path, translate=spy)
    translated = await service.calls._translator.translate("La lampe Oslo", "fr", "nl")
    assert translated.text == "La lampe Oslo"
    assert seen == ["La lampe ⟦1⟧"]
    running = asyncio.create_task(service.run())
    await asyncio.sleep(0)
    await stop(running)


async def test_a_wrong_desk_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text('[shop]\nlanguages = ["fr"]\n[desk]\nkind = "phone"\n')
    shop = replace(load(resolve("demo")), folder=tmp_path)
    with pytest.raises(PackError, match="there is no desk 'phone'"):
        await open_desk(shop, tmp_path)


@pytest.mark.models
def test_a_session_of_the_composed_server_is_taken_over(
    weights: WeightStore, tmp_path: Path
) -> None:
    """Real engines, a real socket, and staff who speak the customer's language."""

    async def scene() -> None:
        settings = Settings(port=0, llm="none", data=tmp_path, warm_phrases=False)
        async with App(settings).running() as app, ClientSession() as client:
            base = f"http://127.0.0.1:{app.port}"
            service = app._desks.get("marolle")
            assert service is not None
            assert app._desks.hand_offs("marolle") is not None
            assert app._desks.hand_offs("nowhere") is None
            async with client.ws_connect(f"{base}/v1/realtime?model=x") as socket:
                created = await socket.receive_json()
                session_id = created["session"]["id"]
                result = await service.hand_off(case(session_id=session_id))
                path = f"{base}/api/desk/cases/{result.packet_id}"
                async with client.post(f"{path}/claim", json={"agent": "Léa"}) as answer:
                    shown = await answer.json()
                    assert (shown["live"], shown["control"]) == (True, "human")
                assert "Léa" in await heard(socket)
                words = {"agent": "Léa", "id": "m1", "text": "Je regarde BE-10023."}
                async with client.post(f"{path}/reply", json=words) as answer:
                    assert answer.status == 200
                assert await heard(socket) == "Je regarde BE-10023."
                item = {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "Merci beaucoup"}],
                }
                await socket.send_json({"type": "conversation.item.create", "item": item})
                await socket.send_json({"type": "response.create"})
                async with asyncio.timeout(30):
                    while (event := await socket.receive_json())["type"] != "response.done":
                        pass
                assert event["response"]["status"] == "cancelled", "the assistant is mute"
                async with client.post(f"{path}/hand-back", json={"agent": "Léa"}) as answer:
                    lines = (await answer.json())["lines"]
                assert [line["text"] for line in lines if line["role"] == "user"] == [
                    "Merci beaucoup"
                ]
                assert "intelligen" in await heard(socket)
            async with asyncio.timeout(10):
                while service.calls.get(session_id) is not None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    asyncio.run(scene())


async def heard(socket: ClientWebSocketResponse) -> str:
    """The transcript of the next reply that is spoken to its end."""
    async with asyncio.timeout(60):
        while True:
            event = await socket.receive_json()
            assert event["type"] != "error", event
            if event["type"] == "response.done":
                response = event["response"]
                assert response["status"] == "completed", response
                return str(response["output"][0]["content"][0]["transcript"])


async def test_an_edited_pack_changes_the_desk_while_it_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "pack"
    shutil.copytree(resolve("demo"), folder)
    shop = load(folder)
    desks = OpenDesks(Settings(data=tmp_path / "data"))
    service = await desks.open(shop, None)
    hand_offs = desks.hand_offs(shop.id)
    assert hand_offs is not None
    running = asyncio.create_task(service.run())
    sunday = datetime(2026, 11, 29, 12, tzinfo=UTC)
    assert not service._hours.is_open(sunday)
    before = service.calls.internal_language
    text = (folder / "shop.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?s)\n\[desk\].*?(?=\n\[(?!desk)|\Z)", "", text)
    edited = text + '\n[desk]\nlanguage = "de"\ncallbacks = 3\n'
    (folder / "shop.toml").write_text(edited, encoding="utf-8")
    hours = tuple(Hours(day, time(0), time(23, 59)) for day in range(7))
    shop = replace(load(folder), policies=replace(shop.policies, hours=hours))
    desks.read(shop)
    desks.renew(shop)
    assert before != "de"
    assert service.calls.internal_language == "de"
    assert service._hours.is_open(sunday)
    (done,) = hand_offs.case(wish(done=("cancel_order BE-10497",))).done
    assert done == f"{label('intents', 'cancel_order', 'de')} BE-10497"
    (folder / "shop.toml").write_text(edited + 'kind = "fax"\n', encoding="utf-8")
    desks.read(shop)
    desks.renew(shop)
    assert "stays as it was" in caplog.text
    assert service.calls.internal_language == "de"
    (folder / "shop.toml").write_text(edited + 'kind = "dixa"\n', encoding="utf-8")
    desks.read(shop)
    desks.renew(shop)
    assert "restart the server for dixa" in caplog.text
    await stop(running)


def wish(**values: Any) -> HandOffWish:
    return HandOffWish("sess_1", "asked", "cancel_order", "nl", **values)
