"""Where all sources deliver: deduplicated, bounded, removals first. Sans-I/O."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from voice_server.live.chat.envelope import REMOVALS, ChatEvent, Kind

REMEMBERED = 20_000
"""Ids kept for deduplication: 100 s of the wildest chat; a platform repeats within seconds."""
WAITING = 400
"""Events waiting for triage: two seconds at 200 a second. Beyond, the oldest plain messages go:
the audience has scrolled past them too.  Paid messages, gifts and removals stay."""
MOST_VALUED = 1_000
"""Paid messages, gifts and removals waiting: what exceeds it is an attack, not an audience."""


class Inbox:
    """The queue between the sources and the triage."""

    def __init__(self, *, waiting: int = WAITING, remembered: int = REMEMBERED) -> None:
        """``waiting`` plain messages are kept, ``remembered`` ids are known again."""
        self._plain: deque[ChatEvent] = deque()
        self._valued: deque[ChatEvent] = deque()
        self._waiting = waiting
        self._remembered = remembered
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.received = 0
        self.repeated = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._plain) + len(self._valued)

    def offer(self, event: ChatEvent) -> bool:
        """Take an event; False if it was here before."""
        self.received += 1
        if event.key in self._seen:
            self._seen.move_to_end(event.key)
            self.repeated += 1
            return False
        self._seen[event.key] = None
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        if event.kind in REMOVALS:
            self._withdraw(event)
        if event.kind is Kind.MESSAGE:
            self._plain.append(event)
            if len(self._plain) > self._waiting:
                self._plain.popleft()
                self.dropped += 1
        else:
            self._valued.append(event)
            if len(self._valued) > MOST_VALUED:
                self._valued.popleft()
                self.dropped += 1
        return True

    def take(self, most: int = 50) -> list[ChatEvent]:
        """Return up to ``most`` events: removals, payments and gifts before plain messages."""
        taken: list[ChatEvent] = []
        for queue in (self._valued, self._plain):
            while queue and len(taken) < most:
                taken.append(queue.popleft())
        return taken

    def _withdraw(self, removal: ChatEvent) -> None:
        """Forget what is taken back before anybody has looked at it."""
        gone = removes(removal)
        for queue in (self._plain, self._valued):
            kept = [event for event in queue if not gone(event)]
            queue.clear()
            queue.extend(kept)


def removes(removal: ChatEvent) -> Callable[[ChatEvent], bool]:
    """Return whether ``removal`` takes an event back."""

    def gone(event: ChatEvent) -> bool:
        if event.kind in REMOVALS or event.platform != removal.platform:
            return False
        if removal.kind is Kind.DELETE:
            return event.id == removal.target
        if removal.kind is Kind.BAN:
            return event.author_id == removal.target
        return not removal.channel or event.channel == removal.channel

    return gone
