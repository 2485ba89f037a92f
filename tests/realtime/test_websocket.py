"""The websocket shell on real sockets: turns, refusals, bad clients, resume, draining."""

from __future__ import annotations

import asyncio
import base64
import socket as sockets
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from tests.fakes.conversation import Script
from tests.realtime.house import House, Wire, house
from tests.realtime.scene import conforms, pcm, tone
from voice_server.audio.pcm import encode_pcm16
from voice_server.conversation.notices import Trouble
from voice_server.conversation.orders import Hold, Resume
from voice_server.realtime import session as session_module
from voice_server.web.application import REALTIME, drain


async def speak(wire: Wire, ms: int = 300, silence_ms: int = 300) -> None:
    data = encode_pcm16(tone(ms)) + bytes(silence_ms * 48)
    for at in range(0, len(data), 960):
        audio = base64.b64encode(data[at : at + 960]).decode()
        await wire.send("input_audio_buffer.append", audio=audio)


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def test_a_spoken_turn_over_a_real_socket() -> None:
    async with house() as home:
        wire = await home.open("?model=gpt-realtime")
        assert wire.seen[0]["session"]["model"] == "gpt-realtime"
        await wire.send(
            "session.update", session={"audio": {"input": {"transcription": {"model": "w"}}}}
        )
        await speak(wire)
        await wire.until("rate_limits.updated")
        for event in wire.seen:
            conforms(event)
        kinds = wire.types()
        order = [
            "session.updated",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.input_audio_transcription.completed",
            "response.created",
            "response.output_audio.delta",
            "response.done",
        ]
        places = [kinds.index(kind) for kind in order]
        assert places == sorted(places)
        assert home.metrics.value("realtime_sessions") == 1
        await wire.socket.close()
        await eventually(lambda: len(home.sessions) == 0)
        assert "voice_to_voice_seconds_count" in home.metrics.render()


async def test_binary_both_ways() -> None:
    async with house() as home:
        wire = await home.open("?extensions=binary")
        for at in range(0, 600, 20):
            ms = 20 if at < 300 else 0
            await wire.socket.send_bytes(encode_pcm16(tone(20)) if ms else bytes(960))
        await wire.until("response.done")
        assert sum(len(frame) - 8 for frame in wire.frames) == 800 * 48


async def test_a_transcription_session() -> None:
    async with house() as home:
        wire = await home.open("?intent=transcription")
        assert wire.seen[0]["session"]["type"] == "transcription"
        await speak(wire)
        done = await wire.until("conversation.item.input_audio_transcription.completed")
        assert done["transcript"] == "What does it cost?"
        await wire.send("response.create")
        assert (await wire.until("error"))["error"]["code"] == "invalid_event"


async def test_the_subprotocol_is_answered() -> None:
    async with house() as home:
        wire = await home.open(protocols=("realtime", "openai-insecure-api-key.sk-x"))
        assert wire.socket.protocol == "realtime"


async def test_full_is_1013_and_makes_room_again() -> None:
    async with house(max_sessions=1) as home:
        first = await home.open()
        second = await home.dial()
        assert (await second.until("error"))["error"]["code"] == "server_full"
        assert await second.end() == 1013
        assert home.metrics.value("realtime_refused_total") == 1
        await first.socket.close()
        await eventually(lambda: len(home.sessions) == 0)
        await home.open()


async def test_loading_is_1013() -> None:
    async with house(ready=lambda: {"stt": False, "tts": True}) as home:
        wire = await home.dial()
        assert "still loading: stt" in (await wire.until("error"))["error"]["message"]
        assert await wire.end() == 1013


async def test_calls_are_not_known() -> None:
    async with house() as home:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await home.dial("?call_id=rtc_1")
        assert caught.value.status == 404


async def test_a_large_append_is_an_error_and_a_huge_one_a_close() -> None:
    async with house() as home:
        wire = await home.open(max_msg_size=0)
        await wire.send("input_audio_buffer.append", audio="A" * (21 * 1024 * 1024), event_id="a")
        error = (await wire.until("error"))["error"]
        assert (error["code"], error["event_id"]) == ("string_above_max_length", "a")
        with suppress(ConnectionError):  # the server closes while the client is still sending
            await wire.send("input_audio_buffer.append", audio="A" * (25 * 1024 * 1024))
        await wire.end()
        await eventually(lambda: len(home.sessions) == 0)
        await home.open()


async def test_a_flood_is_dropped_without_harm() -> None:
    stopped = {"endpoint_options": {"clock": lambda: 0.0}}
    async with house(web_options=stopped) as home:
        wire = await home.open()
        for _ in range(62):
            await wire.send("input_audio_buffer.append", audio=pcm(1000))
        assert (await wire.until("error"))["error"]["code"] == "input_audio_buffer_overflow"
        await wire.send("input_audio_buffer.clear")
        assert await wire.until("input_audio_buffer.cleared")
        assert home.conversations[0].heard_ms <= 60_000


