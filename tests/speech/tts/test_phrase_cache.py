from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice_server.speech.engine import Phone, SpeechChunk
from voice_server.speech.tts.phrase_cache import PhraseCache, PhraseKey


def key(text: str = "hello", **changes: Any) -> PhraseKey:
    fields: dict[str, Any] = {
        "text": text, "language": "en", "voice": "af_heart", "speed": 1.0, "engine": "kokoro/1",
    }  # fmt: skip
    return PhraseKey(**(fields | changes))


def speech(samples: int = 2400, start_ms: float = 0.0) -> SpeechChunk:
    audio = np.sin(np.arange(samples, dtype=np.float32) / 10).astype(np.float32) * 0.5
    return SpeechChunk(audio, (Phone("ˈa", start_ms, start_ms + 50.0),))


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.phrase"))


def test_returns_what_was_put_as_one_cached_chunk(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path)
    first, second = speech(), speech(1200, 100.0)
    cache.put(key(), [first, second])
    known = cache.get(key())
    assert known is not None
    assert known.cached
    assert known.phones == first.phones + second.phones
    np.testing.assert_allclose(known.audio, np.concatenate([first.audio, second.audio]), atol=1e-4)
    assert known.audio.dtype == np.float32


def test_survives_a_restart_from_disk(tmp_path: Path) -> None:
    PhraseCache(tmp_path).put(key(), [speech()])
    again = PhraseCache(tmp_path)
    assert key() in again
    assert len(again) == 1
    assert again.get_hot(key()) is None
    assert again.get(key()) is not None
    assert again.get_hot(key()) is not None
    assert again.bytes == files(tmp_path)[0].stat().st_size


@pytest.mark.parametrize(
    "changes",
    [{"text": "Hello"}, {"language": "nl"}, {"voice": "b"}, {"speed": 1.1}, {"engine": "kokoro/2"}],
)
def test_anything_that_changes_the_sound_is_another_phrase(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    cache = PhraseCache(tmp_path)
    cache.put(key(), [speech()])
    assert key(**changes) not in cache
    assert cache.get(key(**changes)) is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign"])
def test_a_damaged_entry_is_a_miss_and_is_removed(tmp_path: Path, damage: str) -> None:
    PhraseCache(tmp_path).put(key(), [speech()])
    (path,) = files(tmp_path)
    data = bytearray(path.read_bytes())
    if damage == "truncate":
        data = data[:-100]
    elif damage == "flip":
        data[-1] ^= 1
    elif damage == "empty":
        data = bytearray()
    else:
        data = bytearray(b"RIFF") + data
    path.write_bytes(data)
    cache = PhraseCache(tmp_path)
    assert cache.get(key()) is None
    assert files(tmp_path) == []
    assert key() not in cache
    assert cache.bytes == 0


def test_a_file_deleted_behind_its_back_is_a_miss(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path)
    cache.put(key(), [speech()])
    files(tmp_path)[0].unlink()
    assert cache.get(key()) is None
    assert key() not in cache


def test_an_entry_of_another_process_is_found(tmp_path: Path) -> None:
    one, other = PhraseCache(tmp_path), PhraseCache(tmp_path)
    other.put(key(), [speech()])
    assert one.get(key()) is not None
    assert one.bytes == other.bytes


def test_the_least_recently_used_leaves_first(tmp_path: Path) -> None:
    size = _size_of_one(tmp_path / "probe")
    cache = PhraseCache(tmp_path / "c", limit_bytes=3 * size + 10)
    for text in ("aaa", "bbb", "ccc"):
        cache.put(key(text), [speech()])
    assert cache.get(key("aaa")) is not None
    cache.put(key("ddd"), [speech()])
    assert [key(text) in cache for text in ("aaa", "bbb", "ccc", "ddd")] == [
        True, False, True, True,
    ]  # fmt: skip
    assert len(files(tmp_path / "c")) == 3
    assert cache.get(key("bbb")) is None


def test_the_order_of_use_survives_a_restart(tmp_path: Path) -> None:
    size = _size_of_one(tmp_path / "probe")
    cache = PhraseCache(tmp_path / "c")
    now = time.time()
    for age, text in ((30, "aaa"), (20, "bbb"), (10, "ccc")):
        cache.put(key(text), [speech()])
        newest = max(files(tmp_path / "c"), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (now - age, now - age))
    smaller = PhraseCache(tmp_path / "c", limit_bytes=2 * size + 10)
    assert key("aaa") not in smaller
    assert key("ccc") in smaller


def test_a_phrase_larger_than_everything_is_not_kept(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path, limit_bytes=1000)
    cache.put(key(), [speech()])
    assert len(cache) == 0
    assert files(tmp_path) == []


def test_memory_is_bounded_apart_from_the_disk(tmp_path: Path) -> None:
    one = speech().audio.nbytes
    cache = PhraseCache(tmp_path, memory_bytes=2 * one)
    for text in ("aaa", "bbb", "ccc"):
        cache.put(key(text), [speech()])
        cache.get(key(text))
    hot = [cache.get_hot(key(text)) is not None for text in ("aaa", "bbb", "ccc")]
    assert hot == [False, True, True]
    long = key("long")
    cache.put(long, [speech(24000)])
    assert cache.get(long) is not None
    assert cache.get_hot(long) is None


def test_putting_again_replaces(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path)
    cache.put(key(), [speech()])
    cache.get(key())
    cache.put(key(), [speech(4800)])
    known = cache.get(key())
    assert known is not None
    assert len(known.audio) == 4800
    assert len(cache) == 1
    assert cache.bytes == files(tmp_path)[0].stat().st_size


def test_a_disk_that_refuses_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = PhraseCache(tmp_path)
    (tmp_path / key().digest[:2]).write_text("a file where a folder should be")
    cache.put(key(), [speech()])
    assert "could not be kept" in caplog.text
    assert len(cache) == 0
    assert cache.get(key()) is None
    assert "cannot be read" in caplog.text


def test_callers_cannot_spoil_the_kept_audio(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path)
    cache.put(key(), [speech()])
    known = cache.get(key())
    assert known is not None
    with pytest.raises(ValueError, match="read-only"):
        known.audio[0] = 1


def test_no_text_is_on_the_disk(tmp_path: Path) -> None:
    PhraseCache(tmp_path).put(key("a very private phrase"), [speech()])
    assert b"private" not in files(tmp_path)[0].read_bytes()


def _size_of_one(folder: Path) -> int:
    probe = PhraseCache(folder)
    probe.put(key("aaa"), [speech()])
    return probe.bytes
