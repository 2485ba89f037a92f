"""YouTube live chat: one long gRPC call of ``streamList``; where that cannot be had, polling.

What the server says, and what follows:

======================  =======================================================================
UNAUTHENTICATED,        given up: the key is wrong or may not read this chat
PERMISSION_DENIED
NOT_FOUND,              given up: the chat is over, off or not there
FAILED_PRECONDITION
RESOURCE_EXHAUSTED      again after QUOTA_WAIT_S if it is the day's quota, else after RATE_WAIT_S
INVALID_ARGUMENT        with a page token: again without it; else given up
UNIMPLEMENTED           polling for POLL_S, then the stream is tried again
anything else           again with back-off, at the last page token; after MOST_FAILURES calls in a
                        row that brought nothing, polling for POLL_S
the end of the call     again at the last token, as soon as the quota allows
======================  =======================================================================

Importing this loads gRPC (some 20 MB): only shows with such a source do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import grpc
import grpc.aio

from voice_server.live.chat.source import Deliver, SourceLost, SourceRefused
from voice_server.live.chat.youtube import PageError, Quota, YouTubeStream
from voice_server.live.chat.youtube_poller import API, QUOTA_WAIT_S, YouTubePoller

log = logging.getLogger(__name__)

TARGET = "youtube.googleapis.com:443"
METHOD = "/youtube.api.v3.V3DataLiveChatMessageService/StreamList"
CONNECT_S = 10.0
"""No TLS connection in this time: lost."""
SETTLE_S = 5.0
"""A call that was not refused in this time is open: in a quiet chat the server sends nothing."""
SILENCE_S = 900.0
"""A call that brings nothing for so long is begun anew: five units in a quarter of an hour."""
CLOSE_S = 2.0
RATE_WAIT_S = 30.0
POLL_S = 600.0
MOST_FAILURES = 3
MOST_MALFORMED = 3
"""Frames in a row that cannot be read, after which the call is begun anew without its token."""
MAX_FRAME = 8_000_000
_OPTIONS = (
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_receive_message_length", MAX_FRAME),
    ("grpc.enable_retries", 0),
)
_DENIED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_OVER = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION)

OpenChannel = Callable[[], grpc.aio.Channel]


def open_channel() -> grpc.aio.Channel:
    """Return a channel to YouTube. Connects later."""
    return grpc.aio.secure_channel(TARGET, grpc.ssl_channel_credentials(), options=_OPTIONS)


class YouTubeSource:
    """Reads the chat of one broadcast (``activeLiveChatId`` of the video)."""

    def __init__(
        self,
        chat_id: str,
        *,
        key: str,
        hours: float = 4.0,
        channel: OpenChannel = open_channel,
        api: str = API,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``hours`` the show may last: the quota is spread over them. ``api``: of the polling."""
        self.name = f"youtube:{chat_id[:24]}"
        self._key = key
        self._channel = channel
        self._quota = Quota(hours=hours)
        self._stream = YouTubeStream(chat_id)
        self._poller = YouTubePoller(chat_id, key=key, quota=self._quota, api=api, sleep=sleep)
        self._failures = 0
        self._poll_until = float("-inf")

    async def read(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        """See :class:`~voice_server.live.chat.source.ChatSource`."""
        clock = asyncio.get_running_loop().time
        if clock() < self._poll_until:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._poll_until):
                    await self._poller.read(deliver, opened)
        began = clock()
        channel = self._channel()
        try:
            async with asyncio.timeout(CONNECT_S):
                await channel.channel_ready()
            await self._read_call(channel, deliver, opened)
        except grpc.aio.AioRpcError as error:
            raise self._fault(error.code(), error.details() or "") from None
        except TimeoutError:
            raise self._fault(grpc.StatusCode.UNAVAILABLE, "no answer") from None
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await channel.close(grace=None)
        if self._stream.ended:
            raise SourceRefused("the chat is over")
        rest = self._quota.interval(clock()) - (clock() - began)
        raise SourceLost("the server ended the call", wait_s=max(rest, 0.0))

    async def _read_call(
        self, channel: grpc.aio.Channel, deliver: Deliver, opened: Callable[[], None]
    ) -> None:
        """Read until the server ends the call or the chat is over."""
        clock = asyncio.get_running_loop().time
        self._quota.spend(clock())
        request = self._stream.connected(clock(), unix_now=time.time())
        # Frames stay bytes: one that is malformed costs itself and not the call.
        call = channel.unary_stream(METHOD)(request, metadata=(("x-goog-api-key", self._key),))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await call.initial_metadata()
            if not call.done():
                opened()
            malformed = 0
            while not self._stream.ended:
                async with asyncio.timeout(SILENCE_S):
                    frame = await call.read()
                if frame is grpc.aio.EOF:
                    return
                try:
                    events = self._stream.receive(frame, clock())
                except PageError as error:
                    malformed += 1
                    log.warning("chat source %s: %s", self.name, error)
                    if malformed < MOST_MALFORMED:
                        continue
                    self._stream.forget()
                    raise SourceLost(str(error)) from None
                malformed = self._failures = 0
                for event in events:
                    deliver(event)
        finally:
            call.cancel()

    def _fault(self, code: grpc.StatusCode, details: str) -> SourceLost | SourceRefused:
        """Return what a status means; see the table above."""
        words = f"{code.name}: {details[:120]}" if details else code.name
        if code in _DENIED:
            return SourceRefused(f"{words}; check the key and the chat id")
        if code in _OVER:
            return SourceRefused(f"the chat is over, off or not there ({words})")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            if "larger than max" in details:
                self._stream.forget()
            return SourceLost(
                words, wait_s=QUOTA_WAIT_S if "quota" in details.lower() else RATE_WAIT_S
            )
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            if not self._stream.token:
                return SourceRefused(f"{words}; check the chat id")
            self._stream.forget()
            return SourceLost(words)
        self._failures += 1
        if code is grpc.StatusCode.UNIMPLEMENTED or self._failures >= MOST_FAILURES:
            self._failures = 0
            self._poll_until = asyncio.get_running_loop().time() + POLL_S
            return SourceLost(f"{words}; polling instead", wait_s=0.0)
        return SourceLost(words)