async def test_a_client_that_never_reads_is_dropped() -> None:
    options = {"endpoint_options": {"line_options": {"outbox_bytes": 100_000}}}
    script = Script(clause_ms=200_000, speed=1000)
    async with house(script, web_options=options) as home:
        other = await home.open()
        deaf = sockets.create_connection(("127.0.0.1", int(home.url.rsplit(":", 1)[1])))
        deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        deaf.sendall(
            b"GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        await eventually(lambda: len(home.sessions) == 2)
        request = b'{"type":"response.create"}'
        mask = bytes(4)
        deaf.sendall(bytes([0x81, 0x80 | len(request)]) + mask + request)
        await eventually(lambda: home.metrics.value("realtime_dropped_clients_total") == 1)
        await eventually(lambda: len(home.sessions) == 1)
        deaf.close()
        await other.send("input_audio_buffer.clear")
        assert await other.until("input_audio_buffer.cleared")


async def test_a_client_that_vanishes_leaves_nothing_behind() -> None:
    async with house(Script(clause_ms=2000)) as home:
        wire = await home.open()
        await wire.send("response.create")
        await wire.until("response.output_audio.delta")
        wire.vanish()
        await eventually(lambda: len(home.sessions) == 0)


async def test_silence_of_a_dead_peer_is_noticed_by_the_heartbeat() -> None:
    options = {"endpoint_options": {"heartbeat_s": 0.2}}
    async with house(web_options=options) as home:
        await home.open(autoping=False)
        await eventually(lambda: len(home.sessions) == 0)


async def test_a_conversation_that_crashes_takes_nobody_along() -> None:
    async with house(Script(crash=True)) as home:
        wire = await home.dial()
        assert await wire.end() == 1011
        await eventually(lambda: len(home.sessions) == 0)


async def test_a_conversation_that_ends_closes_normally() -> None:
    async with house() as home:
        wire = await home.open()
        home.conversations[0].close("goodbye")
        assert await wire.end() == 1000


async def test_a_conversation_that_does_not_end_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "CLOSE_DEADLINE_S", 0.1)
    async with house() as home:
        wire = await home.open()
        monkeypatch.setattr(home.conversations[0], "close", lambda reason: None)
        await wire.socket.close()
        await eventually(lambda: len(home.sessions) == 0)


async def test_troubles_are_counted() -> None:
    async with house() as home:
        await home.open()
        home.conversations[0]._emit(Trouble("stt", "late", "an apology"))
        assert home.metrics.value("conversation_troubles_total", stage="stt") == 1


async def test_a_bug_in_one_event_does_not_end_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with house() as home:
        wire = await home.open()
        (session,) = home.sessions._sessions

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(session.protocol, "receive", broken)
            await wire.send("response.create")
            await eventually(lambda: home.metrics.value("realtime_internal_errors_total") == 1)
        with monkeypatch.context() as patch:
            patch.setattr(session.protocol, "observe", broken)
            home.conversations[0]._emit(Trouble("tts", "x", "y"))
        assert home.metrics.value("realtime_internal_errors_total") == 2
        await wire.send("input_audio_buffer.clear")
        assert await wire.until("input_audio_buffer.cleared")


# ------------------------------------------------------------------- resume


async def dropped(home: House, extensions: str = "resume") -> tuple[Wire, str, str]:
    """A session whose socket dies in the middle of a reply: (wire, token, last event id)."""
    wire = await home.open(f"?extensions={extensions}")
    token = (await wire.until("voice_server.resume_token"))["token"]
    await wire.send("response.create")
    await wire.until("response.output_audio_transcript.delta")
    while len([k for k in wire.types() if k == "response.output_audio.delta"]) < 5:
        await wire.next()
    wire.vanish()
    await eventually(lambda: home.conversations[0].of(Hold))
    return wire, token, wire.seen[-1]["event_id"]


def spoken_ms(*wires: Wire) -> float:
    deltas = [
        event["delta"]
        for wire in wires
        for event in wire.seen
        if event["type"] == "response.output_audio.delta"
    ]
    return sum(len(base64.b64decode(delta)) for delta in deltas) / 48


async def test_a_dropped_client_comes_back_and_hears_the_rest() -> None:
    async with house() as home:
        old, token, last = await dropped(home)
        wire = await home.dial(
            f"?resume={token}&last_event_id={last}&position_ms=100&extensions=resume"
        )
        resumed = await wire.next()
        assert resumed is not None
        assert resumed["type"] == "voice_server.resumed"
        assert resumed["offset_ms"] == 100
        new_token = await wire.until("voice_server.resume_token")
        assert new_token["token"] != token
        await wire.until("response.done")
        assert home.conversations[0].of(Resume) == [Resume(100.0)]
        assert 700 <= spoken_ms(wire) <= 740  # 800 in all, 100 of them heard; pieces of 40
        ids = [event["event_id"] for event in (*old.seen, *wire.seen)]
        assert len(ids) == len(set(ids))
        both = [*old.types(), *wire.types()]
        for once in ("response.created", "response.done", "conversation.item.added"):
            assert both.count(once) == 1
        assert len(home.sessions) == 1
        assert home.metrics.value("realtime_resumed_total") == 1
        await wire.socket.close()
        await eventually(lambda: len(home.sessions) == 0)


