"""Prices and stock from the shop's platform, as they are spoken: a real vendor's socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.shops.server import FakeShop, Fault
from tests.fakes.shops.world import Article
from tests.shop.connectors.platforms import opened
from voice_server.dialogue.answers.unconfirmed import CARD, DELIVERY, FACT, PRICE, STOCK
from voice_server.dialogue.dialogue import Card, Clause, Message, ReplyRequest
from voice_server.dialogue.facts import Context
from voice_server.dialogue.gates import Pass, Replace, SentenceGate
from voice_server.dialogue.grounds import build_grounds
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.manager import ShopDialogue
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.shop.offers import TTL_S, Offers
from voice_server.shop.shop import Shop
from voice_server.speech.clauses import ClauseSplitter

ASK = {
    "fr": "Combien coûte la lampe Oslo ?",
    "nl": "Hoeveel kost de lamp Oslo?",
    "de": "Was kostet die Lampe Oslo?",
    "en": "How much is the Oslo lamp?",
}
IN_STOCK = {
    "fr": "La lampe Oslo est-elle en stock ?",
    "nl": "Is de lamp Oslo op voorraad?",
    "de": "Ist die Lampe Oslo auf Lager?",
    "en": "Is the Oslo lamp in stock?",
}


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Vendor:
    """A vendor that sells the demo pack, and the answers that follow it."""

    def __init__(self, server: FakeShop, offers: Offers, time: Time, shop: Shop) -> None:
        self.server, self.offers, self.time, self.shop = server, offers, time, shop

    def sell(self, product: str, price: str, stock: int = 9) -> None:
        for variant in self.shop.catalogue.products[product].variants:
            self.server.world.articles[variant.sku] = Article(
                variant.sku, product, Decimal(price), stock
            )

    def later(self) -> None:
        self.time.now += TTL_S + 1


@pytest.fixture
def following(knowledge: Knowledge) -> Iterator[Knowledge]:
    yield knowledge
    knowledge.follow(None)


@asynccontextmanager
async def vendor(knowledge: Knowledge, folder: Path) -> AsyncIterator[Vendor]:
    async with opened("shopify", folder) as case:
        assert case.server is not None
        time = Time()
        offers = Offers(case.platform, knowledge.shop, deadline_s=30.0, clock=time)
        knowledge.follow(offers)
        found = Vendor(case.server, offers, time, knowledge.shop)
        for product in knowledge.shop.catalogue:
            found.sell(product.id, str(product.price))
        try:
            yield found
        finally:
            await offers.close()


def dialogue(knowledge: Knowledge) -> ShopDialogue:
    return ShopDialogue(
        ShopIdentity("Marolle"),
        knowledge.shop.languages,
        knowledge,
        lambda text, languages: (languages[0], 0.0),
        ClauseSplitter,
    )


async def ask(
    talk: ShopDialogue, text: str, language: str, session: str = "s"
) -> tuple[str, list[Card], list[str]]:
    """Return what a new session is told: words, cards, excerpts."""
    reply = talk.open(session, language=language).reply(
        ReplyRequest(f"r-{session}", (Message("user", text, language),), detected_language=language)
    )
    clauses = [part async for part in reply if isinstance(part, Clause)]
    return (
        " ".join(clause.text for clause in clauses),
        [card for clause in clauses for card in clause.cards],
        [citation.excerpt for clause in clauses for citation in clause.citations],
    )


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
async def test_a_price_that_changes_between_two_questions_is_spoken(
    following: Knowledge, tmp_path: Path, language: str
) -> None:
    async with vendor(following, tmp_path) as shop:
        talk = dialogue(following)
        shop.sell("oslo", "47.30")
        said, cards, excerpts = await ask(talk, ASK[language], language)
        market = following.shop.market
        assert market.money(Decimal("47.30"), language) in said
        assert "59" not in said, "the vendor knows no former price"
        shop.sell("oslo", "44.10")
        said, _, _ = await ask(talk, ASK[language], language)
        assert market.money(Decimal("47.30"), language) in said, "asked again at once: kept"
        shop.later()
        said, cards, excerpts = await ask(talk, ASK[language], language)
        now = market.money(Decimal("44.10"), language)
        assert now in said
        assert [card.price for card in cards] == [now]
        assert now in excerpts[0]
        assert PRICE[language] not in said


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
async def test_an_outage_hedges_the_price_and_promises_no_stock(
    following: Knowledge, tmp_path: Path, language: str
) -> None:
    async with vendor(following, tmp_path) as shop:
        talk = dialogue(following)
        shop.sell("oslo", "47.30")
        await ask(talk, ASK[language], language)
        shop.later()
        await shop.server.stop()
        said, cards, excerpts = await ask(talk, ASK[language], language)
        assert said.startswith(PRICE[language])
        assert following.shop.market.money(Decimal("47.30"), language) in said, "the last known"
        assert cards[0].stock == CARD[language]
        said, cards, excerpts = await ask(talk, IN_STOCK[language], language)
        assert said == " ".join(STOCK[language])
        assert FACT[language] in excerpts[0] or excerpts[0].endswith("…")


async def test_stock_is_the_vendors(following: Knowledge, tmp_path: Path) -> None:
    async with vendor(following, tmp_path) as shop:
        talk = dialogue(following)
        shop.sell("oslo", "49.90", stock=0)
        said, cards, _ = await ask(talk, IN_STOCK["en"], "en")
        assert "sorry" in said.lower() or "out of stock" in said.lower()
        assert cards[0].stock == "Sold out"
        shop.sell("oslo", "49.90", stock=2)
        shop.later()
        said, cards, _ = await ask(talk, IN_STOCK["en"], "en")
        assert said.startswith("Yes")


async def test_a_delivery_date_depends_on_stock_that_is_not_known(
    following: Knowledge, tmp_path: Path
) -> None:
    async with vendor(following, tmp_path) as shop:
        await shop.server.stop()
        answer = following.answer("When would the Oslo lamp be delivered?", "en", Context())
        assert answer is not None
        assert answer.intent == "delivery_time"
        assert answer.clauses[-1].text.endswith(DELIVERY["en"].split(", ")[-1])


async def test_two_sessions_ask_the_vendor_once(following: Knowledge, tmp_path: Path) -> None:
    async with vendor(following, tmp_path) as shop:
        talk = dialogue(following)
        told = await asyncio.gather(*(ask(talk, ASK["en"], "en", f"s{i}") for i in range(2)))
        assert told[0][0] == told[1][0]
        assert len(shop.server.requests) == 1


async def test_a_gate_lets_the_new_price_through_and_not_the_old(
    following: Knowledge, tmp_path: Path
) -> None:
    async with vendor(following, tmp_path) as shop:
        shop.sell("oslo", "47.30")
        await following.refresh(ASK["en"], "en", Context())
        facts = following.retrieve(ASK["en"], "en", Context())
        gate = SentenceGate(build_grounds(facts), "en")
        assert isinstance(gate.check("The Oslo lamp costs 47.30 euros."), Pass)
        assert isinstance(gate.check("The Oslo lamp costs 49.90 euros."), Replace)


async def test_advice_names_the_cheapest_of_now(following: Knowledge, tmp_path: Path) -> None:
    async with vendor(following, tmp_path) as shop:
        talk = dialogue(following)
        said, _, _ = await ask(talk, "Do you have a cheaper lamp than the Oslo?", "en")
        assert PRICE["en"] not in said
        assert shop.offers.read()


async def test_a_vendor_that_fails_once_is_not_waited_for_by_the_next(
    following: Knowledge, tmp_path: Path
) -> None:
    async with vendor(following, tmp_path) as shop:
        shop.server.faults.append(Fault("status", status=403, times=99))
        await following.refresh(ASK["en"], "en", Context())
        asked = len(shop.server.requests)
        assert asked
        await following.refresh(ASK["en"], "en", Context())
        assert len(shop.server.requests) == asked


async def test_without_a_platform_nothing_is_asked(knowledge: Knowledge) -> None:
    assert knowledge.offers is None
    before = knowledge.answer(ASK["fr"], "fr", Context())
    await knowledge.refresh(ASK["fr"], "fr", Context())
    assert knowledge.answer(ASK["fr"], "fr", Context()) == before
