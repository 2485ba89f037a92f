"""The demo shop's desk, opened from its pack, over a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.desk.cases import case
from voice_server.desk.service import DeskService
from voice_server.desks import open_desk
from voice_server.shop.pack import load, resolve
from voice_server.shop.pack_reader import PackError


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
    result = await service.hand_off(case())
    assert result.ticket is not None
    await stop(running)

    service, running = await begin()
    assert service.console is not None
    cases = await service.console.cases()
    assert [one.packet.session_id for one in cases] == ["sess_1"]
    assert (await service.hand_off(case())).ticket == result.ticket
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
