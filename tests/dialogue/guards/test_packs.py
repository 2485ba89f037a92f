"""Guard packs: no red phrase passes, no green one is stopped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_server.dialogue.guards.packs import GuardError, load_guards
from voice_server.dialogue.locales import AVAILABLE, UnknownLocale
from voice_server.shop.pack import load, resolve
from voice_server.tenants import Tenant

PHRASES = Path(__file__).parent / "phrases"


def red() -> Iterator[tuple[str, str, str, str]]:
    for language in AVAILABLE:
        for line in (PHRASES / f"red.{language}.txt").read_text("utf-8").splitlines():
            topic, side, text = line.split("\t")
            yield language, topic, side, text


def green() -> Iterator[tuple[str, str, str]]:
    for language in AVAILABLE:
        for line in (PHRASES / f"green.{language}.txt").read_text("utf-8").splitlines():
            side, text = line.split("\t")
            yield language, side, text


@pytest.mark.parametrize(("language", "topic", "side", "text"), list(red()))
def test_red_phrases_are_stopped(language: str, topic: str, side: str, text: str) -> None:
    pack = load_guards(language)
    found = pack.said(text) if side == "said" else pack.asked(text)
    assert found is not None, text
    assert found.topic == topic
    assert found.instead


@pytest.mark.parametrize(("language", "side", "text"), list(green()))
def test_green_phrases_pass(language: str, side: str, text: str) -> None:
    pack = load_guards(language)
    assert (pack.said(text) if side == "said" else pack.asked(text)) is None


@pytest.mark.parametrize("language", AVAILABLE)
def test_phrases_are_enough_and_topics_are_the_same_everywhere(language: str) -> None:
    reds = [row for row in red() if row[0] == language]
    greens = [row for row in green() if row[0] == language]
    assert min(len(reds), len(greens)) >= 25
    assert {row[1] for row in reds} == set(load_guards(language).names)
    assert load_guards(language).names == load_guards("en").names


@pytest.mark.parametrize("language", AVAILABLE)
def test_what_is_said_instead_offends_nobody(language: str) -> None:
    pack = load_guards(language)
    for topic in pack.topics:
        found = pack.said(topic.instead)
        # It may name the topic it declines, and nothing else.
        assert found is None or found.topic == topic.name


def test_a_shop_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "guards").mkdir()
    (tmp_path / "guards" / "en.yaml").write_text(
        "allow: [ikea]\n"
        "remove: [politics]\n"
        "topics:\n"
        "  alcohol: {instead: 'We sell none.', asked: ['wine|beer'], said: ['wine']}\n"
        "  religion: {asked: ['sermons?']}\n"
    )
    pack = load_guards("en", tmp_path)
    assert pack.asked("Have you got wine?") is not None
    assert pack.said("It goes well with wine.") is not None
    assert pack.asked("Is it better than at IKEA?") is None
    assert pack.asked("What do you think of Trump?") is None
    sermon = pack.asked("A sermon, please.")
    assert sermon is not None
    assert "religion" in sermon.instead
    assert load_guards("fr", tmp_path) is load_guards("fr")
    assert load_guards("en").asked("What do you think of Trump?") is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("topics: {x: {said: ['a']}}", "instead"),
        ("topics: {x: {instead: 'No.', said: ['Ä']}}", "small letters"),
        ("topics: {x: {instead: 'No.', said: ['(']}}", "x"),
        ("topics: {x: {insted: 'No.'}}", "may hold"),
        ("topics: [x]", "must hold"),
        ("topics: {", "no YAML"),
    ],
)
def test_what_is_wrong_in_a_pack_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "guards").mkdir()
    (tmp_path / "guards" / "en.yaml").write_text(text)
    with pytest.raises(GuardError, match=message):
        load_guards("en", tmp_path)


def test_a_language_without_guards_is_refused() -> None:
    with pytest.raises(UnknownLocale):
        load_guards("pt")


# -- nobody wrote these for the guards --------------------------------------------------------

DATA = Path(__file__).parents[1] / "data"


def test_no_question_of_real_shoppers_is_declined() -> None:
    """Hundreds of paraphrases written for the intents: the complaints among them are polite."""
    lines = [
        line.split("\t")
        for name in ("heldout", "paraphrases")
        for line in (DATA / f"{name}.tsv").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    declined = [
        (text, found)
        for language, _, text in lines
        if (found := load_guards(language).asked(text)) is not None
    ]
    assert len(lines) > 300
    assert declined == []


def test_nothing_the_demo_shop_writes_offends() -> None:
    shop = load(resolve("demo"))
    texts = [
        (language, text)
        for language in shop.languages
        for text in (
            *(entry.answer for entry in shop.faq[language]),
            *(section.text for section in shop.sections[language]),
            *(product.text(language).summary for product in shop.catalogue),
            *(" ".join(product.text(language).details) for product in shop.catalogue),
            shop.text(language).greeting,
        )
    ]
    assert len(texts) > 300
    found = [(text, load_guards(language).said(text)) for language, text in texts]
    assert [pair for pair in found if pair[1] is not None] == []


def test_a_tenant_has_its_shops_guards_and_keeps_the_bundled_ones_when_they_are_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(resolve("demo"), folder)
    (folder / "guards").mkdir()
    own = folder / "guards" / "en.yaml"
    own.write_text("topics: {alcohol: {instead: 'We sell none.', asked: ['wine']}}")
    tenant = Tenant(load(folder), "/shop")
    assert tenant.guards()["en"].asked("Any wine?") is not None
    own.write_text("topics: {alcohol: {asked: ['wine']}}")
    assert tenant.guards()["en"] is load_guards("en")
    assert "needs an 'instead'" in caplog.text
