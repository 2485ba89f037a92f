"""The HTTP routes: speech, transcriptions, ephemeral secrets, models."""

from __future__ import annotations

import asyncio
import io
import wave
from typing import Any

import aiohttp
import numpy as np
import openai
import pytest
import soundfile

from tests.realtime.house import House, house
from tests.realtime.scene import tone
from voice_server.realtime import media, speech_api, transcription_api
from voice_server.realtime.secrets import SECRETS_LIMIT, EphemeralSecrets
from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE


def wav(ms: float = 1000, rate: int = 16_000, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(ms, rate), rate, format=kind)
    return file.getvalue()


async def post(home: House, path: str, **options: Any) -> tuple[int, Any]:
    async with home.client.post(f"{home.url}{path}", **options) as response:
        body = await response.read()
        if response.content_type == "application/json":
            return response.status, await response.json()
        return response.status, body


def error_of(answer: tuple[int, Any]) -> tuple[int, str, str | None]:
    status, body = answer
    return status, body["error"]["code"], body["error"]["param"]


# -------------------------------------------------------------------- speech


@pytest.mark.parametrize("kind", ["wav", "pcm", "flac", "mp3", "opus"])
async def test_speech_in_every_format(kind: Any) -> None:
    async with house() as home:
        answer = await home.sdk().audio.speech.create(
            model="tts-1", voice="alloy", input="one two three four five", response_format=kind
        )
        data = answer.content
        if kind == "pcm":
            assert len(data) == SPEAKING_RATE  # 500 ms of 16 bit
            return
        if kind == "wav":
            with wave.open(io.BytesIO(data)) as reader:
                assert reader.getframerate() == SPEAKING_RATE
                seconds = (len(data) - 44) / 2 / SPEAKING_RATE
        else:
            audio, rate = soundfile.read(io.BytesIO(data))
            seconds = len(audio) / rate
        assert seconds == pytest.approx(0.5, abs=0.06)
        assert home.speaker.asked == [
            {"text": "one two three four five", "language": "en", "voice": "", "speed": 1.0}
        ]


async def test_speech_begins_before_it_is_all_made() -> None:
    async with house() as home:
        home.speaker.fail_at = 3
        body = {"input": "one two three four", "response_format": "pcm"}
        async with home.client.post(f"{home.url}/v1/audio/speech", json=body) as response:
            assert response.status == 200
            first = await response.content.readexactly(4800)
            assert np.frombuffer(first, "<i2").any()
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.content.read()


async def test_speech_as_events() -> None:
    async with house() as home:
        body = {"input": "one two", "stream_format": "sse", "voice": {"id": "af_heart"}}
        status, data = await post(home, "/v1/audio/speech", json=body)
        events = data.decode().strip().split("\n\n")
        assert status == 200
        assert [event.split('"')[3] for event in events] == [
            "speech.audio.delta", "speech.audio.delta", "speech.audio.done",
        ]  # fmt: skip
        assert home.speaker.asked[0]["voice"] == "af_heart"


async def test_speech_knows_the_language_or_is_told() -> None:
    async with house() as home:
        await post(home, "/v1/audio/speech", json={"input": "café"})
        await post(home, "/v1/audio/speech", json={"input": "hello", "language": "nl", "speed": 2})
        asked = [(one["language"], one["speed"]) for one in home.speaker.asked]
        assert asked == [("fr", 1.0), ("nl", 2.0)]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "input"),
        ({"input": ""}, "invalid_value", "input"),
        ({"input": "x" * 4097}, "invalid_value", "input"),
        ({"input": "x", "voice": "darth"}, "invalid_value", "voice"),
        ({"input": "x", "response_format": "aac"}, "invalid_value", "response_format"),
        ({"input": "x", "speed": 9}, "invalid_value", "speed"),
    ],
)
async def test_wrong_speech_requests(body: dict[str, Any], code: str, param: str) -> None:
    async with house() as home:
        assert error_of(await post(home, "/v1/audio/speech", json=body)) == (400, code, param)


async def test_bodies_that_are_no_json_or_too_large() -> None:
    async with house() as home:
        answer = await post(home, "/v1/audio/speech", data=b"{")
        assert error_of(answer) == (400, "invalid_json", None)
        answer = await post(home, "/v1/audio/speech", data=b"x" * 1_100_000)
        assert error_of(answer) == (413, "body_too_large", None)


async def test_speech_that_fails_or_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_api, "CHUNK_DEADLINE_S", 0.1)
    async with house() as home:
        home.speaker.fail_at = 0
        answer = await post(home, "/v1/audio/speech", json={"input": "x"})
        assert error_of(answer) == (500, "speech_failed", None)
        home.speaker.stall = True
        answer = await post(home, "/v1/audio/speech", json={"input": "x"})
        assert error_of(answer) == (500, "speech_failed", None)


