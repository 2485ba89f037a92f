"""What callers spell: order numbers, postcodes, codes, phone numbers, e-mail addresses, names.

Each function returns candidates, likeliest first.  They are read back and confirmed; none of them
is tried out on somebody's data, since every try would be a guess (see the identity desk).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from voice_server.dialogue.spelling.alphabet import Alphabet, load_alphabet
from voice_server.dialogue.spelling.checks import (
    DOMAINS,
    POSTCODE_DIGITS,
    OrderFormat,
    valid_email,
    valid_postcode,
    write_postcode,
)
from voice_server.dialogue.spelling.pieces import Piece, PieceKind, read_pieces
from voice_server.dialogue.spelling.readings import HEARD_COST, Reading, cheapest, combine
from voice_server.dialogue.words import fold

MOST = 5
"""Candidates returned: nobody listens to more."""

JOIN_COST = 0.25
"""For each gap between runs that are taken together ("un zéro, euh, quatre huit deux")."""
CORRECTED_COST = 0.5
"""For a run that is not the last fitting one: who corrects himself says the right one last."""
SURE_GAP = 1.0
"""A value is sure when the next one costs so much more."""
UNKNOWN_DOMAIN_COST = 0.75
REPAIRED_DOMAIN_COST = 1.0
DOMAIN_LIKENESS = 0.75
"""From here a domain may have been a known one ("gmeel.com" is 0.78 from "gmail.com")."""
_HESITATIONS = frozenset(
    {"euh", "heu", "eh", "uh", "uhm", "hm", "äh", "ähm", "er", "um", "alors", "donc", "dus"}
)


@dataclass(frozen=True, slots=True)
class Heard:
    """The candidates for one value, likeliest first; empty when nothing fits."""

    candidates: tuple[Reading, ...] = ()
    partial: str = ""
    """What was heard when nothing fits ("1048": one digit is missing)."""

    @property
    def best(self) -> str:
        """The likeliest value, "" for none."""
        return self.candidates[0].text if self.candidates else ""

    @property
    def sure(self) -> bool:
        """Is there one candidate that leaves the others behind?"""
        costs = [candidate.cost for candidate in self.candidates[:2]]
        if not costs or costs[0] >= HEARD_COST:
            return False
        return len(costs) == 1 or costs[1] - costs[0] >= SURE_GAP


def read_order_number(text: str, language: str, wanted: OrderFormat) -> Heard:
    """Return order numbers as the shop writes them ("BE-10482")."""
    heard = read_digits(text, language, length=wanted.digits)
    found = tuple(Reading(wanted.number(r.text), r.cost) for r in heard.candidates)
    return Heard(found, heard.partial)


def read_digits(text: str, language: str, *, length: int) -> Heard:
    """Return runs of exactly ``length`` digits: order numbers, one-time codes."""
    runs = [piece for piece in read_pieces(text, language) if piece.kind is PieceKind.DIGITS]
    found: list[Reading] = []
    partial = ""
    for window in _windows(runs):
        joined = combine([piece.readings for piece in window], MOST * 5)
        cost = JOIN_COST * (len(window) - 1)
        if window[-1] is not runs[-1]:
            cost += CORRECTED_COST
        fitting = [Reading(r.text, r.cost + cost) for r in joined if len(r.text) == length]
        found += fitting
        if not fitting and len(partial) < len(joined[0].text) < length:
            partial = joined[0].text
    return Heard(cheapest(found, MOST), "" if found else partial)


def _windows(runs: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    for first in range(len(runs)):
        for after in range(first + 1, min(first + 6, len(runs)) + 1):
            yield runs[first:after]


def read_postcode(text: str, language: str, countries: Sequence[str]) -> Heard:
    """Return postcodes of the first country that has any, as it writes them.

    The Dutch form goes first: digits with two letters behind them are nothing else.
    """
    best = Heard()
    for country in sorted(countries, key=lambda country: country != "NL"):
        heard = _postcode(text, language, country)
        if heard.candidates:
            return heard
        best = max(best, heard, key=lambda h: len(h.partial))
    return best


def _postcode(text: str, language: str, country: str) -> Heard:
    length = POSTCODE_DIGITS.get(country, 4)
    if country != "NL":
        heard = read_digits(text, language, length=length)
        fitting = tuple(c for c in heard.candidates if valid_postcode(c.text, country))
        return Heard(fitting, heard.partial)
    found: list[Reading] = []
    pieces = [p for p in read_pieces(text, language) if p.kind is not PieceKind.SIGN]
    for first, last in ((a, b) for b in range(len(pieces)) for a in range(max(0, b - 4), b)):
        head, tail = pieces[first:last], pieces[last]
        digits = all(piece.kind is PieceKind.DIGITS for piece in head)
        if not digits or tail.kind is not PieceKind.LETTERS:
            continue
        joined = combine([*(piece.readings for piece in head), tail.readings], MOST * 5)
        found += [r for r in joined if valid_postcode(r.text, country)]
    written = (Reading(write_postcode(r.text, country), r.cost) for r in found)
    return Heard(
        cheapest(written, MOST), "" if found else read_digits(text, language, length=4).best
    )


_PHONE_LENGTHS = range(8, 14)


def read_phone(text: str, language: str) -> Heard:
    """Return phone numbers: digits, with "+" in front if it was said."""
    pieces = read_pieces(text, language)
    runs = [piece for piece in pieces if piece.kind is PieceKind.DIGITS]
    if not runs:
        return Heard()
    before = text[: runs[0].start].rstrip()
    plus = before.endswith("+") or before.lower().endswith("plus")
    joined = combine([piece.readings for piece in runs], MOST * 5)
    sign = "+" if plus else ""
    found = [
        Reading(sign + r.text, r.cost)
        for r in joined
        if len(r.text) in _PHONE_LENGTHS and (plus or r.text.startswith("0"))
    ]
    return Heard(cheapest(found, MOST), "" if found else joined[0].text)


# -- e-mail addresses ------------------------------------------------------------------------


_WRITTEN = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_END_MARKS = " .,;:!?"


def read_email(text: str, language: str, domains: Iterable[str] = ()) -> Heard:
    """Return addresses; ``domains`` are further known ones, such as the shop's own."""
    known = (*domains, *DOMAINS)
    written = _WRITTEN.search(text)
    if written is not None:
        plain = fold(written.group().rstrip("."))
        head, _, tail = plain.partition("@")
        return _addresses((Reading(head),), tail, known)
    alphabet = load_alphabet(language)
    pieces = read_pieces(text.rstrip(_END_MARKS), language)
    signs = [at for at, p in enumerate(pieces) if p.kind is PieceKind.SIGN and p.text == "@"]
    for at in reversed(signs):
        local = _local(text, pieces[:at], language)
        domain = "".join(
            _spoken(text, piece, alphabet)[0].text for piece in _domain_end(pieces[at + 1 :])
        )
        heard = _addresses(local, domain, known)
        if heard.candidates:
            return heard
    return Heard()


