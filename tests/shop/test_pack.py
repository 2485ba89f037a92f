"""The demo pack is sound, and every mistake in a pack is named with file, line and remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from voice_server.shop import pack
from voice_server.shop.pack_policies import SECTIONS
from voice_server.shop.pack_reader import PackError, Problem

DEMO = pack.resolve("demo")
Edit = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo pack that a test may damage."""
    copy = tmp_path / "shop"
    shutil.copytree(DEMO, copy)
    return copy


def change(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the first ``old`` of a file; returns the line it stood on."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def only(folder: Path, part: str) -> Problem:
    """The one problem whose message holds ``part``."""
    found = [problem for problem in pack.check(folder) if part in problem.message]
    assert len(found) == 1, [str(problem) for problem in pack.check(folder)]
    return found[0]


def test_the_demo_pack_has_no_problem() -> None:
    assert pack.check(DEMO) == []


def test_the_demo_shop_is_as_promised() -> None:
    shop = pack.load(DEMO)
    assert shop.languages == ("fr", "nl", "de", "en")
    assert shop.default_language == "fr"
    assert len(shop.catalogue) == 40
    assert len(shop.orders) >= 12
    for language in shop.languages:
        assert len(shop.faq[language]) >= 25
        assert {section.id for section in shop.sections[language]} >= set(SECTIONS)
        assert shop.name in shop.text(language).greeting
        for product in shop.catalogue:
            assert product.model in product.text(language).name
            assert language in product.texts
    for product in shop.catalogue:
        picture = shop.folder / product.image
        assert picture.read_text(encoding="utf-8").startswith("<svg"), picture


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", "intelligence artificielle"),
        ("nl", "artificiële intelligentie"),
        ("de", "künstliche Intelligenz"),
        ("en", "artificial intelligence"),
    ],
)
def test_every_greeting_says_that_an_ai_speaks(language: str, words: str) -> None:
    assert words in pack.load(DEMO).text(language).greeting


def test_prose_takes_its_numbers_from_the_settings(folder: Path) -> None:
    change(folder, "shop.toml", "free_from = 50", "free_from = 60")
    sections = {s.id: s.text for s in pack.load(folder).sections["fr"]}
    assert "à partir de 60 €" in sections["delivery_cost"]


def test_prices_follow_the_size() -> None:
    alma = pack.load(DEMO).catalogue.products["alma"]
    assert not alma.one_price
    assert alma.price == Decimal(79)
    assert {v.price for v in alma.select(size="240 x 220")} == {Decimal(119)}
    assert alma.sizes == ("140 x 200", "200 x 200", "240 x 220")
    assert alma.colours == ("white", "blue", "terracotta")
    assert alma.available


def test_categories_hold_their_sub_categories() -> None:
    catalogue = pack.load(DEMO).catalogue
    assert {p.id for p in catalogue.in_category("lighting")} == {"oslo", "milano", "luna", "nemo"}
    assert catalogue.get("nothing") is None
    assert catalogue.get(None) is None


def test_a_language_that_a_product_lacks_is_answered_in_the_first() -> None:
    shop = pack.load(DEMO)
    product = shop.catalogue.products["oslo"]
    assert product.text("it") == product.text("fr")
    assert shop.text("it") == shop.text("fr")
    assert shop.colour("blue", "it") == "blue"
    assert shop.colour("blue", "nl") == "blauw"


def test_the_fingerprint_follows_the_files(folder: Path) -> None:
    before = pack.load(folder).fingerprint
    assert pack.load(folder).fingerprint == before
    change(folder, "shop.toml", '"Marolle"', '"Marollina"')
    assert pack.load(folder).fingerprint != before


def test_resolve_by_path_by_name_and_not_at_all(folder: Path) -> None:
    assert pack.resolve(str(folder)) == folder
    assert pack.resolve("demo").name == "demo"
    with pytest.raises(FileNotFoundError, match=r"nowhere.*demo"):
        pack.resolve("nowhere")


