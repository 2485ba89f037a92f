"""Locale guard packs: topics that are declined, and claims that are never made.

A pack is a file per language (``data/guards/<language>.yaml``); a shop may have its own
``guards/<language>.yaml`` on top.  Compiled once; a check is some regular expressions over one
sentence (about 0.1 ms), before any audio of it.

A shop's file may hold::

    allow: [ikea]                    # never an offence here
    remove: [competitors]            # topics this shop does discuss
    topics:
      alcohol:                       # a new one, or more of an old one
        instead: "..."
        asked: ["..."]
        said: ["..."]

Patterns are regular expressions over *folded* text (small letters, no accents, ß as ss); they match
whole words.  ``{competitors}``, ``{politicians}`` and ``{parties}`` stand for lists of names.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from voice_server.dialogue.locales import AVAILABLE, UnknownLocale
from voice_server.dialogue.words import fold

FILE = "guards/{language}.yaml"
"""Where a shop pack keeps its own."""


class GuardError(ValueError):
    """A guard file is wrong; the text names file, topic and remedy."""


@dataclass(frozen=True, slots=True)
class Offence:
    """A sentence that touches a topic. ``words`` is what gave it away; for logs, not for ears."""

    topic: str
    words: str
    instead: str
    """What is said in its place."""


@dataclass(frozen=True, slots=True)
class _Topic:
    name: str
    instead: str
    asked: re.Pattern[str] | None
    said: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class GuardPack:
    """The guards of one language, compiled."""

    language: str
    topics: tuple[_Topic, ...]
    allow: re.Pattern[str] | None = None

    def said(self, sentence: str) -> Offence | None:
        """Return what offends in a sentence of ours, None if it may be spoken."""
        return self._find(sentence, ours=True)

    def asked(self, utterance: str) -> Offence | None:
        """Return the topic of a user's words that we decline, None for all others."""
        return self._find(utterance, ours=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The topics, in the order they are checked."""
        return tuple(topic.name for topic in self.topics)

    def _find(self, text: str, *, ours: bool) -> Offence | None:
        folded = " ".join(fold(text.replace("’", "'")).split())
        if self.allow is not None:
            # Blanks of the same kind of length: what stands around must not grow together.
            folded = self.allow.sub(" | ", folded)
        for topic in self.topics:
            pattern = topic.said if ours else topic.asked
            match = None if pattern is None else pattern.search(folded)
            if match is not None:
                return Offence(topic.name, match.group(), topic.instead)
        return None


def load_guards(language: str, shop: Path | None = None) -> GuardPack:
    """Return the guards of a language, with a shop's own on top.

    Args:
        language: ISO 639-1.
        shop: the folder of the shop pack.

    Raises:
        UnknownLocale: there is no guard file for the language.
        GuardError: a file is wrong.
    """
    if language not in AVAILABLE:
        raise UnknownLocale(f"no guard file for {language!r}; there are {', '.join(AVAILABLE)}")
    own = None if shop is None else shop / FILE.format(language=language)
    if own is None or not own.is_file():
        return _bundled(language)
    return _compile(language, _merge(_read(language), _parse(own.read_text("utf-8"), str(own))))


@functools.cache
def _bundled(language: str) -> GuardPack:
    return _compile(language, _read(language))


def _read(language: str) -> Mapping[str, Any]:
    data = resources.files("voice_server.dialogue") / "data" / "guards" / f"{language}.yaml"
    return _parse(data.read_text("utf-8"), f"{language}.yaml")


def _parse(text: str, file: str) -> Mapping[str, Any]:
    try:
        raw = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise GuardError(f"{file} is no YAML: {error}") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("topics", {}), dict):
        raise GuardError(f"{file} must hold allow, remove and topics")
    for name, topic in raw.get("topics", {}).items():
        wrong = not isinstance(topic, dict) or set(topic) - {"instead", "asked", "said"}
        if wrong:
            raise GuardError(f"{file}: topic {name!r} may hold instead, asked and said")
    return raw


def _merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    topics = {n: t for n, t in base["topics"].items() if n not in own.get("remove", ())}
    for name, topic in own.get("topics", {}).items():
        old = topics.get(name, {})
        topics[name] = {
            "instead": topic.get("instead") or old.get("instead", ""),
            "asked": [*old.get("asked", ()), *topic.get("asked", ())],
            "said": [*old.get("said", ()), *topic.get("said", ())],
        }
    return {"allow": [*base.get("allow", ()), *own.get("allow", ())], "topics": topics}


def _compile(language: str, raw: Mapping[str, Any]) -> GuardPack:
    names = _names()
    topics = []
    for name, topic in raw["topics"].items():
        if not topic.get("instead"):
            raise GuardError(f"guards/{language}.yaml: topic {name!r} needs an 'instead'")
        asked = _pattern(topic.get("asked", ()), names, f"{language}: {name}")
        said = _pattern(topic.get("said", ()), names, f"{language}: {name}")
        topics.append(_Topic(name, topic["instead"], asked, said))
    allow = _pattern(raw.get("allow", ()), names, f"{language}: allow")
    return GuardPack(language, tuple(topics), allow)


@functools.cache
def _names() -> Mapping[str, str]:
    data = resources.files("voice_server.dialogue") / "data" / "guards" / "names.yaml"
    raw: Mapping[str, Sequence[str]] = yaml.safe_load(data.read_text("utf-8"))
    return {key: "|".join(names) for key, names in raw.items()}


def _pattern(
    patterns: Iterable[str], names: Mapping[str, str], where: str
) -> re.Pattern[str] | None:
    parts: list[str] = []
    for pattern in patterns:
        if fold(re.sub(r"\\[A-Z]", "", pattern)) != re.sub(r"\\[A-Z]", "", pattern):
            raise GuardError(f"{where}: write {pattern!r} in small letters without accents")
        for key, alternatives in names.items():
            pattern = pattern.replace("{" + key + "}", alternatives)
        parts.append(pattern)
    if not parts:
        return None
    try:
        return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])")
    except re.error as error:
        raise GuardError(f"{where}: {error}") from None
