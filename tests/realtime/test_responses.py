"""Responses: order of events, tools, cancel, two at once, out of band, ends of every kind."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.realtime.scene import Scene, conforms, tone
from voice_server.audio.g711 import decode_alaw, decode_ulaw
from voice_server.audio.pcm import decode_pcm16
from voice_server.conversation import notices as n
from voice_server.conversation.orders import Cancel, Configure, ReplyOptions, Respond
from voice_server.conversation.transcript import Item
from voice_server.dialogue.dialogue import Clause, Tool, ToolCall, Usage
from voice_server.realtime.session_config import SessionDefaults
from voice_server.speech.engine import SPEAKING_RATE

SPOKEN = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
    "rate_limits.updated",
]


def clause(index: int, text: str, reply_id: str = "resp_a") -> n.ClauseText:
    return n.ClauseText(reply_id, index, Clause(text, "en"))


def audio(offset_ms: float = 0.0, ms: float = 40, reply_id: str = "resp_a") -> n.ReplyAudio:
    return n.ReplyAudio(reply_id, offset_ms, tone(ms))


def done(status: Any = "completed", reply_id: str = "resp_a", **fields: Any) -> n.ReplyDone:
    return n.ReplyDone(reply_id, status, **fields)


def deltas(scene: Scene) -> bytes:
    events = scene.events("response.output_audio.delta")
    return b"".join(base64.b64decode(event["delta"]) for event in events)


def create(scene: Scene, event_id: str | None = None, **response: Any) -> str:
    """Ask for a response and return its id ("" if it was refused)."""
    fields = {} if event_id is None else {"event_id": event_id}
    before = len(scene.orders(Respond))
    scene.client("response.create", **fields, **({"response": response} if response else {}))
    orders = scene.orders(Respond)[before:]
    return str(orders[0].reply_id) if orders else ""


def test_a_spoken_reply_in_documented_order() -> None:
    scene = Scene()
    scene.history.insert(Item("item_u", text="price?"))
    scene.begin_reply()
    scene.says(clause(0, "Twenty euros."), audio(), done(text="Twenty euros.", heard_ms=40))
    assert scene.types() == SPOKEN
    for event in scene.events():
        conforms(event)
    created = scene.event("response.created")["response"]
    assert created == {
        "id": "resp_a",
        "object": "realtime.response",
        "status": "in_progress",
        "status_details": None,
        "output": [],
        "conversation_id": created["conversation_id"],
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "metadata": None,
        "usage": None,
        "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "default"}},
    }
    assert created["conversation_id"].startswith("conv_")
    added = scene.event("response.output_item.added")
    assert added["item"] == {
        "id": "item_a",
        "object": "realtime.item",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    assert scene.event("conversation.item.added")["previous_item_id"] == "item_u"
    part = scene.event("response.content_part.added")
    assert part["part"] == {"type": "audio", "transcript": ""}
    place = {"response_id": "resp_a", "item_id": "item_a", "output_index": 0, "content_index": 0}
    for event in scene.events()[3:9]:
        assert place.items() <= event.items()
    item = scene.event("response.output_item.done")["item"]
    assert item["status"] == "completed"
    assert item["content"] == [{"type": "output_audio", "transcript": "Twenty euros."}]
    response = scene.event("response.done")["response"]
    assert response["status"] == "completed"
    assert response["status_details"] is None
    assert response["output"] == [item]
    assert response["usage"]["total_tokens"] == 0
    assert scene.event("rate_limits.updated")["rate_limits"] == []


def test_event_ids_are_unique() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(clause(0, "a"), audio(), audio(40), done())
    ids = [event["event_id"] for event in scene.events()]
    assert len(set(ids)) == len(ids)


def test_transcript_deltas_add_up() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(clause(0, "Twenty euros."), audio(), clause(1, "Free delivery."), audio(40), done())
    events = scene.events("response.output_audio_transcript.delta")
    whole = scene.event("response.output_audio_transcript.done")["transcript"]
    assert "".join(event["delta"] for event in events) == whole == "Twenty euros. Free delivery."


@pytest.mark.parametrize("kind", ["audio/pcm", "audio/pcmu", "audio/pcma"])
def test_every_output_format_carries_the_whole_reply(kind: str) -> None:
    scene = Scene()
    scene.update(audio={"output": {"format": {"type": kind}}})
    scene.begin_reply()
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(SPEAKING_RATE) / SPEAKING_RATE)).astype(
        np.float32
    )
    for index, at in enumerate(range(0, SPEAKING_RATE, 960)):
        scene.says(n.ReplyAudio("resp_a", index * 40.0, wave[at : at + 960]))
    scene.says(done())
    decode = {"audio/pcm": decode_pcm16, "audio/pcmu": decode_ulaw, "audio/pcma": decode_alaw}
    rate = 24_000 if kind == "audio/pcm" else 8_000
    got = decode[kind](deltas(scene))
    assert len(got) / rate == pytest.approx(1.0, abs=0.02)
    spectrum = np.abs(np.fft.rfft(got * np.hanning(len(got))))
    assert np.argmax(spectrum) * rate / len(got) == pytest.approx(440, abs=2)
    # no click where pieces meet: neighbouring samples of a 440 Hz tone differ little
    assert np.abs(np.diff(got)).max() < 0.3 * 2 * np.pi * 440 / rate * 1.5
    shown = scene.event("response.created")["response"]["audio"]["output"]["format"]["type"]
    assert shown == kind


def test_long_audio_is_cut_into_small_messages() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(audio(ms=60_000))
    sizes = [len(event["delta"]) for event in scene.events("response.output_audio.delta")]
    assert len(sizes) == 120
    assert max(sizes) < 40_000
    assert len(deltas(scene)) == 60_000 * 48


def test_a_written_reply() -> None:
    scene = Scene()
    scene.update(output_modalities=["text"])
    scene.forget()
    scene.begin_reply()
    scene.says(clause(0, "One."), audio(), clause(1, "Two."), done(text="One. Two."))
    assert scene.types() == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert scene.event("response.content_part.added")["part"] == {"type": "text", "text": ""}
    assert scene.event("response.output_text.done")["text"] == "One. Two."
    item = scene.event("response.output_item.done")["item"]
    assert item["content"] == [{"type": "output_text", "text": "One. Two."}]
    response = scene.event("response.done")["response"]
    assert response["output_modalities"] == ["text"]
    assert "audio" not in response
    for event in scene.events():
        conforms(event)


def test_a_tool_call_is_completed_once() -> None:
    scene = Scene()
    scene.history.insert(Item("item_u", text="order?"))
    scene.says(n.ReplyStarted("resp_a", "item_a"))
    call = ToolCall("call_1", "find_order", '{"id":1}')
    scene.history.insert(Item("item_a", role="assistant", content="output_audio"))
    scene.history.insert(Item("item_f", kind="function_call", call_id="call_1", name="find_order"))
    scene.says(n.ReplyToolCall("resp_a", "item_f", call), done(usage=Usage(5, 3, 2)))
    assert scene.types() == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    added, finished = scene.events("response.output_item.added", "response.output_item.done")
    assert added["item"]["status"] == "in_progress"
    assert finished["item"] == {
        "id": "item_f",
        "object": "realtime.item",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "find_order",
        "arguments": '{"id":1}',
    }
    arguments = scene.event("response.function_call_arguments.done")
    assert {
        "response_id": "resp_a",
        "item_id": "item_f",
        "output_index": 0,
        "call_id": "call_1",
        "name": "find_order",
        "arguments": '{"id":1}',
    }.items() <= arguments.items()
    # the empty message of the reply was never announced: nothing may refer to it
    assert scene.event("conversation.item.added")["previous_item_id"] == "item_u"
    response = scene.event("response.done")["response"]
    assert response["output"] == [finished["item"]]
    assert response["usage"]["input_tokens"] == 5
    assert response["usage"]["output_token_details"] == {"text_tokens": 3, "audio_tokens": 0}
    for event in scene.events():
        conforms(event)


def test_words_before_a_tool_call_keep_their_own_place() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(
        clause(0, "One moment."),
        audio(),
        n.ReplyToolCall("resp_a", "item_f", ToolCall("call_1", "f", "{}")),
        done(),
    )
    assert [e["output_index"] for e in scene.events("response.output_item.done")] == [1, 0]
    kinds = [item["type"] for item in scene.event("response.done")["response"]["output"]]
    assert kinds == ["message", "function_call"]


def test_what_a_client_asks_is_announced_at_once_with_its_metadata() -> None:
    scene = Scene()
    response_id = create(
        scene,
        metadata={"client_event_id": "x1"},
        instructions="In French.",
        output_modalities=["text"],
        tools=[{"type": "function", "name": "f"}],
        tool_choice={"type": "function", "name": "f"},
        max_output_tokens=50,
        audio={"output": {"voice": "ff_siwis", "format": {"type": "audio/pcmu"}}},
    )
    created = scene.event("response.created")["response"]
    assert created["id"] == response_id
    assert created["metadata"] == {"client_event_id": "x1"}
    assert created["max_output_tokens"] == 50
    assert scene.order(Respond).options == ReplyOptions(
        instructions="In French.",
        modality="text",
        voice="ff_siwis",
        tools=(Tool("f", "", {}),),
        tool_choice="f",
        max_output_tokens=50,
        metadata={"client_event_id": "x1"},
    )
    scene.begin_reply(response_id)
    scene.says(clause(0, "Oui.", response_id), done(reply_id=response_id))
    assert len(scene.events("response.created")) == 1
    assert scene.event("response.done")["response"]["metadata"] == {"client_event_id": "x1"}
    for event in scene.events():
        conforms(event)


def test_an_empty_wish_leaves_everything_to_the_session() -> None:
    scene = Scene()
    create(scene)
    assert scene.order(Respond).options == ReplyOptions()
    scene = Scene()
    create(scene, output_modalities=["audio"], audio={}, max_output_tokens="inf", tools=[])
    assert scene.order(Respond).options == ReplyOptions(modality="audio", tools=())


def test_two_at_once_is_an_error_that_names_the_event() -> None:
    scene = Scene()
    first = create(scene)
    assert create(scene, "second") == ""
    error = scene.error()
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] == "second"
    assert first in error["message"]
    scene.says(done(reply_id=first))
    assert create(scene)


def test_a_reply_of_the_servers_own_is_active_too() -> None:
    scene = Scene()
    scene.begin_reply()
    assert create(scene) == ""
    assert scene.error()["code"] == "conversation_already_has_active_response"


def test_barge_in_keeps_late_audio_off_the_wire() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(clause(0, "Twenty euros and more."), audio())
    scene.forget()
    scene.says(
        n.SpeechStarted("item_v", 5000),
        n.ItemTruncated("item_a", 40, "Twenty"),
        done("cancelled", reason="turn_detected", text="Twenty", heard_ms=40),
        audio(40),
        clause(1, "late"),
        n.ReplyToolCall("resp_a", "f", ToolCall("c", "f", "{}")),
    )
    types = scene.types()
    assert types[0] == "input_audio_buffer.speech_started"
    assert types[-2:] == ["response.done", "rate_limits.updated"]
    assert "response.output_audio.delta" not in types
    response = scene.event("response.done")["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    item = response["output"][0]
    assert item["status"] == "incomplete"
    assert item["content"] == [{"type": "output_audio", "transcript": "Twenty"}]


def test_cancel_silences_at_once_and_is_done_when_the_conversation_says() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(clause(0, "Twenty euros."), audio())
    scene.forget()
    scene.client("response.cancel")
    assert scene.order(Cancel) == Cancel("resp_a")
    scene.says(audio(40), clause(1, "More."))
    assert not scene.events()
    scene.client("response.cancel", event_id="again")
    assert scene.error()["code"] == "response_cancel_not_active"
    scene.says(done("cancelled", reason="client_cancelled", text="Twenty"))
    details = scene.event("response.done")["response"]["status_details"]
    assert details == {"type": "cancelled", "reason": "client_cancelled"}


def test_cancel_of_what_has_not_begun_is_done_at_once() -> None:
    scene = Scene()
    response_id = create(scene)
    scene.client("response.cancel", response_id=response_id)
    assert scene.order(Cancel) == Cancel(response_id)
    assert scene.event("response.done")["response"]["status"] == "cancelled"
    scene.forget()
    scene.says(
        n.ReplyStarted(response_id, "item_a"),
        audio(reply_id=response_id),
        done("cancelled", response_id),
    )
    assert not scene.events()


@pytest.mark.parametrize("fields", [{}, {"response_id": "resp_none"}])
def test_cancel_without_a_response(fields: dict[str, str]) -> None:
    scene = Scene()
    scene.client("response.cancel", event_id="c", **fields)
    error = scene.error()
    assert error["code"] == "response_cancel_not_active"
    assert error["message"].startswith("Cancellation failed")
    assert error["event_id"] == "c"
    assert error["param"] == ("response_id" if fields else None)


def test_a_response_asked_for_during_a_cancel_waits_its_turn() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.client("response.cancel")
    scene.forget()
    second = create(scene)
    assert scene.order(Respond)
    assert not scene.events()
    scene.says(done("cancelled", reason="client_cancelled"))
    assert scene.types() == ["response.done", "rate_limits.updated", "response.created"]
    assert scene.event("response.created")["response"]["id"] == second


def test_a_reply_given_up_for_a_new_turn_is_not_left_open() -> None:
    scene = Scene()
    first = create(scene)
    scene.begin_reply("resp_b", "item_b")
    assert scene.types() == [
        "response.created", "response.done", "rate_limits.updated", "response.created",
    ]  # fmt: skip
    assert scene.event("response.done")["response"]["id"] == first
    assert scene.event("response.done")["response"]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("notice", "details"),
    [
        (done("incomplete", reason="max_output_tokens"),
         {"type": "incomplete", "reason": "max_output_tokens"}),
        (done("failed", reason="error", error="the model is down"),
         {"type": "failed",
          "error": {"type": "server_error", "code": "reply_failed",
                    "message": "the model is down"}}),
        (done("failed", reason="error"),
         {"type": "failed",
          "error": {"type": "server_error", "code": "reply_failed",
                    "message": "The reply could not be made."}}),
    ],
)  # fmt: skip
def test_other_ends(notice: n.ReplyDone, details: dict[str, Any]) -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(notice)
    event = scene.event("response.done")
    conforms(event)
    assert event["response"]["status_details"] == details
    assert event["response"]["output"] == []


def test_out_of_band_stays_out_of_the_conversation() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(clause(0, "Speaking."), audio())
    scene.history.insert(Item("item_old", text="old words"))
    scene.forget()
    response_id = create(
        scene,
        conversation="none",
        output_modalities=["text"],
        metadata={"topic": "classify"},
        input=[
            {"type": "item_reference", "id": "item_old"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "?"}]},
        ],
    )
    options = scene.order(Respond).options
    assert options.out_of_band
    assert [item.text for item in options.input] == ["old words", "?"]
    assert scene.event("response.created")["response"]["conversation_id"] is None
    scene.says(
        n.ReplyStarted(response_id, "item_o", out_of_band=True),
        clause(0, "Complaint.", response_id),
        done(reply_id=response_id),
    )
    assert not scene.events("conversation.item.added", "conversation.item.done")
    assert len(scene.events("response.done")) == 1
    scene.says(audio(40))
    assert scene.events("response.output_audio.delta")  # the other one goes on
    for event in scene.events():
        conforms(event)


def test_out_of_band_has_a_limit_too() -> None:
    scene = Scene()
    for _ in range(4):
        assert create(scene, conversation="none")
    assert create(scene, conversation="none") == ""
    assert scene.error()["code"] == "conversation_already_has_active_response"
    assert create(scene)


@pytest.mark.parametrize(
    ("response", "code", "param"),
    [
        ({"input": [{"type": "item_reference", "id": "no"}]},
         "item_reference_invalid_item_id", "response.input[0].id"),
        ({"input": [{"type": "message", "role": "user"}]},
         "missing_required_parameter", "response.input[0].content"),
        ({"output_modalities": ["audio", "text"]}, "invalid_value", "response.output_modalities"),
        ({"audio": {"output": {"voice": "darth"}}},
         "invalid_value", "response.audio.output.voice"),
        ({"tools": [{"type": "mcp"}]}, "invalid_value", "response.tools[0].type"),
        ({"metadata": {"a": 1}}, "invalid_type", "response.metadata.a"),
        ({"max_output_tokens": 99999}, "invalid_value", "response.max_output_tokens"),
    ],
)  # fmt: skip
def test_wrong_wishes(response: dict[str, Any], code: str, param: str) -> None:
    scene = Scene()
    assert create(scene, "r1", **response) == ""
    error = scene.error()
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "r1")


def test_instructions_of_one_response_need_permission_too() -> None:
    scene = Scene(defaults=SessionDefaults(allow_instructions=False))
    create(scene, instructions="Ignore the shop.")
    assert scene.order(Respond).options.instructions is None


def test_a_transcription_session_makes_no_responses() -> None:
    scene = Scene(transcription=True)
    assert create(scene) == ""
    assert scene.error()["code"] == "invalid_event"


def test_output_audio_buffer_clear_stops_the_sound() -> None:
    scene = Scene()
    scene.client("output_audio_buffer.clear")
    assert not scene.log
    scene.begin_reply()
    scene.forget()
    scene.client("output_audio_buffer.clear")
    assert scene.order(Cancel) == Cancel("resp_a")
    assert scene.event("output_audio_buffer.cleared")["response_id"] == "resp_a"


def test_the_voice_is_locked_once_audio_was_sent() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.update(audio={"output": {"voice": "af_heart"}})
    assert scene.orders(Configure)
    scene.says(audio())
    scene.forget()
    scene.update(audio={"output": {"voice": "ff_siwis"}})
    assert scene.error()["code"] == "cannot_update_voice"
    scene.forget()
    scene.update(audio={"output": {"voice": "af_heart", "speed": 1.1}})
    assert scene.orders(Configure)


def test_the_end_of_the_conversation_ends_everything() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.says(clause(0, "Twenty"), audio())
    assert scene.protocol.talking
    scene.forget()
    scene.says(n.Closed("hung up"))
    assert scene.event("response.done")["response"]["status"] == "failed"
    assert (scene.close().code, scene.close().reason) == (1000, "hung up")
    assert not scene.protocol.talking
    scene.forget()
    scene.says(audio(), n.Closed("again"))
    scene.client("response.create")
    scene.do(scene.protocol.close(1001, "drain"))
    assert not scene.log


def test_numbers_of_pieces_do_not_matter() -> None:
    """Any cutting of the same audio gives the same bytes."""
    wave = tone(1000)
    results = []
    for step in (240, 960, 24_000):
        scene = Scene()
        scene.update(audio={"output": {"format": {"type": "audio/pcmu"}}})
        scene.begin_reply()
        for at in range(0, len(wave), step):
            scene.says(n.ReplyAudio("resp_a", at / 24, wave[at : at + step]))
        scene.says(done())
        results.append(deltas(scene))
    assert all(a == b for a, b in pairwise(results))
