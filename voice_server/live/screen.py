"""The first look at a chat message: is it worth understanding at all? Pure rules, microseconds."""

from __future__ import annotations

import re
import tomllib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources

from voice_server.dialogue.words import fold
from voice_server.live.chat.envelope import ChatEvent, Role

BLOCK_S = 600.0
"""Who insults or injects is not heard for ten minutes (the habit of the better peers)."""
REPEAT_S = 60.0
"""The same words from the same viewer within this time are one question."""
MOST_PER_MINUTE = 8
"""A viewer who writes more is not asking."""
LONGEST = 300
"""Characters of a question; whoever writes more is pasting."""
REMEMBERED = 5_000
"""Viewers whose last words are kept."""

_LINK = re.compile(r"https?://|www\.|\b[\w-]+\.(com|net|org|tv|gg|ly|ru|io|me|shop|xyz)\b", re.I)
_COMMAND = re.compile(r"^[!/.][a-z]", re.I)
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_RUN = re.compile(r"(.)\1{2,}")
_SPELT = re.compile(r"\b(?:[a-z][\W_]){2,}[a-z]\b")
_LEET = str.maketrans("0134578@$", "oieastbas")


class Verdict(StrEnum):
    """What the screen thinks of a message; the console shows it beside what was dropped."""

    GOOD = "good"
    EMPTY = "empty"
    LONG = "long"
    COMMAND = "command"
    LINK = "link"
    REPEATED = "repeated"
    FLOOD = "flood"
    ABUSE = "abuse"
    INJECTION = "injection"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class _Rules:
    abuse: frozenset[str]
    injection: tuple[re.Pattern[str], ...]
    questions: Mapping[str, frozenset[str]]


@cache
def _rules() -> _Rules:
    path = resources.files("voice_server.live").joinpath("data/screen.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return _Rules(
        frozenset(table["abuse"]["words"].split()),
        tuple(re.compile(pattern, re.I) for pattern in table["injection"]["patterns"]),
        {language: frozenset(words.split()) for language, words in table["questions"].items()},
    )


@dataclass(slots=True)
class _Viewer:
    said: OrderedDict[str, float] = field(default_factory=OrderedDict)
    times: list[float] = field(default_factory=list)
    blocked_until: float = 0.0


class Screen:
    """Remembers viewers as far as rules need it."""

    def __init__(self) -> None:
        """Nobody is known."""
        self._viewers: OrderedDict[tuple[str, str], _Viewer] = OrderedDict()

    def judge(self, event: ChatEvent, now: float) -> Verdict:
        """Judge a message and remember that its author has spoken."""
        viewer = self._viewer(event)
        if now < viewer.blocked_until:
            return Verdict.BLOCKED
        verdict = self._judge(event, viewer, now)
        if verdict in (Verdict.ABUSE, Verdict.INJECTION):
            viewer.blocked_until = now + BLOCK_S
        return verdict

    def block(self, platform: str, author_id: str, now: float) -> None:
        """A moderator has banned an author."""
        event_key = (platform, author_id)
        self._viewers.setdefault(event_key, _Viewer()).blocked_until = now + BLOCK_S

    def _judge(self, event: ChatEvent, viewer: _Viewer, now: float) -> Verdict:
        text = event.text
        if len(text) > LONGEST:
            return Verdict.LONG
        if len(_LETTERS.findall(text)) < 2:
            return Verdict.EMPTY
        if _COMMAND.match(text):
            return Verdict.COMMAND
        if is_abusive(text):
            return Verdict.ABUSE
        if is_injection(text):
            return Verdict.INJECTION
        if _LINK.search(text):
            return Verdict.LINK
        trusted = event.roles & {Role.OWNER, Role.MODERATOR}
        viewer.times = [at for at in viewer.times if now - at < 60.0][-MOST_PER_MINUTE:]
        viewer.times.append(now)
        if len(viewer.times) > MOST_PER_MINUTE and not trusted:
            return Verdict.FLOOD
        folded = " ".join(_WORD.findall(fold(text)))
        last = viewer.said.pop(folded, None)
        viewer.said[folded] = now
        while len(viewer.said) > MOST_PER_MINUTE:
            viewer.said.popitem(last=False)
        return Verdict.REPEATED if last is not None and now - last < REPEAT_S else Verdict.GOOD

    def _viewer(self, event: ChatEvent) -> _Viewer:
        key = (event.platform, event.author_id)
        viewer = self._viewers.pop(key, None) or _Viewer()
        self._viewers[key] = viewer
        if len(self._viewers) > REMEMBERED:
            self._viewers.popitem(last=False)
        return viewer


def is_abusive(text: str) -> bool:
    """Return whether a text insults, however it is spelt.

    >>> is_abusive("you f.u.c.k"), is_abusive("Sh1t!"), is_abusive("shiitake")
    (True, True, False)
    """
    folded = fold(text)
    words = set(_WORD.findall(folded))
    words.update(_WORD.findall(folded.translate(_LEET)))
    for spelt in _SPELT.findall(folded):
        words.add(re.sub(r"[\W_]", "", spelt))
    for word in list(words):
        words.add(_RUN.sub(r"\1", word))
    return not words.isdisjoint(_rules().abuse)


def is_injection(text: str) -> bool:
    """Return whether a text tries to steer the presenter instead of asking it."""
    folded = fold(text)
    return any(pattern.search(folded) for pattern in _rules().injection)


def looks_like_question(text: str, language: str) -> bool:
    """Return whether a text asks something: by its mark, or by a word that begins questions."""
    if "?" in text or "？" in text or "؟" in text:
        return True
    words = _WORD.findall(fold(text))
    known = _rules().questions.get(language) or frozenset()
    return bool(words) and (words[0] in known or words[0].split("-")[0] in known)
