"""A whole show on a shop platform whose prices move, vanish and cannot be read."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.fakes.shops.woocommerce import KEY, SECRET, FakeWooCommerce
from tests.fakes.shops.world import Article
from tests.live.crowd import says
from tests.live.live_shop import LiveShop
from tests.live.stage_play import sheet
from tests.live.test_session import FakeAnswerer, Inline, Watching, WordVoice
from tests.virtual_time import run
from voice_server.live import show_events as ev
from voice_server.live.facts import ShopFacts
from voice_server.live.session import ShowSession
from voice_server.live.show_events import AnswerFailed, AnswerReady, PrepareAnswer
from voice_server.shop.connectors import open_platform
from voice_server.shop.live_catalogue import LiveCatalogue
from voice_server.shop.offers import TTL_S, Offers
from voice_server.shop.platform_config import parse
from voice_server.shop.shop import Shop


@pytest.fixture
def inline_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def here(function: Any, *args: Any, **more: Any) -> Any:
        return function(*args, **more)

    monkeypatch.setattr(asyncio, "to_thread", here)


def session(facts: ShopFacts, answerer: Any = None, **show: Any) -> ShowSession:
    return ShowSession(
        sheet("oslo", "nemo", **show),
        facts,
        Inline(),
        cast(Any, answerer or FakeAnswerer()),
        WordVoice(),
    )


async def end(show: ShowSession, running: asyncio.Task[None], *pages: Watching) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.gather(*(page.task for page in pages))


def clock() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.usefixtures("inline_threads")
def test_a_price_change_is_on_the_card_and_told_within_seconds(shop: Shop) -> None:
    async def story() -> None:
        live = LiveShop(shop, clock)
        show = session(live.facts)
        running = asyncio.ensure_future(show.run())
        stage, host = Watching(show), Watching(show, "host")
        await asyncio.sleep(30)
        assert live.platform.asked == []  # nothing is asked for a show that is not on air
        show.do(ev.Begin())
        await asyncio.sleep(20)
        assert [card["cards"]["fr"]["price"] for card in stage.of("card")][-1] == "49,90 €"
        assert "liste" not in " ".join(line["text"] for line in stage.of("line"))
        live.platform.price("oslo", "39.90")
        changed = clock()
        await asyncio.sleep(15)
        card = next(c for c in stage.of("card") if c["cards"]["fr"]["price"] == "39,90 €")
        told = next(m for m in stage.of("line") if m["kind"] == "notice")
        assert "39,90" in told["text"]
        assert card["t"] - changed <= 6.0
        assert told["t"] - changed <= 10.0  # at a sentence end
        assert not host.of("state")[-1]["alarms"]
        per_second = len(live.platform.asked) / 35
        assert per_second <= 0.5  # two products every five seconds at most
        await end(show, running, stage, host)

    run(story())


@pytest.mark.usefixtures("inline_threads")
def test_an_outage_is_hedged_and_sounds_an_alarm_until_it_is_over(shop: Shop) -> None:
    async def story() -> None:
        live = LiveShop(shop, clock)
        points = {"fr": [f"Prix numéro {n} : {{price}}." for n in range(40)]}
        segments = [{"product": "oslo", "duration_s": 600, "id": "a", "points": points}]
        show = session(live.facts, segments=segments)
        running = asyncio.ensure_future(show.run())
        stage, host = Watching(show), Watching(show, "host")
        show.do(ev.Begin())
        await asyncio.sleep(25)
        live.platform.hangs = True
        await asyncio.sleep(TTL_S + 15)
        [alarm] = host.of("state")[-1]["alarms"]
        assert (alarm["kind"], alarm["what"]) == ("facts", "prices")
        assert "oslo" in alarm["words"]
        assert "liste" in stage.of("line")[-1]["text"]
        assert stage.of("card")[-1]["cards"]["fr"]["stock"] == "unsure"
        lines = len(stage.of("line"))
        assert lines > 8  # the show went on
        live.platform.hangs = False
        for task in list(live.offers._under_way.values()):
            task.cancel()
        await asyncio.sleep(15)
        assert host.of("state")[-1]["alarms"] == []
        assert stage.of("card")[-1]["cards"]["fr"]["stock"] == "in"
        assert "liste" not in stage.of("line")[-1]["text"]
        await end(show, running, stage, host)

    run(story())


@pytest.mark.usefixtures("inline_threads")
def test_a_product_that_vanishes_is_left_with_its_card(shop: Shop) -> None:
    async def story() -> None:
        live = LiveShop(shop, clock)
        show = session(live.facts)
        running = asyncio.ensure_future(show.run())
        stage = Watching(show)
        show.do(ev.Begin())
        await asyncio.sleep(20)
        live.platform.remove("oslo")
        await asyncio.sleep(12)
        assert stage.of("segment")[-1]["id"] == "nemo"
        card = stage.of("card")[-1]["cards"]["fr"]
        assert card["product_id"] == "nemo"
        cancelled = {m["id"] for m in stage.of("cancel")}
        ended = {m["id"] for m in stage.of("line_end")}
        assert not cancelled & ended
        gone = stage.of("line")[-1]["t"]
        assert gone  # it speaks on
        await end(show, running, stage)

    run(story())


class Slow:
    """Makes an answer for long; the price it found may be another's by then."""

    def __init__(self, live: LiveShop) -> None:
        self.live = live
        self.orders = 0

    async def answer(
        self, order: PrepareAnswer, asked_in: str, languages: object
    ) -> AnswerReady | AnswerFailed:
        self.orders += 1
        if self.orders == 3:
            return AnswerFailed(order.cluster_id, "slow")
        price = self.live.facts.fields("oslo", "fr")["price"]
        await asyncio.sleep(8)
        return AnswerReady(
            order.cluster_id, (f"Réponse : {price}.",), "fr", "oslo", frozenset({"price"})
        )


