"""Numbers in running text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from voice_server.dialogue.locales import AVAILABLE
from voice_server.dialogue.numerals import find_numerals, read_digits

SPELLINGS = [
    ("en", "en"),
    ("fr", "fr"),
    ("fr", "fr_BE"),
    ("fr", "fr_CH"),
    ("nl", "nl"),
    ("de", "de"),
]


def values(text: str, language: str) -> list[Decimal]:
    return [numeral.value for numeral in find_numerals(text, language) if not numeral.weak]


@pytest.mark.parametrize(("language", "spelling"), SPELLINGS)
def test_small_numbers_read_back(language: str, spelling: str) -> None:
    for number in (*range(2, 130), *range(131, 1100, 7)):
        words = num2words(number, lang=spelling)
        read = [numeral.value for numeral in find_numerals(f"hm {words} hm", language)]
        assert read == [number], words


@given(number=st.integers(1100, 2_000_000), spelling=st.sampled_from(SPELLINGS))
def test_large_numbers_read_back(number: int, spelling: tuple[str, str]) -> None:
    words = num2words(number, lang=spelling[1])
    assert [n.value for n in find_numerals(words, spelling[0])] == [number]


@given(
    whole=st.integers(0, 999),
    tail=st.integers(1, 99),
    spelling=st.sampled_from([s for s in SPELLINGS if s[1] != "fr_CH"]),
)
def test_decimals_read_back(whole: int, tail: int, spelling: tuple[str, str]) -> None:
    number = Decimal(f"{whole}.{tail:02}")
    words = num2words(str(number), lang=spelling[1])
    assert [n.value for n in find_numerals(words, spelling[0])] == [number]


@pytest.mark.parametrize(
    ("written", "group", "value"),
    [
        ("1.299,00", ".", "1299.00"),
        ("1,299.00", ".", "1299.00"),
        ("1.299", ".", "1299"),
        ("1.299", ",", "1.299"),
        ("1,299", ",", "1299"),
        ("1,299", ".", "1.299"),
        ("4,95", ",", "4.95"),
        ("4.95", ".", "4.95"),
        ("1 299 000", ",", "1299000"),
        ("1\u202f299,5", ".", "1299.5"),
        ("1'299", ".", "1299"),
        ("1.299.000", ",", "1299000"),
        ("007", ",", "7"),
    ],
)
def test_digits_are_read_as_people_mean_them(written: str, group: str, value: str) -> None:
    assert read_digits(written, group) == Decimal(value)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "two, three and four", [2, 3, 4]),
        ("en", "one chair, a lamp", []),
        ("en", "two dozen", [24]),
        ("en", "three hundred dozen", [300, 12]),
        ("en", "five five", [5, 5]),
        ("en", "twenty and two", [22]),
        ("en", "and then eleven", [11]),
        ("en", "two hundred hundred", [200, 100]),
        ("en", "twelve thousand thousand", [12000, 1000]),
        ("en", "four point, well", [4]),
        ("en", "four point eleven one", [Decimal("4.111")]),
        ("fr", "un article neuf", []),
        ("fr", "quatre-vingt-dix-neuf", [99]),
        ("fr", "vingt et un", [21]),
        ("fr", "une douzaine", [12]),
        ("nl", "vijf en dertig", [35]),
        ("nl", "drieëntwintig stuks", [23]),
        ("nl", "een tweepersoonsbed", []),
        ("nl", "drie komma zwart", [3]),
        ("nl", "de acht", [8]),
        ("de", "achtundvierzig Stunden", [48]),
        ("de", "ein Zweisitzer", []),
        ("de", "zwei Komma und", [2]),
        ("de", "hundertundeins", [101]),
        ("en", "order 48213, chair 2", [48213, 2]),
        ("en", "nothing", []),
        ("nl", "en", []),
    ],
)
def test_words_in_context(language: str, text: str, expected: list[Decimal | int]) -> None:
    assert values(text, language) == expected


@pytest.mark.parametrize("language", AVAILABLE)
@given(text=st.text(max_size=80))
def test_any_text_can_be_read(language: str, text: str) -> None:
    for numeral in find_numerals(text, language):
        assert 0 <= numeral.start < numeral.end <= len(text)
        assert numeral.value >= 0


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("fr", "zéro quatre", [0, 4]),
        ("fr", "zéro quatre soixante-dix", [0, 4, 70]),
        ("fr", "zéro cent", [0, 100]),
        ("nl", "nul zes", [0, 6]),
        ("nl", "nul vier zeven nul", [0, 4, 7, 0]),
        ("de", "null eins sieben null", [0, 1, 7, 0]),
        ("en", "zero four", [0, 4]),
        ("en", "zero hundred", [0, 100]),
    ],
)
def test_a_zero_stands_alone(language: str, text: str, expected: list[int]) -> None:
    assert [n.value for n in find_numerals(text, language)] == expected


def test_zero_has_decimals() -> None:
    assert values("zéro virgule quatre", "fr") == [Decimal("0.4")]
