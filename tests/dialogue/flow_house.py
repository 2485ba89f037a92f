"""A house for flows: the demo shop's names and flows without its facts, built once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from voice_server.dialogue.facts import Answer, Context
from voice_server.dialogue.flows.declared import load_flows
from voice_server.dialogue.mentions import MentionFinder, Mentions
from voice_server.shop import pack
from voice_server.shop.shop import Shop


@dataclass(slots=True)
class PlainFacts:
    """Names things of the real shop; knows no intents and no answers."""

    finders: dict[str, MentionFinder]

    def answer(self, text: str, language: str, context: Context) -> Answer | None:
        return None

    def intent_of(self, text: str, language: str, context: Context) -> tuple[str, float]:
        return "none", 0.0

    def mentions_of(self, text: str, language: str) -> Mentions:
        return self.finders[language].find(text)


@functools.cache
def demo() -> tuple[Shop, PlainFacts]:
    """Not a fixture: Hypothesis would describe it anew for every case."""
    shop = pack.load(pack.resolve("demo"))
    return shop, PlainFacts({code: MentionFinder(shop, code, (), {}) for code in shop.languages})


bundled = functools.cache(load_flows)


def identify(text: str, languages: Sequence[str]) -> tuple[str, float]:
    return languages[0], 0.0
