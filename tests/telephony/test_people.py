"""People in a call, without a socket: take-over, listening, the voice, and what a human is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.telephony.calls import of
from tests.telephony.test_flow import LINE, Scene
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.telephony import call as c
from voice_server.telephony.agent_voice import AHEAD_MOST_S, AgentVoice
from voice_server.telephony.briefing import SAID_MOST, brief, last_words, screen
from voice_server.telephony.flow_state import (
    JOIN_S,
    TRANSFER_S,
    Log,
    Mute,
    Opened,
    Over,
    Stage,
)
from voice_server.telephony.phrases import PHRASES, PhonePhrase
from voice_server.telephony.sip_bridge import SipBridge

PIECE = np.full(480, 0.3, np.float32)


def done(scene: Scene, effects: list[Any], status: n.ReplyStatus = "completed") -> list[Any]:
    says = of(o.Say, effects)
    return scene.notice(n.ReplyDone(says[-1].reply_id, status))


def taken() -> Scene:
    scene = Scene().talking()
    done(scene, scene.flow.take_over("Léa", scene.now))
    return scene


# -------------------------------------------------------------------- take over


def test_a_person_is_announced_and_then_heard() -> None:
    scene = Scene().talking()
    effects = scene.flow.take_over("Léa", scene.now)
    assert of(Mute, effects) == [Mute(on=True)]
    assert scene.flow.speak(PIECE, scene.now) == [], "not over the announcement"
    done(scene, effects)
    frames = scene.flow.speak(PIECE, scene.now)
    assert [len(frame.data) for frame in of(c.SendAudio, frames)] == [160]
    assert scene.flow.take_over("Tom", scene.now) == []
    assert scene.flow.may_take_over() == "taken"


def test_a_person_is_heard_even_if_the_announcement_never_ends() -> None:
    scene = Scene().talking()
    scene.flow.take_over("Léa", scene.now)
    effects = scene.wait(JOIN_S)
    assert of(o.Cancel, effects)
    assert scene.flow.speak(PIECE, scene.now)
    assert scene.wait(JOIN_S) == []


def test_the_assistant_comes_back_and_says_what_it_is() -> None:
    scene = taken()
    effects = scene.flow.give_back(scene.now)
    [say] = of(o.Say, effects)
    assert say.text == PHRASES[PhonePhrase.RETURNED]["fr"]
    assert not say.interruptible
    assert of(Mute, effects) == [Mute(on=False)]
    assert of(c.Clear, effects), "what the person still had at the vendor is not said over it"
    assert scene.flow.give_back(scene.now) == []
    assert scene.flow.speak(PIECE, scene.now) == []


def test_nobody_takes_a_call_that_is_not_talking() -> None:
    scene = Scene()
    assert scene.flow.may_take_over() == "not_talking"
    assert scene.flow.take_over("Léa", scene.now) == []
    assert scene.flow.may_listen() == "not_talking"
    assert scene.flow.return_to_queue(scene.now) == []
    assert scene.flow.send_on(scene.now) == []


def test_a_held_call_and_another_codec() -> None:
    scene = taken()
    scene.event(c.Hold(on=True))
    assert scene.flow.speak(PIECE, scene.now) == []
    scene.event(c.Hold(on=False))
    scene.event(c.CodecChanged(c.PCM_16K))
    frames = of(c.SendAudio, scene.flow.speak(PIECE, scene.now))
    assert [len(frame.data) for frame in frames] == [640]


def test_keys_and_the_longest_time_do_not_end_a_persons_call() -> None:
    scene = taken()
    assert scene.keys("02#") == []
    for _ in range(4):
        scene.now += LINE.longest_s
        scene.event(c.Media(b"\xff" * 160))
        scene.flow.tick(scene.now)
    assert scene.flow.stage is Stage.HUMAN


@pytest.mark.parametrize("way", ["human", "queue"])
def test_a_person_sends_the_caller_on(way: str) -> None:
    scene = taken()
    effects = (
        scene.flow.send_on(scene.now) if way == "human" else scene.flow.return_to_queue(scene.now)
    )
    assert scene.flow.agent == ""
    [transfer] = of(c.Transfer, done(scene, effects))
    assert transfer.warm is (way == "human")
    assert scene.flow.tally.handed_off == ("operator" if way == "human" else "queue")


def test_who_is_on_the_way_already_is_sent_nowhere_else() -> None:
    scene = Scene().talking()
    scene.keys("0")
    assert scene.flow.send_on(scene.now) == []
    assert scene.flow.return_to_queue(scene.now) == []


def test_a_line_with_nobody_behind_it() -> None:
    scene = Scene(replace(LINE, human="", queue="")).talking()
    assert scene.flow.send_on(scene.now) == []
    assert scene.flow.return_to_queue(scene.now) == []


# -------------------------------------------------------------------- listening


def test_the_caller_is_told_once_and_then_it_is_open() -> None:
    scene = Scene().talking()
    effects = scene.flow.listen(scene.now)
    assert scene.flow.listen(scene.now) == [], "while it is being said"
    assert of(Opened, done(scene, effects)) == [Opened()]
    assert scene.flow.listen(scene.now) == []


def test_cut_words_are_said_again_before_anybody_hears() -> None:
    scene = Scene().talking()
    effects = scene.flow.listen(scene.now)
    assert of(Opened, done(scene, effects, "cancelled")) == []
    assert not scene.flow.open_to_listeners
    again = scene.wait(JOIN_S)
    assert [say.text for say in of(o.Say, again)] == [PHRASES[PhonePhrase.LISTENED]["fr"]]
    assert of(Opened, done(scene, again)) == [Opened()]


def test_a_reply_is_not_talked_over() -> None:
    scene = Scene().talking()
    scene.notice(n.ReplyAudio("r1", 0.0, np.zeros(480, np.float32)))
    assert scene.flow.listen(scene.now) == []
    effects = scene.notice(n.ReplyDone("r1", "completed"))
    assert [say.text for say in of(o.Say, effects)] == [PHRASES[PhonePhrase.LISTENED]["fr"]]


def test_a_call_that_leaves_is_not_told() -> None:
    scene = Scene().talking()
    scene.notice(n.ReplyAudio("r1", 0.0, np.zeros(480, np.float32)))
    scene.flow.listen(scene.now)
    scene.keys("0")
    assert not of(o.Say, scene.wait(JOIN_S))


def test_silent_and_forbidden_lines() -> None:
    scene = Scene(replace(LINE, listening="silent")).talking()
    assert scene.flow.listen(scene.now) == [Opened()]
    scene = Scene(replace(LINE, listening="off")).talking()
    assert scene.flow.may_listen() == "listening_off"
    assert scene.flow.listen(scene.now) == []


# ------------------------------------------------------------------- transfers


def sip_scene() -> Scene:
    scene = Scene(features=SipBridge.features).talking()
    done(scene, scene.keys("0"))
    assert scene.flow.stage is Stage.TRANSFERRING
    return scene


def test_a_transfer_that_is_told() -> None:
    scene = sip_scene()
    effects = scene.event(c.Transferred(reached=True, result="answered"))
    assert of(Over, effects) == [Over("transferred")]
    assert of(c.HangUp, effects)
    assert scene.event(c.Transferred(reached=True, result="again")) == []


@pytest.mark.parametrize("told", [True, False])
def test_a_transfer_that_fails_or_is_never_told(told: bool) -> None:
    scene = sip_scene()
    if told:
        effects = scene.event(c.Transferred(reached=False, result="busy"))
    else:
        scene.event(c.Media(b"\xff" * 160))
        effects = []
        while scene.flow.stage is Stage.TRANSFERRING:
            scene.event(c.Media(b"\xff" * 160))
            effects += scene.wait(5.0)
            assert scene.now <= 100.0 + TRANSFER_S + 5.0
    assert [say.text for say in of(o.Say, effects)] == [PHRASES[PhonePhrase.BACK]["fr"]]
    assert of(Mute, effects) == [Mute(on=False)]
    assert of(Log, effects)
    assert scene.flow.stage is Stage.TALKING
    assert scene.flow.transferred(c.Transferred(reached=True, result="late"), scene.now) == []


# ------------------------------------------------------------------- the voice


def test_what_comes_too_fast_is_dropped_and_the_delay_stays_small() -> None:
    voice = AgentVoice(c.Features(), c.ULAW_8K)
    sent = [voice.speak(PIECE, 0.0) for _ in range(50)]
    frames = sum(len(one) for one in sent)
    assert frames * 0.02 <= AHEAD_MOST_S + 0.04
    assert voice.dropped_ms == pytest.approx((50 - frames) * 20)
    assert voice.speak(PIECE, 5.0)


def test_pieces_wait_for_the_lines_frame() -> None:
    voice = AgentVoice(c.Features(frame_ms=200), c.ULAW_8K)
    counts = [len(voice.speak(PIECE, at * 0.02)) for at in range(10)]
    assert counts == [0] * 9 + [1]


# -------------------------------------------------------------- what is told


def test_a_human_is_told_in_their_own_language() -> None:
    details = {"reason": "key", "about": "retour.", "ticket": "T-1"}
    assert brief("fr", "nl", details, ["Ik wil mijn geld terug"]) == (
        "Appel transféré par l'assistant vocal. Langue du client : néerlandais. Sujet : retour. "
        "Le client a appuyé sur zéro. Dossier T-1."
    )
    assert brief("nl", "nl", {}, ["Ik wil mijn geld terug"]).endswith(
        "De klant zei: Ik wil mijn geld terug"
    )
    assert brief("pt", "xx", {"reason": "emotional"}, []) == (
        "Transferred by the voice assistant. The customer speaks xx."
    )


def test_what_is_passed_on_is_short_and_without_controls() -> None:
    assert screen({"a": "x\r\nY: z", "b": "", "c": "w" * 999}) == {"a": "xY: z", "c": "w" * 240}
    long = last_words(["word " * 100])
    assert len(long) <= SAID_MOST + 2
    assert long.startswith("… word")
