"""What became of chat events in the triage. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from voice_server.live.chat.envelope import ChatEvent, Kind
from voice_server.live.questions import Cluster


@dataclass(frozen=True, slots=True)
class Joined:
    """A question came in: a new cluster, or one more asker of an open one."""

    cluster: Cluster
    new: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A cluster ended without an answer: its status says how."""

    cluster: Cluster


@dataclass(frozen=True, slots=True)
class Social:
    """Somebody to greet or to thank."""

    kind: Kind
    author: str
    language: str
    amount: float = 0.0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that nobody answers, and why."""

    event: ChatEvent
    reason: str


Outcome = Joined | Closed | Social | Dropped
