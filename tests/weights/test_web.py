from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from tests.weights.host import Host
from voice_server.weights.web import MirrorFailed, WebSource, _words

CONTENT = bytes(range(256)) * 8000  # 2 MB: several chunks


def quick() -> WebSource:
    return WebSource(connect_s=0.5, stall_s=0.3, retry_s=0.01)


async def fetch(url: str, part: Path, size: int = len(CONTENT)) -> tuple[bool, list[int]]:
    done: list[int] = []
    async with quick() as web:
        resumed = await web.fetch(url, part, size, done.append)
    return resumed, done


async def test_whole_file(host: Host, tmp_path: Path) -> None:
    resumed, done = await fetch(host.add("f", CONTENT), tmp_path / "f.part")
    assert (tmp_path / "f.part").read_bytes() == CONTENT
    assert not resumed
    assert done == sorted(done)
    assert done[-1] == len(CONTENT)


async def test_resumes_an_earlier_run(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "f.part"
    part.write_bytes(CONTENT[:1_000_000])
    resumed, done = await fetch(host.add("f", CONTENT), part)
    assert resumed
    assert host.ranges == ["bytes=1000000-"]
    assert part.read_bytes() == CONTENT
    assert done[0] == 1_000_000


async def test_resumes_a_broken_transfer(host: Host, tmp_path: Path) -> None:
    await fetch(host.add("f", CONTENT, break_after=300_000), tmp_path / "f.part")
    assert (tmp_path / "f.part").read_bytes() == CONTENT
    assert host.requests["f"] == 2
    assert host.ranges


async def test_resumes_a_stalled_transfer(host: Host, tmp_path: Path) -> None:
    await fetch(host.add("f", CONTENT, stall_after=300_000), tmp_path / "f.part")
    assert (tmp_path / "f.part").read_bytes() == CONTENT
    assert host.requests["f"] == 2


async def test_a_server_without_ranges_starts_again(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "f.part"
    part.write_bytes(b"x" * 1000)
    await fetch(host.add("f", CONTENT, ranges=False), part)
    assert part.read_bytes() == CONTENT


async def test_a_wrong_range_is_not_appended(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "f.part"
    part.write_bytes(CONTENT[:1000])
    await fetch(host.add("f", CONTENT, wrong_range=True), part)
    assert part.read_bytes() == CONTENT


async def test_a_complete_part_is_not_asked_for(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "f.part"
    part.write_bytes(CONTENT)
    resumed, _ = await fetch(host.add("f", CONTENT), part)
    assert resumed
    assert not host.requests


async def test_a_part_that_is_too_long_starts_again(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "f.part"
    part.write_bytes(CONTENT + b"x")
    await fetch(host.add("f", CONTENT), part)
    assert part.read_bytes() == CONTENT


async def test_busy_servers_are_asked_again(host: Host, tmp_path: Path) -> None:
    await fetch(host.add("f", CONTENT, failures=2), tmp_path / "f.part")
    assert host.requests["f"] == 3


@pytest.mark.parametrize(
    ("how", "size", "words"),
    [
        ({"status": 404}, 10, "HTTP 404"),
        ({"status": 500}, 10, r"HTTP 500 .*3 tries"),
        ({}, 10, "more than the expected 10 bytes"),
        ({}, len(CONTENT) + 5, "only 2048000 of 2048005 bytes came"),
    ],
)
async def test_failures_say_why(
    host: Host, tmp_path: Path, how: dict[str, int], size: int, words: str
) -> None:
    with pytest.raises(MirrorFailed, match=words):
        await fetch(host.add("f", CONTENT, **how), tmp_path / "f.part", size)


async def test_refused_hosts_are_remembered(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/f"
    async with quick() as web:
        for _ in range(2):
            with pytest.raises(MirrorFailed, match=r":\d+ cannot be reached: .*refused"):
                await web.fetch(url, tmp_path / "f.part", 10, lambda _: None)


async def test_a_silent_network_costs_its_deadline_once(tmp_path: Path) -> None:
    # A listener whose backlog is full: further connections get no answer, as behind a firewall.
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/f"
        start = time.monotonic()
        async with quick() as web:
            for _ in range(5):
                with pytest.raises(MirrorFailed, match=r"no connection within 0\.5 s"):
                    await web.fetch(url, tmp_path / "f.part", 10, lambda _: None)
        assert time.monotonic() - start < 2


async def test_an_answered_host_serves_several_at_once(host: Host, tmp_path: Path) -> None:
    urls = [host.add(f"f{n}", CONTENT, delay_s=0.05) for n in range(8)]
    async with WebSource(3) as web:
        await asyncio.gather(
            *(
                web.fetch(url, tmp_path / f"{n}.part", len(CONTENT), lambda _: None)
                for n, url in enumerate(urls)
            )
        )
    assert host.most_together == 3


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_an_untrusted_certificate_is_said_so(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(  # noqa: ASYNC221 - before anything else runs
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/f"
        with pytest.raises(MirrorFailed, match=r"certificate is not trusted \(.*self-signed"):
            await fetch(url, tmp_path / "f.part")


@pytest.mark.parametrize(
    ("target", "words"), [("loop", "too many redirects"), ("ftp://h/x", "NonHttpUrl")]
)
async def test_redirects_to_nowhere(host: Host, tmp_path: Path, target: str, words: str) -> None:
    url = host.add("loop", b"", status=302, location=target)
    with pytest.raises(MirrorFailed, match=words):
        await fetch(url, tmp_path / "f.part")


async def test_broken_addresses(tmp_path: Path) -> None:
    for url in ("nowhere", "http://[", "http://h:99999/"):
        with pytest.raises(MirrorFailed, match=r"not a web address"):
            await fetch(url, tmp_path / "f.part")


def test_errors_in_the_system_s_words() -> None:
    assert _words(OSError(111, "Connect call failed ('h', 1)")) == "Connection refused"
    assert _words(socket.gaierror(-2, "Name not known")) == "Name not known"
    assert _words(OSError("several failed")) == "several failed"
