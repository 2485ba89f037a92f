"""Golden wire transcripts: every byte of some whole exchanges, as clients see them.

``UPDATE_GOLDEN=1 pytest tests/realtime/test_golden.py`` writes them anew; look at the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from tests.realtime.scene import Scene, pcm
from voice_server.conversation import notices as n
from voice_server.conversation.orders import Respond
from voice_server.conversation.transcript import Item
from voice_server.dialogue.dialogue import Citation, Clause, ToolCall, Usage
from voice_server.realtime.effects import Close, Send
from voice_server.speech.engine import Phone

GOLDEN = Path(__file__).parent.parent / "golden" / "realtime"


def ramp(ms: int) -> Any:
    return (np.arange(ms * 24) % 480 / 960).astype(np.float32)


def spoken(scene: Scene, reply_id: str, item_id: str, *texts: str) -> None:
    scene.says(n.ReplyStarted(reply_id, item_id))
    for index, text in enumerate(texts):
        clause = Clause(text, "en", citations=(Citation("price/mug", "Prices"),))
        scene.says(
            n.ClauseText(reply_id, index, clause),
            n.ReplyAudio(reply_id, index * 10.0, ramp(10), (Phone("a", index * 10.0, 9.0),)),
        )


def voice_turn(scene: Scene) -> None:
    scene.client("input_audio_buffer.append", audio=pcm(20))
    scene.user_turn("item_u", "How much is the mug?")
    scene.history.insert(Item("item_a", role="assistant", content="output_audio"))
    spoken(scene, "resp_a", "item_a", "Twenty euros.", "Delivery is free.")
    text = "Twenty euros. Delivery is free."
    scene.says(n.ReplyDone("resp_a", "completed", text=text, heard_ms=20, usage=Usage(9, 4, 2)))


def barge_in(scene: Scene) -> None:
    scene.history.insert(Item("item_a", role="assistant", content="output_audio"))
    spoken(scene, "resp_a", "item_a", "Twenty euros.")
    scene.says(
        n.SpeechStarted("item_v", 4000),
        n.ItemTruncated("item_a", 6, "Twenty"),
        n.ReplyDone("resp_a", "cancelled", "turn_detected", "Twenty", 6.0),
        n.ReplyAudio("resp_a", 10.0, ramp(10)),
    )


def tool_turn(scene: Scene) -> None:
    scene.update(tools=[{"type": "function", "name": "find_order", "parameters": {}}])
    scene.client(
        "conversation.item.create",
        item={
            "id": "item_q",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Where is order 1001?"}],
        },
    )
    scene.client("response.create", response={"metadata": {"n": "1"}})
    reply_id = scene.orders(Respond)[0].reply_id
    scene.says(n.ReplyStarted(reply_id, "item_a"))
    call = ToolCall("call_1", "find_order", '{"order":"1001"}')
    scene.history.insert(
        Item("item_f", kind="function_call", call_id="call_1", name="find_order", text="{}")
    )
    scene.says(n.ReplyToolCall(reply_id, "item_f", call), n.ReplyDone(reply_id, "completed"))
    scene.client(
        "conversation.item.create",
        item={"id": "item_o", "type": "function_call_output", "call_id": "call_1", "output": "ok"},
    )


def mistakes(scene: Scene) -> None:
    scene.client("no.such.event", event_id="e1")
    scene.client("response.cancel", event_id="e2")
    scene.client("input_audio_buffer.commit", event_id="e3")
    scene.update(audio={"input": {"turn_detection": {"threshold": 7}}})
    scene.client("conversation.item.retrieve", item_id="none", event_id="e4")
    scene.do(scene.protocol.close(1001, "the server is shutting down"))


@pytest.mark.parametrize(
    ("play", "extensions"),
    [
        (voice_turn, ""),
        (voice_turn, "binary,captions,citations,visemes,playback,timings"),
        (barge_in, "playback"),
        (tool_turn, ""),
        (mistakes, ""),
    ],
)
def test_the_wire_is_as_it_was(play: Callable[[Scene], None], extensions: str) -> None:
    scene = Scene(extensions=extensions, started=False)
    scene.do(scene.protocol.start())
    play(scene)
    lines = [line(effect) for effect in scene.log]
    name = play.__name__ + ("_extended" if extensions else "")
    path = GOLDEN / f"{name}.jsonl"
    written = "\n".join(lines) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(written, encoding="utf-8")
    assert written.splitlines() == path.read_text(encoding="utf-8").splitlines()


def line(effect: object) -> str:
    if isinstance(effect, Send):
        return f"binary {effect.data.hex()}" if effect.binary else effect.data.decode()
    if isinstance(effect, Close):
        return f"close {effect.code} {effect.reason}"
    return f"order {type(effect).__name__}"


def test_golden_events_are_json_objects_with_types() -> None:
    paths = sorted(GOLDEN.glob("*.jsonl"))
    assert len(paths) == 5
    for path in paths:
        for text in path.read_text(encoding="utf-8").splitlines():
            if text.startswith("{"):
                assert {"type", "event_id"} <= orjson.loads(text).keys()
