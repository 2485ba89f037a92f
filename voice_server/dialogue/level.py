"""How much the caller knows: novice, standard or expert, heard from their own words.

The level changes wording and length, never facts.  What led to it is kept with its reason; the
caller's own wish ("explain it simply") overrides everything heard.  Sans-I/O.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Final

import yaml

from voice_server.dialogue.facts import Context
from voice_server.dialogue.words import fold

NOVICE: Final = "novice"
STANDARD: Final = "standard"
EXPERT: Final = "expert"
LEVELS = (NOVICE, STANDARD, EXPERT)

ENOUGH = 2
"""Points from which a level is believed: one plain statement, or two technical terms.  A single
term may be read off a box."""

STATEMENT, TERM = 2, 1
"""Points of "I know nothing about lamps" or "I am an electrician", and of one technical term."""

KEPT = 8
"""Pieces of evidence that are kept, newest last."""

TOLD: Mapping[str, str] = {
    NOVICE: "Explain simply: everyday words, short sentences, no technical terms.",
    STANDARD: "",
    EXPERT: "The customer is an expert: be precise, use technical terms, give the exact figures.",
}
"""What a language model is told of the level."""


@dataclass(frozen=True, slots=True)
class _Cues:
    wishes: tuple[tuple[str, re.Pattern[str]], ...]
    """Level and how callers ask for it."""
    said: tuple[tuple[str, re.Pattern[str]], ...]
    """Level and what callers say of themselves."""
    terms: re.Pattern[str]


@functools.cache
def _cues(language: str) -> _Cues:
    text = resources.files("voice_server.dialogue").joinpath("data/levels.yaml").read_text("utf-8")
    raw: dict[str, Any] = yaml.safe_load(text)
    own = raw["languages"].get(language) or raw["languages"]["en"]
    terms = [*raw["terms"], *own["terms"]]
    return _Cues(
        tuple((level, _any(own["asks"][level])) for level in LEVELS),
        tuple((level, _any(own["says"][level])) for level in (NOVICE, EXPERT)),
        re.compile(rf"(?<!\w)(?:{'|'.join(terms)})(?!\w)"),
    )


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


def wish(text: str, language: str) -> str:
    """Return the level that is asked for outright, "" if none is."""
    folded = fold(text)
    return next((level for level, cue in _cues(language).wishes if cue.search(folded)), "")


def hear(context: Context, text: str, language: str) -> Context:
    """Return the context after an utterance: its level, and the evidence for it.

    Evidence reads "expert: term lumen"; words that were no cue are not kept.
    """
    wished = wish(text, language)
    if wished:
        found = (*context.level_evidence, f"{wished}: asked for it")
        return replace(context, level=wished, level_chosen=True, level_evidence=found[-KEPT:])
    folded, cues = fold(text), _cues(language)
    new = [f"{level}: said {hit.group()!r}" for level, cue in cues.said
           if (hit := cue.search(folded))]  # fmt: skip
    new += [f"{EXPERT}: term {term}" for term in dict.fromkeys(cues.terms.findall(folded))]
    evidence = tuple(dict.fromkeys((*context.level_evidence, *new)))[-KEPT:]
    if evidence == context.level_evidence:
        return context
    level = context.level if context.level_chosen else _judge(evidence, context.level)
    return replace(context, level=level, level_evidence=evidence)


def _judge(evidence: tuple[str, ...], before: str) -> str:
    """Return the level the evidence speaks for; where both sides have some, the newest statement.

    A level that was believed stays until the other one has enough.
    """
    points = {NOVICE: 0, EXPERT: 0}
    for piece in evidence:
        level, _, reason = piece.partition(": ")
        points[level] = points.get(level, 0) + (STATEMENT if reason.startswith("said") else TERM)
    believed = [level for level in (NOVICE, EXPERT) if points[level] >= ENOUGH]
    if not believed:
        return before
    if len(believed) == 1:
        return believed[0]
    said = [piece.partition(": ")[0] for piece in evidence if ": said" in piece]
    return said[-1] if said else before
