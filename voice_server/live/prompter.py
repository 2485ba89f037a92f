"""Teleprompter mode: the host speaks the lines, where a platform forbids an AI's voice.

Takes the place of :class:`~voice_server.live.voice.LineSpeaker`.  A line stays until the host asks
for the next one, or for as long as reading it aloud takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from voice_server.live.broadcast import Broadcast
from voice_server.live.policy import reading_s
from voice_server.live.show_events import Line
from voice_server.live.voice import line_message


class Speaker(Protocol):
    """Says lines, by voice or by the host's mouth."""

    def speak(self, line: Line, done: Callable[[bool], None]) -> None:
        """Say a line; ``done(ok)`` when it was said, or could not be."""

    def cancel(self, line_id: str) -> None:
        """Stop at once; nothing is reported."""

    def prepare(self, text: str, language: str) -> None:
        """This will probably be said next."""

    def next(self) -> None:
        """The host has said the line."""

    async def close(self) -> None:
        """Stop everything that is under way."""


class Prompter:
    """Shows lines to the host; the audience sees them as captions."""

    def __init__(self, pages: Broadcast) -> None:
        """``pages`` get ``line`` (without sound) and ``line_end``."""
        self._pages = pages
        self._timer: asyncio.TimerHandle | None = None
        self._finish: Callable[[], None] | None = None
        self._line = ""

    def speak(self, line: Line, done: Callable[[bool], None]) -> None:
        """Show a line until it is read."""

        def finish() -> None:
            self._forget()
            self._pages.send({"type": "line_end", "id": line.id})
            done(True)

        self._line, self._finish = line.id, finish
        self._pages.send({**line_message(line), "seconds": reading_s(line.text)})
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(reading_s(line.text), finish)

    def cancel(self, line_id: str) -> None:
        """Take the line away."""
        if self._line == line_id:
            self._forget()
            self._pages.send({"type": "cancel", "id": line_id})

    def prepare(self, text: str, language: str) -> None:
        """Show the host what comes."""
        self._pages.send({"type": "upcoming", "text": text, "language": language}, host=True)

    def next(self) -> None:
        """The host has read it."""
        if self._finish is not None:
            self._finish()

    async def close(self) -> None:
        """Forget the line."""
        self._forget()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._finish = None
        self._line = ""
