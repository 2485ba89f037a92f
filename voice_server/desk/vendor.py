"""HTTP to a vendor's cloud: one deadline for each request, and errors sorted by what to do next."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from voice_server.bodies import read_body
from voice_server.desk.packet import DeskError, DeskRefused

REQUEST_S = 6.0
"""One request. The outbox gives a try of several requests its own, longer deadline."""

CONNECT_S = 3.0

BODY_BYTES = 1_000_000
"""No answer of a desk is larger; a larger one is not read."""

LONGEST_RETRY_S = 900.0
"""A vendor that asks for a longer pause is asked again after this one."""

_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
"""4xx answers after which the same request may succeed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that the caller accepts. ``body`` is None where there was none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    def need(self, *path: str) -> Any:
        """Return a value inside the body. Raises DeskError if the answer has another shape."""
        value = self.body
        for key in path:
            if not isinstance(value, dict) or key not in value:
                raise DeskError(f"the answer has no '{'.'.join(path)}'")
            value = value[key]
        return value

    def items(self, *path: str) -> list[dict[str, Any]]:
        """Return a list of objects inside the body. Raises DeskError for another shape."""
        value = self.need(*path)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise DeskError(f"'{'.'.join(path)}' of the answer is no list of objects")
        return value


class VendorClient:
    """Requests to one base URL with fixed headers. Opened on first use."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] = {},
        request_s: float = REQUEST_S,
    ) -> None:
        """``base_url`` without a slash at its end."""
        self._base = base_url.rstrip("/")
        self._headers = dict(headers)
        self._request_s = request_s
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """Ask, and return the answer if its status is 2xx or in ``accept``.

        Raises:
            DeskRefused: 4xx: the request will never be taken as it is.
            DeskError: anything else. After a timeout or 5xx the vendor may have done it.
        """
        data = None if body is None else orjson.dumps(body)
        sent = {"Accept": "application/json", **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        try:
            async with (
                asyncio.timeout(self._request_s),
                self._open().request(
                    method,
                    self._base + path,
                    data=data,
                    params=params,
                    headers=sent,
                    allow_redirects=False,
                ) as response,
            ):
                raw = await read_body(response.content, BODY_BYTES)
                status, received = response.status, dict(response.headers)
        except TimeoutError:
            raise DeskError(f"{method} {path}: no answer within {self._request_s:g} s") from None
        except aiohttp.ClientError as error:
            raise DeskError(f"{method} {path}: {type(error).__name__}") from error
        if status in accept or status < HTTPStatus.MULTIPLE_CHOICES:
            return Answer(status, _json(raw), received)
        words = f"{method} {path}: HTTP {status}{_code(raw)}"
        if status in (
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.CONFLICT,
        ):
            raise DeskError(words, retry_after_s=_retry_after(received))
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise DeskRefused(words)
        raise DeskError(words, retry_after_s=_retry_after(received))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=self._request_s, sock_connect=CONNECT_S),
                connector=aiohttp.TCPConnector(limit=8),
            )
        return self._session


def basic(login: str, password: str) -> dict[str, str]:
    """Return the header of basic authentication."""
    both = base64.b64encode(f"{login}:{password}".encode()).decode()
    return {"Authorization": f"Basic {both}"}


def _json(raw: bytes) -> Any:
    if not raw.strip():
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DeskError("the answer is no JSON") from error


def _code(raw: bytes) -> str:
    """Return the vendor's own error code, never its words: they may quote the customer."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return ""
    found = body.get("error") if isinstance(body, dict) else None
    code = found.get("code") if isinstance(found, dict) else found
    plain = isinstance(code, str) and len(code) <= 60 and code.replace("_", "").isalnum()
    return f" ({code})" if plain else ""


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the pause a vendor asks for, in seconds or as a date; 0 if it says nothing."""
    lower = {name.lower(): value for name, value in headers.items()}
    value = lower.get("retry-after", "")
    try:
        return min(LONGEST_RETRY_S, max(0.0, float(value)))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
        sent = parsedate_to_datetime(lower["date"])
        return min(LONGEST_RETRY_S, max(0.0, (until - sent).total_seconds()))
    except (KeyError, TypeError, ValueError):
        return 0.0
