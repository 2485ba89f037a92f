"""The conversation shell with fake engines, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from tests.conversation.stage import Stage
from tests.fakes.engines import FakeDialogue, FakeEndOfTurn, FakeStt, FakeTts
from tests.virtual_time import run
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.services import ConversationOptions


def test_a_spoken_question_is_answered_in_the_documented_order() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("what does it cost?"))
        async with stage.open():
            await stage.say(1000, 3500)
        return stage

    stage = run(scene())
    kinds = stage.kinds()
    expected = [
        "SpeechStarted", "SpeechStopped", "UtteranceCommitted", "TranscriptFinal", "ReplyStarted",
        "ClauseText", "ReplyAudio", "TurnTimings",
    ]  # fmt: skip
    assert [k for k in kinds if k in expected][: len(expected)] == expected
    done = stage.only(n.ReplyDone)
    assert done.status == "completed"
    assert done.text == "You said what does it cost? Anything else I can do?"
    assert stage.audio_ms() == pytest.approx(11 * 250, abs=1)
    items = stage.conversation.history.items
    assert [(i.role, i.text) for i in items] == [
        ("user", "what does it cost?"),
        ("assistant", done.text),
    ]


def test_the_reply_is_ready_when_the_turn_is_committed() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open():
            await stage.say(1000, 2500)
        return stage

    stage = run(scene())
    timings = stage.only(n.TurnTimings)
    assert timings.speculative
    total = (
        timings.end_of_turn_ms + timings.transcript_ms + timings.clause_ms
        + timings.audio_ms + timings.send_ms
    )  # fmt: skip
    assert 250 <= total <= 420
    assert stage.at(n.ReplyAudio)[0] == pytest.approx(1.0 + total / 1000, abs=0.05)


def test_the_dialogue_gets_ready_while_the_user_speaks() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("what does the lamp cost?"))
        async with stage.open():
            await stage.say(1500, 4500)
        return stage

    stage = run(scene())
    assert stage.dialogue.foreseen
    assert all(request.speculative for request in stage.dialogue.foreseen)
    assert stage.only(n.ReplyDone).status == "completed"


def test_audio_is_paced_ahead_by_the_lead_only() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open():
            await stage.say(1000, 3500)
        return stage

    stage = run(scene())
    start = stage.at(n.ReplyAudio)[0]
    for when, notice in stage.notices:
        if isinstance(notice, n.ReplyAudio):
            end = notice.offset_ms + notice.audio.size / 24
            assert end <= (when - start) * 1000 + 100 + 1


def test_an_interruption_cancels_and_cuts_history_to_what_was_heard() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("one two three four five six"))
        async with stage.open():
            await stage.say(1000, 1200)
            stage.stt.next_line()
            stage.stt.lines = ["stop that please"]
            stage.stt.partial = "stop that"
            await stage.say(900, 4000)
        return stage

    stage = run(scene())
    cancelled = [d for d in stage.all(n.ReplyDone) if d.status == "cancelled"]
    assert len(cancelled) == 1
    assert cancelled[0].reason == "turn_detected"
    truncated = stage.all(n.ItemTruncated)[0]
    kept = stage.conversation.history.get(truncated.item_id)
    assert kept.text == truncated.text
    assert kept.text is not None
    assert "You said one two three four five six".startswith(kept.text)
    assert kept.text != "You said one two three four five six"
    # The second voice began at 2.2 s: nothing was sent later than 100 ms after it.
    stopped = stage.at(n.ItemTruncated)[0]
    first_reply = stage.all(n.ReplyStarted)[0].reply_id
    last = max(
        when
        for when, notice in stage.notices
        if isinstance(notice, n.ReplyAudio) and notice.reply_id == first_reply
    )
    assert last <= 2.2 + 0.1
    assert stopped <= 2.2 + 0.7
    assert stage.all(n.TranscriptFinal)[-1].transcript.text == "stop that please"
    assert stage.all(n.ReplyStarted)[1].reply_id != first_reply


@pytest.mark.parametrize("words", ["mhm", "oui oui", "ja ja", "", "okay"])
def test_a_backchannel_or_noise_does_not_kill_the_reply(words: str) -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("one two three four five six seven"))
        async with stage.open():
            await stage.say(1000, 1200)
            stage.stt.lines = [words]
            await stage.say(320, 4000)
        return stage

    stage = run(scene())
    done = stage.only(n.ReplyDone)
    assert done.status == "completed"
    assert len(stage.all(n.SpeechStarted)) == 1
    assert len(stage.all(n.OutputPaused)) == 1
    # From the same sample: the offsets are contiguous.
    position = 0.0
    for audio in stage.all(n.ReplyAudio):
        assert audio.offset_ms == pytest.approx(position, abs=0.1)
        position += audio.audio.size / 24


def test_a_blip_pauses_nothing_that_anybody_hears() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("one two three four five six seven"))
        async with stage.open():
            await stage.say(1000, 1200)
            await stage.say(25, 4000)
        return stage

    stage = run(scene())
    assert stage.only(n.ReplyDone).status == "completed"
    assert not stage.all(n.OutputPaused)


def test_a_client_that_flushes_gets_the_unheard_rest_again() -> None:
    async def scene() -> Stage:
        stage = Stage(
            stt=FakeStt("one two three four five six seven"),
            options=ConversationOptions("sess_test", flushes=True, lead_ms=400),
        )
        async with stage.open():
            await stage.say(1000, 1200)
            stage.stt.lines = ["mhm"]
            await stage.say(320, 4000)
        return stage

    stage = run(scene())
    paused, resumed = stage.only(n.OutputPaused), stage.only(n.OutputResumed)
    assert resumed.offset_ms == pytest.approx(paused.heard_ms, abs=1)
    assert stage.only(n.ReplyDone).status == "completed"


def test_a_pause_inside_the_utterance_does_not_end_it() -> None:
    async def scene() -> Stage:
        stage = Stage(end_of_turn=FakeEndOfTurn(0.05))
        async with stage.open():
            await stage.say(800, 400)
            await stage.say(800, 5000)
        return stage

    stage = run(scene())
    assert len(stage.all(n.UtteranceCommitted)) == 1
    assert len(stage.all(n.ReplyStarted)) == 1
    assert len(stage.dialogue.requests) == 2  # the first was speculative and died


def test_a_slow_dialogue_gets_a_filler_then_the_answer() -> None:
    async def scene() -> Stage:
        stage = Stage(dialogue=FakeDialogue(delay_s=2.5))
        async with stage.open():
            await stage.say(1000, 8000)
        return stage

    stage = run(scene())
    texts = [c.clause.text for c in stage.all(n.ClauseText)]
    assert texts[0] == "<filler>"
    assert texts[1] == "You said hello there"
    first = stage.at(n.ReplyAudio)[0]
    assert first <= 1.0 + 0.3 + 1.2 + 0.2
    assert stage.only(n.ReplyDone).status == "completed"


def test_a_stalled_dialogue_is_excused_and_the_next_turn_works() -> None:
    async def scene() -> Stage:
        stage = Stage(dialogue=FakeDialogue(delay_s=3600))
        async with stage.open():
            await stage.say(1000, 9000)
            stage.dialogue.delay_s = 0.02
            await stage.say(1000, 3000)
        return stage

    stage = run(scene())
    texts = [c.clause.text for c in stage.all(n.ClauseText)]
    assert "<apology_answer>" in texts
    assert texts[-1] == "Anything else I can do?"
    assert all(d.status == "completed" for d in stage.all(n.ReplyDone))


def test_a_failing_recogniser_asks_to_repeat() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open():
            stage.stt.fail = True
            await stage.say(1000, 2500)
            stage.stt.fail = False
            await stage.say(1000, 3000)
        return stage

    stage = run(scene())
    texts = [c.clause.text for c in stage.all(n.ClauseText)]
    assert texts[0] == "<apology_repeat>"
    assert "You said hello there" in texts
    assert stage.all(n.TranscriptFailed)


def test_a_stalled_recogniser_gets_a_filler_and_an_apology() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("hello", delay_s=3600))
        async with stage.open():
            await stage.say(1000, 9000)
        return stage

    stage = run(scene())
    texts = [c.clause.text for c in stage.all(n.ClauseText)]
    assert texts == ["<filler>", "<apology_repeat>"]


def test_a_late_transcript_is_still_answered_in_the_reply_with_the_filler() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("hello", delay_s=2.5))
        async with stage.open():
            await stage.say(1000, 9000)
        return stage

    stage = run(scene())
    texts = [c.clause.text for c in stage.all(n.ClauseText)]
    assert texts == ["<filler>", "You said hello", "Anything else I can do?"]
    assert len(stage.all(n.ReplyStarted)) == 1


def test_a_failing_synthesiser_ends_in_a_failed_reply_not_in_silence() -> None:
    async def scene() -> Stage:
        tts = FakeTts()
        tts.fail_after = 0
        stage = Stage(tts=tts)
        async with stage.open():
            await stage.say(1000, 3000)
            tts.fail_after = None
            await stage.say(1000, 3000)
        return stage

    stage = run(scene())
    first, second = stage.all(n.ReplyDone)
    assert (first.status, first.reason) == ("failed", "error")
    assert second.status == "completed"
    assert [t.stage for t in stage.all(n.Trouble)][:2] == ["tts", "tts"]


def test_a_synthesiser_that_stalls_once_is_excused() -> None:
    async def scene() -> Stage:
        tts = FakeTts()
        tts.stall = True
        stage = Stage(tts=tts)
        async with stage.open():
            await stage.say(1000, 1000)
            await stage.quiet(1500)
            tts.stall = False
            await stage.quiet(4000)
        return stage

    stage = run(scene())
    assert stage.only(n.ReplyDone).status == "completed"
    assert "<apology_answer>" in [c.clause.text for c in stage.all(n.ClauseText)]


def test_push_to_talk_commits_and_replies_on_request() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open(detection="none"):
            await stage.say(1000)
            stage.conversation.order(o.CommitAudio("item_mine"))
            stage.conversation.order(o.Respond("resp_mine"))
            await asyncio.sleep(3)
        return stage

    stage = run(scene())
    assert stage.only(n.UtteranceCommitted).item_id == "item_mine"
    assert stage.only(n.ReplyStarted).reply_id == "resp_mine"
    assert stage.only(n.ReplyDone).text.startswith("You said hello there")
    assert not stage.all(n.SpeechStarted)


def test_an_idle_user_is_prompted() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open(idle_timeout_ms=3000):
            await stage.quiet(4500)
        return stage

    stage = run(scene())
    assert stage.at(n.IdleTimeout)[0] == pytest.approx(3.0, abs=0.1)
    assert stage.all(n.ClauseText)[0].clause.text == "<idle>"


def test_a_held_session_neither_speaks_nor_forgets() -> None:
    async def scene() -> tuple[Stage, float]:
        stage = Stage(stt=FakeStt("one two three four five six seven"))
        async with stage.open():
            await stage.say(1000, 1000)
            stage.conversation.order(o.Hold())
            sent = stage.audio_ms()
            await asyncio.sleep(30)
            assert stage.audio_ms() == sent
            stage.conversation.order(o.Resume(position_ms=sent - 100))
            await stage.quiet(5000)
        return stage, sent

    stage, sent = run(scene())
    done = stage.only(n.ReplyDone)
    assert done.status == "completed"
    resumed = stage.only(n.OutputResumed)
    assert resumed.offset_ms == pytest.approx(sent - 100, abs=1)


def test_transcription_only_never_replies() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open():
            stage.conversation.order(
                o.Configure(o.TurnOptions(), o.ReplyOptions(), reply_enabled=False)
            )
            await stage.say(1000, 2000)
        return stage

    stage = run(scene())
    assert stage.only(n.TranscriptFinal).transcript.text == "hello there"
    assert not stage.all(n.ReplyStarted)


def test_text_modality_needs_no_voice() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open(detection="none"):
            stage.conversation.order(o.Respond("resp_1", o.ReplyOptions(modality="text")))
            await asyncio.sleep(1)
        return stage

    stage = run(scene())
    assert stage.only(n.ReplyDone).status == "completed"
    assert not stage.tts.spoken
    assert len(stage.all(n.ClauseText)) == 2


def test_cancel_stops_the_reply() -> None:
    async def scene() -> Stage:
        stage = Stage(stt=FakeStt("one two three four five six seven"))
        async with stage.open():
            await stage.say(1000, 1200)
            stage.conversation.order(o.Cancel())
            await stage.quiet(2000)
        return stage

    stage = run(scene())
    done = stage.only(n.ReplyDone)
    assert (done.status, done.reason) == ("cancelled", "client_cancelled")


def test_an_out_of_band_reply_leaves_the_history_alone() -> None:
    async def scene() -> Stage:
        stage = Stage()
        async with stage.open(detection="none"):
            options = o.ReplyOptions(modality="text", out_of_band=True)
            stage.conversation.order(o.Respond("resp_oob", options))
            await asyncio.sleep(1)
        return stage

    stage = run(scene())
    assert stage.only(n.ReplyStarted).out_of_band
    assert stage.only(n.ReplyDone).status == "completed"
    assert not stage.conversation.history.items
