"""One show to many pages: every page has a bounded queue, and one that does not read is dropped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import orjson

from voice_server.live.chat.envelope import Kind

WAITING = 400
"""Messages a page may be behind: about a minute of speech. Then it is closed and connects anew:
a page that lags so far would show a mouth without its sound."""
WAITING_BYTES = 8_000_000

LIVE_WAITING = 25
"""Frames of the host's voice (half a second) that may wait for a page."""

RECENT = 25
"""Messages of the chat that a page which comes late is shown."""

Frame = str | bytes


class Lagging(Exception):
    """The page does not read; it is told to go."""


class Page:
    """One connected page. ``role`` is "stage", "viewer", "preview" or "host"."""

    def __init__(self, role: str) -> None:
        """Nothing is waiting."""
        self.role = role
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self._lagging = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """Frames the page has not taken yet."""
        return len(self._frames)

    def put(self, frame: Frame) -> None:
        """Queue a frame; a page that is too far behind gets no more."""
        if self._lagging or self._closed:
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        if len(self._frames) > WAITING or self._bytes > WAITING_BYTES:
            self._lagging = True
            self._frames.clear()
        self._ready.set()

    def tell(self, message: dict[str, object]) -> None:
        """Queue a JSON message for this page alone."""
        self.put(orjson.dumps(message).decode())

    def close(self) -> None:
        """No more frames: :meth:`next` returns None once the queue is empty."""
        self._closed = True
        self._ready.set()

    async def next(self) -> Frame | None:
        """Return the next frame, None when the show closed the page. Raises Lagging."""
        while True:
            if self._lagging:
                raise Lagging
            if self._frames:
                frame = self._frames.popleft()
                self._bytes -= len(frame)
                return frame
            if self._closed:
                return None
            self._ready.clear()
            await self._ready.wait()


class Broadcast:
    """All pages of a show, and what a page that comes late must know."""

    def __init__(self, on_audience: Callable[[int], None] = lambda count: None) -> None:
        """``on_audience(count)`` is called when stage pages and viewers come and go."""
        self._pages: set[Page] = set()
        self._kept: dict[str, Frame] = {}
        self._chat: deque[dict[str, object]] = deque(maxlen=RECENT)
        self._on_audience = on_audience

    @property
    def audience(self) -> int:
        """Pages that watch: stages and viewers."""
        return sum(page.role in ("stage", "viewer") for page in self._pages)

    def join(self, role: str) -> Page:
        """Return a new page's queue, with what holds now in it."""
        page = Page(role)
        for name, frame in self._kept.items():
            if role == "host" or not name.startswith("host."):
                page.put(frame)
        if role in ("viewer", "host"):
            for message in self._chat:
                page.tell(message)
        self._pages.add(page)
        self._on_audience(self.audience)
        return page

    def leave(self, page: Page) -> None:
        """Forget a page."""
        self._pages.discard(page)
        page.close()
        self._on_audience(self.audience)

    def send(self, message: dict[str, object], *, keep: bool = False, host: bool = False) -> None:
        """Send a JSON message to all (or to the host only); ``keep`` repeats it to late comers."""
        frame = orjson.dumps(message).decode()
        name = ("host." if host else "") + str(message["type"])
        if keep:
            self._kept[name] = frame
        if message["type"] == "chat":
            self._chat.append(message)
        elif message["type"] == "chat_removed":
            kept = [said for said in self._chat if not _removed(said, message)]
            self._chat = deque(kept, maxlen=RECENT)
        for page in self._pages:
            if page.role == "host" or not host:
                page.put(frame)

    def send_audio(self, header: dict[str, object], pcm: bytes) -> None:
        """Send speech: length of the header (4 bytes, little-endian), header, PCM16 mono.

        The host's console plays no sound and gets none.
        """
        head = orjson.dumps(header)
        frame = len(head).to_bytes(4, "little") + head + pcm
        for page in self._pages:
            if page.role != "host":
                page.put(frame)

    def send_live(self, header: dict[str, object], pcm: bytes) -> None:
        """Send the host's voice as :meth:`send_audio` does; a page that is behind misses some.

        Speech that comes late is worth less than the next: it would only lengthen the delay.
        """
        head = orjson.dumps(header)
        frame = len(head).to_bytes(4, "little") + head + pcm
        for page in self._pages:
            if page.role != "host" and page.waiting < LIVE_WAITING:
                page.put(frame)

    def keep(self, message: dict[str, object], *, host: bool = False) -> None:
        """Tell late comers something that those who are here know already."""
        name = ("host." if host else "") + str(message["type"])
        self._kept[name] = orjson.dumps(message).decode()

    def close(self) -> None:
        """The show is over: every page gets what waits for it, then the end."""
        for page in list(self._pages):
            page.close()


def _removed(said: dict[str, object], removal: dict[str, object]) -> bool:
    """Whether a moderator took this message back, as the pages decide it too."""
    if said["platform"] != removal["platform"]:
        return False
    kind, target = removal["kind"], removal["target"]
    return (
        kind == Kind.CLEAR
        or (kind == Kind.DELETE and said["id"] == target)
        or (kind == Kind.BAN and said["author_id"] == target)
    )
