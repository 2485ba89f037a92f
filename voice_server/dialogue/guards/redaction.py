"""Personal data in texts: found in writing and in spoken form, taken out, and put back.  Pure.

For what is stored, logged and translated for staff (R14).  Recall goes before precision: what
looks like an account or a telephone number is taken out although it may be a tracking number.
Names are not found; order numbers are not personal by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from stdnum import iban, luhn
from stdnum.be import nn
from stdnum.de import idnr
from stdnum.exceptions import ValidationError
from stdnum.fr import nir
from stdnum.nl import bsn

from voice_server.dialogue.guards import pii_patterns as patterns
from voice_server.dialogue.locales import AVAILABLE
from voice_server.dialogue.spelling.alphabet import load_alphabet
from voice_server.dialogue.spelling.pieces import Piece, PieceKind, read_pieces
from voice_server.dialogue.words import fold


class PiiKind(StrEnum):
    """What was found."""

    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    CODE = "code"
    """A one-time code, the three digits on a card's back, a PIN."""
    NATIONAL = "national"
    PHONE = "phone"
    ADDRESS = "address"
    POSTCODE = "postcode"


SECRETS = frozenset({PiiKind.CARD, PiiKind.CODE, PiiKind.NATIONAL})
"""What nobody at a shop needs either: people who take a conversation over do not get it."""

Asked = Literal["", "number", "postcode", "code", "phone", "address"]
"""What the caller had been asked for: an answer needs no word that says what it is."""


@dataclass(frozen=True, slots=True)
class Pii:
    """A span of a text that is personal."""

    kind: PiiKind
    start: int
    end: int


_TLD = frozenset(
    {"com", "be", "nl", "fr", "de", "eu", "org", "net", "lu", "uk", "at", "ch", "es", "it", "io"}
    | {"me", "info", "shop", "brussels", "gent", "vlaanderen"}
)
_LONGEST_PART = 8
"""Pieces before the @ that may belong to a spoken address."""
_LONG_NUMBER = 12
"""Digits from which a spoken run is an account or a card, whatever its check digit."""


def find_pii(
    text: str,
    language: str,
    known: Iterable[str] = (),
    *,
    asked: Asked = "",
    private: Iterable[str] = (),
) -> tuple[Pii, ...]:
    """Return the personal spans of a text, in order, none inside another.

    Args:
        text: written or transcribed.
        language: of its spoken numbers; an unknown one is read as English.
        known: what is public: the shop's own telephone number, addresses and mail.
        asked: what the caller had been asked for.
        private: values that the caller gave before, such as a street that is read back.
    """
    language = language if language in AVAILABLE else "en"
    found = [
        *(Pii(PiiKind.EMAIL, *m.span()) for m in patterns.EMAIL.finditer(text)),
        *(
            Pii(PiiKind.IBAN, *m.span())
            for m in patterns.IBAN.finditer(text)
            if _is_iban(m.group())
        ),
        *_written_numbers(text),
        *(Pii(PiiKind.ADDRESS, *m.span()) for m in patterns.ADDRESS.finditer(text)),
        *(
            Pii(PiiKind.POSTCODE, *m.span())
            for m in patterns.PLACE.finditer(text)
            if _is_place(m.group())
        ),
        *_spoken(text, language, asked),
        *(Pii(PiiKind.ADDRESS, *span) for value in private for span in _spans_of(value, text)),
    ]
    if asked == "address" and text.strip():
        found.append(Pii(PiiKind.ADDRESS, len(text) - len(text.lstrip()), len(text.rstrip())))
    public = [span for value in known for span in _spans_of(value, text)]
    return _settled(p for p in found if not any(a <= p.start and p.end <= b for a, b in public))


def redact(
    text: str,
    language: str,
    known: Iterable[str] = (),
    *,
    asked: Asked = "",
    private: Iterable[str] = (),
    kinds: Container[PiiKind] = frozenset(PiiKind),
) -> str:
    """Return a text with every personal span of ``kinds`` replaced by its kind: "[phone]"."""
    found = find_pii(text, language, known, asked=asked, private=private)
    return mask(text, [pii for pii in found if pii.kind in kinds])


def find_written(text: str) -> tuple[Pii, ...]:
    """Return addresses and long numbers that are written out; quick, for log lines."""
    return _settled(_written(text)) if _MAYBE.search(text) else ()


def mask(text: str, found: Sequence[Pii]) -> str:
    """Return a text with each of ``found``, which are in order, replaced by its kind."""
    return _replace(text, found, lambda pii, _: f"[{pii.kind.value}]")


