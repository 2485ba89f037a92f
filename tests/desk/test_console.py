"""The built-in desk: order, claims, lines, watchers, and what survives a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.desk.cases import packet
from tests.desk.desks import inline
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import CaseState, ConsoleStore
from voice_server.desk.packet import DeskError, Line, Priority


def console(path: Path | str = ":memory:") -> ConsoleDesk:
    return ConsoleDesk(ConsoleStore(path), in_thread=inline)


async def test_the_most_urgent_and_then_the_oldest_comes_first() -> None:
    desk = console()
    for number, priority in enumerate(
        [Priority.LOW, Priority.HIGH, Priority.URGENT, Priority.HIGH]
    ):
        await desk.deliver(packet(number, priority=priority))
    assert [case.packet.id for case in await desk.cases()] == ["ho_2", "ho_1", "ho_3", "ho_0"]
    assert [case.reference for case in await desk.cases()] == ["1003", "1002", "1004", "1001"]


async def test_one_agent_has_a_case() -> None:
    desk = console()
    await desk.deliver(packet())
    assert await desk.claim("ho_1", "Léa")
    assert not await desk.claim("ho_1", "Tom")
    assert not await desk.claim("nobody", "Tom")
    assert not await desk.put_back("ho_1", "Tom")
    assert not await desk.finish("ho_1", "Tom")
    case = await desk.case("ho_1")
    assert case is not None
    assert (case.state, case.agent) == (CaseState.CLAIMED, "Léa")
    assert await desk.put_back("ho_1", "Léa")
    assert await desk.claim("ho_1", "Tom")
    assert await desk.finish("ho_1", "Tom")
    assert not await desk.finish("ho_1", "Tom")
    assert not await desk.claim("ho_1", "Léa")
    assert await desk.cases() == []


async def test_a_waiting_case_can_be_closed() -> None:
    desk = console()
    await desk.deliver(packet())
    assert await desk.finish("ho_1", "Léa")


async def test_lines_come_once_and_get_their_translation_later() -> None:
    desk = console()
    ticket = await desk.deliver(packet())
    await desk.relay(ticket.reference, Line("user", "Hallo?", "nl"), "line_1")
    await desk.relay(ticket.reference, Line("user", "Hallo?", "nl", "Allô ?"), "line_1")
    await desk.relay(ticket.reference, Line("human", "Bonjour", "fr", "Goedendag"), "line_2")
    lines = await desk.lines("ho_1")
    assert [(ident, line.text, line.translation) for ident, line in lines] == [
        ("line_1", "Hallo?", "Allô ?"),
        ("line_2", "Bonjour", "Goedendag"),
    ]
    for reference in ("9999", "x"):
        with pytest.raises(DeskError):
            await desk.relay(reference, Line("user", "?", "nl"), "line_3")
        with pytest.raises(DeskError):
            await desk.note(reference, "?")
    with pytest.raises(DeskError):
        await desk.add_line("nobody", "line_4", Line("user", "?", "nl"))


async def test_watchers_hear_of_each_changed_case() -> None:
    desk = console()
    heard: list[str] = []

    async def watch() -> None:
        with desk.watch() as changes:
            async for case_id in changes:
                heard.append(case_id)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await desk.deliver(packet(1))
    await desk.deliver(packet(1))
    await desk.deliver(packet(2))
    await desk.claim("ho_1", "Léa")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard == ["ho_1", "ho_2"], "a burst is one look for each case"
    desk.touched("ho_2")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard == ["ho_1", "ho_2", "ho_2"]
    watching.cancel()
    await asyncio.wait({watching})
    await desk.claim("ho_2", "Léa")
    assert not desk._watchers


async def test_cases_survive_a_restart_and_closed_ones_go_after_their_time(tmp_path: Path) -> None:
    desk = console(tmp_path / "desk" / "console.db")
    await desk.deliver(packet(1))
    await desk.claim("ho_1", "Léa")
    await desk.relay("1001", Line("user", "Hallo?", "nl"), "line_1")
    await desk.close()
    store = ConsoleStore(tmp_path / "desk" / "console.db")
    desk = ConsoleDesk(store, in_thread=inline)
    case = (await desk.cases())[0]
    assert case.packet == packet(1)
    assert case.agent == "Léa"
    assert store.purge(1e12) == 0
    await desk.finish("ho_1", "Léa")
    assert store.purge(1e12) == 1
    assert store.lines("ho_1") == []
    await desk.close()


async def test_a_broken_file_is_a_desk_error() -> None:
    desk = console()
    await desk.close()
    with pytest.raises(DeskError, match="ProgrammingError"):
        await desk.deliver(packet())
    assert issubclass(sqlite3.ProgrammingError, sqlite3.Error)
