"""YouTube live chat by polling: ``liveChatMessages.list`` with an API key.

The way where the stream (``youtube_source``) cannot be had.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from voice_server.bodies import read_body
from voice_server.live.chat.source import Deliver, SourceLost, SourceRefused
from voice_server.live.chat.youtube import PageError, Quota, YouTubePages

API = "https://www.googleapis.com/youtube/v3/liveChat/messages"
CALL_S = 10.0
QUOTA_WAIT_S = 600.0
"""The quota is used up: it is given anew once a day, looking more often is in vain."""
_QUOTA = ("quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded")
_OVER = ("liveChatEnded", "liveChatDisabled", "liveChatNotFound")
MAX_PAGE = 4_000_000


class YouTubePoller:
    """Reads the chat of one broadcast (``activeLiveChatId`` of the video)."""

    def __init__(
        self,
        chat_id: str,
        *,
        key: str,
        quota: Quota | None = None,
        api: str = API,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``quota`` is spread over the hours of the show."""
        self.name = f"youtube:{chat_id[:24]}"
        self._chat_id = chat_id
        self._key = key
        self._api = api
        self._sleep = sleep
        self._pages = YouTubePages(quota)

    async def read(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        """See :class:`~voice_server.live.chat.source.ChatSource`."""
        clock = asyncio.get_running_loop().time
        self._pages.reconnected()
        timeout = aiohttp.ClientTimeout(total=CALL_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http:
                while not self._pages.ended:
                    body = await self._page(http)
                    opened()
                    events, wait = self._pages.receive(body, clock())
                    for event in events:
                        deliver(event)
                    if not self._pages.ended:
                        await self._sleep(wait)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SourceLost(type(error).__name__) from None
        except PageError as error:
            raise SourceLost(str(error)) from None
        raise SourceRefused("the chat is over")

    async def _page(self, http: aiohttp.ClientSession) -> bytes:
        query = {
            "liveChatId": self._chat_id,
            "part": "id,snippet,authorDetails",
            "maxResults": "500",
        }
        if self._pages.token:
            query["pageToken"] = self._pages.token
        # The key goes into a header: addresses end up in logs.
        headers = {"X-Goog-Api-Key": self._key}
        async with http.get(self._api, params=query, headers=headers) as response:
            body = await read_body(response.content, MAX_PAGE)
            if response.status == 200:
                return body
            text = body.decode(errors="replace")
            if any(reason in text for reason in _OVER):
                raise SourceRefused("the chat is over or not there")
            if any(reason in text for reason in _QUOTA):
                raise SourceLost("the quota is used up", wait_s=QUOTA_WAIT_S)
            if response.status in {400, 401, 403}:
                raise SourceRefused(f"HTTP {response.status}: check key and chat id")
            raise SourceLost(f"HTTP {response.status}")
