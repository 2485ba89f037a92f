"""What the Realtime core wants its shell to do: send a message, close, or pass on an order.

Orders are those of :mod:`voice_server.conversation.orders`; the shell hands them to the
conversation in the order given.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice_server.conversation.orders import Order


@dataclass(frozen=True, slots=True)
class Send:
    """One websocket message: JSON in UTF-8, or a binary audio frame of the ``binary`` extension."""

    data: bytes
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """Close the websocket with this code; nothing is sent after it."""

    code: int
    reason: str


Effect = Send | Close | Order


class WireError(Exception):
    """A client event cannot be carried out; becomes an ``error`` event and the session goes on.

    ``code`` and ``param`` are what clients' programs look at, the message is for their author.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
