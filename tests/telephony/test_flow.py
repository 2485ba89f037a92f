"""A call's flow from pick-up to hang-up, in exact time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.telephony.calls import of
from voice_server.audio.pcm import Audio
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.speech.engine import SPEAKING_RATE, Transcript
from voice_server.telephony import call as c
from voice_server.telephony.dtmf import tones
from voice_server.telephony.flow import CallFlow
from voice_server.telephony.flow_state import (
    FAULTS_TOLD,
    HELD_S,
    KEYS_S,
    LAST_WORDS_S,
    SILENT_S,
    START_S,
    Begin,
    Log,
    Over,
    Stage,
    Typed,
)
from voice_server.telephony.line import Line, digits, find_line, masked
from voice_server.telephony.phrases import PHRASES, PhonePhrase, phrase
from voice_server.telephony.speaking import MARK_EVERY_MS, Speaking

LINE = Line(
    languages=("fr", "nl"),
    greetings={"fr": "Bonjour, une intelligence artificielle.", "nl": "Dag, een AI."},
    number="+3225550123",
    name="Bruxelles",
    human="+3225550199",
    keys={"1": "fr", "2": "nl"},
)
STARTED = c.Started("c1", "s1", c.ULAW_8K, caller="+32470123456", called="+3225550123")
CLOUD = c.Features(marks=True, clears=True)


class Scene:
    """A flow, a clock, and what came out."""

    def __init__(
        self, line: Line | None = LINE, features: c.Features = CLOUD, **kwargs: Any
    ) -> None:
        self.now = 100.0
        self.count = 0
        self.flow = CallFlow(features, lambda _: line, new_id=self.new_id, now=self.now, **kwargs)

    def new_id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}_{self.count}"

    def event(self, event: c.CallEvent) -> list[Any]:
        return self.flow.receive(event, self.now)

    def notice(self, notice: n.Notice) -> list[Any]:
        return self.flow.observe(notice, self.now)

    def wait(self, seconds: float) -> list[Any]:
        """Let time pass, waking the flow whenever it asked to be."""
        end = self.now + seconds
        effects: list[Any] = []
        while (at := self.flow.next_deadline()) is not None and at <= end:
            self.now = max(self.now, at)
            effects += self.flow.tick(self.now)
        self.now = end
        return effects

    def start(self, started: c.Started = STARTED) -> list[Any]:
        return self.event(started)

    def talking(self) -> Scene:
        """Greeted, and the greeting said to its end."""
        effects = self.start()
        while says := of(o.Say, effects):
            effects = self.notice(n.ReplyDone(says[0].reply_id, "completed"))
        return self

    def keys(self, pressed: str) -> list[Any]:
        return [effect for digit in pressed for effect in self.event(c.Dtmf(digit))]


def says(effects: list[Any]) -> list[str]:
    return [say.text for say in of(o.Say, effects)]


# ------------------------------------------------------------------- pick-up


def test_the_call_is_picked_up_with_disclosure_and_languages() -> None:
    scene = Scene()
    effects = scene.start()
    assert of(Begin, effects) == [Begin("fr")]
    [settings] = of(o.Configure, effects)
    assert settings.turns.idle_timeout_ms == 9000
    assert (settings.language, settings.languages) == (None, ("fr", "nl"))
    [greeting] = of(o.Say, effects)
    assert (greeting.text, greeting.language) == (LINE.greetings["fr"], "fr")
    assert not greeting.interruptible
    effects = scene.notice(n.ReplyDone(greeting.reply_id, "completed"))
    [choice] = of(o.Say, effects)
    assert (choice.text, choice.language) == ("Voor Nederlands, druk op 2.", "nl")
    assert choice.interruptible
    assert says(scene.notice(n.ReplyDone(choice.reply_id, "completed"))) == []


def test_numbers_are_masked_in_the_log() -> None:
    [line] = of(Log, Scene().start())
    assert "…56" in line.text
    assert "0470" not in line.text
    assert "123456" not in line.text


def test_the_vendors_flow_may_know_the_language() -> None:
    assert of(Begin, Scene().start(replace(STARTED, language="nl-BE"))) == [Begin("nl")]
    assert of(Begin, Scene().start(replace(STARTED, language="es"))) == [Begin("fr")]


def test_a_call_for_no_line_is_ended() -> None:
    scene = Scene(line=None)
    effects = scene.start()
    assert of(c.HangUp, effects)
    assert of(Over, effects) == [Over("no such line")]
    assert scene.event(c.Media(b"")) == []


def test_speech_during_the_language_offer_ends_the_offer() -> None:
    scene = Scene()
    line = replace(LINE, keys={"1": "fr", "2": "nl", "3": "nl"})
    scene = Scene(line)
    [greeting] = of(o.Say, scene.start())
    [offer] = of(o.Say, scene.notice(n.ReplyDone(greeting.reply_id, "completed")))
    effects = scene.notice(n.ReplyDone(offer.reply_id, "cancelled", "turn_detected"))
    assert says(effects) == []
    assert scene.flow.tally.interruptions == 1


def test_after_a_failed_transfer_the_caller_is_told() -> None:
    assert says(Scene(came_back=True).start()) == [PHRASES[PhonePhrase.BACK]["fr"]]


# ----------------------------------------------------------------------- keys


@pytest.mark.parametrize("moment", ["greeting", "talking", "chosen"])
def test_zero_reaches_a_human(moment: str) -> None:
    scene = Scene()
    if moment == "greeting":
        scene.start()
    else:
        scene.talking()
    if moment == "chosen":
        scene.keys("2")
    [words] = of(o.Say, scene.keys("0"))
    language = "nl" if moment == "chosen" else "fr"
    assert words.text == PHRASES[PhonePhrase.CONNECTING][language]
    assert scene.keys("0") == []
    effects = scene.notice(n.ReplyDone(words.reply_id, "completed"))
    spoken = "Dutch" if moment == "chosen" else "French"
    summary = f"Transferred by the voice assistant. The customer speaks {spoken}."
    details = {
        "language": language,
        "reason": "key",
        "summary": f"{summary} The customer pressed zero.",
    }
    assert of(c.Transfer, effects) == [c.Transfer(LINE.human, details)]
    assert of(Over, effects) == [Over("transferred")]
    assert scene.flow.stage is Stage.OVER


def test_zero_reaches_a_human_even_when_we_are_about_to_hang_up() -> None:
    scene = Scene().talking()
    for _ in range(3):
        effects = scene.notice(n.IdleTimeout("i", 0, 0))
    assert says(effects) == [PHRASES[PhonePhrase.SILENCE]["fr"]]
    [words] = of(o.Say, scene.keys("0"))
    effects = scene.notice(n.ReplyDone(words.reply_id, "completed"))
    assert of(c.Transfer, effects)


def test_zero_reaches_a_human_without_words_when_words_fail() -> None:
    scene = Scene().talking()
    scene.keys("0")
    effects = scene.wait(LAST_WORDS_S)
    assert of(c.Transfer, effects)
    scene = Scene().talking()
    [words] = of(o.Say, scene.keys("0"))
    effects = scene.notice(n.ReplyDone(words.reply_id, "cancelled", "client_cancelled"))
    assert of(c.Transfer, effects)


def test_without_a_human_the_caller_is_told() -> None:
    scene = Scene(replace(LINE, human="")).talking()
    assert says(scene.keys("0")) == [PHRASES[PhonePhrase.NOBODY]["fr"]]
    assert scene.flow.stage is Stage.TALKING
    scene.flow.stage = Stage.LEAVING
    assert scene.keys("0") == []


def test_a_key_chooses_the_language() -> None:
    scene = Scene()
    scene.start()
    effects = scene.keys("2")
    assert [one.language for one in of(o.Configure, effects)] == ["nl"]
    scene = Scene().talking()
    effects = scene.keys("2")
    assert says(effects) == [PHRASES[PhonePhrase.CHOSEN]["nl"]]
    assert scene.flow.language == "nl"


def test_keys_enter_a_number() -> None:
    scene = Scene().talking()
    assert scene.keys("34501") == []
    assert scene.wait(KEYS_S) == [o.Cancel(), Typed("34501")]
    assert of(Typed, scene.keys("4450#")) == [Typed("4450")]
    assert scene.keys("45*") == []
    assert scene.wait(KEYS_S) == []
    assert scene.keys("45") == []
    assert scene.wait(KEYS_S) == []
    assert of(Typed, scene.keys("9" * 50 + "#")) == [Typed("9" * 20)]


def test_once_a_language_is_chosen_its_key_may_begin_a_number() -> None:
    scene = Scene().talking()
    assert of(o.Configure, scene.keys("2"))
    assert of(Typed, scene.keys("10426#")) == [Typed("10426")]
    assert scene.keys("1") == []
    assert of(o.Configure, scene.wait(KEYS_S))[0].language == "fr"
    assert of(o.Configure, scene.keys("2#"))[0].language == "nl"


def test_keys_may_hold_what_is_a_language_or_a_human_elsewhere() -> None:
    scene = Scene().talking()
    assert of(Typed, scene.keys("40201#")) == [Typed("40201")]


def test_hash_skips_what_is_being_said() -> None:
    assert Scene().talking().keys("#") == [o.Cancel()]


def test_keys_mean_nothing_when_leaving() -> None:
    scene = Scene().talking()
    scene.keys("45")
    scene.keys("#")
    scene.keys("6")
    assert of(o.Say, scene.flow.hand_over({"reason": "asked"}, scene.now))
    assert scene.keys("2#") == []
    assert scene.wait(KEYS_S + 0.1) == []


def test_keys_may_come_as_tones() -> None:
    scene = Scene(replace(LINE, tones=True)).talking()
    audio = tones("0", 8000)
    effects: list[Any] = []
    for start in range(0, audio.size, 160):
        effects += scene.event(c.Media(c.ULAW_8K.encode(audio[start : start + 160])))
    assert says(effects) == [PHRASES[PhonePhrase.CONNECTING]["fr"]]


def test_the_dialogue_announces_a_human_and_the_transfer_follows() -> None:
    scene = Scene().talking()
    assert scene.flow.hand_over_after_reply({"reason": "asked"}, scene.now)
    effects = scene.notice(n.ReplyDone("r9", "completed"))
    summary = "Transferred by the voice assistant. The customer speaks French."
    details = {"language": "fr", "reason": "asked", "summary": summary}
    assert of(c.Transfer, effects) == [c.Transfer(LINE.human, details)]
    assert scene.flow.stage is Stage.OVER


def test_an_announcement_that_was_cut_or_never_came_is_made_by_us() -> None:
    scene = Scene().talking()
    scene.flow.hand_over_after_reply({}, scene.now)
    effects = scene.notice(n.ReplyDone("r9", "cancelled", "turn_detected"))
    assert says(effects) == [PHRASES[PhonePhrase.CONNECTING]["fr"]]
    scene = Scene().talking()
    scene.flow.hand_over_after_reply({}, scene.now)
    assert says(scene.wait(LAST_WORDS_S)) == [PHRASES[PhonePhrase.CONNECTING]["fr"]]
    scene = Scene().talking()
    scene.flow.hand_over_after_reply({}, scene.now)
    scene.keys("0")
    assert of(c.Transfer, scene.notice(n.ReplyDone("r9", "completed"))) == []


def test_no_human_is_promised_where_there_is_none() -> None:
    assert not Scene(replace(LINE, human="")).talking().flow.hand_over_after_reply({}, 0.0)
    assert not Scene().flow.hand_over_after_reply({}, 0.0)


# -------------------------------------------------------------------- hearing


def test_the_caller_is_heard_at_16_khz_whatever_the_line_has() -> None:
    for codec in (c.ULAW_8K, c.PCM_16K, c.PCM_24K):
        scene = Scene()
        scene.start(replace(STARTED, codec=codec))
        time = np.arange(codec.rate) / codec.rate
        tone = (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
        heard = []
        for start in range(0, codec.rate, codec.rate // 50):
            piece = codec.encode(tone[start : start + codec.rate // 50])
            heard += [order.audio for order in of(o.Hear, scene.event(c.Media(piece)))]
        sound = np.concatenate(heard)
        assert abs(sound.size - 16000) < 330
        spectrum = np.abs(np.fft.rfft(sound[4000:12000]))
        assert int(spectrum.argmax()) * 2 == 440


def test_lost_sound_becomes_silence_of_its_length() -> None:
    scene = Scene().talking()
    told, hear = scene.event(c.Gap(120.0))
    assert isinstance(told, Log)
    assert hear.audio.size == 1920
    assert not hear.audio.any()
    [hear] = scene.event(c.Gap(5000.0))
    assert hear.audio.size == 16000
    assert scene.flow.tally.lost_ms == 5120


def test_the_codec_may_change() -> None:
    scene = Scene().talking()
    scene.event(c.CodecChanged(c.PCM_16K))
    assert of(o.Hear, scene.event(c.Media(bytes(640))))
    [sent] = of(c.SendAudio, scene.notice(n.ReplyAudio("r", 0.0, voice(20))))
    assert len(sent.data) == 640


def test_hold_stops_the_clock_and_the_watch() -> None:
    scene = Scene().talking()
    assert of(o.Hold, scene.event(c.Hold(on=True)))
    assert scene.event(c.Hold(on=True)) == []
    assert scene.wait(SILENT_S + 1) == []
    assert of(o.Resume, scene.event(c.Hold(on=False)))
    scene.event(c.Hold(on=True))
    scene.flow._deadlines.clear()
    assert of(Over, scene.wait(HELD_S))


# --------------------------------------------------------------------- ending


def test_a_line_without_a_call_is_closed() -> None:
    scene = Scene()
    effects = scene.wait(START_S)
    assert of(c.HangUp, effects)
    assert of(Over, effects) == [Over("no call")]
    assert scene.flow.next_deadline() is None
    assert scene.flow.tick(scene.now) == []
    assert scene.flow.end("again", scene.now) == []


def test_a_vendor_that_falls_silent_is_gone() -> None:
    scene = Scene().talking()
    scene.wait(SILENT_S - 1)
    scene.event(c.Media(bytes(160)))
    assert of(Over, scene.wait(SILENT_S - 1)) == []
    assert of(Over, scene.wait(2))


def test_a_silent_caller_is_prompted_twice_and_then_said_goodbye() -> None:
    scene = Scene().talking()
    assert scene.notice(n.IdleTimeout("i", 0, 0)) == []
    scene.notice(n.UtteranceCommitted("u", None))
    assert [scene.notice(n.IdleTimeout("i", 0, 0)) for _ in range(2)] == [[], []]
    [words] = of(o.Say, scene.notice(n.IdleTimeout("i", 0, 0)))
    assert scene.notice(n.IdleTimeout("i", 0, 0)) == []
    effects = scene.notice(n.ReplyDone(words.reply_id, "completed"))
    assert of(c.HangUp, effects) == [c.HangUp("the caller was silent")]


def test_the_longest_call_ends_with_words() -> None:
    scene = Scene(replace(LINE, longest_s=10)).talking()
    effects = scene.wait(10)
    assert says(effects) == [PHRASES[PhonePhrase.LONG]["fr"]]
    scene = Scene(replace(LINE, longest_s=10)).talking()
    scene.keys("0")
    assert says(scene.wait(10.5)) == []


def test_faults_are_told_a_few_times_and_counted() -> None:
    scene = Scene().talking()
    told = [of(Log, scene.event(c.Fault("odd"))) for _ in range(FAULTS_TOLD + 3)]
    assert [len(each) for each in told] == [1] * FAULTS_TOLD + [0] * 3
    effects = scene.event(c.Stopped("bye"))
    assert [each.text for each in of(Log, effects)] == ["3 more faults"]
    assert scene.flow.tally.reason == "bye"


def test_a_fatal_fault_ends_the_call() -> None:
    scene = Scene().talking()
    effects = scene.event(c.Fault("broken", fatal=True))
    assert of(c.HangUp, effects)
    assert of(Over, effects)


def test_the_conversations_end_is_the_calls_end() -> None:
    scene = Scene().talking()
    assert of(c.HangUp, scene.notice(n.Closed("done")))
    assert scene.notice(n.Closed("done")) == []


def test_notices_that_say_nothing_to_a_phone_are_left_alone() -> None:
    scene = Scene().talking()
    assert scene.notice(n.SpeechStarted("i", 0)) == []
    assert scene.event(c.Answer("x")) == []


def test_the_tally_knows_the_call() -> None:
    scene = Scene().talking()
    heard = Transcript("Goedemorgen", "nl", 0.9, -0.2, 0.0, 900)
    scene.notice(n.UtteranceCommitted("u", None))
    scene.notice(n.TranscriptFinal("u", heard))
    scene.notice(n.TranscriptFinal("u", replace(heard, language="es")))
    scene.notice(n.TurnTimings("u", "r", 300.0, 20.0, 30.0, 200.0, 5.0, True, "opener"))
    scene.notice(n.TurnTimings("u", "r", 300.0, 20.0, 900.0, 200.0, 5.0, True, "content"))
    tally = scene.flow.tally
    assert (tally.language, tally.turns, tally.voice_to_voice_ms) == ("nl", 1, [555.0])


def test_a_human_cannot_be_reached_before_the_call() -> None:
    assert Scene().flow.hand_over({}, 100.0) == []


# ------------------------------------------------------------------- speaking


def voice(ms: float) -> Audio:
    return np.full(round(ms * SPEAKING_RATE / 1000), 0.1, np.float32)


def sound_ms(effects: list[Any], codec: c.Codec = c.ULAW_8K) -> float:
    return sum(len(one.data) for one in of(c.SendAudio, effects)) / codec.frame_bytes(1)


def test_speech_goes_out_in_frames_with_marks() -> None:
    speaking = Speaking(CLOUD, c.ULAW_8K)
    sent: list[Any] = []
    for piece in range(25):
        sent += speaking.audio(n.ReplyAudio("r", piece * 20.0, voice(20)), 0.0)
    assert {len(one.data) for one in of(c.SendAudio, sent)} == {160}
    assert sound_ms(sent) == 500
    assert len(of(c.Mark, sent)) == 500 // MARK_EVERY_MS
    first, _ = of(c.Mark, sent)
    assert speaking.marked(first.name) == o.Heard("r", 200.0)
    assert speaking.marked(first.name) is None
    [last] = of(c.Mark, speaking.done(n.ReplyDone("r", "completed")))
    assert speaking.marked(last.name) == o.Heard("r", 500.0)
    assert speaking.done(n.ReplyDone("r", "completed")) == []


def test_a_pause_clears_and_what_was_cleared_says_nothing() -> None:
    speaking = Speaking(CLOUD, c.ULAW_8K)
    sent: list[Any] = []
    for piece in range(20):
        sent += speaking.audio(n.ReplyAudio("r", piece * 20.0, voice(20)), 0.0)
    assert speaking.paused() == [c.Clear()]
    assert speaking.paused() == []
    assert [speaking.marked(mark.name) for mark in of(c.Mark, sent)] == [None, None]
    # It was a cough: speech comes again from where it was heard, all of it.
    assert speaking.resumed(n.OutputResumed("r", 250.0)) == []
    again = speaking.audio(n.ReplyAudio("r", 250.0, voice(20)), 0.0)
    assert sound_ms(again) == 20
    assert speaking.done(n.ReplyDone("r", "cancelled", "turn_detected")) == [c.Clear()]


def test_an_unannounced_pause_says_nothing_twice() -> None:
    """The line still holds what lies between the heard position and the sent one."""
    speaking = Speaking(CLOUD, c.ULAW_8K)
    for piece in range(10):
        speaking.audio(n.ReplyAudio("r", piece * 20.0, voice(20)), 0.0)
    speaking.resumed(n.OutputResumed("r", 130.0))
    sent: list[Any] = []
    for piece in range(5):
        sent += speaking.audio(n.ReplyAudio("r", 130.0 + piece * 20.0, voice(20)), 0.0)
    sent += speaking.flush()
    assert sound_ms(sent) == pytest.approx(30, abs=10.1)


def test_less_than_a_frame_waits_a_little_for_more() -> None:
    scene = Scene().talking()
    assert of(c.SendAudio, scene.notice(n.ReplyAudio("r", 0.0, voice(10)))) == []
    assert sound_ms(scene.wait(0.07)) == 20
    assert of(c.SendAudio, scene.wait(1)) == []
    scene.notice(n.ReplyAudio("r", 10.0, voice(10)))
    assert sound_ms(scene.notice(n.ReplyAudio("r", 20.0, voice(10)))) == 20
    scene.notice(n.OutputPaused("r", 5.0))
    scene.notice(n.OutputResumed("r", 5.0))
    assert sound_ms(scene.notice(n.ReplyAudio("r", 5.0, voice(20)))) == 20


def test_genesys_gets_long_pieces_and_no_marks() -> None:
    features = c.Features(clears=True, frame_ms=200)
    speaking = Speaking(features, c.ULAW_8K)
    sent: list[Any] = []
    for piece in range(25):
        sent += speaking.audio(n.ReplyAudio("r", piece * 20.0, voice(20)), 0.0)
    assert [len(one.data) for one in sent] == [1600, 1600]
    last = of(c.SendAudio, speaking.done(n.ReplyDone("r", "completed")))
    assert [len(one.data) for one in last] == [1600]


def test_marks_are_forgotten_when_nobody_returns_them() -> None:
    speaking = Speaking(CLOUD, c.ULAW_8K)
    sent: list[Any] = []
    for piece in range(120):
        sent += speaking.audio(n.ReplyAudio("r", piece * 200.0, voice(200)), 0.0)
    marks = of(c.Mark, sent)
    assert speaking.marked(marks[0].name) is None
    assert speaking.marked(marks[-1].name) is not None


def test_marks_become_heard_orders() -> None:
    scene = Scene().talking()
    effects: list[Any] = []
    for piece in range(10):
        effects += scene.notice(n.ReplyAudio("r", piece * 20.0, voice(20)))
    [mark] = of(c.Mark, effects)
    assert scene.event(c.MarkReached(mark.name)) == [o.Heard("r", 200.0)]
    assert scene.event(c.MarkReached("other")) == []


# ---------------------------------------------------------------------- lines


def test_a_line_is_found_however_its_number_is_written() -> None:
    any_line = replace(LINE, number="", name="any")
    for called in ("+3225550123", "3225550123", "003225550123", "+32 2 555 01 23"):
        assert find_line([any_line, LINE], called, "twilio") is LINE
    assert find_line([any_line, LINE], "+33", "twilio") is any_line
    assert find_line([LINE], "", "twilio") is None
    other = replace(LINE, vendor="genesys")
    assert find_line([other], "+3225550123", "twilio") is None
    assert find_line([other], "+3225550123", "genesys") is other


def test_numbers_are_masked() -> None:
    assert (masked("+32470123456"), masked("1234"), masked("")) == ("…56", "…", "unknown")
    assert digits("0032 2") == "322"


def test_every_phrase_is_there_in_every_language() -> None:
    for which in PhonePhrase:
        for language in ("fr", "nl", "de", "en"):
            assert phrase(which, language, key="2")
    assert phrase(PhonePhrase.LONG, "it") == PHRASES[PhonePhrase.LONG]["en"]
    offers = PHRASES[PhonePhrase.CHOICE].values()
    assert all("7" in offer.format(key="7") for offer in offers)