@pytest.mark.parametrize(
    ("name", "old", "new", "message", "remedy"),
    [
        ("shop.toml", 'name = "Marolle"', "name = 3", "'name' must be a text", 'name = "..."'),
        ("shop.toml", 'timezone = "Europe/Brussels"', 'timezone = "Mars"', "no such time zone",
         "Europe/Brussels"),
        ("shop.toml", 'country = "BE"', 'country = "ZZ"', "no calendar for country", "BE"),
        ("shop.toml", '["fr", "nl", "de", "en"]', '["fr", "nl", "de", "en", "tlh"]',
         "'tlh' is not spoken yet", "use fr"),
        ("shop.toml", "days = [2, 3]", "days = [3, 2]", "'days' must be two", "days = [1, 2]"),
        ("shop.toml", "cost = 4.95", 'cost = "cheap"', "'cost' must be an amount", "4.95"),
        ("shop.toml", "refund_days = 5", "refund_days = -5", "'refund_days' must be a whole", "2"),
        ("shop.toml", '"10:00-16:00"', '"10-16"', "'saturday' is not understood", "09:00-18:00"),
        ("shop.toml", '"10:00-16:00"', '"26:00-27:00"', "no such time of day", "23:59"),
        ("shop.toml", '"10:00-16:00"', '"16:00-10:00"', "closing comes before", "09:00"),
        ("shop.toml", "[delivery.LU]", "[delivery.Luxembourg]", "no country code", "BE"),
        ("products.csv", "milano;Milano;floor_lamps;129", "milano;Milano;floor_lamps;dear",
         "'price' is 'dear'", "49.90"),
        ("products.csv", "luna;Luna", "oslo;Luna", "'oslo' is used twice", "its own id"),
        ("products.csv", "nemo;Nemo", "Né mo;Nemo", "not usable", "a-z"),
        ("products.csv", "oslo;Oslo;table_lamps", "oslo;Oslo;tables_lamp", "'tables_lamp' is unk",
         "categories.csv"),
        ("products.csv", "49.90;59.90", "49.90;39.90", "'was_price' is not above", "empty"),
        ("products.csv", "24x24x45", "24x24xhigh", "'dimensions' is", "24x24x45"),
        ("products.csv", ";18;5;", ";18;five;", "'warranty_years' is 'five'", "12"),
        ("variants.csv", "oslo;black", "oslo;pitch", "the colour 'pitch' is unknown", "colours"),
        ("variants.csv", "oslo;black;;;14", "oslo;black;;;-1", "'stock' must be 0", "12"),
        ("variants.csv", "verona;natural", "vienna;natural", "no product has the id 'vienna'",
         "correct"),
        ("variants.csv", "oslo;white;;;6", "oslo;black;;;6", "'oslo-black' is there twice", "one"),
        ("products.fr.csv", "oslo;lampe de table Oslo;f", "oslo;lampe de table Oslo;x",
         "'gender' is 'x'", "fp"),
        ("products.fr.csv", "lampadaire Milano;m", ";m", "'name' is empty", "fill in"),
        ("categories.csv", "vases;decoration", "vases;decorations", "'decorations' is unknown",
         "add it"),
        ("categories.csv", "mirrors;", "vases;", "'vases' is used twice", "its own id"),
        ("policies/nl.md", "{phone}", "{telephone}", "{telephone} is unknown", "phone"),
        ("policies/nl.md", "## hours: Openingsuren", "## Openingsuren", "has no key",
         "## delivery_cost"),
        ("policies/nl.md", "## hours:", "## contact:", "'contact' is there twice", "keep one"),
        ("faq.yaml", "    a: Ja, wij pakken", "    b: Ja, wij pakken", "lacks its questions",
         "a: with a text"),
        ("orders.csv", "BE-10497", "BE-1049", "'BE-1049' is not", "[orders]"),
        ("orders.csv", "BE-10497", "BE-10482", "BE-10482 is there twice", "its own number"),
        ("orders.csv", ";processing;", ";lost;", "'lost' is unknown", "processing"),
        ("orders.csv", "torino-black x1", "torino-pink x1", "'torino-pink x1' is not", "x1"),
        ("orders.csv", ";-2;1;bpost", ";soon;1;bpost", "'ordered' is 'soon'", "2027-03-15"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(
    folder: Path, name: str, old: str, new: str, message: str, remedy: str
) -> None:
    line = change(folder, name, old, new)
    with pytest.raises(PackError) as caught:
        pack.load(folder)
    found = [problem for problem in caught.value.problems if message in problem.message]
    assert found, str(caught.value)
    problem = found[0]
    assert problem.severity == "error"
    assert problem.file == name
    assert abs(problem.line - line) <= 4, "the line of the entry at least"
    assert remedy in problem.remedy
    assert f"{name}:{problem.line}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("products.nl.csv", "oslo;", "oslooo;", "'oslo' has no text in nl"),
        ("products.nl.csv", "oslo;", "oslooo;", "no product has the id 'oslooo'"),
        ("products.csv", "2;24x24x45;1.6;;gift,bedroom,living,reading",
         "2;24x24x45;1.6;;gift", ""),
        ("policies/de.md", "## exchange: Umtausch", "## swap: Umtausch", "'exchange' is missing"),
        ("variants.csv", "nimbus;;;;15;", "# nimbus", "'nimbus' has no line in variants.csv"),
        ("products.en.csv", "bedside table.;", "bedside table;", "does not end with a full stop"),
        ("shop.toml", '"ideal", ', '"shells", ', "the payment method 'shells' is unknown"),
        ("faq.yaml", "  nl:\n    q:\n      - Pakken", "  it:\n    q:\n      - Pakken",
         "'gift_wrap' has no nl"),
    ],
)  # fmt: skip
def test_the_shop_can_live_with_a_gap(
    folder: Path, name: str, old: str, new: str, message: str
) -> None:
    change(folder, name, old, new)
    found = [problem for problem in pack.check(folder) if message and message in problem.message]
    assert bool(found) == bool(message)
    assert all(problem.severity == "warning" for problem in found)
    assert pack.load(folder).name == "Marolle"


def test_a_missing_picture_is_a_warning_and_no_picture(folder: Path) -> None:
    (folder / "pictures" / "oslo.svg").unlink()
    assert "oslo.svg" in only(folder, "picture").message
    assert pack.load(folder).catalogue.products["oslo"].image == ""


def test_a_product_without_variants_is_out_of_stock(folder: Path) -> None:
    change(folder, "variants.csv", "nimbus;;;;15;", "# nimbus")
    nimbus = pack.load(folder).catalogue.products["nimbus"]
    assert not nimbus.available
    assert nimbus.price == Decimal("59.90")


@pytest.mark.parametrize(
    "name",
    [
        *("shop.toml", "products.csv", "variants.csv", "categories.csv", "products.fr.csv"),
        *("faq.yaml", "policies/fr.md"),
    ],
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert any(
        problem.file == name and "missing" in problem.message for problem in pack.check(folder)
    )


def test_orders_and_translations_may_be_missing(folder: Path) -> None:
    (folder / "orders.csv").unlink()
    (folder / "products.en.csv").unlink()
    (folder / "policies" / "en.md").unlink()
    shop = pack.load(folder)
    assert len(shop.orders) == 0
    assert shop.sections["en"] == ()


def test_broken_toml_yaml_and_encoding_are_named(folder: Path) -> None:
    line = change(folder, "shop.toml", 'currency = "EUR"', "currency = EUR")
    assert only(folder, "not valid TOML").line == line
    shutil.copy(DEMO / "shop.toml", folder / "shop.toml")
    change(folder, "faq.yaml", "  fr:\n", "  fr: [\n")
    assert only(folder, "not valid YAML").file == "faq.yaml"
    (folder / "faq.yaml").write_text("- a list\n", encoding="utf-8")
    assert "not a list of entries" in only(folder, "not a list").message
    (folder / "faq.yaml").write_bytes("a:\n  fr: \xe9".encode("latin-1"))
    problem = only(folder, "not UTF-8")
    assert (problem.file, problem.line) == ("faq.yaml", 2)
    (folder / "faq.yaml").write_text("", encoding="utf-8")
    assert pack.load(folder).faq["fr"] == ()


def test_tables_are_read_as_spreadsheets_write_them(folder: Path) -> None:
    path = folder / "variants.csv"
    rows = path.read_text(encoding="utf-8").replace(";", ",")
    path.write_text("\ufeff" + rows, encoding="utf-8")
    assert len(pack.load(folder).catalogue.products["oslo"].variants) == 3
    path.write_text("# nothing\n", encoding="utf-8")
    assert "empty" in only(folder, "the file is empty").message
    path.write_text("product;colour\noslo;black\n", encoding="utf-8")
    assert "stock" in only(folder, "are missing").message
    path.write_text("product;stock\noslo;3;4;5\n", encoding="utf-8")
    assert only(folder, "cells").line == 2


def test_own_colours_join_the_bundled_ones(folder: Path) -> None:
    (folder / "colours.csv").write_text("key;fr;nl\nsage;sauge;salie\n", encoding="utf-8")
    change(folder, "variants.csv", "oslo;green", "oslo;sage")
    shop = pack.load(folder)
    assert shop.colour("sage", "fr") == "sauge"
    assert shop.colour("sage", "de") == "sage"
    assert shop.colour("black", "de") == "Schwarz"


def test_a_shop_without_languages_is_refused(folder: Path) -> None:
    change(folder, "shop.toml", '["fr", "nl", "de", "en"]', "[]")
    assert any("no language is named" in problem.message for problem in pack.check(folder))


def test_faq_may_have_one_question_and_wants_languages(folder: Path) -> None:
    (folder / "faq.yaml").write_text(
        "one:\n  fr:\n    q: Une question ?\n    a: Oui.\ntwo: 2\nthree:\n  fr: x\n",
        encoding="utf-8",
    )
    messages = [problem.message for problem in pack.check(folder)]
    assert "'two' has no languages" in messages
    assert "'three' in fr lacks its questions 'q' or its answer 'a'" in messages


def test_orders_take_real_dates(folder: Path) -> None:
    change(folder, "orders.csv", ";-2;1;bpost", ";2026-11-20;2026-11-24;bpost")
    order = pack.load(folder).orders.verified("BE-10482", today=date(2030, 1, 1))
    assert order is not None
    assert order.ordered == date(2026, 11, 20)
    assert order.expected == date(2026, 11, 24)


def test_a_folder_in_place_of_a_file_is_reported(folder: Path) -> None:
    (folder / "faq.yaml").unlink()
    (folder / "faq.yaml").mkdir()
    assert "cannot be read" in only(folder, "cannot be read").message
