"""What the telephony tests share: a bridge and the phone at its other end."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, TypeVar

from voice_server.telephony.bridges import BRIDGES
from voice_server.telephony.call import (
    Answer,
    Bridge,
    CallCommand,
    CallEvent,
    Close,
    Codec,
    Fault,
    Message,
    Started,
)
from voice_server.telephony.softphone import Softphone
from voice_server.telephony.softphones import PHONES

T = TypeVar("T")

VENDORS = sorted(BRIDGES)


def phone_for(vendor: str, codec: Codec | None = None, number: int = 1) -> Softphone:
    """A phone of that vendor; ``number`` makes calls differ."""
    kind, usual = PHONES[vendor]
    return kind(
        codec or usual,
        caller="+32470123456",
        called="+3225550123",
        call_id=str(uuid.UUID(int=number)),
    )


@dataclass
class Wire:
    """A bridge and a phone, joined without a socket."""

    bridge: Bridge
    phone: Softphone

    @classmethod
    def of(cls, vendor: str, codec: Codec | None = None) -> Wire:
        return cls(BRIDGES[vendor](), phone_for(vendor, codec))

    def up(self, messages: list[Message]) -> list[CallEvent]:
        """Phone to bridge; what the bridge answers goes back to the phone."""
        events: list[CallEvent] = []
        for message in messages:
            if isinstance(message, Close):
                events += self.bridge.lost()
                continue
            got = self.bridge.receive(message)
            events += got
            for event in got:
                if isinstance(event, Answer) and not isinstance(event.message, Close):
                    events += self.up(self.phone.receive(event.message))
        return events

    def down(self, command: CallCommand) -> list[CallEvent]:
        """Command to phone; what the phone answers at once goes back to the bridge."""
        events: list[CallEvent] = []
        for message in self.bridge.send(command):
            if not isinstance(message, Close):
                events += self.up(self.phone.receive(message))
        return events

    def play(self, length_ms: int = 20) -> tuple[bytes, list[CallEvent]]:
        sound, answers = self.phone.play(length_ms)
        return sound, self.up(answers)

    def dialled(self) -> Started:
        """A call that has started."""
        [started] = of(Started, self.up(self.phone.dial()))
        return started


def of(kind: type[T], events: list[Any]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def faults(events: list[Any]) -> list[str]:
    return [event.text for event in of(Fault, events)]
