"""Words that settle what vectors blur: "deliver" and "how much" together mean delivery costs.

A table of combinations, shared by all languages, over word groups that each language fills.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from voice_server.dialogue.mentions import Mentions
from voice_server.dialogue.words import fold

_AND = re.compile(
    r"(?:et|en|und|and|sinon|alors|dan|dann|then|what about|how about|was ist mit)\b"
    r"|(?:\S+\s?){1,2}$"
)
"""How somebody begins who adds a topic to the last one; or there is hardly more than the topic."""
_HEAD = re.compile(r"\[([a-z_]+)\]")


@dataclass(frozen=True, slots=True)
class Rule:
    """If all of ``these`` are there and none of ``without``, ``intent`` gains ``weight``.

    A group name with "@" is a kind of mention (see :func:`mentioned`).
    """

    intent: str
    these: tuple[str, ...]
    without: tuple[str, ...] = ()
    weight: float = 0.5


_MONEY_OR_BACK = ("how_much", "cost", "send_back", "refund")
_SPECIFIC = (
    *("stock", "how_much", "which_options", "which_better", "order", "send_back", "deliver"),
    *("warranty", "stuff", "big", "clean", "less", "exchange", "pickup", "human", "@colour"),
    *("@size", "@product"),
)
RULES = (
    Rule("delivery_cost", ("deliver", "how_much"), ("send_back", "order"), 0.9),
    Rule("delivery_cost", ("deliver", "cost"), ("send_back", "order", "pay_how"), 0.7),
    Rule("delivery_time", ("deliver", "when"), ("send_back", "order", "refund"), 0.6),
    Rule("delivery_time", ("deliver", "@product"), (*_MONEY_OR_BACK, "order", "@country"), 0.4),
    Rule("delivery_time", ("receive", "when"), ("send_back", "order", "refund", "how_much"), 0.6),
    Rule("delivery_countries", ("deliver", "@country"), ("how_much", "cost", "when"), 0.7),
    Rule("returns_cost", ("send_back", "cost"), ("refund",), 0.8),
    Rule("returns_cost", ("send_back", "how_much"), ("refund",), 0.6),
    Rule("returns_period", ("send_back", "period"), ("refund", "cost"), 0.7),
    Rule("returns_how", ("send_back",), ("period", "cost", "how_much", "refund", "exchange"), 0.3),
    Rule("refund_time", ("refund",), (), 0.6),
    Rule("exchange", ("exchange",), ("refund",), 0.7),
    Rule("warranty", ("warranty",), (), 0.8),
    Rule("hours", ("hours",), (), 0.6),
    Rule("contact", ("contact",), ("hours", "human"), 0.4),
    Rule("human", ("human",), ("are_you",), 0.6),
    Rule("identity", ("are_you",), (), 0.8),
    Rule("payment_methods", ("pay_how",), ("instalments", "deliver"), 0.6),
    Rule("pickup", ("pickup",), (), 0.6),
    Rule("order_status", ("order",), ("order_change", "how_much"), 0.6),
    Rule("order_status", ("order", "@number"), (), 0.8),
    Rule("availability", ("stock",), ("order", "which_options"), 0.4),
    Rule("availability", ("@thing", "@colour"), ("how_much", "which_options"), 0.5),
    Rule("availability", ("@thing", "@size"), ("how_much", "which_options", "exchange"), 0.5),
    Rule("options", ("which_options",), (), 0.8),
    Rule("price", ("how_much", "@thing"), ("deliver", "send_back", "warranty", "big", "less"), 0.6),
    Rule("price", ("how_much", "@product", "@size"), ("deliver", "send_back", "warranty"), 0.9),
    Rule("price", ("reduced", "@product"), ("deliver", "send_back", "order"), 0.7),
    Rule("price", ("how_much",), ("deliver", "send_back", "big", "order", "less", "@limit"), 0.15),
    Rule("material", ("stuff",), ("clean", "how_much", "look_for"), 0.3),
    Rule("dimensions", ("big",), ("which_better", "exchange", "how_much"), 0.4),
    Rule("care", ("clean",), ("stuff",), 0.3),
    Rule("recommend", ("look_for",), ("which_better", "less", "order"), 0.35),
    Rule("recommend", ("have", "@kind"), _SPECIFIC, 0.45),
    Rule("recommend", ("have", "@use"), _SPECIFIC, 0.5),
    Rule("recommend", ("@limit",), ("@product", "deliver"), 0.3),
    Rule("cheaper", ("less",), ("@limit",), 0.5),
    Rule("compare", ("which_better",), ("less",), 0.3),
    Rule("compare", ("@two",), (), 0.8),
    Rule("repeat", ("again",), (), 0.5),
    Rule("complaint", ("angry",), (), 0.5),
    Rule("goodbye", ("bye",), (), 0.5),
    Rule("off_topic", ("elsewhere",), (), 0.6),
)

TOPICS = {
    "send_back": "returns_how",
    "deliver": "delivery_time",
    "refund": "refund_time",
    "warranty": "warranty",
    "pay_how": "payment_methods",
    "how_much": "price",
    "stuff": "material",
    "big": "dimensions",
    "clean": "care",
    "hours": "hours",
    "contact": "contact",
}
"""What a word group means when it is nearly all that was said."""


class Cues:
    """The word groups of one language."""

    def __init__(self, language: str, text: str) -> None:
        groups: dict[str, list[str]] = {}
        current: list[str] | None = None
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            head = _HEAD.fullmatch(line)
            if head:
                current = groups.setdefault(head.group(1), [])
            elif current is None:
                raise ValueError(f"cues/{language}.txt:{number}: words stand before a [group]")
            else:
                current.append(line)
        self.groups = {name: re.compile("|".join(words)) for name, words in groups.items()}

    @classmethod
    def load(cls, language: str) -> Cues:
        """Read the bundled groups of a language.

        Raises:
            ValueError: words stand before the first ``[group]``.
        """
        data = resources.files("voice_server.dialogue") / "data" / "cues" / f"{language}.txt"
        return cls(language, data.read_text(encoding="utf-8"))

    def has(self, group: str, text: str) -> bool:
        """Tell whether a word of the group is in ``text``."""
        return bool(self.groups[group].search(fold(text).replace("’", "'")))

    def behind(self, group: str, text: str) -> str | None:
        """Return the folded text behind a word of the group, None if there is none."""
        folded = fold(text).replace("’", "'")
        found = self.groups[group].search(folded)
        return None if found is None else folded[found.end() :]

    def topic(self, text: str) -> str:
        """Return the intent of a text that hardly names more than a topic ("et la livraison ?")."""
        if not _AND.match(fold(text)):
            return ""
        return next((intent for group, intent in TOPICS.items() if self.has(group, text)), "")

    def weigh(self, text: str, mentions: Mentions) -> Mapping[str, float]:
        """Return what each intent gains from the words of ``text`` (at most once per intent)."""
        folded = fold(text).replace("’", "'")
        there = {name for name, pattern in self.groups.items() if pattern.search(folded)}
        there |= mentioned(mentions)
        gains: dict[str, float] = {}
        for rule in RULES:
            if there.issuperset(rule.these) and there.isdisjoint(rule.without):
                gains[rule.intent] = max(rule.weight, gains.get(rule.intent, 0.0))
        return gains


def mentioned(mentions: Mentions) -> set[str]:
    """Return the kinds of things an utterance names, as rules call them."""
    there = {
        "@product": bool(mentions.products),
        "@thing": bool(mentions.products or mentions.kinds),
        "@kind": bool(mentions.kinds),
        "@use": bool(mentions.uses),
        "@two": len(mentions.products) > 1,
        "@colour": bool(mentions.colours),
        "@size": bool(mentions.sizes),
        "@country": bool(mentions.country),
        "@limit": mentions.limit is not None,
        "@number": any(len(run) >= 5 for run in mentions.digits),
    }
    return {name for name, true in there.items() if true}
