"""Runs the fixed-speed chat endpoint (first token 50 ms, 50 tokens/s) as a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def running_fake_llm(
    active: bool = True, *, ttft_ms: float = 50.0, tokens_per_s: float = 50.0
) -> Iterator[str]:
    """Yield its base URL; "" when not ``active``."""
    if not active:
        yield ""
        return
    command = [
        sys.executable, "-m", "tests.fakes.llm", "--ttft-ms", str(ttft_ms),
        "--tokens-per-s", str(tokens_per_s),
    ]  # fmt: skip
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None  # noqa: S101
    try:
        yield child.stdout.readline().strip()
    finally:
        child.terminate()
        child.wait(10)
