"""What callers spell, as recognisers write it, and what we read back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.dialogue.locales import AVAILABLE, UnknownLocale
from voice_server.dialogue.spelling.alphabet import load_alphabet
from voice_server.dialogue.spelling.checks import (
    DOMAINS,
    OrderFormat,
    valid_email,
    valid_iban,
    valid_luhn,
    valid_postcode,
    write_postcode,
)
from voice_server.dialogue.spelling.forms import (
    Heard,
    read_digits,
    read_email,
    read_name,
    read_order_number,
    read_phone,
    read_postcode,
)
from voice_server.dialogue.spelling.pieces import PieceKind, read_pieces
from voice_server.dialogue.spelling.readback import (
    say_digits,
    say_email,
    say_letters,
    say_order_number,
    say_postcode,
)
from voice_server.dialogue.spelling.readings import Reading
from voice_server.speech.verbalise import verbalise

ORDER = OrderFormat("BE-", 5)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "B E streepje één nul vier acht twee"),
        ("nl", "tien vierhonderdtweeëntachtig"),
        ("nl", "mijn bestelnummer is be tien vier tweeëntachtig"),
        ("nl", "10 482"),
        ("nl", "tienduizend vierhonderd tweeëntachtig"),
        ("nl", "het is 1, 0, 4, 8, 2."),
        ("nl", "een nul, euh, vier acht twee"),
        ("fr", "bé e tiret dix mille quatre cent quatre-vingt-deux"),
        ("fr", "c'est le 10482"),
        ("fr", "un zéro quatre huit deux"),
        ("fr", "dix quatre cent quatre-vingt deux"),
        ("fr", "cent quatre quatre-vingt-deux"),
        ("fr", "BE-10482, s'il vous plaît"),
        ("fr", "B comme Berthe, E comme Eugène, tiret, 104, 82"),
        ("de", "B wie Berta E wie Emil Bindestrich eins null vier acht zwo"),
        ("de", "zehntausendvierhundertzweiundachtzig"),
        ("de", "eins null vier zweiundachtzig"),
        ("de", "die Nummer lautet 104 82"),
        ("en", "one oh four eight two"),
        ("en", "B E dash ten four eighty-two"),
        ("en", "ten thousand four hundred and eighty-two"),
        ("en", "it's one zero four, eighty two"),
        ("en", "no wait, 10481, sorry, 10482"),
    ],
)
def test_order_numbers(language: str, text: str) -> None:
    assert read_order_number(text, language, ORDER).best == "BE-10482"


@pytest.mark.parametrize(
    ("language", "text", "length", "digits"),
    [
        ("nl", "dubbel vier nul zes", 4, "4406"),
        ("nl", "drie keer zeven", 3, "777"),
        ("fr", "double quatre zéro six", 4, "4406"),
        ("fr", "septante-trois nonante", 4, "7390"),
        ("fr", "soixante et onze quatre-vingt-dix-neuf", 4, "7199"),
        ("fr", "zéro quatre soixante-douze", 4, "0472"),
        ("fr", "quatre-vingt deux douze", 4, "8212"),
        ("de", "dreimal die null vier", 4, "0004"),
        ("de", "doppel sieben einundzwanzig", 4, "7721"),
        ("en", "triple zero seven", 4, "0007"),
        ("en", "double four one one", 4, "4411"),
        ("en", "twenty twenty one", 4, "2021"),
        ("en", "two two two two two two", 6, "222222"),
        ("en", "nineteen oh five", 4, "1905"),
        ("fr", "un deux trois quatre cinq six", 6, "123456"),
        ("de", "fünf null acht zwei eins null", 6, "508210"),
        ("nl", "honderd drieëntwintig vierhonderd zesenvijftig", 6, "123456"),
    ],
)
def test_digits(language: str, text: str, length: int, digits: str) -> None:
    assert read_digits(text, language, length=length).best == digits


@pytest.mark.parametrize(
    ("language", "text", "length", "wanted"),
    [
        ("en", "four fifty", 3, "415"),
        ("fr", "un zéro quatre huit douze", 5, "10482"),
        ("de", "eins null vier acht drei", 5, "10482"),
        ("nl", "een nul vier acht zeven", 5, "10489"),
        ("fr", "quatre-vingt deux", 3, "422"),
    ],
)
def test_what_sounds_alike_is_a_candidate(
    language: str, text: str, length: int, wanted: str
) -> None:
    heard = read_digits(text, language, length=length)
    assert wanted in [candidate.text for candidate in heard.candidates]


def test_candidates_are_few_sorted_and_tell_when_they_are_sure() -> None:
    heard = read_digits("quatre-vingt deux quatre-vingt deux", "fr", length=4)
    costs = [candidate.cost for candidate in heard.candidates]
    assert costs == sorted(costs)
    assert len(costs) <= 5
    assert read_digits("un zéro quatre huit cinq", "fr", length=5).sure
    assert not read_digits("un zéro quatre huit douze", "fr", length=5).sure
    assert not Heard().sure
    assert not Heard((Reading("1"), Reading("2", 0.5))).sure


def test_an_incomplete_number_is_told() -> None:
    heard = read_order_number("un zéro quatre huit", "fr", ORDER)
    assert (heard.best, heard.partial) == ("", "1048")
    assert read_order_number("je ne sais pas", "fr", ORDER) == Heard()


@pytest.mark.parametrize(
    ("language", "text", "country", "postcode"),
    [
        ("fr", "mille", "BE", "1000"),
        ("fr", "c'est neuf mille à Gand", "BE", "9000"),
        ("fr", "onze quatre-vingts", "BE", "1180"),
        ("nl", "tien vijftig", "BE", "1050"),
        ("nl", "tien elf a b", "NL", "1011 AB"),
        ("nl", "1011 AB", "NL", "1011 AB"),
        ("nl", "duizend elf A van Anna B van Bernard", "NL", "1011 AB"),
        ("nl", "1 0 1 1 aa bee", "NL", "1011 AB"),
        ("de", "fünf null sechs sechs sieben", "DE", "50667"),
        ("de", "null eins null sechs sieben", "DE", "01067"),
        ("fr", "cinquante-neuf mille", "FR", "59000"),
        ("fr", "zéro six cent", "FR", "06100"),
        ("fr", "mille trois cent onze", "LU", "1311"),
        ("en", "one thousand", "BE", "1000"),
        ("en", "ten eleven A B", "NL", "1011 AB"),
    ],
)
def test_postcodes(language: str, text: str, country: str, postcode: str) -> None:
    assert read_postcode(text, language, (country,)).best == postcode


def test_postcodes_of_several_countries() -> None:
    countries = ("BE", "NL", "FR", "DE")
    assert read_postcode("5 9 0 0 0", "fr", countries).best == "59000"
    assert read_postcode("tien elf a b", "nl", ("NL", "BE")).best == "1011 AB"
    assert read_postcode("nul nul nul nul", "nl", ("BE",)).best == ""
    assert read_postcode("een nul", "nl", ("NL", "BE")) == Heard((), "10")
    assert read_postcode("een nul een een", "nl", ("NL",)) == Heard((), "1011")


@pytest.mark.parametrize(
    ("postcode", "country", "valid"),
    [
        ("1000", "BE", True), ("0999", "BE", False), ("10000", "BE", False),
        ("1011 AB", "NL", True), ("1011SS", "NL", False), ("0111 AB", "NL", False),
        ("75001", "FR", True), ("96000", "FR", False), ("00100", "FR", False),
        ("97400", "FR", True), ("01067", "DE", True), ("00100", "DE", False),
        ("1311", "LU", True), ("1010", "AT", True), ("SW1A 1AA", "GB", True), ("!", "GB", False),
    ],
)  # fmt: skip
def test_postcode_formats(postcode: str, country: str, valid: bool) -> None:
    assert valid_postcode(postcode, country) is valid


def test_postcodes_are_written_as_usual() -> None:
    assert write_postcode("1011ab", "NL") == "1011 AB"
    assert write_postcode("10 00", "BE") == "1000"


@pytest.mark.parametrize(
    ("language", "text", "address"),
    [
        ("nl", "jan punt peeters apenstaartje gmail punt com", "jan.peeters@gmail.com"),
        ("nl", "mijn e-mailadres is an.claes@telenet.be", "an.claes@telenet.be"),
        ("nl", "info at marolle punt be", "info@marolle.be"),
        ("nl", "piet laag streepje de wit acht twee apenstaartje hotmail punt com, dank u",
         "piet_dewit82@hotmail.com"),
        ("nl", "J A N punt P apenstaartje telenet punt be", "jan.p@telenet.be"),
        ("fr", "mon adresse, c'est jean point dupont arobase gmail point com",
         "jean.dupont@gmail.com"),
        ("fr", "marie tiret claire arobase skynet point be", "marie-claire@skynet.be"),
        ("fr", "l'adresse c'est sophie underscore martin arobase orange point fr, merci",
         "sophie_martin@orange.fr"),
        ("fr", "P A U L soixante-douze arobase proximus point be", "paul72@proximus.be"),
        ("fr", "jean arobase g mail point com", "jean@gmail.com"),
        ("de", "anna punkt schmidt ät web punkt de", "anna.schmidt@web.de"),
        ("de", "meine E-Mail ist k mueller at gmx punkt de", "kmueller@gmx.de"),
        ("de", "max Unterstrich 99 Klammeraffe t minus online punkt de", "max_99@t-online.de"),
        ("en", "john dot smith at gmail dot com", "john.smith@gmail.com"),
        ("en", "my address is j o h n nineteen at yahoo dot co dot uk", "john19@yahoo.co.uk"),
        ("en", "It's mary dash jane at outlook dot com, thank you", "mary-jane@outlook.com"),
        ("en", "jane@gmial.com", "jane@gmail.com"),
    ],
)  # fmt: skip
def test_addresses(language: str, text: str, address: str) -> None:
    assert read_email(text, language).best == address


def test_domains_are_repaired_but_asked() -> None:
    heard = read_email("jan apenstaartje gmeel punt com", "nl")
    assert "jan@gmail.com" in [candidate.text for candidate in heard.candidates]
    assert not read_email("jan@gmaill.com", "nl").sure
    assert read_email("jan@gmail.com", "nl").sure
    assert read_email("x at werkplaats punt be", "nl", ["werkplaats.be"]).sure


@pytest.mark.parametrize("text", ["", "geen idee", "apenstaartje", "jan apenstaartje"])
def test_no_address(text: str) -> None:
    assert read_email(text, "nl").candidates == ()


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("en", "P-E-E-T-E-R-S", "Peeters"),
        ("nl", "mijn naam is Peeters, P E E T E R S", "Peeters"),
        ("nl", "P dubbel e T E R S", "Peeters"),
        ("de", "M wie Martha, Ü wie Übermut, L wie Ludwig, L wie Ludwig, E wie Emil, R wie Richard",
         "Müller"),
        ("de", "Anton Berta Cäsar", "Abc"),
        ("de", "ich heiße Schmidt", "Schmidt"),
        ("fr", "D comme Désiré, U comme Ursule, P comme Pierre, O N T", "Dupont"),
        ("fr", "je m'appelle lefèvre", "Lefèvre"),
        ("fr", "double u A T", "Wat"),
        ("fr", "deux fois l, a", "Lla"),
        ("en", "my name is Jane Smith", "Jane Smith"),
        ("en", "S for sugar, M as in Mike, I T H", "Smith"),
        ("nl", "W I T T E streepje P E E L", "Witte-Peel"),
        ("nl", "ik heet Van den Bossche", "Van den Bossche"),
        ("fr", "majuscule D, U, P majuscule O N T", "Dupont"),
    ],
)  # fmt: skip
def test_names(language: str, text: str, name: str) -> None:
    assert read_name(text, language).best == name


def test_the_word_decides_over_the_letter() -> None:
    heard = read_name("P wie Berta, A wie Anton", "de")
    assert heard.best == "Ba"
    assert "Pa" in [candidate.text for candidate in heard.candidates]
    # An alphabet nobody taught us: the first letter of the word.
    assert read_name("B wie Banane, A wie Apfel", "de").best == "Ba"


def test_letters_that_sound_alike_are_candidates() -> None:
    names = [candidate.text for candidate in read_name("M A N", "en").candidates]
    assert names[0] == "Man"
    assert {"Nan", "Mam"} & set(names)


def test_nothing_is_no_name() -> None:
    assert read_name("", "en") == Heard()
    assert read_name("...", "en") == Heard()


@pytest.mark.parametrize(
    ("language", "text", "phone"),
    [
        ("nl", "nul vier zeventig twaalf vierendertig zesenvijftig", "0470123456"),
        ("fr", "zéro quatre septante, douze, trente-quatre, cinquante-six", "0470123456"),
        ("fr", "plus trente-deux quatre septante douze trente-quatre cinquante-six",
         "+32470123456"),
        ("de", "null eins sieben null eins zwei drei vier fünf sechs sieben", "01701234567"),
        ("en", "0470/12.34.56", "0470123456"),
        ("en", "+32 470 12 34 56", "+32470123456"),
    ],
)  # fmt: skip
def test_phone_numbers(language: str, text: str, phone: str) -> None:
    assert read_phone(text, language).best == phone


def test_no_phone_number() -> None:
    assert read_phone("hello", "en") == Heard()
    assert read_phone("one two three", "en") == Heard((), "123")


def test_checks() -> None:
    assert valid_luhn("4539 1488 0343 6467")
    assert not valid_luhn("4539 1488 0343 6468")
    assert valid_iban("BE68 5390 0754 7034")
    assert not valid_iban("BE68 5390 0754 7035")
    assert ORDER.fits("10482")
    assert not ORDER.fits("1048")
    assert not valid_email("a..b@c.de")
    assert not valid_email("nobody")
    assert all(valid_email(f"a@{domain}") for domain in DOMAINS)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownLocale):
        load_alphabet("pt")


@pytest.mark.parametrize("language", AVAILABLE)
def test_all_letters_have_names_and_words(language: str) -> None:
    alphabet = load_alphabet(language)
    assert set(string.ascii_lowercase) <= set(alphabet.letters.values())
    for table in alphabet.alphabets.values():
        assert len(table) == 26
    assert set("@.-_+/") == set(alphabet.say_signs)


# -- what we say is what we would understand ----------------------------------------------------

LANGUAGES = st.sampled_from(AVAILABLE)
COUNTRIES = st.sampled_from(["BE", "NL", "FR", "DE", "LU", "GB", ""])


@settings(deadline=None)
@given(language=LANGUAGES, country=COUNTRIES, digits=st.from_regex(r"\A[0-9]{5}\Z"))
def test_order_numbers_come_back(language: str, country: str, digits: str) -> None:
    said = say_order_number(f"BE-{digits}", language, country)
    assert read_order_number(said, language, ORDER).best == f"BE-{digits}", said


@settings(deadline=None)
@given(language=LANGUAGES, country=COUNTRIES, digits=st.from_regex(r"\A[0-9]{2,14}\Z"))
def test_digits_come_back(language: str, country: str, digits: str) -> None:
    said = say_digits(digits, language, country)
    assert read_digits(said, language, length=len(digits)).best == digits, said


@settings(deadline=None)
@given(language=LANGUAGES, country=COUNTRIES, number=st.integers(10_000, 99_999))
def test_what_the_voice_makes_of_written_numbers_comes_back(
    language: str, country: str, number: int
) -> None:
    said = verbalise(f"BE-{number}", language, country or "BE")
    assert read_order_number(said, language, ORDER).best == f"BE-{number}", said


@settings(deadline=None)
@given(
    language=LANGUAGES,
    market=COUNTRIES,
    place=st.one_of(
        st.tuples(st.just("BE"), st.integers(1000, 9999).map(str)),
        st.tuples(st.just("DE"), st.integers(1000, 99_999).map(lambda n: f"{n:05}")),
        st.tuples(st.just("FR"), st.integers(1000, 95_999).map(lambda n: f"{n:05}")),
        st.tuples(st.just("NL"), st.from_regex(r"\A[1-9][0-9]{3} [A-RT-Z]{2}\Z")),
    ),
)
def test_postcodes_come_back(language: str, market: str, place: tuple[str, str]) -> None:
    country, postcode = place
    said = say_postcode(postcode, language, market)
    assert read_postcode(said, language, (country,)).best == postcode, said


@settings(deadline=None)
@given(
    language=LANGUAGES,
    country=COUNTRIES,
    name=st.text(alphabet=string.ascii_lowercase, min_size=2, max_size=12),
)
def test_spelled_names_come_back(language: str, country: str, name: str) -> None:
    said = say_letters(name, language, country)
    assert read_name(said, language).best == name.capitalize(), said


LOCAL = st.from_regex(r"\A[a-z]{1,8}([._-][a-z]{1,6})?[0-9]{0,3}\Z")


@settings(deadline=None)
@given(
    language=LANGUAGES,
    country=COUNTRIES,
    local=LOCAL,
    domain=st.one_of(
        st.sampled_from(DOMAINS), st.from_regex(r"\A[a-z]{3,10}\.(be|com|nl|fr|de)\Z")
    ),
)
def test_addresses_come_back(language: str, country: str, local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    said = say_email(address, language, country)
    assert address in [c.text for c in read_email(said, language).candidates], said


@settings(deadline=None)
@given(language=LANGUAGES, text=st.text(max_size=60))
def test_nothing_anybody_says_breaks_it(language: str, text: str) -> None:
    for piece in read_pieces(text, language):
        assert piece.readings
        assert 0 <= piece.start < piece.end <= len(text)
        assert piece.kind in PieceKind
    for heard in (
        read_order_number(text, language, ORDER),
        read_email(text, language),
        read_name(text, language),
        read_phone(text, language),
        read_postcode(text, language, ("BE", "NL")),
    ):
        assert all(candidate.text for candidate in heard.candidates)


def test_umlauts_are_spelled_in_german() -> None:
    assert read_name(say_letters("müller", "de"), "de").best == "Müller"


@pytest.mark.parametrize("language", AVAILABLE)
def test_half_an_address_is_read_back_all_the_same(language: str) -> None:
    assert say_letters("a_b 1", language)
    assert say_email("aé@b.be", language)
