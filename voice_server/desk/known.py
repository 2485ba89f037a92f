"""What a desk knows of the conversations that were handed over."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 10_000
"""Sessions of which the hand-offs are known; the oldest are forgotten."""


@dataclass(slots=True)
class KnownSession:
    """What is known of a session's hand-offs."""

    packet_id: str = ""
    """Of the last one."""
    reference: str = ""
    round: int = 0
    """How often it came back: asking for a person again is a new case."""


class KnownSessions:
    """Bounded by :data:`REMEMBERED`."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, KnownSession] = OrderedDict()

    def get(self, session_id: str) -> KnownSession | None:
        """Return what is known of a session, None if nothing."""
        return self._sessions.get(session_id)

    def of(self, session_id: str) -> KnownSession:
        """Return what is known of a session, which is remembered from now on."""
        session = self._sessions.setdefault(session_id, KnownSession())
        self._sessions.move_to_end(session_id)
        while len(self._sessions) > REMEMBERED:
            self._sessions.popitem(last=False)
        return session

    def by_reference(self, reference: str) -> str | None:
        """Return the session that a vendor's reference belongs to, the newest if several."""
        for session_id, session in reversed(self._sessions.items()):
            if session.reference == reference:
                return session_id
        return None


def packet_id(session_id: str, reason: str, round_: int) -> str:
    """The same session and reason are the same packet, until the conversation came back."""
    words = f"{session_id}\0{reason}\0{round_}"
    return f"ho_{hashlib.sha256(words.encode()).hexdigest()[:20]}"
