"""The market's taste: the same facts with another stress, and the calendar where it applies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.shop.test_pack import DEMO, change
from voice_server.config import cache_root
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.facts import Context
from voice_server.dialogue.knowledge import Knowledge
from voice_server.shop import pack
from voice_server.shop.taste import Taste, holidays_between, season
from voice_server.shop.units import inches, pounds

BRUSSELS = ZoneInfo("Europe/Brussels")
PROFILE = """
[taste]
emphasis = "style"
vat = true
seasons = true
[taste.NL]
emphasis = "price"
[taste.DE]
emphasis = "precision"
vat = false
[taste.GB]
units = "imperial"
[taste.FR]
emphasis = "durability"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("taste") / "shop"
    shutil.copytree(DEMO, copy)
    with (copy / "shop.toml").open("a", encoding="utf-8") as file:
        file.write(PROFILE)
    return copy


@pytest.fixture(scope="module")
def at(
    folder: Path, embedder: UniversalSentenceEncoder
) -> Callable[[str, str, str, str, Context], str]:
    now = [datetime(2026, 11, 24, 14, 0, tzinfo=BRUSSELS)]
    shop = pack.load(folder)
    known = Knowledge(shop, embedder, now=lambda: now[0], cache=cache_root() / "test-vectors")

    def ask(day: str, text: str, language: str, country: str, context: Context) -> str:
        now[0] = datetime.fromisoformat(f"{day}T14:00").replace(tzinfo=BRUSSELS)
        answer = known.answer(text, language, replace(context, country=country))
        assert answer is not None
        return answer.text

    return ask


Ask = Callable[[str, str, str, str, Context], str]


