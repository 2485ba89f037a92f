"""Answers for the stage, from the demo shop's real facts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from voice_server.dialogue.dialogue import Clause, Phrase, ReplyEnd, ReplyPart, ReplyRequest
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
        yield Clause("à l'eau.", "fr")
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


async def test_a_price_that_changed_is_told_as_it_is_now(
    shop: Shop, understanding: ShopUnderstanding
) -> None:
    facts = ShopFacts(shop)
    oslo = shop.catalogue.products["oslo"]
    offers = [Offer(v.sku, Decimal("39.90"), "EUR", v.stock) for v in oslo.variants]
    facts.update(offers)
    answerer = Answerer(understanding, facts)
    found = await answerer.answer(order("Combien coûte Oslo ?"), "fr", ("fr", "nl"))
    assert isinstance(found, AnswerReady)
    assert "39,90" in found.sentences[0]
    assert "49,90" not in str(found)
    facts.update([replace(offer, stock=0) for offer in offers])
    stock = await answerer.answer(order("Elle est en stock ?"), "fr", ("fr",))
    assert isinstance(stock, AnswerReady)
    assert "épuisé" in stock.sentences[0]


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
    assert found == AnswerReady("q1", ("Oui, elle résiste à l'eau.",), "fr")
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
