"""Everything that is kept, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from tests.storage.conftest import Cluster
from voice_server.records import Erased, Event, Said, StorageError
from voice_server.storage import Storage, open_storage
from voice_server.storage.cleaning import clean
from voice_server.storage.database import database_url
from voice_server.storage.store import StorageOptions
from voice_server.storage.tables import metadata
from voice_server.storage.writer import WriterOptions

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BRUSSELS = timezone(timedelta(hours=1))


def event(session: str = "s1", kind: str = "turn.answered", shop: str = "marolle", n: int = 0,
          **payload: Any) -> Event:  # fmt: skip
    return Event(session, shop, kind, payload, NOON + timedelta(seconds=n))


def said(id: str = "r1", session: str = "s1", shop: str = "marolle", n: int = 0,
         **more: Any) -> Said:  # fmt: skip
    role, text = more.pop("role", "user"), more.pop("text", "Combien coûte-t-il ?")
    return Said(id, session, shop, role, text, "fr", NOON + timedelta(seconds=n), **more)


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("voice-server.db*"))


async def test_events_come_back_as_they_were(storage: Storage) -> None:
    first = event(price="49.90", naïve="ça", deep={"list": [1, None, True]})
    storage.append(first)
    later = datetime(2026, 11, 25, 14, 0, 0, 123456, tzinfo=BRUSSELS)
    storage.append(Event("s1", "marolle", "call.ended", {}, later))
    (one, two) = await storage.events(session_id="s1")
    assert one[1] == first
    assert two[1].at == later
    assert two[1].at.tzinfo is not None
    assert two[0] > one[0]


async def test_events_are_found_by_session_shop_kind_and_time(storage: Storage) -> None:
    for n in range(10):
        storage.append(event(f"s{n % 2}", f"kind.{n % 5}", f"shop{n % 2}", n))
    assert len(await storage.events(session_id="s0")) == 5
    assert len(await storage.events(shop_id="shop1")) == 5
    assert len(await storage.events(kinds=["kind.0", "kind.1"])) == 4
    window = await storage.events(
        since=NOON + timedelta(seconds=3), until=NOON + timedelta(seconds=6)
    )
    assert [e.at.second for _, e in window] == [3, 4, 5]
    page = await storage.events(limit=4)
    rest = await storage.events(after=page[-1][0])
    assert [e.at.second for _, e in page + rest] == list(range(10))


async def test_the_same_event_twice_is_one(storage: Storage) -> None:
    one = event()
    storage.append(one)
    await storage.flush()
    storage.append(one)
    assert len(await storage.events()) == 1


async def test_a_sessions_state_is_replaced_and_expires(url: str, tmp_path: Path) -> None:
    store = await open_storage(url, tmp_path)
    now = NOON
    store._now = lambda: now
    store.save("k", "marolle", {"turn": 1}, 60)
    store.save("k", "marolle", {"turn": 2, "slots": {"taille": "M"}}, 60)
    store.save("other", "fleurs", {"turn": 9}, 60)
    assert await store.load("k") == {"turn": 2, "slots": {"taille": "M"}}
    store.save("k", "marolle", {"turn": 3}, 60)
    assert await store.recent("marolle") == [("k", {"turn": 3})]
    now = NOON + timedelta(seconds=61)
    assert await store.load("k") is None
    assert await store.recent("marolle") == []
    assert await store.load("nobody") is None
    assert await store.erase_before(now, "sessions", shop_id="marolle") == 1
    assert await store.close() == 0


async def test_turns_keep_words_sources_reason_and_translation(storage: Storage) -> None:
    storage.add(said("r1:user", translation_language="nl", translation_state="pending"))
    storage.add(
        said("r1", role="assistant", text="Il coûte 49,90 €.", n=1, intent="price",
             source_ids=("product:oslo",), decision={"model": "", "facts": ["product:oslo"]})
    )  # fmt: skip
    storage.translated("r1:user", "done", "Hoeveel kost hij?")
    user, answer = await storage.turns("s1")
    assert (user.text, user.translation, user.translation_state) == (
        "Combien coûte-t-il ?", "Hoeveel kost hij?", "done",
    )  # fmt: skip
    assert (answer.intent, answer.source_ids) == ("price", ("product:oslo",))
    assert answer.decision["facts"] == ["product:oslo"]
    assert answer.at == NOON + timedelta(seconds=1)
    assert await storage.turns("nobody") == []


async def test_a_session_is_erased_with_what_is_still_queued(storage: Storage) -> None:
    for session in ("s1", "s2"):
        storage.append(event(session))
        storage.add(said(f"r-{session}", session))
        storage.save(session, "marolle", {"turn": 1}, 60)
    await storage.flush()
    storage.append(event("s1", n=5))
    assert await storage.erase_session("s1") == Erased(1, 1, 1)
    assert await storage.events(session_id="s1") == []
    assert await storage.turns("s1") == []
    assert await storage.load("s1") is None
    assert len(await storage.turns("s2")) == 1


async def test_a_shop_is_erased_and_its_neighbour_is_not(storage: Storage) -> None:
    for shop in ("marolle", "fleurs"):
        storage.append(event(f"s-{shop}", shop=shop))
        storage.add(said(f"r-{shop}", f"s-{shop}", shop))
        storage.save(f"s-{shop}", shop, {}, 60)
    await storage.flush()
    assert await storage.erase_shop("fleurs") == Erased(1, 1, 1)
    assert len(await storage.events(shop_id="marolle")) == 1


async def test_each_class_of_data_has_its_own_age(storage: Storage) -> None:
    for n in (0, 3600):
        storage.append(event(n=n))
        storage.add(said(f"r{n}", n=n))
    assert await storage.erase_before(NOON + timedelta(seconds=60), "turns") == 1
    assert await storage.erase_before(NOON + timedelta(seconds=60), "turns") == 0
    assert len(await storage.events()) == 2
    assert await storage.erase_before(NOON + timedelta(days=1), "events", shop_id="fleurs") == 0
    assert await storage.erase_before(NOON + timedelta(days=1), "events", shop_id="marolle") == 2


async def test_erased_words_leave_no_bytes_in_the_files(tmp_path: Path) -> None:
    store = await open_storage("", tmp_path)
    store.add(said(text="Mijn naam is Zonneschijnweg"))
    store.append(event(note="Zonneschijnweg"))
    await store.flush()
    assert b"Zonneschijnweg" in bytes_of(tmp_path)
    await store.erase_session("s1")
    assert b"Zonneschijnweg" not in bytes_of(tmp_path)
    await store.close()


# ------------------------------------------------------------ writing behind


async def test_a_refused_row_does_not_keep_the_others(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    storage.append(event("s1", n=1))
    storage.append(Event("s1", "marolle", "no.zone", {}, datetime(2026, 1, 1)))
    storage.append(event("s1", bad=object()))
    storage.append(event("s1", nul="a\x00b", half="\ud83d", n=2))
    found = [e for _, e in await storage.events(session_id="s1")]
    assert [dict(e.payload) for e in found] == [{}, {"nul": "ab", "half": "?"}]
    assert (storage.counts.written, storage.counts.dropped) == (2, 2)
    assert caplog.text.count("refuses a record") == 2


async def test_postgresql_refuses_what_is_too_long_and_keeps_the_rest(
    cluster: Cluster, tmp_path: Path
) -> None:
    store = await open_storage(await cluster.new_database(), tmp_path)
    store.append(event("s" * 200))
    store.append(event("s1"))
    assert [e.session_id for _, e in await store.events()] == ["s1"]
    assert store.counts.dropped == 1
    await store.close()


async def test_the_writer_runs_by_itself(url: str, tmp_path: Path) -> None:
    options = StorageOptions(writer=WriterOptions(every_s=0.01))
    store = await open_storage(url, tmp_path, options)
    writing = asyncio.ensure_future(store.run())
    store.append(event())
    async with asyncio.timeout(10):
        while store.counts.written < 1:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    assert store.waiting == 0
    writing.cancel()
    await asyncio.wait([writing])
    store.append(event(n=1))
    assert await store.close() == 0, "the end drains"
    store = await open_storage(url, tmp_path)
    assert len(await store.events()) == 2
    await store.close()


async def test_an_absent_database_costs_no_turn_and_is_caught_up_with(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = StorageOptions(writer=WriterOptions(every_s=0.01, retry_s=0.05, most=50))
    store = await open_storage(await cluster.new_database(), tmp_path, options)
    writing = asyncio.ensure_future(store.run())
    await asyncio.to_thread(cluster.stop)
    try:
        for n in range(80):
            store.append(event(n=n % 60))
        async with asyncio.timeout(20):
            while store.counts.failures < 3:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.02)
        with pytest.raises(StorageError):
            await store.turns("s1")
        with pytest.raises(StorageError):
            await store.erase_session("s2")
        assert store.waiting <= 50
        assert store.counts.dropped == 30
    finally:
        await asyncio.to_thread(cluster.start)
    async with asyncio.timeout(20):
        while store.waiting:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    assert len(await store.events()) == 50
    assert caplog.text.count("cannot be written") == 1, "once, however often it fails"
    assert caplog.text.count("oldest records are being dropped") == 1
    writing.cancel()
    await asyncio.wait([writing])
    await store.close()


async def test_the_end_does_not_wait_for_ever(tmp_path: Path) -> None:
    store = await open_storage("", tmp_path, StorageOptions(drain_s=0.2))
    locker = sqlite3.connect(tmp_path / "voice-server.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    store.append(event())
    began = asyncio.get_running_loop().time()
    assert await store.close() == 1
    assert asyncio.get_running_loop().time() - began < 7
    locker.execute("ROLLBACK")
    locker.close()


# ------------------------------------------------------------ opening


async def test_opening_migrates_once_and_says_so(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "voice_server.storage")
    for _ in range(2):
        await (await open_storage(url, tmp_path)).close()
    lines = [r.getMessage() for r in caplog.records if r.name == "voice_server.storage.database"]
    assert len(lines) == 2
    assert re.search(r"migrated from nothing to \d{4}$", lines[0])
    assert lines[1].endswith("up to date")
    assert "secret" not in caplog.text, "no password in the log"


async def test_gateways_that_start_together_migrate_once(cluster: Cluster, tmp_path: Path) -> None:
    url = await cluster.new_database()
    stores = await asyncio.gather(*(open_storage(url, tmp_path) for _ in range(4)))
    stores[0].append(event())
    assert len(await stores[0].events()) == 1
    assert len(await stores[3].events()) == 1
    for store in stores:
        await store.close()


async def test_the_migrations_make_the_tables_that_the_code_uses(url: str, tmp_path: Path) -> None:
    await (await open_storage(url, tmp_path)).close()
    engine = create_async_engine(database_url(url, tmp_path))

    def differences(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("nonsense", "is no URL"),
        ("mysql://me@host/db", "use PostgreSQL or SQLite"),
        ("postgresql://me:hush@127.0.0.1:1/db", "cannot use the database"),
        ("sqlite:////proc/nowhere/x.db", "cannot use the database"),
    ],
)
async def test_what_cannot_be_opened_is_said_in_words(
    setting: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises((StorageError), match=words) as caught:
        await open_storage(setting, tmp_path)
    assert "hush" not in str(caught.value)


async def test_a_wrong_password_and_a_missing_database_are_said_in_words(
    cluster: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="password authentication failed") as caught:
        await open_storage(cluster.url().replace(":secret@", ":wrong@"), tmp_path)
    assert "wrong" not in str(caught.value)
    with pytest.raises(StorageError, match="does not exist"):
        await open_storage(cluster.url("nowhere"), tmp_path)


async def test_a_database_of_a_newer_version_is_refused(url: str, tmp_path: Path) -> None:
    await (await open_storage(url, tmp_path)).close()
    engine = create_async_engine(database_url(url, tmp_path))
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await engine.dispose()
    with pytest.raises(StorageError, match="newer version"):
        await open_storage(url, tmp_path)


def test_what_databases_refuse_is_cleaned() -> None:
    assert clean({"a\x00": ["b\x00", ("\ud800", 1)]}) == {"a": ["b", ["?", 1]]}
