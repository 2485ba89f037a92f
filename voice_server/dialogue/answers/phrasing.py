"""Putting values into the sentences of a language, in agreement with the product they speak of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from voice_server.dialogue.address import familiar
from voice_server.shop.catalogue import ProductText

SHORTEST = 10
"""Characters below which a clause is joined to the next: too short to synthesise on its own."""
FIRST_WORDS = 8
"""A first clause with more words is cut at its first comma, so that speech starts early."""

_HEAD = re.compile(r"\[([a-z0-9_]+)\]")
_FIELD = re.compile(r"\{(\w+)\}")
_CHOICE = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")
_VOWEL = re.compile(r"[aeiouyhàâéèêëîïôöûü]", re.IGNORECASE)
_ASPIRATED = frozenset(
    {"hache", "hamac", "hamster", "harnais", "hochet", "hockey", "hotte", "housse", "haut"}
    | {"haute", "haut-parleur", "hérisson", "herse", "hibou", "homard", "hublot"}
)
_COMMA = re.compile(r"(?<=[^\d]),\s|(?<=\d),\s(?=\D)")


@dataclass(frozen=True, slots=True)
class Noun:
    """A product's name with the little words around it.

    ``known``: it was the subject already, so a pronoun is enough.
    """

    name: str
    gender: str
    language: str
    known: bool = False

    @property
    def plural(self) -> bool:
        """It takes a plural verb."""
        return self.gender.endswith("p")

    @property
    def the(self) -> str:
        """Nominative with article: "la lampe Oslo"."""
        return self._with(self._article("the"))

    @property
    def den(self) -> str:
        """Accusative (German "den Stuhl"); the nominative elsewhere. A pronoun when known."""
        if self.known and self.language == "de":
            return {"m": "ihn", "f": "sie", "n": "es"}.get(self.gender, "sie")
        return self._with(self._article("den"))

    @property
    def it(self) -> str:
        """The pronoun; a noun of unknown gender is "this item"."""
        words = _PRONOUNS[self.language]
        return words.get(self.gender) or words.get("p" if self.plural else "") or "it"

    @property
    def subject(self) -> str:
        """The pronoun if it is known, else the name."""
        return self.it if self.known else self.the

    def fields(self) -> dict[str, str]:
        """Return what templates may say of it."""
        feminine, plural = self.gender.startswith("f"), self.plural
        words = {
            "name": self.name,
            "the": self.the,
            "den": self.den,
            "it": self.it,
            "subj": self.subject,
        }
        words |= {key.capitalize(): capital(word) for key, word in words.items()}
        return words | {
            "e": ("e" if feminine else "") + ("s" if plural else ""),
            "s": "s" if plural else "",
        }

    def _article(self, case: str) -> str:
        return _ARTICLES.get((self.language, case), _ARTICLES[(self.language, "the")]).get(
            self.gender, "the " if self.language == "en" else ""
        )

    def _with(self, article: str) -> str:
        elided = _VOWEL.match(self.name) and self.name.split(" ")[0].lower() not in _ASPIRATED
        if self.language == "fr" and article in {"le ", "la "} and elided:
            article = "l'"
        return article + self.name


_ARTICLES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("fr", "the"): {"m": "le ", "f": "la ", "mp": "les ", "fp": "les ", "p": "les "},
    ("nl", "the"): {"c": "de ", "n": "het ", "m": "de ", "f": "de ", "p": "de ", "cp": "de "},
    ("de", "the"): {"m": "der ", "f": "die ", "n": "das ", "p": "die ", "mp": "die ", "fp": "die "},
    ("de", "den"): {"m": "den ", "f": "die ", "n": "das ", "p": "die ", "mp": "die ", "fp": "die "},
    ("en", "the"): {},
}
_PRONOUNS: Mapping[str, Mapping[str, str]] = {
    "fr": {"m": "il", "f": "elle", "mp": "ils", "fp": "elles", "p": "ils", "": "cet article"},
    "nl": {"c": "die", "m": "die", "f": "die", "n": "dat", "p": "die", "": "dit artikel"},
    "de": {"m": "er", "f": "sie", "n": "es", "p": "sie", "": "dieser Artikel"},
    "en": {"": "it", "p": "they"},
}


def noun(text: ProductText, language: str, *, known: bool = False) -> Noun:
    """Return the noun of a product's text."""
    return Noun(text.name, text.gender, language, known)


