"""A conversation from the visitor's chair and from the server's: what is shown, what is sent."""

from __future__ import annotations

import itertools
import statistics

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.steps import (
    PATIENCE_MS,
    ask,
    events,
    greeted,
    part,
    passed,
    state_is,
    talk,
    visit,
)
from tests.fakes.realtime_server import Spoken

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LONG = (Spoken("First words.", 3500), Spoken("Then many more of them.", 6000))


async def test_session_is_opened_as_the_protocol_says(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await greeted(page, site.realtime)
    fake = site.realtime
    assert fake.connections == [
        {"extensions": "binary,captions,citations,playback,resume", "language": "en"}
    ]
    assert fake.protocols == ["realtime"]
    update, greeting = fake.received[0], fake.received[1]
    assert update == {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"language": None},
                    "turn_detection": {"type": "semantic_vad"},
                }
            },
        },
    }
    assert greeting == {"type": "response.create"}
    await expect(part(page, ".assistant")).to_contain_text("I am the shop's AI assistant.")


async def test_spoken_question_is_heard_transcribed_and_answered(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.greeting = (Spoken("Hi.", 200),)
    fake.script.deaf = False
    await visit(page, site.url)
    await talk(page)
    await expect(part(page, ".user")).to_have_text("How much is the lamp?", timeout=PATIENCE_MS)
    await passed(page, "speaking")
    await expect(part(page, ".assistant").last).to_contain_text("It costs €49.90.")
    await expect(part(page, ".assistant").last).to_contain_text(
        "It is in stock.", timeout=PATIENCE_MS
    )
    await state_is(page, "listening")
    sizes = {len(frame) for frame in fake.audio_frames}
    assert sizes == {960}, "frames of 20 ms PCM16 at 24 kHz"
    said = await events(page, "voice-transcript")
    partials = [e["text"] for e in said if e["role"] == "user" and not e["final"]]
    assert "How much is the " in partials
    assert {"role": "user", "text": "How much is the lamp?", "final": True}.items() <= next(
        e for e in said if e["role"] == "user" and e["final"]
    ).items()
    await passed(page, "connecting", "thinking", "listening", "thinking", "speaking", "listening")


async def test_captions_follow_the_sound(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.answer = (Spoken("One.", 3000), Spoken("Two.", 3000, "fr"))
    await visit(page, site.url)
    await greeted(page, fake)
    await ask(page, "Count.")
    caption = part(page, ".assistant").last
    await expect(caption).to_have_text("One. ", timeout=PATIENCE_MS)
    await expect(part(page, ".clause.current")).to_have_text("One. ")
    await site.realtime.until(lambda: _played(site) >= 3000)
    await expect(part(page, ".clause.current")).to_have_text("Two. ")
    await expect(part(page, ".clause.current")).to_have_attribute("lang", "fr")
    await state_is(page, "listening")
    await expect(part(page, ".clause.current")).to_have_count(0)


def _played(site: Site) -> int:
    reports = site.realtime.of_type("voice_server.playback")
    mine = [e for e in reports if e["response_id"] == site.realtime.response_id]
    return int(mine[-1]["position_ms"]) if mine else 0


async def test_playback_is_reported_as_it_is_heard(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.greeting = (Spoken("A greeting of one and a half seconds.", 1500),)
    await visit(page, site.url)
    await greeted(page, fake)
    reports = [e["position_ms"] for e in fake.of_type("voice_server.playback")]
    assert reports == sorted(reports)
    assert len(reports) >= 10
    assert reports[-1] == pytest.approx(1500, abs=25)
    gaps = [later - earlier for earlier, later in itertools.pairwise(reports)]
    assert statistics.median(gaps) == pytest.approx(120, abs=80), "about every 100 ms"


async def test_pause_is_silence_and_resume_continues_from_the_same_place(
    page: Page, site: Site
) -> None:
    fake = site.realtime
    fake.script.answer = LONG
    await visit(page, site.url)
    await greeted(page, fake)
    await ask(page, "Tell me everything.")
    await site.realtime.until(lambda: _played(site) > 300)
    await fake.pause(heard_ms=1200)
    await state_is(page, "paused")
    before = len(fake.of_type("voice_server.playback"))
    await page.wait_for_timeout(300)
    assert len(fake.of_type("voice_server.playback")) == before, "nothing is played while held"
    await fake.go_on(offset_ms=1200)
    await passed(page, "paused", "speaking")
    await site.realtime.until(lambda: len(fake.of_type("voice_server.playback")) > before + 3)
    after = [e["position_ms"] for e in fake.of_type("voice_server.playback")[before:]]
    assert after[0] == pytest.approx(1250, abs=150)


async def test_barge_in_stops_the_sound_and_keeps_what_was_heard(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.answer = LONG
    await visit(page, site.url)
    await greeted(page, fake)
    await ask(page, "Tell me everything.")
    await state_is(page, "speaking")
    await expect(part(page, ".assistant").last).to_contain_text("First words.")
    await fake.barge_in()
    await state_is(page, "listening")
    reports = len(fake.of_type("voice_server.playback"))
    await page.wait_for_timeout(300)
    assert len(fake.of_type("voice_server.playback")) <= reports + 1
    await expect(part(page, ".assistant").last).to_contain_text("interrupted")
    await expect(part(page, ".assistant").last).not_to_contain_text("many more")


async def test_server_truncation_removes_the_unheard_clauses(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.answer = (Spoken("Heard.", 500), Spoken("Not heard.", 500))
    await visit(page, site.url)
    await greeted(page, fake)
    await ask(page, "Hm?")
    caption = part(page, ".assistant").last
    await expect(caption).to_contain_text("Not heard.", timeout=PATIENCE_MS)
    item = fake.of_type("voice_server.playback")[-1]["response_id"]
    added = next(
        e
        for e in fake.session_log()
        if e["type"] == "response.output_item.added" and e["response_id"] == item
    )
    await fake.say(
        "conversation.item.truncated",
        item_id=added["item"]["id"],
        content_index=0,
        audio_end_ms=500,
    )
    await expect(caption).not_to_contain_text("Not heard.")
    await expect(caption).to_contain_text("Heard.")


async def test_stop_button_cancels_the_reply(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.answer = LONG
    await visit(page, site.url)
    await greeted(page, fake)
    await ask(page, "Tell me everything.")
    await state_is(page, "speaking")
    await part(page, ".orb").click()
    await state_is(page, "listening")
    await site.realtime.until(lambda: bool(fake.of_type("response.cancel")))


async def test_typed_first_question_replaces_the_greeting(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await page.get_by_role("button", name="How much is the Oslo lamp?").click()
    await expect(part(page, ".assistant")).to_contain_text("It costs €49.90.", timeout=PATIENCE_MS)
    created = fake.of_type("conversation.item.create")
    assert [e["item"]["content"][0]["text"] for e in created] == ["How much is the Oslo lamp?"]
    assert len(fake.of_type("response.create")) == 1


async def test_mute_sends_silence_and_not_nothing(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    await part(page, ".mute").click()
    await state_is(page, "ready")
    await expect(part(page, ".hint")).to_have_text("Your microphone is off")
    await page.wait_for_timeout(100)
    before = len(fake.audio_frames)
    await page.wait_for_timeout(400)
    frames = fake.audio_frames[before:]
    assert len(frames) >= 10
    assert all(frame == bytes(960) for frame in frames)


async def test_press_to_talk_sends_only_what_is_said_while_pressed(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await page.evaluate("document.querySelector('voice-button').setAttribute('mode', 'press')")
    await talk(page)
    await passed(page, "speaking")
    await state_is(page, "ready")
    assert fake.received[0]["session"]["audio"]["input"]["turn_detection"] is None
    assert fake.audio_frames == []
    await part(page, ".orb").hover()
    await page.mouse.down()
    await state_is(page, "listening")
    await page.wait_for_timeout(600)
    await page.mouse.up()
    await passed(page, "speaking", "ready", "listening", "thinking", "speaking")
    kinds = [e["type"] for e in fake.received]
    first = kinds.index("input_audio_buffer.clear")
    spoken = [kind for kind in kinds[first:] if "playback" not in kind]
    assert spoken == ["input_audio_buffer.clear", "input_audio_buffer.commit", "response.create"]
    assert 30 <= len(fake.audio_frames) <= 150, "0.2 s before, 0.6 s pressed, 0.14 s after"
    await expect(part(page, ".user")).to_have_text("How much is the lamp?")


async def test_a_slip_of_the_finger_is_no_question(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await page.evaluate("document.querySelector('voice-button').setAttribute('mode', 'press')")
    await talk(page)
    await passed(page, "speaking")
    await state_is(page, "ready")
    await part(page, ".orb").click()
    await expect(part(page, ".notice p")).to_have_text("Hold the button while you speak.")
    await state_is(page, "ready")
    assert fake.of_type("input_audio_buffer.commit") == []


async def test_language_selector_tells_the_server_and_changes_the_words(
    page: Page, site: Site
) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    await part(page, "select").select_option("nl")
    await site.realtime.until(lambda: len(fake.of_type("session.update")) == 2)
    heard = fake.of_type("session.update")[1]["session"]["audio"]["input"]
    assert heard == {"transcription": {"language": "nl"}}
    await expect(part(page, ".status strong")).to_have_text("Ik luister")
    await expect(part(page, ".end")).to_have_attribute("aria-label", "Stoppen")


async def test_mode_switch_tells_the_server(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    await page.get_by_role("radio", name="Press to talk").check()
    await state_is(page, "ready")
    await page.get_by_role("radio", name="Hands-free").check()
    await state_is(page, "listening")
    changes = [
        e["session"]["audio"]["input"]["turn_detection"] for e in fake.of_type("session.update")
    ]
    assert changes == [{"type": "semantic_vad"}, None, {"type": "semantic_vad"}]


async def test_cards_and_sources_come_with_their_clause(page: Page, site: Site) -> None:
    fake = site.realtime
    card = {
        "product_id": "luna",
        "name": "<b>Luna</b>",
        "price": "€50.90",
        "was_price": "",
        "stock": "",
        "image": "javascript:alert(1)",
        "url": "javascript:alert(2)",
    }
    source = {
        "source_id": "s",
        "title": "Sheet <i>",
        "excerpt": "Facts.",
        "url": "data:text/html,x",
    }
    fake.script.answer = (
        Spoken("Wait.", 700),
        Spoken("Here it is.", 900, cards=[card, card], citations=[source]),
    )
    await visit(page, site.url)
    await greeted(page, fake)
    await ask(page, "Luna?")
    await expect(part(page, ".assistant").last).to_have_text("Wait. ", timeout=PATIENCE_MS)
    await expect(part(page, ".card")).to_have_count(0)
    await expect(part(page, ".card")).to_have_count(1, timeout=PATIENCE_MS)
    assert [c["product_id"] for c in await events(page, "voice-card")] == ["luna"]
    await expect(part(page, ".card .name")).to_have_text("<b>Luna</b>")
    assert await part(page, ".card a, a.card, .card img, .chip a").count() == 0
    await expect(page.locator("#product-luna")).to_have_class("tile mentioned")


async def test_server_errors_are_told_in_words_and_as_an_event(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    error = {"type": "server_error", "code": "overloaded", "message": "Too much"}
    await fake.say("error", error=error)
    await expect(part(page, ".notice p")).to_have_text("Something went wrong. Please ask again.")
    assert {"code": "overloaded", "message": "Too much"} in await events(page, "voice-error")
    await state_is(page, "listening")


async def test_server_without_our_extensions_still_works(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.extensions = ()
    await visit(page, site.url)
    await greeted(page, fake)
    await ask(page, "How much?")
    await expect(part(page, ".assistant").last).to_have_text(
        "It costs €49.90. It is in stock. ", timeout=PATIENCE_MS
    )
    await state_is(page, "listening")
    assert fake.of_type("voice_server.playback") == []


async def test_end_gives_the_microphone_back(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.evaluate(
        """() => {
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wish) => (window.stream = await ask(wish));
        }"""
    )
    await greeted(page, site.realtime)
    processing = await page.evaluate("stream.getAudioTracks()[0].getConstraints()")
    assert processing["echoCancellation"] is True
    assert processing["noiseSuppression"] is True
    assert processing["autoGainControl"] is True
    await part(page, ".end").click()
    await state_is(page, "idle")
    assert await page.evaluate("stream.getAudioTracks()[0].readyState") == "ended"
