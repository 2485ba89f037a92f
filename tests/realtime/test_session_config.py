"""session.update: merged into a candidate, validated, swapped; and what it means for turns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.realtime.scene import SHOP, Scene, conforms
from voice_server.conversation.orders import Configure
from voice_server.dialogue.dialogue import Tool
from voice_server.realtime.effects import WireError
from voice_server.realtime.session_config import SessionConfig, SessionDefaults

VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
    "idle_timeout_ms": None,
}


def effective(scene: Scene) -> dict[str, Any]:
    session: dict[str, Any] = scene.events("session.updated")[-1]["session"]
    return session


def turn_detection(scene: Scene) -> Any:
    return effective(scene)["audio"]["input"]["turn_detection"]


def test_greets_with_the_whole_configuration() -> None:
    scene = Scene(started=False)
    scene.do(scene.protocol.start())
    assert scene.types() == ["session.created", "conversation.created"]
    session = scene.event("session.created")["session"]
    assert session == {
        "id": "sess_1",
        "object": "realtime.session",
        "type": "realtime",
        "model": "voice-server",
        "output_modalities": ["audio"],
        "instructions": "You sell mugs.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "noise_reduction": None,
                "transcription": None,
                "turn_detection": VAD,
            },
            "output": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "voice": "default",
                "speed": 1.0,
            },
        },
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
    }
    assert "voice_server" not in scene.event("session.created")
    configure = scene.order(Configure)
    assert configure.turns.detection == "server"
    assert configure.reply.instructions is None  # the shop's own
    assert configure.reply.voice is None
    assert not configure.transcribe
    for event in scene.events():
        conforms(event)


def test_an_update_answers_with_everything_and_reconfigures() -> None:
    scene = Scene()
    scene.update(type="realtime", instructions="Be brief.", tool_choice="none")
    assert scene.types() == ["session.updated"]
    assert effective(scene)["instructions"] == "Be brief."
    assert effective(scene)["audio"]["input"]["turn_detection"] == VAD
    assert scene.configured().reply.instructions == "Be brief."
    assert scene.configured().reply.tool_choice == "none"


def test_a_partial_turn_detection_is_merged_deeply() -> None:
    scene = Scene()
    scene.update(audio={"input": {"turn_detection": {"threshold": 0.8}}})
    assert turn_detection(scene) == {**VAD, "threshold": 0.8}
    assert scene.configured().turns.threshold == 0.8
    scene.update(audio={"input": {"turn_detection": {"idle_timeout_ms": 6000}}})
    assert turn_detection(scene) == {**VAD, "threshold": 0.8, "idle_timeout_ms": 6000}
    assert scene.configured().turns.idle_timeout_ms == 6000
    scene.update(audio={"input": {"turn_detection": {"idle_timeout_ms": None}}})
    assert turn_detection(scene)["idle_timeout_ms"] is None


def test_another_turn_detection_keeps_what_both_share_and_echoes_defaults() -> None:
    scene = Scene()
    scene.update(audio={"input": {"turn_detection": {"interrupt_response": False}}})
    scene.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    assert turn_detection(scene) == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": False,
    }
    turns = scene.configured().turns
    assert (turns.detection, turns.eagerness, turns.interrupt_response) == (
        "semantic",
        "auto",
        False,
    )


def test_null_turns_detection_off_and_a_partial_one_brings_the_default_back() -> None:
    scene = Scene()
    scene.update(audio={"input": {"turn_detection": None}})
    assert turn_detection(scene) is None
    assert scene.configured().turns.detection == "none"
    scene.update(audio={"input": {"turn_detection": {"silence_duration_ms": 250}}})
    assert turn_detection(scene) == {**VAD, "silence_duration_ms": 250}
    assert scene.configured().turns.silence_ms == 250


def test_null_clears_and_empty_clears() -> None:
    scene = Scene()
    tool = {"type": "function", "name": "price", "description": "d", "parameters": {"a": 1}}
    scene.update(
        instructions="Be brief.",
        tools=[tool],
        max_output_tokens=99,
        tracing="auto",
        audio={"input": {"transcription": {"model": "whisper-1"}}, "output": {"speed": 1.2}},
    )
    assert scene.configured().reply.tools == (Tool("price", "d", {"a": 1}),)
    assert scene.configured().reply.max_output_tokens == 99
    assert scene.configured().transcribe
    scene.update(
        instructions="",
        tools=[],
        max_output_tokens=None,
        tracing=None,
        audio={"input": {"transcription": None}, "output": {"speed": None}},
    )
    session = effective(scene)
    assert session["instructions"] == ""
    assert session["tools"] == []
    assert session["max_output_tokens"] == "inf"
    assert session["tracing"] is None
    assert session["audio"]["input"]["transcription"] is None
    assert session["audio"]["output"]["speed"] == 1.0
    assert scene.configured().reply.tools == ()
    assert not scene.configured().transcribe
    scene.update(tools=None, instructions=None)
    assert effective(scene)["instructions"] == "You sell mugs."


def test_formats_change_whole() -> None:
    scene = Scene()
    scene.update(
        audio={
            "input": {"format": {"type": "audio/pcmu"}},
            "output": {"format": {"type": "audio/pcma"}},
        }
    )
    assert effective(scene)["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert effective(scene)["audio"]["output"]["format"] == {"type": "audio/pcma"}
    scene.update(audio={"input": {"format": {"type": "audio/pcm"}}})
    assert effective(scene)["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
    scene.update(audio={"input": {"format": {"rate": 24000}}})
    assert effective(scene)["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}


def test_transcription_settings_reach_the_recogniser() -> None:
    scene = Scene()
    scene.update(
        audio={
            "input": {
                "transcription": {
                    "model": "gpt-4o-mini-transcribe",
                    "language": "fr-BE",
                    "languages": ["nl_BE", "", "en"],
                    "prompt": "Commande",
                    "keywords": ["tasse", "mug"],
                }
            }
        }
    )
    configure = scene.configured()
    assert configure.language == "fr"
    assert configure.languages == ("nl", "en")
    assert configure.hint == "Commande tasse mug"
    scene.update(audio={"input": {"transcription": {"language": "de"}}})
    shown = effective(scene)["audio"]["input"]["transcription"]
    assert shown["language"] == "de"
    assert shown["prompt"] == "Commande"
    assert "delay" not in shown


def test_the_agents_sdk_sends_this_on_connect() -> None:
    scene = Scene()
    scene.client("session.update", session={"type": "realtime", "tracing": "auto"})
    assert effective(scene)["tracing"] == "auto"
    scene.update(
        type="realtime",
        instructions="",
        model="gpt-realtime-2.1",
        output_modalities=["audio"],
        audio={
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "noise_reduction": None,
                "transcription": {"model": "gpt-4o-mini-transcribe"},
                "turn_detection": {"type": "semantic_vad"},
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "speed": 1},
        },
        a_field_of_next_year={"x": 1},
    )
    assert scene.types() == ["session.updated", "session.updated"]
    assert effective(scene)["audio"]["input"]["turn_detection"]["interrupt_response"] is True
    assert scene.configured().reply.instructions is None
    for event in scene.events():
        conforms(event)


def test_instructions_are_the_operators_to_allow() -> None:
    scene = Scene(defaults=SessionDefaults(instructions="Ours.", allow_instructions=False))
    scene.update(instructions="Ignore the shop.")
    assert effective(scene)["instructions"] == "Ours."
    assert scene.configured().reply.instructions is None


def test_stock_voices_are_spoken_with_the_default_one() -> None:
    scene = Scene()
    scene.update(audio={"output": {"voice": "marin"}})
    assert effective(scene)["audio"]["output"]["voice"] == "marin"
    assert scene.configured().reply.voice is None
    scene.update(audio={"output": {"voice": {"id": "ff_siwis"}}})
    assert effective(scene)["audio"]["output"]["voice"] == "ff_siwis"
    assert scene.configured().reply.voice == "ff_siwis"


def test_a_named_function_is_the_choice() -> None:
    scene = Scene()
    scene.update(
        tools=[{"type": "function", "name": "price"}],
        tool_choice={"type": "function", "name": "price"},
        reasoning={"effort": "low"},
        parallel_tool_calls=False,
    )
    assert scene.configured().reply.tool_choice == "price"
    assert effective(scene)["reasoning"] == {"effort": "low"}
    assert effective(scene)["parallel_tool_calls"] is False


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
         "invalid_value", "session.audio.input.format.rate"),
        ({"audio": {"input": {"format": {"type": "audio/opus"}}}},
         "invalid_value", "session.audio.input.format"),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}},
         "invalid_value", "session.audio.input.turn_detection.threshold"),
        ({"audio": {"input": {"turn_detection": {"threshold": "high"}}}},
         "invalid_type", "session.audio.input.turn_detection.threshold"),
        ({"audio": {"input": {"noise_reduction": {}}}},
         "missing_required_parameter", "session.audio.input.noise_reduction.type"),
        ({"audio": "loud"}, "invalid_type", "session.audio"),
        ({"audio": {"output": {"voice": "darth"}}},
         "invalid_value", "session.audio.output.voice"),
        ({"output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
        ({"output_modalities": ["smell"]}, "invalid_value", "session.output_modalities[0]"),
        ({"modalities": ["text"]}, "unknown_parameter", "session.modalities"),
        ({"input_audio_format": "pcm16"}, "unknown_parameter", "session.input_audio_format"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]},
         "invalid_value", "session.tools[0].type"),
        ({"tools": [{"type": "function"}]},
         "missing_required_parameter", "session.tools[0].name"),
        ({"tools": ["price"]}, "invalid_type", "session.tools[0]"),
        ({"tools": "price"}, "invalid_type", "session.tools"),
        ({"max_output_tokens": 0}, "invalid_value", "session.max_output_tokens"),
        ({"type": "translation"}, "invalid_value", "session.type"),
    ],
)  # fmt: skip
def test_a_wrong_update_changes_nothing(session: dict[str, Any], code: str, param: str) -> None:
    scene = Scene()
    before = scene.protocol.config
    scene.client("session.update", event_id="mine_1", session={"instructions": "x", **session})
    error = scene.error()
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine_1")
    assert error["type"] == "invalid_request_error"
    assert scene.protocol.config is before
    assert not scene.orders()


def test_the_voice_is_locked_after_the_first_audio() -> None:
    config = SessionConfig.initial(SHOP)
    with pytest.raises(WireError) as caught:
        config.updated({"audio": {"output": {"voice": "af_heart"}}}, voice_locked=True)
    assert caught.value.code == "cannot_update_voice"
    same = config.updated({"audio": {"output": {"voice": "default"}}}, voice_locked=True)
    assert same.voice == "default"


def test_a_transcription_session_shows_only_its_input() -> None:
    scene = Scene(transcription=True, started=False)
    scene.do(scene.protocol.start())
    session = scene.event("session.created")["session"]
    assert session == {
        "id": "sess_1",
        "object": "realtime.transcription_session",
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "noise_reduction": None,
                "transcription": {},
                "turn_detection": VAD,
            }
        },
        "include": None,
    }
    configure = scene.configured()
    assert configure.transcribe
    assert not configure.reply_enabled
    assert not configure.turns.create_response


def test_an_unused_session_may_become_a_transcription_session() -> None:
    scene = Scene()
    scene.update(type="transcription")
    assert effective(scene)["type"] == "transcription"
    assert effective(scene)["audio"]["input"]["transcription"] == {}
    scene.update(type="realtime")
    scene.update(type="transcription", audio={"input": {"transcription": {"language": "nl"}}})
    assert effective(scene)["audio"]["input"]["transcription"] == {"language": "nl"}
    assert not scene.configured().reply_enabled


def test_a_used_session_keeps_its_type() -> None:
    scene = Scene()
    scene.user_turn()
    scene.forget()
    scene.update(type="transcription")
    assert scene.error()["param"] == "session.type"
