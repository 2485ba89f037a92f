"""The caller's level: heard with reasons, overridden by a wish, and never a change of facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.dialogue.claims import claims_of
from voice_server.dialogue.facts import Answer, Context, Fact
from voice_server.dialogue.grounds import build_grounds
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.level import EXPERT, KEPT, LEVELS, NOVICE, STANDARD, hear, wish
from voice_server.dialogue.locales import AVAILABLE


def after(language: str, *utterances: str) -> Context:
    context = Context()
    for text in utterances:
        context = hear(context, text, language)
    return context


@pytest.mark.parametrize(
    ("language", "text", "level"),
    [
        ("fr", "Expliquez-moi plus simplement s'il vous plaît", NOVICE),
        ("fr", "sans jargon", NOVICE),
        ("fr", "Soyez plus technique", EXPERT),
        ("fr", "Techniquement, s'il vous plaît", EXPERT),
        ("fr", "parlez normalement", STANDARD),
        ("nl", "Leg het eenvoudig uit alstublieft", NOVICE),
        ("nl", "in gewone woorden graag", NOVICE),
        ("nl", "Geef me de technische details", EXPERT),
        ("nl", "praat gewoon normaal", STANDARD),
        ("de", "Erklären Sie es bitte einfach", NOVICE),
        ("de", "in einfachen Worten", NOVICE),
        ("de", "Technisch, bitte", EXPERT),
        ("de", "Sprechen Sie normal", STANDARD),
        ("en", "Explain it simply", NOVICE),
        ("en", "in plain English please", NOVICE),
        ("en", "Technically, please", EXPERT),
        ("en", "Give me the technical details", EXPERT),
        ("en", "talk normally", STANDARD),
    ],
)
def test_a_wish_overrides(language: str, text: str, level: str) -> None:
    context = after(language, text)
    assert (context.level, context.level_chosen) == (level, True)
    assert context.level_evidence == (f"{level}: asked for it",)
    other = {NOVICE: "2700 kelvin, ip44, 800 lumen", EXPERT: "", STANDARD: "e27 ip44 dali"}[level]
    assert hear(context, other, language).level == level


@pytest.mark.parametrize(
    ("language", "text", "level"),
    [
        ("fr", "Je n'y connais rien aux lampes", NOVICE),
        ("fr", "C'est quoi une lampe LED ?", NOVICE),
        ("fr", "Je suis électricien, il me faut une lampe", EXPERT),
        ("nl", "Ik ken er niets van", NOVICE),
        ("nl", "Ik ben elektricien", EXPERT),
        ("de", "Ich kenne mich damit nicht aus", NOVICE),
        ("de", "Ich bin Elektriker", EXPERT),
        ("en", "I don't know anything about lamps", NOVICE),
        ("en", "What does dimmable mean?", NOVICE),
        ("en", "I'm an electrician", EXPERT),
        ("en", "How many lumens at 2700 kelvin?", EXPERT),
        ("de", "Welche Farbtemperatur und welche Schutzart?", EXPERT),
        ("fr", "La lampe est-elle IP44 ?", STANDARD),
        ("en", "How much is the Oslo lamp?", STANDARD),
        ("nl", "Wat is de levertijd?", STANDARD),
        ("de", "Was ist das für eine Lampe?", STANDARD),
    ],
)
def test_what_they_say_tells(language: str, text: str, level: str) -> None:
    context = after(language, text)
    assert context.level == level, context.level_evidence
    assert not context.level_chosen


def test_terms_add_up_over_turns_and_each_counts_once() -> None:
    assert after("en", "is it ip44", "ip44 you said", "ip44?").level == STANDARD
    context = after("en", "is it ip44", "and the colour temperature?")
    assert context.level == EXPERT
    assert context.level_evidence == ("expert: term ip44", "expert: term colour temperature")


def test_the_newest_statement_decides_and_terms_alone_do_not_undo_it() -> None:
    context = after("en", "I'm an electrician")
    assert hear(context, "what does that mean", "en").level == NOVICE
    novice = after("en", "I know nothing about lamps")
    assert hear(novice, "it says 2700 kelvin, ip44", "en").level == NOVICE


def test_evidence_names_the_cue_and_nothing_else_that_was_said() -> None:
    context = after("en", "My name is Ann, I am an electrician in Ghent")
    assert context.level_evidence == ("expert: said 'i am an electrician'",)


@given(st.lists(st.text(max_size=60), max_size=20), st.sampled_from([*AVAILABLE, "xx"]))
def test_any_words_give_a_level(texts: list[str], language: str) -> None:
    context = after(language, *texts)
    assert context.level in LEVELS
    assert len(context.level_evidence) <= KEPT
    assert context == after(language, *texts)


def test_an_unknown_language_understands_english() -> None:
    assert wish("explain it simply", "it") == NOVICE


QUESTIONS = {
    "fr": ("Combien coûte la lampe Oslo ?", "Quelles sont les dimensions de la lampe Oslo ?",
           "En quoi est la lampe Oslo ?", "Parlez-moi de la lampe Oslo",
           "La lampe Oslo est en stock ?",
           "Quand arrive la lampe Oslo ?", "Quelle garantie pour la lampe Oslo ?"),
    "nl": ("Hoeveel kost de lamp Oslo?", "Hoe groot is de lamp Oslo?",
           "Waaruit is de lamp Oslo gemaakt?",
           "Vertel me over de lamp Oslo", "Is de lamp Oslo op voorraad?"),
    "de": ("Was kostet die Lampe Oslo?", "Wie groß ist die Lampe Oslo?",
           "Woraus ist die Lampe Oslo?",
           "Erzählen Sie mir von der Lampe Oslo", "Ist die Lampe Oslo auf Lager?"),
    "en": ("How much is the Oslo lamp?", "How big is the Oslo lamp?",
           "What is the Oslo lamp made of?",
           "Tell me about the Oslo lamp", "Is the Oslo lamp in stock?",
           "How long does the Oslo lamp take to arrive?", "What should I give for a birthday?"),
}  # fmt: skip


def told(knowledge: Knowledge, text: str, language: str, level: str) -> Answer:
    answer = knowledge.answer(text, language, Context(level=level))
    return answer or knowledge.fallback(text, language, Context(level=level))


def strangers(answer: Answer, facts: tuple[Fact, ...], language: str) -> list[str]:
    """What an answer claims that these facts do not hold."""
    grounds = build_grounds(facts, names=("Marolle",))
    said = claims_of(answer.text, language)
    return [f"{claim.kind}: {claim.value}" for claim in said if not grounds.backs(claim)]


@pytest.mark.parametrize(("language", "text"), [(l, t) for l, ts in QUESTIONS.items() for t in ts])  # noqa: E741
def test_the_facts_are_the_same_at_every_level(
    knowledge: Knowledge, language: str, text: str
) -> None:
    answers = {level: told(knowledge, text, language, level) for level in LEVELS}
    standard = answers[STANDARD]
    for level, answer in answers.items():
        assert answer.intent == standard.intent
        sources = [fact.source_id for fact in answer.facts]
        assert sources == [fact.source_id for fact in standard.facts], level
        if answer.intent != "recommend":  # which counts what it lists
            assert strangers(answer, standard.facts, language) == [], level
            assert strangers(standard, answer.facts, language) == [], level
        assert [c.cards for c in answer.clauses if c.cards] == [
            c.cards for c in standard.clauses if c.cards
        ]


def test_wording_and_length_differ(knowledge: Knowledge) -> None:
    texts = {level: told(knowledge, "How big is the Oslo lamp?", "en", level).text
             for level in LEVELS}  # fmt: skip
    assert texts == {
        NOVICE: "Allow for a space of 24 by 24 centimetres. It is 45 centimetres high.",
        STANDARD: "The Oslo table lamp is 24 centimetres wide, 24 deep and 45 high.",
        EXPERT: "Width 24, depth 24, height 45 centimetres. "
        "The figures: 1.6 kg, 2 years of warranty.",
    }
    assert len(told(knowledge, "How much is the Oslo lamp?", "en", EXPERT).text) > 1.5 * len(
        told(knowledge, "How much is the Oslo lamp?", "en", STANDARD).text
    )


@pytest.mark.parametrize(
    ("language", "asked", "wished", "words"),
    [
        ("fr", "Quelles sont les dimensions de la lampe Oslo ?", "Expliquez plus simplement",
         "D'accord, je vous l'explique simplement. Prévoyez"),
        ("nl", "Hoe groot is de lamp Oslo?", "Leg het eenvoudig uit",
         "Goed, ik leg het eenvoudig uit. Voorzie"),
        ("de", "Wie groß ist die Lampe Oslo?", "Erklären Sie es einfach",
         "Gern, ich erkläre es einfach. Planen"),
        ("en", "How big is the Oslo lamp?", "Technically, please",
         "Certainly, here are the technical details. Width 24"),
    ],
)  # fmt: skip
def test_a_wish_says_the_last_answer_again(
    knowledge: Knowledge, language: str, asked: str, wished: str, words: str
) -> None:
    first = knowledge.answer(asked, language, hear(Context(), asked, language))
    assert first is not None
    again = knowledge.answer(wished, language, hear(first.context, wished, language))
    assert again is not None
    assert again.text.startswith(words), again.text
    assert again.context.last_intent == first.context.last_intent
    assert again.context.last_product == "oslo"


def test_a_wish_before_anything_else(knowledge: Knowledge) -> None:
    answer = knowledge.answer("Explain simply", "en", hear(Context(), "Explain simply", "en"))
    assert answer is not None
    assert answer.text == "Of course, I will put it simply. What would you like to know?"
