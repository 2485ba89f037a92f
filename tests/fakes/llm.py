"""A chat endpoint in the vendors' wire shape on a real socket, with faults on demand.

In tests::

    async with FakeLlm(["Hello.", Script("Late.", ttft_ms=500)]) as llm:
        endpoint = ChatEndpoint(llm.url)

From the command line, as the fixed-speed model of the benchmarks (answers in the language that
the prompt asks for, without numbers, so that the sentence gate lets it through)::

    python -m tests.fakes.llm --port 9100 --ttft-ms 50 --tokens-per-s 50
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from voice_server.dialogue.locales import AVAILABLE, load_locale

_TOKEN = re.compile(r"\s*\S{1,6}|\s+")

CANNED = {
    "en": "Of course, I'm happy to help you with that. Just tell me what you are looking for.",
    "fr": "Bien sûr, je vous aide avec plaisir. Dites-moi simplement ce que vous cherchez.",
    "nl": "Natuurlijk, ik help u daar graag mee. Zeg me gewoon wat u zoekt.",
    "de": "Natürlich, ich helfe Ihnen gern dabei. Sagen Sie mir einfach, was Sie suchen.",
}


@dataclass(frozen=True, slots=True)
class Script:
    """One answer and what goes wrong with it."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """(function, JSON arguments)."""
    ttft_ms: float = 0.0
    tokens_per_s: float = 0.0
    """0: as fast as the socket takes them."""
    status: int = 200
    code: str = ""
    param: str | None = None
    message: str = "The server had an error while processing your request."
    headers: tuple[tuple[str, str], ...] = ()
    stall_after: int | None = None
    """Tokens sent before it goes quiet for ever."""
    crash_after: int | None = None
    """Tokens sent before the connection is cut."""
    malformed_after: int | None = None
    """Tokens sent before a line that is no JSON."""
    unfinished: bool = False
    """End without finish reason and without [DONE]."""
    finish: str = "stop"
    azure: bool = False
    """Begin with a chunk of content filter results and no choices."""
    cached_tokens: int = 0


Answerer = Callable[[dict[str, Any]], Script | str]


@dataclass(slots=True)
class FakeLlm:
    """The server. ``answers`` are used in turn; then ``default`` (or the last one) for ever."""

    answers: Iterable[Script | str] = ()
    default: Answerer | None = None
    models: Sequence[str] = ("fake-model",)
    key: str = ""
    """Requests with another bearer get 401; empty accepts all."""
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the chat requests, in order."""
    open_streams: int = 0
    all_closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no stream is open, once there was one."""
    closed_early: int = 0
    """Streams that the client left before their end."""
    _queue: list[Script | str] = field(default_factory=list)
    _last: Script | str = "OK."
    _runner: web.AppRunner | None = None
    _ids: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        """Base URL as the openai client takes it."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        self._queue = list(self.answers)
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        self.add_routes(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def add_routes(self, app: web.Application) -> None:
        """Add a vendor's own routes (``tests/fakes/llm_vendors.py``)."""

    def response_headers(self) -> dict[str, str]:
        """Return a vendor's own headers."""
        return {}

    def refusal(self, body: dict[str, Any]) -> web.Response | None:
        """Return a vendor's own refusal of a question, None to answer it."""
        return None

    def _denied(self, request: web.Request) -> web.Response | None:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "Incorrect API key provided.", "invalid_api_key", None)
        return None

    async def _list(self, request: web.Request) -> web.Response:
        if denied := self._denied(request):
            return denied
        data = [{"id": m, "object": "model", "created": 0, "owned_by": "me"} for m in self.models]
        return web.json_response({"object": "list", "data": data})

    def _next(self, body: dict[str, Any]) -> Script:
        if self._queue:
            self._last = self._queue.pop(0)
        elif self.default is not None:
            self._last = self.default(body)
        return Script(self._last) if isinstance(self._last, str) else self._last

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        if denied := self._denied(request):
            return denied
        body = await request.json()
        self.requests.append(body)
        if refused := self.refusal(body):
            return refused
        script = self._next(body)
        if script.status != 200:
            return _error(
                script.status, script.message, script.code, script.param, dict(script.headers)
            )
        stream = {"Content-Type": "text/event-stream; charset=utf-8", **self.response_headers()}
        response = web.StreamResponse(headers=stream)
        await response.prepare(request)
        self.open_streams += 1
        self.all_closed.clear()
        ended = False
        try:
            async for line in self._lines(script, body):
                if line is None:
                    if request.transport is not None:
                        request.transport.abort()
                    ended = True
                    return response
                await response.write(f"data: {line}\n\n".encode())
            ended = True
        finally:
            self.open_streams -= 1
            self.closed_early += not ended
            if not self.open_streams:
                self.all_closed.set()
        return response

    async def _lines(self, script: Script, body: dict[str, Any]) -> AsyncIterator[str | None]:
        """Yield the data lines of a stream; None cuts the connection."""
        number = next(iter(self._ids))
        base = {
            "id": f"chatcmpl-fake{number}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": body.get("model", "fake-model"),
            "system_fingerprint": "fp_fake",
        }

        def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return json.dumps({**base, "choices": [choice], "usage": None})

        if script.azure:
            filters = [{"prompt_index": 0, "content_filter_results": {}}]
            yield json.dumps({**base, "choices": [], "prompt_filter_results": filters})
        await asyncio.sleep(script.ttft_ms / 1000)
        yield chunk({"role": "assistant", "content": "", "refusal": None})
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or 1 << 30
        tokens = _TOKEN.findall(script.text)
        finish = "length" if len(tokens) > limit else script.finish
        for place, token in enumerate(tokens[:limit]):
            if place == script.stall_after:
                await asyncio.sleep(3600)
            if place == script.crash_after:
                yield None
                return
            if place == script.malformed_after:
                yield '{"id": "chatcmpl-fake", "choices": [{"delta": {"con'
                return
            if place and script.tokens_per_s:
                await asyncio.sleep(1 / script.tokens_per_s)
            yield chunk({"content": token})
        for index, (name, arguments) in enumerate(script.calls):
            finish = "tool_calls"
            head = {"name": name, "arguments": ""}
            call = {"index": index, "id": f"call_{number}_{index}", "type": "function"}
            yield chunk({"tool_calls": [{**call, "function": head}]})
            for at in range(0, len(arguments), 5):
                piece = {"arguments": arguments[at : at + 5]}
                yield chunk({"tool_calls": [{"index": index, "function": piece}]})
        if script.unfinished:
            return
        yield chunk({}, finish)
        if (body.get("stream_options") or {}).get("include_usage"):
            prompt = sum(len(str(m.get("content"))) for m in body["messages"]) // 4
            usage = {
                "prompt_tokens": prompt,
                "completion_tokens": len(tokens),
                "total_tokens": prompt + len(tokens),
                "prompt_tokens_details": {"cached_tokens": script.cached_tokens},
            }
            yield json.dumps({**base, "choices": [], "usage": usage})
        yield "[DONE]"


