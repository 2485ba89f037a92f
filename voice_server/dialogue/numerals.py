"""Numbers in running text, in digits or in words, in the languages that have a locale file.

Pure functions.  Words follow the grammar of each language closely enough to read back everything
that ``num2words`` writes (a property test holds this), Belgian French included.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import Decimal

from voice_server.dialogue.locales import NumberWords, load_locale

SPACES = " \u00a0\u202f\u2009"
"""Plain, no-break, narrow no-break and thin space: all are seen between thousands."""

_DIGITS = re.compile(
    rf"\d{{1,3}}(?:[{SPACES}'’]\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*", re.UNICODE
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number found in a text. ``weak`` ones are numbers only beside a unit ("one", "un")."""

    value: Decimal
    start: int
    end: int
    weak: bool = False
    digits: str = ""
    """As written, when written in digits."""


def read_digits(written: str, group: str) -> Decimal:
    """Return the value of a numeral in digits; ``group`` is the language's thousands mark.

    "1.299,00", "1,299.00", "1 299", "4,95" and "4.95" are read as people mean them; only a single
    mark before exactly three digits depends on the language ("1.299").
    """
    text = re.sub(rf"[{SPACES}'’]", "", written)
    marks = re.findall(r"[.,]", text)
    if not marks:
        return Decimal(text)
    last = text.rfind(marks[-1])
    tail = text[last + 1 :]
    if len(set(marks)) == 2:
        grouped = False
    elif len(marks) > 1:
        grouped = True
    else:
        grouped = len(tail) == 3 and marks[0] == group
    whole = re.sub(r"[.,]", "", text if grouped else text[:last])
    return Decimal(whole if grouped else f"{whole}.{tail}")


def find_numerals(text: str, language: str) -> list[Numeral]:
    """Return the numbers of a text in order, in digits and in the words of ``language``."""
    words = load_locale(language).numbers
    found = [
        Numeral(read_digits(match.group(), words.group), *match.span(), digits=match.group())
        for match in _DIGITS.finditer(text)
    ]
    found += _in_words(text, language, words)
    found.sort(key=lambda numeral: numeral.start)
    return found


@functools.cache
def _glue(language: str) -> re.Pattern[str]:
    """Return the pattern that cuts a glued number word into its parts, longest first."""
    words = load_locale(language).numbers
    parts = {*words.atoms, *words.scales, *words.weak, *words.joiners}
    alternatives = "|".join(sorted(map(re.escape, parts), key=len, reverse=True))
    return re.compile(rf"(?:{alternatives})", re.IGNORECASE)


def _pieces(word: str, language: str, words: NumberWords) -> list[str]:
    """Return the number words that make up ``word``, or nothing if it is no number."""
    word = word.lower()
    if word in words.atoms or word in words.scales or word in words.weak:
        return [word]
    if not words.glued:
        return []
    parts = _split(word, language, words)
    return parts if parts and any(p in words.atoms or p in words.scales for p in parts) else []


def _split(word: str, language: str, words: NumberWords) -> list[str] | None:
    if not word:
        return []
    pattern = _glue(language)
    match = pattern.match(word)
    if match is None:
        return None
    # The longest part is nearly always right; where it is not ("dreizehn" over "drei"), shorter
    # ones are tried in turn.
    for length in range(len(match.group()), 0, -1):
        part = word[:length]
        if pattern.fullmatch(part):
            rest = _split(word[length:], language, words)
            if rest is not None:
                return [part, *rest]
    return None


