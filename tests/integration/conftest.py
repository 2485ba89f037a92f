"""One real server (real models, answers from facts) for the whole folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.bench.questions import prepare
from scripts.bench.server import Server, running
from voice_server.weights import WeightStore

LANGUAGES = ("fr", "nl", "de", "en")


@pytest.fixture(scope="session")
def questions(weights: WeightStore) -> dict[str, dict[str, Path]]:
    """Spoken questions: language -> name -> wav."""
    files = asyncio.run(prepare(LANGUAGES))
    return {language: {p.stem: p for p in paths} for language, paths in files.items()}


@pytest.fixture(scope="session")
def server(weights: WeightStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without a language model: every answer must come from the shop's facts."""
    with running(
        "--llm", "none", "--no-warm-phrases", data=tmp_path_factory.mktemp("data")
    ) as server:
        yield server