async def test_silence_for_text_without_words() -> None:
    async with house() as home:
        status, data = await post(
            home, "/v1/audio/speech", json={"input": " \n ", "response_format": "flac"}
        )
        assert status == 200
        audio, _ = soundfile.read(io.BytesIO(data))
        assert len(audio) == 2400


async def test_a_busy_server_says_so() -> None:
    async with house(jobs=1) as home:
        home.speaker.stall = True
        first = asyncio.create_task(post(home, "/v1/audio/speech", json={"input": "x"}))
        while not home.speaker.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        async with home.client.post(f"{home.url}/v1/audio/speech", json={"input": "y"}) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "5"
        first.cancel()


async def test_engines_that_are_still_loading() -> None:
    async with house(loaded=False) as home:
        for path in ("speech", "transcriptions"):
            answer = await post(home, f"/v1/audio/{path}", json={"input": "x"})
            assert error_of(answer) == (503, "engines_not_ready", None)


def test_clauses_are_cut_at_sentences_and_never_too_long() -> None:
    assert speech_api.clauses("One. Two! Three?\nFour, five") == [
        "One.", "Two!", "Three?", "Four, five",
    ]  # fmt: skip
    long = speech_api.clauses("word " * 200 + "x" * 500)
    assert max(map(len, long)) <= speech_api.CLAUSE_CHARS
    assert "".join(long).replace(" ", "") == "word" * 200 + "x" * 500


# ------------------------------------------------------------ transcriptions


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
async def test_transcriptions_of_every_format(kind: str) -> None:
    async with house() as home:
        answer = await home.sdk().audio.transcriptions.create(
            model="whisper-1",
            file=(f"a.{kind.lower()}", wav(kind=kind)),
            language="fr-BE",
            prompt="tasse",
        )
        assert float(answer.text.split()[0]) == pytest.approx(1000, abs=80)
        assert home.scribe.asked == [{"language": "fr", "languages": (), "hint": "tasse"}]


async def test_verbose_text_and_subtitles() -> None:
    async with house() as home:
        client = home.sdk()
        file = ("a.wav", wav(61_000, 24_000))
        verbose = await client.audio.transcriptions.create(
            model="w", file=file, response_format="verbose_json"
        )
        assert verbose.duration == pytest.approx(61, abs=0.01)
        assert verbose.segments is not None
        assert len(verbose.segments) == 3
        assert verbose.segments[0].end == verbose.segments[1].start
        assert home.scribe.asked[0]["languages"] == ("fr", "nl")
        text = await client.audio.transcriptions.create(
            model="w", file=file, response_format="text"
        )
        assert len(text.split()) == 6
        srt = await client.audio.transcriptions.create(model="w", file=file, response_format="srt")
        assert srt.startswith("1\n00:00:00,000 --> 00:00:2")
        vtt = await client.audio.transcriptions.create(model="w", file=file, response_format="vtt")
        assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:2")


async def test_transcription_as_events() -> None:
    async with house() as home:
        stream = await home.sdk().audio.transcriptions.create(
            model="w", file=("a.wav", wav(40_000)), stream=True
        )
        events = [event async for event in stream]
        assert [event.type for event in events] == [
            "transcript.text.delta", "transcript.text.delta", "transcript.text.done",
        ]  # fmt: skip
        deltas = "".join(event.delta for event in events if event.type == "transcript.text.delta")
        assert deltas == events[-1].text  # type: ignore[union-attr]


async def test_an_empty_recording_has_no_words() -> None:
    async with house() as home:
        form = aiohttp.FormData()
        form.add_field("file", wav(0), filename="a.wav")
        form.add_field("stream", "true")
        status, body = await post(home, "/v1/audio/transcriptions", data=form)
        assert (status, body) == (200, b'data: {"type":"transcript.text.done","text":""}\n\n')


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, (400, "missing_required_parameter", "file")),
        ({"file": b""}, (400, "missing_required_parameter", "file")),
        ({"file": b"no audio"}, (400, "invalid_file", "file")),
        ({"file": wav(10), "response_format": "poem"}, (400, "invalid_value", "response_format")),
        ({"file": wav(10), "prompt": "x" * 70_000}, (413, "file_too_large", "prompt")),
    ],
)
async def test_wrong_uploads(fields: dict[str, Any], wanted: tuple[int, str, str]) -> None:
    async with house() as home:
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in fields.items():
            form.add_field(name, value, filename="a" if name == "file" else None)
        answer = await post(home, "/v1/audio/transcriptions", data=form)
        assert error_of(answer) == wanted


async def test_uploads_that_are_no_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcription_api, "UPLOAD_LIMIT", 1000)
    async with house() as home:
        path = "/v1/audio/transcriptions"
        assert error_of(await post(home, path, json={}))[1] == "invalid_content_type"
        answer = await post(home, path, data=b"x", headers={"Content-Type": "multipart/form-data"})
        assert error_of(answer)[1] == "invalid_form"
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("file", b"x" * 2000, filename="a")
        assert error_of(await post(home, path, data=form)) == (413, "file_too_large", "file")


