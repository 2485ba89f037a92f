"""What a text claims, and what backs it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.dialogue.claims import Claim, Kind, claims_of, plain_code, read_claims
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.grounds import Support, build_grounds, cited, supports
from voice_server.dialogue.locales import AVAILABLE


def seen(text: str, language: str) -> list[tuple[str, object, str]]:
    return [(c.kind.value, c.value, c.unit) for c in read_claims(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("fr", "4,95 €", [("money", Decimal("4.95"), "")]),
        ("fr", "quatre euros nonante-cinq", [("money", Decimal("4.95"), "")]),
        ("fr", "neuf euros", [("money", Decimal(9), "")]),
        ("fr", "cinquante cents", [("money", Decimal("0.5"), "")]),
        ("en", "€ 4.95", [("money", Decimal("4.95"), "")]),
        ("en", "EUR 12", [("money", Decimal(12), "")]),
        ("en", "$12.50", [("money", Decimal("12.50"), "")]),
        ("en", "€ 12 95", [("money", Decimal("12.95"), "")]),
        ("nl", "4 euro 95", [("money", Decimal("4.95"), "")]),
        ("nl", "4 euro en 95 cent", [("money", Decimal("4.95"), "")]),
        ("nl", "4 euro 12 stuks", [("money", Decimal(4), ""), ("number", Decimal(12), "piece")]),
        ("nl", "4 euro, 95", [("money", Decimal(4), ""), ("number", Decimal(95), "")]),
        ("de", "12 Euro fünfzig", [("money", Decimal("12.5"), "")]),
        ("de", "12,50 Euro 20", [("money", Decimal("12.5"), ""), ("number", Decimal(20), "")]),
        ("fr", "10 pour cent", [("percent", Decimal(10), "")]),
        ("en", "10 % off", [("percent", Decimal(10), "")]),
        ("de", "zehn Prozent", [("percent", Decimal(10), "")]),
        ("en", "within two weeks", [("number", Decimal(14), "day")]),
        ("en", "3 business days", [("number", Decimal(3), "day")]),
        ("de", "zwei Jahre", [("number", Decimal(24), "month")]),
        ("fr", "une semaine", [("number", Decimal(7), "day")]),
        ("fr", "un article", []),
        ("en", "one thing", []),
        ("en", "90cm wide", [("number", Decimal(900), "mm")]),
        ("nl", "1,2 meter", [("number", Decimal(1200), "mm")]),
        ("en", "46 x 52 x 81 cm", [("number", Decimal(n), "mm") for n in (460, 520, 810)]),
        ("nl", "2 tot 3 weken", [("number", Decimal(14), "day"), ("number", Decimal(21), "day")]),
        ("en", "2, 3 weeks", [("number", Decimal(2), ""), ("number", Decimal(21), "day")]),
        ("en", "48 hours", [("number", Decimal(48), "hour")]),
        ("en", "a 3-seater", [("number", Decimal(3), "")]),
        ("fr", "18h30", [("time", Decimal(1110), "")]),
        ("fr", "18 h", [("time", Decimal(1080), "")]),
        ("fr", "dix-huit heures trente", [("time", Decimal(1110), "")]),
        ("fr", "18 heures", [("number", Decimal(18), "hour")]),
        ("nl", "18.30 uur", [("time", Decimal(1110), "")]),
        ("nl", "half zes", [("time", Decimal(330), "")]),
        ("nl", "18u", [("time", Decimal(1080), "")]),
        ("de", "halb sechs", [("time", Decimal(330), "")]),
        ("de", "18 Uhr 30", [("time", Decimal(1110), "")]),
        ("de", "18 Uhr 30 Minuten", [("time", Decimal(1110), "")]),
        ("en", "half past five", [("time", Decimal(330), "")]),
        ("en", "6 pm", [("time", Decimal(1080), "")]),
        ("en", "12 a.m.", [("time", Decimal(0), "")]),
        ("en", "6:15 p.m.", [("time", Decimal(1095), "")]),
        ("fr", "15 décembre 2026", [("date", "12-15", "2026")]),
        ("fr", "le 1er mai", [("date", "05-01", "")]),
        ("en", "the 15th of December", [("date", "12-15", "")]),
        ("en", "December 15th, 2026", [("month", "12", ""), ("date", "12-15", "2026")]),
        ("de", "15. Dezember", [("date", "12-15", "")]),
        ("en", "2026-12-15", [("date", "12-15", "2026")]),
        ("nl", "15/12/2026", [("date", "12-15", "2026")]),
        ("en", "2026-13-45", [("number", Decimal(2026), ""), ("number", Decimal(13), ""),
                              ("number", Decimal(45), "")]),
        ("en", "you may come in May", [("month", "05", "")]),
        ("en", "May is here", []),
        ("nl", "in mei", [("month", "05", "")]),
        ("nl", "'s zaterdags", [("weekday", "5", "")]),
        ("de", "Montag bis Mittwoch", [("weekday", "0", ""), ("weekday", "1", ""),
                                       ("weekday", "2", "")]),
        ("en", "Saturday and Monday", [("weekday", "5", ""), ("weekday", "0", "")]),
        ("en", "Saturday-Monday", [("weekday", "5", ""), ("weekday", "6", ""),
                                   ("weekday", "0", "")]),
        ("fr", "demain", [("relative", "tomorrow", "")]),
        ("nl", "morgen", [("relative", "tomorrow", "")]),
        ("nl", "goedemorgen", []),
        ("de", "Guten Morgen, morgen", [("relative", "tomorrow", "")]),
        ("fr", "livraison gratuite", [("free", "", "")]),
        ("en", "feel free to ask, it is free", [("free", "", "")]),
        ("de", "versandkostenfrei", [("free", "", "")]),
        ("en", "order BE-10482 or w2378156", [("code", "BE10482", ""), ("code", "W2378156", "")]),
        ("en", "an E27 bulb", [("code", "E27", "")]),
        ("en", "mail help@shop.be or see www.shop.be/returns.",
         [("address", "help@shop.be", ""), ("address", "shop.be/returns", "")]),
        ("en", "hello there", []),
        ("xx", "2 weeks", [("number", Decimal(14), "day")]),
    ],
)  # fmt: skip
def test_claims(language: str, text: str, expected: list[tuple[str, object, str]]) -> None:
    assert seen(text, language) == expected


def test_codes_lose_what_nobody_says() -> None:
    assert plain_code("be-10 482") == "BE10482"


def claim(text: str, language: str = "en") -> Claim:
    (only,) = claims_of(text, language)
    return only


@pytest.mark.parametrize(
    ("have", "said", "backed"),
    [
        (("4,95 €", "fr"), ("4.95 euros", "en"), True),
        (("4,95 €", "fr"), ("4.96 euros", "en"), False),
        (("39 euros", "en"), ("39", "en"), True),
        (("39 euros", "en"), ("39 days", "en"), False),
        (("30 days", "en"), ("30 euros", "en"), False),
        (("30 jours", "fr"), ("30 Tage", "de"), True),
        (("14 days", "en"), ("two weeks", "en"), True),
        (("2 ans", "fr"), ("24 months", "en"), True),
        (("120 cm", "en"), ("1.2 metres", "en"), True),
        (("12 pieces", "en"), ("12", "en"), True),
        (("81 cm", "en"), ("81", "en"), True),
        (("81", "en"), ("81 cm", "en"), True),
        (("810", "en"), ("81 cm", "en"), False),
        (("12", "en"), ("12 days", "en"), True),
        (("10 %", "en"), ("10 percent", "en"), True),
        (("10 %", "en"), ("10 euros", "en"), False),
        (("18:00", "en"), ("6 pm", "en"), True),
        (("18:00", "en"), ("18 Uhr", "de"), True),
        (("18:00", "en"), ("6 o'clock", "en"), True),
        (("18:00", "en"), ("7 pm", "en"), False),
        (("18:00", "en"), ("18 days", "en"), False),
        (("18 Uhr", "de"), ("18h", "fr"), True),
        (("18 Uhr", "de"), ("6 am", "en"), False),
        (("9 o'clock", "en"), ("9:00", "en"), True),
        (("30 days", "en"), ("6 pm", "en"), False),
        (("6 pm", "en"), ("half zes", "nl"), False),
        (("17:30", "en"), ("half zes", "nl"), True),
        (("15 décembre 2026", "fr"), ("15. Dezember", "de"), True),
        (("15 décembre 2026", "fr"), ("15 December 2027", "en"), False),
        (("15 décembre", "fr"), ("16 décembre", "fr"), False),
        (("15 décembre", "fr"), ("in December", "en"), True),
        (("in December", "en"), ("15 décembre", "fr"), False),
        (("in December", "en"), ("en janvier", "fr"), False),
        (("samedi", "fr"), ("zaterdag", "nl"), True),
        (("samedi", "fr"), ("Sunday", "en"), False),
        (("gratuit", "fr"), ("kostenlos", "de"), True),
        (("0 euros", "fr"), ("free", "en"), True),
        (("5 euros", "fr"), ("free", "en"), False),
        (("BE-10482", "en"), ("be10482", "nl"), True),
        (("BE-10482", "en"), ("BE-10483", "nl"), False),
        (("demain", "fr"), ("morgen", "nl"), True),
    ],
)
def test_support_across_spellings_and_languages(
    have: tuple[str, str], said: tuple[str, str], backed: bool
) -> None:
    assert supports(Support(claim(*have)), claim(*said)) is backed


@pytest.mark.parametrize(
    ("have", "said", "backed"),
    [
        ("21.6", "22", True),
        ("21.6", "21", False),
        ("39", "39 euros", True),
        ("39", "39 %", True),
        ("39 days", "39 euros", False),
    ],
)
def test_loose_sources_spell_out_no_units(have: str, said: str, backed: bool) -> None:
    assert supports(Support(claim(have), loose=True), claim(said)) is backed
    if have != "39 days":
        assert supports(Support(claim(have)), claim(said)) is False


def fact(text: str, title: str = "Oslo", product: str | None = "oslo") -> Fact:
    return Fact(f"product:{title}", "product", title, text, "en", product)


def test_products_keep_their_own_prices() -> None:
    grounds = build_grounds(
        [fact("costs 89 euros"), fact("costs 39 euros", "Nova", "nova"),
         fact("Delivery costs 4.95 euros", "Delivery", None)]
    )  # fmt: skip
    price = claim("39 euros")
    assert grounds.backs(price)
    assert not grounds.backs(price, grounds.products_in("The Oslo costs 39 euros"))
    assert grounds.backs(price, grounds.products_in("The Oslo and the Nova, 39 euros"))
    assert grounds.backs(claim("4.95 euros"), grounds.products_in("the oslo"))
    assert grounds.products_in("an osloer") == frozenset()


def test_users_may_hear_their_order_number_but_not_their_wishes() -> None:
    grounds = build_grounds([], echoes=[("order 48213 or BE-10482 for 20 euros in 5 days", "en")])
    assert grounds.backs(claim("48213"))
    assert grounds.backs(claim("BE-10482"))
    assert not grounds.backs(claim("20 euros"))
    assert not grounds.backs(claim("5"))


def test_names_bend() -> None:
    grounds = build_grounds([fact("x", "Oslo Chair")], names=["Maison Belge"])
    for name in ("Oslo", "Oslo's", "Chairs", "MAISON", "Saturday", "Oslo’s"):
        assert grounds.knows(name), name
    assert not grounds.knows("Malmö")


def test_citations_by_claim_title_or_words() -> None:
    facts = [
        fact("It costs 89 euros."),
        fact("Returns are accepted within thirty days with receipt.", "Returns", None),
        fact("Open Saturday.", "Hours", None),
    ]
    assert cited("That is 89 euros.", facts, "en") == (facts[0],)
    assert cited("The Oslo is lovely.", facts, "en") == (facts[0],)
    assert cited("Returns accepted within limits and receipt.", facts, "en") == (facts[1],)
    assert cited("Hello.", facts, "en") == ()


@pytest.mark.parametrize("language", AVAILABLE)
@given(text=st.text(max_size=80))
def test_any_text_can_be_read_and_backs_itself(language: str, text: str) -> None:
    for found in read_claims(text, language):
        assert isinstance(found.kind, Kind)
        assert supports(Support(found), found)
