"""What a call's flow remembers and asks for: its constants, stages, effects and tally."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from voice_server.conversation import orders as o
from voice_server.conversation.notices import TurnTimings
from voice_server.telephony import call as c
from voice_server.telephony.outbound import NeverCall, Record, Unrecord

START_S = 10.0
"""A line that brings no call by then is closed."""

SILENT_S = 20.0
"""A live call of which nothing at all comes for so long is lost: vendors send sound or pings even
when the caller is silent."""

LONGER_S = 60.0
"""A call over its longest time that cannot be ended with words is looked at again after so long."""

HELD_S = 1800.0
"""The same while the vendor holds the call."""

LAST_WORDS_S = 12.0
"""The last words get so long; then the transfer or the end happens without them."""

KEYS_S = 2.5
"""After so long without another key, the keys pressed are a number that was meant."""

KEYS_LEAST = 4
"""Fewer keys are no number: a slip, or the answer to a menu we did not offer."""

KEYS_MOST = 20

IDLE_PROMPTS = 2
"""Silence prompts in a row; after the next one we say goodbye."""

JOIN_S = 6.0
"""The sentence that announces a person gets so long; then the person is heard without it."""

TRANSFER_S = 75.0
"""A line that tells what became of a transfer (SIP) gets so long: ringing, the summary, and the
exchange's answer. Then the caller is ours again."""

FAULTS_TOLD = 5
"""Faults of a call that get a log line of their own; the rest is counted."""


class Stage(Enum):
    """Where a call is."""

    WAITING = "waiting"
    TALKING = "talking"
    HUMAN = "human"
    """One of the staff speaks from the console; the assistant is silent."""
    LEAVING = "leaving"
    TRANSFERRING = "transferring"
    """The human is being reached while the caller waits on our line."""
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Begin:
    """Open the conversation; orders follow."""

    language: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The caller has entered this by keys: it becomes the user's words, and is answered."""

    text: str


@dataclass(frozen=True, slots=True)
class Mute:
    """Let the assistant be silent, or answer again."""

    on: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """The caller has been told that people listen: they may."""


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the operator."""

    text: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Over:
    """The call is over: close everything."""

    reason: str


Effect = (
    o.Order
    | c.CallCommand
    | Begin
    | Typed
    | Mute
    | Opened
    | Record
    | Unrecord
    | NeverCall
    | Log
    | Over
)


@dataclass(slots=True)
class Tally:
    """What a call detail record wants to know."""

    started_at: float | None = None
    """When the call came up, in the shell's seconds."""
    ended_at: float | None = None
    reason: str = ""
    language: str = ""
    turns: int = 0
    interruptions: int = 0
    idle_prompts: int = 0
    keys: int = 0
    faults: int = 0
    lost_ms: float = 0.0
    transferred_to: str = ""
    voice_to_voice_ms: list[float] = field(default_factory=list)
    """One for each reply: to its first sound."""
    timings: TurnTimings | None = None
    """Of the last reply."""
    languages: list[str] = field(default_factory=list)
    consent: str = ""
    """To a recording: "granted", "refused", "announced", "withdrawn"; "" where none was asked."""
    answered_by: str = ""
    """On a call that we place: "human", "machine", "unsure", "message" (one was left)."""
    handed_off: str = ""
    """Why a human was wanted first."""
    transfers: list[dict[str, Any]] = field(default_factory=list)

    def spoke(self, language: str) -> None:
        """Note a language of the call."""
        self.language = language
        if language and language not in self.languages:
            self.languages.append(language)
