"""Files from web addresses: the model hub and release pages, with resume."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import aiohttp
from yarl import URL

from voice_server.weights.files import CHUNK, drop, size_of

CONNECT_S = 3.0
"""Seconds to reach a host. A hub answers in well under one; behind a firewall that drops packets
this is what the whole run loses, once, before it turns to the next mirror."""

STALL_S = 30.0
"""Seconds without a byte after which a transfer counts as dead (and is resumed)."""

TRIES = 3
"""Transfers started for one address before it counts as failed; each resumes the last."""

Advance = Callable[[int], None]
"""Called with the bytes of the file that are there so far."""


class MirrorFailed(Exception):
    """This mirror did not deliver; the message says why. The next one is tried."""


class WebSource:
    """Downloads over one pool of connections; remembers hosts that could not be reached.

    Args:
        connections: transfers at once.
        connect_s: deadline for a connection. After it the host counts as unreachable for the
            whole life of this object.
        stall_s: deadline for the next bytes.
        retry_s: pause before a broken transfer is resumed; doubled each time.
    """

    def __init__(
        self,
        connections: int = 4,
        *,
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
        retry_s: float = 1.0,
    ) -> None:
        self._slots = asyncio.Semaphore(connections)
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=connect_s, sock_read=stall_s
        )
        self._connect_s = connect_s
        self._stall_s = stall_s
        self._retry_s = retry_s
        self._unreachable: dict[str, str] = {}
        # The first request to a host goes alone until it is answered: if the host cannot be
        # reached, the others learn it from this one instead of waiting out the deadline too.
        self._answered: dict[str, asyncio.Event] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> WebSource:
        """Open the connection pool (proxies and certificates as the environment says)."""
        self._session = aiohttp.ClientSession(
            timeout=self._timeout, trust_env=True, auto_decompress=False
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, part: Path, size: int, advance: Advance) -> bool:
        """Bring ``url`` into ``part``, going on where an earlier transfer stopped.

        Returns:
            Whether earlier bytes were reused: then a wrong checksum may be their fault.

        Raises:
            MirrorFailed: the address did not deliver ``size`` bytes; what came is kept.
            OSError: ``part`` could not be written.
        """
        resumed = size_of(part) > 0
        reason = "nothing was tried"
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(self._retry_s * 2 ** (attempt - 1))
            host = _host(url)
            if host in self._answered:
                await self._answered[host].wait()
            answered = self._answered.setdefault(host, asyncio.Event())
            try:
                async with self._slots:
                    retry = await self._attempt(url, host, part, size, advance)
            finally:
                answered.set()
            if retry is None:
                return resumed
            reason = retry
        raise MirrorFailed(f"{reason} ({TRIES} tries)")

    async def _attempt(
        self, url: str, host: str, part: Path, size: int, advance: Advance
    ) -> str | None:
        """One transfer: ``None`` when the file is complete, else why it may be tried again."""
        if host in self._unreachable:
            raise MirrorFailed(self._unreachable[host])
        try:
            return await self._transfer(url, host, part, size, advance)
        except (aiohttp.ServerTimeoutError, TimeoutError) as error:
            if isinstance(error, aiohttp.ConnectionTimeoutError):
                raise self._gone(host, f"no connection within {self._connect_s:g} s") from error
            return f"{host} sent nothing for {self._stall_s:g} s"
        except aiohttp.ClientConnectorCertificateError as error:
            reason = f"its certificate is not trusted ({error.certificate_error})"
            raise self._gone(host, reason) from error
        except aiohttp.ClientConnectorError as error:
            raise self._gone(host, _words(error.os_error)) from error
        except aiohttp.TooManyRedirects as error:
            raise MirrorFailed("too many redirects") from error
        except aiohttp.InvalidURL as error:
            raise MirrorFailed(f"not a web address: {error}") from error
        except aiohttp.ClientError as error:
            return f"the transfer broke off ({type(error).__name__}: {error})"

    def _gone(self, host: str, reason: str) -> MirrorFailed:
        self._unreachable[host] = f"{host} cannot be reached: {reason}"
        return MirrorFailed(self._unreachable[host])

    async def _transfer(
        self, url: str, host: str, part: Path, size: int, advance: Advance
    ) -> str | None:
        have = size_of(part)
        if have > size:
            drop(part)
            have = 0
        advance(have)
        if have == size:
            return None
        assert self._session is not None, "use WebSource as a context manager"  # noqa: S101
        # Without "identity" a server may compress, and byte positions would mean nothing.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        async with self._session.get(url, headers=headers) as response:
            self._answered[host].set()
            if response.status == 416:
                drop(part)
                return "the server refused to resume"
            if response.status >= 500 or response.status == 429:
                return f"HTTP {response.status} {response.reason}"
            if response.status not in {200, 206}:
                raise MirrorFailed(f"HTTP {response.status} {response.reason}")
            if response.status == 200 or _range_start(response) != have:
                if response.status == 206:
                    drop(part)
                    return "the server sent another range than asked for"
                have = 0
            with part.open("ab" if have else "wb") as file:
                async for chunk in response.content.iter_chunked(CHUNK):
                    have += len(chunk)
                    if have > size:
                        raise MirrorFailed(f"more than the expected {size} bytes came")
                    # A slow disk must not hold up the sessions of a running server.
                    await asyncio.to_thread(file.write, chunk)
                    advance(have)
        if have < size:
            return f"only {have} of {size} bytes came"
        return None


def _host(url: str) -> str:
    """Host and port that a connection goes to; the port only where it is not the usual one."""
    try:
        return URL(url).host_port_subcomponent or url
    except ValueError:
        return url


def _words(error: OSError) -> str:
    """The system's own words for an error (asyncio replaces them with an address)."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)


def _range_start(response: aiohttp.ClientResponse) -> int:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1
