"""What an utterance names: products, kinds, colours, sizes, amounts, countries, orders.

Rules, not models: a price or an order number must be found exactly or not at all.  Product names
are found as recognisers spell them, by sound and by edit distance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from rapidfuzz.distance import JaroWinkler, Levenshtein

from voice_server.dialogue.mention_words import (
    ARTICLES,
    BUYING,
    CHEAPEST,
    COUNTRY_ALIASES,
    DIGITS,
    ITEM,
    LIMITS,
    MONEY,
    MORE_COUNTRIES,
    ORDINALS,
    POSTCODE_LETTERS,
    SIZE_NAMES,
    SIZE_WORDS,
    THIS_ITEM,
)
from voice_server.dialogue.numerals import find_numerals
from voice_server.dialogue.words import fold, sound, stem, tokens
from voice_server.shop.catalogue import Product
from voice_server.shop.markets import locale_of
from voice_server.shop.shop import Shop

SURE = 0.84
"""Likeness from which a word is a product's name by itself. On the demo pack, names heard in a
wrong language score 0.85 and more, and ordinary words below 0.8."""
SUPPORTED = 0.66
"""Likeness that is enough when the utterance also names the product's kind ("lampe Osle")."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What was found, in the order of the utterance."""

    products: tuple[str, ...] = ()
    """Products named by their own name; surest first when names compete for a word."""
    kinds: tuple[str, ...] = ()
    """Categories named."""
    colours: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    """Occasions, people and places ("gift", "kids", "garden")."""
    limit: Decimal | None = None
    """The most the customer wants to pay."""
    country: str = ""
    digits: tuple[str, ...] = ()
    """Runs of digits, spelled or written, joined: candidates for order numbers, postcodes."""
    ordinal: int | None = None
    """0 for "the first one"; -1 for "the last one"."""
    cheaper: bool = False
    unknown_name: bool = False
    """A kind is followed by a word that could be a name we do not have, or a name stands alone."""
    stranger: bool = False
    """It has a word that neither the shop's texts nor everyday questions know."""
    strange_thing: bool = False
    """Such a word stands behind an article ("is the iPhone in stock?")."""
    strange_words: tuple[str, ...] = ()
    """Those words, folded."""
    rest: str = ""
    """The utterance with names put in general terms ("this item" for a product, "item" for its
    kind, one colour for all): what the intents look at."""

    @property
    def names_anything(self) -> bool:
        """It names something that the shop could show or look up."""
        wishes = self.colours or self.sizes or self.uses or self.limit is not None
        return bool(self.products or self.kinds or wishes or self.country or self.digits)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    capital: bool


@dataclass(frozen=True, slots=True)
class _Named:
    product_id: str
    score: float
    first: int
    last: int


ORDER_DIGITS = 5
"""A run of digits that is spoken in pieces ("104 82") is joined up to this length."""

_WORD = re.compile(r"[^\W_]+")


