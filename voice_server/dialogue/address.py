"""How customers are addressed: "u" or "je", "vous" or "tu", "Sie" or "du".  Pure.

Bundled sentences are written politely.  For a shop that says "je", they are turned by a table of
word for word replacements for each language (``data/address/``), which a test holds against every
sentence there is: nothing polite may remain.  What a shop has written itself is never touched.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib import resources

LANGUAGES = ("fr", "nl", "de")
"""Those that have two ways; English has one."""


def familiar(text: str, language: str) -> str:
    """Return a bundled sentence as it is said to somebody one says "je", "tu" or "du" to."""
    if language not in LANGUAGES:
        return text
    pattern, words = _table(language)

    def replace(found: re.Match[str]) -> str:
        word = words[found.group().lower()]
        if word.startswith("~"):  # it goes on with a sentence, wherever it stands in its file
            return word[1:]
        upper = found.group()[0].isupper() and _begins(text, found.start())
        return word[0].upper() + word[1:] if upper else word

    return pattern.sub(replace, text)


@functools.cache
def _table(language: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    data = resources.files("voice_server.dialogue") / "data" / "address" / f"{language}.txt"
    words: dict[str, str] = {}
    polite: list[str] = []
    for line in data.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        before, _, after = line.partition(" = ")
        words[before.lower()] = after
        polite += _cased(before, language)
    longest = sorted(polite, key=len, reverse=True)
    pattern = "|".join(re.escape(one) for one in longest)
    return re.compile(rf"(?<![\w'-])(?:{pattern})(?![\w])"), words


def _cased(text: str, language: str) -> tuple[str, ...]:
    """Return a piece as it is written inside a sentence and at its beginning."""
    if language == "de" and text.split()[0] in _PRONOUNS:
        return (text,)  # "sie" and "ihr" are others
    return (text, text[0].upper() + text[1:])


_PRONOUNS = frozenset({"Sie", "Ihr", "Ihre", "Ihrem", "Ihren", "Ihrer", "Ihres", "Ihnen"})


def _begins(text: str, place: int) -> bool:
    """Does a sentence begin here?  German writes "Sie" large inside sentences too."""
    before = text[:place].rstrip(' "„«')
    return not before or before[-1] in ".?!\n" or before.endswith(" /")
