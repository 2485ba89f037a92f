"""Appended audio: decoding, limits, commit and clear."""

from __future__ import annotations

import base64
import binascii

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.realtime.scene import Scene, pcm, tone
from voice_server.audio.g711 import encode_alaw, encode_ulaw
from voice_server.audio.pcm import encode_pcm16
from voice_server.conversation import notices as n
from voice_server.conversation.orders import ClearAudio, CommitAudio, Hear
from voice_server.conversation.transcript import Item
from voice_server.speech.engine import LISTENING_RATE


def append(scene: Scene, data: bytes) -> None:
    scene.client("input_audio_buffer.append", audio=base64.b64encode(data).decode())


def heard(scene: Scene) -> float:
    """Seconds of audio handed on."""
    return sum(len(order.audio) for order in scene.orders(Hear)) / LISTENING_RATE


def pitch(scene: Scene) -> float:
    """Main frequency of what was heard, in Hz."""
    audio = np.concatenate([order.audio for order in scene.orders(Hear)])
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    return float(np.argmax(spectrum) * LISTENING_RATE / len(audio))


@pytest.mark.parametrize(
    ("kind", "rate"), [("audio/pcm", 24_000), ("audio/pcmu", 8_000), ("audio/pcma", 8_000)]
)
def test_every_format_arrives_at_the_recognisers_rate(kind: str, rate: int) -> None:
    scene = Scene()
    scene.update(audio={"input": {"format": {"type": kind}}})
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    encode = {"audio/pcm": encode_pcm16, "audio/pcmu": encode_ulaw, "audio/pcma": encode_alaw}
    data = encode[kind](wave)
    step = len(data) // 50
    for at in range(0, len(data), step):
        append(scene, data[at : at + step])
    assert heard(scene) == pytest.approx(1.0, abs=0.01)
    assert pitch(scene) == pytest.approx(440, abs=2)
    assert scene.orders(Hear)[10].audio.dtype == np.float32
    assert not scene.events("error")


def test_half_samples_wait_for_their_other_half() -> None:
    scene, whole = Scene(), Scene()
    data = encode_pcm16(tone(100))
    for at in range(0, len(data), 333):
        append(scene, data[at : at + 333])
    append(whole, data)
    got = np.concatenate([order.audio for order in scene.orders(Hear)])
    wanted = np.concatenate([order.audio for order in whole.orders(Hear)])
    np.testing.assert_allclose(got, wanted[: len(got)], atol=1e-6)
    assert len(wanted) - len(got) <= 2


def test_an_empty_append_is_nothing() -> None:
    scene = Scene()
    scene.client("input_audio_buffer.append", audio="")
    assert not scene.log


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "missing_required_parameter"),
        ({"audio": 7}, "invalid_type"),
        ({"audio": "not base64!"}, "invalid_value"),
        ({"audio": "AAA"}, "invalid_value"),
        ({"audio": "AAAA AAA"}, "invalid_value"),
        ({"audio": "AA==AAAA"}, "invalid_value"),
        ({"audio": "===="}, "invalid_value"),
        ({"audio": "A==="}, "invalid_value"),
        ({"audio": "AAAA\nAAAAAAA"}, "invalid_value"),
        ({"audio": "é" * 8}, "invalid_value"),
        ({"audio": "A" * (21 * 1024 * 1024)}, "string_above_max_length"),
    ],
)
def test_bad_audio_is_an_error_and_the_session_goes_on(fields: dict[str, str], code: str) -> None:
    scene = Scene()
    scene.client("input_audio_buffer.append", event_id="e1", **fields)
    error = scene.error()
    assert (error["code"], error["param"], error["event_id"]) == (code, "audio", "e1")
    append(scene, encode_pcm16(tone(20)))
    assert len(scene.orders(Hear)) == 1


def test_a_flood_is_dropped_and_said_once_a_second() -> None:
    scene = Scene()
    for _ in range(59):
        scene.client("input_audio_buffer.append", audio=pcm(1000))
    assert not scene.events("error")
    for _ in range(100):
        scene.client("input_audio_buffer.append", audio=pcm(1000), event_id="late")
    assert heard(scene) == pytest.approx(60, abs=0.1)
    error = scene.error()
    assert (error["type"], error["code"]) == ("rate_limit_error", "input_audio_buffer_overflow")
    scene.now += 1.5
    scene.client("input_audio_buffer.append", audio=pcm(1000))
    scene.client("input_audio_buffer.append", audio=pcm(1000))
    assert len(scene.events("error")) == 2
    scene.now += 30
    scene.forget()
    scene.client("input_audio_buffer.append", audio=pcm(1000))
    assert scene.orders(Hear)


