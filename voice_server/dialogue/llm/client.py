"""Any OpenAI-compatible chat endpoint, streamed; one retry, and a breaker that spares callers.

Also the way to the embedded child, which speaks the same protocol on loopback.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import openai
from openai.types.chat import ChatCompletionChunk

from voice_server.dialogue.dialogue import Usage
from voice_server.dialogue.llm.model import (
    ChatPart,
    ChatRequest,
    Finished,
    LlmBarred,
    LlmError,
    LlmRefused,
    LlmUnavailable,
    TextDelta,
    ToolRequest,
)
from voice_server.dialogue.llm.vendors import Endpoint
from voice_server.ids import new_id

logger = logging.getLogger(__name__)

# finish_reason of the vendors -> ours; what is not here means "stop".
_REASONS = {
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """How patient to be with an endpoint."""

    connect_s: float = 2.0
    """Longer than any healthy TLS handshake; the first clause is due after 4 s."""
    read_s: float = 8.0
    """Silence inside a stream after which the connection is given up, whoever is waiting."""
    retry_s: float = 0.2
    """Wait before the one retry, when the endpoint names none."""
    retry_max_s: float = 1.5
    """A longer ``retry-after`` is not worth waiting for with a caller on the line."""
    breaker_failures: int = 3
    breaker_s: float = 10.0
    """After so many failures in a row nobody is sent there for so long."""


class ChatEndpoint:
    """A model behind a URL.

    Differences between endpoints (``max_completion_tokens``, no ``temperature``, no
    ``stream_options``) are learned from their 400 answers and remembered; those between vendors
    are in :mod:`voice_server.dialogue.llm.vendors`.
    """

    embedded = False

    def __init__(
        self,
        address: str | Endpoint,
        *,
        key: str = "",
        model: str = "",
        options: EndpointOptions = EndpointOptions(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``address`` as the openai client takes it (".../v1"); no model: the first listed."""
        self._endpoint = address if isinstance(address, Endpoint) else Endpoint(address)
        self.base_url = self._endpoint.url
        self._model = model
        self._options = options
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0
        self._rejected: set[str] = set()
        self._barred = ""
        self._client = self._endpoint.client(
            key, openai.Timeout(options.read_s, connect=options.connect_s)
        )

    @property
    def ready(self) -> bool:
        """False while the breaker is open, and for ever after an answer from another region."""
        return not self._barred and self._clock() >= self._closed_until

    @property
    def model(self) -> str:
        """The model asked for or found; empty until :meth:`probe` has found one."""
        return self._model

    async def probe(self) -> tuple[str, ...]:
        """Return the names of the endpoint's models. Raises LlmError with words for an operator.

        Waits no longer than the connect and read times of the options.  Azure lists what could be
        deployed, not what is: there the one deployment is asked for a word.

        Raises:
            LlmBarred: it answers from outside its residency; it must not be used.
        """
        if self._endpoint.needs_model:
            return await self._probe_deployment()
        try:
            listed = await self._client.models.list()
        except Exception as error:
            raise self._explain(error) from error
        names = tuple(model.id for model in listed.data)
        if not self._model:
            if not names:
                raise LlmUnavailable(f"{self.base_url} lists no model: set llm_model")
            self._model = names[0]
        elif names and self._model not in names:
            logger.warning(
                "%s does not list the model %r; it lists %s",
                self.base_url,
                self._model,
                ", ".join(names[:8]),
            )
        return names

    async def _probe_deployment(self) -> tuple[str, ...]:
        if not self._model:
            raise LlmUnavailable(f"{self.base_url}: set llm_model to the deployment's name")
        # One retry as for any question: newer models refuse max_tokens, which is learned here.
        question = ChatRequest(({"role": "user", "content": "Say yes."},), max_tokens=16)
        async for _ in self.stream(question):
            pass
        return (self._model,)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPart, None]:
        """See :class:`LanguageModel`. Retries once, and only while nothing was said."""
        retried = False
        while True:
            said = False
            try:
                async for part in self._attempt(request):
                    said = True
                    yield part
                self._failures = 0
                return
            except LlmError as error:
                wait = None if said or retried else self._retry_wait(error)
                if wait is None:
                    if not isinstance(error, LlmRefused):
                        self._failed()
                    raise
                logger.info("the language model is asked again in %.1f s: %s", wait, error)
            retried = True
            await asyncio.sleep(wait)

    async def foresee(self, messages: tuple[dict[str, Any], ...]) -> None:
        """Do nothing: reading is fast and paid for there."""

    def missed(self) -> None:
        """Count a deadline missed as a failure."""
        self._failed()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._options.breaker_failures:
            self._closed_until = self._clock() + self._options.breaker_s
            logger.warning(
                "%s failed %d times in a row: it gets no questions for %.0f s",
                self.base_url,
                self._failures,
                self._options.breaker_s,
            )

    def _retry_wait(self, error: LlmError) -> float | None:
        """Seconds to wait before trying again, or None when that is of no use."""
        cause = error.__cause__
        if isinstance(cause, openai.BadRequestError):
            return 0.0 if self._learn(cause) else None
        if isinstance(cause, openai.RateLimitError | openai.InternalServerError):
            asked = _retry_after(cause)
            if asked is None:
                return self._options.retry_s
            return asked if asked <= self._options.retry_max_s else None
        if isinstance(cause, openai.APITimeoutError):
            return None  # read_s has passed already: no caller waits for another
        if isinstance(cause, openai.APIConnectionError):
            return self._options.retry_s
        return None

    def _learn(self, error: openai.BadRequestError) -> bool:
        """Remember a parameter the endpoint does not take; True if it is worth asking again."""
        text = f"{error.param or ''} {error.message}"
        for name in ("stream_options", "temperature", "max_tokens", "response_format"):
            if name in text and name not in self._rejected:
                self._rejected.add(name)
                return True
        return False

    def _parameters(self, request: ChatRequest) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "model": self._model or "default",
            "messages": list(request.messages),
            "stream": True,
        }
        limit = "max_completion_tokens" if "max_tokens" in self._rejected else "max_tokens"
        parameters[limit] = request.max_tokens
        if "stream_options" not in self._rejected:
            parameters["stream_options"] = {"include_usage": True}
        if "temperature" not in self._rejected:
            parameters["temperature"] = request.temperature
        if request.schema is not None and "response_format" not in self._rejected:
            parameters["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "reply", "strict": True, "schema": request.schema},
            }
        if request.tools and request.tool_choice != "none":
            parameters["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    },
                }
                for tool in request.tools
            ]
            named = request.tool_choice not in {"auto", "required"}
            parameters["tool_choice"] = (
                {"type": "function", "function": {"name": request.tool_choice}}
                if named
                else request.tool_choice
            )
        return parameters

    async def _attempt(self, request: ChatRequest) -> AsyncIterator[ChatPart]:
        """One HTTP request. Raises LlmError, its cause the library's own error."""
        if self._barred:
            raise LlmBarred(self._barred)
        if not self._model:
            await self.probe()
        assembly = _Assembly()
        try:
            stream = await self._client.chat.completions.create(**self._parameters(request))
            async with stream:
                self._check_region(stream.response.headers.get("x-ms-region", ""))
                async for chunk in stream:
                    for part in assembly.take(chunk):
                        yield part
        except LlmError:
            raise
        except Exception as error:
            raise self._explain(error) from error
        if assembly.reason is None:
            raise LlmError(f"{self.base_url} ended its answer without a finish reason")
        for call in assembly.calls():
            yield call
        yield assembly.finished()

    def _check_region(self, reported: str) -> None:
        if self._endpoint.stray(reported):
            self._barred = (
                f"{self.base_url} answered from {reported!r}, outside llm_residency = "
                f'"{self._endpoint.residency}": it is not asked again'
            )
            logger.error("%s", self._barred)
            raise LlmBarred(self._barred)

    def _explain(self, error: Exception) -> LlmError:
        where = self.base_url
        if isinstance(error, openai.BadRequestError) and error.code == "content_filter":
            return LlmRefused(f"{where} refused the question (content filter)")
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return LlmUnavailable(f"{where} does not accept the key: check llm_key")
        if isinstance(error, openai.NotFoundError) and self._endpoint.needs_model:
            return LlmUnavailable(
                f"{where} has no deployment named {self._model!r}: llm_model is the name you gave "
                "the deployment, not the model's"
            )
        if isinstance(error, openai.NotFoundError):
            return LlmUnavailable(
                f"{where} does not know the model {self._model!r} or is no chat endpoint "
                "(the URL usually ends in /v1)"
            )
        if isinstance(error, openai.APIStatusError) and 300 <= error.status_code < 400:
            there = error.response.headers.get("location", "another address")
            return LlmUnavailable(f"{where} sends us to {there}: set llm to where it really is")
        if isinstance(error, openai.APIStatusError):
            return LlmUnavailable(f"{where} answered {error.status_code}: {error.message}")
        if isinstance(error, openai.APITimeoutError):
            return LlmUnavailable(f"{where} did not answer within {self._options.read_s:g} s")
        if isinstance(error, openai.APIConnectionError):
            return LlmUnavailable(f"{where} cannot be reached: {error.__cause__ or error}")
        return LlmError(f"{where} broke off its answer: {type(error).__name__}: {error}")


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Return the seconds an endpoint asks us to wait (``retry-after-ms`` or ``retry-after``)."""
    headers = error.response.headers
    for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * factor)
        except (KeyError, ValueError):
            continue  # absent, or an HTTP date: then our own wait applies
    return None


class _Assembly:
    """Puts the chunks of a stream together."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._usage = Usage()
        self._calls: dict[int, list[str]] = {}

    def take(self, chunk: ChatCompletionChunk) -> list[ChatPart]:
        """Return the text of a chunk and keep the rest.

        Chunks without choices are usual: Azure's first carries filter results, the last of a
        stream the usage.
        """
        if chunk.usage is not None:
            details = chunk.usage.prompt_tokens_details
            cached = (details.cached_tokens or 0) if details else 0
            self._usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens, cached)
        parts: list[ChatPart] = []
        for choice in chunk.choices[:1]:
            self.reason = choice.finish_reason or self.reason
            delta = getattr(choice, "delta", None)
            if delta is None:
                continue  # Azure's asynchronous filter: findings on text that was sent before
            if delta.content:
                parts.append(TextDelta(delta.content))
            for call in delta.tool_calls or ():
                slot = self._calls.setdefault(call.index, ["", "", ""])
                slot[0] = call.id or slot[0]
                if call.function is not None:
                    slot[1] += call.function.name or ""
                    slot[2] += call.function.arguments or ""
        return parts

    def calls(self) -> list[ToolRequest]:
        """Return the tool calls, in order."""
        return [
            ToolRequest(call_id or new_id("call"), name, arguments or "{}")
            for _, (call_id, name, arguments) in sorted(self._calls.items())
            if name
        ]

    def finished(self) -> Finished:
        """Return the last part."""
        reason = _REASONS.get(self.reason or "", "stop")
        return Finished(reason, self._usage)  # type: ignore[arg-type]
