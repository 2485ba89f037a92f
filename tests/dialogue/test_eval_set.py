"""The evaluation set is whole, and its judge judges."""

from __future__ import annotations

import pytest

from scripts.bench.eval_answers import LANGUAGES, Question, holds, meets, read, wrong_value
from voice_server.dialogue.facts import Fact

FACT = Fact(
    "product:oslo", "product", "Oslo lamp", "The Oslo lamp costs 49.90 euros.", "en", "oslo"
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_fifty_questions_a_language(language: str) -> None:
    questions = read(language)
    assert len(questions) == 50
    assert len({question.text for question in questions}) == 50
    assert sum(not question.answerable for question in questions) >= 10
    assert all(question.must for question in questions if question.answerable)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_second_set_has_ten_other_questions_a_language(language: str) -> None:
    questions = read(language, "second")
    assert len(questions) == 10
    assert sum(not question.answerable for question in questions) == 4
    assert not {q.text for q in questions} & {q.text for q in read(language)}
    assert all(question.must for question in questions if question.answerable)


def question(must: str = "#49.90", forbidden: tuple[str, ...] = ()) -> Question:
    return Question("en", "price", "How much is it?", ("product:oslo",), must, forbidden)


@pytest.mark.parametrize(
    ("text", "wanted", "held"),
    [
        ("It costs 49.90 euros.", "#49.90", True),
        ("It costs forty-nine euros ninety.", "#49.90", True),
        ("It costs 49 euros.", "#49.90", False),
        ("Until 18:00.", "#18", True),
        ("Made of Stoneware.", "stoneware", True),
    ],
)
def test_numbers_are_held_in_any_spelling(text: str, wanted: str, held: bool) -> None:
    assert holds(text, wanted, "en") is held


def test_all_that_is_demanded_must_be_there() -> None:
    assert meets("It costs 49.90 euros and is white.", question("#49.90&white|black"))
    assert not meets("It costs 49.90 euros.", question("#49.90&white|black"))


def test_false_and_forbidden_values_are_found() -> None:
    cited = ["product:oslo"]
    assert wrong_value("It costs 49.90 euros.", question(), cited, [FACT]) == ""
    assert wrong_value("It costs 39 euros.", question(), cited, [FACT]) == "39 euros"
    forbidden = question(forbidden=("#49.90",))
    assert wrong_value("It costs 49.90 euros.", forbidden, cited, [FACT]) == "forbidden: #49.90"


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(SystemExit, match="no number"):
        holds("x", "#x", "en")
