"""Captions in the languages that a line has none in: translated while it is spoken, or before.

Most lines bring their captions (the shop's texts and facts have every language).  What a language
model or the host worded has one language; it is translated here with prices and names masked, one
sentence at a time.  A translation that fails or comes too late leaves the sentence as spoken.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence

from voice_server.dialogue.translation import Translates
from voice_server.live.captions import CaptionLog
from voice_server.live.show_events import Line

log = logging.getLogger(__name__)

KEPT = 500
"""Translations kept: bridges and notices come again."""
WAITING = 24
"""Sentences in the queue; the oldest go: their line was spoken long ago."""

Send = Callable[[dict[str, object]], None]


class CaptionWork:
    """Translates for one show. :meth:`run` does the work."""

    def __init__(
        self,
        translator: Translates | None,
        languages: Sequence[str],
        captions: CaptionLog,
        send: Send,
    ) -> None:
        """``send`` tells the pages; without a translator nothing is translated."""
        self._translator = translator
        self._languages = tuple(languages)
        self._captions = captions
        self._send = send
        self._line: Line | None = None
        self._known: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._queue: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._wake = asyncio.Event()

    def ahead(self, text: str, language: str, have: Sequence[str] = ()) -> None:
        """This will be said: begin with it."""
        if self._translator is None:
            return
        for other in self._languages:
            key = (text, language, other)
            if other != language and other not in have and key not in self._known:
                self._queue[key] = None
        while len(self._queue) > WAITING:
            self._queue.popitem(last=False)
        if self._queue:
            self._wake.set()

    def begin(self, line: Line) -> None:
        """A line begins: send what is known, and work on the rest."""
        self._line = line
        have = dict(line.captions)
        found = {
            other: text
            for (source, language, other), text in self._known.items()
            if (source, language) == (line.text, line.language) and other not in have
        }
        if found:
            self._send({"type": "captions", "id": line.id, "captions": found})
        self.ahead(line.text, line.language, tuple(have))

    def known(self, line: Line) -> tuple[tuple[str, str], ...]:
        """Return a line's captions with what was translated, its own language first."""
        found = {line.language: line.text, **dict(line.captions)}
        for (source, language, other), text in self._known.items():
            if (source, language) == (line.text, line.language):
                found.setdefault(other, text)
        return tuple(found.items())

    async def run(self) -> None:
        """Translate for ever, one sentence at a time."""
        while True:
            await self._wake.wait()
            while self._queue:
                key, _ = self._queue.popitem(last=False)
                await self._translate(key)
            self._wake.clear()

    async def _translate(self, key: tuple[str, str, str]) -> None:
        text, source, target = key
        assert self._translator is not None, "else nothing is queued"  # noqa: S101
        result = await self._translator.translate(text, source, target)
        if not result.ok:
            return
        self._known[key] = result.text
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        self._captions.translated(text, source, target, result.text)
        line = self._line
        if line is not None and (line.text, line.language) == (text, source):
            self._send({"type": "captions", "id": line.id, "captions": {target: result.text}})
