"""Whoever asks whether we are human hears that we are not, in so many words or others."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_server.dialogue.guards.nature import asks_nature

DATA = Path(__file__).parents[1] / "data"

ASKED = [
    "Êtes-vous un humain ?",
    "Vous êtes un robot ?",
    "Est-ce que je parle à une vraie personne ?",
    "Je parle à un humain ou à une machine ?",
    "T'es une IA ?",
    "C'est un robot qui me parle ?",
    "C'est un répondeur automatique ?",
    "Est-ce que vous êtes une intelligence artificielle ?",
    "Suis-je en train de parler avec un ordinateur ?",
    "Dites-moi, vous êtes réellement une personne réelle ?",
    "Bent u een mens?",
    "Ben je een robot?",
    "Spreek ik met een echte persoon?",
    "Praat ik nu tegen een computer?",
    "Is dit een mens of een machine?",
    "Bent u wel menselijk?",
    "U bent toch geen robot hé?",
    "Is dat een AI?",
    "Is dit een bandje?",
    "Spreek ik met artificiële intelligentie?",
    "Sind Sie ein Mensch?",
    "Bist du ein Roboter?",
    "Spreche ich mit einem echten Menschen?",
    "Rede ich gerade mit einer Maschine?",
    "Ist das eine KI?",
    "Sie sind doch ein Computer, oder?",
    "Bin ich verbunden mit Mensch oder Maschine?",
    "Ist das eine Bandansage?",
    "Sind Sie eine künstliche Intelligenz?",
    "Sind Sie wirklich menschlich?",
    "Are you human?",
    "Are you a real person?",
    "Am I talking to a robot?",
    "Is this a recording?",
    "Are you a person or a machine?",
    "You're a bot, aren't you?",
    "Are you real?",
    "Am I speaking with an actual human?",
    "Is this an AI?",
    "You sound like a robot, are you one?",
]

NOT_ASKED = [
    "Je voudrais parler à un humain.",
    "Passez-moi une vraie personne.",
    "Le robot aspirateur Turbo est-il en stock ?",
    "C'est pour une personne de grande taille.",
    "Ik wil met een mens spreken.",
    "Mag ik een medewerker, graag?",
    "Is de robotstofzuiger op voorraad?",
    "Ich möchte mit einem Menschen sprechen.",
    "Kann der Saugroboter auch Teppich?",
    "Ist das Programm bei vierzig Grad?",
    "I want to speak to a human.",
    "Can I have a real person please?",
    "Is the robot vacuum in stock?",
    "Is this machine dishwasher safe?",
    "",
]


@pytest.mark.parametrize("text", ASKED)
def test_the_question_is_heard(text: str) -> None:
    assert asks_nature(text)
    assert asks_nature(text.lower().rstrip("?. "))


@pytest.mark.parametrize("text", NOT_ASKED)
def test_other_questions_are_not(text: str) -> None:
    assert not asks_nature(text)


def test_no_ordinary_question_is_taken_for_it() -> None:
    lines = [
        line.split("\t")
        for name in ("heldout", "paraphrases")
        for line in (DATA / f"{name}.tsv").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    wrong = [text for _, intent, text in lines if asks_nature(text) and "identity" not in intent]
    assert wrong == []


def test_a_long_story_is_not_the_question() -> None:
    assert not asks_nature("Are you a human " + "and then " * 20)