def test_the_profiles_are_read(folder: Path) -> None:
    tastes = pack.load(folder).tastes
    assert tastes.of("BE") == Taste("style", vat=True, seasons=True)
    assert tastes.of("NL") == Taste("price", vat=True, seasons=True)
    assert tastes.of("DE") == Taste("precision", vat=False, seasons=True)
    assert pack.load(DEMO).tastes.of("NL") == Taste()
    assert pack.check(folder) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [('emphasis = "style"', 'emphasis = "glamour"', "'glamour' cannot be stressed"),
     ("vat = true", 'vat = "yes"', "'vat' must be true or false")],
)  # fmt: skip
def test_a_wrong_profile_is_named(
    folder: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    copy = tmp_path / "shop"
    shutil.copytree(folder, copy)
    line = change(copy, "shop.toml", old, new)
    found = [problem for problem in pack.check(copy) if message in problem.message]
    assert [problem.line for problem in found] == [line]


@pytest.mark.parametrize(
    ("country", "stress"),
    [("BE", "comes in|choose from"), ("NL", "reduced price: it was €59.90"),
     ("DE", "exact dimensions are 24 x 24 x 45"), ("FR", "warranty of 2 years")],
)  # fmt: skip
def test_the_same_product_is_praised_for_what_counts(at: Ask, country: str, stress: str) -> None:
    text = at("2026-11-24", "Would you recommend the Oslo lamp?", "en", country, Context())
    assert any(part in text for part in stress.split("|")), text
    assert "€49.90" in text
    others = {"comes in", "choose from", "reduced", "exact dimensions", "warranty"} - {
        part.split(" of ")[0].split(" price")[0].split(" are")[0] for part in stress.split("|")
    }
    assert not [other for other in others if other in text], text


def test_the_facts_are_equal_on_every_market(
    folder: Path, embedder: UniversalSentenceEncoder
) -> None:
    known = Knowledge(pack.load(folder), embedder, cache=cache_root() / "test-vectors")
    found = set()
    for country in ("BE", "NL", "DE", "FR"):
        answer = known.answer("Would you recommend the Oslo lamp?", "en", Context(country=country))
        assert answer is not None
        sheet = known.retrieve("Oslo lamp", "en", Context(), 1)[0]
        assert answer.facts[0].text.startswith(sheet.text)
        found.add(answer.facts[0].source_id)
    assert found == {"product:oslo"}


@pytest.mark.parametrize(
    ("language", "question", "words"),
    [("fr", "Combien coûte la lampe Oslo ?", "59,90 €, TVA comprise."),
     ("nl", "Hoeveel kost de lamp Oslo?", "inclusief btw."),
     ("de", "Was kostet die Lampe Oslo?", "inklusive Mehrwertsteuer."),
     ("en", "How much is the Oslo lamp?", "VAT included.")],
)  # fmt: skip
def test_vat_is_named_where_the_market_wants_it(
    at: Ask, language: str, question: str, words: str
) -> None:
    assert words in at("2026-11-24", question, language, "", Context())
    assert words not in at("2026-11-24", question, language, "DE", Context())
    again = Context(last_intent="price")
    assert words not in at("2026-11-24", question, language, "", again), "once in a row is enough"


@pytest.mark.parametrize(
    ("day", "country", "expected"),
    [("2026-12-01", "BE", "winter"), ("2026-02-28", "BE", "winter"), ("2026-03-01", "BE", "spring"),
     ("2026-07-21", "BE", "summer"), ("2026-09-30", "NL", "autumn"), ("2026-07-21", "AU", "winter"),
     ("2026-12-25", "AU", "summer")],
)  # fmt: skip
def test_seasons(day: str, country: str, expected: str) -> None:
    assert season(date.fromisoformat(day), country) == expected


@pytest.mark.parametrize(
    ("first", "last", "country", "language", "expected"),
    [
        ("2026-07-20", "2026-07-22", "BE", "fr", [("2026-07-21", "Fête nationale")]),
        ("2026-07-20", "2026-07-22", "BE", "nl", [("2026-07-21", "Nationale feestdag")]),
        ("2026-07-20", "2026-07-22", "NL", "nl", []),
        ("2026-04-27", "2026-04-27", "NL", "nl", [("2026-04-27", "Koningsdag")]),
        ("2026-10-03", "2026-10-03", "DE", "de", []),  # a Saturday
        ("2025-10-03", "2025-10-03", "DE", "de", [("2025-10-03", "Tag der Deutschen Einheit")]),
        ("2026-07-14", "2026-07-14", "FR", "fr", [("2026-07-14", "Fête nationale")]),
        ("2026-07-14", "2026-07-14", "BE", "fr", []),
    ],
)
def test_holidays_belong_to_their_country_and_day(
    first: str, last: str, country: str, language: str, expected: list[tuple[str, str]]
) -> None:
    found = holidays_between(date.fromisoformat(first), date.fromisoformat(last), country, language)
    assert [(day.isoformat(), name) for day, name in found] == expected


@pytest.mark.parametrize(
    ("day", "language", "question", "words"),
    [("2026-07-20", "fr", "Combien de temps pour recevoir la lampe Oslo ?",
      "Fête nationale, mardi 21 juillet"),
     ("2026-07-20", "nl", "Hoe lang duurt de levering van de lamp Oslo?", "Nationale feestdag"),
     ("2026-12-24", "en", "How long does the Oslo lamp take?", "public holiday"),
     ("2026-07-27", "fr", "Combien de temps pour recevoir la lampe Oslo ?", "")],
)  # fmt: skip
def test_a_holiday_on_the_way_is_told(
    at: Ask, day: str, language: str, question: str, words: str
) -> None:
    text = at(day, question, language, "", Context())
    assert words in text, text
    if not words:
        assert "férié" not in text


def test_the_season_is_named_for_what_suits_it(at: Ask) -> None:
    winter = [
        product.text("en").name
        for product in pack.load(DEMO).catalogue
        if "winter" in product.tags and product.available
    ]
    question = f"Would you recommend the {winter[0]}?"
    assert "for the winter" in at("2026-12-10", question, "en", "", Context())
    assert "for the" not in at("2026-07-10", question, "en", "", Context()).replace("for the h", "")


@pytest.mark.parametrize(
    ("text", "language", "country", "expected"),
    [
        ("How tall is the Oslo lamp?", "en", "GB", "9.4 by 9.4 by 17.7 inches"),
        ("How big is the Oslo lamp in inches?", "en", "BE", "9.4 by 9.4 by 17.7 inches"),
        ("How much does the Oslo lamp weigh, in pounds?", "en", "BE", "3.5 pounds"),
        ("Quelles sont les dimensions de la lampe Oslo, en pouces ?", "fr", "BE",
         "9,4 sur 9,4 sur 17,7 pouces"),
        ("Hoe groot is de lamp Oslo in inch?", "nl", "NL", "9,4 bij 9,4 bij 17,7 inch"),
        ("Wie groß ist die Lampe Oslo in Zoll?", "de", "DE", "9,4 mal 9,4 mal 17,7 Zoll"),
    ],
)  # fmt: skip
def test_inches_and_pounds_are_exact_and_said_to_be_converted(
    at: Ask, text: str, language: str, country: str, expected: str
) -> None:
    told = at("2026-11-24", text, language, country, Context())
    assert expected in told
    marks = {"en": "Converted", "fr": "Converti", "nl": "Omgerekend", "de": "Umgerechnet"}
    assert marks[language] in told
    assert any(own in told for own in ("45", "1.6")), "what the shop says stays"


@pytest.mark.parametrize("text", ["How big is the Oslo lamp?", "How heavy is the Oslo lamp?"])
def test_where_nobody_asks_nothing_is_converted(at: Ask, text: str) -> None:
    told = at("2026-11-24", text, "en", "BE", Context())
    assert "inches" not in told
    assert "pounds" not in told


def test_conversions_are_those_of_the_definition() -> None:
    assert inches(Decimal("2.54")) == 1
    assert inches(Decimal(254)) == 100
    assert pounds(Decimal("45.359237")) == 100
    assert [inches(Decimal(n)) for n in (24, 45)] == [Decimal("9.4"), Decimal("17.7")]
