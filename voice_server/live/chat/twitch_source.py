"""Twitch chat on the wire: a websocket, or TCP with or without TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Origin, Subprotocol

from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.chat.source import Deliver, SourceLost, SourceRefused
from voice_server.live.chat.twitch_irc import Output, Reconnect, Send, TwitchIrc

WEBSOCKET_URL = "wss://irc-ws.chat.twitch.tv:443"
TLS_URL = "ircs://irc.chat.twitch.tv:6697"

OPEN_S = 10.0
"""Connecting takes longer: lost, and tried again."""
SEND_S = 5.0
"""A server that does not take a line for so long is gone."""
_CHUNK = 16_384


class TwitchSource:
    """Reads a Twitch channel (or a channel of any IRC server).

    ``url``: ``wss://`` or ``ws://`` for IRC over websocket, ``ircs://`` for TLS, ``irc://`` plain.
    """

    def __init__(
        self,
        channel: str,
        *,
        url: str = WEBSOCKET_URL,
        nick: str = "justinfan7531",
        password: str = "",
    ) -> None:
        """Raises ValueError for a channel name that is none."""
        self._make = partial(TwitchIrc, channel, nick=nick, password=password)
        self._url = url
        self.name = f"twitch:{self._make().channel}"

    async def read(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        """See :class:`~voice_server.live.chat.source.ChatSource`."""
        if urlsplit(self._url).scheme in {"ws", "wss"}:
            await self._over_websocket(deliver, opened)
        else:
            await self._over_tcp(deliver, opened)

    async def _over_websocket(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        twitch = "twitch.tv" in self._url
        try:
            async with connect(
                self._url,
                open_timeout=OPEN_S,
                max_size=2**20,
                # Other servers want to know whose page asks and which protocol; Twitch does not.
                origin=None if twitch else Origin(f"http://{urlsplit(self._url).netloc}"),
                subprotocols=None if twitch else [Subprotocol("text.ircv3.net")],
                compression=None,
            ) as socket:

                async def receive() -> str:
                    data = await socket.recv()
                    text = data if isinstance(data, str) else data.decode(errors="replace")
                    return text if text.endswith("\n") else text + "\n"

                await self._talk(receive, socket.send, deliver, opened)
        except InvalidURI as error:
            raise SourceRefused(str(error)) from None
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            raise SourceLost(f"{type(error).__name__}: {error}") from None

    async def _over_tcp(self, deliver: Deliver, opened: Callable[[], None]) -> None:
        parts = urlsplit(self._url)
        secure = ssl.create_default_context() if parts.scheme == "ircs" else None
        try:
            async with asyncio.timeout(OPEN_S):
                reader, writer = await asyncio.open_connection(
                    parts.hostname, parts.port or (6697 if secure else 6667), ssl=secure
                )
        except (OSError, TimeoutError) as error:
            raise SourceLost(f"{type(error).__name__}: {error}") from None

        async def receive() -> str:
            data = await reader.read(_CHUNK)
            if not data:
                raise SourceLost("the server closed the connection")
            return data.decode(errors="replace")

        async def send(text: str) -> None:
            writer.write(text.encode())
            await writer.drain()

        try:
            await self._talk(receive, send, deliver, opened)
        except (OSError, TimeoutError) as error:
            raise SourceLost(f"{type(error).__name__}: {error}") from None
        finally:
            writer.close()

    async def _talk(
        self,
        receive: Callable[[], Awaitable[str]],
        send: Callable[[str], Awaitable[None]],
        deliver: Deliver,
        opened: Callable[[], None],
    ) -> None:
        clock = asyncio.get_running_loop().time
        irc = self._make()
        told = False

        async def act(outputs: list[Output]) -> None:
            for output in outputs:
                if isinstance(output, ChatEvent):
                    deliver(output)
                elif isinstance(output, Send):
                    async with asyncio.timeout(SEND_S):
                        await send(output.line + "\r\n")
                elif isinstance(output, Reconnect):
                    raise SourceLost(output.reason)

        await act(irc.connected(clock()))
        while True:
            try:
                async with asyncio.timeout_at(irc.next_deadline()):
                    data = await receive()
            except TimeoutError:
                await act(irc.tick(clock()))
                continue
            await act(irc.receive(data, clock()))
            if irc.joined and not told:
                told = True
                opened()
