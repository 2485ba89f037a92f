"""The triage on the demo shop's real facts and the real multilingual encoder."""

from __future__ import annotations

import pytest

from tests.live.crowd import says
from voice_server.live.outcomes import Dropped, Joined, Social
from voice_server.live.questions import Cluster, Status
from voice_server.live.triage import Triage
from voice_server.live.understanding import ShopUnderstanding


def test_the_same_question_in_four_languages_is_one(understanding: ShopUnderstanding) -> None:
    triage = Triage(understanding)
    texts = [
        "Combien coûte la lampe Oslo ?",
        "Wat kost de Oslo lamp?",
        "Was kostet die Lampe?",
        "how much is it?",
        "price??",
    ]
    out = triage.receive(
        [says(text, f"V{at}") for at, text in enumerate(texts)], 0.0, on_screen="oslo"
    )
    clusters = {o.cluster.id for o in out if isinstance(o, Joined)}
    assert len(clusters) == 1
    best = triage.best(1.0, "oslo")
    assert best is not None
    assert (best.askers, best.language, best.key) == (5, "fr", ("price", "oslo"))


def test_different_questions_stay_apart(understanding: ShopUnderstanding) -> None:
    triage = Triage(understanding)
    texts = [
        "Is it available in green?",
        "Is it available in white?",
        "Combien coûte Milano ?",
        "combien coûte Oslo ?",
        "Livrez-vous au Luxembourg ?",
        "Do you ship to Germany?",
        "Quelles sont les dimensions ?",
    ]
    out = triage.receive(
        [says(text, f"V{at}") for at, text in enumerate(texts)], 0.0, on_screen="oslo"
    )
    assert len({o.cluster.id for o in out if isinstance(o, Joined)}) == len(texts)


@pytest.mark.parametrize(
    ("text", "status", "language"),
    [
        ("Are you a robot?", Status.WAITING, "en"),
        ("is it waterproof?", Status.HOST, "en"),
        ("Où est ma commande BE-10482 ?", Status.HOST, "fr"),
        ("Gibt es die auch in Blau?", Status.WAITING, "de"),
        ("Is de lamp nog in voorraad?", Status.WAITING, "nl"),
        ("what's the best gift for my father?", Status.WAITING, "en"),
    ],
)
def test_who_answers(
    understanding: ShopUnderstanding, text: str, status: Status, language: str
) -> None:
    [out] = Triage(understanding).receive([says(text)], 0.0, on_screen="oslo")
    assert isinstance(out, Joined)
    cluster: Cluster = out.cluster
    assert (cluster.status, cluster.language) == (status, language)


@pytest.mark.parametrize("text", ["lol nice", "love this", "haha", "first", "who won the match?"])
def test_chatter(understanding: ShopUnderstanding, text: str) -> None:
    [out] = Triage(understanding).receive([says(text)], 0.0, on_screen="oslo")
    assert isinstance(out, Dropped)


@pytest.mark.parametrize("text", ["Bonjour à tous !", "hello from Ghent", "Hallo zusammen"])
def test_greetings(understanding: ShopUnderstanding, text: str) -> None:
    [out] = Triage(understanding).receive([says(text)], 0.0, on_screen="oslo")
    assert isinstance(out, Social)


def test_what_the_client_declares_decides_short_words(understanding: ShopUnderstanding) -> None:
    assert understanding.language("Oslo ?", "nl") == "nl"
    assert understanding.language("Combien coûte la lampe ?", "nl") == "fr"
