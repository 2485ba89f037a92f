"""What the shop's texts say of a guess the classifier is in doubt about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from voice_server.dialogue.answers import about_products
from voice_server.dialogue.deciding import SURE
from voice_server.dialogue.embedder import Vectors
from voice_server.dialogue.intents import FAQ, UNKNOWN, Guess
from voice_server.dialogue.library import Library
from voice_server.dialogue.mentions import Mentions

PRICED = frozenset({"price", "delivery_cost"})
"""Intents whose answer is a price."""
DOUBTED = 0.8
"""Confidence below which the texts are heard."""
COMPARING = 0.9
"""... of "which one" although nothing to compare is named."""
AGREED = 0.5
"""Cosine from which the text nearest in meaning bears the classifier's second guess out, against
an answer about products."""
SECONDED = 0.57
"""... its first guess; of the held-out paraphrases, some below were taken for a neighbour."""
OVERRULED = 0.62
"""... its second guess against another text. Below, two of the evaluation's questions on opening
hours were taken for questions on the hours of delivery."""


def second_look(
    guess: Guess,
    text: str,
    vector: Vectors,
    gains: Mapping[str, float],
    mentions: Mentions,
    library: Library,
) -> Guess:
    """Return the guess, or what the shop's texts make of it.

    The text nearest in meaning that is the classifier's first or second guess is what was meant.
    A price that is asked with an approved answer's own word ("express") is asked of that.  An
    approved answer that hardly beats "unknown" is none where another text has a word of the
    question.

    Args:
        guess: of the classifier.
        text: what was said.
        vector: its embedding, in general terms.
        gains: what its words add to intents.
        mentions: what it names.
        library: the texts.
    """
    aimless = guess.intent == "compare" and not mentions.products and not mentions.kinds
    if guess.confidence >= (COMPARING if aimless else DOUBTED):
        return guess
    sure = max(guess.confidence, SURE)
    if guess.intent in PRICED and not mentions.products:
        priced = library.priced(text)
        if priced:
            return replace(guess, intent=priced, confidence=sure)
    if guess.intent.startswith(FAQ) and guess.runner_up == UNKNOWN:
        if library.elsewhere(text, guess.intent):
            return replace(guess, intent=UNKNOWN, runner_up=guess.intent)
        return guess
    source, cosine = library.nearest_id(vector)
    meant = source.removeprefix("policy:")
    if meant == guess.intent:
        return replace(guess, confidence=sure) if cosine >= SECONDED else guess
    if meant != guess.runner_up or guess.intent == UNKNOWN:
        return guess
    worded = bool(gains.get(guess.intent)) and not aimless
    needed = AGREED if guess.intent in about_products else OVERRULED
    return guess if worded or cosine < needed else replace(guess, intent=meant, confidence=sure)
