"""Speech kept on disk, so that greetings, fillers and approved answers sound at once.

One file per phrase, named by the hash of everything that shapes its sound.  A file carries its
own checksum: a truncated or altered one is a miss and is deleted.  Texts are not stored.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice_server.speech.engine import Audio, Phone, SpeechChunk

log = logging.getLogger(__name__)

_MAGIC = b"VSPHRASE1\n"
_CHECKSUM_BYTES = 32
_SUFFIX = ".phrase"
_FULL_SCALE = 32767


@dataclass(frozen=True, slots=True)
class PhraseKey:
    """Everything that shapes how a phrase sounds; ``text`` is the verbalised one."""

    text: str
    language: str
    voice: str
    speed: float
    engine: str
    """Name and version of the engine, so that a new one does not speak with the old one's audio."""

    @property
    def digest(self) -> str:
        """The phrase's name on disk."""
        parts = (self.text, self.language, self.voice, f"{self.speed:.3f}", self.engine)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class PhraseCache:
    """Phrases on disk within ``limit_bytes``, those used last kept; the hottest also in memory.

    Thread-safe.  Several processes may share a folder: files appear whole or not at all.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limit_bytes: int = 256 * 1024 * 1024,
        memory_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        """Index what ``folder`` holds (made when missing).

        256 MB hold 90 minutes of speech: some thousand phrases; 32 MB the openers of a shop.
        """
        self._folder = folder
        self._limit = limit_bytes
        self._memory_limit = memory_bytes
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._hot: OrderedDict[str, SpeechChunk] = OrderedDict()
        self._hot_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        found = []
        for path in folder.glob(f"*/*{_SUFFIX}"):
            try:
                status = path.stat()
            except OSError:
                continue  # another process evicted it just now
            found.append((status.st_mtime, path.stem, status.st_size))
        for _, digest, size in sorted(found):
            self._sizes[digest] = size
        self._bytes = sum(self._sizes.values())
        self._evict()

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return self._bytes

    def __contains__(self, key: PhraseKey) -> bool:
        """Whether the phrase is thought to be there (no disk access; reading may still miss)."""
        return key.digest in self._sizes

    def keep_hot(self, key: PhraseKey, chunks: Sequence[SpeechChunk]) -> None:
        """Keep a phrase in memory only: what may hold somebody's name has no place on a disk."""
        whole = _whole(chunks)
        with self._lock:
            self._keep_hot(key.digest, whole)

    def get_hot(self, key: PhraseKey) -> SpeechChunk | None:
        """Return the phrase if it is in memory: never blocks on the disk."""
        with self._lock:
            chunk = self._hot.get(key.digest)
            if chunk is not None:
                self._hot.move_to_end(key.digest)
        return chunk

    def get(self, key: PhraseKey) -> SpeechChunk | None:
        """Return the phrase as one chunk marked ``cached``, or None. Reads the disk."""
        if (hot := self.get_hot(key)) is not None:
            return hot
        digest = key.digest
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            self._forget(digest)
            return None
        except OSError as error:
            log.warning("the phrase cache cannot be read: %s", error)
            return None
        chunk = _decode(data)
        if chunk is None:
            log.warning("a damaged phrase was removed from the cache: %s", path)
            path.unlink(missing_ok=True)
            self._forget(digest)
            return None
        with self._lock:
            if digest not in self._sizes:  # written by another process
                self._sizes[digest] = len(data)
                self._bytes += len(data)
            self._sizes.move_to_end(digest)
            self._keep_hot(digest, chunk)
        os.utime(path)  # used last: the order survives a restart
        return chunk

    def put(self, key: PhraseKey, chunks: Sequence[SpeechChunk]) -> None:
        """Keep a phrase spoken to its end. A full or read-only disk is logged, not raised."""
        digest, data = key.digest, _encode(chunks)
        if len(data) > self._limit:
            return
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(data)
            os.replace(file.name, path)
        except OSError as error:
            log.warning("a phrase could not be kept in the cache: %s", error)
            return
        with self._lock:
            self._bytes += len(data) - self._sizes.pop(digest, 0)
            self._sizes[digest] = len(data)
            self._drop_hot(digest)
        self._evict()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}{_SUFFIX}"

    def _forget(self, digest: str) -> None:
        with self._lock:
            self._bytes -= self._sizes.pop(digest, 0)
            self._drop_hot(digest)

    def _evict(self) -> None:
        gone = []
        with self._lock:
            while self._bytes > self._limit:
                digest, size = self._sizes.popitem(last=False)
                self._bytes -= size
                self._drop_hot(digest)
                gone.append(digest)
        for digest in gone:
            self._path(digest).unlink(missing_ok=True)

    def _keep_hot(self, digest: str, chunk: SpeechChunk) -> None:
        if chunk.audio.nbytes > self._memory_limit:
            return
        self._drop_hot(digest)
        self._hot[digest] = chunk
        self._hot_bytes += chunk.audio.nbytes
        while self._hot_bytes > self._memory_limit:
            _, oldest = self._hot.popitem(last=False)
            self._hot_bytes -= oldest.audio.nbytes

    def _drop_hot(self, digest: str) -> None:
        chunk = self._hot.pop(digest, None)
        if chunk is not None:
            self._hot_bytes -= chunk.audio.nbytes


def _whole(chunks: Sequence[SpeechChunk]) -> SpeechChunk:
    audio: Audio = np.concatenate([chunk.audio for chunk in chunks])
    audio.flags.writeable = False  # the same array is handed to every caller
    return SpeechChunk(audio, tuple(p for chunk in chunks for p in chunk.phones), cached=True)


def _encode(chunks: Sequence[SpeechChunk]) -> bytes:
    audio = np.concatenate([chunk.audio for chunk in chunks])
    samples: bytes = np.round(np.clip(audio, -1.0, 1.0) * _FULL_SCALE).astype("<i2").tobytes()
    phones = [[p.symbol, p.start_ms, p.end_ms] for chunk in chunks for p in chunk.phones]
    head = json.dumps(phones, ensure_ascii=False, separators=(",", ":")).encode()
    body = len(head).to_bytes(4, "little") + head + samples
    return _MAGIC + hashlib.sha256(body).digest() + body


def _decode(data: bytes) -> SpeechChunk | None:
    start = len(_MAGIC) + _CHECKSUM_BYTES
    body = data[start:]
    if not data.startswith(_MAGIC) or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        return None
    length = int.from_bytes(body[:4], "little")
    phones = json.loads(body[4 : 4 + length])
    samples = np.frombuffer(body, "<i2", offset=4 + length)
    audio: Audio = samples.astype(np.float32) / np.float32(_FULL_SCALE)
    audio.flags.writeable = False  # the same array is handed to every caller
    return SpeechChunk(audio, tuple(Phone(*phone) for phone in phones), cached=True)