class Vault:
    """Takes personal data out of the texts of one session and puts it back into tool calls.

    Equal values get equal tokens ("[[email-1]]"), so that a model can refer to them.  Nothing of
    the vault is stored or logged.
    """

    def __init__(self, most: int = 200) -> None:
        """``most`` values are kept; further ones are redacted for good."""
        self._most = most
        self._tokens: dict[tuple[PiiKind, str], str] = {}
        self._values: dict[str, str] = {}

    def hide(self, text: str, language: str, known: Iterable[str] = ()) -> str:
        """Return a text with tokens in place of personal data."""
        return _replace(text, find_pii(text, language, known), self._token)

    def reveal(self, text: str) -> str:
        """Return a text with the values of its tokens. Unknown tokens stay as they are."""
        return _TOKEN.sub(lambda match: self._values.get(match.group(), match.group()), text)

    def __repr__(self) -> str:
        """Count, and show nothing."""
        return f"Vault({len(self._values)} values)"

    def _token(self, pii: Pii, value: str) -> str:
        key = (pii.kind, " ".join(value.split()).casefold())
        if key not in self._tokens:
            if len(self._tokens) >= self._most:
                return f"[{pii.kind.value}]"
            number = 1 + sum(kind is pii.kind for kind, _ in self._tokens)
            token = f"[[{pii.kind.value}-{number}]]"
            self._tokens[key] = token
            self._values[token] = value
        return self._tokens[key]


_TOKEN = re.compile(r"\[\[[a-z]+-\d+\]\]")


def _replace(text: str, found: Sequence[Pii], say: Callable[[Pii, str], str]) -> str:
    parts: list[str] = []
    end = 0
    for pii in found:
        parts += [text[end : pii.start], say(pii, text[pii.start : pii.end])]
        end = pii.end
    return "".join([*parts, text[end:]])


def _spans_of(value: str, text: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(re.escape(value), text, re.IGNORECASE)] if value else []


def _settled(found: Iterable[Pii]) -> tuple[Pii, ...]:
    """Join what overlaps: the first kind of :class:`PiiKind` names the whole."""
    order = list(PiiKind)
    spans: list[Pii] = []
    for pii in sorted(found, key=lambda p: (p.start, -p.end)):
        if spans and pii.start < spans[-1].end:
            kind = min(pii.kind, spans[-1].kind, key=order.index)
            spans[-1] = Pii(kind, spans[-1].start, max(spans[-1].end, pii.end))
        else:
            spans.append(pii)
    return tuple(spans)


# -- written ----------------------------------------------------------------------------------


_MAYBE = re.compile(r"@|\d[^\n]{0,3}\d[^\n]{0,3}\d[^\n]{0,3}\d")


def _written(text: str) -> list[Pii]:
    return [
        *(Pii(PiiKind.EMAIL, *m.span()) for m in patterns.EMAIL.finditer(text)),
        *(Pii(PiiKind.IBAN, *m.span()) for m in patterns.IBAN.finditer(text) if _is_iban(m[0])),
        *_written_numbers(text),
    ]


def _is_iban(text: str) -> bool:
    try:
        iban.validate(text, check_country=False)
    except ValidationError:
        return False
    return True


def _is_place(text: str) -> bool:
    return fold(text.split()[-1]) not in patterns.NO_PLACE


def _written_numbers(text: str) -> list[Pii]:
    found = []
    for match in patterns.RUN.finditer(text):
        kind = _kind_of(match.group())
        if kind is not None:
            found.append(Pii(kind, *match.span()))
    return found


def _kind_of(written: str) -> PiiKind | None:
    """Return what a long number is, None for one that is nobody's."""
    digits = re.sub(r"\D", "", written)
    if 13 <= len(digits) <= 19 and luhn.is_valid(digits):
        return PiiKind.CARD
    if _is_national(digits):
        return PiiKind.NATIONAL
    plus = written.startswith(("+", "00"))
    if (plus and 8 <= len(digits) <= 15) or (digits[0] == "0" and 8 <= len(digits) <= 12):
        return PiiKind.PHONE
    return None


def _is_national(digits: str) -> bool:
    checks = {9: (bsn,), 11: (nn, idnr), 15: (nir,)}.get(len(digits), ())
    return any(check.is_valid(digits) for check in checks)


# -- spoken -----------------------------------------------------------------------------------


def _spoken(text: str, language: str, asked: Asked) -> list[Pii]:
    pieces = read_pieces(text, language)
    return [
        *_spoken_addresses(text, pieces, language),
        *_spoken_numbers(text, pieces, asked),
        *_spoken_houses(text, pieces),
    ]