async def test_a_recogniser_that_fails_or_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcription_api, "SEGMENT_DEADLINE_S", 0.1)
    async with house() as home:
        home.scribe.fail = True
        answer = await post(home, "/v1/audio/transcriptions", data={"file": io.BytesIO(wav(100))})
        assert error_of(answer) == (500, "transcription_failed", None)
        home.scribe.stall = True
        answer = await post(home, "/v1/audio/transcriptions", data={"file": io.BytesIO(wav(100))})
        assert error_of(answer) == (503, "transcription_late", None)


def test_stereo_at_any_rate_becomes_mono_at_ours() -> None:
    file = io.BytesIO()
    left = tone(1000, 44_100)
    soundfile.write(file, np.stack([left, -left], axis=1), 44_100, format="WAV")
    audio = media.decode_file(file.getvalue())
    assert len(audio) == LISTENING_RATE
    assert np.abs(audio).max() < 0.01


def test_recordings_have_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "RECORDING_LIMIT_S", 1)
    with pytest.raises(media.Undecodable, match="longer than"):
        media.decode_file(wav(1500))


def test_recordings_are_cut_where_it_is_quiet() -> None:
    audio = tone(60_000, LISTENING_RATE)
    audio[25 * LISTENING_RATE : 25 * LISTENING_RATE + 3200] = 0
    first, second, end = media.cut_points(audio)
    assert 25 <= first / LISTENING_RATE <= 25.2
    assert second - first <= 28 * LISTENING_RATE
    assert end == len(audio)


# ----------------------------------------------------------- secrets, models


async def test_a_secret_opens_the_session_it_was_made_for() -> None:
    async with house(web_options={"demo": False, "api_keys": ("sk-shop",)}) as home:
        client = home.sdk("sk-shop")
        secret = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={
                "type": "realtime",
                "instructions": "Be brief.",
                "output_modalities": ["text"],
            },
        )
        assert secret.value.startswith("ek_")
        assert secret.session.type == "realtime"
        assert secret.session.instructions == "Be brief."
        wire = await home.open(protocols=("realtime", f"openai-insecure-api-key.{secret.value}"))
        session = wire.seen[0]["session"]
        assert (session["instructions"], session["output_modalities"]) == ("Be brief.", ["text"])
        headers = {"Authorization": f"Bearer {secret.value}"}
        answer = await post(home, "/v1/realtime/client_secrets", headers=headers)
        assert error_of(answer)[:2] == (403, "insufficient_permissions")


async def test_a_transcription_secret() -> None:
    async with house() as home:
        secret = await home.sdk().realtime.client_secrets.create(session={"type": "transcription"})
        assert secret.session.type == "transcription"
        wire = await home.open(headers={"Authorization": f"Bearer {secret.value}"})
        assert wire.seen[0]["session"]["type"] == "transcription"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"session": {"modalities": ["text"]}}, "session.modalities"),
        ({"session": 7}, "session"),
        ({"expires_after": {"seconds": 5}}, "expires_after.seconds"),
    ],
)
async def test_wrong_secrets_are_refused_when_made(body: dict[str, Any], param: str) -> None:
    async with house() as home:
        status, _, at = error_of(await post(home, "/v1/realtime/client_secrets", json=body))
        assert (status, at) == (400, param)


def test_secrets_expire_and_are_bounded() -> None:
    now = 1000.0
    counter = iter(range(1_000_000))
    secrets = EphemeralSecrets(clock=lambda: now, new_id=lambda p: f"{p}_{next(counter)}")
    value, expires_at = secrets.issue({"a": 1}, 60)
    assert expires_at == 1060
    assert secrets.find(value) == {"a": 1}
    assert secrets.find("ek_other") is None
    for _ in range(SECRETS_LIMIT - 1):
        secrets.issue({}, 600)
    assert secrets.find(value) == {"a": 1}
    last, _ = secrets.issue({}, 600)  # the one that expires first makes room
    assert secrets.find(value) is None
    now = 1600.0
    assert secrets.find(last) is None
    fresh, _ = secrets.issue({"b": 2})
    assert secrets.find(fresh) == {"b": 2}
    assert len(secrets._kept) == 1


async def test_models() -> None:
    async with house() as home:
        client = home.sdk()
        names = [model.id async for model in client.models.list()]
        assert "voice-server" in names
        assert (await client.models.retrieve("voice-server")).owned_by == "voice-server"
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            await client.models.retrieve("gpt-9")


async def test_a_transcript_that_fails_half_way_breaks_off() -> None:
    async with house() as home:
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("file", wav(40_000), filename="a.wav")
        form.add_field("stream", "true")
        home.scribe.fail_after = 1
        async with home.client.post(f"{home.url}/v1/audio/transcriptions", data=form) as response:
            assert response.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
