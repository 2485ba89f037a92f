"""Nothing of a caller's past without consent: not in a prompt, not in an answer, not for a turn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dialogue.test_manager import ScriptedModel, ask, dialogue, hear
from voice_server.dialogue.facts import Context
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.personal import (
    NO_CONSENT,
    PersonalConsent,
    Profile,
    admit,
    forget,
    told,
    withdraws,
)

PROFILE = Profile(bought=("oslo", "nova"), likes=("reading", "outdoor"))
EVERYTHING = PersonalConsent(history=True, profile=True)


def test_only_what_was_agreed_to_is_admitted() -> None:
    assert admit(Context(), PROFILE, NO_CONSENT) == Context()
    history = admit(Context(), PROFILE, PersonalConsent(history=True))
    assert (history.bought, history.likes) == (("oslo", "nova"), ())
    likes = admit(history, PROFILE, PersonalConsent(profile=True))
    assert (likes.bought, likes.likes) == ((), ("reading", "outdoor"))
    assert forget(admit(Context(), PROFILE, EVERYTHING)) == Context()


def test_what_a_model_is_told() -> None:
    names = {"oslo": "Oslo"}
    assert told(Context(), names) == ""
    assert told(admit(Context(), PROFILE, EVERYTHING), names) == (
        "The customer agreed to personal advice: bought Oslo; likes reading, outdoor."
    )


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "N'utilisez plus mes achats"),
        ("fr", "Oubliez mon historique s'il vous plaît"),
        ("fr", "Je retire mon consentement"),
        ("nl", "Gebruik mijn aankopen niet meer"),
        ("nl", "Vergeet mijn profiel"),
        ("nl", "Ik trek mijn toestemming in"),
        ("de", "Verwenden Sie meine Einkäufe nicht"),
        ("de", "Ich widerrufe meine Einwilligung"),
        ("de", "Vergessen Sie mein Profil"),
        ("en", "Don't use my purchases"),
        ("en", "Forget my history"),
        ("en", "I withdraw my consent"),
    ],
)
def test_consent_is_taken_back_in_words(knowledge: Knowledge, language: str, text: str) -> None:
    assert withdraws(text, language)
    answer = knowledge.answer(text, language, admit(Context(), PROFILE, EVERYTHING))
    assert answer is not None
    assert answer.intent == "forgotten"
    assert (answer.context.bought, answer.context.likes, answer.context.reasons) == ((), (), ())


@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "Puis-je utiliser mon bon d'achat ?"), ("en", "Can I use my voucher?"),
     ("nl", "Kan ik mijn bon gebruiken?"), ("de", "Kann ich meinen Gutschein verwenden?"),
     ("it", "Forget my history")],
)  # fmt: skip
def test_other_words_take_nothing_back(language: str, text: str) -> None:
    assert not withdraws(text, language)


async def told_model(profile: Profile, consent: PersonalConsent, *questions: str) -> list[str]:
    """Return everything a model was sent for each of the questions, as text."""
    model = ScriptedModel([["Yes, gladly."] for _ in questions])
    session = dialogue(model).open("s", language="en")
    session.know(profile, consent)
    for number, question in enumerate(questions):
        await hear(session, ask(question, reply_id=f"r{number}"))
        session.commit(f"r{number}")
    assert len(model.asked) == len(questions)
    return [json.dumps(request.messages, ensure_ascii=False) for request in model.asked]


async def test_without_consent_no_prompt_knows_the_past() -> None:
    [sent] = await told_model(PROFILE, NO_CONSENT, "What would suit me best?")
    [nobody] = await told_model(Profile(), NO_CONSENT, "What would suit me best?")
    assert sent == nobody, "the request is the same as for somebody who was never here"


async def test_with_consent_it_does_until_it_is_taken_back() -> None:
    sent = await told_model(
        PROFILE, EVERYTHING, "What would suit me best?", "Don't use my purchases!", "And now?"
    )
    assert "bought Oslo, Nova; likes reading, outdoor" in sent[0]
    for later in sent[1:]:
        assert "agreed to personal advice" not in later
        assert "reading" not in later


async def test_consent_is_gone_although_the_reply_is_never_spoken() -> None:
    session = dialogue(ScriptedModel([["Yes."]])).open("s", language="en")
    session.know(PROFILE, EVERYTHING)
    await hear(session, ask("Forget my history", reply_id="r0"))
    assert session.context == Context()


async def test_the_level_is_told_to_a_model() -> None:
    sent = await told_model(
        Profile(), NO_CONSENT, "What would suit me?", "Explain it simply", "Technically, please"
    )
    assert ["everyday words" in text for text in sent] == [False, True, False]
    assert ["customer is an expert" in text for text in sent] == [False, False, True]


def advice(knowledge: Knowledge, context: Context, text: str = "a gift for my father") -> Any:
    answer = knowledge.answer(text, "en", context)
    assert answer is not None
    assert answer.intent == "recommend"
    return answer


def test_advice_uses_the_past_only_with_consent(knowledge: Knowledge) -> None:
    plain = advice(knowledge, Context())
    withheld = advice(knowledge, admit(Context(), PROFILE, NO_CONSENT))
    assert withheld.text == plain.text
    assert withheld.context.reasons == plain.context.reasons
    first = plain.context.offered[0]
    owned = admit(Context(), Profile(bought=(first,)), PersonalConsent(history=True))
    assert first not in advice(knowledge, owned).context.offered[:1]


@pytest.mark.parametrize(
    ("language", "wish", "why", "words"),
    [
        ("fr", "Un cadeau pour mon père à moins de 60 euros", "Pourquoi ceux-là ?",
         ("Parce que", "père", "60 €")),
        ("nl", "Een cadeau voor mijn vader onder 60 euro", "Waarom die?", ("Omdat", "vader", "60")),
        ("de", "Ein Geschenk für meinen Vater unter 60 Euro", "Warum diese?",
         ("Weil", "Vater", "60")),
        ("en", "A gift for my father under 60 euros", "Why these?", ("Because", "father", "€60")),
    ],
)  # fmt: skip
def test_why_this_is_answered_from_the_reasons_that_were_used(
    knowledge: Knowledge, language: str, wish: str, why: str, words: tuple[str, ...]
) -> None:
    first = knowledge.answer(wish, language, Context())
    assert first is not None
    assert first.context.reasons
    answer = knowledge.answer(why, language, first.context)
    assert answer is not None
    assert answer.intent == "why_advice"
    assert all(word in answer.text for word in words), answer.text


def test_a_liking_is_given_as_a_reason_only_with_consent(knowledge: Knowledge) -> None:
    liked = admit(Context(), Profile(likes=("music",)), PersonalConsent(profile=True))
    context = advice(knowledge, liked, "a gift for a teenager").context
    assert "likes music" in context.reasons
    answer = knowledge.answer("why these", "en", context)
    assert answer is not None
    assert "as you allowed" in answer.text
    bare = advice(knowledge, Context(), "a gift for a teenager").context
    assert not [reason for reason in bare.reasons if reason.startswith("likes")]
