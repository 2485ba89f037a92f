"""Where answered turns are reported: the door from the dialogue to storage and staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from voice_server.dialogue.guards.masking import NOTHING_GIVEN, Given
from voice_server.trust.decisions import Decision


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """A turn that was answered and committed, as it was said: a journal masks what it writes."""

    user: str
    """What the user said; empty where we spoke first."""
    assistant: str
    """What was answered; a barge-in may have cut it before it was heard to its end."""
    user_language: str
    decision: Decision
    given: Given = NOTHING_GIVEN
    """What is personal of the words, besides what they show."""
    order: str = ""
    """Number of the order that the caller has proved to be theirs, "" for none."""


class Journal(Protocol):
    """Takes note of answered turns."""

    def answered(self, turn: AnsweredTurn) -> None:
        """Note a turn. Called in the loop, once a turn; never waits, never raises."""
