"""SQLite's one lock: nobody leaves it behind, and nothing is lost because another holds it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.storage.test_storage import event, said
from voice_server.call_records import OptOut
from voice_server.storage import open_storage
from voice_server.storage.store import StorageOptions
from voice_server.storage.writer import WriterOptions


@pytest.mark.parametrize("statement", ["INSERT INTO events", "INSERT INTO turns", "COMMIT"])
async def test_a_writer_that_is_stopped_at_work_leaves_no_lock(
    statement: str, tmp_path: Path
) -> None:
    options = StorageOptions(writer=WriterOptions(every_s=0.0))
    store = await open_storage("", tmp_path, options)
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def seen(*_: object) -> None:
        loop.call_soon_threadsafe(begun.set)

    engine = store._engine.sync_engine
    if statement == "COMMIT":
        sa.event.listen(engine, "commit", seen)
    else:

        def executed(connection: object, cursor: object, sql: str, *rest: object) -> None:
            if sql.startswith(statement):
                seen()

        sa.event.listen(engine, "before_cursor_execute", executed)
    for n in range(40):
        store.append(event(n=n))
        store.add(said(f"r{n}"))
    writing = asyncio.ensure_future(store.run())
    async with asyncio.timeout(20):
        await begun.wait()
    # A busy machine: the thread is done before the loop hears of it.
    time.sleep(0.2)  # noqa: ASYNC251
    writing.cancel()
    await asyncio.wait([writing])
    store.append(event(n=41))
    assert await store.close() == 0, "nothing is locked, and nothing is lost"
    store = await open_storage("", tmp_path)
    assert len(await store.events()) == 41
    assert len(await store.turns("s1")) == 40
    await store.close()


async def test_the_end_asks_a_busy_database_again(tmp_path: Path) -> None:
    options = StorageOptions(drain_s=30, writer=WriterOptions(retry_s=0.05))
    store = await open_storage("", tmp_path, options)
    locker = sqlite3.connect(tmp_path / "voice-server.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    store.append(event())
    closing = asyncio.ensure_future(store.close())
    async with asyncio.timeout(20):
        while store.counts.failures < 1:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    locker.execute("ROLLBACK")
    locker.close()
    assert await closing == 0
    store = await open_storage("", tmp_path)
    assert len(await store.events()) == 1
    await store.close()


async def test_writers_of_a_process_wait_for_each_other(tmp_path: Path) -> None:
    store = await open_storage("", tmp_path)
    for n in range(300):
        store.append(event(n=n % 60))
    numbers = [f"+3247012{n:04}" for n in range(100)]
    now = datetime.now(UTC)
    await asyncio.gather(
        store.flush(),
        *(store.phone.opt_out(OptOut(number, "demo", "test", now)) for number in numbers),
    )
    assert {entry.number for entry in await store.phone.opt_outs()} == set(numbers)
    assert store.counts.failures == 0
    await store.close()


async def test_servers_that_start_together_migrate_a_file_once(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(open_storage("", tmp_path) for _ in range(4)))
    stores[0].append(event())
    await stores[0].flush()
    for store in stores:
        assert len(await store.events()) == 1
        await store.close()
