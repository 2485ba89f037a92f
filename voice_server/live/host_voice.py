"""The host's own voice: from the console's microphone to stage and viewers, at once.

The avatar falls silent when the host speaks and goes on when the host gives back.  A microphone
that is lost must not leave a silent show: the host is told, and after GIVE_BACK_S the avatar goes
on by itself.  Sans-I/O but for the pages it sends to: time is given.
"""

from __future__ import annotations

from collections.abc import Callable

from voice_server.live.alarms import Alarms
from voice_server.live.broadcast import Broadcast
from voice_server.live.show_events import Input, Resume, TakeOver

RATE = 24_000
"""Samples a second of the console's microphone: PCM16, mono, little-endian."""
MOST_BYTES = RATE * 2 // 5
"""A frame holds at most 200 ms; the console sends 20."""
LEAD_MS = 60.0
"""Pages play the first sample so much later: jitter of one network, not of a reconnect."""
SILENT_S = 2.0
"""No frame for so long, while the microphone is open: the host is told."""
GIVE_BACK_S = 10.0
"""... and then the avatar goes on: nobody watches a mouth that does not move."""
KIND, WHAT = "microphone", "host"
WORDS = "No sound comes from your microphone. The avatar goes on in ten seconds."


class HostVoice:
    """One microphone at a time."""

    def __init__(self, pages: Broadcast, do: Callable[[Input], None], alarms: Alarms) -> None:
        """``do`` gives the director its inputs."""
        self._pages = pages
        self._do = do
        self._alarms = alarms
        self._owner: object | None = None
        self._count = 0
        self._samples = 0
        self._heard_at = 0.0

    @property
    def open(self) -> bool:
        """Whether the host speaks."""
        return self._owner is not None

    def start(self, owner: object, now: float) -> bool:
        """Begin; False when another console has the microphone."""
        if self._owner is not None and self._owner is not owner:
            return False
        if self._owner is None:
            self._count += 1
            self._samples = 0
            self._do(TakeOver())
        self._owner, self._heard_at = owner, now
        self._tell()
        return True

    def audio(self, owner: object, pcm: bytes, now: float) -> None:
        """Send one frame on; what is none, or not the owner's, is dropped."""
        if owner is not self._owner or not pcm or len(pcm) % 2 or len(pcm) > MOST_BYTES:
            return
        self._heard_at = now
        self._alarms.clear(KIND, WHAT)
        header: dict[str, object] = {
            "id": f"host-{self._count}",
            "at_ms": round(1000 * self._samples / RATE, 2),
            "rate": RATE,
            "lead_ms": LEAD_MS,
            "visemes": [],
            "host": True,
        }
        self._samples += len(pcm) // 2
        self._pages.send_live(header, pcm)

    def stop(self, owner: object) -> None:
        """Give back: the avatar goes on where it was."""
        if owner is self._owner:
            self._end()

    def lost(self, owner: object, *, unix_now: float) -> None:
        """The console is gone: it may come back within GIVE_BACK_S."""
        if owner is self._owner:
            self._owner = _Gone()
            self._alarms.sound(KIND, WHAT, WORDS, now=unix_now)

    def reclaim(self, owner: object, now: float) -> bool:
        """A console whose line broke goes on speaking; False when there is nothing to reclaim."""
        if isinstance(self._owner, _Gone):
            self._owner = owner
        return self.start(owner, now)

    def tick(self, now: float, *, unix_now: float) -> None:
        """Look whether sound still comes; call some times a second."""
        if self._owner is None:
            return
        if now - self._heard_at >= GIVE_BACK_S:
            self._end()
        elif now - self._heard_at >= SILENT_S:
            self._alarms.sound(KIND, WHAT, WORDS, now=unix_now)

    def _end(self) -> None:
        self._owner = None
        self._alarms.clear(KIND, WHAT)
        self._tell()
        self._do(Resume())

    def _tell(self) -> None:
        self._pages.send(
            {"type": "host_voice", "on": self.open, "id": f"host-{self._count}"}, keep=True
        )


class _Gone:
    """In the place of a console that closed with its microphone open."""