def _addresses(local: Sequence[Reading], domain: str, known: Sequence[str]) -> Heard:
    domains = _domains(domain, known)
    found = [
        Reading(f"{head.text}@{tail.text}", head.cost + tail.cost)
        for head in local
        for tail in domains
        if valid_email(f"{head.text}@{tail.text}")
    ]
    return Heard(cheapest(found, MOST))


def _domains(domain: str, known: Sequence[str]) -> list[Reading]:
    """Return a domain, and the known one that it may have been."""
    if domain in known:
        return [Reading(domain)]
    found = [Reading(domain, UNKNOWN_DOMAIN_COST)]
    likeness = {name: OSA.normalized_similarity(domain, name) for name in known}
    nearest = max(likeness, key=lambda name: (likeness[name], name))
    if likeness[nearest] >= DOMAIN_LIKENESS:
        # "gmail.be" is possible, but hardly anybody has it: ask for the known one first.
        found.append(Reading(nearest, REPAIRED_DOMAIN_COST - likeness[nearest] / 2))
    return found


def _domain_end(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Cut what is said behind an address ("... point com, merci")."""
    for at in range(len(pieces)):
        dotted = at and pieces[at - 1].text == "."
        more = at + 1 < len(pieces) and pieces[at + 1].text in {".", "-"}
        if dotted and not more:
            return pieces[: at + 1]
    return pieces


def _local(text: str, pieces: Sequence[Piece], language: str) -> tuple[Reading, ...]:
    """Return what stands before the @, without "mon adresse, c'est"."""
    alphabet = load_alphabet(language)
    start = 0
    for at, piece in enumerate(pieces[:-1]):
        said = text[piece.start : piece.end].lower().replace("’", "'")
        tail = said.rpartition("'")[2]
        if piece.kind in {PieceKind.WORD, PieceKind.LETTERS} and (
            said in alphabet.lead_in or tail in alphabet.lead_in
        ):
            start = at + 1
    kept = [
        piece
        for piece in pieces[start:]
        if piece.kind is not PieceKind.WORD
        or text[piece.start : piece.end].lower() not in _HESITATIONS
    ]
    return combine([_spoken(text, piece, alphabet) for piece in kept or pieces[start:]], MOST * 2)


def _spoken(text: str, piece: Piece, alphabet: Alphabet) -> tuple[Reading, ...]:
    """Return a piece of an address; one letter's name alone is rather a word ("de", "el")."""
    said = fold(re.sub(r"\s", "", text[piece.start : piece.end]))
    digit = alphabet.digits.get(text[piece.start : piece.end].lower())
    if digit is not None and piece.kind is PieceKind.WORD:
        return (Reading(str(digit)), Reading(said, HEARD_COST))  # "one", "een": no article here
    if piece.kind is PieceKind.WORD:
        return (Reading(said),)
    if piece.kind is PieceKind.LETTERS and piece.letters < 2 and len(said) > 1:
        return (Reading(said), *(Reading(r.text, r.cost + HEARD_COST) for r in piece.readings))
    return piece.readings


# -- names -----------------------------------------------------------------------------------


def read_name(text: str, language: str) -> Heard:
    """Return a name: what was spelled, else what was said, in capitals as names are written."""
    pieces = read_pieces(text.rstrip(_END_MARKS), language)
    spelled = _spelled(pieces)
    if spelled:
        found = [Reading(_capitals(r.text), r.cost) for r in spelled]
        return Heard(cheapest(found, MOST))
    said = _said(text, pieces, language)
    return Heard((Reading(_capitals(said), JOIN_COST),) if said else ())


def _spelled(pieces: Sequence[Piece]) -> tuple[Reading, ...]:
    """Return the longest spelling; runs are joined by a hyphen that was said between them."""
    groups: list[list[Piece]] = []
    for at, piece in enumerate(pieces):
        if piece.kind is PieceKind.LETTERS and (piece.letters > 1 or _in_group(groups, pieces, at)):
            if _in_group(groups, pieces, at):
                groups[-1] += [pieces[at - 1], piece]
            else:
                groups.append([piece])
    if not groups:
        return ()
    longest = max(groups, key=lambda group: (sum(p.letters for p in group), group[-1].start))
    if sum(piece.letters for piece in longest) < 2:
        return ()
    return combine([piece.readings for piece in longest], MOST * 5)


def _in_group(groups: Sequence[Sequence[Piece]], pieces: Sequence[Piece], at: int) -> bool:
    return (
        bool(groups)
        and at > 1
        and pieces[at - 1].kind is PieceKind.SIGN
        and pieces[at - 1].text == "-"
        and groups[-1][-1] is pieces[at - 2]
    )


def _said(text: str, pieces: Sequence[Piece], language: str) -> str:
    """Return the words behind "my name is", fillers and politeness cut off."""
    alphabet = load_alphabet(language)
    start = 0
    words = [p for p in pieces if p.kind in {PieceKind.WORD, PieceKind.LETTERS}]
    for at, piece in enumerate(words[:-1]):
        said = text[piece.start : piece.end].lower().replace("’", "'")
        if said in alphabet.lead_in or said.rpartition("'")[2] in alphabet.lead_in:
            start = at + 1
    kept = words[start:]
    while kept and text[kept[-1].start : kept[-1].end].lower() in alphabet.fillers:
        kept = kept[:-1]
    while kept and text[kept[0].start : kept[0].end].lower() in alphabet.fillers - {"de", "u"}:
        kept = kept[1:]
    return text[kept[0].start : kept[-1].end] if kept else ""


def _capitals(name: str) -> str:
    """Return a name as names are written, if it came in small or in capital letters only."""
    if not (name.islower() or name.isupper()):
        return name
    return _FIRST_LETTER.sub(lambda m: m.group().upper(), name.lower())


_FIRST_LETTER = re.compile(r"(?<![^\W_])[^\W\d_]")
