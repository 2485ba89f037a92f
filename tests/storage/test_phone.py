"""Promised call-backs, opt-outs and recordings: kept, taken once, forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.storage.conftest import Cluster
from voice_server.call_records import CallBack, OptOut, RecordingEntry
from voice_server.records import StorageError
from voice_server.storage import Storage, open_storage

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PROMISE = CallBack(
    "cb1", "marolle", "Bruxelles", "+32470123456", "nl", "mijn\x00 pakje", NOON, "s1"
)


async def test_a_promise_is_kept_once_and_taken_once(storage: Storage) -> None:
    phone = storage.phone
    assert await phone.promise(PROMISE)
    assert not await phone.promise(replace(PROMISE, topic="another"))
    assert await phone.take_due(NOON - timedelta(seconds=1), 300, 10) == []
    both = await asyncio.gather(phone.take_due(NOON, 300, 10), phone.take_due(NOON, 300, 10))
    [taken] = [one for some in both for one in some]
    assert taken == replace(PROMISE, topic="mijn pakje", state="calling", attempts=1)
    assert await phone.take_due(NOON, 300, 10) == []


async def test_a_try_ends_in_another_slot_or_for_good(storage: Storage) -> None:
    phone = storage.phone
    await phone.promise(PROMISE)
    await phone.settle("cb1", "done", "not taken: ignored")
    await phone.take_due(NOON, 300, 10)
    later = NOON + timedelta(hours=1)
    await phone.settle("cb1", "waiting", "busy", later)
    assert await phone.take_due(NOON, 300, 10) == []
    [again] = await phone.take_due(later, 300, 10)
    assert (again.attempts, again.due) == (2, later)
    await phone.settle("cb1", "done", "answered")
    [kept] = await phone.call_backs("marolle")
    assert (kept.state, kept.outcome, kept.attempts) == ("done", "answered", 2)
    assert await phone.call_backs("other") == []


async def test_a_slot_whose_process_died_comes_back_as_lost(url: str, tmp_path: Path) -> None:
    first = await open_storage(url, tmp_path)
    await first.phone.promise(PROMISE)
    await first.phone.take_due(NOON, 300, 10)
    await first.close()
    second = await open_storage(url, tmp_path)
    assert await second.phone.take_due(NOON + timedelta(seconds=299), 300, 10) == []
    [lost] = await second.phone.take_due(NOON + timedelta(seconds=301), 300, 10)
    assert (lost.outcome, lost.attempts) == ("lost", 1)
    await second.close()


async def test_promises_are_taken_back(storage: Storage) -> None:
    phone = storage.phone
    await phone.promise(PROMISE)
    await phone.promise(replace(PROMISE, id="cb2", shop_id="fleurs"))
    assert await phone.cancel() == 0
    assert await phone.cancel(number=PROMISE.number, shop_id="marolle") == 1
    assert await phone.cancel(id="cb2") == 1
    assert await phone.take_due(NOON, 300, 10) == []


async def test_who_opted_out_stays_out_until_they_ask(storage: Storage) -> None:
    phone = storage.phone
    entry = OptOut("+32470123456", "marolle", "call call_1", NOON)
    await phone.opt_out(entry)
    await phone.opt_out(replace(entry, source="again"))
    assert await phone.opted_out("+32470123456", "marolle")
    assert not await phone.opted_out("+32470123456", "fleurs")
    assert await phone.opt_outs("marolle") == [entry]
    assert await phone.opt_outs("fleurs") == []
    assert await phone.opt_in("+32470123456", "marolle")
    assert not await phone.opt_in("+32470123456", "marolle")
    assert await phone.opt_outs() == []


async def test_recordings_expire_and_are_forgotten(storage: Storage) -> None:
    phone = storage.phone
    day = timedelta(days=1)
    entry = RecordingEntry("call_1", "marolle", "recordings/a.wav", "asked", NOON, NOON + day)
    await phone.add_recording(entry)
    assert await phone.recording("call_1") == entry
    assert await phone.expired_recordings(NOON, 10) == []
    assert await phone.expired_recordings(NOON + day, 10) == [entry]
    assert await phone.forget_recording("call_1")
    assert not await phone.forget_recording("call_1")
    assert await phone.recording("call_1") is None


async def test_a_database_that_is_away_says_so(cluster: Cluster, tmp_path: Path) -> None:
    store = await open_storage(await cluster.new_database(), tmp_path)
    cluster.stop()
    try:
        with pytest.raises(StorageError, match="records of calls"):
            await store.phone.opted_out("+32470123456", "marolle")
    finally:
        cluster.start()
        await store.close()
