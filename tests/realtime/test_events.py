"""Unknown and malformed events: an error with the client's event_id, and the session goes on."""

from __future__ import annotations

import pytest

from tests.realtime.scene import Scene, conforms
from voice_server.realtime.protocol import EVENT_LIMIT

GOOD = '{"type":"input_audio_buffer.clear"}'


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        ("", "invalid_json", None),
        ("{", "invalid_json", None),
        ('{"type":"input_audio_buffer.append","audio":NaN}', "invalid_json", None),
        ("[]", "invalid_event", None),
        ("7", "invalid_event", None),
        ("{}", "missing_required_parameter", "type"),
        ('{"type":null}', "missing_required_parameter", "type"),
        ('{"type":5}', "invalid_value", "type"),
        ('{"type":["a"]}', "invalid_value", "type"),
        ('{"type":"response.explode"}', "invalid_value", "type"),
        ('{"type":"session.update"}', "missing_required_parameter", "session"),
        ('{"type":"session.update","session":[]}', "invalid_type", "session"),
        ('{"type":"conversation.item.retrieve"}', "missing_required_parameter", "item_id"),
        ('{"type":"conversation.item.retrieve","item_id":4}', "invalid_type", "item_id"),
        ('{"type":"conversation.item.truncate","item_id":"a","audio_end_ms":"x"}',
         "invalid_type", "audio_end_ms"),
        ('{"type":"response.create","response":7}', "invalid_type", "response"),
        ('{"type":"input_audio_buffer.clear","event_id":7}', "invalid_type", "event_id"),
        ('{"type":"voice_server.playback","response_id":"r","position_ms":1}',
         "invalid_value", "type"),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong(text: str, code: str, param: str | None) -> None:
    scene = Scene()
    scene.text(text)
    event = scene.event("error")
    conforms(event)
    assert (event["error"]["code"], event["error"]["param"]) == (code, param)
    assert event["error"]["event_id"] is None
    scene.text(GOOD)
    assert scene.event("input_audio_buffer.cleared")


def test_errors_echo_the_clients_event_id() -> None:
    scene = Scene()
    scene.client("response.explode", event_id="boom_1")
    assert scene.error()["event_id"] == "boom_1"
    assert "response.create" in scene.error()["message"]


def test_events_have_a_size() -> None:
    scene = Scene()
    scene.update(instructions="x" * EVENT_LIMIT)
    assert scene.error()["code"] == "string_above_max_length"


def test_nothing_is_taken_after_the_close() -> None:
    scene = Scene()
    scene.do(scene.protocol.close(1001, "drain"))
    assert scene.close().code == 1001
    scene.forget()
    scene.text(GOOD)
    assert not scene.log
