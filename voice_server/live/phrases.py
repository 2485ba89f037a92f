"""The presenter's own sentences, in every language, varied, and agreeing with the product."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

from voice_server.dialogue.answers.phrasing import Noun, Phrasebook, parse
from voice_server.live.screen import is_abusive, is_injection

LANGUAGES = ("fr", "nl", "de", "en")

_NAME = re.compile(r"(?=.{2})[^\W\d_]{1,14}(?:[ '-][^\W\d_]{1,14}){0,2}")
_AND = {"fr": "et", "nl": "en", "de": "und", "en": "and"}


@cache
def phrases(language: str) -> Phrasebook:
    """Return a language's sentences, the English ones for a language we have none for."""
    known = language if language in LANGUAGES else "en"
    path = resources.files("voice_server.live") / "data" / "phrases" / f"{known}.txt"
    return Phrasebook(known, parse(path.read_text(encoding="utf-8"), f"{known}.txt"))


def fixed(language: str) -> list[str]:
    """Return the sentences that are always the same: they are worth keeping as sound."""
    clauses = [
        clause
        for variants in phrases(language).entries.values()
        for variant in variants
        for clause in variant
    ]
    return [text for text in clauses if not {"{", "["}.intersection(text) and text[-1] in ".!?"]


def sayable(name: str) -> str:
    """Return a viewer's name as it may be spoken, "" if it may not.

    Names are what viewers smuggle insults and commands in by; only plain ones of one to three
    words are spoken.

    >>> sayable("Ana-Maria"), sayable("xX_420_Xx"), sayable("buy at evil.com")
    ('Ana-Maria', '', '')
    """
    name = name.strip()
    if not _NAME.fullmatch(name) or is_abusive(name.replace(" ", "")) or is_abusive(name):
        return ""
    return "" if is_injection(name) else name


def listed(names: Sequence[str], language: str) -> str:
    """Join names as the language does: "Ana, Bo et Cy"."""
    link = _AND.get(language, "and")
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {link} {names[-1]}"


def plural_key(key: str, count: int) -> str:
    """Return the key of the wording for ``count`` things."""
    return key if count == 1 else f"{key}_many"


def minutes(seconds: float, language: str) -> str:
    """Word a duration in whole minutes, at least one."""
    count = max(1, round(seconds / 60))
    book = phrases(language)
    text = book.text(plural_key("minutes", count), 0, None, count=str(count))
    return text[:1].lower() + text[1:]


__all__ = ["LANGUAGES", "Noun", "fixed", "listed", "minutes", "phrases", "plural_key", "sayable"]
