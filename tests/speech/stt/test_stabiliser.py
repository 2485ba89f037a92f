import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech.stt.stabiliser import PartialStabiliser

spoken = st.lists(
    st.sampled_from(["where", "is", "my", "order", "48213", "l'article", "c'est", "ça", "e-mail"]),
    max_size=8,
)
transcripts = st.lists(
    spoken.map(" ".join).flatmap(
        lambda text: st.sampled_from([text, text.capitalize() + ".", text.replace(" ", ", ", 1)])
    ),
    max_size=8,
)


def deltas(*partials: str) -> list[str]:
    stabiliser = PartialStabiliser()
    return [stabiliser.add(partial) for partial in partials]


def test_two_in_a_row_must_agree() -> None:
    assert deltas("where is", "where is my", "where is my order") == ["", "where is", " my"]


def test_a_changed_mind_about_unstable_words_costs_nothing() -> None:
    assert deltas("where", "wear is", "where is my", "where is my order") == [
        "",
        "",
        "",
        "where is my",
    ]


def test_stable_words_are_never_taken_back() -> None:
    stabiliser = PartialStabiliser()
    for partial in ("I want two", "I want two", "I want to return", "I want to return it"):
        stabiliser.add(partial)
    assert stabiliser.stable == "I want two"
    assert stabiliser.finish("I want to return it.") == ""  # the final stands on its own


def test_punctuation_waits_for_the_next_word_and_case_does_not_matter() -> None:
    assert deltas("hello.", "Hello, where", "Hello, where is") == ["", "Hello", ", where"]


def test_the_final_transcript_completes_the_text() -> None:
    stabiliser = PartialStabiliser()
    assert deltas("where is") == [""]
    for partial in ("Where is my", "Where is my order"):
        stabiliser.add(partial)
    assert stabiliser.finish("Where is my order?") == " order?"
    assert stabiliser.stable == ""


def test_a_final_equal_to_the_stable_text_adds_its_punctuation() -> None:
    stabiliser = PartialStabiliser()
    stabiliser.add("Where is it")
    stabiliser.add("Where is it.")
    assert stabiliser.finish("Where is it?") == "?"


def test_without_partials_the_final_is_all_new() -> None:
    assert PartialStabiliser().finish("Bonjour !") == "Bonjour !"
    assert PartialStabiliser().finish("") == ""
    assert PartialStabiliser().finish("...") == ""


@given(transcripts)
def test_text_only_ever_grows(partials: list[str]) -> None:
    stabiliser, seen = PartialStabiliser(), ""
    for partial in partials:
        seen += stabiliser.add(partial)
        assert stabiliser.stable == seen


@given(transcripts)
def test_what_is_stable_was_agreed_on_by_two_in_a_row(partials: list[str]) -> None:
    def words(text: str) -> list[str]:
        return re.findall(r"[^\s,.]+", text.lower())

    stabiliser = PartialStabiliser()
    for partial in partials:
        stabiliser.add(partial)
    stable = words(stabiliser.stable)
    assert not stable or any(
        words(one)[: len(stable)] == stable == words(other)[: len(stable)]
        for one, other in itertools.pairwise(partials)
    )


@given(spoken.filter(bool))
def test_repeating_the_same_partial_gives_all_but_its_last_punctuation(said: list[str]) -> None:
    text = " ".join(said) + "."
    stabiliser = PartialStabiliser()
    stabiliser.add(text)
    assert stabiliser.add(text) + stabiliser.finish(text) == text
