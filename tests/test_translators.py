"""Who translates captions: an endpoint with the shop's names, never this machine's own model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

from voice_server.dialogue.llm.model import ChatRequest, TextDelta
from voice_server.shop import pack
from voice_server.translators import caption_translator


class Echo:
    """A model that says what it was given, loudly."""

    embedded = False

    async def stream(self, request: ChatRequest) -> AsyncIterator[TextDelta]:
        yield TextDelta(str(request.messages[-1]["content"]).upper())


async def test_prices_and_products_are_the_shops() -> None:
    shop = pack.load(pack.resolve("demo"))
    assert caption_translator(shop, None) is None
    assert caption_translator(shop, cast(Any, SimpleNamespace(embedded=True))) is None
    translator = caption_translator(shop, cast(Any, Echo()))
    assert translator is not None
    french = shop.catalogue.get("oslo")
    assert french is not None
    name = french.text(shop.default_language).name
    said = await translator.translate(f"La {name} coûte 49,90 €.", shop.default_language, "de")
    assert said.ok
    assert "49,90 €" in said.text
    assert french.text("de").name in said.text
