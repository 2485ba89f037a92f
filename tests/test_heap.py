"""Memory that is given back is seen by the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from voice_server import heap


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_free_memory_is_given_back() -> None:
    kept = []
    pieces = []
    for _ in range(20_000):  # too small for pages of their own
        pieces.append(bytearray(4_000))
        kept.append(bytearray(16))
    del pieces
    before = resident()
    heap.give_back()
    assert resident() <= before
    assert len(kept) == 20_000


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    heap.few_pools()
    heap.give_back()
    assert heap._glibc() is None
