"""Twitch EventSub on the wire: the websocket, the subscriptions, the move to another server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.chat.eventsub import (
    SUBSCRIPTIONS,
    URL,
    EventSub,
    Lost,
    MoveTo,
    Output,
    Subscribe,
    subscription,
)
from voice_server.live.chat.source import Deliver, SourceLost, SourceRefused

API = "https://api.twitch.tv/helix/eventsub/subscriptions"
OPEN_S = 10.0
REQUIRED = "channel.chat.message"
"""Without it there is nothing to read; the others may need scopes the token has not."""


class EventSubSource:
    """Reads a channel's chat, follows, subscriptions and raids with the operator's token."""

    def __init__(
        self,
        *,
        broadcaster: str,
        user: str,
        client_id: str,
        token: str,
        url: str = URL,
        api: str = API,
    ) -> None:
        """``broadcaster`` and ``user`` are numeric ids; ``token`` needs ``user:read:chat``."""
        self.name = f"twitch-eventsub:{broadcaster}"
        self._broadcaster = broadcaster
        self._user = user
        self._headers = {
            "Client-Id": client_id,
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
        }
        self._url = url
        self._api = api

    async def read(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        """See :class:`~voice_server.live.chat.source.ChatSource`."""
        url, old = self._url, None
        try:
            while True:
                socket = await self._open(url)
                move = await self._talk(socket, old, deliver, opened)
                url, old = move.url, socket
        finally:
            if old is not None:
                await old.close()

    @staticmethod
    async def _open(url: str) -> ClientConnection:
        try:
            return await connect(url, open_timeout=OPEN_S, max_size=2**20)
        except InvalidURI as error:
            raise SourceRefused(str(error)) from None
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            raise SourceLost(f"{type(error).__name__}: {error}") from None

    async def _talk(
        self,
        socket: ClientConnection,
        old: ClientConnection | None,
        deliver: Deliver,
        opened: Callable[[], None],
    ) -> MoveTo:
        """Read one connection until it asks to move; the old one is closed once this is welcomed.

        The connection stays open when this returns (Twitch still sends on it during the move).
        """
        clock = asyncio.get_running_loop().time
        session = EventSub(clock(), moved=old is not None)
        done = False
        try:
            while True:
                try:
                    async with asyncio.timeout_at(session.next_deadline()):
                        outputs: list[Output] = session.receive(await socket.recv(), clock())
                except TimeoutError:
                    outputs = session.tick(clock())
                if session.welcomed and old is not None:
                    await old.close()
                    old = None
                    opened()
                for output in outputs:
                    if isinstance(output, ChatEvent):
                        deliver(output)
                    elif isinstance(output, Subscribe):
                        await self._subscribe(output)
                        opened()
                    elif isinstance(output, Lost):
                        raise (SourceRefused if output.refused else SourceLost)(output.reason)
                    else:
                        done = True
                        return output
        except ConnectionClosed as error:
            raise SourceLost(f"closed: {error}") from None
        finally:
            if not done:
                await socket.close()
                if old is not None:
                    await old.close()

    async def _subscribe(self, order: Subscribe) -> None:
        timeout = aiohttp.ClientTimeout(total=order.within_s)
        try:
            async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as http:
                for kind, version in SUBSCRIPTIONS:
                    body = subscription(
                        kind,
                        version,
                        broadcaster=self._broadcaster,
                        user=self._user,
                        session=order.session_id,
                    )
                    async with http.post(self._api, data=body) as response:
                        if kind != REQUIRED or response.status == 202:
                            continue
                        if response.status in {400, 401, 403}:
                            raise SourceRefused(f"subscribing failed: HTTP {response.status}")
                        raise SourceLost(f"subscribing failed: HTTP {response.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SourceLost(f"subscribing failed: {type(error).__name__}") from None
