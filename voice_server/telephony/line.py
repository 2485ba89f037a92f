"""A phone line of a shop: which number, which language, where its humans are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from voice_server.telephony.dial_rules import Dialling

HUMAN_KEY = "0"
"""Reaches a human in every state, on every line: it can be given no other meaning."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the server knows of a line before anybody calls. Made by the app from the shop pack."""

    languages: tuple[str, ...]
    """Spoken on this line, the first one when it is picked up."""
    greetings: Mapping[str, str]
    """First words by language; they disclose that an AI speaks, and for whom."""
    number: str = ""
    """As callers dial it, E.164; "" takes every number that has no line of its own."""
    name: str = ""
    """For logs and the console."""
    market: str = ""
    """Country of the shop, for the record (ISO 3166-1)."""
    shop: str = ""
    """Whose line it is."""
    shop_name: str = ""
    """As it is said."""
    dialling: Dialling | None = None
    """How the line calls out; None: it does not."""
    recording: Literal["off", "ask", "announce"] = "off"
    """Are calls recorded? Only after a yes, or after saying so and unless somebody objects."""
    recording_days: int = 30
    """A recording is deleted after so long."""
    vendor: str = ""
    """The only vendor that may bring calls for it; "" for any."""
    queue: str = ""
    """Where a caller is put back blindly, from the console; "": to :attr:`human`."""
    listening: Literal["off", "announced", "silent"] = "announced"
    """May the staff listen to calls? "silent" only where the law and the greeting allow it."""
    staff_language: str = "en"
    """What the humans behind this line read and hear (ISO 639-1)."""
    human: str = ""
    """Where key 0 and hand-offs go: E.164, ``sip:...``, or a queue's name (Genesys)."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key to language, offered after the greeting."""
    idle_s: float = 9.0
    """Silence of the caller until the core asks whether they are there: callers look things up, so
    it is longer than on a page."""
    longest_s: float = 1800.0
    """A call ends after so long: nobody talks half an hour with a shop; a forgotten line does."""
    tones: bool = False
    """Listen for keys in the sound: for trunks that send them neither as events nor as messages."""

    @property
    def language(self) -> str:
        """The language the line is picked up in."""
        return self.languages[0]


def find_line(lines: Iterable[Line], called: str, vendor: str) -> Line | None:
    """Return the line of a called number, else the one for all, None if neither is there."""
    fitting = [line for line in lines if line.vendor in ("", vendor)]
    wanted = digits(called)
    for line in fitting:
        if line.number and wanted and digits(line.number) == wanted:
            return line
    return next((line for line in fitting if not line.number), None)


def came_back(parameters: Mapping[str, str]) -> bool:
    """Whether the operator's flow says that a transfer has failed and the caller is ours again."""
    return parameters.get("came_back", "").lower() in ("1", "true", "yes")


def digits(number: str) -> str:
    """Return a number as digits only: vendors write "+32 2", "322" and "00322" alike."""
    kept = "".join(char for char in number if char.isdigit())
    return kept.removeprefix("00")


def masked(number: str) -> str:
    """Return a number as logs may have it: its last two digits."""
    kept = digits(number)
    return f"…{kept[-2:]}" if len(kept) > 4 else "…" if kept else "unknown"
