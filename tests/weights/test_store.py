from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.weights.conftest import Shelf
from voice_server.assets import AssetsMissing, assets_dir
from voice_server.weights import UnknownWeights, WeightsMissing, WeightStore, installed
from voice_server.weights.files import folder_size, megabytes

NOWHERE = '[[mirrors]]\nurl = "http://127.0.0.1:9/{path}"'


@pytest.fixture
def tiny(shelf: Shelf) -> Shelf:
    shelf.describe("ears", {"a": b"A", "deep/b": b"BB"}, NOWHERE)
    shelf.describe("brain", {"c": b"CCC"}, NOWHERE, group="llm")
    return shelf


def test_entries_and_selection(tiny: Shelf) -> None:
    store = tiny.store()
    assert [entry.name for entry in store.entries()] == ["brain", "ears"]
    assert [entry.name for entry in store.select()] == ["ears"]
    assert [entry.name for entry in store.select(["llm"])] == ["brain"]
    assert [entry.name for entry in store.select(["ears", "speech"])] == ["ears"]
    with pytest.raises(UnknownWeights, match=r"'mouth'; there are brain, ears; groups: llm, sp"):
        store.select(["mouth"])
    with pytest.raises(UnknownWeights):
        store.path("mouth")


def test_what_is_missing_is_named_with_the_command(tiny: Shelf) -> None:
    tiny.put("ears/a", b"A")
    with pytest.raises(WeightsMissing, match=r"missing: deep/b\).*voice-server fetch ears"):
        tiny.store().path("ears")
    assert not tiny.store().is_ready("ears")


def test_many_missing_files_are_counted(shelf: Shelf) -> None:
    shelf.describe("v", {str(n): b"x" for n in range(9)}, NOWHERE)
    with pytest.raises(WeightsMissing, match="0, 1, 2 and 6 more"):
        shelf.store().path("v")


def test_files_put_there_by_hand_are_taken_if_right(tiny: Shelf) -> None:
    tiny.put("ears/a", b"A")
    tiny.put("ears/deep/b", b"BB")
    assert tiny.store().path("ears") == tiny.root / "ears"
    tiny.put("brain/c", b"CC!")
    assert not tiny.store().is_ready("brain")


def test_verified_files_are_not_hashed_again(tiny: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.put("ears/a", b"A")
    tiny.put("ears/deep/b", b"BB")
    store = tiny.store()
    store.path("ears")

    def fail(_: Path) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr(installed, "sha256_of", fail)
    store.path("ears")
    os.utime(tiny.root / "ears/a", ns=(1, 1))
    with pytest.raises(AssertionError):
        store.path("ears")


@pytest.mark.parametrize("damage", ["not json", "[1]", '{"a": 3}'])
def test_a_damaged_stamp_is_renewed(tiny: Shelf, damage: str) -> None:
    tiny.put("ears/a", b"A")
    tiny.put("ears/deep/b", b"BB")
    tiny.put(f"ears/{installed.STAMP}", damage.encode())
    assert tiny.store().is_ready("ears")
    assert tiny.read(f"ears/{installed.STAMP}") != damage.encode()


def test_a_new_description_voids_the_stamp(tiny: Shelf) -> None:
    tiny.put("ears/a", b"A")
    tiny.put("ears/deep/b", b"BB")
    assert tiny.store().is_ready("ears")
    tiny.describe("ears", {"a": b"Z", "deep/b": b"BB"}, NOWHERE)
    assert not tiny.store().is_ready("ears")


def test_a_read_only_folder_is_usable(tiny: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError("read-only")

    tiny.put("ears/a", b"A")
    tiny.put("ears/deep/b", b"BB")
    monkeypatch.setattr(Path, "write_text", refuse)
    assert tiny.store().is_ready("ears")


def test_verify_finds_silent_damage(tiny: Shelf) -> None:
    tiny.put("ears/a", b"A")
    path = tiny.put("ears/deep/b", b"BB")
    store = tiny.store()
    assert store.verify() == {"ears": []}
    before = path.stat()
    path.write_bytes(b"B!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.is_ready("ears"), "the stamp cannot know: same size, same time"
    assert store.verify() == {"ears": ["deep/b"]}
    assert not store.is_ready("ears")
    assert store.verify(["llm"]) == {"brain": ["c"]}


def test_assets_of_a_checkout_and_of_a_wheel(tmp_path: Path) -> None:
    assert (assets_dir("models") / "whisper-base.toml").exists()
    assert assets_dir("shops").is_dir()
    assert assets_dir("avatars").is_dir()
    package = tmp_path / "lib" / "voice_server"
    (package / "_assets" / "models").mkdir(parents=True)
    assert assets_dir("models", package) == package / "_assets" / "models"
    with pytest.raises(AssetsMissing, match=r"the shops folder .* Reinstall"):
        assets_dir("shops", package)


def test_sizes_for_people() -> None:
    assert megabytes(279_400_000) == "279 MB"
    assert megabytes(1_117_320_768) == "1,117 MB"
    assert megabytes(4_100) == "4 kB"


def test_a_vanishing_file_does_not_disturb_the_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    assert folder_size(tmp_path) == 3


@pytest.mark.models
def test_the_real_ones_are_here(weights: WeightStore) -> None:
    for name in ("whisper-base", "silero-vad", "smart-turn-v3", "kokoro-82m"):
        assert weights.path(name).is_dir()
    assert len(list((weights.path("kokoro-82m") / "voices").glob("*.bin"))) == 54
