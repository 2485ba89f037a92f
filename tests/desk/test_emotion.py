"""The lexicons: what is said by upset, endangered and calm people in four languages."""

from __future__ import annotations

import inspect

import pytest

from voice_server.desk import emotion
from voice_server.desk.emotion import fold, mood

UPSET = [
    ("fr", "C'est inadmissible, ça fait trois semaines que j'attends."),
    ("fr", "J'en ai marre de vos excuses !"),
    ("fr", "Vous vous moquez de moi ?"),
    ("fr", "Je suis vraiment furieuse."),
    ("fr", "Je ne suis pas du tout content, c'est la deuxième fois, je suis déçu."),
    ("fr", "Plus jamais chez vous."),
    ("fr", "C’est une honte"),
    ("nl", "Dit is echt onaanvaardbaar."),
    ("nl", "Ik ben het kotsbeu."),
    ("nl", "Ik ben heel boos op jullie."),
    ("nl", "Houden jullie mij voor de gek?"),
    ("nl", "Ik ben niet tevreden, en ik ben al drie keer gebeld."),
    ("nl", "Wat een schande, stelletje prutsers."),
    ("de", "Das ist eine Unverschämtheit."),
    ("de", "Ich habe die Nase voll von Ihnen."),
    ("de", "Ich bin richtig wütend."),
    ("de", "Wollen Sie mich für dumm verkaufen?"),
    ("de", "Ich bin nicht zufrieden, ich warte seit zwei Wochen."),
    ("de", "Mir reicht's, mir reicht es."),
    ("en", "This is unacceptable."),
    ("en", "I'm fed up with your company."),
    ("en", "I am so angry right now."),
    ("en", "You're stealing from people."),
    ("en", "I'm not happy, I've been waiting for weeks."),
    ("en", "I'll never shop here again."),
]

CALM = [
    ("fr", "Bonjour, je voudrais savoir quand ma commande arrive."),
    ("fr", "Je ne suis pas fâchée ni furieuse, je veux juste comprendre."),
    ("fr", "Je ne suis pas en colère, rassurez-vous."),
    ("fr", "Est-ce que la lampe est trop forte pour une chambre d'enfant ?"),
    ("fr", "Merci beaucoup, c'est parfait."),
    ("fr", "La couleur rouge me plaît, j'en prends assez pour deux."),
    ("nl", "Wanneer wordt mijn pakje geleverd?"),
    ("nl", "Ik ben niet boos hoor, ik vraag het gewoon."),
    ("nl", "Hoeveel kost de bureaulamp?"),
    ("nl", "Dank u wel, dat is heel vriendelijk."),
    ("nl", "Heeft u nog een zwarte in maat medium?"),
    ("de", "Wann kommt mein Paket?"),
    ("de", "Ich bin nicht wütend, ich wollte nur fragen."),
    ("de", "Haben Sie die Pfanne auch in Schwarz?"),
    ("de", "Vielen Dank, das hilft mir sehr."),
    ("de", "Ist der Stuhl auch in Blau lieferbar?"),
    ("en", "When will my order arrive?"),
    ("en", "I'm not angry, I just want to know."),
    ("en", "Is the lamp too strong for a child's bedroom?"),
    ("en", "Thank you, that is very kind."),
    ("en", "Do you have it in black?"),
]

DANGER = [
    ("fr", "La bouilloire a pris feu dans ma cuisine."),
    ("fr", "Ma fille s'est blessée avec la chaise."),
    ("fr", "Je vais prendre un avocat."),
    ("nl", "De lamp is in brand gevlogen."),
    ("nl", "Mijn zoon kreeg een stroomstoot."),
    ("nl", "U hoort nog van mijn advocaat."),
    ("de", "Der Toaster hat Feuer gefangen."),
    ("de", "Mein Mann hat sich verletzt."),
    ("de", "Ich gehe zum Anwalt."),
    ("en", "The kettle caught fire."),
    ("en", "My son got an electric shock from it."),
    ("en", "You will hear from my lawyer."),
]

SAFE = [
    ("fr", "Personne n'a été blessé, tout va bien."),
    ("nl", "Er is niemand gewond, geen brandwonden."),
    ("de", "Niemand wurde verletzt, es gab keine Verletzungen."),
    ("en", "Nobody was hurt, there was no ambulance."),
    ("en", "Is the pan suitable for induction?"),
    ("nl", "Is het gordijn brandvertragend?"),
]


@pytest.mark.parametrize(("language", "words"), UPSET)
def test_upset_words_are_noticed(language: str, words: str) -> None:
    assert mood([(words, language)]).score >= 2, mood([(words, language)])


@pytest.mark.parametrize(("language", "words"), CALM)
def test_calm_words_are_left_alone(language: str, words: str) -> None:
    found = mood([(words, language)])
    assert found.score < 2, found
    assert not found.danger


@pytest.mark.parametrize(("language", "words"), DANGER)
def test_danger_is_noticed(language: str, words: str) -> None:
    assert mood([(words, language)]).danger, words


@pytest.mark.parametrize(("language", "words"), SAFE)
def test_no_danger_where_there_is_none(language: str, words: str) -> None:
    found = mood([(words, language)])
    assert not found.danger, found


def test_old_anger_is_forgotten_and_one_expression_counts_once() -> None:
    angry = ("I'm so angry", "en")
    calm = ("thanks", "en")
    assert mood([angry, *[calm] * 5]).score == 0
    assert mood([angry, angry]).score == 2
    assert mood([angry]).evidence == ("angry",)


def test_a_language_without_lexicon_scores_nothing() -> None:
    assert mood([("furioso", "es")]).score == 0


def test_folding() -> None:
    assert fold("  Déçu, C’EST  Größe ") == "decu, c'est grosse"


def test_only_words_can_be_given() -> None:
    """AI Act: emotion is never inferred from a voice, so there is no way to hand one in."""
    assert list(inspect.signature(mood).parameters) == ["turns"]
    assert "numpy" not in inspect.getsource(emotion)
