"""Packets: summaries in both languages, reason, priority, and models that cannot be trusted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.desk.cases import BRUSSELS, NOW, case, packet
from tests.virtual_time import run
from voice_server.desk.builder import TRANSCRIPT_LINES, PacketBuilder, Summarise, sound
from voice_server.desk.packet import HandOffPacket, Line, Priority
from voice_server.desk.rules import REASONS, DeskRules
from voice_server.desk.texts import LANGUAGES, customer, texts, when


def builder(summarise: Summarise | None = None) -> PacketBuilder:
    return PacketBuilder("marolle", BRUSSELS, DeskRules(), "fr", summarise=summarise)


def test_the_packet_of_a_case() -> None:
    made = builder().plain(case(), "ho_1", NOW)
    assert made.summary == (
        "Telefoongesprek. Onderwerp: retour van een artikel. "
        "De klant wil graag met een medewerker spreken."
    )
    assert made.internal_summary == (
        "Appel téléphonique. Sujet : retour d'article. "
        "La personne souhaite parler à un conseiller. "
        "Éléments connus : commande BE-10023. Déjà fait : étiquette de retour envoyée. "
        "Derniers mots : « Renvoyer BE-10023. »"
    )
    assert made.priority is Priority.NORMAL
    assert made.created_at == NOW
    assert made.transcript == case().transcript


def test_the_rules_give_reason_and_priority() -> None:
    made = builder().plain(case(reason="", order_value=Decimal(900)), "ho_1", NOW)
    assert (made.reason, made.priority) == ("high_value", Priority.HIGH)
    assert made.rules == ("high_value: 900 ≥ 250",)
    assert builder().plain(case(reason=""), "ho_1", NOW).reason == "asked"


def test_refusals_and_call_backs_are_told() -> None:
    made = builder().plain(
        case(refused=("remboursement de 40 €",), intent=""),
        "ho_1",
        NOW,
        callback_at=NOW + timedelta(days=1),
    )
    assert "Non exécuté : remboursement de 40 €." in made.internal_summary
    assert "Le sujet n'est pas clair." in made.internal_summary
    assert "Rappel promis le jeudi 26 novembre à 11 h." in made.internal_summary
    assert "Terugbellen beloofd op donderdag 26 november om 11 uur." in made.summary
    assert "remboursement" not in made.summary


def test_long_last_words_and_long_transcripts_are_cut() -> None:
    lines = tuple(Line("user", f"zin {n} " + "woord " * 60, "nl") for n in range(500))
    made = builder().plain(case(transcript=lines), "ho_1", NOW)
    assert len(made.transcript) == TRANSCRIPT_LINES
    assert made.transcript[-1] == lines[-1]
    assert made.internal_summary.endswith(" … »")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_language_words_every_reason(language: str, reason: str) -> None:
    built = PacketBuilder("marolle", BRUSSELS, DeskRules(), language)
    made = built.plain(case(language=language, reason=reason), "ho_1", NOW)
    assert texts(language)["summary"][reason] in made.summary
    assert "{" not in made.summary + made.internal_summary


def test_all_languages_have_the_same_texts() -> None:
    shapes = {
        language: {section: set(words) for section, words in texts(language).items()}
        for language in LANGUAGES
    }
    assert all(shape == shapes["en"] for shape in shapes.values())
    assert texts("es") == texts("en")
    for language in LANGUAGES:
        said = customer("joined", language, agent="An", shop="Marolle")
        assert "An" in said
        assert "Marolle" in said
        assert "{" not in when(NOW, BRUSSELS, language)


def test_a_model_words_both_summaries() -> None:
    async def summarise(packet: HandOffPacket, language: str) -> str:
        return {"fr": "Retour de BE-10023.", "nl": "Retour van BE-10023."}[language]

    made = run(builder(summarise).build(case(), "ho_1", NOW))
    assert made.internal_summary == "Retour de BE-10023."
    assert made.summary == "Retour van BE-10023."


@pytest.mark.parametrize("wrong", ["", "   ", "Commande BE-99999.", "mot " * 400])
def test_a_summary_that_invents_is_not_used(wrong: str) -> None:
    async def summarise(packet: HandOffPacket, language: str) -> str:
        return wrong

    assert run(builder(summarise).build(case(), "ho_1", NOW)) == builder().plain(
        case(), "ho_1", NOW
    )


def test_a_slow_or_broken_model_is_not_waited_for() -> None:
    async def slow(packet: HandOffPacket, language: str) -> str:
        await asyncio.sleep(60)
        return "never"

    async def broken(packet: HandOffPacket, language: str) -> str:
        raise RuntimeError("no model")

    async def scene(summarise: Summarise) -> tuple[HandOffPacket, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        return await builder(summarise).build(case(), "ho_1", NOW), loop.time() - began

    plain = builder().plain(case(), "ho_1", NOW)
    made, took = run(scene(slow))
    assert made == plain
    assert took == pytest.approx(1.5)
    assert run(scene(broken))[0] == plain


def test_one_language_needs_one_summary() -> None:
    asked: list[str] = []

    async def summarise(packet: HandOffPacket, language: str) -> str:
        asked.append(language)
        return "Retour de BE-10023."

    made = run(builder(summarise).build(case(language="fr"), "ho_1", NOW))
    assert asked == ["fr"]
    assert made.summary == made.internal_summary == "Retour de BE-10023."


def test_packets_survive_json() -> None:
    full = packet(callback_at=NOW, rules=("failed: 2 ≥ 2",), extra=(("a", "b"),))
    assert HandOffPacket.from_json(full.to_json()) == full
    with pytest.raises(ValueError, match="not a hand-off packet"):
        HandOffPacket.from_json(b'{"id": 1}')


def test_numbers_of_a_summary_must_be_known() -> None:
    assert sound("Deux lampes, BE-10023", frozenset({"10023"}))
    assert not sound("Remise de 20 %", frozenset({"10023"}))
