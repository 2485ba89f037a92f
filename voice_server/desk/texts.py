"""The desk's words in fr, nl, de and en: summaries, labels for staff, sentences for customers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from voice_server.shop.markets import Market

LANGUAGES = ("fr", "nl", "de", "en")


@lru_cache(maxsize=8)
def texts(language: str) -> Mapping[str, Mapping[str, str]]:
    """Return all sections of a language; English for one that has no texts."""
    name = language if language in LANGUAGES else "en"
    file = resources.files("voice_server.desk") / "data" / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def label(section: str, key: str, language: str) -> str:
    """Return one text; a key nobody translated is shown as words."""
    return texts(language)[section].get(key, key.replace("_", " "))


def customer(key: str, language: str, **values: str) -> str:
    """Return a sentence that a customer hears."""
    return texts(language)["customer"][key].format(**values)


def when(moment: datetime, market: Market, language: str) -> str:
    """Word a moment in the market's own time: "lundi 30 novembre à 9 h 30"."""
    local = moment.astimezone(ZoneInfo(market.timezone))
    day = market.day(local.date(), language)
    clock = market.clock(local.time(), language)
    return customer("when", language, day=day, time=clock)
