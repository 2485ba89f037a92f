"""A real InspIRCd on loopback: IRC over websocket (with message tags) and over TCP."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CONFIG = """
<server name="irc.example.test" description="test" network="Test">
<admin name="t" nick="t" email="t@example.test">
<bind address="127.0.0.1" port="{tcp}" type="clients">
<bind address="127.0.0.1" port="{ws}" type="clients" hook="websocket">
<module name="sha1">
<module name="websocket">
<websocket defaultmode="text" sendastext="yes">
<wsorigin allow="*">
<module name="cap">
<module name="ircv3_ctctags">
<module name="ircv3_msgid">
<connect allow="*" timeout="10" recvq="8192" commandrate="100000" threshold="1000"
 fakelag="no" localmax="100" globalmax="100" resolvehostnames="no" useident="no">
<performance clonesonconnect="no">
<pid file="{folder}/pid">
<path datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="normal" target="{folder}/log">
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def program() -> str | None:
    return shutil.which("inspircd", path="/usr/sbin:/usr/bin:/usr/local/bin")


@asynccontextmanager
async def inspircd(folder: Path) -> AsyncIterator[tuple[int, int]]:
    """Run one; yields the ports (TCP, websocket)."""
    path = program()
    assert path is not None
    tcp, ws = free_port(), free_port()
    config = folder / "inspircd.conf"
    config.write_text(CONFIG.format(tcp=tcp, ws=ws, folder=folder))
    process = await asyncio.create_subprocess_exec(
        path,
        "--nofork",
        "--runasroot",
        f"--config={config}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", ws)
                writer.close()
                break
            except OSError:
                assert process.returncode is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        yield tcp, ws
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
