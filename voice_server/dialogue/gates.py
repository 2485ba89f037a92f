"""The sentence gate: nothing is spoken that the facts do not back.  Sans-I/O.

The write gate (read-back, spoken yes, execute once) will stand in this module beside it.

What it holds, per sentence or clause, before a word leaves:

* every number, price, percentage, date, time, weekday, code, address and "free" is in the facts;
* no product-like name that neither the facts nor the user have used;
* no promise of an action that nobody has taken, no denial of being an AI;
* no topic and no claim that the locale's guard pack declines;
* the language asked for; no markup; nothing said twice.

What it cannot hold: a sentence with right words and a wrong sense ("yes, in stock" against "out
of stock"), and a bare "one" ("un", "een", "ein"), which is mostly an article.  That is why sure
answers come from templates and not from a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from voice_server.dialogue.claims import Claim, Kind, read_claims
from voice_server.dialogue.grounds import Grounds
from voice_server.dialogue.guards.packs import GuardPack
from voice_server.dialogue.locales import AVAILABLE, load_locale

Identify = Callable[[str, Sequence[str]], tuple[str, float]]


class Reason(StrEnum):
    """Why a sentence was not spoken as it came; for logs and metrics."""

    CLAIM = "claim"
    NAME = "name"
    PROMISE = "promise"
    DENIAL = "denial"
    LANGUAGE = "language"
    EMPTY = "empty"
    REPEATED = "repeated"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Pass:
    """Speak ``text``: the sentence without markup."""

    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Speak something grounded in its place; ``detail`` is what offended."""

    reason: Reason
    detail: str
    instead: str = ""
    """TOPIC: the sentence of the guard pack."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Leave it out: nothing is lost."""

    reason: Reason
    detail: str = ""


Verdict = Pass | Replace | Drop

LANGUAGE_WORDS = 5
"""Shorter sentences are not judged by language: identification errs on them (product names)."""

LANGUAGE_CERTAINTY = 0.8

SMALL_TALK_LIMIT = 12
"""A relaxed gate lets bare numbers up to this pass ("two options", "3 steps")."""

_ALWAYS_CHECKED = frozenset(
    {Kind.MONEY, Kind.PERCENT, Kind.DATE, Kind.CODE, Kind.ADDRESS, Kind.FREE}
)

_MONTHS = (
    r"jan[uv]\w+|f[eé][bv]\w+|m[aä]r\w+|a[pv]r\w+|ma[iy]|mei|jui?[nl]\w*|a[uo]\w+|sept\w+|"
    r"o[ck]t\w+|nov\w+|d[eé][cz]\w+"
)

