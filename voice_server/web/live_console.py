"""The host's console on its websocket: commands, words to be said, and the microphone.

JSON both ways; what the host's microphone hears comes as binary frames of PCM16 mono at 24 kHz
after ``{"type": "mic", "on": true}``.  What a message asks for and may not is answered with
``{"type": "refused", "reason": ...}``.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

from voice_server.live import show_events as ev
from voice_server.live.broadcast import Page
from voice_server.live.chat.cleaning import clean
from voice_server.live.session import ShowSession

MOST_WORDS = 800
"""Characters of an answer the host types: a minute of speech."""


class HostConsole:
    """One console of one show."""

    def __init__(self, show: ShowSession, page: Page) -> None:
        """``page`` gets what only this console is told."""
        self._show = show
        self._page = page

    async def receive(self, message: Mapping[str, Any]) -> None:
        """Take one JSON message; what is none of ours is ignored."""
        show = self._show
        ident = str(message.get("id", ""))[:64]
        match message.get("type"):
            case "pin":
                show.pin(ident, message.get("on") is not False)
            case "next":
                show.on_air.next()
            case "draft":
                show.host.draft(ident)
            case "answer" | "say" as kind:
                text, language = self._words(message)
                vouched = message.get("vouched") is True
                if not text:
                    return
                if kind == "say":
                    show.host.say(text, language, vouched=vouched)
                else:
                    show.host.answer(ident, text, language, vouched=vouched)
            case "mic":
                self._microphone(message.get("on") is True, message.get("again") is True)
            case _:
                event = host_command(message)
                if event is not None:
                    show.do(event)

    def sound(self, pcm: bytes) -> None:
        """Take a frame of the microphone."""
        self._show.voice.audio(self, pcm, asyncio.get_running_loop().time())

    def closed(self) -> None:
        """The socket is gone."""
        self._show.voice.lost(self, unix_now=time.time())

    def _words(self, message: Mapping[str, Any]) -> tuple[str, str]:
        language = str(message.get("language", ""))
        known = language in self._show.sheet.languages
        text = clean(str(message.get("text", "")), MOST_WORDS)
        return text, language if known else self._show.sheet.language

    def _microphone(self, on: bool, again: bool) -> None:
        voice = self._show.voice
        now = asyncio.get_running_loop().time()
        if not on:
            voice.stop(self)
        elif not (voice.reclaim(self, now) if again else voice.start(self, now)):
            self._page.tell({"type": "refused", "id": "mic", "reason": "mic_taken", "detail": ""})


def host_command(message: Mapping[str, Any]) -> ev.Input | None:
    """Return the director's input for a message of the console, None for what is none."""
    ident = str(message.get("id", ""))[:64]
    match message.get("type"):
        case "begin":
            return ev.Begin()
        case "approve":
            return ev.Approve(ident)
        case "skip":
            return ev.Skip(ident)
        case "mute":
            return ev.Mute()
        case "take_over":
            return ev.TakeOver()
        case "resume":
            return ev.Resume()
        case "jump" if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", ident):
            return ev.Jump(ident)
        case "stop":
            return ev.Stop()
    return None
