"""From what a recogniser wrote to pieces: runs of digits, runs of letters, signs, words.

Pure functions.  A piece carries several readings where hearing is doubtful ("quatre-vingt deux" is
82 or 4 and 22; "em" is m or n), cheapest first.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum

from voice_server.dialogue.spelling.alphabet import WORD, Alphabet, Phrase, load_alphabet
from voice_server.dialogue.spelling.digits import JOINERS, Unit, is_number_word, read_run
from voice_server.dialogue.spelling.readings import BEAM, HEARD_COST, Reading, combine
from voice_server.dialogue.words import fold

LOOKALIKES: dict[str, str] = {
    **{"a": "k", "b": "pdv", "c": "s", "d": "tb", "e": "i", "f": "s", "g": "j", "i": "e"},
    **{"j": "g", "k": "a", "m": "n", "n": "m", "p": "bt", "q": "u", "s": "f", "t": "dp"},
    **{"u": "q", "v": "wb", "w": "v", "y": "i", "z": "s"},
}
"""Letters whose names are heard for one another in the four languages, likeliest first."""

_SKIPPED = frozenset(
    {"accent", "aigu", "grave", "circonflexe", "tréma", "trema", "majuscule", "minuscule"}
    | {"hoofdletter", "kleine", "capital", "lowercase", "uppercase", "großes", "kleines", "groß"}
)
"""Said about a letter, not a letter."""

_LONGEST_INITIALS = 3
"""Capitals up to here are letters ("BE 10482", "1011 AB"); longer ones are words or spelled."""


class PieceKind(StrEnum):
    """What a piece is."""

    DIGITS = "digits"
    LETTERS = "letters"
    SIGN = "sign"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an utterance, with its readings, cheapest first."""

    kind: PieceKind
    readings: tuple[Reading, ...]
    start: int
    end: int
    letters: int = 0
    """LETTERS: how many were spelled, at least 2 where there is no doubt that it is spelling."""

    @property
    def text(self) -> str:
        """The likeliest reading."""
        return self.readings[0].text


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    before: str
    """The mark that ties it to the token before ("-" in "P-E-E"), "" for none."""

    @property
    def low(self) -> str:
        return self.text.lower().replace("’", "'")


@dataclass(frozen=True, slots=True)
class _Item:
    """One spelled letter and how sure it is."""

    options: tuple[Reading, ...]
    after: int
    """The token behind it."""
    plain: bool
    """A single character or with a word ("B wie Berta"): not an ordinary word by chance."""
    linked: bool = False
    """With a word."""


_TOKEN = re.compile(rf"\d+|{WORD.pattern}|[@_]|(?<!\S)[+/-](?!\S)|\+(?=\d)")
_TIE = re.compile(r"[-./,]")


def read_pieces(text: str, language: str) -> list[Piece]:
    """Return the pieces of an utterance, in order. Raises UnknownLocale."""
    reader = _Reader(_tokens(text), load_alphabet(language))
    return reader.pieces()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for match in _TOKEN.finditer(text):
        tie = text[match.start() - 1 : match.start()]
        tied = found and found[-1].end == match.start() - 1 and _TIE.fullmatch(tie)
        found.append(_Token(match.group(), *match.span(), tie if tied else ""))
    return found


