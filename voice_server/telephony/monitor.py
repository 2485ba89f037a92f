"""What people at the console see and hear of one call, while it goes on.

Nothing is made for a call that nobody watches but its lines, which are few and short.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Literal, Protocol

from voice_server.audio.pcm import Audio, encode_pcm16
from voice_server.audio.resample import Resampler
from voice_server.conversation import notices as n
from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE

LINES_MOST = 300
"""Lines kept of one call: half an hour of quick talk."""

TEXT_MOST = 2000

Speaker = Literal["caller", "assistant", "note"]


class Side(IntEnum):
    """Whose voice a piece of sound is: the first byte of a frame to the page."""

    CALLER = 0
    SHOP = 1
    """The assistant, or the person who has taken over."""
    WHISPER = 2
    """A colleague, whom the caller does not hear."""


@dataclass(frozen=True, slots=True)
class TalkLine:
    """One utterance; a later one with the same id replaces it."""

    id: str
    speaker: Speaker
    text: str
    language: str
    at: datetime
    final: bool = True
    """False: still being said."""
    translation: str = ""
    """Into the company's language; "" for none."""


class Watcher(Protocol):
    """Somebody at the console. Called in the loop; must not block."""

    def line(self, call_id: str, line: TalkLine) -> None:
        """Something was said, or is being said."""

    def changed(self, call_id: str) -> None:
        """What the list shows of the call is different now."""

    def sound(self, call_id: str, side: Side, pcm: bytes) -> None:
        """Sound of the call, linear 16 bit, little-endian, 24 kHz; only for who listens."""

    def opened(self, call_id: str) -> None:
        """The caller has been told: sound may be heard from now on."""

    def gone(self, call_id: str) -> None:
        """The call is over."""


Translate = Callable[[TalkLine, Callable[[str], None]], None]
"""Has a line translated, some time later, if that can be done; calls back with the words."""


class Monitor:
    """The lines of one call, and who follows it."""

    def __init__(self, call_id: str, tell: Callable[[str], None]) -> None:
        """``tell`` says to all pages that the call has changed."""
        self.call_id = call_id
        self._tell = tell
        self.lines: dict[str, TalkLine] = {}
        self.watchers: set[Watcher] = set()
        self.ears: set[Watcher] = set()
        """Who hears the sound."""
        self.translate: Translate | None = None
        self._up: Resampler | None = None

    # ---------------------------------------------------------------- sound

    def hear(self, watcher: Watcher) -> None:
        """Let somebody hear from now on."""
        self.ears.add(watcher)

    def heard(self, audio: Audio) -> None:
        """The caller's voice, float32 [n] at 16 kHz."""
        if not self.ears:
            self._up = None
            return
        if self._up is None:
            self._up = Resampler(LISTENING_RATE, SPEAKING_RATE)
        self._sound(Side.CALLER, self._up.process(audio))

    def spoken(self, audio: Audio) -> None:
        """The shop's voice, float32 [n] at 24 kHz."""
        if self.ears:
            self._sound(Side.SHOP, audio)

    def _sound(self, side: Side, audio: Audio) -> None:
        pcm = encode_pcm16(audio)
        for ear in self.ears:
            ear.sound(self.call_id, side, pcm)

    # ---------------------------------------------------------------- words

    def notice(self, notice: n.Notice, language: str) -> None:
        """Take what the conversation tells; ``language`` is the call's."""
        if isinstance(notice, n.TranscriptDelta):
            before = self.lines.get(notice.item_id)
            text = (before.text if before is not None else "") + notice.text
            self._line(notice.item_id, "caller", text, language, final=False)
        elif isinstance(notice, n.TranscriptFinal):
            said = notice.transcript
            if said.text.strip():
                self._line(notice.item_id, "caller", said.text, said.language or language)
            else:
                self._unsay(notice.item_id)
        elif isinstance(notice, n.ClauseText):
            before = self.lines.get(notice.reply_id)
            text = f"{before.text} {notice.clause.text}" if before else notice.clause.text
            spoken = notice.clause.language or language
            self._line(notice.reply_id, "assistant", text, spoken, final=False)
        elif isinstance(notice, n.ReplyDone):
            said_before = self.lines.get(notice.reply_id)
            if notice.text.strip():
                spoken = said_before.language if said_before is not None else language
                self._line(notice.reply_id, "assistant", notice.text, spoken)
            else:  # cut before anybody heard a word
                self._unsay(notice.reply_id)

    def note(self, ident: str, text: str) -> None:
        """Add a line of our own: who came and went. ``text`` is a key of the page's texts."""
        self._line(ident, "note", text, "")

    def _unsay(self, ident: str) -> None:
        if ident in self.lines:
            self._line(ident, self.lines[ident].speaker, "", self.lines[ident].language)
            del self.lines[ident]

    def _line(
        self, ident: str, speaker: Speaker, text: str, language: str, *, final: bool = True
    ) -> None:
        before = self.lines.get(ident)
        at = before.at if before is not None else datetime.now(UTC)
        line = TalkLine(ident, speaker, text[:TEXT_MOST].strip(), language, at, final)
        self._put(line)
        if final and speaker != "note" and self.watchers:
            self._have_translated(line)

    def _put(self, line: TalkLine) -> None:
        self.lines[line.id] = line
        if len(self.lines) > LINES_MOST:
            del self.lines[next(iter(self.lines))]
        for watcher in self.watchers:
            watcher.line(self.call_id, line)

    def _have_translated(self, line: TalkLine) -> None:
        if self.translate is None or not line.text or line.translation:
            return

        def done(words: str) -> None:
            now = self.lines.get(line.id)
            if now is not None and now.text == line.text and words:
                self._put(replace(now, translation=words))

        self.translate(line, done)

    # -------------------------------------------------------------- watching

    def join(self, watcher: Watcher) -> None:
        """Follow the call; what was said so far is in :attr:`lines`."""
        self.watchers.add(watcher)
        for line in list(self.lines.values()):
            if line.final and line.speaker != "note":
                self._have_translated(line)

    def leave(self, watcher: Watcher) -> None:
        """Stop following and hearing."""
        self.watchers.discard(watcher)
        self.ears.discard(watcher)

    def changed(self) -> None:
        """Tell the list of calls."""
        self._tell(self.call_id)

    def opened(self) -> None:
        """Tell who waits to listen."""
        for watcher in self.watchers:
            watcher.opened(self.call_id)
