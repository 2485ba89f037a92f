"""A show that begins with the first page that watches, and rests while none does."""

from __future__ import annotations

import time
from collections.abc import Callable

from voice_server.live.show import State
from voice_server.live.show_events import Begin, Input, Mute, Resume

LINGER_S = 20.0
"""With nobody watching the show pauses after so long: speech costs the callers' cores."""


class Audience:
    """Begins, pauses and resumes a show by how many watch."""

    def __init__(self, do: Callable[[Input], None], state: Callable[[], State]) -> None:
        """``do`` gives the director its inputs, ``state`` is the director's."""
        self._do = do
        self._state = state
        self._alone_since: float | None = None
        self._muted = False

    def changed(self, count: int) -> None:
        """So many pages watch now."""
        self._alone_since = None if count else time.monotonic()
        if not count:
            return
        if self._state() is State.IDLE:
            self._do(Begin())
        elif self._muted:
            self._muted = False
            self._do(Resume())

    def look(self) -> None:
        """Pause the show when nobody has watched for LINGER_S; call about once a second."""
        alone = self._alone_since
        on_air = self._state() in (State.ON_AIR, State.LULL)
        if on_air and alone and time.monotonic() - alone > LINGER_S:
            self._muted = True
            self._do(Mute())
