"""What holds in every language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.speech.espeak import Espeak
from voice_server.speech.verbalise import _SPELLERS as SPELLERS
from voice_server.speech.verbalise import abbreviations, verbalise
from voice_server.speech.verbalise.cleaning import clean
from voice_server.speech.verbalise.common import Number, Speller, chunks
from voice_server.speech.verbalise.fr import BelgianFrench, French, SwissFrench

TAUGHT = ["fr", "nl", "de", "en"]
PIECES = [
    "€", "$", "£", "EUR", "%", "x", "×", "-", "–", ".", ",", ":", "/", "(", ")", " ", " ", " ",
    "\u202f", "cm", "kg", "m²", "°C", "W", "GB", "h", "u", "uur", "Uhr", "am", "p.m.", "1", "42",
    "007", "95", "1.299,95", "1,299.95", "2026", "2026-12-15", "15/12", "9:30", "12", "dec.",
    "December", "n°", "nr.", "#", "order", "bestelling", "commande", "Bestellung", "maat", "size",
    "XL", "M", "ABC-123", "E27", "iPhone", "USB", "BTW", "@", "shop.be", "www.", "https://", "+32",
    "~", "<", ">", "½", "²", "٣", "*", "**", "_", "`", "[", "](", "😀", "\n", "- ", "# ", "|", "&",
    "=", "+", "'", '"', "″", "stoel", "la", "der", "1er", "2e", "3rd", "2.", "24/7", "t/m", "bv.",
]  # fmt: skip
mixed = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
THINGS = [
    "€ 1.299,95", "4.95 €", "$5", "20 %", "2026-12-15", "15/12/2026", "9:30", "9h30", "18u30",
    "2-3",
    "120 x 60 cm", "12,5 kg", "m²", "21 °C", "n° 5", "order 48213", "ABC-123", "E27", "XL", "EU 42",
    "USB-C", "BTW", "info@oslo.be", "www.oslo.be/retour", "+32 2 123 45 67", "1000 Brussel", "2e",
    "1st", "24/7", "½", "3x", "~50", "-5", "1½", "4,5/5", "007", "iPhone 15", "bv. zo", "e.g. so",
    "**stoel**", "😀", "la", "chaise", "der", "Tisch", "and", "12 december", "July 4", "am 3. Mai",
    "Größe 42,5", "taille M", "1 année", "1", "21", "1.000.000", "HDMI 2.1", "27\"", "5'", "A & B",
]  # fmt: skip
usual = st.lists(
    st.tuples(st.sampled_from(THINGS), st.sampled_from([" ", " ", ", ", ". ", " (", ") ", "; "])),
    max_size=8,
).map(lambda pairs: "".join(map("".join, pairs)))


@settings(max_examples=60)
@given(st.one_of(mixed, st.text(max_size=60)), st.sampled_from([*TAUGHT, "es", "it", "pt"]))
def test_no_digit_is_left(text: str, language: str) -> None:
    assert not [character for character in verbalise(text, language) if character.isdigit()]


@settings(max_examples=60)
@given(usual, st.sampled_from(TAUGHT))
def test_what_is_spoken_is_read_the_same_again(text: str, language: str) -> None:
    spoken = verbalise(text, language)
    assert verbalise(spoken, language) == spoken


@settings(max_examples=40)
@given(
    st.lists(
        st.from_regex(r"[a-zéèëïöüß]{2,9}", fullmatch=True).filter(lambda word: word != "vs"),
        min_size=1,
    ),
    st.sampled_from(TAUGHT),
)
def test_plain_words_come_back_as_they_are(words: list[str], language: str) -> None:
    short = {word.rstrip(".").lower() for word in abbreviations(language)}
    text = " ".join(word for word in words if word not in short)
    assert verbalise(f"{text}, {text}!", language) == f"{text}, {text}!".strip()


@settings(max_examples=40)
@given(st.integers(0, 10**15 - 1), st.sampled_from(TAUGHT))
def test_every_whole_number_has_words(number: int, language: str) -> None:
    assert (
        verbalise(str(number), language)
        .replace(" ", "")
        .replace("-", "")
        .replace(",", "")
        .isalpha()
    )


@settings(max_examples=40)
@given(st.integers(0, 9_999_999), st.integers(0, 99), st.sampled_from(TAUGHT))
def test_prices_say_their_cents(units: int, cents: int, language: str) -> None:
    grouped, mark = (
        (f"{units:,}", ".") if language == "en" else (f"{units:,}".replace(",", "."), ",")
    )
    spoken = verbalise(f"€ {grouped}{mark}{cents:02d}", language)
    plain = verbalise(f"{units} euro", language)
    if units and not cents:
        assert spoken == plain
    elif units:
        assert spoken.startswith(plain)
        assert len(spoken) > len(plain)


class TestMarkets:
    @pytest.mark.parametrize(
        ("market", "said"),
        [
            ("BE", "septante et un, quatre-vingts, quatre-vingt-un, nonante-neuf"),
            ("FR", "soixante et onze, quatre-vingts, quatre-vingt-un, quatre-vingt-dix-neuf"),
            ("CH", "septante et un, huitante, huitante et un, nonante-neuf"),
        ],
    )
    def test_french_counts_as_the_country_does(self, market: str, said: str) -> None:
        assert verbalise("71, 80, 81, 99", "fr", market) == said

    def test_the_region_of_the_language_goes_first(self) -> None:
        assert verbalise("90", "fr-FR", "BE") == "quatre-vingt-dix"
        assert verbalise("90", "fr_BE", "FR") == "nonante"

    @pytest.mark.parametrize("number", range(60, 100))
    def test_belgian_numbers_mean_the_same(self, number: int) -> None:
        back = {"septante": 70, "nonante": 90, "huitante": 80}
        words = SwissFrench().cardinal(number)
        tens = next((value for word, value in back.items() if word in words), 60)
        ones = words.replace("-", " ").split()[-1]
        assert tens + (0 if ones in {*back, "soixante"} else _french_ones(ones)) == number
        assert "dix" not in BelgianFrench().cardinal(number).replace("dix-sept", "")

    @pytest.mark.parametrize(
        ("number", "said"),
        [(71, "septante et unième"), (75, "septante-cinquième"), (99, "nonante-neuvième"),
         (1, "premier"), (92, "nonante-deuxième"), (70, "septantième")],
    )  # fmt: skip
    def test_belgian_ordinals(self, number: int, said: str) -> None:
        assert BelgianFrench().ordinal(number) == said

    def test_dates_and_clocks_of_the_united_states(self) -> None:
        assert (
            verbalise("5/12/2026 at 9:30", "en-US")
            == "May twelfth, twenty twenty-six at nine thirty"
        )
        assert verbalise("5/12/2026", "en-GB") == "December fifth, twenty twenty-six"
        assert verbalise("on 5/12", "en-US") == "on May twelfth"

    def test_letters_differ_too(self) -> None:
        assert verbalise("Z1", "en-GB") == "zed one"
        assert verbalise("Z1", "en-US") == "zee one"

    def test_tables_measure_otherwise_in_the_netherlands(self) -> None:
        assert verbalise("120 x 60 cm", "nl", "NL") == "honderdtwintig bij zestig centimeter"


def _french_ones(word: str) -> int:
    return int(next(n for n in range(1, 10) if French().cardinal(n) == word))


class TestOddities:
    @pytest.mark.parametrize(
        ("language", "written", "spoken"),
        [
            (
                "nl",
                "+32470123456",
                "plus tweeëndertig, vierhonderdzeventig, twaalf, vierendertig, zesenvijftig",
            ),
            ("nl", "0470123456", "nul vierhonderdzeventig, twaalf, vierendertig, zesenvijftig"),
            ("en", "0 12 34 56", "zero twelve thirty-four fifty-six"),
            ("en", "2026-13-45", "twenty twenty-six to thirteen to forty-five"),
            ("en", "45/13/2026", "forty-five out of thirteen out of twenty twenty-six"),
            ("nl", "41/13", "eenenveertig op dertien"),
            ("en", "-€5", "minus five euros"),
            ("en", "€ 0.249 per g", "zero point two four nine euros per gram"),
            ("de", "1,01 €", "ein Euro eins"),
            ("en", "€1.01", "one euro and one cent"),
            (
                "en",
                "1234567890123456.5",
                "one two three, four five six, seven eight nine, zero one "
                "two, three four five, six five",
            ),
            ("fr", 'un écran de 27"', "un écran de vingt-sept pouces"),
            ("en", 'the "size 42" label', 'the "size forty-two" label'),
            ("nl", "op 41/13", "op eenenveertig op dertien"),
            (
                "en",
                "2026-12-15T14:30:00Z",
                "December fifteenth, twenty twenty-six at two thirty pee em",
            ),
            ("nl", "order 12-15", "order twaalf tot vijftien"),
            ("nl", "10-20%", "tien tot twintig procent"),
            ("en", "in 1900", "in nineteen hundred"),
            ("en", "in 2105", "in two thousand one hundred five"),
            ("nl", "in 1900", "in negentienhonderd"),
            ("fr", "0,75 l", "zéro virgule septante-cinq litre"),
            ("nl", "0,05 l", "nul komma nul vijf liter"),
            ("nl", "3XL", "drie iks el"),
            ("en", "10 PM", "ten pee em"),
            ("nl", "10 KB 20", "tien kaa bee twintig"),
            ("nl", "1012 KB Gent", "tien twaalf kaa bee Gent"),
            ("nl", "1008 AB Gent", "tien nul acht aa bee Gent"),
            ("de", "D-10115 Berlin", "eins null eins eins fünf Berlin"),
            ("fr", "B-1000 Bruxelles", "mille Bruxelles"),
        ],
    )
    def test_are_read_sensibly(self, language: str, written: str, spoken: str) -> None:
        assert verbalise(written, language) == spoken


class TestOtherLanguages:
    @pytest.mark.parametrize(
        ("language", "written", "spoken"),
        [
            (
                "es",
                "Cuesta 1.299,95 €.",
                "Cuesta mil doscientos noventa y nueve euros noventa y cinco.",
            ),
            ("es", "20 %", "veinte por ciento"),
            ("es", "15/12/2026", "quince diciembre dos mil veintiséis"),
            ("es", "12,5", "doce coma cinco"),
            ("it", "9:30", "nove trenta"),
            ("pt", "info@oslo.pt", "info arroba oslo ponto p t"),
            ("pl", "Cena 42", "Cena czterdzieści dwa"),
        ],
    )
    def test_numbers_and_prices(self, language: str, written: str, spoken: str) -> None:
        assert verbalise(written, language) == spoken

    def test_a_language_nobody_taught_is_only_cleaned(self) -> None:
        assert verbalise("**Bei 42** 😀", "sw") == "Bei 42"
        assert abbreviations("sw") == frozenset()

    def test_abbreviations_serve_the_clause_splitter(self) -> None:
        assert "bv." in abbreviations("nl-BE")
        assert "z. B." in abbreviations("de")


class TestCleaning:
    @pytest.mark.parametrize(
        ("written", "plain"),
        [
            ("**Bold** and _soft_ `code` ~~gone~~", "Bold and soft code gone"),
            ("# Title\n\nText", "Title. Text"),
            ("- one\n- two", "one. two"),
            ("* one\n• two!", "one. two!"),
            ('[our page](https://shop.be/x "title") here', "our page here"),
            ("![chair](a.png) nice", "chair nice"),
            ("| a | b |\n|---|---|\n| c | d |", "a, b. c, d"),
            ("> quoted", "quoted"),
            ("```python\nprint\n```", "print"),
            ("<b>bold</b><br/>next", "bold next"),
            ("Mail <info@shop.be>", "Mail info@shop.be"),
            ("Good 👍🏽 job 🇧🇪 1️⃣", "Good job 1"),
            ("snake_case stays", "snake_case stays"),
            ("a\u00adb c\u200bd", "ab cd"),
            ("it’s", "it's"),
            ("M&amp;M", "M&M"),
            ("five * six", "five * six"),
            ("٤٢", "42"),
            ("a , b . c", "a, b. c"),
            ("title\n---\ntext", "title. text"),
            ("™ Brand®", "Brand"),
        ],
    )
    def test_markup_and_emoji_go(self, written: str, plain: str) -> None:
        assert clean(written) == plain

    @given(st.text(max_size=100))
    def test_any_text_becomes_one_line_and_stays_so(self, text: str) -> None:
        once = clean(text)
        assert "\n" not in once
        assert once == once.strip()


class TestNumbers:
    @pytest.mark.parametrize(
        ("language", "written", "number"),
        [
            ("nl", "1.299,95", Number(1299, "95", ",")),
            ("nl", "1,299.95", Number(1299, "95", ".")),
            ("nl", "4.95", Number(4, "95", ".")),
            ("nl", "1.299", Number(1299)),
            ("nl", "0.250", Number(0, "250", ".")),
            ("nl", "1,250", Number(1, "250", ",")),
            ("en", "1,250", Number(1250)),
            ("en", "1.250", Number(1, "250", ".")),
            ("en", "1,234,567.8", Number(1234567, "8", ".")),
            ("nl", "1.234.567", Number(1234567)),
            ("nl", "1 299", Number(1299)),
        ],
    )
    def test_both_conventions_are_understood(
        self, language: str, written: str, number: Number
    ) -> None:
        speller = Speller()
        if language == "en":
            speller.group_marks, speller.decimal_mark = ",", "."
        assert speller.parse(written) == number

    @pytest.mark.parametrize(
        ("digits", "groups"),
        [
            ("1234", ["1234"]),
            ("12345", ["123", "45"]),
            ("123456", ["123", "456"]),
            ("1234567", ["123", "45", "67"]),
            ("12345678", ["123", "456", "78"]),
        ],
    )
    def test_long_numbers_come_in_groups(self, digits: str, groups: list[str]) -> None:
        assert chunks(digits) == groups

    def test_a_language_must_say_times_and_halves_itself(self) -> None:
        with pytest.raises(NotImplementedError):
            Speller().time(9, 30)
        with pytest.raises(NotImplementedError):
            Speller().and_a_half(1)


@pytest.mark.parametrize("language", TAUGHT)
async def test_letters_sound_like_letters(language: str) -> None:
    """The names, read as words, are what espeak-ng says for the capital itself."""
    names = SPELLERS[language]("BE").letter_names
    # Vowel length, the silent e of double-vé, Flemish w and v: heard as the same letter.
    alike = {"fr": {"s", "w"}, "nl": {"i", "v", "w"}, "de": {"y"}, "en": set()}[language]
    espeak = Espeak()
    try:
        said = await espeak.phonemes(list(names.values()), language)
        wanted = await espeak.phonemes([letter.upper() for letter in names], language)
    finally:
        await espeak.close()
    stress = str.maketrans("", "", "ˈˌ")
    different = {
        letter
        for letter, one, other in zip(names, said, wanted, strict=True)
        if one.translate(stress) != other.translate(stress)
    }
    assert different == alike
