"""Items that clients create, retrieve, truncate and delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.realtime.scene import Scene, conforms, tone
from voice_server.conversation import notices as n
from voice_server.conversation.orders import Truncate
from voice_server.conversation.transcript import Item
from voice_server.realtime import items

USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


def create(scene: Scene, item: dict[str, Any], **fields: Any) -> None:
    scene.client("conversation.item.create", item=item, **fields)


def test_a_text_item_is_added_and_done() -> None:
    scene = Scene()
    create(scene, {**USER, "id": "mine"})
    assert scene.types() == ["conversation.item.added", "conversation.item.done"]
    wanted = {
        "id": "mine",
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
    }
    for event in scene.events():
        assert event["item"] == wanted
        assert event["previous_item_id"] is None
        conforms(event)
    assert scene.history.items == [Item("mine", text="Hi")]


def test_items_without_an_id_get_one_and_follow_the_last() -> None:
    scene = Scene()
    create(scene, USER)
    create(scene, USER)
    first, second = scene.history.items
    assert first.id != second.id
    assert scene.events("conversation.item.added")[1]["previous_item_id"] == first.id


def test_items_go_where_the_client_says() -> None:
    scene = Scene()
    create(scene, {**USER, "id": "b"})
    create(scene, {**USER, "id": "a"}, previous_item_id="root")
    create(scene, {**USER, "id": "c"}, previous_item_id="a")
    create(scene, {**USER, "id": "d"}, previous_item_id=None)
    assert [item.id for item in scene.history.items] == ["a", "c", "b", "d"]
    previous = [event["previous_item_id"] for event in scene.events("conversation.item.added")]
    assert previous == [None, None, "a", "b"]


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
            {"content": [{"type": "input_text", "text": "s"}], "role": "system"},
        ),
        (
            {"type": "message", "role": "assistant", "status": "incomplete",
             "content": [{"type": "output_text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"content": [{"type": "output_text", "text": "a\nb"}], "status": "incomplete"},
        ),
        (
            {"type": "message", "role": "assistant",
             "content": [{"type": "audio", "transcript": "a"}]},
            {"content": [{"type": "output_audio", "transcript": "a"}]},
        ),
        (
            {"type": "message", "role": "user",
             "content": [{"type": "input_audio", "audio": "AAAA", "transcript": "words"}]},
            {"content": [{"type": "input_audio", "transcript": "words"}]},
        ),
        (
            {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "call_9"},
            {"name": "f", "arguments": "{}", "call_id": "call_9", "type": "function_call"},
        ),
    ],
)  # fmt: skip
def test_every_kind_of_item_comes_back_as_it_is_kept(
    item: dict[str, Any], shown: dict[str, Any]
) -> None:
    scene = Scene()
    create(scene, {"id": "i", **item})
    scene.client("conversation.item.retrieve", item_id="i")
    retrieved = scene.event("conversation.item.retrieved")
    conforms(retrieved)
    assert shown.items() <= retrieved["item"].items()
    assert scene.event("conversation.item.added")["item"] == retrieved["item"]


def test_a_function_output_answers_a_known_call() -> None:
    scene = Scene()
    output = {"type": "function_call_output", "call_id": "call_9", "output": "42"}
    create(scene, output, event_id="o1")
    error = scene.error()
    assert error["message"] == "Tool call ID 'call_9' not found in conversation."
    assert (error["code"], error["event_id"]) == ("invalid_tool_call_id", "o1")
    scene.forget()
    scene.history.insert(Item("f", kind="function_call", call_id="call_9", name="f"))
    create(scene, {**output, "id": "o"})
    item = scene.event("conversation.item.done")["item"]
    assert item == {
        "id": "o",
        "object": "realtime.item",
        "type": "function_call_output",
        "status": "completed",
        "call_id": "call_9",
        "output": "42",
    }


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({}, "missing_required_parameter", "item.type"),
        ({"type": "mcp_call"}, "invalid_value", "item.type"),
        ({"type": "message"}, "missing_required_parameter", "item.role"),
        ({"type": "message", "role": "boss"}, "invalid_value", "item.role"),
        ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
        ({"type": "message", "role": "user", "content": [{"type": "input_image"}]},
         "invalid_value", "item.content[0].type"),
        ({"type": "message", "role": "user", "content": [{"type": "input_text"}]},
         "missing_required_parameter", "item.content[0].text"),
        ({"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "A"}]},
         "missing_required_parameter", "item.content[0].transcript"),
        ({"type": "message", "role": "assistant", "content": [{"type": "input_text"}]},
         "invalid_value", "item.content[0].type"),
        ({"type": "function_call"}, "missing_required_parameter", "item.arguments"),
        ({"type": "function_call", "arguments": "{}"}, "missing_required_parameter", "item.name"),
        ({"type": "function_call_output"}, "missing_required_parameter", "item.output"),
        ({"type": "function_call_output", "output": ""},
         "missing_required_parameter", "item.call_id"),
        ({"type": "message", "id": 7}, "invalid_type", "item.id"),
    ],
)  # fmt: skip
def test_wrong_items_are_named(item: dict[str, Any], code: str, param: str) -> None:
    scene = Scene()
    create(scene, item, event_id="e")
    error = scene.error()
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "e")
    assert not scene.history.items


def test_taken_ids_and_unknown_neighbours() -> None:
    scene = Scene()
    create(scene, {**USER, "id": "a"})
    create(scene, {**USER, "id": "a"})
    assert scene.error()["code"] == "item_create_duplicate_item_id"
    scene.forget()
    create(scene, USER, previous_item_id="nobody")
    assert scene.error()["code"] == "item_create_invalid_previous_item_id"
    assert len(scene.history.items) == 1


def test_a_history_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "ITEMS_LIMIT", 2)
    scene = Scene()
    for _ in range(3):
        create(scene, USER)
    assert scene.error()["code"] == "conversation_item_limit_reached"


@pytest.mark.parametrize("action", ["retrieve", "delete", "truncate"])
def test_unknown_ids(action: str) -> None:
    scene = Scene()
    fields = {"content_index": 0, "audio_end_ms": 1} if action == "truncate" else {}
    scene.client(f"conversation.item.{action}", item_id="no", event_id="e", **fields)
    error = scene.error()
    assert error["code"] == f"item_{action}_invalid_item_id"
    assert error["event_id"] == "e"
    assert "'no' not found" in error["message"]


def test_delete() -> None:
    scene = Scene()
    create(scene, {**USER, "id": "a"})
    scene.client("conversation.item.delete", item_id="a")
    assert scene.event("conversation.item.deleted")["item_id"] == "a"
    assert not scene.history.items


def test_an_item_being_written_cannot_be_deleted() -> None:
    scene = Scene()
    scene.begin_reply()
    scene.client("conversation.item.delete", item_id="item_a")  # not announced yet: may go
    assert scene.event("conversation.item.deleted")
    scene = Scene()
    scene.begin_reply()
    scene.says(n.ReplyAudio("resp_a", 0.0, tone(20)))
    scene.client("conversation.item.delete", item_id="item_a")
    assert scene.error()["code"] == "item_delete_in_progress"


@pytest.mark.parametrize(("asked", "ordered"), [(0, 0), (1500, 1500), (-5, 0), (99.5, 99.5)])
def test_truncate_is_the_conversations_to_clamp(asked: float, ordered: float) -> None:
    scene = Scene()
    scene.history.insert(Item("a", role="assistant", content="output_audio", text="x"))
    scene.client("conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=asked)
    assert scene.order(Truncate) == Truncate("a", ordered)
    assert not scene.events()
    scene.says(n.ItemTruncated("a", round(ordered), ""))
    assert scene.event("conversation.item.truncated")["audio_end_ms"] == round(ordered)


def test_only_spoken_replies_are_truncated() -> None:
    scene = Scene()
    scene.history.insert(Item("u", content="input_audio"))
    scene.history.insert(Item("t", role="assistant", content="output_text"))
    scene.history.insert(Item("a", role="assistant", content="output_audio"))
    for item_id, index in (("u", 0), ("t", 0), ("a", 1)):
        scene.client(
            "conversation.item.truncate", item_id=item_id, content_index=index, audio_end_ms=1
        )
    params = [event["error"]["param"] for event in scene.events("error")]
    assert params == ["item_id", "item_id", "content_index"]
    assert not scene.orders()
