"""Any order of events: nothing raises, every event conforms, every response is done once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.realtime.scene import Scene, conforms, pcm, tone
from voice_server.conversation import notices as n
from voice_server.conversation.orders import Respond
from voice_server.conversation.transcript import Item
from voice_server.dialogue.dialogue import Clause, ToolCall
from voice_server.speech.engine import Phone, Transcript

IDS = st.sampled_from(["item_1", "item_2", "item_3", "root", "", "nobody"])
REPLIES = st.sampled_from(["resp_x", "resp_y", "asked"])
"""Of the server's own making, and (see play) the one a client asked for last."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-1, 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
ITEM = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "function_call", "function_call_output", "x"])},
    optional={
        "id": IDS | JSON,
        "role": st.sampled_from(["user", "assistant", "system", "boss"]),
        "content": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["input_text", "output_text", "input_audio", "audio"])},
                optional={"text": st.text(max_size=4), "transcript": st.text(max_size=4)},
            ),
            max_size=2,
        )
        | JSON,
        "call_id": st.just("call_1") | JSON,
        "name": st.text(max_size=4) | JSON,
        "arguments": st.just("{}") | JSON,
        "output": st.just("ok") | JSON,
    },
)
SESSION = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["realtime", "transcription"]) | JSON,
        "instructions": JSON,
        "output_modalities": st.sampled_from([["text"], ["audio"], ["text", "audio"], []]) | JSON,
        "tools": st.just([{"type": "function", "name": "f"}]) | JSON,
        "tool_choice": st.sampled_from(["auto", "none", {"type": "function", "name": "f"}]) | JSON,
        "audio": st.fixed_dictionaries(
            {},
            optional={
                "input": st.fixed_dictionaries(
                    {},
                    optional={
                        "format": st.fixed_dictionaries(
                            {"type": st.sampled_from(["audio/pcm", "audio/pcmu", "audio/pcma"])}
                        )
                        | JSON,
                        "turn_detection": st.none()
                        | st.just({"type": "semantic_vad"})
                        | st.just({"threshold": 0.3})
                        | JSON,
                        "transcription": st.none() | st.just({"language": "fr"}) | JSON,
                    },
                )
                | JSON,
                "output": st.fixed_dictionaries(
                    {}, optional={"voice": st.sampled_from(["marin", "af_heart", "x"]) | JSON}
                )
                | JSON,
            },
        )
        | JSON,
    },
)
CLIENT = st.one_of(
    st.builds(lambda s: {"type": "session.update", "session": s}, SESSION | JSON),
    st.builds(lambda a: {"type": "input_audio_buffer.append", "audio": a}, st.just(pcm(60)) | JSON),
    st.sampled_from(
        [
            {"type": "input_audio_buffer.commit"},
            {"type": "input_audio_buffer.clear"},
            {"type": "output_audio_buffer.clear"},
            {"type": "response.cancel"},
            {"type": "response.create"},
            {"type": "response.create", "response": {"conversation": "none"}},
            {"type": "response.create", "response": {"output_modalities": ["text"]}},
        ]
    ),
    st.builds(
        lambda i, p: {"type": "conversation.item.create", "item": i, "previous_item_id": p},
        ITEM | JSON,
        IDS | st.none(),
    ),
    st.builds(
        lambda k, i: {
            "type": f"conversation.item.{k}",
            "item_id": i,
            "content_index": 0,
            "audio_end_ms": 10,
        },
        st.sampled_from(["truncate", "delete", "retrieve"]),
        IDS | JSON,
    ),
    st.builds(lambda r: {"type": "response.cancel", "response_id": r}, REPLIES | JSON),
    st.builds(lambda t, r: {"type": t, "response": r}, st.text(max_size=5), JSON),
    st.builds(lambda r: {"type": "response.create", "response": r}, JSON),
    st.builds(
        lambda p: {"type": "voice_server.playback", "response_id": "resp_1", "position_ms": p}, JSON
    ),
    JSON,
)
NOTICES = st.one_of(
    st.builds(n.SpeechStarted, IDS, st.integers(0, 9)),
    st.builds(n.SpeechStopped, IDS, st.integers(0, 9)),
    st.builds(n.UtteranceCommitted, IDS, st.none() | IDS),
    st.builds(n.TranscriptDelta, IDS, st.text(max_size=3)),
    st.builds(
        lambda i: n.TranscriptFinal(i, Transcript("hi", "", 0.0, 0.0, 0.0, 100)),
        IDS,
    ),
    st.builds(n.TranscriptFailed, IDS, st.text(max_size=3)),
    st.builds(n.ReplyStarted, REPLIES, IDS.filter(bool), st.booleans()),
    st.builds(lambda r, i: n.ClauseText(r, i, Clause("Hi.", "en")), REPLIES, st.integers(0, 3)),
    st.builds(
        lambda r, o: n.ReplyAudio(r, o, tone(10), (Phone("a", o, o + 5),)),
        REPLIES,
        st.floats(0, 1000),
    ),
    st.builds(lambda r, i: n.ReplyToolCall(r, i, ToolCall("call_1", "f", "{}")), REPLIES, IDS),
    st.builds(n.OutputPaused, REPLIES, st.floats(0, 100)),
    st.builds(n.OutputResumed, REPLIES, st.floats(0, 100)),
    st.builds(
        n.ReplyDone,
        REPLIES,
        st.sampled_from(["completed", "cancelled", "failed", "incomplete"]),
        st.sampled_from(["", "turn_detected", "client_cancelled", "max_output_tokens", "error"]),
    ),
    st.builds(n.ItemTruncated, IDS, st.integers(0, 9), st.text(max_size=3)),
)
STEPS = st.lists(
    st.one_of(
        CLIENT,
        NOTICES,
        st.builds(lambda i: Item(i, role="assistant", content="output_audio", text=None), IDS),
        st.just("drop"),
    ),
    max_size=30,
)


