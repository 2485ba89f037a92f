"""How upset a customer sounds, from the words alone: never from the voice (AI Act, Annex III)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

LANGUAGES = ("fr", "nl", "de", "en")

WEIGHTS = {"strong": 2.0, "mild": 1.0}
"""One strong word, or two mild ones, make a case emotional at the default threshold of 2."""

WINDOW = 5
"""Customer turns that are looked at: older anger may have been answered."""

_NEAR = 22
"""Characters before a word in which a negation turns it round ("je ne suis pas du tout fâché")."""


@dataclass(frozen=True, slots=True)
class Mood:
    """What the words tell. ``evidence`` are the words themselves, folded."""

    score: float
    danger: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cue:
    pattern: re.Pattern[str]
    weight: float
    danger: bool
    always: bool


@dataclass(frozen=True, slots=True)
class _Lexicon:
    cues: tuple[_Cue, ...]
    negation: re.Pattern[str]


def fold(text: str) -> str:
    """Return the text in lower case, without accents, with plain apostrophes and spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def mood(turns: Sequence[tuple[str, str]]) -> Mood:
    """Judge what a customer said: (text, language) of each turn, oldest first.

    The score adds up over the last turns, each expression once.  A language without a lexicon
    scores nothing, which errs on the calm side.
    """
    found: dict[str, float] = {}
    danger = False
    for text, language in turns[-WINDOW:]:
        lexicon = _lexicon(language)
        if lexicon is None:
            continue
        folded = fold(text)
        for cue in lexicon.cues:
            for hit in cue.pattern.finditer(folded):
                before = re.split(r"[.,;!?]", folded[max(0, hit.start() - _NEAR) : hit.start()])
                if not cue.always and lexicon.negation.search(before[-1]):
                    continue
                found[hit.group().strip()] = cue.weight
                danger = danger or cue.danger
                break
    return Mood(sum(found.values()), danger, tuple(found))


@lru_cache(maxsize=8)
def _lexicon(language: str) -> _Lexicon | None:
    if language not in LANGUAGES:
        return None
    file = resources.files("voice_server.desk") / "data" / "emotion" / f"{language}.txt"
    cues: list[_Cue] = []
    negations: list[str] = []
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "negation":
            negations.append(line)
        else:
            pattern = re.compile(line.removeprefix("!"))
            weight, danger = WEIGHTS.get(section, 0.0), section == "danger"
            cues.append(_Cue(pattern, weight, danger, line.startswith("!")))
    return _Lexicon(tuple(cues), re.compile("|".join(negations)))
