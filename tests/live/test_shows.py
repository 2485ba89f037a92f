"""The shows of a server: which are read, how they run, fail and come back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.live.test_session import Watching, WordVoice
from voice_server import shows
from voice_server.cli import build_parser, main
from voice_server.config import Settings
from voice_server.live.show import State
from voice_server.live.understanding import ShopUnderstanding
from voice_server.shop.catalogue import Catalogue
from voice_server.shop.shop import Shop
from voice_server.shows import ShopEngines, Shows
from voice_server.speech.tts.speaker import Speaker

SHEET = """
[show]
id = "{id}"
language = "{language}"
chat = ["twitch:marolle", "twitch-eventsub:1:2", "youtube:abc"]
[[segment]]
product = "oslo"
"""


def engines(shop: Shop, understanding: ShopUnderstanding) -> ShopEngines:
    return ShopEngines(
        shop,
        "/shop",
        understanding._knowledge,
        understanding._embedder,
        understanding._identify,
        cast(Any, None),
        WordVoice(),
    )


async def test_the_demo_show_begins_with_its_first_viewer(
    shop: Shop, understanding: ShopUnderstanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shows, "RESTART_S", 0.01)
    all_shows = Shows(Settings(llm="none"))
    running = asyncio.ensure_future(all_shows.run())
    assert all_shows.get("demo") is None
    all_shows.open(engines(shop, understanding), first=True)
    while (session := all_shows.get("demo")) is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert [source.name for source in session._sources] == ["demo-crowd"]
    watching = Watching(session)
    while not watching.of("line"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert session.state is State.ON_AIR
    # A show that fails begins anew; its pages are told.
    session.do(cast(Any, "what no director knows"))
    while all_shows.get("demo") is session:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await watching.task
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_wrong_run_sheets_are_named_and_left_out(
    shop: Shop,
    understanding: ShopUnderstanding,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, foreign, broken = (tmp_path / f"{name}.toml" for name in ("good", "foreign", "broken"))
    good.write_text(SHEET.format(id="good", language="nl"))
    foreign.write_text(SHEET.format(id="foreign", language="pl"))
    broken.write_text("[show")
    settings = Settings(llm="none", shows=(good, foreign, broken), show_crowd=False)
    all_shows = Shows(settings)
    bare = replace(shop, folder=tmp_path / "empty")
    with caplog.at_level(logging.ERROR):
        all_shows.open(engines(bare, understanding), first=True)
        all_shows.open(engines(bare, understanding), first=False)
    assert list(all_shows._engines) == ["good"]
    assert "does not speak pl" in caplog.text
    assert "broken.toml" in caplog.text
    sheet, made = all_shows._engines["good"]
    names = [source.name for source in all_shows._session(sheet, made)._sources]
    assert names == ["twitch:marolle", "twitch-eventsub:1", "youtube:abc"]


async def test_fixed_sentences_are_kept_as_sound(
    shop: Shop, understanding: ShopUnderstanding
) -> None:
    speaker = Speaker([])
    made = replace(engines(shop, understanding), tts=speaker)
    all_shows = Shows(Settings(llm="none"))
    all_shows.open(made, first=True)
    sheet, found = all_shows._engines["demo"]
    all_shows._session(sheet, found)
    assert len(speaker._remembered) >= 50
    speaker.close()


async def test_an_edited_pack_reaches_the_show_that_runs(
    shop: Shop, understanding: ShopUnderstanding
) -> None:
    all_shows = Shows(Settings(llm="none", show_crowd=False))
    all_shows.open(engines(shop, understanding), first=True)
    sheet, made = all_shows._engines["demo"]
    session = all_shows._session(sheet, made)
    oslo = shop.catalogue.products["oslo"]
    dear = replace(oslo, variants=tuple(replace(v, price=Decimal(70)) for v in oslo.variants))
    products = [dear if product is oslo else product for product in shop.catalogue]
    catalogue = Catalogue(tuple(products), tuple(shop.catalogue.categories.values()))
    all_shows.renew(replace(shop, catalogue=catalogue), understanding._knowledge)
    card = session.facts.card("oslo", "fr")
    assert card is not None
    assert card.price.startswith("70")
    all_shows.renew(replace(shop, id="another"), understanding._knowledge)
    assert all_shows._engines["demo"][1].shop.id == shop.id


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[Settings] = []

    def serve(args: object, settings: Settings) -> int:
        served.append(settings)
        return 0

    monkeypatch.setattr("voice_server.commands.serve.run", serve)
    assert main(["show", "demo", "--port", "9999", "--llm", "none"]) == 0
    assert "http://localhost:9999/watch/demo" in capsys.readouterr().err
    path = tmp_path / "evening.toml"
    path.write_text(SHEET.format(id="evening", language="fr"))
    assert main(["show", str(path), "--llm", "none"]) == 0
    assert "/stage/evening" in capsys.readouterr().err
    assert [settings.shows for settings in served] == [(), (path,)]
    assert main(["show", str(tmp_path / "none.toml"), "--llm", "none"]) == 2
    assert "none.toml" in capsys.readouterr().err
    assert build_parser().parse_args(["show"]).sheet == "demo"
