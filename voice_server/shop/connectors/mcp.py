"""Any shop with an MCP server (Model Context Protocol, streamable HTTP), by a mapping file.

A server says of its own tools whether they only read; that is a hint by a stranger, and is not
believed.  Only tools the mapping names are ever called: those of ``[order]``, ``[orders]``,
``[offers]`` and ``[tools]`` as reads, those of ``[writes.*]`` as writes that pass the write gate.
Needs the extra ``mcp``.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from voice_server.shop.connectors.documents import Doc, parse
from voice_server.shop.connectors.http import Clock
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.mapped import MappedPlatform
from voice_server.shop.connectors.mapping import Call, PlatformMap, WriteCall, fill
from voice_server.shop.connectors.resilience import Backoff, Breaker, Limits
from voice_server.shop.connectors.vendor import shortened
from voice_server.shop.platform import OutcomeUnknown, PlatformDown, PlatformError, Refused
from voice_server.shop.platform_config import is_loopback

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

T = TypeVar("T")

TEXT_LIMIT = 20_000
"""Characters of a tool's answer that are read."""


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """A tool the owner allows for reading. Its texts are a stranger's: never instructions."""

    name: str
    description: str
    schema: Mapping[str, Any]


class McpPlatform(MappedPlatform):
    """A shop behind an MCP server. A connection is opened for each call: none can go stale.

    Args:
        url: of the server's endpoint ("https://shop.example/mcp").
        headers: what proves who we are.
        mapping: which tools it has for what we ask.
        ledger: of writes.
        limits: deadlines.
        clock: time and chance.

    Raises:
        ModuleNotFoundError: the extra ``mcp`` is not installed.
    """

    name = "mcp"

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        mapping: PlatformMap,
        ledger: Ledger,
        limits: Limits,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(mapping, ledger, limits)
        import httpx2
        import mcp  # noqa: F401 - an extra: its absence is told at the start

        # Reading the certificates takes 70 ms: once, not on each call. Plain http needs none.
        encrypted = url.startswith("https:")
        self._tls = (
            httpx2.create_ssl_context() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._url = url
        self._proxied = not is_loopback(urlsplit(url).hostname or "")
        self._headers = dict(headers)
        self._clock = clock or Clock()
        self._breaker = Breaker()
        self._backoff = Backoff()

    async def close(self) -> None:
        """Nothing stays open."""

    async def tools(self) -> list[ToolInfo]:
        """Return the reading tools that the mapping allows and the server has.

        Raises:
            PlatformDown: the server cannot be asked.
        """

        async def ask(client: Client) -> list[ToolInfo]:
            listed = await client.list_tools()
            return [
                ToolInfo(tool.name, (tool.description or "")[:500], dict(tool.input_schema))
                for tool in listed.tools
                if tool.name in self._map.tools
            ]

        return await self._read("list tools", ask)

    async def use(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Return the text a reading tool answers.

        Raises:
            Refused: the mapping does not allow the tool, or the tool refuses.
            PlatformDown: the server cannot be asked.
        """
        if name not in self._map.tools:
            raise Refused(f"the mapping does not allow the tool {name[:60]!r}")
        result = await self._read("tool", lambda client: client.call_tool(name, dict(arguments)))
        text = _text(result)
        if result.is_error:
            raise Refused(shortened(text))
        return text

    async def _fetch(self, label: str, call: Call, values: Mapping[str, str]) -> Doc | None:
        arguments = fill(call.body or {}, values)
        result = await self._read(label, lambda client: client.call_tool(call.tool, arguments))
        if result.is_error:
            words = _text(result)
            if call.missing and call.missing.casefold() in words.casefold():
                return None
            raise PlatformDown(f"the tool for '{label}' failed")
        return _document(result)

    async def _perform(self, label: str, call: WriteCall, values: Mapping[str, str]) -> Doc:
        arguments = fill(call.call.body or {}, values)
        reached = False
        try:
            async with (
                self._clock.timeout(self._limits.request_s),
                self._connected(label) as client,
            ):
                reached = True
                result = await client.call_tool(call.call.tool, arguments)
        except PlatformError:
            raise
        except Exception as error:
            self._breaker.failed(self._clock.monotonic())
            kind = OutcomeUnknown if reached and not _refused(error) else PlatformDown
            raise kind(f"the mcp server failed ({label})") from None
        self._breaker.succeeded()
        if result.is_error:
            raise Refused(shortened(_text(result)))
        return _document(result) if call.reference else Doc({})

    async def _read(self, label: str, ask: Callable[[Client], Awaitable[T]]) -> T:
        deadline = self._clock.monotonic() + self._limits.read_s
        attempt = 0
        while True:
            try:
                async with (
                    self._clock.timeout(self._limits.request_s),
                    self._connected(label) as client,
                ):
                    answer = await ask(client)
                self._breaker.succeeded()
                return answer
            except PlatformError:
                raise
            except Exception:
                self._breaker.failed(self._clock.monotonic())
            wait = self._backoff.delay_s(attempt, jitter=self._clock.random())
            attempt += 1
            late = self._clock.monotonic() + wait >= deadline
            if attempt >= self._limits.attempts or late:
                raise PlatformDown(f"the mcp server failed ({label})") from None
            await self._clock.sleep(wait)

    @asynccontextmanager
    async def _connected(self, label: str) -> AsyncIterator[Client]:
        import httpx2
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

        if not self._breaker.allow(self._clock.monotonic()):
            raise PlatformDown(f"the mcp server rests after failures ({label})")
        async with (
            httpx2.AsyncClient(
                headers=self._headers,
                timeout=self._limits.request_s,
                trust_env=self._proxied,
                verify=self._tls,
            ) as http,
            Client(streamable_http_client(self._url, http_client=http), cache=None) as client,
        ):
            yield client


def _document(result: CallToolResult) -> Doc:
    """Return the structured answer, or the text read as JSON. Raises Malformed."""
    if result.structured_content is not None:
        return Doc(result.structured_content)
    return parse(_text(result).encode())


def _text(result: CallToolResult) -> str:
    texts = [block.text for block in result.content if block.type == "text"]
    return "\n".join(texts)[:TEXT_LIMIT]


def _refused(error: BaseException) -> bool:
    """Return whether the server says that it did not take the call (JSON-RPC -32601, -32602)."""
    inner = getattr(error, "exceptions", ())
    if inner:
        return all(_refused(one) for one in inner)
    code = getattr(getattr(error, "error", None), "code", None)
    return code in {-32601, -32602}
