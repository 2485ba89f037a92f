"""Has the lines of one call translated for who watches it, beside the call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from voice_server.telephony.line import Line
from voice_server.telephony.monitor import TalkLine
from voice_server.telephony.ports import TranslateForStaff

log = logging.getLogger(__name__)

TRANSLATE_S = 20.0
"""A line for the console: nobody waits for it, and the original is there."""

AT_ONCE = 4
"""Lines of one call under way; further ones stay as they were said. A watched call begins with all
that was said so far."""


class LineTranslation:
    """Implements :data:`~.monitor.Translate`."""

    def __init__(self, translate: TranslateForStaff, line: Callable[[], Line | None]) -> None:
        """``line`` is the call's, once it is known."""
        self._translate = translate
        self._line = line
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._closed = False

    def __call__(self, line: TalkLine, done: Callable[[str], None]) -> None:
        """Translate a line if it is in another language than the company's."""
        own = self._line()
        if self._closed or own is None or line.language == own.staff_language:
            return
        task = asyncio.get_running_loop().create_task(self._work(line, own.shop, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, line: TalkLine, shop: str, done: Callable[[str], None]) -> None:
        try:
            async with self._slots, asyncio.timeout(TRANSLATE_S):
                done(await self._translate(shop=shop, text=line.text, language=line.language))
        except Exception as error:  # the call goes on, the original stays
            log.warning("a line was not translated: %s", type(error).__name__)

    def close(self) -> None:
        """Give up what is under way."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
