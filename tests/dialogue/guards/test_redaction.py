"""Personal data is found in writing and in speech, and nothing public with it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_server.dialogue.guards.redaction import SECRETS, Asked, PiiKind, Vault, find_pii, redact
from voice_server.dialogue.locales import AVAILABLE
from voice_server.shop.pack import load, resolve

HERE = Path(__file__).parent
ROWS = [tuple(line.split("\t")) for line in (HERE / "pii.tsv").read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("language", "kind", "marked"), ROWS)
def test_personal_data_is_taken_out(language: str, kind: str, marked: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    start, end = marked.index("«"), marked.index("»") - 1
    covered = [p for p in find_pii(text, language) if p.start <= start and end <= p.end]
    assert covered, redact(text, language)
    assert covered[0].kind.value == kind
    # Not the whole sentence: at most a few words more than what was marked.
    assert covered[0].end - covered[0].start <= end - start + 16


def test_the_set_has_every_kind_in_every_language() -> None:
    counts = Counter((language, kind) for language, kind, _ in ROWS)
    assert len(ROWS) >= 80
    for language in AVAILABLE:
        for kind in PiiKind:
            assert counts[language, kind.value] >= 1, (language, kind)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Ma commande est BE-10482, j'attends depuis 3 semaines."),
        ("fr", "La table coûte 1 299 euros et mesure 180 sur 90."),
        ("fr", "Il est né le 12 novembre, à 14 h 30."),
        ("fr", "dix mille quatre cent quatre-vingt-deux"),
        ("fr", "Je voudrais deux lampes à quarante-neuf euros nonante."),
        ("nl", "Mijn bestelling is 10482."),
        ("nl", "De set kost 1299 euro, in maat 42."),
        ("nl", "Ik wil er twee of drie, ten laatste op 15 december 2026."),
        ("nl", "tien vierhonderdtweeëntachtig"),
        ("de", "Meine Bestellung ist BE-10482."),
        ("de", "Die Powerbank hat 10000 Milliamperestunden und kostet 2000 Euro."),
        ("de", "Am 15. Dezember 2026 um 18 Uhr."),
        ("de", "Ich brauche 1000 Watt und 5000 Stück."),
        ("en", "My order is BE-10482, ten four eight two."),
        ("en", "It costs 1,299 euros and is 180 by 90."),
        ("en", "I ordered two lamps at the shop on 15 December 2026."),
        ("en", "She is at home, I said. Com was the last word."),
        ("fr", "Le code promo NOEL10 vaut 10 euros."),
        ("nl", "Ik heb de kortingscode 2026 geprobeerd."),
        ("en", "The promo code 2026 does not work."),
        ("xx", "Order BE-10482."),
    ],
)
def test_what_is_nobodys_stays(language: str, text: str) -> None:
    assert redact(text, language) == text


def test_shop_texts_and_questions_stay() -> None:
    shop = load(resolve("demo"))
    policies = shop.policies
    known = (
        policies.phone,
        policies.email,
        *policies.pickup_points,
        "Rue Haute 214",
        "Hoogstraat 214",
    )
    texts = [
        (language, text)
        for language in shop.languages
        for text in (
            *(entry.answer for entry in shop.faq[language]),
            *(section.text for section in shop.sections[language]),
            *(product.text(language).summary for product in shop.catalogue),
            *(" ".join(product.text(language).details) for product in shop.catalogue),
        )
    ]
    texts += [
        (line.split("\t")[0], line.split("\t")[2])
        for name in ("heldout", "paraphrases")
        for line in (HERE.parent / "data" / f"{name}.tsv").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    wrong = [(text, redact(text, lang, known)) for lang, text in texts]
    assert [pair for pair in wrong if pair[0] != pair[1]] == []


@pytest.mark.parametrize(
    ("asked", "language", "text", "masked"),
    [
        ("code", "nl", "vier acht twee, negen een drie", "[code]"),
        ("code", "fr", "482 913", "[code]"),
        ("code", "de", "achtundvierzig neunundzwanzig dreizehn bitte", "[code] bitte"),
        ("code", "en", "I never got one", "I never got one"),
        ("postcode", "nl", "negenduizend", "[postcode]"),
        ("postcode", "nl", "9711 AB", "[postcode]"),
        ("postcode", "nl", "9711 in Groningen", "[postcode] in Groningen"),
        ("postcode", "fr", "mille", "[postcode]"),
        ("number", "nl", "10497", "10497"),
        ("number", "nl", "10497, 9000", "10497, [postcode]"),
        ("number", "de", "9000", "[postcode]"),
        ("phone", "fr", "512 34 56", "[phone]"),
        ("address", "nl", " Kouter drie ", " [address] "),
        ("", "nl", "9000", "9000"),
    ],
)
def test_what_was_asked_for_needs_no_word(
    asked: Asked, language: str, text: str, masked: str
) -> None:
    assert redact(text, language, asked=asked) == masked


def test_what_the_caller_gave_before_is_taken_out_of_what_is_read_back() -> None:
    said = "Ik verander het adres in Kouter 3, 9000 Gent. Klopt dat?"
    masked = redact(said, "nl", private=("Kouter 3", "9000", "Gent", ""))
    assert masked == "Ik verander het adres in [address], [address]. Klopt dat?"


def test_people_at_the_desk_get_what_they_need_and_no_secrets() -> None:
    said = "Bel mij op 0470 12 34 56, mijn kaart is 4111 1111 1111 1111, cvc 737."
    assert redact(said, "nl", kinds=SECRETS) == (
        "Bel mij op 0470 12 34 56, mijn kaart is [card], cvc [code]."
    )


def test_what_is_public_stays() -> None:
    text = "Call +32 2 555 01 23 or me on 0470 12 34 56."
    assert redact(text, "en", ["+32 2 555 01 23", ""]) == ("Call +32 2 555 01 23 or me on [phone].")


def test_the_vault_gives_back_what_it_took() -> None:
    vault = Vault()
    text = "Mail jan@x.be or JAN@x.be, else an@x.be, or 0470 12 34 56."
    hidden = vault.hide(text, "en")
    assert hidden == "Mail [[email-1]] or [[email-1]], else [[email-2]], or [[phone-1]]."
    assert vault.reveal('{"to": "[[email-2]]", "x": "[[email-9]]"}') == (
        '{"to": "an@x.be", "x": "[[email-9]]"}'
    )
    assert repr(vault) == "Vault(3 values)"


def test_a_full_vault_redacts_for_good() -> None:
    vault = Vault(most=1)
    assert vault.hide("a@x.be b@x.be a@x.be", "en") == "[[email-1]] [email] [[email-1]]"


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=80), st.sampled_from(AVAILABLE))
def test_spans_are_in_order_and_settled(text: str, language: str) -> None:
    found = find_pii(text, language)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert all(0 <= p.start < p.end <= len(text) for p in found)


@settings(deadline=None, max_examples=100)
@given(
    st.from_regex(r"\A0[1-9][0-9]{8}\Z"),
    st.sampled_from(["{}", "call {} now", "mon numéro : {}."]),
    st.sampled_from(AVAILABLE),
)
def test_ten_digits_with_a_zero_never_remain(digits: str, frame: str, language: str) -> None:
    spaced = " ".join(re.findall("..", digits))
    for written in (digits, spaced, spaced.replace(" ", "/")):
        assert "[" in redact(frame.format(written), language)
