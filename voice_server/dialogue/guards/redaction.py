"""Personal data in texts: found in writing and in spoken form, taken out, and put back.  Pure.

For logs, staff translations and prompts (R14).  Recall goes before precision: what looks like an
account or a telephone number is taken out although it may be a tracking number.  Names are not
found; order numbers are not personal by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stdnum import iban, luhn
from stdnum.be import nn
from stdnum.de import idnr
from stdnum.exceptions import ValidationError
from stdnum.fr import nir
from stdnum.nl import bsn

from voice_server.dialogue.locales import AVAILABLE
from voice_server.dialogue.spelling.alphabet import load_alphabet
from voice_server.dialogue.spelling.pieces import Piece, PieceKind, read_pieces
from voice_server.dialogue.words import fold


class PiiKind(StrEnum):
    """What was found."""

    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    NATIONAL = "national"
    PHONE = "phone"
    ADDRESS = "address"
    POSTCODE = "postcode"


@dataclass(frozen=True, slots=True)
class Pii:
    """A span of a text that is personal."""

    kind: PiiKind
    start: int
    end: int


_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![\w])")
_RUN = re.compile(r"(?<![\w,.])\+?\d(?:[ ./\-()]{0,2}\d){6,24}(?![\w])")
"""Seven digits and more, as telephone, card and national numbers are written."""
_STREET_FIRST = (
    r"(?:rue|avenue|av\.|boulevard|bd\.?|chaussée|chemin|allée|impasse|quai|route|drève|clos|"
    r"square|place|sentier|cours)\s+(?:(?:de|du|des|la|le|les|d'|de\s+l'|aux?)\s*)*"
    r"[A-ZÀ-Ý][\w'-]*(?:\s+[A-ZÀ-Ý][\w'-]*){0,3}"
)
_DUTCH = (
    r"[A-Z][\w'-]*(?:straat|laan|weg|plein|steenweg|lei|dreef|kaai|gracht|singel|kade|hof|dijk|"
    r"baan|park|markt)|(?:Grote|Oude|Nieuwe|Korte|Lange)\s+[A-Z]\w+"
)
_GERMAN = (
    r"[A-ZÄÖÜ][\w'-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|markt|steig)|"
    r"[A-ZÄÖÜ]\w+(?:er)?\s+(?:Straße|Strasse|Str\.|Allee|Platz|Weg|Ring|Damm|Ufer|Gasse)|"
    r"(?:Am|An\s+der|Auf\s+der|Im|In\s+der|Zum|Zur)\s+[A-ZÄÖÜ]\w+"
)
_ENGLISH = r"(?:[A-Z][\w'-]*\s+){1,3}(?:Street|Road|Avenue|Lane|Drive|Square|Close|St\.|Rd\.)"
_HOUSE = r"\d{1,4}(?:\s?[a-zA-Z](?![\w]))?"
_BOX = r"(?:,?\s*(?:bte|boîte|bus|box|Whg\.?|app\.?|appt\.?)\s*\w{1,5})?"
_STREET = re.compile(rf"(?<!\w)(?:{_STREET_FIRST}|{_DUTCH}|{_GERMAN}|{_ENGLISH})(?!\w)")
_ADDRESS = re.compile(
    rf"(?<!\w)(?:(?:{_STREET_FIRST}|{_DUTCH}|{_GERMAN}),?\s+(?:n°\s*)?{_HOUSE}(?![\w%€.,]\d){_BOX}"
    rf"|{_HOUSE},?\s+(?:(?:bis|ter),?\s+)?(?:{_STREET_FIRST}|{_ENGLISH}){_BOX})"
)
_PLACE = re.compile(
    r"(?<![\w.,€#-])(?:[BLDF]-)?(?:\d{4}\s?[A-Z]{2}(?!\w)|\d{4,5}\s+[A-ZÀ-Ý][a-zà-ÿ]{2,}[\w'-]*)"
)
_NO_PLACE = frozenset(
    {"euro", "euros", "eur", "gramm", "watt", "meter", "kilo", "stuck", "liter", "minuten", "uhr"}
    | {"tage", "stunden", "punkte", "umdrehungen", "lumen", "kelvin", "januar", "februar", "marz"}
    | {"april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"}
    | {"january", "february", "march", "may", "june", "july", "october", "december", "seiten"}
    | {"artikel", "produkte", "kunden", "teile", "menschen", "personen", "prozent", "millimeter"}
    | {
        "milliampere",
        "milliamperestunden",
        "wattstunden",
        "kilometer",
        "zentimeter",
        "quadratmeter",
    }
)
_POSTCODE_WORD = re.compile(
    r"\b(?:code postal|codes? postaux|postcode|postnummer|postleitzahl|plz|zip(?: code)?)\b"
    r"[^.!?\d]{0,24}$",
    re.IGNORECASE,
)
_TLD = frozenset(
    {"com", "be", "nl", "fr", "de", "eu", "org", "net", "lu", "uk", "at", "ch", "es", "it", "io"}
    | {"me", "info", "shop", "brussels", "gent", "vlaanderen"}
)
_LONGEST_PART = 8
"""Pieces before the @ that may belong to a spoken address."""
_LONG_NUMBER = 12
"""Digits from which a spoken run is an account or a card, whatever its check digit."""


def find_pii(text: str, language: str, known: Iterable[str] = ()) -> tuple[Pii, ...]:
    """Return the personal spans of a text, in order, none inside another.

    Args:
        text: written or transcribed.
        language: of its spoken numbers; an unknown one is read as English.
        known: what is public: the shop's own telephone number, addresses and mail.
    """
    language = language if language in AVAILABLE else "en"
    found = [
        *(Pii(PiiKind.EMAIL, *m.span()) for m in _EMAIL.finditer(text)),
        *(Pii(PiiKind.IBAN, *m.span()) for m in _IBAN.finditer(text) if _is_iban(m.group())),
        *_written_numbers(text),
        *(Pii(PiiKind.ADDRESS, *m.span()) for m in _ADDRESS.finditer(text)),
        *(Pii(PiiKind.POSTCODE, *m.span()) for m in _PLACE.finditer(text) if _is_place(m.group())),
        *_spoken(text, language),
    ]
    public = [span for value in known for span in _spans_of(value, text)]
    return _settled(p for p in found if not any(a <= p.start and p.end <= b for a, b in public))


def redact(text: str, language: str, known: Iterable[str] = ()) -> str:
    """Return a text with every personal span replaced by its kind: "[phone]"."""
    return _replace(text, find_pii(text, language, known), lambda pii, _: f"[{pii.kind.value}]")


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


def _is_iban(text: str) -> bool:
    try:
        iban.validate(text, check_country=False)
    except ValidationError:
        return False
    return True


def _is_place(text: str) -> bool:
    return fold(text.split()[-1]) not in _NO_PLACE


def _written_numbers(text: str) -> list[Pii]:
    found = []
    for match in _RUN.finditer(text):
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


def _spoken(text: str, language: str) -> list[Pii]:
    pieces = read_pieces(text, language)
    return [
        *_spoken_addresses(text, pieces, language),
        *_spoken_numbers(text, pieces),
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


def _spoken_numbers(text: str, pieces: Sequence[Piece]) -> list[Pii]:
    found = []
    for first, last in _number_runs(text, pieces):
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
        if kind is None and 4 <= len(digits) <= 5 and _POSTCODE_WORD.search(text[:start]):
            kind = PiiKind.POSTCODE
        if kind is not None:
            found.append(Pii(kind, start, end))
    return found


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
        for street in _STREET.finditer(text)
        for number in numbers
        if _beside(text, street, number)
    ]


def _beside(text: str, street: re.Match[str], number: Piece) -> bool:
    after = street.end() <= number.start and not text[street.end() : number.start].strip(" ,")
    before = number.end <= street.start() and not text[number.end : street.start()].strip(" ,")
    return after or before
