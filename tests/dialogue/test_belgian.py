"""Belgian forms: understood everywhere, spoken where the market is Belgium."""

from __future__ import annotations

import pytest

from voice_server.dialogue.claims import Kind, read_claims
from voice_server.dialogue.guards.nature import asks_nature
from voice_server.dialogue.language import explicit_request
from voice_server.dialogue.numerals import find_numerals
from voice_server.dialogue.spelling.forms import read_digits, read_postcode
from voice_server.dialogue.spelling.readback import say_digits, say_letters
from voice_server.speech.verbalise import verbalise


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ("BE", "septante-trois euros nonante-cinq"),
        ("FR", "soixante-treize euros quatre-vingt-quinze"),
        ("CH", "septante-trois euros nonante-cinq"),
    ],
)
def test_french_prices_follow_the_market(market: str, said: str) -> None:
    assert verbalise("73,95 €", "fr", market) == said
    (claim,) = read_claims(said, "fr")
    assert (claim.kind, str(claim.value)) == (Kind.MONEY, "73.95")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("septante et un", [71]),
        ("nonante-neuf", [99]),
        ("septante-sept nonante", [77, 90]),
        ("mille neuf cent nonante-sept", [1997]),
        ("huitante-deux", [82]),
        ("octante", [80]),
        ("soixante-dix-sept", [77]),
    ],
)
def test_belgian_and_swiss_numbers_are_understood(text: str, values: list[int]) -> None:
    assert [numeral.value for numeral in find_numerals(text, "fr")] == values


@pytest.mark.parametrize("market", ["BE", "FR"])
def test_what_either_market_says_is_understood(market: str) -> None:
    for number in range(60, 100):
        said = verbalise(str(number), "fr", market)
        assert read_digits(said, "fr", length=2).best == str(number), said


def test_postcodes_and_spelling_of_the_country() -> None:
    assert read_postcode("septante nonante", "fr", ("BE",)).best == "7090"
    assert say_letters("kp", "nl", "BE") == "K van Kilogram, P van Piano"
    assert say_letters("kp", "nl", "NL") == "K van Karel, P van Pieter"
    assert say_letters("kp", "fr", "BE") == "K comme Kilogramme, P comme Piano"
    assert say_digits("7090", "fr", "BE") == "sept zéro neuf zéro"


@pytest.mark.parametrize(
    "text", ["Ben je een robot?", "Bent u een robot?", "Zijt ge een robot?", "Zijt gij een mens?"]
)
def test_u_je_and_ge_are_the_same_to_us(text: str) -> None:
    assert asks_nature(text)


@pytest.mark.parametrize("text", ["kunt u Frans spreken?", "kan je Frans spreken?"])
def test_languages_are_asked_for_with_u_and_je(text: str) -> None:
    assert explicit_request(text, ("fr", "nl")) == "fr"