class MentionFinder:
    """Finds mentions in utterances of one language.

    Args:
        shop: whose names are looked for.
        language: of the utterances.
        common: ordinary words of the language (folded); none of them is a misspelt name.
        uses: key to words, from the bundled vocabulary.
    """

    def __init__(
        self,
        shop: Shop,
        language: str,
        common: Iterable[str],
        uses: Mapping[str, Sequence[str]],
    ) -> None:
        self._shop = shop
        self._language = language
        self._names = {p.id: fold(p.model) for p in shop.catalogue if p.model}
        self._sounds = {key: sound(name) for key, name in self._names.items()}
        self._common = set(common) - set(self._names.values())
        self._kinds = _phrases(
            (word, category.id)
            for category in shop.catalogue.categories.values()
            for word in category.names.get(language, ())
        )
        self._aliases = _phrases(
            (alias, product.id)
            for product in shop.catalogue
            for alias in (product.text(language).name, *product.text(language).aliases)
        )
        self._colours = {
            fold(word): key
            for key, words in shop.colours.get(language, {}).items()
            for word in words
        }
        self._uses = _phrases((word, key) for key, words in uses.items() for word in words)
        self._countries = countries(language)
        self._places = {part for phrase in self._countries for part in phrase}
        self._one_country = str(locale_of(language, "BE").territories["FR"])
        self._one_colour = next(iter(shop.colours.get(language, {}).get("red", ())), "red")
        self._sizes = {size: _numbers(size) for p in shop.catalogue for size in p.sizes}

    def find(self, text: str) -> Mentions:
        """Return what ``text`` names."""
        words = _split(text)
        kinds, used = self._match(words, self._kinds)
        named = self._products(words, set(kinds))
        taken = {index for name in named for index in range(name.first, name.last + 1)}
        strange = tuple(word.text for word in words if self._is_unknown(word))
        free = [word for index, word in enumerate(words) if index not in taken]
        colours = self._find_colours(free)
        return replace(
            self._plain(text, words),
            products=tuple(dict.fromkeys(name.product_id for name in named)),
            kinds=tuple(kinds),
            colours=colours,
            sizes=self._find_sizes(text, free),
            uses=tuple(dict.fromkeys(self._match(free, self._uses)[0])),
            unknown_name=not named and (self._strange(words, used) or self._alone(words, used)),
            stranger=not named and bool(strange),
            strange_words=strange,
            strange_thing=not named
            and any(
                before.text in ARTICLES and self._is_unknown(word)
                for before, word in pairwise(words)
            ),
            rest=self._general(text, words, named),
        )

    # -- products ---------------------------------------------------------------------------

    def _products(self, words: list[_Word], kinds: set[str]) -> list[_Named]:
        found: list[_Named] = []
        for size in (1, 2):
            for first in range(len(words) - size + 1):
                window = words[first : first + size]
                spelled = "".join(word.text for word in window)
                if size == 2 and (len(spelled) > 9 or any(w.text.isdigit() for w in window)):
                    continue
                candidate = self._nearest(spelled, [word.text for word in window], kinds)
                if candidate is not None:
                    found.append(_Named(candidate[0], candidate[1], first, first + size - 1))
        chosen: list[_Named] = []
        for name in sorted(found, key=lambda n: (-n.score, n.last - n.first)):
            if all(name.last < other.first or name.first > other.last for other in chosen):
                chosen.append(name)
        return sorted(chosen, key=lambda n: n.first)

    def _nearest(self, spelled: str, parts: list[str], kinds: set[str]) -> tuple[str, float] | None:
        best: tuple[str, float] | None = None
        ordinary = any(part in self._common for part in parts)
        heard = sound(spelled)
        for product_id, name in self._names.items():
            if spelled == name:
                return product_id, 1.0
            if ordinary or len(spelled) < 3 or spelled.isdigit():
                continue
            score = _likeness(spelled, name, heard, self._sounds[product_id])
            product = self._shop.catalogue.products[product_id]
            needed = SUPPORTED if self._is_kind(product, kinds) else SURE
            if score >= needed and (best is None or score > best[1]):
                best = (product_id, score)
        return best

    def _is_kind(self, product: Product, kinds: set[str]) -> bool:
        category = self._shop.catalogue.categories.get(product.category)
        return product.category in kinds or (category is not None and category.parent in kinds)

    def _strange(self, words: list[_Word], used: set[int]) -> bool:
        """Is there, right beside a kind, a word that nobody knows ("la lampe Zanzibar")?"""
        for index in used:
            for near in (index - 1, index + 1):
                if near not in used and 0 <= near < len(words) and self._is_name(words[near]):
                    return True
        return False

    def _alone(self, words: list[_Word], used: set[int]) -> bool:
        """Is there a name we do not have, without its kind ("how much is the Zanzibar")?"""
        if self._language == "de":
            return False  # every noun has a capital
        return any(
            index not in used
            and word.text not in self._places
            and words[index - 1].text in ARTICLES
            and self._is_name(word)
            for index, word in enumerate(words)
            if index
        )

    def _is_unknown(self, word: _Word) -> bool:
        known = self._common | self._colours.keys() | ARTICLES | self._places
        return len(word.text) > 3 and word.text.isalpha() and word.text not in known

    def _is_name(self, word: _Word) -> bool:
        """A capital and no ordinary word: without the capital, any adjective would be a name."""
        known = word.text in self._common or word.text in self._colours or word.text in ARTICLES
        return word.capital and len(word.text) > 3 and not known

    def find_plain(self, text: str, *, products: int) -> Mentions:
        """Return what ``text`` names when it is known to name so many products as "this item"."""
        words = _split(text)
        return replace(
            self._plain(text, words),
            products=("?",) * products,
            kinds=tuple(self._match(words, self._kinds)[0]),
            colours=self._find_colours(words),
            sizes=self._find_sizes(text, words),
        )

    def _plain(self, text: str, words: list[_Word]) -> Mentions:
        folded = " ".join(word.text for word in words)
        return Mentions(
            limit=self._find_limit(text),
            country=next(iter(self._match(words, self._countries, exact=True)[0]), ""),
            digits=self._find_digits(text),
            ordinal=self._find_ordinal(words),
            cheaper=bool(CHEAPEST.search(folded)),
        )

    def generalise(self, text: str) -> str:
        """Put kinds, colours and countries in general terms, as in :attr:`Mentions.rest`."""
        return self._general(text, _split(text), [])

    def _general(self, text: str, words: list[_Word], named: list[_Named]) -> str:
        spans: list[tuple[int, int, str]] = []
        taken: set[int] = set()
        for name in named:
            first, last = self._widen(words, name)
            taken.update(range(first, last + 1))
            spans.append((words[first].start, words[last].end, THIS_ITEM[self._language]))
        for phrases, word, exact in (
            (self._kinds, ITEM[self._language], False),
            (self._countries, self._one_country, True),
        ):
            for _, span in self._spans(words, phrases, exact=exact):
                if taken.isdisjoint(span):
                    taken.update(span)
                    spans.append((words[span[0]].start, words[span[-1]].end, word))
        for index, entry in enumerate(words):
            if index not in taken and self._colour_at(words, index):
                spans.append((entry.start, entry.end, self._one_colour))
        out, position = [], 0
        for start, end, word in sorted(spans):
            if start >= position:
                out += [text[position:start], word]
                position = end
        out.append(text[position:])
        return "".join(out)

    def _widen(self, words: list[_Word], name: _Named) -> tuple[int, int]:
        """Return the span of a name with its kind and its article ("la lampe de table Oslo")."""
        model = self._names[name.product_id].split()
        parts = [word.text for word in words]
        parts[name.first : name.last + 1] = model
        stems = [stem(part) for part in parts]
        grown = len(model) - (name.last - name.first + 1)
        last = name.first + len(model) - 1
        for length in range(min(len(stems), 6), len(model), -1):
            for begin in range(max(0, last - length + 1), name.first + 1):
                end = begin + length - 1
                if last <= end < len(stems) and tuple(stems[begin : end + 1]) in self._aliases:
                    return self._article(words, begin), end - grown
        return self._article(words, name.first), name.last

    def _article(self, words: list[_Word], first: int) -> int:
        if first > 0 and words[first - 1].text in ARTICLES:
            return first - 1
        return first

    # -- the rest ---------------------------------------------------------------------------

    def _match(
        self, words: Sequence[_Word], phrases: Mapping[tuple[str, ...], str], *, exact: bool = False
    ) -> tuple[list[str], set[int]]:
        """Return the keys of the longest phrases found, and the indices of their words."""
        found = self._spans(words, phrases, exact=exact)
        return [key for key, _ in found], {index for _, span in found for index in span}

    def _spans(
        self, words: Sequence[_Word], phrases: Mapping[tuple[str, ...], str], *, exact: bool
    ) -> list[tuple[str, range]]:
        found: list[tuple[str, range]] = []
        used: set[int] = set()
        parts = [word.text if exact else stem(word.text) for word in words]
        for length in range(min(5, len(parts)), 0, -1):
            for first in range(len(parts) - length + 1):
                span = range(first, first + length)
                if length == 1 and words[first].text in BUYING:
                    continue  # Dutch "kopen" has the stem of "koppen"
                key = phrases.get(tuple(parts[first : first + length]))
                if key is not None and used.isdisjoint(span):
                    used.update(span)
                    found.append((key, span))
        return sorted(found, key=lambda pair: pair[1].start)

    def _find_colours(self, words: Sequence[_Word]) -> tuple[str, ...]:
        found = (self._colour_at(words, index) for index in range(len(words)))
        return tuple(dict.fromkeys(key for key in found if key))

    def _colour_at(self, words: Sequence[_Word], index: int) -> str:
        word = words[index].text
        near = {words[i].text for i in (index - 1, index + 1) if 0 <= i < len(words)}
        if word == "weiss" and near & {"ich", "nicht", "wer"}:
            return ""  # "ich weiß nicht" knows nothing of white
        return self._colours.get(word, "")

    def _find_sizes(self, text: str, words: Sequence[_Word]) -> tuple[str, ...]:
        found: list[str] = []
        markers = SIZE_WORDS.get(self._language, set())
        for index, word in enumerate(words):
            before = words[index - 1].text if index else ""
            if word.text in SIZE_NAMES:
                found.append(SIZE_NAMES[word.text])
            elif word.text.upper() in self._sizes and (
                len(word.text) > 1 or before in markers or len(words) == 1
            ):
                found.append(word.text.upper())
        numbers = _numbers(text)
        found += [
            size
            for size, wanted in self._sizes.items()
            if wanted and any(numbers[i : i + len(wanted)] == wanted for i in range(len(numbers)))
        ]
        return tuple(dict.fromkeys(found))

    def _find_limit(self, text: str) -> Decimal | None:
        low = text.lower()
        for number in find_numerals(text, self._language):
            before = low[max(0, number.start - 24) : number.start]
            money = bool(MONEY.match(text[number.end :])) or before.rstrip().endswith("€")
            limited = any(
                re.search(rf"(?<!\w){re.escape(word)}(?:\s+\w+)?\s*[€]?\s*$", before)
                for word in LIMITS.get(self._language, ())
            )
            if money or (limited and number.value >= 5 and not number.weak):
                return number.value
        return None

    def _find_digits(self, text: str) -> tuple[str, ...]:
        runs: list[str] = []
        end = -1
        for number in find_numerals(text, self._language):
            digits = self._as_digits(number.digits, text[number.start : number.end], number.value)
            if not digits.isdigit():
                continue
            between = self._between(text[end : number.start]) if end >= 0 else None
            if between is not None and len(runs[-1]) < ORDER_DIGITS:
                runs[-1] += between + digits
            else:
                runs.append(digits)
            end = number.end
            letters = POSTCODE_LETTERS.match(text, number.end)
            if letters and len(runs[-1]) == 4 and letters.group(1).isupper():
                runs[-1] += letters.group(1)
        return tuple(runs)

    def _between(self, gap: str) -> str | None:
        """Return the digits in a gap within one number ("one OH four"), None if it ends there."""
        spelled = [DIGITS.get(self._language, {}).get(fold(w)) for w in _WORD.findall(gap)]
        if "," in gap or None in spelled:
            return None
        return "".join(str(digit) for digit in spelled)

    def _as_digits(self, written: str, spoken: str, value: Decimal) -> str:
        """Return a number's digits; "zéro quatre" is 04, not 4."""
        if written:
            return re.sub(r"\D", "", written)
        words = DIGITS.get(self._language, {})
        spelled = [words.get(fold(word)) for word in _WORD.findall(spoken)]
        if all(digit is not None for digit in spelled):
            return "".join(str(digit) for digit in spelled)
        return str(value)

    def _find_ordinal(self, words: Sequence[_Word]) -> int | None:
        for position, forms in enumerate(ORDINALS.get(self._language, ())):
            if any(word.text in forms for word in words):
                return position
        if any(word.text in {"dernier", "derniere", "laatste", "letzte", "last"} for word in words):
            return -1
        return None


