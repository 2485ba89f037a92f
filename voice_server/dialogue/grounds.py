"""What a reply may say: the claims and names of its facts, and how each one may be repeated.

Pure: built once per reply, asked once per sentence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from voice_server.dialogue.claims import Claim, Kind, claims_of
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.locales import AVAILABLE, load_locale

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

# Capitals that are no product of anybody's: people, tongues and things everyone may name.
_COMMON_NAMES = frozenset(
    {"ai", "ki", "ia", "ok", "tv", "pdf", "vat", "tva", "btw", "mwst", "eu", "faq", "sms", "iban"}
    | {"id", "usb", "led", "mr", "mrs", "ms", "dr", "i", "i'm", "i'll", "i've", "i'd", "u", "uw"}
    | {"sie", "ihr", "ihre", "ihnen", "ihrem", "ihren", "ihrer"}
)

ECHO_DIGITS = 5
"""A bare number of the user's with so many digits is an order number and may be said back; a
shorter one may not ("is it 20?" must not make "yes, 20" true)."""


@dataclass(frozen=True, slots=True)
class Support:
    """A claim somebody may repeat, and how freely.

    ``loose``: the source does not spell out units (a tool's JSON), so 39 supports "39 euros" and
    21.6 supports "22".
    """

    claim: Claim
    loose: bool = False
    product_id: str | None = None


def supports(support: Support, claim: Claim) -> bool:
    """Does ``support`` back ``claim``?"""
    return _COMPARE[claim.kind](support, claim)


def _number(support: Support, claim: Claim) -> bool:
    have = support.claim
    if have.kind is Kind.NUMBER:
        if have.unit == claim.unit:
            return _equal(have.value, claim.value, support.loose)
        bare = not have.unit or not claim.unit
        return bare and _equal(have.written, claim.written, support.loose)
    if have.kind is Kind.TIME:
        hours = Decimal(claim.value)
        vague = claim.unit == "hour" and hours <= 12
        return claim.unit in {"", "hour"} and hours <= 24 and _same_time(have, hours * 60, vague)
    if have.kind in {Kind.MONEY, Kind.PERCENT}:
        return not claim.unit and _equal(have.value, claim.value, support.loose)
    return False


def _equal(have: Decimal | str, said: Decimal | str, loose: bool) -> bool:
    if have == said:
        return True
    whole = isinstance(said, Decimal) and said == said.to_integral_value()
    return loose and whole and isinstance(have, Decimal) and round(have) == said


def _priced(support: Support, claim: Claim) -> bool:
    have = support.claim
    bare = support.loose and have.kind is Kind.NUMBER and not have.unit
    return (have.kind is claim.kind or bare) and _equal(have.value, claim.value, bare)


def _same_time(have: Claim, minutes: Decimal, vague: bool) -> bool:
    there = Decimal(have.value)
    if there == minutes:
        return True
    # "6 o'clock" may be 18:00; but 21:00 is not what "9:00" in the facts means.
    return vague and there % 720 == minutes % 720


def _time(support: Support, claim: Claim) -> bool:
    have = support.claim
    if have.kind is Kind.TIME:
        return _same_time(have, Decimal(claim.value), claim.vague)
    if have.kind is Kind.NUMBER and have.unit in {"", "hour"}:
        hours = Decimal(have.value) * 60
        return hours == claim.value or (claim.vague and hours % 720 == Decimal(claim.value) % 720)
    return False


def _day(support: Support, claim: Claim) -> bool:
    have = support.claim
    years = not have.unit or not claim.unit or have.unit == claim.unit
    return have.kind is Kind.DATE and have.value == claim.value and years


def _month(support: Support, claim: Claim) -> bool:
    return (
        support.claim.kind in {Kind.DATE, Kind.MONTH}
        and str(support.claim.value)[:2] == claim.value
    )


def _free(support: Support, _: Claim) -> bool:
    have = support.claim
    return have.kind is Kind.FREE or (have.kind is Kind.MONEY and have.value == 0)


def _same(support: Support, claim: Claim) -> bool:
    return support.claim.kind is claim.kind and support.claim.value == claim.value


_COMPARE: Mapping[Kind, Callable[[Support, Claim], bool]] = {
    Kind.NUMBER: _number,
    Kind.MONEY: _priced,
    Kind.PERCENT: _priced,
    Kind.TIME: _time,
    Kind.DATE: _day,
    Kind.MONTH: _month,
    Kind.WEEKDAY: _same,
    Kind.RELATIVE: _same,
    Kind.FREE: _free,
    Kind.CODE: _same,
    Kind.ADDRESS: _same,
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything a sentence may lean on."""

    supports: tuple[Support, ...]
    names: frozenset[str]
    """Lower-case words that may be used as names."""
    titles: tuple[tuple[str, str], ...] = ()
    """(product name in lower case, product id), longest first."""

    def backs(self, claim: Claim, products: frozenset[str] = frozenset()) -> bool:
        """Is ``claim`` among the facts?

        Where the sentence names ``products``, facts of *other* products do not count: the lamp's
        price is not the chair's.
        """
        return any(
            supports(support, claim)
            for support in self.supports
            if not products or support.product_id is None or support.product_id in products
        )

    def products_in(self, sentence: str) -> frozenset[str]:
        """Return the ids of the products that ``sentence`` names."""
        low = sentence.lower()
        return frozenset(
            product
            for title, product in self.titles
            if re.search(rf"(?<!\w){re.escape(title)}(?!\w)", low)
        )

    def knows(self, name: str) -> bool:
        """May this word be used as a name? Endings (plural, genitive) do not matter."""
        low = name.lower().replace("’", "'")
        stems = {low, low.removesuffix("'s"), low.removesuffix("s"), low.removesuffix("es")}
        return bool(stems & self.names) or low + "s" in self.names


def build_grounds(
    facts: Sequence[Fact],
    *,
    echoes: Iterable[tuple[str, str]] = (),
    said: Iterable[tuple[str, str]] = (),
    loose: Iterable[tuple[str, str]] = (),
    names: Iterable[str] = (),
) -> Grounds:
    """Gather what may be said.

    ``facts`` count in full.  ``echoes`` are (text, language) of what the user said: names and
    order numbers may be said back, nothing else.  ``said`` was said before and passed then, or may
    be repeated because the talk is not about the shop.  ``loose`` are tool results and trusted
    instructions: everything in them counts, units or not.  ``names`` are further names, such as
    the shop's.
    """
    found: list[Support] = []
    words: set[str] = set(_COMMON_NAMES) | _calendar_words()
    titles: set[tuple[str, str]] = set()
    for fact in facts:
        for text in (fact.title, fact.text):
            found += [
                Support(claim, False, fact.product_id) for claim in claims_of(text, fact.language)
            ]
            words |= _words(text)
        if fact.product_id is not None:
            titles.add((fact.title.lower(), fact.product_id))
    for text, language in echoes:
        found += [Support(claim) for claim in claims_of(text, language) if _may_echo(claim)]
        words |= _words(text)
    for text, language in said:
        found += [Support(claim) for claim in claims_of(text, language)]
        words |= _words(text)
    for text, language in loose:
        found += [Support(claim, loose=True) for claim in claims_of(text, language)]
        words |= _words(text)
    for name in names:
        words |= _words(name)
    ordered = sorted(titles, key=lambda pair: len(pair[0]), reverse=True)
    return Grounds(tuple(found), frozenset(words), tuple(ordered))


def cited(sentence: str, facts: Sequence[Fact], language: str) -> tuple[Fact, ...]:
    """Return the facts a sentence leans on: by a claim, by its title, or by its rare words."""
    said = claims_of(sentence, language)
    low = sentence.lower()
    words = {word for word in _words(sentence) if len(word) >= _RARE_LETTERS}
    found: list[Fact] = []
    for fact in facts:
        have = claims_of(fact.text, fact.language)
        claimed = any(supports(Support(a), b) for a in have for b in said)
        shared = len(words & _words(fact.text)) >= _RARE_WORDS
        if claimed or shared or fact.title.lower() in low:
            found.append(fact)
    return tuple(found)


_RARE_LETTERS = 5
_RARE_WORDS = 3


def _may_echo(claim: Claim) -> bool:
    if claim.kind is Kind.CODE:
        return True
    bare = claim.kind is Kind.NUMBER and not claim.unit
    return bare and isinstance(claim.value, Decimal) and claim.value >= 10 ** (ECHO_DIGITS - 1)


def _words(text: str) -> set[str]:
    found: set[str] = set()
    for match in _WORD.finditer(text):
        word = match.group().lower().replace("’", "'")
        found.add(word)
        found.update(part for part in re.split(r"['-]", word) if part)
    return found


@functools.cache
def _calendar_words() -> frozenset[str]:
    """Days, months and languages: capitals in some languages, checked as claims or harmless."""
    found: set[str] = set()
    for code in AVAILABLE:
        locale = load_locale(code)
        found.update(locale.months)
        found.update(locale.weekdays)
        for names in locale.language_names.values():
            found.update(names)
    return frozenset(found)
