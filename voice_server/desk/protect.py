"""Keeps what must not be translated byte for byte: numbers, prices, references, names, terms.

A text is masked before it is translated (``⟦1⟧`` in place of "BE-10023") and unmasked after; a
translation that lost, doubled or invented a mark, or that has a digit of its own, is no
translation.  Terms of the shop's glossary become their word in the other language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OPEN, CLOSE = "⟦", "⟧"

_MARK = re.compile(r"⟦\s*(\d+)\s*⟧")

_KEEP = re.compile(
    r"""
      ⟦[^⟧]*⟧                                       # what looks like a mark of ours
    | https?://\S+[^\s.,;:!?)»”’'"]                 # addresses
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
    | (?:€|\$|£|EUR|USD|GBP|CHF)[ \u00a0\u202f]?\d[\d.,' \u00a0\u202f]*\d      # prices
    | (?:€|\$|£|EUR|USD|GBP|CHF)[ \u00a0\u202f]?\d
    | \d[\d.,'\u00a0\u202f]*(?:[ \u00a0\u202f]\d{3})*(?:[.,]\d+)?
        [ \u00a0\u202f]?(?:€|\$|£|EUR|USD|GBP|CHF|%)
    | \+\d[\d ./()-]{5,}\d                          # telephone numbers
    | \b(?=[\w-]*\d)(?=[\w-]*[^\W\d_])\w+(?:[-_/]\w+)*\b   # BE-10023, oslo-black-40, A4
    | \d+(?:[.,:/-]\d+)*                            # anything else with digits
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with marks; ``kept[n - 1]`` belongs in the place of mark n."""

    text: str
    kept: tuple[str, ...]


def mask(
    text: str, *, names: Sequence[str] = (), glossary: Mapping[str, str] | None = None
) -> Masked:
    """Put marks in the place of what stays as it is.

    ``names`` stay byte-identical where they stand as words; ``glossary`` maps terms of this
    text's language to the other's.  Longer names and terms win.
    """
    terms = {term.casefold(): word for term, word in (glossary or {}).items() if term.strip()}
    wanted = sorted({*terms, *(name.casefold() for name in names if name.strip())}, key=len)
    words = "|".join(re.escape(word) for word in reversed(wanted))
    pattern = re.compile(
        rf"(?:{_KEEP.pattern})|(?P<word>(?<!\w)(?:{_verbose(words)})(?!\w))" if words
        else rf"(?:{_KEEP.pattern})|(?P<word>(?!))",
        re.VERBOSE | re.IGNORECASE,
    )  # fmt: skip
    kept: list[str] = []

    def replace(found: re.Match[str]) -> str:
        word = found.group()
        kept.append(terms.get(word.casefold(), word) if found.group("word") else word)
        return f"{OPEN}{len(kept)}{CLOSE}"

    return Masked(pattern.sub(replace, text), tuple(kept))


def unmask(masked: Masked, translated: str) -> str | None:
    """Return the translation with everything back in its place; None if it cannot be trusted."""
    marks = [int(number) for number in _MARK.findall(translated)]
    if sorted(marks) != list(range(1, len(masked.kept) + 1)):
        return None
    bare = _MARK.sub("", translated)
    if OPEN in bare or CLOSE in bare or any(char.isdigit() for char in bare):
        return None
    return _MARK.sub(lambda found: masked.kept[int(found.group(1)) - 1], translated).strip()


def _verbose(words: str) -> str:
    """Escape what verbose patterns skip: spaces and hashes inside names."""
    return re.sub(r"(?<!\\)([ #])", r"\\\1", words)