def play(scene: Scene, step: Any) -> None:
    if isinstance(step, Item):
        if all(item.id != step.id for item in scene.history.items):
            scene.history.insert(step)
    elif step == "drop":
        scene.do(scene.protocol.detached())
        scene.do(scene.protocol.resumed(None, 5.0))
    elif isinstance(step, dict) and "type" in step:
        scene.client(step["type"], **{k: v for k, v in step.items() if k != "type"})
    elif hasattr(step, "__dataclass_fields__"):
        asked = scene.orders(Respond)
        if getattr(step, "reply_id", "") == "asked" and asked:
            step = replace(step, reply_id=asked[-1].reply_id)
        scene.says(step)
    else:
        scene.text(orjson.dumps(step).decode())


@settings(max_examples=120, deadline=None)
@given(steps=STEPS, extensions=st.sampled_from(["resume", "resume,binary,captions,visemes"]))
def test_any_order_of_events(steps: list[Any], extensions: str) -> None:
    scene = Scene(extensions=extensions)
    replayed = any(step == "drop" for step in steps)
    for step in steps:
        play(scene, step)
    scene.do(scene.protocol.close(1000, "over"))
    for event in scene.events():
        conforms(event)
    if not replayed:
        check_lives(scene)


def check_lives(scene: Scene) -> None:
    """Every response and item opens once, closes once, and nothing happens outside its life."""
    open_, closed = set[str](), set[str]()
    items: dict[tuple[str, int], str] = {}
    for event in scene.events():
        kind = event["type"]
        if kind == "response.created":
            response_id = event["response"]["id"]
            assert response_id not in open_
            open_.add(response_id)
            closed.discard(response_id)  # the fuzz may use an id again
        elif kind == "response.done":
            response_id = event["response"]["id"]
            assert response_id in open_
            assert not [key for key, state in items.items() if key[0] == response_id and state]
            open_.remove(response_id)
            closed.add(response_id)
            items = {key: state for key, state in items.items() if key[0] != response_id}
        elif kind.startswith("response."):
            assert event["response_id"] in open_, f"{kind} outside its response"
            key = (event["response_id"], event["output_index"])
            if kind == "response.output_item.added":
                assert key not in items
                items[key] = "open"
            elif kind == "response.output_item.done":
                assert items[key] == "open"
                items[key] = ""
            else:
                assert items[key] == "open", f"{kind} outside its item"
    assert not open_
    asked = {order.reply_id for order in scene.orders(Respond)}
    announced = {e["response"]["id"] for e in scene.events("response.created")}
    assert asked <= announced
