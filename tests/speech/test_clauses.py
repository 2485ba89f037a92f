from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.speech.clauses import ClauseLimits, ClauseSplitter


def cut(text: str, language: str, sizes: list[int] | None = None) -> list[str]:
    """Feed ``text`` in deltas of ``sizes`` (repeated) and return all clauses."""
    splitter = ClauseSplitter(language)
    clauses: list[str] = []
    at, turn = 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)] if sizes else len(text)
        clauses += splitter.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    return clauses + splitter.flush()


@pytest.mark.parametrize(
    ("language", "text", "clauses"),
    [
        ("en", "Sure, let me check.", ["Sure, let me check."]),
        ("en", "It costs 4.95 today, yes.", ["It costs 4.95 today,", " yes."]),
        (
            "en",
            "Certainly! Shipping is free, e.g. by DHL. Anything else?",
            ["Certainly!", " Shipping is free, e.g. by DHL.", " Anything else?"],
        ),
        (
            "en",
            "See https://shop.be/a?b=1. Or mail info@shop.be. Fine.",
            ["See https://shop.be/a?b=1.", " Or mail info@shop.be.", " Fine."],
        ),
        (
            "en",
            "The Oslo chair is made of solid oak.",
            ["The Oslo chair is made", " of solid oak."],
        ),
        (
            "fr",
            "La chaise Oslo est disponible en noir. Elle coûte 1 299,95 € et part demain.",
            ["La chaise Oslo est disponible", " en noir. Elle coûte 1 299,95 € et part demain."],
        ),
        ("fr", "Oui. Elle coûte 49 euros.", ["Oui. Elle coûte 49 euros."]),
        ("fr", "M. Dupont habite ici. Il attend.", ["M. Dupont habite ici.", " Il attend."]),
        (
            "fr",
            "Ouvert 9:00 – 18:00, sauf dimanche.",
            ["Ouvert 9:00 – 18:00,", " sauf dimanche."],
        ),
        ("fr", "La chaise — en chêne — est là.", ["La chaise —", " en chêne — est là."]),
        (
            "nl",
            "De stoel kost 1.299,95 euro en wordt bv. morgen geleverd. Wij helpen u graag.",
            [
                "De stoel kost 1.299,95 euro",
                " en wordt bv. morgen geleverd.",
                " Wij helpen u graag.",
            ],
        ),
        (
            "de",
            "Am 15. Dezember wird geliefert. Der Stuhl ist z. B. heute da.",
            ["Am 15. Dezember wird geliefert.", " Der Stuhl ist z. B. heute da."],
        ),
        (
            "de",
            "Das ist z. B. ein schöner Tisch, den wir haben.",
            ["Das ist z. B. ein schöner Tisch,", " den wir haben."],
        ),
        (
            "zh",
            "你好！欢迎光临我们的商店。价格是1，299元，今天发货。",
            ["你好！欢迎光临我们的商店。", "价格是1，299元，今天发货。"],
        ),
        (
            "ja",
            "はい、あります。ありがとうございます。",
            ["はい、あります。", "ありがとうございます。"],
        ),
        ("en", 'He said "yes indeed." Then he left.', ['He said "yes indeed."', " Then he left."]),
        (
            "en",
            "Our steps:\n1. Pack it well.\n2. Send it back to us.",
            ["Our steps:", "\n1. Pack it well.\n2. Send it back to us."],
        ),
        ("en", "", []),
        ("en", "  \n", ["  \n"]),
        (
            "en",
            "Wait... what is it?! Nothing at all.",
            ["Wait... what is it?!", " Nothing at all."],
        ),
    ],
)
def test_where_it_cuts(language: str, text: str, clauses: list[str]) -> None:
    assert cut(text, language) == clauses


def test_the_first_clause_comes_before_the_sentence_ends() -> None:
    splitter = ClauseSplitter("en")
    fed = ""
    text = "The Oslo chair is made of solid oak and weighs nine kilos"
    for word in text.split():
        fed += f" {word}"
        if clauses := splitter.feed(f" {word}"):
            break
    assert clauses == [" The Oslo chair is made"]
    assert len(fed.split()) <= 8


