"""What an utterance says to identify an order: number, postcode, one-time code.  Pure."""

from __future__ import annotations

from collections.abc import Sequence

from voice_server.dialogue.flows.ports import ProofReader, Proofs
from voice_server.dialogue.identity.desk import CODE_DIGITS
from voice_server.dialogue.spelling.checks import POSTCODE_DIGITS, OrderFormat, valid_postcode
from voice_server.dialogue.spelling.forms import read_digits, read_postcode
from voice_server.dialogue.spelling.pieces import Piece, PieceKind, read_pieces


def proof_reader(order: OrderFormat, countries: Sequence[str]) -> ProofReader:
    """Return the reader of a shop.

    Args:
        order: how the shop writes its order numbers.
        countries: where it delivers, its own first: whose postcodes are understood.
    """

    def read(text: str, language: str, asked: str) -> Proofs:
        if asked == "code":
            return Proofs(code=read_digits(text, language, length=CODE_DIGITS).best)
        number, rest = _number(text, language, order, countries, asked)
        postcode = read_postcode(rest, language, countries).best
        return Proofs(order.number(number) if number else "", postcode)

    return read


def _number(
    text: str, language: str, order: OrderFormat, countries: Sequence[str], asked: str
) -> tuple[str, str]:
    """Return the digits of the order number and the text without them."""
    runs = [p for p in read_pieces(text, language) if p.kind is PieceKind.DIGITS]
    for run in runs:
        both = _both(run, order, countries)
        if both is not None:
            return both[0], both[1] + text[run.end :]
    windows = [runs[a:b] for a in range(len(runs)) for b in range(a + 1, min(a + 5, len(runs)) + 1)]
    fitting = [w for w in windows if order.fits("".join(p.text for p in w))]
    if not fitting:
        return "", text
    # Who was asked for a postcode of as many digits means that, unless there are two numbers.
    alone = len(fitting) == 1 and len(fitting[0]) == len(runs)
    if asked == "postcode" and alone and read_postcode(text, language, countries).best:
        return "", text
    # Who corrects himself says the right one last; but then a postcode of as many digits follows.
    postcode_behind = any(
        POSTCODE_DIGITS.get(country) == order.digits for country in countries
    ) and asked in {"", "number"}
    chosen = fitting[0] if postcode_behind else fitting[-1]
    number = "".join(piece.text for piece in chosen)
    return number, f"{text[: chosen[0].start]} . {text[chosen[-1].end :]}"


def _both(run: Piece, order: OrderFormat, countries: Sequence[str]) -> tuple[str, str] | None:
    """Return number and postcode of a run that is both in one breath ("10482 1000").

    A run whose plainest reading is a number has no postcode in it: "dix mille quatre cent
    nonante-sept" is 10497, though it can be read as 10000 400 97.
    """
    if order.fits(run.readings[0].text):
        return None
    for reading in run.readings:
        for country in countries:
            length = POSTCODE_DIGITS.get(country, 4)
            head, tail = reading.text[: order.digits], reading.text[order.digits :]
            plain = country != "NL" and valid_postcode(tail, country)
            if len(tail) == length and (plain or (country == "NL" and tail[0] != "0")):
                return head, tail
    return None
