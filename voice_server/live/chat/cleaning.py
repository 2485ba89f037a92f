"""Untrusted chat text made safe to keep: bounded, one line, without invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from voice_server.live.chat.envelope import MAX_NAME, MAX_TEXT

_SPACES = re.compile(r"\s+")
_KEPT_FORMATS = frozenset("\u200d")
"""The joiner of emoji families; every other format character (overrides, tags) goes."""
_MARKS_IN_A_ROW = 3
"""Combining marks kept on one letter: Vietnamese needs two, "zalgo" dozens."""
_LOOK = 8
"""Characters looked at for each that is kept: 10 kB of nothing must cost nothing."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    r"""Return at most ``limit`` characters of printable text on one line.

    >>> clean("how\x00 much\n\n?")
    'how much ?'
    """
    text = unicodedata.normalize("NFC", text[: limit * _LOOK])
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in {"Mn", "Me"}:
            marks += 1
            if marks > _MARKS_IN_A_ROW:
                continue
        else:
            marks = 0
        if character.isspace():
            kept.append(" ")
        elif category in {"Cc", "Cs", "Co", "Cn"}:
            continue
        elif category != "Cf" or character in _KEPT_FORMATS:
            kept.append(character)
    return _SPACES.sub(" ", "".join(kept)).strip()[:limit].rstrip()


def clean_name(name: str) -> str:
    """Return a display name that can be shown and said."""
    return clean(name, MAX_NAME)


def without_ranges(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` without the code points ``first..last`` (inclusive) of each range."""
    gone: set[int] = set()
    for first, last in ranges:
        gone.update(range(max(first, 0), min(last, len(text) - 1) + 1))
    return "".join(character for at, character in enumerate(text) if at not in gone)
