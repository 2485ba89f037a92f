"""The vendors' own ways around the OpenAI chat protocol, each on a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.llm import FakeLlm, Script

SAFE = {
    name: {"filtered": False, "severity": "safe"}
    for name in ("hate", "self_harm", "sexual", "violence")
}


@dataclass(slots=True)
class FakeAzure(FakeLlm):
    """Azure OpenAI: v1 and the dated API, deployments, filter results, regions.

    ``models`` are its deployments.  A question that contains "FORBIDDEN" meets the filter.
    """

    versions: tuple[str, ...] = ("2024-10-21",)
    region: str = "West Europe"
    asynchronous_filter: bool = False
    paths: list[str] = field(default_factory=list)
    """Paths with queries of all requests."""

    @property
    def root(self) -> str:
        """The resource."""
        return f"http://127.0.0.1:{self.port}"

    def add_routes(self, app: web.Application) -> None:
        dated = "/openai/deployments/{deployment}/chat/completions"
        app.router.add_post(dated, self._dated)
        app.router.add_post("/openai/v1/chat/completions", self._v1)

        @web.middleware
        async def note(request: web.Request, handler: Any) -> web.StreamResponse:
            self.paths.append(request.path_qs)
            response: web.StreamResponse = await handler(request)
            return response

        app.middlewares.append(note)

    def _denied(self, request: web.Request) -> web.Response | None:
        return None  # each API has its own way to carry the key

    def response_headers(self) -> dict[str, str]:
        return {"x-ms-region": self.region, "apim-request-id": "0", "x-ratelimit-remaining": "9"}

    async def _dated(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("api-version") not in self.versions:
            return _azure_error(404, "404", "Resource not found")
        if self.key and request.headers.get("api-key") != self.key:
            return _azure_error(401, "401", "Access denied due to invalid subscription key")
        return await self._deployed(request, request.match_info["deployment"])

    async def _v1(self, request: web.Request) -> web.StreamResponse:
        given = {
            request.headers.get("api-key", ""),
            request.headers.get("Authorization", "").removeprefix("Bearer "),
        }
        if self.key and self.key not in given:
            return _azure_error(401, "401", "Access denied due to invalid subscription key")
        return await self._deployed(request, (await request.json()).get("model"))

    async def _deployed(self, request: web.Request, deployment: str) -> web.StreamResponse:
        if deployment not in self.models:
            text = "The API deployment for this resource does not exist."
            return _azure_error(404, "DeploymentNotFound", text)
        body = await request.json()
        if "FORBIDDEN" in json.dumps(body["messages"]):
            found = {**SAFE, "hate": {"filtered": True, "severity": "medium"}}
            inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found}
            text = "The response was filtered due to the prompt triggering Azure's policy."
            return _azure_error(400, "content_filter", text, param="prompt", innererror=inner)
        return await self._chat(request)

    async def _lines(self, script: Script, body: dict[str, Any]) -> AsyncIterator[str | None]:
        filters = [{"prompt_index": 0, "content_filter_results": SAFE}]
        empty = {"id": "", "object": "", "created": 0, "model": ""}
        yield json.dumps({**empty, "choices": [], "prompt_filter_results": filters})
        async for line in FakeLlm._lines(self, script, body):
            if line is None or line == "[DONE]":
                if self.asynchronous_filter:
                    late: dict[str, Any] = {"index": 0, "finish_reason": None}
                    late["content_filter_results"] = SAFE
                    late["content_filter_offsets"] = {"check_offset": 0, "end_offset": 9}
                    yield json.dumps({**empty, "choices": [late]})
                yield line
                continue
            chunk = json.loads(line)
            for choice in chunk["choices"]:
                choice["content_filter_results"] = {} if self.asynchronous_filter else SAFE
            yield json.dumps(chunk)


@dataclass(slots=True)
class FakeVllm(FakeLlm):
    """vLLM: an unknown model is refused without the ``error`` envelope; reasoning comes apart."""

    def refusal(self, body: dict[str, Any]) -> web.Response | None:
        if body["model"] in self.models:
            return None
        text = f"The model `{body['model']}` does not exist."
        flat = {"object": "error", "message": text, "type": "NotFoundError", "code": 404}
        return web.json_response(flat, status=404)

    async def _lines(self, script: Script, body: dict[str, Any]) -> AsyncIterator[str | None]:
        first = True
        async for line in FakeLlm._lines(self, script, body):
            yield line
            if first and line is not None:
                first = False
                thought = json.loads(line)
                thought["choices"][0]["delta"] = {"reasoning_content": "The user wants 99 euros."}
                yield json.dumps(thought)


@dataclass(slots=True)
class FakeOllama(FakeLlm):
    """Ollama: takes any key, finishes with empty text, and its usage knows no details."""

    async def _lines(self, script: Script, body: dict[str, Any]) -> AsyncIterator[str | None]:
        async for line in FakeLlm._lines(self, script, body):
            if line is None or line == "[DONE]":
                yield line
                continue
            chunk = json.loads(line)
            chunk["system_fingerprint"] = "fp_ollama"
            for choice in chunk["choices"]:
                choice.pop("logprobs", None)
                choice["delta"].setdefault("content", "")
                choice["delta"].setdefault("role", "assistant")
            if chunk.get("usage"):
                chunk["usage"].pop("prompt_tokens_details")
            else:
                chunk.pop("usage", None)
            yield json.dumps(chunk)


def _azure_error(status: int, code: str, message: str, **more: Any) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, **more}}, status=status)
