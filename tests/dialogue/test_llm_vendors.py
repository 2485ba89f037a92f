"""Azure, OpenAI in Europe, vLLM and Ollama, with the stock client on real sockets."""

from __future__ import annotations

import pytest
from aiohttp import web

from tests.fakes.llm import FakeLlm, Script
from tests.fakes.llm_vendors import FakeAzure, FakeOllama, FakeVllm
from voice_server.dialogue.llm.client import ChatEndpoint, EndpointOptions
from voice_server.dialogue.llm.model import (
    ChatPart,
    ChatRequest,
    Finished,
    LlmBarred,
    LlmRefused,
    LlmUnavailable,
    TextDelta,
)
from voice_server.dialogue.llm.vendors import (
    EU_AZURE_REGIONS,
    Endpoint,
    EndpointError,
    endpoint,
    in_eu,
)

ASK = ChatRequest(({"role": "user", "content": "Hello there"},), max_tokens=50)
QUICK = EndpointOptions(connect_s=0.5, read_s=0.5, retry_s=0.01, retry_max_s=0.3)


async def collect(model: ChatEndpoint, request: ChatRequest = ASK) -> list[ChatPart]:
    return [part async for part in model.stream(request)]


def text(parts: list[ChatPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def azure(fake: FakeAzure, version: str = "", *, key: str = "k", model: str = "shop",
          residency: bool = False) -> ChatEndpoint:  # fmt: skip
    where = endpoint(
        fake.root, api="azure", api_version=version, residency="eu" if residency else ""
    )
    return ChatEndpoint(where, key=key, model=model, options=QUICK)


# ------------------------------------------------------------ addresses

RESOURCE = "https://marolle.openai.azure.com"


@pytest.mark.parametrize(
    ("url", "version", "api", "becomes"),
    [
        (RESOURCE, "", "azure", f"{RESOURCE}/openai/v1/"),
        (f"{RESOURCE}/openai/v1/", "", "azure", f"{RESOURCE}/openai/v1/"),
        (f"{RESOURCE}/openai/deployments/x?api-version=1", "2024-10-21", "azure_dated", RESOURCE),
        ("https://m.services.ai.azure.com/models", "", "azure",
         "https://m.services.ai.azure.com/openai/v1/"),
        ("https://westeurope.api.cognitive.microsoft.com", "2024-10-21", "azure_dated",
         "https://westeurope.api.cognitive.microsoft.com"),
        ("https://api.openai.com/v1", "", "openai", "https://api.openai.com/v1"),
        ("http://gpu:8000/v1", "", "openai", "http://gpu:8000/v1"),
    ],
)  # fmt: skip
def test_an_address_tells_its_dialect(url: str, version: str, api: str, becomes: str) -> None:
    found = endpoint(url, api_version=version)
    assert (found.api, found.url) == (api, becomes)
    assert found.needs_model == (api != "openai")


def test_the_operator_may_name_the_dialect() -> None:
    assert endpoint("https://llm.marolle.example", api="azure").api == "azure"
    assert endpoint(f"{RESOURCE}/openai/v1", api="openai").url == f"{RESOURCE}/openai/v1"
    with pytest.raises(EndpointError, match="llm_api_version is for Azure"):
        endpoint("https://api.openai.com/v1", api_version="2024-10-21")
    with pytest.raises(EndpointError, match="no address"):
        endpoint("https://")


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://eu.api.openai.com/v1", ""),
        ("http://127.0.0.1:8000/v1", ""),
        ("http://localhost:11434/v1", ""),
        ("http://[::1]:8000/v1", ""),
        (RESOURCE, "westeurope"),
        (RESOURCE, "Sweden Central"),
        ("https://francecentral.api.cognitive.microsoft.com", ""),
        ("https://gpu.marolle.example/v1", "be"),
        ("https://gpu.marolle.example/v1", "EU"),
    ],
)
def test_what_lies_in_europe_is_allowed(url: str, region: str) -> None:
    assert endpoint(url, residency="eu", region=region).residency == "eu"


@pytest.mark.parametrize(
    ("url", "region", "words"),
    [
        ("https://api.openai.com/v1", "", "https://eu.api.openai.com/v1"),
        ("https://api.openai.com/v1", "westeurope", "may answer from anywhere"),
        ("https://us.api.openai.com/v1", "", "may answer from anywhere"),
        (RESOURCE, "", "set llm_region"),
        (RESOURCE, "eastus", "is in 'eastus'"),
        (RESOURCE, "switzerlandnorth", "is in 'switzerlandnorth'"),
        (RESOURCE, "uksouth", "European Union"),
        ("https://eastus.api.cognitive.microsoft.com", "westeurope", "is in 'eastus'"),
        ("https://gpu.marolle.example/v1", "", "does not tell where it is"),
        ("http://192.168.1.5:8000/v1", "", "does not tell where it is"),
        ("https://eu.api.openai.com.evil.example/v1", "", "does not tell where it is"),
        ("https://evileu.api.openai.com/v1", "", "may answer from anywhere"),
    ],
)
def test_what_may_lie_elsewhere_is_refused_with_a_remedy(url: str, region: str, words: str) -> None:
    with pytest.raises(EndpointError, match=words):
        endpoint(url, residency="eu", region=region)
    assert endpoint(url, region=region), "without a promise it is nobody's business"


def test_regions() -> None:
    assert all(in_eu(region) for region in EU_AZURE_REGIONS)
    assert in_eu("Germany West Central")
    assert not any(in_eu(r) for r in ("", "eastus", "norwayeast", "uk", "ch", "us", "global"))


# ------------------------------------------------------------ Azure


