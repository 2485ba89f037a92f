"""The line that is on air: spoken, captioned in every language, and counted in the report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from voice_server.live import alarms
from voice_server.live import show_events as ev
from voice_server.live.alarms import Alarms
from voice_server.live.caption_work import CaptionWork
from voice_server.live.captions import Caption, CaptionLog
from voice_server.live.prompter import Speaker
from voice_server.live.report import ShowReport

VOICE = "voice"
"""What the alarm of the speech engine is about."""


class OnAir:
    """Says the director's lines, one at a time, and keeps what was said."""

    def __init__(
        self,
        speaker: Speaker,
        captions: CaptionLog,
        work: CaptionWork,
        report: ShowReport,
        standing: Alarms,
        do: Callable[[ev.Input], None],
    ) -> None:
        """``do`` tells the director that a line ended."""
        self._speaker = speaker
        self._captions = captions
        self._work = work
        self._report = report
        self._alarms = standing
        self._do = do
        self._line: tuple[ev.Line, float] | None = None

    def begin(self, line: ev.Line, now: float) -> None:
        """Say a line."""
        self._report.begin(now)
        if line.cluster_id:
            self._report.sounding(line.cluster_id, now, by_host=line.by_host)
        self._line = (line, now)

        def done(ok: bool) -> None:
            self._end(asyncio.get_running_loop().time())
            if ok:
                self._alarms.clear(alarms.ENGINE, VOICE)
            else:
                words = "a sentence could not be spoken; the show goes on with the next"
                self._alarms.sound(alarms.ENGINE, VOICE, words, now=time.time())
            self._do(ev.Spoken(line.id) if ok else ev.SpeechFailed(line.id))

        self._speaker.speak(line, done)
        self._work.begin(line)

    def cancel(self, line_id: str, now: float) -> None:
        """Silence at once."""
        self._end(now)
        self._speaker.cancel(line_id)

    def prepare(self, text: str, language: str) -> None:
        """This will probably be said next."""
        self._speaker.prepare(text, language)

    def next(self) -> None:
        """The host has read the line of the teleprompter."""
        self._speaker.next()

    def answer(self, ready: ev.AnswerReady) -> None:
        """An answer will be said: translate what it has no captions of."""
        have = [language for language, _ in ready.captions]
        for sentence in ready.sentences:
            self._work.ahead(sentence, ready.language, have)

    async def translate(self) -> None:
        """Translate captions for ever."""
        await self._work.run()

    async def close(self) -> None:
        """Stop everything that is under way."""
        await self._speaker.close()

    def _end(self, now: float) -> None:
        began = self._report.began
        if self._line is not None and began is not None:
            line, at = self._line
            self._captions.add(Caption(at - began, now - began, self._work.known(line)))
        self._line = None