def test_a_complete_sentence_is_not_held_back() -> None:
    splitter = ClauseSplitter("nl")
    assert splitter.feed("Dat kan zeker. ") == ["Dat kan zeker."]


def test_later_clauses_are_whole_sentences() -> None:
    text = "Yes of course. The chair is black, light and cheap. It comes with two cushions."
    assert cut(text, "en") == [
        "Yes of course.",
        " The chair is black, light and cheap.",
        " It comes with two cushions.",
    ]


def test_a_sentence_without_end_is_cut_at_last() -> None:
    clauses = cut("lorem ipsum dolor sit amet " * 40, "en")
    limits = ClauseLimits()
    assert len(clauses) > 4
    assert all(len(clause) <= limits.longest_chars + 30 for clause in clauses)
    wordless = cut("好" * 500, "zh")
    assert max(map(len, wordless)) <= ClauseLimits.unspaced().longest_chars


def test_it_can_be_used_again() -> None:
    splitter = ClauseSplitter("en")
    first = [*splitter.feed("One two three four. Five"), *splitter.flush()]
    again = [*splitter.feed("One two three four. Five"), *splitter.flush()]
    assert first == again == ["One two three four.", " Five"]


WHOLE = [
    "4.95", "1.299,95", "1 299,95 €", "€ 1.299,95", "€ 49", "info@oslo-shop.be", "9:30",
    "https://shop.be/x?y=1,2", "bv.", "z. B.", "M. Dupont", "15/12/2026", "+32 2 123 45 67",
    "21,5 °C", "e.g.", "J.P.", "9:00 – 18:00", "2-3", "www.shop.be",
]  # fmt: skip
"""What must stay in one piece."""
WORDS = ["stoel", "la", "chaise", "and", "der", "Tisch", "oak", "noir", "ok", "wij", "livraison"]
JOINTS = [" ", " ", " ", ", ", ". ", " ! ", "? ", " : ", "; ", " — ", "\n", "… "]


@st.composite
def replies(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    """A reply, and the (start, end) of everything in it that must stay whole."""
    text, spans = "", []
    for _ in range(draw(st.integers(1, 25))):
        if draw(st.integers(0, 2)) == 0:
            piece = draw(st.sampled_from(WHOLE))
            spans.append((len(text), len(text) + len(piece)))
        else:
            piece = draw(st.sampled_from(WORDS))
        text += piece + draw(st.sampled_from(JOINTS))
    return text, spans


@settings(max_examples=150, deadline=None)
@given(replies(), st.sampled_from(["fr", "nl", "de", "en", "es"]), st.lists(st.integers(1, 9)))
def test_nothing_is_lost_and_numbers_stay_whole_however_it_streams(
    reply: tuple[str, list[tuple[int, int]]], language: str, sizes: list[int]
) -> None:
    text, spans = reply
    clauses = cut(text, language, sizes or [1])
    assert "".join(clauses) == text
    assert clauses == cut(text, language)
    edge = 0
    known = {"bv.": "nl", "z. B.": "de", "M. Dupont": "fr", "e.g.": "en"}
    for clause in clauses[:-1]:
        edge += len(clause)
        for start, end in spans:
            if known.get(text[start:end], language) == language:
                assert not start < edge < end, (text[start:end], clauses)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["en", "de", "zh"]), st.lists(st.integers(1, 5)))
def test_any_text_at_all_is_lossless(text: str, language: str, sizes: list[int]) -> None:
    clauses = cut(text, language, sizes or [1])
    assert "".join(clauses) == text
    assert clauses == cut(text, language)
    assert all(clauses)


@given(
    st.from_regex(r"[a-z ]{0,20}[0-9]{1,3}(?:[.,][0-9]{1,3}){0,3}[a-z .,]{0,20}", fullmatch=True)
)
def test_no_cut_inside_any_number(text: str) -> None:
    numbers = re.findall(r"\d+(?:[.,]\d+)*", text)
    joined = "|".join(cut(text, "nl", [1]))
    assert re.findall(r"\d+(?:[.,]\d+)*", joined) == numbers
