"""Which language a conversation is in: steady against borrowed words, quick on request.

Sans-I/O: :class:`LanguageTracker` is an immutable value; :meth:`LanguageTracker.hear` returns
the next one, so a speculative reply can look ahead without changing anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from voice_server.dialogue.locales import AVAILABLE, Locale, load_locale

Identify = Callable[[str, Sequence[str]], tuple[str, float]]
"""Text and the languages to choose among -> (ISO 639-1 code, probability)."""

_BREAK = re.compile(r"[,.;:!?…]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """When to believe what; chosen on scripted calls, see tests/dialogue/test_language.py."""

    first_confidence: float = 0.5
    """The first turn has nothing to hold on to: the likelier language wins."""
    first_trust: float = 0.7
    """Trust in text identification on the first turn, however short ("Bonjour")."""
    wished_confidence: float = 0.65
    """A first turn of a few words, typed or heard, leaves the page's language from here."""
    switch_confidence: float = 0.75
    """A turn counts for another language from here..."""
    switch_words: int = 3
    """...if it has so many words (one borrowed word or "ok merci" never counts)."""
    sure_confidence: float = 0.92
    sure_words: int = 6
    """A long and clear sentence switches at once; otherwise two turns in a row must agree."""
    turns_to_switch: int = 2
    full_trust_words: int = 6
    """Words from which text identification is trusted fully; below, in proportion."""


def explicit_request(text: str, languages: Sequence[str]) -> str | None:
    """Return the language a user asks for in so many words, or None.

    "in het Nederlands graag", "can we speak English?", "auf Deutsch bitte", "parlez-vous
    néerlandais ?" do; "do you have the manual in French?" and "je ne parle pas allemand" do not.
    """
    found: str | None = None
    # "I don't speak Dutch, English please": what is denied ends at the comma.
    for part in _BREAK.split(text):
        words = [word.lower().replace("’", "'") for word in _WORD.findall(part)]
        for code in AVAILABLE:
            locale = load_locale(code)
            for target, names in locale.language_names.items():
                for place, word in enumerate(words):
                    if target in languages and word in names and _asks(words, place, locale):
                        found = target
    return found


def _asks(words: list[str], place: int, locale: Locale) -> bool:
    before = words[max(0, place - 4) : place]
    if any(word in locale.request_negations or word.startswith("n'") for word in before):
        return False
    if any(_is_verb(word, locale) for word in (*before, *words[place + 1 : place + 3])):
        return True
    preposition = any(word in locale.request_prepositions for word in before[-2:])
    rest = [word for at, word in enumerate(words) if at != place]
    polite = [
        word
        for word in rest
        if word in locale.request_polite or word in locale.request_prepositions
    ]
    # Nothing but the name and politeness ("English please", "en français s'il vous plaît").
    return len(polite) == len(rest) and (preposition or len(rest) <= 2)


def _is_verb(word: str, locale: Locale) -> bool:
    return word in locale.request_verbs or word.split("-")[0] in locale.request_verbs


@dataclass(frozen=True, slots=True)
class LanguageTracker:
    """The language spoken now, and how near we are to changing our mind."""

    languages: tuple[str, ...]
    language: str
    decided: bool = False
    """False until a turn has shown it: the shop's default is only a guess."""
    wished: bool = False
    """The page or the line speaks :attr:`language`: worth more than the shop's default."""
    candidate: str = ""
    streak: int = 0
    options: TrackerOptions = TrackerOptions()

    def hear(
        self,
        text: str,
        *,
        identify: Identify,
        detected: str | None = None,
        probability: float = 0.0,
    ) -> LanguageTracker:
        """Return the tracker after one user turn.

        ``detected`` and ``probability`` are the recogniser's (None and 0 for typed text).
        """
        asked = explicit_request(text, self.languages)
        if asked is not None:
            return self._settled(asked)
        words = len(_WORD.findall(text))
        if words == 0:
            return self
        best, confidence = self._weigh(text, words, identify, detected, probability)
        options = self.options
        if not self.decided and self.wished and best != self.language:
            clear = words >= options.switch_words and confidence >= options.wished_confidence
            return self._settled(best if clear else self.language)
        if not self.decided:
            if confidence >= options.first_confidence:
                return self._settled(best) if words >= 2 else replace(self, language=best)
            return self
        if words < options.switch_words:
            return self
        if best == self.language or confidence < options.switch_confidence:
            return self._settled(self.language)
        if words >= options.sure_words and confidence >= options.sure_confidence:
            return self._settled(best)
        streak = self.streak + 1 if self.candidate == best else 1
        if streak >= options.turns_to_switch:
            return self._settled(best)
        return replace(self, candidate=best, streak=streak)

    def _settled(self, language: str) -> LanguageTracker:
        return replace(self, language=language, decided=True, candidate="", streak=0)

    def _weigh(
        self,
        text: str,
        words: int,
        identify: Identify,
        detected: str | None,
        probability: float,
    ) -> tuple[str, float]:
        """Return the likeliest language and the confidence in it, from both witnesses."""
        score = dict.fromkeys(self.languages, 0.0)
        said, sure = identify(text, self.languages)
        trust = min(1.0, words / self.options.full_trust_words)
        if not self.decided:
            trust = max(trust, self.options.first_trust)
        text_says = {said: sure * trust} if said in score else {}
        voice_says = {detected: probability} if detected in score else {}
        for language in score:
            a, b = text_says.get(language, 0.0), voice_says.get(language, 0.0)
            score[language] = 1 - (1 - a) * (1 - b)
        best = max(score, key=lambda language: (score[language], language == self.language))
        others = max((value for key, value in score.items() if key != best), default=0.0)
        # Witnesses that contradict each other leave little: 0.9 against 0.8 is no evidence.
        return best, score[best] * (1 - others)
