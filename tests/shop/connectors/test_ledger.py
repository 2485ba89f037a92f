"""What is noted survives; what a crash tore off is not built upon."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.shop.connectors.ledger import Entry, JsonLines, Ledger, Locks


def test_records_survive_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "orders.jsonl"
    journal = JsonLines(path)
    assert journal.read() == []
    journal.append({"a": "é\n"})
    journal.append({"b": 2})
    assert JsonLines(path).read() == [{"a": "é\n"}, {"b": 2}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    journal.rewrite([{"c": 3}])
    assert journal.read() == [{"c": 3}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["orders.jsonl"]


@given(cut=st.integers(1, 40))
def test_a_line_that_was_torn_off_is_dropped(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = JsonLines(path)
    records = [{"n": "one"}, {"n": "two"}, {"n": "three"}]
    for record in records:
        journal.append(record)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    kept = journal.read()
    assert kept == records[: len(kept)]
    journal.append({"n": "four"})
    assert journal.read() == [*kept, {"n": "four"}]


def test_damaged_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"a":1}\n\x00\x00\n[1]\n{"b":2}\n')
    assert JsonLines(path).read() == [{"a": 1}, {"b": 2}]


def test_the_ledger_remembers_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = Ledger(JsonLines(path))
    ledger.put("k1", Entry("d1", before="x"))
    ledger.put("k2", Entry("d2"))
    ledger.put("k1", Entry("d1", True, "R1"))
    ledger.forget("k2")
    ledger.forget("never")
    again = Ledger(JsonLines(path))
    assert again.get("k1") == Entry("d1", True, "R1")
    assert again.get("k2") is None


def test_the_ledger_is_bounded_in_memory_and_on_disk(tmp_path: Path) -> None:
    journal = JsonLines(tmp_path / "ledger")
    ledger = Ledger(journal, kept=3)
    for n in range(8):
        ledger.put(f"k{n}", Entry("d"))
    assert ledger.get("k4") is None
    assert ledger.get("k7") is not None
    Ledger(journal, kept=3)
    assert [record["key"] for record in journal.read()] == ["k5", "k6", "k7"]


def test_strange_records_are_not_believed(tmp_path: Path) -> None:
    journal = JsonLines(tmp_path / "ledger")
    journal.append({"key": 7, "digest": "d"})
    journal.append({"key": "k", "digest": "d", "done": "yes"})
    ledger = Ledger(journal)
    assert ledger.get("k") == Entry("d", done=False)


def test_a_ledger_without_a_journal() -> None:
    ledger = Ledger()
    ledger.put("k", Entry("d"))
    ledger.forget("k")
    assert ledger.get("k") is None


async def test_locks_are_by_name_and_do_not_pile_up() -> None:
    locks = Locks()
    order: list[str] = []
    inside = asyncio.Event()
    leave = asyncio.Event()

    async def first() -> None:
        async with locks.hold("a"):
            inside.set()
            await leave.wait()
            order.append("first")

    async def second() -> None:
        async with locks.hold("a"):
            order.append("second")

    tasks = [asyncio.create_task(first()), asyncio.create_task(second())]
    await inside.wait()
    async with locks.hold("b"):
        order.append("other")
    gone = asyncio.create_task(second())
    await asyncio.sleep(0)
    gone.cancel()
    leave.set()
    await asyncio.gather(*tasks)
    assert order == ["other", "first", "second"]
    assert locks._locks == {}
