"""The demo shop with its real knowledge and encoder, built once."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from voice_server.config import cache_root
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.knowledge import Knowledge
from voice_server.live.understanding import ShopUnderstanding
from voice_server.shop import pack
from voice_server.shop.shop import Shop
from voice_server.speech.language import TextLanguage

TUESDAY = datetime(2026, 11, 24, 14, 0, tzinfo=ZoneInfo("Europe/Brussels"))


@pytest.fixture(scope="session")
def shop() -> Shop:
    return pack.load(pack.resolve("demo"))


@pytest.fixture(scope="session")
def understanding(shop: Shop) -> ShopUnderstanding:
    encoder = UniversalSentenceEncoder()
    encoder.warm()
    knowledge = Knowledge(shop, encoder, now=lambda: TUESDAY, cache=cache_root() / "test-vectors")
    return ShopUnderstanding(shop, knowledge, encoder, TextLanguage().identify)
