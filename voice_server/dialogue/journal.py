"""Where answered turns are reported: the door from the dialogue to storage and staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from voice_server.trust.decisions import Decision


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """A turn that was answered and committed."""

    user: str
    """What the user said; empty where we spoke first."""
    assistant: str
    """What was answered; a barge-in may have cut it before it was heard to its end."""
    user_language: str
    decision: Decision


class Journal(Protocol):
    """Takes note of answered turns."""

    def answered(self, turn: AnsweredTurn) -> None:
        """Note a turn. Called in the loop, once a turn; never waits, never raises."""
