"""What every bridge does alike: its life, its faults, its limits, and the JSON of websockets.

States: *waiting* (connected, no call yet), *live*, *over*.  A vendor's file says only how its
messages look.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, ClassVar

import orjson

from voice_server.telephony.call import (
    BINARY_LIMIT,
    DIGITS,
    TEXT_LIMIT,
    WORD_LIMIT,
    CallCommand,
    CallEvent,
    Clear,
    Close,
    Codec,
    CodecChanged,
    Dtmf,
    Fault,
    Features,
    Gap,
    HangUp,
    Hold,
    Mark,
    MarkReached,
    Media,
    Message,
    SendAudio,
    Started,
    Stopped,
    Transfer,
)

FAULT_LIMIT = 50
"""Faults without a good message between them after which a line is given up: a second of noise."""

PARAMETER_LIMIT = 32
"""Parameters kept of those the vendor passes on."""

NORMAL, PROTOCOL_ERROR = 1000, 1002


class Life(Enum):
    """Where a call is."""

    WAITING = "waiting"
    LIVE = "live"
    OVER = "over"


class Wrong(Exception):
    """A message breaks the vendor's protocol; the text says how, for the log."""

    def __init__(self, text: str, *, fatal: bool = False) -> None:
        super().__init__(text)
        self.fatal = fatal


class BridgeBase:
    """Life, faults and limits of one call. Vendors fill in ``_text``, ``_binary`` and ``_send``."""

    vendor: ClassVar[str]
    features: ClassVar[Features]

    def __init__(self) -> None:
        self.life = Life.WAITING
        self.call_id = ""
        self.stream_id = ""
        self.codec: Codec | None = None
        self._faults = 0

    # -------------------------------------------------------------- interface

    def receive(self, message: str | bytes) -> list[CallEvent]:
        """Take one message of the vendor."""
        if self.life is Life.OVER:
            return []
        try:
            if isinstance(message, str):
                if len(message) > TEXT_LIMIT:
                    raise Wrong(f"a text message of {len(message)} characters")
                events = self._text(message)
            else:
                if len(message) > BINARY_LIMIT:
                    raise Wrong(f"a binary message of {len(message)} bytes")
                events = self._binary(message)
        except Wrong as wrong:
            return self._fault(str(wrong), fatal=wrong.fatal)
        self._faults = 0
        return self._in_order(events)

    def send(self, command: CallCommand) -> list[Message]:
        """Return what must go over the line."""
        if self.life is Life.OVER:
            return []
        if isinstance(command, HangUp | Transfer):
            self.life = Life.OVER
            if isinstance(command, HangUp):
                return self._hang_up(command)
            return self._transfer(command)
        if self.life is Life.WAITING:
            return []
        if isinstance(command, SendAudio):
            return self._audio(command.data) if command.data else []
        if isinstance(command, Mark):
            return self._mark(command.name) if self.features.marks else []
        if isinstance(command, Clear):
            return self._clear() if self.features.clears else []
        digits = "".join(digit for digit in command.digits if digit in DIGITS)
        return self._dtmf(digits) if digits and self.features.sends_dtmf else []

    def lost(self) -> list[CallEvent]:
        """The line has ended without goodbye."""
        was, self.life = self.life, Life.OVER
        return [Stopped("the line was lost")] if was is Life.LIVE else []

    # ------------------------------------------------------------ for vendors

    def _text(self, message: str) -> list[CallEvent]:
        raise Wrong("a text message, where there is none in this protocol")

    def _binary(self, message: bytes) -> list[CallEvent]:
        raise Wrong("a binary message, where there is none in this protocol")

    def _audio(self, data: bytes) -> list[Message]:
        raise NotImplementedError

    def _mark(self, name: str) -> list[Message]:
        raise NotImplementedError

    def _clear(self) -> list[Message]:
        raise NotImplementedError

    def _dtmf(self, digits: str) -> list[Message]:
        raise NotImplementedError

    def _hang_up(self, command: HangUp) -> list[Message]:
        """Most vendors end, or go on with their own flow, when the socket closes."""
        return [Close(NORMAL, command.reason)]

    def _transfer(self, command: Transfer) -> list[Message]:
        """Leave; the vendor's flow then asks where to (see ``answers.py``), or knows."""
        return self._hang_up(HangUp("transfer"))

    def _start(self, started: Started) -> list[CallEvent]:
        """The call is up; called a second time, it is a change of codec or a mistake."""
        if self.life is Life.LIVE:
            if started.stream_id == self.stream_id and started.codec != self.codec:
                self.codec = started.codec
                return [CodecChanged(started.codec)]
            raise Wrong("a second start on the same line")
        self.life = Life.LIVE
        self.call_id, self.stream_id = started.call_id, started.stream_id
        self.codec = started.codec
        return [started]

    def _stop(self, reason: str) -> list[CallEvent]:
        if self.life is Life.WAITING:
            raise Wrong("a stop without a start", fatal=True)
        self.life = Life.OVER
        return [Stopped(reason)]

    # -------------------------------------------------------------- internals

    def _in_order(self, events: list[CallEvent]) -> list[CallEvent]:
        """Replace what came before its time by a fault."""
        if self.life is not Life.WAITING:
            return events
        return [
            Fault(f"{type(event).__name__.lower()} before the start")
            if isinstance(event, Media | Dtmf | MarkReached | Hold | Gap)
            else event
            for event in events
        ]

    def _fault(self, text: str, *, fatal: bool) -> list[CallEvent]:
        self._faults += 1
        if self._faults >= FAULT_LIMIT and not fatal:
            text, fatal = f"{text}; {self._faults} faults in a row, the line is given up", True
        events: list[CallEvent] = [Fault(text, fatal=fatal)]
        if fatal:
            if self.life is Life.LIVE:
                events.append(Stopped("protocol error"))
            self.life = Life.OVER
        return events


