"""Answers for the stage, from the demo shop's real facts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any, cast

import pytest

from tests.live.live_shop import LiveShop
from voice_server.dialogue.dialogue import (
    Citation,
    Clause,
    Phrase,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
)
from voice_server.live.answers import Answerer
from voice_server.live.facts import ShopFacts
from voice_server.live.show_events import AnswerFailed, AnswerReady, PrepareAnswer
from voice_server.live.understanding import ShopUnderstanding
from voice_server.shop.platform import Offer
from voice_server.shop.shop import Shop


def order(text: str, language: str = "fr", on_screen: str = "oslo") -> PrepareAnswer:
    return PrepareAnswer("q1", text, language, on_screen)


class Talk:
    """A dialogue whose model answers, or falls back."""

    languages: tuple[str, ...] = ("fr",)

    def __init__(self, source: str) -> None:
        self.source = source
        self.language = "fr"
        self.hint = ""

    def open(self, session_id: str, *, language: str | None = None) -> Talk:
        return self

    def commit(self, reply_id: str) -> None:
        raise AssertionError("a show's replies are out of band")

    def phrase(self, kind: Phrase, variant: int = 0) -> Clause:
        raise AssertionError

    async def reply(self, request: ReplyRequest) -> AsyncIterator[ReplyPart]:
        assert request.out_of_band
        yield Clause("Oui, elle résiste", "fr")
        source = Citation("product:nemo", "Nemo", "", "")
        yield Clause("à l'eau.", "fr", citations=(source,))
        yield ReplyEnd(source=self.source)


async def test_a_price_in_the_askers_language_with_captions(
    shop: Shop, understanding: ShopUnderstanding
) -> None:
    answerer = Answerer(understanding, ShopFacts(shop))
    found = await answerer.answer(order("Wat kost de lamp?", "nl"), "nl", shop.languages)
    assert isinstance(found, AnswerReady)
    assert (found.language, found.product_id, found.uses) == ("nl", "oslo", frozenset({"price"}))
    assert "49,90" in " ".join(found.sentences)
    assert {language for language, _ in found.captions} == {"fr", "de", "en"}


@pytest.fixture
def live(shop: Shop, understanding: ShopUnderstanding) -> Iterator[LiveShop]:
    """The shop's facts and knowledge, both behind one platform that moves."""
    found = LiveShop(shop, time.monotonic)
    understanding._knowledge.follow(found.offers)
    yield found
    understanding._knowledge.follow(None)


async def test_a_price_is_that_of_the_platform_now_and_not_hedged(
    live: LiveShop, understanding: ShopUnderstanding
) -> None:
    live.platform.price("oslo", "39.90")
    answerer = Answerer(understanding, live.facts)
    found = await answerer.answer(order("Combien coûte Oslo ?"), "fr", ("fr", "nl"))
    assert isinstance(found, AnswerReady)
    assert "39,90" in " ".join(found.sentences)
    assert "49,90" not in str(found)
    assert "vérifier" not in str(found)
    assert (found.uses, found.about) == (frozenset({"price"}), frozenset({"oslo"}))
    live.platform.stock("oslo", 0)
    await live.read("oslo")
    stock = await answerer.answer(order("Elle est en stock ?"), "fr", ("fr",))
    assert isinstance(stock, AnswerReady)
    assert "en stock" not in stock.sentences[0] or "plus en stock" in stock.sentences[0]
    assert "stock" in stock.uses


async def test_when_the_platform_cannot_be_asked_the_answer_says_so(
    live: LiveShop, understanding: ShopUnderstanding
) -> None:
    live.platform.down = True
    found = await Answerer(understanding, live.facts).answer(
        order("Combien coûte Oslo ?"), "fr", ("fr",)
    )
    assert isinstance(found, AnswerReady)
    assert found.sentences[0].startswith("Je ne peux pas vérifier nos prix")


async def test_an_answer_is_found_again_when_prices_were_read_meanwhile(
    live: LiveShop, understanding: ShopUnderstanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.read("oslo")
    before = understanding.answer
    calls: list[str] = []

    def slow(text: str, language: str, on_screen: str) -> object:
        answer = before(text, language, on_screen)
        calls.append(language)
        if len(calls) == 1:  # the price changes right behind our back
            live.offers.put(
                [Offer(sku, Decimal("35.00"), "EUR", 9) for sku in live.platform.skus("oslo")]
            )
        return answer

    monkeypatch.setattr(understanding, "answer", slow)
    found = await Answerer(understanding, live.facts).answer(
        order("Combien coûte Oslo ?"), "fr", ("fr",)
    )
    assert isinstance(found, AnswerReady)
    assert "35" in " ".join(found.sentences)
    assert "49,90" not in str(found)
    assert len(calls) == 2


async def test_what_is_no_longer_sold_is_the_hosts_business(
    live: LiveShop, understanding: ShopUnderstanding
) -> None:
    await live.read("oslo")
    live.platform.remove("oslo")
    await live.read("oslo")
    found = await Answerer(understanding, live.facts).answer(
        order("Combien coûte Oslo ?"), "fr", ("fr",)
    )
    assert found == AnswerFailed("q1", "unknown")


async def test_an_answer_that_names_prices_of_others_depends_on_them(
    shop: Shop, understanding: ShopUnderstanding
) -> None:
    answerer = Answerer(understanding, ShopFacts(shop))
    found = await answerer.answer(order("Quelle est la lampe la moins chère ?"), "fr", ("fr",))
    assert isinstance(found, AnswerReady)
    assert found.about
    assert "price" in found.uses


@pytest.mark.parametrize("text", ["Où est ma commande BE-10482 ?", "Est-elle étanche ?"])
async def test_what_is_private_or_unknown_is_not_answered(
    shop: Shop, understanding: ShopUnderstanding, text: str
) -> None:
    found = await Answerer(understanding, ShopFacts(shop)).answer(order(text), "fr", ("fr",))
    assert found == AnswerFailed("q1", "unknown")


async def test_the_model_may_answer_but_a_fallback_does_not_go_on_air(
    shop: Shop, understanding: ShopUnderstanding
) -> None:
    facts = ShopFacts(shop)
    asked = order("Est-elle étanche ?")
    found = await Answerer(understanding, facts, cast(Any, Talk("llm"))).answer(
        asked, "fr", ("fr",)
    )
    assert found == AnswerReady(
        "q1",
        ("Oui, elle résiste à l'eau.",),
        "fr",
        uses=frozenset({"price", "stock"}),
        about=frozenset({"oslo", "nemo"}),
    )
    none = await Answerer(understanding, facts, cast(Any, Talk("fallback"))).answer(
        asked, "fr", ("fr",)
    )
    assert isinstance(none, AnswerFailed)


async def test_a_fault_in_the_facts_is_the_hosts_business(
    shop: Shop, understanding: ShopUnderstanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(understanding, "answer", broken)
    found = await Answerer(understanding, ShopFacts(shop)).answer(order("?"), "fr", ("fr",))
    assert isinstance(found, AnswerFailed)
