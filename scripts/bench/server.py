"""Starts a server for a benchmark, and the fixed-speed language model beside it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
READY_S = 180.0


@dataclass
class Server:
    """A server that is ready."""

    port: int
    ready_s: float
    process: psutil.Process
    log: Path

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    def memory_mb(self) -> int:
        """Resident memory of the server and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return int(sum(p.memory_info().rss for p in family) / 1e6)


@contextlib.contextmanager
def running(*options: str, data: Path | None = None) -> Iterator[Server]:
    """Start ``voice-server serve`` on a free port and wait until it is ready."""
    log = Path(tempfile.mkstemp(suffix=".log", prefix="voice-server-")[1])
    command = [
        sys.executable, "-m", "voice_server.cli", "serve", "--port", "0",
        "--data", str(data or tempfile.mkdtemp(prefix="voice-server-")), *options,
    ]  # fmt: skip
    began = time.monotonic()
    with log.open("w") as errors:
        child = subprocess.Popen(command, cwd=ROOT, stderr=errors, env=os.environ.copy())
    try:
        port = _port(child, log, began)
        _wait_ready(child, port, log, began)
        yield Server(port, time.monotonic() - began, psutil.Process(child.pid), log)
    finally:
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()


def _port(child: subprocess.Popen[bytes], log: Path, began: float) -> int:
    while time.monotonic() - began < READY_S:
        match = re.search(r"listening on \S+:(\d+)", log.read_text())
        if match:
            return int(match[1])
        if child.poll() is not None:
            raise SystemExit(f"the server ended: {log.read_text()[-2000:]}")
        time.sleep(0.05)
    raise SystemExit(f"the server does not listen: {log.read_text()[-2000:]}")


def _wait_ready(child: subprocess.Popen[bytes], port: int, log: Path, began: float) -> None:
    while time.monotonic() - began < READY_S:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if child.poll() is not None:
                raise SystemExit(f"the server ended: {log.read_text()[-2000:]}") from None
            time.sleep(0.05)
    raise SystemExit(f"the server was not ready in {READY_S:g} s: {log.read_text()[-2000:]}")