def _split(text: str) -> list[_Word]:
    return [
        _Word(fold(m.group()), m.start(), m.end(), m.group()[0].isupper() and m.start() > 0)
        for m in _WORD.finditer(text)
    ]


def _likeness(spelled: str, name: str, heard: str, sounds: str) -> float:
    """Return 0 to 1: how probable it is that ``spelled`` is ``name``, misheard."""
    written = float(Levenshtein.normalized_similarity(spelled, name))
    if heard == sounds and len(sounds) >= 3:
        return max(0.92, written)
    # The beginning of a name survives recognition best, which is what Jaro-Winkler rewards;
    # alone it is too kind to short words, so it only counts for half.
    spoken = float(Levenshtein.normalized_similarity(heard, sounds))
    start = float(JaroWinkler.normalized_similarity(spelled, name))
    return max(0.5 * written + 0.5 * start, 0.5 * spoken + 0.5 * start) if sounds else written


def _phrases(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for words, key in pairs:
        found.setdefault(tuple(stem(fold(word)) for word in _WORD.findall(words)), key)
    return found


def _numbers(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\d+", text))


def countries(language: str) -> dict[tuple[str, ...], str]:
    """Return the folded words of the countries people ask about, with their ISO codes."""
    names = locale_of(language, "BE").territories
    found = {
        tuple(fold(word) for word in _WORD.findall(names[code])): code
        for code in MORE_COUNTRIES
        if code in names
    }
    found |= {tuple(alias.split()): code for alias, code in COUNTRY_ALIASES.items()}
    return found


def common_words(texts: Iterable[str]) -> set[str]:
    """Return the folded words of ordinary texts of a language."""
    return {word for text in texts for word in tokens(text) if not word.isdigit()}