def _error(
    status: int, message: str, code: str, param: str | None, headers: dict[str, str] | None = None
) -> web.Response:
    error = {"message": message, "type": "error", "param": param, "code": code or None}
    return web.json_response({"error": error}, status=status, headers=headers)


def canned(ttft_ms: float, tokens_per_s: float, text: str = "") -> Answerer:
    """Return an answerer of fixed speed: ``text``, or a harmless answer in the right language.

    A client's tool is called, once, with an order number.
    """

    def answer(body: dict[str, Any]) -> Script:
        if body.get("tools") and body["messages"][-1]["role"] == "user":
            name = body["tools"][0]["function"]["name"]
            return Script(calls=((name, '{"order_number": "1001"}'),), ttft_ms=ttft_ms)
        last = str(body["messages"][-1].get("content"))
        language = next(
            (code for code in AVAILABLE if load_locale(code).answer_in in last), AVAILABLE[0]
        )
        return Script(text or CANNED[language], ttft_ms=ttft_ms, tokens_per_s=tokens_per_s)

    return answer


async def serve(options: argparse.Namespace) -> None:
    """Serve until interrupted."""
    answer = canned(options.ttft_ms, options.tokens_per_s, options.text)
    async with FakeLlm(default=answer, port=options.port) as llm:
        print(llm.url, flush=True)
        await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="A chat endpoint of fixed speed.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, printed")
    parser.add_argument("--ttft-ms", type=float, default=50.0, help="time to the first token")
    parser.add_argument("--tokens-per-s", type=float, default=50.0)
    parser.add_argument("--text", default="", help="the answer; default: one in the right language")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
