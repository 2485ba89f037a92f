"""The demo shop's knowledge, built once: the vectors are kept between runs."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from voice_server.config import cache_root
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.knowledge import Knowledge
from voice_server.shop import pack
from voice_server.shop.shop import Shop

TUESDAY = datetime(2026, 11, 24, 14, 0, tzinfo=ZoneInfo("Europe/Brussels"))


class Clock:
    """The present, as a test wants it."""

    def __init__(self) -> None:
        self.now = TUESDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def shop() -> Shop:
    return pack.load(pack.resolve("demo"))


@pytest.fixture(scope="session")
def embedder() -> UniversalSentenceEncoder:
    encoder = UniversalSentenceEncoder()
    encoder.warm()
    return encoder


@pytest.fixture(scope="session")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _knowledge(shop: Shop, embedder: UniversalSentenceEncoder, _clock: Clock) -> Knowledge:
    return Knowledge(shop, embedder, now=_clock, cache=cache_root() / "test-vectors")


@pytest.fixture
def clock(_clock: Clock) -> Clock:
    _clock.now = TUESDAY
    return _clock


@pytest.fixture
def knowledge(_knowledge: Knowledge, clock: Clock) -> Knowledge:
    """The demo shop on a Tuesday afternoon, unless the test sets the clock."""
    return _knowledge
