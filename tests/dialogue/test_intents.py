"""Right intents on paraphrases nobody trained on, and silence rather than a wrong one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from voice_server.dialogue.answers import HANDLERS
from voice_server.dialogue.deciding import SURE
from voice_server.dialogue.embedder import Vectors, VectorStore
from voice_server.dialogue.facts import Context
from voice_server.dialogue.intents import (
    FAQ,
    Example,
    IntentClassifier,
    hashed,
    load_examples,
    trim,
)
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.words import tokens

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Case:
    language: str
    wanted: frozenset[str]
    text: str


def cases(name: str) -> Iterator[Case]:
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            language, wanted, text = line.split("\t")
            yield Case(language, frozenset(wanted.split("|")), text)


class Score:
    """How guesses on a set of paraphrases came out."""

    def __init__(self, knowledge: Knowledge, name: str) -> None:
        self.right = self.wrong = self.abstained = 0
        self.best = 0
        self.mistakes: list[str] = []
        for case in cases(name):
            intent, confidence = knowledge.intent_of(case.text, case.language, Context())
            sure = confidence >= SURE
            hit = intent in case.wanted
            nothing = "none" in case.wanted and (not sure or intent == "off_topic")
            self.best += hit or nothing
            if nothing or (sure and hit):
                self.right += 1
            elif sure:
                self.wrong += 1
                self.mistakes.append(f"{case.language} {case.text!r}: {intent} {confidence:.2f}")
            else:
                self.abstained += 1
        self.total = self.right + self.wrong + self.abstained


def test_held_out_paraphrases(knowledge: Knowledge) -> None:
    """Written last: at its first run it told what to expect of customers.

    That run gave 82 % right, 14 % abstained and 4 % wrong: 96 % of what was answered was right.
    Then a handful of its mistakes led to new examples, so it is a development set since.
    """
    score = Score(knowledge, "heldout.tsv")
    assert score.total >= 4 * 40
    assert score.right / (score.right + score.wrong) >= 0.95, score.mistakes
    assert score.best / score.total >= 0.9
    assert score.abstained / score.total <= 0.2


def test_development_paraphrases(knowledge: Knowledge) -> None:
    score = Score(knowledge, "paraphrases.tsv")
    assert score.total >= 4 * 90
    assert score.right / (score.right + score.wrong) >= 0.96, score.mistakes
    assert score.best / score.total >= 0.94


def test_every_language_has_the_same_intents_and_each_has_an_answer() -> None:
    intents = [set(load_examples(language)) for language in ("fr", "nl", "de", "en")]
    assert intents[0] == intents[1] == intents[2] == intents[3]
    assert intents[0] <= set(HANDLERS)
    for language in ("fr", "nl", "de", "en"):
        for intent, examples in load_examples(language).items():
            assert len(examples) >= 8, (language, intent)
            assert len(set(examples)) == len(examples), (language, intent)


def test_examples_before_an_intent_are_refused(tmp_path: Path) -> None:
    (tmp_path / "xx.txt").write_text("# words\n[greeting]\nhi\n", encoding="utf-8")
    assert load_examples("xx", tmp_path) == {"greeting": ("hi",)}
    (tmp_path / "xx.txt").write_text("hi\n[greeting]\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"xx\.txt:1"):
        load_examples("xx", tmp_path)


@pytest.mark.parametrize(
    ("language", "text", "left"),
    [
        ("fr", "euh bonjour je voudrais un prix", "je voudrais un prix"),
        ("nl", "Ja, hallo, waar is mijn pakje?", "waar is mijn pakje?"),
        ("fr", "bonjour", "bonjour"),
        ("en", "yes please", "yes please"),
        ("xx", "hello there my good friend", "hello there my good friend"),
    ],
)
def test_courtesies_are_cut_off_before_a_point(language: str, text: str, left: str) -> None:
    assert trim(text, language) == left


class Bag:
    """An embedder for tests: a word is a direction."""

    version = "bag"

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        vectors = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in tokens(text):
                row[sum(word.encode()) % 64] += 1
            norm = np.linalg.norm(row)
            row /= norm if norm else 1
        return vectors


def toy() -> list[Example]:
    texts = {
        "price": ["what does it cost", "how much is it", "tell me the price", "cost please"],
        "hours": ["when do you open", "are you open now", "opening times", "open on monday"],
        f"{FAQ}gift": ["can you wrap it", "is there gift paper", "wrap it nicely", "gift wrap"],
    }
    return [
        Example(text, intent, {}, group)
        for intent, wordings in texts.items()
        for group, text in enumerate(wordings)
    ]


def test_a_small_classifier_learns_and_doubts(tmp_path: Path) -> None:
    embedder = Bag()
    store = VectorStore(tmp_path, embedder)
    classifier = IntentClassifier(toy(), embedder, store)
    assert classifier.guess("what is the cost").intent == "price"
    assert classifier.guess("gift wrap it").intent == f"{FAQ}gift"
    sure, unsure = classifier.guess("how much is it"), classifier.guess("bananas tomorrow")
    assert sure.margin > unsure.margin
    assert sure.confidence >= unsure.confidence
    assert sure.runner_up != sure.intent


def test_words_can_settle_a_tie(tmp_path: Path) -> None:
    embedder = Bag()
    classifier = IntentClassifier(toy(), embedder, VectorStore(None, embedder))
    assert classifier.guess("bananas", gains={"hours": 1.0}).intent == "hours"
    assert classifier.guess("bananas", gains={"unheard_of": 1.0}).intent in classifier.intents


def test_training_is_done_once(tmp_path: Path) -> None:
    first = Bag()
    before = IntentClassifier(toy(), first, VectorStore(tmp_path, first)).guess("open today")
    second = Bag()
    classifier = IntentClassifier(toy(), second, VectorStore(tmp_path, second))
    assert second.calls == 0
    assert classifier.guess("open today").intent == before.intent


def test_surface_features_have_length_one_or_none() -> None:
    assert np.linalg.norm(hashed("où est ma commande")) == pytest.approx(1, abs=1e-5)
    assert not hashed("?!").any()
