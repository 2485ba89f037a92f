"""Any chat endpoint: streaming, faults, retries, the breaker, what endpoints cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.fakes.llm import CANNED, FakeLlm, Script, canned
from voice_server.dialogue.dialogue import Tool, Usage
from voice_server.dialogue.llm.client import ChatEndpoint, EndpointOptions
from voice_server.dialogue.llm.model import (
    ChatPart,
    ChatRequest,
    Finished,
    LlmError,
    LlmRefused,
    LlmUnavailable,
    TextDelta,
    ToolRequest,
)
from voice_server.dialogue.llm.waiting import Waiting
from voice_server.dialogue.locales import load_locale

ASK = ChatRequest(({"role": "user", "content": "Hello there"},), max_tokens=50)
QUICK = EndpointOptions(connect_s=0.5, read_s=0.4, retry_s=0.01, retry_max_s=0.3)
WEATHER = Tool("weather", "Tells the weather", {"type": "object", "properties": {}})


async def collect(endpoint: ChatEndpoint, request: ChatRequest = ASK) -> list[ChatPart]:
    return [part async for part in endpoint.stream(request)]


def text(parts: list[ChatPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


async def test_streams_text_and_usage() -> None:
    async with FakeLlm([Script("Good morning to you.", cached_tokens=3)]) as llm:
        endpoint = ChatEndpoint(llm.url, key="k", model="fake-model")
        parts = await collect(endpoint)
        assert text(parts) == "Good morning to you."
        assert len(parts) > 4
        assert parts[-1] == Finished("stop", Usage(2, 5, 3))
        (body,) = llm.requests
        assert (body["stream"], body["max_tokens"], body["model"]) == (True, 50, "fake-model")
        assert endpoint.ready
        assert not endpoint.embedded
        await endpoint.close()


async def test_azure_chunks_without_choices_are_usual() -> None:
    async with FakeLlm([Script("Hi.", azure=True)]) as llm:
        assert text(await collect(ChatEndpoint(llm.url))) == "Hi."


async def test_the_first_listed_model_is_used_when_none_is_named() -> None:
    async with FakeLlm(["Hi."], models=("big", "small")) as llm:
        endpoint = ChatEndpoint(llm.url)
        await collect(endpoint)
        assert llm.requests[0]["model"] == "big"
        assert endpoint.model == "big"


async def test_probe_says_what_is_wrong(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeLlm(models=(), key="secret") as llm:
        with pytest.raises(LlmUnavailable, match="lists no model: set llm_model"):
            await ChatEndpoint(llm.url, key="secret").probe()
        with pytest.raises(LlmUnavailable, match="check llm_key"):
            await ChatEndpoint(llm.url, key="wrong").probe()
        with pytest.raises(LlmUnavailable, match="no chat endpoint"):
            await ChatEndpoint(llm.url + "/nowhere", model="x").probe()
    async with FakeLlm(models=("a", "b")) as llm:
        assert await ChatEndpoint(llm.url, model="c").probe() == ("a", "b")
    assert "does not list the model 'c'" in caplog.text


async def test_tool_calls_are_put_together() -> None:
    script = Script(calls=(("weather", '{"city": "Gent"}'), ("clock", "")))
    async with FakeLlm([script]) as llm:
        request = ChatRequest(ASK.messages, tools=(WEATHER,), tool_choice="auto")
        parts = await collect(ChatEndpoint(llm.url, model="m"), request)
        assert parts[:2] == [
            ToolRequest("call_1_0", "weather", '{"city": "Gent"}'),
            ToolRequest("call_1_1", "clock", "{}"),
        ]
        assert isinstance(parts[2], Finished)
        assert parts[2].reason == "tool_calls"
        assert llm.requests[0]["tools"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("required", "required"),
        ("weather", {"type": "function", "function": {"name": "weather"}}),
    ],
)
async def test_tool_choice_in_the_wire_shape(choice: str, sent: object) -> None:
    async with FakeLlm(["Hi."]) as llm:
        request = ChatRequest(ASK.messages, tools=(WEATHER,), tool_choice=choice)
        await collect(ChatEndpoint(llm.url, model="m"), request)
        assert llm.requests[0]["tool_choice"] == sent


async def test_tool_choice_none_sends_no_tools_and_a_schema_is_sent_strict() -> None:
    async with FakeLlm(["{}"]) as llm:
        request = ChatRequest(
            ASK.messages, tools=(WEATHER,), tool_choice="none", schema={"type": "object"}
        )
        await collect(ChatEndpoint(llm.url, model="m"), request)
        assert "tools" not in llm.requests[0]
        assert llm.requests[0]["response_format"]["json_schema"]["strict"] is True


async def test_length_and_content_filter_are_reported() -> None:
    async with FakeLlm(["one two three four", Script("Hm", finish="content_filter")]) as llm:
        endpoint = ChatEndpoint(llm.url, model="m")
        parts = await collect(endpoint, ChatRequest(ASK.messages, max_tokens=2))
        assert isinstance(parts[-1], Finished)
        assert parts[-1].reason == "length"
        parts = await collect(endpoint)
        assert isinstance(parts[-1], Finished)
        assert parts[-1].reason == "content_filter"


@pytest.mark.parametrize(
    "script",
    [
        Script(status=429, code="rate_limit_exceeded", headers=(("retry-after-ms", "20"),)),
        Script(status=429, headers=(("retry-after", "0.02"),)),
        Script(status=429, headers=(("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"),)),
        Script(status=500),
        Script(status=503),
    ],
)
async def test_one_retry_hides_a_short_fault(script: Script) -> None:
    async with FakeLlm([script, "Hello."]) as llm:
        endpoint = ChatEndpoint(llm.url, model="m", options=QUICK)
        assert text(await collect(endpoint)) == "Hello."
        assert len(llm.requests) == 2
        assert endpoint.ready


async def test_two_faults_in_a_row_are_an_error() -> None:
    async with FakeLlm([Script(status=500), Script(status=502, message="Bad gateway")]) as llm:
        with pytest.raises(LlmUnavailable, match=r"answered 502: .*Bad gateway"):
            await collect(ChatEndpoint(llm.url, model="m", options=QUICK))
        assert len(llm.requests) == 2


async def test_a_long_retry_after_is_not_waited_for() -> None:
    async with FakeLlm([Script(status=429, headers=(("retry-after", "20"),)), "Hi."]) as llm:
        with pytest.raises(LlmUnavailable, match="429"):
            await collect(ChatEndpoint(llm.url, model="m", options=QUICK))
        assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("param", "gone", "instead"),
    [
        ("max_tokens", "max_tokens", "max_completion_tokens"),
        ("temperature", "temperature", ""),
        ("stream_options", "stream_options", ""),
        ("response_format", "response_format", ""),
    ],
)
async def test_what_an_endpoint_cannot_do_is_learned(param: str, gone: str, instead: str) -> None:
    refusal = Script(status=400, code="unsupported_parameter", param=param, message="Unsupported")
    async with FakeLlm([refusal, "Hello.", "Again."]) as llm:
        endpoint = ChatEndpoint(llm.url, model="m", options=QUICK)
        request = ChatRequest(ASK.messages, schema={"type": "object"})
        assert text(await collect(endpoint, request)) == "Hello."
        assert text(await collect(endpoint, request)) == "Again."
        assert gone in llm.requests[0]
        for body in llm.requests[1:]:
            assert gone not in body
            assert not instead or instead in body


async def test_a_refused_question_is_no_fault_of_the_endpoint() -> None:
    refusal = Script(status=400, code="content_filter", message="filtered")
    async with FakeLlm([refusal] * 4) as llm:
        endpoint = ChatEndpoint(llm.url, model="m", options=EndpointOptions(breaker_failures=2))
        for _ in range(3):
            with pytest.raises(LlmRefused):
                await collect(endpoint)
        assert endpoint.ready
        assert len(llm.requests) == 3


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script("Hello out there my friend", crash_after=2), "broke off|cannot be reached"),
        (Script("Hello out there my friend", malformed_after=2), "broke off"),
        (Script("Hello out there my friend", unfinished=True), "without a finish reason"),
        (Script("Hello out there my friend", stall_after=2), "broke off|did not answer"),
    ],
)
async def test_a_stream_that_breaks_is_an_error_and_is_not_retried(
    script: Script, words: str
) -> None:
    async with FakeLlm([script, "Never."]) as llm:
        endpoint = ChatEndpoint(llm.url, model="m", options=QUICK)
        got: list[ChatPart] = []

        async def read() -> None:
            async for part in endpoint.stream(ASK):
                got.append(part)

        with pytest.raises(LlmError, match=words):
            await read()
        assert text(got).startswith("Hello")
        assert len(llm.requests) == 1


async def test_nobody_home() -> None:
    async with FakeLlm() as llm:
        url = llm.url
    with pytest.raises(LlmUnavailable, match="cannot be reached"):
        await collect(ChatEndpoint(url, model="m", options=QUICK))


async def test_an_endpoint_that_never_begins_is_given_up_and_not_asked_twice() -> None:
    async with FakeLlm([Script("Late.", ttft_ms=5000)] * 2) as llm:
        endpoint = ChatEndpoint(llm.url, model="m", options=QUICK)
        with pytest.raises(LlmError):
            await collect(endpoint)
        assert len(llm.requests) == 1


async def test_the_breaker_spares_callers_and_closes_again() -> None:
    now = 100.0
    options = EndpointOptions(retry_s=0.0, breaker_failures=3, breaker_s=10)
    async with FakeLlm([Script(status=500)] * 4 + ["Fine."]) as llm:
        endpoint = ChatEndpoint(llm.url, model="m", options=options, clock=lambda: now)
        for _ in range(2):
            with pytest.raises(LlmUnavailable):
                await collect(endpoint)
        assert endpoint.ready
        endpoint.missed()
        assert not endpoint.ready
        now += 10
        assert endpoint.ready
        assert text(await collect(endpoint)) == "Fine."
        endpoint.missed()
        assert endpoint.ready, "a success wipes the slate"


async def test_closing_the_stream_closes_the_request() -> None:
    async with FakeLlm([Script("word " * 200, tokens_per_s=50)]) as llm:
        stream = ChatEndpoint(llm.url, model="m").stream(ASK)
        assert isinstance(await anext(stream), TextDelta)
        await stream.aclose()
        async with asyncio.timeout(5):
            await llm.all_closed.wait()
        assert llm.closed_early == 1


async def test_the_benchmark_model_answers_in_the_language_asked_for() -> None:
    async with FakeLlm(default=canned(0, 0)) as llm:
        endpoint = ChatEndpoint(llm.url, model="m")
        asked = load_locale("fr").answer_in
        request = ChatRequest(({"role": "user", "content": f"Salut\n{asked}"},))
        assert text(await collect(endpoint, request)) == CANNED["fr"]
        assert text(await collect(endpoint)) == CANNED["en"]


async def numbers(log: list[str]) -> AsyncGenerator[int, None]:
    try:
        yield 1
        await asyncio.sleep(0.1)
        yield 2
        await asyncio.sleep(30)
    finally:
        log.append("closed")


async def test_waiting_keeps_the_part_in_flight() -> None:
    log: list[str] = []
    waiting = Waiting(numbers(log))
    assert await waiting.next(1) == 1
    assert await waiting.next(0.01) is None
    assert await waiting.next(1) == 2
    assert await waiting.next(0) is None
    await waiting.close()
    await waiting.close()
    assert log == ["closed"]


async def test_waiting_ends_and_raises_as_its_source() -> None:
    async def source() -> AsyncGenerator[int, None]:
        yield 1
        raise LlmError("broken")

    waiting = Waiting(source())
    assert await waiting.next(1) == 1
    with pytest.raises(LlmError):
        await waiting.next(1)
    with pytest.raises(StopAsyncIteration):
        await waiting.next(1)
    await waiting.close()


async def test_waiting_may_be_closed_when_the_part_has_just_failed() -> None:
    async def source() -> AsyncGenerator[int, None]:
        await asyncio.sleep(0.05)
        raise LlmError("broken")
        yield 1

    waiting = Waiting(source())
    assert await waiting.next(0) is None
    await asyncio.sleep(0.1)
    await waiting.close()
