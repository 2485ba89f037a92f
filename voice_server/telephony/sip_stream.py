"""SIP over TCP and TLS: messages out of a stream, by their Content-Length. Sans-I/O."""

from __future__ import annotations

import re

from voice_server.telephony.sip_message import SIZE_LIMIT, NoSip

PING, PONG = b"\r\n\r\n", b"\r\n"
"""Keep-alives of RFC 5626, 3.5.1."""

_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r?$")


class Framer:
    """One connection's incoming bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def whole(self) -> bool:
        """Nothing has begun that is still to be ended."""
        return not self._buffer

    def receive(self, data: bytes) -> list[bytes]:
        """Return the messages that ``data`` ends; PING for a keep-alive that wants a PONG.

        Raises NoSip for what can never become a message: the connection is of no use any more.
        """
        self._buffer += data
        messages: list[bytes] = []
        while True:
            if self._buffer.startswith(PING):
                messages.append(PING)
                del self._buffer[: len(PING)]
                continue
            if self._buffer.startswith(PONG) and len(self._buffer) > len(PONG) + 1:
                del self._buffer[: len(PONG)]
                continue
            head = self._buffer.find(PING)
            if head < 0:
                break
            found = _LENGTH.search(self._buffer, 0, head + 2)
            if found is None:
                raise NoSip("a message without Content-Length in a stream")
            end = head + len(PING) + int(found[1])
            if end > SIZE_LIMIT:
                raise NoSip(f"a message of {end} bytes")
            if len(self._buffer) < end:
                break
            messages.append(bytes(self._buffer[:end]))
            del self._buffer[:end]
        if len(self._buffer) > SIZE_LIMIT:
            raise NoSip("a message without an end")
        return messages
