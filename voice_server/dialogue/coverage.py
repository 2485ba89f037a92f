"""Is what is asked of a product written down? An answer on something else is worse than none.

Three witnesses, from the surest to the faintest: an attribute that is asked for by name (who
designed it, what it carries) must be spoken of by one of the product's sentences; the intent
"unknown" is trained on questions no shop writes the answer of; and a word that neither the shop
nor everyday questions know must be met by a sentence that is near in meaning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from importlib import resources

from voice_server.dialogue.mentions import Mentions, countries
from voice_server.dialogue.retrieval import alike, terms
from voice_server.dialogue.words import fold, stem, tokens
from voice_server.shop.catalogue import Product
from voice_server.shop.pack_products import sentences

LONG = 4
"""Letters of a word that may be the point of a question."""
MET = 0.62
"""Likeness of a sentence that answers although a word of the question is strange: a cautious guess,
above most sentences on the same product; not measured."""
MOST = 2
"""Sentences that are said of an attribute."""
CUES = {
    "price": "how_much",
    "availability": "stock",
    "options": "which_options",
    "material": "stuff",
    "dimensions": "big",
    "care": "clean",
    "compare": "which_better",
}
"""What is asked with its own words needs no others: "how much dosh is the lamp?"."""
_DESCRIBING = frozenset({*CUES, "product_detail", "product_info"})
_VAGUE = frozenset({"product_detail", "availability"})
"""What a question about a product is taken for when it is none of the others."""
_NAME = re.compile(r"\[([a-z_]+)(\?)?\]")
_COUNTRY = "@country"


class Coverage:
    """The attributes that are asked for by name, and the words that are known, of one language.

    Args:
        language: of the questions and of the shop's sentences.
        text: the attributes: ``[name]``, then regular expressions on folded text, one a line, of
            what asks for it; those behind ``=`` tell what a sentence that answers has instead.
            ``@country`` is the name of a country, ``= -`` is never written down. A name with a
            question mark ("[duration?]") is soft: where no sentence speaks of it, the intent may
            answer ("how long does delivery take?").
        known: words that everyday questions and the shop's texts have.

    Raises:
        ValueError: a line stands before the first ``[name]``.
    """

    def __init__(self, language: str, text: str, known: Iterable[str] = ()) -> None:
        asked: dict[str, list[str]] = {}
        answered: dict[str, list[str]] = {}
        soft: set[str] = set()
        name = ""
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            head = _NAME.fullmatch(line)
            if head:
                name = head.group(1)
                if head.group(2):
                    soft.add(name)
                asked[name], answered[name] = [], []
            elif not name:
                raise ValueError(f"coverage/{language}.txt:{number}: stands before a [name]")
            elif line.startswith("="):
                answered[name].append(line[1:].strip())
            else:
                asked[name].append(line)
        places = "|".join(rf"\b{re.escape(' '.join(words))}\b" for words in countries(language))

        def pattern(lines: Iterable[str]) -> re.Pattern[str]:
            return re.compile("|".join(lines).replace(_COUNTRY, f"(?:{places})"))

        self._asked = {key: pattern(lines) for key, lines in asked.items()}
        self._answered = {
            key: None if lines == ["-"] else pattern(lines) if lines else self._asked[key]
            for key, lines in answered.items()
        }
        self._soft = frozenset(soft)
        self._known = {stem(word) for word in known}

    @classmethod
    def load(cls, language: str, known: Iterable[str] = ()) -> Coverage:
        """Read the bundled attributes of a language."""
        data = resources.files("voice_server.dialogue") / "data" / "coverage" / f"{language}.txt"
        return cls(language, data.read_text(encoding="utf-8"), known)

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes, in the order of the file."""
        return tuple(self._asked)

    def asked(self, text: str) -> tuple[str, ...]:
        """Return the attributes that a question asks for by name, soft ones too."""
        folded = _folded(text)
        return tuple(name for name, pattern in self._asked.items() if pattern.search(folded))

    def must(self, names: Collection[str]) -> tuple[str, ...]:
        """Return those of some attributes that nothing but a sentence on them may answer."""
        return tuple(name for name in names if name not in self._soft)

    def never(self, names: Collection[str]) -> bool:
        """Tell whether one of some attributes is never written down, of whatever it is asked."""
        return any(self._answered[name] is None for name in names)

    def covering(self, names: Collection[str], product: Product, language: str) -> tuple[str, ...]:
        """Return what is written of a product about any of these attributes, at most two."""
        text = product.text(language)
        written = [part for part in (text.summary, *text.details, *sentences(text.care)) if part]
        patterns = [found for name in names if (found := self._answered[name]) is not None]
        said = [part for part in written if any(p.search(_folded(part)) for p in patterns)]
        return tuple(said[:MOST])

    def strange(self, mentions: Mentions, product: Product, language: str) -> bool:
        """Tell whether a question has a word that nobody here knows."""
        text = product.text(language)
        own = set(terms(" ".join([text.name, *text.aliases, text.summary, *text.details,
                                  text.material, text.care])))  # fmt: skip
        return any(
            len(word) >= LONG
            and word.isalpha()
            and stem(word) not in self._known
            and not alike(stem(word), own)
            for word in tokens(mentions.rest)
        )

    def misses(
        self, intent: str, mentions: Mentions, product: Product, likeness: float, *, cued: bool,
        sure: bool, language: str,
    ) -> bool:  # fmt: skip
        """Tell whether an intent's answer on a product would miss what is asked.

        Args:
            intent: what the question was taken for.
            mentions: what it names.
            product: of which it asks.
            likeness: of the product's nearest sentence.
            sure: the intent is sure.
            cued: it has a word of the intent (see :data:`CUES`).
            language: of the question.
        """
        if intent not in (_VAGUE if sure else _DESCRIBING) or cued or likeness >= MET:
            return False
        return self.strange(mentions, product, language)


def _folded(text: str) -> str:
    return fold(text).replace("’", "'")
