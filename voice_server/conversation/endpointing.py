"""How long to wait in silence before a turn is over: a pure function and a small learner."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from voice_server.conversation.orders import TurnOptions

SOFT_SILENCE_MS = 100.0
"""Silence after which the final transcript, the end-of-turn score and the reply start
speculatively: three VAD frames, shorter than most pauses inside a word group."""

SHORTEST_WAIT_MS = 250.0
"""Never commit earlier: stop consonants and breaths last up to about 200 ms."""

LONGEST_WAIT_MS = 2500.0
"""Never wait longer, whatever the model says (peers' 2.5-3 s; a caller thinks the line is dead)."""

UNSCORED_WAIT_MS = 700.0
"""Semantic mode before or without a score: the median of peers' fixed delays."""

_EAGERNESS = {"low": 1.6, "medium": 1.0, "auto": 1.0, "high": 0.7}

_SCORE_CURVE = (
    (0.0, 1800.0),
    (0.1, 1500.0),
    (0.3, 1000.0),
    (0.5, 650.0),
    (0.8, 330.0),
    (1.0, 250.0),
)
"""P(finished) -> wait in ms. Smart Turn calls 82-97 % of complete sentences complete but only
23-62 % of cut ones incomplete (measured on studio prompts): a high score shortens the wait,
a low one stretches it, neither decides alone."""

_OPEN_END = re.compile(
    r"(?:[,;:…-]|\.\.\.|\b(?:and|or|but|with|for|the|a|to|because|um|uh|et|ou|mais|avec|pour|le|la|les|"
    r"un|une|de|du|des|que|parce que|euh|en|of|maar|met|voor|het|een|omdat|want|uh|und|oder|aber|"
    r"mit|für|der|die|das|ein|eine|weil|äh|ähm))\s*$",
    re.IGNORECASE,
)
_QUESTION_END = re.compile(r"\?\s*$")


@dataclass(slots=True)
class PauseLearner:
    """Learns how long this user pauses inside an utterance (exponential average, ms)."""

    mean_ms: float = 0.0
    weight: float = 0.3

    def observe(self, pause_ms: float) -> None:
        """Note a pause after which the user went on."""
        pause_ms = min(pause_ms, LONGEST_WAIT_MS)
        if self.mean_ms:
            self.mean_ms += self.weight * (pause_ms - self.mean_ms)
        else:
            self.mean_ms = pause_ms


def _curve(score: float) -> float:
    score = min(max(score, 0.0), 1.0)
    for (low, low_ms), (high, high_ms) in pairwise(_SCORE_CURVE):
        if score <= high:
            return low_ms + (high_ms - low_ms) * (score - low) / (high - low)
    raise AssertionError("the curve ends at 1.0")  # pragma: no cover


def wait_ms(
    options: TurnOptions,
    *,
    score: float | None,
    text: str | None,
    pauses: PauseLearner,
) -> float:
    """Return the silence in ms after which the turn is committed.

    "server" detection is the client's fixed silence.  "semantic" starts from the end-of-turn
    score, stretches when the words sound unfinished, shortens for a question, respects pauses
    this user made before, and scales by eagerness; always within SHORTEST..LONGEST.
    """
    if options.detection != "semantic":
        return float(options.silence_ms)
    wait = UNSCORED_WAIT_MS if score is None else _curve(score)
    if text:
        if _OPEN_END.search(text):
            wait *= 1.6
        elif _QUESTION_END.search(text):
            wait *= 0.75
    if score is None or score < 0.8:
        wait = max(wait, min(1.25 * pauses.mean_ms, LONGEST_WAIT_MS))
    wait *= _EAGERNESS[options.eagerness]
    return min(max(wait, SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