@pytest.mark.usefixtures("inline_threads")
def test_an_answer_whose_price_changed_while_it_was_made_is_made_again(shop: Shop) -> None:
    async def story() -> None:
        live = LiveShop(shop, clock)
        answerer = Slow(live)
        show = session(live.facts, answerer)
        running = asyncio.ensure_future(show.run())
        stage, host = Watching(show), Watching(show, "host")
        show.do(ev.Begin())
        await asyncio.sleep(20)
        show.chat(says("what is the price of oslo ?", "Ana"))
        await asyncio.sleep(1)
        live.platform.price("oslo", "39.90")
        await asyncio.sleep(30)
        answers = [m["text"] for m in stage.of("line") if m["text"].startswith("Réponse")]
        assert answers == ["Réponse : 39,90 €."]
        assert answerer.orders == 2
        show.chat(says("is oslo in stock ?", "Bo"))
        await asyncio.sleep(5)
        assert [a["what"] for a in host.of("state")[-1]["alarms"]] == ["answers"]
        await end(show, running, stage, host)

    run(story())


async def test_a_real_platform_over_http(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """WooCommerce's own interface on a socket: read, changed, told; nothing is hedged."""
    monkeypatch.setattr("voice_server.live.fact_keeper.READ_EVERY_S", 0.3)
    monkeypatch.setattr("voice_server.live.fact_keeper.LOOK_EVERY_S", 0.05)
    monkeypatch.setenv("WOO_KEY", KEY)
    monkeypatch.setenv("WOO_SECRET", SECRET)
    server = FakeWooCommerce()
    for product in (shop.catalogue.products["oslo"], shop.catalogue.products["nemo"]):
        for variant in product.variants:
            server.world.articles[variant.sku] = Article(
                variant.sku, product.model, variant.price, variant.stock
            )
    async with server:
        table = {"type": "woocommerce", "url": server.url}
        table |= {"key_env": "WOO_KEY", "secret_env": "WOO_SECRET"}
        platform = open_platform(parse(table, tmp_path), shop)
        offers = Offers(platform, shop)
        facts = ShopFacts(shop, live=LiveCatalogue(shop, offers))
        show = session(facts)
        running = asyncio.ensure_future(show.run())
        stage = Watching(show)
        show.do(ev.Begin())
        show.do(ev.Jump("oslo"))
        while not stage.of("card") or not facts.confirmed("oslo"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for variant in shop.catalogue.products["oslo"].variants:
            article = server.world.articles[variant.sku]
            server.world.articles[variant.sku] = replace(article, price=Decimal("44.50"))
        began = time.monotonic()
        async with asyncio.timeout(20):
            while not any(  # noqa: ASYNC110
                c["cards"].get("fr", {}).get("price") == "44,50 €" for c in stage.of("card")
            ):
                await asyncio.sleep(0.02)
        assert time.monotonic() - began < 10
        assert stage.of("card")[-1]["cards"]["fr"]["stock"] == "in"
        await end(show, running, stage)
        await offers.close()
        await platform.close()
