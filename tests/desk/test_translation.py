"""What a translation may never change, and what happens when it does."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.virtual_time import run
from voice_server.desk.protect import mask, unmask
from voice_server.desk.translation import Translate, Translated, Translator

KEPT = [
    "BE-10023", "49,90 €", "€49.90", "1.249,00 €", "1 249,00 €", "EUR 12", "15 %", "oslo-black-40",
    "W2378156", "+32 470 11 22 33", "ann.peeters@example.com", "https://marolle.example/r/1?x=2",
    "3SBEX1234567890", "12/03/2026", "18:30", "1000", "A4", "USB-C3", "2",
]  # fmt: skip


@pytest.mark.parametrize("value", KEPT)
def test_values_are_masked_whole(value: str) -> None:
    masked = mask(f"Votre article {value}, svp.")
    assert value in masked.kept, masked
    assert not any(char.isdigit() for char in re.sub(r"⟦\d+⟧", "", masked.text))
    assert unmask(masked, masked.text) == f"Votre article {value}, svp."


def test_names_and_terms() -> None:
    masked = mask(
        "Ann Peeters retourne la Oslo : geste commercial, pas d'Oslonord.",
        names=["Ann Peeters", "Oslo", ""],
        glossary={"geste commercial": "commerciële geste", " ": "x"},
    )
    assert masked.text == "⟦1⟧ retourne la ⟦2⟧ : ⟦3⟧, pas d'Oslonord."
    assert masked.kept == ("Ann Peeters", "Oslo", "commerciële geste")


def test_longer_names_win_and_odd_characters_are_harmless() -> None:
    masked = mask("La lampe Oslo XL (n# 1)", names=["Oslo", "Oslo XL", "n# 1", "(", "a|b"])
    assert masked.kept[0] == "Oslo XL"
    assert mask("ANN était là", names=["Ann"]).kept == ("ANN",)


@pytest.mark.parametrize(
    "answer",
    [
        "Uw bestelling",  # lost
        "⟦1⟧ ⟦1⟧",  # doubled
        "⟦1⟧ ⟦2⟧",  # invented
        "⟦1⟧ in 3 dagen",  # a number of its own
        "⟦1⟧ ⟦x⟧",
        "BE-10023",
        "",
    ],
)
def test_a_translation_that_cannot_be_trusted(answer: str) -> None:
    assert unmask(mask("Commande BE-10023"), answer) is None


def test_marks_may_move_and_be_spaced() -> None:
    masked = mask("Commande BE-10023 : 49,90 €")
    assert unmask(masked, "⟦ 2 ⟧ voor bestelling ⟦1⟧") == "49,90 € voor bestelling BE-10023"


@given(st.text(max_size=80), st.lists(st.sampled_from(KEPT), max_size=4))
def test_masking_is_undone_exactly(text: str, values: list[str]) -> None:
    whole = " ".join([text, *values]).strip()
    masked = mask(whole, names=["Ann", "Oslo"])
    # A foreign opening or closing mark without its partner makes a text untranslatable.
    bare = re.sub(r"⟦\s*\d+\s*⟧", "", masked.text)
    expected = None if "⟦" in bare or "⟧" in bare or any(c.isdigit() for c in bare) else whole
    assert unmask(masked, masked.text) == expected


WORDS = {"Votre": "Uw", "commande": "bestelling", "arrive": "komt", "bientôt": "weldra"}


async def word_by_word(text: str, source: str, target: str) -> str:
    return " ".join(WORDS.get(word, word) for word in text.split())


def translator(translate: Translate | None) -> Translator:
    return Translator(
        translate,
        internal_language="fr",
        glossary={"geste commercial": {"nl": "commerciële geste", "de": "Kulanz"}},
        names=("Oslo",),
    )


def test_ids_prices_and_terms_come_through_unchanged() -> None:
    found = run(
        translator(word_by_word).translate(
            "Votre commande BE-10023 à 49,90 € arrive bientôt Léa geste commercial Oslo",
            "fr", "nl", names=["Léa"],
        )
    )  # fmt: skip
    assert found == Translated(
        "Uw bestelling BE-10023 à 49,90 € komt weldra Léa commerciële geste Oslo", ok=True
    )


def test_the_glossary_works_both_ways_and_between_others() -> None:
    async def same(text: str, source: str, target: str) -> str:
        return text

    both = translator(same)
    assert run(both.translate("een commerciële geste", "nl", "fr")).text == "een geste commercial"
    assert run(both.translate("een commerciële geste", "nl", "de")).text == "een Kulanz"
    assert run(both.translate("een commerciële geste", "nl", "en")).text == "een commerciële geste"


def test_without_a_translator_or_need_of_one() -> None:
    assert run(translator(None).translate("Bonjour", "fr", "nl")) == Translated("Bonjour", ok=False)
    assert run(translator(None).translate("Bonjour", "fr", "fr")) == Translated("Bonjour", ok=True)
    assert run(translator(None).translate("  ", "fr", "nl")) == Translated("  ", ok=True)
    assert run(translator(word_by_word).translate("BE-10023", "fr", "nl")) == Translated(
        "BE-10023", ok=True
    )


def test_a_second_chance_then_the_original() -> None:
    answers = ["lost it", "Bestelling ⟦1⟧", "again lost", "x" * 900]

    async def careless(text: str, source: str, target: str) -> str:
        return answers.pop(0)

    one = translator(careless)
    assert run(one.translate("Commande BE-10023", "fr", "nl")).text == "Bestelling BE-10023"
    assert run(one.translate("Commande BE-10023", "fr", "nl")) == Translated(
        "Commande BE-10023", ok=False
    )


def test_a_slow_or_broken_translator_is_not_waited_for() -> None:
    async def slow(text: str, source: str, target: str) -> str:
        await asyncio.sleep(3600)
        return text

    async def broken(text: str, source: str, target: str) -> str:
        raise RuntimeError("no model")

    async def scene(translate: Translate) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert not (await translator(translate).translate("Bonjour", "fr", "nl")).ok
        return loop.time() - began

    assert run(scene(slow)) == pytest.approx(4)
    assert run(scene(broken)) == 0
