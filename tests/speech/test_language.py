import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech.language import TextLanguage

SHOP = ("fr", "nl", "de", "en")

SAID = {
    "fr": [
        "Bonjour, je voudrais retourner un article",
        "Combien coûte la chaise Oslo ?",
        "la chaise Oslo est disponible",
        "Où est ma commande ?",
        "Livraison en Belgique ?",
        "oui merci",
        "c'est combien la lampe nova",
        "vous êtes ouverts samedi",
    ],
    "nl": [
        "Hoeveel kost de levering?",
        "Wat kost de lamp Nova?",
        "de stoel is kapot",
        "HOEVEEL KOST DE STOEL",
        "Ik wil mijn bestelling annuleren",
        "waar blijft mijn pakje",
        "hebben jullie die in het blauw",
        "is de Oslo nog op voorraad",
        "dank u",
    ],
    "de": [
        "Was kostet die Lampe Nova",
        "Haben Sie den Stuhl auch in Blau?",
        "wo ist meine Bestellung",
        "Ich möchte den Artikel zurückgeben",
        "wie lange dauert die Lieferung nach Belgien",
        "danke schön",
        "ist die Decke noch da",
    ],
    "en": [
        "Do you have the Oslo chair in blue?",
        "Is the chair Oslo available?",
        "where is my order",
        "order 48213",
        "how much is the lamp",
        "can I return it",
        "do you deliver to Spain",
        "thanks",
    ],
}


@pytest.fixture(scope="module")
def identifier() -> TextLanguage:
    return TextLanguage()


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language in SAID for text in SAID[language]]
)
def test_short_shop_sentences_are_told_apart(
    identifier: TextLanguage, language: str, text: str
) -> None:
    found, probability = identifier.identify(text, SHOP)
    assert found == language
    assert probability > 0.5


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "¿Cuánto cuesta la lámpara?"),
        ("it", "Quanto costa la lampada?"),
        ("pt", "Quanto custa a cadeira, por favor?"),
        ("sv", "Var är min beställning någonstans?"),
    ],
)
def test_other_languages_can_be_asked_for(
    identifier: TextLanguage, language: str, text: str
) -> None:
    assert identifier.identify(text, ("en", "fr", language))[0] == language


def test_only_the_languages_asked_for_are_answered(identifier: TextLanguage) -> None:
    assert identifier.identify("Hvor er min pakke?", ("nl", "fr"))[0] in {"nl", "fr"}
    assert identifier.identify("Bonjour", ("nl",)) == ("nl", 1.0)


def test_without_letters_the_first_one_stands_at_even_odds(identifier: TextLanguage) -> None:
    assert identifier.identify("48 213 !", ("nl", "fr")) == ("nl", 0.5)


def test_no_language_to_choose_from_is_a_mistake(identifier: TextLanguage) -> None:
    with pytest.raises(ValueError, match="at least one language"):
        identifier.identify("Bonjour", ())


@given(st.text(max_size=80))
def test_any_text_gets_probabilities(identifier: TextLanguage, text: str) -> None:
    ranked = identifier.rank(text, SHOP)
    assert {code for code, _ in ranked} == set(SHOP)
    assert sum(probability for _, probability in ranked) == pytest.approx(1)
    assert ranked[0][1] == max(probability for _, probability in ranked)


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("language identification reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert TextLanguage().identify("Bonjour tout le monde", SHOP)[0] == "fr"
