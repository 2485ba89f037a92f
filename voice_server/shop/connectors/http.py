"""HTTP towards a platform: deadlines, bounded retries, a breaker, and honest errors.

What is raised never holds a URL, a header or a body: keys and personal data travel in those.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from voice_server.shop.connectors.documents import Doc, parse
from voice_server.shop.connectors.resilience import Backoff, Breaker, Limits, retry_after_s
from voice_server.shop.platform import OutcomeUnknown, PlatformDown

_log = logging.getLogger(__name__)

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer: fifty orders are some hundred kilobytes."""
CONNECT_S = 2.0
"""To connect: retransmitted once; who takes longer is down."""


class _HungUp(aiohttp.ClientError):
    """The connection broke after something may have been sent."""


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again by itself, as it does with PUT and DELETE."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise _HungUp from None


def _random() -> float:
    return secrets.SystemRandom().random()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, injected so that tests wait for nothing."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = _random
    timeout: Callable[[float], asyncio.Timeout] = asyncio.timeout
    """What ends one exchange."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the platform."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """The platform did what it was asked."""
        return 200 <= self.status < 300

    def json(self) -> Doc:
        """Return the body. Raises Malformed."""
        return parse(self.body)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. ``label`` names it in logs and errors: words of ours, nothing of the caller."""

    label: str
    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    write: bool = False
    """It may change something: once it may have arrived, it is not sent again."""
    accept: Collection[int] = ()
    """Statuses given back that would raise otherwise (401)."""


class Http:
    """One platform's connections, shared by all calls. Close it with :meth:`close`.

    Args:
        name: of the platform, for logs.
        limits: deadlines.
        breaker: its own; None takes the defaults.
        clock: time and chance.
        proxied: honour ``HTTPS_PROXY`` and its like.
    """

    def __init__(
        self,
        name: str,
        *,
        limits: Limits | None = None,
        breaker: Breaker | None = None,
        clock: Clock | None = None,
        proxied: bool = True,
    ) -> None:
        self.name = name
        self.limits = limits or Limits()
        self.clock = clock or Clock()
        self.breaker = breaker or Breaker()
        self._backoff = Backoff()
        self._proxied = proxied
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(self, request: Request) -> Reply:
        """Send a request until it is answered or its time is over.

        An answer that says "not so" (400, 404, 409, 422 ...) is returned: the connector knows what
        it means.  Cancelled, a write may or may not have happened.

        Raises:
            PlatformDown: no answer, or one that says that the platform is broken, too busy or does
                not accept our key; of a write: nothing was changed.
            OutcomeUnknown: a write may have arrived, and its answer is not known.
        """
        budget = self.limits.write_s if request.write else self.limits.read_s
        deadline = self.clock.monotonic() + budget
        attempt = 0
        while True:
            wait, problem = await self._attempt(request, attempt, deadline)
            if isinstance(wait, Reply):
                return wait
            attempt += 1
            left = deadline - self.clock.monotonic()
            if attempt >= self.limits.attempts or wait >= left:
                raise self._down(request, problem)
            await self.clock.sleep(wait)

    async def _attempt(
        self, request: Request, attempt: int, deadline: float
    ) -> tuple[Reply | float, str]:
        """Return the answer, or how long to wait before trying again and why."""
        if not self.breaker.allow(self.clock.monotonic()):
            raise self._down(request, "is not asked while it rests after failures")
        time_s = min(self.limits.request_s, max(0.05, deadline - self.clock.monotonic()))
        try:
            async with self.clock.timeout(time_s):
                reply = await self._exchange(request)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            # Nothing was sent: even a write may be tried again.
            self._failed()
            return self._wait(attempt), "cannot be reached"
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            self._failed()
            problem = "did not answer in time" if isinstance(error, TimeoutError) else "hung up"
            if request.write:
                raise self._unknown(request, problem) from None
            return self._wait(attempt), problem
        except asyncio.CancelledError:
            self.breaker.abandoned()
            raise
        return self._judge(request, reply, attempt)

    def _judge(self, request: Request, reply: Reply, attempt: int) -> tuple[Reply | float, str]:
        status = reply.status
        if status >= 500:
            self._failed()
            if request.write:
                raise self._unknown(request, f"answered {status}")
            asked = retry_after_s(reply.headers, now=self.clock.now())
            return self._wait(attempt, asked), f"answered {status}"
        self.breaker.succeeded()
        if status == 429:
            asked = retry_after_s(reply.headers, now=self.clock.now())
            return self._wait(attempt, asked), "is asked too often"
        if status in request.accept:
            return reply, ""
        if status in {401, 403}:
            raise self._down(request, f"does not accept our key ({status})")
        if 300 <= status < 400:
            # Following would send the key to another address.
            raise self._down(request, f"redirects ({status}): check the url")
        return reply, ""

    async def _exchange(self, request: Request) -> Reply:
        session = self._session
        if session is None:
            session = self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                connector=aiohttp.TCPConnector(limit=20, keepalive_timeout=10),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self._proxied,
                middlewares=(_once,),
                headers={"User-Agent": "voice-server", "Accept": "application/json"},
            )
        async with session.request(
            request.method,
            request.url,
            params=request.params or None,
            headers=request.headers,
            json=request.json,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise aiohttp.ClientPayloadError("too long")
            return Reply(response.status, response.headers, bytes(body))

    def _wait(self, attempt: int, asked_s: float | None = None) -> float:
        return self._backoff.delay_s(attempt, jitter=self.clock.random(), asked_s=asked_s)

    def _failed(self) -> None:
        was_open = self.breaker.open
        self.breaker.failed(self.clock.monotonic())
        if self.breaker.open and not was_open:
            _log.warning("the shop platform %s fails again and again: it gets a rest", self.name)

    def _down(self, request: Request, problem: str) -> PlatformDown:
        _log.warning("the shop platform %s %s (%s)", self.name, problem, request.label)
        return PlatformDown(f"{self.name} {problem} ({request.label})")

    def _unknown(self, request: Request, problem: str) -> OutcomeUnknown:
        _log.warning(
            "the shop platform %s %s (%s): outcome unknown", self.name, problem, request.label
        )
        return OutcomeUnknown(f"{self.name} {problem} ({request.label})")