def test_long_silence_in_real_time_is_never_too_much() -> None:
    scene = Scene()
    silence = pcm(10_000)
    for _ in range(60):
        scene.client("input_audio_buffer.append", audio=silence)
        scene.now += 10.0
    assert not scene.events()
    assert heard(scene) == pytest.approx(600, abs=1)


def test_commit_names_the_coming_item() -> None:
    scene = Scene()
    scene.update(audio={"input": {"turn_detection": None}})
    scene.forget()
    scene.client("input_audio_buffer.append", audio=pcm(150))
    scene.client("input_audio_buffer.commit")
    assert scene.order(CommitAudio).item_id.startswith("item_")
    assert not scene.events()  # committed comes when the conversation has it
    scene.client("input_audio_buffer.commit")
    assert scene.error()["code"] == "input_audio_buffer_commit_empty"


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
def test_commit_counts_eight_bytes_a_millisecond(kind: str) -> None:
    scene = Scene()
    scene.update(audio={"input": {"format": {"type": kind}}})
    append(scene, bytes(799))
    scene.client("input_audio_buffer.commit")
    assert "99.88ms" in scene.error()["message"]
    append(scene, bytes(1))
    scene.client("input_audio_buffer.commit")
    assert scene.order(CommitAudio)


def test_a_commit_of_nothing_says_so() -> None:
    scene = Scene()
    scene.client("input_audio_buffer.commit", event_id="c1")
    error = scene.error()
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert error["event_id"] == "c1"
    assert "buffer only has 0.00ms" in error["message"]


def test_what_the_server_committed_is_not_committed_again() -> None:
    scene = Scene()
    scene.client("input_audio_buffer.append", audio=pcm(900))
    scene.history.items.clear()
    scene.user_turn()
    scene.client("input_audio_buffer.commit")
    assert scene.error()["code"] == "input_audio_buffer_commit_empty"


def test_clear_forgets() -> None:
    scene = Scene()
    scene.client("input_audio_buffer.append", audio=pcm(900))
    scene.client("input_audio_buffer.clear")
    assert scene.order(ClearAudio)
    assert scene.event("input_audio_buffer.cleared")
    scene.client("input_audio_buffer.commit")
    assert scene.error()["code"] == "input_audio_buffer_commit_empty"


def test_binary_audio_needs_the_extension() -> None:
    scene = Scene()
    scene.text(bytes(960))
    assert scene.error()["code"] == "invalid_event"
    scene = Scene(extensions="binary")
    scene.text(encode_pcm16(tone(20)))
    assert len(scene.order(Hear).audio) == 320
    scene.text(b"")
    assert len(scene.orders(Hear)) == 1


def test_the_turn_of_the_user_in_documented_order() -> None:
    scene = Scene()
    scene.history.insert(Item("item_0", text="hello"))
    scene.user_turn()
    assert scene.types() == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
    ]
    added = scene.event("conversation.item.added")
    assert added["previous_item_id"] == "item_0"
    # agents-js: the key must be there, even as null
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    completed = scene.events()[-1]
    assert completed["usage"] == {"type": "duration", "seconds": 0.8}
    assert completed["languages"] == [{"code": "en"}]


def test_other_reports_of_the_users_side() -> None:
    scene = Scene()
    scene.says(
        n.TranscriptDelta("item_u", "how "),
        n.TranscriptFailed("item_u", "too slow"),
        n.IdleTimeout("item_i", 100, 6100),
        n.ItemTruncated("item_a", 420, "It costs"),
        n.UtteranceCommitted("item_gone", None),
        n.Trouble("stt", "late", "an apology"),
        n.OutputPaused("resp_a", 10.0),
        n.OutputResumed("resp_a", 10.0),
        n.TurnTimings("i", "r", 1, 2, 3, 4, 5, True, "content"),
    )
    assert [event["type"].removeprefix("conversation.item.") for event in scene.events()] == [
        "input_audio_transcription.delta",
        "input_audio_transcription.failed",
        "input_audio_buffer.timeout_triggered",
        "truncated",
        "input_audio_buffer.committed",
    ]
    failed = scene.events()[1]["error"]
    assert None not in failed.values()
    assert failed["message"] == "too slow"
    assert scene.events()[3]["audio_end_ms"] == 420


@given(text=st.text("AZaz09+/= \n-é", max_size=16))
def test_base64_is_as_strict_as_the_standard_library(text: str) -> None:
    scene = Scene(extensions="binary")
    scene.client("input_audio_buffer.append", audio=text)
    try:
        binascii.a2b_base64(text, strict_mode=True)
        valid = len(text) % 4 == 0  # the library lets "0000=" pass, RFC 4648 does not
    except ValueError:
        valid = False
    if valid:
        assert not scene.events("error")
    else:
        assert scene.error()["code"] == "invalid_value"
