"""What an owner should look at: a pack broken by each rule, and numbers that contradict."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.shop.test_pack import DEMO, change
from voice_server.shop import pack
from voice_server.shop.pack_parity import numbers
from voice_server.shop.pack_reader import Problem
from voice_server.shop.pack_summary import summarise

TODAY = date(2026, 11, 24)
VOICES = {"ff_siwis": "fr", "bf_emma": "en-GB", "de_dora": "de", "nl_NL-mls-medium": "nl"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo pack that a test may damage."""
    copy = tmp_path / "shop"
    shutil.copytree(DEMO, copy)
    return copy


def found(folder: Path) -> list[Problem]:
    return pack.check(folder, today=TODAY, voices=VOICES)


@pytest.mark.parametrize("name", ["demo", "starter"])
def test_the_bundled_packs_have_no_problem(name: str) -> None:
    assert pack.check(pack.resolve(name), today=TODAY, voices=VOICES) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "message", "remedy"),
    [
        # shop.toml
        ("shop.toml", "[voices]", "[voicse]", "[voicse] is not used", "[voices]"),
        ("shop.toml", "de Marolle, une intelligence artificielle", "de Marolle",
         "the greeting in fr does not say that an AI speaks", "an artificial intelligence"),
        ("shop.toml", "Marolle's voice assistant", "the voice assistant",
         "the greeting in en does not say for whom", "Marolle"),
        ("shop.toml", '"hello@marolle.example"', '"hello at marolle"', "no e-mail address", "@"),
        ("shop.toml", "[delivery.BE]", "[delivery.AT]", "no delivery to BE", "[delivery.BE]"),
        ("shop.toml", 'fr = "ff_siwis"', 'fr = "fifi"', "the voice 'fifi' is unknown", "ff_siwis"),
        ("shop.toml", 'fr = "ff_siwis"', 'fr = "bf_emma"', "speaks en-GB, not fr", "ff_siwis"),
        ("shop.toml", 'fr = "ff_siwis"', 'fr = "espeak-nl"', "speaks nl, not fr", "ff_siwis"),
        ("shop.toml", 'fr = "ff_siwis"', 'it = "if_sara"', "does not speak 'it'", "remove"),
        # tables
        ("products.csv", "luna;Luna;pendant_lamps;89", "luna;Luna;pendant_lamps;0",
         "the price is 0", "write the price"),
        ("variants.csv", "oslo;black;;;14", "oslo;black;;0.00;14", "the price is 0", "write"),
        ("products.csv", "luna;Luna;pendant_lamps", "luna;Luna;", "'luna' has no category",
         "'category'"),
        ("variants.csv", "oslo;green;", "oslo;;", "this stock of 'oslo' has neither",
         "which variant"),
        ("products.csv", "was_price;", "was_prise;", "the column 'was_prise' is not used",
         "was_price"),
        ("products.fr.csv", "aliases", "alias", "the column 'alias' is not used", "aliases"),
        ("products.fr.csv", "lampadaire Milano;m;lampe Milano",
         "lampadaire Milano;m;lampe Oslo", "'lampe Oslo' is also a name of 'oslo'", "its own"),
        # texts
        ("faq.yaml", "      - Vous pouvez l'emballer en cadeau ?\n"
         "      - C'est pour offrir, il y a du papier cadeau ?\n", "",
         "'gift_wrap' in fr has only one example", "two or three"),
        ("faq.yaml", "- Je peux acheter un chèque-cadeau ?", "- Faites-vous des emballages cadeaux",
         "'gift_wrap' has the same question in fr", "one of them"),
        ("faq.yaml", "a: Oui, nous emballons", "a: " + "Oui, oui. " * 45 + "Nous emballons",
         "too long to be listened to", "three sentences"),
        ("faq.yaml", "a: Yes, we wrap", "a: Yes, **we** wrap", "'**' would be read aloud", "plain"),
        ("policies/en.md", "We deliver {countries}.",
         "We deliver {countries}, see https://x.example.", "'https://' would be read aloud",
         "plain"),
        ("products.en.csv", "The cable is 1.8 metres long.",
         "The <b>cable</b> is 1.8 metres long.", "'<b>' would be read aloud", "plain"),
        ("faq.yaml", "a: Yes, we wrap your gift", "a: Until 2025, we wrap your gift",
         "'2025' is in the past", "remove"),
        ("policies/en.md", "The payment is secure.", "Secure since 2026-11-23.",
         "'2026-11-23' is in the past", "remove"),
        # orders
        ("orders.csv", ";-2;1;bpost", ";2026-11-18;2026-11-20;bpost",
         "the order is 'shipped', but was expected on 2026-11-20", "up to date"),
        ("orders.csv", ";-2;1;bpost", ";2026-12-18;2026-12-20;bpost", "lies in the future",
         "date"),
        # languages that contradict each other
        ("policies/nl.md", "{returns.days}", "14 dagen", "'returns_period' says 14 in nl, but",
         "{returns.days}"),
        ("faq.yaml", "cadeau in voor 3 €", "cadeau in voor 5 €",
         "'gift_wrap' says 5 in nl, but 3 in fr", "the same"),
        ("products.de.csv", "1,8 Meter", "2,5 Meter", "'oslo' says 2.5 in de, but 1.8 in fr",
         "the same"),
    ],
)  # fmt: skip
def test_a_warning_is_given_where_it_is_due(
    folder: Path, name: str, old: str, new: str, message: str, remedy: str
) -> None:
    line = change(folder, name, old, new)
    matching = [problem for problem in found(folder) if message in problem.message]
    assert matching, [str(problem) for problem in found(folder)]
    assert all(problem.severity == "warning" for problem in matching)
    assert all(problem.file == name for problem in matching)
    assert any(abs(problem.line - line) <= 4 for problem in matching), "at its line, or its entry's"
    assert remedy in matching[0].remedy
    if not any(problem.severity == "error" for problem in found(folder)):
        assert pack.load(folder).name == "Marolle"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("products.fr.csv", "milano;lampadaire", "oslo;lampadaire", "the id 'oslo' is used twice"),
        ("faq.yaml", "gift_card:", "gift_wrap:", "'gift_wrap' is there twice"),
        ("faq.yaml", "  nl:\n", "  fr:\n", "'fr' is there twice"),
    ],
)
def test_twins_are_errors(folder: Path, name: str, old: str, new: str, message: str) -> None:
    line = change(folder, name, old, new)
    matching = [problem for problem in found(folder) if message in problem.message]
    assert [problem.severity for problem in matching] == ["error"]
    assert 0 <= matching[0].line - line <= 1


