"""Fixed sentences: greetings, fillers, apologies, openers; every one can sound from the cache."""

from __future__ import annotations

from collections.abc import Container, Mapping

from voice_server.dialogue.address import familiar as informally
from voice_server.dialogue.dialogue import Clause, ClauseKind, Phrase
from voice_server.dialogue.locales import load_locale
from voice_server.shop.wording import discloses

KINDS = {
    Phrase.GREETING: ClauseKind.CONTENT,
    Phrase.FILLER: ClauseKind.FILLER,
    Phrase.STILL_WORKING: ClauseKind.FILLER,
    Phrase.APOLOGY_REPEAT: ClauseKind.APOLOGY,
    Phrase.APOLOGY_ANSWER: ClauseKind.APOLOGY,
    Phrase.IDLE: ClauseKind.CONTENT,
    Phrase.GOODBYE: ClauseKind.CONTENT,
}


class Phrases:
    """The fixed sentences of one shop, in every language that has a locale file."""

    def __init__(
        self,
        shop: str,
        greetings: Mapping[str, str] | None = None,
        familiar: Container[str] = (),
    ) -> None:
        """``shop`` is the shop's name as it is spoken in greetings.

        ``familiar``: languages in which customers are addressed by "je", "tu" or "du".

        ``greetings`` are the shop's own first words by language.  One that does not say that an AI
        speaks gets the sentence that does before it: a shop cannot leave it out.
        """
        self._shop = shop
        self._familiar = familiar
        self._greetings = {
            language: text if discloses(text, language) else self._disclosed(text, language)
            for language, text in (greetings or {}).items()
            if text
        }

    def phrase(self, kind: Phrase, language: str, variant: int = 0) -> Clause:
        """Return a fixed sentence; ``variant`` counts on for ever. Raises UnknownLocale."""
        if kind is Phrase.GREETING and variant == 0 and language in self._greetings:
            return Clause(self._greetings[language], language, KINDS[kind])
        texts = load_locale(language).phrases[kind.value]
        text = self._say(texts[variant % len(texts)], language).format(shop=self._shop)
        return Clause(text, language, KINDS[kind])

    def _say(self, text: str, language: str) -> str:
        return informally(text, language) if language in self._familiar else text

    def _disclosed(self, text: str, language: str) -> str:
        return f"{self._say(load_locale(language).disclosure, language)} {text}"

    def opener(self, language: str, variant: int = 0) -> Clause:
        """Return a sentence that says that an answer is being looked up."""
        texts = load_locale(language).openers
        return Clause(self._say(texts[variant % len(texts)], language), language, ClauseKind.OPENER)

    def disclosure(self, language: str) -> Clause:
        """Return the sentence that says that an AI is speaking.

        It stands before an answer and is none: who waits for one still waits.
        """
        text = self._say(load_locale(language).disclosure, language)
        return Clause(text, language, ClauseKind.OPENER)

    def i_am_ai(self, language: str) -> Clause:
        """Return what is said in place of a denial of being an AI."""
        return Clause(self._say(load_locale(language).i_am_ai, language), language)

    def cannot_act(self, language: str) -> Clause:
        """Return what is said in place of a promise of something nobody did."""
        return Clause(self._say(load_locale(language).cannot_act, language), language)

    def all_fixed(self, language: str) -> tuple[Clause, ...]:
        """Return every fixed sentence of a language, likeliest first, for the phrase cache."""
        locale = load_locale(language)
        first = [self.phrase(kind, language) for kind in Phrase]
        openers = [self.opener(language, at) for at in range(len(locale.openers))]
        others = [
            self.phrase(kind, language, at)
            for kind in Phrase
            for at in range(1, len(locale.phrases[kind.value]))
        ]
        last = [self.disclosure(language), self.i_am_ai(language), self.cannot_act(language)]
        return (*first, *openers, *others, *last)