class Phrasebook:
    """The answer templates of one language. Immutable."""

    def __init__(self, language: str, entries: Mapping[str, tuple[tuple[str, ...], ...]]) -> None:
        self.language = language
        self.entries = entries

    @classmethod
    def load(cls, language: str, *, informal: bool = False) -> Phrasebook:
        """Read the bundled templates of a language, ``informal``: with "je", "tu" or "du".

        Raises:
            ValueError: a sentence stands before the first ``[key]``, or a key has no sentence.
        """
        name = f"{language}.txt"
        data = resources.files("voice_server.dialogue") / "data" / "answers" / name
        text = data.read_text(encoding="utf-8")
        return cls(language, parse(familiar(text, language) if informal else text, name))

    def clauses(
        self, key: str, turn: int = 0, thing: Noun | None = None, /, **fields: str
    ) -> list[str]:
        """Return the clauses of a wording, filled in.

        Args:
            key: which sentence.
            turn: chooses the wording; the same turn always chooses the same.
            thing: the product that ``{Subj}`` and ``[singular|plural]`` are about.
            fields: the other values.
        """
        variants = self.entries[key]
        words = (thing.fields() if thing else {}) | fields
        plural = thing is not None and thing.plural
        return [_fill(part, words, plural) for part in variants[turn % len(variants)]]

    def text(self, key: str, turn: int = 0, thing: Noun | None = None, /, **fields: str) -> str:
        """Return a wording as one text."""
        return " ".join(self.clauses(key, turn, thing, **fields))


def parse(text: str, name: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Read templates: ``[key]``, then one wording a line, clauses separated by `` / ``.

    Raises:
        ValueError: see :meth:`Phrasebook.load`.
    """
    found: dict[str, list[tuple[str, ...]]] = {}
    current: list[tuple[str, ...]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        head = _HEAD.fullmatch(line)
        if head:
            current = found.setdefault(head.group(1), [])
        elif current is None:
            raise ValueError(f"{name}:{number}: a sentence stands before the first [key]")
        else:
            current.append(tuple(part.strip() for part in line.split(" / ")))
    for key, variants in found.items():
        if not variants:
            raise ValueError(f"{name}: [{key}] has no sentence below it")
    return {key: tuple(variants) for key, variants in found.items()}


def _fill(template: str, fields: Mapping[str, str], plural: bool) -> str:
    agreed = _CHOICE.sub(lambda choice: choice.group(2 if plural else 1), template)
    return capital(_FIELD.sub(lambda field: fields[field.group(1)], agreed))


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def breathe(texts: list[str]) -> list[str]:
    """Arrange sentences as clauses: the first one short, none too short to be spoken.

    Joined by single spaces, the clauses are the sentences.
    """
    clauses: list[str] = []
    for text in filter(None, texts):
        if clauses and len(clauses[-1]) < SHORTEST:
            clauses[-1] = f"{clauses[-1]} {text}"
        else:
            clauses.append(text)
    if clauses and len(clauses[0].split()) > FIRST_WORDS:
        cut = _early_comma(clauses[0])
        if cut:
            clauses[:1] = [clauses[0][:cut].rstrip(), clauses[0][cut:].lstrip()]
    return clauses


def _early_comma(text: str) -> int:
    """Return where to cut a long clause, 0 for nowhere."""
    for comma in _COMMA.finditer(text):
        head, tail = text[: comma.end()], text[comma.end() :]
        # A single word before the next comma is an item of a list, which is said in one breath.
        listed = len(tail.split(",")[0].split()) < 3 or len(head.split(",")[-2].split()) < 2
        if len(head.strip()) >= SHORTEST and len(tail) >= SHORTEST and not listed:
            return comma.end() if len(head.split()) <= FIRST_WORDS + 2 else 0
    return 0
