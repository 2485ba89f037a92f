"""The server's own browser, which draws the stage and encodes it: a headless Chromium.

The stage page is the only thing that knows how the show looks, so it draws the stream as well.  On
the machine that this was written on, page, capture and H.264 take 0.65 of a core at 1280 x 720.

Deadlines: a browser that sends no picture for PICTURE_S (START_S at first) is killed and begun
anew, after 1, 2, 4 ... 30 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence

from voice_server.live.out.target import OutError, piped

log = logging.getLogger(__name__)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BELOW = 136
"""Pixels of the window below the stage: the time stamp of the picture (``stage/feed.js``), and room
for the bar by which Chromium tells that the page is captured, which comes later and moves it up."""
START_S = 30.0
PICTURE_S = 10.0
END_S = 5.0
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
STEADY_S = 60.0
LOOK_S = 0.5

FLAGS = (
    "--headless=new", "--kiosk", "--hide-scrollbars", "--force-device-scale-factor=1",
    "--disable-gpu", "--enable-unsafe-swiftshader", "--mute-audio",
    "--test-type",  # no bars above the page about the other flags
    # The page captures itself without being asked, and nobody clicks.
    "--auto-accept-this-tab-capture", "--autoplay-policy=no-user-gesture-required",
    # Nobody looks at the window either: it draws all the same.
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # Nothing but our page.
    "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--disable-breakpad", "--no-proxy-server", "--password-store=basic",
)  # fmt: skip


class Camera:
    """Keeps a browser drawing."""

    def __init__(
        self,
        url: Callable[[], str],
        *,
        width: int,
        height: int,
        on_state: Callable[[str], None] = lambda words: None,
    ) -> None:
        """``url()`` is asked for each browser; ``on_state(words)`` says what is wrong, or ""."""
        self._url = url
        self._size = (width, height)
        self._on_state = on_state
        self._seen = 0.0
        self._failed = ""
        self._steady = False

    def beat(self) -> None:
        """A picture came."""
        self._seen = time.monotonic()
        if not self._steady:
            self._steady = True
            self._on_state("")

    def fail(self, words: str) -> None:
        """The page says that it cannot go on."""
        self._failed = words

    async def run(self) -> None:
        """Run until cancelled. Raises OutError when there is no browser."""
        wait = FIRST_WAIT_S
        while True:
            began = time.monotonic()
            words = await self._once()
            self._on_state(words)
            log.warning("the browser that draws the stream: %s; again in %.0f s", words, wait)
            wait = FIRST_WAIT_S if time.monotonic() - began > STEADY_S else wait
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)

    async def _once(self) -> str:
        self._failed, self._steady, self._seen = "", False, 0.0
        profile = await asyncio.to_thread(tempfile.mkdtemp, prefix="voice-server-camera-")
        try:
            process = await asyncio.create_subprocess_exec(
                find_browser(), *self._arguments(profile),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
            said: deque[str] = deque(maxlen=5)
            listening = asyncio.ensure_future(_hear(process, said))
            try:
                return await self._watch(process)
            finally:
                await _end(process)
                await asyncio.gather(listening, return_exceptions=True)
                for line in said:
                    log.debug("chromium: %s", line)
        finally:
            await asyncio.to_thread(shutil.rmtree, profile, ignore_errors=True)

    def _arguments(self, profile: str) -> Sequence[str]:
        width, height = self._size[0], self._size[1] + BELOW
        url = self._url()
        origin = "/".join(url.split("/")[:3])
        return (
            *FLAGS,
            # Chromium refuses its sandbox to root; our own page is all it opens.
            *(("--no-sandbox",) if os.geteuid() == 0 else ()),
            # Pages may only capture themselves where nobody can have changed them on the way.
            f"--unsafely-treat-insecure-origin-as-secure={origin}",
            f"--screen-info={{{width}x{height}}}",
            f"--window-size={width},{height}",
            f"--user-data-dir={profile}",
            url,
        )

    async def _watch(self, process: asyncio.subprocess.Process) -> str:
        """Return what is wrong, once something is."""
        began = time.monotonic()
        while process.returncode is None:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if self._failed:
                return self._failed
            if not self._seen and now - began > START_S:
                return f"no picture within {START_S:.0f} s"
            if self._seen and now - self._seen > PICTURE_S:
                return f"no picture for {PICTURE_S:.0f} s"
        return f"Chromium ended with code {process.returncode}"


def find_browser() -> str:
    """Return where Chromium is. Raises OutError."""
    for name in BROWSERS:
        found = shutil.which(name)
        if found is not None:
            return found
    raise OutError("Chromium is not installed (Debian: apt-get install chromium)")


async def _hear(process: asyncio.subprocess.Process, said: deque[str]) -> None:
    stderr = piped(process.stderr)
    while data := await stderr.read(4096):
        said.append(data.decode("utf-8", "replace")[-300:])


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the browser and its helpers, which share a process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await process.wait()
                return
