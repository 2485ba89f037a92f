"""Debian's nginx with its RTMP module: a real server to push to. It records what it gets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import time
from pathlib import Path

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
CONFIG = """
load_module {module};
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log info; worker_processes 1;
events {{ worker_connections 64; }}
rtmp {{ server {{ listen 127.0.0.1:{port};
  application live {{ live on; record all; record_path {folder}/taken; record_unique on; }}
}} }}
"""
START_S = 10.0


def available() -> bool:
    """Whether the machine has it."""
    return shutil.which("nginx") is not None and MODULE.exists()


class NginxRtmp:
    """A server in a folder, on a port of its own; it can be killed and begun again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port: int = taken.getsockname()[1]
        (folder / "taken").mkdir(parents=True)
        text = CONFIG.format(module=MODULE, folder=folder, port=self.port)
        if os.geteuid() == 0:  # its worker would be "nobody", who does not get to the folder
            text = f"user root;\n{text}"
        (folder / "nginx.conf").write_text(text)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"rtmp://127.0.0.1:{self.port}/live"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            "nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder),
            start_new_session=True, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        ends = time.monotonic() + START_S
        while time.monotonic() < ends:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"nginx does not start: {(self.folder / 'error.log').read_text()}")

    async def kill(self) -> None:
        """As if its machine went away."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            self._process = None

    def taken(self) -> list[Path]:
        """What was recorded, the oldest first."""
        return sorted((self.folder / "taken").glob("*.flv"), key=lambda path: path.stat().st_mtime)
