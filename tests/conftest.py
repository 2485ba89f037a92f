"""Fixtures that every part of the suite may use."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import hypothesis
import pytest

from voice_server.config import Settings
from voice_server.weights import DiskFull, FetchFailed, WeightStore

# The machine is shared and small: how long an example took says nothing about the code.
hypothesis.settings.register_profile("voice-server", deadline=None)
hypothesis.settings.load_profile("voice-server")

NEEDED = ("speech", "qwen2.5-coder-0.5b")
"""What tests marked ``models`` may ask for. ``scripts/test`` has fetched it before."""


@pytest.fixture(scope="session")
def weights() -> WeightStore:
    """The real weights of the operator's models folder, fetched if they are not there.

    Skips only if they cannot be had, and says why.
    """
    store = WeightStore(Path(Settings().models))
    try:
        asyncio.run(store.fetch(NEEDED))
    except (FetchFailed, DiskFull, OSError) as error:
        pytest.skip(f"the real weights cannot be had: {error}")
    return store


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed (package 'chromium')")
    return path
