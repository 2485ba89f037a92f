"""docs/realtime-extensions.md: only for clients that ask."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tests.realtime.scene import Scene, tone
from voice_server.audio.pcm import decode_pcm16
from voice_server.conversation import notices as n
from voice_server.conversation.orders import Heard, Hold, Resume
from voice_server.conversation.transcript import Item
from voice_server.dialogue.dialogue import Card, Citation, Clause, ClauseKind
from voice_server.realtime import replay
from voice_server.speech.engine import Phone

RICH = Clause(
    "Twenty euros.",
    "en",
    ClauseKind.OPENER,
    (Citation("price/mug", "Prices", "€ 20", "https://shop.example/mug"),),
    (Card("mug", "Mug", "€ 20", stock="4"),),
)


def clause(index: int, text: str = "And more.") -> n.ClauseText:
    return n.ClauseText("resp_a", index, Clause(text, "en"))


def audio(offset_ms: float, ms: float = 40, *phones: Phone) -> n.ReplyAudio:
    return n.ReplyAudio("resp_a", offset_ms, tone(ms), phones)


def speak_everything(scene: Scene) -> None:
    scene.begin_reply()
    scene.says(
        n.ClauseText("resp_a", 0, RICH),
        audio(0, 40, Phone("a", 0, 40)),
        n.OutputPaused("resp_a", 40.4),
        n.OutputResumed("resp_a", 40.4),
        clause(1),
        audio(40, 40, Phone("b", 40, 80)),
        n.TurnTimings("item_u", "resp_a", 300.04, 20, 30, 200, 5, True, "content"),
        n.ReplyDone("resp_a", "completed", text="Twenty euros. And more."),
    )


def test_nothing_is_sent_to_those_who_did_not_ask() -> None:
    scene = Scene()
    speak_everything(scene)
    assert not [kind for kind in scene.types() if kind.startswith("voice_server.")]
    assert not scene.frames()


def test_the_session_says_what_was_granted() -> None:
    scene = Scene(extensions="captions,nonsense,binary", started=False)
    scene.do(scene.protocol.start())
    created = scene.event("session.created")
    assert created["voice_server"] == {"extensions": ["binary", "captions"]}


def test_captions_begin_where_their_clause_sounds() -> None:
    scene = Scene(extensions="captions")
    speak_everything(scene)
    first, second = scene.events("voice_server.caption")
    assert {
        "response_id": "resp_a",
        "item_id": "item_a",
        "index": 0,
        "text": "Twenty euros.",
        "language": "en",
        "kind": "opener",
        "start_ms": 0,
    }.items() <= first.items()
    assert (second["index"], second["kind"], second["start_ms"]) == (1, "content", 40)


def test_citations_and_cards_come_with_their_clause() -> None:
    scene = Scene(extensions="citations")
    speak_everything(scene)
    event = scene.event("voice_server.citations")
    assert event["index"] == 0
    assert event["citations"] == [
        {
            "source_id": "price/mug",
            "title": "Prices",
            "excerpt": "€ 20",
            "url": "https://shop.example/mug",
        }
    ]
    assert event["cards"][0]["product_id"] == "mug"
    assert set(event["cards"][0]) == {
        "product_id", "name", "price", "was_price", "stock", "image", "url",
    }  # fmt: skip


def test_visemes_are_not_repeated_when_a_reply_plays_on() -> None:
    scene = Scene(extensions="visemes")
    scene.begin_reply()
    scene.says(
        audio(0, 40, Phone("a", 0, 20), Phone("p", 20, 40)),
        audio(0, 40, Phone("a", 0, 20), Phone("p", 20, 40)),
        audio(40, 40, Phone("f", 50.4, 80)),
        audio(80, 40),
    )
    events = scene.events("voice_server.visemes")
    shapes = [shape["viseme"] for event in events for shape in event["visemes"]]
    assert shapes == ["a", "p", "f"]
    assert events[1]["visemes"] == [{"viseme": "f", "start_ms": 50, "end_ms": 80, "weight": 1.0}]


def test_timings_add_up() -> None:
    scene = Scene(extensions="timings")
    speak_everything(scene)
    timings = scene.event("voice_server.timings")
    assert timings["end_of_turn_ms"] == 300.0
    assert sum(v for k, v in timings.items() if k.endswith("_ms")) == 555.0
    assert timings["speculative"] is True


def test_binary_frames_carry_stream_and_offset() -> None:
    scene = Scene(extensions="binary")
    speak_everything(scene)
    announced = scene.event("voice_server.audio_stream")
    assert (announced["stream"], announced["response_id"], announced["item_id"]) == (
        1,
        "resp_a",
        "item_a",
    )
    assert not scene.events("response.output_audio.delta")
    assert scene.types().index("voice_server.audio_stream") < scene.types().index(
        "response.output_audio.done"
    )
    heads = [struct.unpack("<BBHI", frame[:8]) for frame in scene.frames()]
    assert heads == [(1, 0, 1, 0), (1, 0, 1, 40)]
    np.testing.assert_allclose(decode_pcm16(scene.frames()[0][8:]), tone(40), atol=1e-4)
    scene.begin_reply("resp_b", "item_b")
    scene.says(n.ReplyAudio("resp_b", 0.0, tone(20)))
    assert scene.events("voice_server.audio_stream")[1]["stream"] == 2


def test_playback_is_reported_both_ways() -> None:
    scene = Scene(extensions="playback")
    speak_everything(scene)
    assert scene.event("voice_server.output.paused")["heard_ms"] == 40
    assert scene.event("voice_server.output.resumed")["offset_ms"] == 40
    scene.client("voice_server.playback", response_id="resp_a", position_ms=37.5)
    assert scene.order(Heard) == Heard("resp_a", 37.5)
    scene.client("voice_server.playback", response_id="resp_a", position_ms=-1)
    assert scene.error()["param"] == "position_ms"


# ------------------------------------------------------------------- resume


def resumable(extensions: str = "resume") -> Scene:
    scene = Scene(extensions=extensions)
    scene.do(scene.protocol.offer_token("rt_1", 60.0))
    assert scene.event("voice_server.resume_token")["expires_in_s"] == 60
    return scene


def come_back(scene: Scene, last: str | None, position_ms: float | None) -> list[str]:
    scene.do(scene.protocol.detached())
    assert scene.orders(Hold)
    scene.forget()
    scene.do(scene.protocol.resumed(last, position_ms))
    return scene.types()


def test_a_reply_in_the_making_is_played_on_by_the_conversation() -> None:
    scene = resumable()
    scene.begin_reply()
    scene.says(clause(0), audio(0), audio(40))
    last = scene.events("response.content_part.added")[0]["event_id"]
    types = come_back(scene, last, 25.0)
    assert types == ["voice_server.resumed", "response.output_audio_transcript.delta"]
    resumed = scene.event("voice_server.resumed")
    assert (resumed["response_id"], resumed["offset_ms"]) == ("resp_a", 25)
    assert resumed["session"]["id"] == "sess_1"
    assert scene.order(Resume) == Resume(25.0)
    scene.says(audio(25.0))
    assert scene.events("response.output_audio.delta")


def test_a_reply_finished_into_the_void_is_played_from_memory() -> None:
    scene = resumable()
    scene.begin_reply()
    scene.says(clause(0), audio(0, 100), audio(100, 100))
    last = scene.events()[-1]["event_id"]
    scene.says(n.ReplyDone("resp_a", "completed", text="And more."))
    types = come_back(scene, last, 150.0)
    assert types[0] == "voice_server.resumed"
    assert types[-1] == "response.output_audio.delta"
    assert "response.done" in types
    assert "response.output_audio_transcript.delta" not in types  # was received
    assert scene.event("voice_server.resumed")["response_id"] == "resp_a"
    assert scene.order(Resume) == Resume(None)


def test_from_memory_in_binary_too() -> None:
    scene = resumable("resume,binary")
    scene.begin_reply()
    scene.says(clause(0), audio(0, 100), audio(100, 100))
    scene.says(n.ReplyDone("resp_a", "completed", text="And more."))
    come_back(scene, None, 150.0)
    assert [struct.unpack("<BBHI", frame[:8])[3] for frame in scene.frames()] == [150]
    assert len(scene.frames()[0]) == 8 + 50 * 48
    streams = scene.events("voice_server.audio_stream")
    assert streams[-1]["stream"] == 1


def test_an_active_binary_stream_is_announced_again() -> None:
    scene = resumable("resume,binary")
    scene.begin_reply()
    scene.says(audio(0))
    types = come_back(scene, scene.events()[-1]["event_id"], 0.0)
    assert types == ["voice_server.resumed", "voice_server.audio_stream"]


@pytest.mark.parametrize("position", [None, 200.0, 9999.0])
def test_what_was_heard_is_not_said_again(position: float | None) -> None:
    scene = resumable()
    scene.begin_reply()
    scene.says(audio(0, 200), n.ReplyDone("resp_a", "completed"))
    types = come_back(scene, scene.events()[-1]["event_id"], position)
    assert types == ["voice_server.resumed"]
    assert scene.event("voice_server.resumed")["response_id"] is None
    assert scene.order(Resume) == Resume(position)


def test_a_cancelled_reply_is_not_said_again() -> None:
    scene = resumable()
    scene.begin_reply()
    scene.says(audio(0, 200), n.ReplyDone("resp_a", "cancelled", "turn_detected"))
    come_back(scene, scene.events()[-1]["event_id"], 0.0)
    assert scene.types() == ["voice_server.resumed"]


def test_a_later_silent_reply_does_not_bring_the_older_back() -> None:
    scene = resumable()
    scene.begin_reply()
    scene.says(audio(0, 200), n.ReplyDone("resp_a", "completed"))
    scene.begin_reply("resp_b", "item_b")
    scene.says(n.ReplyAudio("resp_b", 0.0, tone(40)))
    scene.says(n.ReplyDone("resp_b", "cancelled", "turn_detected"))
    come_back(scene, scene.events()[-1]["event_id"], 0.0)
    assert not scene.events("response.output_audio.delta")


def test_missed_events_come_in_order_and_once() -> None:
    scene = resumable()
    scene.history.insert(Item("x", text="x"))
    scene.client("conversation.item.retrieve", item_id="x")
    last = scene.events()[-1]["event_id"]
    scene.client("conversation.item.delete", item_id="x")
    scene.client("input_audio_buffer.clear")
    missed = [event["event_id"] for event in scene.events()[-2:]]
    come_back(scene, last, None)
    assert [event["event_id"] for event in scene.events()[1:]] == missed


@pytest.mark.parametrize("last", [None, "", "event_other_3", "event_1_²", "event_1_" + "9" * 99])
def test_who_received_nothing_gets_everything(last: str | None) -> None:
    scene = Scene(extensions="resume", started=False)
    scene.do(scene.protocol.start())
    come_back(scene, last, None)
    assert scene.types() == ["voice_server.resumed", "session.created", "conversation.created"]


def test_only_sessions_that_asked_can_resume() -> None:
    scene = Scene()
    with pytest.raises(RuntimeError, match="resume extension"):
        scene.protocol.resumed(None, None)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = replay.Replay()
    for index in range(replay.EVENTS_LIMIT + 10):
        memory.remember(index, b"x")
    assert len(memory.events_after(5)) == replay.EVENTS_LIMIT  # forgotten: all are newer
    assert len(memory.events_after(20)) == replay.EVENTS_LIMIT - 11
    memory.remember(9999, bytes(replay.BYTES_LIMIT))
    assert memory.events_after(0) == [bytes(replay.BYTES_LIMIT)]
    monkeypatch.setattr(replay, "AUDIO_LIMIT_S", 0.1)
    for index in range(10):
        memory.speak("r", index * 40.0, tone(40))
    assert [piece.offset_ms for piece in memory.unheard(0)] == [320.0, 360.0]
    memory.speak("r", 1000.0, tone(500))  # one piece is kept whatever its length
    assert [piece.offset_ms for piece in memory.unheard(0)] == [1000.0]


def test_what_is_said_again_replaces_what_was_said() -> None:
    memory = replay.Replay()
    for index in range(4):
        memory.speak("r", index * 40.0, tone(40))
    memory.speak("r", 80.0, tone(40))
    assert [piece.offset_ms for piece in memory.unheard(0)] == [0.0, 40.0, 80.0]