def _spoken_addresses(text: str, pieces: Sequence[Piece], language: str) -> list[Pii]:
    """Find "jan punt peeters apenstaartje gmail punt com"."""
    alphabet = load_alphabet(language)
    found = []
    for at, piece in enumerate(pieces):
        if piece.kind is not PieceKind.SIGN or piece.text != "@":
            continue
        end = _domain_end(text, pieces, at)
        if end is None:
            continue
        start = at
        while start and at - start < _LONGEST_PART * 2:
            before = pieces[start - 1]
            said = text[before.start : before.end].lower().replace("’", "'")
            gap = text[before.end : pieces[start].start]
            stops = said in alphabet.lead_in or said.rpartition("'")[2] in alphabet.lead_in
            if re.search(r"[,;:!?]|\.\s", gap) or stops:
                break
            start -= 1
        found.append(Pii(PiiKind.EMAIL, pieces[start].start, end))
    return found


def _domain_end(text: str, pieces: Sequence[Piece], at: int) -> int | None:
    """Return where the domain behind an @ ends, None if there is none."""
    end = None
    for place in range(at + 2, min(at + 10, len(pieces))):
        if pieces[place - 1].text != ".":
            continue
        said = fold(text[pieces[place].start : pieces[place].end])
        if said in _TLD or "".join(said.split()) in _TLD:
            end = pieces[place].end
    return end


def _spoken_numbers(text: str, pieces: Sequence[Piece], asked: Asked) -> list[Pii]:
    found = []
    for place, (first, last) in enumerate(_number_runs(text, pieces)):
        run = pieces[first : last + 1]
        digits = "".join(piece.text for piece in run if piece.kind is PieceKind.DIGITS)
        start, end = run[0].start, run[-1].end
        before = text[:start].rstrip()
        if before.lower().endswith("plus") or before.endswith("+"):
            start = len(before) - (4 if before.lower().endswith("plus") else 1)
            digits = f"+{digits}"
        kind = _kind_of(digits) if len(digits) >= 8 else None
        if kind is None and len(digits) >= _LONG_NUMBER:
            kind = PiiKind.CARD
        if kind is None and asked == "number" and len(digits) >= 8:
            # An order number with its postcode: where a comma tells them apart, one is kept.
            kind, start = PiiKind.POSTCODE, max(start, 1 + text.rfind(",", start, end))
            start += len(text[start:end]) - len(text[start:end].lstrip())
        if kind is None:
            kind = _short_kind(digits, text[:start], text[end:], asked, first=place == 0)
        if kind is PiiKind.POSTCODE and (letters := patterns.DUTCH_LETTERS.match(text, end)):
            end = letters.end()
        if kind is not None:
            found.append(Pii(kind, start, end))
    return found


def _short_kind(
    digits: str, before: str, after: str, asked: Asked, *, first: bool
) -> PiiKind | None:
    """Return what a number is by the words around it, and by what was asked for."""
    long = len(digits)
    if 4 <= long <= 5 and patterns.POSTCODE_WORD.search(before):
        return PiiKind.POSTCODE
    if 3 <= long <= 8 and (patterns.CODE_WORD.search(before) or patterns.CODE_AFTER.search(after)):
        return PiiKind.CODE
    if asked == "code":
        return PiiKind.CODE if long >= 2 else None  # "forty-eight, twenty-nine": two at a time
    if asked == "phone" and long >= 5:
        return PiiKind.PHONE
    # Beside an order number a shorter number, or a second one, is the postcode.
    if 4 <= long <= 5 and (asked == "postcode" or (asked == "number" and not (first and long > 4))):
        return PiiKind.POSTCODE
    return None


def _number_runs(text: str, pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    """Return first and last piece of runs of digits with nothing but commas in between."""
    runs: list[tuple[int, int]] = []
    for at, piece in enumerate(pieces):
        if piece.kind is not PieceKind.DIGITS:
            continue
        if runs and runs[-1][1] == at - 1:
            gap = text[pieces[at - 1].end : piece.start]
            if not gap.strip(" ,-/."):
                runs[-1] = (runs[-1][0], at)
                continue
        runs.append((at, at))
    return runs


def _spoken_houses(text: str, pieces: Sequence[Piece]) -> list[Pii]:
    """Find streets with a spoken house number ("rue des Fleurs vingt-deux")."""
    numbers = [piece for piece in pieces if piece.kind is PieceKind.DIGITS and len(piece.text) <= 4]
    return [
        Pii(PiiKind.ADDRESS, min(street.start(), number.start), max(street.end(), number.end))
        for street in patterns.STREET.finditer(text)
        for number in numbers
        if _beside(text, street, number)
    ]


def _beside(text: str, street: re.Match[str], number: Piece) -> bool:
    after = street.end() <= number.start and not text[street.end() : number.start].strip(" ,")
    before = number.end <= street.start() and not text[number.end : street.start()].strip(" ,")
    return after or before
