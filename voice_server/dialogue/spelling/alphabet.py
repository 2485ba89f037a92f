"""The words people spell with, per language: letter names, alphabets, signs, digits, fillers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from voice_server.dialogue.locales import AVAILABLE, UnknownLocale
from voice_server.dialogue.words import fold
from voice_server.speech.verbalise import de, en, fr, nl
from voice_server.speech.verbalise.common import Speller

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

Phrase = tuple[str, ...]
"""Words in lower case, accents kept."""

SPELLERS = {"de": de.speller, "en": en.speller, "fr": fr.speller, "nl": nl.speller}
"""What our own voice says: all of it must be understood when it is said back."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """What one language spells with. All phrases are in lower case, with their accents."""

    language: str
    letters: Mapping[Phrase, str]
    """Names of letters, to the letter."""
    as_in: frozenset[Phrase]
    """What stands between a letter and its word: "comme", "wie"."""
    words: Mapping[str, str]
    """Words of the national alphabets, folded, to their letter."""
    alphabets: Mapping[str, tuple[str, ...]]
    """Country ("" for the usual one) to the 26 words, for reading back."""
    say_as_in: str
    digits: Mapping[str, int]
    multiples: Mapping[Phrase, int]
    """ "double", "trois fois" to how often."""
    signs: Mapping[Phrase, str]
    say_signs: Mapping[str, str]
    lead_in: frozenset[str]
    """Words before what is spelled: "my name is"."""
    fillers: frozenset[str]
    heard: tuple[tuple[int, int], ...]
    """Numbers that are heard for one another."""
    longest: int
    """Words in the longest phrase."""

    def word_for(self, letter: str, country: str) -> str:
        """Return the word that names a letter when it is read back, "" for none."""
        table = self.alphabets.get(country) or self.alphabets[""]
        place = ord(letter.upper()) - ord("A")
        return table[place] if 0 <= place < len(table) else ""


def phrase(text: str) -> Phrase:
    """Return a phrase's words, as :data:`WORD` cuts them."""
    return tuple(WORD.findall(text.lower().replace("’", "'")))


@functools.cache
def load_alphabet(language: str) -> Alphabet:
    """Return the alphabet of a language. Raises UnknownLocale."""
    if language not in AVAILABLE:
        raise UnknownLocale(f"nobody taught us to spell in {language!r}")
    data = resources.files("voice_server.dialogue") / "data" / "spelling" / f"{language}.yaml"
    raw: dict[str, Any] = yaml.safe_load(data.read_text("utf-8"))
    letters = _letters(raw["letters"], language)
    multiples = {phrase(name): times for name, times in raw["multiples"].items()}
    signs = {phrase(name): sign for sign, names in raw["signs"].items() for name in names}
    signs |= {phrase(_speller(language, sign)): sign for sign in "@.-_/"}
    alphabets = {country: tuple(text.split()) for country, text in raw["alphabets"].items()}
    words = {
        fold(word): letter
        for table in alphabets.values()
        for letter, word in zip("abcdefghijklmnopqrstuvwxyz", table, strict=True)
    }
    for letter, more in raw.get("more_words", {}).items():
        words |= {fold(word): letter for word in more}
    phrases: list[Phrase] = [*letters, *multiples, *signs]
    return Alphabet(
        language=language,
        letters=letters,
        as_in=frozenset(phrase(text) for text in raw["as_in"]),
        words=words,
        alphabets=alphabets,
        say_as_in=raw["say_as_in"],
        digits=raw["digits"],
        multiples=multiples,
        signs=signs,
        say_signs=raw["say_signs"],
        lead_in=frozenset(raw["lead_in"]),
        fillers=frozenset(raw["fillers"]),
        heard=tuple((a, b) for a, b in raw["heard"]),
        longest=max(len(p) for p in phrases),
    )


def speller(language: str, country: str) -> Speller:
    """Return how our own voice says digits and letters."""
    return SPELLERS[language](country)


def _speller(language: str, sign: str) -> str:
    say = speller(language, "")
    names = {"@": say.at_sign, ".": say.dot, "-": say.hyphen, "_": say.underscore, "/": say.slash}
    return names[sign]


def _letters(raw: Mapping[str, Iterable[str]], language: str) -> dict[Phrase, str]:
    found = {phrase(name): letter for letter, names in raw.items() for name in names}
    for country in ("", "BE", "GB", "US"):
        for letter, name in speller(language, country).letter_names.items():
            found.setdefault(phrase(name), letter)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        found[(letter,)] = letter
    return found
