"""The other side of every bridge: a caller's phone as each vendor would carry it, sans-I/O.

For the simulator (``voice-server phone``), the tests and the benchmark: they need no account.
A phone plays what it gets in real time and acknowledges marks when it has played so far, as the
vendor's buffer does.
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar

from voice_server.telephony.call import Codec, Message

FRAME_MS = 20


class Softphone:
    """One call. ``dial`` first, then ``speak`` and ``play`` every 20 ms, at last ``hang_up``."""

    vendor: ClassVar[str]

    def __init__(self, codec: Codec, *, caller: str, called: str, call_id: str) -> None:
        """``call_id``: any text that no other call has (a UUID for Asterisk and Genesys)."""
        self.codec = codec
        self.caller = caller
        self.called = called
        self.call_id = call_id
        self.ended = False
        """The server has ended the call."""
        self.cleared = 0
        """How often the server took back what was not played."""
        self.refusal = ""
        """What the server said was wrong."""
        self.outcome: dict[str, str] = {}
        """What the server wants to happen after the call (Genesys)."""
        # Bounded by the server's lead: it is paced, and a test would see it grow.
        self._buffer: deque[bytes | str] = deque()

    # ------------------------------------------------------------ for vendors

    def dial(self) -> list[Message]:
        """Return the first messages of a call."""
        raise NotImplementedError

    def speak(self, data: bytes) -> list[Message]:
        """Return the caller's sound (a frame in the call's codec) as messages."""
        raise NotImplementedError

    def press(self, digit: str) -> list[Message]:
        """Return a key press; empty where the vendor sends keys as tones only."""
        return []

    def hang_up(self) -> list[Message]:
        """Return the last messages of a call."""
        return []

    def receive(self, message: str | bytes) -> list[Message]:
        """Take a message of the server; return what the vendor answers at once."""
        raise NotImplementedError

    def marked(self, name: str) -> list[Message]:
        """Return the acknowledgement of a mark."""
        return []

    # --------------------------------------------------------------- playing

    def queue(self, data: bytes) -> None:
        """Play this after what is there."""
        self._buffer.append(data)

    def mark(self, name: str) -> None:
        """Acknowledge when all before is played."""
        self._buffer.append(name)

    def clear(self) -> list[Message]:
        """Forget what is not played; marks are acknowledged, as Twilio does."""
        self.cleared += 1
        marks = [item for item in self._buffer if isinstance(item, str)]
        self._buffer.clear()
        return [message for name in marks for message in self.marked(name)]

    @property
    def waiting_ms(self) -> float:
        """Sound that came and is not played yet."""
        waiting = sum(len(item) for item in self._buffer if isinstance(item, bytes))
        return waiting / self.codec.sample_bytes * 1000 / self.codec.rate

    def play(self, length_ms: int = FRAME_MS) -> tuple[bytes, list[Message]]:
        """Return the next sound for the caller's ear, silence if there is none, and answers."""
        wanted = self.codec.frame_bytes(length_ms)
        sound = bytearray()
        answers: list[Message] = []
        while self._buffer and (len(sound) < wanted or isinstance(self._buffer[0], str)):
            item = self._buffer.popleft()
            if isinstance(item, str):
                answers += self.marked(item)
                continue
            take = wanted - len(sound)
            sound += item[:take]
            if len(item) > take:
                self._buffer.appendleft(item[take:])
        missing = (wanted - len(sound)) // self.codec.sample_bytes
        return bytes(sound) + self.codec.silence * missing, answers