_MARKUP = (
    (re.compile(r"```.*?(?:```|$)", re.DOTALL), " "),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[\^?\d+\]|【[^】]*】"), ""),
    (re.compile(r"<[^<>]{0,80}>"), " "),
    (re.compile(r"^\s*(?:assistant|antwort|answer|réponse|antwoord)\s*:\s*", re.IGNORECASE), ""),
    (re.compile(r"(?m)^\s*(?:#{1,6}|[-*•>])\s+"), ""),
    # A list number, but not the day in "3. März".
    (re.compile(rf"(?mi)^\s*\d[.)]\s+(?!(?:{_MONTHS})\b)"), ""),
    (re.compile(r"(\*\*|__|~~|`+)"), ""),
    (re.compile(r"(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)"), ""),
    (re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]"), ""),
    (re.compile(r"\s+"), " "),
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# German forms of address: their capital says nothing about the noun behind them.
_POLITE = frozenset({"sie", "ihnen", "ihr", "ihre", "ihren", "ihrem", "ihrer", "ihres"})
_SPEAKABLE = re.compile(r"[^\W_]")
_SENTENCE_START = re.compile(r"(?:^|[.!?…:;]|[\"«»“„(])\s*$")


def strip_markup(text: str) -> str:
    """Return plain text for speech: no markdown, list marks, links, footnotes, emoji, tags."""
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    return text.strip()


@dataclass(frozen=True, slots=True)
class SentenceGate:
    """The gate of one reply."""

    grounds: Grounds
    language: str
    languages: tuple[str, ...] = AVAILABLE
    identify: Identify | None = None
    """None: the language is not checked."""
    relaxed: bool = False
    """Under a client's own instructions: names are free, and so are small bare numbers."""
    guards: GuardPack | None = None
    """Topics that are declined and claims that are never made; None checks none."""
    acted: bool = False
    """A client's tool ran in this turn: "I have changed it" may be true."""

    def check(self, clause: str, *, before: str = "", said: Collection[str] = ()) -> Verdict:
        """Judge a clause.

        ``before`` is what was already let through of the same sentence, so that neither a promise
        nor a price can hide behind a comma; ``said`` are the sentences of this reply so far.
        """
        text = strip_markup(clause)
        if not _SPEAKABLE.search(text):
            return Drop(Reason.EMPTY)
        if text.casefold() in {sentence.casefold() for sentence in said}:
            return Drop(Reason.REPEATED, text)
        whole = f"{before} {text}" if before else text
        offset = len(whole) - len(text)
        return (
            self._conduct(whole)
            or self._tongue(whole)
            or self._claims(whole, offset)
            or self._names(whole, offset)
            or Pass(text)
        )

    def _conduct(self, text: str) -> Replace | None:
        locale = load_locale(self.language)
        plain = text.replace("’", "'")
        # In every language: under a client's instructions a model may speak another one.
        for language in AVAILABLE:
            for pattern in load_locale(language).denial:
                if match := pattern.search(plain):
                    return Replace(Reason.DENIAL, match.group())
        if self.guards is not None and (offence := self.guards.said(text)) is not None:
            return Replace(Reason.TOPIC, f"{offence.topic}: {offence.words}", offence.instead)
        if not self.acted:
            for pattern in locale.promise:
                if match := pattern.search(plain):
                    return Replace(Reason.PROMISE, match.group())
        return None

    def _tongue(self, text: str) -> Replace | None:
        if self.identify is None or len(_WORD.findall(text)) < LANGUAGE_WORDS:
            return None
        language, certainty = self.identify(text, self.languages)
        if language != self.language and certainty >= LANGUAGE_CERTAINTY:
            return Replace(Reason.LANGUAGE, language)
        return None

    def _claims(self, text: str, offset: int) -> Replace | None:
        products = self.grounds.products_in(text)
        for claim in read_claims(text, self.language):
            if claim.end <= offset or (self.relaxed and _harmless(claim)):
                continue
            if not self.grounds.backs(claim, products):
                return Replace(Reason.CLAIM, text[claim.start : claim.end])
        return None

    def _names(self, text: str, offset: int) -> Replace | None:
        if self.relaxed:
            return None
        previous: re.Match[str] | None = None
        for match in _WORD.finditer(text):
            if (
                match.start() >= offset
                and self._name_like(text, match, previous)
                and not self._known(match.group())
            ):
                return Replace(Reason.NAME, match.group())
            previous = match
        return None

    def _name_like(self, text: str, match: re.Match[str], previous: re.Match[str] | None) -> bool:
        """Is it written like a name?

        A capital inside a sentence; in German, where every noun has one, only behind a noun of
        the facts ("Stuhl Oslo", but not "einen Augenblick Geduld").
        """
        word = match.group()
        if not word[0].isupper() or _SENTENCE_START.search(text[: match.start()]):
            return False
        if self.language != "de":
            return True
        between = text[previous.end() : match.start()] if previous else "."
        return (
            previous is not None
            and previous.group()[0].isupper()
            and previous.group().lower() not in _POLITE
            and self.grounds.knows(previous.group())
            and between.isspace()
            and not _SENTENCE_START.search(text[: previous.start()])
        )

    def _known(self, word: str) -> bool:
        parts = [part for part in re.split(r"['’-]", word) if part[:1].isupper()]
        return self.grounds.knows(word) or all(self.grounds.knows(part) for part in parts)


def _harmless(claim: Claim) -> bool:
    if claim.kind in _ALWAYS_CHECKED:
        return False
    if claim.kind is Kind.NUMBER:
        return not claim.unit and float(claim.value) <= SMALL_TALK_LIMIT
    return claim.kind is not Kind.TIME