async def test_azure_v1() -> None:
    async with FakeAzure(["Yes.", "Goedemiddag."], models=("shop",), key="k") as fake:
        model = azure(fake)
        assert await model.probe() == ("shop",)
        parts = await collect(model)
        assert text(parts) == "Goedemiddag."
        assert parts[-1] == Finished("stop", parts[-1].usage)  # type: ignore[union-attr]
        assert fake.paths == ["/openai/v1/chat/completions"] * 2
        assert fake.requests[1]["model"] == "shop"
        await model.close()


async def test_azure_with_a_dated_api() -> None:
    async with FakeAzure(["Yes.", "Guten Tag."], models=("shop",), key="k") as fake:
        model = azure(fake, "2024-10-21")
        assert await model.probe() == ("shop",)
        assert text(await collect(model)) == "Guten Tag."
        path = "/openai/deployments/shop/chat/completions?api-version=2024-10-21"
        assert fake.paths == [path] * 2


@pytest.mark.parametrize("version", ["", "2024-10-21"])
async def test_azure_says_what_is_wrong(version: str) -> None:
    async with FakeAzure(models=("shop",), key="k") as fake:
        with pytest.raises(LlmUnavailable, match="check llm_key"):
            await azure(fake, version, key="wrong").probe()
        with pytest.raises(LlmUnavailable, match="no deployment named 'gpt-5'"):
            await azure(fake, version, model="gpt-5").probe()
        with pytest.raises(LlmUnavailable, match="set llm_model to the deployment's name"):
            await azure(fake, version, model="").probe()
        with pytest.raises(LlmUnavailable, match="no deployment"):
            await azure(fake, "2020-01-01").probe()


@pytest.mark.parametrize("version", ["", "2024-10-21"])
async def test_azures_filter_refuses_a_question_and_cuts_an_answer(version: str) -> None:
    async with FakeAzure([Script("Well", finish="content_filter")], models=("shop",)) as fake:
        model = azure(fake, version)
        forbidden = ChatRequest(({"role": "user", "content": "FORBIDDEN words"},))
        for _ in range(4):
            with pytest.raises(LlmRefused):
                await collect(model, forbidden)
        assert model.ready, "a refused question is no fault of the endpoint"
        last = (await collect(model))[-1]
        assert isinstance(last, Finished)
        assert last.reason == "content_filter"


async def test_azures_late_findings_are_no_text() -> None:
    script = Script("Bonjour à vous.")
    async with FakeAzure([script], models=("shop",), asynchronous_filter=True) as fake:
        assert text(await collect(azure(fake))) == "Bonjour à vous."


@pytest.mark.parametrize("header", [("retry-after-ms", "20"), ("retry-after", "0.02")])
async def test_azure_is_asked_again_when_it_says_so(header: tuple[str, str]) -> None:
    busy = Script(status=429, code="429", message="Rate limit is exceeded.", headers=(header,))
    async with FakeAzure([busy, "Hello."], models=("shop",)) as fake:
        assert text(await collect(azure(fake, "2024-10-21"))) == "Hello."
        assert len(fake.requests) == 2


async def test_a_newer_deployment_that_refuses_max_tokens_can_be_probed() -> None:
    message = "Unsupported parameter: 'max_tokens' is not supported with this model."
    refusal = Script(status=400, code="unsupported_parameter", param="max_tokens", message=message)
    async with FakeAzure([refusal, "Yes."], models=("shop",)) as fake:
        assert await azure(fake).probe() == ("shop",)
        assert fake.requests[1]["max_completion_tokens"] == 16


# ------------------------------------------------------------ residency at work


async def test_an_answer_from_another_region_is_the_last() -> None:
    async with FakeAzure(["Hello."], models=("shop",), region="East US") as fake:
        model = azure(fake, residency=True)
        with pytest.raises(LlmBarred, match="answered from 'East US'"):
            await model.probe()
        assert not model.ready
        with pytest.raises(LlmBarred):
            await collect(model)
        assert len(fake.requests) == 1, "it is not asked again"
        free = azure(fake)
        assert text(await collect(free)) == "Hello."


async def test_an_answer_from_europe_is_welcome() -> None:
    async with FakeAzure(["Hello."], models=("shop",), region="Sweden Central") as fake:
        assert text(await collect(azure(fake, residency=True))) == "Hello."


async def test_a_redirect_is_not_followed() -> None:
    async with FakeLlm(["Gotcha."]) as elsewhere:
        there = f"{elsewhere.url}/chat/completions"

        async def away(_: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": there})

        class Redirecting(FakeLlm):
            def add_routes(self, app: web.Application) -> None:
                app.router.add_post("/r/v1/chat/completions", away)

        async with Redirecting() as fake:
            url = f"http://127.0.0.1:{fake.port}/r/v1"
            model = ChatEndpoint(endpoint(url, residency="eu"), model="m", options=QUICK)
            with pytest.raises(LlmUnavailable, match="set llm to where it really is"):
                await collect(model)
        assert elsewhere.requests == []


# ------------------------------------------------------------ one's own machine


async def test_vllm() -> None:
    async with FakeVllm(["Dag."], models=("qwen",)) as fake:
        model = ChatEndpoint(Endpoint(fake.url), options=QUICK)
        assert await model.probe() == ("qwen",)
        assert text(await collect(model)) == "Dag.", "its thoughts are not said"
        with pytest.raises(LlmUnavailable, match="does not know the model 'llama'"):
            await collect(ChatEndpoint(fake.url, model="llama", options=QUICK))


async def test_ollama() -> None:
    async with FakeOllama(["Bonjour."], models=("qwen3:4b",)) as fake:
        model = ChatEndpoint(fake.url, options=QUICK)
        parts = await collect(model)
        assert text(parts) == "Bonjour."
        last = parts[-1]
        assert isinstance(last, Finished)
        assert (last.usage.output_tokens, last.usage.cached_tokens) == (2, 0)
