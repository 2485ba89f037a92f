"""The sentence gate: nothing ungrounded is spoken."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from voice_server.dialogue.claims import Kind
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.gates import (
    Drop,
    Pass,
    Reason,
    Replace,
    SentenceGate,
    Verdict,
    strip_markup,
)
from voice_server.dialogue.grounds import Grounds, build_grounds
from voice_server.dialogue.locales import AVAILABLE


def fact(text: str, language: str = "en", title: str = "Oslo chair", product: str = "") -> Fact:
    return Fact("x:1", "product", title, text, language, product or None)


FACTS = (
    fact("The Oslo chair costs 89 euros. Back in stock on 15 December 2026.", product="oslo"),
    fact("Die Lampe Nova kostet 39 Euro.", "de", "Lampe Nova", "nova"),
    fact("Delivery costs 4.95 euros, free above 50 euros, 2 to 3 working days.", title="Delivery"),
    fact("Open Monday to Saturday from 9:00 to 18:00.", title="Hours"),
    fact("Returns within 30 days. 10% off for students.", title="Returns"),
)
GROUNDS = build_grounds(FACTS, echoes=[("my Samsung order BE-10482", "en")], names=["Maison"])


def gate(language: str = "en", grounds: Grounds = GROUNDS, **more: object) -> SentenceGate:
    return SentenceGate(grounds, language, **more)  # type: ignore[arg-type]


def reason(verdict: Verdict) -> Reason | None:
    return None if isinstance(verdict, Pass) else verdict.reason


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The Oslo chair costs 89 euros."),
        ("en", "It is eighty-nine euros."),
        ("fr", "La chaise Oslo coûte quatre-vingt-neuf euros."),
        ("fr", "La livraison coûte quatre euros nonante-cinq, et elle est gratuite dès 50 €."),
        ("nl", "De levering kost 4 euro 95 en duurt twee tot drie werkdagen."),
        ("de", "Die Lampe Nova kostet 39 Euro."),
        ("de", "Der Stuhl kommt am 15. Dezember wieder."),
        ("de", "Die Rückgabe geht innerhalb von dreißig Tagen."),
        ("nl", "We zijn woensdag open van 9 tot 18 uur."),
        ("en", "We are open until 6 pm."),
        ("fr", "Vous avez 10 % de remise en tant qu'étudiant."),
        ("en", "I'm sorry, we do not sell Samsung."),
        ("en", "Your order BE-10482 is on its way."),
        ("en", "Welcome to Maison, I am an AI."),
        ("en", "You have thirty days to return it."),
        ("nl", "Ik heb geen informatie over die stoel."),
        ("fr", "Un instant, je regarde."),
    ],
)
def test_grounded_sentences_pass(language: str, sentence: str) -> None:
    assert gate(language).check(sentence) == Pass(sentence)


@pytest.mark.parametrize(
    ("language", "sentence", "offence"),
    [
        ("en", "The Oslo chair costs 79 euros.", "79 euros"),
        ("en", "The Oslo chair costs 39 euros.", "39 euros"),
        ("fr", "La chaise coûte nonante-neuf euros.", "nonante-neuf euros"),
        ("nl", "Levering duurt een week.", "een week"),
        ("de", "Sie haben vierzehn Tage Zeit.", "vierzehn Tage"),
        ("en", "We are open on Sunday.", "Sunday"),
        ("en", "We are open until 8 pm.", "8 pm"),
        ("de", "Er kommt am 24. Dezember.", "24. Dezember"),
        ("en", "It arrives tomorrow.", "tomorrow"),
        ("nl", "U krijgt 20 procent korting.", "20 procent"),
        ("en", "Write to help@oslo.be.", "help@oslo.be"),
        ("en", "Your order BE-99999 is on its way.", "BE-99999"),
        ("en", "You can pay with 3 instalments of 30 euros.", "30 euros"),
        ("en", "There is no 5 in it.", "5"),
    ],
)
def test_ungrounded_claims_are_replaced(language: str, sentence: str, offence: str) -> None:
    assert gate(language).check(sentence) == Replace(Reason.CLAIM, offence)


def test_free_must_be_in_the_facts() -> None:
    grounds = build_grounds([fact("Delivery costs 4.95 euros.")])
    assert reason(gate("fr", grounds).check("La livraison est gratuite.")) is Reason.CLAIM
    assert reason(gate("en", grounds).check("Feel free to ask.")) is None


@pytest.mark.parametrize(
    ("language", "sentence", "offence"),
    [
        ("en", "We also have the Malmö chair.", "Malmö"),
        ("fr", "Vous pouvez payer avec Klarna.", "Klarna"),
        ("nl", "Wij leveren met PostNL aan huis.", "PostNL"),
        ("de", "Wir haben auch die Lampe Luna da.", "Luna"),
    ],
)
def test_unknown_names_are_replaced(language: str, sentence: str, offence: str) -> None:
    assert gate(language).check(sentence) == Replace(Reason.NAME, offence)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Certainly! Malmö is nice."),
        ("de", "Haben Sie einen Augenblick Geduld."),
        ("de", "Wie kann ich Ihnen helfen?"),
        ("de", "Leider Nova nicht."),
        ("en", 'He said: "Sure."'),
    ],
)
def test_capitals_that_are_no_names_pass(language: str, sentence: str) -> None:
    assert reason(gate(language).check(sentence)) is None


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "I have cancelled your order."),
        ("en", "I've just refunded you."),
        ("en", "I’ll send you an e-mail."),
        ("en", "Your order has been cancelled."),
        ("en", "A colleague will call you back."),
        ("fr", "J'ai annulé votre commande."),
        ("fr", "Je vais vous rembourser."),
        ("fr", "Votre commande a été annulée."),
        ("fr", "Un collègue va vous rappeler."),
        ("nl", "Ik heb uw bestelling geannuleerd."),
        ("nl", "Ik zal het meteen voor u regelen."),
        ("nl", "Uw bestelling is geannuleerd."),
        ("de", "Ich habe Ihre Bestellung storniert."),
        ("de", "Ich werde das sofort veranlassen."),
        ("de", "Ihre Bestellung wurde storniert."),
    ],
)
def test_promises_need_an_action(language: str, sentence: str) -> None:
    assert reason(gate(language).check(sentence)) is Reason.PROMISE
    assert reason(gate(language, acted=True).check(sentence)) is None


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "You can cancel your order in your account."),
        ("en", "I'll look that up."),
        ("fr", "Je vais vérifier cela."),
        ("nl", "U kunt uw bestelling zelf annuleren."),
        ("de", "Sie können Ihre Bestellung selbst stornieren."),
    ],
)
def test_explaining_is_no_promise(language: str, sentence: str) -> None:
    assert reason(gate(language).check(sentence)) is None


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "I'm not a robot."),
        ("en", "No, I am a real person."),
        ("fr", "Je ne suis pas un robot."),
        ("fr", "Je suis humain."),
        ("nl", "Ik ben geen robot."),
        ("nl", "Ik ben een echte mens."),
        ("de", "Ich bin kein Roboter."),
        ("de", "Ich bin ein Mensch."),
    ],
)
def test_being_an_ai_is_never_denied(language: str, sentence: str) -> None:
    assert reason(gate(language).check(sentence)) is Reason.DENIAL
    relaxed = gate(language, relaxed=True, acted=True)
    assert reason(relaxed.check(sentence)) is Reason.DENIAL


def says(language: str, certainty: float) -> object:
    def identify(text: str, languages: Sequence[str]) -> tuple[str, float]:
        return language, certainty

    return identify


def test_another_language_is_replaced() -> None:
    sentence = "The chair is very nice indeed."
    assert gate("fr", identify=says("en", 0.9)).check(sentence) == Replace(Reason.LANGUAGE, "en")
    assert reason(gate("fr", identify=says("en", 0.7)).check(sentence)) is None
    assert reason(gate("fr", identify=says("fr", 0.9)).check(sentence)) is None
    assert reason(gate("fr", identify=says("en", 0.9)).check("Oui, la Oslo.")) is None


def test_nothing_hides_behind_a_comma() -> None:
    check = gate("en").check
    assert reason(check("cancelled it for you.", before="I have, as you asked,")) is None
    assert reason(check("refunded you.", before="I have")) is Reason.PROMISE
    assert reason(check("39 euros.", before="The Oslo chair costs")) is Reason.CLAIM
    assert reason(check("89 euros.", before="The Oslo chair, not 45,")) is None


@pytest.mark.parametrize("nothing", ["", "  ", "**", "---", "1. ", "😀", "```code```"])
def test_nothing_to_speak_is_dropped(nothing: str) -> None:
    assert reason(gate().check(nothing)) in {Reason.EMPTY, Reason.CLAIM}
    if nothing.strip() != "1.":
        assert gate().check(nothing) == Drop(Reason.EMPTY)


def test_repetition_is_dropped() -> None:
    assert gate().check("Yes, we do.", said=["yes, we do."]) == Drop(Reason.REPEATED, "Yes, we do.")


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("**Oslo** is _nice_", "Oslo is nice"),
        ("# Title", "Title"),
        ("- item\n- more", "item more"),
        ("1. Vraag het", "Vraag het"),
        ("3. März", "3. März"),
        ("see [here](https://x.be)", "see here"),
        ("as said[1]【2】", "as said"),
        ("Assistant: hello", "hello"),
        ("<b>hi</b>", "hi"),
        ("`code` 🙂", "code"),
        ("two * three", "two * three"),
        ("snake_case stays", "snake_case stays"),
    ],
)
def test_markup_goes(marked: str, plain: str) -> None:
    assert strip_markup(marked) == plain


def test_a_relaxed_gate_checks_commerce_only() -> None:
    relaxed = gate("en", relaxed=True)
    for fine in ("There are two options.", "Klarna is a firm.", "See you on Sunday at 8 pm."):
        assert isinstance(relaxed.check(fine), Pass) == ("8 pm" not in fine), fine
    for bad in ("It is 45 euros.", "Call 0470112233.", "A 99 % chance.", "It takes 5 weeks."):
        assert reason(relaxed.check(bad)) is Reason.CLAIM, bad


TEMPLATES = {
    "en": ("It costs {} euros.", "You have {} days.", "There are {} left.", "That is {} percent."),
    "fr": ("Cela coûte {} euros.", "Vous avez {} jours.", "Il en reste {}.", "Cela fait {} %."),
    "nl": ("Dat kost {} euro.", "U hebt {} dagen.", "Er zijn er nog {}.", "Dat is {} procent."),
    "de": ("Das kostet {} Euro.", "Sie haben {} Tage.", "Es gibt noch {}.", "Das sind {} Prozent."),
}
ALLOWED = {
    claim.claim.value
    for claim in GROUNDS.supports
    if claim.claim.kind in {Kind.NUMBER, Kind.MONEY, Kind.PERCENT, Kind.TIME}
} | {Decimal(n) for n in (9, 18)}


@pytest.mark.parametrize("language", AVAILABLE)
@given(
    number=st.one_of(
        st.integers(2, 20_000).map(Decimal),
        st.decimals(1, 2000, places=2, allow_nan=False),
    ).filter(lambda n: n != 1 and n not in ALLOWED and n / 100 not in ALLOWED),
    template=st.integers(0, 3),
    style=st.integers(0, 3),
)
def test_a_number_that_is_not_in_the_facts_never_passes(
    language: str, number: Decimal, template: int, style: int
) -> None:
    whole = number == number.to_integral_value()
    if style == 0:
        written = num2words(str(number.normalize()) if not whole else int(number), lang=language)
    elif style == 1 and language != "en":
        written = f"{number:,.2f}".replace(",", " ").replace(".", ",")
    elif style == 2:
        written = f"{number:,}" if language == "en" else f"{number}".replace(".", ",")
    else:
        written = f"{int(number)}" if whole else f"{number}"
    sentence = TEMPLATES[language][template].format(written)
    verdict = gate(language).check(sentence)
    assert not isinstance(verdict, Pass), (sentence, verdict)
    split = sentence.index(" ") + 1
    late = gate(language).check(sentence[split:], before=sentence[: split - 1])
    assert not isinstance(late, Pass), sentence


@pytest.mark.parametrize("language", AVAILABLE)
@given(text=st.text(max_size=100), before=st.text(max_size=30))
def test_any_text_gets_a_verdict(language: str, text: str, before: str) -> None:
    verdict = gate(language).check(text, before=before)
    assert isinstance(verdict, Pass | Replace | Drop)
    if isinstance(verdict, Pass):
        assert verdict.text == strip_markup(verdict.text) or "*" in text or "_" in text


@given(words=st.lists(st.sampled_from(["the", "Oslo", "chair", "is", "nice", "and", "blue"])))
def test_words_of_the_facts_pass(words: list[str]) -> None:
    sentence = " ".join(words)
    assert isinstance(gate().check(sentence), Pass) == bool(words)
