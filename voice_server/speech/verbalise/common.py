"""What every language's speller knows how to do; a language overrides what it says otherwise.

The written side (which characters are a price, a date, a SKU) is in rules.py; this is the spoken
side.  A speller holds words and grammar, no state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from num2words import num2words

LONGEST_NUMBER = 15
"""Digits beyond which nobody says a number as a quantity: it is read digit by digit."""


@dataclass(frozen=True, slots=True)
class Number:
    """A written number: its whole part, the digits behind its decimal mark, and that mark."""

    whole: int
    fraction: str = ""
    mark: str = ""

    @property
    def is_one(self) -> bool:
        """Exactly one, which decides between singular and plural."""
        return self.whole == 1 and not self.fraction


@dataclass(frozen=True, slots=True)
class Currency:
    """How a currency is said: one, several, one of its cents, several of them."""

    one: str
    many: str
    cent: str
    cents: str


def words(text: str) -> list[str]:
    """Return the words of a table written as prose."""
    return text.split()


def alphabet(names: str) -> dict[str, str]:
    """Return the letters a to z with their 26 names."""
    return dict(zip("abcdefghijklmnopqrstuvwxyz", names.split(), strict=True))


def chunks(digits: str) -> list[str]:
    """Cut a long run of digits into groups of three, the last ones of two: easy to write down.

    >>> chunks("48213"), chunks("1234"), chunks("4821377")
    (['482', '13'], ['1234'], ['482', '13', '77'])
    """
    if len(digits) <= 4:
        return [digits]
    twos = {0: 0, 1: 2, 2: 1}[len(digits) % 3]
    threes = (len(digits) - 2 * twos) // 3
    cut = [digits[3 * n : 3 * n + 3] for n in range(threes)]
    rest = digits[3 * threes :]
    return cut + [rest[n : n + 2] for n in range(0, len(rest), 2)]


class Speller:
    """The words of one language. Subclasses set the attributes and override the grammar."""

    code = "en"
    """ISO 639-1, and num2words' name of the language."""
    group_marks = "."
    """Marks that may stand between thousands."""
    decimal_mark = ","
    groups_by_space = False
    """``1 299`` with a plain space is one number (no-break spaces always group)."""
    month_first = False

    comma, point, minus, plus, percent, per_mille = "comma", "point", "minus", "plus", "", ""
    to, by, times, per, out_of, degrees = "to", "by", "times", "per", "out of", "degrees"
    and_word, or_word, equals, at_time, number_word = "and", "or", "equals", "at", "number"
    about, less_than, more_than, at_most, at_least = "about", "under", "over", "at most", "at least"
    at_sign, dot, slash, hyphen, underscore = "at", "dot", "slash", "dash", "underscore"

    letter_names: Mapping[str, str] = {}
    months: Sequence[str] = ()
    month_abbreviations: Mapping[str, int] = {}
    """Lower case, without the dot."""
    weekdays: Mapping[str, str] = {}
    """Abbreviation in lower case, without the dot, to name."""
    units: Mapping[str, tuple[str, str]] = {}
    """Symbol to (one, several)."""
    currencies: Mapping[str, Currency] = {}
    """ISO 4217 code to words."""
    currency_words: Mapping[str, str] = {}
    """Words a price may end with, lower case, to their code."""
    abbreviations: Mapping[str, str] = {}
    """As written, with its dots, to words. Matched in any case when it is in lower case."""
    final_abbreviations: frozenset[str] = frozenset()
    """Those that often end a sentence, so that their dot may be its full stop."""
    initialisms: frozenset[str] = frozenset()
    """Capitals said letter by letter although they could be read as a word."""
    fractions: Mapping[str, str] = {}
    size_words = ""
    """Regular expression of the words before a garment's size."""
    order_words = ""
    """Regular expression of the words before an order number, a SKU, a code."""
    ordinal_pattern = ""
    """Regular expression with a group ``number``, and ``before`` where the word there matters."""
    date_prepositions = ""
    """Regular expression of the words before ``5/12`` that make it a date."""
    time_suffix = ""
    """Regular expression of the word behind ``9:30`` that is swallowed."""
    hour_mark = ""
    """Regular expression of what stands between hours and minutes beside the colon."""
    phrases: Sequence[tuple[str, str]] = ()
    """(regular expression, words) for idioms with digits, such as 24/7."""
    sizes: Mapping[str, str] = {}
    """Garment sizes said as words; the others are spelled."""
    phone_by_groups = False
    """Groups of a phone number are said as numbers, not digit by digit."""

    # -- numbers

    def cardinal(self, number: int) -> str:
        """Return the number in words."""
        return str(num2words(number, lang=self.code))

    def count(self, number: int, following: str) -> str:
        """Return the number as it stands before ``following`` (a word, perhaps empty)."""
        return self.cardinal(number)

    def ordinal(self, number: int, following: str = "", preceding: str = "") -> str:
        """Return first, second, ... agreeing with its neighbours where the language does."""
        return str(num2words(number, lang=self.code, to="ordinal"))

    def year(self, number: int) -> str:
        """Return a year in words."""
        return self.cardinal(number)

    def fraction_digits(self, digits: str) -> str:
        """Return the digits behind the decimal mark in words."""
        zeros = len(digits) - len(digits.lstrip("0"))
        if len(digits) > 2 or zeros == len(digits):
            return self.digits(digits, grouped=False)
        return " ".join([self.cardinal(0)] * zeros + [self.cardinal(int(digits))])

    def number(self, number: Number, following: str = "") -> str:
        """Return a number with or without decimals in words."""
        if not number.fraction:
            return self.count(number.whole, following)
        mark = self.comma if number.mark == self.decimal_mark else self.point
        return f"{self.cardinal(number.whole)} {mark} {self.fraction_digits(number.fraction)}"

    def digits(self, run: str, *, grouped: bool = True) -> str:
        """Return each digit's name; commas between groups help who writes it down."""
        groups = chunks(run) if grouped else [run]
        return ", ".join(" ".join(self.cardinal(int(digit)) for digit in group) for group in groups)

    def parse(self, written: str) -> Number:
        """Read a number as this language writes it, forgiving the other convention.

        ``4.95`` is a decimal everywhere, ``1.299`` a thousand where the point groups.
        """
        plain = re.sub(r"[\s']", "", written)
        found = re.findall(r"[.,]", plain)
        if not found:
            return Number(int(plain))
        last = found[-1]
        whole, _, fraction = plain.rpartition(last)
        grouped = found.count(last) > 1 or (
            len(set(found)) == 1
            and len(fraction) == 3
            and last in self.group_marks
            and whole.lstrip("0") != ""
        )
        if grouped:
            return Number(int(re.sub(r"[.,]", "", plain)))
        return Number(int(re.sub(r"[.,]", "", whole) or 0), fraction, last)

    # -- things with numbers

    def money(self, number: Number, code: str) -> str:
        """Return a price in words: whole units, then cents."""
        currency = self.currencies[code]
        cents = int(f"{number.fraction:0<2}"[:2]) if number.fraction else 0
        if len(number.fraction) > 2:  # a price per unit such as 0,249
            return f"{self.number(number)} {currency.many}"
        if cents and not number.whole:
            return f"{self.cardinal(cents)} {currency.cent if cents == 1 else currency.cents}"
        unit = currency.one if number.whole == 1 else currency.many
        whole = f"{self.count(number.whole, unit)} {unit}"
        return f"{whole}{self.cents(cents, currency)}" if cents else whole

    def cents(self, cents: int, currency: Currency) -> str:
        """Return what follows the whole units, with its leading space."""
        return f" {self.cardinal(cents)}"

    def quantity(self, number: Number, unit: str) -> str:
        """Return a number with its unit, given as its symbol."""
        one, many = self.units[unit]
        name = one if self.is_singular(number) else many
        return f"{self.number(number, name)} {name}"

    def is_singular(self, number: Number) -> bool:
        """Whether ``number`` takes the singular."""
        return number.is_one

    def day(self, day: int, preceding: str = "") -> str:
        """Return a day of the month as it stands before the month's name."""
        return self.cardinal(day)

    def date(self, day: int, month: int, year: int | None, preceding: str = "") -> str:
        """Return a date in words."""
        said = f"{self.day(day, preceding)} {self.months[month - 1]}"
        return said if year is None else f"{said} {self.year(year)}"

    def time(self, hours: int, minutes: int, half: str = "") -> str:
        """Return a time of day; ``half`` is am, pm or nothing."""
        raise NotImplementedError

    def phone(self, groups: Sequence[str]) -> str:
        """Return a phone number in words, group by group; a plus stands before the first."""
        said = []
        for group in groups:
            plus = f"{self.plus} " if group.startswith("+") else ""
            said.append(plus + self._phone_group(group.lstrip("+")))
        return ", ".join(said)

    def _phone_group(self, digits: str) -> str:
        if not self.phone_by_groups or len(digits) > 4:
            return self.digits(digits, grouped=False)
        zeros = len(digits) - len(digits.lstrip("0"))
        words = [self.cardinal(0)] * zeros
        if rest := digits[zeros:]:
            words += (
                [self.cardinal(int(part)) for part in (rest[:2], rest[2:]) if part]
                if len(rest) == 4
                else [self.cardinal(int(rest))]
            )
        return " ".join(words)

    def and_a_half(self, number: int) -> str:
        """Return a half size, such as forty-two and a half."""
        raise NotImplementedError

    # -- letters

    def spell(self, letters: str) -> str:
        """Return the names of the letters."""
        return " ".join(self.letter_names.get(letter.lower(), letter) for letter in letters)

    def code_token(self, token: str) -> str:
        """Return a SKU, order number or model name: letters spelled, digits in groups."""
        parts = [part for part in re.split(r"[^A-Za-z0-9]+", token) if part]
        # A long number is a reference; a short one may follow a name, such as LAMP-001.
        named = sum(map(str.isdigit, token)) < 6
        said = [self._code_part(part, named) for part in parts]
        return (", " if len(token) > 7 else " ").join(said)

    def _code_part(self, part: str, named: bool) -> str:
        said = []
        for run in re.findall(r"[A-Za-z]+|\d+", part):
            if run.isdigit():
                short = len(run) <= 3 and run[0] != "0"
                said.append(self.cardinal(int(run)) if short else self.digits(run))
            elif named and len(run) > 3 and re.search(r"[AEIOUYaeiouy]", run):
                said.append(run if run[1:].islower() else run.capitalize())
            else:
                said.append(self.spell(run))
        return " ".join(said)

    def size(self, size: str) -> str:
        """Return a garment size such as XL or 3XL."""
        if size in self.sizes:
            return self.sizes[size]
        if size[0].isdigit():
            return f"{self.cardinal(int(size[0]))} {self.spell(size[1:])}"
        return self.spell(size)