class _Reader:
    def __init__(self, tokens: list[_Token], alphabet: Alphabet) -> None:
        self._tokens = tokens
        self._alphabet = alphabet

    def pieces(self) -> list[Piece]:
        found: list[Piece] = []
        at = 0
        while at < len(self._tokens):
            token = self._tokens[at]
            if token.before:
                found.append(_plain(PieceKind.SIGN, token.before, token.start - 1, token.start))
            piece, at = self._next(at)
            found.append(piece)
        return found

    def _next(self, at: int) -> tuple[Piece, int]:
        """Return the piece at a token: letters before signs before numbers, the longest wins."""
        token = self._tokens[at]
        letters = self._letters(at)
        digits = self._digits(at)
        sign = self._phrase(at, self._alphabet.signs)
        if letters and letters[0].letters > 1 and not (digits and digits[1] > letters[1]):
            return letters
        if sign and not (digits and digits[1] > sign[1]):
            found = self._alphabet.signs[sign[0]]
            return _plain(PieceKind.SIGN, found, token.start, self._end(sign[1])), sign[1]
        if digits:
            return digits
        if letters:
            return letters
        kind = PieceKind.WORD if token.text[0].isalpha() else PieceKind.SIGN
        return _plain(kind, token.text, token.start, token.end), at + 1

    def _end(self, after: int) -> int:
        return self._tokens[after - 1].end

    def _phrase(self, at: int, table: Container[Phrase]) -> tuple[Phrase, int] | None:
        """Return the longest phrase of a table that begins here, and the token behind it."""
        for length in range(self._alphabet.longest, 0, -1):
            window = self._tokens[at : at + length]
            words = tuple(token.low for token in window)
            if len(words) == length and words in table and _together(window, "-"):
                return words, at + length
        return None

    # -- letters ----------------------------------------------------------------------------

    def _letters(self, at: int) -> tuple[Piece, int] | None:
        items: list[_Item] = []
        after = at
        while after < len(self._tokens):
            place = after
            while place < len(self._tokens) and items and self._tokens[place].low in _SKIPPED:
                place += 1
            if place >= len(self._tokens):
                break
            if items and self._tokens[place].before not in {"", "-", ".", ","}:
                break
            item = self._letter(place, spelling=bool(items))
            if item is None or (items and self._begins_number(place)):
                break
            items.append(item)
            after = item.after
        if not items:
            return None
        start = at
        if (
            len(items) > 2
            and self._tokens[at].low in self._alphabet.fillers
            and not items[0].plain
            and items[1].plain
        ):
            items, start = items[1:], items[0].after
        readings = combine([item.options for item in items], BEAM)
        spelled = len(items) if any(item.plain for item in items) or len(items) > 2 else 1
        if items[0].plain:
            spelled = max(spelled, len(readings[0].text))
        if any(item.linked for item in items):
            spelled = max(spelled, 2)
        first = self._tokens[start].start
        return Piece(PieceKind.LETTERS, readings, first, self._end(after), letters=spelled), after

    def _begins_number(self, at: int) -> bool:
        """Is this "oh" of "oh four", and no letter?"""
        low = self._tokens[at].low
        return low in self._alphabet.digits and self._digits(at) is not None

    def _letter(self, at: int, *, spelling: bool) -> _Item | None:
        table = self._alphabet
        token = self._tokens[at]
        if token.text.isdigit():
            return None
        if 1 < len(token.text) <= _LONGEST_INITIALS and token.text.isupper():
            return _Item((Reading(token.low),), at + 1, plain=True)
        named = self._phrase(at, table.letters)
        if named is not None:
            return self._with_word(named[1], table.letters[named[0]], token, named[0])
        times = self._phrase(at, table.multiples)
        if times is not None and times[1] < len(self._tokens):
            inner = self._letter(times[1], spelling=True)
            if inner is None:
                return None
            times_said = table.multiples[times[0]]
            options = tuple(Reading(o.text * times_said, o.cost) for o in inner.options)
            return _Item(options, inner.after, plain=True)
        letter = table.words.get(fold(token.low))
        if letter is not None and (spelling or self._word_follows(at)):
            return _Item((Reading(letter),), at + 1, plain=False)
        return None

    def _word_follows(self, at: int) -> bool:
        """Do two more words of the alphabet follow ("Anton Berta Cäsar")?"""
        following = self._tokens[at + 1 : at + 3]
        return len(following) == 2 and all(
            fold(token.low) in self._alphabet.words for token in following
        )

    def _with_word(self, after: int, letter: str, token: _Token, named: Phrase) -> _Item:
        """Read "B wie Berta": the word decides, a letter alone may be one that sounds like it."""
        link = self._phrase(after, self._alphabet.as_in) if after < len(self._tokens) else None
        if link is not None and link[1] < len(self._tokens):
            word = fold(self._tokens[link[1]].low)
            if word and word[0].isalpha():
                meant = self._alphabet.words.get(word, word[0])
                agreed = (Reading(meant),)
                other = (*agreed, Reading(letter, HEARD_COST))
                behind = self._word_end(link[1])
                return _Item(agreed if meant == letter else other, behind, plain=True, linked=True)
        doubts = LOOKALIKES.get(letter, "")
        options = [Reading(letter), *(Reading(other, HEARD_COST) for other in doubts)]
        if named[0] in {"double", "dubbel", "dubbele", "doppel"}:
            options.append(Reading(named[-1][0] * 2, HEARD_COST / 2))
        plain = len(token.text) == 1
        return _Item(tuple(sorted(options, key=lambda o: o.cost)), after, plain)

    def _word_end(self, at: int) -> int:
        """Return the token behind a word that may have hyphens ("X-ray")."""
        after = at + 1
        while after < len(self._tokens) and self._tokens[after].before == "-":
            after += 1
        return after

    # -- digits -----------------------------------------------------------------------------

    def _digits(self, at: int) -> tuple[Piece, int] | None:
        table = self._alphabet
        units: list[Unit] = []
        after = at
        while after < len(self._tokens):
            token = self._tokens[after]
            if units and token.before not in {"", "-", ".", ",", "/"}:
                break
            times = self._phrase(after, table.multiples)
            counted = None if times is None else self._counted(times[1])
            if times is not None and counted is not None:
                units.append(Unit("", times=table.multiples[times[0]]))
                after = counted
            elif self._is_letter_with_word(after):
                break
            elif self._is_number(after) or (units and self._joins(after)):
                units.append(Unit(token.text if token.text.isdigit() else token.low))
                after += 1
            else:
                break
        if not any(unit.sure(table) for unit in units) and len(units) < 2:
            return None
        readings = read_run(units, table)
        if not readings:
            return None
        start = self._tokens[at].start
        return Piece(PieceKind.DIGITS, readings, start, self._end(after)), after

    def _is_number(self, at: int) -> bool:
        if at >= len(self._tokens):
            return False
        token = self._tokens[at]
        return token.text.isdigit() or is_number_word(token.low, self._alphabet)

    def _counted(self, at: int) -> int | None:
        """Return the number that is said several times; an article may stand before it."""
        if at < len(self._tokens) and self._tokens[at].low in {"die", "de", "le", "the"}:
            at += 1
        return at if self._is_number(at) else None

    def _is_letter_with_word(self, at: int) -> bool:
        """Is this the O of "O for Oscar", and no zero?"""
        named = self._phrase(at, self._alphabet.letters)
        return named is not None and self._phrase(named[1], self._alphabet.as_in) is not None

    def _joins(self, at: int) -> bool:
        """Is this the "et" of "soixante et onze"?"""
        low = self._tokens[at].low
        return low in JOINERS and self._is_number(at + 1)


def _plain(kind: PieceKind, text: str, start: int, end: int) -> Piece:
    return Piece(kind, (Reading(text),), start, end)


def _together(window: list[_Token], ties: str) -> bool:
    return all(token.before == "" or token.before in ties for token in window[1:])
