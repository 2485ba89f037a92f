"""Recordings on disk: only after consent, readable by us only, gone when their time is over."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import wave
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from voice_server.call_records import RecordingEntry, RecordingStore
from voice_server.records import StorageError
from voice_server.telephony.call import Codec
from voice_server.telephony.stereo import RATE, StereoTrack

log = logging.getLogger(__name__)

FOLDER = "recordings"

WRITE_S = 1.0
"""Sound goes to the disk so often: a crash loses no more than this and what a barge-in may."""

SWEEP_S = 3600.0
SWEPT = 500
"""Files deleted in one sweep."""


class RecordingFailed(Exception):
    """A recording cannot be made; the message is for the operator."""


class Recordings:
    """The folder of recordings, and what the database knows of it."""

    def __init__(
        self,
        data: Path,
        store: RecordingStore,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``data``: the server's data folder."""
        self._data = data
        self._store = store
        self._now = now

    async def begin(self, call_id: str, shop_id: str, days: int, consent: str) -> Path:
        """Note a recording and return where its file goes. Raises RecordingFailed."""
        at = self._now()
        shop = re.sub(r"[^A-Za-z0-9_-]", "_", shop_id) or "_"
        name = re.sub(r"[^A-Za-z0-9_-]", "_", call_id)
        path = Path(FOLDER) / shop / f"{at:%Y-%m-%d}" / f"{name}.wav"
        entry = RecordingEntry(
            call_id, shop_id, str(path), consent, at, at + timedelta(days=days)
        )  # fmt: skip
        try:
            await self._store.add_recording(entry)
            await asyncio.to_thread(_prepare, self._data / path)
        except (StorageError, OSError) as error:
            raise RecordingFailed(f"the call is not recorded: {error}") from error
        return self._data / path

    async def destroy(self, call_id: str) -> bool:
        """Delete a recording, file first; False if there is none. Raises RecordingFailed."""
        try:
            entry = await self._store.recording(call_id)
            if entry is None:
                return False
            await asyncio.to_thread((self._data / entry.path).unlink, missing_ok=True)
            return await self._store.forget_recording(call_id)
        except (StorageError, OSError) as error:
            raise RecordingFailed(f"a recording is not deleted: {error}") from error

    async def entry(self, call_id: str) -> RecordingEntry | None:
        """Return what is known of a call's recording. Raises RecordingFailed."""
        try:
            return await self._store.recording(call_id)
        except StorageError as error:
            raise RecordingFailed(str(error)) from error

    def path(self, entry: RecordingEntry) -> Path:
        """Return a recording's file."""
        return self._data / entry.path

    async def sweep(self) -> int:
        """Delete what is too old; return how many. Raises RecordingFailed."""
        try:
            old = await self._store.expired_recordings(self._now(), SWEPT)
        except StorageError as error:
            raise RecordingFailed(str(error)) from error
        for entry in old:
            await self.destroy(entry.call_id)
        if old:
            log.info("%d recordings were deleted: their time is over", len(old))
        return len(old)

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                while await self.sweep() == SWEPT:
                    pass
            except RecordingFailed as error:
                log.error("old recordings stay for now: %s", error)
            await asyncio.sleep(SWEEP_S)


class CallRecorder:
    """One call's recording: sound in from the loop, a file out by a thread."""

    def __init__(self, path: Path, codec: Codec, clock: Callable[[], float]) -> None:
        """``path``: an empty file of ours. The recording begins now."""
        self._path = path
        self._clock = clock
        self.track = StereoTrack(codec, clock())
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """The call is over, or consent was withdrawn: :meth:`run` ends soon."""
        self._stop.set()

    async def run(self) -> None:
        """Write until :meth:`stop`; a disk that fails ends the recording, not the call."""
        try:
            with await asyncio.to_thread(wave.open, str(self._path), "wb") as file:
                file.setnchannels(2)
                file.setsampwidth(2)
                file.setframerate(RATE)
                last = False
                while not last:
                    try:
                        async with asyncio.timeout(WRITE_S):
                            await self._stop.wait()
                    except TimeoutError:
                        pass
                    last = self._stop.is_set()
                    sound = self.track.take(self._clock(), all_of_it=last)
                    # writeframes() corrects the header each time: the file is good at any moment.
                    await asyncio.to_thread(file.writeframes, sound.tobytes())
        except OSError as error:
            log.error("a recording ends early: %s", error.strerror or error)


def _prepare(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
