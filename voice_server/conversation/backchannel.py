"""Is this "mhm" or an interruption? Word lists of the four languages."""

from __future__ import annotations

import re
import unicodedata

_ACKNOWLEDGEMENTS = frozenset(
    [
        "mhm",
        "mm",
        "mmm",
        "mmh",
        "hm",
        "hmm",
        "hmmm",
        "uhhuh",
        "uh",
        "huh",
        "aha",
        "ah",
        "oh",
        "ok",
        "okay",
        "oke",
        "okee",
        "okey",
        "mhmm",
        "mmhmm",
        "m",
        "hum",
        "hem",
        "yeah",
        "yep",
        "yes",
        "yup",
        "right",
        "sure",
        "great",
        "good",
        "cool",
        "nice",
        "perfect",
        "exactly",
        "indeed",
        "i",
        "see",
        "got",
        "it",
        "alright",
        "oui",
        "ouais",
        "ouaip",
        "dac",
        "daccord",
        "accord",
        "bien",
        "bon",
        "parfait",
        "exact",
        "exactement",
        "voila",
        "super",
        "tres",
        "ca",
        "va",
        "je",
        "vois",
        "en",
        "effet",
        "ja",
        "jaja",
        "jawel",
        "goed",
        "prima",
        "juist",
        "inderdaad",
        "precies",
        "snap",
        "ik",
        "begrijp",
        "het",
        "top",
        "amai",
        "allee",
        "jo",
        "genau",
        "gut",
        "klar",
        "stimmt",
        "richtig",
        "alles",
        "verstehe",
        "ach",
        "so",
        "achso",
        "schon",
        "naturlich",
    ]
)
_PHRASES = frozenset(
    {
        "i see", "got it", "uh huh", "je vois", "en effet", "ca va", "ik snap het",
        "ik begrijp het", "ach so", "alles klar", "tres bien",
    }
)  # fmt: skip
_ONLY_IN_PHRASE = frozenset(
    [
        "i",
        "see",
        "got",
        "it",
        "je",
        "vois",
        "en",
        "effet",
        "ca",
        "va",
        "ik",
        "snap",
        "het",
        "begrijp",
        "ach",
        "so",
        "alles",
        "tres",
    ]
)
"""Backchannels as part of a phrase only: "het" alone begins a sentence."""
_INTERRUPTIONS = frozenset(
    [
        "stop",
        "wait",
        "no",
        "hold",
        "attends",
        "attendez",
        "non",
        "arretez",
        "arrete",
        "stopp",
        "halt",
        "wacht",
        "nee",
        "neen",
        "nein",
        "warte",
        "warten",
        "moment",
        "sorry",
        "pardon",
        "entschuldigung",
        "human",
        "humain",
        "mens",
        "mensch",
    ]
)
MAX_WORDS = 4
"""Longer remarks are turns even when every word could be a backchannel."""


def words_of(text: str) -> list[str]:
    """Return the words in lower case without accents, apostrophes or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.findall(r"\w+", re.sub(r"['’\-]", "", plain))


def is_backchannel(text: str) -> bool:
    """Return whether ``text`` only signals "I am listening" (an empty text does too)."""
    words = words_of(text)
    if len(words) > MAX_WORDS:
        return False
    position = 0
    while position < len(words):
        for length in (3, 2):
            if " ".join(words[position : position + length]) in _PHRASES:
                position += length
                break
        else:
            word = words[position]
            if word not in _ACKNOWLEDGEMENTS or word in _ONLY_IN_PHRASE:
                return False
            position += 1
    return True


def is_interruption(text: str) -> bool:
    """Return whether a *partial* transcript is already enough to stop speaking.

    One word that asks to stop, or two words of which one is no backchannel: a single other word
    may still be a misheard cough.
    """
    words = words_of(text)
    if any(word in _INTERRUPTIONS for word in words):
        return True
    return len(words) >= 2 and not is_backchannel(text)
