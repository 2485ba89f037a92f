"""What leaves one show: one browser draws it, any number of outlets take it away.

The browser runs while there is an outlet.  Everything is told to the host:
:meth:`ShowOutput.report` for the console, an alarm of the kind "stream" while something is wrong.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from voice_server.live.alarms import STREAM, Alarms
from voice_server.live.out import feed
from voice_server.live.out.camera import Camera, find_browser
from voice_server.live.out.matroska import Picture
from voice_server.live.out.outlet import FINALISE_S, FPS, Outlet, OutletState, find_ffmpeg
from voice_server.live.out.programme import Programme
from voice_server.live.out.target import OutError, Target

log = logging.getLogger(__name__)

MOST_OUTLETS = 6
PICTURE = "the picture"
"""What the alarm is about when no picture is drawn."""
STOP_S = 20.0
"""The server ends: recordings have so long to be made whole."""
SIZES = {"landscape": (1280, 720), "portrait": (720, 1280)}
BITRATE = 2_500_000
"""Bits a second of the picture; between what Twitch and YouTube advise for 720p."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the show leaves."""

    layout: str = "landscape"
    language: str = "en"
    captions: str = "en"
    """A language, or "" for none."""


class ShowOutput:
    """The outlets of one show."""

    def __init__(
        self,
        show_id: str,
        *,
        address: Callable[[], str],
        alarms: Alarms,
        language: str = "en",
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """``address()`` is our own, "http://127.0.0.1:8080"; ``language`` the show's."""
        self.language = language
        self._show_id = show_id
        self._address = address
        self._alarms = alarms
        self._on_change = on_change
        self._look = Look()
        self._outlets: dict[Outlet, asyncio.Task[None]] = {}
        self._work: asyncio.Task[None] | None = None
        self._camera: Camera | None = None
        self._programme: Programme | None = None
        self._picture: Picture | None = None
        self._token = ""
        self._page: _Page | None = None
        self._counts: Mapping[str, int] = {}

    # ------------------------------------------------------------------ for the host

    def start(self, target: Target, look: Look) -> OutletState:
        """Send the show to a target; the first one decides how it looks.

        Raises:
            OutError: it goes there already, or ffmpeg or Chromium is missing.
        """
        find_ffmpeg()
        find_browser()
        target.check()
        if any(outlet.target.what == target.what for outlet in self._outlets):
            raise OutError(f"the show already goes to {target.what}")
        if len(self._outlets) >= MOST_OUTLETS:
            raise OutError(f"a show goes to at most {MOST_OUTLETS} places at once")
        outlet = Outlet(target, on_state=self._outlet_state, want_key=self._want_key)
        if self._picture is not None:
            outlet.configure(self._picture)
        if not self._outlets:
            self._look = look
        self._outlets[outlet] = asyncio.ensure_future(self._keep(outlet))
        if self._work is None or self._work.done():
            self._work = asyncio.ensure_future(self._draw())
        log.info("the show %s goes to %s", self._show_id, target.what)
        self._on_change()
        return outlet.state

    async def stop(self, what: str = "", *, within_s: float = FINALISE_S) -> int:
        """End what goes to ``what``, or all; returns how many.

        Recordings are made whole; what takes longer than ``within_s`` stays in fragments.
        """
        ending = [(o, t) for o, t in self._outlets.items() if what in ("", o.target.what)]
        for outlet, _ in ending:
            outlet.close()
        tasks = [task for _, task in ending]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return len(ending)

    async def close(self) -> None:
        """End everything."""
        await self.stop(within_s=STOP_S)
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def report(self) -> dict[str, object]:
        """Return how everything is doing, for the console."""
        return {
            "type": "out",
            "outlets": [asdict(outlet.state) for outlet in self._outlets],
            "layout": self._look.layout,
            "pictures": dict(self._counts),
            "late": self._programme.late if self._programme is not None else 0,
        }

    # ------------------------------------------------------------------ for the drawing page

    def join(self, token: str, send: Callable[[str], None], close: Callable[[], None]) -> _Page:
        """The page connects, once with each token. Raises FeedError."""
        if not self._token or not hmac.compare_digest(self._token.encode(), token.encode()):
            raise feed.FeedError("this is not the page that was begun here")
        self._token = ""
        if self._page is not None:
            self._page.close()
        self._page = _Page(send, close)
        return self._page

    def receive(self, page: _Page, data: bytes) -> None:
        """Take a message of the page. Raises FeedError."""
        programme, camera = self._programme, self._camera
        if page is not self._page or programme is None or camera is None:
            raise feed.FeedError("another page draws now")
        message = feed.parse(data)
        now = time.monotonic()
        if not page.joined:
            page.joined = True
            programme.join(message.at_ms, now)
        match message.kind:
            case feed.Kind.CONFIG:
                self._picture = Picture(*message.numbers, message.payload)
                for outlet in self._outlets:
                    outlet.configure(self._picture)
            case feed.Kind.VIDEO:
                camera.beat()
                programme.picture(message.at_ms, message.payload, key=message.key)
            case feed.Kind.SOUND:
                programme.sound(message.at_ms, message.pcm, message.rate, now)
            case feed.Kind.HUSH:
                programme.hush(message.at_ms)

    def told(self, page: _Page, message: Mapping[str, object]) -> None:
        """Take what the page says of itself."""
        if page is not self._page or self._camera is None:
            return
        if message.get("type") == "failed":
            self._camera.fail(str(message.get("words", ""))[:200] or "the page failed")
        elif message.get("type") == "counts":
            names = ("repeated", "left_out", "unread")
            self._counts = {n: v for n in names if isinstance(v := message.get(n), int)}

    # ------------------------------------------------------------------ working

    async def _draw(self) -> None:
        """Keep the browser and the clock while there is an outlet."""
        try:
            while self._outlets:
                self._programme = Programme(time.monotonic())
                width, height = SIZES[self._look.layout]
                camera = Camera(self._url, width=width, height=height, on_state=self._camera_state)
                self._camera = camera
                async with asyncio.TaskGroup() as tasks:
                    drawing = tasks.create_task(camera.run())
                    await self._pump(self._programme)
                    drawing.cancel()
        except* OutError as errors:  # the browser is gone from the machine
            log.error("%s no longer goes out: %s", self._show_id, errors.exceptions[0])
            for outlet in self._outlets:
                outlet.close()
        finally:
            self._token, self._page, self._picture, self._counts = "", None, None, {}
            self._alarms.clear(STREAM, PICTURE)

    async def _pump(self, programme: Programme) -> None:
        due = time.monotonic()
        while self._outlets:
            due = max(due + 1 / FPS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            packets = programme.take(time.monotonic())
            if packets:
                for outlet in self._outlets:
                    outlet.put(packets)

    async def _keep(self, outlet: Outlet) -> None:
        try:
            await outlet.run()
        except Exception as error:  # the show and the other outlets go on
            log.exception("the outlet to %s failed", outlet.target.what)
            self._alarms.sound(STREAM, outlet.target.what, str(error), now=time.time())
        finally:
            self._outlets.pop(outlet, None)
            self._on_change()

    def _url(self) -> str:
        self._token = secrets.token_urlsafe(24)
        width, height = SIZES[self._look.layout]
        query = {
            "token": self._token,
            "size": f"{width}x{height}",
            "lang": self._look.language,
            "captions": self._look.captions,
            "bitrate": BITRATE,
        }
        return f"{self._address()}/stage/{self._show_id}/feed?{urlencode(query)}"

    def _want_key(self) -> None:
        if self._page is not None:
            self._page.send("key")

    def _outlet_state(self, state: OutletState) -> None:
        if state.status in ("waiting", "failed"):
            self._alarms.sound(STREAM, state.what, state.error, now=state.since)
        elif state.status in ("live", "closed"):
            self._alarms.clear(STREAM, state.what)
        if state.status == "failed":
            log.error(
                "the show %s no longer goes to %s: %s", self._show_id, state.what, state.error
            )
        self._on_change()

    def _camera_state(self, words: str) -> None:
        if words:
            self._alarms.sound(STREAM, PICTURE, words, now=time.time())
        else:
            self._alarms.clear(STREAM, PICTURE)
        self._on_change()


class _Page:
    """The connection of a drawing page."""

    def __init__(self, send: Callable[[str], None], close: Callable[[], None]) -> None:
        self.send = send
        self.close = close
        self.joined = False