async def test_tokens_work_once() -> None:
    async with house() as home:
        _, token, _ = await dropped(home)
        wire = await home.dial(f"?resume={token}&position_ms=soon")
        await wire.until("voice_server.resumed")
        again = await home.dial(f"?resume={token}")
        assert (await again.until("error"))["error"]["code"] == "resume_failed"
        assert await again.end() == 4004
        await wire.send("input_audio_buffer.clear")
        assert await wire.until("input_audio_buffer.cleared")


async def test_a_second_drop_can_be_resumed_too() -> None:
    async with house(Script(clause_ms=2000)) as home:
        _, token, _ = await dropped(home)
        wire = await home.dial(f"?resume={token}&position_ms=0")
        token = (await wire.until("voice_server.resume_token"))["token"]
        await wire.until("response.output_audio.delta")
        wire.vanish()
        await eventually(lambda: len(home.conversations[0].of(Hold)) == 2)
        third = await home.dial(f"?resume={token}&position_ms=40")
        await third.until("response.done")


async def test_parking_ends(caplog: pytest.LogCaptureFixture) -> None:
    async with house(resume_s=0.2) as home:
        _, token, _ = await dropped(home)
        assert len(home.sessions) == 1
        await eventually(lambda: len(home.sessions) == 0)
        wire = await home.dial(f"?resume={token}")
        assert await wire.end() == 4004


async def test_the_other_socket_is_closed_when_a_client_is_faster_than_its_drop() -> None:
    async with house(Script(clause_ms=3000)) as home:
        wire = await home.open("?extensions=resume")
        token = (await wire.until("voice_server.resume_token"))["token"]
        await wire.send("response.create")
        await wire.until("response.output_audio.delta")
        new = await home.dial(f"?resume={token}&position_ms=0")
        await new.until("voice_server.resumed")
        assert await wire.end() == 4001
        await new.until("response.output_audio.delta")
        assert len(home.sessions) == 1
        await new.socket.close()
        await eventually(lambda: len(home.sessions) == 0)


async def test_who_leaves_normally_is_not_parked() -> None:
    async with house() as home:
        wire = await home.open("?extensions=resume")
        await wire.socket.close()
        await eventually(lambda: len(home.sessions) == 0)


async def test_without_parking_time_there_is_no_token() -> None:
    async with house(resume_s=0) as home:
        wire = await home.open("?extensions=resume")
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        assert "voice_server.resume_token" not in wire.types()
        wire.vanish()
        await eventually(lambda: len(home.sessions) == 0)


# ------------------------------------------------------------------ draining


async def test_draining_lets_a_reply_finish_and_closes_the_rest() -> None:
    async with house() as home:
        idle, talking = await home.open(), await home.open()
        await talking.send("response.create")
        await talking.until("response.created")
        draining = asyncio.create_task(drain(home.application, 5))
        assert await idle.end() == 1001
        await talking.until("response.done")
        assert talking.seen[-1]["response"]["status"] == "completed"
        assert await talking.end() == 1001
        await draining
        assert len(home.sessions) == 0
        late = await home.dial()
        assert await late.end() == 1013


async def test_draining_has_an_end() -> None:
    async with house(Script(clause_ms=60_000)) as home:
        wire = await home.open()
        await wire.send("response.create")
        await wire.until("response.created")
        draining = asyncio.create_task(drain(home.application, 0.2))
        done = await wire.until("response.done")
        assert done["response"]["status"] == "failed"
        assert await wire.end() == 1001
        await draining


async def test_parked_sessions_do_not_hold_up_a_drain() -> None:
    async with house(resume_s=60) as home:
        await dropped(home)
        async with asyncio.timeout(5):
            await drain(home.application, 30)
        assert len(home.sessions) == 0


async def test_a_session_that_does_not_end_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with house() as home:
        wire = await home.open()
        (session,) = home.sessions._sessions
        monkeypatch.setattr(session, "close", lambda code, reason: None)
        monkeypatch.setattr("voice_server.realtime.sessions.END_DEADLINE_S", 0.2)
        await drain(home.application, 0.0)
        assert len(home.sessions) == 0
        with suppress(AssertionError):
            await wire.end()


async def test_a_stored_session_that_no_longer_fits_is_refused_with_words() -> None:
    voices = {"af_heart"}
    async with house() as home:
        backend = home.application[REALTIME]._backend
        object.__setattr__(backend, "voices", lambda: frozenset(voices))
        status, secret = await create_secret(home)
        assert status == 200
        voices.clear()
        wire = await home.dial(headers={"Authorization": f"Bearer {secret}"})
        assert (await wire.until("error"))["error"]["param"] == "session.audio.output.voice"
        assert await wire.end() == 1013


async def create_secret(home: House) -> tuple[int, str]:
    body = {"session": {"audio": {"output": {"voice": "af_heart"}}}}
    async with home.client.post(f"{home.url}/v1/realtime/client_secrets", json=body) as response:
        return response.status, (await response.json())["value"]
