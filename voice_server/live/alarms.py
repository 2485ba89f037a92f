"""What is wrong with a running show, for the host's console. Sans-I/O.

The console's ``state`` message carries ``alarms``, the newest last::

    {"kind": "source", "what": "twitch:marolle", "since": 1790000000.0, "words": "no answer"}

``kind``   "source"  a chat source is not connected
           "engine"  ``what`` is "voice" (a line could not be spoken) or "answers" (none could be
                     made in time)
           "facts"   prices and stock cannot be checked: they are hedged meanwhile
           "stream"  the picture does not leave the server; ``what`` is where it should go
           "load"    more comes in than can be read
``what``   which one; an alarm is one (kind, what)
``since``  Unix seconds of its beginning; the first cause keeps its time while the words change
``words``  what is known of it, in English, plain text (some of it from the other side: show it in
           a text node)

An alarm goes when its part is well again; nobody needs to dismiss it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

MOST = 40
"""Alarms at once: a show has a dozen parts; the oldest go."""
LONGEST = 200
"""Characters of the words: some are another server's."""


SOURCE, ENGINE, FACTS, STREAM, LOAD = "source", "engine", "facts", "stream", "load"
"""What can fail: the ``kind`` of an alarm."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong."""

    kind: str
    what: str
    since: float
    words: str


class Alarms:
    """The alarms of one show."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        """``on_change`` is called when the list has changed."""
        self._standing: dict[tuple[str, str], Alarm] = {}
        self._on_change = on_change

    @property
    def standing(self) -> tuple[Alarm, ...]:
        """What is wrong now, the newest last."""
        return tuple(self._standing.values())

    def sound(self, kind: str, what: str, words: str, *, now: float) -> None:
        """Something is wrong at ``now`` (Unix seconds).

        Said again, the words change and the time stays.
        """
        words = words[:LONGEST]
        known = self._standing.get((kind, what))
        if known is not None and known.words == words:
            return
        if known is None and len(self._standing) >= MOST:
            del self._standing[next(iter(self._standing))]
        found = Alarm(kind, what, now, words)
        self._standing[kind, what] = found if known is None else replace(known, words=words)
        self._on_change()

    def clear(self, kind: str, what: str) -> None:
        """It is well again, or was never otherwise."""
        if self._standing.pop((kind, what), None) is not None:
            self._on_change()