class JsonBridge(BridgeBase):
    """A vendor whose text messages are JSON objects that name an ``event``."""

    _KIND: ClassVar[str] = "event"
    _HANDLERS: ClassVar[Mapping[str, Callable[[Any, dict[str, Any]], list[CallEvent]]]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._sequence: int | None = None

    def _text(self, message: str) -> list[CallEvent]:
        event = parse(message)
        kind = event.get(self._KIND)
        handler = self._HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise Wrong(f"an unknown event {word(kind)[:40]!r}")
        return [*self._numbering(event), *handler(self, event)]

    def _numbering(self, event: dict[str, Any]) -> list[CallEvent]:
        """Check the numbers of a message that is understood. Raises Wrong if it cannot count."""
        return []

    def _ignore(self, event: dict[str, Any]) -> list[CallEvent]:
        """Take an event that says nothing the call needs to know."""
        return []

    def _follow(self, number: Any) -> list[CallEvent]:
        """Tell what is missing before this message (its number comes as text or int).

        The websocket keeps order, so a hole means that the vendor dropped something.  The message
        itself is good, so this does not count as a fault of it.
        """
        if isinstance(number, bool) or not isinstance(number, str | int):
            return []
        text = str(number)
        if not text.isdecimal() or len(text) > 18:
            return []
        before, self._sequence = self._sequence, int(text)
        if before is None or before < self._sequence <= before + 1:
            return []
        return [Fault(f"message number {text} came after {before}")]


class GapMeter:
    """Finds holes in the caller's sound by its timestamps."""

    SLACK_MS = 60.0
    """Vendors' clocks jitter by a packet or two; more is sound that is gone."""

    MOST_MS = 10_000.0
    """A larger jump is a clock that was set, not sound that was lost."""

    def __init__(self) -> None:
        self._expected: float | None = None

    def measure(self, timestamp_ms: float | None, length_ms: float) -> list[CallEvent]:
        """Return a Gap if sound is missing before a piece of ``length_ms`` at this time."""
        if timestamp_ms is None:
            return []
        if self._expected is None:
            self._expected = timestamp_ms
        lost = timestamp_ms - self._expected
        if -self.SLACK_MS <= lost <= self.SLACK_MS:
            self._expected += length_ms  # small losses add up until they are worth telling
            return []
        self._expected = timestamp_ms + length_ms
        return [Gap(lost)] if 0 < lost < self.MOST_MS else []


def parse(message: str) -> dict[str, Any]:
    """Return a JSON object. Raises Wrong."""
    try:
        value = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise Wrong("a text message that is not JSON") from None
    if not isinstance(value, dict):
        raise Wrong("JSON that is not an object")
    return value


def dump(value: Mapping[str, Any]) -> str:
    """Return an object as JSON text."""
    return orjson.dumps(value).decode()


def table(event: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the object at ``key``. Raises Wrong."""
    value = event.get(key)
    if not isinstance(value, dict):
        raise Wrong(f"no object {key!r}")
    return value


def word(value: Any) -> str:
    """Return a short text of the vendor, "" for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return printable(str(value))[:WORD_LIMIT]


def printable(text: str) -> str:
    """Return text without control characters, which would break a log line."""
    return "".join(char for char in text if char.isprintable())


def words(value: Any) -> dict[str, str]:
    """Return the texts of an object of the vendor, bounded."""
    if not isinstance(value, dict):
        return {}
    return {word(key): word(item) for key, item in list(value.items())[:PARAMETER_LIMIT]}


def payload(value: Any) -> bytes:
    """Return base64 sound. Raises Wrong."""
    if not isinstance(value, str):
        raise Wrong("media without a payload")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("a payload that is not base64") from None


def samples(data: bytes, codec: Codec | None) -> bytes:
    """Return sound that is whole samples of ``codec``. Raises Wrong."""
    if codec is not None and len(data) % codec.sample_bytes:
        raise Wrong("media that cuts a sample in two")
    return data


def milliseconds(value: Any) -> float | None:
    """Return a timestamp in ms given as text or number, None where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < 1e12 else None


def key(value: Any, duration: Any = None) -> Dtmf:
    """Return a key press. Raises Wrong."""
    digit = value.upper() if isinstance(value, str) else str(value)
    if digit not in DIGITS:
        raise Wrong("a key that is on no keypad")
    length = milliseconds(duration)
    return Dtmf(digit, 0 if length is None else min(int(length), 60_000))


def base64_text(data: bytes) -> str:
    """Return sound as JSON wants it."""
    return base64.b64encode(data).decode()