@dataclass(slots=True)
class _Sum:
    """A number word by word. ``add`` says whether the word still belongs to it."""

    words: NumberWords
    total: int = 0
    current: int = 0
    seen: bool = False
    last_joined: bool = False
    smallest: int = 1_000_000_000
    """The scale used last: millions come before thousands."""

    def add(self, piece: str) -> bool:
        words = self.words
        if piece in words.scales:
            return self._scale(words.scales[piece])
        value = words.atoms[piece] if piece in words.atoms else words.weak[piece]
        if not self.seen or self._fits(value):
            self.current += value
            self.seen = True
            return True
        if words.vigesimal and value == 20 and self.current % 100 == 4:  # "quatre-vingt(s)"
            self.current += 76
            return True
        return False

    def _scale(self, scale: int) -> bool:
        if self.is_zero:
            return False
        if scale == 12:  # a dozen
            if self.current > 99:
                return False
            self.current = max(1, self.current) * 12
        elif scale == 100:
            # "twelve hundred", but "cinquante cents" are coins.
            if self.current > (9 if self.words.vigesimal else 99):
                return False
            self.current = max(1, self.current) * 100
        else:
            if scale >= self.smallest:
                return False
            self.smallest = scale
            self.total += max(1, self.current) * scale
            self.current = 0
        self.seen = True
        return True

    @property
    def is_zero(self) -> bool:
        """A zero was said: what follows is another number ("zéro quatre" is 0 and 4)."""
        return self.seen and self.value == 0

    def _fits(self, value: int) -> bool:
        rest = self.current % 100
        if value == 0 or self.is_zero:
            return False
        if rest == 0:
            return True
        french = self.words.vigesimal
        if value < 10:
            return rest % 10 == 0 and (rest >= 20 or (french and value >= 7))
        if value < 20:
            return french and rest in {60, 80}
        return rest < 10 and self.last_joined  # "vijf en dertig", "fünfunddreißig"

    @property
    def value(self) -> int:
        return self.total + self.current


def _in_words(text: str, language: str, words: NumberWords) -> list[Numeral]:
    tokens: list[tuple[list[str], int, int]] = []
    for match in _WORD.finditer(text):
        tokens.append((_pieces(match.group(), language, words), *match.span()))
    found: list[Numeral] = []
    place = 0
    while place < len(tokens):
        if not tokens[place][0]:
            place += 1
            continue
        numeral, place = _read(text, tokens, place, words)
        found += numeral
    return found


def _adjacent(text: str, end: int, start: int) -> bool:
    """Only spaces and hyphens between two words of one number."""
    return not text[end:start].strip(SPACES + "-")


def _read(
    text: str, tokens: list[tuple[list[str], int, int]], place: int, words: NumberWords
) -> tuple[list[Numeral], int]:
    """Read one number starting at token ``place``; return it and the next place."""
    begin, end = tokens[place][1], tokens[place][2]
    running = _Sum(words)
    weak = True
    joined = False
    at = place
    found: list[Numeral] = []
    while at < len(tokens):
        pieces, start, stop = tokens[at]
        word = text[start:stop].lower()
        if at > place and not _adjacent(text, tokens[at - 1][2], start):
            comma = text[tokens[at - 1][2] : start].strip(SPACES) == ","
            if not (comma and running.total and not running.current and pieces):
                break  # "one thousand, one hundred" goes on
        if not pieces:
            follows = at + 1 < len(tokens) and tokens[at + 1][0]
            if word in words.joiners and at > place and follows:
                joined = True
                at += 1
                continue
            break
        for piece in pieces:
            if piece in words.joiners:
                joined = True
                continue
            running.last_joined = joined
            joined = False
            if not running.add(piece):
                found.append(Numeral(Decimal(running.value), begin, end, weak))
                running = _Sum(words)
                begin, weak = start, True
                running.add(piece)
            weak = weak and piece in words.weak
            end = stop
        at += 1
    found.append(Numeral(Decimal(running.value), begin, end, weak))
    return _with_decimals(text, tokens, at, found, words)


def _with_decimals(
    text: str,
    tokens: list[tuple[list[str], int, int]],
    at: int,
    found: list[Numeral],
    words: NumberWords,
) -> tuple[list[Numeral], int]:
    """Join "quatre virgule neuf cinq": the words after the point are digits or one number."""
    if at >= len(tokens):
        return found, at
    _, start, stop = tokens[at]
    if text[start:stop].lower() not in words.point or not _adjacent(text, found[-1].end, start):
        return found, at
    digits = ""
    after = at + 1
    end = stop
    while after < len(tokens) and tokens[after][0] and _adjacent(text, end, tokens[after][1]):
        running = _Sum(words)
        if not all(piece in words.joiners or running.add(piece) for piece in tokens[after][0]):
            break
        digits += str(running.value)
        end = tokens[after][2]
        after += 1
    if not digits:
        return found, at
    head = found[-1]
    value = Decimal(f"{head.value}.{digits}")
    return [*found[:-1], Numeral(value, head.start, end)], after
