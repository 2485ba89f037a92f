"""Recordings on disk: theirs alone, gone in time, at request, and when consent is withdrawn."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.telephony.booth import LINE
from voice_server.storage import Storage, open_storage
from voice_server.telephony import recordings as recordings_module
from voice_server.telephony.call import PCM_8K, Clear, SendAudio
from voice_server.telephony.call_keeper import CallKeeper
from voice_server.telephony.outbound import NeverCall, Record, Unrecord
from voice_server.telephony.recordings import RecordingFailed, Recordings

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
FRAME = PCM_8K.encode(np.full(160, 0.5, np.float32))


class Book:
    def __init__(self, storage: Storage, data: Path) -> None:
        self.storage = storage
        self.now = NOON
        self.recordings = Recordings(data, storage.phone, now=lambda: self.now)
        self.opted: list[Any] = []

    async def opt_out(self, entry: Any) -> None:
        self.opted.append(entry)


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[Book]:
    storage = await open_storage("", tmp_path)
    yield Book(storage, tmp_path)
    await storage.close()


def keeper(book: Book | None, caller: str = "+32470123456") -> CallKeeper:
    started = SimpleNamespace(caller=caller)
    flow: Any = SimpleNamespace(line=LINE, codec=PCM_8K, started=started)
    clock = asyncio.get_running_loop().time
    return CallKeeper("call_1", lambda: flow, lambda: book, clock)  # type: ignore[arg-type,return-value]


async def recorded(book: Book, keep: CallKeeper) -> Path:
    keep.carry_out(Record("granted"))
    async with asyncio.timeout(5):
        while keep._recorder is None:  # noqa: ASYNC110 - nobody would set it
            await asyncio.sleep(0.01)
    for _ in range(10):
        keep.caller(FRAME)
        keep.sent(SendAudio(FRAME))
        await asyncio.sleep(0.02)
    entry = await book.recordings.entry("call_1")
    assert entry is not None
    return book.recordings.path(entry)


async def test_a_recording_is_a_stereo_wav_that_only_we_can_read(book: Book) -> None:
    keep = keeper(book)
    path = await recorded(book, keep)
    keep.use(PCM_8K)
    keep.sent(Clear())
    await keep.close()
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    assert np.abs(sound).max(axis=0).min() > 10_000
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_end_is_written_even_while_the_disk_is_slow(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings_module, "WRITE_S", 0.05)
    keep = keeper(book)
    path = await recorded(book, keep)
    recorder = keep._recorder
    assert recorder is not None
    take = recorder.track.take

    def stopped_meanwhile(now: float, *, all_of_it: bool = False) -> Any:
        recorder.stop()  # while a piece is on its way to the disk
        return take(now, all_of_it=all_of_it)

    monkeypatch.setattr(recorder.track, "take", stopped_meanwhile)
    await asyncio.sleep(0.1)
    await keep.close()
    with wave.open(str(path)) as file:
        assert file.getnframes() >= 0.18 * 8000


async def test_a_call_that_ends_at_once_closes_its_recording(book: Book) -> None:
    keep = keeper(book)
    keep.carry_out(Record("granted"))
    async with asyncio.timeout(5):
        await keep.close()
    entry = await book.recordings.entry("call_1")
    assert entry is not None
    with wave.open(str(book.recordings.path(entry))) as file:
        assert file.getnchannels() == 2


async def test_withdrawn_consent_destroys_what_there_is(book: Book) -> None:
    keep = keeper(book)
    path = await recorded(book, keep)
    keep.carry_out(Unrecord())
    await keep.close()
    assert not path.exists()
    assert await book.recordings.entry("call_1") is None
    keep.caller(FRAME)  # goes nowhere


async def test_consent_withdrawn_at_once_leaves_nothing(book: Book) -> None:
    keep = keeper(book)
    keep.carry_out(Record("announced"))
    keep.carry_out(Unrecord())
    await keep.close()
    assert await book.recordings.entry("call_1") is None


async def test_old_recordings_go_and_young_ones_stay(book: Book) -> None:
    old = await book.recordings.begin("call_1", "../shop", 1, "granted")
    book.now += timedelta(hours=12)
    young = await book.recordings.begin("call_2", "shop", 1, "granted")
    assert old.parent.parent.name == "___shop"  # no way out of the folder
    assert await book.recordings.sweep() == 0
    book.now += timedelta(hours=13)
    assert await book.recordings.sweep() == 1
    assert (old.exists(), young.exists()) == (False, True)
    assert await book.recordings.destroy("call_2")
    assert not await book.recordings.destroy("call_2")


async def test_a_recording_that_cannot_be_made_ends_no_call(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    await book.recordings.begin("call_1", LINE.shop, 1, "granted")  # the file is there already
    keep = keeper(book)
    keep.carry_out(Record("granted"))
    await keep.close()
    assert "is not recorded" in caplog.text
    nowhere = keeper(None)
    nowhere.carry_out(Record("granted"))
    nowhere.carry_out(Unrecord())
    nowhere.carry_out(NeverCall())
    await nowhere.close()
    assert "ALARM" in caplog.text


async def test_a_database_that_is_away_is_told(book: Book) -> None:
    await book.storage._engine.dispose()
    book.recordings._store = SimpleNamespace(
        recording=_fails, add_recording=_fails, expired_recordings=_fails
    )
    for work in (
        book.recordings.begin("c", "s", 1, "granted"), book.recordings.destroy("c"),
        book.recordings.entry("c"), book.recordings.sweep(),
    ):  # fmt: skip
        with pytest.raises(RecordingFailed):
            await work


async def _fails(*_: object) -> None:
    from voice_server.records import StorageError

    raise StorageError("away")


async def test_who_wants_no_calls_is_kept_by_their_number(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    keep = keeper(book, caller="32470123456")  # Plivo and Vonage write no plus
    keep.carry_out(NeverCall())
    await keep.close()
    assert [(one.number, one.source) for one in book.opted] == [("+32470123456", "call call_1")]
    hidden = keeper(book, caller="anonymous")
    hidden.carry_out(NeverCall())
    await hidden.close()
    assert len(book.opted) == 1
    assert "no number" in caplog.text
