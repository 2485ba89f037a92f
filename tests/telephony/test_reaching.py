"""Calls that we place, and consent, in exact time: who is greeted, and what a yes is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.telephony.calls import of
from tests.telephony.test_answering_machine import quiet, speech, tone
from tests.telephony.test_flow import LINE, Scene
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.speech.engine import Transcript
from voice_server.telephony import call as c
from voice_server.telephony.answering_machine import Verdict
from voice_server.telephony.dial_rules import Dialling
from voice_server.telephony.flow_recording import ANSWER_S
from voice_server.telephony.flow_state import KEYS_S, Over, Stage
from voice_server.telephony.outbound import NeverCall, Outbound, Record, Unrecord
from voice_server.telephony.outbound_phrases import (
    PHRASES,
    OutboundPhrase,
    always_said,
    message,
    opening,
    outbound_phrase,
    wants_no_calls,
    wants_no_recording,
)
from voice_server.telephony.vendor_events import CallNews

DIALLING = Dialling("sip", ("BE",))
OURS = replace(LINE, shop_name="Marolle", dialling=DIALLING)
STARTED = c.Started(
    "c1", "s1", c.ULAW_8K, caller="+32470123456", called="+3225550123", direction="outbound"
)


class Out(Scene):
    """A call of ours."""

    def __init__(self, line: Any = OURS, purpose: Any = "notice", reason: str = "uw pakje") -> None:
        call = Outbound("out_1", line, "+32470123456", "nl", purpose, reason)
        super().__init__(line, outbound=call)
        self.first = self.start(STARTED)

    def hear(self, *sounds: Any) -> list[Any]:
        data = c.ULAW_8K.encode(np.concatenate(sounds))
        effects: list[Any] = []
        for at in range(0, len(data), 160):
            self.now += 0.02
            effects += self.event(c.Media(data[at : at + 160]))
        return effects

    def says(self, effects: list[Any]) -> o.Say:
        [said] = of(o.Say, effects)
        return said

    def said(self, effects: list[Any], status: Any = "completed") -> list[Any]:
        """The sentence in ``effects`` has been said."""
        return self.notice(n.ReplyDone(self.says(effects).reply_id, status))

    def all_said(self, effects: list[Any]) -> tuple[list[str], list[Any]]:
        """Let every sentence be said to its end; return them, and what came of the last."""
        texts: list[str] = []
        while of(o.Say, effects):
            said = self.says(effects)
            assert not said.interruptible or said.text not in self.flow._opening
            texts.append(said.text)
            effects = self.said(effects)
        return texts, effects

    def words(self, text: str, language: str = "fr") -> list[Any]:
        self.notice(n.UtteranceCommitted("i", None))
        return self.notice(n.TranscriptFinal("i", Transcript(text, language, 1.0, 0.0, 0.0, 900)))


PERSON = (quiet(200), speech(500), quiet(900))
MACHINE = (quiet(200), speech(3000), quiet(400), tone(400), quiet(100))


def test_a_person_is_greeted_with_who_what_and_why() -> None:
    scene = Out()
    assert of(o.Say, scene.first) == []
    effects = scene.hear(*PERSON)
    said = scene.says(effects)
    assert "intelligence artificielle" in said.text
    assert not said.interruptible
    texts, _ = scene.all_said(effects)
    assert tuple(texts) == opening("fr", "Marolle", call_back=False, reason="uw pakje")
    assert texts[1] == "C'est au sujet de : uw pakje."
    # What was heard before is none of the assistant's business; from now on it is.
    assert not of(o.Hear, effects[: effects.index(said)])
    assert of(o.Hear, scene.hear(speech(100)))
    assert scene.flow.tally.answered_by == "human"


def test_a_machine_gets_its_message_after_the_beep_and_we_hang_up() -> None:
    scene = Out(purpose="call_back")
    effects = scene.hear(*MACHINE)
    texts, over = scene.all_said(effects)
    assert tuple(texts) == message(
        "fr", "Marolle", "+3225550123", call_back=True, reason="uw pakje"
    )  # fmt: skip
    assert of(c.HangUp, over) == [c.HangUp("a message was left")]
    assert scene.flow.tally.answered_by == "message"


def test_a_message_that_is_cut_short_was_not_left() -> None:
    scene = Out()
    effects = scene.said(scene.hear(*MACHINE), "cancelled")
    assert of(Over, effects) == [Over("the message was cut short")]
    assert scene.flow.tally.answered_by == "machine"


def test_a_line_may_hang_up_on_machines() -> None:
    scene = Out(replace(OURS, dialling=replace(DIALLING, machine="hang_up")))
    assert of(c.HangUp, scene.hear(*MACHINE)) == [c.HangUp("an answering machine")]


def test_who_speaks_into_the_message_is_greeted() -> None:
    scene = Out()
    effects = scene.hear(speech(2500), quiet(2200))
    assert "assistant vocal" in scene.says(effects).text
    again = scene.hear(speech(700))
    assert of(o.Cancel, again)
    assert scene.notice(n.ReplyDone(scene.says(effects).reply_id, "cancelled")) == []
    assert scene.all_said(again)[0][-1] == "Que puis-je faire pour vous ?"
    assert scene.flow.stage is Stage.TALKING


def test_a_machine_without_end_is_left() -> None:
    scene = Out()
    scene.hear(speech(3000))
    assert of(Over, scene.hear(speech(46_000))) == [Over("a machine that takes no message")]
    silent = Out()
    silent.hear(speech(3000))
    assert silent.wait(5) == []
    for _ in range(5):  # the vendor's pings keep the line up, no sound comes
        silent.event(c.Gap(1.0))
        silent.wait(12)
    assert silent.flow.stage is Stage.OVER


def test_without_any_sound_we_greet_in_time() -> None:
    scene = Out()
    effects = scene.wait(9)
    assert scene.says(effects).text == scene.flow._opening[0]
    assert scene.flow.tally.answered_by == "unsure"


def test_detection_may_be_off() -> None:
    scene = Out(replace(OURS, dialling=replace(DIALLING, detect="off")), reason="")
    assert "Que puis-je" in scene.all_said(scene.first)[0][1]
    assert scene.flow.told(CallNews(verdict=Verdict.MACHINE), scene.now) == []


def test_the_vendor_may_judge() -> None:
    line = replace(OURS, dialling=replace(DIALLING, detect="vendor"))
    scene = Out(line)
    assert of(o.Say, scene.hear(speech(3000), quiet(900))) == []
    assert of(o.Say, scene.flow.told(CallNews(), scene.now)) == []
    assert of(o.Say, scene.flow.told(CallNews(verdict=Verdict.MACHINE), scene.now)) == []
    effects = scene.flow.told(CallNews(verdict=Verdict.MACHINE, records=True), scene.now)
    assert "rappeler" in scene.all_said(effects)[0][-1]
    person = Out(line)
    effects = person.flow.told(CallNews(verdict=Verdict.HUMAN), person.now)
    assert person.says(effects).text == person.flow._opening[0]
    assert person.flow.told(CallNews(verdict=Verdict.MACHINE), person.now) == []
    person.flow.end("over", person.now)
    assert person.flow.told(CallNews(verdict=Verdict.HUMAN), person.now) == []


def test_sound_after_the_end_is_nobodys() -> None:
    scene = Out()
    scene.event(c.Dtmf("0"))  # to the human at once, whoever is there
    assert scene.flow.stage is Stage.LEAVING
    assert of(o.Say, scene.hear(*PERSON)) == []
    assert of(o.Say, scene.wait(9)) == []


# -------------------------------------------------------------------- consent

ASKING = replace(LINE, recording="ask")


def greeted(line: Any = ASKING) -> tuple[Out, list[Any]]:
    """An inbound call whose greeting and choices are over; returns what comes then."""
    scene = Out.__new__(Out)
    Scene.__init__(scene, line)
    effects = scene.start()
    while of(o.Say, effects):
        said = scene.says(effects)
        if ("?" in said.text and "ou non" in said.text) or "enregistré" in said.text:
            break
        effects = scene.said(effects)
    return scene, effects


def question(which: OutboundPhrase) -> str:
    return outbound_phrase(which, "fr")


def test_a_yes_to_the_question_records() -> None:
    scene, effects = greeted()
    said = scene.says(effects)
    assert said.text == question(OutboundPhrase.MAY_WE_RECORD)
    assert not said.interruptible
    [settings] = of(o.Configure, effects)
    assert not settings.turns.create_response  # the assistant does not answer the yes
    scene.said(effects)
    effects = scene.words("Oui, volontiers.")
    assert of(Record, effects) == [Record("granted")]
    [settings] = of(o.Configure, effects)
    assert settings.turns.create_response
    assert scene.says(effects).text == question(OutboundPhrase.RECORDED)
    assert scene.flow.tally.consent == "granted"
    assert scene.said(effects) == []  # asked once


@pytest.mark.parametrize("answer", ["Non.", "Non merci"])
def test_a_no_does_not(answer: str) -> None:
    scene, effects = greeted()
    scene.said(effects)
    effects = scene.words(answer)
    assert of(Record, effects) == []
    assert scene.says(effects).text == question(OutboundPhrase.NOT_RECORDED)
    assert scene.flow.tally.consent == "refused"


def test_silence_is_a_no() -> None:
    scene, effects = greeted()
    scene.said(effects)
    assert scene.wait(ANSWER_S - 0.1) == []
    effects = scene.wait(0.2)
    assert of(Record, effects) == []
    assert scene.says(effects).text == question(OutboundPhrase.NOT_RECORDED)


def test_something_else_is_a_no_and_is_answered() -> None:
    scene, effects = greeted()
    scene.said(effects)
    effects = scene.words("Où est mon colis ?")
    assert of(Record, effects) == []
    assert len(of(o.Respond, effects)) == 1
    assert of(o.Say, effects) == []


def test_a_yes_before_the_question_was_asked_is_none() -> None:
    scene, effects = greeted()
    assert of(Record, scene.words("Oui.")) == []
    scene.said(effects)
    assert scene.words("") == []
    assert of(Record, scene.words("oui mais pas tout")) == []
    assert scene.flow.tally.consent == "refused"


def test_a_question_that_was_cut_off_is_asked_again() -> None:
    scene, effects = greeted()
    assert of(o.Cancel, scene.event(c.Dtmf("#")))
    again = scene.said(effects, "cancelled")
    assert scene.says(again).text == question(OutboundPhrase.MAY_WE_RECORD)
    given_up = scene.said(again, "failed")
    assert of(o.Say, given_up) == []
    assert scene.flow.tally.consent == "refused"


def test_another_language_asks_anew() -> None:
    scene, effects = greeted()
    [settings] = of(o.Configure, scene.event(c.Dtmf("2")))  # Dutch
    assert settings.language == "nl"
    assert not settings.turns.create_response
    chosen = scene.said(effects)  # the French question; then "we go on in Dutch"
    again = scene.said(chosen)
    assert scene.says(again).text == outbound_phrase(OutboundPhrase.MAY_WE_RECORD, "nl")
    [settings] = of(o.Configure, again)
    assert settings.language == "nl"
    scene.said(again)
    granted = scene.words("Ja.", "nl")
    assert of(Record, granted) == [Record("granted")]
    scene.said(granted)
    assert scene.event(c.Dtmf("1")) == []
    back = scene.wait(KEYS_S)  # the key stood alone: French again, and it is settled
    assert [one.language for one in of(o.Configure, back)] == ["fr"]
    assert scene.said(back) == []


def test_a_question_whose_end_is_never_heard_of_is_a_no() -> None:
    scene, _ = greeted()
    scene.wait(3 * ANSWER_S + 0.1)
    assert scene.flow.tally.consent == "refused"


def test_an_announced_recording_goes_on_until_somebody_objects() -> None:
    scene, effects = greeted(replace(LINE, recording="announce"))
    assert scene.says(effects).text == question(OutboundPhrase.ANNOUNCED)
    assert of(o.Configure, effects) == []
    assert of(Record, scene.said(effects)) == [Record("announced")]
    assert scene.flow.tally.consent == "announced"
    effects = scene.words("Non, ne pas enregistrer.")
    assert of(Unrecord, effects) == [Unrecord()]
    assert scene.says(effects).text == question(OutboundPhrase.WITHDRAWN)
    assert scene.flow.tally.consent == "withdrawn"
    assert scene.says(scene.words("Arrêtez d'enregistrer !")).text == question(
        OutboundPhrase.NOT_RECORDED
    )


def test_an_objection_before_the_end_of_the_announcement_counts() -> None:
    scene, _ = greeted(replace(LINE, recording="announce"))
    effects = scene.words("Ne pas enregistrer.")
    assert of(Record, effects) == []
    assert scene.flow.tally.consent == "refused"


def test_a_call_that_leaves_is_not_asked() -> None:
    scene, effects = greeted()
    scene.said(effects)
    scene.event(c.Dtmf("0"))
    assert scene.words("oui") == []
    assert of(Record, scene.wait(ANSWER_S + 1)) == []


def test_who_wants_no_calls_is_noted_and_let_go() -> None:
    scene = Out()
    scene.all_said(scene.hear(*PERSON))
    effects = scene.words("Ne m'appelez plus !")
    assert of(NeverCall, effects) == [NeverCall()]
    assert scene.says(effects).text == question(OutboundPhrase.NEVER)
    assert of(c.HangUp, scene.said(effects)) == [c.HangUp("asked not to be called again")]
    ours = Scene()
    ours.start()
    effects = ours.notice(
        n.TranscriptFinal("i", Transcript("Ne m'appelez plus jamais", "fr", 1, 0, 0, 900))
    )
    assert of(NeverCall, effects) == [NeverCall()]
    assert ours.flow.stage is Stage.TALKING  # the customer has called: it goes on


NEVER = {
    "fr": ["Ne m'appelez plus.", "Je ne veux plus être appelé", "Retirez-moi de votre liste",
           "ne plus jamais m'appeler", "N'appelez plus"],
    "nl": ["Bel me niet meer.", "Belt u mij nooit meer op", "Ik wil niet meer gebeld worden",
           "Haal mij van de lijst"],
    "de": ["Rufen Sie mich nicht mehr an", "Ich will nicht mehr angerufen werden",
           "Bitte keine Anrufe mehr", "Streichen Sie mich von der Liste"],
    "en": ["Please do not call me again", "Stop calling!", "Don't ever phone us",
           "take me off your list", "I do not want to be called any more"],
}  # fmt: skip
OTHERS = {
    "fr": ["Pouvez-vous me rappeler demain ?", "Je n'ai plus appelé depuis", "la liste des prix"],
    "nl": ["Waarom belt u mij niet meer terug?", "Kunt u mij terugbellen?", "Ik bel later"],
    "de": ["Rufen Sie mich bitte zurück", "Ich rufe später an"],
    "en": ["Don't call me back now, call tomorrow", "Can you call me back?", "I will call again"],
}


@pytest.mark.parametrize("language", NEVER)
def test_what_no_more_calls_sounds_like(language: str) -> None:
    for text in NEVER[language]:
        assert wants_no_calls(text, language), text
    for text in OTHERS[language]:
        assert not wants_no_calls(text, language), text
    assert not wants_no_calls(NEVER[language][0], "it")


@pytest.mark.parametrize(
    ("language", "yes", "no"),
    [
        ("fr", ["Arrêtez l'enregistrement", "Je ne veux pas être enregistré",
                "N'enregistrez pas"], ["Mon adresse est enregistrée", "oui"]),
        ("nl", ["Niet opnemen alstublieft", "Stop de opname", "Ik wil niet opgenomen worden"],
         ["Ik wil contact opnemen", "neemt u op"]),
        ("de", ["Nicht aufzeichnen", "Beenden Sie die Aufnahme", "bitte keine Aufzeichnung"],
         ["Die Annahme wurde verweigert"]),
        ("en", ["Do not record", "Stop recording", "I don't want to be recorded"],
         ["For the record, I paid", "yes"]),
    ],
)  # fmt: skip
def test_what_no_recording_sounds_like(language: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if not wants_no_recording(text, language)] == []
    assert [text for text in no if wants_no_recording(text, language)] == []


def test_every_phrase_is_there_in_four_languages_and_openings_disclose() -> None:
    ai = {"fr": "intelligence artificielle", "nl": "artificiële intelligentie",
          "de": "künstliche Intelligenz", "en": "artificial intelligence"}  # fmt: skip
    for which in OutboundPhrase:
        assert set(PHRASES[which]) == set(ai), which
    for language, words in ai.items():
        assert words in opening(language, "X", call_back=True, reason="a" * 500)[0]
        assert words in message(language, "X", "", call_back=False, reason="")[0]
    assert opening("it", "X", call_back=False, reason="")[0].startswith("Hello")


def test_what_is_always_said_can_be_prepared() -> None:
    quiet_line = always_said("nl", "X", "", out=False, recording="off")
    assert quiet_line == [outbound_phrase(OutboundPhrase.NEVER, "nl")]
    full = always_said("nl", "X", "+32", out=True, recording="ask")
    assert set(opening("nl", "X", call_back=True, reason="")) < set(full)
    assert outbound_phrase(OutboundPhrase.MAY_WE_RECORD, "nl") in full
