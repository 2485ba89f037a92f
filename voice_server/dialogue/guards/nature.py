"""Does somebody ask whether an AI is speaking?  Then the answer is always yes (R2).  Pure.

A rule and not a guess: no model and no instruction has a say in it.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

import yaml

from voice_server.dialogue.words import fold

LONGEST = 25
"""Words: in a longer utterance the question is about something else."""


def asks_nature(text: str) -> bool:
    """Does ``text``, in any of our languages, ask whether a human or a machine is speaking?"""
    folded = " ".join(fold(text.replace("’", "'")).split())
    if not folded or len(folded.split()) > LONGEST:
        return False
    asked, other = _patterns()
    match = asked.search(folded)
    if match is None:
        return False
    if _both(folded):
        return True
    return other.search(folded) is None and not _is_product(match.group(), folded[match.end() :])


def _is_product(question: str, rest: str) -> bool:
    """Is it rather about something we sell ("is this machine dishwasher safe?")?"""
    words = question.split()
    if words[-1] not in _THINGS:
        return False
    return words[-2] not in _ONE or len(rest.split()) > _TAIL


_THINGS = frozenset(
    {"machine", "maschine", "computer", "ordinateur", "program", "programma", "programme"}
    | {"programm", "automate", "robot", "roboter"}
)
_ONE = frozenset(
    {"un", "une", "een", "ein", "eine", "einem", "einer", "a", "an", "geen", "kein", "keine"}
)
_TAIL = 4
"""Words behind "a machine" in a question about us ("that is talking to me"?)."""


def _both(folded: str) -> bool:
    """Is it asked in so many words ("... or a robot?"), whatever else is said?"""
    return _EITHER.search(folded) is not None


_EITHER = re.compile(
    r"\b(?:ou|of|oder|or) (?:un |une |een |ein |eine |einem |einer |a |an )?"
    r"(?:robot|roboter|machine|maschine|computer|ordinateur|bot|ia|ai|ki)\b"
)


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    file = resources.files("voice_server.dialogue") / "data" / "guards" / "nature.yaml"
    raw = yaml.safe_load(file.read_text("utf-8"))
    asked = [p for language in ("fr", "nl", "de", "en") for p in raw[language]]
    return _either(asked), _either(raw["not"])


def _either(patterns: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'-])(?:{'|'.join(patterns)})")
