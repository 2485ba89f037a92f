"""Words as they are compared: folded, split and reduced to how they sound."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|€")
_ELISION = re.compile(r"^(?:qu|[cdjlmnst])['’](?=\w)", re.IGNORECASE)
# Sounds that recognisers confuse between the four languages, most specific first. The result is
# no phonetic transcription: it only has to be equal for spellings that sound alike.
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"tch|tsch|sch|sh|ch(?=[ei])", "S"),
        (r"eaux?|aux?|oo(?=[nr])", "o"),
        (r"ow|oa", "o"),
        (r"ou|oe|oo", "u"),
        (r"ai|ei|ay|ey|ee|ij", "e"),
        (r"ph|pf", "f"),
        (r"qu|ck|ch|c(?![eiy])|q", "k"),
        (r"c|ss|z|tz", "s"),
        (r"x", "ks"),
        (r"gh|gu(?=[ei])", "g"),
        (r"w|v", "f"),
        (r"y|j(?=[aou])|ie", "i"),
        (r"th|dt", "t"),
        (r"h", ""),
        (r"(.)\1+", r"\1"),
        (r"(?<=..)(?:e|es|s|t)$", ""),
    )
)


def fold(text: str) -> str:
    """Return lower-case text without accents ("Malmö" → "malmo"; ß → ss)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def tokens(text: str, *, elide: bool = True) -> list[str]:
    """Split into folded words and numbers; French elisions ("l'", "qu'") are cut off."""
    found = []
    for match in _TOKEN.finditer(text):
        word = _ELISION.sub("", match.group()) if elide else match.group()
        found.append(fold(word))
    return found


def plain(text: str) -> str:
    """Return the text as recognisers write it: lower case, without punctuation."""
    return " ".join(match.group().casefold() for match in _TOKEN.finditer(text))


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Cut plural and inflection endings off a folded word: for search, not for grammar."""
    for ending in ("lichen", "ungen", "en", "es", "er", "ne", "s", "x", "e", "n"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return re.sub(r"(.)\1$", r"\1", word)


@lru_cache(maxsize=8192)
def sound(word: str) -> str:
    """Return a key that is equal for spellings that sound alike ("Oslow", "oslo")."""
    key = re.sub(r"[^a-z]", "", fold(word))
    for pattern, replacement in _SOUNDS:
        key = pattern.sub(replacement, key)
    return key