def test_a_language_without_texts_is_one_warning_a_file(folder: Path) -> None:
    (folder / "products.en.csv").unlink()
    (folder / "policies" / "en.md").unlink()
    (folder / "faq.yaml").write_text("", encoding="utf-8")
    assert [(problem.file, problem.severity) for problem in found(folder)] == [
        ("policies/en.md", "warning"),
        ("products.en.csv", "warning"),
    ]
    summary = summarise(pack.inspect(folder)[0])
    fr, en = summary.languages[0], summary.languages[-1]
    assert (fr.products, fr.sections, fr.answers, fr.percent) == (40, 14, 0, 100)
    assert (en.products, en.sections, en.greeting, en.percent) == (0, 0, True, 1)


def test_the_home_country_comes_first(folder: Path) -> None:
    change(folder, "shop.toml", 'country = "BE"', 'country = "NL"')
    [problem] = [one for one in found(folder) if "[delivery.BE] comes first" in one.message]
    lines = (folder / "shop.toml").read_text(encoding="utf-8").splitlines()
    assert lines[problem.line - 1] == "[delivery.BE]"
    assert problem.remedy == "put [delivery.NL] first"


def test_nobody_to_reach_is_said(folder: Path) -> None:
    text = (folder / "shop.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[hours]")
    head = head.replace('phone = "+32 2 555 01 23"', "")
    (folder / "shop.toml").write_text(head + rest[rest.index("[voices]") :], encoding="utf-8")
    messages = " ".join(problem.message for problem in found(folder))
    assert "there is no telephone number" in messages
    assert "there are no opening hours" in messages


def test_everything_is_found_at_once(folder: Path) -> None:
    change(folder, "shop.toml", "refund_days = 5", "refund_days = -5")
    change(folder, "products.csv", "luna;Luna;pendant_lamps;89", "luna;Luna;pendant_lamps;0")
    change(folder, "variants.csv", "oslo;black;", "oslo;pitch;")
    change(folder, "policies/de.md", "{phone}", "{telephone}")
    change(folder, "faq.yaml", "a: Yes, we wrap", "a: Yes, **we** wrap")
    assert {problem.file for problem in found(folder)} >= {
        *("shop.toml", "products.csv", "variants.csv", "policies/de.md", "faq.yaml"),
    }


@pytest.mark.parametrize("seed", range(25))
def test_no_damage_stops_the_check(folder: Path, seed: int) -> None:
    """Whatever an owner does to the files, a check reports and never breaks."""
    chance = random.Random(seed)  # noqa: S311
    names = ["shop.toml", "products.csv", "variants.csv", "categories.csv", "orders.csv",
             "faq.yaml", "policies/nl.md", "products.fr.csv", "products.nl.csv"]  # fmt: skip
    damages: list[Callable[[str], str]] = [
        lambda line: "",
        lambda line: line[: chance.randrange(len(line) + 1)],
        lambda line: line + line,
        lambda line: line.replace(";", ",").replace("=", ":"),
        lambda line: "".join(chance.sample(line, len(line))),
        lambda line: "\u0000é{}[]#;;;;;;;;;;;;;;;;" + line,
    ]
    for name in chance.sample(names, 4):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        for _ in range(4):
            place = chance.randrange(len(lines))
            lines[place] = chance.choice(damages)(lines[place])
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    for problem in found(folder):
        assert problem.message
        assert problem.remedy
    summarise(pack.inspect(folder)[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 000 mAh et 1,5 m", {"10000", "1.5"}),
        ("1.000 € oder 1.50", {"1000", "1.5"}),
        ("de 9 h à 17 h 30", {"9", "17:30"}),
        ("from 9 am to 5:30 pm, 12 pm", {"9", "17:30", "12"}),
        ("17.30 uur, 8 Uhr, 09:15", {"17:30", "8", "9:15"}),
        ("E27, USB-C, {returns.days}", {"{returns.days}"}),
        ("nothing", set()),
    ],
)
def test_numbers_are_read_alike_in_all_languages(text: str, expected: set[str]) -> None:
    assert numbers(text) == expected
