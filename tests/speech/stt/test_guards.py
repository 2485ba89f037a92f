import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech.stt import guards
from voice_server.speech.stt.decoding import Decoded

LOUD, QUIET = -20.0, -50.0


def decoded(
    text: str, *, log_probability: float = -0.2, no_speech: float = 0.02, complete: bool = True
) -> Decoded:
    return Decoded(text, len(text.split()), log_probability, no_speech, complete)


@pytest.mark.parametrize(
    "text",
    [
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Sous-titrage Société Radio-Canada",
        "Untertitel der Amara.org-Community",
        "Ondertiteling door Jan Jansen",
        "Subtítulos realizados por la comunidad",
        "Subtitles by the community",
        "www.zeoranger.org",
        "...",
        "",
    ],
)
def test_credits_and_no_words_were_said_by_nobody(text: str) -> None:
    assert guards.is_invented(decoded(text), LOUD)


@pytest.mark.parametrize(
    "text",
    [
        "Per ulteriori informazioni, visitare www.asterisk.org.",
        "Does the film that I bought last week in Ghent come with Dutch subtitles by default now",
    ],
)
def test_a_caller_may_name_addresses_and_subtitles(text: str) -> None:
    assert not guards.is_invented(decoded(text), LOUD)


@pytest.mark.parametrize("text", ["Thank you.", "Merci !", "MUZIEK.", "Vielen Dank.", "you"])
def test_politeness_is_believed_only_when_clear(text: str) -> None:
    assert not guards.is_invented(decoded(text), LOUD)
    assert guards.is_invented(decoded(text), QUIET)
    assert guards.is_invented(decoded(text, no_speech=0.5), LOUD)
    assert guards.is_invented(decoded(text, log_probability=-0.9), LOUD)


def test_a_question_is_believed_even_when_quiet() -> None:
    question = decoded("Where is my order?", log_probability=-0.9, no_speech=0.5)
    assert not guards.is_invented(question, QUIET)


def test_no_speech_and_unsure_words_are_nothing() -> None:
    assert guards.is_invented(decoded("Ich bin ein Lied", log_probability=-2, no_speech=0.87), LOUD)
    assert not guards.is_invented(decoded("Ich bin da", log_probability=-2, no_speech=0.1), LOUD)
    assert not guards.is_invented(decoded("Ich bin da", no_speech=0.9), LOUD)


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("Follow the key. Follow the key. Follow the", "Follow the key."),
        ("ja klopt, ja klopt, ja klopt", "ja klopt,"),
        ("bye bye", "bye bye"),
        ("no no no", "no no no"),
        ("is it in stock", "is it in stock"),
        ("", ""),
    ],
)
def test_loops_are_said_once(text: str, once: str) -> None:
    assert guards.without_loop(text) == once


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=12).map(" ".join))
def test_unlooping_leaves_a_beginning_and_is_final(text: str) -> None:
    once = guards.without_loop(text)
    assert text.startswith(once)
    assert bool(once) == bool(text)


@pytest.mark.parametrize(
    "doubtful",
    [
        decoded("Where is it", log_probability=-1.2),
        decoded("Where is it", complete=False),
        decoded("la la " * 30),
        decoded("Follow the key. Follow the key."),
    ],
)
def test_a_second_look_is_for_the_unsure_the_looping_and_the_cut(doubtful: Decoded) -> None:
    assert guards.needs_second_look(doubtful)


def test_a_plain_sentence_needs_no_second_look() -> None:
    assert not guards.needs_second_look(decoded("Where is my order? I ordered it on Monday."))


def test_the_better_attempt_is_the_likelier_one_that_does_not_loop() -> None:
    loop = decoded("la la " * 30, log_probability=-0.1)
    poor, good = decoded("one", log_probability=-1), decoded("two", log_probability=-0.5)
    assert guards.better([loop, poor, good]) is good
    assert guards.better([loop, decoded("le le " * 30, log_probability=-0.3)]) is loop


def test_an_echo_of_the_hint_is_recognised() -> None:
    hint = "Oslo, Nova, Alba"
    assert guards.echoes_hint("Oslo, Nova", hint)
    assert guards.echoes_hint("the Oslo Nova", hint)
    assert not guards.echoes_hint("do you have the Oslo in blue", hint)
    assert not guards.echoes_hint("", hint)
    assert not guards.echoes_hint("Oslo", "")


def test_loudness_is_that_of_the_loudest_tenth_of_a_second() -> None:
    audio = np.zeros(32_000, np.float32)
    assert guards.loudest_dbfs(audio) == -120
    audio[3_200:4_800] = 0.1
    assert guards.loudest_dbfs(audio) == pytest.approx(-20, abs=0.01)
    assert guards.loudest_dbfs(audio[3_200:4_000]) == pytest.approx(-20, abs=0.01)


def test_words_are_bare() -> None:
    assert guards.words("L’article n° 12 : c'est-à-dire… OUI!") == [
        "l'article",
        "n",
        "12",
        "c'est",
        "à",
        "dire",
        "oui",
    ]
