"""The injection screen: instructions hidden in texts that should only inform.  Pure.

Everything that enters a prompt and was not written by us is screened: callers' words, product
texts, order notes, tool results.  A sentence that gives orders to a machine is cut and marked; the
rest stays.  This is the second line only: writes, discounts and identity are decided by code that
reads no prose at all, and the sentence gate counts no claim of a screened sentence.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources

import yaml

from voice_server.dialogue.facts import Fact
from voice_server.dialogue.words import fold

CUT = "[…]"
"""What stands where a sentence was cut."""


class Source(StrEnum):
    """Where a text comes from, which decides how much of an order it may look like."""

    CALLER = "caller"
    """Shoppers do say "my boss allowed it" and "give me a discount": only plain attacks go."""
    DATA = "data"
    """Product texts, notes and tool results have no business addressing anybody."""


@dataclass(frozen=True, slots=True)
class Screened:
    """A text that may enter a prompt, and what was cut from it."""

    text: str
    cut: tuple[str, ...] = ()
    """The sentences that were cut; for the decision record, shortened, never for a prompt."""

    @property
    def clean(self) -> bool:
        """Was nothing cut?"""
        return not self.cut


_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]"
)
_SPACED = re.compile(r"(?<!\w)(?:[^\W\d_] ){4,}[^\W\d_](?!\w)")
"""Letters set apart ("I g n o r e"), at least five of them."""
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=[\s\"<])|\n")
_BLOB = re.compile(r"[A-Za-z0-9+/]{80,}={0,2}")
"""Long encoded text: nobody says it, and a model might decode it."""
_LONGEST_CUT = 80


def screen(text: str, source: Source) -> Screened:
    """Return what of a text may enter a prompt."""
    return _screen(text, source)


@functools.lru_cache(maxsize=1024)
def _screen(text: str, source: Source) -> Screened:
    # Invisible characters go even from clean texts: they only ever hide something.
    visible = _BLOB.sub(CUT, _INVISIBLE.sub("", text))
    if not _orders(visible, source):
        return Screened(visible)
    kept: list[str] = []
    cut: list[str] = []
    for sentence in _SENTENCE_END.split(visible):
        if _orders(sentence, source):
            cut.append(sentence.strip()[:_LONGEST_CUT])
            if not kept or kept[-1] != CUT:
                kept.append(CUT)
        else:
            kept.append(sentence.strip())
    if not cut or _orders(" ".join(kept), source):
        # The order spans sentences, so that none of them may stay.
        return Screened(CUT, (visible.strip()[:_LONGEST_CUT],))
    return Screened(" ".join(part for part in kept if part), tuple(cut))


def screen_facts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return facts whose texts give no orders; the claims of what was cut no longer count."""
    return tuple(
        replace(fact, title=screen(fact.title, Source.DATA).text, text=screened.text)
        if not (screened := screen(fact.text, Source.DATA)).clean
        or not screen(fact.title, Source.DATA).clean
        else fact
        for fact in facts
    )


def _orders(text: str, source: Source) -> bool:
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    folded = re.sub(r"[^\S\n]+", " ", fold(_SPACED.sub(_together, plain)))
    always, data = _patterns()
    return bool(always.search(folded) or (source is Source.DATA and data.search(folded)))


def _together(match: re.Match[str]) -> str:
    return match.group().replace(" ", "")


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    file = resources.files("voice_server.dialogue") / "data" / "guards" / "injection.yaml"
    raw = yaml.safe_load(file.read_text("utf-8"))
    always, data = (
        re.compile("|".join(f"(?:{pattern})" for pattern in raw[key])) for key in ("always", "data")
    )
    return always, data
