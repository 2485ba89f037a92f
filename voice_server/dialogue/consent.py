"""Is this a yes?  What counts as consent to a write, in the caller's own language.  Pure.

Consent is a closed grammar, not a likelihood: the whole utterance must be a yes and politeness,
in the language of the read-back.  "mhm", "ok", "oui oui", a yes with anything else in it ("yes, but
the other one") and another language's word are no consent; they are asked about.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

import yaml

from voice_server.dialogue.locales import load_locale
from voice_server.dialogue.words import fold

LONGEST = 8
"""Words: a longer utterance says something besides yes."""

_SPACE = re.compile(r"[^\w'-]+")
_PATTERNS = (
    "correct",
    "repeat",
    "slower",
    "wait",
    "stop",
    "clarify",
    "human",
    "nature",
    "all_of_them",
)


class Consent(StrEnum):
    """What an answer to "shall I?" amounts to."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class FlowWords:
    """What every flow understands in one language; patterns are for :func:`heard_words`."""

    yes: frozenset[str]
    yes_phrases: re.Pattern[str]
    no: frozenset[str]
    no_phrases: re.Pattern[str]
    polite: re.Pattern[str]
    patterns: Mapping[str, re.Pattern[str]]

    def has(self, pattern: str, text: str) -> bool:
        """Tell whether a text shows one of the inherited patterns ("repeat", "human", ...)."""
        return bool(self.patterns[pattern].search(heard_words(text)))


@functools.cache
def flow_words(language: str) -> FlowWords:
    """Return the words of a language. Raises UnknownLocale where it has no locale file."""
    load_locale(language)
    name = f"words.{language}.yaml"
    data = resources.files("voice_server.dialogue") / "data" / "flows" / name
    raw = yaml.safe_load(data.read_text(encoding="utf-8"))
    return FlowWords(
        yes=frozenset(raw["yes"]),
        yes_phrases=_any_of(raw["yes_phrases"]),
        no=frozenset(raw["no"]),
        no_phrases=_any_of(raw["no_phrases"]),
        polite=_any_of(raw["polite"]),
        patterns={key: re.compile("|".join(raw[key])) for key in _PATTERNS},
    )


def heard_words(text: str) -> str:
    """Return a text as patterns see it: folded, words separated by single spaces.

    Hyphens and apostrophes inside words stay ("allez-y", "c'est"); commas become spaces.
    """
    plain = fold(text).replace("’", "'")
    return " ".join(word.strip("'-") for word in _SPACE.sub(" ", plain).split())


def read_consent(text: str, language: str) -> Consent:
    """Return what ``text`` answers to a read-back in ``language``."""
    words = flow_words(language)
    said = heard_words(text)
    parts = said.split()
    if not parts:
        return Consent.UNCLEAR
    refuses = bool(words.no.intersection(parts)) or bool(words.no_phrases.search(said))
    if refuses:
        # "no, yes" and "oui non" leave us no wiser, but nothing may happen on them.
        agrees = bool(words.yes.intersection(parts))
        return Consent.UNCLEAR if agrees else Consent.NO
    if len(parts) > LONGEST:
        return Consent.UNCLEAR
    spelled = words.yes_phrases.sub(" yes! ", said)
    rest = words.polite.sub(" ", spelled).split()
    agreed = [part for part in rest if part in words.yes or part == "yes!"]
    if not agreed or len(agreed) < len(rest):
        return Consent.UNCLEAR
    doubled = len(agreed) > 1 and "yes!" not in agreed
    return Consent.UNCLEAR if doubled else Consent.YES


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    longest = sorted(patterns, key=len, reverse=True)
    return re.compile(r"(?<![\w'-])(?:" + "|".join(longest) + r")(?![\w'-])")
